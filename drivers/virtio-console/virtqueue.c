#include "virtqueue.h"

#include <exo/string.h>

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};
#define DESCRIPTOR_WRITE 2u

struct avail_ring {
    uint16_t flags;
    uint16_t index;
    uint16_t entry[VIRTQUEUE_MAX];
};
#define AVAIL_NO_INTERRUPT 1u

struct used_ring {
    uint16_t flags;
    uint16_t index;
    struct {
        uint32_t id;
        uint32_t length;
    } entry[VIRTQUEUE_MAX];
};
#define USED_NO_NOTIFY 1u

_Static_assert(sizeof(struct descriptor) * VIRTQUEUE_MAX <= VIRTQUEUE_AVAIL, "descriptors fit");
_Static_assert(VIRTQUEUE_AVAIL + sizeof(struct avail_ring) + 2 <= VIRTQUEUE_USED, "the driver's ring fits");
_Static_assert(VIRTQUEUE_USED + sizeof(struct used_ring) + 2 <= VIRTQUEUE_PAGE_BYTES, "the device's ring fits");

static struct descriptor *descriptors(const struct virtqueue *queue)
{
    return (struct descriptor *)queue->page;
}

/* A legacy device computes the place from the queue's size: right behind the descriptors. A modern one is told the same. */
static struct avail_ring *avail(const struct virtqueue *queue)
{
    return (struct avail_ring *)(queue->page + queue->size * sizeof(struct descriptor));
}

static struct used_ring *used(const struct virtqueue *queue)
{
    return (struct used_ring *)(queue->page + VIRTQUEUE_USED);
}

void virtqueue_start(struct virtqueue *queue, void *page, uint64_t physical, uint16_t size)
{
    memset(queue, 0, sizeof(*queue));
    memset(page, 0, VIRTQUEUE_PAGE_BYTES);
    queue->page = page;
    queue->physical = physical;
    queue->size = size;
}

bool virtqueue_offer(struct virtqueue *queue, uint16_t id, uint64_t physical, uint32_t bytes, bool device_writes)
{
    struct descriptor *descriptor;

    if (queue->broken || id >= queue->size || queue->room[id] || bytes == 0)
        return false;
    descriptor = &descriptors(queue)[id];
    descriptor->address = physical;
    descriptor->length = bytes;
    descriptor->flags = device_writes ? DESCRIPTOR_WRITE : 0;
    descriptor->next = 0;
    avail(queue)->entry[queue->avail % queue->size] = id;
    queue->avail++;
    /* Pairs with the device's read of the index: it must see the entry and the descriptor. */
    __atomic_store_n(&avail(queue)->index, queue->avail, __ATOMIC_RELEASE);
    queue->room[id] = bytes;
    queue->writable[id] = device_writes;
    queue->offered++;
    queue->unannounced = true;
    return true;
}

bool virtqueue_take(struct virtqueue *queue, uint16_t *id, uint32_t *bytes)
{
    /* Pairs with the device's store of the index, which follows its entries and data. */
    uint16_t ready = (uint16_t)(__atomic_load_n(&used(queue)->index, __ATOMIC_ACQUIRE) - queue->used);
    uint32_t named, length;

    if (queue->broken || ready == 0)
        return false;
    named = __atomic_load_n(&used(queue)->entry[queue->used % queue->size].id, __ATOMIC_RELAXED);
    length = __atomic_load_n(&used(queue)->entry[queue->used % queue->size].length, __ATOMIC_RELAXED);
    if (ready > queue->offered || named >= queue->size || queue->room[named] == 0 ||
        (queue->writable[named] && length > queue->room[named])) {
        queue->broken = true;
        return false;
    }
    *id = (uint16_t)named;
    *bytes = queue->writable[named] ? length : 0;
    queue->room[named] = 0;
    queue->offered--;
    queue->used++;
    return true;
}

bool virtqueue_must_notify(struct virtqueue *queue)
{
    if (!queue->unannounced)
        return false;
    queue->unannounced = false;
    /* The index must be visible before the flag is read: the device sets the flag and then looks at the index once more. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return !(__atomic_load_n(&used(queue)->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY);
}

void virtqueue_interrupts(struct virtqueue *queue, bool wanted)
{
    __atomic_store_n(&avail(queue)->flags, wanted ? 0 : AVAIL_NO_INTERRUPT, __ATOMIC_SEQ_CST);
}
