// template.c: the read-only root that every runner's mount namespace is a copy of, made once and pivoted into.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zygote.h"

extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
extern int umount2(const char *target, int flags);
extern int unshare(int flags);

/// mount(2) numbers that <linux/mount.h> leaves to <sys/mount.h>.
enum { RECURSIVE_PRIVATE = (1 << 14) | (1 << 18), DETACH = 2 };

/// The new root is built on /tmp of the zygote's own namespace: it exists everywhere and nothing of it is needed.
#define ROOT "/tmp"
/// Names and links only; a megabyte is ample.
enum { ROOT_BYTES_MAX = 1 << 20, ROOT_INODES_MAX = 256 };

static const uint64_t read_only = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

/// Copies a symbolic link, or binds a directory or file read-only; what the host does not have is left out.
static int bring(const char *path) {
    struct stat status;
    if (lstat(path, &status) != 0) return errno == ENOENT ? 0 : -1;
    char target[PATH_MAX];
    snprintf(target, sizeof target, ROOT "%s", path);
    if (S_ISLNK(status.st_mode)) {
        char link[PATH_MAX];
        ssize_t length = readlink(path, link, sizeof link - 1);
        if (length < 0) return -1;
        link[length] = '\0';
        return symlink(link, target);
    }
    int made = S_ISDIR(status.st_mode) ? make_directory(target, 0755) : make_file(target, 0644, "");
    if (made != 0) return -1;
    int tree = clone_tree(path, read_only);
    return tree < 0 ? -1 : attach_tree(tree, target);
}

static int bring_system(void) {
    static const char *const paths[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    for (size_t index = 0; index < sizeof paths / sizeof paths[0]; index++) {
        if (bring(paths[index]) != 0) return -1;
    }
    if (make_directory(ROOT "/etc", 0755) != 0) return -1;
    static const char *const settings[] = {"/etc/ld.so.cache", "/etc/ssl", "/etc/localtime", "/etc/alternatives"};
    for (size_t index = 0; index < sizeof settings / sizeof settings[0]; index++) {
        if (bring(settings[index]) != 0) return -1;
    }
    static const char *const files[][2] = {
        {ROOT "/etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\napp:x:1:1:app:/home/app:/usr/sbin/nologin\n"},
        {ROOT "/etc/group", "root:x:0:\napp:x:1:\n"},
        {ROOT "/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
        {ROOT "/etc/resolv.conf", "# A runner has no network beyond its loopback interface.\n"},
        {ROOT "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
    };
    for (size_t index = 0; index < sizeof files / sizeof files[0]; index++) {
        if (make_file(files[index][0], 0644, files[index][1]) != 0) return -1;
    }
    return 0;
}

static int make_places(void) {
    static const char *const places[] = {
        ROOT "/proc", ROOT "/tmp", ROOT "/app", ROOT "/home", ROOT "/var", ROOT "/run", ROOT "/dev"};
    for (size_t index = 0; index < sizeof places / sizeof places[0]; index++) {
        if (make_directory(places[index], 0755) != 0) return -1;
    }
    // Where the tmpfs lies when a writable layer needs a corner of it that the program must not reach.
    if (make_directory(ROOT "/.scratch", 0700) != 0) return -1;
    if (symlink("/tmp/.home", ROOT "/home/app") != 0) return -1;
    return symlink("/tmp", ROOT "/var/tmp");
}

int enter_template(int *step) {
    *step = MZ_STEP_NAMESPACES;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, RECURSIVE_PRIVATE, NULL) != 0) return -1;
    *step = MZ_STEP_ROOT;
    if (mount_scratch(ROOT, ROOT_BYTES_MAX, ROOT_INODES_MAX, "0755") != 0 || make_places() != 0) return -1;
    *step = MZ_STEP_SYSTEM_DIRECTORIES;
    if (bring_system() != 0) return -1;
    *step = MZ_STEP_DEVICES;
    int devices[DEVICES];
    if (clone_devices(devices) != 0 || make_devices(ROOT "/dev", devices) != 0) return -1;
    *step = MZ_STEP_ROOT;
    // pivot_root(2), "pivot_root(".", ".")": the old root ends on top of the new one and is taken off.
    if (chdir(ROOT) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", DETACH) != 0) return -1;
    if (chdir("/") != 0) return -1;
    return set_attributes("/", 0, read_only);
}
