//! A policy in words: what it lets the workload do, and what keeps it from doing more.

use super::model::{Durability, ImageChoice, Policy, UserChoice, WithoutTerminal, WorkspaceTarget};
use crate::judge::Verdict;

/// One line of a policy: the key, what it means here, and what enforces it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Explained {
    pub(crate) key: &'static str,
    pub(crate) means: String,
    pub(crate) by: &'static str,
}

/// Every line, in the order of the file.
pub(crate) fn explain(policy: &Policy) -> Vec<Explained> {
    let line = |key, means: String, by| Explained { key, means, by };
    let mut lines = sandbox(policy);
    let target = match &policy.workspace.target {
        WorkspaceTarget::Same => "its own path".to_owned(),
        WorkspaceTarget::At(path) => path.display().to_string(),
    };
    lines.push(line(
        "workspace",
        format!("sees and changes {}, at {target}", policy.workspace.path.display()),
        "a bind mount of that folder alone; its size is not capped",
    ));
    lines.extend(limits(policy));
    lines.push(line(
        "network.default",
        "has no network: not even a name can be looked up".into(),
        "a network namespace with nothing but a loopback interface",
    ));
    lines.extend(commands(policy));
    lines.push(line(
        "audit.durability",
        match policy.audit.durability {
            Durability::Async => "an action may go on before its record is written".into(),
            Durability::Written => "each action waits for its record, which outlives every process".into(),
            Durability::Synced => "each action waits until its record is on the disk".into(),
        },
        "the gate, which lets go of a program only then",
    ));
    lines.push(line(
        "recovery.grace",
        format!(
            "goes on for {} without its monitor, then is stopped",
            humantime::format_duration(policy.recovery.grace)
        ),
        "the gate; a new monitor is started by the next creel command",
    ));
    lines
}

fn sandbox(policy: &Policy) -> Vec<Explained> {
    let sandbox = &policy.sandbox;
    let line = |key, means: String, by| Explained { key, means, by };
    let paths = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut lines = vec![
        line(
            "sandbox.image",
            match &sandbox.image {
                ImageChoice::Host => "uses this machine's own programs, which it can't change".into(),
                ImageChoice::Reference(name) => {
                    format!("uses the programs of the image {name}, which it can't change")
                }
            },
            "a read-only root file system; no setuid program gains anything (no-new-privileges)",
        ),
        line(
            "sandbox.user",
            match sandbox.user {
                UserChoice::Invoker => "runs as you, by number".into(),
                UserChoice::Image => "runs as the image's user".into(),
                UserChoice::Ids { uid, .. } => format!("runs as user {uid}"),
            },
            "the container's user, without any capability but those below",
        ),
        line(
            "sandbox.home, tmp, shm",
            format!(
                "may fill $HOME with {}, /tmp with {}, /dev/shm with {}",
                sandbox.home, sandbox.tmp, sandbox.shm
            ),
            "file systems in memory of that size, gone at the end",
        ),
    ];
    if !sandbox.env.is_empty() || !sandbox.env_from_host.is_empty() {
        let names: Vec<_> = sandbox.env.keys().chain(&sandbox.env_from_host).map(String::as_str).collect();
        lines.push(line(
            "sandbox.env",
            format!("knows the variables {}", names.join(", ")),
            "nothing else of your environment is handed on",
        ));
    }
    if !sandbox.read_only_paths.is_empty() {
        lines.push(line(
            "sandbox.read_only_paths",
            format!("may read {}", paths(&sandbox.read_only_paths)),
            "read-only mounts",
        ));
    }
    if !sandbox.read_write_paths.is_empty() {
        lines.push(line(
            "sandbox.read_write_paths",
            format!("may change {}", paths(&sandbox.read_write_paths)),
            "mounts of those paths; their size is not capped",
        ));
    }
    if !sandbox.capabilities.is_empty() {
        let names: Vec<_> = sandbox.capabilities.iter().map(|capability| capability.name()).collect();
        lines.push(line(
            "sandbox.capabilities",
            format!("has {}", names.join(", ")),
            "all other capabilities are dropped",
        ));
    }
    if sandbox.debugging {
        lines.push(line(
            "sandbox.debugging",
            "may trace its own processes, which may then not exec".into(),
            "the system call filter and the gate",
        ));
    }
    lines
}

fn limits(policy: &Policy) -> Vec<Explained> {
    let limits = &policy.limits;
    let line = |key, means: String, by| Explained { key, means, by };
    vec![
        line(
            "limits.memory",
            format!("may use {} of memory, swap included", limits.memory),
            "the container's memory cgroup",
        ),
        line(
            "limits.cpus",
            format!("may use {} processors", f64::from(limits.cpu_millis) / 1000.0),
            "the container's CPU quota",
        ),
        line(
            "limits.processes",
            format!("may have {} processes and threads", limits.processes),
            "the container's pids cgroup",
        ),
        line(
            "limits.open_files",
            format!("may open {} files in each process", limits.open_files),
            "RLIMIT_NOFILE; no core files",
        ),
        line(
            "limits.time",
            match limits.time {
                Some(time) => format!("runs for at most {}", humantime::format_duration(time)),
                None => "runs for as long as it likes".into(),
            },
            "the monitor, which stops it with exit code 124",
        ),
    ]
}

fn dangerous(policy: &Policy) -> String {
    let commands = &policy.commands;
    let means = match commands.dangerous {
        Verdict::Allow => "may run dangerous commands (creel rules list)",
        Verdict::Ask => "must ask before a dangerous command (creel rules list)",
        Verdict::Deny => "may not run dangerous commands (creel rules list)",
    };
    let exceptions = commands.categories.iter().chain(&commands.catalogue_rules);
    let exceptions: Vec<String> =
        exceptions.map(|(name, verdict)| format!("{name}: {}", verdict.name())).collect();
    if exceptions.is_empty() { means.to_owned() } else { format!("{means}; but {}", exceptions.join(", ")) }
}

fn approvals(policy: &Policy) -> String {
    let approvals = &policy.approvals;
    let timeout = humantime::format_duration(approvals.timeout);
    let who = match (approvals.hook.first(), approvals.without_terminal) {
        (Some(hook), _) => format!("{hook} answers what it asks"),
        (None, WithoutTerminal::Deny) => {
            "a person answers in its terminal or with creel approve; with nobody there it is denied"
                .to_owned()
        }
        (None, WithoutTerminal::Wait) => "a person answers, in its terminal or with creel approve".to_owned(),
    };
    format!("{who}; after {timeout} it is denied")
}

fn commands(policy: &Policy) -> Vec<Explained> {
    let line = |key, means: String, by| Explained { key, means, by };
    let enforced = "the gate sees every exec before its first instruction (seccomp, ptrace)";
    let mut lines = vec![line(
        "commands.default",
        match policy.commands.default {
            Verdict::Allow => "may run every command that no rule denies".into(),
            Verdict::Ask => "must ask before each command that no rule allows".into(),
            Verdict::Deny => "may run the commands that a rule allows, and no others".into(),
        },
        enforced,
    )];
    lines.push(line("commands.dangerous", dangerous(policy), enforced));
    lines.push(line("approvals", approvals(policy), "the gate holds the command until the answer is there"));
    for rule in &policy.commands.rules {
        let verb = match rule.verdict {
            Verdict::Allow => "may",
            Verdict::Ask => "must ask before it may",
            Verdict::Deny => "may not",
        };
        let args =
            if rule.args.is_empty() { String::new() } else { format!(" with {}", rule.args.join(" and ")) };
        let reason = rule.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        lines.push(line(
            "commands.rule",
            format!("{verb} run {}{args}{reason} (rule {})", rule.program, rule.id),
            enforced,
        ));
    }
    lines.push(line(
        "audit.commands",
        if policy.audit.commands {
            "every command that runs, and every one that was denied, is on record".into()
        } else {
            "denied commands are on record; those that run are not".to_owned()
        },
        "the gate writes the record first; the log is a chain of hashes (creel audit verify)",
    ));
    lines
}
