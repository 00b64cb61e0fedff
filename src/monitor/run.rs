//! One run of a sandbox, from nothing to nothing. The loop here is the only place that acts: all else in this
//! folder waits for something and says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::clients::Clients;
use super::clock::now_us;
use super::follow_usage::follow_usage;
use super::gate_link::GateLink;
use super::happening::{ClientId, Happening};
use super::recorder::Recorder;
use super::state::{Claim, RunState};
use super::usage::{CgroupFiles, Usage};
use super::watch;
use crate::approval::queue::Queue;
use crate::audit::record::{Cause, Entry, Event, Gap, Outcome};
use crate::paths::Paths;
use crate::sandbox::control;
use crate::sandbox::engine::Engine;
use crate::sandbox::spec::SandboxSpec;
use crate::wire::Phase;

/// How long a gate may take to come up or to connect again.
pub(super) const GATE_PATIENCE: Duration = Duration::from_secs(30);
/// How long the CLI may take to attach before the start.
pub(super) const CLIENT_PATIENCE: Duration = Duration::from_secs(60);
/// From SIGTERM to SIGKILL, where nobody said: docker's own number, and a short one where nobody is waiting.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(10);
pub(super) const HANGUP_PATIENCE: Duration = Duration::from_secs(2);

/// The main process is always the first announcement.
pub(super) const MAIN: u64 = 1;

/// Everything that a run holds.
pub(super) struct Run {
    pub(super) spec: SandboxSpec,
    pub(super) paths: Paths,
    pub(super) claim: Claim,
    pub(super) state: RunState,
    pub(super) engine: Engine,
    pub(super) recorder: Recorder,
    pub(super) clients: Clients,
    pub(super) happenings: mpsc::Receiver<Happening>,
    pub(super) sender: mpsc::Sender<Happening>,
    pub(super) gate: Option<GateLink>,
    pub(super) cgroup: Option<CgroupFiles>,
    pub(super) usage: Usage,
    /// The gate is configured.
    pub(super) gate_ready: bool,
    /// The CLI that made the sandbox has attached and said so.
    pub(super) start_asked: bool,
    /// The gate supervises the main process.
    pub(super) main_served: bool,
    /// The gate has answered `KillAll`.
    pub(super) all_dead: bool,
    /// What went wrong, where that is the cause of the end.
    pub(super) trouble: Option<String>,
    /// Announced, and not served yet: to be announced again to a gate that connects again.
    pub(super) unserved: BTreeMap<u64, Announced>,
    /// Questions that are open.
    pub(super) queue: Queue,
    pub(super) hook_turns: Arc<Semaphore>,
    /// After a takeover: people who were there have a moment to come back.
    pub(super) approvers_may_come: bool,
}

/// A process that the gate was told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    /// In the gate's PID namespace.
    pub(super) pid: i32,
    /// Who asked for the exec.
    pub(super) client: Option<ClientId>,
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    pub(super) cause: Cause,
    pub(super) code: i32,
    pub(super) message: Option<String>,
}

impl End {
    fn failed(error: &anyhow::Error) -> Self {
        Self { cause: Cause::Failed, code: 125, message: Some(format!("{error:#}")) }
    }
}

impl Run {
    /// Runs to the end, whatever happens, and leaves nothing behind.
    pub(super) async fn run_to_its_end(mut self, fresh: bool) -> Result<()> {
        if self.state.exit.is_some() {
            // The run is over and recorded; its monitor died cleaning up.
            return self.clean_up().await;
        }
        let begun = if fresh { self.begin().await.map(|()| None) } else { self.resume().await };
        let end = match begun {
            Ok(None) => self.supervise().await,
            Ok(Some(end)) => end,
            Err(e) => self.failure(&e),
        };
        self.finish(end).await
    }

    /// What ended a run that did not come to be: an order to stop is no failure of ours.
    fn failure(&self, error: &anyhow::Error) -> End {
        match self.state.stopping {
            Some(Cause::Failed) => End { cause: Cause::Failed, code: 125, message: self.trouble.clone() },
            Some(cause) => End { cause, code: 137, message: Some(format!("{error:#}")) },
            None => End::failed(error),
        }
    }

    /// From the workload's start to its end.
    async fn supervise(&mut self) -> End {
        self.watch_workload();
        loop {
            match self.next().await {
                Happening::WorkloadExited(Ok(exit)) => return self.end_of(exit).await,
                Happening::WorkloadExited(Err(error)) => {
                    let message = format!("the engine has been away for too long: {error}");
                    return End { cause: Cause::Engine, code: 125, message: Some(message) };
                }
                Happening::Request(id, request) => self.request(id, request).await,
                Happening::Hangup(id) if self.hung_up(id) => self.stop(Cause::Hangup, HANGUP_PATIENCE),
                Happening::End(cause) => self.stop(cause, STOP_PATIENCE),
                Happening::ExecMade(id, made) => self.exec_made(id, made),
                Happening::ExecRuns(id, Ok(pid)) => self.announce(pid, Some(id)).await,
                Happening::ExecRuns(id, Err(e)) => self.refuse(id, &e),
                Happening::ExecSeen { exec, command } => self.exec_seen(&exec, &command).await,
                Happening::Gate(link, frame) => self.gate_said(link, frame).await,
                Happening::CheckForeground if !self.clients.any_foreground() && !self.state.detached => {
                    self.stop(Cause::Hangup, HANGUP_PATIENCE);
                }
                Happening::CheckForeground
                | Happening::Nothing
                | Happening::Used(_)
                | Happening::HookSaid(..)
                | Happening::QuestionsExpire
                | Happening::ApproversLate
                | Happening::Connected(_)
                | Happening::Hangup(_)
                | Happening::GateClosed(_) => {}
            }
        }
    }

    /// The next happening, after what is the same at every stage has been done.
    pub(super) async fn next(&mut self) -> Happening {
        let happening = match self.happenings.recv().await {
            Some(happening) => happening,
            // We hold a sender ourselves, so this can't be; if it is, end in good order.
            None => Happening::End(Cause::Failed),
        };
        match happening {
            Happening::Connected(client) => {
                self.clients.add(client);
                Happening::Nothing
            }
            Happening::GateClosed(link) => {
                if self.gate.as_ref().is_some_and(|gate| gate.is(&link)) {
                    self.gate = None;
                    self.recorder.gate_left().await;
                }
                Happening::GateClosed(link)
            }
            Happening::Used(usage) => {
                self.usage = usage;
                Happening::Nothing
            }
            Happening::HookSaid(number, said) => {
                self.hook_said(number, said).await;
                Happening::Nothing
            }
            Happening::QuestionsExpire => {
                self.questions_expire().await;
                Happening::Nothing
            }
            Happening::ApproversLate => {
                self.approvers_late().await;
                Happening::Nothing
            }
            Happening::Hangup(id) => {
                if self.clients.get_mut(id).is_some_and(|client| client.approver.take().is_some()) {
                    self.deny_unless_answered().await;
                }
                Happening::Hangup(id)
            }
            other => other,
        }
    }

    /// The tasks that live as long as the workload.
    fn watch_workload(&mut self) {
        let Some(workload) = self.state.workload.clone() else { return };
        let (docker, sender) = (self.engine.docker().clone(), self.sender.clone());
        let container = workload.clone();
        tokio::spawn(async move {
            let exit = watch::exit_of(&docker, &container).await;
            let _ = sender.send(Happening::WorkloadExited(exit)).await;
        });
        let since = self.state.started_us.unwrap_or_else(now_us) / 1_000_000;
        tokio::spawn(watch::execs_in(self.engine.docker().clone(), workload, since, self.sender.clone()));
        if let Some(limit) = self.spec.policy.limits.time {
            let run_for =
                Duration::from_micros(now_us().saturating_sub(self.state.started_us.unwrap_or_else(now_us)));
            let sender = self.sender.clone();
            tokio::spawn(async move {
                tokio::time::sleep(limit.saturating_sub(run_for)).await;
                let _ = sender.send(Happening::End(Cause::Time)).await;
            });
        }
    }

    /// Ends the workload: SIGTERM, and SIGKILL when `patience` is over. The first cause is the one that counts.
    pub(super) fn stop(&mut self, cause: Cause, patience: Duration) {
        if self.state.stopping.is_none() {
            self.state.stopping = Some(cause);
            self.state.phase = Phase::Stopping;
            self.save();
        }
        let Some(workload) = self.state.workload.clone() else { return };
        let engine = self.engine.clone();
        tokio::spawn(async move {
            if let Err(e) = control::stop(&engine, &workload, patience).await {
                eprintln!("creel: could not stop the workload: {e:#}");
            }
        });
    }

    /// Whether that connection's end is the end of the sandbox.
    pub(super) fn hung_up(&mut self, id: ClientId) -> bool {
        self.clients.remove(id).is_some_and(|client| client.foreground)
    }

    pub(super) async fn end_of(&mut self, exit: watch::Exit) -> End {
        // When the gate dies, the kernel kills the workload: the closed channel tells that apart from a signal.
        // Its end and the engine's word travel on different roads.
        if self.state.stopping.is_none() && exit.code == 137 && self.gate.is_some() {
            let closed = async { while !matches!(self.next().await, Happening::GateClosed(_)) {} };
            let _ = timeout(Duration::from_millis(100), closed).await;
        }
        if let Some(cgroup) = &self.cgroup {
            self.usage = cgroup.read(self.usage);
        }
        let code = i32::try_from(exit.code).unwrap_or(255);
        let oom = code == 137 && self.usage.oom_kills.is_some_and(|kills| kills > 0);
        let (cause, code, message) = match self.state.stopping {
            Some(Cause::Time) => (Cause::Time, 124, Some("the wall-time limit was reached".to_owned())),
            Some(Cause::Failed) => (Cause::Failed, 125, self.trouble.clone()),
            Some(cause) => (cause, code, None),
            None if exit.engine_was_away => {
                (Cause::Engine, code, Some("the engine was restarted, or lost the container".to_owned()))
            }
            None if oom => (Cause::Oom, code, Some("the memory limit was reached".to_owned())),
            None if self.gate.is_none() => {
                (Cause::Gate, code, Some("the gate ended, and everything with it".to_owned()))
            }
            None if code > 128 => (Cause::Signal, code, None),
            None => (Cause::Exit, code, None),
        };
        End { cause, code, message }
    }

    /// Keeps the figures of the workload, whose main process is `pid` on the host.
    pub(super) fn follow_usage(&mut self, pid: i32) {
        self.cgroup = CgroupFiles::of(pid);
        if let Some(files) = self.cgroup.clone() {
            tokio::spawn(follow_usage(files, pid, self.sender.clone()));
        }
    }

    /// Writes down where we stand; a monitor that takes over begins there.
    pub(super) fn save(&self) {
        if let Err(e) = self.claim.dir.write_state(&self.state) {
            eprintln!("creel: {e:#}");
        }
    }

    /// Records what could not be recorded.
    pub(super) async fn record_gap(&mut self, reason: String) {
        let gap = Event::Gap(Gap { count: None, reason });
        let entry = Entry { ts_us: now_us(), outcome: Outcome::Observed, rule: None, by: None, event: gap };
        if let Err(e) = self.recorder.record(entry).await {
            eprintln!("creel: {e:#}");
        }
    }
}
