// box_files.c: what a build sees of the host's files: all read-only, some hidden, few writable.
#define _GNU_SOURCE
#include "box.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "zygote.h"

extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);

/// mount(2) numbers that <linux/mount.h> leaves to <sys/mount.h>.
enum { RECURSIVE_PRIVATE = (1 << 14) | (1 << 18) };
/// Files of a build's /tmp: one per 4 KiB of its size, this many at least.
enum { TMP_INODES_MIN = 4096 };
/// Masks hold mount points only; /dev holds names only.
enum { MASK_BYTES = 1 << 20, MASK_INODES = 1024 };
/// Where the host's services have their sockets and tokens; a read-only mount does not stop connecting to them.
#define RUN "/run"

/// The host's resolver configuration.
struct resolver {
    /// -1: none to take along.
    int tree;
    char path[PATH_MAX];
};

/// Detached copies, taken before anything is hidden or made read-only.
static void clone_trees(const struct box_list *directories, uint64_t attributes, int *trees) {
    for (int index = 0; index < directories->count; index++) {
        trees[index] = clone_tree(directories->items[index], attributes);
        if (trees[index] < 0) box_fail(MZ_STEP_BIND, directories->items[index]);
    }
}

static void attach_trees(const struct box_list *directories, const int *trees) {
    for (int index = 0; index < directories->count; index++) {
        const char *path = directories->items[index];
        if (make_directories(path) != 0 || attach_tree(trees[index], path) != 0) box_fail(MZ_STEP_BIND, path);
    }
}

static void mount_tmp(const struct box_options *options) {
    if (options->tmp_bytes == 0) return;
    const uint64_t inodes = options->tmp_bytes / 4096;
    if (mount_scratch("/tmp", options->tmp_bytes, inodes < TMP_INODES_MIN ? TMP_INODES_MIN : inodes, "1777") != 0)
        box_fail(MZ_STEP_SCRATCH, "/tmp");
    if (make_directory("/tmp/.shm", 01777) != 0) box_fail(MZ_STEP_SCRATCH, "/tmp/.shm");
}

/// Hides directories; one that is not there hides nothing and is passed over.
static void mount_masks(const struct box_list *masks, bool *present) {
    for (int index = 0; index < masks->count; index++) {
        struct stat status;
        present[index] = stat(masks->items[index], &status) == 0 && S_ISDIR(status.st_mode);
        if (!present[index]) continue;
        if (mount_scratch(masks->items[index], MASK_BYTES, MASK_INODES, "0755") != 0)
            box_fail(MZ_STEP_MASK, masks->items[index]);
    }
}

/// Takes along the file behind /etc/resolv.conf where it lies in RUN (systemd-resolved, NetworkManager).
static void clone_resolver(struct resolver *resolver) {
    // Not there: then there is nothing to take along, and names are resolved by /etc/hosts alone.
    if (realpath("/etc/resolv.conf", resolver->path) == NULL) return;
    if (strncmp(resolver->path, RUN "/", sizeof RUN) != 0) return;
    resolver->tree = clone_tree(resolver->path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
    if (resolver->tree < 0) box_fail(MZ_STEP_BIND, resolver->path);
}

/// Hides RUN, where services have their sockets, but for the resolver's file; false where the host has no RUN.
static bool hide_run(const struct resolver *resolver) {
    struct stat status;
    if (stat(RUN, &status) != 0 || !S_ISDIR(status.st_mode)) return false;
    if (mount_scratch(RUN, MASK_BYTES, MASK_INODES, "0755") != 0) box_fail(MZ_STEP_MASK, RUN);
    if (resolver->tree < 0) return true;
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s", resolver->path);
    *strrchr(directory, '/') = '\0';
    if (make_directories(directory) != 0 || make_file(resolver->path, 0644, "") != 0
        || attach_tree(resolver->tree, resolver->path) != 0)
        box_fail(MZ_STEP_BIND, resolver->path);
    return true;
}

/// The order is the contract: masks hide, then --ro and --rw show again, then the masks themselves become read-only.
void make_box_files(const struct box_options *options) {
    static int read_only[BOX_LIST_MAX], writable[BOX_LIST_MAX], devices[DEVICES];
    static bool masked[BOX_LIST_MAX];
    struct resolver resolver = {.tree = -1};
    const uint64_t quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (mount(NULL, "/", NULL, RECURSIVE_PRIVATE, NULL) != 0) box_fail(MZ_STEP_ROOT, "/");
    clone_trees(&options->read_only, quiet | MOUNT_ATTR_RDONLY, read_only);
    clone_trees(&options->writable, quiet, writable);
    if (clone_devices(devices) != 0) box_fail(MZ_STEP_DEVICES, "/dev");
    if (options->network) clone_resolver(&resolver);
    if (set_attributes("/", AT_RECURSIVE, quiet | MOUNT_ATTR_RDONLY) != 0) box_fail(MZ_STEP_ROOT, "/");
    mount_tmp(options);
    mount_masks(&options->masks, masked);
    const bool hides_run = hide_run(&resolver);
    attach_trees(&options->read_only, read_only);
    attach_trees(&options->writable, writable);
    for (int index = 0; index < options->masks.count; index++) {
        if (masked[index] && set_attributes(options->masks.items[index], 0, quiet | MOUNT_ATTR_RDONLY) != 0)
            box_fail(MZ_STEP_MASK, options->masks.items[index]);
    }
    if (hides_run && set_attributes(RUN, 0, quiet | MOUNT_ATTR_RDONLY) != 0) box_fail(MZ_STEP_MASK, RUN);
    if (mount_scratch("/dev", MASK_BYTES, MASK_INODES, "0755") != 0 || make_devices("/dev", devices) != 0
        || set_attributes("/dev", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC) != 0)
        box_fail(MZ_STEP_DEVICES, "/dev");
    const unsigned long proc = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (mount("proc", "/proc", "proc", proc, "hidepid=2") != 0) box_fail(MZ_STEP_PROC, "/proc");
    // /proc/sys is guarded by owner alone: a box with --uid 0 could write the host's settings.
    if (set_attributes("/proc", 0, MOUNT_ATTR_RDONLY) != 0) box_fail(MZ_STEP_PROC, "/proc");
}
