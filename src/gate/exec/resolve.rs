//! Which file an exec asks for, resolved as the kernel will: beneath the workload's root, from its working
//! directory or descriptor. It answers early what can't be; what it can't tell is left to the exec stop.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{Mode, SFlag, fstat};

/// What was asked for, as execveat(2) puts it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) dirfd: i32,
    pub(super) path: Vec<u8>,
    pub(super) flags: i32,
}

#[derive(Debug)]
pub(super) enum Target {
    /// A file that may be executed; [`path_of`] tells its path in the workload's root.
    File(OwnedFd),
    /// The kernel would say the same.
    Refused(Errno),
    /// The kernel knows better: a magic link of /proc on the way, flags we do not know.
    Unclear,
}

/// `root` is the workload's root, opened.
pub(super) fn resolve(tid: i32, root: impl AsFd, asked: &Asked) -> Target {
    let flags = AtFlags::from_bits_retain(asked.flags);
    if !(AtFlags::AT_EMPTY_PATH | AtFlags::AT_SYMLINK_NOFOLLOW).contains(flags) {
        return Target::Unclear;
    }
    let follow =
        if flags.contains(AtFlags::AT_SYMLINK_NOFOLLOW) { OFlag::O_NOFOLLOW } else { OFlag::empty() };
    let path = asked.path.as_slice();
    let opened = if path.is_empty() {
        if !flags.contains(AtFlags::AT_EMPTY_PATH) {
            return Target::Refused(Errno::ENOENT);
        }
        open_descriptor(tid, asked.dirfd)
    } else if let Some(link) = own_magic_link(path) {
        open_path(Path::new(&format!("/proc/{tid}/{link}")), follow)
    } else if is_in_proc(path) {
        return Target::Unclear;
    } else if path.starts_with(b"/") {
        open_beneath(root, path, follow)
    } else {
        open_relative(tid, root, asked, follow)
    };
    match opened {
        Ok(file) => look_at(file),
        Err(e @ (Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG | Errno::EBADF)) => Target::Refused(e),
        Err(_) => Target::Unclear,
    }
}

/// `/proc/self/exe`, `/proc/self/fd/N` and `/dev/fd/N` mean the caller's, not ours: the rest of the path in its
/// own folder of /proc.
fn own_magic_link(path: &[u8]) -> Option<String> {
    let own =
        [&b"/proc/self/"[..], b"/proc/thread-self/"].iter().find_map(|prefix| path.strip_prefix(*prefix));
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u32>().ok();
    match (own, path.strip_prefix(b"/dev/fd/")) {
        (Some(b"exe"), _) => Some("exe".to_owned()),
        (Some(rest), _) => number(rest.strip_prefix(b"fd/")?).map(|fd| format!("fd/{fd}")),
        (None, Some(fd)) => number(fd).map(|fd| format!("fd/{fd}")),
        (None, None) => None,
    }
}

fn is_in_proc(path: &[u8]) -> bool {
    let path = path.strip_prefix(b"/").unwrap_or_default();
    path.starts_with(b"proc/") || path.starts_with(b"dev/fd") || path.starts_with(b"dev/std")
}

fn open_descriptor(tid: i32, fd: i32) -> Result<OwnedFd, Errno> {
    if fd == libc::AT_FDCWD {
        return open_path(Path::new(&format!("/proc/{tid}/cwd")), OFlag::empty());
    }
    open_path(Path::new(&format!("/proc/{tid}/fd/{fd}")), OFlag::empty()).map_err(|e| match e {
        Errno::ENOENT => Errno::EBADF,
        other => other,
    })
}

/// Never opens the file itself: a fifo would wait, a device would act.
fn open_path(path: &Path, follow: OFlag) -> Result<OwnedFd, Errno> {
    open(path, OFlag::O_PATH | OFlag::O_CLOEXEC | follow, Mode::empty())
}

fn open_beneath(root: impl AsFd, path: &[u8], follow: OFlag) -> Result<OwnedFd, Errno> {
    let how =
        OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC | follow).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    openat2(root, std::ffi::OsStr::from_bytes(path), how)
}

/// The folder's own path goes before; where that path has come to mean another folder, the folder itself is asked.
fn open_relative(tid: i32, root: impl AsFd, asked: &Asked, follow: OFlag) -> Result<OwnedFd, Errno> {
    let folder = open_descriptor(tid, asked.dirfd)?;
    let at = path_of(&folder)?;
    match open_beneath(root, &[&at, &b"/"[..], &asked.path].concat(), follow) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => {
            let how = OpenHow::new()
                .flags(OFlag::O_PATH | OFlag::O_CLOEXEC | follow)
                .resolve(ResolveFlag::RESOLVE_NO_MAGICLINKS);
            openat2(&folder, std::ffi::OsStr::from_bytes(&asked.path), how)
        }
        opened => opened,
    }
}

fn look_at(file: OwnedFd) -> Target {
    const ANYBODY_EXECUTES: u32 = 0o111;
    let Ok(facts) = fstat(&file) else { return Target::Unclear };
    match SFlag::from_bits_truncate(facts.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG if facts.st_mode & ANYBODY_EXECUTES != 0 => Target::File(file),
        SFlag::S_IFLNK => Target::Refused(Errno::ELOOP),
        _ => Target::Refused(Errno::EACCES),
    }
}

/// The path of an open file, as the root that it was opened beneath has it.
pub(super) fn path_of(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let path = nix::fcntl::readlink(format!("/proc/self/fd/{}", file.as_raw_fd()).as_str())?;
    Ok(path.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str) -> Asked {
        Asked { dirfd: libc::AT_FDCWD, path: path.into(), flags: 0 }
    }

    /// What was found, by its path.
    #[derive(Debug, PartialEq, Eq)]
    enum Seen {
        File(Vec<u8>),
        Refused(Errno),
        Unclear,
    }

    fn seen(root: &OwnedFd, asked: &Asked) -> Seen {
        match resolve(std::process::id().cast_signed(), root, asked) {
            Target::File(file) => Seen::File(path_of(&file).expect("a path")),
            Target::Refused(errno) => Seen::Refused(errno),
            Target::Unclear => Seen::Unclear,
        }
    }

    fn mine(asked: &Asked) -> Seen {
        seen(&open_path(Path::new("/"), OFlag::empty()).expect("there is a root"), asked)
    }

    #[test]
    fn missing_is_told_from_not_executable() {
        assert_eq!(mine(&asked("/nonexistent/x")), Seen::Refused(Errno::ENOENT));
        assert_eq!(mine(&asked("/etc/passwd")), Seen::Refused(Errno::EACCES));
        assert_eq!(mine(&asked("/etc/passwd/x")), Seen::Refused(Errno::ENOTDIR));
        assert_eq!(mine(&asked("/usr/bin")), Seen::Refused(Errno::EACCES));
        assert_eq!(mine(&asked("/dev/null")), Seen::Refused(Errno::EACCES));
        assert_eq!(mine(&asked("")), Seen::Refused(Errno::ENOENT));
        assert!(matches!(mine(&asked("/bin/sh")), Seen::File(path) if path.starts_with(b"/")));
        assert_eq!(mine(&asked("./no/such")), Seen::Refused(Errno::ENOENT));
    }

    #[test]
    fn the_callers_own_links_are_its_own() {
        let me = std::env::current_exe().expect("known").into_os_string().into_vec();
        assert_eq!(mine(&asked("/proc/self/exe")), Seen::File(me));
        assert_eq!(mine(&asked("/proc/self/fd/999999")), Seen::Refused(Errno::ENOENT));
        assert_eq!(mine(&asked("/proc/1/root/bin/sh")), Seen::Unclear);
        let empty = Asked { dirfd: 999_999, path: vec![], flags: libc::AT_EMPTY_PATH };
        assert_eq!(mine(&empty), Seen::Refused(Errno::EBADF));
        let unknown = Asked { dirfd: libc::AT_FDCWD, path: b"/bin/sh".to_vec(), flags: 0x10000 };
        assert_eq!(mine(&unknown), Seen::Unclear);
    }

    #[test]
    fn links_lead_beneath_the_root_and_never_out_of_it() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("bin")).expect("a folder");
        let program = dir.path().join("bin/true");
        std::fs::write(&program, "").expect("a file");
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("its mode");
        std::os::unix::fs::symlink("/bin/true", dir.path().join("in")).expect("a link");
        std::os::unix::fs::symlink("../../../../../../bin/sh", dir.path().join("out")).expect("a link");
        let root = open_path(dir.path(), OFlag::empty()).expect("there");
        let found = |path: &str| seen(&root, &asked(path));
        assert_eq!(found("/in"), Seen::File(program.into_os_string().into_vec()));
        assert_eq!(found("/out"), Seen::Refused(Errno::ENOENT));
    }
}
