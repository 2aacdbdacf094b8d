// runner.c: one runner from clone3 to the end of its program. Everything here runs as PID 1 of the new namespaces.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zygote.h"

extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);

/// Where the descriptors of a runner stand after arrange_descriptors.
enum { REPORT = 3, LIFELINE, BUNDLE, CGROUPS };
/// Arguments and variables together; the packet bounds their bytes.
enum { STRINGS_MAX = 4096 };

/// What the program's process is started with, and what it tells back through shared memory.
struct launch {
    const struct mz_start *request;
    const struct sock_filter *filter;
    const char *path;
    char *arguments[STRINGS_MAX];
    char *environment[STRINGS_MAX];
    int step;
    int error;
    int listener;
};

static struct launch launch;
/// The stack of the program's process until it executes: calls there are few and shallow.
static char launch_stack[65536] __attribute__((aligned(16)));

_Noreturn static void fail(int step) {
    struct mz_report report = {.kind = MZ_FAILED, .step = step, .error = errno};
    // The zygote's MZ_GONE follows even where this cannot be sent.
    (void)mz_send(REPORT, &report, sizeof report, NULL, 0);
    _exit(EXIT_SANDBOX);
}

/// Closes all but the wanted descriptors and puts them in their places; 0 is /dev/null, 1 and 2 the log pipes.
static int arrange_descriptors(const int *descriptors, size_t count, int lifeline) {
    int wanted[MZ_DESCRIPTORS_MAX];
    size_t kept = 0;
    wanted[kept++] = descriptors[0];
    wanted[kept++] = lifeline;
    for (size_t index = 3; index < count; index++) wanted[kept++] = descriptors[index];
    if (dup2(descriptors[1], 1) < 0 || dup2(descriptors[2], 2) < 0) return -1;
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
    if (null < 0 || dup2(null, 0) < 0) return -1;
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

/// A user namespace that maps the bundle's owner (root) to the runner's ids; the answer is its descriptor.
static int open_mapping(uid_t uid, gid_t gid) {
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) != 0) return -1;
    int pidfd = -1;
    pid_t holder = clone_sandbox(CLONE_NEWUSER, &pidfd, -1);
    if (holder < 0) return -1;
    if (holder == 0) {
        char byte;
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) < 0);
    }
    close(gate[0]);
    int namespace = -1;
    static const char *const files[] = {"uid_map", "gid_map"};
    const unsigned ids[] = {uid, gid};
    for (int index = 0; index < 2; index++) {
        char path[64], line[64];
        snprintf(path, sizeof path, "/proc/%d/%s", holder, files[index]);
        int length = snprintf(line, sizeof line, "0 %u 1\n", ids[index]);
        int map = open(path, O_WRONLY | O_CLOEXEC);
        if (map < 0 || write(map, line, (size_t)length) != length || close(map) != 0) goto out;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", holder);
    namespace = open(path, O_RDONLY | O_CLOEXEC);
out:;
    int error = errno;
    close(gate[1]);
    waitpid(holder, NULL, 0);
    close(pidfd);
    errno = error;
    return namespace;
}

/// /app with a throw-away layer: the bundle below, owned by the runner through an id-mapped mount, the tmpfs above.
static int lay_overlay(const struct mz_start *request) {
    int mapping = open_mapping(request->uid, request->gid);
    if (mapping < 0) return -1;
    struct mount_attr attribute = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)mapping};
    if (syscall(SYS_mount_setattr, BUNDLE, "", AT_EMPTY_PATH, &attribute, sizeof attribute) != 0) return -1;
    close(mapping);
    if (make_directory("/.scratch/lower", 0755) != 0 || make_directory("/.scratch/upper", 0755) != 0
        || make_directory("/.scratch/work", 0755) != 0)
        return -1;
    if (chown("/.scratch/upper", request->uid, request->gid) != 0) return -1;
    if (attach_tree(BUNDLE, "/.scratch/lower") != 0) return -1;
    return mount("overlay", "/app", "overlay", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                 "lowerdir=/.scratch/lower,upperdir=/.scratch/upper,workdir=/.scratch/work");
}

static int mount_tmp(const struct mz_start *request) {
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

static int set_limits(const struct mz_start *request) {
    if (set_limit(RLIMIT_CORE, 0) != 0 || set_limit(RLIMIT_NOFILE, request->descriptors) != 0) return -1;
    if (request->processes != 0 && set_limit(RLIMIT_NPROC, request->processes) != 0) return -1;
    if (set_limit(RLIMIT_MSGQUEUE, 0) != 0) return -1;
    return request->data_bytes == 0 ? 0 : set_limit(RLIMIT_DATA, request->data_bytes);
}

static void note(struct launch *launch, int step) {
    launch->step = step;
    launch->error = errno;
    _exit(EXIT_CANNOT_EXECUTE);
}

/// Runs in the program's process, which shares memory and descriptors with PID 1 until it executes.
static int execute(void *context) {
    struct launch *launch = context;
    if (setsid() < 0 || reset_signals() != 0) note(launch, MZ_STEP_SIGNALS);
    umask(022);
    if (chdir("/app") != 0) note(launch, MZ_STEP_DIRECTORY);
    struct sock_fprog program = {
        .len = (unsigned short)launch->request->filter_count,
        .filter = (struct sock_filter *)(uintptr_t)launch->filter,
    };
    const bool notify = (launch->request->flags & MZ_NOTIFY) != 0;
    unsigned flags = notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    long loaded = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (loaded < 0) note(launch, MZ_STEP_FILTER);
    // In the shared table: PID 1 keeps it when executing closes this process's copy.
    if (notify) launch->listener = (int)loaded;
    execve(launch->path, launch->arguments, launch->environment);
    note(launch, MZ_STEP_EXECUTE);
    return 0;
}

/// Points into the request's text; the counts were checked against their bounds by the zygote.
static int read_strings(const struct mz_start *request, const void *payload) {
    launch.request = request;
    launch.filter = payload;
    char *text = (char *)(uintptr_t)payload + request->filter_count * sizeof(struct sock_filter);
    char *end = text + request->text_bytes;
    if (request->argument_count >= STRINGS_MAX || request->environment_count >= STRINGS_MAX) return -1;
    const uint32_t count = 1 + request->argument_count + request->environment_count;
    for (uint32_t index = 0; index < count; index++) {
        char *stop = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
        if (stop == NULL) return -1;
        if (index == 0) launch.path = text;
        else if (index <= request->argument_count) launch.arguments[index - 1] = text;
        else launch.environment[index - 1 - request->argument_count] = text;
        text = stop + 1;
    }
    return text == end ? 0 : -1;
}

static void make_sandbox(const struct mz_start *request, size_t cgroups) {
    if (join_cgroups(cgroups) != 0) fail(MZ_STEP_CGROUP);
    if (raise_loopback() != 0) fail(MZ_STEP_LOOPBACK);
    if (sethostname(request->id, strnlen(request->id, MZ_ID_BYTES)) != 0) fail(MZ_STEP_HOSTNAME);
    const unsigned long proc = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (mount("proc", "/proc", "proc", proc, "hidepid=2,subset=pid") != 0) fail(MZ_STEP_PROC);
    if (mount_tmp(request) != 0) fail(MZ_STEP_SCRATCH);
    if ((request->flags & MZ_WRITABLE) != 0) {
        if (lay_overlay(request) != 0) fail(MZ_STEP_OVERLAY);
    } else if (attach_tree(BUNDLE, "/app") != 0) {
        fail(MZ_STEP_BUNDLE);
    }
    if (set_limits(request) != 0) fail(MZ_STEP_LIMITS);
}

_Noreturn void run_runner(
    const struct mz_start *request, const void *payload, const int *descriptors, size_t count, int lifeline) {
    // The report may have to be sent before the descriptors stand where they belong.
    if (dup2(descriptors[0], REPORT) < 0) _exit(EXIT_SANDBOX);
    const size_t cgroups = (request->flags & MZ_CGROUP2) != 0 ? 0 : count - 4;
    errno = EINVAL;
    if (read_strings(request, payload) != 0) fail(MZ_STEP_REQUEST);
    if (arrange_descriptors(descriptors, 4 + cgroups, lifeline) != 0) fail(MZ_STEP_DESCRIPTORS);
    if (block_init_signals() != 0) fail(MZ_STEP_SIGNALS);
    make_sandbox(request, cgroups);
    int signals = open_init_signals();
    if (signals < 0) fail(MZ_STEP_SIGNALS);
    int ready[2] = {open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), -1};
    if (ready[0] < 0) fail(MZ_STEP_PROC);
    if (leave_keyring() != 0 || drop_privileges(request->uid, request->gid) != 0) fail(MZ_STEP_PRIVILEGES);
    // The program has the same user id: without this it could write PID 1's memory, which no filter of its own guards.
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail(MZ_STEP_PRIVILEGES);

    launch.listener = -1;
    pid_t program = clone(
        execute, launch_stack + sizeof launch_stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &launch);
    if (program < 0) fail(MZ_STEP_EXECUTE);
    if (launch.step != 0) {
        errno = launch.error;
        fail(launch.step);
    }
    ready[1] = launch.listener;
    struct mz_report report = {.kind = MZ_READY};
    if (mz_send(REPORT, &report, sizeof report, ready, ready[1] < 0 ? 1 : 2) != 0) fail(MZ_STEP_DESCRIPTORS);
    close(ready[0]);
    if (ready[1] >= 0) close(ready[1]);
    if (confine_init() != 0) fail(MZ_STEP_FILTER);
    report = (struct mz_report){.kind = MZ_EXITED, .status = reap_until(program, signals, LIFELINE)};
    // The zygote's MZ_GONE follows even where this cannot be sent.
    (void)mz_send(REPORT, &report, sizeof report, NULL, 0);
    _exit(WIFEXITED(report.status) ? WEXITSTATUS(report.status) : 128 + WTERMSIG(report.status));
}
