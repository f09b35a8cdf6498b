/*
 * The monotonic clock, read from the kernel's public page (struct exo_info) without a call: what deadlines are given in. The kernel keeps deadlines
 * exactly; a sleeper that need not be that exact says so to itself (exo_deadline_slack).
 */
#ifndef EXO_CLOCK_H
#define EXO_CLOCK_H
#include <exo/abi.h>
#include <exo/trap.h>

static inline uint64_t exo_clock_ns(const struct exo_info *info)
{
    return (uint64_t)((unsigned __int128)(exo_arch_cycles() - info->tsc_base) * info->tsc_mult >> 32);
}

/*
 * The instant of [deadline, deadline + slack] that ends in the most zero bits: sleepers with deadlines and slack of their own come upon the same
 * instants, and one interrupt serves them all. Never early. EXO_DEADLINE_NOW and EXO_DEADLINE_NEVER stay, and nothing else becomes that.
 */
static inline uint64_t exo_deadline_slack(uint64_t deadline_ns, uint64_t slack_ns)
{
    uint64_t latest = slack_ns < EXO_DEADLINE_NEVER - 1 - deadline_ns ? deadline_ns + slack_ns : EXO_DEADLINE_NEVER - 1;

    if (deadline_ns == EXO_DEADLINE_NOW || latest <= deadline_ns || deadline_ns == EXO_DEADLINE_NEVER)
        return deadline_ns;
    /* What is before the deadline and the latest instant differ in a bit that the latter has: it cut off below that bit. */
    return latest & ~0ull << (63 - __builtin_clzll((deadline_ns - 1) ^ latest));
}

#endif
