//! At the exec stop: the new program is there, and has not run one instruction. What is read of it now is what
//! runs: it is judged, recorded, and only then let go.

use nix::errno::Errno;

use super::notified::described;
use super::pipes::{self, End};
use super::procfs::Identity;
use super::recorder::now_us;
use super::script::Scripts;
use super::teller::denied;
use super::tracer::{Then, Tracer};
use super::{environ, file_identity, image, kill, procfs};
use crate::audit::record::{By, Entry, Event, Exec, Outcome};
use crate::judge::{ExecAction, Finding, Judgement, Piped, Verdict};
use crate::sys::{arch, ptrace};

/// A program that stands still.
struct Standing {
    identity: Identity,
    exec: Exec,
    judgement: Judgement,
    line: String,
    /// What a person is asked about.
    findings: Vec<Finding>,
    scripts: Scripts,
}

impl Tracer {
    /// The thread group `pid` has executed a program. If another of its threads did it, that thread has become `pid`.
    pub(super) fn executed(&mut self, pid: i32) {
        if let Ok(former) = ptrace::former_tid(pid) {
            self.tasks.remove(&former);
        }
        self.tasks.remove(&pid);
        let standing = match self.look_at(pid) {
            Ok(standing) => standing,
            Err(Errno::ESRCH) => return,
            // What can't be read can't be judged.
            Err(e) => {
                kill::process(pid);
                return self.trouble(format!("a program that could not be examined was killed ({e})"));
            }
        };
        let Standing { identity, exec, judgement, line, findings, scripts } = standing;
        if judgement.verdict == Verdict::Ask {
            return self.ask(&identity, exec, judgement.rule, line, findings, &scripts);
        }
        let allowed = judgement.verdict == Verdict::Allow;
        if !allowed {
            kill::process(pid);
        } else if !self.record_commands {
            return let_go(pid);
        }
        let entry = Entry {
            ts_us: now_us(),
            outcome: if allowed { Outcome::Allow } else { Outcome::Deny },
            rule: judgement.rule,
            by: Some(By::Policy),
            event: Event::Exec(exec),
        };
        if !allowed {
            self.tell(pid, line, None);
            self.record(entry, Then::Nothing);
        } else if self.recorder.may_follow() {
            let_go(pid);
            self.record(entry, Then::Nothing);
        } else {
            self.record(entry, Then::LetGo { pid });
        }
    }

    fn look_at(&mut self, pid: i32) -> Result<Standing, Errno> {
        let registers = ptrace::registers(pid)?;
        let image = image::read(pid, arch::stack_pointer(&registers))?;
        // At its exec stop a task is its process's leader, and the kernel has just said whose it is.
        let (ppid, start) = procfs::parent_and_start(pid).ok_or(Errno::ESRCH)?;
        let identity = Identity { pid: pid.cast_unsigned(), ppid, uid: image.uid, start };
        let program = procfs::exe(pid).ok_or(Errno::ESRCH)?;
        let cwd = procfs::cwd(pid).ok_or(Errno::ESRCH)?;
        let scripts = Scripts::of(pid);
        let peers = match self.judge.piped(&program, &image.argv) {
            Some(Piped::RunsItsInput) => self.fed.writers(pid),
            Some(Piped::Feeds) => {
                self.fed.note(pid, &program, &image.argv);
                pipes::peers(pid, 1, End::Reading)
            }
            None => Vec::new(),
        };
        let copy_of = self.copies.of(pid, &program);
        let action = ExecAction {
            program: &program,
            requested: &image.execfn,
            copy_of: copy_of.as_deref(),
            argv: &image.argv,
            cwd: &cwd,
            scripts: &|path| scripts.read(path),
            peers: &peers,
        };
        let (mut judgement, mut findings) = self.judge.examine_exec(&action);
        let default = self.judge.by_default();
        if findings.iter().any(|finding| !finding.is_users)
            && default.verdict == Verdict::Allow
            && is_gits_own_step(&program, ppid)
        {
            judgement = default;
            findings.clear();
        }
        let line = match judgement.verdict {
            Verdict::Allow => String::new(),
            _ => denied(&image.argv, &program, judgement.rule.as_deref(), judgement.reason.as_deref()),
        };
        let argv0 = image.argv.first().map(Vec::as_slice);
        let mut exec = described(&identity, &program, &image.execfn, argv0, cwd);
        exec.set_env(environ::changed(&self.start_env, &image.env));
        exec.set_argv(image.argv.into_iter().map(Into::into).collect());
        if judgement.verdict != Verdict::Allow {
            exec.reason.clone_from(&judgement.reason);
        }
        Ok(Standing { identity, exec, judgement, line, findings, scripts })
    }
}

/// git carries out what it was told by executing itself (`git stash` runs `git reset --hard`): what it was told was
/// judged. The parent must be a git that the sandbox can't have made.
fn is_gits_own_step(program: &[u8], parent: u32) -> bool {
    let is_git = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next() == Some(b"git");
    let parent = parent.cast_signed();
    is_git(program)
        && procfs::exe(parent).is_some_and(|exe| is_git(&exe))
        && file_identity::is_read_only(parent)
}

/// Ends the trace: the program runs.
pub(super) fn let_go(pid: i32) {
    match ptrace::detach(pid, 0) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(e) => eprintln!("creel: a process could not be let go: {e}"),
    }
}
