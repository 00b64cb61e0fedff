/* Tries to get out, from inside. Each try says what came of it: `refused NAME (why)` or `DONE NAME`.
 *
 *   escape all             everything below, each in a process of its own
 *   escape NAME
 *
 * It does nothing where there is no /.creel/creel: outside of a sandbox these would do harm.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/quota.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

extern char **environ;

/* A try: 0 if it came through, -1 with errno if not. */
typedef long (*attempt)(void);

static const char *const argv_true[] = {"/usr/bin/true", NULL};

/* --- calls through other tables. The strings lie below 4 GiB, as those tables' pointers do. */

static void *low(void) {
    return mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static long int80(long nr, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    if ((int)result < 0) {
        errno = -(int)result;
        return -1;
    }
    return 0;
}

static long i386_execve(void) {
    char *text = low();
    strcpy(text, "/usr/bin/true");
    unsigned *argv = (unsigned *)(text + 64);
    argv[0] = (unsigned)(unsigned long)text;
    argv[1] = 0;
    return int80(11, (long)text, (long)argv, 0);
}
static long i386_execveat(void) {
    char *text = low();
    strcpy(text, "/usr/bin/true");
    return int80(358, AT_FDCWD, (long)text, 0);
}
static long i386_getpid(void) { return int80(20, 0, 0, 0); }
static long i386_ptrace(void) { return int80(26, PTRACE_TRACEME, 0, 0); }
static long x32_execve(void) { return syscall(0x40000000 | 520, argv_true[0], argv_true, environ); }
static long x32_native_number(void) { return syscall(0x40000000 | SYS_execve, argv_true[0], argv_true, environ); }
static long x32_getpid(void) { return syscall(0x40000000 | SYS_getpid); }

/* --- rings, and other processes */

static long uring_setup(void) {
    struct io_uring_params params = {0};
    return syscall(SYS_io_uring_setup, 8, &params);
}
static long uring_enter(void) { return syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0); }
static long uring_register(void) { return syscall(SYS_io_uring_register, 0, 0, NULL, 0); }

static pid_t sibling(void) {
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    usleep(10000);
    return child;
}
static long ptrace_attach(void) { return ptrace(PTRACE_ATTACH, sibling(), NULL, NULL); }
static long ptrace_seize(void) { return ptrace(PTRACE_SEIZE, sibling(), NULL, NULL); }
static long ptrace_traceme(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long ptrace_gate(void) { return ptrace(PTRACE_SEIZE, 1, NULL, NULL); }

static char victim[8] = "before";

static long mem_of(pid_t pid, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int fd = open(path, flags);
    if (fd < 0) return -1;
    return pwrite(fd, "after", 6, (off_t)(long)victim) == 6 ? 0 : -1;
}
static long mem_of_sibling(void) { return mem_of(sibling(), O_RDWR); }
static long mem_of_self(void) { return mem_of(getpid(), O_WRONLY); }
static long mem_of_gate(void) { return mem_of(1, O_RDWR); }
static long writev_to_sibling(void) {
    struct iovec ours = {"after", 6}, theirs = {victim, 6};
    return process_vm_writev(sibling(), &ours, 1, &theirs, 1, 0) == 6 ? 0 : -1;
}
static long getfd_of_sibling(void) {
    int fd = syscall(SYS_pidfd_open, sibling(), 0);
    return syscall(SYS_pidfd_getfd, fd, 0, 0);
}
static long getfd_of_gate(void) {
    int fd = syscall(SYS_pidfd_open, 1, 0);
    return syscall(SYS_pidfd_getfd, fd, 3, 0);
}

/* --- the gate: PID 1 */

static long kill_gate(void) { return kill(1, SIGKILL); }
static long stop_gate(void) { return kill(1, SIGSTOP); }
static long term_gate(void) { return kill(1, SIGTERM); }
static long tgkill_gate(void) { return syscall(SYS_tgkill, 1, 1, SIGKILL); }
static long sigqueue_gate(void) { return sigqueue(1, SIGUSR1, (union sigval){0}); }
static long limit_gate(void) {
    struct rlimit none = {0, 0};
    return prlimit(1, RLIMIT_NOFILE, &none, NULL);
}
static long limit_sibling(void) {
    struct rlimit none = {0, 0};
    return prlimit(sibling(), RLIMIT_NOFILE, &none, NULL);
}
static long raise_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max = limit.rlim_max + 1;
    return setrlimit(RLIMIT_NOFILE, &limit);
}
static long core_files(void) {
    struct rlimit limit = {1 << 20, 1 << 20};
    return setrlimit(RLIMIT_CORE, &limit);
}
static long affinity_of_gate(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    return sched_setaffinity(1, sizeof one, &one);
}
static long priority_of_gate(void) { return setpriority(PRIO_PROCESS, 1, 19); }
static long schedule_of_gate(void) {
    struct sched_param param = {0};
    return sched_setscheduler(1, SCHED_IDLE, &param);
}
static long gates_root(void) { return open("/proc/1/root/.", O_RDONLY); }
static long gates_environment(void) { return open("/proc/1/environ", O_RDONLY); }
static long gates_descriptors(void) { return open("/proc/1/fd", O_RDONLY | O_DIRECTORY) < 0 ? -1 : readlink("/proc/1/fd/0", victim, 8); }
static long gates_oom(void) {
    int fd = open("/proc/1/oom_score_adj", O_WRONLY);
    return fd < 0 ? -1 : write(fd, "1000", 4);
}
static long gates_namespace(void) {
    int fd = open("/proc/1/ns/mnt", O_RDONLY);
    return fd < 0 ? -1 : setns(fd, CLONE_NEWNS);
}
static long control_socket(void) { return access("/.creel/run/control.sock", F_OK); }
static long read_binary(void) { return open("/.creel/creel", O_RDONLY); }
static long write_binary(void) { return open("/.creel/creel", O_WRONLY); }

static long abstract_sockets(void) {
    /* Those of the gate's network namespace, which is ours too. */
    FILE *table = fopen("/proc/net/unix", "r");
    char line[512];
    while (table && fgets(line, sizeof line, table)) {
        if (strchr(line, '@')) return 0;
    }
    errno = ENOENT;
    return -1;
}

/* --- filters of its own */

static long own_filter(unsigned action, unsigned flags) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
static long second_listener(void) { return own_filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER); }
static long filter_that_notifies_nobody(void) {
    if (own_filter(SECCOMP_RET_USER_NOTIF, 0)) return -1;
    return execv(argv_true[0], (char **)argv_true);
}

/* --- namespaces and mounts */

static long unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long unshare_pid(void) { return unshare(CLONE_NEWPID); }
static long unshare_net(void) { return unshare(CLONE_NEWNET); }
static long clone_user(void) {
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    return child < 0 ? -1 : 0;
}
static long clone3_user(void) {
    struct { unsigned long flags, a, b, c, signal, d, e, f; } args = {.flags = CLONE_NEWUSER, .signal = SIGCHLD};
    long child = syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) _exit(0);
    return child < 0 ? -1 : 0;
}
static long mount_tmpfs(void) { return mount("none", "/tmp", "tmpfs", 0, NULL); }
static long mount_bind(void) { return mount("/workspace", "/tmp", NULL, MS_BIND, NULL); }
static long mount_proc(void) { return mount("proc", "/tmp", "proc", 0, NULL); }
static long remount_root(void) { return mount(NULL, "/", NULL, MS_REMOUNT, NULL); }
static long unmount_proc(void) { return umount2("/proc/sys", MNT_DETACH); }
static long new_mount(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long tree_of_mounts(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */); }
static long change_root(void) { return chroot("/tmp"); }
static long turn_root(void) { return syscall(SYS_pivot_root, "/tmp", "/tmp"); }
static long by_handle(void) {
    struct { struct file_handle head; char bytes[8]; } handle = {.head = {.handle_bytes = 8, .handle_type = 1}, .bytes = {2}};
    int dir = open("/workspace", O_RDONLY | O_DIRECTORY);
    return open_by_handle_at(dir, &handle.head, O_RDONLY);
}

/* --- rights of others */

static long setuid_root(void) { return getuid() == 0 ? (errno = EPERM, -1) : setuid(0); }
static int made(void) { return open("/tmp/made", O_CREAT | O_RDWR, 0755); }
static long setuid_chmod(void) { close(made()); return chmod("/tmp/made", 04755); }
static long setuid_fchmod(void) { return fchmod(made(), 02755); }
static long setuid_fchmodat2(void) { close(made()); return syscall(452, AT_FDCWD, "/tmp/made", 04755, 0); }
static long setuid_open(void) { return open("/tmp/made2", O_CREAT | O_WRONLY, 04755); }
static long setuid_openat2(void) {
    struct { unsigned long flags, mode, resolve; } how = {O_CREAT | O_WRONLY, 04755, 0};
    return syscall(SYS_openat2, AT_FDCWD, "/tmp/made3", &how, sizeof how);
}
static long setuid_mknod(void) { return mknod("/tmp/made4", S_IFREG | 04755, 0); }
static long file_capability(void) {
    close(made());
    unsigned value[5] = {0x02000001, 0xffffffff, 0, 0xffffffff, 0};
    return setxattr("/tmp/made", "security.capability", value, sizeof value, 0);
}
static long device(void) { return mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)); }
static long become_privileged(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0); }

/* --- the network */

static long raw_socket(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static long packet_socket(void) { return socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)); }
static long vsock(void) {
    int fd = socket(40 /* AF_VSOCK */, SOCK_STREAM, 0);
    struct { unsigned short family, reserved; unsigned port, cid; char zero[4]; } host = {40, 0, 22, 2, {0}};
    return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&host, sizeof host);
}
static long route(void) {
    /* 192.0.2.1 is for documentation: nobody has it. */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443), .sin_addr = {htonl(0xC0000201)}};
    return connect(fd, (struct sockaddr *)&to, sizeof to);
}

/* --- the kernel's own switches */

static long write_to(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    if (fd < 0) return -1;
    return write(fd, text, strlen(text)) < 0 ? -1 : 0;
}
static long sysrq(void) { return write_to("/proc/sysrq-trigger", "s"); }
static long core_pattern(void) { return write_to("/proc/sys/kernel/core_pattern", "|/tmp/x"); }
static long modprobe(void) { return write_to("/proc/sys/kernel/modprobe", "/tmp/x"); }
static long ptrace_scope(void) { return write_to("/proc/sys/kernel/randomize_va_space", "0"); }
static long release_agent(void) {
    if (!write_to("/sys/fs/cgroup/release_agent", "/tmp/x")) return 0;
    if (!write_to("/sys/fs/cgroup/memory/release_agent", "/tmp/x")) return 0;
    return mount("cgroup", "/tmp", "cgroup", 0, "memory");
}
static long own_cgroup(void) {
    if (!write_to("/sys/fs/cgroup/memory/memory.limit_in_bytes", "-1")) return 0;
    return write_to("/sys/fs/cgroup/memory.max", "max");
}
static long uevent_helper(void) { return write_to("/sys/kernel/uevent_helper", "/tmp/x"); }
static long write_root(void) { return open("/escaped", O_CREAT | O_WRONLY, 0644); }
static long write_usr(void) { return open("/usr/bin/escaped", O_CREAT | O_WRONLY, 0644); }
static long write_etc(void) { return open("/etc/passwd", O_WRONLY | O_APPEND); }
static long kernel_memory(void) { return open("/dev/mem", O_RDONLY) < 0 ? open("/proc/kcore", O_RDONLY) : 0; }
static long module(void) { return syscall(SYS_init_module, victim, 8, ""); }
static long module_file(void) { return syscall(SYS_finit_module, 0, "", 0); }
static long kexec(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long restart(void) { return reboot(RB_AUTOBOOT); }
static long swap_on(void) { return swapon("/tmp/made", 0); }
static long account(void) { return acct("/tmp/made"); }
static long quota(void) { return quotactl(QCMD(Q_QUOTAON, USRQUOTA), "/dev/vda", 0, NULL); }
static long clock_set(void) {
    struct timeval now = {0, 0};
    return settimeofday(&now, NULL);
}
static long host_name(void) { return sethostname("escaped", 7); }
static long ports(void) { return syscall(SYS_iopl, 3); }
static long bpf_program(void) {
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}
static long perf_events(void) {
    char attr[128] = {0};
    return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
}
static long fault_handler(void) { return syscall(SYS_userfaultfd, 0); }
static long keys(void) { return syscall(SYS_add_key, "user", "k", "v", 1, -3); }
static long watch_all(void) { return fanotify_init(FAN_CLASS_CONTENT, O_RDONLY); }
static long kernel_log(void) { return syscall(SYS_syslog, 3, victim, 8); }
static long type_into_terminal(void) {
    int pty = posix_openpt(O_RDWR | O_NOCTTY);
    return ioctl(pty, TIOCSTI, "x");
}

#define TRY(name) {#name, name}
static const struct { const char *name; attempt try; } tries[] = {
    TRY(i386_execve), TRY(i386_execveat), TRY(i386_getpid), TRY(i386_ptrace), TRY(x32_execve), TRY(x32_native_number),
    TRY(x32_getpid), TRY(uring_setup), TRY(uring_enter), TRY(uring_register), TRY(ptrace_attach), TRY(ptrace_seize),
    TRY(ptrace_traceme), TRY(ptrace_gate), TRY(mem_of_sibling), TRY(mem_of_self), TRY(mem_of_gate),
    TRY(writev_to_sibling), TRY(getfd_of_sibling), TRY(getfd_of_gate), TRY(kill_gate), TRY(stop_gate), TRY(term_gate),
    TRY(tgkill_gate), TRY(sigqueue_gate), TRY(limit_gate), TRY(limit_sibling), TRY(raise_limit), TRY(core_files),
    TRY(affinity_of_gate), TRY(priority_of_gate), TRY(schedule_of_gate), TRY(gates_root), TRY(gates_environment),
    TRY(gates_descriptors), TRY(gates_oom), TRY(gates_namespace), TRY(control_socket), TRY(read_binary),
    TRY(write_binary), TRY(abstract_sockets), TRY(second_listener), TRY(filter_that_notifies_nobody),
    TRY(unshare_user), TRY(unshare_mount), TRY(unshare_pid), TRY(unshare_net), TRY(clone_user), TRY(clone3_user),
    TRY(mount_tmpfs), TRY(mount_bind), TRY(mount_proc), TRY(remount_root), TRY(unmount_proc), TRY(new_mount),
    TRY(tree_of_mounts), TRY(change_root), TRY(turn_root), TRY(by_handle), TRY(setuid_root), TRY(setuid_chmod),
    TRY(setuid_fchmod), TRY(setuid_fchmodat2), TRY(setuid_open), TRY(setuid_openat2), TRY(setuid_mknod),
    TRY(file_capability), TRY(device), TRY(become_privileged), TRY(raw_socket), TRY(packet_socket), TRY(vsock),
    TRY(route), TRY(sysrq), TRY(core_pattern), TRY(modprobe), TRY(ptrace_scope), TRY(release_agent), TRY(own_cgroup),
    TRY(uevent_helper), TRY(write_root), TRY(write_usr), TRY(write_etc), TRY(kernel_memory), TRY(module),
    TRY(module_file), TRY(kexec), TRY(restart), TRY(swap_on), TRY(account), TRY(quota), TRY(clock_set),
    TRY(host_name), TRY(ports), TRY(bpf_program), TRY(perf_events), TRY(fault_handler), TRY(keys), TRY(watch_all),
    TRY(kernel_log), TRY(type_into_terminal),
};
#define TRIES (sizeof tries / sizeof *tries)

static int one(size_t at) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        errno = 0;
        /* An exec that comes through never returns here, and `true` ends with 0. */
        long result = tries[at].try();
        int error = errno;
        if (result < 0) {
            printf("refused %s (%s)\n", tries[at].name, strerror(error));
            fflush(stdout);
            _exit(1);
        }
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    kill(-child, SIGKILL);
    while (waitpid(-child, NULL, 0) > 0) {}
    int done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (done) printf("DONE %s\n", tries[at].name);
    else if (!WIFEXITED(status)) printf("refused %s (signal %d)\n", tries[at].name, WTERMSIG(status));
    fflush(stdout);
    return done;
}

int main(int count, char **args) {
    struct stat marker;
    if (stat("/.creel/creel", &marker) && !getenv("ESCAPE_IN_A_THROW_AWAY_CONTAINER")) {
        fprintf(stderr, "escape: not in a sandbox: nothing is tried\n");
        return 125;
    }
    int done = 0;
    for (size_t at = 0; at < TRIES; at++) {
        if (count > 1 && (!strcmp(args[1], "all") || !strcmp(args[1], tries[at].name))) done += one(at);
    }
    printf("of %zu ways out, %d came through\n", TRIES, done);
    return done != 0;
}
