use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::policy::schema;

/// Print the JSON Schema of policy files, for editors
#[derive(Args, Debug)]
pub(super) struct SchemaArgs {}

pub(super) fn run(_: &SchemaArgs) -> Result<ExitCode> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&schema())?)?;
    Ok(ExitCode::SUCCESS)
}
