//! A frame: magic, length, logical offset, keyed hash, then the payload. All numbers are little-endian.

use sha2::{Digest, Sha256};

/// The longest payload: a record with a cut argv and environment, with room to spare.
pub(super) const MAX_PAYLOAD_LEN: u32 = 256 * 1024;
pub(crate) const MAX_PAYLOAD: usize = MAX_PAYLOAD_LEN as usize;

pub(super) const HEADER: usize = 32;
/// One block of SHA-256, so that the keyed state is computed once.
pub(super) const KEY: usize = 64;
const MAGIC: [u8; 4] = *b"rec1";

/// SHA-256 with the key before the data, cut to 128 bits. The cut and the length in the data leave no room for
/// extending a hash that is known, and no hash is ever shown to the workload.
pub(super) struct Key(Sha256);

impl Key {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(Sha256::new_with_prefix(key))
    }

    fn tag(&self, offset: u64, payload: &[u8]) -> [u8; 16] {
        let mut hash = self.0.clone();
        hash.update((payload.len() as u64).to_le_bytes());
        hash.update(offset.to_le_bytes());
        hash.update(payload);
        let whole: [u8; 32] = hash.finalize().into();
        let mut tag = [0; 16];
        tag.copy_from_slice(&whole[..16]);
        tag
    }

    /// The header of `payload` at `offset`; `len` is its length.
    pub(super) fn header(&self, offset: u64, len: u32, payload: &[u8]) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&MAGIC);
        header[4..8].copy_from_slice(&len.to_le_bytes());
        header[8..16].copy_from_slice(&offset.to_le_bytes());
        header[16..].copy_from_slice(&self.tag(offset, payload));
        header
    }

    /// The length that a header at `offset` promises, if it is one. Says nothing of the payload yet.
    pub(super) fn promised(offset: u64, header: &[u8]) -> Option<usize> {
        let rest = header.get(..HEADER)?.strip_prefix(&MAGIC)?;
        let (len, rest) = rest.split_first_chunk()?;
        let (at, _) = rest.split_first_chunk()?;
        let len = u32::from_le_bytes(*len);
        (u64::from_le_bytes(*at) == offset && len <= MAX_PAYLOAD_LEN).then_some(len as usize)
    }

    /// The payload of the frame at the beginning of `bytes`, if it is whole and was written at `offset`.
    pub(super) fn payload<'a>(&self, offset: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let len = Self::promised(offset, bytes)?;
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let payload = rest.get(..len)?;
        (header.get(16..)? == self.tag(offset, payload)).then_some(payload)
    }
}
