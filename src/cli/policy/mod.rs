//! `creel policy`: what is in force, what it means, and whom to trust.

mod check;
mod explain;
mod init;
mod request;
mod schema;
mod show;
mod trust;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

pub(crate) use request::PolicyOptions;

/// See, check and trust policies
///
/// A policy says what a sandbox may do. It is laid together from creel's defaults, your own config.toml, the
/// presets and files it extends, the policy itself, and the options of `creel run`; the later wins.
#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    Check(check::CheckArgs),
    Show(show::ShowArgs),
    Explain(explain::ExplainArgs),
    Init(init::InitArgs),
    Schema(schema::SchemaArgs),
    Trust(trust::TrustArgs),
}

pub(crate) fn run(args: PolicyArgs) -> Result<ExitCode> {
    match args.command {
        PolicyCommand::Check(args) => check::run(&args),
        PolicyCommand::Show(args) => show::run(&args),
        PolicyCommand::Explain(args) => explain::run(&args),
        PolicyCommand::Init(args) => init::run(&args),
        PolicyCommand::Schema(args) => schema::run(&args),
        PolicyCommand::Trust(args) => trust::run(&args),
    }
}
