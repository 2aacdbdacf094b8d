// denials.c: the calls that a runner's filter stops: answered by PID 1 of its sandbox, and told to the node.
//
// They are answered inside the sandbox and not by the node, so that a flood of them costs the runner's own processor time
// and nobody else's, and so that a caller cannot outlive who answers it: where PID 1 dies, the kernel kills the rest.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zygote.h"

// Newer than some of the headers that this is built with; kernels without answer EINVAL.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/// The kernel writes as much as it knows of, which may be more than the headers do.
enum { REQUEST_BYTES_MAX = 256 };

int load_telling_filter(const struct sock_fprog *program) {
    // Killable: once a call is taken, a signal that the program handles does not make it EINTR before it is answered.
    const unsigned long killable = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    long loaded = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, killable, program);
    if (loaded < 0 && errno == EINVAL)
        loaded = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, program);
    return (int)loaded;
}

int try_telling(void) {
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) return errno;
    if (sizes.seccomp_notif > REQUEST_BYTES_MAX) return E2BIG;
    // In a child, since a filter stays: EBUSY is met where whoever started the node listens to a filter of its own.
    const pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) {
        struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        struct sock_fprog program = {.len = 1, .filter = code};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || load_telling_filter(&program) < 0) _exit(errno);
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

void hasten_denials(const struct denials *denials) {
    // EINVAL: before Linux 6.6, which is slower and no less right.
    if (denials->listener >= 0)
        (void)ioctl(denials->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

/// Never waits: a node that is far behind hears of the next call of the number instead.
static bool tell(int socket, int number) {
    struct mz_report report = {.kind = MZ_DENIED, .status = number};
    struct iovec part = {.iov_base = &report, .iov_len = sizeof report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

bool answer_denied(struct denials *denials) {
    union {
        struct seccomp_notif request;
        char room[REQUEST_BYTES_MAX];
    } taken;
    memset(&taken, 0, sizeof taken);
    // ENOENT: the caller was killed before it was taken.
    if (ioctl(denials->listener, SECCOMP_IOCTL_NOTIF_RECV, &taken) != 0) return true;
    const int number = taken.request.data.nr;
    const size_t place = number >= 0 && number < MZ_SYSCALLS_MAX ? (size_t)number : MZ_SYSCALLS_MAX - 1;
    if (!denials->told[place]) denials->told[place] = tell(denials->report, number);
    if (denials->answers[place] == MZ_ANSWER_KILL) {
        // Nobody answers any more: this call and others that come before the end are never made.
        denials->listener = -1;
        return false;
    }
    struct seccomp_notif_resp answer = {.id = taken.request.id, .error = -EPERM};
    if (denials->answers[place] == MZ_ANSWER_ENOSYS) answer.error = -ENOSYS;
    if (denials->answers[place] == MZ_ANSWER_CONTINUE) {
        answer.error = 0;
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    }
    // ENOENT: the caller was killed meanwhile and wants no answer.
    (void)ioctl(denials->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    return true;
}
