/* The monotonic clock, read from the kernel's public page (struct exo_info) without a call: what deadlines are given in. */
#ifndef EXO_CLOCK_H
#define EXO_CLOCK_H
#include <exo/abi.h>
#include <exo/trap.h>

static inline uint64_t exo_clock_ns(const struct exo_info *info)
{
    return (uint64_t)((unsigned __int128)(exo_arch_cycles() - info->tsc_base) * info->tsc_mult >> 32);
}

#endif
