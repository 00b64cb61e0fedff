//! Questions to the kernel that have no file in /proc or /sys.

use std::io;

use nix::libc;

/// The Landlock ABI that the kernel enforces: landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION.
pub(crate) fn landlock_abi() -> io::Result<u32> {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the kernel takes a null pointer and size zero, and reads no memory of ours.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION)
    };
    u32::try_from(abi).map_err(|_| io::Error::last_os_error())
}
