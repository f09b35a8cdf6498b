/*
 * The mapping list: a sorted array in the private heap. Lookup is a binary search; neighbours that say the same
 * are one entry.
 */
#include "mm.h"

struct px_mm px_mm;

unsigned px_vma_find(uint64_t va)
{
    unsigned low = 0, high = px_mm.count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (px_mm.vma[middle].hi > va)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct px_vma *px_vma_at(uint64_t va)
{
    unsigned at = px_vma_find(va);

    return at < px_mm.count && px_mm.vma[at].lo <= va ? &px_mm.vma[at] : NULL;
}

PX_APART int64_t px_vma_room(unsigned more)
{
    unsigned wanted = px_mm.count + more, capacity = px_mm.capacity ? px_mm.capacity : 32;
    struct px_vma *grown;

    if (wanted <= px_mm.capacity)
        return 0;
    if (wanted > PX_MAPS_MAX)
        return -ENOMEM;
    while (capacity < wanted)
        capacity *= 2;
    grown = px_alloc(capacity * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    if (px_mm.count)
        memcpy(grown, px_mm.vma, px_mm.count * sizeof(*grown));
    px_free(px_mm.vma);
    px_mm.vma = grown;
    px_mm.capacity = capacity;
    return 0;
}

static void insert_at(unsigned at, const struct px_vma *vma)
{
    memmove(&px_mm.vma[at + 1], &px_mm.vma[at], (px_mm.count - at) * sizeof(*vma));
    px_mm.vma[at] = *vma;
    px_mm.count++;
}

static void remove_at(unsigned at, unsigned entries)
{
    px_mm.count -= entries;
    memmove(&px_mm.vma[at], &px_mm.vma[at + entries], (px_mm.count - at) * sizeof(*px_mm.vma));
}

static bool mergeable(const struct px_vma *low, const struct px_vma *high)
{
    if (low->hi != high->lo || low->prot != high->prot || low->flags != high->flags || low->file != high->file)
        return false;
    return !low->file || (uint64_t)low->page + (low->hi - low->lo) / PX_PAGE == high->page;
}

static bool merge_with_next(unsigned at)
{
    struct px_vma *low = &px_mm.vma[at];

    if (at + 1 >= px_mm.count || !mergeable(low, low + 1))
        return false;
    low->hi = low[1].hi;
    if (low->file)
        px_vma_file_drop(low->file);
    remove_at(at + 1, 1);
    return true;
}

void px_vma_add(const struct px_vma *vma)
{
    unsigned at = px_vma_find(vma->lo);

    insert_at(at, vma);
    px_mm_count((vma->hi - vma->lo) / PX_PAGE);
    if (vma->flags & PX_VMA_LOCKED)
        px_mm.locked += (vma->hi - vma->lo) / PX_PAGE;
    merge_with_next(at);
    if (at > 0)
        merge_with_next(at - 1);
}

PX_APART void px_vma_merge(uint64_t lo, uint64_t hi)
{
    unsigned at = px_vma_find(lo > 0 ? lo - 1 : 0);

    while (at < px_mm.count && px_mm.vma[at].lo <= hi)
        if (!merge_with_next(at))
            at++;
}

PX_APART void px_vma_split(uint64_t va)
{
    unsigned at = px_vma_find(va);
    struct px_vma upper;

    if (at >= px_mm.count || px_mm.vma[at].lo >= va)
        return;
    upper = px_mm.vma[at];
    upper.lo = va;
    if (upper.file) {
        upper.page += (uint32_t)((va - px_mm.vma[at].lo) / PX_PAGE);
        px_mm.file[upper.file - 1]->users++;
    }
    px_mm.vma[at].hi = va;
    insert_at(at + 1, &upper);
}

#define PEAK_PAGES 256u /* fewer that go at once are not looked at, so the peak may be a little too low */

void px_memory_peak(uint64_t pages)
{
    struct px_ppage *page = px_ppage();
    struct exo_env_info info;
    uint64_t now;

    if (pages < PEAK_PAGES || exo_env_info(PX_SLOT_SELF, &info) < 0)
        return;
    now = info.mapped < px_mm.pages ? info.mapped : px_mm.pages; /* the libOS's own pages are counted, too */
    if (now > page->resident_most)
        page->resident_most = (uint32_t)now;
}

static void unbind(uint64_t lo, uint64_t hi)
{
    int64_t status = exo_unmap_all(PX_SLOT_SELF, lo, (hi - lo) / PX_PAGE);

    (void)status; /* an own, aligned range below PX_PROG_HI: cannot fail */
}

void px_vma_cut(uint64_t lo, uint64_t hi)
{
    unsigned first, last;

    px_memory_peak((hi - lo) / PX_PAGE);
    px_rewrite_restore(lo, hi);
    px_vma_split(lo);
    px_vma_split(hi);
    first = px_vma_find(lo);
    for (last = first; last < px_mm.count && px_mm.vma[last].lo < hi; last++) {
        struct px_vma *vma = &px_mm.vma[last];

        px_mm_count(-((vma->hi - vma->lo) / PX_PAGE));
        if (vma->flags & PX_VMA_LOCKED)
            px_mm.locked -= (vma->hi - vma->lo) / PX_PAGE;
        if (vma->file)
            px_vma_file_drop(vma->file);
    }
    if (last == first)
        return;
    unbind(px_mm.vma[first].lo, px_mm.vma[last - 1].hi);
    remove_at(first, last - first);
}

void px_vma_reset(void)
{
    px_memory_peak(px_mm.pages);
    px_rewrite_reset();
    for (unsigned at = 0; at < px_mm.count; at++) {
        struct px_vma *vma = &px_mm.vma[at];

        unbind(vma->lo, vma->hi);
        if (vma->file)
            px_vma_file_drop(vma->file);
    }
    px_mm.count = 0;
    px_mm_count(-px_mm.pages);
    px_mm.pages_most = 0;
    px_mm.brk_lo = px_mm.brk = 0;
    px_mm.next_fault = 0;
    px_mm.around = 0;
    px_mm.freed = px_mm.unforked = px_mm.lock_all = false;
    px_mm.locked = 0;
}

void px_vma_fork_child(void)
{
    for (unsigned at = 0; (px_mm.freed || px_mm.unforked || px_mm.locked) && at < px_mm.count; at++) {
        struct px_vma *vma = &px_mm.vma[at];

        vma->flags &= (uint16_t)~(PX_VMA_FREED | PX_VMA_LOCKED) & 0x1fffu;
        if (vma->flags & PX_VMA_NOFORK && px_mm.copied) {
            px_vma_cut(vma->lo, vma->hi);
            at--;
        }
    }
    px_mm.freed = px_mm.lock_all = false;
    px_mm.locked = 0;
    px_mm_count(0);
}

uint64_t px_vma_pages(uint64_t lo, uint64_t hi)
{
    uint64_t pages = 0;

    for (unsigned at = px_vma_find(lo); at < px_mm.count && px_mm.vma[at].lo < hi; at++) {
        uint64_t from = px_mm.vma[at].lo > lo ? px_mm.vma[at].lo : lo;
        uint64_t to = px_mm.vma[at].hi < hi ? px_mm.vma[at].hi : hi;

        pages += (to - from) / PX_PAGE;
    }
    return pages;
}

uint64_t px_vma_locked(uint64_t lo, uint64_t hi)
{
    uint64_t pages = 0;

    for (unsigned at = px_vma_find(lo); px_mm.locked && at < px_mm.count && px_mm.vma[at].lo < hi; at++) {
        uint64_t from = px_mm.vma[at].lo > lo ? px_mm.vma[at].lo : lo;
        uint64_t to = px_mm.vma[at].hi < hi ? px_mm.vma[at].hi : hi;

        if (px_mm.vma[at].flags & PX_VMA_LOCKED)
            pages += (to - from) / PX_PAGE;
    }
    return pages;
}

/* Where free space below a mapping ends. */
static uint64_t floor_of(const struct px_vma *vma)
{
    if (!(vma->flags & PX_VMA_STACK))
        return vma->lo;
    return vma->lo > PX_STACK_GAP + PX_PROG_LO ? vma->lo - PX_STACK_GAP : PX_PROG_LO;
}

bool px_vma_free(uint64_t lo, uint64_t hi)
{
    unsigned at = px_vma_find(lo);

    return at >= px_mm.count || floor_of(&px_mm.vma[at]) >= hi;
}

static uint64_t gap_above(uint64_t bytes)
{
    uint64_t low = px_mm.map_top;

    for (unsigned at = px_vma_find(low);; at++) {
        uint64_t high = at < px_mm.count ? floor_of(&px_mm.vma[at]) : PX_PROG_HI;

        if (high > low && high - low >= bytes)
            return low;
        if (at >= px_mm.count)
            return 0;
        if (px_mm.vma[at].hi > low)
            low = px_mm.vma[at].hi;
    }
}

uint64_t px_vma_gap(uint64_t bytes)
{
    uint64_t high = px_mm.map_top;
    unsigned at = px_vma_find(high);

    if (at < px_mm.count && floor_of(&px_mm.vma[at]) < high)
        high = floor_of(&px_mm.vma[at]);
    for (;; at--) {
        uint64_t low = at > 0 ? px_mm.vma[at - 1].hi : PX_PROG_LO;

        if (high > low && high - low >= bytes)
            return high - bytes;
        if (at == 0)
            return gap_above(bytes);
        high = floor_of(&px_mm.vma[at - 1]);
    }
}

/* ---- files with mappings
 * ----------------------------------------------------------------------------------------- */

static bool same_node(const struct px_node *a, const struct px_node *b)
{
    return a->kind == b->kind && a->ino == b->ino && a->gen == b->gen;
}

/* The table with one entry more. */
static int64_t file_grow(void)
{
    struct px_map_file **grown = px_alloc((px_mm.files + 8) * sizeof(*grown));

    if (!grown || px_mm.files + 8 > UINT16_MAX) {
        px_free(grown);
        return -ENOMEM;
    }
    memset(grown, 0, (px_mm.files + 8) * sizeof(*grown));
    if (px_mm.files)
        memcpy(grown, px_mm.file, px_mm.files * sizeof(*grown));
    px_free(px_mm.file);
    px_mm.file = grown;
    px_mm.files += 8;
    return 0;
}

int64_t px_vma_file(const struct px_node *node)
{
    struct px_map_file *made;
    unsigned empty = px_mm.files;
    int64_t status = 0;

    for (unsigned at = 0; at < px_mm.files; at++) {
        if (!px_mm.file[at]) {
            if (empty == px_mm.files)
                empty = at;
        } else if (same_node(&px_mm.file[at]->node, node)) {
            px_mm.file[at]->users++;
            return at + 1;
        }
    }
    if (empty == px_mm.files)
        status = file_grow();
    if (status < 0)
        return status;
    made = px_alloc(sizeof(*made));
    if (!made)
        return -ENOMEM;
    status = px_node_hold(node);
    if (status < 0) {
        px_free(made);
        return status;
    }
    made->node = *node;
    made->users = 1;
    px_mm.file[empty] = made;
    return empty + 1;
}

void px_vma_file_drop(unsigned file)
{
    struct px_map_file *entry = px_mm.file[file - 1];

    if (--entry->users > 0)
        return;
    px_node_drop(&entry->node);
    px_free(entry);
    px_mm.file[file - 1] = NULL;
}

static bool maps_node(const struct px_vma *vma, const struct px_node *node)
{
    const struct px_node *of = px_vma_node(vma);

    return of && of->ino == node->ino && of->gen == node->gen;
}

void px_memory_cut(const struct px_node *node, uint64_t size)
{
    const uint64_t end = PX_PAGE_UP(size) / PX_PAGE;

    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];
        uint64_t lo = vma->lo;

        if (!maps_node(vma, node) || vma->flags & PX_VMA_EAGER || end >= vma->page + (vma->hi - vma->lo) / PX_PAGE)
            continue;
        if (end > vma->page)
            lo += (end - vma->page) * PX_PAGE;
        (void)!exo_unmap_all(PX_SLOT_SELF, lo, (vma->hi - lo) / PX_PAGE);
    }
}

/* Copies that a private mapping has of its own are no pages of the file. */
static void drop_pages(const struct px_vma *vma, uint64_t lo, uint64_t hi)
{
    if (vma->flags & PX_VMA_SHARED) {
        (void)!exo_unmap_all(PX_SLOT_SELF, lo, (hi - lo) / PX_PAGE);
        return;
    }
    for (; lo < hi; lo += PX_PAGE) {
        uint64_t word = 0;

        if (exo_mem_query(PX_SLOT_SELF, lo, 1, &word) == 1 && (word & (EXO_QUERY_WRITE | EXO_QUERY_COW)) != EXO_QUERY_WRITE)
            (void)!exo_unmap_all(PX_SLOT_SELF, lo, 1);
    }
}

void px_memory_punch(const struct px_node *node, uint64_t offset, uint64_t bytes)
{
    uint64_t first = PX_PAGE_UP(offset) / PX_PAGE, end = (offset + bytes) / PX_PAGE;

    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];
        uint64_t from = first > vma->page ? first : vma->page, pages = (vma->hi - vma->lo) / PX_PAGE;
        uint64_t to = end < vma->page + pages ? end : vma->page + pages;

        if (maps_node(vma, node) && !(vma->flags & PX_VMA_EAGER) && from < to)
            drop_pages(vma, vma->lo + (from - vma->page) * PX_PAGE, vma->lo + (to - vma->page) * PX_PAGE);
    }
}

bool px_memory_writes(const struct px_node *node)
{
    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];

        if (maps_node(vma, node) && (vma->flags & (PX_VMA_SHARED | PX_VMA_NOWRITE)) == PX_VMA_SHARED)
            return true;
    }
    return false;
}
