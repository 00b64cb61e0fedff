//! `creel ps`: the sandboxes, as their state folders and monitors have them.

use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::context::{adopt_orphans, block_on, paths};
use super::table::Table;
use crate::monitor::client;
use crate::monitor::state::{self, Listed, RunState};
use crate::paths::Paths;
use crate::policy::model::ImageChoice;
use crate::sandbox::spec::SandboxSpec;
use crate::wire::{ClientRequest, MonitorEvent, Phase};

/// List sandboxes
#[derive(Args, Debug)]
pub(crate) struct PsArgs {
    /// Those that have ended, too
    #[arg(short, long)]
    all: bool,

    /// Names alone
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// One JSON object a line
    #[arg(long)]
    json: bool,

    /// Do not shorten commands
    #[arg(long)]
    no_trunc: bool,
}

/// How long a monitor may take to say how many execs it has seen.
const MONITOR_PATIENCE: Duration = Duration::from_secs(1);

/// A command's width in the table, as docker's.
const COMMAND_WIDTH: usize = 40;

/// One sandbox.
struct Row {
    spec: SandboxSpec,
    state: RunState,
}

pub(crate) fn run(args: PsArgs) -> Result<ExitCode> {
    let paths = paths()?;
    let rows = block_on(async {
        adopt_orphans(&paths);
        let mut rows = Vec::new();
        for listed in state::list(&paths)? {
            rows.extend(row(&listed, &paths).await);
        }
        Ok(rows)
    })?;
    let rows = rows.into_iter().filter(|row| args.all || row.state.phase != Phase::Exited);
    let mut out = stdout().lock();
    if args.json {
        for row in rows {
            writeln!(out, "{}", as_json(&row))?;
        }
    } else if args.quiet {
        for row in rows {
            writeln!(out, "{}", row.spec.name)?;
        }
    } else {
        let width = if args.no_trunc { usize::MAX } else { COMMAND_WIDTH };
        let now = Timestamp::now();
        let mut table = Table::new(["NAME", "STATUS", "IMAGE", "COMMAND", "CREATED", "EXECS"]);
        for row in rows {
            table.row([
                row.spec.name.to_string(),
                status(&row.state, now),
                image(&row.spec),
                command(&row.spec.command, width),
                ago(row.state.created_us, now),
                row.state.execs.to_string(),
            ]);
        }
        table.print(&mut out, stdout().is_terminal())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `None` for one that goes away while it is looked at, or has only just been claimed.
async fn row(listed: &Listed, paths: &Paths) -> Option<Row> {
    let (spec, mut state) = (listed.dir.spec().ok()?, listed.dir.state().ok()?);
    if state.phase == Phase::Running
        && let Ok(Some(live)) = tokio::time::timeout(MONITOR_PATIENCE, execs(listed, paths)).await
    {
        state.execs = live;
    }
    Some(Row { spec, state })
}

/// The state folder has this number only at the end.
async fn execs(listed: &Listed, paths: &Paths) -> Option<u64> {
    let mut connection = client::connect(&listed.name, paths).await.ok()?;
    connection.send(&ClientRequest::Status).await.ok()?;
    while let Some(event) = connection.recv().await.ok()? {
        if let MonitorEvent::Status { execs, .. } = event {
            return Some(execs);
        }
    }
    None
}

fn status(state: &RunState, now: Timestamp) -> String {
    match (state.phase, &state.exit, state.started_us) {
        (_, Some(exit), _) => format!("Exited ({}) {}", exit.code, ago(exit.at_us, now)),
        (Phase::Running, None, Some(started)) => format!("Up {}", span(started, now)),
        (Phase::Stopping, ..) => "Stopping".to_owned(),
        (Phase::Exited, ..) => "Exited".to_owned(),
        (Phase::Starting | Phase::Running, ..) => "Starting".to_owned(),
    }
}

fn image(spec: &SandboxSpec) -> String {
    match &spec.policy.sandbox.image {
        ImageChoice::Host => "host".to_owned(),
        ImageChoice::Reference(reference) => reference.clone(),
    }
}

/// The words as one line that a terminal can't be painted with.
fn command(words: &[String], width: usize) -> String {
    let line = words.join(" ").escape_debug().to_string();
    if line.chars().count() <= width {
        return line;
    }
    line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn ago(us: u64, now: Timestamp) -> String {
    format!("{} ago", span(us, now))
}

/// The largest unit alone, as docker has it.
fn span(since_us: u64, now: Timestamp) -> String {
    let now = u64::try_from(now.as_second()).unwrap_or(0);
    let seconds = now.saturating_sub(since_us / 1_000_000);
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    for (length, unit) in units {
        let count = seconds / length;
        // Two days are days, one is hours still.
        if count >= 2 || (count == 1 && length < 86_400) {
            return format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
        }
    }
    "less than a second".to_owned()
}

fn as_json(Row { spec, state }: &Row) -> serde_json::Value {
    let time = |us: u64| {
        let time = Timestamp::from_microsecond(i64::try_from(us).ok()?).ok()?;
        Some(format!("{time:.6}"))
    };
    json!({
        "name": spec.name,
        "run": spec.run,
        "phase": state.phase,
        "image": image(spec),
        "command": spec.command,
        "created": time(state.created_us),
        "started": state.started_us.and_then(time),
        "execs": state.execs,
        "container": state.workload,
        "exit_code": state.exit.as_ref().map(|exit| exit.code),
        "cause": state.exit.as_ref().map(|exit| exit.cause),
        "ended": state.exit.as_ref().and_then(|exit| time(exit.at_us)),
        "policy_hash": spec.policy_hash,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_one_unit() {
        let now = Timestamp::from_second(1_000_000).expect("a time");
        for (seconds, text) in [
            (0, "less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (7_199, "1 hour"),
            (86_400, "24 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span((1_000_000 - seconds) * 1_000_000, now), text);
        }
    }

    #[test]
    fn a_command_can_not_paint_the_terminal() {
        let words = ["sh".to_owned(), "-c".to_owned(), "echo \u{1b}[2J\u{202e}\n".to_owned()];
        let line = command(&words, usize::MAX);
        assert!(line.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line}");
        assert_eq!(command(&["x".repeat(50)], 40).chars().count(), 40);
    }
}
