//! The control channel to the gate: the monitor listens in a folder that is mounted into the gate alone, and the
//! gate connects, again after every monitor.

use std::fs::{self, DirBuilder, Permissions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::socket::SockFlag;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::happening::Happening;
use super::socket::SocketDir;
use crate::sys::packet::{self, Received};
use crate::sys::readiness;
use crate::wire::{CONTROL_SOCKET, GateFrame, MAX_FRAME, MonitorFrame};

/// Waits for gates.
#[derive(Debug)]
pub(crate) struct GateListener {
    socket: AsyncFd<OwnedFd>,
    /// Keeps the short path alive.
    _dir: SocketDir,
}

impl GateListener {
    /// Binds the control socket in `dir`, in place of a dead monitor's.
    pub(crate) fn bind(dir: &Path) -> Result<Self> {
        let bound = || -> Result<Self> {
            // The gate's user is another one: it may pass through the folder and write to the socket. The
            // folder above is ours alone, so nobody else on the host comes near.
            DirBuilder::new().recursive(true).mode(0o711).create(dir)?;
            fs::set_permissions(dir, Permissions::from_mode(0o711))?;
            let short = SocketDir::open(dir)?;
            short.clear(CONTROL_SOCKET)?;
            let fd = packet::listen_at(&short.path(CONTROL_SOCKET))?;
            fs::set_permissions(short.path(CONTROL_SOCKET), Permissions::from_mode(0o666))?;
            packet::set_nonblocking(&fd)?;
            Ok(Self { socket: readiness::watch(fd)?, _dir: short })
        };
        bound().with_context(|| format!("could not make the gate's control socket in {}", dir.display()))
    }

    /// Accepts gates for ever, and passes on what they say.
    pub(crate) async fn serve(self, happenings: mpsc::Sender<Happening>) -> Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            let accept = |fd: &AsyncFd<OwnedFd>| {
                packet::accept_one(fd.get_ref().as_fd(), SockFlag::SOCK_NONBLOCK)
                    .map_err(std::io::Error::from)
            };
            let Ok(accepted) = ready.try_io(accept) else { continue };
            let link = GateLink { socket: Arc::new(readiness::watch(accepted?)?) };
            tokio::spawn(listen_to(link, happenings.clone()));
        }
    }
}

/// One connection of a gate.
#[derive(Clone, Debug)]
pub(crate) struct GateLink {
    socket: Arc<AsyncFd<OwnedFd>>,
}

impl GateLink {
    /// Sends one frame, with `fd` beside it.
    pub(crate) async fn send(&self, frame: &MonitorFrame, fd: Option<BorrowedFd<'_>>) -> Result<()> {
        let bytes = postcard::to_stdvec(frame)?;
        if bytes.len() > MAX_FRAME {
            bail!(
                "a frame of {} bytes is too long for the gate: shorten the policy's [[commands.rule]]",
                bytes.len()
            );
        }
        let send = |socket: &OwnedFd| packet::send(socket.as_fd(), &bytes, fd).map_err(std::io::Error::from);
        self.socket.async_io(Interest::WRITABLE, send).await.context("the gate's control channel broke")
    }

    /// Whether `other` is the same connection.
    pub(crate) fn is(&self, other: &GateLink) -> bool {
        Arc::ptr_eq(&self.socket, &other.socket)
    }

    async fn receive(&self, buffer: &mut [u8]) -> Result<Option<GateFrame>> {
        let receive =
            |socket: &OwnedFd| packet::receive(socket.as_fd(), buffer).map_err(std::io::Error::from);
        match self.socket.async_io(Interest::READABLE, receive).await {
            Ok(Received::Packet { bytes, fd: _ }) => {
                let frame = buffer.get(..bytes).unwrap_or_default();
                Ok(Some(postcard::from_bytes(frame).context("the gate sent a frame that is none")?))
            }
            Ok(Received::Truncated) => bail!("the gate sent a frame that is too long"),
            Ok(Received::Closed) => Ok(None),
            Err(e) if e.raw_os_error() == Some(Errno::ECONNRESET as i32) => Ok(None),
            Err(e) => Err(e).context("the gate's control channel broke"),
        }
    }
}

async fn listen_to(link: GateLink, happenings: mpsc::Sender<Happening>) {
    let mut buffer = vec![0; MAX_FRAME];
    loop {
        let frame = match link.receive(&mut buffer).await {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(e) => {
                eprintln!("creel: {e:#}");
                break;
            }
        };
        if happenings.send(Happening::Gate(link.clone(), frame)).await.is_err() {
            return;
        }
    }
    let _ = happenings.send(Happening::GateClosed(link)).await;
}
