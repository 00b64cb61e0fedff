//! What a person has allowed for good: one line of JSON each, in the user's own configuration folder, where no
//! workload reaches. A line can be removed with any editor.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Question;
use crate::audit::bytes::Bytes;

/// The keys of all decisions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Always(BTreeSet<String>);

/// One line. Only `key` decides; the rest tells a person what it was.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    rule: String,
    command: Bytes,
    cwd: Bytes,
    /// RFC 3339, UTC.
    at: String,
}

impl Always {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    #[cfg(test)]
    pub(crate) fn insert(&mut self, key: String) {
        self.0.insert(key);
    }

    /// Reads the file; none is as good as an empty one. A line that is none counts for nothing.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(e).with_context(|| format!("could not read {}", path.display())),
        };
        let keys = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        Ok(Self(keys.map(|line| line.key).collect()))
    }
}

/// Writes down what an answer of “always” to this question is about. Says how many lines that were: a danger of which
/// a part is not known can't be remembered.
pub(crate) fn remember(path: &Path, question: &Question, at: &str) -> Result<usize> {
    let mut lines = Vec::new();
    let mut count = 0;
    for danger in &question.dangers {
        let Some(key) = danger.key.clone() else { continue };
        let (rule, command) = (danger.rule.clone(), danger.command.clone());
        let line = Line { key, rule, command, cwd: question.cwd.clone(), at: at.to_owned() };
        serde_json::to_writer(&mut lines, &line)?;
        lines.push(b'\n');
        count += 1;
    }
    let write = || -> io::Result<()> {
        if let Some(dir) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        file.write_all(&lines)?;
        file.sync_data()
    };
    write().with_context(|| format!("could not write {}", path.display()))?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::Danger;
    use crate::judge::Severity;

    #[test]
    fn what_is_written_is_read_again_and_what_is_not_known_is_not_written() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("creel/decisions.jsonl");
        assert_eq!(Always::load(&path)?, Always::default());
        let danger = |key: Option<&str>| Danger {
            rule: "git.push-force".to_owned(),
            severity: Severity::High,
            reason: String::new(),
            instead: None,
            command: Bytes(b"git push -f \xff\n".to_vec()),
            key: key.map(str::to_owned),
        };
        let question = Question { dangers: vec![danger(Some("one")), danger(None)], ..Question::default() };
        assert_eq!(remember(&path, &question, "2026-11-25T00:00:00Z")?, 1);
        fs::write(dir.path().join("x"), "")?;
        let mut text = fs::read_to_string(&path)?;
        assert_eq!(text.lines().count(), 1);
        text.push_str("no line at all\n");
        fs::write(&path, text)?;
        let always = Always::load(&path)?;
        assert!(always.has("one") && !always.has("two"));
        Ok(())
    }
}
