//! What the tracer has to be told by other threads, and the descriptor that wakes it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::Order;
use crate::sys::wait::Change;

pub(super) enum Message {
    Order(Order),
    Change(Change),
}

pub(super) struct Inbox {
    queue: Mutex<VecDeque<Message>>,
    wake: EventFd,
}

impl Inbox {
    pub(super) fn new() -> Result<Self, Errno> {
        let wake = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { queue: Mutex::default(), wake })
    }

    pub(super) fn put(&self, message: Message) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(message);
        // Whoever takes takes all: one waking is enough. It fails only where the counter would overflow.
        if queue.len() == 1 {
            let _ = self.wake.write(1);
        }
    }

    /// Everything that has come since the last call.
    pub(super) fn take(&self) -> VecDeque<Message> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.wake.read();
        std::mem::take(&mut queue)
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
