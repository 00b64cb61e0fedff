//! Descriptors that tokio waits for: epoll(7).

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::unix::AsyncFd;

/// Registers a non-blocking descriptor with the runtime that this is called in.
pub(crate) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd names the same open descriptor from its making to its drop, and AsyncFd owns it.
    Ok(unsafe { AsyncFd::register(fd) }?)
}
