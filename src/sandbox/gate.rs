//! The gate's container: the empty image, the binary, one folder with the control socket, and no network.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{ContainerCreateBody, HostConfig, Mount};

use super::container::NO_CORE;
use super::container::{self, Role};
use super::facts::EngineFacts;
use crate::wire::{BINARY_IN_CONTAINER, GATE_RUN_DIR};

const MEMORY: i64 = 128 << 20;
const PROCESSES: i64 = 64;
/// Four times the default: when all CPUs are busy, supervision comes first.
const CPU_SHARES: i64 = 4096;
/// SYS_PTRACE, KILL and DAC_READ_SEARCH are what supervision needs; with SETUID and SETGID it leaves uid 0 at
/// once, and NET_ADMIN brings the loopback interface up. It drops the last three itself.
const CAPABILITIES: [&str; 6] =
    ["CAP_DAC_READ_SEARCH", "CAP_KILL", "CAP_NET_ADMIN", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_PTRACE"];

/// What the gate's body is made from.
pub(crate) struct GateInput<'a> {
    pub(crate) facts: &'a EngineFacts,
    pub(crate) image: String,
    pub(crate) hostname: &'a str,
    pub(crate) runtime: &'a str,
    pub(crate) labels: HashMap<String, String>,
    pub(crate) binary: &'a Path,
    /// The folder with the control socket.
    pub(crate) run_dir: &'a Path,
    /// The workload's user, which must not be the gate's.
    pub(crate) workload_user: Option<u32>,
}

/// The gate's own user (gate/identity.rs), and the one that it takes where the workload has that.
const OWN_USER: u32 = 65_533;
const OTHER_USER: u32 = 65_532;

fn command(workload_user: Option<u32>) -> Vec<String> {
    let mut command = vec!["__gate".to_owned()];
    if workload_user == Some(OWN_USER) {
        command.extend(["--uid".to_owned(), OTHER_USER.to_string()]);
    }
    command
}

pub(crate) fn body(input: GateInput<'_>) -> ContainerCreateBody {
    let mounts: Vec<Mount> = vec![
        container::bind(input.binary, Path::new(BINARY_IN_CONTAINER), true),
        container::bind(input.run_dir, Path::new(GATE_RUN_DIR), true),
    ];
    let host_config = HostConfig {
        cap_add: Some(CAPABILITIES.map(String::from).to_vec()),
        cpu_shares: Some(CPU_SHARES),
        memory: Some(MEMORY),
        memory_swap: Some(MEMORY),
        mounts: Some(mounts),
        network_mode: Some("none".into()),
        pids_limit: Some(PROCESSES),
        ulimits: Some(vec![container::ulimit("core", NO_CORE, NO_CORE)]),
        ..container::hardened(input.facts, input.runtime, Role::Gate)
    };
    ContainerCreateBody {
        hostname: Some(input.hostname.to_owned()),
        user: Some("0:0".into()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        image: Some(input.image),
        entrypoint: Some(vec![BINARY_IN_CONTAINER.into()]),
        cmd: Some(command(input.workload_user)),
        working_dir: Some("/".into()),
        labels: Some(input.labels),
        host_config: Some(host_config),
        ..Default::default()
    }
}
