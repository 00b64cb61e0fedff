//! Whether the logs are what creel wrote.

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::render::time;
use crate::audit::hex;
use crate::audit::log::{CURRENT, is_open};
use crate::audit::search::sandboxes;
use crate::audit::verify::{Verified, verify};
use crate::cli::failure::say;
use crate::names::SandboxName;

/// Check that no line of a log was changed, removed, added or moved
///
/// Each record names the hash of the one before it. The first line that does not fit is named, and the exit code
/// is 1. The head is the hash that the next record will name: kept elsewhere, it later tells a log that was
/// rewritten as a whole.
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The sandboxes [default: all that have a log]
    #[arg(value_name = "NAME")]
    names: Vec<SandboxName>,

    /// One JSON object a log
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &VerifyArgs, dir: &Path) -> Result<ExitCode> {
    let all = sandboxes(dir)?;
    let names: Vec<_> = if args.names.is_empty() { all.into_iter().collect() } else { args.names.clone() };
    if names.is_empty() {
        bail!("there is no audit log in {}", dir.display());
    }
    let mut out = stdout().lock();
    let mut code = ExitCode::SUCCESS;
    for name in &names {
        let log = dir.join(name.as_str());
        // Asked first: a line that is being written is whole a moment later.
        let is_written = is_open(&log);
        match verify(&log.join(CURRENT), name) {
            Ok(found) if args.json => writeln!(out, "{}", json(name, &found, is_written))?,
            Ok(found) => writeln!(out, "{}", line(name, &found, is_written))?,
            Err(e) => {
                code = ExitCode::FAILURE;
                if args.json {
                    let object =
                        serde_json::json!({ "sandbox": name, "valid": false, "error": e.to_string() });
                    writeln!(out, "{object}")?;
                } else {
                    say(&e.to_string());
                }
            }
        }
    }
    Ok(code)
}

fn line(name: &SandboxName, found: &Verified, is_written: bool) -> String {
    if found.records == 0 && found.rest == 0 {
        return format!("{name}: no records");
    }
    let mut text = format!(
        "{name}: {} records fit, from {} to {}\n  head {}",
        found.records,
        time(found.first_us),
        time(found.last_us),
        hex(&found.head)
    );
    if found.gaps > 0 {
        text += &format!("\n  {} of them tell of a gap: creel audit --sandbox {name} --kind gap", found.gaps);
    }
    if is_written {
        return text;
    }
    for run in &found.open_runs {
        text +=
            &format!("\n  run {run} has no end: the machine went down, or the log's last lines were cut off");
    }
    if found.rest > 0 {
        text += &format!("\n  after them are {} bytes of a line that was not finished", found.rest);
    }
    text
}

fn json(name: &SandboxName, found: &Verified, is_written: bool) -> serde_json::Value {
    serde_json::json!({
        "sandbox": name,
        "valid": true,
        "records": found.records,
        "bytes": found.bytes,
        "head": hex(&found.head),
        "gaps": found.gaps,
        "open_runs": found.open_runs,
        "unfinished_bytes": found.rest,
        "being_written": is_written,
    })
}
