//! proc_pid_mountinfo(5): which file system, and which part of it, is seen at a path.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A place on a file system, independent of where that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Major and minor number, as in mountinfo (on btrfs it differs from stat's).
    pub(crate) device: (u32, u32),
    pub(crate) path: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MountEntry {
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) root: Location,
    pub(crate) point: PathBuf,
    pub(crate) kind: String,
}

/// All mounts of a process's namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct MountTable(Vec<MountEntry>);

impl MountTable {
    pub(crate) fn read() -> io::Result<Self> {
        Ok(Self::parse(&std::fs::read("/proc/self/mountinfo")?))
    }

    pub(crate) fn of_process(pid: i32) -> io::Result<Self> {
        Ok(Self::parse(&std::fs::read(format!("/proc/{pid}/mountinfo"))?))
    }

    /// Lines that make no sense are left out: what is not in the table is not trusted.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(text.split(|byte| *byte == b'\n').filter_map(entry).collect())
    }

    pub(crate) fn by_id(&self, id: u64) -> Option<&MountEntry> {
        self.0.iter().find(|mount| mount.id == id)
    }

    /// What a look-up of `point` reaches: the last of those that cover each other there.
    pub(crate) fn at(&self, point: &Path) -> Option<&MountEntry> {
        let first = self.0.iter().find(|mount| {
            mount.point == point && self.by_id(mount.parent).is_none_or(|parent| parent.point != point)
        })?;
        Some(self.top(first))
    }

    /// The mounts that are seen below `path`, which lies in the mount `id`; outer ones first.
    pub(crate) fn below(&self, id: u64, path: &Path) -> Vec<&MountEntry> {
        let mut found = Vec::new();
        for child in self.0.iter().filter(|mount| mount.parent == id && mount.id != id) {
            if child.point.starts_with(path) && child.point != path {
                let top = self.top(child);
                found.push(top);
                found.extend(self.below(top.id, &top.point));
            }
        }
        found
    }

    fn top<'a>(&'a self, mount: &'a MountEntry) -> &'a MountEntry {
        let mut top = mount;
        // A malformed table could go round in circles.
        for _ in 0..self.0.len() {
            let over = self.0.iter().find(|m| m.parent == top.id && m.point == top.point && m.id != top.id);
            let Some(over) = over else { break };
            top = over;
        }
        top
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`
fn entry(line: &[u8]) -> Option<MountEntry> {
    let mut fields = line.split(|byte| *byte == b' ');
    let number = |field: Option<&[u8]>| std::str::from_utf8(field?).ok()?.parse().ok();
    let id = number(fields.next())?;
    let parent = number(fields.next())?;
    let (major, minor) = std::str::from_utf8(fields.next()?).ok()?.split_once(':')?;
    let root = unescaped(fields.next()?);
    let point = unescaped(fields.next()?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some(MountEntry {
        id,
        parent,
        root: Location { device: (major.parse().ok()?, minor.parse().ok()?), path: root },
        point,
        kind: String::from_utf8_lossy(kind).into_owned(),
    })
}

/// Space, tab, newline and backslash are written as three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *byte == b'\\').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        });
        match (octal, after.get(3..)) {
            (Some(value), Some(after)) => {
                plain.push(value);
                rest = after;
            }
            _ => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    OsString::from_vec(plain).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str = "\
21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
22 21 0:20 / /proc rw - proc proc rw
30 21 254:0 /home/a/x /mnt/with\\040space rw shared:1 - ext4 /dev/vda rw
31 30 0:40 / /mnt/with\\040space/in rw - tmpfs tmpfs rw
32 31 0:41 /sub /mnt/with\\040space/in rw - tmpfs tmpfs rw
33 32 0:42 / /mnt/with\\040space/in/deep rw - tmpfs tmpfs rw
";

    #[test]
    fn what_lies_below_a_path_is_what_a_look_up_would_reach() {
        let table = MountTable::parse(TABLE.as_bytes());
        let point = Path::new("/mnt/with space");
        let below: Vec<u64> = table.below(30, point).iter().map(|mount| mount.id).collect();
        assert_eq!(below, [32, 33], "31 is covered by 32");
        assert_eq!(table.at(&point.join("in")).map(|mount| mount.id), Some(32));
        assert_eq!(table.at(point).map(|mount| mount.root.path.clone()), Some("/home/a/x".into()));
        assert!(table.at(Path::new("/nowhere")).is_none());
    }

    #[test]
    fn a_table_that_goes_in_circles_ends() {
        let table = MountTable::parse(b"1 2 0:1 / /a rw - t t rw\n2 1 0:1 / /a rw - t t rw\n");
        let _ = table.at(Path::new("/a"));
    }

    proptest! {
        #[test]
        fn no_table_makes_the_parser_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = MountTable::parse(&text);
        }

        #[test]
        fn escapes_come_back(name in "[ -~]{1,40}") {
            let escaped: String = name.bytes().map(|b| match b {
                b' ' | b'\\' => format!("\\{b:03o}"),
                plain => char::from(plain).to_string(),
            }).collect();
            prop_assert_eq!(unescaped(escaped.as_bytes()), PathBuf::from(name));
        }
    }
}
