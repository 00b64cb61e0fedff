//! Asking a human: what is asked ([`Question`]), the [`queue`] of what is open, what was [`decisions`] before, and the
//! [`hook`] that answers in a person's place. Nothing here knows of Docker or of the gate.

pub(crate) mod decisions;
pub(crate) mod hook;
pub(crate) mod queue;
pub(crate) mod render;

use serde::{Deserialize, Serialize};

use crate::audit::bytes::Bytes;
use crate::judge::Severity;

/// A command that stands still until somebody says what becomes of it. Everything in it but rules and reasons is the
/// workload's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The gate's number for the process that waits.
    pub(crate) id: u64,
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    /// The file that runs; for a script its interpreter.
    pub(crate) exe: Bytes,
    /// The script, where one was executed.
    pub(crate) file: Option<Bytes>,
    pub(crate) argv: Vec<Bytes>,
    pub(crate) cwd: Bytes,
    /// Variables that change what a program does, and differ from the sandbox's start; `None`: unset since.
    pub(crate) env: Vec<(Bytes, Option<Bytes>)>,
    /// Some of `argv` or `env` was too long to be sent; `digest` is of the whole.
    pub(crate) is_cut: bool,
    /// Who asks: the command lines of its ancestors, its parent first.
    pub(crate) ancestors: Vec<Ancestor>,
    /// What makes it dangerous, the worst first. Never empty.
    pub(crate) dangers: Vec<Danger>,
    /// SHA-256, hex, of all that an answer binds: argv, folder, file, environment, scripts.
    pub(crate) digest: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ancestor {
    pub(crate) pid: u32,
    /// As the process shows it: its own choice.
    pub(crate) argv: Vec<Bytes>,
}

/// One thing that the judge found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Danger {
    pub(crate) rule: String,
    pub(crate) severity: Severity,
    /// Completes “This command …”.
    pub(crate) reason: String,
    pub(crate) instead: Option<String>,
    /// The simple command that it is about.
    pub(crate) command: Bytes,
    /// SHA-256, hex, of what “always” binds: the rule, this command, its folder, the environment, and where it is the
    /// program itself, its file. `None` where a part of the command is not known before it runs.
    pub(crate) key: Option<String>,
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Decision {
    /// This once.
    Once,
    /// This exact command, until the sandbox ends.
    Session,
    /// Whatever these rules are about, until the sandbox ends.
    Rule,
    /// This command, in every sandbox of this user.
    Always,
    Deny,
    /// And stop the sandbox.
    DenyAndStop,
}

impl Decision {
    pub(crate) fn allows(self) -> bool {
        !matches!(self, Self::Deny | Self::DenyAndStop)
    }
}
