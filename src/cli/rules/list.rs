use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::described;
use crate::cli::table::Table;
use crate::judge::Catalogue;

/// List the catalogue's rules
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Only the rules of this category
    #[arg(long, value_name = "NAME")]
    category: Option<String>,

    /// Print JSON, a rule a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ListArgs) -> Result<ExitCode> {
    let catalogue = Catalogue::built_in()?;
    if let Some(category) = &args.category
        && !catalogue.categories().any(|(name, _)| name == category)
    {
        let names: Vec<&str> = catalogue.categories().map(|(name, _)| name).collect();
        bail!("there is no category “{}”; there are {}", category.escape_debug(), names.join(", "));
    }
    let wanted = |category: &str| args.category.as_deref().is_none_or(|wanted| wanted == category);
    let rules = catalogue.rules().iter().filter(|rule| wanted(rule.category));
    let mut out = std::io::stdout().lock();
    if args.json {
        for rule in rules {
            writeln!(out, "{}", described(rule))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(["RULE", "SEVERITY", "THE COMMAND"]);
    for rule in rules {
        table.row([rule.id.to_string(), rule.severity.name().to_owned(), rule.reason.to_string()]);
    }
    let on_terminal = out.is_terminal();
    table.print(&mut out, on_terminal)?;
    Ok(ExitCode::SUCCESS)
}
