//! Which file runs: an answer is about that file, and no other that takes its name.

use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use nix::sys::statvfs::{FsFlags, fstatvfs};

/// A change that follows so soon may leave the change time as it is.
const GRANULARITY: Duration = Duration::from_secs(1);

/// Device, inode, size, and the time of the last change, which no program can set.
pub(super) type Version = (u64, u64, u64, i64, i64);

/// Bytes that stay the same while the file of process `pid` does. Where nothing in the sandbox can write, its path
/// is enough; elsewhere it is its version. One that has just changed is like no other: `unique` says so.
pub(super) fn of(pid: i32, unique: u64) -> Vec<u8> {
    let unlike_any = || format!("unknown:{unique}").into_bytes();
    let Some((file, read_only)) = exe(pid) else { return unlike_any() };
    if read_only {
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        return [b"read-only:", path.as_os_str().as_bytes()].concat();
    }
    match file.metadata().ok().and_then(|meta| settled_version(&meta)) {
        Some(version) => format!("{version:?}").into_bytes(),
        None => unlike_any(),
    }
}

/// Whether a process runs a file that nothing in the sandbox can write.
pub(super) fn is_read_only(pid: i32) -> bool {
    exe(pid).is_some_and(|(_, read_only)| read_only)
}

pub(super) fn version(meta: &Metadata) -> Version {
    (meta.dev(), meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec())
}

/// The version of a file that has been as it is for long enough to be known by it.
pub(super) fn settled_version(meta: &Metadata) -> Option<Version> {
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(meta.ctime()).unwrap_or(0));
    let age = SystemTime::now().duration_since(changed).ok()?;
    (age > GRANULARITY).then(|| version(meta))
}

/// The file that a process runs, and whether its file system is read-only.
fn exe(pid: i32) -> Option<(File, bool)> {
    let file = File::open(format!("/proc/{pid}/exe")).ok()?;
    let read_only = fstatvfs(&file).ok()?.flags().contains(FsFlags::ST_RDONLY);
    Some((file, read_only))
}
