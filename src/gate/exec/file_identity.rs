//! Which file runs: an answer is about that file, and no other that takes its name.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use nix::sys::statvfs::{FsFlags, fstatvfs};

/// A change that follows so soon may leave the change time as it is.
const GRANULARITY: Duration = Duration::from_secs(1);

/// Bytes that stay the same while the file of process `pid` does. Where nothing in the sandbox can write, its path
/// is enough; elsewhere it is the inode and the time of its last change, which no program can set. One that has just
/// changed is like no other: `unique` says so.
pub(super) fn of(pid: i32, unique: u64) -> Vec<u8> {
    let link = format!("/proc/{pid}/exe");
    let Ok(file) = File::open(&link) else { return unlike_any(unique) };
    let (Ok(meta), Ok(system)) = (file.metadata(), fstatvfs(&file)) else { return unlike_any(unique) };
    if system.flags().contains(FsFlags::ST_RDONLY) {
        let path = std::fs::read_link(&link).unwrap_or_default();
        return [b"read-only:", path.as_os_str().as_bytes()].concat();
    }
    let changed = u64::try_from(meta.ctime()).unwrap_or(0);
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
    match SystemTime::now().duration_since(changed) {
        Ok(age) if age > GRANULARITY => {
            let of = (meta.dev(), meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec());
            format!("{of:?}").into_bytes()
        }
        _ => unlike_any(unique),
    }
}

/// Whether a process runs a file that nothing in the sandbox can write.
pub(super) fn is_read_only(pid: i32) -> bool {
    let file = File::open(format!("/proc/{pid}/exe"));
    let system = file.ok().and_then(|file| fstatvfs(&file).ok());
    system.is_some_and(|system| system.flags().contains(FsFlags::ST_RDONLY))
}

fn unlike_any(unique: u64) -> Vec<u8> {
    format!("unknown:{unique}").into_bytes()
}
