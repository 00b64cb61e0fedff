//! The control channel, seen from the gate: frames to and from whichever monitor there is.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;

use crate::sys::packet::{self, Received};
use crate::wire::{CONTROL_SOCKET, GATE_RUN_DIR, GateFrame, MAX_FRAME, MonitorFrame};

/// Between tries to find a monitor.
const PAUSE: Duration = Duration::from_millis(50);

/// One connection to a monitor.
#[derive(Clone, Debug)]
pub(super) struct Link {
    socket: Arc<OwnedFd>,
}

impl Link {
    /// Connects as soon as a monitor listens.
    pub(super) fn connect(patience: Duration) -> Result<Self> {
        let deadline = Instant::now() + patience;
        let path = Path::new(GATE_RUN_DIR).join(CONTROL_SOCKET);
        loop {
            match packet::connect_to(&path) {
                Ok(socket) => return Ok(Self { socket: Arc::new(socket) }),
                Err(e) if Instant::now() >= deadline => {
                    return Err(e).context("no monitor can be reached");
                }
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }

    pub(super) fn send(&self, frame: &GateFrame) -> Result<()> {
        let bytes = postcard::to_stdvec(frame)?;
        loop {
            match packet::send(self.socket.as_fd(), &bytes, None) {
                Err(Errno::EINTR) => {}
                sent => return sent.context("the monitor can't be told"),
            }
        }
    }

    /// The next frame, and the descriptor beside it; `None` when the monitor has gone.
    pub(super) fn receive(&self) -> Result<Option<(MonitorFrame, Option<OwnedFd>)>> {
        let mut buffer = vec![0; MAX_FRAME];
        loop {
            match packet::receive(self.socket.as_fd(), &mut buffer) {
                Ok(Received::Packet { bytes, fd }) => {
                    let frame = postcard::from_bytes(buffer.get(..bytes).unwrap_or_default());
                    return Ok(Some((frame.context("the monitor sent a frame that is none")?, fd)));
                }
                Ok(Received::Truncated) => bail!("the monitor sent a frame that is too long"),
                Ok(Received::Closed) | Err(Errno::ECONNRESET) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(e) => return Err(e).context("the control channel broke"),
            }
        }
    }
}

/// Says what the gate has to say to whichever monitor is there; what could not be said is said to the next.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    current: Arc<(Mutex<Option<Link>>, Condvar)>,
}

impl Speaker {
    pub(super) fn start(frames: mpsc::Receiver<GateFrame>, link: Link) -> Result<Self> {
        let speaker = Self { current: Arc::new((Mutex::new(Some(link)), Condvar::new())) };
        let own = speaker.clone();
        let speak = move || {
            for frame in frames {
                loop {
                    let link = own.wait_for_link();
                    match link.send(&frame) {
                        Ok(()) => break,
                        Err(_) => own.lost(&link),
                    }
                }
            }
        };
        std::thread::Builder::new()
            .name("speaker".into())
            .spawn(speak)
            .context("no thread for the control channel")?;
        Ok(speaker)
    }

    /// That connection is no good any more; one that has taken its place is.
    pub(super) fn lost(&self, link: &Link) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.socket, &link.socket)) {
            *current = None;
        }
    }

    pub(super) fn found(&self, link: Link) {
        *self.lock() = Some(link);
        self.current.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Link>> {
        // A panic ends the whole gate, so nobody meets a poisoned lock.
        self.current.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_link(&self) -> Link {
        let mut current = self.lock();
        loop {
            if let Some(link) = current.as_ref() {
                return link.clone();
            }
            current = self.current.1.wait(current).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
