//! The log of one sandbox name: a chain of lines, kept over its runs, written by one monitor at a time.

mod open;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::line::{self, Head};
use super::record::{Boot, Entry, Src};

/// The file being written.
pub(crate) const CURRENT: &str = "current.jsonl";

/// More than this is not kept in memory while the log can't be written.
const MAX_PENDING: usize = 4 * 1024 * 1024;

/// The writer of a log. There is one in the world: it holds the lock.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// Held for as long as this lives.
    _lock: File,
    /// `durability = "synced"`.
    synced: bool,
    /// Of the next record; its `src` is the last one's.
    head: Head,
    /// How much of the file is safe: whole lines, in their order.
    len: u64,
    /// The file may hold more than `len`: what a write that failed, or a crash, left.
    dirty: bool,
    /// Lines that the file doesn't safely hold yet.
    pending: Vec<u8>,
    /// The last offset of each boot, pending ones included.
    seen: HashMap<Boot, u64>,
    /// For what the monitor itself says: its boot, and how much it said.
    own: Src,
    resumed: Resumed,
}

/// Why a record is not in the log. After an error of `append` or `flush` the same call may be made again; nothing
/// may be acknowledged until it succeeds.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("{} is being written by another monitor", .0.display())]
    Locked(PathBuf),
    #[error("can't {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{} was changed, moved or removed by something other than creel: put it back, or stop the sandbox and \
         look at it with “creel audit verify”",
        .0.display()
    )]
    Changed(PathBuf),
    #[error("{} can't be continued: its last line {why}; see “creel audit verify”, or move it away", path.display())]
    Foreign { path: PathBuf, why: String },
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is the record of this `seq`.
    New(u64),
    /// The log has it since before a takeover.
    Already,
}

/// What an earlier monitor wrote of this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resumed {
    pub(crate) started: bool,
    pub(crate) ended: bool,
    /// Execs on record.
    pub(crate) execs: u64,
}

impl Log {
    /// What an earlier monitor wrote of the run, before this log was opened.
    pub(crate) fn resumed(&self) -> &Resumed {
        &self.resumed
    }

    /// Chains a record from a spool. It is in the log when [`Log::flush`] has returned.
    pub(crate) fn append(&mut self, src: Src, entry: &Entry) -> Result<Appended, LogError> {
        if self.pending.len() > MAX_PENDING {
            self.flush()?;
        }
        if self.seen.get(&src.boot).is_some_and(|&last| src.offset <= last) {
            return Ok(Appended::Already);
        }
        Ok(Appended::New(self.push(src, entry)))
    }

    /// Chains a record of the monitor's own; returns its `seq`.
    pub(crate) fn append_own(&mut self, entry: &Entry) -> Result<u64, LogError> {
        if self.pending.len() > MAX_PENDING {
            self.flush()?;
        }
        let src = self.own.clone();
        self.own.offset += 1;
        Ok(self.push(src, entry))
    }

    /// Writes what was appended, in one write(2); with `durability = "synced"`, waits for the disk.
    pub(crate) fn flush(&mut self) -> Result<(), LogError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.still_ours()?;
        let rest = std::mem::replace(&mut self.dirty, true);
        // Until all of it is safe, all of it counts as not written: after a failed fdatasync the kernel may
        // have dropped what it could not store, and only writing it again makes it dirty again.
        self.file.write_all_at(&self.pending, self.len).map_err(self.io("write"))?;
        let len = self.len + self.pending.len() as u64;
        if rest {
            self.file.set_len(len).map_err(self.io("cut"))?;
        }
        if self.synced {
            self.file.sync_data().map_err(self.io("sync"))?;
        }
        self.dirty = false;
        self.len = len;
        self.pending.clear();
        Ok(())
    }

    /// Bytes appended and not yet flushed.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Where the last record of a boot begins that the log safely holds: what to tell its gate as `Consumed`, and
    /// where a new monitor reads its spool on from. `None` where there is none, or while something is pending.
    pub(crate) fn last_src(&self, boot: Boot) -> Option<u64> {
        self.seen.get(&boot).copied().filter(|_| self.pending.is_empty())
    }

    fn push(&mut self, src: Src, entry: &Entry) -> u64 {
        self.seen.insert(src.boot, src.offset);
        self.head.src = src;
        let start = self.pending.len();
        line::encode(&mut self.pending, &self.head, entry);
        self.head.prev = line::hash(self.pending.get(start..).unwrap_or_default());
        self.pending.push(b'\n');
        self.head.seq += 1;
        self.head.seq - 1
    }

    /// A file that was removed, replaced, or written to by another would take records and lose them.
    fn still_ours(&self) -> Result<(), LogError> {
        let ours = self.file.metadata().map_err(self.io("look at"))?;
        let there = std::fs::symlink_metadata(&self.path).ok();
        let same = there.is_some_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        let whole = if self.dirty { ours.len() >= self.len } else { ours.len() == self.len };
        if same && whole { Ok(()) } else { Err(LogError::Changed(self.path.clone())) }
    }

    fn io(&self, doing: &'static str) -> impl FnOnce(io::Error) -> LogError + use<> {
        failed(doing, &self.path)
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError + use<> {
    let path = path.to_owned();
    move |source| LogError::Io { doing, path, source }
}
