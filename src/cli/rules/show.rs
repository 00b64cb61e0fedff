use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::described;
use crate::judge::Catalogue;

/// Show one rule of the catalogue, with commands that it is about and near-misses
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// The rule, such as git.push-force
    #[arg(value_name = "ID")]
    id: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs) -> Result<ExitCode> {
    let catalogue = Catalogue::built_in()?;
    let rule = catalogue.rule(&args.id).with_context(|| {
        format!(
            "there is no rule “{}” in the catalogue; creel rules list names them all",
            args.id.escape_debug()
        )
    })?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut line = described(rule);
        line["hit"] = json!(rule.hit);
        line["miss"] = json!(rule.miss);
        writeln!(out, "{line}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{}  ({}, {})", rule.id, rule.category, rule.severity.name())?;
    writeln!(out, "This command {}.", rule.reason)?;
    writeln!(out, "Safer: {}.", rule.instead)?;
    writeln!(out, "\nIt is about commands like")?;
    for hit in &rule.hit {
        writeln!(out, "  {}", hit.replace('\n', "\n  "))?;
    }
    writeln!(out, "and not about")?;
    for miss in &rule.miss {
        writeln!(out, "  {}", miss.replace('\n', "\n  "))?;
    }
    writeln!(
        out,
        "\nIn a policy:  [commands]  rules = {{ \"{}\" = \"allow\" }}   # or \"ask\", \"deny\"",
        rule.id
    )?;
    Ok(ExitCode::SUCCESS)
}
