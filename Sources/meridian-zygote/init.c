// init.c: PID 1 of a sandbox. A program that is PID 1 itself would ignore SIGTERM and never reap what it adopts.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zygote.h"

/// Blocked: PID 1 discards an unhandled signal unless it is blocked, in which case it can be read.
static void init_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

int block_init_signals(void) {
    sigset_t set;
    init_signals(&set);
    return sigprocmask(SIG_SETMASK, &set, NULL);
}

int open_init_signals(void) {
    sigset_t set;
    init_signals(&set);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// Every other process in the namespace at once (kill(2), -1), so that none escapes by forking; false at the end.
static bool take_order(int orders) {
    struct mz_word word;
    if (read(orders, &word, sizeof word) != (ssize_t)sizeof word) return false;
    // ESRCH: they have all ended just now.
    if (word.kind == MZ_PAUSE) (void)kill(-1, SIGSTOP);
    if (word.kind == MZ_RESUME) (void)kill(-1, SIGCONT);
    return true;
}

int reap_until(pid_t child, int signals, int lifeline, int orders, struct denials *denials) {
    for (;;) {
        int status = 0;
        pid_t ended;
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended == child) return status;
        }
        struct pollfd watched[4] = {{.fd = signals, .events = POLLIN},
                                    {.fd = lifeline, .events = POLLIN},
                                    {.fd = orders, .events = POLLIN},
                                    {.fd = denials == NULL ? -1 : denials->listener, .events = POLLIN}};
        if (poll(watched, 4, -1) < 0 && errno != EINTR) return SIGKILL;
        if (watched[1].revents != 0) return SIGKILL;
        // A node that has let go gives no more orders; its end is the zygote's to notice.
        if (watched[2].revents != 0 && !take_order(orders)) orders = -1;
        if ((watched[3].revents & POLLIN) != 0) {
            if (!answer_denied(denials)) (void)kill(child, SIGKILL);
        } else if (watched[3].revents != 0) {
            // Nobody is left under the filter.
            denials->listener = -1;
        }
        // In a flood of denied calls every system call counts.
        if (watched[0].revents == 0) continue;
        struct signalfd_siginfo received;
        while (read(signals, &received, sizeof received) == (ssize_t)sizeof received) {
            // ESRCH cannot be: the child is reaped by nobody else.
            if (received.ssi_signo != SIGCHLD) (void)kill(child, (int)received.ssi_signo);
        }
    }
}

#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int confine_init(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_wait4),
        ALLOW(SYS_poll),
        ALLOW(SYS_restart_syscall),
        ALLOW(SYS_read),
        ALLOW(SYS_kill),
        ALLOW(SYS_sendmsg),
        ALLOW(SYS_exit_group),
        // Taking and answering denied calls; the listener is its only descriptor that knows these two.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        ALLOW((uint32_t)SECCOMP_IOCTL_NOTIF_RECV),
        ALLOW((uint32_t)SECCOMP_IOCTL_NOTIF_SEND),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
