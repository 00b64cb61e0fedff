//! The thread that waits: it reaps whatever ends (as PID 1, orphans too), and passes stops on. It never waits for
//! one pid: a traced thread that dies in another thread's exec must be reaped while that exec waits for it.

use nix::errno::Errno;

use super::inbox::{Inbox, Message};
use crate::sys::{signals, wait};

pub(super) fn run(inbox: &Inbox) {
    loop {
        match wait::next_change() {
            Ok(change) => inbox.put(Message::Change(change)),
            // SIGCHLD is blocked, and so it is kept: one that came since is seen here.
            Err(Errno::ECHILD) => drop(signals::wait_for_child_signal()),
            // Without this thread every exec would hang: PID 1 takes all with it.
            Err(e) => {
                eprintln!("creel: waiting for processes failed: {e}");
                std::process::abort();
            }
        }
    }
}
