//! The questions that are open in running sandboxes.

use anyhow::{Result, anyhow, bail};
use serde::Serialize;

use crate::approval::{Decision, Question};
use crate::monitor::client::{self, ConnectError, Connection};
use crate::monitor::state;
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::wire::{ClientRequest, MonitorEvent, Phase};

/// One question of one sandbox.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Asked {
    pub(super) sandbox: SandboxName,
    pub(super) number: u32,
    /// Processes that wait for the same answer.
    pub(super) waiting: usize,
    /// Until it is denied.
    pub(super) seconds: u64,
    pub(super) question: Question,
}

/// A sandbox that is asked what it asks.
pub(super) struct Sandbox {
    name: SandboxName,
    pub(super) connection: Connection,
    open: Vec<Asked>,
}

/// Connects to a sandbox, and hears what is open in it.
pub(super) async fn connect(paths: &Paths, name: &SandboxName) -> Result<Sandbox> {
    let mut connection = client::connect(name, paths).await?;
    connection.send(&ClientRequest::Approver { terminal: false }).await?;
    let mut open = Vec::new();
    loop {
        match connection.recv().await? {
            Some(MonitorEvent::Question { number, waiting, seconds, question }) => {
                open.push(Asked { sandbox: name.clone(), number, waiting, seconds, question: *question });
            }
            Some(MonitorEvent::NoMoreQuestions) => break,
            Some(_) => {}
            None => bail!("the sandbox {name} has ended"),
        }
    }
    Ok(Sandbox { name: name.clone(), connection, open })
}

impl Sandbox {
    pub(super) fn question(&self, number: u32) -> Result<&Asked> {
        let asked = self.open.iter().find(|asked| asked.number == number);
        asked.ok_or_else(|| {
            anyhow!("{} asks nothing under number {number}; creel approve lists what is open", self.name)
        })
    }

    /// Answers, and waits until the monitor has taken it.
    pub(super) async fn answer(&mut self, number: u32, decision: Decision) -> Result<()> {
        self.connection.send(&ClientRequest::Answer { number, decision }).await?;
        let mut slip = None;
        loop {
            match self.connection.recv().await? {
                Some(MonitorEvent::Settled { number: settled, .. }) if settled == number => break,
                // The answer may count for less than was said: that is told before it is settled.
                Some(MonitorEvent::Failed { message, .. }) if message.ends_with("not open any more") => {
                    bail!("{message}")
                }
                Some(MonitorEvent::Failed { message, .. }) => slip = Some(message),
                Some(_) => {}
                None => bail!("the sandbox {} ended before the answer reached it", self.name),
            }
        }
        slip.map_or(Ok(()), |message| Err(anyhow!(message)))
    }

    pub(super) fn into_parts(self) -> (Vec<Asked>, Connection) {
        (self.open, self.connection)
    }
}

/// Running sandboxes, or the one that is named.
pub(super) fn running(paths: &Paths, only: Option<&SandboxName>) -> Result<Vec<SandboxName>> {
    let all = state::list(paths)?;
    let is_running =
        |listed: &state::Listed| listed.dir.state().is_ok_and(|state| !matches!(state.phase, Phase::Exited));
    Ok(all
        .into_iter()
        .filter(|listed| only.is_none_or(|only| *only == listed.name) && is_running(listed))
        .map(|listed| listed.name)
        .collect())
}

/// What all of them ask. One that ends meanwhile asks nothing.
pub(super) async fn all(paths: &Paths, only: Option<&SandboxName>) -> Result<Vec<Asked>> {
    if let Some(name) = only {
        return Ok(connect(paths, name).await?.open);
    }
    let mut all = Vec::new();
    for name in running(paths, None)? {
        match connect(paths, &name).await {
            Ok(sandbox) => all.extend(sandbox.open),
            Err(e) if e.downcast_ref::<ConnectError>().is_some() => {}
            Err(e) => return Err(e),
        }
    }
    Ok(all)
}
