//! Sockets in folders of any depth. A Unix socket's address holds 107 bytes of path; through the folder's own
//! descriptor (`/proc/self/fd/N/NAME`) every path fits.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A folder, open, and the short way to a file in it.
#[derive(Debug)]
pub(crate) struct SocketDir {
    dir: File,
}

impl SocketDir {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        Ok(Self { dir: File::options().read(true).custom_flags(flags).open(path)? })
    }

    /// Good as long as `self` is.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{file}", self.dir.as_raw_fd()))
    }

    /// Removes what a dead monitor left at this place.
    pub(crate) fn clear(&self, file: &str) -> io::Result<()> {
        match std::fs::remove_file(self.path(file)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}
