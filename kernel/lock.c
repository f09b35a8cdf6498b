/* The debug build's look at who has the kernel's lock (lock.h). */
#include "lock.h"

#ifdef EXO_DEBUG
#include "kernel.h"

uint32_t lock_holder;

static uint32_t me(void)
{
    return arch_cpu() + 1;
}

/* Another CPU may change it meanwhile, but neither to this one nor from it. */
static uint32_t holder(void)
{
    return __atomic_load_n(&lock_holder, __ATOMIC_RELAXED);
}

void lock_taking(void)
{
    ASSERT(holder() != me()); /* taken twice: it waits for itself */
}

void lock_taken(void)
{
    ASSERT(holder() == 0); /* who had it has not given it back */
    __atomic_store_n(&lock_holder, me(), __ATOMIC_RELAXED);
}

void lock_giving(void)
{
    ASSERT(holder() == me()); /* it is another one's, or nobody's */
    __atomic_store_n(&lock_holder, 0, __ATOMIC_RELAXED);
}

void lock_needed(void)
{
    ASSERT(holder() == me() || (holder() == 0 && arch_cpus() == 1)); /* what all CPUs share is changed without the lock */
}

void lock_unwanted(void)
{
    ASSERT(holder() != me()); /* another CPU, which this one waits for, may wait for the lock */
}
#endif
