use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::PolicyOptions;

/// Say whether a policy is valid
///
/// Checks the policy together with all that it extends and your own config.toml. Exits with 1 where it is not
/// valid, and prints each error with its place.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// The policy file [default: the one that is in force here]
    file: Option<PathBuf>,

    #[command(flatten)]
    options: PolicyOptions,
}

pub(super) fn run(args: &CheckArgs) -> Result<ExitCode> {
    let resolved = args.options.resolve(args.file.as_deref(), None)?;
    let from =
        if resolved.sources.is_empty() { "creel's defaults".to_owned() } else { resolved.sources.join(", ") };
    writeln!(std::io::stdout(), "valid: {from}\nhash:  {}", resolved.hash)?;
    Ok(ExitCode::SUCCESS)
}
