// clinux_builds.h: the system calls of MeridianBuilds that the Glibc module does not show.
#ifndef CLINUX_BUILDS_H
#define CLINUX_BUILDS_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

/// A pipe whose ends are closed on exec; 0, or -1 with errno (pipe2(2)).
static inline int clinux_builds_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

/// Opens `path` below `directory` without ever leaving it by `..` or symbolic links; -1 with errno (openat2(2)).
///
/// A link that leads out fails with EXDEV.
static inline int clinux_builds_open_beneath(int directory, const char *path, int flags) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned int)flags | O_CLOEXEC,
        .mode = 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

#endif
