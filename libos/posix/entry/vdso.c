/*
 * Clocks that a program reads without a system call: its C library finds these functions by the ELF image in arch/.../vdso.S, whose address the
 * auxiliary vector holds. They run like any function of the program, on its stack, with nothing masked: a signal may interrupt them anywhere, and a bad
 * address is the program's SIGSEGV, as on Linux. What takes more than a look at the kernel's info page is done by the call itself.
 */
#include "entry.h"

#include <exo/clock.h>

#define VDSO __attribute__((section(".vdso"), used))

enum clock { REALTIME = 0, MONOTONIC = 1, MONOTONIC_RAW = 4, REALTIME_COARSE = 5, MONOTONIC_COARSE = 6, BOOTTIME = 7, TAI = 11 };

static inline __attribute__((always_inline)) uint64_t wall_ns(uint64_t now)
{
    return now + px_wall_offset_ns();
}

VDSO int64_t px_vdso_clock_gettime(int32_t clock, struct px_timespec *to)
{
    uint64_t now = exo_clock_ns(px_info());

    switch (clock) {
    case REALTIME:
    case REALTIME_COARSE:
    case TAI: now = wall_ns(now); break;
    case MONOTONIC:
    case MONOTONIC_RAW:
    case MONOTONIC_COARSE:
    case BOOTTIME: break;
    default: return px_direct_clock_gettime(clock, to);
    }
    to->tv_sec = (int64_t)(now / PX_SECOND);
    to->tv_nsec = (int64_t)(now % PX_SECOND);
    return 0;
}

VDSO int64_t px_vdso_gettimeofday(struct px_timeval *to, int32_t zone[2])
{
    uint64_t now = wall_ns(exo_clock_ns(px_info()));

    if (to) {
        to->tv_sec = (int64_t)(now / PX_SECOND);
        to->tv_usec = (int64_t)(now % PX_SECOND / 1000);
    }
    if (zone)
        zone[0] = zone[1] = 0;
    return 0;
}

VDSO int64_t px_vdso_time(int64_t *to)
{
    int64_t now = (int64_t)(wall_ns(exo_clock_ns(px_info())) / PX_SECOND);

    if (to)
        *to = now;
    return now;
}
