//! Processes that stand at their exec stop until somebody has said what becomes of them, and what was said of texts
//! whose parts follow as execs of their own.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::procfs::{self, Identity};
use super::script::Scripts;
use super::stopped::let_go;
use super::tracer::{Then, Tracer};
use super::{file_identity, kill};
use crate::approval::{Ancestor, Danger, Question};
use crate::audit::bytes::Bytes;
use crate::audit::hex;
use crate::audit::record::{By, Entry, Event, Exec, Outcome};
use crate::judge::Finding;
use crate::sys::{arch, ptrace};
use crate::wire::GateFrame;

/// What a denied program ends with, as a shell does for what it may not execute.
pub(super) const EXIT_DENIED: u8 = 126;
/// How far up the ancestors of a process are told, and looked through for one that was allowed.
const ANCESTORS_TOLD: usize = 8;
const ANCESTORS: usize = 64;
/// Texts that were allowed, the latest.
const ALLOWED: usize = 256;
/// What is sent of a question, bytes: a frame is 128 KiB.
const ARGV_SENT: usize = 24 * 1024;
const ENV_SENT: usize = 16 * 1024;
const COMMAND_SENT: usize = 1024;
const DANGERS_SENT: usize = 16;
const ANCESTOR_SENT: usize = 512;
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
        self.scripts.iter().any(|(path, digest)| {
            now.read(path).is_none_or(|text| <[u8; 32]>::from(Sha256::digest(text)) != *digest)
        })
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
        let scripts =
            scripts.seen().into_iter().map(|(path, text)| (path, Sha256::digest(text).into())).collect();
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

fn question(id: u64, identity: &Identity, exec: &Exec, findings: &[Finding], scripts: &Scripts) -> Question {
    let file = file_identity::of(identity.pid.cast_signed(), id);
    let mut whole = Sha256::new();
    let mut bind = |tag: &str, bytes: &[u8]| {
        whole.update(tag);
        whole.update(bytes.len().to_le_bytes());
        whole.update(bytes);
    };
    bind("exe", &exec.exe.0);
    bind("file", &file);
    bind("cwd", &exec.cwd.0);
    exec.argv.iter().for_each(|arg| bind("arg", &arg.0));
    exec.argv_cut.iter().for_each(|cut| bind("cut", cut.sha256.as_bytes()));
    bind_env(exec, &mut bind);
    for (path, text) in scripts.seen() {
        bind("script", &path);
        bind("text", &text);
    }
    let (argv, argv_is_cut) = fitting(&exec.argv, ARGV_SENT, |arg| arg.0.len() + 8);
    let (env, env_is_cut) = fitting(&exec.env, ENV_SENT, |(name, value)| {
        name.0.len() + value.as_ref().map_or(0, |value| value.0.len()) + 16
    });
    Question {
        id,
        pid: identity.pid,
        uid: identity.uid,
        exe: exec.exe.clone(),
        file: exec.file.clone(),
        argv,
        cwd: exec.cwd.clone(),
        env,
        is_cut: argv_is_cut
            || env_is_cut
            || exec.argv_cut.is_some()
            || exec.env_cut.is_some()
            || findings.len() > DANGERS_SENT,
        ancestors: ancestors(identity.ppid),
        dangers: findings
            .iter()
            .take(DANGERS_SENT)
            .map(|finding| Danger {
                rule: finding.rule.clone(),
                severity: finding.severity,
                reason: finding.reason.clone(),
                instead: finding.instead.clone(),
                command: cut(&finding.command, COMMAND_SENT),
                // What is not told can't be allowed for good.
                key: (findings.len() <= DANGERS_SENT).then(|| key(exec, finding, &file, scripts)).flatten(),
            })
            .collect(),
        digest: hex(&whole.finalize()),
    }
}

/// What “always” binds; see [`Danger::key`].
fn key(exec: &Exec, finding: &Finding, file: &[u8], scripts: &Scripts) -> Option<String> {
    let cwd = finding.cwd.as_deref().filter(|_| finding.is_certain())?;
    let mut key = Sha256::new();
    let mut bind = |tag: &str, bytes: &[u8]| {
        key.update(tag);
        key.update(bytes.len().to_le_bytes());
        key.update(bytes);
    };
    bind("rule", finding.rule.as_bytes());
    bind("command", &finding.command);
    bind("cwd", cwd);
    bind_env(exec, &mut bind);
    if finding.command == line(exec) {
        bind("exe", &exec.exe.0);
        bind("file", file);
        for (path, text) in scripts.seen() {
            bind("script", &path);
            bind("text", &text);
        }
    }
    Some(hex(&key.finalize()))
}

fn bind_env(exec: &Exec, bind: &mut impl FnMut(&str, &[u8])) {
    for (name, value) in &exec.env {
        bind("name", &name.0);
        match value {
            Some(value) => bind("value", &value.0),
            None => bind("unset", b""),
        }
    }
    exec.env_cut.iter().for_each(|cut| bind("cut", cut.sha256.as_bytes()));
}

/// The command itself, as a finding about it has it.
fn line(exec: &Exec) -> Vec<u8> {
    let name = exec.exe.0.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let mut line = name.to_vec();
    for arg in exec.argv.iter().skip(1) {
        line.push(b' ');
        line.extend_from_slice(&arg.0);
    }
    line
}

fn ancestors(parent: u32) -> Vec<Ancestor> {
    let mut all = Vec::new();
    let mut pid = parent;
    while pid > 1 && all.len() < ANCESTORS_TOLD {
        let line: Vec<Bytes> = procfs::cmdline(pid.cast_signed()).into_iter().map(Bytes).collect();
        let (argv, _) = fitting(&line, ANCESTOR_SENT, |arg| arg.0.len() + 8);
        all.push(Ancestor { pid, argv });
        let Some((above, _)) = procfs::parent_and_start(pid.cast_signed()) else { break };
        pid = above;
    }
    all
}

/// As many as fit into `room` bytes; says whether some are missing.
fn fitting<T: Clone>(all: &[T], mut room: usize, size: impl Fn(&T) -> usize) -> (Vec<T>, bool) {
    let fits = |item: &&T| match room.checked_sub(size(item)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    let some: Vec<T> = all.iter().take_while(fits).cloned().collect();
    let is_cut = some.len() < all.len();
    (some, is_cut)
}

fn cut(bytes: &[u8], most: usize) -> Bytes {
    match bytes.get(..most) {
        Some(first) if bytes.len() > most => Bytes([first, "…".as_bytes()].concat()),
        _ => Bytes(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_said() {
        let all = [Bytes(vec![b'a'; 10]), Bytes(vec![b'b'; 10]), Bytes(vec![b'c'; 1])];
        assert_eq!(fitting(&all, 100, |arg| arg.0.len()), (all.to_vec(), false));
        assert_eq!(fitting(&all, 15, |arg| arg.0.len()), (all[..1].to_vec(), true));
        assert_eq!(cut(b"abc", 2).0, "ab…".as_bytes());
        assert_eq!(cut(b"abc", 3).0, b"abc");
    }

    #[test]
    fn the_longest_question_fits_a_frame() {
        let exec = Exec {
            argv: vec![Bytes(vec![b'x'; 60_000])],
            env: vec![("A".into(), Some(Bytes(vec![b'y'; 30_000])))],
            cwd: Bytes(vec![b'/'; 4096]),
            exe: Bytes(vec![b'/'; 4096]),
            ..Exec::default()
        };
        let finding = Finding {
            verdict: crate::judge::Verdict::Ask,
            severity: crate::judge::Severity::High,
            rule: "git.push-force".to_owned(),
            reason: "r".repeat(300),
            instead: Some("i".repeat(300)),
            command: vec![b'z'; 60_000],
            cwd: None,
            is_users: false,
        };
        let identity = Identity { pid: std::process::id(), ppid: std::process::id(), ..Identity::default() };
        let question = question(
            1,
            &identity,
            &exec,
            &vec![finding; 100],
            &Scripts::of(std::process::id().cast_signed()),
        );
        assert!(question.is_cut);
        let frame = postcard::to_stdvec(&GateFrame::Ask(Box::new(question))).expect("a frame");
        assert!(frame.len() < crate::wire::MAX_FRAME, "{}", frame.len());
    }
}
