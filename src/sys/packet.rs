//! Sequenced packets with descriptors beside them: unix(7) SOCK_SEQPACKET, sendmsg(2), recvmsg(2), cmsg(3).
//! One packet is one frame, so nobody ever has to find where a frame ends.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr,
    accept4, bind, connect, listen, recvmsg, sendmsg, socket,
};

/// A packet as it came.
#[derive(Debug)]
pub(crate) enum Received {
    Packet {
        bytes: usize,
        fd: Option<OwnedFd>,
    },
    /// The packet, or the descriptors beside it, did not fit: nothing of it may be believed.
    Truncated,
    /// The peer has closed.
    Closed,
}

fn new_socket() -> Result<OwnedFd, Errno> {
    socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None)
}

/// Binds and listens at `path`.
pub(crate) fn listen_at(path: &Path) -> Result<OwnedFd, Errno> {
    let fd = new_socket()?;
    bind(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    listen(&fd, Backlog::new(8)?)?;
    Ok(fd)
}

/// Connects to `path`.
pub(crate) fn connect_to(path: &Path) -> Result<OwnedFd, Errno> {
    let fd = new_socket()?;
    connect(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(fd)
}

/// Accepts one connection, non-blocking if the listener is.
pub(crate) fn accept_one(listener: BorrowedFd<'_>, flags: SockFlag) -> Result<OwnedFd, Errno> {
    accept4(listener, SockFlag::SOCK_CLOEXEC | flags)
}

/// Sends one packet, with `fd` beside it.
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8], fd: Option<BorrowedFd<'_>>) -> Result<(), Errno> {
    let raw = fd.map(|fd| [fd.as_raw_fd()]);
    let rights: &[ControlMessage<'_>] = match &raw {
        Some(raw) => &[ControlMessage::ScmRights(raw)],
        None => &[],
    };
    let sent =
        sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(bytes)], rights, MsgFlags::MSG_NOSIGNAL, None)?;
    if sent == bytes.len() { Ok(()) } else { Err(Errno::EMSGSIZE) }
}

/// Receives one packet into `buffer`. Descriptors beyond the first are closed.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Received, Errno> {
    let mut space = cmsg_space!([std::os::fd::RawFd; 4]);
    let mut slices = [IoSliceMut::new(buffer)];
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = control {
            // SAFETY: the kernel has just installed these descriptors for us, and nobody else knows them.
            fds.extend(raw.into_iter().map(|raw| unsafe { OwnedFd::from_raw_fd(raw) }));
        }
    }
    if message.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC) {
        return Ok(Received::Truncated);
    }
    let bytes = message.bytes;
    let fd = if fds.is_empty() { None } else { Some(fds.swap_remove(0)) };
    Ok(if bytes == 0 && fd.is_none() { Received::Closed } else { Received::Packet { bytes, fd } })
}

/// Marks a descriptor non-blocking (fcntl(2)).
pub(crate) fn set_nonblocking(fd: impl AsFd) -> Result<(), Errno> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = OFlag::from_bits_retain(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
    fcntl(fd.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_and_its_descriptor_arrive_together() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("s");
        let listener = listen_at(&path)?;
        let client = connect_to(&path)?;
        let server = accept_one(listener.as_fd(), SockFlag::empty())?;
        let file = tempfile::tempfile()?;
        send(client.as_fd(), b"hello", Some(file.as_fd()))?;
        let mut buffer = [0; 16];
        match receive(server.as_fd(), &mut buffer)? {
            Received::Packet { bytes: 5, fd: Some(_) } => assert_eq!(&buffer[..5], b"hello"),
            other => anyhow::bail!("{other:?}"),
        }
        send(client.as_fd(), &[7; 17], None)?;
        assert!(matches!(receive(server.as_fd(), &mut buffer)?, Received::Truncated));
        drop(client);
        assert!(matches!(receive(server.as_fd(), &mut buffer)?, Received::Closed));
        Ok(())
    }
}
