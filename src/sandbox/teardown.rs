//! Unmaking: idempotent, patient with an engine that is away, and only of what carries our labels.

use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::RemoveContainerOptionsBuilder;
use tokio::time::Instant;

use super::container::Role;
use super::engine::{Engine, EngineError};
use crate::names::{RunId, SandboxName};

/// A restart of the engine takes seconds; after this long a person has to look.
const PATIENCE: Duration = Duration::from_secs(120);
/// For what a failed launch has left, while somebody waits for its error.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

/// Removes both containers, at once, with their anonymous volumes; that they are gone already is no error.
/// The workload's processes are dead before the gate's container goes: it holds their PID namespace.
pub(crate) async fn teardown(engine: &Engine, gate: &str, workload: &str) -> Result<(), EngineError> {
    let (gate, workload) = tokio::join!(remove(engine, gate, PATIENCE), remove(engine, workload, PATIENCE));
    workload.and(gate)
}

/// Both containers of a run, found by the names that it gave them.
pub(crate) async fn teardown_run(engine: &Engine, name: &SandboxName, run: RunId) -> Result<(), EngineError> {
    let [gate, workload, probe] =
        [Role::Gate, Role::Workload, Role::Probe].map(|role| role.container_name(name, run));
    // A probe is left only where creel was killed while it looked into an image.
    let (both, probe) = tokio::join!(teardown(engine, &gate, &workload), remove(engine, &probe, PATIENCE));
    both.and(probe)
}

/// After a failed launch: what can't be removed now is found by its labels later.
pub(crate) async fn remove_all(engine: &Engine, ids: &[String]) {
    for id in ids {
        let _ = remove(engine, id, SHORT_PATIENCE).await;
    }
}

/// By id or name.
pub(crate) async fn remove(engine: &Engine, container: &str, patience: Duration) -> Result<(), EngineError> {
    let start = Instant::now();
    loop {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let error = match engine.docker().remove_container(container, Some(options)).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(()),
            Err(error) => error,
        };
        // 409: another removal is under way; let it finish, then see that nothing is left.
        let passing = match &error {
            Error::DockerResponseServerError { status_code, .. } => matches!(status_code, 409 | 500..=599),
            _ => true,
        };
        if !passing || start.elapsed() > patience {
            return Err(EngineError::Call { what: "remove a container", source: error });
        }
        tokio::time::sleep(PAUSE).await;
    }
}
