// clinux_process.h: what starting processes and telling the time need beyond the Glibc module.
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

#include <spawn.h>
#include <stdint.h>
#include <time.h>

/// The flag of posix_spawnattr_setflags(3) that starts a session; glibc declares it for GNU sources only.
enum { clinux_spawn_new_session = 0x80 };

/// Closes every descriptor from `first` on in the spawned program; 0 or an error number. glibc 2.34 declares it for GNU
/// sources only.
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// Milliseconds of a clock, CLOCK_REALTIME since 1970 or CLOCK_MONOTONIC since some start.
static inline int64_t clinux_milliseconds(clockid_t clock) {
    struct timespec now = {0, 0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
