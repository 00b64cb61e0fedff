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

/// The kernel's signals are 1 to this (signal(7)).
const SIGNALS: libc::c_int = 64;

/// Gives every signal its default action, and blocks none: what is ignored or blocked here would be so in what we
/// execute. Rust programs ignore SIGPIPE; a daemon above us may hand down any other, those that the C library
/// keeps for itself included (sigaction(3) refuses these, so the kernel is asked).
pub(crate) fn restore_defaults() -> Result<(), Errno> {
    for signal in 1..=SIGNALS {
        // As struct kernel_sigaction: SIG_DFL (0), no flags, no restorer, an empty mask.
        let action = [0_u64; 4];
        // SAFETY: the kernel reads 32 bytes and is asked for nothing back; there is no handler that could be called.
        let set = unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                action.as_ptr(),
                std::ptr::null::<u64>(),
                size_of::<u64>(),
            )
        };
        match Errno::result(set) {
            // SIGKILL and SIGSTOP have no other action.
            Ok(_) | Err(Errno::EINVAL) => {}
            Err(e) => return Err(e),
        }
    }
    SigSet::empty().thread_set_mask()
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
