// clinux_heap.c: settings of the C library's heap, whose header the Glibc module leaves out.
#include "clinux_heap.h"

#include <malloc.h>

int clinux_heap_settings(int arenas_max, int mapped_bytes_min, int trimmed_bytes_min) {
    return mallopt(M_ARENA_MAX, arenas_max) && mallopt(M_MMAP_THRESHOLD, mapped_bytes_min) &&
           mallopt(M_TRIM_THRESHOLD, trimmed_bytes_min);
}
