//! What the unit tests of this folder start from.

use std::collections::BTreeMap;
use std::time::Duration;

use super::spec::{Invoker, PullPolicy, SandboxSpec};
use crate::judge::Verdict;
use crate::names::RunId;
use crate::policy::Policy;
use crate::policy::model::{
    ApprovalsPolicy, AuditPolicy, CommandsPolicy, Durability, ImageChoice, Limits, RecoveryPolicy,
    SandboxPolicy, UserChoice, WithoutTerminal, WorkspaceMode, WorkspacePolicy, WorkspaceTarget,
};
use crate::policy::size::ByteSize;

/// The defaults of policy-example.toml.
pub(crate) fn policy() -> Policy {
    Policy {
        sandbox: SandboxPolicy {
            image: ImageChoice::Host,
            user: UserChoice::Invoker,
            env: Default::default(),
            env_from_host: vec![],
            read_only_paths: vec![],
            read_write_paths: vec![],
            home: ByteSize::mib(256),
            tmp: ByteSize::mib(512),
            shm: ByteSize::mib(256),
            capabilities: vec![],
            debugging: false,
            best_effort: vec![],
            runtime: "runc".into(),
        },
        workspace: WorkspacePolicy {
            path: "/nowhere".into(),
            target: WorkspaceTarget::At("/workspace".into()),
            mode: WorkspaceMode::Bind,
        },
        limits: Limits {
            memory: ByteSize::mib(2048),
            cpu_millis: 1000,
            processes: 512,
            open_files: 4096,
            ulimits: vec![],
            time: None,
        },
        commands: CommandsPolicy {
            default: Verdict::Allow,
            dangerous: Verdict::Ask,
            categories: BTreeMap::new(),
            catalogue_rules: BTreeMap::new(),
            rules: vec![],
        },
        approvals: ApprovalsPolicy {
            timeout: Duration::from_secs(120),
            without_terminal: WithoutTerminal::Deny,
            hook: Vec::new(),
            tell_workload: true,
        },
        audit: AuditPolicy { commands: true, durability: Durability::Written },
        recovery: RecoveryPolicy { grace: Duration::from_secs(60) },
    }
}

pub(crate) fn spec() -> SandboxSpec {
    SandboxSpec {
        name: "quiet-otter".parse().expect("a name"),
        run: RunId::new(),
        policy: policy(),
        policy_hash: String::new(),
        policy_sources: vec![],
        invoker: Invoker { uid: 1000, gid: 1000, name: "ann".into(), home: "/home/ann".into() },
        command: vec!["true".into()],
        entrypoint: None,
        workdir: None,
        env: Default::default(),
        labels: Default::default(),
        tmpfs: Default::default(),
        binds: vec![],
        pull: PullPolicy::Never,
        tty: false,
        stdin: false,
        detached: false,
        remove: true,
        size: None,
    }
}
