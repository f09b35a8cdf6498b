/*
 * Physical frames: a buddy allocator over the frame table. A free block's list link lies in its first page, so free memory costs nothing. Every
 * frame is charged to a zone while it is used.
 */
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

#define ORDERS 19u /* up to 1 GiB: few blocks, so few pages are touched before they are used */

HOT_DATA struct frame *frames;
uint64_t frames_end, frames_total, frames_free, frames_kernel;

static struct list free_blocks[ORDERS];

/* Frames that nobody uses, but that other CPUs may have translations to: while there are such, space_stale says so. */
#define LATE_MOST 64u
static uint32_t late[LATE_MOST];
static unsigned late_count;
bool space_stale;

void frame_init(struct frame *table, uint64_t end)
{
    frames = table;
    frames_end = end;
    for (unsigned order = 0; order < ORDERS; order++)
        list_init(&free_blocks[order]);
}

bool frame_is_ram(uint64_t physical)
{
    return physical / PAGE < frames_end && frames[physical / PAGE].state >= FRAME_FREE;
}

bool frame_may_be_device(uint64_t physical)
{
    return (physical / PAGE >= frames_end || frames[physical / PAGE].state == FRAME_RESERVED) && !arch_device_taken(physical);
}

static struct list *block_link(uint64_t number)
{
    return direct(number * PAGE);
}

static void block_insert(uint64_t number, unsigned order)
{
    frames[number].state = FRAME_FREE;
    frames[number].order = (uint8_t)order;
    list_prepend(&free_blocks[order], block_link(number));
}

static bool block_is_free(uint64_t number, unsigned order)
{
    return number < frames_end && frames[number].state == FRAME_FREE && frames[number].order == order;
}

/* A frame inside a free block has state USED with no references, so only first frames look free. */
static void release(uint64_t number, unsigned order)
{
    frames_free += 1ul << order;
    frames[number].state = FRAME_USED;
    while (order + 1 < ORDERS) {
        uint64_t buddy = number ^ (1ul << order);

        if (!block_is_free(buddy, order))
            break;
        list_remove(block_link(buddy));
        frames[buddy].state = FRAME_USED;
        number &= ~(1ul << order);
        order++;
    }
    block_insert(number, order);
}

/* Order of the largest aligned block that begins at `first` and does not pass `end`. */
static unsigned largest(uint64_t first, uint64_t end)
{
    unsigned order = 0;

    while (order + 1 < ORDERS && !(first & (1ul << order)) && first + (2ul << order) <= end)
        order++;
    return order;
}

/* Frames none of whose neighbours is free. */
static void insert_range(uint64_t first, uint64_t end)
{
    while (first < end) {
        unsigned order = largest(first, end);

        frames_free += 1ul << order;
        block_insert(first, order);
        first += 1ul << order;
    }
}

void frame_add_range(uint64_t first, uint64_t end)
{
    for (uint64_t number = first; number < end; number++) {
        frames[number] = (struct frame){.state = FRAME_USED};
        frames_total++;
    }
    insert_range(first, end);
}

void frame_adopt_range(uint64_t first, uint64_t end)
{
    for (uint64_t number = first; number < end; number++) {
        frames[number] = (struct frame){.state = FRAME_USED, .references = 1};
        frames_total++;
        if (!zone_charge(zones[0], 1))
            panic("root zone has a quota");
    }
}

void frame_keep_range(uint64_t first, uint64_t end)
{
    for (uint64_t number = first; number < end && number < frames_end; number++)
        frames[number].state = FRAME_KERNEL;
}

uint64_t frame_take(struct zone *zone, unsigned order, bool raw)
{
    unsigned have = order;
    uint64_t number;

    lock_needed();
    frame_return_late();
    while (have < ORDERS && list_empty(&free_blocks[have]))
        have++;
    if (have >= ORDERS || !zone_charge(zone, 1ul << order))
        return 0;
    number = direct_physical(free_blocks[have].next) / PAGE;
    list_remove(block_link(number));
    frames[number].state = FRAME_USED;
    while (have > order) {
        have--;
        block_insert(number + (1ul << have), have);
    }
    frames_free -= 1ul << order;
    for (uint64_t i = number; i < number + (1ul << order); i++) {
        ASSERT(frames[i].references == 0);
        frames[i].references = 1;
        frames[i].state = FRAME_USED;
        frames[i].zone = zone->number;
    }
    if (!raw)
        memset(direct(number * PAGE), 0, PAGE << order);
    info->frames_free = (uint32_t)frames_free;
    return number * PAGE;
}

void frame_hold(uint64_t physical)
{
    lock_needed();
    if (!frame_is_ram(physical))
        return;
    ASSERT(frame_of(physical)->references > 0);
    frame_of(physical)->references++;
}

static void free_one(uint64_t number)
{
    release(number, 0);
    info->frames_free = (uint32_t)frames_free;
    zone_uncharge(zones[frames[number].zone], 1);
}

void frame_return_late(void)
{
    if (!space_stale)
        return;
    arch_flush_stale();
    space_stale = false;
    while (late_count > 0)
        free_one(late[--late_count]);
}

void frame_drop(uint64_t physical)
{
    struct frame *frame;

    lock_needed();
    if (!frame_is_ram(physical))
        return;
    frame = frame_of(physical);
    ASSERT(frame->references > 0 && frame->state == FRAME_USED);
    if (--frame->references > 0)
        return;
    if (__builtin_expect(space_stale, false)) {
        late[late_count++] = (uint32_t)(physical / PAGE);
        if (late_count == LATE_MOST)
            frame_return_late();
        return;
    }
    free_one(physical / PAGE);
}

/* ---- ranges ---- */

/* The free block that the frame lies in. */
static bool free_block_of(uint64_t number, uint64_t *head, unsigned *order)
{
    for (*order = 0; *order < ORDERS; ++*order) {
        *head = number & ~((1ul << *order) - 1);
        if (block_is_free(*head, *order))
            return true;
    }
    return false;
}

int64_t frame_range_free(uint64_t first, uint64_t end)
{
    uint64_t head;
    unsigned order;

    frame_return_late();
    for (uint64_t at = first; at < end; at = head + (1ul << order))
        if (!free_block_of(at, &head, &order))
            return frame_is_ram(at * PAGE) ? -EXO_E_EXISTS : -EXO_E_RANGE;
    return 0;
}

bool frame_find(uint64_t pages, uint64_t *first)
{
    frame_return_late();
    for (unsigned order = largest(0, pages) + ((pages & (pages - 1)) != 0); order < ORDERS; order++)
        if (!list_empty(&free_blocks[order])) {
            *first = direct_physical(free_blocks[order].next) / PAGE;
            return true;
        }
    return false;
}

/* Blocks of each size that are looked at for a colour. */
#define COLOUR_SEARCH 64u

bool frame_find_colour(uint64_t pages, uint64_t colour, uint64_t colours, uint64_t *first)
{
    frame_return_late();
    for (unsigned order = largest(0, pages); order < ORDERS; order++) {
        const struct list *at = free_blocks[order].next;

        for (unsigned count = 0; count < COLOUR_SEARCH && at != &free_blocks[order]; count++, at = at->next) {
            uint64_t head = direct_physical(at) / PAGE;

            *first = head + (colour + colours - head % colours) % colours;
            if (*first + pages <= head + (1ul << order))
                return true;
        }
    }
    return false;
}

void frame_carve(uint64_t first, uint64_t end)
{
    uint64_t head, at = first;
    unsigned order;

    while (at < end && free_block_of(at, &head, &order)) {
        uint64_t behind = head + (1ul << order);

        list_remove(block_link(head));
        frames[head].state = FRAME_USED;
        frames_free -= 1ul << order;
        if (head < first)
            insert_range(head, first);
        if (behind > end)
            insert_range(end, behind);
        at = behind;
    }
    info->frames_free = (uint32_t)frames_free;
}

void frame_prepare(uint64_t number, const struct zone *zone)
{
    ASSERT(frames[number].references == 0 && frames[number].state == FRAME_USED);
    frames[number].references = 1;
    frames[number].zone = zone->number;
    memset(direct(number * PAGE), 0, PAGE);
}

void frame_return(uint64_t first, uint64_t end)
{
    while (first < end) {
        unsigned order = largest(first, end);

        release(first, order);
        first += 1ul << order;
    }
    info->frames_free = (uint32_t)frames_free;
}
