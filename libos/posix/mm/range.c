/*
 * Allocators of address space: a sorted array of free ranges, first fit from below, neighbours merged. They say
 * nothing about what is mapped. A range that cannot be recorded when it is given back (no heap for a longer
 * array) is lost, not reused.
 */
#include "mm.h"

void px_range_start(struct px_range *range, struct px_piece *first, unsigned capacity, uint64_t lo, uint64_t hi)
{
    range->lo = lo;
    range->hi = hi;
    range->piece = first;
    range->capacity = capacity;
    range->count = 1;
    range->piece[0] = (struct px_piece){lo, (hi - lo) / PX_PAGE};
}

static void remove_piece(struct px_range *range, unsigned at)
{
    range->count--;
    memmove(&range->piece[at], &range->piece[at + 1], (range->count - at) * sizeof(*range->piece));
}

uint64_t px_range_take(struct px_range *range, uint64_t pages)
{
    if (pages == 0)
        return 0;
    for (unsigned at = 0; at < range->count; at++) {
        struct px_piece *piece = &range->piece[at];
        uint64_t va = piece->va;

        if (piece->pages < pages)
            continue;
        piece->va += pages * PX_PAGE;
        piece->pages -= pages;
        if (piece->pages == 0)
            remove_piece(range, at);
        return va;
    }
    return 0;
}

/* Room for one piece more. The first array is the owner's static one and is never freed. */
static bool grow(struct px_range *range)
{
    unsigned capacity = range->capacity * 2;
    struct px_piece *grown;

    if (range->count < range->capacity)
        return true;
    if (range->fixed)
        return false;
    grown = px_alloc(capacity * sizeof(*grown));
    if (!grown)
        return false;
    memcpy(grown, range->piece, range->count * sizeof(*grown));
    if (range->owned)
        px_free(range->piece);
    range->owned = true;
    range->piece = grown;
    range->capacity = capacity;
    return true;
}

PX_APART void px_range_give(struct px_range *range, uint64_t va, uint64_t pages)
{
    uint64_t end = va + pages * PX_PAGE;
    unsigned low = 0, high = range->count;

    if (pages == 0)
        return;
    while (low < high) { /* first piece above va */
        unsigned middle = (low + high) / 2;

        if (range->piece[middle].va > va)
            high = middle;
        else
            low = middle + 1;
    }
    if (low > 0 && range->piece[low - 1].va + range->piece[low - 1].pages * PX_PAGE > va)
        return; /* free already */
    if (low < range->count && range->piece[low].va < end)
        return;
    if (low > 0 && range->piece[low - 1].va + range->piece[low - 1].pages * PX_PAGE == va) {
        range->piece[low - 1].pages += pages;
        if (low < range->count && range->piece[low].va == end) {
            range->piece[low - 1].pages += range->piece[low].pages;
            remove_piece(range, low);
        }
        return;
    }
    if (low < range->count && range->piece[low].va == end) {
        range->piece[low].va = va;
        range->piece[low].pages += pages;
        return;
    }
    if (!grow(range))
        return;
    memmove(&range->piece[low + 1], &range->piece[low], (range->count - low) * sizeof(*range->piece));
    range->piece[low] = (struct px_piece){va, pages};
    range->count++;
}

bool px_range_used(const struct px_range *range, uint64_t from, uint64_t *lo, uint64_t *hi)
{
    *lo = from > range->lo ? from : range->lo;
    if (!range->piece)
        return false;
    for (unsigned at = 0; at < range->count; at++) {
        const struct px_piece *piece = &range->piece[at];

        *hi = piece->va;
        if (*lo < piece->va)
            return true;
        if (*lo < piece->va + piece->pages * PX_PAGE)
            *lo = piece->va + piece->pages * PX_PAGE;
    }
    *hi = range->hi;
    return *lo < range->hi;
}

/* ---- the two ranges that other parts of the libOS take from
 * ------------------------------------------------------ */

#define FIRST_PIECES 8u
static struct px_piece shared_first[FIRST_PIECES], window_first[FIRST_PIECES];
struct px_range px_shared_range, px_window_range;

PX_APART uint64_t px_shared_reserve(uint64_t pages)
{
    if (!px_shared_range.piece) {
        px_range_start(&px_shared_range, shared_first, FIRST_PIECES, PX_SHARED, PX_SHARED_HI);
        (void)px_range_take(&px_shared_range, PX_COMMON_PAGES); /* proc's */
    }
    return px_range_take(&px_shared_range, pages);
}

void px_shared_release(uint64_t va, uint64_t pages)
{
    px_range_give(&px_shared_range, va, pages);
}

uint64_t px_window_reserve(uint64_t pages)
{
    if (!px_window_range.piece)
        px_range_start(&px_window_range, window_first, FIRST_PIECES, PX_WINDOW_LO, PX_WINDOW_HI);
    return px_range_take(&px_window_range, pages);
}

void px_window_release(uint64_t va, uint64_t pages)
{
    px_range_give(&px_window_range, va, pages);
}
