//! The private copy of the running binary that both containers get: execute-only, so that the shim is
//! non-dumpable, and unchanged by an upgrade of the installed one while sandboxes run.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{private, stale};
use crate::names::SandboxName;
use crate::paths::Paths;

const RUNNING: &str = "/proc/self/exe";
const MODE: u32 = 0o111;
/// In a sandbox's state folder: the key of the copy that its containers have.
const REFERENCE: &str = "binary";

/// Where the copy of this very binary is, or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateBinary {
    key: String,
    size: u64,
    pub(crate) path: PathBuf,
}

impl PrivateBinary {
    /// Changes nothing on disk.
    pub(crate) fn of_this_process(paths: &Paths) -> io::Result<Self> {
        let running = std::fs::metadata(RUNNING).map_err(|e| private::named(Path::new(RUNNING), &e))?;
        let key = format!(
            "{:x}-{:x}{:08x}-{:x}-{:x}",
            running.size(),
            running.mtime(),
            running.mtime_nsec(),
            running.dev(),
            running.ino()
        );
        let path = paths.binaries().join(&key).join("creel");
        Ok(Self { key, size: running.size(), path })
    }

    /// Makes the copy if it is not there, and notes that `sandbox` needs it. Copies that no sandbox needs go.
    pub(crate) fn install(&self, paths: &Paths, sandbox: &SandboxName) -> io::Result<()> {
        let all = paths.binaries();
        private::make_dir(&all)?;
        {
            // Shared with other installers; a remover waits until the reference is there to see.
            let _lock = stale::shared(&all)?;
            let state = paths.sandbox(sandbox);
            private::make_dir(&state)?;
            private::write(&state.join(REFERENCE), 0o600, self.key.as_bytes())?;
            if !self.is_whole() {
                self.copy()?;
            }
        }
        refuse_noexec(&self.path)?;
        stale::remove(&all, &self.key, &paths.sandboxes(), REFERENCE)
    }

    /// An engine or machine that crashed in mid-write leaves a short file, whose data never reached the disk.
    fn is_whole(&self) -> bool {
        std::fs::symlink_metadata(&self.path)
            .is_ok_and(|meta| meta.is_file() && meta.size() == self.size && meta.mode() & 0o7777 == MODE)
    }

    fn copy(&self) -> io::Result<()> {
        if let Some(dir) = self.path.parent() {
            private::make_dir(dir)?;
        }
        private::replace(&self.path, MODE, |to| {
            let mut from = File::open(RUNNING)?;
            let copied = io::copy(&mut from, to)?;
            if copied == self.size {
                Ok(())
            } else {
                Err(io::Error::other("the binary changed while it was read"))
            }
        })
    }
}

/// A bind mount keeps the flags of the file system it is taken from: on a noexec one nothing would start.
fn refuse_noexec(path: &Path) -> io::Result<()> {
    let flags =
        nix::sys::statvfs::statvfs(path).map_err(|errno| private::named(path, &errno.into()))?.flags();
    if flags.contains(nix::sys::statvfs::FsFlags::ST_NOEXEC) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{} is on a file system mounted noexec, so the containers can't start from it: set XDG_DATA_HOME to a \
                 folder on another",
                path.display()
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn paths(dir: &Path) -> Paths {
        let home = dir.as_os_str().to_owned();
        Paths::from_env(|key| (key == "HOME").then(|| home.clone())).expect("HOME is set")
    }

    #[test]
    fn made_once_kept_while_needed_and_removed_after() {
        let dir = tempfile::tempdir().expect("a folder");
        let paths = paths(dir.path());
        let name: SandboxName = "one".parse().expect("a name");
        let binary = PrivateBinary::of_this_process(&paths).expect("there");
        let old = PrivateBinary { key: "old".into(), size: 0, path: paths.binaries().join("old/creel") };
        let stale = paths.binaries().join("stale");
        for dir in [old.path.parent().expect("has one"), &stale, &paths.sandbox(&name).with_file_name("two")]
        {
            std::fs::create_dir_all(dir).expect("made");
        }
        std::fs::write(paths.sandboxes().join("two/binary"), "old").expect("written");

        binary.install(&paths, &name).expect("installed");
        let meta = std::fs::metadata(&binary.path).expect("copied");
        assert_eq!(meta.permissions().mode() & 0o777, MODE);
        assert_eq!(meta.len(), std::fs::metadata(RUNNING).expect("there").len());
        assert!(old.path.parent().expect("has one").exists(), "another sandbox needs it");
        assert!(!stale.exists());

        binary.install(&paths, &name).expect("again");
        assert_eq!(meta.ino(), std::fs::metadata(&binary.path).expect("there").ino(), "made once");
    }

    #[test]
    fn a_short_copy_is_made_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let paths = paths(dir.path());
        let binary = PrivateBinary::of_this_process(&paths).expect("there");
        private::make_dir(binary.path.parent().expect("has one")).expect("made");
        private::write(&binary.path, MODE, b"short").expect("written");
        binary.install(&paths, &"one".parse().expect("a name")).expect("installed");
        assert!(binary.is_whole());
    }
}
