//! A workload's streams joined to our own: two pumps that run by themselves, and the events that their owner
//! acts on.

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::engine::Hijacked;
use super::frames::{Channel, Frames};
use super::keys::{DetachKeys, DetachWatch, Typed};
use super::raw_mode::RawMode;
use super::signals::{Heard, Signals};
use super::stdio::{StdinReader, StdoutWriter};
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
}

/// After the workload's end, its streams are given so long to end too. A process that it left in the background
/// may hold them open, and print for ever.
const AFTER_THE_END: Duration = Duration::from_secs(2);

/// What can be under way in pipes and sockets when the workload ends: beyond both, it is such a process's.
const UNDER_WAY: usize = 2 << 20;

const READ: usize = 64 * 1024;

/// The streams while they are joined; dropped, the terminal is as it was.
#[derive(Debug)]
pub(crate) struct Session {
    events: mpsc::Receiver<Event>,
    signals: Signals,
    raw: Option<RawMode>,
    ended: watch::Sender<Option<Instant>>,
}

impl Session {
    /// Joins the streams. Within a tokio runtime.
    pub(crate) fn join(hijacked: Hijacked, wiring: &Wiring) -> Result<Self> {
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
        let source = Source { read, first: hijacked.first, ended: ended_at };
        tokio::spawn(pump_out(source, wiring.tty, stdout, tell.clone()));
        if wiring.stdin {
            let stdin = StdinReader::start().context("could not start a thread for our input")?;
            let watch = wiring.tty.then(|| DetachWatch::new(&wiring.detach_keys));
            tokio::spawn(pump_in(stdin, write, watch, tell));
        } else {
            // Dropping it would half-close the connection, which the engine takes for the end of our interest.
            write.forget();
        }
        Ok(Self { events, signals, raw, ended })
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
                Heard::Suspend => self.suspend(),
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

    fn suspend(&self) {
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

/// The engine's half that we read.
struct Source {
    read: OwnedReadHalf,
    first: Bytes,
    ended: watch::Receiver<Option<Instant>>,
}

impl Source {
    /// The next bytes; `None` at the end, be it that the stream ended or that the workload did.
    async fn next(&mut self, late: &mut usize) -> io::Result<Option<Bytes>> {
        if !self.first.is_empty() {
            return Ok(Some(std::mem::take(&mut self.first)));
        }
        let mut buffer = BytesMut::with_capacity(READ);
        let ended = *self.ended.borrow_and_update();
        let length = match ended {
            None => {
                tokio::select! {
                    length = self.read.read_buf(&mut buffer) => length?,
                    _ = self.ended.changed() => return Ok(Some(Bytes::new())),
                }
            }
            Some(at) => {
                let deadline = at + AFTER_THE_END;
                if *late > UNDER_WAY && Instant::now() > deadline {
                    return Ok(None);
                }
                match tokio::time::timeout_at(deadline, self.read.read_buf(&mut buffer)).await {
                    Ok(length) => length?,
                    Err(_) => return Ok(None),
                }
            }
        };
        *late += if ended.is_some() { length } else { 0 };
        Ok((length > 0).then(|| buffer.freeze()))
    }
}

async fn pump_out(mut source: Source, tty: bool, stdout: StdoutWriter, events: mpsc::Sender<Event>) {
    let copied = copy_out(&mut source, tty, &stdout).await;
    let written = stdout.finish().await;
    let event = match (written, copied) {
        // Why it could not be written matters more than that it was not copied.
        (Err(e), _) => Event::OutputFailed(e.into()),
        (Ok(()), Err(e)) => Event::OutputFailed(e),
        (Ok(()), Ok(())) => Event::OutputEnded,
    };
    let _ = events.send(event).await;
}

async fn copy_out(source: &mut Source, tty: bool, stdout: &StdoutWriter) -> Result<()> {
    let mut frames = Frames::default();
    let mut late = 0;
    // A stream that breaks has ended: what became of the workload is for its monitor to say.
    while let Ok(Some(mut bytes)) = source.next(&mut late).await {
        if tty {
            if !bytes.is_empty() && !stdout.write(Channel::Stdout, bytes).await {
                return Ok(());
            }
            continue;
        }
        while let Some((channel, piece)) = frames.next(&mut bytes)? {
            if !stdout.write(channel, piece).await {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn pump_in(
    mut stdin: StdinReader,
    mut write: OwnedWriteHalf,
    mut watch: Option<DetachWatch>,
    events: mpsc::Sender<Event>,
) {
    while let Some(chunk) = stdin.next().await {
        let (pass, detached) = match watch.as_mut().map(|watch| watch.feed(&chunk)) {
            None => (chunk, false),
            Some(Typed::Pass(bytes)) => (bytes.into(), false),
            Some(Typed::Detach(bytes)) => (bytes.into(), true),
        };
        // An error is the workload's closed stdin, or its end, which is told by others.
        let written = write.write_all(&pass).await;
        if detached {
            write.forget();
            let _ = events.send(Event::Detached).await;
            return;
        }
        if written.is_err() {
            write.forget();
            return;
        }
    }
    let held = watch.as_mut().map(DetachWatch::finish).unwrap_or_default();
    let _ = write.write_all(&held).await;
    let _ = write.shutdown().await;
}
