//! What kind of place a path is: one of the classes that the catalogue's rules name.

mod known;

use serde::{Deserialize, Serialize};

use super::command::{UNKNOWN, wild};

/// Where things are in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) home: Vec<u8>,
    /// The project's folder, as the workload sees it.
    pub(crate) workspace: Vec<u8>,
}

/// A kind of place. What each holds is in the catalogue's README.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub(crate) enum Class {
    Root,
    Home,
    Workspace,
    Outside,
    System,
    Device,
    Git,
    Credential,
    Dotenv,
    Startup,
    Log,
    UnsetRoot,
    Any,
}

/// Several classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes(u16);

impl Classes {
    pub(crate) fn of(classes: &[Class]) -> Self {
        Self(classes.iter().fold(0, |bits, class| bits | 1 << *class as u8))
    }

    fn add(&mut self, class: Class) {
        self.0 |= 1 << class as u8;
    }

    fn add_if(&mut self, holds: bool, class: Class) {
        if holds {
            self.add(class);
        }
    }

    pub(crate) fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Place {
    /// The classes of a word that may be a path.
    pub(crate) fn classes(&self, cwd: Option<&[u8]>, word: &[u8]) -> Classes {
        let mut classes = Classes::default();
        if word.is_empty() {
            return classes;
        }
        classes.add(Class::Any);
        let word = word.strip_prefix(b"file://").unwrap_or(word);
        if let Some(rest) = word.strip_prefix(&[UNKNOWN]) {
            classes.add_if(is_unset_root(rest), Class::UnsetRoot);
            // A name can tell what it is without its folder.
            classes.add_if(rest.starts_with(b"/") && known::credential(rest, b"\0"), Class::Credential);
            classes.add_if(rest.starts_with(b"/") && known::dotenv(rest), Class::Dotenv);
            classes.add_if(rest.starts_with(b"/") && known::startup(rest, b"\0"), Class::Startup);
            return classes;
        }
        let Some(path) = self.absolute(cwd, word) else {
            let bare = [b"/", word].concat();
            classes.add_if(known::credential(&bare, b"\0"), Class::Credential);
            classes.add_if(known::dotenv(&bare), Class::Dotenv);
            return classes;
        };
        self.classify(&path, &mut classes);
        if path.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[')) {
            self.classify_glob(&path, &mut classes);
        }
        classes
    }

    /// What a pattern may stand for: the best known files of those that matter.
    fn classify_glob(&self, pattern: &[u8], classes: &mut Classes) {
        const SYSTEM: [&[u8]; 4] = [b"/etc/shadow", b"/etc/gshadow", b"/etc/sudoers", b"/etc/passwd"];
        const HOME: [&[u8]; 9] = [
            b"/.ssh/id_rsa",
            b"/.ssh/id_ed25519",
            b"/.aws/credentials",
            b"/.netrc",
            b"/.kube/config",
            b"/.npmrc",
            b"/.git-credentials",
            b"/.bashrc",
            b"/.ssh/authorized_keys",
        ];
        let home = trimmed(&self.home);
        let depth = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count();
        let (deep, at_home) = (depth(pattern), depth(home));
        for path in SYSTEM {
            if depth(path) == deep && wild(pattern, path) {
                self.classify(path, classes);
            }
        }
        for below in HOME {
            if at_home + depth(below) == deep {
                let path = [home, below].concat();
                if wild(pattern, &path) {
                    self.classify(&path, classes);
                }
            }
        }
    }

    fn classify(&self, path: &[u8], classes: &mut Classes) {
        let workspace = trimmed(&self.workspace);
        let home = trimmed(&self.home);
        let is_root = path == b"/";
        let in_workspace = is_in(path, workspace);
        classes.add_if(is_root, Class::Root);
        classes.add_if(is_whole_home(path, home), Class::Home);
        classes.add_if(is_root || is_in(workspace, path), Class::Workspace);
        let device = known::device(path);
        let harmless = path.starts_with(b"/dev/") && !device;
        let passing = known::temporary(path) || known::cache(path, home);
        classes.add_if(!in_workspace && !passing && !harmless, Class::Outside);
        classes.add_if(device, Class::Device);
        classes.add_if(!in_workspace && known::system(path), Class::System);
        classes.add_if(known::git(path), Class::Git);
        classes.add_if(known::credential(path, home), Class::Credential);
        classes.add_if(known::dotenv(path), Class::Dotenv);
        classes.add_if(known::startup(path, home), Class::Startup);
        classes.add_if(known::log(path), Class::Log);
    }

    /// The word as an absolute path without `.`, `..` and what stands for "all that is in it". `None`: it can't be
    /// known, or is none.
    pub(crate) fn absolute(&self, cwd: Option<&[u8]>, word: &[u8]) -> Option<Vec<u8>> {
        let word = whole_folder(word);
        let joined = match word.split_first() {
            None | Some((b'/', _)) => word.to_vec(),
            Some((b'~', rest)) => {
                let (user, below) = split_at_slash(rest);
                let home = match user {
                    b"" => self.home.clone(),
                    b"+" => cwd?.to_vec(),
                    b"root" => b"/root".to_vec(),
                    user => [b"/home/", user].concat(),
                };
                [&home, b"/".as_slice(), below].concat()
            }
            Some(_) => [cwd?, b"/", word].concat(),
        };
        Some(normal(&joined))
    }
}

/// What remains of `$X/…` is the root, where X is empty.
fn is_unset_root(rest: &[u8]) -> bool {
    rest.starts_with(b"/") && normal(whole_folder(rest)) == b"/"
}

/// `dir/*`, `dir/.`, `dir/{*,.*}` and their like mean all of `dir`.
fn whole_folder(word: &[u8]) -> &[u8] {
    const ALL: [&[u8]; 10] =
        [b"*", b".*", b"**", b"*.*", b".[!.]*", b".??*", b"{*,.*}", b".", b"?*", b"[!.]*"];
    let mut word = word;
    loop {
        let trimmed = match word {
            [rest @ .., b'/'] if !rest.is_empty() => rest,
            _ => word,
        };
        let (folder, last) = match trimmed.iter().rposition(|&byte| byte == b'/') {
            Some(slash) => (trimmed.get(..=slash), trimmed.get(slash + 1..).unwrap_or_default()),
            None => (None, trimmed),
        };
        if !ALL.contains(&last) {
            return trimmed;
        }
        match folder {
            Some(folder) => word = folder,
            None => return b".",
        }
        if word == b"/" {
            return word;
        }
    }
}

fn split_at_slash(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&byte| byte == b'/') {
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default()),
        None => (bytes, b""),
    }
}

/// Without empty parts, `.` and `..`; /proc/self/root is the root.
fn normal(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            b"root" if matches!(parts.as_slice(), [b"proc", _]) => parts.clear(),
            part => parts.push(part),
        }
    }
    let mut normal = Vec::with_capacity(path.len());
    for part in parts {
        normal.push(b'/');
        normal.extend_from_slice(part);
    }
    if normal.is_empty() { b"/".to_vec() } else { normal }
}

/// Without slashes at the end.
fn trimmed(path: &[u8]) -> &[u8] {
    match path {
        [rest @ .., b'/'] if !rest.is_empty() => trimmed(rest),
        path => path,
    }
}

/// `path` is `folder`, or below it.
fn is_in(path: &[u8], folder: &[u8]) -> bool {
    match path.strip_prefix(folder) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/") || folder == b"/",
        None => false,
    }
}

/// A home directory as a whole, or all of them.
fn is_whole_home(path: &[u8], home: &[u8]) -> bool {
    if path == home || [b"/home".as_slice(), b"/root", b"/Users"].contains(&path) {
        return true;
    }
    let user = path.strip_prefix(b"/home/").or_else(|| path.strip_prefix(b"/Users/"));
    user.is_some_and(|user| !user.contains(&b'/'))
}

#[cfg(test)]
mod tests;
