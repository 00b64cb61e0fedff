//! What a monitor does for the gate and for command lines while the workload runs.

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::gate_link::GateLink;
use super::happening::{ClientId, Happening};
use super::run::{Announced, MAIN, Run};
use crate::audit::record::{Boot, Cause};
use crate::judge::Place;
use crate::sandbox::launch::LaunchError;
use crate::sandbox::{control, launch, mounts};
use crate::wire::{ClientRequest, ExecRequest, GateConfig, GateFrame, MonitorEvent, MonitorFrame};

impl Run {
    pub(super) async fn gate_said(&mut self, link: GateLink, frame: GateFrame) {
        match frame {
            GateFrame::Hello { boot, version, written: _ } => {
                if let Err(e) = self.welcome(&link, boot, &version).await {
                    eprintln!("creel: {e:#}");
                }
            }
            GateFrame::Ready => self.gate_ready = true,
            GateFrame::Serving { id } => {
                self.unserved.remove(&id);
                self.main_served |= id == MAIN;
            }
            GateFrame::ShimFailed { id, message } => {
                let announced = self.unserved.remove(&id);
                if id == MAIN {
                    self.trouble = Some(format!("the command could not be supervised: {message}"));
                    self.end_unless_over();
                } else if let Some(client) = announced.and_then(|announced| announced.client) {
                    self.refuse(client, &anyhow!("the command could not be supervised: {message}"));
                }
            }
            // The cgroup goes with its last process: now is the time to read its figures.
            GateFrame::Exited { .. } => {}
            GateFrame::AllDead => self.all_dead = true,
            GateFrame::Ask(question) => self.asked(*question).await,
            GateFrame::AskGone { id } => self.question_gone(id),
            GateFrame::Trouble { message } => eprintln!("creel: the gate says: {}", message.escape_debug()),
        }
    }

    /// A shim that could not find its command has ended by itself, and its exit code is the better answer. One that
    /// is still there after a moment has to go: nobody supervises it.
    fn end_unless_over(&self) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ = sender.send(Happening::End(Cause::Failed)).await;
        });
    }

    /// A gate has connected: for the first time, or to us as its new monitor.
    async fn welcome(&mut self, link: &GateLink, boot: String, version: &str) -> Result<()> {
        let boot: Boot = boot.parse().map_err(|_| anyhow!("a gate without a proper id was refused"))?;
        if self.state.boot.as_ref().is_some_and(|known| *known != boot) {
            return Err(anyhow!("a gate that is not this run's wanted to connect, and was refused"));
        }
        if version != env!("CARGO_PKG_VERSION") {
            eprintln!("creel: the gate is version {version}, this monitor {}", env!("CARGO_PKG_VERSION"));
        }
        let consumed = self.recorder.gate_joined(boot, link.clone()).await?;
        self.state.boot = Some(boot);
        self.save();
        let spool = self.recorder.spool_file()?;
        let config = self.gate_config();
        link.send(&MonitorFrame::Welcome { config, consumed }, Some(spool.as_fd())).await?;
        self.gate = Some(link.clone());
        for (&id, announced) in &self.unserved {
            link.send(&MonitorFrame::Announce { id, pid: announced.pid }, None).await?;
        }
        Ok(())
    }

    fn gate_config(&self) -> GateConfig {
        let policy = &self.spec.policy;
        GateConfig {
            commands: policy.commands.clone(),
            record_commands: policy.audit.commands,
            durability: policy.audit.durability,
            debugging: policy.sandbox.debugging,
            tell_workload: policy.approvals.tell_workload,
            grace: policy.recovery.grace,
            env: self.state.env.clone(),
            place: self.place(),
            spool_capacity: self.recorder.capacity(),
        }
    }

    fn place(&self) -> Place {
        let home = self.state.env.get("HOME").map_or("/", String::as_str);
        // One that can't be worked out was an error when the sandbox was planned.
        let workspace = mounts::workspace_target(&self.spec).unwrap_or_else(|_| "/workspace".into());
        Place { home: home.as_bytes().to_vec(), workspace: workspace.into_os_string().into_vec() }
    }

    /// Tells the gate of a process whose first exec waits for it.
    pub(super) async fn announce(&mut self, pid: i32, client: Option<ClientId>) {
        let id = self.state.next_announcement;
        self.state.next_announcement += 1;
        self.save();
        self.unserved.insert(id, Announced { pid, client });
        if let Some(gate) = &self.gate
            && let Err(e) = gate.send(&MonitorFrame::Announce { id, pid }, None).await
        {
            eprintln!("creel: {e:#}");
        }
    }

    pub(super) async fn request(&mut self, id: ClientId, request: ClientRequest) {
        match request {
            ClientRequest::Start { .. } => self.refuse(id, &anyhow!("the sandbox has been started already")),
            ClientRequest::Follow { foreground } => {
                if let Some(client) = self.clients.get_mut(id) {
                    client.foreground = foreground;
                    client.follows = true;
                }
                if let Some(container) = self.state.workload.clone() {
                    self.clients.tell(id, MonitorEvent::Started { container });
                }
            }
            ClientRequest::Detach => {
                if let Some(client) = self.clients.get_mut(id) {
                    client.foreground = false;
                }
                self.state.detached = true;
                self.save();
                self.clients.tell(id, MonitorEvent::Ok);
            }
            ClientRequest::Stop { timeout_ms } => {
                if let Some(client) = self.clients.get_mut(id) {
                    client.follows = true;
                }
                self.stop(Cause::Stopped, Duration::from_millis(timeout_ms));
            }
            ClientRequest::Approver { terminal } => self.approver_came(id, terminal),
            ClientRequest::Answer { number, decision } => self.answered(id, number, decision).await,
            ClientRequest::Kill { signal } => self.kill(id, signal).await,
            ClientRequest::Exec(request) => self.make_exec(id, request),
            ClientRequest::Status => {
                let event = MonitorEvent::Status {
                    phase: self.state.phase,
                    container: self.state.workload.clone(),
                    execs: self.recorder.execs(),
                };
                self.clients.tell(id, event);
            }
        }
    }

    async fn kill(&mut self, id: ClientId, signal: i32) {
        let Some(workload) = self.state.workload.clone() else { return };
        match control::kill(&self.engine, &workload, signal).await {
            Ok(()) => self.clients.tell(id, MonitorEvent::Ok),
            Err(e) => self.refuse(id, &e),
        }
    }

    pub(super) fn refuse(&mut self, id: ClientId, error: &anyhow::Error) {
        self.clients.tell(id, MonitorEvent::Failed { message: format!("{error:#}"), exit_code: 125 });
    }

    /// Makes an exec beside the loop, as the engine takes its time.
    fn make_exec(&mut self, id: ClientId, request: ExecRequest) {
        let Some(workload) = self.state.workload.clone() else { return };
        let (engine, sender) = (self.engine.clone(), self.sender.clone());
        tokio::spawn(async move {
            let made = launch::create_exec(&engine, &workload, &request).await;
            let _ = sender.send(Happening::ExecMade(id, made.map_err(anyhow::Error::from))).await;
        });
    }

    /// The exec is known before anybody may start it, so that it is never taken for a stranger's.
    pub(super) fn exec_made(&mut self, id: ClientId, made: Result<String>) {
        let exec = match made {
            Ok(exec) => exec,
            Err(e) => return self.refuse(id, &e),
        };
        self.state.know_exec(&exec);
        self.save();
        self.clients.tell(id, MonitorEvent::ExecCreated { exec: exec.clone() });
        let (engine, sender) = (self.engine.clone(), self.sender.clone());
        tokio::spawn(async move {
            let mut found = launch::exec_pid(&engine, &exec).await.and_then(launch::ns_pid);
            if let Err(LaunchError::Invisible { .. }) = found {
                // It may have ended while it was looked at: the engine knows.
                found = launch::exec_pid(&engine, &exec).await.and_then(launch::ns_pid);
            }
            match found {
                Ok(pid) => drop(sender.send(Happening::ExecRuns(id, Ok(pid))).await),
                // Over before it was seen, or never started: there is nothing to supervise.
                Err(LaunchError::Gone(_) | LaunchError::ExecLate(_)) => {}
                Err(e) => drop(sender.send(Happening::ExecRuns(id, Err(e.into()))).await),
            }
        });
    }

    /// An exec that is not ours runs without supervision: nothing of it is recorded but that it was there.
    pub(super) async fn exec_seen(&mut self, exec: &str, command: &str) {
        if self.state.know_exec(exec) {
            self.save();
            let command: String =
                command.trim_start_matches("exec_start:").trim().chars().take(1000).collect();
            self.record_gap(format!(
                "a process entered the workload through the engine, unsupervised: {command}"
            ))
            .await;
        }
    }
}
