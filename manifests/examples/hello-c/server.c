// server.c: a web server in plain C: one process, one poll loop, connections stay open between requests.
//
// What every app on Meridian does: listen on 0.0.0.0 at $PORT, and end when SIGTERM comes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 512, REQUEST_MAX = 8192 };

struct client {
    size_t length;
    char request[REQUEST_MAX + 1];
};

static volatile sig_atomic_t is_stopping;

static void stop(int signal) {
    (void)signal;
    is_stopping = 1;
}

static const char *variable(const char *name, const char *fallback) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : fallback;
}

static int listen_on_port(void) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)atoi(variable("PORT", "8080"))),
        .sin_addr.s_addr = htonl(INADDR_ANY), // 127.0.0.1 would not be reachable from outside the sandbox
    };
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0
        || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 256) != 0)
        return -1;
    return listener;
}

// Answers one request; false when the connection cannot go on.
static int answer(int connection, const char *request) {
    char body[1024], response[2048];
    const char *status = "200 OK";
    if (strncmp(request, "GET / ", 6) == 0)
        snprintf(body, sizeof body, "%s from hello-c\n", variable("GREETING", "Hello"));
    else if (strncmp(request, "GET /healthz ", 13) == 0)
        snprintf(body, sizeof body, "ok\n");
    else {
        status = "404 Not Found";
        snprintf(body, sizeof body, "hello-c has / and /healthz\n");
    }
    int length = snprintf(response, sizeof response,
                          "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s", status,
                          strlen(body), body);
    // The answer is far smaller than a socket's buffer, so one call takes it whole.
    return send(connection, response, (size_t)length, MSG_NOSIGNAL) == length;
}

// Reads what has come and answers every complete request; false when the connection is to be closed.
static int serve(int connection, struct client *client) {
    ssize_t count = recv(connection, client->request + client->length, REQUEST_MAX - client->length, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    client->length += (size_t)count;
    client->request[client->length] = '\0';
    char *end;
    while ((end = strstr(client->request, "\r\n\r\n")) != NULL) {
        // A body would follow here; this server has no use for one, so it hangs up.
        if (strncmp(client->request, "GET ", 4) != 0 || !answer(connection, client->request)) return 0;
        client->length -= (size_t)(end + 4 - client->request);
        memmove(client->request, end + 4, client->length + 1);
    }
    return client->length < REQUEST_MAX;
}

int main(void) {
    static struct pollfd polls[CLIENTS_MAX + 1];
    static struct client clients[CLIENTS_MAX + 1];
    sigset_t blocked, open;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &open);
    sigdelset(&open, SIGTERM);
    signal(SIGTERM, stop);

    int listener = listen_on_port();
    if (listener < 0) {
        perror("hello-c: cannot listen");
        return 1;
    }
    printf("hello-c listens on 0.0.0.0:%s\n", variable("PORT", "8080"));
    fflush(stdout);
    polls[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    nfds_t count = 1;
    while (!is_stopping) {
        polls[0].events = count <= CLIENTS_MAX ? POLLIN : 0;
        // SIGTERM arrives only inside ppoll, so it cannot slip in between the test above and the wait.
        if (ppoll(polls, count, NULL, &open) < 0) continue;
        for (nfds_t index = count - 1; index >= 1; index--) {
            if (polls[index].revents == 0 || serve(polls[index].fd, &clients[index])) continue;
            close(polls[index].fd);
            count--;
            polls[index] = polls[count];
            clients[index] = clients[count];
        }
        int connection = polls[0].revents != 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
        if (connection < 0) continue;
        polls[count] = (struct pollfd){.fd = connection, .events = POLLIN};
        clients[count].length = 0;
        count++;
    }
    printf("hello-c stops\n");
    return 0;
}
