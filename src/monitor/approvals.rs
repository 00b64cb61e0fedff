//! Questions on their way from the gate to whoever answers, and back: a hook, the terminals that are connected, or
//! nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::clock::now_us;
use super::happening::{ClientId, Happening};
use super::run::{HANGUP_PATIENCE, Run};
use crate::approval::decisions::{self, Always};
use crate::approval::hook::{self, HookError, HookVerdict};
use crate::approval::queue::{Asked, Settled};
use crate::approval::{Decision, Question};
use crate::audit::record::{By, Cause};
use crate::policy::model::WithoutTerminal;
use crate::wire::{MonitorEvent, MonitorFrame};

/// Hooks that run at once; the others wait their turn, within their time-out.
pub(super) const HOOKS: usize = 8;

/// What a hook reads on its stdin.
#[derive(Serialize)]
struct HookQuestion<'a> {
    v: u8,
    sandbox: &'a str,
    run: String,
    question: &'a Question,
}

impl Run {
    pub(super) async fn asked(&mut self, question: Question) {
        let always = self.always();
        let (now, timeout) = (Instant::now(), self.spec.policy.approvals.timeout);
        match self.queue.ask(question, &always, now, timeout) {
            Asked::Answered(answer) => {
                self.settle(Settled { answers: vec![answer], closed: Vec::new() }).await;
            }
            Asked::Joined(number) => self.tell_question(number),
            Asked::New(number) => {
                let sender = self.sender.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(timeout).await;
                    let _ = sender.send(Happening::QuestionsExpire).await;
                });
                if self.spec.policy.approvals.hook.is_empty() {
                    self.ask_people(number).await;
                } else {
                    self.ask_hook(number);
                }
            }
        }
    }

    /// What the user has allowed for good, as the file has it now.
    fn always(&self) -> Always {
        Always::load(&self.paths.decisions()).unwrap_or_else(|e| {
            eprintln!("creel: {e:#}");
            Always::default()
        })
    }

    async fn ask_people(&mut self, number: u32) {
        if self.clients.any_approver() {
            self.tell_question(number);
        } else if !self.waits_for_people() {
            let settled = self.queue.deny_one(number, By::Policy);
            self.settle(settled).await;
        }
    }

    /// Whether a question may stay open though nobody is there.
    fn waits_for_people(&self) -> bool {
        self.approvers_may_come || self.spec.policy.approvals.without_terminal == WithoutTerminal::Wait
    }

    fn ask_hook(&self, number: u32) {
        let Some(open) = self.queue.get(number) else { return };
        let question = HookQuestion {
            v: 1,
            sandbox: self.spec.name.as_str(),
            run: self.spec.run.to_string(),
            question: &open.question,
        };
        let bytes = serde_json::to_vec(&question).unwrap_or_default();
        let hook = self.spec.policy.approvals.hook.clone();
        let patience = open.deadline().saturating_duration_since(Instant::now());
        let (sender, turns) = (self.sender.clone(), Arc::clone(&self.hook_turns));
        tokio::spawn(async move {
            let asked = async {
                let _turn = turns.acquire().await;
                hook::ask(&hook, &bytes, patience).await
            };
            let said = tokio::time::timeout(patience, asked).await.unwrap_or(Err(HookError::Late(patience)));
            let _ = sender.send(Happening::HookSaid(number, said)).await;
        });
    }

    pub(super) async fn hook_said(&mut self, number: u32, said: Result<HookVerdict, HookError>) {
        let decision = match said {
            Ok(HookVerdict::Allow) => Decision::Once,
            Ok(HookVerdict::Deny) => Decision::Deny,
            Ok(HookVerdict::Ask) => return self.ask_people(number).await,
            Err(e) => {
                eprintln!("creel: approvals.hook: {e}; that counts as “deny”");
                let settled = self.queue.deny_one(number, By::Hook);
                return self.settle(settled).await;
            }
        };
        if let Some(settled) = self.queue.answer(number, decision, By::Hook, &self.always(), Instant::now()) {
            self.settle(settled).await;
        }
    }

    /// A connection begins to show questions.
    pub(super) fn approver_came(&mut self, id: ClientId, terminal: bool) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.approver = Some(terminal);
        let numbers: Vec<u32> = self.queue.open().map(|open| open.number).collect();
        for number in numbers {
            if let Some(event) = self.question_event(number) {
                self.clients.tell(id, event);
            }
        }
        self.clients.tell(id, MonitorEvent::NoMoreQuestions);
    }

    pub(super) async fn answered(&mut self, id: ClientId, number: u32, decision: Decision) {
        let terminal = self.clients.get_mut(id).and_then(|client| client.approver).unwrap_or(false);
        let by = if terminal { By::Terminal } else { By::Approve };
        let Some(open) = self.queue.get(number) else {
            return self.refuse(id, &anyhow!("question {number} is not open any more"));
        };
        if decision == Decision::Always {
            let at =
                jiff::Timestamp::from_microsecond(now_us().cast_signed()).unwrap_or_default().to_string();
            if let Err(e) = decisions::remember(&self.paths.decisions(), &open.question, &at) {
                self.refuse(id, &e.context("the answer counts for this once"));
            }
        }
        let always = self.always();
        let Some(settled) = self.queue.answer(number, decision, by, &always, Instant::now()) else { return };
        self.state.decisions = self.queue.memory.clone();
        self.save();
        self.settle(settled).await;
        if self.clients.get_mut(id).is_some_and(|client| client.approver.is_none()) {
            self.clients.tell(id, MonitorEvent::Settled { number, allow: decision.allows(), by: Some(by) });
        }
        if decision == Decision::DenyAndStop {
            self.stop(Cause::Stopped, HANGUP_PATIENCE);
        }
    }

    pub(super) async fn questions_expire(&mut self) {
        let settled = self.queue.expire(Instant::now());
        self.settle(settled).await;
    }

    /// The last person may have gone: what they have not answered, nobody will.
    pub(super) async fn deny_unless_answered(&mut self) {
        let hook = !self.spec.policy.approvals.hook.is_empty();
        if !hook && !self.clients.any_approver() && !self.waits_for_people() {
            let settled = self.queue.deny_all(By::Policy);
            self.settle(settled).await;
        }
    }

    pub(super) fn question_gone(&mut self, id: u64) {
        if let Some(number) = self.queue.gone(id) {
            self.clients.tell_approvers(&MonitorEvent::Settled { number, allow: false, by: None });
        }
    }

    /// Tells the gate what was decided, and everybody that it was.
    async fn settle(&mut self, settled: Settled) {
        let by = settled.answers.first().map(|answer| answer.by);
        for answer in settled.answers {
            let frame = MonitorFrame::Answer { id: answer.id, allow: answer.allow, by: answer.by };
            // A gate that does not hear this asks again when it is back.
            if let Some(gate) = &self.gate
                && let Err(e) = gate.send(&frame, None).await
            {
                eprintln!("creel: {e:#}");
            }
        }
        for (number, allow) in settled.closed {
            self.clients.tell_approvers(&MonitorEvent::Settled { number, allow, by });
        }
    }

    fn tell_question(&mut self, number: u32) {
        if let Some(event) = self.question_event(number) {
            self.clients.tell_approvers(&event);
        }
    }

    fn question_event(&self, number: u32) -> Option<MonitorEvent> {
        let open = self.queue.get(number)?;
        Some(MonitorEvent::Question {
            number,
            waiting: open.waiting(),
            seconds: open.deadline().saturating_duration_since(Instant::now()).as_secs(),
            question: Box::new(open.question.clone()),
        })
    }

    /// After a takeover the terminal of a foreground run has a moment to come back.
    pub(super) fn expect_approvers(&mut self, patience: Duration) {
        self.approvers_may_come = true;
        let sender = self.sender.clone();
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            let _ = sender.send(Happening::ApproversLate).await;
        });
    }

    pub(super) async fn approvers_late(&mut self) {
        self.approvers_may_come = false;
        self.deny_unless_answered().await;
    }

    pub(super) fn hook_turns() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(HOOKS))
    }
}
