//! The two pumps: the workload's output to our terminal, and what is typed to the workload.

use std::io;
use std::time::Duration;

use anyhow::Result;
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::frames::{Channel, Frames};
use super::keys::{DetachWatch, Typed as Watched};
use super::output::{SharedOutput, TURN};
use super::session::Event;
use super::stdio::StdinReader;

/// After the workload's end, its streams are given so long to end too. A process that it left in the background
/// may hold them open, and print for ever.
const AFTER_THE_END: Duration = Duration::from_secs(2);

/// What can be under way in pipes and sockets when the workload ends: beyond both, it is such a process's.
const UNDER_WAY: usize = 2 << 20;

const READ: usize = 64 * 1024;

/// Whom what is typed is for.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Workload,
    /// The workload; somebody wants to know when it stops.
    Watched(mpsc::Sender<Typed>),
    /// A question.
    Prompt(mpsc::Sender<Typed>),
}

/// What was typed, for who watches or takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The workload has it.
    Forwarded(Bytes),
    /// Nobody else has it.
    Held(Bytes),
    /// Nothing will come any more.
    Ended,
}

/// The engine's half that we read.
pub(super) struct Source {
    pub(super) read: OwnedReadHalf,
    pub(super) first: Bytes,
    pub(super) ended: watch::Receiver<Option<Instant>>,
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

pub(super) async fn pump_out(
    mut source: Source,
    tty: bool,
    output: SharedOutput,
    events: mpsc::Sender<Event>,
) {
    let copied = copy_out(&mut source, tty, &output).await;
    let written = output.lock().await.finish().await;
    let event = match (written, copied) {
        // Why it could not be written matters more than that it was not copied.
        (Err(e), _) => Event::OutputFailed(e.into()),
        (Ok(()), Err(e)) => Event::OutputFailed(e),
        (Ok(()), Ok(())) => Event::OutputEnded,
    };
    let _ = events.send(event).await;
}

async fn copy_out(source: &mut Source, tty: bool, output: &SharedOutput) -> Result<()> {
    let mut frames = Frames::default();
    let mut late = 0;
    // A stream that breaks has ended: what became of the workload is for its monitor to say.
    while let Ok(Some(mut bytes)) = source.next(&mut late).await {
        if tty {
            while !bytes.is_empty() {
                let part = bytes.split_to(bytes.len().min(TURN));
                if !output.lock().await.pass(Channel::Stdout, part).await {
                    return Ok(());
                }
                tokio::task::yield_now().await;
            }
            continue;
        }
        while let Some((channel, piece)) = frames.next(&mut bytes)? {
            if !output.lock().await.pass(channel, piece).await {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// While a question is open, what is typed is read on even where the workload does not take what it was sent.
pub(super) async fn pump_in(
    mut stdin: StdinReader,
    mut write: OwnedWriteHalf,
    mut watch: Option<DetachWatch>,
    mut route: watch::Receiver<Route>,
    events: mpsc::Sender<Event>,
) {
    let mut to_workload = Bytes::new();
    let (mut detached, mut ended, mut may_change) = (false, false, true);
    loop {
        if to_workload.is_empty() && (detached || ended) {
            break;
        }
        let is_asked = matches!(*route.borrow(), Route::Prompt(_));
        tokio::select! {
            chunk = stdin.next(), if !ended && !detached && (to_workload.is_empty() || is_asked) => {
                let for_whom = route.borrow().clone();
                let Some(chunk) = chunk else {
                    ended = true;
                    if let Route::Watched(to) | Route::Prompt(to) = for_whom {
                        let _ = to.send(Typed::Ended).await;
                    }
                    to_workload = [&to_workload[..], &watch.as_mut().map(DetachWatch::finish).unwrap_or_default()].concat().into();
                    continue;
                };
                match for_whom {
                    Route::Prompt(to) => {
                        let _ = to.send(Typed::Held(chunk)).await;
                        continue;
                    }
                    Route::Watched(to) => drop(to.send(Typed::Forwarded(chunk.clone())).await),
                    Route::Workload => {}
                }
                (to_workload, detached) = match watch.as_mut().map(|watch| watch.feed(&chunk)) {
                    None => (chunk, false),
                    Some(Watched::Pass(bytes)) => (bytes.into(), false),
                    Some(Watched::Detach(bytes)) => (bytes.into(), true),
                };
            }
            written = write.write(&to_workload), if !to_workload.is_empty() => match written {
                Ok(length) if length > 0 => to_workload.advance(length),
                // The workload's closed stdin, or its end, which is told by others.
                _ => break,
            },
            changed = route.changed(), if may_change => may_change = changed.is_ok(),
        }
    }
    if ended && to_workload.is_empty() {
        let _ = write.shutdown().await;
        return;
    }
    write.forget();
    if detached {
        let _ = events.send(Event::Detached).await;
    }
}
