/* Spawns itself, to do nothing, so many times; prints the microseconds that each took. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int spawn(void) {
    char *argv[] = {"spawn", NULL};
    pid_t child;
    int status;
    if (posix_spawn(&child, "/spawn", NULL, NULL, argv, environ)) return 1;
    return waitpid(child, &status, 0) != child || status != 0;
}

int main(int count, char **args) {
    if (count < 2) return 0;
    int rounds = atoi(args[1]);
    for (int n = 0; n < 50; n++) {
        if (spawn()) return 1;
    }
    double began = now();
    for (int n = 0; n < rounds; n++) {
        if (spawn()) return 1;
    }
    printf("%.2f\n", (now() - began) / rounds);
    return 0;
}
