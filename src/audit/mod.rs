//! The audit log: what happened, in an order that can't be rewritten unseen. A record enters through the
//! [`spool`], is chained into the log by the sandbox's monitor, and is read by `creel audit`.

pub(crate) mod bytes;
pub(crate) mod line;
mod lines;
pub(crate) mod log;
mod place;
pub(crate) mod record;
pub(crate) mod search;
pub(crate) mod spool;
pub(crate) mod summary;
pub(crate) mod verify;

/// Lower-case hex, as hashes are written in records.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
