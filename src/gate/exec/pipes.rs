//! The programs at the other end of a pipe. `curl … | sh` is two programs that may have been started each on its own:
//! what a shell is about to read is known by who writes it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;

use super::procfs;
use crate::judge::Peer;

/// Processes that are looked through, and ends that are told.
const PROCESSES: usize = 4096;
const PEERS: usize = 8;

/// Which end the others must have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Writing,
    Reading,
}

/// Pipes that something was written into, and by whom: a writer may be gone before its reader is there.
#[derive(Default)]
pub(super) struct Fed(VecDeque<(OsString, Peer)>);

/// Pipes that are kept in mind, the latest.
const FED: usize = 512;

impl Fed {
    pub(super) fn note(&mut self, pid: i32, program: &[u8], argv: &[Vec<u8>]) {
        let Some(pipe) = pipe_of(&format!("/proc/{pid}/fd/1")) else { return };
        if self.0.len() >= FED {
            self.0.pop_front();
        }
        self.0.push_back((pipe, Peer { program: program.to_vec(), argv: argv.to_vec() }));
    }

    /// Who writes what this process is about to read, or has written it.
    pub(super) fn writers(&self, pid: i32) -> Vec<Peer> {
        let mut writers = peers(pid, 0, End::Writing);
        if let Some(pipe) = pipe_of(&format!("/proc/{pid}/fd/0")) {
            writers.extend(self.0.iter().filter(|(fed, _)| *fed == pipe).map(|(_, peer)| peer.clone()));
        }
        writers
    }
}

/// Who else has the pipe that is descriptor `fd` of process `pid`, with that end of it; nobody where it is no pipe.
pub(super) fn peers(pid: i32, fd: i32, end: End) -> Vec<Peer> {
    let Some(pipe) = pipe_of(&format!("/proc/{pid}/fd/{fd}")) else { return Vec::new() };
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut peers = Vec::new();
    for other in pids.filter(|other| *other != 1 && *other != pid).take(PROCESSES) {
        if has(other, &pipe, end)
            && let Some(program) = procfs::exe(other)
        {
            peers.push(Peer { program, argv: procfs::cmdline(other) });
            if peers.len() == PEERS {
                break;
            }
        }
    }
    peers
}

/// `pipe:[INODE]`, which is the same for both ends; named pipes are known by their path.
fn pipe_of(link: &str) -> Option<OsString> {
    use std::os::unix::fs::FileTypeExt;
    let is_pipe = fs::metadata(link).ok()?.file_type().is_fifo();
    is_pipe.then(|| fs::read_link(link).ok())?.map(std::path::PathBuf::into_os_string)
}

fn has(pid: i32, pipe: &std::ffi::OsStr, end: End) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    entries.flatten().any(|entry| {
        let is_it = fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == pipe);
        is_it && is_open_for(pid, &entry.file_name().to_string_lossy(), end)
    })
}

/// The access mode is the last octal digit of the flags (proc_pid_fdinfo(5)).
fn is_open_for(pid: i32, fd: &str, end: End) -> bool {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let mode = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).map(|flags| flags & 3);
    match end {
        End::Writing => matches!(mode, Some(1 | 2)),
        End::Reading => matches!(mode, Some(0 | 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::process::{Command, Stdio};

    #[test]
    fn the_other_end_is_found_with_its_arguments() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut other =
            Command::new("sleep").arg("1000").stdout(writer).stdin(Stdio::null()).spawn().expect("sleep");
        let me = std::process::id().cast_signed();
        let mut found = Vec::new();
        // It may not have become sleep yet.
        for _ in 0..500 {
            found = peers(me, reader.as_raw_fd(), End::Writing);
            if found.iter().any(|peer| peer.argv.iter().any(|arg| arg == b"1000")) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(
            found.iter().any(|peer| peer.program.ends_with(b"sleep") || peer.program.ends_with(b"coreutils")),
            "{found:?}"
        );
        assert!(peers(me, reader.as_raw_fd(), End::Reading).is_empty());
        other.kill().expect("it ends");
        other.wait().expect("it has ended");
        let file = tempfile::tempfile().expect("a file");
        assert!(peers(me, file.as_raw_fd(), End::Writing).is_empty());
    }
}
