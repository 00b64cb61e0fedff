//! seccomp(2) and seccomp_unotify(2): a filter with a listener, and what a listener is asked and answers.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// One instruction of a filter (linux/filter.h).
pub(crate) type Instruction = libc::sock_filter;

/// Since Linux 5.19: a signal that does not kill no longer makes a notified call start again.
const WAIT_KILLABLE_RECV: libc::c_ulong = 1 << 5;

/// Puts `program` over this thread, for good, and returns its listener. `no_new_privs` must be set.
pub(crate) fn install(program: &[Instruction]) -> Result<OwnedFd, Errno> {
    match install_with(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV) {
        Err(Errno::EINVAL) => install_with(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER),
        installed => installed,
    }
}

fn install_with(program: &[Instruction], flags: libc::c_ulong) -> Result<OwnedFd, Errno> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::E2BIG)?;
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` describes a live slice, which the kernel copies and does not write to.
    let fd =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    let fd = i32::try_from(Errno::result(fd)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A call that waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notification {
    pub(crate) id: u64,
    /// The calling thread, in our PID namespace; 0 if it is not in it.
    pub(crate) tid: i32,
    pub(crate) arch: u32,
    pub(crate) nr: i32,
    pub(crate) args: [u64; 6],
}

/// The next call that waits. `ENOENT`: its caller has gone.
pub(crate) fn receive(listener: impl AsFd) -> Result<Notification, Errno> {
    // SAFETY: the structure is plain numbers, for which zeros are valid; the kernel asks for zeros.
    let mut raw: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the request takes a pointer to just this structure, and writes no more than it.
    let done = unsafe { libc::ioctl(listener.as_fd().as_raw_fd(), NOTIF_RECV, &raw mut raw) };
    Errno::result(done)?;
    Ok(Notification {
        id: raw.id,
        tid: raw.pid.cast_signed(),
        arch: raw.data.arch,
        nr: raw.data.nr,
        args: raw.data.args,
    })
}

/// Lets the call go on as it stands.
pub(crate) fn answer_continue(listener: impl AsFd, id: u64) -> Result<(), Errno> {
    answer(
        listener,
        libc::seccomp_notif_resp {
            id,
            val: 0,
            error: 0,
            flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
        },
    )
}

/// The call fails with `error`. `ENOENT`: its caller has gone.
pub(crate) fn answer_error(listener: impl AsFd, id: u64, error: Errno) -> Result<(), Errno> {
    answer(listener, libc::seccomp_notif_resp { id, val: 0, error: -(error as i32), flags: 0 })
}

fn answer(listener: impl AsFd, mut response: libc::seccomp_notif_resp) -> Result<(), Errno> {
    // SAFETY: the request takes a pointer to just this structure.
    let done = unsafe { libc::ioctl(listener.as_fd().as_raw_fd(), NOTIF_SEND, &raw mut response) };
    Errno::result(done).map(drop)
}

/// Whether the caller of a notification still waits: then its thread id is still its own.
pub(crate) fn is_valid(listener: impl AsFd, id: u64) -> bool {
    notification_id(listener, id).is_ok()
}

/// Whether a descriptor is a listener at all: nothing else answers this request for an id that nobody has.
pub(crate) fn is_listener(fd: impl AsFd) -> bool {
    matches!(notification_id(fd, 0), Ok(()) | Err(Errno::ENOENT))
}

fn notification_id(listener: impl AsFd, id: u64) -> Result<(), Errno> {
    // SAFETY: the request takes a pointer to a u64, and does not write.
    let done = unsafe { libc::ioctl(listener.as_fd().as_raw_fd(), NOTIF_ID_VALID, &raw const id) };
    Errno::result(done).map(drop)
}

/// Since Linux 6.6: whoever answers goes on where the caller ran, without waking another CPU. Older kernels refuse.
pub(crate) fn wake_in_place(listener: impl AsFd) -> Result<(), Errno> {
    const SYNC_WAKE_UP: u64 = 1;
    // SAFETY: the request takes the flags by value.
    let done = unsafe { libc::ioctl(listener.as_fd().as_raw_fd(), NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
    Errno::result(done).map(drop)
}

// linux/seccomp.h, by the generic encoding of linux/ioctl.h: direction, size, '!' and number.
const NOTIF_RECV: libc::c_ulong = request(3, size_of::<libc::seccomp_notif>(), 0);
const NOTIF_SEND: libc::c_ulong = request(3, size_of::<libc::seccomp_notif_resp>(), 1);
const NOTIF_ID_VALID: libc::c_ulong = request(1, size_of::<u64>(), 2);
const NOTIF_SET_FLAGS: libc::c_ulong = request(1, size_of::<u64>(), 4);

const fn request(direction: libc::c_ulong, size: usize, number: libc::c_ulong) -> libc::c_ulong {
    direction << 30 | (size as libc::c_ulong) << 16 | (b'!' as libc::c_ulong) << 8 | number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_are_the_kernels() {
        assert_eq!(NOTIF_RECV, 0xC050_2100);
        assert_eq!(NOTIF_SEND, 0xC018_2101);
        assert_eq!(NOTIF_ID_VALID, 0x4008_2102);
    }

    #[test]
    fn an_ordinary_file_is_no_listener() {
        assert!(!is_listener(std::fs::File::open("/dev/null").expect("there")));
    }
}
