//! A record, as it travels from the sensor to the log. In the spool it is postcard; in the log it is one JSON
//! line (`line.rs`). Field order of the JSON is AUDIT.md's.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use super::bytes::Bytes;
pub(crate) use super::place::{Boot, Src};

/// The most of an argv that a record holds, bytes, each string with its NUL.
pub(crate) const ARGV_MAX: usize = 64 * 1024;
/// The most of the changed environment that a record holds.
pub(crate) const ENV_MAX: usize = 32 * 1024;

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

impl By {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Terminal => "terminal",
            Self::Approve => "approve",
            Self::Hook => "hook",
            Self::Timeout => "timeout",
            Self::Remembered => "remembered",
        }
    }
}

impl Outcome {
    pub(crate) const ALL: [Self; 4] = [Self::Allow, Self::Deny, Self::Ask, Self::Observed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Observed => "observed",
        }
    }
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

/// The name of an event's form, as `kind` in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RunStart,
    RunEnd,
    Exec,
    Gap,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::RunStart, Self::RunEnd, Self::Exec, Self::Gap];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RunStart => "run.start",
            Self::RunEnd => "run.end",
            Self::Exec => "exec",
            Self::Gap => "gap",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Event {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::RunStart(_) => Kind::RunStart,
            Self::RunEnd(_) => Kind::RunEnd,
            Self::Exec(_) => Kind::Exec,
            Self::Gap(_) => Kind::Gap,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

impl Cause {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::Oom => "oom",
            Self::Time => "time",
            Self::Stopped => "stopped",
            Self::Hangup => "hangup",
            Self::Gate => "gate",
            Self::Engine => "engine",
            Self::Grace => "grace",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Set by [`Exec::set_argv`].
    pub(crate) argv: Vec<Bytes>,
    /// Where `argv` was cut to [`ARGV_MAX`].
    pub(crate) argv_cut: Option<Cut>,
    pub(crate) cwd: Bytes,
    /// Variables that change what a program does, and differ from the sandbox's start; `None`: unset since.
    /// Set by [`Exec::set_env`].
    #[serde(default)]
    pub(crate) env: Vec<(Bytes, Option<Bytes>)>,
    /// Where `env` was cut to [`ENV_MAX`].
    pub(crate) env_cut: Option<Cut>,
    pub(crate) reason: Option<String>,
}

/// What the whole was, where the record holds its first part alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    /// Bytes of the whole, each string with its NUL.
    pub(crate) bytes: u64,
    /// SHA-256, hex, of the whole, each string with its NUL.
    pub(crate) sha256: String,
}

impl Exec {
    /// Takes the whole argv; what is beyond [`ARGV_MAX`] is cut, and the record then says what the whole was.
    pub(crate) fn set_argv(&mut self, mut argv: Vec<Bytes>) {
        self.argv_cut = None;
        if argv.iter().map(|arg| arg.0.len() + 1).sum::<usize>() > ARGV_MAX {
            self.argv_cut = Some(Cut::of(argv.iter().map(|arg| &arg.0[..])));
            let mut room = ARGV_MAX;
            argv.retain_mut(|arg| {
                let fits = room > 0;
                arg.0.truncate(room.saturating_sub(1));
                room = room.saturating_sub(arg.0.len() + 1);
                fits
            });
        }
        self.argv = argv;
    }

    /// Takes the changed variables, unset ones included; those beyond [`ENV_MAX`] are left out, and the record
    /// then says what the whole was: `NAME=VALUE` of those that are set, `NAME` of the others.
    pub(crate) fn set_env(&mut self, mut env: Vec<(Bytes, Option<Bytes>)>) {
        let size = |(name, value): &(Bytes, Option<Bytes>)| {
            name.0.len() + 1 + value.as_ref().map_or(0, |value| value.0.len() + 1)
        };
        self.env_cut = None;
        if env.iter().map(size).sum::<usize>() > ENV_MAX {
            let whole: Vec<Vec<u8>> = env
                .iter()
                .map(|(name, value)| match value {
                    Some(value) => [&name.0, &b"="[..], &value.0].concat(),
                    None => name.0.clone(),
                })
                .collect();
            self.env_cut = Some(Cut::of(whole.iter().map(|line| &line[..])));
            let mut room = ENV_MAX;
            env.retain(|pair| {
                // One that is too long does not hide the shorter ones after it.
                let fits = size(pair) <= room;
                room -= if fits { size(pair) } else { 0 };
                fits
            });
        }
        self.env = env;
    }
}

impl Cut {
    fn of<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut bytes, mut hash) = (0, Sha256::new());
        for string in strings {
            bytes += string.len() as u64 + 1;
            hash.update(string);
            hash.update([0]);
        }
        Self { bytes, sha256: super::hex(&hash.finalize()) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gap {
    /// How many records are missing, where that is known.
    pub(crate) count: Option<u64>,
    pub(crate) reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(sizes: &[usize]) -> Vec<Bytes> {
        sizes.iter().map(|&size| Bytes(vec![b'a'; size])).collect()
    }

    #[test]
    fn an_argv_of_the_limit_is_whole_and_one_byte_more_is_cut() {
        let mut exec = Exec::default();
        exec.set_argv(strings(&[10, ARGV_MAX - 12]));
        assert_eq!(exec.argv_cut, None);
        exec.set_argv(strings(&[10, ARGV_MAX - 11, 5]));
        let cut = exec.argv_cut.expect("cut");
        assert_eq!(cut.bytes as usize, 11 + ARGV_MAX - 10 + 6);
        assert_eq!(cut.sha256.len(), 64);
        assert_eq!(exec.argv.iter().map(|arg| arg.0.len() + 1).sum::<usize>(), ARGV_MAX);
        assert_eq!(exec.argv.len(), 2);
    }

    #[test]
    fn many_empty_arguments_are_cut_too() {
        let mut exec = Exec::default();
        exec.set_argv(strings(&vec![0; ARGV_MAX + 1]));
        assert_eq!(exec.argv.len(), ARGV_MAX);
        assert_eq!(exec.argv_cut.expect("cut").bytes as usize, ARGV_MAX + 1);
    }

    #[test]
    fn a_long_variable_does_not_hide_a_short_one() {
        let var = |name: &str, size: usize| (Bytes::from(name), Some(Bytes(vec![b'a'; size])));
        let mut exec = Exec::default();
        exec.set_env(vec![var("A", ENV_MAX), (Bytes::from("B"), None), var("LD_PRELOAD", 9)]);
        assert_eq!(exec.env, vec![(Bytes::from("B"), None), var("LD_PRELOAD", 9)]);
        assert_eq!(
            exec.env_cut.expect("cut").bytes as usize,
            ("A=".len() + ENV_MAX + 1) + 2 + "LD_PRELOAD=123456789\0".len()
        );
    }
}
