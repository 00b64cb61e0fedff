//! Copies of the system's tools: `cp /bin/rm list; ./list`, or rm in a memory file. A name is anyone's to give; what a
//! tool is, its first page tells: an ELF file's headers, build id and symbols, which no other tool has.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;
use sha2::{Digest, Sha256};

use super::file_identity::{self, Version};
use crate::judge::rule::TOOL_FOLDERS;

const PAGE: usize = 4096;
/// Tools that are looked at: more than any system has, and there is an end.
const TOOLS: usize = 20_000;

type Head = [u8; 32];

/// Files that are remembered.
const KNOWN: usize = 1024;

/// The tools of the workload's root, once they have been needed: nothing there can be written, so they stay. And
/// what other files that were executed are copies of.
#[derive(Default)]
pub(super) struct Copies {
    tools: Option<HashMap<Head, Vec<u8>>>,
    known: HashMap<Version, Option<Vec<u8>>>,
}

impl Copies {
    /// The name of the tool that process `pid` runs a copy of; `None`: it runs the tool itself, or another program.
    pub(super) fn of(&mut self, pid: i32, program: &[u8]) -> Option<Vec<u8>> {
        let slash = program.iter().rposition(|&byte| byte == b'/')?;
        if program.get(..slash).is_some_and(|folder| TOOL_FOLDERS.contains(&folder)) {
            return None;
        }
        let file = format!("/proc/{pid}/exe");
        let meta = fs::metadata(&file).ok()?;
        if let Some(known) = self.known.get(&file_identity::version(&meta)) {
            return known.clone();
        }
        let of =
            head(&file).and_then(|head| self.tools.get_or_insert_with(|| tools(pid)).get(&head).cloned());
        if let Some(version) = file_identity::settled_version(&meta) {
            if self.known.len() >= KNOWN {
                self.known.clear();
            }
            self.known.insert(version, of.clone());
        }
        of
    }
}

fn tools(pid: i32) -> HashMap<Head, Vec<u8>> {
    let mut tools = HashMap::new();
    for folder in TOOL_FOLDERS {
        // What can't be looked at has no copies that could be known.
        let Ok(folder) = open_folder(pid, folder) else { continue };
        let Ok(entries) = fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd())) else { continue };
        for entry in entries.flatten().take(TOOLS) {
            // A link's file is a tool itself, or lies elsewhere.
            if entry.file_type().is_ok_and(|kind| kind.is_file())
                && let Some(head) = head(entry.path())
            {
                tools.entry(head).or_insert_with(|| entry.file_name().into_vec());
            }
        }
    }
    tools
}

fn open_folder(pid: i32, folder: &[u8]) -> Result<File, Errno> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let root = open(format!("/proc/{pid}/root").as_str(), flags, Mode::empty())?;
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(root, Path::new(OsStr::from_bytes(folder)), how).map(File::from)
}

/// Of an ELF file's first page.
fn head(path: impl AsRef<Path>) -> Option<Head> {
    let mut page = Vec::with_capacity(PAGE);
    File::open(path).ok()?.take(PAGE as u64).read_to_end(&mut page).ok()?;
    page.starts_with(b"\x7fELF").then(|| Sha256::digest(&page).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_known_by_its_content() {
        let me = std::process::id().cast_signed();
        let tools = tools(me);
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("list");
        fs::copy("/bin/rm", &copy).expect("a copy");
        let longer = [fs::read("/bin/rm").expect("rm"), b"more".to_vec()].concat();
        fs::write(folder.path().join("longer"), longer).expect("a file");
        for name in ["list", "longer"] {
            let head = head(folder.path().join(name)).expect("an ELF file");
            assert_eq!(tools.get(&head).map(Vec::as_slice), Some(b"rm".as_slice()), "{name}");
        }
        // A test of this crate is no tool, and a tool is no copy of itself.
        assert_eq!(Copies::default().of(me, b"/x/test"), None);
        assert_eq!(Copies::default().of(me, b"/usr/bin/rm"), None);
    }
}
