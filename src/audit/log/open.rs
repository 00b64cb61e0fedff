//! Opening a log: the lock, what a crash left, and where the chain goes on.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{CURRENT, Log, LogError, Resumed, failed};
use crate::audit::line::{self, BadLine, Head, NO_LINE};
use crate::audit::lines::{LinesBack, after_last_newline};
use crate::audit::record::{Boot, Entry, Event, Gap, Kind, Outcome, Src};
use crate::names::{RunId, SandboxName};
use crate::policy::model::Durability;

impl Log {
    /// Opens the log of `sandbox` in `dir`, which is made if need be, to write the records of `run`. What a crash
    /// left of a last line is set aside in a file beside it, and a `gap` record says so.
    pub(crate) fn open(
        dir: &Path,
        sandbox: &SandboxName,
        run: RunId,
        durability: Durability,
    ) -> Result<Self, LogError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed("make", dir))?;
        let lock = lock(dir)?;
        let path = dir.join(CURRENT);
        let file = private().open(&path).map_err(failed("open", &path))?;
        // Its name must outlive the machine as its bytes do.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync", dir))?;
        let boot = Boot::new().map_err(|error| failed("make an id for", &path)(error.into()))?;
        let tail = Tail::of(&file, &path, sandbox)?;
        let mut log = Self {
            head: Head {
                seq: tail.seq + 1,
                sandbox: sandbox.clone(),
                run,
                src: Src { boot, offset: 0 },
                prev: tail.hash,
            },
            path,
            file,
            _lock: lock,
            synced: durability == Durability::Synced,
            len: tail.len,
            dirty: false,
            pending: Vec::new(),
            seen: HashMap::new(),
            own: Src { boot, offset: 0 },
            resumed: Resumed::default(),
        };
        if tail.run == Some(run) {
            log.look_through()?;
        }
        log.set_aside()?;
        Ok(log)
    }

    /// Learns what is on record of this run.
    fn look_through(&mut self) -> Result<(), LogError> {
        let mut lines = LinesBack::new(&self.file, self.len);
        while let Some((_, bytes)) = lines.next().map_err(self.io("read"))? {
            let record = line::decode(&bytes).map_err(|error| foreign(&self.path, error))?;
            if record.head.run != self.head.run {
                break;
            }
            let last = self.seen.entry(record.head.src.boot).or_default();
            *last = (*last).max(record.head.src.offset);
            match record.entry.event.kind() {
                Kind::RunStart => self.resumed.started = true,
                Kind::RunEnd => self.resumed.ended = true,
                Kind::Exec => self.resumed.execs += 1,
                Kind::Gap => {}
            }
        }
        Ok(())
    }

    /// Moves what is after the last whole line out of the way. The record of it is written over it, so that there
    /// is no moment at which it is gone and nothing says so.
    fn set_aside(&mut self) -> Result<(), LogError> {
        let size = self.file.metadata().map_err(self.io("look at"))?.len() - self.len;
        if size == 0 {
            return Ok(());
        }
        let (aside, mut to) = self.torn_file()?;
        self.file.seek(SeekFrom::Start(self.len)).map_err(self.io("read"))?;
        io::copy(&mut (&self.file).take(size), &mut to).map_err(failed("write", &aside))?;
        to.sync_all().map_err(failed("sync", &aside))?;
        self.dirty = true;
        let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reason = format!(
            "the last line was torn by a crash: {size} bytes are set aside in {name}; what it held was not \
             acknowledged, and follows if the spool was kept"
        );
        let now = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or_default();
        let event = Event::Gap(Gap { count: None, reason });
        let entry = Entry { ts_us: now, outcome: Outcome::Observed, rule: None, by: None, event };
        self.append_own(&entry)?;
        self.flush()
    }

    fn torn_file(&self) -> Result<(PathBuf, File), LogError> {
        let mut n = 0u32;
        loop {
            let aside = self.path.with_file_name(format!("torn-{}.{n}", self.head.seq));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside) {
                Ok(file) => return Ok((aside, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
                Err(error) => return Err(failed("make", &aside)(error)),
            }
        }
    }
}

/// Where the chain goes on.
struct Tail {
    seq: u64,
    hash: line::Hash,
    run: Option<RunId>,
    len: u64,
}

impl Tail {
    /// The last line that is one. A crash of the machine may leave whole lines of something else behind it.
    fn of(file: &File, path: &Path, sandbox: &SandboxName) -> Result<Self, LogError> {
        let size = file.metadata().map_err(failed("look at", path))?.len();
        let end = after_last_newline(file, size).map_err(failed("read", path))?;
        let mut lines = LinesBack::new(file, end);
        while let Some((start, bytes)) = lines.next().map_err(failed("read", path))? {
            match line::decode(&bytes) {
                Ok(record) if record.head.sandbox == *sandbox => {
                    let len = start + bytes.len() as u64 + 1;
                    let hash = line::hash(&bytes);
                    return Ok(Self { seq: record.head.seq, hash, run: Some(record.head.run), len });
                }
                Ok(record) => {
                    let why = format!("is of another sandbox, “{}”", record.head.sandbox);
                    return Err(LogError::Foreign { path: path.to_owned(), why });
                }
                Err(error) if error.is_torn() => {}
                // Whole, and yet no record that this creel knows: a newer creel's, or not creel's at all.
                Err(error) => return Err(foreign(path, error)),
            }
        }
        Ok(Self { seq: 0, hash: NO_LINE, run: None, len: 0 })
    }
}

fn foreign(path: &Path, error: BadLine) -> LogError {
    LogError::Foreign { path: path.to_owned(), why: format!("is no record ({error})") }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

fn lock(dir: &Path) -> Result<File, LogError> {
    let path = dir.join("lock");
    let file = private().open(&path).map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}
