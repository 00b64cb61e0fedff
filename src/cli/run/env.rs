//! The workload's environment, from everywhere that may add to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Why a variable is not one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvError {
    #[error("-e {0}: a variable has a name before its “=”")]
    NoName(String),
    #[error("-e {0}: a variable's name and value hold no NUL byte")]
    Nul(String),
    #[error("{}:{line}: {what}", file.display())]
    File { file: PathBuf, line: usize, what: String },
}

/// The host's variables that may be handed on, by name: what is not UTF-8 can't be, as the engine takes text.
pub(crate) type HostEnv = BTreeMap<String, String>;

pub(crate) fn host_env() -> HostEnv {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}

/// One `-e`: `KEY=VALUE`, or `KEY` for the host's value, if it has one.
pub(crate) fn option(text: &str, host: &HostEnv) -> Result<Option<(String, String)>, EnvError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, host.get(text).cloned()),
    };
    if name.is_empty() {
        return Err(EnvError::NoName(text.escape_default().to_string()));
    }
    if text.contains('\0') {
        return Err(EnvError::Nul(text.escape_default().to_string()));
    }
    Ok(value.map(|value| (name.to_owned(), value)))
}

/// Reads an `--env-file` as docker does: a variable a line, nothing quoted, nothing expanded.
pub(crate) fn read_file(file: &Path, host: &HostEnv) -> Result<Vec<(String, String)>> {
    let content =
        std::fs::read(file).with_context(|| format!("could not read --env-file {}", file.display()))?;
    Ok(parse_file(&content, file, host)?)
}

fn parse_file(content: &[u8], file: &Path, host: &HostEnv) -> Result<Vec<(String, String)>, EnvError> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut found = Vec::new();
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let bad = |what: String| EnvError::File { file: file.to_owned(), line: index + 1, what };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line).map_err(|_| bad("this line is not UTF-8".to_owned()))?;
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.contains('\0') {
            return Err(bad("this line holds a NUL byte".to_owned()));
        }
        let (name, value) = match line.split_once('=') {
            // The value is taken as it stands, with its blanks and quotes.
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line.trim_end(), host.get(line.trim_end()).cloned()),
        };
        if name.is_empty() {
            return Err(bad("there is no variable name before “=”".to_owned()));
        }
        if name.contains(char::is_whitespace) {
            return Err(bad(format!("the variable “{}” has blanks in its name", name.escape_default())));
        }
        found.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host() -> HostEnv {
        [("HOME", "/h"), ("LC_ALL", "C"), ("LC_TIME", "de"), ("TERM", "xterm")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
        parse_file(text.as_bytes(), Path::new("x.env"), &host()).map_err(|e| e.to_string())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn options_as_docker_takes_them() {
        assert_eq!(option("A=b=c", &host()), Ok(Some(pair("A", "b=c"))));
        assert_eq!(option("A=", &host()), Ok(Some(pair("A", ""))));
        assert_eq!(option("TERM", &host()), Ok(Some(pair("TERM", "xterm"))));
        assert_eq!(option("NOT_THERE", &host()), Ok(None));
        assert!(option("=x", &host()).is_err());
        assert!(option("", &host()).is_err());
    }

    #[test]
    fn files_as_docker_reads_them() {
        let text = "\u{feff}# comment\n\n  A=1 \nB='q'\r\nTERM\nNOT_THERE\nC==\n";
        assert_eq!(
            parse(text),
            Ok(vec![pair("A", "1 "), pair("B", "'q'"), pair("TERM", "xterm"), pair("C", "=")])
        );
    }

    #[test]
    fn errors_name_file_and_line() {
        assert_eq!(
            parse("A=1\nB C=2\n"),
            Err("x.env:2: the variable “B C” has blanks in its name".to_owned())
        );
        assert_eq!(parse("=2"), Err("x.env:1: there is no variable name before “=”".to_owned()));
        let bytes = parse_file(b"A=1\n\xff=2", Path::new("x.env"), &host());
        assert_eq!(bytes.map_err(|e| e.to_string()), Err("x.env:2: this line is not UTF-8".to_owned()));
    }

    proptest! {
        #[test]
        fn no_file_panics(content in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_file(&content, Path::new("x"), &host());
        }
    }
}
