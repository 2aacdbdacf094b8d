// zygote.h: what the parts of meridian-zygote share. Every call returns 0, or -1 with errno, unless it says otherwise.
#ifndef MERIDIAN_ZYGOTE_H
#define MERIDIAN_ZYGOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CZygote.h"

/// Exit statuses of the program itself: sysexits(3) EX_USAGE, and what env(1) and timeout(1) use for their own failures.
enum { EXIT_USAGE = 64, EXIT_SANDBOX = 125, EXIT_CANNOT_EXECUTE = 126, EXIT_NOT_FOUND = 127 };

/// Above every descriptor of the zygote (one per runner and a few), so that moving them in a child never overwrites.
enum { DESCRIPTOR_PARKING = 2 * MZ_RUNNERS_MAX };

// serve.c, box.c: the two verbs; the answer is the exit status.
int serve(int node);
int box(int argc, char **argv);

// template.c: enters a new mount namespace whose root is read-only and minimal; the failing step is in `*step`.
int enter_template(int *step);

// shell.c: the life of a sandbox's PID 1 after clone3 until it has its order, which run_program then carries out.
// `descriptors`: report, cgroup files; `lifeline`: readable when the zygote has died.
_Noreturn void run_shell(const struct mz_park *request, const int *descriptors, size_t count, int lifeline);
// Where the descriptors of a shell stand; the cgroup files are closed once they are joined.
enum { REPORT = 3, LIFELINE, CGROUPS };
// Reports the failing step with errno and ends the sandbox.
_Noreturn void fail(int step);

// The most instructions of a filter (linux/filter.h, BPF_MAXINSNS), and the size of each.
enum { FILTER_INSTRUCTIONS_MAX = 4096, FILTER_INSTRUCTION_BYTES = 8 };

// An order that a shell got: its packet and what came along.
struct order {
    union {
        char bytes[MZ_PACKET_BYTES_MAX];
        struct mz_start start;
    } packet;
    int bundle;
};

// runner.c: puts the ordered program into the shell and lives as its init; never returns.
_Noreturn void run_program(const struct mz_park *shell, const struct order *order);

// overlay.c: /app with a throw-away layer over `bundle`; the tmpfs is at /.scratch.
int lay_overlay(int bundle, uid_t uid, gid_t gid);

// init.c: PID 1 of a sandbox: reaps everything, hands SIGTERM, SIGINT and SIGHUP on to `child`, dies with `lifeline`.
// With `orders` (-1: none) it stops and continues all the others in the sandbox as MZ_PAUSE and MZ_RESUME say.
// `denials` (NULL: none) are answered meanwhile. The answer is the child's wait status.
struct denials;
int block_init_signals(void);
int reap_until(pid_t child, int signals, int lifeline, int orders, struct denials *denials);
int open_init_signals(void);
// The filter of a runner's PID 1: what reap_until and one report need, nothing else.
int confine_init(void);

// denials.c: the calls that a telling filter stops: each waits until PID 1 of its sandbox has answered it.
struct denials {
    // The filter's; -1 where it tells nothing.
    int listener;
    int report;
    // MZ_SYSCALLS_MAX of `mz_answer`.
    const uint8_t *answers;
    bool told[MZ_SYSCALLS_MAX];
};
struct sock_fprog;
// Loads a filter for the caller; the answer is its listener.
int load_telling_filter(const struct sock_fprog *program);
// Whether filters can tell here: 0, or errno. Tries it in a child.
int try_telling(void);
// Where the kernel can, hands the processor over instead of waking another one: 5 µs a call and not 20.
void hasten_denials(const struct denials *denials);
// Answers the call that waits on the listener; false where the program is to be killed for it.
bool answer_denied(struct denials *denials);

// mounts.c
int make_directory(const char *path, mode_t mode);
int make_directories(const char *path);
int make_file(const char *path, mode_t mode, const char *text);
// A detached copy of the mounts at `path` with `attributes` (MOUNT_ATTR_*) set; the answer is its descriptor.
int clone_tree(const char *path, uint64_t attributes);
int attach_tree(int tree, const char *path);
int set_attributes(const char *path, unsigned flags, uint64_t attributes);
int mount_scratch(const char *path, uint64_t bytes, uint64_t inodes, const char *mode);
// A /dev of null, zero, full, random, urandom and the links to /proc/self/fd at `path`, which is empty.
int make_devices(const char *path, const int trees[]);
enum { DEVICES = 5 };
// Detached copies of the host's device nodes; they are closed by make_devices.
int clone_devices(int trees[]);

// privileges.c
int raise_loopback(void);
// Soft and hard limit; never above the hard limit that is in force.
int set_limit(int resource, uint64_t value);
// A new, empty session keyring: the keys of whoever started the node are not the sandbox's.
int leave_keyring(void);
// No capability can come back, no supplementary group; what is effective stays.
int drop_bounds(void);
// After drop_bounds: no capability in any set, the given ids, no new privileges, SIGKILL when the parent dies.
int become(uid_t uid, gid_t gid);
// Both.
int drop_privileges(uid_t uid, gid_t gid);
int reset_signals(void);
// clone3(2); the answer is 0 in the child, the pid in the parent, -1 with errno. `cgroup` is -1 or a v2 directory.
pid_t clone_sandbox(uint64_t namespaces, int *pidfd, int cgroup);

#endif
