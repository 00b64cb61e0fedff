//! The names that creel's parts call each other by. Strings enter here once, and are checked once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A sandbox's name: 1 to 48 of `a-z 0-9 - _ .`, beginning with a letter or digit. It becomes part of paths,
/// container names and a host name, so nothing else is let in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct SandboxName(String);

impl SandboxName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a string is no sandbox name.
#[derive(Debug, thiserror::Error)]
#[error(
    "“{0}” can't name a sandbox: use 1 to 48 of a-z, 0-9, “-”, “_” and “.”, beginning with a letter or digit"
)]
pub(crate) struct BadName(String);

impl FromStr for SandboxName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let alnum = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let good = (1..=48).contains(&text.len())
            && text.starts_with(alnum)
            && text.chars().all(|c| alnum(c) || matches!(c, '-' | '_' | '.'));
        if good { Ok(Self(text.to_owned())) } else { Err(BadName(text.escape_default().to_string())) }
    }
}

impl TryFrom<String> for SandboxName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<SandboxName> for String {
    fn from(name: SandboxName) -> Self {
        name.0
    }
}

impl fmt::Display for SandboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run of a sandbox: a ULID, so that runs sort by their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RunId(ulid::Ulid);

impl RunId {
    pub(crate) fn new() -> Self {
        Self(ulid::Ulid::generate())
    }

    /// The last six characters, lower case: enough to keep two runs' container names apart.
    pub(crate) fn short(self) -> String {
        let text = self.0.to_string().to_ascii_lowercase();
        text.chars().skip(text.len().saturating_sub(6)).collect()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ulid::Ulid::from_string(text).map(Self).map_err(|e| format!("“{text}” is no run id: {e}"))
    }
}

impl TryFrom<String> for RunId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_directory_are_refused() {
        for bad in ["", ".", "..", "../x", "a/b", "-x", "A", "a b", "a\n", &"a".repeat(49)] {
            assert!(bad.parse::<SandboxName>().is_err(), "{bad:?}");
        }
        for good in ["a", "quiet-otter-3", "0", "a..b", &"a".repeat(48)] {
            assert!(good.parse::<SandboxName>().is_ok(), "{good:?}");
        }
    }
}
