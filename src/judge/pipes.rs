//! Programs that are judged together because a pipe joins them, though each was executed on its own.

use std::rc::Rc;

use super::ExecAction;
use super::command::{Command, file_name};
use super::reader::is_shell;

/// A program at the other end of a pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) program: Vec<u8>,
    pub(crate) argv: Vec<Vec<u8>>,
}

/// Which pipe of a program matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piped {
    /// It runs what comes in: who writes it?
    RunsItsInput,
    /// It fetches or decodes: who reads it?
    Feeds,
}

impl Piped {
    pub(crate) fn of(program: &[u8], argv: &[Vec<u8>]) -> Option<Self> {
        let name = file_name(program);
        if runs_its_input(name, argv.get(1..).unwrap_or_default()) {
            Some(Self::RunsItsInput)
        } else if feeds(name) {
            Some(Self::Feeds)
        } else {
            None
        }
    }
}

/// A shell or an interpreter that was given no text and no file.
fn runs_its_input(name: &[u8], args: &[Vec<u8>]) -> bool {
    let stem: &[u8] = name.split(|byte| byte.is_ascii_digit() || *byte == b'.').next().unwrap_or(name);
    let interprets = is_shell(name)
        || matches!(stem, b"python" | b"perl" | b"ruby" | b"node" | b"nodejs" | b"php" | b"lua");
    let from_input = |arg: &Vec<u8>| arg == b"-" || arg == b"/dev/stdin";
    let first = args.iter().find(|arg| !arg.starts_with(b"-") || from_input(arg));
    let has_code = args.iter().any(|arg| {
        matches!(arg.as_slice(), [b'-', letters @ ..] if !letters.starts_with(b"-")
            && letters.iter().any(|letter| matches!(letter, b'c' | b'e' | b'E' | b'r' | b'm')))
    });
    let reads = match first {
        None => true,
        Some(arg) => from_input(arg) || (is_shell(name) && args.iter().any(|arg| arg == b"-s")),
    };
    interprets && !has_code && reads
}

fn feeds(name: &[u8]) -> bool {
    matches!(
        name,
        b"curl"
            | b"wget"
            | b"wget2"
            | b"aria2c"
            | b"fetch"
            | b"lynx"
            | b"nc"
            | b"ncat"
            | b"socat"
            | b"openssl"
            | b"base64"
            | b"base32"
            | b"basenc"
            | b"xxd"
            | b"gpg"
            | b"ssh"
            | b"dig"
            | b"telnet"
            | b"tftp"
    ) || name.starts_with(b"nc.")
}

/// The commands that the pipe makes of both.
pub(super) fn commands(action: &ExecAction<'_>, named: &[Vec<u8>]) -> Vec<Command> {
    let around = Command { cwd: Some(Rc::from(action.cwd)), ..Command::default() };
    let Some(own) = around.with_words(named) else { return Vec::new() };
    let name = |peer: &Peer| file_name(&peer.program).to_vec();
    match Piped::of(action.program, action.argv) {
        Some(Piped::RunsItsInput) if !action.peers.is_empty() => {
            vec![Command { from: action.peers.iter().map(name).collect(), ..own }]
        }
        Some(Piped::Feeds) => {
            let runs = |peer: &&Peer| {
                runs_its_input(file_name(&peer.program), peer.argv.get(1..).unwrap_or_default())
            };
            let reader = |peer: &Peer| Command {
                name: name(peer),
                args: peer.argv.get(1..).unwrap_or_default().to_vec(),
                from: vec![own.name.clone()],
                ..around.clone()
            };
            action.peers.iter().filter(runs).map(reader).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Piped> {
        let argv: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        Piped::of(argv.first().expect("a program"), &argv)
    }

    #[test]
    fn who_runs_what_comes_in() {
        for line in [
            "/bin/sh",
            "bash -s -- --yes",
            "bash -x",
            "python3 -",
            "python3",
            "perl",
            "dash /dev/stdin",
            "/usr/bin/node -",
        ] {
            assert_eq!(of(line), Some(Piped::RunsItsInput), "{line}");
        }
        for line in [
            "sh -c x",
            "bash script.sh",
            "bash -lc x",
            "python3 -m json.tool",
            "python3 x.py",
            "perl -pe s/a/b/",
            "jq .a",
            "ls",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
        assert_eq!(of("/usr/bin/curl -s x"), Some(Piped::Feeds));
        assert_eq!(of("nc.openbsd -l 1"), Some(Piped::Feeds));
    }
}
