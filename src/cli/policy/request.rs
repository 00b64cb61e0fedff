//! Which policy is meant, and asking a person who has not agreed to it yet.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use dialoguer::Confirm;

use crate::cli::context::paths;
use crate::cli::failure::say;
use crate::cli::run::invoker;
use crate::paths::Paths;
use crate::policy::{self, CommandLine, PolicyError, Request, Resolved, trust};

/// Which policy.
#[derive(Args, Debug)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicyOptions {
    /// The policy file [default: the creel.toml found from here upwards]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// A policy that ships with creel: claude-code, codex, …; none for the bare defaults
    #[arg(long, value_name = "NAME", conflicts_with = "policy")]
    pub(crate) preset: Option<String>,

    /// One key of the policy, such as limits.time=2h
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

impl PolicyOptions {
    /// The policy that these options and the current folder lead to; `file` takes the place of --policy.
    pub(crate) fn resolve(&self, file: Option<&Path>, command: Option<&str>) -> Result<Resolved> {
        let mut command_line = CommandLine::default();
        self.set.iter().for_each(|set| command_line.set(set));
        self.resolve_with(file, command, command_line)
    }

    /// The same, under a command line that is filled already.
    pub(crate) fn resolve_with(
        &self,
        file: Option<&Path>,
        command: Option<&str>,
        command_line: CommandLine,
    ) -> Result<Resolved> {
        let cwd = current_folder()?;
        let request = Request {
            file: file.or(self.policy.as_deref()),
            preset: self.preset.as_deref(),
            command,
            cwd: &cwd,
            home: &invoker::invoker()?.home,
            paths: &paths()?,
            command_line,
        };
        resolve_or_ask(&request)
    }
}

pub(crate) fn current_folder() -> Result<PathBuf> {
    std::env::current_dir().context("the current folder can't be told; change into one that exists")
}

/// The policy; a person at a terminal is asked about one that is not trusted yet.
fn resolve_or_ask(request: &Request<'_>) -> Result<Resolved> {
    match policy::resolve(request) {
        Err(PolicyError::Untrusted { subject, standing })
            if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() =>
        {
            let untrusted = PolicyError::Untrusted { subject: subject.clone(), standing };
            say(&untrusted.to_string());
            agreed(&subject, request.paths)?.then_some(()).ok_or(untrusted)?;
            Ok(policy::resolve(request)?)
        }
        resolved => Ok(resolved?),
    }
}

fn agreed(subject: &trust::Subject, paths: &Paths) -> Result<bool> {
    let yes = Confirm::new().with_prompt("Trust it as it is now?").default(false).interact()?;
    if yes {
        trust::agree(paths, subject)?;
    }
    Ok(yes)
}
