//! What the workload's container starts with, and each `creel exec` in it: `creel __shim [FLAGS] -- COMMAND`.
//!
//! It closes what Docker leaves open ([`landlock`], [`filter`]), and then executes the command. That exec is the
//! first call that the filter brings before the gate, and it waits until the gate has taken the filter's listener
//! out of this process: nothing of the workload runs unsupervised, and there is no socket to forge a hand-over on.

mod command;
mod filter;
mod landlock;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, setrlimit};

use crate::sys::{caps, seccomp, signals};
use crate::wire::ShimArgs;

/// The word that makes creel a shim.
pub(crate) const ROLE: &str = "__shim";

/// creel failed, as `docker run` has it.
const FAILED: u8 = 125;

/// Returns only where the command could not be started; the reason is on stderr.
pub(crate) fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    match prepare(args) {
        Ok((args, _listener)) => {
            let failure = command::execute(&args.command);
            eprintln!("creel: {failure}");
            ExitCode::from(failure.exit_code())
        }
        Err(e) => {
            eprintln!("creel: the command was not started: {e:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Everything before the exec. The listener stays open until then: the gate finds it among our descriptors.
fn prepare(args: impl Iterator<Item = OsString>) -> Result<(ShimArgs, std::os::fd::OwnedFd)> {
    let args = ShimArgs::parse(args)?;
    // One byte and not none: with a limit of 1 the kernel starts no crash handler of the host's either (core(5)).
    setrlimit(Resource::RLIMIT_CORE, 1, 1).context("could not turn core files off")?;
    signals::restore_defaults().context("could not give the signals their default actions")?;
    caps::no_new_privileges().context("could not give up gaining privileges")?;
    landlock::restrict(&args)?;
    let program = filter::program(args.debugging);
    let listener = seccomp::install(&program).context("could not install the system call filter")?;
    Ok((args, listener))
}
