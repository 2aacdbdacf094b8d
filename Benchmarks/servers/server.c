// server.c: answers every request on $PORT with 200: as little program as a start can have.
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) return 1;
    const char *answer = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n";
    for (;;) {
        int connection = accept(listener, 0, 0);
        char buffer[8192];
        if (read(connection, buffer, sizeof buffer) > 0 && write(connection, answer, strlen(answer)) < 0) return 1;
        close(connection);
    }
}
