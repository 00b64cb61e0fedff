//! `creel approve --watch`: every question of every sandbox, one after the other, as they come.

use std::collections::{BTreeMap, VecDeque};
use std::io::{IsTerminal, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::answer;
use super::open::{self, Asked};
use crate::monitor::line::{LineReader, LineWriter};
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::wire::{ClientRequest, MonitorEvent};

/// Between looks for sandboxes that have come.
const LOOK: Duration = Duration::from_secs(1);

/// What one of them said; `None`: it has ended.
type Said = (SandboxName, Option<MonitorEvent>);

struct Watch<'a> {
    paths: &'a Paths,
    only: Option<&'a SandboxName>,
    sandboxes: BTreeMap<SandboxName, LineWriter<ClientRequest>>,
    said: mpsc::Sender<Said>,
    open: VecDeque<Asked>,
}

pub(super) async fn run(paths: &Paths, only: Option<&SandboxName>) -> Result<ExitCode> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        bail!("--watch asks in a terminal, and there is none; approvals.hook answers without one");
    }
    let (said, mut heard) = mpsc::channel(64);
    let mut watch = Watch { paths, only, sandboxes: BTreeMap::new(), said, open: VecDeque::new() };
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    writeln!(stdout(), "Waiting for questions; Ctrl-C ends it.")?;
    loop {
        tokio::select! {
            _ = look.tick() => watch.look().await?,
            Some((name, event)) = heard.recv() => watch.take(&name, event),
        }
        // What has come meanwhile is heard before the next is asked.
        while let Ok((name, event)) = heard.try_recv() {
            watch.take(&name, event);
        }
        watch.ask_next().await?;
    }
}

impl Watch<'_> {
    /// Joins sandboxes that are new.
    async fn look(&mut self) -> Result<()> {
        for name in open::running(self.paths, self.only)? {
            if self.sandboxes.contains_key(&name) {
                continue;
            }
            // One that ends just now asks nothing.
            let Ok(sandbox) = open::connect(self.paths, &name).await else { continue };
            let (open, connection) = sandbox.into_parts();
            self.open.extend(open);
            self.sandboxes.insert(name.clone(), connection.requests);
            tokio::spawn(hear(name, connection.events, self.said.clone()));
        }
        Ok(())
    }

    fn take(&mut self, name: &SandboxName, event: Option<MonitorEvent>) {
        match event {
            Some(MonitorEvent::Question { number, waiting, seconds, question }) => {
                self.open.retain(|asked| !(asked.sandbox == *name && asked.number == number));
                let question = *question;
                self.open.push_back(Asked { sandbox: name.clone(), number, waiting, seconds, question });
            }
            Some(MonitorEvent::Settled { number, .. }) => {
                self.open.retain(|asked| !(asked.sandbox == *name && asked.number == number));
            }
            Some(MonitorEvent::Failed { message, .. }) => {
                let _ = writeln!(stdout(), "  {message}");
            }
            Some(_) => {}
            None => {
                self.sandboxes.remove(name);
                self.open.retain(|asked| asked.sandbox != *name);
            }
        }
    }

    async fn ask_next(&mut self) -> Result<()> {
        let Some(asked) = self.open.pop_front() else { return Ok(()) };
        let (name, number) = (asked.sandbox.clone(), asked.number);
        // The bell, for whoever looks elsewhere.
        write!(stdout(), "\x07")?;
        let decision = tokio::task::spawn_blocking(move || answer::ask(&asked)).await??;
        if let Some(requests) = self.sandboxes.get_mut(&name) {
            // One that has gone is heard of.
            let _ = requests.send(&ClientRequest::Answer { number, decision }).await;
        }
        Ok(())
    }
}

async fn hear(name: SandboxName, mut events: LineReader<MonitorEvent>, said: mpsc::Sender<Said>) {
    while let Ok(Some(event)) = events.next().await {
        if said.send((name.clone(), Some(event))).await.is_err() {
            return;
        }
    }
    let _ = said.send((name, None)).await;
}
