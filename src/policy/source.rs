//! Where policy text comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use super::diagnostic::visible;

/// One text that is part of a policy.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: SourceName,
    pub(super) text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceName {
    BuiltIn,
    Preset(String),
    /// The path to open, and the path as the user knows it.
    File {
        path: PathBuf,
        shown: PathBuf,
    },
    /// An option of the command line, such as `--memory`.
    Option(String),
    /// `--set KEY=VALUE`: the text is what was typed.
    Set,
}

impl SourceName {
    /// The folder that relative names in `extends` count from.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => path.parent(),
            _ => None,
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Preset(name) => write!(f, "preset {name}"),
            Self::File { shown, .. } => f.write_str(&visible(&shown.to_string_lossy())),
            Self::Option(name) => f.write_str(name),
            Self::Set => f.write_str("--set"),
        }
    }
}
