//! The command line: arguments, and a file per command. Commands are thin: they ask, and they print.

mod approve;
mod attach;
mod audit;
mod context;
mod denied;
mod doctor;
mod dry_run;
mod exec;
mod failure;
mod follow;
mod generate;
mod kill;
mod logs;
mod policy;
mod progress;
mod prompt;
mod ps;
mod rm;
mod rules;
mod run;
mod several;
mod stop;
mod stream;
mod table;

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use failure::CREEL_FAILED;

/// Run an AI agent, or any command, in a Docker container that is safe for production
///
/// Every command that the sandbox runs is checked against a policy and recorded before it runs. Memory,
/// processors, processes and time are capped, and there is no way out to the network.
#[derive(Debug, Parser)]
#[command(name = "creel", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    Exec(exec::ExecArgs),
    Attach(attach::AttachArgs),
    Approve(approve::ApproveArgs),
    Ps(ps::PsArgs),
    Logs(logs::LogsArgs),
    Stop(stop::StopArgs),
    Kill(kill::KillArgs),
    Rm(rm::RmArgs),
    Policy(policy::PolicyArgs),
    Rules(rules::RulesArgs),
    Audit(audit::AuditArgs),
    Doctor(doctor::DoctorArgs),
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

/// Wrong usage of the commands whose exit code is their own.
const USAGE: u8 = 2;

/// A failure of the commands whose exit code is their own.
const FAILED: u8 = 1;

pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e),
    };
    let Some(command) = cli.command else { return ended(welcome(), FAILED) };
    let failed = if command.passes_exit_code() { CREEL_FAILED } else { FAILED };
    ended(command.run(), failed)
}

impl Command {
    fn run(self) -> Result<ExitCode> {
        match self {
            Self::Run(args) => run::run(*args),
            Self::Exec(args) => exec::run(args),
            Self::Attach(args) => attach::run(args),
            Self::Approve(args) => approve::run(&args),
            Self::Ps(args) => ps::run(args),
            Self::Logs(args) => logs::run(args),
            Self::Stop(args) => stop::run(args),
            Self::Kill(args) => kill::run(args),
            Self::Rm(args) => rm::run(args),
            Self::Policy(args) => policy::run(args),
            Self::Rules(args) => rules::run(args),
            Self::Audit(args) => audit::run(args),
            Self::Doctor(args) => doctor::run(&args),
            Self::Generate(args) => generate::run(args),
        }
    }

    /// The exit code is the workload's, so our own failures need one that it hardly has.
    fn passes_exit_code(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Exec(_) | Self::Attach(_))
    }
}

fn ended(result: Result<ExitCode>, failed: u8) -> ExitCode {
    result.unwrap_or_else(|e| ExitCode::from(failure::report(&e, failed)))
}

/// clap's words, under our name. As with docker, `run` and its like exit with 125.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // --help and --version; a reader that has seen enough is no failure.
        return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::from(failure::BROKEN_PIPE) };
    }
    let text = error.render();
    let text = if failure::colour_on_stderr() { text.ansi().to_string() } else { text.to_string() };
    let _ = io::stderr().write_all(text.replacen("error:", "creel:", 1).as_bytes());
    let command = std::env::args_os().nth(1);
    let passes =
        ["run", "exec", "attach"].map(OsStr::new).iter().any(|name| command.as_deref() == Some(name));
    ExitCode::from(if passes { CREEL_FAILED } else { USAGE })
}

/// What creel is, for someone who typed its name to find out.
fn welcome() -> Result<ExitCode> {
    let (bold, plain) = if io::stdout().is_terminal() && failure::colour_wanted() {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    };
    write!(
        io::stdout().lock(),
        "creel runs an AI agent, or any command, in a Docker container that is safe for production.\n\
         Every command it runs is checked and recorded first; memory, processes and time are capped.\n\
         \n\
         Try, in a project's folder:\n\
         \x20 {bold}creel run -- bash{plain}      a shell in a sandbox that sees this folder\n\
         \x20 {bold}creel audit{plain}            what was run in it\n\
         \x20 {bold}creel doctor{plain}           what is enforced on this machine\n\
         \n\
         All commands: creel --help\n"
    )?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stop_at_the_command() {
        let cli =
            Cli::try_parse_from(["creel", "run", "-e", "A=1", "ls", "-la", "--", "--rm"]).expect("good");
        let Some(Command::Run(args)) = cli.command else { panic!("run") };
        assert_eq!(args.command, ["ls", "-la", "--", "--rm"]);
        let cli = Cli::try_parse_from(["creel", "run", "-it", "--", "--odd", "-x"]).expect("good");
        let Some(Command::Run(args)) = cli.command else { panic!("run") };
        assert_eq!(args.command, ["--odd", "-x"]);
        assert!(Cli::try_parse_from(["creel", "run", "--no-such-option", "ls"]).is_err());
    }
}
