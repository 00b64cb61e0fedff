//! A workload's streams joined to our own: two pumps that run by themselves, and the events that their owner
//! acts on.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use nix::sys::stat::fstat;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::Instant;

use super::engine::Hijacked;
use super::keys::{DetachKeys, DetachWatch};
use super::output::{Output, SharedOutput};
use super::pumps::{Route, Source, pump_in, pump_out};
use super::raw_mode::RawMode;
use super::signals::{Heard, Signals};
use super::stdio::{StdinReader, StdoutWriter};
use crate::cli::prompt::Model;
use crate::sys::suspend::stop_self;
use crate::sys::tty::{Size, window_size};

/// How the two sides are joined.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    /// The workload has a terminal: bytes pass as they are, and ours is raw.
    pub(crate) tty: bool,
    /// Our stdin goes to the workload.
    pub(crate) stdin: bool,
    pub(crate) detach_keys: DetachKeys,
}

/// What the owner of a session is told.
#[derive(Debug)]
pub(crate) enum Event {
    /// The workload's output has ended, and all of it is written.
    OutputEnded,
    /// The workload's output can't be had, or not be written any more.
    OutputFailed(anyhow::Error),
    /// The detach keys were typed.
    Detached,
    /// A signal for the workload.
    Forward(Signal),
    /// A signal for us: go.
    Leave(Signal),
    /// The window has another size, or should be painted anew.
    Resized(Size),
    /// We are to stop, as Ctrl-Z would have it: [`Session::suspend`].
    Suspend,
}

/// What a question needs of a session: the output, which stands still while it is locked, and what is typed.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) output: SharedOutput,
    pub(crate) route: watch::Sender<Route>,
    pub(crate) size: Size,
}

/// The streams while they are joined; dropped, the terminal is as it was.
#[derive(Debug)]
pub(crate) struct Session {
    events: mpsc::Receiver<Event>,
    signals: Signals,
    raw: Option<RawMode>,
    ended: watch::Sender<Option<Instant>>,
    shared: Option<Shared>,
}

impl Session {
    /// Joins the streams. Within a tokio runtime.
    pub(crate) fn join(hijacked: Hijacked, wiring: &Wiring) -> Result<Self> {
        Self::join_streams(hijacked, wiring, false)
    }

    /// As [`Session::join`], and where both ends are one person's terminal, questions may be put there.
    pub(crate) fn join_and_ask(hijacked: Hijacked, wiring: &Wiring) -> Result<Self> {
        Self::join_streams(hijacked, wiring, true)
    }

    fn join_streams(hijacked: Hijacked, wiring: &Wiring, ask: bool) -> Result<Self> {
        let raw = if wiring.tty && wiring.stdin && io::stdin().is_terminal() {
            Some(RawMode::enter().context("could not make the terminal raw")?)
        } else {
            None
        };
        let signals = Signals::catch(raw.is_some()).context("could not catch signals")?;
        let (tell, events) = mpsc::channel(8);
        let (ended, ended_at) = watch::channel(None);
        let (read, write) = hijacked.stream.into_split();
        let stdout = StdoutWriter::start().context("could not start a thread for our output")?;
        let term = std::env::var("TERM").unwrap_or_default();
        let screen = terminal_size().unwrap_or(Size { rows: 24, columns: 80 });
        let asks = ask && raw.is_some() && is_one_terminal() && !matches!(term.as_str(), "" | "dumb");
        let model = asks.then(|| Model::new(screen, has_second_screen(&term)));
        let output = Arc::new(Mutex::new(Output::new(stdout, model)));
        let (route, routed) = watch::channel(Route::Workload);
        let source = Source { read, first: hijacked.first, ended: ended_at };
        tokio::spawn(pump_out(source, wiring.tty, Arc::clone(&output), tell.clone()));
        if wiring.stdin {
            let stdin = StdinReader::start().context("could not start a thread for our input")?;
            let watch = wiring.tty.then(|| DetachWatch::new(&wiring.detach_keys));
            tokio::spawn(pump_in(stdin, write, watch, routed, tell));
        } else {
            // Dropping it would half-close the connection, which the engine takes for the end of our interest.
            write.forget();
        }
        let shared = asks.then_some(Shared { output, route, size: screen });
        Ok(Self { events, signals, raw, ended, shared })
    }

    /// What a question needs, where questions may be put to this terminal. Once.
    pub(crate) fn take_shared(&mut self) -> Option<Shared> {
        self.shared.take()
    }

    /// Whether questions may be put to this terminal, and nobody has begun to.
    pub(crate) fn can_ask(&self) -> bool {
        self.shared.is_some()
    }

    /// The next event. Cancel safe.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            let heard = tokio::select! {
                Some(event) = self.events.recv() => return event,
                heard = self.signals.next() => heard,
            };
            match heard {
                Heard::Forward(signal) => return Event::Forward(signal),
                Heard::Leave(signal) => return Event::Leave(signal),
                Heard::Suspend => return Event::Suspend,
                Heard::Resize | Heard::Continue => {
                    if heard == Heard::Continue {
                        self.resume();
                    }
                    if let Some(size) = self.size() {
                        return Event::Resized(size);
                    }
                }
            }
        }
    }

    /// The workload has ended: what is under way is still written, and then `OutputEnded` comes in any case.
    pub(crate) fn workload_ended(&self) {
        self.ended.send_if_modified(|at| at.is_none().then(|| *at = Some(Instant::now())).is_some());
    }

    /// The size of the window, where the workload's terminal is to have it.
    pub(crate) fn size(&self) -> Option<Size> {
        self.raw.as_ref().and_then(|_| terminal_size())
    }

    /// Stops this process; returns when it has been continued.
    pub(crate) fn suspend(&self) {
        if let Some(raw) = &self.raw {
            raw.suspend();
        }
        // Where that is refused, or ignored as nobody could continue us, we just go on.
        let _ = stop_self();
        self.resume();
    }

    fn resume(&self) {
        if let Some(raw) = &self.raw {
            // A terminal that has gone meanwhile ends our input by itself.
            let _ = raw.resume();
        }
    }
}

/// The size of our terminal.
pub(crate) fn terminal_size() -> Option<Size> {
    window_size(io::stdout()).ok().flatten().or_else(|| window_size(io::stdin()).ok().flatten())
}

/// Both ends are the same terminal, so what is asked is seen where the answer is typed.
fn is_one_terminal() -> bool {
    let terminals = io::stdin().is_terminal() && io::stdout().is_terminal();
    let device = |file| fstat(file).ok().map(|stat| stat.st_rdev);
    let (stdin, stdout) = (io::stdin(), io::stdout());
    terminals && device(stdin.as_fd()) == device(stdout.as_fd())
}

/// The consoles of kernels, and GNU screen unless it is told to, have none.
fn has_second_screen(term: &str) -> bool {
    let has_none = ["linux", "vt", "ansi", "cons25", "screen"].iter().any(|name| term.starts_with(name));
    !has_none || std::env::var_os("TMUX").is_some()
}
