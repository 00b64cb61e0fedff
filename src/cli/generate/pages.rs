//! The man pages: what the arguments say by themselves, and the sections that they can't.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::{Files, shown};
use crate::cli::Cli;

/// A section of terms, each explained.
type Section = (&'static str, &'static [(&'static str, &'static str)]);

const RUN_CODES: Section = (
    "EXIT STATUS",
    &[
        ("the command's own", "where it ran to its end"),
        ("124", "the time limit was reached (limits.time)"),
        ("125", "creel or Docker failed, or the command line is wrong"),
        ("126", "the command was denied by the policy, or is not executable"),
        ("127", "the command was not found"),
        (
            "128 + N",
            "the command was ended by signal N; 137 is SIGKILL, as from creel stop or the memory limit",
        ),
    ],
);

const CODES: Section = (
    "EXIT STATUS",
    &[
        ("0", "success"),
        ("1", "it failed; the reason is on stderr"),
        ("2", "the command line is wrong"),
        (
            "124 to 127, 128 + N",
            "of run, exec and attach, which otherwise exit as the command does: see creel-run(1)",
        ),
        ("141", "whoever read the output has closed it"),
    ],
);

const ENVIRONMENT: Section = (
    "ENVIRONMENT",
    &[
        (
            "DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG",
            "which local Docker Engine is used, as docker(1) reads them; an engine on another machine is refused",
        ),
        (
            "XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR",
            "where creel keeps its files: see FILES",
        ),
        ("NO_COLOR", "no colours, also on a terminal"),
    ],
);

const FILES: Section = (
    "FILES",
    &[
        (
            "creel.toml",
            "the policy of a project, found from the current folder upwards; it counts once its owner has said creel policy trust",
        ),
        (
            "$XDG_CONFIG_HOME/creel/config.toml",
            "the user's own policy, beneath every other (~/.config by default)",
        ),
        ("$XDG_CONFIG_HOME/creel/trusted.toml", "hashes of the policies that were trusted"),
        ("$XDG_STATE_HOME/creel/audit/NAME/", "the audit log of a sandbox (~/.local/state by default)"),
        ("$XDG_STATE_HOME/creel/sandboxes/NAME/", "where a sandbox stands, and its monitor's log"),
        ("$XDG_DATA_HOME/creel/bin/", "copies of creel for the containers (~/.local/share by default)"),
        ("$XDG_RUNTIME_DIR/creel/NAME/", "sockets of a running sandbox"),
    ],
);

const LOG: Section = (
    "THE LOG",
    &[
        (
            "current.jsonl",
            "one JSON object a line, in the folder of its sandbox; each names the SHA-256 of the line before it as prev, and its number as seq",
        ),
        (
            "v, seq, ts, sandbox, run, src, kind, verdict, rule, by",
            "what every record begins with; src is where the gate or monitor held it, by which it is known once and only once",
        ),
        (
            "exec",
            "pid, ppid, start (the start time, in clock ticks since boot), uid, exe, file (the script, where exe is its interpreter), argv, cwd, env (variables that change what a program does, where they differ from the sandbox's start; null: unset), reason",
        ),
        (
            "bytes that are not UTF-8",
            "stand as {\"base64\": \"...\"} in place of the string, so that nothing is lost and no string can be taken for them",
        ),
        (
            "argv_cut, env_cut",
            "where a list was too long: how many bytes the whole has, each string with its NUL, and their SHA-256",
        ),
    ],
);

/// Every page, by its path.
pub(super) fn all() -> Result<Files> {
    let mut files = Files::new();
    let mut root = shown(Cli::command()).disable_help_subcommand(true);
    root.build();
    for command in root.get_subcommands() {
        let sections: &[Section] = match command.get_name() {
            "run" | "exec" | "attach" => &[RUN_CODES],
            "audit" => &[LOG],
            _ => &[],
        };
        page(command, sections, &mut files)?;
        for below in command.get_subcommands() {
            page(below, &[], &mut files)?;
        }
    }
    page(&root, &[CODES, ENVIRONMENT, FILES], &mut files)?;
    Ok(files)
}

fn page(command: &Command, sections: &[Section], files: &mut Files) -> Result<()> {
    let version = format!("creel {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(version).manual("creel manual");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        man.render_options_section(&mut text)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    for (heading, terms) in sections {
        writeln!(text, ".SH \"{heading}\"")?;
        for (term, meaning) in *terms {
            writeln!(text, ".TP\n\\fB{}\\fR\n{}", escaped(term), escaped(meaning))?;
        }
    }
    files.insert(Path::new("man").join(man.get_filename()), text);
    Ok(())
}

/// For a line of roff(7) text.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}
