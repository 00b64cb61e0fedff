//! Unmaking: idempotent, patient with an engine that is away, and only of what carries our labels.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use tokio::time::Instant;

use super::container::{LABEL_INSTALLATION, LABEL_ROLE, LABEL_RUN, LABEL_SANDBOX, Role};
use super::engine::{Engine, EngineError};
use super::installation::Installation;
use crate::names::{RunId, SandboxName};

/// A restart of the engine takes seconds; after this long a person has to look.
const PATIENCE: Duration = Duration::from_secs(120);
/// For what a failed launch has left, while somebody waits for its error.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

/// A container of this installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) sandbox: SandboxName,
    pub(crate) run: RunId,
    pub(crate) role: Role,
    pub(crate) running: bool,
}

/// Removes both containers, at once, with their anonymous volumes; that they are gone already is no error.
/// The workload's processes are dead before the gate's container goes: it holds their PID namespace.
pub(crate) async fn teardown(engine: &Engine, gate: &str, workload: &str) -> Result<(), EngineError> {
    let (gate, workload) = tokio::join!(remove(engine, gate, PATIENCE), remove(engine, workload, PATIENCE));
    workload.and(gate)
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

/// All containers of this installation, running or not; another installation's are never among them.
pub(crate) async fn find_ours(
    engine: &Engine,
    installation: &Installation,
) -> Result<Vec<Found>, EngineError> {
    let label = format!("{LABEL_INSTALLATION}={}", installation.as_str());
    let filters: HashMap<&str, Vec<&str>> = [("label", vec![label.as_str()])].into();
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let listed = engine.docker().list_containers(Some(options)).await;
    let listed = listed.map_err(|source| EngineError::Call { what: "list its containers", source })?;
    Ok(listed
        .into_iter()
        .filter_map(|container| {
            let labels = container.labels?;
            let role = match labels.get(LABEL_ROLE)?.as_str() {
                "gate" => Role::Gate,
                "workload" => Role::Workload,
                _ => return None,
            };
            Some(Found {
                id: container.id?,
                sandbox: labels.get(LABEL_SANDBOX)?.parse().ok()?,
                run: labels.get(LABEL_RUN)?.parse().ok()?,
                role,
                running: container.state.is_some_and(|state| state.to_string() == "running"),
            })
        })
        .collect())
}
