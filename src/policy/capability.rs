//! The capabilities that may be given back, and why the others may not.

use super::diagnostic::visible;
use super::model::Capability;

impl Capability {
    pub(crate) const ALL: [Self; 6] =
        [Self::Chown, Self::Fowner, Self::DacOverride, Self::Setuid, Self::Setgid, Self::NetBindService];

    /// The kernel's name, without `CAP_`, as docker takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chown => "CHOWN",
            Self::Fowner => "FOWNER",
            Self::DacOverride => "DAC_OVERRIDE",
            Self::Setuid => "SETUID",
            Self::Setgid => "SETGID",
            Self::NetBindService => "NET_BIND_SERVICE",
        }
    }
}

/// Why one is refused: what the workload could do with it.
const REFUSED: &[(&str, &str)] = &[
    ("AUDIT_CONTROL", "it switches the host's own audit off"),
    ("AUDIT_READ", "it reads the host's audit log"),
    ("AUDIT_WRITE", "it writes to the host's audit log"),
    ("BLOCK_SUSPEND", "it keeps the host awake"),
    ("BPF", "it loads programs into the host's kernel"),
    ("CHECKPOINT_RESTORE", "it reads and rewrites other processes"),
    ("DAC_READ_SEARCH", "it opens files of the host by handle, past every mount"),
    ("FSETID", "it keeps setuid bits on files that the workload writes"),
    ("IPC_LOCK", "it locks memory past its limit"),
    ("IPC_OWNER", "it reads other users' shared memory"),
    ("KILL", "it ends the supervisor"),
    ("LEASE", "it holds up other programs' file access"),
    ("LINUX_IMMUTABLE", "it makes files that nobody can delete"),
    ("MAC_ADMIN", "it rewrites AppArmor's and SELinux's rules"),
    ("MAC_OVERRIDE", "it overrides AppArmor and SELinux"),
    ("MKNOD", "it makes devices, and with them reads disks"),
    ("NET_ADMIN", "it rewrites the routes and rules that keep the network closed"),
    ("NET_BROADCAST", "it is not used by any kernel"),
    ("NET_RAW", "it sends packets past the supervisor"),
    ("PERFMON", "it watches the whole machine"),
    ("SETFCAP", "it puts capabilities on files"),
    ("SETPCAP", "it changes what other processes may do"),
    ("SYS_ADMIN", "it mounts, enters namespaces, and undoes the sandbox"),
    ("SYS_BOOT", "it restarts the host"),
    ("SYS_CHROOT", "it hides from the supervisor which files really run"),
    ("SYS_MODULE", "it loads kernel modules"),
    ("SYS_NICE", "it takes the processors from the host's own programs"),
    ("SYS_PACCT", "it switches process accounting"),
    ("SYS_PTRACE", "it controls other processes; for gdb and strace, set debugging = true"),
    ("SYS_RAWIO", "it reads and writes the host's memory and ports"),
    ("SYS_RESOURCE", "it raises the limits"),
    ("SYS_TIME", "it sets the host's clock"),
    ("SYS_TTY_CONFIG", "it hangs up other people's terminals"),
    ("SYSLOG", "it reads the kernel's log and addresses"),
    ("WAKE_ALARM", "it wakes the host"),
];

fn list() -> String {
    Capability::ALL.map(Capability::name).join(", ")
}

/// The capability that a policy names: `CHOWN`, also as `CAP_CHOWN`; or the sentence that says why not.
pub(super) fn parse(text: &str) -> Result<Capability, String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if let Some(found) = Capability::ALL.into_iter().find(|known| known.name() == name) {
        return Ok(found);
    }
    Err(match REFUSED.iter().find(|(refused, _)| *refused == name) {
        Some((refused, why)) => {
            format!("{refused} can't be given back: {why}. Only these leave the sandbox standing: {}", list())
        }
        None if name == "ALL" => {
            format!("all capabilities together are no sandbox. Name what is needed, out of {}", list())
        }
        None => format!("“{}” is no capability. Known here: {}", visible(text), list()),
    })
}

pub(super) fn check(text: &str) -> Result<(), String> {
    parse(text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_list_and_the_refused_one_have_nothing_in_common() {
        for known in Capability::ALL {
            assert!(parse(known.name()).is_ok());
            assert!(parse(&format!("cap_{}", known.name().to_lowercase())).is_ok());
        }
        for (name, why) in REFUSED {
            let error = parse(name).expect_err("refused");
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(Capability::ALL.len() + REFUSED.len(), 41, "every capability that Linux 6.12 has");
    }
}
