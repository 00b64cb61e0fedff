//! `creel doctor`: what enforces each line of the policy on this machine, and how to get what is missing.

use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::context::{block_on, engine};
use super::failure::colour_wanted;
use super::policy::PolicyOptions;
use crate::policy::{Explained, explain};
use crate::sandbox::facts::EngineFacts;
use crate::sandbox::requirements::{KernelFacts, Unenforceable, unenforceable};
use crate::visible;

/// Say what enforces each line of the policy on this machine
///
/// Exits with 0 where all of it can be enforced, and with 1 where something can't: then it says why, and how to
/// get what is missing.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    options: PolicyOptions,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let policy = args.options.resolve(None, None)?.policy;
    let engine = block_on(async { Ok(engine().await?.facts().await?) })?;
    let kernel = KernelFacts::read();
    let missing = unenforceable(&policy, &engine, &kernel);
    let lines = explain(&policy);
    let mut out = stdout().lock();
    if args.json {
        let object = serde_json::json!({
            "engine": engine,
            "kernel": kernel,
            "lines": lines,
            "missing": missing,
        });
        writeln!(out, "{object}")?;
    } else {
        machine(&engine, &kernel, &mut out)?;
        let on_terminal = stdout().is_terminal() && colour_wanted();
        for line in &lines {
            let lacks: Vec<_> = missing.iter().filter(|missing| concerns(missing, line)).collect();
            self::line(line, &lacks, on_terminal, &mut out)?;
        }
        for missing in missing.iter().filter(|missing| !lines.iter().any(|line| concerns(missing, line))) {
            lack(missing, on_terminal, &mut out)?;
        }
        let verdict = if missing.is_empty() {
            "Every line is enforced on this machine."
        } else {
            "Nothing starts until this is mended, or the policy lets it go (sandbox.best_effort)."
        };
        writeln!(out, "\n{verdict}")?;
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `commands` stands for every line about commands.
fn concerns(missing: &Unenforceable, line: &Explained) -> bool {
    line.key == missing.line || line.key.split('.').next() == Some(missing.line.as_str())
}

fn machine(engine: &EngineFacts, kernel: &KernelFacts, out: &mut impl Write) -> Result<()> {
    let yes = |there| if there { "yes" } else { "no" };
    writeln!(
        out,
        "Docker Engine {} (API {}), cgroup v{}",
        engine.version, engine.api, engine.cgroup_version
    )?;
    let landlock = kernel.landlock.map_or_else(|| "none".to_owned(), |abi| format!("ABI {abi}"));
    writeln!(
        out,
        "Linux {}, Landlock {landlock}, AppArmor {}, SELinux {}\n",
        kernel.release,
        yes(engine.apparmor),
        yes(engine.selinux)
    )?;
    Ok(())
}

fn line(line: &Explained, lacks: &[&Unenforceable], on_terminal: bool, out: &mut impl Write) -> Result<()> {
    let means = visible::visible(line.means.as_bytes());
    if lacks.is_empty() {
        let mark = if on_terminal { "\x1b[32mok\x1b[0m" } else { "ok" };
        writeln!(out, "{mark}    {}: {means}\n      by {}", line.key, line.by)?;
    } else {
        for missing in lacks {
            lack(missing, on_terminal, out)?;
        }
    }
    Ok(())
}

fn lack(missing: &Unenforceable, on_terminal: bool, out: &mut impl Write) -> Result<()> {
    let mark = if on_terminal { "\x1b[31mlacks\x1b[0m" } else { "lacks" };
    let optional = if missing.optional { "\n      or go on without: sandbox.best_effort" } else { "" };
    writeln!(out, "{mark} {}: {}\n      {}{optional}", missing.line, missing.why, missing.remedy)?;
    Ok(())
}
