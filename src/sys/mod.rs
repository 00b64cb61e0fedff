//! The kernel's interfaces that no crate wraps as we need them: one file for a family of system calls, and the
//! only place with `unsafe`.

pub(crate) mod arch;
pub(crate) mod caps;
pub(crate) mod netif;
pub(crate) mod nowait;
pub(crate) mod packet;
pub(crate) mod pidfd;
pub(crate) mod probe;
pub(crate) mod process_vm;
pub(crate) mod ptrace;
pub(crate) mod readiness;
pub(crate) mod seccomp;
pub(crate) mod signals;
pub(crate) mod suspend;
pub(crate) mod tty;
pub(crate) mod wait;
