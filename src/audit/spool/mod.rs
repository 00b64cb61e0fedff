//! The spool: a ring of frames in a file that the monitor made and the gate writes. What is in it survives the
//! death of either, as the page cache does. Places in it are logical offsets, which only grow; the ring's byte
//! of an offset is `offset % capacity`, after a page that holds the spool's key.
//!
//! The workload chooses most bytes of a record, so it could plant a frame inside an argument and wait for the ring
//! to come round to it. Each frame therefore carries a hash keyed with what the file's first page alone holds.

mod frame;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

pub(crate) use frame::MAX_PAYLOAD;
pub(crate) use reader::{ReadError, SpoolReader};
pub(crate) use writer::{AppendError, SpoolWriter};

/// Room for some 50,000 records while the monitor is away.
pub(crate) const DEFAULT_CAPACITY: u64 = 16 * 1024 * 1024;
/// The last frame that was read stays (see [`SpoolReader`]) while the next is written, whatever their sizes.
pub(crate) const MIN_CAPACITY: u64 = 2 * (frame::HEADER + MAX_PAYLOAD) as u64;

/// Where the ring begins in the file.
const RING: u64 = 4096;
const MAGIC: [u8; 8] = *b"creelsp1";

/// Makes the file for a gate that is about to start: 0600, all its blocks taken now, so that a full disk is met
/// here and not at a record. An old spool at `path` is replaced; its descriptor goes on to work.
pub(crate) fn create(path: &Path, capacity: u64) -> io::Result<File> {
    if capacity < MIN_CAPACITY {
        return Err(io::Error::other(format!("a spool needs at least {MIN_CAPACITY} bytes")));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let size = capacity.checked_add(RING).and_then(|size| i64::try_from(size).ok());
    let size = size.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
    nix::fcntl::posix_fallocate(&file, 0, size)?;
    let mut first = [0; MAGIC.len() + frame::KEY];
    let (magic, key) = first.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    getrandom::fill(key).map_err(io::Error::from)?;
    file.write_all_at(&first, 0)?;
    Ok(file)
}

/// A spool's file, checked to be one, and its key.
struct Ring {
    file: File,
    capacity: u64,
    key: frame::Key,
}

impl Ring {
    fn new(file: File, capacity: u64) -> io::Result<Self> {
        let mut first = [0; MAGIC.len() + frame::KEY];
        file.read_exact_at(&mut first, 0)?;
        let key = first.strip_prefix(&MAGIC).map(frame::Key::new);
        let whole = capacity >= MIN_CAPACITY
            && capacity.checked_add(RING).is_some_and(|size| file.metadata().is_ok_and(|m| m.len() >= size));
        match key {
            Some(key) if whole => Ok(Self { file, capacity, key }),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "not a spool, or not one of this size")),
        }
    }

    /// Where `offset` is in the file, and how many bytes follow before the ring comes round.
    fn at(&self, offset: u64) -> (u64, usize) {
        let place = offset % self.capacity;
        (RING + place, usize::try_from(self.capacity - place).unwrap_or(usize::MAX))
    }

    /// Writes across the ring's end if need be; then the part with the frame's header goes last, so that a reader
    /// (or a crash) between the two sees no frame.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (place, room) = self.at(offset);
        match bytes.split_at_checked(room) {
            Some((head, tail)) if !tail.is_empty() => {
                self.file.write_all_at(tail, RING)?;
                self.file.write_all_at(head, place)
            }
            _ => self.file.write_all_at(bytes, place),
        }
    }

    /// Fills `buf` from `offset` on.
    fn read(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let (place, room) = self.at(offset);
        let (head, tail) = buf.split_at_mut(room.min(buf.len()));
        self.file.read_exact_at(head, place)?;
        self.file.read_exact_at(tail, RING)
    }
}
