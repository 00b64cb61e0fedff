//! All that is decided before a sandbox starts. The CLI writes it, the monitor reads it, and a later monitor
//! that takes over needs nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::names::{RunId, SandboxName};
use crate::policy::Policy;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SandboxSpec {
    pub(crate) name: SandboxName,
    pub(crate) run: RunId,
    pub(crate) policy: Policy,
    /// SHA-256, hex, of the effective policy as JSON.
    pub(crate) policy_hash: String,
    pub(crate) policy_sources: Vec<String>,
    pub(crate) invoker: Invoker,
    /// As typed; empty: the image's CMD.
    pub(crate) command: Vec<String>,
    /// `--entrypoint`: replaces the image's; `Some("")` clears it.
    pub(crate) entrypoint: Option<String>,
    /// `-w`
    pub(crate) workdir: Option<PathBuf>,
    /// Everything of `-e`, `--env-file`, `sandbox.env` and `env_from_host`, resolved by the CLI.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Extra tmpfs mounts of `--tmpfs PATH[:OPTIONS]`.
    pub(crate) tmpfs: BTreeMap<PathBuf, String>,
    /// `-v` binds, already split.
    pub(crate) binds: Vec<BindSpec>,
    pub(crate) pull: PullPolicy,
    pub(crate) tty: bool,
    pub(crate) stdin: bool,
    /// Docker keeps stdin open after the first client goes (`-d -i`).
    pub(crate) detached: bool,
    /// Remove the containers and the state at the end (foreground runs; `-d --rm`).
    pub(crate) remove: bool,
    /// Initial terminal size, rows and columns.
    pub(crate) size: Option<(u16, u16)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BindSpec {
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) read_only: bool,
}

/// `docker run --pull`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PullPolicy {
    Always,
    Missing,
    Never,
}

/// Who called creel. Under sudo it is the caller's own account that counts (SUDO_UID), as the files are theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invoker {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) name: String,
    /// The home directory inside the sandbox has this path too.
    pub(crate) home: PathBuf,
}
