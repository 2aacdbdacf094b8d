// CAllocationCount.c: stands before glibc's allocator in the test program and passes every call on.
#define _GNU_SOURCE
#include "CAllocationCount.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static _Atomic pid_t counted;
static _Atomic int64_t count;

void allocation_count_begin(pid_t thread) {
    atomic_store(&count, 0);
    atomic_store(&counted, thread);
}

pid_t allocation_thread(void) { return (pid_t)syscall(SYS_gettid); }

int64_t allocation_count(void) { return atomic_load(&count); }

static void note(void) {
    pid_t thread = atomic_load_explicit(&counted, memory_order_relaxed);
    if (thread != 0 && thread == allocation_thread()) atomic_fetch_add(&count, 1);
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t elements, size_t size) {
    note();
    return __libc_calloc(elements, size);
}

void *realloc(void *memory, size_t size) {
    note();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *block = memalign(alignment, size);
    if (!block) return ENOMEM;
    *memory = block;
    return 0;
}
