// clinux_runners.c: what runners need of Linux beyond the Glibc module.
#define _GNU_SOURCE
#include "clinux_runners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int close_keeping_error(int descriptor) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static int set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

int clinux_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    if (set_nonblocking(ends[0]) != 0) {
        close_keeping_error(ends[1]);
        return close_keeping_error(ends[0]);
    }
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

int clinux_packet_pair(int *first, int *second) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    *first = ends[0];
    *second = ends[1];
    return 0;
}

int clinux_open_tree_read_only(const char *path) {
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return -1;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        return close_keeping_error(tree);
    return tree;
}

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int clinux_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int clinux_cgroup_is_delegated(const char *path) {
    static const char *const names[] = {"trusted.delegate", "user.delegate"};
    char value[2];
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (getxattr(path, names[index], value, sizeof value) == 1 && value[0] == '1') return 1;
    }
    return 0;
}

/// Comes back from a foreign network; errno stays.
static void return_to(int own) {
    int error = errno;
    if (setns(own, CLONE_NEWNET) != 0) abort();
    errno = error;
}

int clinux_socket_in_namespace(int network_namespace, int own) {
    if (setns(network_namespace, CLONE_NEWNET) != 0) return -1;
    int made = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return_to(own);
    return made;
}

int clinux_open_in_namespace(int network_namespace, int own, const char *path) {
    if (setns(network_namespace, CLONE_NEWNET) != 0) return -1;
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    return_to(own);
    return opened;
}

int clinux_connect_loopback(int socket, uint16_t port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(socket, (const struct sockaddr *)&address, sizeof address);
}

int clinux_connected(int socket) {
    struct pollfd watched = {.fd = socket, .events = POLLOUT};
    int ready = poll(&watched, 1, 0);
    if (ready <= 0) return ready;
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -1;
    if (error == 0) return 1;
    errno = error;
    return -1;
}

int clinux_poll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_poll_add(int poll, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event);
}

int clinux_poll_remove(int poll, int descriptor) { return epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, NULL); }

int clinux_poll_wait(int poll, uint64_t *tokens, int room, int timeout_milliseconds) {
    struct epoll_event events[64];
    int count;
    do count = epoll_wait(poll, events, room < 64 ? room : 64, timeout_milliseconds);
    while (count < 0 && errno == EINTR);
    for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
    return count;
}

int clinux_sharpen_timers(void) { return prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); }

int clinux_wait_readable(int descriptor, int64_t nanoseconds) {
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return ppoll(&watched, 1, nanoseconds < 0 ? NULL : &limit, NULL);
}

int clinux_event_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
