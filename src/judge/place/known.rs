//! Places that are known by their names. All paths are absolute and normal.

use crate::judge::command::{file_name, wild};

use super::is_in;

fn below_any(path: &[u8], folders: &[&[u8]]) -> bool {
    folders.iter().any(|folder| is_in(path, folder))
}

fn matches_any(path: &[u8], globs: &[&[u8]]) -> bool {
    globs.iter().any(|glob| wild(glob, path))
}

fn in_home<'a>(path: &'a [u8], home: &[u8]) -> Option<&'a [u8]> {
    let below = |folder: &[u8]| path.strip_prefix(folder).and_then(|rest| rest.strip_prefix(b"/"));
    if let Some(rest) = below(home).or_else(|| below(b"/root")) {
        return Some(rest);
    }
    // Somebody else's, or one whose place is not known.
    let rest = path.strip_prefix(b"/home/").or_else(|| path.strip_prefix(b"/Users/"))?;
    rest.iter().position(|&byte| byte == b'/').and_then(|slash| rest.get(slash + 1..))
}

pub(super) fn temporary(path: &[u8]) -> bool {
    below_any(path, &[b"/tmp", b"/var/tmp", b"/dev/shm", b"/run/user", b"/private/tmp"])
}

/// What tools keep to be faster next time.
pub(super) fn cache(path: &[u8], home: &[u8]) -> bool {
    const CACHES: [&[u8]; 14] = [
        b".cache/*",
        b".npm/*",
        b".npm",
        b".gradle/caches*",
        b".m2/repository/*",
        b".cargo/registry*",
        b".cargo/git*",
        b".yarn/cache*",
        b".pnpm-store*",
        b"Library/Caches/*",
        b".bun/install/cache*",
        b"go/pkg/mod*",
        b".local/share/Trash*",
        b".ccache*",
    ];
    in_home(path, home).is_some_and(|rest| matches_any(rest, &CACHES))
}

pub(super) fn system(path: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 19] = [
        b"/etc",
        b"/usr",
        b"/bin",
        b"/sbin",
        b"/lib",
        b"/lib32",
        b"/lib64",
        b"/boot",
        b"/var",
        b"/opt",
        b"/srv",
        b"/sys",
        b"/proc",
        b"/run",
        b"/efi",
        b"/System",
        b"/Library",
        b"/Applications",
        b"/snap",
    ];
    path == b"/" || (below_any(path, &FOLDERS) && !temporary(path))
}

/// A device that holds or is something; `/dev/null` and its like are none.
pub(super) fn device(path: &[u8]) -> bool {
    const HARMLESS: [&[u8]; 15] = [
        b"null",
        b"zero",
        b"full",
        b"random",
        b"urandom",
        b"tty",
        b"stdin",
        b"stdout",
        b"stderr",
        b"fd/*",
        b"pts/*",
        b"shm",
        b"shm/*",
        b"ptmx",
        b"tty[0-9]",
    ];
    match path.strip_prefix(b"/dev/") {
        Some(b"tcp" | b"udp") => false,
        Some(name) => {
            !matches_any(name, &HARMLESS) && !name.starts_with(b"tcp/") && !name.starts_with(b"udp/")
        }
        None => false,
    }
}

pub(super) fn git(path: &[u8]) -> bool {
    path.ends_with(b"/.git") || path.windows(6).any(|part| part == b"/.git/")
}

pub(super) fn dotenv(path: &[u8]) -> bool {
    const HARMLESS: [&[u8]; 9] =
        [b"example", b"sample", b"template", b"dist", b"defaults", b"schema", b"test", b"ci", b"*.example"];
    let name = file_name(path);
    match name.strip_prefix(b".env") {
        Some(b"" | b"rc") => true,
        Some(rest) => rest.strip_prefix(b".").is_some_and(|kind| !matches_any(kind, &HARMLESS)),
        None => false,
    }
}

pub(super) fn credential(path: &[u8], home: &[u8]) -> bool {
    // Relative to a home directory.
    const IN_HOME: [&[u8]; 62] = [
        b".ssh",
        b".ssh/id_*",
        b".ssh/*_rsa",
        b".ssh/*key*",
        b".ssh/*.pem",
        b".ssh/identity",
        b".aws",
        b".aws/credentials",
        b".aws/sso/*",
        b".aws/cli/cache*",
        b".config/gcloud",
        b".config/gcloud/*",
        b".azure",
        b".azure/*",
        b".kube/config",
        b".kube",
        b".kube/*.y*ml",
        b".docker/config.json",
        b".npmrc",
        b".yarnrc.yml",
        b".pypirc",
        b".netrc",
        b".git-credentials",
        b".config/git/credentials",
        b".config/gh",
        b".config/gh/hosts.yml",
        b".config/hub",
        b".config/glab-cli/*",
        b".gnupg",
        b".gnupg/*",
        b".password-store",
        b".password-store/*",
        b".local/share/keyrings",
        b".local/share/keyrings/*",
        b".local/share/kwalletd/*",
        b"Library/Keychains*",
        b".mozilla/firefox*",
        b".config/google-chrome*",
        b".config/chromium*",
        b".config/BraveSoftware*",
        b".config/microsoft-edge*",
        b"Library/Application Support/*",
        b".config/op/*",
        b".config/Bitwarden*",
        b".vault-token",
        b".terraform.d/credentials*",
        b".terraformrc",
        b".cargo/credentials*",
        b".gem/credentials",
        b".composer/auth.json",
        b".config/composer/auth.json",
        b".my.cnf",
        b".pgpass",
        b".s3cfg",
        b".boto",
        b".config/rclone*",
        b".config/sops*",
        b".claude/.credentials.json",
        b".codex/auth.json",
        b".config/doctl/*",
        b".oci/*",
        b".config/*/credentials*",
    ];
    // Anywhere.
    const GLOBS: [&[u8]; 40] = [
        b"/etc/shadow*",
        b"/etc/gshadow*",
        b"/etc/ssl/private*",
        b"/etc/ssh/ssh_host_*key",
        b"/etc/krb5.keytab",
        b"/etc/kubernetes/*.conf",
        b"/etc/rancher/*/*.yaml",
        b"/etc/docker/key.json",
        b"/etc/sudoers*",
        b"/etc/master.passwd",
        b"/etc/security/opasswd",
        b"/run/secrets*",
        b"/var/run/secrets*",
        b"/proc/*/environ",
        b"/proc/kcore",
        b"/proc/*/mem",
        b"/dev/mem",
        b"/dev/kmem",
        b"/var/lib/docker/*",
        b"*/id_rsa",
        b"*/id_dsa",
        b"*/id_ecdsa",
        b"*/id_ed25519",
        b"*/.ssh/id_*",
        b"*/.aws/credentials",
        b"*/.kube/config",
        b"*/.docker/config.json",
        b"*/.git-credentials",
        b"*/.netrc",
        b"*/.pgpass",
        b"*.kdbx",
        b"*.keytab",
        b"*.ppk",
        b"*.jks",
        b"*/Login Data",
        b"*/logins.json",
        b"*/key4.db",
        b"*/wallet.dat",
        b"*/etc/shadow",
        b"*/master.key",
    ];
    const NAMES: [&[u8]; 12] = [
        b"*service-account*.json",
        b"*service_account*.json",
        b"*serviceaccount*.json",
        b"credentials.json",
        b"client_secret*.json",
        b"secrets.y*ml",
        b"secrets.json",
        b"*.p12",
        b"*.pfx",
        b"*private*.pem",
        b"*private*key*",
        b"*.tfstate",
    ];
    let name = file_name(path);
    if name.ends_with(b".pub") || is_fixture(path) {
        return false;
    }
    let keys = (name.ends_with(b".key") || name.ends_with(b".pem"))
        && !matches_any(name, &[b"*cert*", b"*ca.*", b"*chain*", b"*public*", b"*pub.*", b"*csr*", b"ca*"]);
    let keys = keys && !matches_any(path, &[b"/usr/*", b"/etc/ssl/certs*", b"*/node_modules/*"]);
    keys || in_home(path, home).is_some_and(|rest| matches_any(rest, &IN_HOME))
        || (home == b"\0"
            && path.strip_prefix(b"/").is_some_and(|rest| matches_any(rest, &IN_HOME) && rest != b".npmrc"))
        || matches_any(path, &GLOBS)
        || matches_any(name, &NAMES)
}

/// Made for tests, or to be read.
fn is_fixture(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(|part| {
        matches!(
            part,
            b"test" | b"tests" | b"testdata" | b"fixtures" | b"__tests__" | b"spec" | b"examples" | b"docs"
        )
    })
}

pub(super) fn startup(path: &[u8], home: &[u8]) -> bool {
    const IN_HOME: [&[u8]; 36] = [
        b".bashrc",
        b".bash_profile",
        b".bash_login",
        b".bash_logout",
        b".bash_aliases",
        b".bashrc.d/*",
        b".profile",
        b".zshrc",
        b".zshenv",
        b".zprofile",
        b".zlogin",
        b".zlogout",
        b".oh-my-zsh/custom/*",
        b".kshrc",
        b".cshrc",
        b".tcshrc",
        b".inputrc",
        b".config/fish/*",
        b".config/nushell/*",
        b".xinitrc",
        b".xprofile",
        b".xsession*",
        b".Xsession",
        b".pam_environment",
        b".config/environment.d/*",
        b".config/systemd/user*",
        b".local/share/systemd/user*",
        b".config/autostart*",
        b".config/plasma-workspace/*",
        b"Library/LaunchAgents*",
        b".ssh/authorized_keys*",
        b".ssh/rc",
        b".ssh/config",
        b".gitconfig",
        b".config/git/config",
        b".config/git/hooks*",
    ];
    const GLOBS: [&[u8]; 38] = [
        b"/etc/profile",
        b"/etc/profile.d*",
        b"/etc/bash.bashrc",
        b"/etc/bashrc",
        b"/etc/zsh/*",
        b"/etc/zshrc",
        b"/etc/zshenv",
        b"/etc/environment",
        b"/etc/rc.local",
        b"/etc/rc?.d/*",
        b"/etc/rc.d/*",
        b"/etc/init.d*",
        b"/etc/init/*",
        b"/etc/inittab",
        b"/etc/cron*",
        b"/etc/anacrontab",
        b"/var/spool/cron*",
        b"/var/spool/at*",
        b"/etc/systemd/*",
        b"/usr/lib/systemd/*",
        b"/lib/systemd/*",
        b"/run/systemd/*",
        b"/etc/xdg/autostart*",
        b"/etc/ld.so.preload",
        b"/etc/ld.so.conf*",
        b"/etc/sudoers*",
        b"/etc/doas.conf",
        b"/etc/pam.d*",
        b"/etc/udev/rules.d*",
        b"/etc/update-motd.d*",
        b"/etc/apt/apt.conf.d*",
        b"/etc/NetworkManager/dispatcher.d*",
        b"/etc/modules-load.d*",
        b"/Library/Launch*",
        b"*/authorized_keys",
        b"*/.git/hooks/*",
        b"*/.git/config",
        b"*/site-packages/*.pth",
    ];
    const NAMES: [&[u8]; 2] = [b"sitecustomize.py", b"usercustomize.py"];
    in_home(path, home).is_some_and(|rest| matches_any(rest, &IN_HOME))
        || (home == b"\0" && path.strip_prefix(b"/").is_some_and(|rest| matches_any(rest, &IN_HOME)))
        || (matches_any(path, &GLOBS) && !path.ends_with(b".sample"))
        || NAMES.contains(&file_name(path))
}

pub(super) fn log(path: &[u8]) -> bool {
    const NAMES: [&[u8]; 5] = [b".*_history", b"fish_history", b"lastlog", b"wtmp*", b"utmp*"];
    is_in(path, b"/var/log") || is_in(path, b"/run/log") || matches_any(file_name(path), &NAMES)
}
