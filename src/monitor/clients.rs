//! The command lines that are connected: who they are, which of them is the foreground, and telling them.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::MONITOR_SOCKET;
use super::happening::{ClientId, Happening};
use super::line::{LineReader, split};
use super::socket::SocketDir;
use super::state::private_dir;
use crate::wire::{ClientRequest, MonitorEvent};

/// Events that one client has not read yet; one that falls behind further is let go.
const BACKLOG: usize = 1024;

/// At most so many command lines at once.
const MAX_CLIENTS: usize = 256;

/// One connected command line.
#[derive(Debug)]
pub(crate) struct Client {
    id: ClientId,
    events: mpsc::Sender<MonitorEvent>,
    writer: JoinHandle<()>,
    /// When its connection goes, the sandbox goes.
    pub(crate) foreground: bool,
    /// It follows the run: progress, start and end.
    pub(crate) follows: bool,
    /// It made the sandbox, and is waited for at the start.
    pub(crate) starter: bool,
    /// It shows questions to a person; true: in the terminal that runs the workload.
    pub(crate) approver: Option<bool>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    all: BTreeMap<ClientId, Client>,
}

impl Clients {
    pub(crate) fn add(&mut self, client: Client) {
        if self.all.len() < MAX_CLIENTS {
            self.all.insert(client.id, client);
        }
    }

    pub(crate) fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.all.get_mut(&id)
    }

    pub(crate) fn any_foreground(&self) -> bool {
        self.all.values().any(|client| client.foreground)
    }

    pub(crate) fn any_approver(&self) -> bool {
        self.all.values().any(|client| client.approver.is_some())
    }

    /// Tells everyone who shows questions.
    pub(crate) fn tell_approvers(&mut self, event: &MonitorEvent) {
        self.all
            .retain(|_, client| client.approver.is_none() || client.events.try_send(event.clone()).is_ok());
    }

    pub(crate) fn remove(&mut self, id: ClientId) -> Option<Client> {
        self.all.remove(&id)
    }

    pub(crate) fn tell(&mut self, id: ClientId, event: MonitorEvent) {
        if let Some(client) = self.all.get(&id)
            && client.events.try_send(event).is_err()
        {
            self.all.remove(&id);
        }
    }

    /// Tells everyone who follows the run.
    pub(crate) fn tell_followers(&mut self, event: &MonitorEvent) {
        self.all.retain(|_, client| !client.follows || client.events.try_send(event.clone()).is_ok());
    }

    /// Those who follow the run now, to be told how a long step is going.
    pub(crate) fn followers(&self) -> Vec<mpsc::Sender<MonitorEvent>> {
        self.all.values().filter(|client| client.follows).map(|client| client.events.clone()).collect()
    }

    /// Lets everyone read to the end of what they were told; a reader that is stuck is left.
    pub(crate) async fn finish(self) {
        let writers: Vec<_> = self.all.into_values().map(|client| client.writer).collect();
        // With the clients went the senders: each writer ends when it has written what it was given.
        for writer in writers {
            let _ = tokio::time::timeout(Duration::from_secs(1), writer).await;
        }
    }
}

/// Listens at `monitor.sock` in `dir`, in place of a dead monitor.
pub(crate) fn listen(dir: &Path, happenings: mpsc::Sender<Happening>) -> Result<()> {
    let bound = || -> Result<UnixListener> {
        private_dir(dir)?;
        let short = SocketDir::open(dir)?;
        short.clear(MONITOR_SOCKET)?;
        let listener = UnixListener::bind(short.path(MONITOR_SOCKET))?;
        fs::set_permissions(short.path(MONITOR_SOCKET), Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    let listener = bound().with_context(|| format!("could not listen in {}", dir.display()))?;
    tokio::spawn(async move {
        // Number 0 is the command line that started this monitor.
        for number in 1.. {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let client = admit(ClientId(number), stream, &happenings);
                    if happenings.send(Happening::Connected(client)).await.is_err() {
                        return;
                    }
                }
                Err(e) => {
                    eprintln!("creel: a connection failed: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    });
    Ok(())
}

/// Begins to listen to one client, and to write to it.
pub(crate) fn admit(id: ClientId, stream: UnixStream, happenings: &mpsc::Sender<Happening>) -> Client {
    let (requests, mut writer) = split::<ClientRequest, MonitorEvent>(stream);
    let (events, mut outbox) = mpsc::channel(BACKLOG);
    let writer = tokio::spawn(async move {
        while let Some(event) = outbox.recv().await {
            if writer.send(&event).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(hear(id, requests, happenings.clone()));
    Client { id, events, writer, foreground: false, follows: false, starter: false, approver: None }
}

async fn hear(id: ClientId, mut requests: LineReader<ClientRequest>, happenings: mpsc::Sender<Happening>) {
    loop {
        let happening = match requests.next().await {
            Ok(Some(request)) => Happening::Request(id, request),
            Ok(None) => break,
            Err(e) => {
                eprintln!("creel: a client was let go: {e:#}");
                break;
            }
        };
        if happenings.send(happening).await.is_err() {
            return;
        }
    }
    let _ = happenings.send(Happening::Hangup(id)).await;
}
