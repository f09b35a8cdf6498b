/*
 * What each CPU counts, for statistics (k_stats). Only the CPU itself writes its counters, by one instruction each and in cache lines that no other CPU
 * writes: it waits for nobody, and no count is lost. Who reads adds up all CPUs', which may go on counting meanwhile: what he sees of each is a value that
 * it had while he looked, so sums never go back. tests/threads/counters.c tries that with threads.
 */
#ifndef COUNTERS_H
#define COUNTERS_H
#include <stdint.h>

struct counters {
    _Alignas(64) uint64_t calls;
    uint64_t switches, faults, upcalls, ipc_calls, cow_copies, idle_ns;
    uint64_t interrupts, timer_interrupts, timers_early, kicks; /* of devices; the CPU's own timer's; from other CPUs */
};

/* One more of this CPU's: a plain increment, which no interrupt comes into the middle of. Under ThreadSanitizer a thread is a CPU. */
#if defined(__SANITIZE_THREAD__)
#define COUNT_ONE(counter) __atomic_store_n(&(counter), __atomic_load_n(&(counter), __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED)
#else
#define COUNT_ONE(counter) ((void)(counter)++)
#endif

/* Adds what a CPU has counted so far. */
static inline void counters_add(struct counters *sum, const struct counters *of_cpu)
{
    uint64_t *to = &sum->calls;
    const uint64_t *from = &of_cpu->calls;

    for (unsigned i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

#endif
