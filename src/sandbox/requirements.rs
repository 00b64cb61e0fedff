//! What each line of a policy needs of engine and kernel. Nothing starts while a line can't be enforced, unless
//! the policy names it in `sandbox.best_effort`.

use std::fmt;
use std::fs;

use serde::Serialize;

use super::facts::EngineFacts;
use crate::policy::Policy;
use crate::sys::probe;

/// Names in `best_effort` what Landlock keeps: that what was checked stays so until the program's own first step.
pub(crate) const LANDLOCK: &str = "commands";
/// Rights to write files and to move them between folders; before 2 every such move would fail.
pub(crate) const LANDLOCK_NEEDED: u32 = 2;
/// Linux 5.9: pidfd_getfd(2) is older, the flags of seccomp notifications are of this age.
const KERNEL_NEEDED: (u32, u32) = (5, 9);
/// Runtimes that start processes on the host's own kernel, in namespaces that containers can share.
const RUNTIMES: [&str; 4] = ["runc", "crun", "io.containerd.runc.v2", "youki"];

/// The kernel's side of what a policy can be enforced with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct KernelFacts {
    pub(crate) release: String,
    /// Absent: none, or not enabled at boot.
    pub(crate) landlock: Option<u32>,
    pub(crate) seccomp_notify: bool,
    /// kernel.yama.ptrace_scope; absent without Yama.
    pub(crate) yama: Option<u8>,
    pub(crate) swap: bool,
}

impl KernelFacts {
    pub(crate) fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).ok();
        let actions = text("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
        // The first line is the table's head.
        let swaps = text("/proc/swaps").unwrap_or_default();
        Self {
            release: text("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            landlock: probe::landlock_abi().ok(),
            seccomp_notify: actions.split_whitespace().any(|action| action == "user_notif"),
            yama: text("/proc/sys/kernel/yama/ptrace_scope").and_then(|scope| scope.trim().parse().ok()),
            swap: swaps.lines().nth(1).is_some(),
        }
    }

    fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.release.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

/// A line of the policy that this machine can't keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unenforceable {
    /// The dotted key.
    pub(crate) line: String,
    pub(crate) why: String,
    pub(crate) remedy: String,
    /// Whether `best_effort` may let it go.
    pub(crate) optional: bool,
}

impl fmt::Display for Unenforceable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.line, self.why, self.remedy)
    }
}

/// For a person whose sandbox does not start.
pub(crate) fn refusal(lines: &[Unenforceable]) -> String {
    let mut text = String::from("this machine can't enforce what the policy says, so nothing starts:");
    for line in lines {
        text += &format!("\n  {line}");
    }
    let optional: Vec<String> =
        lines.iter().filter(|line| line.optional).map(|line| format!("\"{}\"", line.line)).collect();
    if optional.len() == lines.len() {
        text += &format!(
            "\nTo go on without: sandbox.best_effort = [{}]. `creel doctor` says more.",
            optional.join(", ")
        );
    } else {
        text += "\n`creel doctor` says more.";
    }
    text
}

/// Every line of `policy` that can't be kept here.
pub(crate) fn unenforceable(
    policy: &Policy,
    engine: &EngineFacts,
    kernel: &KernelFacts,
) -> Vec<Unenforceable> {
    let mut lines = supervision(engine, kernel);
    lines.extend(limits(engine, kernel));
    let runtime = &policy.sandbox.runtime;
    if !engine.runtimes.contains(runtime) {
        lines.push(fixed(
            "sandbox.runtime",
            format!("the engine knows no runtime “{runtime}”, but {}", engine.runtimes.join(", ")),
            "Add it to the engine's daemon.json, or choose one of those",
        ));
    } else if !RUNTIMES.contains(&runtime.as_str()) {
        lines.push(fixed(
            "sandbox.runtime",
            format!(
                "“{runtime}” keeps its processes out of sight of the gate, so no command could be supervised"
            ),
            "Use runc or crun",
        ));
    }
    lines
}

fn supervision(engine: &EngineFacts, kernel: &KernelFacts) -> Vec<Unenforceable> {
    let mut lines = Vec::new();
    if kernel.version().is_some_and(|version| version < KERNEL_NEEDED) || !kernel.seccomp_notify {
        lines.push(fixed(
            LANDLOCK,
            format!("Linux {} has no seccomp notifications that can be supervised", kernel.release),
            "Use Linux 5.19 or later",
        ));
    }
    if kernel.yama == Some(3) {
        lines.push(fixed(
            LANDLOCK,
            "Yama forbids all ptrace (kernel.yama.ptrace_scope = 3)".into(),
            "Set it to 2 or lower, which takes a reboot",
        ));
    }
    if engine.seccomp.is_none() {
        lines.push(fixed(
            "sandbox",
            "the engine runs containers without its seccomp profile".into(),
            "Remove seccomp-profile=unconfined from its settings, or install an engine built with seccomp",
        ));
    }
    if kernel.landlock.is_none_or(|abi| abi < LANDLOCK_NEEDED) {
        lines.push(Unenforceable {
            line: LANDLOCK.into(),
            why: match kernel.landlock {
                None => "the kernel has no Landlock, so a process could rewrite another one's arguments after they \
                         were checked"
                    .into(),
                Some(abi) => format!("the kernel's Landlock is of ABI {abi}; {LANDLOCK_NEEDED} is needed"),
            },
            remedy: "Use Linux 5.19 or later, with landlock in the lsm= boot parameter".into(),
            optional: true,
        });
    }
    lines
}

fn limits(engine: &EngineFacts, kernel: &KernelFacts) -> Vec<Unenforceable> {
    let rootless = engine.rootless && engine.cgroup_driver == "none";
    let remedy = if rootless {
        "Delegate the controllers to the user's systemd (Docker's rootless guide, “Limiting resources”)"
    } else {
        "Enable the controller in the kernel (cgroup_enable= boot parameter)"
    };
    let mut lines = Vec::new();
    for (possible, line, what) in [
        (engine.limits.memory, "limits.memory", "memory"),
        (engine.limits.cpu, "limits.cpus", "CPU time"),
        (engine.limits.processes, "limits.processes", "processes"),
    ] {
        if !possible {
            lines.push(Unenforceable {
                line: line.into(),
                why: format!("the engine can't limit {what} here"),
                remedy: remedy.into(),
                optional: true,
            });
        }
    }
    if engine.limits.memory && !engine.limits.swap && kernel.swap {
        lines.push(Unenforceable {
            line: "limits.memory".into(),
            why: "the kernel does not count swap, so that much more could be used".into(),
            remedy: "Boot with swapaccount=1, or turn swap off".into(),
            optional: true,
        });
    }
    lines
}

fn fixed(line: &str, why: String, remedy: &str) -> Unenforceable {
    Unenforceable { line: line.into(), why, remedy: remedy.into(), optional: false }
}
