//! The signals that a command line in the foreground takes care of.

use std::io;
use std::task::Poll;

use nix::sys::signal::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// What a process can be told from outside, and can pass on.
const FOR_THE_WORKLOAD: [Signal; 6] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];

/// What concerns the terminal itself. Without raw mode these keep their default action.
const FOR_THE_TERMINAL: [Signal; 3] = [Signal::SIGWINCH, Signal::SIGTSTP, Signal::SIGCONT];

/// So many Ctrl-C that the workload does not heed, and we go without it, as docker does.
const PATIENCE: u32 = 3;

/// What is to be done about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Pass it on to the workload.
    Forward(Signal),
    /// Go, as this signal asks.
    Leave(Signal),
    Resize,
    Suspend,
    Continue,
}

/// Catches them while it lives.
#[derive(Debug)]
pub(crate) struct Signals {
    streams: Vec<(Signal, tokio::signal::unix::Signal)>,
    forward: bool,
    interrupts: u32,
}

impl Signals {
    /// `raw`: the terminal is raw, so keys arrive as bytes; what comes as a signal is meant for us.
    pub(crate) fn catch(raw: bool) -> io::Result<Self> {
        let terminal = if raw { FOR_THE_TERMINAL.as_slice() } else { &[] };
        let streams = FOR_THE_WORKLOAD
            .iter()
            .chain(terminal)
            .map(|&which| Ok((which, signal(SignalKind::from_raw(which as i32))?)))
            .collect::<io::Result<_>>()?;
        Ok(Self { streams, forward: !raw, interrupts: 0 })
    }

    /// The next one. Cancel safe.
    pub(crate) async fn next(&mut self) -> Heard {
        let which = std::future::poll_fn(|cx| {
            for (which, stream) in &mut self.streams {
                if let Poll::Ready(Some(())) = stream.poll_recv(cx) {
                    return Poll::Ready(*which);
                }
            }
            Poll::Pending
        })
        .await;
        self.judge(which)
    }

    fn judge(&mut self, which: Signal) -> Heard {
        match which {
            Signal::SIGWINCH => Heard::Resize,
            Signal::SIGTSTP => Heard::Suspend,
            Signal::SIGCONT => Heard::Continue,
            _ if !self.forward => Heard::Leave(which),
            Signal::SIGINT | Signal::SIGTERM => {
                self.interrupts += 1;
                if self.interrupts >= PATIENCE { Heard::Leave(which) } else { Heard::Forward(which) }
            }
            _ => Heard::Forward(which),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_interrupt_is_for_us() {
        let mut signals = Signals { streams: Vec::new(), forward: true, interrupts: 0 };
        let heard =
            [Signal::SIGINT, Signal::SIGUSR1, Signal::SIGTERM, Signal::SIGINT].map(|s| signals.judge(s));
        assert_eq!(
            heard,
            [
                Heard::Forward(Signal::SIGINT),
                Heard::Forward(Signal::SIGUSR1),
                Heard::Forward(Signal::SIGTERM),
                Heard::Leave(Signal::SIGINT),
            ]
        );
    }

    #[test]
    fn in_raw_mode_every_signal_is_for_us() {
        let mut signals = Signals { streams: Vec::new(), forward: false, interrupts: 0 };
        assert_eq!(signals.judge(Signal::SIGTERM), Heard::Leave(Signal::SIGTERM));
        assert_eq!(signals.judge(Signal::SIGWINCH), Heard::Resize);
    }
}
