//! A record as the log holds it: one JSON object on one line, its fields in AUDIT.md's order. Each record has one
//! spelling, so `verify` needs no second set of rules: a line is right if it is what [`encode`] makes of what
//! [`decode`] read.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

use crate::audit::record::{Entry, Src};
use crate::names::{RunId, SandboxName};

pub(crate) use decode::{BadLine, decode};
pub(crate) use encode::encode;

/// SHA-256 of a line without its newline.
pub(crate) type Hash = [u8; 32];
/// What the first line of a log names as the one before it.
pub(crate) const NO_LINE: Hash = [0; 32];
/// No line is longer: a spool's largest payload, every byte of it escaped, and the fields around it.
pub(crate) const MAX_LINE: usize = 6 * crate::audit::spool::MAX_PAYLOAD + 4096;

/// What the log adds to an entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) seq: u64,
    pub(crate) sandbox: SandboxName,
    pub(crate) run: RunId,
    pub(crate) src: Src,
    pub(crate) prev: Hash,
}

/// A line, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) head: Head,
    pub(crate) entry: Entry,
}

/// The hash that the line after `line` names.
pub(crate) fn hash(line: &[u8]) -> Hash {
    Sha256::digest(line).into()
}
