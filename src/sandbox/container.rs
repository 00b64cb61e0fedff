//! What gate and workload have in common: the hardening, the names and the labels.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount, MountBindOptions, MountType,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use super::facts::EngineFacts;
use crate::names::{RunId, SandboxName};

pub(crate) const LABEL_SANDBOX: &str = "creel.sandbox";
pub(crate) const LABEL_RUN: &str = "creel.run";
pub(crate) const LABEL_INSTALLATION: &str = "creel.installation";
pub(crate) const LABEL_ROLE: &str = "creel.role";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Gate,
    Workload,
    /// Never started: the image is read through it.
    Probe,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Workload => "workload",
            Self::Probe => "probe",
        }
    }

    pub(crate) fn container_name(self, sandbox: &SandboxName, run: RunId) -> String {
        let workload = format!("creel-{sandbox}-{}", run.short());
        match self {
            Self::Gate => workload + "-gate",
            Self::Workload => workload,
            Self::Probe => workload + "-probe",
        }
    }

    /// By these everything of creel's is found again.
    pub(crate) fn labels(
        self,
        sandbox: &SandboxName,
        run: RunId,
        installation: &str,
    ) -> HashMap<String, String> {
        [
            (LABEL_SANDBOX, sandbox.to_string()),
            (LABEL_RUN, run.to_string()),
            (LABEL_INSTALLATION, installation.to_owned()),
            (LABEL_ROLE, self.as_str().to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// The workload's output is kept for `creel logs`; the gate has little to say. Both are capped.
    fn log(self) -> HostConfigLogConfig {
        let (size, files) = match self {
            Self::Gate => ("1m", "1"),
            Self::Workload | Self::Probe => ("10m", "3"),
        };
        let config = [("max-size", size), ("max-file", files)];
        HostConfigLogConfig {
            typ: Some("json-file".into()),
            config: Some(config.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
        }
    }
}

/// The engine's own seccomp and AppArmor profiles and its masked paths stay: they are the defaults, so no field
/// names them.
pub(crate) fn hardened(facts: &EngineFacts, runtime: &str, role: Role) -> HostConfig {
    let mut security = vec!["no-new-privileges:true".to_owned()];
    if facts.selinux {
        // container_t may not reach the monitor's socket nor the user's files; doctor and launch say so aloud.
        security.push("label=disable".to_owned());
    }
    HostConfig {
        cap_drop: Some(vec!["ALL".into()]),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        ipc_mode: Some("private".into()),
        log_config: Some(role.log()),
        readonly_rootfs: Some(true),
        // What the engine restarted by itself would run unsupervised.
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), ..Default::default() }),
        runtime: Some(runtime.to_owned()),
        security_opt: Some(security),
        ..Default::default()
    }
}

/// A bind of one file system: what is mounted below the source is neither seen nor left writable beneath a
/// read-only mount, as it would be before Docker 25.
pub(crate) fn bind(source: &Path, target: &Path, read_only: bool) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_string_lossy().into_owned()),
        read_only: Some(read_only),
        bind_options: Some(MountBindOptions { non_recursive: Some(true), ..Default::default() }),
        ..Default::default()
    }
}

/// Bytes of a core file. One and not none: a limit of 1 also keeps the kernel from starting the crash handler that
/// a host may have (core(5), "Piping core dumps to a program").
pub(crate) const NO_CORE: i64 = 1;

pub(crate) fn ulimit(name: &str, soft: i64, hard: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(soft), hard: Some(hard) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_one_sandbox_have_different_names_and_say_whose_they_are() {
        let name: SandboxName = "quiet-otter".parse().expect("a name");
        let (one, two) = (RunId::new(), RunId::new());
        assert_ne!(Role::Gate.container_name(&name, one), Role::Gate.container_name(&name, two));
        assert_eq!(
            Role::Gate.container_name(&name, one),
            Role::Workload.container_name(&name, one) + "-gate"
        );
        let labels = Role::Workload.labels(&name, one, "here");
        assert_eq!(labels.get(LABEL_ROLE).map(String::as_str), Some("workload"));
        assert_eq!(labels.get(LABEL_INSTALLATION).map(String::as_str), Some("here"));
    }
}
