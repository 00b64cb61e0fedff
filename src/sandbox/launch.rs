//! From a plan to two running containers.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard::errors::Error;
use bollard::exec::CreateExecOptions;
use bollard::query_parameters::{CreateContainerOptionsBuilder, ResizeContainerTTYOptionsBuilder};

use super::container::Role;
use super::engine::{Engine, EngineError};
use super::mounts::MountTable;
use super::plan::{ContainerPlan, Plan};
use super::teardown;
use crate::wire::{BINARY_IN_CONTAINER, ExecRequest};

/// Why a sandbox did not come up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("the engine could not make the {} container: {source}", .role.as_str())]
    Create { role: Role, source: Error },
    #[error("the engine could not start the {} container: {}", .role.as_str(), start_reason(.source))]
    Start { role: Role, source: Error },
    #[error("the {} container ended before it could be looked at", .0.as_str())]
    Gone(Role),
    #[error(
        "process {pid} of the container is not to be seen here ({source}): creel must run on the engine's own host, \
         outside of any container"
    )]
    Invisible { pid: i32, source: io::Error },
    #[error(
        "what the engine mounted at {} is not what was checked: somebody replaced {} in the meantime. Nothing was run; \
         stop what else writes there, and try again", .target.display(), .source_path.display()
    )]
    Swapped { target: PathBuf, source_path: PathBuf },
    #[error("the engine could not prepare the command in the container: {0}")]
    Exec(Error),
    #[error("the command did not start within {0:?}")]
    ExecLate(Duration),
    #[error("the container's own command is not creel's shim, so nothing more is run in it")]
    NotOurs,
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The engine wraps runc's sentence into several of its own.
fn start_reason(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => {
            let last = message.rsplit_once("container process: ").map_or(message.as_str(), |(_, last)| last);
            // runc's words for a limit that its parent may not set.
            let hint = if last.contains("final child's PID") {
                " (often a limit above the engine's own: lower limits.open_files or --ulimit)"
            } else {
                ""
            };
            format!("{last}{hint}")
        }
        other => other.to_string(),
    }
}

/// The engine's ids of both containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) gate: String,
    pub(crate) workload: String,
}

/// Makes both containers and starts the gate: the workload's making and the gate's start at once. On an error
/// nothing is left.
pub(crate) async fn raise(engine: &Engine, plan: &Plan) -> Result<Created, LaunchError> {
    let gate = create_gate(engine, plan).await?;
    let both = tokio::join!(start(engine, Role::Gate, &gate), create_workload(engine, plan));
    match both {
        (Ok(()), Ok(workload)) => Ok(Created { gate, workload }),
        (started, made) => {
            let made_workload = made.as_ref().ok().cloned();
            let error = started.err().or(made.err());
            let all: Vec<String> = made_workload.into_iter().chain([gate]).collect();
            teardown::remove_all(engine, &all).await;
            Err(error.unwrap_or(LaunchError::Gone(Role::Gate)))
        }
    }
}

/// Makes both containers, the gate first: the engine wants to know the container whose namespaces are joined.
#[cfg(test)]
pub(crate) async fn create_both(engine: &Engine, plan: &Plan) -> Result<Created, LaunchError> {
    let gate = create_gate(engine, plan).await?;
    match create_workload(engine, plan).await {
        Ok(workload) => Ok(Created { gate, workload }),
        Err(error) => {
            teardown::remove_all(engine, &[gate]).await;
            Err(error)
        }
    }
}

/// The base image is looked for by using it: it is nearly always there.
pub(crate) async fn create_gate(engine: &Engine, plan: &Plan) -> Result<String, LaunchError> {
    match create(engine, &plan.gate).await {
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
            plan.base.make(engine).await?;
            create(engine, &plan.gate).await
        }
        made => made,
    }
    .map_err(|source| LaunchError::Create { role: Role::Gate, source })
}

pub(crate) async fn create_workload(engine: &Engine, plan: &Plan) -> Result<String, LaunchError> {
    create(engine, &plan.workload)
        .await
        .map_err(|source| LaunchError::Create { role: Role::Workload, source })
}

async fn create(engine: &Engine, container: &ContainerPlan) -> Result<String, Error> {
    let options = CreateContainerOptionsBuilder::new().name(&container.name).build();
    Ok(engine.docker().create_container(Some(options), container.body.clone()).await?.id)
}

pub(crate) async fn start_workload(engine: &Engine, id: &str) -> Result<(), LaunchError> {
    start(engine, Role::Workload, id).await
}

async fn start(engine: &Engine, role: Role, id: &str) -> Result<(), LaunchError> {
    let started = engine.docker().start_container(id, None).await;
    started.map_err(|source| LaunchError::Start { role, source })
}

/// Rows and columns. A container that has ended has none, and engines from API 1.42 on have been told before.
pub(crate) async fn set_terminal_size(engine: &Engine, id: &str, (rows, columns): (u16, u16)) {
    let options = ResizeContainerTTYOptionsBuilder::new().h(rows.into()).w(columns.into()).build();
    let _ = engine.docker().resize_container_tty(id, options).await;
}

/// The main process of a running container, as this PID namespace knows it.
pub(crate) async fn host_pid(engine: &Engine, role: Role, id: &str) -> Result<i32, LaunchError> {
    let found = engine.docker().inspect_container(id, None).await;
    let found = found.map_err(|source| EngineError::Call { what: "look at a container", source })?;
    let pid = found.state.and_then(|state| state.pid).and_then(|pid| i32::try_from(pid).ok());
    pid.filter(|pid| *pid > 0).ok_or(LaunchError::Gone(role))
}

/// The same process's number in its own, innermost PID namespace: the last of proc_pid_status(5)'s NSpid.
pub(crate) fn ns_pid(host_pid: i32) -> Result<i32, LaunchError> {
    let status = std::fs::read_to_string(format!("/proc/{host_pid}/status"));
    let status = status.map_err(|source| LaunchError::Invisible { pid: host_pid, source })?;
    let inner =
        status.lines().find_map(|line| line.strip_prefix("NSpid:")?.split_whitespace().last()?.parse().ok());
    inner.ok_or_else(|| LaunchError::Invisible { pid: host_pid, source: io::Error::other("no NSpid") })
}

/// Between start and announcement, while the shim's first exec waits: every bind shows what was checked. A path
/// that was swapped for a link after the check is caught here, before anything of the workload runs.
pub(crate) fn check_mounts(plan: &Plan, host_pid: i32) -> Result<(), LaunchError> {
    let table = MountTable::of_process(host_pid);
    let table = table.map_err(|source| LaunchError::Invisible { pid: host_pid, source })?;
    for bind in &plan.binds {
        if table.at(&bind.target).is_none_or(|mount| mount.root != bind.location) {
            return Err(LaunchError::Swapped {
                target: bind.target.clone(),
                source_path: bind.source.clone(),
            });
        }
    }
    Ok(())
}

/// A further command in a running workload, through the shim with the flags that the first one has.
pub(crate) async fn create_exec(
    engine: &Engine,
    workload: &str,
    request: &ExecRequest,
) -> Result<String, LaunchError> {
    let found = engine.docker().inspect_container(workload, None).await;
    let found = found.map_err(|source| EngineError::Call { what: "look at the container", source })?;
    let (path, args) = (found.path.unwrap_or_default(), found.args.unwrap_or_default());
    let own = args.iter().position(|arg| arg == "--").and_then(|end| args.get(..=end));
    let own = own.filter(|own| path == BINARY_IN_CONTAINER && own.first().is_some_and(|arg| arg == "__shim"));
    let mut command = vec![path.clone()];
    command.extend_from_slice(own.ok_or(LaunchError::NotOurs)?);
    command.extend(request.command.iter().cloned());
    let options = CreateExecOptions {
        attach_stdin: Some(request.stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(request.tty),
        env: Some(request.env.clone()),
        cmd: Some(command),
        privileged: Some(false),
        user: request.user.clone(),
        working_dir: request.workdir.clone(),
        detach_keys: request.detach_keys.clone(),
    };
    Ok(engine.docker().create_exec(workload, options).await.map_err(LaunchError::Exec)?.id)
}

const EXEC_START: Duration = Duration::from_secs(20);

/// The pid of an exec that a client has started, or is about to.
pub(crate) async fn exec_pid(engine: &Engine, exec: &str) -> Result<i32, LaunchError> {
    let asked = async {
        loop {
            let found = engine.docker().inspect_exec(exec).await;
            let found = found.map_err(|source| EngineError::Call { what: "look at the command", source })?;
            if let Some(pid) = found.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0) {
                return Ok(pid);
            }
            if found.exit_code.is_some() {
                return Err(LaunchError::Gone(Role::Workload));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(EXEC_START, asked).await.unwrap_or(Err(LaunchError::ExecLate(EXEC_START)))
}
