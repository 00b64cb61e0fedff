//! `image = "host"`: the host's own tools, read-only. `/usr` and its like are bound as they are; `/etc` is a
//! folder of creel's with copies of the chosen files that everybody may read, so nothing secret is one bind away.

mod accounts;
mod etc;

use std::path::{Path, PathBuf};

pub(crate) use etc::{EtcTree, MountPoint};

use super::mounts::{Origin, Wish};

/// Bound where the host has them as folders; where it has links (merged /usr), the base image repeats those.
const SYSTEM: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libexec"];

/// The binds of the host's tools. They pass the same checks as any other.
pub(crate) fn wishes() -> Vec<Wish> {
    SYSTEM
        .iter()
        .map(PathBuf::from)
        .filter(|path| is_real_folder(path))
        .map(|path| Wish { origin: Origin::HostImage, source: path.clone(), target: path, read_only: true })
        .collect()
}

fn is_real_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}
