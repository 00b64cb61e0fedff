#include "count.h"

static int is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

unsigned long count_words(const char *text) {
    unsigned long words = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (is_space(*at)) {
            words++;
        }
    }
    return words;
}
