//! The /etc of `image = "host"`: a folder that is made once for each state of the host's, and bound read-only.
//! Only what every user of the host may read is copied, and of that only what tools need to work.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::accounts;
use crate::names::SandboxName;
use crate::paths::Paths;
use crate::sandbox::spec::SandboxSpec;
use crate::sandbox::{private, stale};

/// Never: shadow, sudoers, ssh, ssl/private, apt/auth.conf, gitconfig, npmrc, pip.conf, environment, profile.d
/// and the like: credentials are found in each of them. `*` stands for any end of the name.
const CHOSEN: [&str; 64] = [
    "ImageMagick-*",
    "OpenCL",
    "alpine-release",
    "alternatives",
    "arch-release",
    "bash.bashrc",
    "bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "ethertypes",
    "fedora-release",
    "fonts",
    "gai.conf",
    "groff",
    "host.conf",
    "inputrc",
    "java",
    "java-*",
    "ld-musl-*",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "lsb-release",
    "magic",
    "magic.mime",
    "mailcap",
    "manpath.config",
    "mime.types",
    "mke2fs.conf",
    "nanorc",
    "networks",
    "os-release",
    "papersize",
    "perl",
    "pki/ca-trust",
    "pki/java",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "profile",
    "protocols",
    "python2*",
    "python3*",
    "redhat-release",
    "rpc",
    "services",
    "sgml",
    "shells",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "system-release",
    "terminfo",
    "texmf",
    "timezone",
    "vim",
    "vulkan",
    "xml",
    "zprofile",
];
/// Mount points for the files that the engine binds.
const ENGINES: [&str; 3] = ["hostname", "hosts", "resolv.conf"];
/// A tree beyond this is no /etc that anybody meant.
const MOST_ENTRIES: usize = 20_000;
const MOST_BYTES: u64 = 64 << 20;
const DEEPEST: usize = 8;
/// In a sandbox's state folder: the key of the tree that it has.
const REFERENCE: &str = "etc";

#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Folder,
    Link(PathBuf),
    Copy { from: PathBuf, size: u64, version: [i64; 3], executable: bool },
    Text(String),
}

/// What the folder will hold, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct EtcTree {
    entries: BTreeMap<PathBuf, Entry>,
    key: String,
    pub(crate) path: PathBuf,
}

/// A mount that someone else makes inside: path below /etc, and whether it is a folder.
pub(crate) type MountPoint = (PathBuf, bool);

impl EtcTree {
    /// Looks at the host's /etc; changes nothing.
    pub(crate) fn survey(
        paths: &Paths,
        spec: &SandboxSpec,
        home: &Path,
        mount_points: &[MountPoint],
    ) -> io::Result<Self> {
        Self::of(Path::new("/etc"), paths, spec, home, mount_points)
    }

    fn of(
        etc: &Path,
        paths: &Paths,
        spec: &SandboxSpec,
        home: &Path,
        mount_points: &[MountPoint],
    ) -> io::Result<Self> {
        let mut survey = Survey { etc, entries: BTreeMap::new(), bytes: 0 };
        for chosen in CHOSEN {
            survey.choose(chosen)?;
        }
        let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
        let (passwd, group) = accounts::databases(spec, &home.to_string_lossy(), shell);
        survey.text("passwd", passwd);
        survey.text("group", group);
        survey.text("nsswitch.conf", accounts::NSSWITCH.to_owned());
        survey.entries.insert("mtab".into(), Entry::Link("../proc/self/mounts".into()));
        for name in ENGINES {
            survey.text(name, String::new());
        }
        for (path, folder) in mount_points {
            survey.folders_above(path);
            let entry = if *folder { Entry::Folder } else { Entry::Text(String::new()) };
            survey.entries.entry(path.clone()).or_insert(entry);
        }
        let entries = survey.entries;
        let mut hash = Sha256::new();
        for (path, entry) in &entries {
            hash.update(format!("{path:?} {entry:?}\n"));
        }
        let key: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { entries, path: paths.host_etc().join(&key), key })
    }

    /// Makes the folder if this state of /etc has none yet, and notes that `sandbox` needs it.
    pub(crate) fn install(&self, paths: &Paths, sandbox: &SandboxName) -> io::Result<()> {
        let (all, state) = (paths.host_etc(), paths.sandbox(sandbox));
        private::make_dir(&all)?;
        private::make_dir(&state)?;
        {
            let _lock = stale::shared(&all)?;
            private::write(&state.join(REFERENCE), 0o600, self.key.as_bytes())?;
            if !self.path.is_dir() {
                self.make(&all)?;
            }
        }
        stale::remove(&all, &self.key, &paths.sandboxes(), REFERENCE)
    }

    fn make(&self, all: &Path) -> io::Result<()> {
        let new = all.join(format!(".new-{}", ulid::Ulid::generate()));
        let made = self.fill(&new).and_then(|()| match fs::rename(&new, &self.path) {
            // Another creel was faster, and made the same.
            Err(_) if self.path.is_dir() => fs::remove_dir_all(&new),
            other => other,
        });
        made.inspect_err(|_| _ = fs::remove_dir_all(&new))
    }

    fn fill(&self, new: &Path) -> io::Result<()> {
        private::make_dir(new)?;
        for (name, entry) in &self.entries {
            let path = new.join(name);
            let made = match entry {
                Entry::Folder => fs::create_dir_all(&path).and_then(|()| set_mode(&path, 0o755)),
                Entry::Link(target) => symlink(target, &path),
                Entry::Text(text) => fs::write(&path, text).and_then(|()| set_mode(&path, 0o444)),
                Entry::Copy { from, executable, .. } => fs::copy(from, &path)
                    .and_then(|_| set_mode(&path, if *executable { 0o555 } else { 0o444 })),
            };
            made.map_err(|error| private::named(&path, &error))?;
        }
        set_mode(new, 0o755)
    }
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

struct Survey<'a> {
    etc: &'a Path,
    entries: BTreeMap<PathBuf, Entry>,
    bytes: u64,
}

impl Survey<'_> {
    fn text(&mut self, name: &str, text: String) {
        self.entries.insert(name.into(), Entry::Text(text));
    }

    fn folders_above(&mut self, path: &Path) {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            self.entries.entry(folder.to_owned()).or_insert(Entry::Folder);
        }
    }

    fn choose(&mut self, chosen: &str) -> io::Result<()> {
        let Some(start) = chosen.strip_suffix('*') else {
            return self.add(Path::new(chosen), 0);
        };
        for entry in fs::read_dir(self.etc)? {
            let name = entry?.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(start)) {
                self.add(Path::new(&name), 0)?;
            }
        }
        Ok(())
    }

    /// What isn't there, or isn't for everybody, is left out.
    fn add(&mut self, name: &Path, depth: usize) -> io::Result<()> {
        let path = self.etc.join(name);
        let Ok(meta) = fs::symlink_metadata(&path) else { return Ok(()) };
        let for_all = |bits: u32| meta.mode() & bits == bits;
        let entry = if meta.is_symlink() {
            Entry::Link(fs::read_link(&path)?)
        } else if meta.is_dir() && for_all(0o005) && depth < DEEPEST {
            for inner in fs::read_dir(&path)? {
                self.add(&name.join(inner?.file_name()), depth + 1)?;
            }
            Entry::Folder
        } else if meta.is_file() && for_all(0o004) {
            self.bytes = self.bytes.saturating_add(meta.size());
            Entry::Copy {
                from: path,
                size: meta.size(),
                version: [meta.mtime(), meta.mtime_nsec(), meta.ino().cast_signed()],
                executable: for_all(0o001),
            }
        } else {
            return Ok(());
        };
        self.folders_above(name);
        self.entries.insert(name.to_owned(), entry);
        if self.entries.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            return Err(io::Error::other(format!(
                "the chosen parts of {} are more than {MOST_ENTRIES} files or {} MiB, which can't be right: use another \
                 image (sandbox.image)",
                self.etc.display(),
                MOST_BYTES >> 20
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::sandbox::tests::spec;

    fn paths(dir: &Path) -> Paths {
        let home = dir.as_os_str().to_owned();
        Paths::from_env(|key| (key == "HOME").then(|| home.clone())).expect("HOME is set")
    }

    fn file(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().expect("has one")).expect("made");
        fs::write(path, "x").expect("written");
        set_mode(path, mode).expect("set");
    }

    #[test]
    fn what_is_not_for_everybody_stays_out_and_links_stay_links() {
        let dir = tempfile::tempdir().expect("a folder");
        let etc = dir.path().join("etc");
        for (name, mode) in [
            ("shadow", 0o640),
            ("sudoers", 0o644),
            ("ssl/private/key", 0o644),
            ("ssl/certs/a.pem", 0o644),
            ("java-17/management/jmxremote.password", 0o600),
            ("java-17/security/java.security", 0o644),
            ("npmrc", 0o644),
        ] {
            file(&etc.join(name), mode);
        }
        symlink("/usr/share/zoneinfo/UTC", etc.join("localtime")).expect("linked");
        let paths = paths(dir.path());
        let points = [(PathBuf::from("app/conf"), false)];
        let tree = EtcTree::of(&etc, &paths, &spec(), Path::new("/home/ann"), &points).expect("surveyed");
        let name: SandboxName = "one".parse().expect("a name");
        tree.install(&paths, &name).expect("made");

        let there = |name: &str| fs::symlink_metadata(tree.path.join(name)).is_ok();
        for name in ["shadow", "sudoers", "ssl/private", "java-17/management/jmxremote.password", "npmrc"] {
            assert!(!there(name), "{name}");
        }
        for name in ["ssl/certs/a.pem", "java-17/security/java.security", "passwd", "hosts", "app/conf"] {
            assert!(there(name), "{name}");
        }
        let link = fs::read_link(tree.path.join("localtime")).expect("a link");
        assert_eq!(link, Path::new("/usr/share/zoneinfo/UTC"));

        let again = EtcTree::of(&etc, &paths, &spec(), Path::new("/home/ann"), &points).expect("surveyed");
        assert_eq!(again.path, tree.path, "the same state is the same folder");
        fs::write(etc.join("ssl/certs/a.pem"), "changed").expect("written");
        let changed = EtcTree::of(&etc, &paths, &spec(), Path::new("/home/ann"), &points).expect("surveyed");
        assert_ne!(changed.path, tree.path);
        changed.install(&paths, &name).expect("made");
        assert!(!tree.path.exists(), "nobody needs the old one");
    }

    #[test]
    fn the_real_etc_is_surveyed_fast_and_without_secrets() {
        let dir = tempfile::tempdir().expect("a folder");
        let tree = EtcTree::survey(&paths(dir.path()), &spec(), Path::new("/h"), &[]).expect("surveyed");
        let names: BTreeSet<_> = tree.entries.keys().filter_map(|path| path.to_str()).collect();
        assert!(names.contains("passwd") && names.contains("nsswitch.conf"));
        assert!(names.iter().all(|name| !name.contains("private") && !name.contains("shadow")), "{names:?}");
    }
}
