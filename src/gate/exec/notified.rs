//! At the notification: what can't be executed is refused as the kernel would refuse it, without a record; what may
//! plainly not be is denied; everything else goes on under trace, to be judged when it stands at its exec stop.

use std::sync::Arc;

use nix::errno::Errno;

use super::memory;
use super::procfs::{self, Identity};
use super::recorder::now_us;
use super::resolve::{Asked, Target, path_of, resolve};
use super::script::Scripts;
use super::teller::{Denial, denied};
use super::tracer::{Source, Then, Tracer};
use crate::audit::record::{By, Entry, Event, Exec, Outcome};
use crate::judge::{ExecAction, Judgement, Verdict};
use crate::sys::arch::Call;
use crate::sys::ptrace;
use crate::sys::seccomp::{self, Notification};

/// The rule of what no policy can allow.
const FOREIGN_RULE: &str = "creel.architecture";
const TRACED_RULE: &str = "creel.traced";
/// Processes whose foreign calls are known; more are rare enough to be told of twice.
const KNOWN_FOREIGN: usize = 4096;

impl Tracer {
    /// A listener has something: one notification is taken and dealt with.
    pub(super) fn notified(&mut self, source: &Arc<Source>) {
        let notification = match seccomp::receive(&*source.listener) {
            Ok(notification) => notification,
            // Its caller died, or a signal came first.
            Err(Errno::ENOENT | Errno::EINTR | Errno::EAGAIN) => return,
            Err(e) => {
                // Unanswered calls wait for ever: nothing runs, but a person should know why.
                self.trouble(format!("a listener failed: {e}"));
                self.forget_source(source.id);
                return;
            }
        };
        let call = Call::of(notification.arch, notification.nr);
        let [a, b, c, _, e, _] = notification.args;
        // ints are the low halves of their registers.
        let (path, argv, dirfd, flags) = match call {
            Call::Execve => (a, b, libc::AT_FDCWD, 0),
            Call::Execveat => (b, c, a as i32, e as i32),
            Call::Foreign { table, exec } => return self.refuse_foreign(source, &notification, table, exec),
            Call::Other => return refuse(source, &notification, Errno::EPERM),
        };
        if notification.tid <= 0 {
            return refuse(source, &notification, Errno::EPERM);
        }
        let path = match memory::string(notification.tid, path, memory::PATH_MAX) {
            Ok(path) => path,
            Err(e) => return refuse(source, &notification, e),
        };
        let asked = Asked { dirfd, path, flags };
        let program = match resolve(notification.tid, &source.root, &asked) {
            Target::Refused(errno) => return refuse(source, &notification, errno),
            Target::File(file) if self.judge.may_deny() => path_of(&file).ok(),
            Target::File(_) | Target::Unclear => None,
        };
        if let Some(program) = program {
            let argv = match memory::strings(notification.tid, argv) {
                Ok(argv) => argv,
                Err(e) => return refuse(source, &notification, e),
            };
            let cwd = procfs::cwd(notification.tid).unwrap_or_default();
            let scripts = Scripts::of(notification.tid);
            let action = ExecAction {
                program: &program,
                requested: &asked.path,
                copy_of: None,
                argv: &argv,
                cwd: &cwd,
                scripts: &|path| scripts.read(path),
                peers: &[],
            };
            let judgement = self.judge.judge_exec(&action);
            // A question is asked when it is sure what runs.
            if judgement.verdict == Verdict::Deny {
                return self.deny_early(source, &notification, &program, argv, cwd, &asked, judgement);
            }
        }
        self.let_go_under_trace(source, &notification, &asked);
    }

    /// From here the task can't execute anything without standing still before its first instruction.
    fn let_go_under_trace(&mut self, source: &Arc<Source>, notification: &Notification, asked: &Asked) {
        let tid = notification.tid;
        if !self.tasks.contains_key(&tid) {
            match ptrace::seize(tid) {
                Ok(()) => {}
                Err(Errno::ESRCH) => return,
                // Traced by another task of the workload (debugging = true): that one could change what was checked.
                Err(_) => return self.refuse_traced(source, notification, asked),
            }
        }
        self.expect(tid);
        // The kernel takes the answer only while the caller waits for it. If that has gone, its id may have come to
        // mean another thread before we seized it: that one is let go.
        if seccomp::answer_continue(&*source.listener, notification.id).is_err() {
            self.interrupt(tid);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that was asked for, each once")]
    fn deny_early(
        &mut self,
        source: &Arc<Source>,
        notification: &Notification,
        program: &[u8],
        argv: Vec<Vec<u8>>,
        cwd: Vec<u8>,
        asked: &Asked,
        judgement: Judgement,
    ) {
        let Some(identity) = procfs::identity(notification.tid) else { return };
        let line = denied(&argv, program, judgement.rule.as_deref(), judgement.reason.as_deref());
        let mut exec = described(&identity, program, &asked.path, argv.first().map(Vec::as_slice), cwd);
        exec.set_argv(argv.into_iter().map(Into::into).collect());
        exec.reason = judgement.reason;
        self.deny(source, notification, &identity, exec, judgement.rule, line);
    }

    fn refuse_traced(&mut self, source: &Arc<Source>, notification: &Notification, asked: &Asked) {
        let Some(identity) = procfs::identity(notification.tid) else { return };
        let reason = "another process traces it, and could change it after it was checked";
        let argv = [asked.path.clone()];
        let line = denied(&argv, &asked.path, Some(TRACED_RULE), Some(reason));
        let cwd = procfs::cwd(notification.tid).unwrap_or_default();
        let mut exec = described(&identity, &asked.path, &asked.path, None, cwd);
        exec.set_argv(argv.into_iter().map(Into::into).collect());
        exec.reason = Some(reason.to_owned());
        self.deny(source, notification, &identity, exec, Some(TRACED_RULE.to_owned()), line);
    }

    /// A call through the i386 or x32 table. An exec is recorded each time, any other call once for its process.
    fn refuse_foreign(
        &mut self,
        source: &Arc<Source>,
        notification: &Notification,
        table: &str,
        exec_path: Option<usize>,
    ) {
        let tid = notification.tid;
        let Some(identity) = procfs::identity(tid) else { return refuse(source, notification, Errno::EPERM) };
        let is_new = self.foreign.insert((identity.pid, identity.start));
        if self.foreign.len() > KNOWN_FOREIGN {
            self.foreign.clear();
        }
        if exec_path.is_none() && !is_new {
            return refuse(source, notification, Errno::EPERM);
        }
        let path = exec_path.and_then(|at| notification.args.get(at));
        let path = path.and_then(|at| memory::string(tid, *at, memory::PATH_MAX).ok());
        let caller = procfs::exe(tid).unwrap_or_default();
        let (program, argv) = match path {
            Some(path) => (path.clone(), vec![path]),
            None => (caller, procfs::cmdline(tid)),
        };
        let reason =
            format!("a system call by the {table} table (number {}), which is closed", notification.nr);
        let line = denied(&argv, &program, Some(FOREIGN_RULE), Some(&reason));
        let cwd = procfs::cwd(tid).unwrap_or_default();
        let mut exec = described(&identity, &program, &program, None, cwd);
        exec.set_argv(argv.into_iter().map(Into::into).collect());
        exec.reason = Some(reason);
        self.deny(source, notification, &identity, exec, Some(FOREIGN_RULE.to_owned()), line);
    }

    /// Records a denial, and then answers it.
    fn deny(
        &mut self,
        source: &Arc<Source>,
        notification: &Notification,
        identity: &Identity,
        exec: Exec,
        rule: Option<String>,
        line: String,
    ) {
        let denial =
            Denial { listener: Arc::clone(&source.listener), id: notification.id, errno: Errno::EPERM };
        let entry = Entry {
            ts_us: now_us(),
            outcome: Outcome::Deny,
            rule,
            by: Some(By::Policy),
            event: Event::Exec(exec),
        };
        self.record(entry, Then::Refuse { denial, pid: identity.pid.cast_signed(), line });
    }
}

fn refuse(source: &Source, notification: &Notification, errno: Errno) {
    // A caller that has gone needs no answer.
    let _ = seccomp::answer_error(&*source.listener, notification.id, errno);
}

/// What every record of an exec has. `file` is told where neither the program nor argv\[0] says it.
pub(super) fn described(
    identity: &Identity,
    program: &[u8],
    file: &[u8],
    argv0: Option<&[u8]>,
    cwd: Vec<u8>,
) -> Exec {
    Exec {
        pid: identity.pid,
        ppid: identity.ppid,
        start: identity.start,
        uid: identity.uid,
        exe: program.into(),
        file: (file != program && Some(file) != argv0).then(|| file.into()),
        cwd: cwd.into(),
        ..Exec::default()
    }
}
