/*
 * Page-table entries of the host port. The bits lie elsewhere than any processor has them, so that portable code that knows a
 * position breaks here. What the software bits mean: kernel/arch/x86_64/include/arch/pte.h.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H
#include <stdbool.h>
#include <stdint.h>

#define PTE_PRESENT 0x2000000000000000ul
#define PTE_WRITE 0x1ul
#define PTE_USER 0x1000000000000000ul
#define PTE_UNCACHED 0x2ul
#define PTE_DEVICE PTE_UNCACHED
#define PTE_ACCESSED 0x4ul
#define PTE_DIRTY 0x8ul
#define PTE_COPY 0x40ul
#define PTE_WANT 0x80ul
#define PTE_LOCKED 0x100ul
#define PTE_NO_EXEC 0x200ul
#define PTE_LARGE 0x400ul /* this port has no such pages */
#define PTE_NEVER_EXEC 0x800ul
#define PTE_TAKEN 0x20000000000000ul /* alone: no page, but one was taken from here (env/ledger.c) */
#define PTE_ADDRESS 0x000ffffffffff000ul

static inline uint64_t pte_physical(uint64_t pte)
{
    return pte & PTE_ADDRESS;
}

/* The write bit is what the hardware would look at: WANT without COPY. */
static inline uint64_t pte_settle(uint64_t pte)
{
    bool writes = pte & PTE_WANT && !(pte & PTE_COPY);

    return writes ? pte | PTE_WRITE : pte & ~PTE_WRITE;
}

static inline uint64_t pte_make(uint64_t physical, uint64_t prot, bool may_write)
{
    uint64_t pte = physical | PTE_PRESENT | PTE_USER;

    pte |= may_write ? (prot & 2 ? PTE_WANT : 0ul) : PTE_LOCKED;
    pte |= prot & 4 ? 0ul : PTE_NO_EXEC;
    return pte_settle(pte);
}

#endif
