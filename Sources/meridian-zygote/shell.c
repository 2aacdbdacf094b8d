// shell.c: an empty sandbox: namespaces, limits and private mounts are made, then it waits for the program to run.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zygote.h"

extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);

/// Written by the kernel only as far as an order reaches.
static struct order order;

_Noreturn void fail(int step) {
    struct mz_report report = {.kind = MZ_FAILED, .step = step, .error = errno};
    // The zygote's MZ_GONE follows even where this cannot be sent.
    (void)mz_send(REPORT, &report, sizeof report, NULL, 0);
    _exit(EXIT_SANDBOX);
}

/// Closes all but the wanted descriptors and puts them in their places; 0, 1 and 2 are /dev/null.
static int arrange_descriptors(const int *descriptors, size_t count, int lifeline) {
    int wanted[MZ_DESCRIPTORS_MAX + 1];
    size_t kept = 0;
    wanted[kept++] = descriptors[0];
    wanted[kept++] = lifeline;
    for (size_t index = 1; index < count; index++) wanted[kept++] = descriptors[index];
    for (size_t index = 0; index < kept; index++) {
        wanted[index] = fcntl(wanted[index], F_DUPFD_CLOEXEC, DESCRIPTOR_PARKING);
        if (wanted[index] < 0) return -1;
    }
    if (syscall(SYS_close_range, 3, DESCRIPTOR_PARKING - 1, 0) != 0) return -1;
    for (size_t index = 0; index < kept; index++) {
        if (dup3(wanted[index], REPORT + (int)index, O_CLOEXEC) < 0) return -1;
    }
    if (syscall(SYS_close_range, REPORT + (unsigned)kept, ~0U, 0) != 0) return -1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) return -1;
    return close(null);
}

/// Writing 0 to a v1 `tasks` file moves the caller without the lock that makes `cgroup.procs` take milliseconds.
static int join_cgroups(size_t count) {
    for (size_t index = 0; index < count; index++) {
        if (write(CGROUPS + (int)index, "0", 1) != 1) return -1;
        close(CGROUPS + (int)index);
    }
    // After joining, so that the runner's own cgroup is the root it sees; EINVAL: a kernel without.
    if (unshare(CLONE_NEWCGROUP) != 0 && errno != EINVAL) return -1;
    return 0;
}

static int mount_tmp(const struct mz_park *request) {
    const bool hidden = (request->flags & MZ_WRITABLE) != 0;
    const char *place = hidden ? "/.scratch" : "/tmp";
    if (mount_scratch(place, request->scratch_bytes, request->scratch_inodes, hidden ? "0700" : "1777") != 0) return -1;
    if (hidden) {
        if (make_directory("/.scratch/tmp", 01777) != 0) return -1;
        int tree = clone_tree("/.scratch/tmp", 0);
        if (tree < 0 || attach_tree(tree, "/tmp") != 0) return -1;
    }
    if (make_directory("/tmp/.home", 0700) != 0 || make_directory("/tmp/.shm", 01777) != 0) return -1;
    return chown("/tmp/.home", request->uid, request->gid);
}

static int set_limits(const struct mz_park *request) {
    // 1, not 0: where the host's core_pattern is a pipe only 1 keeps a crash from the host's handler (core(5) in the
    // kernel: do_coredump), and it is too little for a file as well. The filter keeps the program from changing it.
    if (set_limit(RLIMIT_CORE, 1) != 0 || set_limit(RLIMIT_NOFILE, request->descriptors) != 0) return -1;
    if (request->processes != 0 && set_limit(RLIMIT_NPROC, request->processes) != 0) return -1;
    if (set_limit(RLIMIT_MSGQUEUE, 0) != 0) return -1;
    return request->data_bytes == 0 ? 0 : set_limit(RLIMIT_DATA, request->data_bytes);
}

static void make_sandbox(const struct mz_park *request, size_t cgroups) {
    if (join_cgroups(cgroups) != 0) fail(MZ_STEP_CGROUP);
    if (raise_loopback() != 0) fail(MZ_STEP_LOOPBACK);
    const unsigned long proc = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (mount("proc", "/proc", "proc", proc, "hidepid=2,subset=pid") != 0) fail(MZ_STEP_PROC);
    if (mount_tmp(request) != 0) fail(MZ_STEP_SCRATCH);
    if (set_limits(request) != 0) fail(MZ_STEP_LIMITS);
    // What does not hinder the mount of the bundle is dropped while nobody waits.
    if (leave_keyring() != 0 || drop_bounds() != 0) fail(MZ_STEP_PRIVILEGES);
}

static void report_parked(void) {
    struct mz_report report = {.kind = MZ_PARKED};
    int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (network < 0) fail(MZ_STEP_PROC);
    if (mz_send(REPORT, &report, sizeof report, &network, 1) != 0) fail(MZ_STEP_DESCRIPTORS);
    close(network);
}

/// Waits for the order and puts the program's output in its place; ends with the node's interest or the zygote.
static void await_order(void) {
    struct pollfd watched[2] = {{.fd = REPORT, .events = POLLIN}, {.fd = LIFELINE, .events = POLLIN}};
    while (poll(watched, 2, -1) < 0) {
        if (errno != EINTR) fail(MZ_STEP_REQUEST);
    }
    if (watched[0].revents == 0) _exit(EXIT_SANDBOX);
    int descriptors[MZ_DESCRIPTORS_MAX];
    size_t count = 0;
    ssize_t size = mz_receive(REPORT, order.packet.bytes, sizeof order.packet.bytes, descriptors, &count, 0);
    // 0: the node has let go of a shell that it does not need.
    if (size == 0) _exit(0);
    if (size < 0) fail(MZ_STEP_REQUEST);
    const struct mz_start *start = &order.packet.start;
    errno = EINVAL;
    // Without a filter nothing would be denied: never run a program so.
    if ((size_t)size < sizeof *start || start->kind != MZ_START || count != 3 || start->filter_count == 0
        || memchr(start->id, '\0', MZ_ID_BYTES) == NULL || start->filter_count > FILTER_INSTRUCTIONS_MAX
        || (size_t)size != sizeof *start + start->filter_count * FILTER_INSTRUCTION_BYTES + start->text_bytes)
        fail(MZ_STEP_REQUEST);
    if (dup2(descriptors[0], 1) < 0 || dup2(descriptors[1], 2) < 0) fail(MZ_STEP_DESCRIPTORS);
    close(descriptors[0]);
    close(descriptors[1]);
    order.bundle = descriptors[2];
}

_Noreturn void run_shell(const struct mz_park *request, const int *descriptors, size_t count, int lifeline) {
    // The report may have to be sent before the descriptors stand where they belong.
    if (dup2(descriptors[0], REPORT) < 0) _exit(EXIT_SANDBOX);
    const size_t cgroups = (request->flags & MZ_CGROUP2) != 0 ? 0 : count - 1;
    if (arrange_descriptors(descriptors, 1 + cgroups, lifeline) != 0) fail(MZ_STEP_DESCRIPTORS);
    if (block_init_signals() != 0) fail(MZ_STEP_SIGNALS);
    make_sandbox(request, cgroups);
    report_parked();
    await_order();
    run_program(request, &order);
}
