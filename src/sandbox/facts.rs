//! What the engine says of itself, in creel's words.

use bollard::models::{SystemInfo, SystemInfoCgroupDriverEnum, SystemInfoCgroupVersionEnum};
use serde::Serialize;

use super::engine::{ApiVersion, Engine, EngineError};

/// The engine's side of what a policy can be enforced with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EngineFacts {
    pub(crate) version: String,
    pub(crate) api: ApiVersion,
    pub(crate) kernel: String,
    pub(crate) operating_system: String,
    pub(crate) cgroup_version: u8,
    /// `systemd` or `cgroupfs`; `none` where a rootless engine has been given no cgroups.
    pub(crate) cgroup_driver: String,
    /// Name of the seccomp profile; `None`: the engine filters nothing.
    pub(crate) seccomp: Option<String>,
    pub(crate) apparmor: bool,
    pub(crate) selinux: bool,
    pub(crate) userns_remap: bool,
    pub(crate) rootless: bool,
    pub(crate) runtimes: Vec<String>,
    pub(crate) default_runtime: String,
    pub(crate) storage_driver: String,
    pub(crate) root_dir: String,
    pub(crate) limits: LimitFacts,
    pub(crate) cpus: u32,
    pub(crate) memory: u64,
    pub(crate) live_restore: bool,
}

/// Which limits the engine can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LimitFacts {
    pub(crate) memory: bool,
    pub(crate) swap: bool,
    pub(crate) cpu: bool,
    pub(crate) processes: bool,
}

impl Engine {
    /// One call of `/info`. Fails for an engine on another kernel: nothing of creel would work with it.
    pub(crate) async fn facts(&self) -> Result<EngineFacts, EngineError> {
        let info = self.docker().info().await;
        let info = info.map_err(|source| EngineError::Call { what: "describe itself", source })?;
        let facts = EngineFacts::from_info(info, self.version(), self.api());
        let here = nix::sys::utsname::uname()
            .map(|name| name.release().to_string_lossy().into_owned())
            .unwrap_or_default();
        if facts.kernel != here {
            let socket = self.socket().to_owned();
            return Err(EngineError::OtherKernel { socket, engine: facts.kernel, here });
        }
        Ok(facts)
    }
}

impl EngineFacts {
    fn from_info(info: SystemInfo, version: &str, api: ApiVersion) -> Self {
        let options = info.security_options.unwrap_or_default();
        let option = |name: &str| options.iter().find_map(|option| security_option(option, name));
        let yes = |flag: Option<bool>| flag.unwrap_or(false);
        let seccomp = option("seccomp").map(|profile| profile.unwrap_or("default").to_owned());
        let mut runtimes: Vec<String> = info.runtimes.unwrap_or_default().into_keys().collect();
        runtimes.sort();
        Self {
            version: version.to_owned(),
            api,
            kernel: info.kernel_version.unwrap_or_default(),
            operating_system: info.operating_system.unwrap_or_default(),
            // Engines before 20.10 have no such field; those are refused already.
            cgroup_version: if info.cgroup_version == Some(SystemInfoCgroupVersionEnum::_2) { 2 } else { 1 },
            cgroup_driver: match info.cgroup_driver {
                Some(SystemInfoCgroupDriverEnum::SYSTEMD) => "systemd",
                Some(SystemInfoCgroupDriverEnum::CGROUPFS) => "cgroupfs",
                _ => "none",
            }
            .into(),
            seccomp: seccomp.filter(|profile| profile != "unconfined"),
            apparmor: option("apparmor").is_some(),
            selinux: option("selinux").is_some(),
            userns_remap: option("userns").is_some(),
            rootless: option("rootless").is_some(),
            runtimes,
            default_runtime: info.default_runtime.unwrap_or_default(),
            storage_driver: info.driver.unwrap_or_default(),
            root_dir: info.docker_root_dir.unwrap_or_else(|| "/var/lib/docker".into()),
            limits: LimitFacts {
                memory: yes(info.memory_limit),
                swap: yes(info.swap_limit),
                cpu: yes(info.cpu_cfs_quota),
                processes: yes(info.pids_limit),
            },
            cpus: info.ncpu.and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1),
            memory: info.mem_total.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            live_restore: yes(info.live_restore_enabled),
        }
    }
}

/// `name=seccomp,profile=default` -> for `seccomp`: `Some(Some("default"))`. Old engines write the bare name.
fn security_option<'a>(option: &'a str, name: &str) -> Option<Option<&'a str>> {
    let mut fields = option.split(',');
    let first = fields.next()?;
    if first.strip_prefix("name=").unwrap_or(first) != name {
        return None;
    }
    Some(fields.find_map(|field| field.strip_prefix("profile=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_options_of_real_engines() {
        assert_eq!(security_option("name=seccomp,profile=default", "seccomp"), Some(Some("default")));
        assert_eq!(security_option("name=apparmor", "apparmor"), Some(None));
        assert_eq!(security_option("name=seccomp,profile=builtin", "apparmor"), None);
        let info = SystemInfo {
            security_options: Some(vec!["name=seccomp,profile=unconfined".into(), "name=rootless".into()]),
            ..Default::default()
        };
        let facts = EngineFacts::from_info(info, "29.0.0", ApiVersion { major: 1, minor: 53 });
        assert_eq!((facts.seccomp, facts.rootless, facts.apparmor), (None, true, false));
    }
}
