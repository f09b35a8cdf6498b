/* The table: indices, pids, badges, and what readers see. */
#include "proc.h"

#include <exo/string.h>

struct process processes[PX_PROCS_MAX];
struct px_proctab *table;

static uint32_t entries = INIT; /* high-water mark */

void table_change_begin(void)
{
    __atomic_store_n(&table->seq, table->seq + 1, __ATOMIC_SEQ_CST);
}

void table_change_end(void)
{
    __atomic_store_n(&table->seq, table->seq + 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&table->change, 1, __ATOMIC_SEQ_CST);
}

void table_tell_end(uint32_t *ends)
{
    __atomic_fetch_add(ends, 1, __ATOMIC_SEQ_CST);
    machine_wake(ends);
}

uint32_t table_end(void)
{
    return entries;
}

void table_publish(uint32_t index)
{
    const struct process *process = &processes[index];
    struct px_proc *entry = table_entry(index);

    table_change_begin();
    entry->state = process->state;
    entry->gen = process->gen;
    entry->pid = process->pid;
    entry->ppid = process->parent ? processes[process->parent].pid : 0;
    entry->pgid = process->pgid;
    entry->sid = process->sid;
    entry->uid = process->uid;
    entry->euid = process->euid;
    entry->suid = process->suid;
    entry->gid = process->gid;
    entry->egid = process->egid;
    entry->fsuid = process->fsuid;
    entry->fsgid = process->fsgid;
    entry->sgid = process->sgid;
    entry->status = process->status;
    entry->tty = process->tty;
    entry->flags = process->flags;
    entry->start_ns = process->start_ns;
    entry->cpu_ns = process->spent.cpu_ns;
    entry->child_cpu_ns = process->child_spent.cpu_ns;
    entry->nice = process->nice;
    entry->tracer = process->tracer;
    entry->dumpable = process->dumpable;
    entry->zone = (uint16_t)process->zone;
    entry->label = (uint16_t)zone_label(process->zone);
    table_change_end();
    if (process->state == PX_ZOMBIE)
        table_tell_end(&table->ends);
    zone_show(index);
}

static void make_init(void)
{
    processes[INIT] = (struct process){.state = PX_RUNNING, .gen = 1, .pid = 1, .pgid = 1, .sid = 1, .tty = NO_TTY, .dumpable = 1,
                                       .flags = PX_PF_LEADER | PX_PF_EXECED, .start_ns = machine_now_ns()};
    limits_begin(INIT);
    memcpy(table_entry(INIT)->comm, "init", 5);
    table_publish(INIT);
}

void table_start(void)
{
    memset(processes, 0, sizeof(processes));
    zone_start();
    table->version = PX_PROCTAB_VERSION;
    table->last_pid = 1;
    table->count = 1;
    table->first_pid = 0;
    entries = INIT + 1;
    table->entries = entries;
    memcpy(table->hostname, "exov6", 6);
    make_init();
}

int64_t table_take(uint32_t zone)
{
    if (zone_is_full(zone))
        return -EAGAIN;
    for (uint32_t index = INIT + 1; index < PX_PROCS_MAX; index++) {
        int64_t status;

        if (processes[index].state != PX_FREE)
            continue;
        status = machine_index_ready(index);
        if (status == 0)
            status = machine_view_ready(zone, index);
        if (status < 0)
            return status;
        if (index >= entries) {
            entries = index + 1;
            table->entries = entries;
        }
        return index;
    }
    return -EAGAIN;
}

static bool pid_in_use(int32_t pid)
{
    for (uint32_t index = INIT; index < entries; index++) {
        const struct process *process = &processes[index];

        if (process->state != PX_FREE && (process->pid == pid || process->pgid == pid || process->sid == pid))
            return true;
    }
    return false;
}

/* There are fewer processes in a zone than numbers, so the search ends. */
int32_t table_new_pid(uint32_t zone)
{
    int32_t pid;

    do
        pid = zone_next_pid(zone);
    while (pid_in_use(pid));
    return pid;
}

uint32_t table_find(int32_t pid)
{
    if (pid <= 0)
        return 0;
    for (uint32_t index = INIT; index < entries; index++)
        if (processes[index].state != PX_FREE && processes[index].pid == pid)
            return index;
    return 0;
}

uint32_t table_find_seen(uint32_t caller, int32_t pid)
{
    uint32_t index = table_find(pid);

    return index && zone_sees(processes[caller].zone, index) ? index : 0;
}

uint32_t table_by_badge(uint64_t badge)
{
    uint32_t index = PX_BADGE_INDEX(badge);

    if (index <= INIT || index >= entries || badge != PX_BADGE(index, processes[index].gen) || !is_alive(index) || processes[index].lent)
        return 0;
    return index;
}

void table_free(uint32_t index)
{
    uint32_t gen = processes[index].gen, zone = processes[index].zone;

    processes[index] = (struct process){.gen = gen, .zone = zone};
    table->count--;
    table_publish(index); /* to those who saw it */
    processes[index].zone = 0;
    zone_leave(zone);
}
