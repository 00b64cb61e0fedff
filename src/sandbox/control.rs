//! Orders to a container that runs: end, signal, and what became of it.

use std::time::Duration;

use anyhow::{Context, Result};
use bollard::errors::Error;
use bollard::query_parameters::{KillContainerOptions, StopContainerOptions};

use super::engine::Engine;

/// What the engine says of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) running: bool,
    pub(crate) exit_code: i64,
}

/// `None`: the engine does not know it (any more).
pub(crate) async fn status(engine: &Engine, id: &str) -> Result<Option<Status>> {
    let found = match engine.docker().inspect_container(id, None).await {
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
        found => found.context("the engine could not look at a container")?,
    };
    let state = found.state.unwrap_or_default();
    Ok(Some(Status { running: state.running.unwrap_or(false), exit_code: state.exit_code.unwrap_or(137) }))
}

/// The image's stop signal, then SIGKILL after `patience` (whole seconds, rounded up). Returns when it is over; a
/// container that has ended is no error.
pub(crate) async fn stop(engine: &Engine, id: &str, patience: Duration) -> Result<()> {
    let seconds = patience.as_millis().div_ceil(1000);
    let options = StopContainerOptions { t: Some(i32::try_from(seconds).unwrap_or(i32::MAX)), signal: None };
    let stopped = engine.docker().stop_container(id, Some(options)).await;
    over_is_fine(stopped).context("the engine could not stop the container")
}

/// Sends a signal to the container's main process.
pub(crate) async fn kill(engine: &Engine, id: &str, signal: i32) -> Result<()> {
    let options = KillContainerOptions { signal: signal.to_string() };
    let killed = engine.docker().kill_container(id, Some(options)).await;
    killed.context("the engine could not send the signal")
}

/// 304: not running; 404: not there; 409: not running, for a kill.
fn over_is_fine(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::DockerResponseServerError { status_code: 304 | 404 | 409, .. }) => Ok(()),
        other => other,
    }
}
