use std::fs::File;
use std::io;

use super::Ring;
use super::frame::{HEADER, Key, MAX_PAYLOAD};
use crate::audit::record::Entry;

/// The first look at a place, which mostly finds nothing new.
const PEEK: usize = 4096;
/// How much is read at once when records come fast.
const CHUNK: usize = 64 * 1024;

/// The monitor's end of the spool.
///
/// Tell the gate the *beginning* of the last record that the log holds (`Consumed`), not its end: that record then
/// stays in the ring, and a new monitor, who knows from the log where it began, finds what comes after it.
pub(crate) struct SpoolReader {
    ring: Ring,
    /// Where the next frame begins.
    offset: u64,
    /// Bytes of the ring from `buffer_at` on, as they were when last read.
    buffer: Vec<u8>,
    buffer_at: u64,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Whole, and with the right key, but no record: the gate is broken, or is no longer ours. The reader is past
    /// it, so that this is met once a frame.
    #[error("the gate put something into the spool at {offset} that is no record")]
    Malformed { offset: u64 },
    #[error("can't read the audit spool: {0}")]
    Io(#[from] io::Error),
}

impl SpoolReader {
    /// Reads from the frame that begins at `offset`: 0, or where the log's last record of this spool began.
    pub(crate) fn new(file: File, capacity: u64, offset: u64) -> io::Result<Self> {
        Ok(Self { ring: Ring::new(file, capacity)?, offset, buffer: Vec::new(), buffer_at: offset })
    }

    /// The next record, where it begins and where it ends; `None` while there is none.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, u64, Entry)>, ReadError> {
        let size = match self.buffered() {
            Some(size) => size,
            // What is buffered may be older than what the file now holds.
            None => match self.refill()? {
                Some(size) => size,
                None => return Ok(None),
            },
        };
        let offset = self.offset;
        let end = offset.checked_add(size as u64).ok_or(ReadError::Malformed { offset })?;
        let decoded = match self.unread().get(HEADER..size).map(postcard::take_from_bytes) {
            Some(Ok((entry, []))) => Some(entry),
            _ => None,
        };
        self.offset = end;
        let entry = decoded.ok_or(ReadError::Malformed { offset })?;
        Ok(Some((offset, end, entry)))
    }

    fn unread(&self) -> &[u8] {
        let skip = usize::try_from(self.offset - self.buffer_at).unwrap_or(usize::MAX);
        self.buffer.get(skip..).unwrap_or_default()
    }

    /// The size of the valid frame at the beginning of what is buffered.
    fn buffered(&self) -> Option<usize> {
        self.ring.key.payload(self.offset, self.unread()).map(|payload| HEADER + payload.len())
    }

    /// Reads anew from `offset`: little while nothing comes, much while records do.
    fn refill(&mut self) -> io::Result<Option<usize>> {
        let busy = self.offset != self.buffer_at;
        self.load(if busy { CHUNK } else { PEEK })?;
        if let Some(len) = Key::promised(self.offset, &self.buffer)
            && HEADER + len > self.buffer.len()
        {
            self.load(HEADER + len.min(MAX_PAYLOAD))?;
        }
        Ok(self.buffered())
    }

    fn load(&mut self, size: usize) -> io::Result<()> {
        self.buffer_at = self.offset;
        self.buffer.resize(size, 0);
        self.ring.read(self.offset, &mut self.buffer).inspect_err(|_| self.buffer.clear())
    }
}
