#ifndef COUNT_H
#define COUNT_H

/* The number of words in a text: what stands between spaces, tabs and line ends. */
unsigned long count_words(const char *text);

#endif
