// overlay.c: /app as the program may change it: the bundle stays as it is below a layer that is thrown away.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zygote.h"

extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);

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
int lay_overlay(int bundle, uid_t uid, gid_t gid) {
    int mapping = open_mapping(uid, gid);
    if (mapping < 0) return -1;
    struct mount_attr attribute = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)mapping};
    if (syscall(SYS_mount_setattr, bundle, "", AT_EMPTY_PATH, &attribute, sizeof attribute) != 0) return -1;
    close(mapping);
    if (make_directory("/.scratch/lower", 0755) != 0 || make_directory("/.scratch/upper", 0755) != 0
        || make_directory("/.scratch/work", 0755) != 0)
        return -1;
    if (chown("/.scratch/upper", uid, gid) != 0) return -1;
    if (attach_tree(bundle, "/.scratch/lower") != 0) return -1;
    return mount("overlay", "/app", "overlay", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                 "lowerdir=/.scratch/lower,upperdir=/.scratch/upper,workdir=/.scratch/work");
}
