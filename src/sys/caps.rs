//! A process's own credentials: capset(2), prctl(2), setresuid(2).

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

/// Capability numbers of linux/capability.h.
pub(crate) const CAP_DAC_READ_SEARCH: u32 = 2;
pub(crate) const CAP_KILL: u32 = 5;
pub(crate) const CAP_SYS_PTRACE: u32 = 19;

const VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Becomes user and group `id`, without further groups, and keeps of its capabilities these and no others. Other
/// threads are not changed: call it before there are any.
pub(crate) fn become_user(id: u32, keep: &[u32]) -> Result<(), Errno> {
    nix::sys::prctl::set_keepcaps(true)?;
    setgroups(&[])?;
    let (gid, uid) = (Gid::from_raw(id), Uid::from_raw(id));
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    set(keep)
}

/// Permitted and effective become just `keep`; nothing is inheritable.
fn set(keep: &[u32]) -> Result<(), Errno> {
    let mut data = [Data::default(); 2];
    for capability in keep {
        let word = data.get_mut(*capability as usize / 32).ok_or(Errno::EINVAL)?;
        word.effective |= 1 << (capability % 32);
        word.permitted |= 1 << (capability % 32);
    }
    let header = Header { version: VERSION_3, pid: 0 };
    // SAFETY: version 3 takes a header and two data structures, all of which live through the call.
    let done = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    Errno::result(done).map(drop)
}

/// Neither this process nor what it executes gains rights from set-user-id files (PR_SET_NO_NEW_PRIVS).
pub(crate) fn no_new_privileges() -> Result<(), Errno> {
    nix::sys::prctl::set_no_new_privs()
}
