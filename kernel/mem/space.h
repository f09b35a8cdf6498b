/*
 * What the files of address spaces share. Every call does at most about WORK_PAGES pages and says how many; callers go on from there. A large page
 * costs LARGE_COST of them, a table that is missing SKIP_COST.
 */
#ifndef SPACE_H
#define SPACE_H
#include "kernel.h"
#include "marks.h"
#include "port.h"

#define WORK_PAGES 1024u
#define LARGE_COST 64u
#define SKIP_COST 16u
#define LARGE_PAGES (SPACE_TABLE_BYTES / PAGE)

/* The environment has not ended; the range is page aligned, below EXO_USER_TOP and does not wrap. */
int64_t space_check_range(const struct env *env, uint64_t va, uint64_t pages);
/* What was there is dropped, also a large page; the new entry is 0 or a 4 KiB page whose frame is held for it. */
void space_replace(struct env *env, uint64_t *entry, uint64_t va, uint64_t pte);

/* The entry after `entry`, which is va's: NULL at the end of its table. */
static inline uint64_t *entry_after(uint64_t *entry, uint64_t va)
{
    return entry && (va + PAGE) % SPACE_TABLE_BYTES ? entry + 1 : NULL;
}

#endif
