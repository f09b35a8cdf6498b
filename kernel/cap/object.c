/* The life of kernel objects: counted references, freed with the last one, by type. */
#include <exo/string.h>

#include "slice.h"
#include "trace.h"
#include "waiting.h"

static uint64_t last_id;

uint64_t object_next_id(void)
{
    return ++last_id;
}

static void object_set(struct object *object, struct zone *zone, unsigned type)
{
    object->references = 1;
    object->type = (uint8_t)type;
    object->id = object_next_id();
    object->zone = zone;
    object->label = zone->object.label;
    object_hold(&zone->object);
}

/* Zeroed, one reference, charged to the zone; NULL: no memory. Objects over 256 bytes take a frame. */
void *object_new(struct zone *zone, unsigned type, size_t bytes)
{
    struct object *object;

    if (bytes > 256) {
        uint64_t physical = frame_take(zone, 0, false);

        object = physical ? direct(physical) : NULL;
    } else {
        object = zone_small(zone, bytes);
    }
    if (object)
        object_set(object, zone, type);
    return object;
}

void object_free(struct object *object, size_t bytes)
{
    struct zone *zone = object->zone;

    if (bytes > 256)
        frame_drop(direct_physical(object));
    else
        zone_small_free(zone, object, bytes);
    object_drop(&zone->object);
}

void object_last_dropped(struct object *object)
{
    switch (object->type) {
    case EXO_TYPE_ENV:
        members_leave((struct env *)object);
        reap_add(object);
        break;
    case EXO_TYPE_FRAME: reap_add(object); break;
    case EXO_TYPE_CTX: context_free(object); break;
    case EXO_TYPE_ENDPOINT: endpoint_free(object); break;
    case EXO_TYPE_TALLY: tally_free(object); break;
    case EXO_TYPE_WATCH: watch_free(object); break;
    case EXO_TYPE_IRQ: irq_free(object); break;
    case EXO_TYPE_ZONE: zone_destroy(object); break;
    case EXO_TYPE_PORTS: ports_free(object); break;
    case EXO_TYPE_DMA: dma_free(object); break;
    case EXO_TYPE_TRACE: trace_free(object); break;
    case EXO_TYPE_SLICE: slice_free(object); break;
    case EXO_TYPE_SERVICE:
    case EXO_TYPE_DISK:
    case EXO_TYPE_NETWORK: object_free(object, sizeof(*object)); break;
    case EXO_TYPE_MACHINE:
    case EXO_TYPE_AUDIT: break;
    default: panic("object %lu of unknown type %u", object->id, object->type);
    }
}
