//! The frames between CLI, monitor, gate and shim. Gate and monitor speak postcard, one frame a packet, with
//! descriptors beside it; CLI and monitor speak JSON lines, so that a person can read along.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::approval::{Decision, Question};
use crate::audit::record::{By, Cause};
use crate::judge::Place;
use crate::policy::model::{CommandsPolicy, Durability};

/// The longest frame on the control channel. Records go through the spool, so frames stay small; a policy with
/// many rules is the largest.
pub(crate) const MAX_FRAME: usize = 128 * 1024;

/// Where the gate finds its control socket, and both containers the binary.
pub(crate) const GATE_RUN_DIR: &str = "/.creel/run";
pub(crate) const CONTROL_SOCKET: &str = "control.sock";
pub(crate) const BINARY_IN_CONTAINER: &str = "/.creel/creel";

/// What the gate says to the monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum GateFrame {
    /// First on every connection. `written` is the spool's logical end.
    Hello { boot: String, version: String, written: u64 },
    /// Configured; announcements may come.
    Ready,
    /// The announced process is supervised, and its first exec may be decided.
    Serving { id: u64 },
    /// The announced process could not be taken under supervision.
    ShimFailed { id: u64, message: String },
    /// The announced process has ended (zombie not yet reaped): the time to read its cgroup's last figures.
    Exited { id: u64 },
    /// Answer to `KillAll`: nothing of the workload is left in the PID namespace.
    AllDead,
    /// A process stands still until `Answer` comes. Said again to every new monitor.
    Ask(Box<Question>),
    /// A process that waited for an answer has ended.
    AskGone { id: u64 },
    /// Something the monitor must know of, for its log.
    Trouble { message: String },
}

/// What the monitor says to the gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum MonitorFrame {
    /// Answers `Hello`. On a gate's first connection it carries the spool's descriptor.
    Welcome { config: GateConfig, consumed: u64 },
    /// The process `pid` (in the gate's PID namespace) holds a listener to be taken.
    Announce { id: u64, pid: i32 },
    /// The log holds everything before this spool offset.
    Consumed { offset: u64 },
    /// What becomes of a process that waits.
    Answer { id: u64, allow: bool, by: By },
    /// Kill every process of the workload, and say `AllDead` when none is left.
    KillAll,
}

/// What the gate needs to know. Nothing in it is secret from the workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct GateConfig {
    pub(crate) commands: CommandsPolicy,
    /// `audit.commands`: false leaves allowed execs unrecorded; denials are always recorded.
    pub(crate) record_commands: bool,
    pub(crate) durability: Durability,
    pub(crate) debugging: bool,
    pub(crate) tell_workload: bool,
    pub(crate) grace: Duration,
    /// The sandbox's environment at its start: what `env` in a record is compared with.
    pub(crate) env: BTreeMap<String, String>,
    /// Where the workload's home and project are.
    pub(crate) place: Place,
    /// Size of the spool's ring, bytes.
    pub(crate) spool_capacity: u64,
}

/// What a CLI asks of a monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub(crate) enum ClientRequest {
    /// The streams are attached (or not wanted): start the workload. Sent once, by the CLI that made the sandbox.
    /// `foreground`: when this connection goes without `Detach`, the sandbox is stopped.
    Start {
        foreground: bool,
    },
    /// Follow the sandbox to its end; `foreground` as above (a re-attached `creel attach` is not).
    Follow {
        foreground: bool,
    },
    /// The person detached: the sandbox goes on without this connection.
    Detach,
    /// SIGTERM, then SIGKILL after the time-out. Answered by `Exited`.
    Stop {
        timeout_ms: u64,
    },
    /// Send a signal to the main process.
    Kill {
        signal: i32,
    },
    /// Make an exec in the workload, through the shim. Answered by `ExecCreated`.
    Exec(ExecRequest),
    Status,
    /// This connection shows questions to a person, and answers them: those that are open now are told at once.
    /// `terminal`: it is the terminal that runs the workload.
    Approver {
        terminal: bool,
    },
    /// A person's answer to question `number`. Answered by `Settled`, or `Failed` where it is not open any more.
    Answer {
        number: u32,
        decision: Decision,
    },
}

/// As `docker exec` takes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExecRequest {
    pub(crate) command: Vec<String>,
    pub(crate) tty: bool,
    pub(crate) stdin: bool,
    pub(crate) env: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
    /// The engine looks for them too, so it must look for the same.
    #[serde(default)]
    pub(crate) detach_keys: Option<String>,
}

/// What a monitor says to a CLI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum MonitorEvent {
    /// For a progress line: "starting the gate", …
    Progress {
        step: String,
    },
    /// Something a person should know, a sentence.
    Note {
        text: String,
    },
    /// For a progress bar: bytes of the image that are here, and that are known to come.
    Pulling {
        image: String,
        done: u64,
        total: u64,
    },
    /// The workload's container exists: attach now, then say `Start`.
    Created {
        container: String,
    },
    Started {
        container: String,
    },
    ExecCreated {
        exec: String,
    },
    /// What was denied in the run, before `Exited`.
    Denied {
        all: Vec<Denied>,
    },
    /// The run is over; its records are in the log.
    Exited {
        exit_code: i32,
        cause: Cause,
        message: Option<String>,
    },
    /// The containers are gone, and the sandbox's name is free (not sent for one kept without `--rm`).
    Removed,
    Status {
        phase: Phase,
        container: Option<String>,
        execs: u64,
    },
    /// For approvers: a question is open. `waiting` processes wait for it; `seconds` are left.
    Question {
        number: u32,
        waiting: usize,
        seconds: u64,
        question: Box<Question>,
    },
    /// For approvers: a question is not open any more.
    Settled {
        number: u32,
        allow: bool,
        by: Option<By>,
    },
    /// For approvers: all questions that were open when they came have been told.
    NoMoreQuestions,
    Ok,
    Failed {
        message: String,
        exit_code: i32,
    },
}

/// Commands that one rule denied; no rule: the policy's default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Denied {
    pub(crate) rule: Option<String>,
    /// The first of them, for a person.
    pub(crate) command: String,
    pub(crate) times: u64,
}

/// Where a sandbox stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    Starting,
    Running,
    Stopping,
    Exited,
}

/// What the shim is told on its command line: `creel __shim [FLAGS] -- COMMAND [ARG…]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ShimArgs {
    /// Landlock grants writing and cross-directory renames beneath these and /dev.
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) debugging: bool,
    /// `best_effort` names Landlock: go on without it where the kernel has none.
    pub(crate) landlock_optional: bool,
    pub(crate) command: Vec<std::ffi::OsString>,
}

/// Why a shim's command line is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shim is started by creel itself, with other words than “{}”", .0.to_string_lossy().escape_debug())]
pub(crate) struct BadShimArgs(std::ffi::OsString);

impl ShimArgs {
    /// Reads what [`ShimArgs::to_argv`] wrote.
    pub(crate) fn parse(mut argv: impl Iterator<Item = std::ffi::OsString>) -> Result<Self, BadShimArgs> {
        let mut args = Self::default();
        loop {
            let word = argv.next().ok_or_else(|| BadShimArgs(std::ffi::OsString::new()))?;
            match word.to_str() {
                Some("--") => break,
                Some("--debugging") => args.debugging = true,
                Some("--landlock-optional") => args.landlock_optional = true,
                Some("--writable") => args.writable.push(argv.next().ok_or(BadShimArgs(word))?.into()),
                _ => return Err(BadShimArgs(word)),
            }
        }
        args.command = argv.collect();
        Ok(args)
    }

    /// What follows `creel __shim`.
    pub(crate) fn to_argv(&self) -> Vec<std::ffi::OsString> {
        let mut argv: Vec<std::ffi::OsString> = Vec::new();
        for path in &self.writable {
            argv.extend(["--writable".into(), path.into()]);
        }
        if self.debugging {
            argv.push("--debugging".into());
        }
        if self.landlock_optional {
            argv.push("--landlock-optional".into());
        }
        argv.push("--".into());
        argv.extend(self.command.iter().cloned());
        argv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_shim_reads_what_was_written(
            writable in prop::collection::vec("[a-z/ -]{0,12}", 0..4),
            command in prop::collection::vec("[a-z -]{0,12}", 0..4),
            debugging: bool,
            landlock_optional: bool,
        ) {
            let args = ShimArgs {
                writable: writable.into_iter().map(PathBuf::from).collect(),
                debugging,
                landlock_optional,
                command: command.into_iter().map(Into::into).collect(),
            };
            prop_assert_eq!(ShimArgs::parse(args.to_argv().into_iter()), Ok(args));
        }

        #[test]
        fn no_words_are_taken_for_others(words in prop::collection::vec("[a-z-]{0,8}", 0..6)) {
            if let Ok(args) = ShimArgs::parse(words.iter().map(Into::into)) {
                prop_assert!(words.contains(&"--".to_owned()));
                prop_assert!(args.command.len() < words.len());
            }
        }
    }
}
