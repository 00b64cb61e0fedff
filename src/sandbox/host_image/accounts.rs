//! The user database inside: the accounts that occur there, and none of the host's others.

use crate::policy::model::UserChoice;
use crate::sandbox::spec::SandboxSpec;

const NOBODY: u32 = 65534;
/// The gate's, unless the workload has it.
const GATE: u32 = 65533;
const NO_LOGIN: &str = "/usr/sbin/nologin";

/// Each name is looked up in files alone: a directory service would need sockets and secrets of the host.
pub(super) const NSSWITCH: &str = "\
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
ethers: files
rpc: files
";

/// `/etc/passwd` and `/etc/group`.
pub(super) fn databases(spec: &SandboxSpec, home: &str, shell: &str) -> (String, String) {
    let invoker = &spec.invoker;
    let (uid, gid) = match spec.policy.sandbox.user {
        UserChoice::Ids { uid, gid } => (uid, gid.unwrap_or(invoker.gid)),
        UserChoice::Invoker | UserChoice::Image => (invoker.uid, invoker.gid),
    };
    let name = match field(&invoker.name) {
        _ if uid == 0 => "root",
        Some(name) if uid == invoker.uid => name,
        _ => "user",
    };
    let home = field(home).unwrap_or("/");
    let mut users = vec![(name, uid, gid, home, shell)];
    let mut groups = vec![(if gid == 0 { "root" } else { name }, gid)];
    for (name, id, home, shell) in [
        ("root", 0, "/root", shell),
        ("nobody", NOBODY, "/nonexistent", NO_LOGIN),
        ("creel-gate", GATE, "/nonexistent", NO_LOGIN),
    ] {
        if users.iter().all(|(other, uid, ..)| *uid != id && *other != name) {
            users.push((name, id, id, home, shell));
        }
    }
    for (name, id) in [("root", 0), ("tty", 5), ("nogroup", NOBODY), ("creel-gate", GATE)] {
        if groups.iter().all(|(other, gid)| *gid != id && *other != name) {
            groups.push((name, id));
        }
    }
    let passwd =
        users.iter().map(|(name, uid, gid, home, shell)| format!("{name}:x:{uid}:{gid}::{home}:{shell}\n"));
    let group = groups.iter().map(|(name, gid)| format!("{name}:x:{gid}:\n"));
    (passwd.collect(), group.collect())
}

/// What would break the file's lines is no name.
fn field(text: &str) -> Option<&str> {
    (!text.is_empty() && !text.contains(':') && !text.contains(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::tests::spec;

    #[test]
    fn the_invoker_is_there_once_with_the_home_inside() {
        let mut spec = spec();
        spec.invoker.uid = 1000;
        spec.invoker.gid = 1000;
        spec.invoker.name = "ann".into();
        let (passwd, group) = databases(&spec, "/home/ann", "/bin/bash");
        assert!(passwd.starts_with("ann:x:1000:1000::/home/ann:/bin/bash\nroot:x:0:0::"), "{passwd}");
        assert!(group.contains("ann:x:1000:\n") && group.contains("nogroup:x:65534:"), "{group}");

        spec.invoker.uid = 0;
        spec.invoker.gid = 0;
        let (passwd, _) = databases(&spec, "/root", "/bin/sh");
        assert_eq!(passwd.matches(":x:0:").count(), 1, "{passwd}");
    }

    #[test]
    fn a_name_can_not_add_a_line() {
        let mut spec = spec();
        spec.invoker.uid = 1000;
        spec.invoker.name = "a\nroot::0:0".into();
        let (passwd, _) = databases(&spec, "/x:y", "/bin/sh");
        assert!(passwd.starts_with("user:x:1000:"), "{passwd}");
        assert!(passwd.lines().all(|line| line.split(':').count() == 7), "{passwd}");
    }
}
