/* Takes more than its share.
 *
 *   hog memory | forks | loop | files | output | disk PATH
 *
 * It does nothing where there is no /.creel/creel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int memory(void) {
    for (;;) {
        char *more = malloc(1 << 20);
        if (!more) return 3;
        memset(more, 1, 1 << 20);
    }
}

static int forks(void) {
    int made = 0, failed = 0;
    while (failed < 1000) {
        pid_t child = fork();
        if (child == 0) pause();
        if (child > 0) made++;
        else failed++;
    }
    printf("made %d\n", made);
    return 0;
}

static int files(void) {
    int opened = 0;
    while (open("/dev/null", O_RDONLY) >= 0) opened++;
    printf("opened %d, then %s\n", opened, strerror(errno));
    return 0;
}

static int output(void) {
    static char text[1 << 20];
    memset(text, 'x', sizeof text);
    for (int n = 0; n < 64; n++) {
        if (write(1, text, sizeof text) < 0) return 1;
    }
    return 0;
}

static int disk(const char *path) {
    static char block[1 << 20];
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    long written = 0;
    for (;;) {
        ssize_t size = write(fd, block, sizeof block);
        if (size < 0) break;
        written += size;
    }
    printf("wrote %ld MiB, then %s\n", written >> 20, strerror(errno));
    unlink(path);
    return 0;
}

int main(int count, char **args) {
    struct stat marker;
    if (stat("/.creel/creel", &marker)) {
        fprintf(stderr, "hog: not in a sandbox: nothing is done\n");
        return 125;
    }
    const char *what = count > 1 ? args[1] : "";
    if (!strcmp(what, "memory")) return memory();
    if (!strcmp(what, "forks")) return forks();
    if (!strcmp(what, "files")) return files();
    if (!strcmp(what, "output")) return output();
    if (!strcmp(what, "disk")) return disk(args[2]);
    if (!strcmp(what, "loop")) for (;;) {}
    return 125;
}
