// box_filter.c: the syscalls that a build may not make. Builds run any tool, so this is a list of refusals.
#define _GNU_SOURCE
#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box.h"

/// Numbers from here on are of the x32 ABI (asm/unistd.h, __X32_SYSCALL_BIT).
enum { X32_BIT = 0x40000000 };
/// What libraries have a fallback for is missing; the rest is forbidden.
enum { MISSING = SECCOMP_RET_ERRNO | ENOSYS, FORBIDDEN = SECCOMP_RET_ERRNO | EPERM };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(answer) BPF_STMT(BPF_RET | BPF_K, (answer))
#define WHEN(value, answer) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), ANSWER(answer)

int confine_build(void) {
    struct sock_filter code[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        ANSWER(MISSING),
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
        ANSWER(MISSING),
        // Its flags lie in memory that a filter cannot read; every C library falls back to clone.
        WHEN(SYS_clone3, MISSING),
        WHEN(SYS_io_uring_setup, MISSING),
        WHEN(SYS_io_uring_enter, MISSING),
        WHEN(SYS_io_uring_register, MISSING),
        WHEN(SYS_userfaultfd, MISSING),
        WHEN(SYS_bpf, FORBIDDEN),
        WHEN(SYS_perf_event_open, FORBIDDEN),
        WHEN(SYS_keyctl, FORBIDDEN),
        WHEN(SYS_add_key, FORBIDDEN),
        WHEN(SYS_request_key, FORBIDDEN),
        WHEN(SYS_setns, FORBIDDEN),
        WHEN(SYS_open_by_handle_at, FORBIDDEN),
        // A user namespace would give every capability over new mounts and networks.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
        ANSWER(FORBIDDEN),
        ANSWER(SECCOMP_RET_ALLOW),
        // Typing into a terminal: standard input and output may be the caller's.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5),
        LOAD(args[1]),
        WHEN(TIOCSTI, FORBIDDEN),
        WHEN(TIOCLINUX, FORBIDDEN),
        ANSWER(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
