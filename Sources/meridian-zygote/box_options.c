// box_options.c: the command line of `meridian-zygote box`.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "box.h"

static const char usage_text[] =
    "usage: meridian-zygote box [options] -- COMMAND [ARGUMENT...]\n"
    "Runs COMMAND with the host's files read-only, no network, no privileges and an empty environment.\n"
    "  --mask DIR      hide what DIR holds (repeatable)\n"
    "  --ro DIR        show DIR read-only, also inside a mask (repeatable)\n"
    "  --rw DIR        show DIR writable (repeatable)\n"
    "  --chdir DIR     start in DIR\n"
    "  --tmp BYTES     a fresh /tmp of that size\n"
    "  --uid N, --gid N  run as them (65534)\n"
    "  --setenv K=V    set a variable (repeatable)\n"
    "  --cgroup PATH   join the cgroup first (repeatable, one per hierarchy)\n"
    "  --pids N        processes of the user at most\n"
    "  --network       keep the host's network\n";

static bool refuse(const char *option, const char *value, const char *why) {
    fprintf(stderr, "meridian-zygote box: %s %s: %s\n", option, value, why);
    return false;
}

static bool add(struct box_list *list, const char *option, char *value) {
    if (list->count == BOX_LIST_MAX) return refuse(option, value, "given more often than 256 times");
    list->items[list->count++] = value;
    list->items[list->count] = NULL;
    return true;
}

static bool add_path(struct box_list *list, const char *option, char *value) {
    if (value[0] != '/') return refuse(option, value, "not an absolute path");
    return add(list, option, value);
}

static bool read_number(const char *option, const char *value, uint64_t most, uint64_t *number) {
    char *end = NULL;
    errno = 0;
    *number = strtoull(value, &end, 10);
    const bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0';
    if (errno != 0 || !digits || *number > most) return refuse(option, value, "not a number in range");
    return true;
}

static bool read_id(const char *option, const char *value, unsigned *id) {
    uint64_t number = 0;
    if (!read_number(option, value, UINT_MAX - 1, &number)) return false;
    *id = (unsigned)number;
    return true;
}

static bool read_value(struct box_options *options, const char *name, char *value) {
    if (strcmp(name, "--mask") == 0) return add_path(&options->masks, name, value);
    if (strcmp(name, "--ro") == 0) return add_path(&options->read_only, name, value);
    if (strcmp(name, "--rw") == 0) return add_path(&options->writable, name, value);
    if (strcmp(name, "--cgroup") == 0) return add_path(&options->cgroups, name, value);
    if (strcmp(name, "--setenv") == 0) {
        if (strchr(value, '=') == NULL || value[0] == '=') return refuse(name, value, "not of the form NAME=VALUE");
        return add(&options->environment, name, value);
    }
    if (strcmp(name, "--chdir") == 0) {
        options->directory = value;
        return value[0] == '/' ? true : refuse(name, value, "not an absolute path");
    }
    if (strcmp(name, "--tmp") == 0) return read_number(name, value, INT64_MAX, &options->tmp_bytes);
    if (strcmp(name, "--pids") == 0) return read_number(name, value, INT_MAX, &options->processes);
    if (strcmp(name, "--uid") == 0) return read_id(name, value, &options->uid);
    if (strcmp(name, "--gid") == 0) return read_id(name, value, &options->gid);
    return refuse(name, value, "unknown option");
}

bool read_box_options(int argc, char **argv, struct box_options *options) {
    int index = 0;
    for (; index < argc && strcmp(argv[index], "--") != 0; index++) {
        const char *name = argv[index];
        if (strcmp(name, "--network") == 0) {
            options->network = true;
            continue;
        }
        const bool has_value = strncmp(name, "--", 2) == 0 && index + 1 < argc && strcmp(argv[index + 1], "--") != 0;
        if (!has_value) {
            fprintf(stderr, "meridian-zygote box: %s: unknown option, or its value is missing\n%s", name, usage_text);
            return false;
        }
        if (!read_value(options, name, argv[++index])) return false;
    }
    if (index + 1 >= argc) {
        fprintf(stderr, "meridian-zygote box: no command after --\n%s", usage_text);
        return false;
    }
    options->command = argv + index + 1;
    return true;
}
