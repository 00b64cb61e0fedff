//! A sandbox's folder in the state directory: what it was started from, where it stands, and the lock that says
//! whether a monitor lives. A later monitor needs nothing else to take over.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::approval::queue::Memory;
use crate::audit::record::{Boot, Cause};
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::sandbox::spec::SandboxSpec;
use crate::wire::Phase;

/// Where a sandbox stands, rewritten as a whole at every step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunState {
    pub(crate) phase: Phase,
    /// Microseconds since the epoch.
    pub(crate) created_us: u64,
    pub(crate) started_us: Option<u64>,
    pub(crate) workload: Option<String>,
    /// The run's end was asked for, and why: a monitor that takes over must not blame the command.
    pub(crate) stopping: Option<Cause>,
    pub(crate) exit: Option<ExitState>,
    /// The containers are gone, or kept on purpose: nothing is left to do.
    pub(crate) cleaned: bool,
    /// The sandbox goes on without a command line.
    pub(crate) detached: bool,
    pub(crate) execs: u64,
    /// The workload's environment at its start, for the gate.
    pub(crate) env: BTreeMap<String, String>,
    /// The gate's own id: with it, a new monitor finds its place in the spool.
    pub(crate) boot: Option<Boot>,
    /// Execs that creel made in the workload, and strangers' that are recorded already; the latest ones.
    pub(crate) known_execs: VecDeque<String>,
    /// The next announcement's number: a new monitor may not use one again.
    pub(crate) next_announcement: u64,
    /// What a person has said for as long as the run lasts.
    #[serde(default)]
    pub(crate) decisions: Memory,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExitState {
    pub(crate) code: i32,
    pub(crate) cause: Cause,
    pub(crate) at_us: u64,
    pub(crate) message: Option<String>,
}

impl RunState {
    pub(crate) fn new(created_us: u64, detached: bool) -> Self {
        Self {
            phase: Phase::Starting,
            created_us,
            started_us: None,
            workload: None,
            stopping: None,
            exit: None,
            cleaned: false,
            detached,
            execs: 0,
            env: BTreeMap::new(),
            boot: None,
            known_execs: VecDeque::new(),
            next_announcement: 1,
            decisions: Memory::default(),
        }
    }

    /// Remembers an exec; says whether it was new.
    pub(crate) fn know_exec(&mut self, exec: &str) -> bool {
        if self.known_execs.iter().any(|known| known == exec) {
            return false;
        }
        self.known_execs.push_back(exec.to_owned());
        if self.known_execs.len() > KNOWN_EXECS {
            self.known_execs.pop_front();
        }
        true
    }
}

/// The engine repeats at most 256 past events.
const KNOWN_EXECS: usize = 1024;

/// Why a name can't be claimed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("the name “{0}” is in use; choose another with --name, or remove that sandbox: creel rm -f {0}")]
    Taken(SandboxName),
    #[error("could not make the sandbox's folder {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// The folder of one sandbox, held by the lock in it. The lock goes with its last descriptor, so a process that
/// dies, however it dies, lets go of it.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) dir: StateDir,
    lock: File,
}

impl Claim {
    /// Makes the folder of a new sandbox.
    pub(crate) fn new_sandbox(paths: &Paths, name: &SandboxName) -> Result<Self, ClaimError> {
        let path = paths.sandbox(name);
        let io = |source| ClaimError::Io { path: path.clone(), source };
        private_dir(&paths.sandboxes()).map_err(io)?;
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(ClaimError::Taken(name.clone()));
            }
            Err(e) => return Err(io(e)),
        }
        let dir = StateDir { path: path.clone() };
        let lock = dir.open_lock().map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir, lock }),
            Err(_) => Err(ClaimError::Taken(name.clone())),
        }
    }

    /// Takes the folder of a sandbox that has no monitor; `None` while one lives.
    pub(crate) fn orphan(dir: StateDir) -> io::Result<Option<Self>> {
        let lock = dir.open_lock()?;
        match lock.try_lock() {
            // The folder may have been removed, and made anew, between the open and the lock.
            Ok(()) if dir.lock_is(&lock)? => Ok(Some(Self { dir, lock })),
            Ok(()) | Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(e)) => Err(e),
        }
    }

    /// Rebuilds the claim around a lock that was handed over at exec.
    pub(crate) fn inherited(dir: StateDir, lock: File) -> Self {
        Self { dir, lock }
    }

    /// The descriptor that keeps the claim alive in another process.
    pub(crate) fn lock_file(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// Removes the folder: the name is free again.
    pub(crate) fn remove(self) -> io::Result<()> {
        // The folder leaves its name first, so that nobody finds half of one.
        let gone = self.dir.path.with_file_name(format!(".{}.gone-{}", self.dir.label(), std::process::id()));
        fs::rename(&self.dir.path, &gone)?;
        fs::remove_dir_all(&gone)
    }
}

/// The folder's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateDir {
    path: PathBuf,
}

impl StateDir {
    /// The folder of `name`, whether it exists or not.
    pub(crate) fn of(paths: &Paths, name: &SandboxName) -> Self {
        Self { path: paths.sandbox(name) }
    }

    pub(crate) fn exists(&self) -> bool {
        self.path.is_dir()
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    pub(crate) fn write_spec(&self, spec: &SandboxSpec) -> Result<()> {
        self.write("spec.json", spec)
    }

    pub(crate) fn spec(&self) -> Result<SandboxSpec> {
        self.read("spec.json")
    }

    pub(crate) fn write_state(&self, state: &RunState) -> Result<()> {
        self.write("state.json", state)
    }

    pub(crate) fn state(&self) -> Result<RunState> {
        self.read("state.json")
    }

    /// The monitor's stderr.
    pub(crate) fn open_monitor_log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(self.path.join("monitor.log"))
    }

    /// The end of the monitor's own log, for an error message.
    pub(crate) fn monitor_log_tail(&self) -> Option<String> {
        let text = fs::read_to_string(self.path.join("monitor.log")).ok()?;
        text.lines().next_back().map(str::to_owned)
    }

    fn open_lock(&self) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.path.join("lock"))
    }

    fn lock_is(&self, lock: &File) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let held = lock.metadata()?;
        match fs::metadata(self.path.join("lock")) {
            Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn label(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn write<T: Serialize>(&self, file: &str, value: &T) -> Result<()> {
        let path = self.path.join(file);
        let temporary = self.path.join(format!(".{file}.new"));
        let write = || -> io::Result<()> {
            let mut out =
                OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&temporary)?;
            out.write_all(&serde_json::to_vec(value)?)?;
            drop(out);
            fs::rename(&temporary, &path)
        };
        write().with_context(|| format!("could not write {}", path.display()))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, file: &str) -> Result<T> {
        let path = self.path.join(file);
        let bytes = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))
    }
}

/// One sandbox of this installation, as the state directory has it.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: SandboxName,
    pub(crate) dir: StateDir,
}

/// Every sandbox, by name.
pub(crate) fn list(paths: &Paths) -> Result<Vec<Listed>> {
    let dir = paths.sandboxes();
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).with_context(|| format!("could not read {}", dir.display())),
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("could not read {}", dir.display()))?;
        // Names that begin with a dot are folders on their way out.
        if let Some(name) = entry.file_name().to_str().and_then(|name| name.parse::<SandboxName>().ok()) {
            all.push(Listed { dir: StateDir { path: entry.path() }, name });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Makes a folder that only its owner can look into, and those above it.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(dir: &Path) -> Paths {
        let home = dir.as_os_str().to_owned();
        Paths::from_env(move |key| (key == "HOME").then(|| home.clone())).expect("HOME is set")
    }

    #[test]
    fn a_name_is_claimed_once_and_free_after_removal() -> Result<()> {
        let home = tempfile::tempdir()?;
        let paths = paths(home.path());
        let name: SandboxName = "otter".parse()?;
        let claim = Claim::new_sandbox(&paths, &name)?;
        assert!(matches!(Claim::new_sandbox(&paths, &name), Err(ClaimError::Taken(_))));
        assert!(Claim::orphan(StateDir::of(&paths, &name))?.is_none(), "the lock is held");
        claim.remove()?;
        assert!(list(&paths)?.is_empty());
        Claim::new_sandbox(&paths, &name)?;
        Ok(())
    }

    #[test]
    fn an_inherited_lock_keeps_the_claim() -> Result<()> {
        let home = tempfile::tempdir()?;
        let paths = paths(home.path());
        let name: SandboxName = "otter".parse()?;
        let claim = Claim::new_sandbox(&paths, &name)?;
        let copy = claim.lock_file()?;
        drop(claim);
        assert!(Claim::orphan(StateDir::of(&paths, &name))?.is_none(), "the copy still holds it");
        drop(copy);
        assert!(Claim::orphan(StateDir::of(&paths, &name))?.is_some());
        Ok(())
    }
}
