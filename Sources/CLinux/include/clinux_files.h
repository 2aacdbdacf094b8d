// clinux_files.h: file calls whose constants are macros that Swift cannot see.
#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include <fcntl.h>
#include <sys/stat.h>

/// Sets a file's access time to now and leaves its time of writing (utimensat(2)); 0, or -1 with errno.
static inline int clinux_mark_used(const char *path) {
    const struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_NOW}, {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
    return utimensat(AT_FDCWD, path, times, 0);
}

#endif
