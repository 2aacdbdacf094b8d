// box.c: `meridian-zygote box`, a sandbox for one build step: the host's files read-only, few of them writable.
#define _GNU_SOURCE
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
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

/// mount(2) numbers that <linux/mount.h> leaves to <sys/mount.h>.
enum { RECURSIVE_PRIVATE = (1 << 14) | (1 << 18) };
/// Files of a build's /tmp: one per 4 KiB of its size, this many at least.
enum { TMP_INODES_MIN = 4096 };
/// Masks hold mount points only; /dev holds names only.
enum { MASK_BYTES = 1 << 20, MASK_INODES = 1024 };

_Noreturn static void fail(int step, const char *what) {
    fprintf(stderr, "meridian-zygote box: cannot %s%s%s: %s\n", mz_step_words(step), *what == '\0' ? "" : ": ", what,
            strerror(errno));
    _exit(EXIT_SANDBOX);
}

static void join_cgroups(const struct box_list *cgroups) {
    for (int index = 0; index < cgroups->count; index++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/cgroup.procs", cgroups->items[index]);
        int members = open(path, O_WRONLY | O_CLOEXEC);
        if (members < 0 || write(members, "0", 1) != 1) fail(MZ_STEP_CGROUP, cgroups->items[index]);
        close(members);
    }
}

/// Detached copies, taken before anything is hidden or made read-only.
static void clone_trees(const struct box_list *directories, uint64_t attributes, int *trees) {
    for (int index = 0; index < directories->count; index++) {
        trees[index] = clone_tree(directories->items[index], attributes);
        if (trees[index] < 0) fail(MZ_STEP_BIND, directories->items[index]);
    }
}

static void attach_trees(const struct box_list *directories, const int *trees) {
    for (int index = 0; index < directories->count; index++) {
        const char *path = directories->items[index];
        if (make_directories(path) != 0 || attach_tree(trees[index], path) != 0) fail(MZ_STEP_BIND, path);
    }
}

static void mount_tmp(const struct box_options *options) {
    if (options->tmp_bytes == 0) return;
    const uint64_t inodes = options->tmp_bytes / 4096;
    if (mount_scratch("/tmp", options->tmp_bytes, inodes < TMP_INODES_MIN ? TMP_INODES_MIN : inodes, "1777") != 0)
        fail(MZ_STEP_SCRATCH, "/tmp");
    if (make_directory("/tmp/.shm", 01777) != 0) fail(MZ_STEP_SCRATCH, "/tmp/.shm");
}

/// Hides directories; one that is not there hides nothing and is passed over.
static void mount_masks(const struct box_list *masks, bool *present) {
    for (int index = 0; index < masks->count; index++) {
        struct stat status;
        present[index] = stat(masks->items[index], &status) == 0 && S_ISDIR(status.st_mode);
        if (!present[index]) continue;
        if (mount_scratch(masks->items[index], MASK_BYTES, MASK_INODES, "0755") != 0)
            fail(MZ_STEP_MASK, masks->items[index]);
    }
}

/// The order is the contract: masks hide, then --ro and --rw show again, then the masks themselves become read-only.
static void make_files(const struct box_options *options) {
    static int read_only[BOX_LIST_MAX], writable[BOX_LIST_MAX], devices[DEVICES];
    static bool masked[BOX_LIST_MAX];
    const uint64_t quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (mount(NULL, "/", NULL, RECURSIVE_PRIVATE, NULL) != 0) fail(MZ_STEP_ROOT, "/");
    clone_trees(&options->read_only, quiet | MOUNT_ATTR_RDONLY, read_only);
    clone_trees(&options->writable, quiet, writable);
    if (clone_devices(devices) != 0) fail(MZ_STEP_DEVICES, "/dev");
    if (set_attributes("/", AT_RECURSIVE, quiet | MOUNT_ATTR_RDONLY) != 0) fail(MZ_STEP_ROOT, "/");
    mount_tmp(options);
    mount_masks(&options->masks, masked);
    attach_trees(&options->read_only, read_only);
    attach_trees(&options->writable, writable);
    for (int index = 0; index < options->masks.count; index++) {
        if (masked[index] && set_attributes(options->masks.items[index], 0, quiet | MOUNT_ATTR_RDONLY) != 0)
            fail(MZ_STEP_MASK, options->masks.items[index]);
    }
    if (mount_scratch("/dev", MASK_BYTES, MASK_INODES, "0755") != 0 || make_devices("/dev", devices) != 0
        || set_attributes("/dev", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC) != 0)
        fail(MZ_STEP_DEVICES, "/dev");
    const unsigned long proc = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (mount("proc", "/proc", "proc", proc, "hidepid=2") != 0) fail(MZ_STEP_PROC, "/proc");
    // /proc/sys is guarded by owner alone: a box with --uid 0 could write the host's settings.
    if (set_attributes("/proc", 0, MOUNT_ATTR_RDONLY) != 0) fail(MZ_STEP_PROC, "/proc");
}

_Noreturn static void execute(struct box_options *options) {
    // A session of its own: a terminal of the caller's cannot be pushed input into.
    if (setsid() < 0 || reset_signals() != 0) fail(MZ_STEP_SIGNALS, "");
    umask(022);
    if (options->directory != NULL && chdir(options->directory) != 0) fail(MZ_STEP_DIRECTORY, options->directory);
    if (clearenv() != 0) fail(MZ_STEP_EXECUTE, "environment");
    for (int index = 0; index < options->environment.count; index++) {
        if (putenv(options->environment.items[index]) != 0) fail(MZ_STEP_EXECUTE, "environment");
    }
    execvp(options->command[0], options->command);
    fprintf(stderr, "meridian-zygote box: cannot execute %s: %s\n", options->command[0], strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

static int shell_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/// PID 1 of the box: sets it up, starts the command, stays until it ends; the kernel then kills the rest.
_Noreturn static void run_inside(struct box_options *options, int lifeline) {
    if (block_init_signals() != 0) fail(MZ_STEP_SIGNALS, "");
    if (!options->network && raise_loopback() != 0) fail(MZ_STEP_LOOPBACK, "");
    if (sethostname("build", strlen("build")) != 0) fail(MZ_STEP_HOSTNAME, "");
    make_files(options);
    if (set_limit(RLIMIT_CORE, 0) != 0) fail(MZ_STEP_LIMITS, "core");
    if (options->processes > 0 && set_limit(RLIMIT_NPROC, options->processes) != 0) fail(MZ_STEP_LIMITS, "pids");
    int signals = open_init_signals();
    if (signals < 0) fail(MZ_STEP_SIGNALS, "");
    if (drop_privileges(options->uid, options->gid) != 0) fail(MZ_STEP_PRIVILEGES, "");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail(MZ_STEP_PRIVILEGES, "");
    pid_t command = fork();
    if (command < 0) fail(MZ_STEP_EXECUTE, options->command[0]);
    if (command == 0) execute(options);
    _exit(shell_status(reap_until(command, signals, lifeline)));
}

int box(int argc, char **argv) {
    static struct box_options options = {.uid = BOX_NOBODY, .gid = BOX_NOBODY};
    if (!read_box_options(argc, argv, &options)) return EXIT_USAGE;
    pid_t parent = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail(MZ_STEP_SIGNALS, "");
    // The parent may have died before the line above.
    if (getppid() != parent) return EXIT_SANDBOX;
    join_cgroups(&options.cgroups);
    int lifeline[2], pidfd = -1;
    if (pipe2(lifeline, O_CLOEXEC) != 0 || block_init_signals() != 0) fail(MZ_STEP_DESCRIPTORS, "");
    const uint64_t namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    pid_t inside = clone_sandbox(namespaces | (options.network ? 0 : CLONE_NEWNET), &pidfd, -1);
    if (inside < 0) fail(MZ_STEP_NAMESPACES, "");
    if (inside == 0) {
        close(lifeline[1]);
        run_inside(&options, lifeline[0]);
    }
    int signals = open_init_signals();
    if (signals < 0) fail(MZ_STEP_SIGNALS, "");
    // lifeline[0] never ends here: this process holds the other end.
    return shell_status(reap_until(inside, signals, lifeline[0]));
}
