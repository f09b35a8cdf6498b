/*
 * The host port: an ordinary process as the machine. RAM is an arena with unmapped memory around it, time stands still until the test moves it, contexts are
 * structs, and nothing ever switches: sched_pick says who would run.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stdint.h>

/* One CPU. */
#define PER_CPU(type) __typeof__(type)
#define PER_CPU_TAKE(variable, amount) (((variable) -= (amount)) < 0)
#define HOT_DATA
#define OF_CPU(cpu, type, variable) (*((void)(cpu), &(variable)))
static inline unsigned arch_cpus(void)
{
    return 1;
}
static inline unsigned arch_cpu(void)
{
    return 0;
}

extern char *host_arena; /* where physical address 0 would be */
extern uint64_t host_cycles;

static inline void *direct(uint64_t physical)
{
    return host_arena + physical;
}

static inline uint64_t direct_physical(const void *address)
{
    return (uint64_t)((const char *)address - host_arena);
}

#define SPACE_TABLE_BYTES 0x200000ul

struct space {
    uint64_t root;
};

uint64_t *host_entry(const struct space *space, uint64_t va);
static inline uint64_t *space_entry_soon(struct space *space, uint64_t va)
{
    return host_entry(space, va);
}

#define KEPT(pointer) ((void)(pointer)) /* a hint to a compiler */

struct arch_context {
    struct exo_regs regs;
    uint64_t tls, upage_va, syscall_entry, upcall_entry;
};

static inline void arch_space_load(const struct arch_context *context)
{
    (void)context;
}

struct boot_range {
    uint64_t start, end;
};

struct boot {
    struct boot_range image;
    uint64_t rsdp;
    char command_line[EXO_PAGE_BYTES];
};

/* A nanosecond a cycle. */
static inline uint64_t arch_cycles(void)
{
    return host_cycles;
}

#include <arch/pte.h>
#endif
