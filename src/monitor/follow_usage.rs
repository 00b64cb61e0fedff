//! Reads a workload's figures while it can: its cgroup goes with its last process, and the engine's word of that
//! end comes later.

use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::happening::Happening;
use super::usage::{CgroupFiles, Usage};
use crate::sys::{pidfd, readiness};

/// The figures are read so often, where nothing happens.
const EVERY: Duration = Duration::from_secs(1);

/// Passes the figures on: every second, when a limit was met (cgroup v2 tells inotify(7) of it, and a process that
/// is killed for it is killed after that), and when the main process `pid` (on the host) has ended.
pub(super) async fn follow_usage(files: CgroupFiles, pid: i32, happenings: mpsc::Sender<Happening>) {
    let ended = pidfd::open(pid).ok().and_then(|fd| readiness::watch(fd).ok());
    let met = limits_met(&files);
    let mut ticks = tokio::time::interval(EVERY);
    let mut usage = Usage::default();
    let mut over = false;
    while !over {
        tokio::select! {
            () = ready(ended.as_ref()) => over = true,
            () = ready(met.as_ref()) => if let Some(events) = &met { forget(events) },
            _ = ticks.tick() => {}
        }
        usage = files.read(usage);
        if happenings.send(Happening::Used(usage)).await.is_err() {
            return;
        }
    }
}

fn limits_met(files: &CgroupFiles) -> Option<AsyncFd<OwnedFd>> {
    let events = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok()?;
    events.add_watch(files.memory_events(), AddWatchFlags::IN_MODIFY).ok()?;
    readiness::watch(OwnedFd::from(events)).ok()
}

/// Waits for ever where there is nothing to wait for.
async fn ready(fd: Option<&AsyncFd<OwnedFd>>) {
    match fd {
        Some(fd) => drop(fd.readable().await),
        None => std::future::pending().await,
    }
}

/// What the events say is of no interest: one is enough.
fn forget(events: &AsyncFd<OwnedFd>) {
    let mut buffer = [0; 4096];
    let read = |fd: &OwnedFd| nix::unistd::read(fd, &mut buffer).map_err(Errno::into);
    let _ = events.try_io(Interest::READABLE, read);
}
