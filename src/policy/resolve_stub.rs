use super::model::*;
use super::size::ByteSize;
pub(crate) fn stub() -> Policy {
    Policy {
        sandbox: SandboxPolicy {
            image: ImageChoice::Host,
            user: UserChoice::Invoker,
            env: Default::default(),
            env_from_host: vec!["TERM".into()],
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
            path: std::env::current_dir().unwrap(),
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
        commands: CommandsPolicy { default: crate::judge::Verdict::Allow, rules: vec![] },
        approvals: ApprovalsPolicy { tell_workload: true },
        audit: AuditPolicy { commands: true, durability: Durability::Written },
        recovery: RecoveryPolicy { grace: std::time::Duration::from_secs(60) },
    }
}
