/*
 * Page-table entries that stay mapped while CPUs mark in them, at any instant, that the page was read or written. Nothing else stands here, so
 * tests/threads has it, too.
 */
#ifndef MARKS_H
#define MARKS_H
#include <stdint.h>

/* The entry becomes `pte`, which was made of `was`: marks that are set meanwhile stay. */
static inline void pte_change(uint64_t *entry, uint64_t was, uint64_t pte)
{
    __atomic_fetch_xor(entry, was ^ pte, __ATOMIC_RELAXED);
}

/* Marks go: those that were seen, and no others. */
static inline void pte_unmark(uint64_t *entry, uint64_t seen)
{
    __atomic_fetch_and(entry, ~seen, __ATOMIC_RELAXED);
}

#endif
