// clinux_git.h: the system calls of MeridianGit that the Glibc module does not show.
#ifndef CLINUX_GIT_H
#define CLINUX_GIT_H

#include <sys/syscall.h>
#include <unistd.h>

/// A file in memory that is closed on exec; -1 with errno (memfd_create(2)).
static inline int clinux_git_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1U); }

#endif
