//! ptrace(2), as far as an exec supervisor needs it. All calls must come from one thread: the tracer.

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// Begins to trace a thread that goes on running; it will stop at its next exec.
pub(crate) fn seize(tid: i32) -> Result<(), Errno> {
    ptrace::seize(Pid::from_raw(tid), ptrace::Options::PTRACE_O_TRACEEXEC)
}

/// Asks a traced thread to stop as soon as it is back in its own code.
pub(crate) fn interrupt(tid: i32) -> Result<(), Errno> {
    ptrace::interrupt(Pid::from_raw(tid))
}

/// Lets a stopped thread go, with `signal` (0: none) delivered to it. A job-control stop in force stays in force.
pub(crate) fn detach(tid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: the request takes numbers alone; an address of zero is ignored.
    let done = unsafe { libc::ptrace(libc::PTRACE_DETACH, tid, 0, libc::c_long::from(signal)) };
    Errno::result(done).map(drop)
}

/// At an exec stop: the id that the thread had before, when it was not the leader (PTRACE_GETEVENTMSG).
pub(crate) fn former_tid(tid: i32) -> Result<i32, Errno> {
    let id = ptrace::getevent(Pid::from_raw(tid))?;
    i32::try_from(id).map_err(|_| Errno::ESRCH)
}

/// A stopped thread's registers.
pub(crate) fn registers(tid: i32) -> Result<libc::user_regs_struct, Errno> {
    ptrace::getregs(Pid::from_raw(tid))
}

/// Writes a word into a stopped thread's memory, over what may only be read too (its own copy of it).
pub(crate) fn poke(tid: i32, address: u64, word: u64) -> Result<(), Errno> {
    let address = usize::try_from(address).map_err(|_| Errno::EFAULT)?;
    ptrace::write(
        Pid::from_raw(tid),
        std::ptr::without_provenance_mut(address),
        libc::c_long::from_ne_bytes(word.to_ne_bytes()),
    )
}
