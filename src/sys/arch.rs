//! What is true of x86-64 alone: how the kernel names the architecture of a call, the numbers of calls that libc
//! does not list for every table, and where a new program's stack is. Another architecture is another such file.

/// AUDIT_ARCH_X86_64 of linux/audit.h: what seccomp(2) says of a call made in the native table.
pub(crate) const AUDIT_ARCH: u32 = 0xC000_003E;

/// The bit in a call's number that selects the x32 table, whose architecture is the native one.
pub(crate) const X32_BIT: u32 = 0x4000_0000;

/// AUDIT_ARCH_I386: `int 0x80`, and 32-bit programs.
const AUDIT_ARCH_I386: u32 = 0x4000_0003;

/// A call as seccomp_data names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Execve,
    Execveat,
    /// Made through a table that is closed. `exec`: where the path is among its arguments, if it is an exec.
    Foreign {
        table: &'static str,
        exec: Option<usize>,
    },
    Other,
}

impl Call {
    /// `arch` and `nr` of a seccomp_data (seccomp(2)).
    pub(crate) fn of(arch: u32, nr: i32) -> Self {
        // The number is what the caller put into a register: its bits, not its value, say which table is meant.
        let bits = nr.cast_unsigned();
        match arch {
            AUDIT_ARCH if bits & X32_BIT != 0 => Self::Foreign {
                table: "x32",
                // arch/x86/entry/syscalls/syscall_64.tbl: x32 execve and execveat; the native ones work there too.
                exec: match bits & !X32_BIT {
                    520 | 59 => Some(0),
                    545 | 322 => Some(1),
                    _ => None,
                },
            },
            AUDIT_ARCH => match i64::from(nr) {
                libc::SYS_execve => Self::Execve,
                libc::SYS_execveat => Self::Execveat,
                _ => Self::Other,
            },
            AUDIT_ARCH_I386 => Self::Foreign {
                table: "i386",
                // arch/x86/entry/syscalls/syscall_32.tbl
                exec: match nr {
                    11 => Some(0),
                    358 => Some(1),
                    _ => None,
                },
            },
            _ => Self::Foreign { table: "unknown", exec: None },
        }
    }
}

/// The stack pointer among a stopped task's registers.
pub(crate) fn stack_pointer(registers: &libc::user_regs_struct) -> u64 {
    registers.rsp
}

/// Where it would go on.
pub(crate) fn instruction_pointer(registers: &libc::user_regs_struct) -> u64 {
    registers.rip
}

/// Machine code of `exit_group(code)`, in words as memory has them; behind it an instruction that there is none of.
pub(crate) fn exit_group(code: u8) -> [u64; 2] {
    // mov edi, code; mov eax, 231; syscall; ud2; ud2
    let bytes = [0xbf, code, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b, 0x0f, 0x0b];
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    [u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes(rest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exec_of_every_table_is_known() {
        assert_eq!(Call::of(AUDIT_ARCH, 59), Call::Execve);
        assert_eq!(Call::of(AUDIT_ARCH, 322), Call::Execveat);
        assert_eq!(Call::of(AUDIT_ARCH, 0x4000_0000 | 520), Call::Foreign { table: "x32", exec: Some(0) });
        assert_eq!(Call::of(AUDIT_ARCH, 0x4000_0000 | 545), Call::Foreign { table: "x32", exec: Some(1) });
        assert_eq!(Call::of(AUDIT_ARCH_I386, 11), Call::Foreign { table: "i386", exec: Some(0) });
        assert_eq!(Call::of(AUDIT_ARCH_I386, 358), Call::Foreign { table: "i386", exec: Some(1) });
        assert_eq!(Call::of(AUDIT_ARCH_I386, 59), Call::Foreign { table: "i386", exec: None });
        assert_eq!(Call::of(0x1234, 59), Call::Foreign { table: "unknown", exec: None });
        assert_eq!(Call::of(AUDIT_ARCH, -1), Call::Foreign { table: "x32", exec: None });
    }
}
