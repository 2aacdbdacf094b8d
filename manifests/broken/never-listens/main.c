// main.c: runs and never listens.
#include <stdio.h>
#include <unistd.h>

int main(void) {
    printf("thinking about listening\n");
    fflush(stdout);
    for (;;) pause();
}
