//! process_vm_readv(2): another process's memory, read without stopping it.

use std::io::IoSliceMut;

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

const PAGE: u64 = 4096;
/// UIO_MAXIOV is 1024.
const MOST_PAGES: usize = 512;
/// The most that one call reads, bytes: what begins within a page ends within another.
pub(crate) const MOST: usize = (MOST_PAGES - 1) * 4096;

/// Reads from `address` on into `buffer`, at most [`MOST`], as far as the memory is mapped; says how much that was.
///
/// # Errors
/// `EFAULT` where not even the first byte is readable; `ESRCH` where the process has gone.
pub(crate) fn read(tid: i32, address: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
    // A piece for each page: what is unreadable ends the transfer at the piece, not at the whole.
    let mut remote = Vec::with_capacity(buffer.len() / 4096 + 2);
    let (mut at, mut left) = (address, buffer.len());
    while left > 0 && remote.len() < MOST_PAGES {
        let in_page = usize::try_from(PAGE - at % PAGE).unwrap_or(left).min(left);
        let base = usize::try_from(at).map_err(|_| Errno::EFAULT)?;
        remote.push(RemoteIoVec { base, len: in_page });
        left -= in_page;
        match at.checked_add(in_page as u64) {
            Some(next) => at = next,
            None => break,
        }
    }
    process_vm_readv(Pid::from_raw(tid), &mut [IoSliceMut::new(buffer)], &remote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_read_and_what_is_not_says_so() {
        let text = b"here".repeat(3000);
        let mut buffer = vec![0; text.len()];
        let me = std::process::id().cast_signed();
        assert_eq!(read(me, text.as_ptr() as u64, &mut buffer), Ok(text.len()));
        assert_eq!(buffer, text);
        assert_eq!(read(me, 8, &mut buffer), Err(Errno::EFAULT));
        assert_eq!(read(me, u64::MAX - 2, &mut buffer), Err(Errno::EFAULT));
    }
}
