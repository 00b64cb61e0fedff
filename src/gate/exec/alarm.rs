//! What the tracer waits for besides its inbox and its listeners, behind one descriptor: an alarm, and the ends of
//! announced processes.
//!
//! The alarm is set when something first needs it, and then left: a time-out for each wait would have the kernel set
//! and clear a timer around every exec, which costs more than all the rest where the machine is a virtual one.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// No announcement has this number.
const ALARM: u64 = u64::MAX;
/// Taken at once; the rest comes with the next call.
const BATCH: usize = 32;

pub(super) struct Alarm {
    epoll: Epoll,
    timer: TimerFd,
    is_set: bool,
    announced: Vec<(u64, OwnedFd)>,
}

/// What has come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rang {
    pub(super) alarm: bool,
    /// Announced processes that have ended.
    pub(super) ended: Vec<u64>,
}

impl Alarm {
    pub(super) fn new() -> Result<Self, Errno> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer =
            TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, ALARM))?;
        Ok(Self { epoll, timer, is_set: false, announced: Vec::new() })
    }

    /// Rings within `delay`; one that is set already stays as it is.
    pub(super) fn set(&mut self, delay: Duration) {
        if self.is_set {
            return;
        }
        let once = Expiration::OneShot(TimeSpec::from_duration(delay));
        // It fails for impossible times alone.
        self.is_set = self.timer.set(once, TimerSetTimeFlags::empty()).is_ok();
    }

    /// Rings when this process has ended.
    pub(super) fn watch(&mut self, id: u64, process: OwnedFd) -> Result<(), Errno> {
        self.epoll.add(&process, EpollEvent::new(EpollFlags::EPOLLIN, id))?;
        self.announced.push((id, process));
        Ok(())
    }

    /// What has come since the last call.
    pub(super) fn take(&mut self) -> Rang {
        let mut rang = Rang::default();
        let mut events = [EpollEvent::empty(); BATCH];
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
        for event in events.iter().take(count) {
            if event.data() == ALARM {
                let _ = self.timer.wait();
                self.is_set = false;
                rang.alarm = true;
            } else {
                rang.ended.push(event.data());
            }
        }
        // A descriptor that is closed leaves the set by itself.
        self.announced.retain(|(id, _)| !rang.ended.contains(id));
        rang
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    fn wait(alarm: &Alarm) {
        let mut polled = [PollFd::new(alarm.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut polled, PollTimeout::NONE), Ok(1));
    }

    #[test]
    fn it_rings_once_for_each_setting_and_for_each_end() {
        let mut alarm = Alarm::new().expect("descriptors");
        assert_eq!(alarm.take(), Rang::default());
        alarm.set(Duration::from_millis(1));
        alarm.set(Duration::from_secs(1000));
        wait(&alarm);
        assert_eq!(alarm.take(), Rang { alarm: true, ended: vec![] });
        assert_eq!(alarm.take(), Rang::default());

        let mut child = std::process::Command::new("true").spawn().expect("it starts");
        let process = crate::sys::pidfd::open(child.id().cast_signed()).expect("there");
        alarm.watch(7, process).expect("watched");
        wait(&alarm);
        assert_eq!(alarm.take(), Rang { alarm: false, ended: vec![7] });
        assert_eq!(alarm.take(), Rang::default());
        child.wait().expect("waited for");
    }
}
