// clinux_heap.h: settings of the C library's heap (mallopt(3)).
#ifndef CLINUX_HEAP_H
#define CLINUX_HEAP_H

/// At most `arenas_max` arenas; blocks from `mapped_bytes_min` on are mapped by themselves and given back when freed;
/// `trimmed_bytes_min` free bytes at the heap's end are given back. 0 where one of them is refused.
int clinux_heap_settings(int arenas_max, int mapped_bytes_min, int trimmed_bytes_min);

#endif
