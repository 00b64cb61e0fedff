//! Stopping ourselves as Ctrl-Z would have, although SIGTSTP is handled: sigaction(2), signal(7).

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, raise, sigaction};

/// Takes SIGTSTP's default action on this process; returns when it has been continued. Not SIGSTOP: the kernel
/// ignores SIGTSTP where no shell is there to continue us, and a job's shell reports it as its user expects.
pub(crate) fn stop_self() -> Result<(), Errno> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    let only = SigSet::from(Signal::SIGTSTP);
    // SAFETY: SIG_DFL runs no code of ours.
    let handled = unsafe { sigaction(Signal::SIGTSTP, &default) }?;
    let mask = only.thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
    let raised = raise(Signal::SIGTSTP);
    if let Ok(mask) = mask {
        mask.thread_set_mask()?;
    }
    // SAFETY: this puts back what was installed a moment ago by a safe interface.
    unsafe { sigaction(Signal::SIGTSTP, &handled) }?;
    raised
}
