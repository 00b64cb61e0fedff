//! Telling a program why its exec was denied: one line on its stderr, before the denial reaches it. A thread of its
//! own, as that stderr is the workload's and may be one that takes nothing.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};

use crate::sys::{nowait, pidfd, seccomp};
use crate::visible;

const STDERR: i32 = 2;
/// Lines that wait; beyond that, nobody could read them anyway.
const QUEUE: usize = 256;
/// How long a terminal may take.
const PATIENCE_MS: u8 = 200;
/// A pipe takes so much at once, or not at all (pipe(7)).
const LINE_MAX: usize = 4096;

/// A call that waits for its denial.
#[derive(Clone, Debug)]
pub(super) struct Denial {
    pub(super) listener: Arc<OwnedFd>,
    pub(super) id: u64,
    pub(super) errno: Errno,
}

impl Denial {
    pub(super) fn answer(&self) {
        // A caller that has gone needs no answer.
        let _ = seccomp::answer_error(&*self.listener, self.id, self.errno);
    }
}

struct Telling {
    stderr: OwnedFd,
    line: String,
    denial: Option<Denial>,
}

#[derive(Clone)]
pub(super) struct Teller {
    lines: SyncSender<Telling>,
}

impl Teller {
    pub(super) fn start() -> Result<Self> {
        let (lines, queue) = sync_channel::<Telling>(QUEUE);
        let tell = move || {
            for telling in queue {
                write(&telling.stderr, telling.line.as_bytes());
                if let Some(denial) = telling.denial {
                    denial.answer();
                }
            }
        };
        std::thread::Builder::new().name("teller".into()).spawn(tell).context("no thread for messages")?;
        Ok(Self { lines })
    }

    /// Writes `line` to the stderr of process `pid`, and then answers `denial`; answers it at once where that is
    /// no good.
    pub(super) fn tell(&self, pid: i32, line: String, denial: Option<Denial>) {
        let stderr = pidfd::open(pid).and_then(|process| pidfd::get_fd(process, STDERR));
        // The pid was still the caller's when its descriptor was taken, if its call still waits now.
        let is_its_own = denial.as_ref().is_none_or(|denial| seccomp::is_valid(&*denial.listener, denial.id));
        let (Ok(stderr), true) = (stderr, is_its_own) else {
            denial.iter().for_each(Denial::answer);
            return;
        };
        match self.lines.try_send(Telling { stderr, line, denial }) {
            Ok(()) => {}
            Err(TrySendError::Full(telling) | TrySendError::Disconnected(telling)) => {
                telling.denial.iter().for_each(Denial::answer);
            }
        }
    }
}

/// Without ever waiting for a reader: pipes and sockets say that they are full; a terminal is waited for, not long.
fn write(stderr: &OwnedFd, line: &[u8]) {
    let line = line.get(..LINE_MAX).unwrap_or(line);
    if nowait::write(stderr, line) != Err(Errno::EOPNOTSUPP) {
        return;
    }
    let mut polled = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
    if poll(&mut polled, PATIENCE_MS).is_ok_and(|ready| ready > 0) {
        let _ = nix::unistd::write(stderr, line);
    }
}

/// The line about a denied command: the command, and why.
pub(super) fn denied(argv: &[Vec<u8>], program: &[u8], rule: Option<&str>, reason: Option<&str>) -> String {
    const SHOWN: usize = 200;
    let own = [program.to_vec()];
    let words: Vec<_> =
        if argv.is_empty() { &own[..] } else { argv }.iter().map(|arg| arg.as_slice().into()).collect();
    let mut command: String = visible::command(&words).chars().take(SHOWN + 1).collect();
    if command.chars().count() > SHOWN {
        command.pop();
        command.push('…');
    }
    match (rule, reason) {
        (Some(rule), Some(reason)) => format!("creel: denied: {command}: {reason} (rule {rule})\n"),
        (Some(rule), None) => format!("creel: denied: {command} (rule {rule})\n"),
        (None, Some(reason)) => format!("creel: denied: {command}: {reason}\n"),
        (None, None) => format!("creel: denied: {command}: no rule of the policy allows it\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pipe_is_not_waited_for() {
        let (reader, writer) = nix::unistd::pipe().expect("a pipe");
        let before = std::time::Instant::now();
        for _ in 0..100 {
            write(&writer, &[b'x'; 4096]);
        }
        assert!(before.elapsed() < std::time::Duration::from_secs(5));
        drop(reader);
    }

    #[test]
    fn the_line_says_what_and_why() {
        let argv = [b"kubectl".to_vec(), b"a b\x1b[2J".to_vec()];
        let line = denied(&argv, b"/usr/bin/kubectl", Some("no-prod"), Some("production is off limits"));
        assert!(line.ends_with("production is off limits (rule no-prod)\n"), "{line}");
        assert!(!line.contains('\x1b'));
        assert!(denied(&[vec![b'x'; 100_000]], b"", None, None).len() < 1000);
    }
}
