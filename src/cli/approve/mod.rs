//! `creel approve`: what sandboxes ask, and answering it from any terminal.

mod answer;
mod open;
mod watch;

use std::io::{IsTerminal, Write, stdin, stdout};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::context::{adopt_orphans, block_on, paths};
use super::table::Table;
use crate::approval::{Decision, render};
use crate::names::SandboxName;
use open::Asked;

/// Answer what sandboxes ask, or list it
///
/// A command that the policy says `ask` to stands still until a person answers. Without a number, the open questions
/// are listed.
#[derive(Args, Debug)]
pub(crate) struct ApproveArgs {
    /// The sandbox; all of them without it
    #[arg(value_name = "NAME")]
    name: Option<SandboxName>,

    /// The question's number, as the list shows it
    #[arg(value_name = "NUMBER", requires = "name")]
    number: Option<u32>,

    #[command(flatten)]
    answer: AnswerArgs,

    /// Stay, and ask each question as it comes
    #[arg(long, conflicts_with_all = ["number", "json"])]
    watch: bool,

    /// One line of JSON a question
    #[arg(long, conflicts_with = "number")]
    json: bool,
}

#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = false, requires = "number")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag each on the command line, of which one may stand"
)]
struct AnswerArgs {
    /// Yes, this once
    #[arg(long)]
    once: bool,
    /// Yes, and the same command until the sandbox ends
    #[arg(long)]
    session: bool,
    /// Yes, and all that its rules are about until the sandbox ends
    #[arg(long)]
    rule: bool,
    /// Yes, and the same command in every sandbox of yours
    #[arg(long)]
    always: bool,
    /// No
    #[arg(long)]
    deny: bool,
    /// No, and stop the sandbox
    #[arg(long)]
    stop: bool,
}

impl AnswerArgs {
    fn decision(self) -> Option<Decision> {
        [
            (self.once, Decision::Once),
            (self.session, Decision::Session),
            (self.rule, Decision::Rule),
            (self.always, Decision::Always),
            (self.deny, Decision::Deny),
            (self.stop, Decision::DenyAndStop),
        ]
        .into_iter()
        .find_map(|(given, decision)| given.then_some(decision))
    }
}

pub(crate) fn run(args: &ApproveArgs) -> Result<ExitCode> {
    let paths = paths()?;
    block_on(async {
        adopt_orphans(&paths);
        match (&args.name, args.number) {
            _ if args.watch => watch::run(&paths, args.name.as_ref()).await,
            (Some(name), Some(number)) => {
                let mut sandbox = open::connect(&paths, name).await?;
                let asked = sandbox.question(number)?;
                let decision = match args.answer.decision() {
                    Some(decision) => decision,
                    None if stdin().is_terminal() && stdout().is_terminal() => answer::ask(asked)?,
                    None => {
                        bail!("say what the answer is: --once, --session, --rule, --always, --deny or --stop")
                    }
                };
                sandbox.answer(number, decision).await?;
                Ok(ExitCode::SUCCESS)
            }
            (name, _) => list(&open::all(&paths, name.as_ref()).await?, args.json),
        }
    })
}

fn list(all: &[Asked], json: bool) -> Result<ExitCode> {
    let mut out = stdout().lock();
    if json {
        for asked in all {
            writeln!(out, "{}", serde_json::to_string(asked)?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        writeln!(out, "Nothing is asked.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(["SANDBOX", "NUMBER", "LEFT", "RULE", "COMMAND"]);
    for asked in all {
        let rule = asked.question.dangers.first().map(|danger| danger.rule.clone()).unwrap_or_default();
        table.row([
            asked.sandbox.to_string(),
            asked.number.to_string(),
            format!("{}s", asked.seconds),
            rule,
            render::command_line(&asked.question),
        ]);
    }
    table.print(&mut out, stdout().is_terminal())?;
    writeln!(out, "\nAnswer with: creel approve SANDBOX NUMBER")?;
    Ok(ExitCode::SUCCESS)
}
