#include <stdio.h>
#include <string.h>

#include "count.h"

int main(int argc, char **argv) {
    static char text[1 << 16];
    size_t length = fread(text, 1, sizeof text - 1, stdin);
    text[length] = '\0';
    if (argc > 1) {
        fprintf(stderr, "tally: unknown option %s\n", argv[1]);
        return 2;
    }
    printf("%lu\n", count_words(text));
    return 0;
}
