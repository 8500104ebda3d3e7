// Counts the heap allocations of the thread that asks.

#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

/// How many allocations the calling thread has made.
uint64_t allocation_count(void);

#endif
