//! In the foreground of a sandbox: its streams, its monitor and our signals, until it ends or is left.

use anyhow::{Context, Result};
use bollard::query_parameters::ResizeContainerTTYOptionsBuilder;
use nix::sys::signal::Signal;

use super::denied;
use super::failure::{CREEL_FAILED, Failure, say};
use super::prompt::{Prompt, Said};
use super::stream::{Event, Session};
use crate::audit::record::Cause;
use crate::monitor::client::{self, ConnectError, Connection};
use crate::monitor::state::StateDir;
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::sandbox::engine::Engine;
use crate::sys::tty::Size;
use crate::wire::{ClientRequest, Denied, MonitorEvent};

/// A sandbox that is followed.
pub(crate) struct Followed<'a> {
    pub(crate) name: &'a SandboxName,
    pub(crate) paths: &'a Paths,
    pub(crate) engine: &'a Engine,
    pub(crate) container: &'a str,
    /// When we go, it goes.
    pub(crate) foreground: bool,
    /// It was running before: a full-screen program has to be told to paint itself again.
    pub(crate) repaint: bool,
}

/// How the workload ended.
#[derive(Clone, Debug)]
struct Exit {
    code: i32,
    cause: Cause,
    message: Option<String>,
    /// Told where nobody was asked.
    denied: Vec<Denied>,
}

/// What the following came to.
enum Ended {
    Exit(Exit),
    Detached,
    Left(Signal),
}

impl Followed<'_> {
    /// Returns the code to exit with.
    pub(crate) async fn run_to_its_end(&self, connection: Connection, session: Session) -> Result<u8> {
        let ended = self.follow(connection, session).await?;
        // The session is gone, and with it raw mode.
        match ended {
            Ended::Exit(exit) => {
                explain(self.name, &exit);
                denied::tell(&exit.denied);
                Ok(exit_code(exit.code))
            }
            Ended::Detached => {
                say(&format!("{0} goes on; creel attach {0} brings it back", self.name));
                Ok(0)
            }
            Ended::Left(signal) => Ok(exit_code(128 + signal as i32)),
        }
    }

    async fn follow(&self, connection: Connection, mut session: Session) -> Result<Ended> {
        let mut prompt = session.take_shared().map(Prompt::start);
        let ended = self.follow_with(connection, &mut session, &mut prompt).await;
        // The screen is put back while there is a session to do it in.
        if let Some(prompt) = prompt {
            let complaints = prompt.finish().await;
            drop(session);
            complaints.iter().for_each(|message| say(&format!("about an answer of yours: {message}")));
        }
        ended
    }

    async fn follow_with(
        &self,
        connection: Connection,
        session: &mut Session,
        prompt: &mut Option<Prompt>,
    ) -> Result<Ended> {
        let mut connection = Some(connection);
        let mut exit = None;
        let mut output_ended = false;
        let mut denied = Vec::new();
        if self.repaint {
            self.repaint(session).await;
        }
        loop {
            if let (Some(exit), true) = (&exit, output_ended) {
                return Ok(Ended::Exit(Exit::clone(exit)));
            }
            tokio::select! {
                event = session.next() => match event {
                    Event::OutputEnded => output_ended = true,
                    Event::OutputFailed(e) => return Err(e.context("the output could not be passed on")),
                    Event::Detached => {
                        if let Some(mut connection) = connection {
                            self.detach(&mut connection).await?;
                        }
                        return Ok(Ended::Detached);
                    }
                    // What comes after the end is for us: the output may be stuck in its reader.
                    Event::Forward(signal) if exit.is_some() => return Ok(Ended::Left(signal)),
                    Event::Forward(signal) => {
                        if let Some(connection) = &mut connection {
                            // A monitor that has gone is found by the reading side.
                            let _ = connection.send(&ClientRequest::Kill { signal: signal as i32 }).await;
                        }
                    }
                    Event::Leave(signal) => return Ok(Ended::Left(signal)),
                    Event::Resized(size) => {
                        if let Some(prompt) = prompt {
                            prompt.resized(size);
                        }
                        self.resize(size).await;
                    }
                    Event::Suspend => suspend(session, prompt.as_ref()).await,
                },
                said = next(prompt) => match said {
                    Said::Answer { number, decision } => {
                        if let Some(connection) = &mut connection {
                            let _ = connection.send(&ClientRequest::Answer { number, decision }).await;
                        }
                    }
                    Said::Repaint => self.repaint(session).await,
                },
                heard = hear(&mut connection), if exit.is_none() => match heard {
                    Some(MonitorEvent::Denied { all }) if prompt.is_none() => denied = all,
                    Some(MonitorEvent::Exited { exit_code, cause, message }) => {
                        let denied = std::mem::take(&mut denied);
                        exit = Some(Exit { code: exit_code, cause, message, denied });
                        session.workload_ended();
                        if let Some(prompt) = prompt {
                            prompt.monitor_gone();
                        }
                    }
                    Some(event @ (MonitorEvent::Question { .. } | MonitorEvent::Settled { .. })) => {
                        if let Some(prompt) = prompt {
                            prompt.hear(event);
                        }
                    }
                    Some(MonitorEvent::Failed { message, .. }) => {
                        if let Some(prompt) = prompt {
                            prompt.failed(message);
                        }
                    }
                    // An answer to a signal that came too late.
                    Some(_) => {}
                    None => {
                        connection = None;
                        if let Some(prompt) = prompt {
                            prompt.monitor_gone();
                        }
                        match self.reconnect(prompt.is_some()).await? {
                            Reached::Monitor(new) => connection = Some(new),
                            Reached::Exit(known) => {
                                exit = Some(known);
                                session.workload_ended();
                            }
                        }
                    }
                },
            }
        }
    }

    /// Leaves only when the monitor knows that we mean to: it would stop the sandbox otherwise.
    async fn detach(&self, connection: &mut Connection) -> Result<()> {
        connection.send(&ClientRequest::Detach).await?;
        while let Some(event) = connection.recv().await? {
            if matches!(event, MonitorEvent::Ok | MonitorEvent::Exited { .. }) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The monitor died. The streams are the engine's, and go on; a new monitor picks up the rest.
    async fn reconnect(&self, asks: bool) -> Result<Reached> {
        match client::connect(self.name, self.paths).await {
            Ok(mut connection) => {
                connection.send(&ClientRequest::Follow { foreground: self.foreground }).await?;
                if asks {
                    connection.send(&ClientRequest::Approver { terminal: true }).await?;
                }
                Ok(Reached::Monitor(connection))
            }
            Err(ConnectError::NotRunning(_)) => {
                let state = StateDir::of(self.paths, self.name).state()?;
                let exit = state.exit.context("the sandbox ended, and nothing says how")?;
                Ok(Reached::Exit(Exit {
                    code: exit.code,
                    cause: exit.cause,
                    message: exit.message,
                    denied: Vec::new(),
                }))
            }
            Err(ConnectError::NoSuch(name)) => Err(Failure {
                code: CREEL_FAILED,
                message: format!(
                    "sandbox {name} was cleaned up after its monitor died; creel audit has its record"
                ),
            }
            .into()),
            Err(ConnectError::Other(e)) => Err(e.context("the monitor died, and no other could be started")),
        }
    }

    async fn resize(&self, size: Size) {
        let options =
            ResizeContainerTTYOptionsBuilder::new().h(size.rows.into()).w(size.columns.into()).build();
        // It may have ended, or not begun; the next change tries again.
        let _ = self.engine.docker().resize_container_tty(self.container, options).await;
    }

    /// As docker does it: another size and back, which every full-screen program takes for a reason.
    async fn repaint(&self, session: &Session) {
        if let Some(size) = session.size() {
            self.resize(Size { rows: size.rows.saturating_add(1), columns: size.columns.saturating_add(1) })
                .await;
            self.resize(size).await;
        }
    }
}

/// What came of questions; nothing does where none are put.
async fn next(prompt: &mut Option<Prompt>) -> Said {
    match prompt {
        Some(prompt) => prompt.next().await,
        None => std::future::pending().await,
    }
}

/// Stops us, with the screen as the workload left it.
async fn suspend(session: &Session, prompt: Option<&Prompt>) {
    if let Some(prompt) = prompt {
        prompt.hide().await;
    }
    session.suspend();
    if let Some(prompt) = prompt {
        prompt.show();
    }
}

enum Reached {
    Monitor(Connection),
    /// The run was over, and its state says how.
    Exit(Exit),
}

/// The monitor's next event; `None` when it has gone. Nothing is heard while there is none.
async fn hear(connection: &mut Option<Connection>) -> Option<MonitorEvent> {
    match connection {
        Some(connection) => connection.recv().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

/// Says what the exit code alone does not.
fn explain(name: &SandboxName, exit: &Exit) {
    let reason = match exit.cause {
        Cause::Exit | Cause::Signal | Cause::Hangup => return,
        Cause::Stopped => "was stopped",
        Cause::Oom => "ran out of memory (limits.memory)",
        Cause::Time => "reached its time limit (limits.time)",
        Cause::Gate => "ended, as its gate did",
        Cause::Engine => "ended, as the engine stopped it or lost it",
        Cause::Grace => "ended, as its monitor was away for too long (recovery.grace)",
        Cause::Failed => "could not be run",
    };
    let detail = exit.message.as_deref().filter(|_| matches!(exit.cause, Cause::Engine | Cause::Failed));
    say(&detail.map_or_else(|| format!("{name} {reason}"), |detail| format!("{name} {reason}: {detail}")));
}

/// What a process can exit with.
pub(crate) fn exit_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(CREEL_FAILED)
}
