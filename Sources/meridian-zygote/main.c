// main.c: meridian-zygote, the program that makes sandboxes: `serve` for a node's runners, `box` for one build step.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zygote.h"

static int usage(void) {
    fprintf(stderr,
            "usage: meridian-zygote serve DESCRIPTOR\n"
            "       meridian-zygote box [options] -- COMMAND [ARGUMENT...]\n");
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "box") == 0) return box(argc - 2, argv + 2);
    if (argc != 3 || strcmp(argv[1], "serve") != 0) return usage();
    char *end = NULL;
    errno = 0;
    long descriptor = strtol(argv[2], &end, 10);
    if (errno != 0 || *end != '\0' || end == argv[2] || descriptor < 3 || descriptor > 1000000) return usage();
    return serve((int)descriptor);
}
