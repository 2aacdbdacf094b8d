// clinux_edge.c: the edge's Linux calls, each reduced to a value or -errno.
#define _GNU_SOURCE
#include "clinux_edge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(clinux_event) == sizeof(struct epoll_event), "clinux_event must have the kernel's layout");

static int result(int value) { return value < 0 ? -errno : value; }

clinux_address clinux_address_v4(const uint8_t bytes[4], uint16_t port) {
    clinux_address address;
    memset(&address, 0, sizeof address);
    struct sockaddr_in *in = (struct sockaddr_in *)&address.storage;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, bytes, 4);
    address.length = sizeof *in;
    return address;
}

clinux_address clinux_address_v6(const uint8_t bytes[16], uint16_t port) {
    clinux_address address;
    memset(&address, 0, sizeof address);
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address.storage;
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    memcpy(&in->sin6_addr, bytes, 16);
    address.length = sizeof *in;
    return address;
}

int clinux_address_text(const clinux_address *address, char *text, int capacity) {
    const void *bytes;
    int family = address->storage.ss_family;
    if (family == AF_INET) {
        bytes = &((const struct sockaddr_in *)&address->storage)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *in = &((const struct sockaddr_in6 *)&address->storage)->sin6_addr;
        bytes = IN6_IS_ADDR_V4MAPPED(in) ? (const void *)&in->s6_addr[12] : (const void *)in;
        if (IN6_IS_ADDR_V4MAPPED(in)) family = AF_INET;
    } else {
        return -EAFNOSUPPORT;
    }
    return inet_ntop(family, bytes, text, (socklen_t)capacity) ? (int)strlen(text) : -errno;
}

int clinux_address_bytes(const clinux_address *address, uint8_t bytes[16]) {
    if (address->storage.ss_family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)&address->storage)->sin_addr, 4);
        return 4;
    }
    if (address->storage.ss_family != AF_INET6) return 0;
    const struct in6_addr *in = &((const struct sockaddr_in6 *)&address->storage)->sin6_addr;
    int isMapped = IN6_IS_ADDR_V4MAPPED(in);
    memcpy(bytes, isMapped ? &in->s6_addr[12] : in->s6_addr, isMapped ? 4 : 16);
    return isMapped ? 4 : 16;
}

uint16_t clinux_address_port(const clinux_address *address) {
    if (address->storage.ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
    }
    return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
}

int clinux_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int epoll_add(int epoll, int descriptor, uint32_t generation, uint32_t events) {
    clinux_event event = {.events = events, .descriptor = descriptor, .generation = generation};
    struct epoll_event raw;
    memcpy(&raw, &event, sizeof raw);
    return result(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &raw));
}

int clinux_epoll_add_level(int epoll, int descriptor, uint32_t generation) {
    return epoll_add(epoll, descriptor, generation, EPOLLIN);
}

int clinux_epoll_add_edge(int epoll, int descriptor, uint32_t generation) {
    return epoll_add(epoll, descriptor, generation, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

int clinux_epoll_wait(int epoll, clinux_event *events, int capacity, int milliseconds) {
    return result(epoll_wait(epoll, (struct epoll_event *)(void *)events, capacity, milliseconds));
}

int clinux_eventfd(void) { return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int clinux_eventfd_signal(int descriptor) {
    uint64_t one = 1;
    return write(descriptor, &one, sizeof one) < 0 ? -errno : 0;
}

int clinux_eventfd_clear(int descriptor) {
    uint64_t count;
    return read(descriptor, &count, sizeof count) < 0 ? -errno : 0;
}

int clinux_listen(const clinux_address *address, int backlog) {
    int descriptor = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    int failed = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0
        || setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0
        || setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0
        || bind(descriptor, (const struct sockaddr *)&address->storage, address->length) < 0
        || listen(descriptor, backlog) < 0;
    if (!failed) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

int clinux_accept(int listener, clinux_address *peer) {
    peer->length = sizeof peer->storage;
    return result(accept4(listener, (struct sockaddr *)&peer->storage, &peer->length, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int clinux_local_address(int descriptor, clinux_address *address) {
    address->length = sizeof address->storage;
    return result(getsockname(descriptor, (struct sockaddr *)&address->storage, &address->length));
}

int clinux_stream_socket(int family) {
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    if (setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

int clinux_connect(int descriptor, const clinux_address *address) {
    if (connect(descriptor, (const struct sockaddr *)&address->storage, address->length) == 0) return 0;
    return errno == EINPROGRESS ? 1 : -errno;
}

int clinux_socket_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

// glibc's recv and send are cancellation points: two atomic exchanges per call in a program with threads. Nobody cancels
// a loop's thread, so these three go to the kernel directly.

ssize_t clinux_receive(int descriptor, void *bytes, size_t count) {
    ssize_t got;
    do got = syscall(SYS_recvfrom, descriptor, bytes, count, 0, NULL, NULL); while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

ssize_t clinux_send(int descriptor, const void *bytes, size_t count) {
    ssize_t sent;
    do sent = syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL, NULL, 0); while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t clinux_send_both(int descriptor, const void *first, size_t firstCount, const void *second, size_t secondCount) {
    struct iovec parts[2] = {{(void *)first, firstCount}, {(void *)second, secondCount}};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    ssize_t sent;
    do sent = syscall(SYS_sendmsg, descriptor, &message, MSG_NOSIGNAL); while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int clinux_shut_writing(int descriptor) { return result(shutdown(descriptor, SHUT_WR)); }

int clinux_own_network_namespace(void) { return result(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }

int clinux_enter_network_namespace(int descriptor) { return result(setns(descriptor, CLONE_NEWNET)); }

int clinux_spare_descriptor(void) { return result(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

int64_t clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    return limit.rlim_cur > (rlim_t)INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

uint64_t clinux_random_seed(void) {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed) return seed;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec ^ ((uint64_t)now.tv_sec << 32) ^ (uint64_t)(uintptr_t)&seed;
}

int64_t clinux_loop_microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

int clinux_usable_processors(void) {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    return sched_getaffinity(0, sizeof usable, &usable) < 0 ? -errno : CPU_COUNT(&usable);
}
