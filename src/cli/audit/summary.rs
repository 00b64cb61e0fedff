//! What each run came to.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::render::{end, shortened, time};
use crate::audit::search::{Filter, Logs};
use crate::audit::summary::{Denial, Summary};
use crate::cli::failure::say;
use crate::names::{RunId, SandboxName};
use crate::visible;

const COMMAND_WIDTH: usize = 100;
/// Programs that are named; the others are counted.
const PROGRAMS: usize = 12;

pub(super) fn print(dir: &Path, sandboxes: &[SandboxName], filter: Filter, json: bool) -> Result<ExitCode> {
    let mut logs = Logs::open(dir, sandboxes, filter)?;
    let mut runs: BTreeMap<RunId, Summary> = BTreeMap::new();
    while let Some(found) = logs.next()? {
        let record = &found.record;
        match runs.get_mut(&record.head.run) {
            Some(summary) => summary.add(record),
            None => drop(runs.insert(record.head.run, Summary::new(record))),
        }
    }
    if runs.is_empty() {
        say("there are no such records");
    }
    let mut out = stdout().lock();
    for (at, summary) in runs.values().enumerate() {
        if json {
            writeln!(out, "{}", serde_json::to_string(summary)?)?;
            continue;
        }
        if at > 0 {
            writeln!(out)?;
        }
        paragraph(summary, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn paragraph(summary: &Summary, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{}, run {}, {}", summary.sandbox, summary.run, time(summary.first_us))?;
    if let Some(start) = &summary.start {
        writeln!(out, "  command   {}", shortened(&visible::command(&start.argv), COMMAND_WIDTH))?;
    }
    match &summary.end {
        Some(run_end) => writeln!(out, "  end       {}", end(run_end))?,
        None => writeln!(out, "  end       none yet; the last record is of {}", time(summary.last_us))?,
    }
    let mut programs = summary.most_run();
    programs.retain(|(_, runs)| runs.allowed > 0);
    let named: Vec<_> =
        programs.iter().take(PROGRAMS).map(|(name, runs)| format!("{name} {}", runs.allowed)).collect();
    let others = programs.len() - named.len();
    let others = if others > 0 { format!(", and {others} more programs") } else { String::new() };
    let ran = summary.execs - summary.denied;
    writeln!(out, "  ran       {ran} commands: {}{others}", named.join(", "))?;
    writeln!(out, "  denied    {}", summary.denied)?;
    for denial in &summary.denials {
        writeln!(out, "    {}", denied(denial))?;
    }
    for gap in &summary.gaps {
        writeln!(out, "  gap       {}", visible::visible(gap.as_bytes()))?;
    }
    Ok(())
}

fn denied(denial: &Denial) -> String {
    let mut text = shortened(&visible::command(&denial.argv), COMMAND_WIDTH);
    if denial.count > 1 {
        text += &format!("  ({} times)", denial.count);
    }
    if let Some(reason) = &denial.reason {
        text += &format!("\n      {}", visible::visible(reason.as_bytes()));
    }
    if let Some(rule) = &denial.rule {
        text += &format!(" (rule {rule})");
    }
    text
}
