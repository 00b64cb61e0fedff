//! A question about a process that stands still: what is told of it, and the digests of what an answer binds.

use sha2::{Digest, Sha256};

use super::file_identity;
use super::procfs::{self, Identity};
use super::script::Scripts;
use crate::approval::{Ancestor, Danger, Question};
use crate::audit::bytes::Bytes;
use crate::audit::hex;
use crate::audit::record::Exec;
use crate::judge::Finding;

/// How far up the ancestors of a process are told.
const ANCESTORS_TOLD: usize = 8;
/// What is sent of a question, bytes: a frame is 128 KiB.
const ARGV_SENT: usize = 24 * 1024;
const ENV_SENT: usize = 16 * 1024;
const COMMAND_SENT: usize = 1024;
const DANGERS_SENT: usize = 16;
const ANCESTOR_SENT: usize = 512;

/// The question, `id` being the gate's number for it.
pub(super) fn question(
    id: u64,
    identity: &Identity,
    exec: &Exec,
    findings: &[Finding],
    scripts: &Scripts,
) -> Question {
    let file = file_identity::of(identity.pid.cast_signed(), id);
    let mut whole = Bound::default();
    whole.bytes("cwd", &exec.cwd.0);
    exec.argv.iter().for_each(|arg| whole.bytes("arg", &arg.0));
    exec.argv_cut.iter().for_each(|cut| whole.bytes("cut", cut.sha256.as_bytes()));
    whole.env(exec);
    whole.program(exec, &file, scripts);
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
        digest: whole.digest(),
    }
}

/// What “always” binds; see [`Danger::key`].
fn key(exec: &Exec, finding: &Finding, file: &[u8], scripts: &Scripts) -> Option<String> {
    let cwd = finding.cwd.as_deref().filter(|_| finding.is_certain())?;
    let mut key = Bound::default();
    key.bytes("rule", finding.rule.as_bytes());
    key.bytes("command", &finding.command);
    key.bytes("cwd", cwd);
    key.env(exec);
    if finding.command == line(exec) {
        key.program(exec, file, scripts);
    }
    Some(key.digest())
}

/// What an answer is about, as it is hashed: each piece with its kind and its length.
#[derive(Default)]
struct Bound(Sha256);

impl Bound {
    fn bytes(&mut self, kind: &str, bytes: &[u8]) {
        self.0.update(kind);
        self.0.update(bytes.len().to_le_bytes());
        self.0.update(bytes);
    }

    fn env(&mut self, exec: &Exec) {
        for (name, value) in &exec.env {
            self.bytes("name", &name.0);
            match value {
                Some(value) => self.bytes("value", &value.0),
                None => self.bytes("unset", b""),
            }
        }
        exec.env_cut.iter().for_each(|cut| self.bytes("cut", cut.sha256.as_bytes()));
    }

    /// The file that runs, and the scripts that it is about to read.
    fn program(&mut self, exec: &Exec, file: &[u8], scripts: &Scripts) {
        self.bytes("exe", &exec.exe.0);
        self.bytes("file", file);
        for (path, digest) in scripts.digests() {
            self.bytes("script", &path);
            self.bytes("text", &digest);
        }
    }

    fn digest(self) -> String {
        hex(&self.0.finalize())
    }
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
    use crate::wire::GateFrame;

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
