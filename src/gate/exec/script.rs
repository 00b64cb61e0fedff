//! Scripts that a shell is about to read: their text, for the judge.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{Mode, SFlag, fstat};
use sha2::{Digest, Sha256};

use crate::judge::TEXT_MAX;

/// The files of one process.
pub(super) struct Scripts {
    tid: i32,
    /// What has been read: what is judged and what an answer binds are the same bytes.
    seen: RefCell<BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
}

/// Scripts that one judgement may read.
const SCRIPTS: usize = 64;

impl Scripts {
    pub(super) fn of(tid: i32) -> Self {
        Self { tid, seen: RefCell::default() }
    }

    /// The text of a script, by its absolute path in the process's root. `None`: there is none, it is no regular
    /// file, or too long to be read.
    pub(super) fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        if let Some(text) = self.seen.borrow().get(path) {
            return text.clone();
        }
        if self.seen.borrow().len() >= SCRIPTS {
            return None;
        }
        let text = self.read_now(path);
        self.seen.borrow_mut().insert(path.to_vec(), text.clone());
        text
    }

    /// SHA-256 of all texts that have been read, by their paths, in order.
    pub(super) fn digests(&self) -> Vec<(Vec<u8>, [u8; 32])> {
        let seen = self.seen.borrow();
        let texts = seen.iter().filter_map(|(path, text)| Some((path, text.as_ref()?)));
        texts.map(|(path, text)| (path.clone(), Sha256::digest(text).into())).collect()
    }

    fn read_now(&self, path: &[u8]) -> Option<Vec<u8>> {
        let file = self.open(path).ok()?;
        let mut text = Vec::new();
        let most = u64::try_from(TEXT_MAX).unwrap_or(u64::MAX);
        file.take(most + 1).read_to_end(&mut text).ok()?;
        (text.len() <= TEXT_MAX).then_some(text)
    }

    /// Nothing is followed out of that root, and nothing is opened that could wait or be anything but a file.
    fn open(&self, path: &[u8]) -> Result<File, Errno> {
        let root = format!("/proc/{}/root", self.tid);
        let root = open(root.as_str(), OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        let file = openat2(root, Path::new(OsStr::from_bytes(path)), how)?;
        let kind = SFlag::from_bits_truncate(fstat(&file)?.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFREG { Ok(File::from(file)) } else { Err(Errno::EINVAL) }
    }
}
