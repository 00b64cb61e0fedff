use proptest::prelude::*;

use super::*;

const I386: u32 = 0x4000_0003;
const EPERM: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
const ASK: u32 = libc::SECCOMP_RET_USER_NOTIF;
const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// What the kernel would do: the few instructions of classic BPF that the filter uses.
fn run(program: &[Instruction], arch: u32, nr: u32, args: [u64; 6]) -> u32 {
    let mut data = Vec::new();
    data.extend(nr.to_le_bytes());
    data.extend(arch.to_le_bytes());
    data.extend([0; 8]);
    args.iter().for_each(|arg| data.extend(arg.to_le_bytes()));
    let (mut at, mut a) = (0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        match u32::from(code) {
            0x20 => a = u32::from_le_bytes(data[k as usize..][..4].try_into().expect("four bytes")),
            0x15 => at += usize::from(if a == k { jt } else { jf }),
            0x45 => at += usize::from(if a & k != 0 { jt } else { jf }),
            0x06 => return k,
            other => panic!("no such instruction here: {other:#x}"),
        }
    }
}

fn native(debugging: bool, nr: libc::c_long, args: &[u64]) -> u32 {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    run(&program(debugging), AUDIT_ARCH, nr as u32, all)
}

#[test]
fn what_each_call_gets() {
    let high = 0xdead_beef_0000_0000;
    for (nr, args, expected) in [
        (libc::SYS_execve, &[][..], ASK),
        (libc::SYS_execveat, &[], ASK),
        (libc::SYS_read, &[], ALLOW),
        (libc::SYS_openat, &[0, 0, 0, 0o4755], ALLOW),
        (libc::SYS_openat, &[0, 0, libc::O_CREAT as u64, 0o755], ALLOW),
        (libc::SYS_openat, &[0, 0, libc::O_CREAT as u64, 0o4755], EPERM),
        (libc::SYS_openat, &[0, 0, high | libc::O_CREAT as u64, high | 0o2755], EPERM),
        (libc::SYS_openat, &[0, 0, libc::O_TMPFILE as u64, 0o4755], EPERM),
        (libc::SYS_openat, &[0, 0, libc::O_DIRECTORY as u64, 0o4755], ALLOW),
        (libc::SYS_open, &[0, libc::O_CREAT as u64, 0o6755], EPERM),
        (libc::SYS_openat2, &[], ENOSYS),
        (libc::SYS_creat, &[0, 0o4755], EPERM),
        (libc::SYS_chmod, &[0, 0o1777], ALLOW),
        (libc::SYS_chmod, &[0, 0o4755], EPERM),
        (libc::SYS_fchmod, &[0, 0o2755], EPERM),
        (libc::SYS_fchmodat, &[0, 0, 0o4755], EPERM),
        (SYS_FCHMODAT2, &[0, 0, 0o4755], EPERM),
        (libc::SYS_mkdir, &[0, 0o2755], EPERM),
        (libc::SYS_mkdirat, &[0, 0, 0o2755], EPERM),
        (libc::SYS_mknod, &[0, 0o4755], EPERM),
        (libc::SYS_mknodat, &[0, 0, 0o4755], EPERM),
        (libc::SYS_prlimit64, &[0, 7], ALLOW),
        (libc::SYS_prlimit64, &[high, 7], ALLOW),
        (libc::SYS_prlimit64, &[12, 7], EPERM),
        (libc::SYS_seccomp, &[1, 0], ALLOW),
        (libc::SYS_seccomp, &[1, 8], EPERM),
        (libc::SYS_seccomp, &[high | 1, high | 9], EPERM),
        (libc::SYS_seccomp, &[2, 8], ALLOW),
        (libc::SYS_ioctl, &[0, 0x5412], EPERM),
        (libc::SYS_ioctl, &[0, 0x541c], EPERM),
        (libc::SYS_ioctl, &[0, 0x5413], ALLOW),
        (libc::SYS_io_uring_setup, &[], EPERM),
        (libc::SYS_process_vm_writev, &[], EPERM),
        (libc::SYS_process_vm_readv, &[], ALLOW),
        (libc::SYS_pidfd_getfd, &[], EPERM),
    ] {
        assert_eq!(native(false, nr, args), expected, "call {nr} with {args:x?}");
        assert_eq!(native(true, nr, args), expected, "call {nr} with {args:x?}, debugging");
    }
    assert_eq!(native(false, libc::SYS_ptrace, &[]), EPERM);
    assert_eq!(native(true, libc::SYS_ptrace, &[]), ALLOW);
}

/// What the shim still does after the filter is up.
#[test]
fn the_shim_is_not_trapped_by_its_own_filter() {
    for nr in [
        libc::SYS_write,
        libc::SYS_close,
        libc::SYS_brk,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_exit_group,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_fcntl,
    ] {
        assert_eq!(native(false, nr, &[]), ALLOW);
    }
}

proptest! {
    #[test]
    fn no_arguments_hide_an_exec(args: [u64; 6], debugging: bool) {
        let program = program(debugging);
        prop_assert_eq!(run(&program, AUDIT_ARCH, 59, args), ASK);
        prop_assert_eq!(run(&program, AUDIT_ARCH, 322, args), ASK);
    }

    #[test]
    fn every_foreign_call_goes_to_the_gate(arch: u32, nr: u32, args: [u64; 6]) {
        let program = program(false);
        prop_assert_eq!(run(&program, I386, nr, args), ASK);
        prop_assert_eq!(run(&program, AUDIT_ARCH, nr | X32_BIT, args), ASK);
        if arch != AUDIT_ARCH {
            prop_assert_eq!(run(&program, arch, nr, args), ASK);
        }
    }
}
