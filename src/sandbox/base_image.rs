//! The empty image: folders and symbolic links alone, laid out as the host's root is. The gate runs on it, and
//! so does the workload of `image = "host"`.

use std::fs;
use std::path::{Path, PathBuf};

use bollard::body_full;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

use super::engine::{Engine, EngineError};

const REPOSITORY: &str = "creel/base";
/// What the host has under these names, the image has too: as a link where it is one, as a folder to mount on
/// where it is one.
const LIKE_HOST: [&str; 8] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "usr"];
const FOLDERS: [(&str, u32); 12] = [
    (".creel", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("opt", 0o755),
    ("proc", 0o555),
    ("run", 0o755),
    ("sys", 0o555),
    // A tmpfs takes the mode of the folder it covers.
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/tmp", 0o1777),
    ("workspace", 0o755),
];
const LINKS: [(&str, &str); 2] = [("var/run", "../run"), ("etc/mtab", "../proc/self/mounts")];

/// The image's content and the name that it has by its content.
#[derive(Clone, Debug)]
pub(crate) struct BaseImage {
    tag: String,
    tar: Vec<u8>,
}

impl BaseImage {
    /// For this host. Takes microseconds, so it isn't kept.
    pub(crate) fn for_host() -> std::io::Result<Self> {
        Self::like(Path::new("/"))
    }

    fn like(root: &Path) -> std::io::Result<Self> {
        let tar = archive(&host_layout(root))?;
        let hash: String = Sha256::digest(&tar).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { tag: hash, tar })
    }

    /// As `docker run` would name it.
    pub(crate) fn reference(&self) -> String {
        format!("{REPOSITORY}:{}", self.tag)
    }

    /// Two creels that do this at once make the same image.
    pub(crate) async fn make(&self, engine: &Engine) -> Result<(), EngineError> {
        let options = CreateImageOptionsBuilder::new()
            .from_src("-")
            .repo(REPOSITORY)
            .tag(&self.tag)
            .message("creel: empty image for the gate and for image = \"host\"")
            .changes(vec!["LABEL creel.role=base-image".into()])
            .build();
        let body = body_full(self.tar.clone().into());
        let made =
            engine.docker().create_image(Some(options), Some(body), None).try_for_each(|_| async { Ok(()) });
        made.await.map_err(|source| EngineError::Call { what: "make creel's empty base image", source })
    }
}

/// One entry of the host's root that the image repeats.
#[derive(Debug, PartialEq)]
enum Entry {
    Folder(&'static str),
    Link(&'static str, PathBuf),
}

fn host_layout(root: &Path) -> Vec<Entry> {
    LIKE_HOST
        .into_iter()
        .filter_map(|name| {
            let path = root.join(name);
            match fs::read_link(&path) {
                Ok(target) => Some(Entry::Link(name, target)),
                Err(_) => path.is_dir().then_some(Entry::Folder(name)),
            }
        })
        .collect()
}

fn archive(host: &[Entry]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, mode) in FOLDERS {
        append(&mut tar, name, tar::EntryType::Directory, mode, None)?;
    }
    for entry in host {
        match entry {
            Entry::Folder(name) => append(&mut tar, name, tar::EntryType::Directory, 0o755, None)?,
            Entry::Link(name, target) => {
                append(&mut tar, name, tar::EntryType::Symlink, 0o777, Some(target))?
            }
        }
    }
    for (name, target) in LINKS {
        append(&mut tar, name, tar::EntryType::Symlink, 0o777, Some(Path::new(target)))?;
    }
    tar.into_inner()
}

fn append(
    tar: &mut tar::Builder<Vec<u8>>,
    name: &str,
    kind: tar::EntryType,
    mode: u32,
    link: Option<&Path>,
) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    // The epoch, so that the same layout always gives the same bytes.
    header.set_mtime(0);
    match link {
        Some(target) => tar.append_link(&mut header, name, target),
        None => tar.append_data(&mut header, name, std::io::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_and_split_usr_give_different_images_and_equal_hosts_the_same() {
        let dir = tempfile::tempdir().expect("a folder");
        for (root, merged) in [("a", true), ("b", false), ("c", true)] {
            let root = dir.path().join(root);
            fs::create_dir_all(root.join("usr/bin")).expect("made");
            match merged {
                true => std::os::unix::fs::symlink("usr/bin", root.join("bin")).expect("linked"),
                false => fs::create_dir(root.join("bin")).expect("made"),
            }
        }
        let image = |name: &str| BaseImage::like(&dir.path().join(name)).expect("made").reference();
        assert_eq!(image("a"), image("c"));
        assert_ne!(image("a"), image("b"));
    }

    #[test]
    fn tmp_is_sticky_and_open_to_all() {
        let image = BaseImage::for_host().expect("made");
        let mut tar = tar::Archive::new(image.tar.as_slice());
        let modes: Vec<_> = tar
            .entries()
            .expect("a tar")
            .map(|entry| {
                let entry = entry.expect("an entry");
                (entry.path().expect("a path").into_owned(), entry.header().mode().expect("a mode"))
            })
            .collect();
        assert!(modes.contains(&(PathBuf::from("tmp"), 0o1777)), "{modes:?}");
        assert!(modes.contains(&(PathBuf::from("proc"), 0o555)), "{modes:?}");
    }
}
