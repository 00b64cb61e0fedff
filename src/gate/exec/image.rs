//! What a program starts with, read off its new stack at the exec stop: argument count, pointers to the arguments,
//! NULL, to the environment, NULL, the auxiliary vector; the strings above (System V ABI for x86-64, 3.4.1).
//!
//! The kernel has just built it in memory that nobody else shares.

use nix::errno::Errno;

use crate::sys::process_vm;

/// More than the kernel lets an exec fill, and what it puts around that.
const STACK_MAX: usize = 9 * 1024 * 1024;
const FIRST_READ: usize = 8 * 1024;
const WORD: usize = 8;
/// The auxiliary vector's entries for the effective user, and for the path that was executed (getauxval(3)).
const AT_EUID: u64 = 12;
const AT_EXECFN: u64 = 31;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) argv: Vec<Vec<u8>>,
    /// `NAME=VALUE`, as a rule.
    pub(super) env: Vec<Vec<u8>>,
    /// The path given to execve; for a script, the script's.
    pub(super) execfn: Vec<u8>,
    pub(super) uid: u32,
}

/// Reads the image of a task that stands at its exec stop.
///
/// # Errors
/// Where the stack is not what the kernel builds, or the task has gone.
pub(super) fn read(tid: i32, stack_pointer: u64) -> Result<Image, Errno> {
    let mut stack = Stack { base: stack_pointer, bytes: Vec::new(), whole: false };
    let fetch = |at: u64, buffer: &mut [u8]| process_vm::read(tid, at, buffer);
    stack.parse(fetch)
}

/// As much of a stack as has been needed.
struct Stack {
    base: u64,
    bytes: Vec<u8>,
    /// There is no more of it.
    whole: bool,
}

impl Stack {
    fn parse(&mut self, fetch: impl Fn(u64, &mut [u8]) -> Result<usize, Errno>) -> Result<Image, Errno> {
        let mut image = Image::default();
        let count = self.word(0, &fetch)?;
        let mut at = WORD;
        for _ in 0..count {
            let pointer = self.word(at, &fetch)?;
            image.argv.push(self.string(pointer, &fetch)?);
            at += WORD;
        }
        if self.word(at, &fetch)? != 0 {
            return Err(Errno::EINVAL);
        }
        at += WORD;
        loop {
            let pointer = self.word(at, &fetch)?;
            at += WORD;
            if pointer == 0 {
                break;
            }
            image.env.push(self.string(pointer, &fetch)?);
        }
        loop {
            let (key, value) = (self.word(at, &fetch)?, self.word(at + WORD, &fetch)?);
            at += 2 * WORD;
            match key {
                0 => return Ok(image),
                AT_EXECFN => image.execfn = self.string(value, &fetch)?,
                AT_EUID => image.uid = u32::try_from(value).map_err(|_| Errno::EINVAL)?,
                _ => {}
            }
        }
    }

    fn word(
        &mut self,
        at: usize,
        fetch: &impl Fn(u64, &mut [u8]) -> Result<usize, Errno>,
    ) -> Result<u64, Errno> {
        loop {
            if let Some(word) = self.bytes.get(at..).and_then(|rest| rest.first_chunk()) {
                return Ok(u64::from_ne_bytes(*word));
            }
            self.more(fetch)?;
        }
    }

    fn string(
        &mut self,
        pointer: u64,
        fetch: &impl Fn(u64, &mut [u8]) -> Result<usize, Errno>,
    ) -> Result<Vec<u8>, Errno> {
        let at = pointer.checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        let at = at.filter(|at| *at < STACK_MAX).ok_or(Errno::EINVAL)?;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            if let Some(end) = memchr::memchr(0, rest) {
                return Ok(rest.get(..end).unwrap_or_default().to_vec());
            }
            self.more(fetch)?;
        }
    }

    fn more(&mut self, fetch: &impl Fn(u64, &mut [u8]) -> Result<usize, Errno>) -> Result<(), Errno> {
        let old = self.bytes.len();
        if self.whole || old >= STACK_MAX {
            return Err(Errno::EINVAL);
        }
        self.bytes.resize((old * 4).clamp(FIRST_READ, old + process_vm::MOST), 0);
        let at = self.base.checked_add(old as u64).ok_or(Errno::EFAULT)?;
        let fresh = self.bytes.get_mut(old..).unwrap_or_default();
        let wanted = fresh.len();
        let read = match fetch(at, fresh) {
            Ok(read) => read,
            Err(Errno::EFAULT) => 0,
            Err(e) => return Err(e),
        };
        // The stack's end is the end of what is mapped.
        self.whole = read < wanted;
        self.bytes.truncate(old + read);
        if read == 0 { Err(Errno::EFAULT) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: u64 = 0x7ffd_0000_0000;

    /// Lays a stack out as the kernel does.
    fn built(argv: &[Vec<u8>], env: &[Vec<u8>], execfn: &[u8]) -> Vec<u8> {
        let words = 1 + argv.len() + 1 + env.len() + 1 + 6;
        let (mut pointers, mut strings) = (Vec::new(), Vec::new());
        let mut place = |text: &[u8]| {
            let at = BASE + (words * WORD + strings.len()) as u64;
            strings.extend_from_slice(text);
            strings.push(0);
            at
        };
        pointers.push(argv.len() as u64);
        pointers.extend(argv.iter().map(|text| place(text)));
        pointers.push(0);
        pointers.extend(env.iter().map(|text| place(text)));
        pointers.push(0);
        let execfn = place(execfn);
        pointers.extend([AT_EUID, 1000, AT_EXECFN, execfn, 0, 0]);
        pointers.iter().flat_map(|word| word.to_ne_bytes()).chain(strings).collect()
    }

    fn parse(memory: &[u8]) -> Result<Image, Errno> {
        let fetch = |at: u64, buffer: &mut [u8]| {
            let rest =
                memory.get((at - BASE) as usize..).filter(|rest| !rest.is_empty()).ok_or(Errno::EFAULT)?;
            let len = rest.len().min(buffer.len());
            buffer[..len].copy_from_slice(&rest[..len]);
            Ok(len)
        };
        Stack { base: BASE, bytes: Vec::new(), whole: false }.parse(fetch)
    }

    fn texts(most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(1u8.., 0..most), 0..20)
    }

    proptest! {
        #[test]
        fn what_the_kernel_lays_out_is_read_back(argv in texts(2000), env in texts(2000), execfn in prop::collection::vec(1u8.., 0..60)) {
            let image = parse(&built(&argv, &env, &execfn)).expect("well built");
            prop_assert_eq!(image, Image { argv, env, execfn, uid: 1000 });
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
        }
    }
}
