// mounts.c: files, directories and mounts that sandboxes are made of.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zygote.h"

// <sys/mount.h> and <linux/mount.h> do not go together in glibc before 2.37; mount(2) is all that is needed of it.
extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);

static const char *const device_names[DEVICES] = {"null", "zero", "full", "random", "urandom"};

int make_directory(const char *path, mode_t mode) {
    if (mkdir(path, mode) == 0) return chmod(path, mode);
    return errno == EEXIST ? 0 : -1;
}

int make_directories(const char *path) {
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(part, path, length + 1);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        // EROFS: an existing directory of a read-only file system reports it before EEXIST on some of them.
        if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EROFS) return -1;
        *slash = '/';
    }
    if (mkdir(part, 0755) == 0 || errno == EEXIST) return 0;
    struct stat status;
    int error = errno;
    if (stat(part, &status) == 0) return 0;
    errno = error;
    return -1;
}

int make_file(const char *path, mode_t mode, const char *text) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) return -1;
    size_t length = strlen(text);
    ssize_t written = write(file, text, length);
    int failed = written != (ssize_t)length || fchmod(file, mode) != 0;
    if (close(file) != 0) failed = 1;
    return failed ? -1 : 0;
}

int clone_tree(const char *path, uint64_t attributes) {
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0) return -1;
    struct mount_attr attribute = {.attr_set = attributes};
    if (attributes != 0
        && syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attribute, sizeof attribute) != 0) {
        int error = errno;
        close(tree);
        errno = error;
        return -1;
    }
    return tree;
}

int attach_tree(int tree, const char *path) {
    int failed = (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
    int error = errno;
    close(tree);
    errno = error;
    return failed;
}

int set_attributes(const char *path, unsigned flags, uint64_t attributes) {
    struct mount_attr attribute = {.attr_set = attributes};
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attribute, sizeof attribute);
}

int mount_scratch(const char *path, uint64_t bytes, uint64_t inodes, const char *mode) {
    char options[128];
    snprintf(options, sizeof options, "size=%llu,nr_inodes=%llu,mode=%s", (unsigned long long)bytes,
             (unsigned long long)inodes, mode);
    return mount("tmpfs", path, "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, options);
}

int clone_devices(int trees[]) {
    for (int index = 0; index < DEVICES; index++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/%s", device_names[index]);
        trees[index] = clone_tree(path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
        if (trees[index] < 0) return -1;
    }
    return 0;
}

int make_devices(const char *path, const int trees[]) {
    char entry[PATH_MAX];
    for (int index = 0; index < DEVICES; index++) {
        snprintf(entry, sizeof entry, "%s/%s", path, device_names[index]);
        if (make_file(entry, 0666, "") != 0 || attach_tree(trees[index], entry) != 0) return -1;
    }
    static const char *const links[][2] = {
        {"fd", "/proc/self/fd"},
        {"stdin", "/proc/self/fd/0"},
        {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"},
        {"shm", "/tmp/.shm"},
    };
    for (size_t index = 0; index < sizeof links / sizeof links[0]; index++) {
        snprintf(entry, sizeof entry, "%s/%s", path, links[index][0]);
        if (symlink(links[index][1], entry) != 0) return -1;
    }
    return 0;
}
