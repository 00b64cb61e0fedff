//! Folders and files of creel's own: for the invoking user alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes `dir` and what is missing above it, 0700.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| named(dir, &error))
}

/// Writes a file so that nobody ever sees half of it.
pub(crate) fn write(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    replace(path, mode, |file| file.write_all(content))
}

/// Fills a new file beside `path`, then puts it in its place.
pub(crate) fn replace(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", ulid::Ulid::generate()));
    let new = path.with_file_name(name);
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            fill(&mut file)?;
            // The mode of a new file passes through the umask; this one does not.
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
            file.sync_data()
        })
        .and_then(|()| std::fs::rename(&new, path));
    made.map_err(|error| {
        let _ = std::fs::remove_file(&new);
        named(path, &error)
    })
}

/// The same error, with the path that it is about.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_failed_write_leaves_the_old_content_and_no_litter() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("f");
        write(&path, 0o444, b"old").expect("written");
        let error = replace(&path, 0o444, |_| Err(io::ErrorKind::StorageFull.into())).expect_err("refused");
        assert!(error.to_string().contains("f: "), "{error}");
        assert_eq!(std::fs::read(&path).expect("there"), b"old");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o444);
        assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 1);
    }
}
