// server.c: a web server in C, built by make. One request per connection, one after another.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char *variable(const char *name, const char *fallback) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : fallback;
}

static void stop(int signal) {
    (void)signal;
    _exit(0);
}

static void serve(int connection) {
    char request[4096] = "", body[512], response[1024];
    const struct timeval patience = {.tv_sec = 2};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    // A head longer than one packet may come in pieces; the request line is in the first.
    if (recv(connection, request, sizeof request - 1, 0) <= 0) return;
    if (strncmp(request, "GET /healthz ", 13) == 0)
        snprintf(body, sizeof body, "ok\n");
    else
        snprintf(body, sizeof body, "%s from hello-make\n", variable("GREETING", "Hello"));
    int length = snprintf(response, sizeof response,
                          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n%s",
                          strlen(body), body);
    send(connection, response, (size_t)length, MSG_NOSIGNAL);
}

int main(void) {
    signal(SIGTERM, stop);
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)atoi(variable("PORT", "8080"))),
        .sin_addr.s_addr = htonl(INADDR_ANY),
    };
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0
        || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 256) != 0) {
        perror("hello-make: cannot listen");
        return 1;
    }
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) continue;
        serve(connection);
        close(connection);
    }
}
