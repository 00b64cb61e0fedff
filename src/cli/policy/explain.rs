use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::PolicyOptions;
use crate::policy::explain;
use crate::visible;

/// Say in words what the policy lets a workload do, and what enforces it
///
/// What this machine can't enforce, `creel doctor` tells.
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    options: PolicyOptions,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// The command that it would be for, which may have a preset
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(super) fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let resolved = args.options.resolve(None, args.command.as_deref())?;
    let lines = explain(&resolved.policy);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&lines)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "The workload")?;
    for line in lines {
        let means = visible::visible(line.means.as_bytes());
        writeln!(out, "  - {means}\n      {}: {}", line.key, line.by)?;
    }
    Ok(ExitCode::SUCCESS)
}
