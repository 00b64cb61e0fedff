//! Which policy files a person has agreed to. One that lies in a project may have come with it: it counts once its
//! owner has said so, and until a byte of it, or of a file that it extends, changes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::source::{Source, SourceName};
use crate::paths::Paths;

/// The file in which it is kept.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trusted {
    /// Path of the policy file to the hash of what it says.
    #[serde(default)]
    pub(crate) policies: BTreeMap<String, String>,
}

/// What a person agrees to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// With every link resolved.
    pub(crate) file: PathBuf,
    pub(crate) hash: String,
}

impl Subject {
    /// `sources`: the file, and every file that it extends.
    pub(super) fn of(file: &Path, sources: &[Source]) -> Self {
        let mut hash = Sha256::new();
        for source in sources {
            // Presets come with creel, which is trusted as it is.
            if let SourceName::File { path, .. } = &source.name {
                let path = path.as_os_str().as_encoded_bytes();
                for part in [path, source.text.as_bytes()] {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
            }
        }
        Self { file: file.to_owned(), hash: crate::audit::hex(&hash.finalize()) }
    }
}

/// How a subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Trusted,
    /// It was, when it said something else.
    Changed,
    Unknown,
}

impl Trusted {
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        let path = paths.trusted();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(e).with_context(|| format!("could not read {}", path.display())),
        };
        toml::from_str(&text).with_context(|| {
            format!("{} is damaged; remove it, and trust your policies anew", path.display())
        })
    }

    fn write(&self, paths: &Paths) -> Result<()> {
        let path = paths.trusted();
        let text = format!("# Written by `creel policy trust`.\n{}", toml::to_string(self)?);
        if let Some(folder) = path.parent() {
            crate::monitor::state::private_dir(folder)
                .with_context(|| format!("could not make {}", folder.display()))?;
        }
        let new = path.with_extension("toml.new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &path))
            .with_context(|| format!("could not write {}", path.display()))
    }

    pub(crate) fn standing(&self, subject: &Subject) -> Standing {
        match self.policies.get(&key(&subject.file)) {
            Some(hash) if *hash == subject.hash => Standing::Trusted,
            Some(_) => Standing::Changed,
            None => Standing::Unknown,
        }
    }
}

fn key(file: &Path) -> String {
    // A path that is not UTF-8 keeps its own name; two such never become one.
    match file.to_str() {
        Some(text) => text.to_owned(),
        None => format!("bytes:{}", crate::audit::hex(file.as_os_str().as_encoded_bytes())),
    }
}

/// Keeps that a person agreed.
pub(crate) fn agree(paths: &Paths, subject: &Subject) -> Result<()> {
    let mut trusted = Trusted::read(paths)?;
    trusted.policies.insert(key(&subject.file), subject.hash.clone());
    trusted.write(paths)
}

/// Forgets it; says whether there was anything to forget.
pub(crate) fn revoke(paths: &Paths, file: &Path) -> Result<bool> {
    let mut trusted = Trusted::read(paths)?;
    let there = trusted.policies.remove(&key(file)).is_some();
    if there {
        trusted.write(paths)?;
    }
    Ok(there)
}
