//! The policy in force: every key has its value. What a user writes is `file.rs`; how layers become this is
//! `layer.rs`. This is what the other parts read, and what crosses to the gate, so it is plain data (postcard).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::size::ByteSize;
use crate::judge::Verdict;

/// A whole policy, resolved and valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) sandbox: SandboxPolicy,
    pub(crate) workspace: WorkspacePolicy,
    pub(crate) limits: Limits,
    pub(crate) commands: CommandsPolicy,
    pub(crate) approvals: ApprovalsPolicy,
    pub(crate) audit: AuditPolicy,
    pub(crate) recovery: RecoveryPolicy,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SandboxPolicy {
    pub(crate) image: ImageChoice,
    pub(crate) user: UserChoice,
    pub(crate) env: BTreeMap<String, String>,
    /// Names or globs (`LC_*`) of host variables that are handed on.
    pub(crate) env_from_host: Vec<String>,
    /// Absolute (`~` already expanded), as written; resolved and checked when the mounts are made.
    pub(crate) read_only_paths: Vec<PathBuf>,
    pub(crate) read_write_paths: Vec<PathBuf>,
    pub(crate) home: ByteSize,
    pub(crate) tmp: ByteSize,
    pub(crate) shm: ByteSize,
    pub(crate) capabilities: Vec<Capability>,
    pub(crate) debugging: bool,
    /// Dotted keys of this policy that may go unenforced where engine or kernel can't.
    pub(crate) best_effort: Vec<String>,
    pub(crate) runtime: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ImageChoice {
    /// An empty image with the host's own tools bound read-only.
    Host,
    /// A reference as `docker run` takes it.
    Reference(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum UserChoice {
    /// The uid and gid of whoever calls creel.
    Invoker,
    /// What the image's USER says.
    Image,
    /// As docker's `--user`: `1000`, `1000:1000`.
    Ids { uid: u32, gid: Option<u32> },
}

/// The only capabilities that leave the sandbox standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Capability {
    Chown,
    Fowner,
    DacOverride,
    Setuid,
    Setgid,
    NetBindService,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkspacePolicy {
    /// Absolute path on the host.
    pub(crate) path: PathBuf,
    pub(crate) target: WorkspaceTarget,
    pub(crate) mode: WorkspaceMode,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WorkspaceTarget {
    /// At the path that it has on the host.
    Same,
    At(PathBuf),
}

/// How the project is seen inside. The copy-on-write mode arrives with the workspace issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WorkspaceMode {
    Bind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Swap included.
    pub(crate) memory: ByteSize,
    /// Thousandths of a CPU.
    pub(crate) cpu_millis: u32,
    pub(crate) processes: u32,
    pub(crate) open_files: u64,
    /// Further rlimits from `--ulimit`: name, soft, hard.
    pub(crate) ulimits: Vec<(String, u64, u64)>,
    /// Wall time of the whole run; `None` for no limit.
    pub(crate) time: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommandsPolicy {
    pub(crate) default: Verdict,
    /// What the catalogue's rules give.
    pub(crate) dangerous: Verdict,
    /// By category, over that.
    pub(crate) categories: BTreeMap<String, Verdict>,
    /// By rule, over both.
    pub(crate) catalogue_rules: BTreeMap<String, Verdict>,
    pub(crate) rules: Vec<CommandRule>,
}

/// One `[[commands.rule]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommandRule {
    pub(crate) id: String,
    /// A bare name matches the program's file name; one with `/` the whole path. A glob.
    pub(crate) program: String,
    /// Globs; all must occur, each in any place of argv[1..].
    pub(crate) args: Vec<String>,
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ApprovalsPolicy {
    /// How long a question stays open; then it is denied.
    pub(crate) timeout: Duration,
    pub(crate) without_terminal: WithoutTerminal,
    /// A command that answers in a person's place; empty: none.
    pub(crate) hook: Vec<String>,
    /// A denied command gets one line on its stderr.
    pub(crate) tell_workload: bool,
}

/// What becomes of a question when nobody is there to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WithoutTerminal {
    Deny,
    /// For `creel approve` from elsewhere, until the time-out.
    Wait,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditPolicy {
    pub(crate) commands: bool,
    pub(crate) durability: Durability,
}

/// How safe a record is before its action goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Durability {
    /// The action may go on first.
    Async,
    /// write(2) has returned: safe whatever process dies.
    Written,
    /// fdatasync(2) has returned: safe if the machine dies.
    Synced,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecoveryPolicy {
    /// How long a sandbox may live without its monitor.
    pub(crate) grace: Duration,
}
