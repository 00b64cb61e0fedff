//! What /proc says of a task (proc(5)). Everything is read afresh: pids are used again.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;

/// Who a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The process, not the thread.
    pub(super) pid: u32,
    pub(super) ppid: u32,
    /// The effective user id.
    pub(super) uid: u32,
    /// Clock ticks since boot.
    pub(super) start: u64,
}

/// `None` where the task has gone.
pub(super) fn identity(tid: i32) -> Option<Identity> {
    let status = fs::read(format!("/proc/{tid}/status")).ok()?;
    let stat = fs::read(format!("/proc/{tid}/stat")).ok()?;
    let (pid, ppid, uid) = parse_status(&status)?;
    Some(Identity { pid, ppid, uid, start: parse_stat(&stat, 22)? })
}

/// Parent and start time of a process.
pub(super) fn parent_and_start(pid: i32) -> Option<(u32, u64)> {
    // In one read: the kernel makes the text anew for each, and it is shorter than this.
    let mut buffer = [0; 1024];
    let size = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut buffer).ok()?;
    let stat = buffer.get(..size)?;
    Some((parse_stat(stat, 4)?, parse_stat(stat, 22)?))
}

/// Tgid, PPid and the second of Uid's numbers. The name of a task is its own choice, but holds no newline: the
/// kernel escapes it.
fn parse_status(status: &[u8]) -> Option<(u32, u32, u32)> {
    let field = |name: &[u8], nth: usize| {
        let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(nth)?.parse().ok()
    };
    Some((field(b"Tgid:", 0)?, field(b"PPid:", 0)?, field(b"Uid:", 1)?))
}

/// A field by proc_pid_stat(5)'s number, of those after the name: that, field 2, is in parentheses and may hold any.
fn parse_stat<T: std::str::FromStr>(stat: &[u8], field: usize) -> Option<T> {
    let after = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(after + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(field.checked_sub(3)?)?.parse().ok()
}

/// The file that the task runs, as a path in its own root. A deleted file keeps the name that it had.
pub(super) fn exe(tid: i32) -> Option<Vec<u8>> {
    let link = format!("/proc/{tid}/exe");
    let mut path = fs::read_link(&link).ok()?.into_os_string().into_vec();
    const DELETED: &[u8] = b" (deleted)";
    // A living file may have a name that ends so.
    if path.ends_with(DELETED) && fs::metadata(&link).is_ok_and(|file| file.nlink() == 0) {
        path.truncate(path.len() - DELETED.len());
    }
    Some(path)
}

pub(super) fn cwd(tid: i32) -> Option<Vec<u8>> {
    Some(fs::read_link(format!("/proc/{tid}/cwd")).ok()?.into_os_string().into_vec())
}

/// The task's own argument list, as it shows it: its choice, good for a record of who called.
pub(super) fn cmdline(tid: i32) -> Vec<Vec<u8>> {
    let line = fs::read(format!("/proc/{tid}/cmdline")).unwrap_or_default();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    line.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

/// Whether any process of this PID namespace but its first is alive. Zombies are not.
pub(super) fn others_alive() -> std::io::Result<bool> {
    for entry in fs::read_dir("/proc")?.flatten() {
        let pid: Option<i32> = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.filter(|pid| *pid != 1) else { continue };
        let Ok(stat) = fs::read(format!("/proc/{pid}/stat")) else { continue };
        if state(&stat).is_some_and(|state| !matches!(state, b'Z' | b'X')) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn state(stat: &[u8]) -> Option<u8> {
    let after = stat.iter().rposition(|&byte| byte == b')')?;
    stat.get(after + 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hostile_name_moves_no_field() {
        let stat = b"12 (a) R 1 (b) S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 99 18446744073709551615";
        assert_eq!(parse_stat(stat, 22), Some(987_654_u64));
        assert_eq!(parse_stat(stat, 4), Some(7_u32));
        assert_eq!(state(stat), Some(b'S'));
        let status = b"Name:\tx\\nTgid:\t9\nUmask:\t0022\nState:\tR\nTgid:\t12\nNgid:\t0\nPid:\t13\nPPid:\t7\nTracerPid:\t0\nUid:\t1\t1000\t3\t4\n";
        assert_eq!(parse_status(status), Some((12, 7, 1000)));
    }

    #[test]
    fn we_know_ourselves() {
        let me = identity(std::process::id().cast_signed()).expect("we live");
        assert_eq!(me.pid, std::process::id());
        assert!(me.start > 0);
        assert_eq!(
            exe(std::process::id().cast_signed()),
            std::env::current_exe().ok().map(|path| path.into_os_string().into_vec())
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (parse_stat::<u64>(&bytes, 22), parse_status(&bytes), state(&bytes));
        }
    }
}
