//! What the engine can tell us: that a container has ended, and that somebody entered one behind our back. Both
//! outlive a restart of the engine.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{EventsOptions, WaitContainerOptions};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::happening::Happening;

/// How long an engine may be away (a restart, an upgrade) before the run is ended without it.
const ENGINE_PATIENCE: Duration = Duration::from_secs(180);

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) code: i64,
    /// The engine was away when it happened, or had lost the container.
    pub(crate) engine_was_away: bool,
}

/// Waits until the container is not running. Call it after the start: the answer then has no race.
///
/// # Errors
/// Says what the engine's last error was, when it has been away for too long.
pub(crate) async fn exit_of(docker: &Docker, container: &str) -> Result<Exit, String> {
    let mut away = false;
    let mut silent_since: Option<Instant> = None;
    loop {
        let options = WaitContainerOptions { condition: "not-running".to_owned() };
        let error = match docker.wait_container(container, Some(options)).next().await {
            Some(Ok(response)) => return Ok(Exit { code: response.status_code, engine_was_away: away }),
            Some(Err(Error::DockerContainerWaitError { code, .. })) => {
                return Ok(Exit { code, engine_was_away: away });
            }
            // Removed by somebody else, or forgotten by a broken engine: it does not run.
            Some(Err(Error::DockerResponseServerError { status_code: 404, .. })) => {
                return Ok(Exit { code: 137, engine_was_away: true });
            }
            Some(Err(e)) => e.to_string(),
            None => "the engine closed the connection".to_owned(),
        };
        away = true;
        if docker.ping().await.is_ok() {
            silent_since = None;
        } else if silent_since.get_or_insert_with(Instant::now).elapsed() > ENGINE_PATIENCE {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Watches for execs in `container`, for ever. Each start is passed on with its exec id; whether it is one of ours
/// is for the run to say. `since` is in seconds since the epoch: what happened while no monitor lived counts too.
pub(crate) async fn execs_in(
    docker: Docker,
    container: String,
    since: u64,
    happenings: mpsc::Sender<Happening>,
) {
    let mut since = since;
    loop {
        let filter = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
        let filters = HashMap::from([filter("container", &container), filter("event", "exec_start")]);
        let options = EventsOptions { since: Some(since.to_string()), until: None, filters: Some(filters) };
        let mut events = std::pin::pin!(docker.events(Some(options)));
        while let Some(Ok(event)) = events.next().await {
            since = event.time.and_then(|time| u64::try_from(time).ok()).unwrap_or(since);
            let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
            let Some(exec) = attributes.get("execID").cloned() else { continue };
            let command = event.action.unwrap_or_default();
            if happenings.send(Happening::ExecSeen { exec, command }).await.is_err() {
                return;
            }
        }
        if happenings.is_closed() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
