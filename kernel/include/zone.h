/*
 * Zones: what they are charged, their shares of the processor, and the memory for small kernel objects. kernel.h includes this where objects are known.
 */
#ifndef ZONE_H
#define ZONE_H
#include "kernel.h"

#define ZONES_MAX 1024u
#define SLAB_CLASSES 3u /* 64, 128, 256 bytes */

struct slab_page {
    struct list link; /* in the slab's pages while a block is free */
    void *free;       /* a free block's first word names the next */
    unsigned used;
};
struct slab {
    struct list pages;        /* those with free blocks */
    struct slab_page *empty;  /* the one that was last found all free, and is kept; or NULL */
};
struct zone_count {
    uint64_t used, quota; /* those of zones below included */
};
struct zone {
    struct object object; /* object.label: the zone's own; object.zone: the zone above, counted */
    struct zone *parent;
    struct gas_account gas;
    struct share share;    /* of its own contexts */
    struct chooser below;  /* between those, its slices and the zones below; */
    struct entity part;    /* and what stands for all of it in the zone above */
    uint64_t used, quota; /* frames, those of zones below included */
    struct zone_count envs, slots;
    uint16_t number;
    uint16_t zones_below, zones_most; /* at all depths */
    uint8_t depth;
    struct member members, members_end;
    bool closing; /* nothing refers to it but frames that are still charged */
    struct zone *next_ending;
    struct slab slab[SLAB_CLASSES]; /* small objects of this zone */
};
static inline unsigned slab_class(size_t bytes)
{
    return bytes <= 64 ? 0 : bytes <= 128 ? 1 : 2;
}

extern struct zone *zones[ZONES_MAX];
void zone_init(void);
bool zone_charge(struct zone *zone, uint64_t count);
void zone_uncharge(struct zone *zone, uint64_t count);
bool zone_end_some(unsigned *most); /* of those that are about to end: counts `*most` down; true: none is left */
/* One more, or `count` more, environments or slots in the zone; false: somebody's quota is used up, nothing changed. */
bool zone_take_envs(struct zone *zone, uint64_t count);
void zone_give_envs(struct zone *zone, uint64_t count);
bool zone_take_slots(struct zone *zone, uint64_t count);
/* One; in line, since it stands on the way of each grant. */
static inline bool zone_take_slot(struct zone *zone)
{
    struct zone *at = zone;

    do {
        if (__builtin_expect(at->slots.used == at->slots.quota, false)) {
            for (struct zone *undo = zone; undo != at; undo = undo->parent)
                undo->slots.used--;
            return false;
        }
        at->slots.used++;
        at = at->parent;
    } while (__builtin_expect(at != NULL, false)); /* as a rule there are few zones */
    return true;
}
void zone_give_slots(struct zone *zone, uint64_t count);
void *zone_small(struct zone *zone, size_t bytes); /* zeroed; at most 256 bytes; NULL: no memory */
void *zone_small_else(struct zone *zone, size_t bytes); /* zone_small_raw, when there is no free block */
void zone_small_free(struct zone *zone, void *block, size_t bytes);
/* In line, since each capability has a node: a block of those that are free, with whatever was in it before. */
static inline void *zone_small_take(struct slab *slab)
{
    struct slab_page *page = LIST_ENTRY(slab->pages.next, struct slab_page, link);
    void *block = page->free;

    page->free = *(void **)block;
    page->used++;
    if (__builtin_expect(!page->free, false))
        list_remove(&page->link);
    return block;
}
static inline bool zone_small_at_hand(const struct zone *zone, size_t bytes)
{
    return !list_empty(&zone->slab[slab_class(bytes)].pages);
}
/* As zone_small, but not zeroed. */
static inline void *zone_small_raw(struct zone *zone, size_t bytes)
{
    return zone_small_at_hand(zone, bytes) ? zone_small_take(&zone->slab[slab_class(bytes)]) : zone_small_else(zone, bytes);
}
void zone_small_init(struct zone *zone);
void zone_small_end(struct zone *zone);
void zone_destroy(struct object *object);

#endif
