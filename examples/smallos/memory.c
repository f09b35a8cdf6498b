/* Memory: a heap, and an arena of more pages than are in memory. Those that are not are packed into the heap. Who makes room is the program's to say. */
#include "smallos.h"

#define HEAP 0x100000000000ul
#define ARENA 0x200000000000ul
#define ARENA_PAGES 256u
#define WORDS (PAGE / 8)

/* ---- the heap: blocks in a list, each with its size; the first that is large enough is taken ---- */

struct hole {
    struct hole *next;
    size_t bytes;
};

static struct hole *holes;
static uint64_t heap_end = HEAP;

static size_t rounded(size_t bytes)
{
    return (bytes + sizeof(struct hole) - 1) & -sizeof(struct hole);
}

void small_free(void *block, size_t bytes)
{
    struct hole *hole = block;

    *hole = (struct hole){holes, rounded(bytes)};
    holes = hole;
}

void *small_alloc(size_t bytes)
{
    uint64_t pages = (bytes + PAGE - 1) / PAGE;

    bytes = rounded(bytes);
    for (struct hole **at = &holes; *at; at = &(*at)->next) {
        struct hole *hole = *at;

        if (hole->bytes < bytes)
            continue;
        *at = hole->next;
        if (hole->bytes > bytes)
            small_free((char *)hole + bytes, hole->bytes - bytes);
        return hole;
    }
    if (exo_mem_alloc(PX_SLOT_SELF, heap_end, pages, WRITABLE) != (int64_t)pages)
        return NULL;
    small_free((void *)heap_end, pages * PAGE);
    heap_end += pages * PAGE;
    return small_alloc(bytes);
}

/* ---- packed pages: runs of a word that repeats ---- */

struct run {
    uint64_t word, times;
};

/* Writes the runs of a page if there is somewhere to; how many there are. */
static unsigned pack(struct run *to, const uint64_t *page)
{
    unsigned runs = 0;

    for (unsigned i = 0, next; i < WORDS; i = next, runs++) {
        for (next = i + 1; next < WORDS && page[next] == page[i]; next++)
            ;
        if (to)
            to[runs] = (struct run){page[i], next - i};
    }
    return runs;
}

static void unpack(uint64_t *page, const struct run *from, unsigned runs)
{
    for (; runs > 0; runs--, from++)
        for (uint64_t i = 0; i < from->times; i++)
            *page++ = from->word;
}

/* ---- the arena ---- */

static struct {
    struct run *packed;
    unsigned runs;
} stored[ARENA_PAGES];

static uint64_t arena_pages, in_memory[ARENA_PAGES], memory_pages, faults;
static unsigned resident;

/* The rule of most kernels: pages in a ring; who was used since the hand came by is passed over once. It knows no more than the processor's marks. */
static unsigned clock_rule(const uint64_t *pages, unsigned count)
{
    static unsigned hand;

    for (;; hand++) {
        uint64_t marks = 0;

        if (exo_mem_query_clear(PX_SLOT_SELF, pages[hand % count], 1, &marks) != 1 || !(marks & EXO_QUERY_ACCESSED))
            return hand % count;
    }
}

static small_rule rule = clock_rule;

void small_set_rule(small_rule chosen)
{
    rule = chosen ? chosen : clock_rule;
}

uint64_t small_faults(void)
{
    return faults;
}

uint64_t small_more(uint64_t pages, uint64_t most)
{
    if (arena_pages || pages > ARENA_PAGES || most == 0)
        return 0;
    arena_pages = pages;
    memory_pages = most;
    return ARENA;
}

/* Packs a page away and gives its frame back to the kernel. */
static bool put_away(unsigned which)
{
    uint64_t va = in_memory[which], page = (va - ARENA) / PAGE;
    unsigned runs = pack(NULL, (const uint64_t *)va);
    struct run *packed = small_alloc(runs * sizeof(struct run));

    if (!packed)
        return false;
    pack(packed, (const uint64_t *)va);
    stored[page].packed = packed;
    stored[page].runs = runs;
    for (resident--; which < resident; which++)
        in_memory[which] = in_memory[which + 1];
    return exo_mem_unmap(PX_SLOT_SELF, va, 1) == 1;
}

bool small_fault(uint64_t address)
{
    uint64_t va = address & -PAGE, page = (va - ARENA) / PAGE;
    unsigned which;

    if (va < ARENA || page >= arena_pages)
        return false;
    faults++;
    if (resident == memory_pages) {
        which = rule(in_memory, resident);
        if (which >= resident || !put_away(which))
            return false;
    }
    if (exo_mem_alloc(PX_SLOT_SELF, va, 1, WRITABLE) != 1)
        return false;
    in_memory[resident++] = va;
    if (stored[page].packed) {
        unpack((uint64_t *)va, stored[page].packed, stored[page].runs);
        small_free(stored[page].packed, stored[page].runs * sizeof(struct run));
        stored[page].packed = NULL;
    }
    return true;
}
