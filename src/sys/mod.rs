//! The kernel's interfaces that no crate wraps as we need them: one file for a family of system calls, and the
//! only place with `unsafe`.
pub(crate) mod packet;
pub(crate) mod probe;
pub(crate) mod readiness;
