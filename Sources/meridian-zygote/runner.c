// runner.c: a shell with its order, up to the end of the program. Everything here runs as PID 1 of the namespaces.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zygote.h"

/// Arguments and variables together; the packet bounds their bytes.
enum { STRINGS_MAX = 4096 };
_Static_assert(sizeof(struct sock_filter) == FILTER_INSTRUCTION_BYTES, "orders are measured by this size");

/// What the program's process is started with, and what it tells back through shared memory.
struct launch {
    const struct mz_start *start;
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

static void note(struct launch *launch, int step) {
    launch->step = step;
    launch->error = errno;
    _exit(EXIT_CANNOT_EXECUTE);
}

/// Runs in the program's process, which shares memory and descriptors with PID 1 until it executes.
static int execute(void *context) {
    struct launch *launch = context;
    // The zygote has reset the actions of all signals; only init's mask is in the way.
    sigset_t none;
    sigemptyset(&none);
    if (setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0) note(launch, MZ_STEP_SIGNALS);
    umask(022);
    if (chdir("/app") != 0) note(launch, MZ_STEP_DIRECTORY);
    struct sock_fprog program = {
        .len = (unsigned short)launch->start->filter_count,
        .filter = (struct sock_filter *)(uintptr_t)launch->filter,
    };
    const bool tells = (launch->start->flags & MZ_TELL) != 0;
    const int loaded = tells ? load_telling_filter(&program)
                             : (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    if (loaded < 0) note(launch, MZ_STEP_FILTER);
    // In the shared table: PID 1 keeps it when executing closes this process's copy.
    if (tells) launch->listener = loaded;
    execve(launch->path, launch->arguments, launch->environment);
    note(launch, MZ_STEP_EXECUTE);
    return 0;
}

/// Points into the order's text; its sizes were checked when it came.
static int read_strings(const struct mz_start *start) {
    launch.start = start;
    launch.filter = (const struct sock_filter *)(start + 1);
    char *text = (char *)(uintptr_t)(launch.filter + start->filter_count);
    char *end = text + start->text_bytes;
    if (start->argument_count >= STRINGS_MAX || start->environment_count >= STRINGS_MAX) return -1;
    const uint32_t count = 1 + start->argument_count + start->environment_count;
    for (uint32_t index = 0; index < count; index++) {
        char *stop = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
        if (stop == NULL) return -1;
        if (index == 0) launch.path = text;
        else if (index <= start->argument_count) launch.arguments[index - 1] = text;
        else launch.environment[index - 1 - start->argument_count] = text;
        text = stop + 1;
    }
    return text == end ? 0 : -1;
}

/// What only the order tells: the host name and what is at /app.
static void furnish(const struct mz_park *shell, const struct order *order) {
    const char *id = order->packet.start.id;
    if (sethostname(id, strnlen(id, MZ_ID_BYTES)) != 0) fail(MZ_STEP_HOSTNAME);
    if ((shell->flags & MZ_WRITABLE) != 0) {
        if (lay_overlay(order->bundle, shell->uid, shell->gid) != 0) fail(MZ_STEP_OVERLAY);
    } else if (attach_tree(order->bundle, "/app") != 0) {
        fail(MZ_STEP_BUNDLE);
    }
}

_Noreturn void run_program(const struct mz_park *shell, const struct order *order) {
    errno = EINVAL;
    if (read_strings(&order->packet.start) != 0) fail(MZ_STEP_REQUEST);
    furnish(shell, order);
    int signals = open_init_signals();
    if (signals < 0) fail(MZ_STEP_SIGNALS);
    if (become(shell->uid, shell->gid) != 0) fail(MZ_STEP_PRIVILEGES);
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
    struct mz_report report = {.kind = MZ_READY};
    if (mz_send(REPORT, &report, sizeof report, NULL, 0) != 0) fail(MZ_STEP_DESCRIPTORS);
    struct denials denials = {.listener = launch.listener, .report = REPORT, .answers = order->packet.start.answers};
    hasten_denials(&denials);
    if (confine_init() != 0) fail(MZ_STEP_FILTER);
    report = (struct mz_report){
        .kind = MZ_EXITED, .status = reap_until(program, signals, LIFELINE, REPORT, &denials)};
    // The zygote's MZ_GONE follows even where this cannot be sent.
    (void)mz_send(REPORT, &report, sizeof report, NULL, 0);
    _exit(WIFEXITED(report.status) ? WEXITSTATUS(report.status) : 128 + WTERMSIG(report.status));
}
