//! Ending processes for certain.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Kills one process. If that can't be done, the gate ends, and the kernel with it everything.
pub(super) fn process(pid: i32) {
    match kill(Pid::from_raw(pid), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(e) => {
            eprintln!("creel: a process that must not run could not be killed ({e}): everything ends");
            std::process::abort();
        }
    }
}

/// Kills every process of this PID namespace but its first, which we are (kill(2), pid -1).
pub(super) fn all_others() {
    debug_assert_eq!(std::process::id(), 1);
    if std::process::id() == 1 {
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    }
}
