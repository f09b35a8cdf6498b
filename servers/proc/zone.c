/*
 * Zones of processes: who is confined with whom. Zone 0 is where the first process is unless the host says otherwise. A process sees those of its own
 * zone and of zones below: the others are not in the table that it reads, their numbers name nobody, and its own numbers come from a
 * range of its zone's, so that nothing tells it how many others come and go. A zone ends with its last process.
 */
#include "proc.h"

#include <exo/label.h>
#include <exo/string.h>

struct zone {
    bool used;
    uint32_t parent; /* index */
    unsigned label;
    uint64_t envs; /* its quota */
    uint32_t members;
    int32_t last_pid;
    uint64_t forks;
};

static struct zone zones[ZONES_MAX];
static unsigned made; /* zones but the first: mostly there are none, and nothing to do for them */

void zone_start(void)
{
    memset(zones, 0, sizeof(zones));
    made = 0;
    zones[0] = (struct zone){.used = true, .label = EXO_PLACE_PROGRAMS};
}

unsigned zone_label(uint32_t zone)
{
    return zones[zone].label;
}

bool zone_used(uint32_t zone)
{
    return zones[zone].used;
}

bool zone_within(uint32_t zone, uint32_t above)
{
    while (zone != above && zone != 0)
        zone = zones[zone].parent;
    return zone == above;
}

bool zone_sees(uint32_t zone, uint32_t index)
{
    return index == INIT || zone_within(processes[index].zone, zone);
}

/* Places in the table that zones have been promised: those directly below the first one, for the others take from these. */
static uint64_t promised(void)
{
    uint64_t sum = 0;

    for (uint32_t zone = 1; zone < ZONES_MAX; zone++)
        sum += zones[zone].used && zones[zone].parent == 0 ? zones[zone].envs : 0;
    return sum;
}

/* May there be one more below `parent`? */
static bool room_for_zone(uint32_t parent, uint64_t envs)
{
    uint32_t top = parent, below = 0;

    if (parent == 0)
        return promised() + envs <= PX_PROCS_MAX / 2;
    while (zones[top].parent != 0)
        top = zones[top].parent;
    for (uint32_t zone = 1; zone < ZONES_MAX; zone++)
        below += zones[zone].used && zone_within(zone, top);
    return below <= ZONES_BELOW; /* the top one is among them */
}

int64_t zone_open(uint32_t parent, unsigned label, const struct exo_zone_limits *limits)
{
    struct exo_zone_limits given = *limits;
    uint32_t zone = 1;
    int64_t status;

    if (!exo_label_known(label))
        return -EINVAL;
    if (!exo_label_dominates(zones[parent].label, label))
        return -EPERM;
    while (zone < ZONES_MAX && zones[zone].used)
        zone++;
    if (given.envs > ZONE_PROCESSES)
        given.envs = ZONE_PROCESSES;
    if (zone == ZONES_MAX || !room_for_zone(parent, given.envs))
        return -EAGAIN;
    status = machine_zone_make(zone, parent, label, &given);
    if (status < 0)
        return status;
    made++;
    zones[zone] = (struct zone){.used = true, .parent = parent, .label = label, .envs = given.envs, .last_pid = ZONE_PIDS(zone)};
    return zone;
}

void zone_join(uint32_t zone)
{
    zones[zone].members++;
    zones[zone].forks++;
}

void zone_leave(uint32_t zone)
{
    zones[zone].members--;
    zone_close_if_empty(zone);
}

/* Zones below go first: their first process had its parent above, but may outlive all of those. */
void zone_close_if_empty(uint32_t zone)
{
    while (zone != 0 && zones[zone].used && zones[zone].members == 0) {
        uint32_t parent = zones[zone].parent;

        for (uint32_t below = 1; below < ZONES_MAX; below++)
            if (zones[below].used && zones[below].parent == zone)
                return;
        zones[zone].used = false;
        made--;
        machine_zone_end(zone);
        zone = parent;
    }
}

uint64_t zone_members(uint32_t zone)
{
    uint64_t sum = 0;

    for (uint32_t below = 0; below < ZONES_MAX; below++)
        sum += zones[below].used && zone_within(below, zone) ? zones[below].members : 0;
    return sum;
}

/* It, or one above it, has as many processes as it may. */
bool zone_is_full(uint32_t zone)
{
    for (; zone != 0; zone = zones[zone].parent)
        if (zone_members(zone) >= zones[zone].envs)
            return true;
    return false;
}

int32_t zone_next_pid(uint32_t zone)
{
    int32_t low = zone == 0 ? 2 : ZONE_PIDS(zone), end = zone == 0 ? PID_MAX : ZONE_PIDS(zone) + ZONE_PID_COUNT;
    int32_t *last = zone == 0 ? &table->last_pid : &zones[zone].last_pid;

    *last = *last + 1 < end ? *last + 1 : low;
    return *last;
}

/* What readers of a zone's table see of the whole. */
static void show_head(uint32_t zone)
{
    struct px_proctab *view = machine_view(zone);
    uint32_t end = INIT + 1, count = 1;

    for (uint32_t index = INIT + 1; index < table_end(); index++)
        if (processes[index].state != PX_FREE && zone_sees(zone, index)) {
            end = index + 1;
            count++;
        }
    view->version = table->version;
    view->count = count;
    view->first_pid = zone_sees(zone, table_find(table->first_pid)) ? table->first_pid : 0;
    view->first_done = table->first_done;
    view->first_status = table->first_status;
    view->last_pid = zones[zone].last_pid;
    view->forks = zones[zone].forks;
    view->entries = end;
    view->table_pages = PX_PROCTAB_PAGES - 1;
    memcpy(view->hostname, table->hostname, sizeof(view->hostname));
}

void zone_show_time(void)
{
    for (uint32_t zone = 1; zone < ZONES_MAX; zone++)
        if (zones[zone].used)
            __atomic_store_n(&machine_view(zone)->wall_shift_ns, table->wall_shift_ns, __ATOMIC_RELAXED);
}

static void show(uint32_t zone, uint32_t index)
{
    struct px_proctab *view = machine_view(zone);
    struct px_proc *entry = PX_PROC(view, index);
    const struct process *process = &processes[index];

    __atomic_store_n(&view->seq, view->seq + 1, __ATOMIC_SEQ_CST);
    if (process->state == PX_FREE) {
        memset(entry, 0, sizeof(*entry));
    } else {
        memcpy(entry, table_entry(index), sizeof(*entry));
        entry->fs_env = 0;
        if (process->parent && !zone_sees(zone, process->parent))
            entry->ppid = 0;
    }
    show_head(zone);
    __atomic_store_n(&view->seq, view->seq + 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&view->change, 1, __ATOMIC_SEQ_CST);
    if (process->state == PX_ZOMBIE)
        table_tell_end(&view->ends);
}

void zone_show(uint32_t index)
{
    for (uint32_t zone = 1; made > 0 && zone < ZONES_MAX; zone++)
        if (zones[zone].used && zone_sees(zone, index))
            show(zone, index);
}
