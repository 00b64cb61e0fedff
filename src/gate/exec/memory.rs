//! Strings in another process's memory. All of it is the workload's: sizes are bounded, and nothing is believed twice.

use nix::errno::Errno;

use crate::sys::process_vm;

/// PATH_MAX of linux/limits.h, the NUL included.
pub(super) const PATH_MAX: usize = 4096;
/// The most that an exec takes of arguments and environment together: three quarters of 8 MiB (execve(2)).
const ARGS_MAX: usize = 6 * 1024 * 1024;
/// One argument's: MAX_ARG_STRLEN.
const STRING_MAX: usize = 128 * 1024;

/// The string at `address`, without its NUL.
///
/// # Errors
/// `EFAULT` where it is not readable up to its NUL; `ENAMETOOLONG` where there is none in `most` bytes.
pub(super) fn string(tid: i32, address: u64, most: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    let mut chunk = 256;
    while bytes.len() < most {
        let old = bytes.len();
        bytes.resize((old + chunk).min(most), 0);
        let at = address.checked_add(old as u64).ok_or(Errno::EFAULT)?;
        let fresh = bytes.get_mut(old..).unwrap_or_default();
        let read = process_vm::read(tid, at, fresh)?;
        let end = fresh.iter().take(read).position(|&byte| byte == 0);
        if let Some(end) = end {
            bytes.truncate(old + end);
            return Ok(bytes);
        }
        if old + read < bytes.len() {
            return Err(Errno::EFAULT);
        }
        chunk *= 4;
    }
    Err(Errno::ENAMETOOLONG)
}

/// A NULL-terminated array of strings, as execve takes. A NULL in the array's place is an empty one.
///
/// # Errors
/// `EFAULT`, or `E2BIG` where it is more than an exec takes.
pub(super) fn strings(tid: i32, address: u64) -> Result<Vec<Vec<u8>>, Errno> {
    let mut strings = Vec::new();
    let mut room = ARGS_MAX;
    if address == 0 {
        return Ok(strings);
    }
    let mut at = address;
    loop {
        let mut chunk = [0; 512];
        let read = process_vm::read(tid, at, &mut chunk)?;
        for word in chunk.get(..read).unwrap_or_default().as_chunks::<8>().0 {
            let pointer = u64::from_ne_bytes(*word);
            if pointer == 0 {
                return Ok(strings);
            }
            let string = string(tid, pointer, STRING_MAX).map_err(|e| match e {
                Errno::ENAMETOOLONG => Errno::E2BIG,
                other => other,
            })?;
            room = room.checked_sub(string.len() + 9).ok_or(Errno::E2BIG)?;
            strings.push(string);
        }
        if read < chunk.len() {
            return Err(Errno::EFAULT);
        }
        at = at.checked_add(chunk.len() as u64).ok_or(Errno::EFAULT)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn me() -> i32 {
        std::process::id().cast_signed()
    }

    #[test]
    fn strings_of_every_length_are_read_to_their_end() {
        for len in [0, 1, 255, 256, 257, 1279, 1280, 4095] {
            let text = CString::new(vec![b'x'; len]).expect("no NUL");
            assert_eq!(string(me(), text.as_ptr() as u64, PATH_MAX), Ok(vec![b'x'; len]));
        }
        let long = CString::new(vec![b'x'; 4096]).expect("no NUL");
        assert_eq!(string(me(), long.as_ptr() as u64, PATH_MAX), Err(Errno::ENAMETOOLONG));
        assert_eq!(string(me(), 16, PATH_MAX), Err(Errno::EFAULT));
    }

    #[test]
    fn an_array_ends_at_its_null() {
        let texts: Vec<CString> =
            (0..200).map(|n| CString::new(format!("arg{n}")).expect("no NUL")).collect();
        let mut pointers: Vec<u64> = texts.iter().map(|text| text.as_ptr() as u64).collect();
        pointers.push(0);
        pointers.extend([0; 64]);
        let read = strings(me(), pointers.as_ptr() as u64).expect("readable");
        assert_eq!(read.len(), 200);
        assert_eq!(read.last(), Some(&b"arg199".to_vec()));
        assert_eq!(strings(me(), 0), Ok(vec![]));
    }
}
