// box.h: what one build box is asked for.
#ifndef MERIDIAN_BOX_H
#define MERIDIAN_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Directories per option, variables, cgroups: a build needs a handful; a list past this is a mistake.
enum { BOX_LIST_MAX = 256 };

/// The ids without --uid and --gid: nobody's, who owns no file.
enum { BOX_NOBODY = 65534 };

struct box_list {
    char *items[BOX_LIST_MAX + 1];
    int count;
};

struct box_options {
    struct box_list masks, read_only, writable, environment, cgroups;
    const char *directory;
    bool network;
    /// 0: the host's /tmp, read-only.
    uint64_t tmp_bytes;
    /// RLIMIT_NPROC; 0: as inherited.
    uint64_t processes;
    uid_t uid;
    gid_t gid;
    /// NULL-ended.
    char **command;
};

// box.c: ends the process with EXIT_SANDBOX after a message with the step, `what` and errno.
_Noreturn void box_fail(int step, const char *what);

// box_files.c: mounts, masks, /dev and /proc, in the box's own mount namespace.
void make_box_files(const struct box_options *options);

// box_filter.c: refuses what no build needs and kernels were broken with; 0, or -1 with errno.
int confine_build(void);

// box_options.c: reads the command line; false after a message on standard error.
bool read_box_options(int argc, char **argv, struct box_options *options);

#endif
