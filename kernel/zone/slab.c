/*
 * Small kernel objects of a zone: pages of equal blocks, 64, 128 or 256 bytes, charged to the zone. A page whose blocks are all free goes back at
 * once, but for one of each size, so what a zone has lent the kernel is what its objects need and at most three pages.
 */
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

_Static_assert(sizeof(struct slab_page) <= 64, "the header takes one block");

static struct slab_page *page_of(void *block)
{
    return (struct slab_page *)((uintptr_t)block & ~(PAGE - 1ul));
}

void zone_small_init(struct zone *zone)
{
    for (unsigned class = 0; class < SLAB_CLASSES; class++) {
        list_init(&zone->slab[class].pages);
        zone->slab[class].empty = NULL;
    }
}

static struct slab_page *new_page(struct zone *zone, unsigned class)
{
    size_t size = 64ul << class;
    uint64_t physical = frame_take(zone, 0, false);
    struct slab_page *page;

    if (!physical)
        return NULL;
    page = direct(physical);
    for (size_t at = size; at < PAGE; at += size) {
        *(void **)((char *)page + at) = page->free;
        page->free = (char *)page + at;
    }
    list_append(&zone->slab[class].pages, &page->link);
    zone->slab[class].empty = page;
    return page;
}

void *zone_small_else(struct zone *zone, size_t bytes)
{
    return new_page(zone, slab_class(bytes)) ? zone_small_raw(zone, bytes) : NULL;
}

void *zone_small(struct zone *zone, size_t bytes)
{
    void *block = zone_small_raw(zone, bytes);

    if (block)
        memset(block, 0, 64ul << slab_class(bytes));
    return block;
}

void zone_small_free(struct zone *zone, void *block, size_t bytes)
{
    struct slab *slab = &zone->slab[slab_class(bytes)];
    struct slab_page *page = page_of(block);

    if (!page->free)
        list_append(&slab->pages, &page->link);
    *(void **)block = page->free;
    page->free = block;
    if (--page->used > 0)
        return;
    if (!slab->empty || slab->empty->used > 0 || slab->empty == page) {
        slab->empty = page;
        list_remove(&page->link); /* to the end: pages in use fill up first */
        list_append(&slab->pages, &page->link);
        return;
    }
    list_remove(&page->link);
    frame_drop(direct_physical(page));
}

/* No block is in use any more: what was kept goes back. */
void zone_small_end(struct zone *zone)
{
    for (unsigned class = 0; class < SLAB_CLASSES; class++) {
        struct slab_page *page = list_empty(&zone->slab[class].pages) ? NULL : zone->slab[class].empty;

        ASSERT(list_empty(&zone->slab[class].pages) || (page && zone->slab[class].pages.next == &page->link));
        zone->slab[class].empty = NULL;
        if (page) {
            list_remove(&page->link);
            frame_drop(direct_physical(page));
        }
    }
}
