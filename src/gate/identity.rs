//! Who the gate runs as: a user of its own, never the workload's, with the three capabilities that supervision needs.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;

use crate::sys::{caps, netif, signals};

/// Kept by every container on its own; nobody's account on the host either.
const OWN_USER: u32 = 65_533;

/// Brings the network namespace's only interface up, then gives up all rights but those to read and end the
/// workload's processes.
pub(super) fn assume(mut args: impl Iterator<Item = OsString>) -> Result<()> {
    let user = match (args.next(), args.next(), args.next()) {
        (None, ..) => OWN_USER,
        (Some(flag), Some(uid), None) if flag == "--uid" => {
            let uid = uid.to_str().and_then(|uid| uid.parse().ok());
            uid.context("--uid takes a number")?
        }
        _ => bail!("the gate is started by creel itself"),
    };
    if std::process::id() != 1 {
        bail!("the gate must be the first process of its container; it is started by creel itself");
    }
    netif::loopback_up().context("could not bring the loopback interface up")?;
    // Each process that is supervised for itself costs two descriptors.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("could not raise the limit of open files")?;
    caps::become_user(user, &[caps::CAP_SYS_PTRACE, caps::CAP_KILL, caps::CAP_DAC_READ_SEARCH])
        .context("could not become a user of its own")?;
    caps::no_new_privileges().context("could not give up gaining privileges")?;
    // PID 1 is sent no signal that it does not handle: `docker stop` asks with SIGTERM.
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        signals::end_at(signal).context("could not handle signals")?;
    }
    Ok(())
}
