//! pwritev2(2) with RWF_NOWAIT.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

/// Writes what fits at once, or nothing (`EAGAIN`). `EOPNOTSUPP`: this kind of file can't promise not to wait.
pub(crate) fn write(fd: impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    let piece = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // An offset of -1: where the file stands, as write(2).
    // SAFETY: one iovec, over a live slice that the kernel only reads.
    let written =
        unsafe { libc::pwritev2(fd.as_fd().as_raw_fd(), &raw const piece, 1, -1, libc::RWF_NOWAIT) };
    Errno::result(written).map(|written| usize::try_from(written).unwrap_or(0))
}
