//! Executing the command as execvp(3) does, and the exit code where that fails.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::unistd::execv;

/// Where Docker looks when the image says nothing.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why the command did not start.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("no command was given, and the image has none")]
    Nothing,
    #[error("{0:?} holds a NUL byte")]
    Nul(OsString),
    #[error("{0:?}: command not found")]
    NotFound(OsString),
    #[error("{0:?} was denied")]
    Denied(OsString),
    #[error("{0:?}: permission denied")]
    NotExecutable(OsString),
    #[error("{0:?}: exec format error; a script needs a first line such as #!/bin/sh")]
    Format(OsString),
    #[error("{0:?} was not started: the gate, which supervises it, is gone")]
    GateGone(OsString),
    #[error("{0:?} was not started: {1}")]
    Other(OsString, Errno),
}

impl Failure {
    /// As a shell and `docker run` have it: 127 not found, 126 found but not run, 125 creel's own failure.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) | Self::Nothing => 127,
            Self::GateGone(_) => 125,
            Self::Nul(_) | Self::Denied(_) | Self::NotExecutable(_) | Self::Format(_) | Self::Other(..) => {
                126
            }
        }
    }
}

/// Becomes the command. Returns only to say why not.
pub(super) fn execute(command: &[OsString]) -> Failure {
    let Some(name) = command.first().filter(|name| !name.is_empty()) else { return Failure::Nothing };
    let mut argv = Vec::with_capacity(command.len());
    for arg in command {
        match CString::new(arg.as_bytes()) {
            Ok(arg) => argv.push(arg),
            Err(_) => return Failure::Nul(arg.clone()),
        }
    }
    let path = std::env::var_os("PATH");
    let mut forbidden = false;
    for candidate in candidates(name, path.as_deref()) {
        let Err(errno) = execv(&candidate, &argv).map(|never: Infallible| match never {});
        match errno {
            // What a search goes on after: execvp(3).
            Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG | Errno::ELOOP => {}
            Errno::EACCES => forbidden = true,
            errno => return failure(name, errno),
        }
    }
    if forbidden { Failure::NotExecutable(name.clone()) } else { Failure::NotFound(name.clone()) }
}

/// Every path that the name may mean, in order.
fn candidates(name: &OsStr, path: Option<&OsStr>) -> Vec<CString> {
    if name.as_bytes().contains(&b'/') {
        return CString::new(name.as_bytes()).into_iter().collect();
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
    path.split(|&byte| byte == b':')
        .map(|folder| if folder.is_empty() { &b"."[..] } else { folder })
        .filter_map(|folder| CString::new([folder, b"/", name.as_bytes()].concat()).ok())
        .collect()
}

fn failure(name: &OsStr, errno: Errno) -> Failure {
    let name = name.to_owned();
    match errno {
        Errno::EPERM => Failure::Denied(name),
        Errno::ENOEXEC => Failure::Format(name),
        // What a filter's call gets when nobody holds its listener any more.
        Errno::ENOSYS => Failure::GateGone(name),
        errno => Failure::Other(name, errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, path: Option<&str>) -> Vec<String> {
        let found = candidates(OsStr::new(name), path.map(OsStr::new));
        found.into_iter().map(|path| path.into_string().expect("UTF-8")).collect()
    }

    #[test]
    fn a_name_is_looked_for_and_a_path_is_not() {
        assert_eq!(found("ls", Some("/a:/b")), ["/a/ls", "/b/ls"]);
        assert_eq!(found("ls", Some(":/b")), ["./ls", "/b/ls"]);
        assert_eq!(found("./ls", Some("/a")), ["./ls"]);
        assert_eq!(found("ls", None).len(), 6);
    }

    #[test]
    fn exit_codes_are_the_shells() {
        assert_eq!(execute(&["/nonexistent/x".into()]).exit_code(), 127);
        assert_eq!(execute(&["/dev/null".into()]).exit_code(), 126);
        assert_eq!(execute(&[]).exit_code(), 127);
        assert_eq!(failure(OsStr::new("x"), Errno::ENOSYS).exit_code(), 125);
    }
}
