// backend: answers every request with the same bytes; one thread, epoll. Usage: backend PORT BODY_BYTES
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { descriptors_max = 65536, body_bytes_max = 1 << 20, read_bytes = 65536, events_max = 256 };

static char answer[body_bytes_max + 512];
static size_t answer_bytes;
/// How much of the empty line that ends a head was seen at the end of the last read: 0 to 3 of CR LF CR LF.
static unsigned char seen[descriptors_max];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listener(int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) || listen(descriptor, 1024)) fail("listen");
    return descriptor;
}

static void watch(int epoll, int descriptor, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
}

/// Answers each head that ends within these bytes; the bench sends no bodies.
static int serve(int descriptor, const char *bytes, ssize_t count) {
    unsigned char matched = seen[descriptor];
    for (ssize_t index = 0; index < count; index++) {
        char wanted = matched & 1 ? '\n' : '\r';
        matched = bytes[index] == wanted ? matched + 1 : bytes[index] == '\r';
        if (matched < 4) continue;
        matched = 0;
        // A bench answer fits into an empty socket buffer; a client that reads nothing gets a broken connection.
        if (send(descriptor, answer, answer_bytes, MSG_NOSIGNAL) != (ssize_t)answer_bytes) return -1;
    }
    seen[descriptor] = matched;
    return 0;
}

/// Reads what there is; -1 where the connection is over.
static int drain(int descriptor, unsigned events) {
    static char bytes[read_bytes];
    for (;;) {
        ssize_t got = recv(descriptor, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EAGAIN) return 0;
        if (got <= 0 || serve(descriptor, bytes, got)) return -1;
        if (got < read_bytes && !(events & EPOLLRDHUP)) return 0;
    }
}

int main(int count, char **words) {
    if (count != 3) return fprintf(stderr, "usage: backend PORT BODY_BYTES\n"), 64;
    int body = atoi(words[2]);
    if (body < 0 || body > body_bytes_max) return fprintf(stderr, "BODY_BYTES: 0 to %d\n", body_bytes_max), 64;
    answer_bytes = sprintf(
        answer, "HTTP/1.1 200 OK\r\nserver: bench\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n", body);
    memset(answer + answer_bytes, 'x', body);
    answer_bytes += body;

    int accepting = listener(atoi(words[1])), epoll = epoll_create1(0), on = 1;
    watch(epoll, accepting, EPOLLIN);
    struct epoll_event events[events_max];
    for (;;) {
        int ready = epoll_wait(epoll, events, events_max, -1);
        for (int index = 0; index < ready; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor != accepting) {
                if (drain(descriptor, events[index].events)) close(descriptor);
                continue;
            }
            int client;
            while ((client = accept4(accepting, 0, 0, SOCK_NONBLOCK)) >= 0) {
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                seen[client] = 0;
                watch(epoll, client, EPOLLIN | EPOLLRDHUP | EPOLLET);
            }
        }
    }
}
