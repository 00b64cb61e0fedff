//! A record, as it travels from the sensor to the log. In the spool it is postcard; in the log it is one JSON
//! line (`line.rs`). Field order of the JSON is AUDIT.md's.

use serde::{Deserialize, Serialize};

/// Bytes of the workload's: often UTF-8, never promised to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bytes(#[serde(with = "serde_bytes")] pub(crate) Vec<u8>);

/// Who settled the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    Policy,
    Terminal,
    Approve,
    Hook,
    Timeout,
    Remembered,
}

/// A record's verdict: the judge's, or `observed` for what is only seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Allow,
    Deny,
    Ask,
    Observed,
}

/// What every record carries besides what the writer of the log adds (`v`, `seq`, `sandbox`, `run`, `src`, `prev`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Microseconds since the epoch, UTC, when it was decided.
    pub(crate) ts_us: u64,
    pub(crate) outcome: Outcome,
    pub(crate) rule: Option<String>,
    pub(crate) by: Option<By>,
    pub(crate) event: Event,
}

/// The kinds, each with its own fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    RunStart(RunStart),
    RunEnd(RunEnd),
    Exec(Exec),
    /// What could not be recorded, and why; never silently dropped.
    Gap(Gap),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunStart {
    pub(crate) argv: Vec<Bytes>,
    /// SHA-256, hex, of the effective policy.
    pub(crate) policy: String,
    /// Where the policy came from: files and presets, the outermost first.
    pub(crate) policy_sources: Vec<String>,
    pub(crate) image: String,
    pub(crate) image_id: String,
    pub(crate) creel: String,
    pub(crate) engine: String,
    pub(crate) kernel: String,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cause {
    /// The command came to its own end.
    Exit,
    /// The command was ended by a signal that creel did not send.
    Signal,
    /// Out of memory.
    Oom,
    /// The wall-time limit.
    Time,
    /// `creel stop`, `creel kill` or `creel rm`.
    Stopped,
    /// The terminal, or the CLI of a foreground run, went away.
    Hangup,
    /// The gate ended, and everything with it.
    Gate,
    /// The engine stopped or lost the containers.
    Engine,
    /// The monitor was away for longer than `recovery.grace`.
    Grace,
    /// creel could not start it.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunEnd {
    pub(crate) cause: Cause,
    /// As `creel run` exits with.
    pub(crate) exit_code: i32,
    pub(crate) message: Option<String>,
    /// Peak memory of the workload's cgroup, bytes.
    pub(crate) memory_peak: Option<u64>,
    /// Processes that the kernel killed for want of memory.
    pub(crate) oom_kills: Option<u64>,
    /// Forks that the process limit refused.
    pub(crate) pids_denied: Option<u64>,
    /// CPU time, microseconds.
    pub(crate) cpu_us: Option<u64>,
    /// Wall time, milliseconds.
    pub(crate) wall_ms: u64,
    /// Execs recorded in this run.
    pub(crate) execs: u64,
}

/// A program that runs (read at the exec stop), or one that was refused before it could.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exec {
    pub(crate) pid: u32,
    pub(crate) ppid: u32,
    /// Start time of the process, clock ticks since boot (proc(5), stat field 22): pids are used again.
    pub(crate) start: u64,
    pub(crate) uid: u32,
    /// The file that runs; for a script its interpreter.
    pub(crate) exe: Bytes,
    /// AT_EXECFN where it differs from argv[0] and exe: for a script, the script.
    pub(crate) file: Option<Bytes>,
    pub(crate) argv: Vec<Bytes>,
    /// Set where `argv` was cut to 64 KiB.
    pub(crate) argv_cut: Option<ArgvCut>,
    pub(crate) cwd: Bytes,
    /// Variables that change what a program does, and differ from the sandbox's start; `None`: unset since.
    pub(crate) env: Vec<(Bytes, Option<Bytes>)>,
    pub(crate) reason: Option<String>,
}

/// The whole argv, where the record holds its first part alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArgvCut {
    /// Bytes of the whole, each string with its NUL.
    pub(crate) bytes: u64,
    /// SHA-256, hex, of the whole, each string with its NUL.
    pub(crate) sha256: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gap {
    /// How many records are missing, where that is known.
    pub(crate) count: Option<u64>,
    pub(crate) reason: String,
}

/// When a record's bytes reached the spool: `BOOT:OFFSET`. A record is known by it once and only once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Src {
    /// Made up by the gate (or monitor) when it starts: 16 hex digits.
    pub(crate) boot: String,
    pub(crate) offset: u64,
}

impl std::fmt::Display for Src {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.boot, self.offset)
    }
}
