/* What was recorded goes to the host when the first process has ended: libos/posix/proto/record.h. */
#include "host_parts.h"

#include "../../libos/posix/proto/record.h"

#define UNIT sizeof(struct exo_trace_record)

/* How far it has got. */
static struct {
    bool begun, done;
    unsigned cpu;
    uint64_t next, end; /* of the CPU's records; after its header */
    bool header_sent;
} sent;

static const struct exo_trace_header *header_of(unsigned cpu)
{
    return (const struct exo_trace_header *)(PX_TRACE_VA + cpu * PX_TRACE_STEP);
}

void host_trace_stop(void)
{
    for (unsigned cpu = 0; cpu < service.start->trace_cpus; cpu++)
        if (exo_cap_delete(PX_TRACE_SLOT + cpu) < 0)
            say("tty: the recording of CPU %u goes on", cpu);
}

bool host_trace_is_sent(void)
{
    return sent.done || service.start->trace_cpus == 0;
}

static size_t put_head(uint8_t *to)
{
    const struct exo_info *info = (const struct exo_info *)service.start->info_va;
    struct px_trace_head head = {.magic = "exotrac", .version = PX_TRACE_VERSION, .cpus = (uint32_t)service.start->trace_cpus,
                                 .tsc_mult = info->tsc_mult, .tsc_base = info->tsc_base};

    head.magic[7] = 'e';
    memcpy(head.id, service.start->id, sizeof(service.start->id));
    memcpy(to, &head, sizeof(head));
    sent.begun = true;
    return sizeof(head);
}

static size_t put_header(uint8_t *to)
{
    const struct exo_trace_header *header = header_of(sent.cpu);

    memcpy(to, header, sizeof(*header));
    sent.end = header->written;
    sent.next = header->written > header->capacity ? header->written - header->capacity : 0;
    sent.header_sent = true;
    return sizeof(*header);
}

static size_t put_records(uint8_t *to, size_t room)
{
    const struct exo_trace_header *header = header_of(sent.cpu);
    const struct exo_trace_record *records = (const struct exo_trace_record *)(header + 1);
    uint64_t place = sent.next % header->capacity, count = header->capacity - place;

    if (count > sent.end - sent.next)
        count = sent.end - sent.next;
    if (count > room / UNIT)
        count = room / UNIT;
    memcpy(to, &records[place], count * UNIT);
    sent.next += count;
    if (sent.next == sent.end) {
        sent.header_sent = false;
        sent.done = ++sent.cpu == service.start->trace_cpus;
    }
    return count * UNIT;
}

bool host_send_trace(void)
{
    bool moved = false;

    while (host.phase == PHASE_LAST && !host_trace_is_sent()) {
        size_t room;
        uint8_t *payload = host_begin(PX_LINK_TRACE, sizeof(struct px_trace_head), &room);

        if (!payload)
            break;
        frame_end(&host.writer, !sent.begun ? put_head(payload) : !sent.header_sent ? put_header(payload) : put_records(payload, room));
        moved = true;
    }
    return moved;
}
