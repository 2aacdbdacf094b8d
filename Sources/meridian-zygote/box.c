// box.c: `meridian-zygote box`, a sandbox for one build step: the host's files read-only, few of them writable.
#define _GNU_SOURCE
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
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

_Noreturn void box_fail(int step, const char *what) {
    fprintf(stderr, "meridian-zygote box: cannot %s%s%s: %s\n", mz_step_words(step), *what == '\0' ? "" : ": ", what,
            strerror(errno));
    _exit(EXIT_SANDBOX);
}

static void join_cgroups(const struct box_list *cgroups) {
    for (int index = 0; index < cgroups->count; index++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/cgroup.procs", cgroups->items[index]);
        int members = open(path, O_WRONLY | O_CLOEXEC);
        if (members < 0 || write(members, "0", 1) != 1) box_fail(MZ_STEP_CGROUP, cgroups->items[index]);
        close(members);
    }
}

_Noreturn static void execute(struct box_options *options) {
    // A session of its own: a terminal of the caller's cannot be pushed input into.
    if (setsid() < 0 || reset_signals() != 0) box_fail(MZ_STEP_SIGNALS, "");
    umask(022);
    if (confine_build() != 0) box_fail(MZ_STEP_FILTER, "");
    if (options->directory != NULL && chdir(options->directory) != 0) box_fail(MZ_STEP_DIRECTORY, options->directory);
    if (clearenv() != 0) box_fail(MZ_STEP_EXECUTE, "environment");
    for (int index = 0; index < options->environment.count; index++) {
        if (putenv(options->environment.items[index]) != 0) box_fail(MZ_STEP_EXECUTE, "environment");
    }
    execvp(options->command[0], options->command);
    const int error = errno;
    fprintf(stderr, "meridian-zygote box: cannot execute %s: %s\n", options->command[0], strerror(error));
    _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

static int shell_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/// PID 1 of the box: sets it up, starts the command, stays until it ends; the kernel then kills the rest.
_Noreturn static void run_inside(struct box_options *options, int lifeline) {
    if (block_init_signals() != 0) box_fail(MZ_STEP_SIGNALS, "");
    if (!options->network && raise_loopback() != 0) box_fail(MZ_STEP_LOOPBACK, "");
    if (sethostname("build", strlen("build")) != 0) box_fail(MZ_STEP_HOSTNAME, "");
    make_box_files(options);
    // 1, as in a runner: 0 would not keep a crash from a core_pattern that is a pipe.
    if (set_limit(RLIMIT_CORE, 1) != 0) box_fail(MZ_STEP_LIMITS, "core");
    if (options->processes > 0 && set_limit(RLIMIT_NPROC, options->processes) != 0) box_fail(MZ_STEP_LIMITS, "pids");
    int signals = open_init_signals();
    if (signals < 0) box_fail(MZ_STEP_SIGNALS, "");
    if (leave_keyring() != 0 || drop_privileges(options->uid, options->gid) != 0) box_fail(MZ_STEP_PRIVILEGES, "");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) box_fail(MZ_STEP_PRIVILEGES, "");
    pid_t command = fork();
    if (command < 0) box_fail(MZ_STEP_EXECUTE, options->command[0]);
    if (command == 0) execute(options);
    _exit(shell_status(reap_until(command, signals, lifeline, -1, NULL)));
}

int box(int argc, char **argv) {
    static struct box_options options = {.uid = BOX_NOBODY, .gid = BOX_NOBODY};
    if (!read_box_options(argc, argv, &options)) return EXIT_USAGE;
    // What the caller left open by mistake is not the build's.
    if (syscall(SYS_close_range, 3, ~0U, 0) != 0) box_fail(MZ_STEP_DESCRIPTORS, "");
    pid_t parent = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) box_fail(MZ_STEP_SIGNALS, "");
    // The parent may have died before the line above.
    if (getppid() != parent) return EXIT_SANDBOX;
    join_cgroups(&options.cgroups);
    int lifeline[2], pidfd = -1;
    if (pipe2(lifeline, O_CLOEXEC) != 0 || block_init_signals() != 0) box_fail(MZ_STEP_DESCRIPTORS, "");
    const uint64_t namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    pid_t inside = clone_sandbox(namespaces | (options.network ? 0 : CLONE_NEWNET), &pidfd, -1);
    if (inside < 0) box_fail(MZ_STEP_NAMESPACES, "");
    if (inside == 0) {
        close(lifeline[1]);
        run_inside(&options, lifeline[0]);
    }
    int signals = open_init_signals();
    if (signals < 0) box_fail(MZ_STEP_SIGNALS, "");
    // lifeline[0] never ends here: this process holds the other end.
    return shell_status(reap_until(inside, signals, lifeline[0], -1, NULL));
}
