//! sigaction(2) and sigwaitinfo(2), as PID 1 needs them.

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// Ends the process, with success, when `signal` comes.
pub(crate) fn end_at(signal: Signal) -> Result<(), Errno> {
    let action = SigAction::new(SigHandler::Handler(leave), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler makes one call, which signal-safety(7) lists.
    unsafe { sigaction(signal, &action) }.map(drop)
}

extern "C" fn leave(_: libc::c_int) {
    // SAFETY: _exit(2) takes a number and does not return.
    unsafe { libc::_exit(0) }
}

/// Gives SIGPIPE back its default action. Rust programs ignore it, and what they execute would inherit that.
pub(crate) fn restore_pipe_signal() -> Result<(), Errno> {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: there is no handler that could be called.
    unsafe { sigaction(Signal::SIGPIPE, &action) }.map(drop)
}

/// Keeps SIGCHLD for [`wait_for_child_signal`]. Call it before there are threads: they inherit it.
pub(crate) fn block_child_signal() -> Result<(), Errno> {
    child_signal().thread_block()
}

/// Waits until a child or tracee has changed since the last call.
pub(crate) fn wait_for_child_signal() -> Result<(), Errno> {
    child_signal().wait().map(drop)
}

fn child_signal() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set
}
