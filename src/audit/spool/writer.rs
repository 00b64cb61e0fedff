use std::fs::File;
use std::io;

use super::frame::{HEADER, MAX_PAYLOAD, MAX_PAYLOAD_LEN};
use super::{MIN_CAPACITY, Ring};
use crate::audit::record::Entry;

/// The gate's end of the spool.
pub(crate) struct SpoolWriter {
    ring: Ring,
    written: u64,
    consumed: u64,
    /// Header and payload; its size is the bound of a frame.
    frame: Box<[u8]>,
}

/// Why a record did not get into the spool. The action that it tells of must wait, or not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    #[error("the audit spool is full: the monitor is away, or the log can't be written")]
    Full,
    #[error("the record is longer than {MAX_PAYLOAD} bytes")]
    TooLarge,
    #[error("can't write the audit spool: {0}")]
    Io(#[from] io::Error),
}

impl SpoolWriter {
    /// `written` and `consumed` are 0 for a new spool.
    pub(crate) fn new(file: File, capacity: u64, written: u64, consumed: u64) -> io::Result<Self> {
        debug_assert!(capacity >= MIN_CAPACITY);
        let ring = Ring::new(file, capacity)?;
        if consumed > written || written - consumed > capacity {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no such places in the spool"));
        }
        Ok(Self { ring, written, consumed, frame: vec![0; HEADER + MAX_PAYLOAD].into() })
    }

    /// Puts a record into the spool, in one write(2) (two where the ring comes round). When this returns, the
    /// record outlives every process; returns its logical offset. After an error, nothing was added.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<u64, AppendError> {
        let (header, payload) = self.frame.split_at_mut(HEADER);
        let payload = postcard::to_slice(entry, payload).map_err(|_| AppendError::TooLarge)?;
        let len = u32::try_from(payload.len()).ok().filter(|&len| len <= MAX_PAYLOAD_LEN);
        let len = len.ok_or(AppendError::TooLarge)?;
        let size = HEADER + payload.len();
        let end = self.written.checked_add(size as u64).ok_or(AppendError::Full)?;
        if end - self.consumed > self.ring.capacity {
            return Err(AppendError::Full);
        }
        header.copy_from_slice(&self.ring.key.header(self.written, len, payload));
        let frame = self.frame.get(..size).ok_or(AppendError::TooLarge)?;
        self.ring.write(self.written, frame)?;
        Ok(std::mem::replace(&mut self.written, end))
    }

    /// The log holds everything before `offset`: its room is free. An offset that goes back, or beyond what was
    /// written, is ignored: the monitor would be mistaken, and the room is not.
    pub(crate) fn set_consumed(&mut self, offset: u64) {
        if (self.consumed..=self.written).contains(&offset) {
            self.consumed = offset;
        }
    }

    /// For `durability = "synced"`: what was appended outlives the machine too.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.ring.file.sync_data()
    }

    /// The logical end: where the next record goes.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }
}
