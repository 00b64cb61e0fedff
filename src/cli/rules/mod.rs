//! `creel rules`: the catalogue of dangerous commands, and what the policy says to a command.

mod list;
mod show;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::judge::catalogue::CatalogueRule;

/// See the rules about dangerous commands, and try commands on them
///
/// The catalogue's rules ask before they let a command run, unless the policy says otherwise: commands.dangerous for
/// all of them, commands.categories and commands.rules for some. Your own [[commands.rule]] come before them.
#[derive(Args, Debug)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Test(test::TestArgs),
}

pub(crate) fn run(args: RulesArgs) -> Result<ExitCode> {
    match args.command {
        RulesCommand::List(args) => list::run(&args),
        RulesCommand::Show(args) => show::run(&args),
        RulesCommand::Test(args) => test::run(&args),
    }
}

/// A rule as `--json` shows it, in lists and alone.
fn described(rule: &CatalogueRule) -> Value {
    json!({
        "id": rule.id,
        "category": rule.category,
        "severity": rule.severity.name(),
        "reason": rule.reason,
        "instead": rule.instead,
    })
}
