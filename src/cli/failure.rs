//! How creel fails: the sentence on stderr, and the exit code.

use std::fmt;
use std::io::{self, IsTerminal, Write};

/// What a shell reports of a program that SIGPIPE ended. Whoever closed our output has what they wanted.
pub(crate) const BROKEN_PIPE: u8 = 128 + 13;

/// creel or Docker failed, where the exit code is otherwise the command's own.
pub(crate) const CREEL_FAILED: u8 = 125;

/// An error with an exit code of its own.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Prints the error, and returns the code to exit with: its own, or else `default`.
pub(crate) fn report(error: &anyhow::Error, default: u8) -> u8 {
    if is_broken_pipe(error) {
        return BROKEN_PIPE;
    }
    say(&format!("{error:#}"));
    error.downcast_ref::<Failure>().map_or(default, |failure| failure.code)
}

/// One message on stderr, marked as ours: stderr is the workload's too. Further lines are indented.
pub(crate) fn say(message: &str) {
    let mut lines = message.trim_end().lines();
    let first = lines.next().unwrap_or_default();
    let mark = if colour_on_stderr() { "\x1b[1;31mcreel:\x1b[0m" } else { "creel:" };
    let mut text = format!("{mark} {first}\n");
    for line in lines {
        text.push_str(&format!("       {line}\n"));
    }
    // With no stderr there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Colour only where a person looks, and has not asked for none (no-color.org).
pub(crate) fn colour_on_stderr() -> bool {
    io::stderr().is_terminal() && colour_wanted()
}

pub(crate) fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            && !error.is::<Failure>()
    })
}
