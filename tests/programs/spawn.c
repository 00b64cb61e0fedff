/* Starts programs in the ways that programs start programs.
 *
 *   spawn many TOTAL PROCESSES    execs of `spawn noop`, from so many processes at once
 *   spawn threads ROUNDS          threads of one process that exec, fail to exec and die at the same time
 *   spawn signals ROUNDS US       execs that signals of a timer hit, so many microseconds apart
 *   spawn fill MS                 execs with long arguments until one takes longer, then shows that a vfork parent is not
 *   spawn second                  an exec by a thread that is not the leader
 *   spawn traced                  an exec by a process that its parent traces
 *   spawn memfd                   a program that is in no folder
 *   spawn search                  looks for a program in ten folders, as execvp does
 *   spawn noop [ANYTHING]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *self = "/programs/spawn";
extern char **environ;

static void die(const char *what) {
    perror(what);
    _exit(1);
}

static int finished(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) die("waitpid");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int many(int total, int processes) {
    for (int p = 0; p < processes; p++) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child > 0) continue;
        for (int n = 0; n < total / processes; n++) {
            char mark[32];
            snprintf(mark, sizeof mark, "%d.%d", p, n);
            char *argv[] = {"spawn", "noop", mark, NULL};
            pid_t spawned;
            int error = posix_spawn(&spawned, self, NULL, NULL, argv, environ);
            if (error) {
                fprintf(stderr, "spawn %s: %s\n", mark, strerror(error));
                _exit(1);
            }
            if (finished(spawned)) _exit(2);
        }
        _exit(0);
    }
    int failed = 0;
    for (int p = 0; p < processes; p++) {
        int status;
        if (wait(&status) < 0) die("wait");
        failed |= status;
    }
    return failed != 0;
}

static void *dies(void *nothing) { return nothing; }

static void *fails(void *nothing) {
    char *argv[] = {"nothing", NULL};
    for (int n = 0; n < 3; n++) execv("/nonexistent/program", argv);
    execv("/programs", argv);
    return nothing;
}

static void *succeeds(void *nothing) {
    char *argv[] = {"spawn", "noop", "thread", NULL};
    execv(self, argv);
    return nothing;
}

static int threads(int rounds) {
    for (int n = 0; n < rounds; n++) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            void *(*roles[])(void *) = {fails, dies, succeeds, fails, succeeds, dies};
            pthread_t thread;
            for (size_t at = 0; at < sizeof roles / sizeof *roles; at++) {
                pthread_create(&thread, NULL, roles[at], NULL);
            }
            /* The leader dies alone in every third round; in another it execs too. */
            if (n % 3 == 0) pthread_exit(NULL);
            if (n % 3 == 1) succeeds(NULL);
            pause();
        }
        int code = finished(child);
        if (code) {
            fprintf(stderr, "round %d ended with %d\n", n, code);
            return 1;
        }
    }
    return 0;
}

static void ignored(int signal) { (void)signal; }

static int hit_by_signals(int rounds, int apart) {
    for (int n = 0; n < rounds; n++) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            struct sigaction action = {.sa_handler = ignored, .sa_flags = n % 2 ? SA_RESTART : 0};
            sigaction(SIGALRM, &action, NULL);
            struct itimerval often = {{0, apart}, {0, apart}};
            setitimer(ITIMER_REAL, &often, NULL);
            char mark[32];
            snprintf(mark, sizeof mark, "signal.%d", n);
            char *argv[] = {"spawn", "noop", mark, NULL};
            /* Before the gate has taken it up, a signal ends the call as any that waits: signal(7). */
            do execv(self, argv);
            while (errno == EINTR);
            perror("exec");
            _exit(3);
        }
        int code = finished(child);
        /* A timer goes on over an exec, and SIGALRM is then no longer handled. */
        if (code != 0 && code != 128 + SIGALRM) {
            fprintf(stderr, "round %d ended with %d\n", n, code);
            return 1;
        }
    }
    return 0;
}

/* Whether the child ends within that time. */
static int ends_within(pid_t child, int ms) {
    for (int waited = 0; waited < ms; waited += 5) {
        if (waitpid(child, NULL, WNOHANG) == child) return 1;
        usleep(5000);
    }
    return 0;
}

static pid_t vforked(char *mark) {
    static char *argv[4];
    argv[0] = "spawn", argv[1] = "noop", argv[2] = mark;
    pid_t child = vfork();
    if (child < 0) die("vfork");
    if (child == 0) {
        execve(self, argv, environ);
        _exit(9);
    }
    return child;
}

static int fill(int held_after_ms) {
    static char mark[60001];
    memset(mark, 'x', sizeof mark - 1);
    int execs = 1;
    pid_t held = vforked(mark);
    while (ends_within(held, held_after_ms)) {
        if (++execs > 2000) return 4;
        held = vforked(mark);
    }
    printf("held after %d\n", execs);
    fflush(stdout);
    pid_t next = vforked(mark);
    printf("parent goes on\n");
    fflush(stdout);
    if (waitpid(next, NULL, WNOHANG) == next) return 5;
    /* The test may let records move again. */
    close(open("/workspace/held", O_CREAT | O_WRONLY, 0644));
    if (finished(held) || finished(next)) return 6;
    printf("all %d done\n", execs + 1);
    return 0;
}

static int second(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, succeeds, NULL);
    pause();
    return 1;
}

static int from_memory(void) {
    int fd = memfd_create("hidden", MFD_CLOEXEC);
    int from = open(self, O_RDONLY);
    char buffer[65536];
    ssize_t size;
    while ((size = read(from, buffer, sizeof buffer)) > 0) {
        if (write(fd, buffer, size) != size) die("write");
    }
    char *argv[] = {"innocent", "noop", "from-memory", NULL};
    fexecve(fd, argv, environ);
    die("fexecve");
    return 1;
}

static int search(void) {
    setenv("PATH", "/a:/b:/c:/d:/e:/f:/g:/h:/i:/programs", 1);
    char *argv[] = {"spawn", "noop", "found", NULL};
    execvp("spawn", argv);
    die("execvp");
    return 1;
}

static int traced(void) {
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) die("ptrace");
        raise(SIGSTOP);
        char *argv[] = {"spawn", "noop", "traced", NULL};
        execv(self, argv);
        printf("%s\n", strerror(errno));
        fflush(stdout);
        _exit(7);
    }
    int status;
    for (;;) {
        if (waitpid(child, &status, 0) < 0) die("waitpid");
        if (!WIFSTOPPED(status)) break;
        ptrace(PTRACE_CONT, child, NULL, NULL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int count, char **args) {
    const char *what = count > 1 ? args[1] : "";
    int first = count > 2 ? atoi(args[2]) : 0;
    if (!strcmp(what, "noop")) return 0;
    if (!strcmp(what, "many")) return many(first, atoi(args[3]));
    if (!strcmp(what, "threads")) return threads(first);
    if (!strcmp(what, "signals")) return hit_by_signals(first, atoi(args[3]));
    if (!strcmp(what, "fill")) return fill(first);
    if (!strcmp(what, "second")) return second();
    if (!strcmp(what, "traced")) return traced();
    if (!strcmp(what, "memfd")) return from_memory();
    if (!strcmp(what, "search")) return search();
    fprintf(stderr, "spawn: what?\n");
    return 125;
}
