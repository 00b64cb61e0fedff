use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::policy::PolicyOptions;
use crate::cli::run::invoker;
use crate::judge::{ExecAction, Finding, Judge, Judgement, Place, Scripts, TEXT_MAX, Verdict};
use crate::policy::model::{Policy, WorkspaceTarget};
use crate::visible;

/// Say what would become of a command, without running it
///
/// It is judged as in a sandbox of this policy, in the project's folder. The exit code is 0 for allow, 3 for ask and
/// 4 for deny.
#[derive(Args, Debug)]
#[command(override_usage = "creel rules test [OPTIONS] -- COMMAND [ARG…]\n       \
    creel rules test [OPTIONS] --shell TEXT | -f FILE | --jsonl FILE")]
pub(super) struct TestArgs {
    /// Shell text, as after sh -c
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["file", "jsonl", "command"])]
    shell: Option<OsString>,

    /// A shell script
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["jsonl", "command"])]
    file: Option<PathBuf>,

    /// Lines of JSON, each with a cmd of shell text, or an argv of words that is judged as it would be run; each is
    /// answered by a line (-: read standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    jsonl: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// With --jsonl: add how long each judgement took, in microseconds
    #[arg(long, requires = "jsonl")]
    time: bool,

    #[command(flatten)]
    options: PolicyOptions,

    /// The command
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(args: &TestArgs) -> Result<ExitCode> {
    let policy = args.options.resolve(None, None)?.policy;
    let place = place(&policy)?;
    let cwd = place.workspace.clone();
    let judge = Judge::new(&policy.commands, place)?;
    if let Some(path) = &args.jsonl {
        return lines(&judge, &cwd, path, args.time);
    }
    let (judgement, findings) = if let Some(text) = &args.shell {
        judge.judge_text(text.as_bytes(), &cwd, &|_| None)
    } else if let Some(path) = &args.file {
        judge.judge_text(&script(path)?, &cwd, &|_| None)
    } else if args.command.is_empty() {
        bail!("nothing to test: give a command after --, or --shell, -f or --jsonl");
    } else {
        (exec(&judge, &args.command, &cwd), Vec::new())
    };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", as_json(&judgement, &findings))?;
    } else {
        print(&mut out, &judgement, &findings)?;
    }
    Ok(ExitCode::from(match judgement.verdict {
        Verdict::Allow => 0,
        Verdict::Ask => 3,
        Verdict::Deny => 4,
    }))
}

/// As the workload sees them.
fn place(policy: &Policy) -> Result<Place> {
    let workspace = match &policy.workspace.target {
        WorkspaceTarget::At(path) => path.clone(),
        WorkspaceTarget::Same => policy.workspace.path.clone(),
    };
    let home = invoker::invoker()?.home.into_os_string().into_vec();
    Ok(Place { home, workspace: workspace.into_os_string().into_vec() })
}

fn exec(judge: &Judge, command: &[OsString], cwd: &[u8]) -> Judgement {
    let argv: Vec<Vec<u8>> = command.iter().map(|word| word.as_bytes().to_vec()).collect();
    let scripts = |path: &[u8]| script(Path::new(std::ffi::OsStr::from_bytes(path))).ok();
    exec_in(judge, &argv, &program_of(&argv), cwd, &scripts)
}

fn exec_in(judge: &Judge, argv: &[Vec<u8>], program: &[u8], cwd: &[u8], scripts: Scripts<'_>) -> Judgement {
    let requested = argv.first().map_or(&b""[..], Vec::as_slice);
    judge.judge_exec(&ExecAction { program, requested, copy_of: None, argv, cwd, scripts, peers: &[] })
}

/// The file that an argv would run.
fn program_of(argv: &[Vec<u8>]) -> Vec<u8> {
    let called = argv.first().map_or(&b""[..], Vec::as_slice);
    on_path(called).unwrap_or_else(|| called.to_vec())
}

/// Where a tool of that name is.
fn on_path(name: &[u8]) -> Option<Vec<u8>> {
    if name.contains(&b'/') {
        return std::fs::canonicalize(std::ffi::OsStr::from_bytes(name))
            .ok()
            .map(|path| path.into_os_string().into_vec());
    }
    crate::judge::rule::TOOL_FOLDERS
        .iter()
        .map(|folder| [folder, b"/".as_slice(), name].concat())
        .find(|path| Path::new(std::ffi::OsStr::from_bytes(path)).exists())
}

fn script(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
    let mut text = Vec::new();
    let most = u64::try_from(TEXT_MAX)?;
    file.take(most + 1).read_to_end(&mut text).with_context(|| format!("can't read {}", path.display()))?;
    if text.len() > TEXT_MAX {
        bail!(
            "{} is longer than {TEXT_MAX} bytes: such a script is judged by what it runs alone",
            path.display()
        );
    }
    Ok(text)
}

/// What a line asks about; other fields of it are not looked at.
#[derive(Deserialize)]
struct Line {
    cmd: Option<String>,
    argv: Option<Vec<String>>,
}

fn lines(judge: &Judge, cwd: &[u8], path: &Path, timed: bool) -> Result<ExitCode> {
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
        Box::new(BufReader::new(file))
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (number, line) in input.lines().enumerate() {
        let line = line.with_context(|| format!("can't read {}", path.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let read: Line = serde_json::from_str(&line)
            .with_context(|| format!("{}:{}: this is no object with a cmd", path.display(), number + 1))?;
        let (judgement, findings, took) = match (read.cmd, read.argv) {
            (Some(text), None) => {
                let began = Instant::now();
                let (judgement, findings) = judge.judge_text(text.as_bytes(), cwd, &|_| None);
                (judgement, findings, began.elapsed())
            }
            (None, Some(argv)) => {
                let argv: Vec<Vec<u8>> = argv.into_iter().map(String::into_bytes).collect();
                let program = program_of(&argv);
                let began = Instant::now();
                let judgement = exec_in(judge, &argv, &program, cwd, &|_| None);
                (judgement, Vec::new(), began.elapsed())
            }
            _ => bail!("{}:{}: give it either a cmd or an argv", path.display(), number + 1),
        };
        let mut answer = as_json(&judgement, &findings);
        if timed && let Some(object) = answer.as_object_mut() {
            object.insert("us".to_owned(), json!(took.as_secs_f64() * 1e6));
        }
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(judgement: &Judgement, findings: &[Finding]) -> Value {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.dedup();
    json!({
        "verdict": judgement.verdict,
        "rule": judgement.rule,
        "reason": judgement.reason,
        "instead": judgement.instead,
        "command": judgement.command.as_ref().map(text),
        "rules": rules,
    })
}

fn print(out: &mut impl Write, judgement: &Judgement, findings: &[Finding]) -> Result<()> {
    let Some(rule) = &judgement.rule else {
        writeln!(out, "{}: no rule is about it (commands.default)", judgement.verdict.name())?;
        return Ok(());
    };
    writeln!(out, "{}: {rule}", judgement.verdict.name())?;
    if let Some(command) = &judgement.command {
        writeln!(out, "  command: {}", visible::visible(command))?;
    }
    if let Some(reason) = &judgement.reason {
        writeln!(out, "  why:     {}", visible::visible(reason.as_bytes()))?;
    }
    if let Some(instead) = &judgement.instead {
        writeln!(out, "  safer:   {}", visible::visible(instead.as_bytes()))?;
    }
    for finding in findings.iter().skip(1) {
        writeln!(
            out,
            "also {}: {}  {}",
            finding.verdict.name(),
            finding.rule,
            visible::visible(&finding.command)
        )?;
    }
    Ok(())
}
