//! A process by a descriptor, which can't come to mean another one: pidfd_open(2), pidfd_getfd(2),
//! pidfd_send_signal(2).

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// The process `pid`: a thread group's leader. It is readable in poll(2) once the process has ended.
pub(crate) fn open(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: numbers in, a new descriptor out.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    owned(fd)
}

/// A copy of the process's descriptor number `fd`. Needs ptrace rights over it.
pub(crate) fn get_fd(process: impl AsFd, fd: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: numbers in, a new descriptor out.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_fd().as_raw_fd(), fd, 0) };
    owned(fd)
}

fn owned(fd: libc::c_long) -> Result<OwnedFd, Errno> {
    let fd = i32::try_from(Errno::result(fd)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
