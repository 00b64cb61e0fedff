//! Our own standard streams. They block, are shared with other processes, and may be regular files, so each is
//! served by a thread: making them non-blocking would change them for our shell too.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use tokio::sync::{mpsc, oneshot};

use super::frames::Channel;

/// One read. Two of them are under way at most, so a slow workload slows down whoever writes to us.
const CHUNK: usize = 64 * 1024;

/// How often a job in the background looks whether it is in the foreground again.
const BACKGROUND: Duration = Duration::from_millis(200);

/// Reads stdin until it ends or this is dropped. No read is ever left hanging, so what is typed after our end is
/// the shell's.
#[derive(Debug)]
pub(crate) struct StdinReader {
    chunks: mpsc::Receiver<Bytes>,
    /// Its closing wakes the thread out of poll(2).
    _stop: OwnedFd,
}

impl StdinReader {
    pub(crate) fn start() -> io::Result<Self> {
        let (stopped, stop) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        let (sender, chunks) = mpsc::channel(1);
        thread::Builder::new().name("stdin".to_owned()).spawn(move || read_stdin(&stopped, &sender))?;
        Ok(Self { chunks, _stop: stop })
    }

    /// The next bytes; `None` at the end. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        self.chunks.recv().await
    }
}

fn read_stdin(stopped: &OwnedFd, sender: &mpsc::Sender<Bytes>) {
    // Reading the terminal from the background must not stop all of us: the output goes on.
    let _ = SigSet::from(Signal::SIGTTIN).thread_block();
    let stdin = io::stdin();
    let mut buffer = vec![0; CHUNK];
    loop {
        let mut fds =
            [PollFd::new(stdin.as_fd(), PollFlags::POLLIN), PollFd::new(stopped.as_fd(), PollFlags::empty())];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
        let [input, stop] = fds;
        if stop.any().unwrap_or(true) || sender.is_closed() {
            return;
        }
        if !input.any().unwrap_or(true) {
            continue;
        }
        match nix::unistd::read(&stdin, &mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                let chunk = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                if sender.blocking_send(chunk).is_err() {
                    return;
                }
            }
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(Errno::EIO) if in_background() => thread::sleep(BACKGROUND),
            Err(_) => return,
        }
    }
}

/// Is stdin a terminal whose foreground job is another?
fn in_background() -> bool {
    nix::unistd::tcgetpgrp(io::stdin()).is_ok_and(|group| group != nix::unistd::getpgrp())
}

#[derive(Debug)]
enum Piece {
    Bytes(Channel, Bytes),
    /// Say when all before it is written.
    Mark(oneshot::Sender<()>),
}

/// Writes stdout and stderr, in the order in which it is given them.
#[derive(Debug)]
pub(crate) struct StdoutWriter {
    pieces: mpsc::Sender<Piece>,
    done: oneshot::Receiver<io::Result<()>>,
}

impl StdoutWriter {
    pub(crate) fn start() -> io::Result<Self> {
        let (pieces, mut queue) = mpsc::channel::<Piece>(4);
        let (tell, done) = oneshot::channel();
        thread::Builder::new().name("stdout".to_owned()).spawn(move || {
            let result = loop {
                match queue.blocking_recv() {
                    None => break Ok(()),
                    Some(Piece::Mark(told)) => drop(told.send(())),
                    Some(Piece::Bytes(channel, bytes)) => {
                        if let Err(e) = write_out(channel, &bytes) {
                            break Err(e);
                        }
                    }
                }
            };
            // From here on nobody takes pieces, which the sender notices.
            drop(queue);
            let _ = tell.send(result);
        })?;
        Ok(Self { pieces, done })
    }

    /// Hands over bytes; waits while the reader of our output is slow. False when it can't be written any more:
    /// [`StdoutWriter::finish`] knows why.
    pub(crate) async fn write(&self, channel: Channel, bytes: Bytes) -> bool {
        self.pieces.send(Piece::Bytes(channel, bytes)).await.is_ok()
    }

    /// Waits until everything so far is written; false when that can't be done any more.
    pub(crate) async fn written(&self) -> bool {
        let (tell, told) = oneshot::channel();
        self.pieces.send(Piece::Mark(tell)).await.is_ok() && told.await.is_ok()
    }

    /// Waits until all is written.
    pub(crate) async fn finish(self) -> io::Result<()> {
        drop(self.pieces);
        self.done.await.unwrap_or_else(|_| Err(io::Error::other("the writer of our output failed")))
    }
}

/// Unbuffered and past `std`'s line buffer: binary output has no lines.
fn write_out(channel: Channel, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = match channel {
            Channel::Stdout => nix::unistd::write(io::stdout(), bytes),
            Channel::Stderr => nix::unistd::write(io::stderr(), bytes),
        };
        match written {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                wait_writable(channel);
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// Somebody made our output non-blocking: a shared pipe or terminal can be.
fn wait_writable(channel: Channel) {
    let (out, err) = (io::stdout(), io::stderr());
    let fd = match channel {
        Channel::Stdout => out.as_fd(),
        Channel::Stderr => err.as_fd(),
    };
    let _ = poll(&mut [PollFd::new(fd, PollFlags::POLLOUT)], PollTimeout::NONE);
}
