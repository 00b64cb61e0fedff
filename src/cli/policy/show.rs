use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::PolicyOptions;

/// Print the policy in force, and where each line comes from
///
/// The output is a policy itself: read again, it has the same meaning and the same hash.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    options: PolicyOptions,

    /// Print it as JSON, as its hash is made from
    #[arg(long)]
    json: bool,

    /// The command that it would be for, which may have a preset
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(super) fn run(args: &ShowArgs) -> Result<ExitCode> {
    let resolved = args.options.resolve(None, args.command.as_deref())?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&resolved.policy)?)?;
    } else {
        write!(out, "{}", resolved.settings.shown())?;
    }
    Ok(ExitCode::SUCCESS)
}
