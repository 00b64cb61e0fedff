//! `creel audit`: what happened, found, followed, summed up and checked.

mod list;
mod render;
mod summary;
mod verify;
mod when;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::audit::record::{Kind, Outcome};
use crate::audit::search::Filter;
use crate::names::{RunId, SandboxName};

/// Show what happened in sandboxes
///
/// Each line is one record, by time, over all sandboxes: what ran and what was denied, with its rule; starts and
/// ends; and gaps, which say what could not be recorded. Logs stay when sandboxes go.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: Option<AuditCommand>,

    #[command(flatten)]
    filter: FilterArgs,

    /// Go on with new records as they come
    #[arg(short, long, conflicts_with = "summary")]
    follow: bool,

    /// The last records alone
    #[arg(short = 'n', long, value_name = "NUMBER", conflicts_with = "summary")]
    tail: Option<usize>,

    /// One paragraph a run instead of its records
    #[arg(long)]
    summary: bool,

    /// The lines as the log has them; with --summary, one object a run
    #[arg(long)]
    json: bool,

    /// Do not shorten commands
    #[arg(long)]
    no_trunc: bool,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    Verify(verify::VerifyArgs),
}

/// Which records.
#[derive(Args, Debug)]
struct FilterArgs {
    /// Of these sandboxes
    #[arg(long, value_name = "NAME")]
    sandbox: Vec<SandboxName>,

    /// Of one run, by its id
    #[arg(long, value_name = "ID")]
    run: Option<RunId>,

    /// Of these kinds: exec, run.start, run.end, gap
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<Kind>,

    /// With these verdicts: allow, deny, observed
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    verdict: Vec<Outcome>,

    /// From then on: a time, or how long ago (90s, 2h, 7d)
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    since: Option<u64>,

    /// Before then
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    until: Option<u64>,

    /// Whose rule has this id
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,

    /// Whose command or program holds this text
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::named(text).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("the kinds are {}", known.join(", "))
    })
}

fn verdict(text: &str) -> Result<Outcome, String> {
    Outcome::ALL.into_iter().find(|outcome| outcome.name() == text).ok_or_else(|| {
        let known: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        format!("the verdicts are {}", known.join(", "))
    })
}

impl FilterArgs {
    fn filter(&self) -> Filter {
        Filter {
            run: self.run,
            kinds: self.kind.clone(),
            verdicts: self.verdict.clone(),
            since: self.since,
            until: self.until,
            rule: self.rule.clone(),
            text: self.grep.clone().map(String::into_bytes),
        }
    }
}

pub(crate) fn run(args: AuditArgs) -> Result<ExitCode> {
    let dir = super::context::paths()?.audit();
    match &args.command {
        Some(AuditCommand::Verify(verify)) => verify::run(verify, &dir),
        None if args.summary => summary::print(&dir, &args.filter.sandbox, args.filter.filter(), args.json),
        None => list::print(&args, &dir),
    }
}
