/*
 * The libOS's private heap. Small blocks come from pages cut into objects of one size class; larger ones are
 * runs of pages; what is large or does not fit lies in its own range above PX_SHARED (layout.h: PX_BIG), where
 * each block begins with a header. Pages are bound when first used and stay bound. All bookkeeping lies in the
 * libOS's data and in the pages themselves, so a forked child goes on with it. The contents of a new block are
 * undefined.
 */
#include "mm.h"

#define PAGES ((unsigned)((PX_HEAP_HI - PX_HEAP) / PX_PAGE))
#define PAGES_MAX 112u
#define RUN_MAX 8u /* pages; longer runs go to PX_BIG */
#define NO_PAGE 0xffu
#define NO_OBJECT 0xffffu

enum page_kind { PAGE_FREE = 0, PAGE_SLAB, PAGE_RUN, PAGE_REST };

struct heap_page {
    uint8_t kind;
    uint8_t class_; /* slab: size class; run: pages */
    bool bound;
    uint8_t next;   /* slab: next page of the class with free objects, + 1 */
    uint16_t used;  /* slab: objects in use */
    uint16_t fresh; /* slab: objects never used begin here */
    uint16_t first; /* slab: list of freed objects, by index; each holds the next one's */
};

static const uint16_t class_bytes[] = {16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048};
#define CLASSES (sizeof(class_bytes) / sizeof(class_bytes[0]))

static struct heap_page descriptor[PAGES_MAX];
static uint8_t partial[CLASSES]; /* first page of the class with free objects, + 1 */
static unsigned pages_used;      /* all pages that were ever used lie below */

static unsigned char *page_at(unsigned index)
{
    return (unsigned char *)(PX_HEAP + index * PX_PAGE);
}

uint64_t px_heap_pages(void)
{
    return pages_used;
}

static bool bind(unsigned first, unsigned count)
{
    for (unsigned at = first; at < first + count; at++) {
        if (descriptor[at].bound)
            continue;
        if (exo_mem_alloc(PX_SLOT_SELF, PX_HEAP + at * PX_PAGE, 1, EXO_PROT_READ | EXO_PROT_WRITE) != 1)
            return false;
        descriptor[at].bound = true;
    }
    return true;
}

uint64_t px_heap_spare(uint64_t most)
{
    uint64_t given = 0;

    for (unsigned at = PAGES; at-- > 0 && given < most;)
        if (descriptor[at].kind == PAGE_FREE && descriptor[at].bound && exo_mem_unmap(PX_SLOT_SELF, PX_HEAP + at * PX_PAGE, 1) == 1) {
            descriptor[at].bound = false;
            given++;
        }
    while (pages_used > 0 && !descriptor[pages_used - 1].bound)
        pages_used--;
    return given;
}

/* A free run, bound; NO_PAGE if there is none or no memory. */
static unsigned take_run(unsigned count)
{
    unsigned length = 0;

    for (unsigned at = 0; at < PAGES; at++) {
        length = descriptor[at].kind == PAGE_FREE ? length + 1 : 0;
        if (length < count)
            continue;
        at -= count - 1;
        if (!bind(at, count))
            return NO_PAGE;
        if (at + count > pages_used)
            pages_used = at + count;
        return at;
    }
    return NO_PAGE;
}

static void *slab_take(unsigned class_)
{
    struct heap_page *slab;
    unsigned index = partial[class_], object;
    unsigned char *base;

    if (index == 0) {
        unsigned made = take_run(1);

        if (made == NO_PAGE)
            return NULL;
        descriptor[made].kind = PAGE_SLAB;
        descriptor[made].class_ = (uint8_t)class_;
        descriptor[made].used = descriptor[made].fresh = 0;
        descriptor[made].first = NO_OBJECT;
        descriptor[made].next = 0;
        partial[class_] = (uint8_t)(made + 1);
        index = made + 1;
    }
    slab = &descriptor[index - 1];
    base = page_at(index - 1);
    if (slab->first != NO_OBJECT) {
        object = slab->first;
        memcpy(&slab->first, base + object * class_bytes[class_], sizeof(slab->first));
    } else {
        object = slab->fresh++;
    }
    slab->used++;
    if (slab->first == NO_OBJECT && (slab->fresh + 1u) * class_bytes[class_] > PX_PAGE) {
        partial[class_] = slab->next; /* full */
        slab->next = 0;
    }
    return base + object * class_bytes[class_];
}

static void slab_unlink(unsigned class_, unsigned index)
{
    uint8_t *link = &partial[class_];

    while (*link != 0 && *link != index + 1)
        link = &descriptor[*link - 1].next;
    if (*link)
        *link = descriptor[index].next;
    descriptor[index].next = 0;
}

static void slab_give(unsigned index, unsigned char *block)
{
    struct heap_page *slab = &descriptor[index];
    unsigned class_ = slab->class_, bytes = class_bytes[class_];
    bool was_full = slab->first == NO_OBJECT && (slab->fresh + 1u) * bytes > PX_PAGE;
    uint16_t object = (uint16_t)((unsigned)(block - page_at(index)) / bytes);

    memcpy(block, &slab->first, sizeof(slab->first));
    slab->first = object;
    slab->used--;
    if (was_full) {
        slab->next = partial[class_];
        partial[class_] = (uint8_t)(index + 1);
    }
    if (slab->used == 0) {
        slab_unlink(class_, index);
        slab->kind = PAGE_FREE;
    }
}

/* ---- blocks outside the heap proper
 * ------------------------------------------------------------------------------ */

#define BIG_PIECES 32u
#define BIG_HEADER 16u
#define BIG_MAGIC 0x6b636f6c42676942ull

static struct px_piece big_first[BIG_PIECES];
struct px_range px_big_range = {.fixed = true};

uint64_t px_big_reserve(uint64_t pages)
{
    if (!px_big_range.piece)
        px_range_start(&px_big_range, big_first, BIG_PIECES, PX_BIG, PX_BIG_HI);
    return px_range_take(&px_big_range, pages);
}

void px_big_release(uint64_t va, uint64_t pages)
{
    px_range_give(&px_big_range, va, pages);
}

static void *big_take(size_t bytes)
{
    uint64_t pages = PX_PAGE_UP(bytes + BIG_HEADER) / PX_PAGE, done, va = px_big_reserve(pages);
    uint64_t *header = (uint64_t *)va;

    if (!va)
        return NULL;
    if (exo_alloc_all(PX_SLOT_SELF, va, pages, EXO_PROT_READ | EXO_PROT_WRITE, &done) < 0) {
        int64_t status = exo_unmap_all(PX_SLOT_SELF, va, done);

        (void)status;
        px_big_release(va, pages);
        return NULL;
    }
    header[0] = pages;
    header[1] = BIG_MAGIC;
    return (char *)va + BIG_HEADER;
}

static void big_give(void *block)
{
    uint64_t *header = (uint64_t *)((char *)block - BIG_HEADER), pages = header[0];
    uint64_t va = (uint64_t)header;
    int64_t status;

    if (header[1] != BIG_MAGIC || va % PX_PAGE || pages > (PX_BIG_HI - va) / PX_PAGE)
        return; /* overwritten, by the program: it loses the memory */
    status = exo_unmap_all(PX_SLOT_SELF, va, pages);
    (void)status;
    px_big_release(va, pages);
}

/* ---- the two calls
 * ----------------------------------------------------------------------------------------------- */

PX_APART void *px_alloc(size_t bytes)
{
    unsigned class_ = 0, run;
    void *block;

    if (bytes > PX_BIG_HI - PX_BIG)
        return NULL;
    if (bytes <= class_bytes[CLASSES - 1]) {
        while (class_bytes[class_] < bytes)
            class_++;
        block = slab_take(class_);
        return block ? block : big_take(bytes);
    }
    if (bytes > RUN_MAX * PX_PAGE)
        return big_take(bytes);
    run = take_run((unsigned)(PX_PAGE_UP(bytes) / PX_PAGE));
    if (run == NO_PAGE)
        return big_take(bytes);
    descriptor[run].kind = PAGE_RUN;
    descriptor[run].class_ = (uint8_t)(PX_PAGE_UP(bytes) / PX_PAGE);
    for (unsigned at = 1; at < descriptor[run].class_; at++)
        descriptor[run + at].kind = PAGE_REST;
    return page_at(run);
}

PX_APART void px_free(void *block)
{
    uint64_t va = (uint64_t)block;
    unsigned index = (unsigned)((va - PX_HEAP) / PX_PAGE);

    if (va >= PX_BIG && va < PX_BIG_HI) {
        big_give(block);
        return;
    }
    if (va < PX_HEAP || va >= PX_HEAP_HI)
        return;
    if (descriptor[index].kind == PAGE_SLAB) {
        slab_give(index, block);
    } else if (descriptor[index].kind == PAGE_RUN) {
        unsigned count = descriptor[index].class_;

        for (unsigned at = 0; at < count; at++)
            descriptor[index + at].kind = PAGE_FREE;
    }
}
