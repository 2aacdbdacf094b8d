// forwarder: passes bytes on without looking at them, one upstream connection per client: the floor under any proxy.
// It is for the bench only: a message that does not fit into the sink's socket buffer ends both connections.
// Usage: forwarder PORT BACKEND_PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { descriptors_max = 65536, read_bytes = 65536, events_max = 256 };

/// The other side of each connection; 0 for none.
static int peers[descriptors_max];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void watch(int epoll, int descriptor, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
}

/// Gives a client a connection of its own to the backend.
static void join(int epoll, int client, int port) {
    struct sockaddr_in address = loopback(port);
    int upstream = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(upstream, (struct sockaddr *)&address, sizeof address)) fail("connect");
    fcntl(upstream, F_SETFL, O_NONBLOCK);
    setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peers[client] = upstream;
    peers[upstream] = client;
    watch(epoll, client, EPOLLIN | EPOLLRDHUP | EPOLLET);
    watch(epoll, upstream, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

static void part(int descriptor) {
    close(peers[descriptor]);
    close(descriptor);
    peers[peers[descriptor]] = 0;
    peers[descriptor] = 0;
}

static void pass(int descriptor, unsigned events) {
    static char bytes[read_bytes];
    for (;;) {
        ssize_t got = recv(descriptor, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0 || send(peers[descriptor], bytes, got, MSG_NOSIGNAL) != got) {
            part(descriptor);
            return;
        }
        if (got < read_bytes && !(events & EPOLLRDHUP)) return;
    }
}

int main(int count, char **words) {
    if (count != 3) return fprintf(stderr, "usage: forwarder PORT BACKEND_PORT\n"), 64;
    int accepting = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(accepting, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = loopback(atoi(words[1]));
    if (bind(accepting, (struct sockaddr *)&address, sizeof address) || listen(accepting, 1024)) fail("listen");
    int epoll = epoll_create1(0);
    watch(epoll, accepting, EPOLLIN);
    struct epoll_event events[events_max];
    for (;;) {
        int ready = epoll_wait(epoll, events, events_max, -1);
        for (int index = 0; index < ready; index++) {
            int descriptor = events[index].data.fd, client;
            if (descriptor != accepting) {
                if (peers[descriptor]) pass(descriptor, events[index].events);
                continue;
            }
            while ((client = accept4(accepting, 0, 0, SOCK_NONBLOCK)) >= 0) join(epoll, client, atoi(words[2]));
        }
    }
}
