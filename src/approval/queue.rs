//! What is open, and what becomes of a question: remembered, joined to one that is the same, or put before a person.
//! No I/O and no clock of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::decisions::Always;
use super::{Decision, Question};
use crate::audit::record::By;

/// Questions that may be open at once: more than anybody reads.
const OPEN: usize = 1000;
/// Exact commands that are remembered, of each kind; the oldest go first.
const REMEMBERED: usize = 4096;
/// A rule that a person has denied so often within the window is not asked about again in it: each new spelling of the
/// same thing would else be a question.
const DENIALS: usize = 5;
const DENIAL_WINDOW: Duration = Duration::from_secs(600);

/// What the gate is told about one process that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) id: u64,
    pub(crate) allow: bool,
    pub(crate) by: By,
}

/// What a run has been told, for as long as it lasts. Kept over a monitor's death.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    allowed: VecDeque<String>,
    denied: VecDeque<String>,
    rules: BTreeSet<String>,
}

/// One question that is open.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) number: u32,
    pub(crate) question: Question,
    deadline: Instant,
    /// Processes that wait for the same answer.
    waiting: Vec<u64>,
}

impl Open {
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// What became of a question that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Answered(Answer),
    /// It is open now, under this number.
    New(u32),
    /// The same question was open.
    Joined(u32),
}

/// What an answer led to: processes to be told, and questions that are not open any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) answers: Vec<Answer>,
    pub(crate) closed: Vec<(u32, bool)>,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    open: BTreeMap<u32, Open>,
    next: u32,
    pub(crate) memory: Memory,
    denials: VecDeque<(Instant, String)>,
}

impl Queue {
    pub(crate) fn new(memory: Memory) -> Self {
        Self { memory, ..Self::default() }
    }

    pub(crate) fn ask(
        &mut self,
        question: Question,
        always: &Always,
        now: Instant,
        timeout: Duration,
    ) -> Asked {
        let id = question.id;
        if let Some(allow) = self.remembered(&question, always, now) {
            return Asked::Answered(Answer { id, allow, by: By::Remembered });
        }
        if let Some(open) = self.open.values_mut().find(|open| open.question.digest == question.digest) {
            // A gate asks again after a monitor has died.
            if !open.waiting.contains(&id) {
                open.waiting.push(id);
            }
            return Asked::Joined(open.number);
        }
        if self.open.len() >= OPEN {
            return Asked::Answered(Answer { id, allow: false, by: By::Policy });
        }
        self.next += 1;
        let number = self.next;
        let open = Open { number, question, deadline: now + timeout, waiting: vec![id] };
        self.open.insert(number, open);
        Asked::New(number)
    }

    /// What was said before to this, or to what it is an instance of.
    fn remembered(&mut self, question: &Question, always: &Always, now: Instant) -> Option<bool> {
        let memory = &self.memory;
        if memory.denied.contains(&question.digest) {
            return Some(false);
        }
        if memory.allowed.contains(&question.digest) {
            return Some(true);
        }
        let is_known = |danger: &super::Danger| {
            memory.rules.contains(&danger.rule) || danger.key.as_ref().is_some_and(|key| always.has(key))
        };
        if !question.dangers.is_empty() && question.dangers.iter().all(is_known) {
            return Some(true);
        }
        while self.denials.front().is_some_and(|(at, _)| now.duration_since(*at) > DENIAL_WINDOW) {
            self.denials.pop_front();
        }
        let denials = |rule: &str| self.denials.iter().filter(|(_, denied)| denied == rule).count();
        question.dangers.iter().any(|danger| denials(&danger.rule) >= DENIALS).then_some(false)
    }

    /// A person's or a hook's word. `None`: no such question is open.
    pub(crate) fn answer(
        &mut self,
        number: u32,
        decision: Decision,
        by: By,
        always: &Always,
        now: Instant,
    ) -> Option<Settled> {
        let open = self.open.remove(&number)?;
        let question = &open.question;
        let memory = &mut self.memory;
        match decision {
            Decision::Once => {}
            Decision::Session | Decision::Always => remember(&mut memory.allowed, &question.digest),
            Decision::Rule => memory.rules.extend(question.dangers.iter().map(|danger| danger.rule.clone())),
            Decision::Deny | Decision::DenyAndStop => {
                remember(&mut memory.denied, &question.digest);
                self.denials.extend(question.dangers.iter().map(|danger| (now, danger.rule.clone())));
                while self.denials.len() > REMEMBERED {
                    self.denials.pop_front();
                }
            }
        }
        let allow = decision.allows();
        let mut settled = Settled { answers: answers(&open, allow, by), closed: vec![(number, allow)] };
        // What was said settles other questions too.
        let open: Vec<Question> = self.open.values().map(|open| open.question.clone()).collect();
        for question in open {
            let Some(allow) = self.remembered(&question, always, now) else { continue };
            let same = self.open.extract_if(.., |_, open| open.question.digest == question.digest);
            for (number, open) in same {
                settled.answers.extend(answers(&open, allow, By::Remembered));
                settled.closed.push((number, allow));
            }
        }
        Some(settled)
    }

    /// The process has gone. Says which question nobody waits for any more.
    pub(crate) fn gone(&mut self, id: u64) -> Option<u32> {
        for open in self.open.values_mut() {
            open.waiting.retain(|waiting| *waiting != id);
        }
        let number = self.open.values().find(|open| open.waiting.is_empty())?.number;
        self.open.remove(&number);
        Some(number)
    }

    /// What has waited for too long.
    pub(crate) fn expire(&mut self, now: Instant) -> Settled {
        let late: Vec<Open> =
            self.open.extract_if(.., |_, open| open.deadline <= now).map(|(_, open)| open).collect();
        denied(&late, By::Timeout)
    }

    /// Nobody is there to be asked.
    pub(crate) fn deny_all(&mut self, by: By) -> Settled {
        let all: Vec<Open> = std::mem::take(&mut self.open).into_values().collect();
        denied(&all, by)
    }

    pub(crate) fn deny_one(&mut self, number: u32, by: By) -> Settled {
        let one: Vec<Open> = self.open.remove(&number).into_iter().collect();
        denied(&one, by)
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Open> {
        self.open.get(&number)
    }
}

fn answers(open: &Open, allow: bool, by: By) -> Vec<Answer> {
    open.waiting.iter().map(|&id| Answer { id, allow, by }).collect()
}

fn denied(all: &[Open], by: By) -> Settled {
    Settled {
        answers: all.iter().flat_map(|open| answers(open, false, by)).collect(),
        closed: all.iter().map(|open| (open.number, false)).collect(),
    }
}

fn remember(list: &mut VecDeque<String>, digest: &str) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(digest.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::Danger;
    use crate::judge::Severity;

    const TIMEOUT: Duration = Duration::from_secs(120);

    fn question(id: u64, digest: &str, rule: &str) -> Question {
        let danger = Danger {
            rule: rule.to_owned(),
            severity: Severity::High,
            reason: "deletes".to_owned(),
            instead: None,
            command: "rm".into(),
            key: Some(format!("key of {digest}")),
        };
        Question { id, digest: digest.to_owned(), dangers: vec![danger], ..Question::default() }
    }

    fn answer(id: u64, allow: bool, by: By) -> Answer {
        Answer { id, allow, by }
    }

    #[test]
    fn the_same_question_is_asked_once_and_all_are_answered() {
        let (mut queue, now, always) = (Queue::default(), Instant::now(), Always::default());
        assert_eq!(queue.ask(question(1, "a", "r"), &always, now, TIMEOUT), Asked::New(1));
        for id in 2..=10 {
            assert_eq!(queue.ask(question(id, "a", "r"), &always, now, TIMEOUT), Asked::Joined(1));
        }
        assert_eq!(queue.ask(question(11, "b", "r"), &always, now, TIMEOUT), Asked::New(2));
        let settled = queue.answer(1, Decision::Once, By::Terminal, &always, now).expect("open");
        assert_eq!(settled.answers.len(), 10);
        assert!(settled.answers.iter().all(|answer| answer.allow && answer.by == By::Terminal));
        assert_eq!(queue.open().count(), 1);
        assert_eq!(queue.ask(question(12, "a", "r"), &always, now, TIMEOUT), Asked::New(3), "once is once");
        assert_eq!(queue.answer(1, Decision::Once, By::Terminal, &always, now), None);
    }

    #[test]
    fn a_session_remembers_the_exact_command_and_a_rule_all_of_it() {
        let (mut queue, now, always) = (Queue::default(), Instant::now(), Always::default());
        queue.ask(question(1, "a", "r"), &always, now, TIMEOUT);
        queue.answer(1, Decision::Session, By::Terminal, &always, now);
        let yes = Asked::Answered(answer(2, true, By::Remembered));
        assert_eq!(queue.ask(question(2, "a", "r"), &always, now, TIMEOUT), yes);
        assert_eq!(queue.ask(question(3, "b", "r"), &always, now, TIMEOUT), Asked::New(2));
        queue.ask(question(4, "c", "r"), &always, now, TIMEOUT);
        let settled = queue.answer(2, Decision::Rule, By::Terminal, &always, now).expect("open");
        assert!(settled.answers.contains(&answer(4, true, By::Remembered)), "{settled:?}");
        let kept = serde_json::to_string(&queue.memory).expect("json");
        let mut next = Queue::new(serde_json::from_str(&kept).expect("json"));
        let yes = Asked::Answered(answer(5, true, By::Remembered));
        assert_eq!(next.ask(question(5, "d", "r"), &always, now, TIMEOUT), yes);
        assert_eq!(next.ask(question(6, "d", "other"), &always, now, TIMEOUT), Asked::New(1));
    }

    #[test]
    fn a_denied_command_is_asked_once_however_often_it_is_tried() {
        let (mut queue, now, always) = (Queue::default(), Instant::now(), Always::default());
        queue.ask(question(1, "a", "r"), &always, now, TIMEOUT);
        queue.answer(1, Decision::Deny, By::Approve, &always, now);
        for id in 2..1000 {
            let no = Asked::Answered(answer(id, false, By::Remembered));
            assert_eq!(queue.ask(question(id, "a", "r"), &always, now, TIMEOUT), no);
        }
    }

    #[test]
    fn each_time_another_spelling_of_it_is_asked_a_few_times() {
        let (mut queue, mut now, always) = (Queue::default(), Instant::now(), Always::default());
        let mut asked = 0;
        for id in 0..1000 {
            if let Asked::New(number) = queue.ask(question(id, &id.to_string(), "r"), &always, now, TIMEOUT) {
                asked += 1;
                queue.answer(number, Decision::Deny, By::Terminal, &always, now);
            }
            now += Duration::from_millis(10);
        }
        assert_eq!(asked, DENIALS);
        now += DENIAL_WINDOW + Duration::from_secs(1);
        let asked = queue.ask(question(5000, "new", "r"), &always, now, TIMEOUT);
        assert!(matches!(asked, Asked::New(_)));
    }

    #[test]
    fn what_waits_for_too_long_is_denied_and_what_has_gone_is_closed() {
        let (mut queue, now, always) = (Queue::default(), Instant::now(), Always::default());
        queue.ask(question(1, "a", "r"), &always, now, TIMEOUT);
        queue.ask(question(2, "b", "r"), &always, now + TIMEOUT, TIMEOUT);
        let settled = queue.expire(now + TIMEOUT);
        assert_eq!(settled.answers, [answer(1, false, By::Timeout)]);
        assert_eq!(queue.gone(2), Some(2));
        assert_eq!(queue.open().count(), 0);
        assert_eq!(queue.gone(2), None);
        // A time-out is no person's word: it is asked again.
        assert_eq!(queue.ask(question(3, "a", "r"), &always, now, TIMEOUT), Asked::New(3));
    }

    #[test]
    fn beyond_a_thousand_nobody_reads_them() {
        let (mut queue, now, always) = (Queue::default(), Instant::now(), Always::default());
        for id in 0..OPEN as u64 {
            queue.ask(question(id, &id.to_string(), "r"), &always, now, TIMEOUT);
        }
        let no = Asked::Answered(answer(5000, false, By::Policy));
        assert_eq!(queue.ask(question(5000, "more", "r"), &always, now, TIMEOUT), no);
        assert_eq!(queue.deny_all(By::Policy).answers.len(), OPEN);
    }

    #[test]
    fn always_needs_every_danger_to_be_known() {
        let now = Instant::now();
        let mut always = Always::default();
        always.insert("key of a".to_owned());
        let mut queue = Queue::default();
        let yes = Asked::Answered(answer(1, true, By::Remembered));
        assert_eq!(queue.ask(question(1, "a", "r"), &always, now, TIMEOUT), yes);
        let mut two = question(2, "a", "r");
        two.dangers.extend(question(2, "b", "r").dangers);
        assert_eq!(queue.ask(two.clone(), &always, now, TIMEOUT), Asked::New(1));
        two.dangers.pop();
        two.dangers.iter_mut().for_each(|danger| danger.key = None);
        two.digest = "x".to_owned();
        assert_eq!(
            queue.ask(two, &always, now, TIMEOUT),
            Asked::New(2),
            "an unknown part is never remembered"
        );
    }
}
