//! A path of the host, resolved once: everything that is asked of it later is asked of what it was then.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::AtFlags;
use nix::libc;
use nix::unistd::{AccessFlags, faccessat};

use super::mountinfo::{Location, MountTable};
use super::{MountError, Origin};

/// Device and inode, as stat(2) has them.
pub(super) type FileId = (u64, u64);

#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) location: Location,
    pub(super) id: FileId,
    pub(super) folder: bool,
    mount: u64,
}

impl Place {
    pub(crate) fn of(origin: Origin, path: &Path, table: &MountTable) -> Result<Self, MountError> {
        let resolved = canonical(origin, path)?;
        let unreadable = |why: io::Error| MountError::Unreadable { origin, path: resolved.clone(), why };
        if resolved.to_str().is_none() {
            return Err(MountError::NotUtf8 { origin, path: resolved });
        }
        // O_PATH needs no right on the file itself, and opens no device or pipe.
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_NOFOLLOW)
            .open(&resolved)
            .map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if let Some(kind) = unfit(&meta) {
            return Err(MountError::NoFile { origin, path: resolved, kind });
        }
        let mount = mount_id(&file).map_err(unreadable)?;
        let entry =
            table.by_id(mount).ok_or_else(|| unreadable(io::Error::other("its mount has just gone")))?;
        let rest = resolved.strip_prefix(&entry.point).unwrap_or(&resolved);
        let location = Location { device: entry.root.device, path: joined(&entry.root.path, rest) };
        Ok(Self { id: (meta.dev(), meta.ino()), folder: meta.is_dir(), location, mount, path: resolved })
    }

    /// Ids of the folders above it, and its own first.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = FileId> + '_ {
        self.path
            .ancestors()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|meta| (meta.dev(), meta.ino()))
    }

    /// Mount points below that hold files; the kernel's own file systems stay out of sight.
    pub(super) fn file_systems_below(&self, table: &MountTable) -> Vec<PathBuf> {
        let below = table.below(self.mount, &self.path);
        below.into_iter().filter(|mount| !is_pseudo(&mount.kind)).map(|mount| mount.point.clone()).collect()
    }

    /// The engine mounts as root: whoever may call it could else read through us what only root may.
    pub(super) fn refuse_what_the_caller_may_not(
        &self,
        origin: Origin,
        read_only: bool,
    ) -> Result<(), MountError> {
        let mut wanted = vec![(AccessFlags::R_OK, "read")];
        if self.folder {
            wanted.push((AccessFlags::X_OK, "enter"));
        }
        if !read_only {
            wanted.push((AccessFlags::W_OK, "write to"));
        }
        for (right, what) in wanted {
            let allowed = faccessat(nix::fcntl::AT_FDCWD, &self.path, right, AtFlags::AT_EACCESS);
            // A read-only file system is no lack of rights: the mount is then read-only too.
            if !matches!(allowed, Ok(()) | Err(nix::errno::Errno::EROFS)) {
                return Err(MountError::NotYours { origin, path: self.path.clone(), what });
            }
        }
        Ok(())
    }
}

pub(super) fn canonical(origin: Origin, path: &Path) -> Result<PathBuf, MountError> {
    path.canonicalize().map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => MountError::Missing { origin, path: path.to_owned() },
        _ => MountError::Unreadable { origin, path: path.to_owned(), why },
    })
}

fn unfit(meta: &std::fs::Metadata) -> Option<&'static str> {
    let kind = meta.file_type();
    match () {
        () if kind.is_file() || kind.is_dir() => None,
        () if kind.is_socket() => Some("a socket, through which the workload could act outside the sandbox"),
        () if kind.is_block_device() => Some("a disk"),
        () if kind.is_char_device() => Some("a device"),
        () if kind.is_fifo() => Some("a pipe"),
        () => Some("neither a file nor a folder"),
    }
}

/// proc_pid_fdinfo(5)
fn mount_id(file: &File) -> io::Result<u64> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()))?;
    info.lines()
        .find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
        .ok_or_else(|| io::Error::other("the kernel does not say in which mount it lies"))
}

/// `Path::join` with an empty rest would leave a slash at the end, which compares equal but reads badly.
fn joined(root: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { root.to_owned() } else { root.join(rest) }
}

fn is_pseudo(kind: &str) -> bool {
    const PSEUDO: [&str; 20] = [
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "mqueue",
        "nsfs",
        "proc",
        "pstore",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "sysfs",
        "tracefs",
    ];
    PSEUDO.contains(&kind)
}
