//! The system call filter: what is brought before the gate, and what is closed beyond what Docker's own profile
//! closes. The table is the policy; below it is its translation for the kernel (seccomp(2), linux/filter.h).

use nix::errno::Errno;

use super::filter::Then::{Ask, Fail};
use super::filter::When::{HasAny, Is};
use crate::sys::arch::{AUDIT_ARCH, X32_BIT};
use crate::sys::seccomp::Instruction;

/// A row of the table: the call, what must hold of its arguments (all of it), and what is done then.
struct Rule {
    call: libc::c_long,
    when: &'static [When],
    then: Then,
}

/// A test of one argument, of which the kernel takes the low 32 bits, as all that are tested here are ints.
#[derive(Clone, Copy)]
enum When {
    /// Argument number, bits of which at least one is set.
    HasAny(usize, u32),
    Is(usize, u32),
}

#[derive(Clone, Copy)]
enum Then {
    /// The gate decides.
    Ask,
    Fail(Errno),
}

const fn rule(call: libc::c_long, when: &'static [When], then: Then) -> Rule {
    Rule { call, when, then }
}

const fn never(call: libc::c_long) -> Rule {
    rule(call, &[], Fail(Errno::EPERM))
}

/// set-user-id and set-group-id: a file that has them is made for someone who gains by running it.
const SET_ID: u32 = libc::S_ISUID | libc::S_ISGID;
/// open(2) looks at the mode only where it may make a file; O_TMPFILE without the O_DIRECTORY in it.
const MAKES_FILE: u32 = (libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u32;
const ANY: u32 = u32::MAX;
/// linux/tty.h: commands to the console.
const TIOCLINUX: u32 = 0x541C;
const SYS_FCHMODAT2: libc::c_long = 452;

const ALWAYS: &[Rule] = &[
    rule(libc::SYS_execve, &[], Ask),
    rule(libc::SYS_execveat, &[], Ask),
    // Calls made through a ring are seen by no filter.
    never(libc::SYS_io_uring_setup),
    never(libc::SYS_io_uring_enter),
    never(libc::SYS_io_uring_register),
    // Another process, changed after it was checked, or robbed of its descriptors.
    never(libc::SYS_process_vm_writev),
    never(libc::SYS_pidfd_getfd),
    // A listener of the workload's own would answer in the gate's place.
    rule(
        libc::SYS_seccomp,
        &[Is(0, libc::SECCOMP_SET_MODE_FILTER), HasAny(1, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER as u32)],
        Fail(Errno::EPERM),
    ),
    // Limits of another process: the kernel asks for equal user ids alone.
    rule(libc::SYS_prlimit64, &[HasAny(0, ANY)], Fail(Errno::EPERM)),
    // Typing into a terminal that someone else reads.
    rule(libc::SYS_ioctl, &[Is(1, libc::TIOCSTI as u32)], Fail(Errno::EPERM)),
    rule(libc::SYS_ioctl, &[Is(1, TIOCLINUX)], Fail(Errno::EPERM)),
    // Files with set-id bits, in every way that a mode is given (systemd.exec(5), RestrictSUIDSGID=).
    rule(libc::SYS_chmod, &[HasAny(1, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_fchmod, &[HasAny(1, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_fchmodat, &[HasAny(2, SET_ID)], Fail(Errno::EPERM)),
    rule(SYS_FCHMODAT2, &[HasAny(2, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_mkdir, &[HasAny(1, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_mkdirat, &[HasAny(2, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_mknod, &[HasAny(1, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_mknodat, &[HasAny(2, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_creat, &[HasAny(1, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_open, &[HasAny(1, MAKES_FILE), HasAny(2, SET_ID)], Fail(Errno::EPERM)),
    rule(libc::SYS_openat, &[HasAny(2, MAKES_FILE), HasAny(3, SET_ID)], Fail(Errno::EPERM)),
    // Its mode is in memory, where no filter looks: programs that know it fall back to openat.
    rule(libc::SYS_openat2, &[], Fail(Errno::ENOSYS)),
];

/// Closed unless the policy says `debugging = true`.
const WITHOUT_DEBUGGING: &[Rule] = &[never(libc::SYS_ptrace)];

/// The whole filter. Calls through another table than the native one go to the gate, which records and refuses them.
pub(super) fn program(debugging: bool) -> Vec<Instruction> {
    let mut program = vec![
        load(ARCH),
        jump(EQUAL, AUDIT_ARCH, 1, 0),
        answer(libc::SECCOMP_RET_USER_NOTIF),
        load(NR),
        jump(HAS_ANY, X32_BIT, 0, 1),
        answer(libc::SECCOMP_RET_USER_NOTIF),
    ];
    let more = if debugging { &[][..] } else { WITHOUT_DEBUGGING };
    for rule in ALWAYS.iter().chain(more) {
        translate(rule, &mut program);
    }
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    program
}

fn translate(rule: &Rule, program: &mut Vec<Instruction>) {
    // Two for each test, one for the answer.
    let mut left = u8::try_from(rule.when.len() * 2 + 1).unwrap_or(u8::MAX);
    program.push(load(NR));
    program.push(jump(EQUAL, u32::try_from(rule.call).unwrap_or(u32::MAX), 0, left));
    for when in rule.when {
        left -= 2;
        let (arg, comparison, value) = match *when {
            HasAny(arg, bits) => (arg, HAS_ANY, bits),
            Is(arg, value) => (arg, EQUAL, value),
        };
        program.push(load(arg_low(arg)));
        program.push(jump(comparison, value, 0, left));
    }
    program.push(answer(match rule.then {
        Ask => libc::SECCOMP_RET_USER_NOTIF,
        Fail(errno) => libc::SECCOMP_RET_ERRNO | (errno as u32 & libc::SECCOMP_RET_DATA),
    }));
}

/// Offsets in seccomp_data.
const NR: u32 = 0;
const ARCH: u32 = 4;

/// Little-endian: the low half of a 64-bit argument comes first.
const fn arg_low(arg: usize) -> u32 {
    16 + 8 * arg as u32
}

const EQUAL: u32 = libc::BPF_JEQ;
const HAS_ANY: u32 = libc::BPF_JSET;

fn load(offset: u32) -> Instruction {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

/// Skips `yes` or `no` instructions.
fn jump(comparison: u32, value: u32, yes: u8, no: u8) -> Instruction {
    instruction(libc::BPF_JMP | comparison | libc::BPF_K, value, yes, no)
}

fn answer(action: u32) -> Instruction {
    instruction(libc::BPF_RET | libc::BPF_K, action, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> Instruction {
    // Every code of classic BPF fits in 16 bits.
    Instruction { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests;
