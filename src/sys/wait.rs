//! waitid(2) for every child and tracee at once.

use nix::errno::Errno;

/// What became of a child or a tracee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has ended, and is reaped.
    Ended { tid: i32 },
    /// A tracee stands still. `event` is a PTRACE_EVENT_… or 0; `signal` as ptrace(2) has it.
    Stopped { tid: i32, signal: i32, event: i32 },
}

/// Waits for the next change of any child or tracee, threads included. `ECHILD`: there is none to wait for.
///
/// It asks for stops too: those of tracees are handed out whatever is asked for, and one that nobody sees
/// leaves its thread standing for ever.
pub(crate) fn next_change() -> Result<Change, Errno> {
    loop {
        // SAFETY: the structure is plain data, for which zeros are valid.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WSTOPPED | libc::__WALL;
        // SAFETY: the kernel writes one siginfo_t to where it is told.
        let done = unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, options) };
        match Errno::result(done) {
            Err(Errno::EINTR) => continue,
            Err(e) => return Err(e),
            Ok(_) => {}
        }
        // SAFETY: waitid fills the fields of SIGCHLD.
        let (tid, status) = unsafe { (info.si_pid(), info.si_status()) };
        return Ok(match info.si_code {
            libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED => Change::Ended { tid },
            // A ptrace stop's status is the signal, with the event above it.
            _ => Change::Stopped { tid, signal: status & 0xff, event: (status >> 8) & 0xff },
        });
    }
}
