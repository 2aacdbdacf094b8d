// serve.c: the zygote of a node: makes a shell per request, reports each one's end, and takes all down with the node.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zygote.h"

/// One descriptor per runner, and their parking in a child: what hard limits have had since 2.6 (4096) is enough.
enum { DESCRIPTORS_MAX = DESCRIPTOR_PARKING + MZ_RUNNERS_MAX };

/// A shell or runner that lives.
struct slot {
    pid_t pid;
    int report;
    char id[MZ_ID_BYTES];
};

static struct slot slots[MZ_RUNNERS_MAX];
static int hierarchies[MZ_CGROUPS_MAX];
static size_t hierarchy_count;
static char cgroup_parent[MZ_ID_BYTES];
/// Both ends of a pipe that nobody writes: runners see its end when this process dies.
static int lifeline[2];
static union {
    char bytes[MZ_PACKET_BYTES_MAX];
    struct mz_hello hello;
    struct mz_park park;
} packet;

static struct slot *free_slot(void) {
    for (size_t index = 0; index < MZ_RUNNERS_MAX; index++) {
        if (slots[index].pid == 0) return &slots[index];
    }
    return NULL;
}

static void close_all(const int *descriptors, size_t count) {
    for (size_t index = 0; index < count; index++) close(descriptors[index]);
}

/// Reports can fail only when the node has gone or forgotten the runner; then the request socket says the rest.
static void send_report(int socket, const struct mz_report *report, const int *descriptor) {
    (void)mz_send(socket, report, sizeof *report, descriptor, descriptor == NULL ? 0 : 1);
}

static void refuse(int socket, int step, int error) {
    struct mz_report report = {.kind = MZ_FAILED, .step = step, .error = error};
    send_report(socket, &report, NULL);
    report = (struct mz_report){.kind = MZ_GONE};
    send_report(socket, &report, NULL);
}

static bool is_sound(const struct mz_park *park, size_t size, size_t descriptor_count) {
    if (size != sizeof *park || park->id[0] == '\0' || memchr(park->id, '\0', MZ_ID_BYTES) == NULL) return false;
    return (park->flags & MZ_CGROUP2) == 0 ? descriptor_count <= 1 + MZ_CGROUPS_MAX : descriptor_count == 2;
}

static void park(size_t size, const int *descriptors, size_t descriptor_count) {
    const struct mz_park *request = &packet.park;
    if (descriptor_count == 0) return;
    struct slot *slot = free_slot();
    if (!is_sound(request, size, descriptor_count) || slot == NULL) {
        refuse(descriptors[0], MZ_STEP_REQUEST, slot == NULL ? EAGAIN : EINVAL);
        close_all(descriptors, descriptor_count);
        return;
    }
    const uint64_t namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    int pidfd = -1;
    pid_t pid = clone_sandbox(namespaces, &pidfd, (request->flags & MZ_CGROUP2) != 0 ? descriptors[1] : -1);
    if (pid == 0) run_shell(request, descriptors, descriptor_count, lifeline[0]);
    if (pid < 0) {
        refuse(descriptors[0], MZ_STEP_NAMESPACES, errno);
        close_all(descriptors, descriptor_count);
        return;
    }
    slot->pid = pid;
    slot->report = descriptors[0];
    memcpy(slot->id, request->id, MZ_ID_BYTES);
    struct mz_report report = {.kind = MZ_SPAWNED, .pid = pid};
    send_report(slot->report, &report, &pidfd);
    close(pidfd);
    close_all(descriptors + 1, descriptor_count - 1);
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

/// Reaps every runner that has ended; with `options` 0 waits until none is left.
static void reap(int options) {
    int status = 0;
    struct rusage use;
    pid_t pid;
    while ((pid = wait4(-1, &status, options, &use)) > 0) {
        for (size_t index = 0; index < MZ_RUNNERS_MAX; index++) {
            if (slots[index].pid != pid) continue;
            struct mz_report report = {
                .kind = MZ_GONE,
                .pid = pid,
                .status = status,
                .processor_microseconds = microseconds(use.ru_utime) + microseconds(use.ru_stime),
                .memory_kibibytes_max = use.ru_maxrss,
            };
            send_report(slots[index].report, &report, NULL);
            close(slots[index].report);
            slots[index].pid = 0;
            // The id stays: its cgroup is removed with the node where the node could not do it.
        }
    }
}

static void remember_cgroups(const int *descriptors, size_t count) {
    if (hierarchy_count > 0 || count > MZ_CGROUPS_MAX || memchr(packet.hello.parent, '\0', MZ_ID_BYTES) == NULL) {
        close_all(descriptors, count);
        return;
    }
    memcpy(cgroup_parent, packet.hello.parent, MZ_ID_BYTES);
    memcpy(hierarchies, descriptors, count * sizeof(int));
    hierarchy_count = count;
}

/// The node has gone, so nobody else will: kills every runner, waits, removes their cgroups and the node's own.
static void take_down(void) {
    for (size_t index = 0; index < MZ_RUNNERS_MAX; index++) {
        if (slots[index].pid != 0) (void)kill(slots[index].pid, SIGKILL);
    }
    reap(0);
    for (size_t hierarchy = 0; hierarchy < hierarchy_count; hierarchy++) {
        for (size_t index = 0; index < MZ_RUNNERS_MAX; index++) {
            if (slots[index].id[0] == '\0') continue;
            char path[2 * MZ_ID_BYTES];
            snprintf(path, sizeof path, "%s/%s", cgroup_parent, slots[index].id);
            // ENOENT is usual (the node removed it); anything else is left for the next node's sweep.
            (void)unlinkat(hierarchies[hierarchy], path, AT_REMOVEDIR);
        }
        (void)unlinkat(hierarchies[hierarchy], cgroup_parent, AT_REMOVEDIR);
    }
}

/// Takes the one descriptor that matters, leaves the rest of the node's behind, and gets ready to make sandboxes.
static int prepare(int node, int *signals, int *step) {
    *step = MZ_STEP_DESCRIPTORS;
    if (node > 3 && (dup3(node, 3, O_CLOEXEC) < 0)) return -1;
    if (node == 3 && fcntl(3, F_SETFD, FD_CLOEXEC) != 0) return -1;
    if (syscall(SYS_close_range, 4, ~0U, 0) != 0 || pipe2(lifeline, O_CLOEXEC) != 0) return -1;
    *step = MZ_STEP_LIMITS;
    struct rlimit files;
    if (set_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX + 65536) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0) return -1;
    if (files.rlim_cur < DESCRIPTORS_MAX) {
        // Said now: the first runner would fail with EINVAL, which explains nothing.
        errno = EMFILE;
        return -1;
    }
    *step = MZ_STEP_SIGNALS;
    // The terminal's SIGINT is the node's to answer; this process ends with its socket.
    if (reset_signals() != 0 || block_init_signals() != 0) return -1;
    *signals = open_init_signals();
    if (*signals < 0) return -1;
    return enter_template(step);
}

int serve(int node) {
    prctl(PR_SET_NAME, "meridian-zygote", 0, 0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0) return EXIT_SANDBOX;
    int signals = -1, step = 0;
    struct mz_report report = {.kind = MZ_READY};
    if (prepare(node, &signals, &step) != 0) {
        report = (struct mz_report){.kind = MZ_FAILED, .step = step, .error = errno};
        send_report(step == MZ_STEP_DESCRIPTORS ? node : 3, &report, NULL);
        return EXIT_SANDBOX;
    }
    node = 3;
    report.error = try_telling();
    send_report(node, &report, NULL);
    for (;;) {
        struct pollfd watched[2] = {{.fd = node, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        if (poll(watched, 2, -1) < 0 && errno != EINTR) break;
        if (watched[1].revents != 0) {
            struct signalfd_siginfo received;
            bool ends = false;
            while (read(signals, &received, sizeof received) == (ssize_t)sizeof received) {
                if (received.ssi_signo == SIGTERM) ends = true;
            }
            reap(WNOHANG);
            if (ends) break;
        }
        if (watched[0].revents == 0) continue;
        int descriptors[MZ_DESCRIPTORS_MAX];
        size_t count = 0;
        ssize_t size = mz_receive(node, packet.bytes, sizeof packet.bytes, descriptors, &count, 0);
        if (size <= 0) break;
        if (packet.park.kind == MZ_PARK) park((size_t)size, descriptors, count);
        else if (packet.park.kind == MZ_HELLO && size == sizeof packet.hello) remember_cgroups(descriptors, count);
        else close_all(descriptors, count);
    }
    take_down();
    return 0;
}
