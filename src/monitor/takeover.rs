//! A monitor that follows one that died. It finds the run as the state folder, the engine and the gate have it,
//! and either goes on with it or brings it to its end.

use std::time::Duration;

use anyhow::Result;

use super::happening::Happening;
use super::run::{End, GATE_PATIENCE, MAIN, Run};
use super::watch::Exit;
use crate::audit::record::Cause;
use crate::sandbox::container::Role;
use crate::sandbox::{control, launch};
use crate::wire::Phase;

/// How long the command line of a foreground run has to find its new monitor.
const FOREGROUND_PATIENCE: Duration = Duration::from_secs(10);

impl Run {
    /// Goes on with the run; an end where there is nothing left to go on with.
    pub(super) async fn resume(&mut self) -> Result<Option<End>> {
        if let Some(boot) = self.state.boot {
            self.recorder.resume(boot).await?;
        }
        let workload = match &self.state.workload {
            Some(workload) if self.state.started_us.is_some() => workload.clone(),
            _ => return Ok(Some(self.broken_off("the monitor died while the sandbox was being made"))),
        };
        let Some(status) = control::status(&self.engine, &workload).await? else {
            return Ok(Some(self.end_of(Exit { code: 137, engine_was_away: true }).await));
        };
        if !status.running {
            self.gate = None;
            return Ok(Some(self.end_of(Exit { code: status.exit_code, engine_was_away: false }).await));
        }
        if self.state.phase == Phase::Starting {
            return Ok(Some(self.broken_off("the monitor died before the command was supervised")));
        }
        self.main_served = true;
        if let Ok(pid) = launch::host_pid(&self.engine, Role::Workload, &workload).await {
            self.follow_usage(pid);
        }
        if let Err(e) =
            self.until("the gate did not come back", GATE_PATIENCE, |run, _| run.gate.is_some()).await
        {
            return Ok(Some(End { cause: Cause::Gate, code: 137, message: Some(format!("{e:#}")) }));
        }
        self.gate_ready = true;
        debug_assert!(self.state.next_announcement > MAIN);
        self.expect_foreground();
        self.expect_approvers(FOREGROUND_PATIENCE);
        if let Some(cause) = self.state.stopping {
            self.stop(cause, super::run::HANGUP_PATIENCE);
        }
        Ok(None)
    }

    fn broken_off(&self, message: &str) -> End {
        let cause = self.state.stopping.unwrap_or(Cause::Failed);
        End { cause, code: 125, message: Some(message.to_owned()) }
    }

    /// A foreground run lives as long as its command line: one that does not come back is gone.
    fn expect_foreground(&self) {
        if self.state.detached {
            return;
        }
        let sender = self.sender.clone();
        tokio::spawn(async move {
            tokio::time::sleep(FOREGROUND_PATIENCE).await;
            let _ = sender.send(Happening::CheckForeground).await;
        });
    }
}
