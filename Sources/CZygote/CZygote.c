// CZygote.c: moving packets with descriptors, and the words for the steps.
#define _GNU_SOURCE
#include "CZygote.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

const char *mz_step_words(int step) {
    switch (step) {
    case MZ_STEP_REQUEST: return "read the request";
    case MZ_STEP_NAMESPACES: return "make the namespaces";
    case MZ_STEP_DESCRIPTORS: return "arrange the descriptors";
    case MZ_STEP_CGROUP: return "join the cgroup";
    case MZ_STEP_LOOPBACK: return "raise the loopback interface";
    case MZ_STEP_HOSTNAME: return "set the host name";
    case MZ_STEP_ROOT: return "make the root file system";
    case MZ_STEP_SYSTEM_DIRECTORIES: return "bind the system directories";
    case MZ_STEP_DEVICES: return "make /dev";
    case MZ_STEP_PROC: return "mount /proc";
    case MZ_STEP_SCRATCH: return "mount /tmp";
    case MZ_STEP_BUNDLE: return "mount the bundle at /app";
    case MZ_STEP_OVERLAY: return "lay the writable layer over /app";
    case MZ_STEP_MASK: return "mask a directory";
    case MZ_STEP_BIND: return "bind a directory";
    case MZ_STEP_LIMITS: return "set the resource limits";
    case MZ_STEP_PRIVILEGES: return "drop the privileges";
    case MZ_STEP_SIGNALS: return "reset the signals";
    case MZ_STEP_FILTER: return "load the syscall filter";
    case MZ_STEP_DIRECTORY: return "enter the working directory";
    case MZ_STEP_EXECUTE: return "execute the program";
    default: return "make the sandbox";
    }
}

int mz_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    if (descriptor_count > MZ_DESCRIPTORS_MAX) {
        errno = EINVAL;
        return -1;
    }
    union {
        char room[CMSG_SPACE(sizeof(int) * MZ_DESCRIPTORS_MAX)];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * descriptor_count);
    }
    for (;;) {
        ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent >= 0) return 0;
        if (errno != EINTR) return -1;
    }
}

ssize_t mz_receive(int socket, void *bytes, size_t room, int *descriptors, size_t *descriptor_count, int flags) {
    union {
        char room[CMSG_SPACE(sizeof(int) * MZ_DESCRIPTORS_MAX)];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = room};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *descriptor_count = 0;
    ssize_t received;
    do received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        *descriptor_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors, CMSG_DATA(header), *descriptor_count * sizeof(int));
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        for (size_t index = 0; index < *descriptor_count; index++) close(descriptors[index]);
        *descriptor_count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return received;
}
