//! Where mounts may appear inside: nowhere that the kernel, the engine or creel itself needs.

use std::path::{Component, Path, PathBuf};

use super::{BindMount, MountError, Origin};

/// A mount may not be, lie inside, nor cover these.
const KEPT_WHOLE: [(&str, &str); 5] = [
    ("/proc", "the kernel's process files"),
    ("/sys", "the kernel's device files"),
    ("/dev", "the devices"),
    ("/.creel", "creel's own files"),
    ("/run/secrets", "the engine's own files"),
];
/// A mount may not be or cover these; what is beside them is free.
const KEPT: [(&str, &str); 8] = [
    ("/etc/passwd", "the user database"),
    ("/etc/group", "the user database"),
    ("/etc/nsswitch.conf", "the name service's settings"),
    ("/etc/hosts", "the engine's own files"),
    ("/etc/hostname", "the engine's own files"),
    ("/etc/resolv.conf", "the engine's own files"),
    ("/etc/ld.so.preload", "what every program loads"),
    ("/etc/ld.so.cache", "what every program loads"),
];

/// Absolute, without `.` or `..`.
pub(super) fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    parts.next() == Some(Component::RootDir) && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Without double and trailing slashes, and fit for the engine.
pub(super) fn normal(origin: Origin, target: &Path) -> Result<PathBuf, MountError> {
    if !is_plain(target) {
        return Err(MountError::BadTarget { origin, target: target.to_owned() });
    }
    let target: PathBuf = target.components().collect();
    if target.to_str().is_none() {
        return Err(MountError::NotUtf8 { origin, path: target });
    }
    let covers = |what| Err(MountError::CoversTarget { origin, target: target.clone(), what });
    if target == Path::new("/") {
        return covers("everything");
    }
    for (kept, what) in KEPT_WHOLE {
        if target.starts_with(kept) || Path::new(kept).starts_with(&target) {
            return covers(what);
        }
    }
    // The host image's own mounts are chosen by creel.
    if origin != Origin::HostImage
        && let Some((_, what)) = KEPT.iter().find(|(kept, _)| Path::new(kept).starts_with(&target))
    {
        return covers(what);
    }
    Ok(target)
}

/// No two at one path; and where one lies inside another, its mount point is there already. The engine would
/// make it on the host, as root, or follow a link that an earlier workload left there.
pub(super) fn check_all(binds: &[BindMount]) -> Result<(), MountError> {
    for (index, bind) in binds.iter().enumerate() {
        if let Some(first) = binds.iter().take(index).find(|other| other.target == bind.target) {
            let (first, second) = (first.origin, bind.origin);
            return Err(MountError::SameTarget { target: bind.target.clone(), first, second });
        }
        check_point(bind.origin, &bind.target, bind.source.is_dir(), binds)?;
    }
    Ok(())
}

pub(super) fn check_point(
    origin: Origin,
    target: &Path,
    folder: bool,
    binds: &[BindMount],
) -> Result<(), MountError> {
    let outer = binds
        .iter()
        .filter(|other| other.target != target && target.starts_with(&other.target))
        .max_by_key(|other| other.target.as_os_str().len());
    let Some(outer) = outer else { return Ok(()) };
    let rest = target.strip_prefix(&outer.target).unwrap_or(Path::new(""));
    let mut on_host = outer.source.clone();
    let mut parts = rest.components().peekable();
    while let Some(part) = parts.next() {
        on_host.push(part);
        let wants_folder = folder || parts.peek().is_some();
        let problem = match std::fs::symlink_metadata(&on_host) {
            Ok(meta) if meta.is_symlink() => "a symbolic link",
            Ok(meta) if meta.is_dir() == wants_folder => continue,
            Ok(_) if wants_folder => "not a folder",
            Ok(_) => "not a file",
            Err(_) => "not there",
        };
        return Err(MountError::NoMountPoint {
            origin,
            target: target.to_owned(),
            outer: outer.origin,
            on_host,
            problem,
            kind: if wants_folder { "folder" } else { "file" },
        });
    }
    Ok(())
}
