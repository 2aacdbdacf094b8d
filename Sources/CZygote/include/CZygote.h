// CZygote.h: the wire layout between the node and meridian-zygote, and the two calls that move it.
//
// The node and the zygote share one SOCK_SEQPACKET pair (requests; one answer after start-up), and each sandbox has
// another: reports come out, and the one order to run a program goes in. A sandbox without its order yet is a shell; it
// waits. A message is one packet: a struct below, then its payload. Both ends are built together, so the layout has no
// version.
#ifndef CZYGOTE_H
#define CZYGOTE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A packet at most: a filter (4096 instructions of 8 bytes, seccomp(2)), arguments and environment; below the
/// 208 KiB that a socket buffer holds by default.
enum { MZ_PACKET_BYTES_MAX = 131072 };
/// Descriptors with one packet at most: a report and four cgroups, with room to spare.
enum { MZ_DESCRIPTORS_MAX = 8 };
/// The id of a runner or shell with its end: it becomes the host name, which has 64 bytes (sethostname(2)).
enum { MZ_ID_BYTES = 64 };
/// Runners of one zygote at most; each costs it one descriptor.
enum { MZ_RUNNERS_MAX = 1024 };
/// Numbers of x86_64 syscalls; those of x32 lie above and a filter never lets them pass.
enum { MZ_SYSCALLS_MAX = 512 };
/// cgroup hierarchies of one runner at most: memory, cpu, pids, freezer.
enum { MZ_CGROUPS_MAX = 4 };

/// What the node asks.
enum mz_request_kind {
    /// First packet. Descriptors: the directories that hold the node's cgroups, one per hierarchy.
    MZ_HELLO = 1,
    /// To the zygote: make a shell. Descriptors: report, then a v1 `tasks` file per hierarchy or, with MZ_CGROUP2,
    /// one cgroup directory.
    MZ_PARK = 2,
    /// To a shell, on its report socket, once; it may be sent before the shell is made. Descriptors: output, errors,
    /// bundle (a detached mount).
    MZ_START = 3,
    /// To a shell whose program runs, without a payload: stop every process of it, or let them go on. SIGSTOP, not the
    /// cgroup freezer: it needs no cgroup, what is stopped can still be killed on cgroup v1, and it ends sooner.
    MZ_PAUSE = 4,
    MZ_RESUME = 5,
};

/// A request that is a word only.
struct mz_word {
    uint32_t kind;
};

struct mz_hello {
    uint32_t kind;
    uint32_t hierarchies;
    /// The node's directory inside each of them: removed, with what is below, when the node has gone.
    char parent[MZ_ID_BYTES];
};

/// Bits of `mz_park.flags`.
enum mz_park_flag {
    /// A throw-away writable layer over /app.
    MZ_WRITABLE = 1,
    /// The second descriptor is a cgroup v2 directory that the shell is born in.
    MZ_CGROUP2 = 2,
};

struct mz_park {
    uint32_t kind;
    uint32_t flags;
    uint32_t uid;
    uint32_t gid;
    /// The tmpfs behind /tmp and $HOME.
    uint64_t scratch_bytes;
    uint64_t scratch_inodes;
    /// RLIMIT_DATA; 0: none (a cgroup counts memory).
    uint64_t data_bytes;
    /// RLIMIT_NPROC; 0: as inherited (a cgroup counts processes).
    uint32_t processes;
    /// RLIMIT_NOFILE.
    uint32_t descriptors;
    /// The name of its cgroups.
    char id[MZ_ID_BYTES];
};

/// Bits of `mz_start.flags`.
enum mz_start_flag {
    /// Denied calls wait for PID 1 of the sandbox, which tells the node of each number's first and answers as `answers`
    /// says. It spends the runner's own processor time on it, and where it dies the callers die with it.
    MZ_TELL = 1,
};

/// What PID 1 does with a denied call.
enum mz_answer {
    MZ_ANSWER_EPERM = 0,
    /// ENOSYS, which libraries have a fallback for.
    MZ_ANSWER_ENOSYS = 1,
    /// The call is never answered, and the program killed for it.
    MZ_ANSWER_KILL = 2,
    /// The call is made after all. Only for a sandbox that learns what its program calls, and no protection against a
    /// program that means harm.
    MZ_ANSWER_CONTINUE = 3,
};

/// Followed by `filter_count` instructions (struct sock_filter) and `text_bytes` of NUL-ended strings: the program's
/// path, its arguments from argv[0] on, its environment as NAME=VALUE.
struct mz_start {
    uint32_t kind;
    uint32_t flags;
    uint32_t argument_count;
    uint32_t environment_count;
    uint32_t filter_count;
    uint32_t text_bytes;
    /// With MZ_TELL: an `mz_answer` by syscall number; the last also stands for every number beyond.
    uint8_t answers[MZ_SYSCALLS_MAX];
    /// The runner's id, which becomes the host name.
    char id[MZ_ID_BYTES];
};

/// What a sandbox's report socket carries: MZ_SPAWNED and MZ_PARKED in either order, then the others
/// in this one, with MZ_DENIED among them.
enum mz_report_kind {
    /// On the request socket: the zygote serves; `error` is why filters cannot tell of denied calls here, 0 where they
    /// can. On a report socket: the program was executed.
    MZ_READY = 1,
    /// `step` and `error` say what failed; no runner comes of it.
    MZ_FAILED = 2,
    /// The process exists: `pid` on the host. Descriptor: its pidfd.
    MZ_SPAWNED = 3,
    /// The program ended with the wait status `status`; everything else in the runner is about to be killed.
    MZ_EXITED = 4,
    /// No process of the runner is left. `status` is the wait status of its init; the use counts are the runner's.
    MZ_GONE = 5,
    /// The shell is made and waits for its order. Descriptor: its network namespace.
    MZ_PARKED = 6,
    /// With MZ_TELL: the first denied call of the number `status`, once between MZ_SPAWNED and MZ_EXITED.
    MZ_DENIED = 7,
};

struct mz_report {
    uint32_t kind;
    int32_t pid;
    /// One of `mz_step`.
    int32_t step;
    /// errno.
    int32_t error;
    int32_t status;
    uint32_t reserved;
    int64_t processor_microseconds;
    int64_t memory_kibibytes_max;
};

/// The steps of making a sandbox, for messages.
enum mz_step {
    MZ_STEP_REQUEST = 1,
    MZ_STEP_NAMESPACES,
    MZ_STEP_DESCRIPTORS,
    MZ_STEP_CGROUP,
    MZ_STEP_LOOPBACK,
    MZ_STEP_HOSTNAME,
    MZ_STEP_ROOT,
    MZ_STEP_SYSTEM_DIRECTORIES,
    MZ_STEP_DEVICES,
    MZ_STEP_PROC,
    MZ_STEP_SCRATCH,
    MZ_STEP_BUNDLE,
    MZ_STEP_OVERLAY,
    MZ_STEP_MASK,
    MZ_STEP_BIND,
    MZ_STEP_LIMITS,
    MZ_STEP_PRIVILEGES,
    MZ_STEP_SIGNALS,
    MZ_STEP_FILTER,
    MZ_STEP_DIRECTORY,
    MZ_STEP_EXECUTE,
};

/// The step in words, such as "mount the bundle"; never NULL.
const char *mz_step_words(int step);

/// Sends one packet with descriptors; 0, or -1 with errno. Never raises SIGPIPE.
int mz_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// Receives one packet and its descriptors (close-on-exec; at most MZ_DESCRIPTORS_MAX, stored in `descriptors`).
///
/// The number of bytes; 0 at the end of the connection; -1 with errno (EMSGSIZE where the packet did not fit).
ssize_t mz_receive(int socket, void *bytes, size_t room, int *descriptors, size_t *descriptor_count, int flags);

#endif
