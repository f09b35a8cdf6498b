/*
 * Zones: quotas of frames, in a tree. A frame charged to a zone is charged to all above it, so a zone can never use more than its parent has.
 * Small kernel objects of a zone come from frames of that zone, which stay with it.
 */
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

struct zone *zones[ZONES_MAX];

static struct zone root_zone = {.object = {.references = 1, .type = EXO_TYPE_ZONE}, .quota = UINT64_MAX};

void zone_init(void)
{
    root_zone.object.id = object_next_id();
    root_zone.object.zone = &root_zone;
    zones[0] = &root_zone;
}

bool zone_charge(struct zone *zone, uint64_t count)
{
    struct zone *at, *undo;

    for (at = zone; at; at = at->parent) {
        if (at->used + count > at->quota) {
            for (undo = zone; undo != at; undo = undo->parent)
                undo->used -= count;
            return false;
        }
        at->used += count;
    }
    return true;
}

void zone_uncharge(struct zone *zone, uint64_t count)
{
    for (; zone; zone = zone->parent) {
        ASSERT(zone->used >= count);
        zone->used -= count;
    }
}

static unsigned class_of(size_t bytes)
{
    return bytes <= 64 ? 0 : bytes <= 128 ? 1 : 2;
}

/* Zeroed; at most 256 bytes. A free block's first word names the next. */
void *zone_small(struct zone *zone, size_t bytes)
{
    unsigned class = class_of(bytes);
    size_t size = 64ul << class;
    void *block;

    if (!zone->free[class]) {
        uint64_t physical = frame_take(zone, 0, false);

        if (!physical)
            return NULL;
        for (size_t at = 0; at < PAGE; at += size) {
            *(void **)((char *)direct(physical) + at) = zone->free[class];
            zone->free[class] = (char *)direct(physical) + at;
        }
    }
    block = zone->free[class];
    zone->free[class] = *(void **)block;
    memset(block, 0, size);
    return block;
}

void zone_small_free(struct zone *zone, void *block, size_t bytes)
{
    unsigned class = class_of(bytes);

    *(void **)block = zone->free[class];
    zone->free[class] = block;
}

struct zone *zone_new(struct zone *parent, uint64_t quota)
{
    struct zone *zone;
    unsigned number = 1;

    while (number < ZONES_MAX && zones[number])
        number++;
    if (number == ZONES_MAX)
        return NULL;
    zone = object_new(parent, EXO_TYPE_ZONE, sizeof(*zone));
    if (!zone)
        return NULL;
    zone->parent = parent;
    zone->quota = quota;
    zone->number = (uint16_t)number;
    zones[number] = zone;
    return zone;
}

/* The last reference is gone; frames still charged (slabs, pages mapped elsewhere) keep the zone's number taken. */
void zone_destroy(struct object *object)
{
    (void)object;
}

int64_t k_zone_create(struct context *caller, struct capability *zone, uint64_t quota_frames)
{
    struct zone *made = zone_new((struct zone *)zone->object, quota_frames);
    int64_t handle;

    if (!made)
        return -EXO_E_LIMIT;
    handle = cap_insert(caller->env, 0, &made->object, EXO_RIGHTS_ALL, 0);
    object_drop(&made->object);
    return handle;
}

int64_t k_zone_info(struct context *caller, struct capability *zone, uint64_t out)
{
    struct zone *asked = (struct zone *)zone->object;
    uint64_t words[2] = {asked->used, asked->quota == UINT64_MAX ? frames_total : asked->quota};

    return space_write(caller->env, out, words, sizeof(words)) ? 0 : -EXO_E_FAULT;
}
