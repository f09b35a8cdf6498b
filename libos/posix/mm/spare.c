/*
 * What a process can spare, cheapest first: memory that MADV_FREE gave up, free pages of the libOS's own heap, private pages that hold nothing but
 * zeros, and the page tables that are empty then. Only pages that nobody else has: others free no frame. So pages of files are not given: they
 * are fs's, and stay in memory whoever maps them (CAVEATS.md).
 */
#include "mm.h"

#define TABLE_BYTES (512 * PX_PAGE)

typedef bool spare_page(const struct px_vma *vma, uint64_t va, uint64_t word);

/* Of this process alone, and not made of larger pages. */
static bool is_sole(uint64_t word)
{
    return (word & (EXO_QUERY_PRESENT | EXO_QUERY_SHARED | EXO_QUERY_LARGE)) == EXO_QUERY_PRESENT;
}

static bool is_freed(const struct px_vma *vma, uint64_t va, uint64_t word)
{
    (void)va;
    return vma->flags & PX_VMA_FREED && !(word & EXO_QUERY_DIRTY);
}

/* Guarded, because the kernel may take the page meanwhile. */
static bool is_zero(const struct px_vma *vma, uint64_t va, uint64_t word)
{
    uint64_t some[64];
    uint32_t first;

    (void)vma, (void)word;
    if (px_raw_load_u32((const void *)va, &first) != 0 || first)
        return false;
    for (uint64_t end = va + PX_PAGE; va < end; va += sizeof(some)) {
        if (px_raw_copy(some, (const void *)va, sizeof(some)) != 0)
            return false;
        for (unsigned i = 0; i < sizeof(some) / sizeof(some[0]); i++)
            if (some[i])
                return false;
    }
    return true;
}

/* Unmaps what may go of pages that one query has told of. Neighbours go in one call. */
static uint64_t spare_some(const struct px_vma *vma, uint64_t lo, const uint64_t *word, uint64_t pages, uint64_t most, spare_page *may_go)
{
    uint64_t given = 0;

    for (uint64_t at = 0; at < pages && given < most; at++) {
        uint64_t first = at;

        while (at < pages && given + (at - first) < most && is_sole(word[at]) && may_go(vma, lo + at * PX_PAGE, word[at]))
            at++;
        if (at > first && exo_unmap_all(PX_SLOT_SELF, lo + first * PX_PAGE, at - first) == 0)
            given += at - first;
    }
    return given;
}

static uint64_t spare_vma(const struct px_vma *vma, uint64_t most, spare_page *may_go)
{
    uint64_t word[PX_QUERY_PAGES], given = 0;

    for (uint64_t va = vma->lo; va < vma->hi && given < most; va += PX_QUERY_PAGES * PX_PAGE) {
        uint64_t pages = (vma->hi - va) / PX_PAGE < PX_QUERY_PAGES ? (vma->hi - va) / PX_PAGE : PX_QUERY_PAGES;

        if (exo_mem_query(PX_SLOT_SELF, va, pages, word) == (int64_t)pages)
            given += spare_some(vma, va, word, pages, most - given, may_go);
    }
    return given;
}

/* Anonymous, private and readable: what is gone is zeros at the next touch. */
static bool is_plain(const struct px_vma *vma)
{
    return !vma->file && !(vma->flags & (PX_VMA_SHARED | PX_VMA_EAGER)) && vma->prot;
}

static uint64_t spare_plain(uint64_t most, unsigned flags, spare_page *may_go)
{
    uint64_t given = 0;

    for (unsigned at = 0; at < px_mm.count && given < most; at++)
        if (is_plain(&px_mm.vma[at]) && (px_mm.vma[at].flags & flags) == flags)
            given += spare_vma(&px_mm.vma[at], most - given, may_go);
    return given;
}

static bool is_empty(uint64_t va)
{
    uint64_t word[PX_QUERY_PAGES];

    for (uint64_t end = va + TABLE_BYTES; va < end; va += PX_QUERY_PAGES * PX_PAGE) {
        if (exo_mem_query(PX_SLOT_SELF, va, PX_QUERY_PAGES, word) != PX_QUERY_PAGES)
            return false;
        for (unsigned at = 0; at < PX_QUERY_PAGES; at++)
            if (word[at])
                return false;
    }
    return true;
}

/* To unmap all of a table's range gives the table back, too. */
static void spare_tables(void)
{
    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];

        for (uint64_t va = (vma->lo + TABLE_BYTES - 1) & ~(TABLE_BYTES - 1); is_plain(vma) && va + TABLE_BYTES <= vma->hi; va += TABLE_BYTES)
            if (is_empty(va) && exo_unmap_all(PX_SLOT_SELF, va, TABLE_BYTES / PX_PAGE) < 0)
                return;
    }
}

uint64_t px_memory_spare(uint64_t most)
{
    uint64_t given = spare_plain(most, PX_VMA_FREED, is_freed);

    if (given < most)
        given += px_heap_spare(most - given);
    if (given < most)
        given += spare_plain(most - given, 0, is_zero);
    if (given > 0)
        spare_tables();
    return given;
}

/* The largest mapping of plain memory: neither the stack nor what the program was loaded with. */
void px_memory_offer(uint64_t *lo, uint64_t *hi)
{
    *lo = *hi = 0;
    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];

        if (is_plain(vma) && !(vma->flags & (PX_VMA_STACK | PX_VMA_HEAP)) && vma->hi - vma->lo > *hi - *lo) {
            *lo = vma->lo;
            *hi = vma->hi;
        }
    }
}
