//! Records on their way into the spool, and what waits for them: an action goes on when its record is safe. Where
//! the spool is full, actions wait in their order; those that wait for too long do not happen.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Written;
use crate::audit::record::{Entry, Event, Gap, Outcome};
use crate::audit::spool::{AppendError, SpoolWriter};
use crate::policy::model::Durability;

/// How long an action waits for its record. The monitor tries the log again four times a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// Actions that wait are processes that stand still, so the workload's own limit bounds them; this is for certain.
const MOST_WAITING: usize = 100_000;

/// `T`: what is done when the record is safe.
pub(super) struct Recorder<T> {
    spool: SpoolWriter,
    durability: Durability,
    written: Written,
    waiting: VecDeque<Waiting<T>>,
    /// Records that were given up, to be told of when there is room.
    lost: u64,
}

struct Waiting<T> {
    entry: Entry,
    then: T,
    since: Instant,
}

impl<T> Recorder<T> {
    pub(super) fn new(spool: SpoolWriter, durability: Durability, written: Written) -> Self {
        Self { spool, durability, written, waiting: VecDeque::new(), lost: 0 }
    }

    /// Whether the action may go on before its record is written.
    pub(super) fn may_follow(&self) -> bool {
        self.durability == Durability::Async && self.waiting.is_empty()
    }

    /// Gives `then` back when the record is safe; keeps it while it has to wait.
    pub(super) fn record(&mut self, entry: Entry, then: T) -> Option<T> {
        if self.waiting.is_empty() && self.write(&entry) {
            return Some(then);
        }
        if self.waiting.len() >= MOST_WAITING {
            self.lost += 1;
            return None;
        }
        self.waiting.push_back(Waiting { entry, then, since: Instant::now() });
        None
    }

    /// There is room: what can go on now.
    pub(super) fn consumed(&mut self, offset: u64) -> Vec<T> {
        self.spool.set_consumed(offset);
        let mut ready = Vec::new();
        while let Some(next) = self.waiting.pop_front() {
            if !self.write(&next.entry) {
                self.waiting.push_front(next);
                break;
            }
            ready.push(next.then);
        }
        if self.lost > 0 && self.waiting.is_empty() {
            let reason = "the audit log could not be written; these actions were denied".to_owned();
            let gap = Event::Gap(Gap { count: Some(self.lost), reason });
            let entry = Entry { ts_us: now_us(), outcome: Outcome::Deny, rule: None, by: None, event: gap };
            if self.write(&entry) {
                self.lost = 0;
            }
        }
        ready
    }

    /// What has waited for too long, and must not happen.
    pub(super) fn expired(&mut self) -> Vec<T> {
        let mut expired = Vec::new();
        while let Some(next) = self.waiting.pop_front_if(|next| next.since.elapsed() > PATIENCE) {
            self.lost += 1;
            expired.push(next.then);
        }
        expired
    }

    /// Whether anything waits for room.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn write(&mut self, entry: &Entry) -> bool {
        let written = self.spool.append(entry);
        let safe = match written {
            Ok(_) => self.durability != Durability::Synced || self.spool.sync().is_ok(),
            Err(AppendError::Full) => false,
            Err(e @ (AppendError::TooLarge | AppendError::Io(_))) => {
                eprintln!("creel: a record was not written: {e}");
                false
            }
        };
        self.written.set(self.spool.written());
        safe
    }
}

/// Microseconds since the epoch.
pub(super) fn now_us() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::spool;

    fn entry() -> Entry {
        let gap = Event::Gap(Gap { count: None, reason: "x".repeat(60_000) });
        Entry { ts_us: 1, outcome: Outcome::Allow, rule: None, by: None, event: gap }
    }

    #[test]
    fn what_does_not_fit_waits_its_turn() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = spool::create(&dir.path().join("spool"), spool::MIN_CAPACITY).expect("a spool");
        let writer = SpoolWriter::new(file, spool::MIN_CAPACITY, 0, 0).expect("a writer");
        let mut recorder = Recorder::new(writer, Durability::Written, Written::default());
        let mut went = Vec::new();
        for n in 0..100 {
            went.extend(recorder.record(entry(), n));
        }
        assert!(!went.is_empty() && went.len() < 100, "some fit, and some did not: {}", went.len());
        while went.len() < 100 {
            let before = went.len();
            went.extend(recorder.consumed(recorder.written.get()));
            assert!(went.len() > before, "room was made, so something went on");
        }
        assert!(went.is_sorted());
        assert!(recorder.expired().is_empty());
    }
}
