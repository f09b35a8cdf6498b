/* What the policies owe each zone and process that exo top shows: max-min fairness (share.h) down the tree of zones. */
#include <unistd.h>

#include "top.h"

struct zone top_zones[ZONES];
unsigned top_zone_count, top_cpus = 1;

struct zone *top_zone_of(const struct exo_zone_status *status)
{
    for (unsigned i = 0; i < top_zone_count; i++)
        if (top_zones[i].status.id == status->id)
            return &top_zones[i];
    if (top_zone_count == ZONES)
        return &top_zones[ZONES - 1];
    top_zones[top_zone_count] = (struct zone){.status = *status};
    return &top_zones[top_zone_count++];
}

/* A zone's own contexts have EXO_ZONE_WEIGHT, the zones below it their weights. `whole` is what the zone gets. */
static void divide_zone(struct zone *zone, double whole, struct sample *sample)
{
    struct share part[ZONES] = {{.weight = EXO_ZONE_WEIGHT, .wants = zone->own}}, own[MOST];
    struct zone *below[ZONES];
    struct row *row[MOST];
    unsigned parts = 1, members = 0;

    zone->due = whole;
    for (unsigned i = 0; i < top_zone_count && parts < ZONES; i++)
        if (top_zones[i].status.parent == zone->status.id) {
            below[parts] = &top_zones[i];
            part[parts++] = (struct share){.weight = (double)top_zones[i].status.limits.weight, .wants = top_zones[i].wants};
        }
    share_divide(whole, part, parts);
    for (unsigned i = 0; i < sample->count; i++)
        if (sample->row[i].process.pid && top_zone_of(&sample->row[i].now.zone) == zone) {
            row[members] = &sample->row[i];
            own[members++] = (struct share){.weight = sample->row[i].now.env.contexts, .wants = sample->row[i].due};
        }
    share_divide(part[0].due, own, members);
    for (unsigned i = 0; i < members; i++)
        row[i]->due = own[i].due;
    for (unsigned i = 1; i < parts; i++)
        divide_zone(below[i], part[i].due, sample);
}

struct zone *top_zone_above(const struct zone *zone)
{
    for (unsigned i = 0; i < top_zone_count; i++)
        if (top_zones[i].status.id == zone->status.parent)
            return &top_zones[i];
    return NULL;
}

bool top_is_servers(const struct sample *sample, const struct zone *zone)
{
    return sample->row[0].process.pid == 0 && sample->row[0].now.zone.id == zone->status.id;
}

/*
 * Contexts that were ready at every look want a processor each, others what they used. Who wakes for a moment waits for its turn most of the time, and may
 * be met so at every look, for they take turns: who called the kernel and used next to nothing wants no more.
 */
static double wanted(const struct row *row)
{
    bool sleeps = row->process.pid == 0 || row->process.pid == getpid() || (row->calls > 0 && row->cpu < 0.01);

    return !sleeps && row->cpu < (double)row->always ? (double)row->always : row->cpu;
}

/* What servers used was on their clients' shares, and is gone already. */
void top_find_due(struct sample *sample)
{
    double whole = top_cpus;

    for (unsigned i = 0; i < sample->count; i++) {
        struct row *row = &sample->row[i];
        struct zone *zone = top_zone_of(&row->now.zone);

        row->due = wanted(row);
        zone->own += row->due;
        if (!row->process.pid)
            whole -= row->cpu;
        for (struct zone *at = zone; at; at = top_zone_above(at)) {
            at->cpu += row->cpu;
            at->wants += row->due;
        }
    }
    for (unsigned i = 0; i < top_zone_count; i++)
        if (!top_zone_above(&top_zones[i]) && !top_is_servers(sample, &top_zones[i]))
            divide_zone(&top_zones[i], top_zones[i].wants < whole ? top_zones[i].wants : whole, sample);
        else if (top_is_servers(sample, &top_zones[i]))
            top_zones[i].due = top_zones[i].cpu;
}
