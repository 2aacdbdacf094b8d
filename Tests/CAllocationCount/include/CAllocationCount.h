// CAllocationCount.h: counts the heap allocations of one thread; for tests that promise none.
#ifndef CALLOCATIONCOUNT_H
#define CALLOCATIONCOUNT_H

#include <stdint.h>
#include <sys/types.h>

/// Counts from 0 what thread `thread` of this process allocates; 0 stops counting.
void allocation_count_begin(pid_t thread);
/// The calling thread.
pid_t allocation_thread(void);
/// Allocations of the thread since `allocation_count_begin`.
int64_t allocation_count(void);

#endif
