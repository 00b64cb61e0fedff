//! The questions that are open, as the monitor tells them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::approval::Question;
use crate::wire::MonitorEvent;

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) waiting: usize,
    until: Instant,
}

impl Asked {
    pub(super) fn seconds(&self, now: Instant) -> u64 {
        self.until.saturating_duration_since(now).as_secs()
    }
}

#[derive(Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<u32, Asked>,
}

impl Questions {
    pub(super) fn hear(&mut self, event: MonitorEvent, now: Instant) {
        match event {
            MonitorEvent::Question { number, waiting, seconds, question } => {
                // One that is told again is another process's that waits for the same answer.
                let until = now + Duration::from_secs(seconds.min(u64::from(u32::MAX)));
                self.open.insert(number, Asked { question: *question, waiting, until });
            }
            MonitorEvent::Settled { number, .. } => self.remove(number),
            _ => {}
        }
    }

    /// The oldest one.
    pub(super) fn first(&self) -> Option<(u32, &Asked)> {
        self.open.first_key_value().map(|(number, asked)| (*number, asked))
    }

    pub(super) fn get(&self, number: u32) -> Option<&Asked> {
        self.open.get(&number)
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.open.remove(&number);
    }

    /// All of them, which are then not open any more.
    pub(super) fn take(&mut self) -> impl Iterator<Item = u32> + use<> {
        std::mem::take(&mut self.open).into_keys()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u32, waiting: usize, seconds: u64) -> MonitorEvent {
        MonitorEvent::Question { number, waiting, seconds, question: Box::default() }
    }

    #[test]
    fn they_come_in_order_and_go() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        questions.hear(event(7, 1, 100), now);
        questions.hear(event(3, 1, 90), now);
        questions.hear(event(3, 5, u64::MAX), now);
        let (number, asked) = questions.first().expect("open");
        assert_eq!((number, asked.waiting, questions.len()), (3, 5, 2));
        assert_eq!(questions.get(7).expect("open").seconds(now + Duration::from_secs(1)), 99);
        questions.hear(MonitorEvent::Settled { number: 3, allow: true, by: None }, now);
        assert_eq!(questions.first().map(|(number, _)| number), Some(7));
        assert_eq!(questions.take().collect::<Vec<_>>(), [7]);
        assert!(questions.is_empty());
    }
}
