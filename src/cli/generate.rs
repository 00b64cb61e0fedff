//! `creel generate`: completions and man pages, from the same definitions that parse the command line. They are
//! committed; `--check` says whether they are current.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::Cli;
use super::failure::say;

mod pages;

/// Write completions/ and man/
#[derive(Args, Debug)]
pub(crate) struct GenerateArgs {
    /// Change nothing; exit with 1 when something is not current
    #[arg(long)]
    check: bool,

    /// The folder that completions/ and man/ are in
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// What is generated, by its path.
type Files = BTreeMap<PathBuf, Vec<u8>>;

pub(crate) fn run(args: GenerateArgs) -> Result<ExitCode> {
    let mut files = completions()?;
    files.extend(pages::all()?);
    if args.check { check(&files, &args.dir) } else { write(&files, &args.dir) }
}

fn completions() -> Result<Files> {
    let mut files = Files::new();
    for shell in Shell::value_variants() {
        let name = match shell {
            Shell::Bash => "creel.bash",
            Shell::Zsh => "_creel",
            Shell::Fish => "creel.fish",
            _ => continue,
        };
        let mut text = Vec::new();
        clap_complete::generate(*shell, &mut shown(Cli::command()), "creel", &mut text);
        files.insert(Path::new("completions").join(name), text);
    }
    Ok(files)
}

fn write(files: &Files, dir: &Path) -> Result<ExitCode> {
    for (path, content) in files {
        let path = dir.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, content).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(files: &Files, dir: &Path) -> Result<ExitCode> {
    let stale =
        files.iter().filter(|(path, content)| fs::read(dir.join(path)).ok().as_ref() != Some(content));
    let stale: Vec<_> = stale.map(|(path, _)| path.display().to_string()).collect();
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("not current: {}\nrun: creel generate", stale.join(", ")));
    Ok(ExitCode::FAILURE)
}

/// The command line without what is hidden: the generators show it.
fn shown(command: Command) -> Command {
    let mut copy = Command::new(command.get_name().to_owned());
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        copy = copy.long_about(about.clone());
    }
    if let Some(version) = command.get_version() {
        copy = copy.version(version.to_owned());
    }
    copy.args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|below| !below.is_hide_set()).cloned().map(shown))
}
