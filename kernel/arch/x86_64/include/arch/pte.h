/*
 * Page-table entries. Hardware bits, and software bits that say what the owner may have: WANT (the protection allows writing), COPY (the
 * frame is shared: copy before the first write), LOCKED (mapped without write authority: WANT cannot be set) and NEVER_EXEC (mapped without
 * authority to execute). The hardware's write bit is WANT && !COPY.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H
#include <stdbool.h>
#include <stdint.h>

#define PTE_PRESENT 0x1ul
#define PTE_WRITE 0x2ul
#define PTE_USER 0x4ul
#define PTE_WRITE_THROUGH 0x8ul
#define PTE_UNCACHED 0x10ul
#define PTE_ACCESSED 0x20ul
#define PTE_DIRTY 0x40ul
#define PTE_LARGE 0x80ul
#define PTE_GLOBAL 0x100ul
#define PTE_COPY 0x200ul
#define PTE_WANT 0x400ul
#define PTE_LOCKED 0x800ul
#define PTE_NEVER_EXEC 0x10000000000000ul
#define PTE_NO_EXEC 0x8000000000000000ul
#define PTE_DEVICE (PTE_UNCACHED | PTE_WRITE_THROUGH)
#define PTE_TAKEN 0x20000000000000ul /* alone: no page, but one was taken from here (env/ledger.c) */
#define PTE_ADDRESS 0x000ffffffffff000ul

static inline uint64_t pte_physical(uint64_t pte)
{
    return pte & PTE_ADDRESS;
}

/* Sets the write bit as the software bits say. */
static inline uint64_t pte_settle(uint64_t pte)
{
    if ((pte & (PTE_WANT | PTE_COPY)) == PTE_WANT)
        return pte | PTE_WRITE;
    return pte & ~PTE_WRITE;
}

/* A new entry for a user page: EXO_PROT_*; may_write: the mapper holds write authority. */
static inline uint64_t pte_make(uint64_t physical, uint64_t prot, bool may_write)
{
    uint64_t pte = physical | PTE_PRESENT | PTE_USER;

    if (!may_write)
        pte |= PTE_LOCKED;
    else if (prot & 2)
        pte |= PTE_WANT | PTE_WRITE;
    if (!(prot & 4))
        pte |= PTE_NO_EXEC;
    return pte;
}

#endif
