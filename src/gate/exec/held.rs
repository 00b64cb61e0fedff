//! Processes that stand at their exec stop until somebody has said what becomes of them, and what was said of texts
//! whose parts follow as execs of their own.

use std::collections::VecDeque;

use super::kill;
use super::procfs::{self, Identity};
use super::question::question;
use super::script::Scripts;
use super::stopped::let_go;
use super::tracer::{Then, Tracer};
use crate::approval::Question;
use crate::audit::record::{By, Entry, Event, Exec, Outcome};
use crate::judge::Finding;
use crate::sys::{arch, ptrace};
use crate::wire::GateFrame;

/// What a denied program ends with, as a shell does for what it may not execute.
pub(super) const EXIT_DENIED: u8 = 126;
/// How far up the ancestors of a process are looked through for one that was allowed.
const ANCESTORS: usize = 64;
/// Texts that were allowed, the latest.
const ALLOWED: usize = 256;
/// What may stand still at once: more is denied, as each is a process.
const HELD: usize = 2000;

/// A process that waits for its answer.
pub(super) struct Held {
    question: Question,
    start: u64,
    exec: Exec,
    rule: Option<String>,
    line: String,
    findings: Vec<Finding>,
    /// The scripts that it will read, by path, and what was in them when it was judged.
    scripts: Vec<(Vec<u8>, [u8; 32])>,
}

impl Held {
    /// Whether a script is another one by now: what was shown, and allowed, is not what would run.
    fn has_changed(&self) -> bool {
        let now = Scripts::of(self.question.pid.cast_signed());
        self.scripts.iter().for_each(|(path, _)| drop(now.read(path)));
        now.digests() != self.scripts
    }
}

/// What a person has allowed of one process: the dangers of its text may be executed by it and by its descendants.
struct Allowed {
    pid: u32,
    start: u64,
    findings: Vec<Finding>,
}

/// What stands still, and what was allowed.
#[derive(Default)]
pub(super) struct Asks {
    held: Vec<Held>,
    allowed: VecDeque<Allowed>,
    counter: u64,
}

impl Tracer {
    /// Holds a process for an answer, or lets it go where its parent's text had one that covers it.
    pub(super) fn ask(
        &mut self,
        identity: &Identity,
        exec: Exec,
        rule: Option<String>,
        line: String,
        findings: Vec<Finding>,
        scripts: &Scripts,
    ) {
        let pid = identity.pid.cast_signed();
        if self.asks.covers(identity, &findings) {
            let entry = entry(exec, rule, true, By::Remembered);
            return self.record(entry, Then::LetGo { pid });
        }
        if self.asks.held.len() >= HELD {
            end_denied(pid);
            self.tell(pid, line, None);
            return self.record(entry(exec, rule, false, By::Policy), Then::Nothing);
        }
        self.asks.counter += 1;
        let question = question(self.asks.counter, identity, &exec, &findings, scripts);
        self.tell_monitor(GateFrame::Ask(Box::new(question.clone())));
        let scripts = scripts.digests();
        self.asks.held.push(Held { question, start: identity.start, exec, rule, line, findings, scripts });
    }

    pub(super) fn answered(&mut self, id: u64, allow: bool, by: By) {
        let Some(held) = self.asks.take(|held| held.question.id == id) else { return };
        let has_changed = allow && held.has_changed();
        let Held { question, start, mut exec, rule, line, findings, scripts: _ } = held;
        let pid = question.pid.cast_signed();
        let (allow, by) = if has_changed {
            exec.reason = Some("its script was changed while it was waiting for an answer".to_owned());
            (false, By::Policy)
        } else {
            (allow, by)
        };
        if allow {
            exec.reason = None;
            self.asks.allow(Allowed { pid: question.pid, start, findings });
            self.record(entry(exec, rule, true, by), Then::LetGo { pid });
        } else {
            self.tell(pid, line, None);
            end_denied(pid);
            self.record(entry(exec, rule, false, by), Then::Nothing);
        }
    }

    /// A process has ended: if it was waiting, nobody needs to answer.
    pub(super) fn held_ended(&mut self, pid: i32) {
        let Some(held) = self.asks.take(|held| held.question.pid.cast_signed() == pid) else { return };
        self.tell_monitor(GateFrame::AskGone { id: held.question.id });
        let mut exec = held.exec;
        exec.reason = Some("it ended while it was waiting for an answer".to_owned());
        self.record(entry(exec, held.rule, false, By::Policy), Then::Nothing);
    }

    /// A new monitor knows of no questions.
    pub(super) fn ask_again(&self) {
        for held in &self.asks.held {
            self.tell_monitor(GateFrame::Ask(Box::new(held.question.clone())));
        }
    }
}

impl Asks {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn take(&mut self, which: impl Fn(&Held) -> bool) -> Option<Held> {
        let at = self.held.iter().position(which)?;
        Some(self.held.swap_remove(at))
    }

    fn allow(&mut self, allowed: Allowed) {
        if self.allowed.len() >= ALLOWED {
            self.allowed.pop_front();
        }
        self.allowed.push_back(allowed);
    }

    /// Whether all of this was in a text that was allowed, of the process itself or of one above it.
    fn covers(&self, identity: &Identity, findings: &[Finding]) -> bool {
        if self.allowed.is_empty() || findings.is_empty() {
            return false;
        }
        let mut at = Some((identity.pid, identity.start, identity.ppid));
        for _ in 0..ANCESTORS {
            let Some((pid, start, ppid)) = at else { return false };
            let said = self.allowed.iter().filter(|allowed| allowed.pid == pid && allowed.start == start);
            for allowed in said {
                if findings.iter().all(|finding| allowed.findings.iter().any(|known| is_same(known, finding)))
                {
                    return true;
                }
            }
            at = (ppid > 1)
                .then(|| procfs::parent_and_start(ppid.cast_signed()))
                .flatten()
                .map(|(above, start)| (ppid, start, above));
        }
        false
    }
}

/// A part of a command that was not known when it was allowed covers nothing.
fn is_same(known: &Finding, finding: &Finding) -> bool {
    known.rule == finding.rule
        && known.command == finding.command
        && known.is_certain()
        && known.cwd == finding.cwd
}

/// Ends a process that stands at its exec stop as if it had ended by itself; kills it where that can't be.
fn end_denied(pid: i32) {
    let ended = ptrace::registers(pid).and_then(|registers| {
        let at = arch::instruction_pointer(&registers);
        for (word, code) in (0_u64..).zip(arch::exit_group(EXIT_DENIED)) {
            ptrace::poke(pid, at.wrapping_add(word * 8), code)?;
        }
        Ok(())
    });
    match ended {
        Ok(()) => let_go(pid),
        Err(_) => kill::process(pid),
    }
}

fn entry(exec: Exec, rule: Option<String>, allow: bool, by: By) -> Entry {
    let outcome = if allow { Outcome::Allow } else { Outcome::Deny };
    Entry { ts_us: super::recorder::now_us(), outcome, rule, by: Some(by), event: Event::Exec(exec) }
}
