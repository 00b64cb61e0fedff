//! Taking a process under supervision: its filter's listener is taken out of the process itself, which the monitor
//! knows from Docker and the workload has no say in.
//!
//! No process of the workload can hold such a listener: their filter refuses to make one, and pidfd_getfd too.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sys::{pidfd, seccomp};

/// How long a shim may take until it has its filter.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between looks.
const PAUSE: u16 = 2;

const LISTENER: &str = "anon_inode:seccomp notify";

pub(super) struct Adopted {
    pub(super) process: OwnedFd,
    pub(super) listener: OwnedFd,
}

/// Waits until the process `pid` has installed its filter, and takes the listener.
pub(super) fn listener_of(pid: i32) -> Result<Adopted> {
    let process = match pidfd::open(pid) {
        Ok(process) => process,
        Err(Errno::ESRCH) => bail!("it has ended before it was supervised"),
        Err(e) => return Err(e).context("its process can't be opened"),
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(listener) = find(pid, &process)? {
            return Ok(Adopted { process, listener });
        }
        if has_ended(&process, PollTimeout::from(PAUSE))? {
            bail!("it has ended before it was supervised");
        }
        if Instant::now() > deadline {
            bail!("it did not ask to be supervised within {} s", PATIENCE.as_secs());
        }
    }
}

fn find(pid: i32, process: impl AsFd) -> Result<Option<OwnedFd>> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Ok(None) };
    for entry in entries.flatten() {
        let is_listener = fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == LISTENER);
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if !is_listener {
            continue;
        }
        // The pid was looked through, the pidfd is taken from: a pid that has come to mean another process ends here.
        let taken = match pidfd::get_fd(&process, number) {
            Ok(taken) => taken,
            Err(Errno::EBADF | Errno::ESRCH) => return Ok(None),
            Err(e) => return Err(e).context("its filter's listener can't be taken"),
        };
        if seccomp::is_listener(&taken) {
            return Ok(Some(taken));
        }
    }
    Ok(None)
}

/// Whether the process has ended, after a wait of at most `patience`.
pub(super) fn has_ended(process: impl AsFd, patience: PollTimeout) -> Result<bool> {
    let mut polled = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    match poll(&mut polled, patience) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(e) => Err(e.into()),
    }
}
