// main.c: gives up before it listens.
#include <stdio.h>

int main(void) {
    fprintf(stderr, "cannot find my configuration\n");
    return 3;
}
