/*
 * The record of crossings: who made a zone, entered one, gave a capability into another, and what the labels forbade. A ring in the kernel; the
 * newest record overwrites the oldest, and what goes before anybody has read it is counted. A record that says the same as one of the last few
 * only adds to its count, so that somebody who tries the same thing over and over cannot push the others out.
 */
#include "kernel.h"
#include "port.h"

#define RECORDS 1024u
#define LOOK_BACK 8u

struct object audit_object = {.references = 1, .type = EXO_TYPE_AUDIT, .label = EXO_PLACE_AUDIT};

static struct exo_audit_record ring[RECORDS];
static uint64_t next_sequence, read_to, dropped;

void audit_init(void)
{
    audit_object.id = object_next_id();
    audit_object.zone = zones[0];
}

static uint64_t oldest(void)
{
    return next_sequence > RECORDS ? next_sequence - RECORDS : 0;
}

static bool same(const struct exo_audit_record *left, const struct exo_audit_record *right)
{
    return left->object == right->object && left->kind == right->kind && left->verdict == right->verdict && left->who == right->who &&
           left->from == right->from && left->to == right->to;
}

static bool add_to_recent(const struct exo_audit_record *record)
{
    for (uint64_t back = 1; back <= LOOK_BACK && back <= next_sequence; back++) {
        struct exo_audit_record *earlier = &ring[(next_sequence - back) % RECORDS];

        if (!same(earlier, record) || earlier->count == UINT32_MAX)
            continue;
        earlier->count++;
        earlier->time_ns = record->time_ns;
        return true;
    }
    return false;
}

void audit(unsigned kind, const struct env *who, uint64_t object, const struct zone *to, unsigned verdict)
{
    struct exo_audit_record record = {
        .sequence = next_sequence,
        .time_ns = arch_now_ns(),
        .who = who ? who->object.id : 0,
        .object = object,
        .from = who ? who->zone->object.id : 0,
        .to = to->object.id,
        .kind = kind,
        .verdict = verdict,
        .count = 1,
        .from_label = who ? who->object.label : EXO_LABEL_TOP,
        .to_label = to->object.label,
    };

    if (add_to_recent(&record))
        return;
    if (next_sequence >= RECORDS && read_to <= next_sequence - RECORDS)
        dropped++;
    ring[next_sequence++ % RECORDS] = record;
}

void audit_crossing(const struct env *from, const struct env *to, const struct object *object, uint64_t rights)
{
    bool call = object->type == EXO_TYPE_ENDPOINT && rights & EXO_RIGHT_CALL && object->zone != to->zone;

    audit(call ? EXO_AUDIT_CALL : EXO_AUDIT_GRANT, from, object->id, to->zone, 0);
}

/* The zone that an object stands for, or is charged to. */
static const struct zone *zone_of(const struct object *object)
{
    switch (object->type) {
    case EXO_TYPE_ZONE: return (const struct zone *)object;
    case EXO_TYPE_ENV: return ((const struct env *)object)->zone;
    default: return object->zone;
    }
}

int64_t label_refused(struct env *actor, struct object *object, unsigned kind)
{
    audit(kind, actor, object->id, zone_of(object), EXO_E_DENIED);
    return -EXO_E_DENIED;
}

int64_t k_audit_read(struct context *caller, struct capability *capability, uint64_t from, uint64_t records, uint64_t most)
{
    uint64_t at = from < oldest() ? oldest() : from, done = 0;

    (void)capability;
    if (most > EXO_AUDIT_MOST)
        most = EXO_AUDIT_MOST;
    work_done(most);
    for (; done < most && at < next_sequence; done++, at++)
        if (!space_write(caller->env, records + done * sizeof(ring[0]), &ring[at % RECORDS], sizeof(ring[0])))
            return -EXO_E_FAULT;
    if (done > 0 && at > read_to)
        read_to = at;
    return (int64_t)done;
}

int64_t k_audit_info(struct context *caller, struct capability *capability, uint64_t out)
{
    const struct exo_audit_info text = {oldest(), next_sequence, dropped};

    (void)capability;
    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}
