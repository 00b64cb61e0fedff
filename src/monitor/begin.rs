//! From nothing to a supervised workload, in the order that leaves no moment without supervision: the gate is up
//! before the workload exists, and the workload's first exec waits until the gate serves it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, timeout_at};

use super::clock::now_us;
use super::happening::Happening;
use super::pull::Pull;
use super::run::{CLIENT_PATIENCE, GATE_PATIENCE, MAIN, Run};
use crate::audit::record::{Bytes, Cause, Entry, Event, Outcome, RunStart};
use crate::policy::model::ImageChoice;
use crate::sandbox::container::Role;
use crate::sandbox::control::{self, Status};
use crate::sandbox::launch::{self, LaunchError};
use crate::sandbox::plan::{self, Plan};
use crate::wire::{ClientRequest, GateFrame, MonitorEvent, Phase};

impl Run {
    /// Makes and starts both containers, once the CLI has attached.
    pub(super) async fn begin(&mut self) -> Result<()> {
        self.save();
        let image = match &self.spec.policy.sandbox.image {
            ImageChoice::Host => "host".to_owned(),
            ImageChoice::Reference(reference) => reference.clone(),
        };
        let pull = Pull::new(image, self.clients.followers());
        let plan = plan::prepare(&self.engine, &self.spec, &self.paths, &|step| pull.step(step)).await?;
        for note in &plan.notes {
            self.clients.tell_followers(&MonitorEvent::Note { text: note.clone() });
        }
        self.state.env = plan.env.clone();
        let created = launch::raise(&self.engine, &plan).await?;
        self.state.workload = Some(created.workload.clone());
        self.save();
        // The CLI attaches to the workload's streams while the gate comes up.
        self.clients.tell_followers(&MonitorEvent::Created { container: created.workload.clone() });
        self.until("the gate did not come up", GATE_PATIENCE, |run, _| run.gate_ready).await?;
        self.until("the command line did not attach", CLIENT_PATIENCE, |run, _| run.start_asked).await?;
        self.record_start(&plan).await?;
        self.state.started_us = Some(now_us());
        self.save();
        launch::start_workload(&self.engine, &created.workload).await?;
        if let Some(size) = self.spec.size.filter(|_| self.spec.tty) {
            // The command does not run before it is supervised, so it never sees another size.
            launch::set_terminal_size(&self.engine, &created.workload, size).await;
        }
        self.supervise_main(&plan, &created.workload).await?;
        self.state.phase = Phase::Running;
        self.save();
        self.clients.tell_followers(&MonitorEvent::Started { container: created.workload });
        Ok(())
    }

    /// Has the gate take the main process under supervision: until then its first exec waits.
    async fn supervise_main(&mut self, plan: &Plan, workload: &str) -> Result<()> {
        let pid = match launch::host_pid(&self.engine, Role::Workload, workload).await {
            Ok(pid) => pid,
            // The shim has ended, with its reason on the workload's stderr; its exit code tells the rest.
            Err(LaunchError::Gone(_)) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        let inner = match launch::check_mounts(plan, pid).and_then(|()| launch::ns_pid(pid)) {
            // It ended while it was looked at: the same as above.
            Err(LaunchError::Invisible { .. }) if !self.runs(workload).await => return Ok(()),
            looked => looked?,
        };
        self.follow_usage(pid);
        self.announce(inner, None).await;
        let settled = |happening: &Happening| {
            use GateFrame::{Exited, ShimFailed};
            matches!(happening, Happening::Gate(_, Exited { id: MAIN } | ShimFailed { id: MAIN, .. }))
        };
        self.until("the gate did not take over the command", GATE_PATIENCE, |run, happening| {
            run.main_served || settled(happening)
        })
        .await
    }

    async fn runs(&self, container: &str) -> bool {
        !matches!(
            control::status(&self.engine, container).await,
            Ok(None | Some(Status { running: false, .. }))
        )
    }

    /// Waits for `done`, while clients may come and go. The end of the foreground client, an order to stop and
    /// the gate's end are errors here: nothing runs yet that would have to be ended in good order.
    pub(super) async fn until(
        &mut self,
        failure: &'static str,
        patience: Duration,
        done: impl Fn(&Run, &Happening) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            if self.state.stopping.is_some() {
                bail!("stopped before the start");
            }
            // What was waited for may have come while another step was taken.
            if done(self, &Happening::Nothing) {
                return Ok(());
            }
            let happening = timeout_at(deadline, self.next()).await.context(failure)?;
            let is_done = done(self, &happening);
            match happening {
                Happening::Request(id, ClientRequest::Start { foreground }) => {
                    self.start_asked = true;
                    if let Some(client) = self.clients.get_mut(id) {
                        client.foreground = foreground;
                        client.follows = true;
                    }
                }
                Happening::Request(id, request) => self.request(id, request).await,
                Happening::Hangup(id) => {
                    let waited_for = self.clients.remove(id).is_some_and(|client| client.starter);
                    if waited_for && !(self.start_asked && self.spec.detached) {
                        self.state.stopping = Some(Cause::Hangup);
                        bail!("the command line went away before the start");
                    }
                }
                Happening::End(cause) => {
                    self.state.stopping = Some(cause);
                    bail!("stopped before the start");
                }
                Happening::Gate(link, frame) => self.gate_said(link, frame).await,
                // Ready or not: a gate that was welcomed once and is there no more does not come back to a start.
                Happening::GateClosed(_) if self.gate_ready || self.lost_its_gate() => {
                    bail!("the gate ended at the start")
                }
                _ => {}
            }
            if is_done {
                return Ok(());
            }
        }
    }

    fn lost_its_gate(&self) -> bool {
        self.state.phase == Phase::Starting && self.state.boot.is_some() && self.gate.is_none()
    }

    async fn record_start(&mut self, plan: &Plan) -> Result<()> {
        let start = RunStart {
            argv: plan.command().iter().map(|arg| Bytes::from(arg.as_bytes())).collect(),
            policy: self.spec.policy_hash.clone(),
            policy_sources: self.spec.policy_sources.clone(),
            image: plan.image.reference.clone(),
            image_id: plan.image.id.clone(),
            creel: env!("CARGO_PKG_VERSION").to_owned(),
            engine: plan.facts.version.clone(),
            kernel: plan.facts.kernel.clone(),
        };
        let entry = Entry {
            ts_us: now_us(),
            outcome: Outcome::Observed,
            rule: None,
            by: None,
            event: Event::RunStart(start),
        };
        self.recorder.record(entry).await.context("the audit log can't be written, so nothing is started")
    }
}
