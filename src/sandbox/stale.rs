//! Folders that sandboxes share (copies of the binary, states of /etc): each sandbox's state names the one that
//! it has, and what no sandbox names goes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use super::private;

/// Held while a reference is written and its folder made, so that a remover sees both or neither.
pub(crate) fn shared(all: &Path) -> io::Result<Flock<File>> {
    lock(all, FlockArg::LockShared)
}

/// Removes from `all` what neither is `own` nor is named by a file `reference` in a folder of `sandboxes`.
/// Nobody waits for this: where another creel is at work, a later run does it.
pub(crate) fn remove(all: &Path, own: &str, sandboxes: &Path, reference: &str) -> io::Result<()> {
    let Ok(_lock) = lock(all, FlockArg::LockExclusiveNonblock) else { return Ok(()) };
    let present = entries(all)?;
    if present.iter().all(|entry| entry.file_name().is_some_and(|name| name == own)) {
        return Ok(());
    }
    let mut needed: BTreeSet<_> = [own.to_owned()].into();
    for sandbox in entries(sandboxes)? {
        match std::fs::read_to_string(sandbox.join(reference)) {
            Ok(key) => _ = needed.insert(key),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // What can't be read might name any of them.
            Err(error) => return Err(private::named(&sandbox, &error)),
        }
    }
    for entry in present {
        let name = entry.file_name().and_then(|name| name.to_str());
        if entry.is_dir() && !name.is_some_and(|name| needed.contains(name)) {
            std::fs::remove_dir_all(&entry).map_err(|e| private::named(&entry, &e))?;
        }
    }
    Ok(())
}

fn lock(dir: &Path, how: FlockArg) -> io::Result<Flock<File>> {
    let file = File::open(dir).map_err(|e| private::named(dir, &e))?;
    Flock::lock(file, how).map_err(|(_, errno)| private::named(dir, &errno.into()))
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(private::named(dir, &error)),
    }
}
