//! The end of a run: nothing of the workload is left, every record is in the log, and then everybody is told.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::timeout;

use super::clock::now_us;
use super::run::{End, Run};
use super::state::ExitState;
use crate::audit::record::{Entry, Event, Outcome, RunEnd};
use crate::sandbox::container::Role;
use crate::sandbox::{control, teardown};
use crate::wire::{MonitorEvent, MonitorFrame, Phase};

const SIGKILL: i32 = 9;
/// How long an engine that is away is waited for.
const ENGINE_PATIENCE: Duration = Duration::from_secs(120);
/// How long the gate may take to kill what is left. Then its own end does it.
const KILL_PATIENCE: Duration = Duration::from_secs(3);

impl Run {
    pub(super) async fn finish(mut self, end: End) -> Result<()> {
        if !self.kill_the_rest().await {
            // The gate is PID 1: with it goes every process of the workload.
            let gate = Role::Gate.container_name(&self.spec.name, self.spec.run);
            if let Err(e) = control::kill(&self.engine, &gate, SIGKILL).await {
                eprintln!("creel: {e:#}");
            }
        }
        if let Err(e) = self.recorder.drain().await {
            eprintln!("creel: the last records could not be moved to the log yet: {e:#}");
        }
        if self.recorder.started
            && !self.recorder.ended
            && let Err(e) = self.record_end(&end).await
        {
            eprintln!("creel: the end of the run could not be recorded: {e:#}");
        }
        self.state.phase = Phase::Exited;
        self.state.execs = self.recorder.execs();
        self.state.exit = Some(ExitState {
            code: end.code,
            cause: end.cause,
            at_us: now_us(),
            message: end.message.clone(),
        });
        self.save();
        self.clients.tell_followers(&MonitorEvent::Denied { all: self.recorder.denied() });
        self.clients.tell_followers(&MonitorEvent::Exited {
            exit_code: end.code,
            cause: end.cause,
            message: end.message.clone(),
        });
        self.clean_up().await
    }

    /// Says whether nothing of the workload is left.
    async fn kill_the_rest(&mut self) -> bool {
        let Some(gate) = self.gate.clone() else { return false };
        if gate.send(&MonitorFrame::KillAll, None).await.is_err() {
            return false;
        }
        let dead = async {
            while !self.all_dead && self.gate.is_some() {
                if let super::happening::Happening::Gate(link, frame) = self.next().await {
                    self.gate_said(link, frame).await;
                }
            }
        };
        timeout(KILL_PATIENCE, dead).await.is_ok() && self.all_dead
    }

    async fn record_end(&mut self, end: &End) -> Result<()> {
        let wall_us = now_us().saturating_sub(self.state.started_us.unwrap_or_else(now_us));
        let event = Event::RunEnd(RunEnd {
            cause: end.cause,
            exit_code: end.code,
            message: end.message.clone(),
            memory_peak: self.usage.memory_peak,
            oom_kills: self.usage.oom_kills.filter(|kills| *kills > 0),
            pids_denied: self.usage.pids_denied.filter(|denied| *denied > 0),
            cpu_us: self.usage.cpu_us,
            wall_ms: wall_us / 1000,
            execs: self.recorder.execs(),
        });
        let entry = Entry { ts_us: now_us(), outcome: Outcome::Observed, rule: None, by: None, event };
        self.recorder.record(entry).await
    }

    /// The exit code is out: what is left may take its time, but it is done.
    pub(super) async fn clean_up(mut self) -> Result<()> {
        let (name, run) = (&self.spec.name, self.spec.run);
        let removed = if self.spec.remove || self.state.started_us.is_none() {
            teardown::teardown_run(&self.engine, name, run).await
        } else {
            // The workload's container keeps its output for `creel logs`.
            teardown::remove(&self.engine, &Role::Gate.container_name(name, run), ENGINE_PATIENCE).await
        };
        removed.context("the containers could not be removed; the next creel command tries again")?;
        self.state.cleaned = true;
        self.save();
        let run_dir = self.paths.run_of(&self.spec.name);
        let _ = std::fs::remove_dir_all(&run_dir);
        if self.spec.remove || self.state.started_us.is_none() {
            self.claim.remove().context("the sandbox's folder could not be removed")?;
        }
        self.clients.tell_followers(&MonitorEvent::Removed);
        self.clients.finish().await;
        Ok(())
    }
}
