//! Who gets a terminal, and who reads our stdin: docker's options, with a default that people need not know.

use clap::Args;

use super::keys::DetachKeys;
use super::session::Wiring;

/// The options of `run` and `exec` that say so.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StreamArgs {
    /// Forward stdin from a terminal too when the command gets no terminal of its own; with --detach, keep it
    /// open for later. Pipes and files are always forwarded
    #[arg(short, long)]
    pub(crate) interactive: bool,

    /// Give the command a terminal [default: when stdin and stdout are terminals]
    #[arg(short, long, overrides_with = "no_tty")]
    pub(crate) tty: bool,

    /// Give the command no terminal
    #[arg(long, overrides_with = "tty")]
    pub(crate) no_tty: bool,

    /// Keys that leave the sandbox running and give the terminal back
    #[arg(long, value_name = "KEYS", default_value_t)]
    pub(crate) detach_keys: DetachKeys,
}

/// Which of our standard streams are terminals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminals {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
}

impl Terminals {
    pub(crate) fn ours() -> Self {
        use std::io::{IsTerminal, stdin, stdout};
        Self { stdin: stdin().is_terminal(), stdout: stdout().is_terminal() }
    }
}

/// `-i` and `-t` together, as docker refuses it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "-i and -t want a terminal on stdin, and it is none: leave out -t; what is piped in is forwarded anyway"
)]
pub(crate) struct NotATerminal;

impl StreamArgs {
    /// `-i` without `-t` is docker's way to say "no terminal", and is taken so.
    pub(crate) fn wiring(&self, detached: bool, terminals: Terminals) -> Result<Wiring, NotATerminal> {
        let at_a_terminal = terminals.stdin && terminals.stdout;
        let tty = self.tty || (at_a_terminal && !self.no_tty && !self.interactive && !detached);
        let stdin = match (detached, tty) {
            (true, _) => self.interactive,
            (false, true) if self.interactive && !terminals.stdin => return Err(NotATerminal),
            (false, true) => terminals.stdin,
            // A terminal's stdin would look like a pipe inside, and programs would wait for it.
            (false, false) => self.interactive || !terminals.stdin,
        };
        Ok(Wiring { tty, stdin, detach_keys: self.detach_keys.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (options, detached, stdin is a terminal, stdout is) to (tty, stdin).
    #[test]
    fn who_gets_what() {
        let plain = StreamArgs::default;
        let i = || StreamArgs { interactive: true, ..plain() };
        let t = || StreamArgs { tty: true, ..plain() };
        let it = || StreamArgs { interactive: true, ..t() };
        let no = || StreamArgs { no_tty: true, ..plain() };
        for (args, detached, stdin, stdout, wanted) in [
            (plain(), false, true, true, Some((true, true))),
            (plain(), false, false, false, Some((false, true))),
            (plain(), false, false, true, Some((false, true))),
            (plain(), false, true, false, Some((false, false))),
            (plain(), true, true, true, Some((false, false))),
            (i(), false, true, true, Some((false, true))),
            (i(), true, true, true, Some((false, true))),
            (t(), false, false, false, Some((true, false))),
            (t(), false, true, false, Some((true, true))),
            (it(), false, true, true, Some((true, true))),
            (it(), false, false, true, None),
            (it(), true, false, false, Some((true, true))),
            (no(), false, true, true, Some((false, false))),
        ] {
            let got = args.wiring(detached, Terminals { stdin, stdout });
            assert_eq!(got.ok().map(|w| (w.tty, w.stdin)), wanted, "{args:?} {detached} {stdin} {stdout}");
        }
    }
}
