/*
 * The machine that proc's logic sees in its host tests: pages in memory, environments as flags, and calls that can be made to fail. Each test program
 * includes this once.
 */
#ifndef FAKE_H
#define FAKE_H
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/proc/proc.h"

#include <exo/label.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static _Alignas(1024) uint8_t fake_table[PX_PROCS_MAX * sizeof(struct px_proc)];
static struct px_ppage fake_ppages[PX_PROCS_MAX];
static uint8_t fake_messages[PX_PROCS_MAX][4096];
static bool fake_environment[PX_PROCS_MAX], fake_started[PX_PROCS_MAX];
static _Alignas(1024) uint8_t fake_views[ZONES_MAX][PX_PROCS_MAX * sizeof(struct px_proc)];
static bool fake_zones[ZONES_MAX];
static unsigned fake_posts[PX_PROCS_MAX], fake_wakes, fake_fs_notes, fake_power, fake_dropped;
static uint64_t fake_tty_notes, fake_now, fake_cpu = 1000, fake_resident = 50;
static int fake_fail_in = -1; /* so many calls from now one fails */

static void (*fake_on_post)(uint32_t index); /* what the process does if it runs at once */

static bool fake_fails(void)
{
    return fake_fail_in >= 0 && fake_fail_in-- == 0;
}
uint64_t machine_gas_used(void)
{
    return 4711;
}
struct px_ppage *machine_ppage(uint32_t index)
{
    CHECK(index > INIT && index < PX_PROCS_MAX);
    return &fake_ppages[index];
}
void *machine_message(uint32_t index)
{
    CHECK(index > INIT && index < PX_PROCS_MAX);
    return fake_messages[index];
}
int64_t machine_index_ready(uint32_t index)
{
    if (fake_fails())
        return -ENOMEM;
    CHECK(!fake_environment[index]);
    memset(&fake_ppages[index], 0, sizeof(fake_ppages[index]));
    fake_ppages[index].index = (int32_t)index;
    return 0;
}
int64_t machine_fork(uint32_t parent, uint32_t index, const struct exo_ctx_state *state, struct machine_child *child)
{
    (void)state;
    CHECK(fake_environment[parent] && !fake_environment[index]);
    if (fake_fails())
        return -ENOMEM;
    fake_environment[index] = true;
    fake_started[index] = false;
    *child = (struct machine_child){1000 + index, 2000 + index};
    return 0;
}
int64_t machine_spawn(uint32_t index, uint64_t boot_frames)
{
    CHECK(boot_frames == 77);
    if (fake_fails())
        return -ENOMEM;
    fake_environment[index] = true;
    return 0;
}
int64_t machine_spawn_in(uint32_t parent, uint32_t index, struct machine_child *child)
{
    return machine_fork(parent, index, NULL, child);
}
struct px_proctab *machine_view(uint32_t zone)
{
    CHECK(zone < ZONES_MAX && (zone == 0 || fake_zones[zone]));
    return zone == 0 ? table : (struct px_proctab *)fake_views[zone];
}
int64_t machine_view_ready(uint32_t zone, uint32_t index)
{
    CHECK(index < PX_PROCS_MAX && zone_used(zone));
    return zone != 0 && fake_fails() ? -ENOMEM : 0;
}
int64_t machine_zone_make(uint32_t zone, uint32_t parent, unsigned label, const struct exo_zone_limits *limits)
{
    CHECK(zone > 0 && zone < ZONES_MAX && !fake_zones[zone] && zone_used(parent) && exo_label_known(label) && limits->envs <= ZONE_PROCESSES);
    if (fake_fails())
        return -ENOMEM;
    memset(fake_views[zone], 0, sizeof(fake_views[zone]));
    memcpy(fake_views[zone], fake_table, 2 * sizeof(struct px_proc)); /* the head and init */
    fake_zones[zone] = true;
    return 0;
}
void machine_zone_end(uint32_t zone)
{
    CHECK(zone > 0 && zone < ZONES_MAX && fake_zones[zone]);
    fake_zones[zone] = false;
}
int64_t machine_give_audit(uint32_t index)
{
    return exo_label_dominates(zone_label(processes[index].zone), EXO_PLACE_AUDIT) ? 4000 : -EPERM;
}
int64_t machine_give_reclaim(uint32_t caller, uint32_t index)
{
    CHECK(fake_environment[caller] && fake_environment[index]);
    return 4001;
}
int64_t machine_inspect(uint32_t index, struct px_inspect *answer)
{
    CHECK(fake_environment[index]);
    answer->env.id = 5000 + index;
    return 0;
}
int64_t machine_inspect_server(uint64_t who, struct px_inspect *answer)
{
    answer->env.id = 6000 + who;
    return who >= 2 && who <= 4 ? 0 : -ESRCH;
}
static int64_t fake_renewal; /* what machine_renew answers */
static uint64_t fake_renewals, fake_root;
int64_t machine_renew(uint32_t index, uint64_t from, uint64_t pages, uint64_t root)
{
    CHECK(fake_environment[index] && from % 4096 == 0 && pages > 0 && pages <= PX_RENEWAL_PAGES);
    fake_renewals += fake_renewal == 0;
    fake_root = root;
    return fake_renewal;
}
static bool fake_soiled[PX_PROCS_MAX];
void machine_soil(uint32_t index)
{
    fake_soiled[index] = true;
}
bool machine_started(uint32_t index)
{
    CHECK(fake_environment[index]);
    return fake_started[index];
}
void machine_destroy(uint32_t index, int32_t status)
{
    (void)status;
    CHECK(fake_environment[index]); /* once each */
    fake_environment[index] = false;
}
static unsigned fake_limit_posts;
void machine_post_limit(uint32_t index)
{
    CHECK(fake_environment[index]);
    fake_limit_posts++;
}
static unsigned fake_ask_posts;
void machine_post_ask(uint32_t index)
{
    CHECK(fake_environment[index]);
    fake_ask_posts++;
}
void machine_post(uint32_t index)
{
    CHECK(fake_environment[index]);
    fake_posts[index]++;
    if (fake_on_post)
        fake_on_post(index);
}
void machine_wake(uint32_t *word)
{
    (void)word;
    fake_wakes++;
}
uint64_t machine_now_ns(void)
{
    return ++fake_now;
}
void machine_spent(uint32_t index, struct px_spent *spent)
{
    CHECK(fake_environment[index]);
    *spent = (struct px_spent){fake_cpu, 6, fake_resident};
}
bool machine_figures(uint32_t index, struct exo_env_info *figures)
{
    CHECK(fake_environment[index]);
    *figures = (struct exo_env_info){.frames = 5, .faults = 6, .ready = 1};
    return true;
}
void *machine_page(void)
{
    static uint8_t pages[64][PX_PAGE] __attribute__((aligned(4096)));
    static unsigned next;

    return next < 64 ? pages[next++] : NULL;
}

void machine_notify_fs(uint64_t bits)
{
    (void)bits;
    fake_fs_notes++;
}
void machine_notify_tty(uint64_t bits)
{
    fake_tty_notes |= bits;
}
int64_t machine_map_table(uint32_t index, uint32_t page)
{
    CHECK(fake_environment[index] && page < PX_PROCTAB_PAGES - 1);
    return 0;
}
void machine_power(unsigned how)
{
    fake_power = how;
}
void machine_drop(uint64_t handle)
{
    (void)handle;
    fake_dropped++;
}

/* A fresh table with the first process; its index. */
static uint32_t fake_start(void)
{
    int32_t pid;

    memset(fake_table, 0, sizeof(fake_table));
    memset(fake_environment, 0, sizeof(fake_environment));
    memset(fake_zones, 0, sizeof(fake_zones));
    fake_fail_in = -1;
    fake_tty_notes = fake_fs_notes = fake_power = 0;
    table = (struct px_proctab *)fake_table;
    table_start();
    CHECK(life_spawn(77, EXO_LABELS, &pid) == 0);
    CHECK(table_find(pid) > INIT);
    return table_find(pid);
}

static const struct exo_ctx_state fake_state;

static inline uint32_t fake_fork(uint32_t parent)
{
    struct fork_answer answer;

    fake_ppages[parent].sig_pending &= ~PX_SIGBIT(SIGCHLD); /* it has taken what told of earlier children */
    CHECK(life_fork(parent, 0, &fake_state, &answer) == 0);
    CHECK(processes[answer.index].pid == answer.pid);
    fake_started[answer.index] = true;
    return answer.index;
}

static inline uint64_t fake_pending(uint32_t index)
{
    return fake_ppages[index].sig_pending;
}

/* What must always hold. */
static inline void fake_check(void)
{
    uint32_t alive = 0, used = 0;

    for (uint32_t index = INIT; index < PX_PROCS_MAX; index++) {
        const struct process *process = &processes[index];
        const struct px_proc *entry = table_entry(index);

        if (process->state == PX_FREE) {
            CHECK(index == INIT || !fake_environment[index]);
            continue;
        }
        used++;
        CHECK(index < table_end() && table->entries >= table_end());
        CHECK(process->pid == entry->pid && process->state == entry->state && process->gen == entry->gen);
        CHECK(process->pid > 0 && (process->zone ? process->pid >= ZONE_PIDS(process->zone) && process->pid < ZONE_PIDS(process->zone + 1)
                                                 : process->pid < PID_MAX) && table_find(process->pid) == index);
        if (index == INIT)
            continue;
        CHECK(fake_environment[index] == (is_alive(index) && !process->lent));
        CHECK(!process->lent || (is_alive(index) && processes[process->maker].lends == index));
        CHECK(!process->lends || (is_alive(index) && processes[process->lends].lent && processes[process->lends].maker == index));
        alive += is_alive(index);
        CHECK(processes[process->parent].state != PX_FREE);
        CHECK(process->parent == INIT || is_alive(process->parent)); /* orphans went to init */
        CHECK(process->state != PX_ZOMBIE || process->parent != INIT); /* which reaps at once */
        CHECK(!(process->flags & PX_PF_LEADER) || process->sid == process->pid);
        CHECK(process->gen != 0xffff && process->gen != 0);
    }
    CHECK(used == table->count);
    for (uint32_t zone = 1; zone < ZONES_MAX; zone++)
        CHECK(fake_zones[zone] == zone_used(zone));
    CHECK((table->seq & 1) == 0);
    (void)alive;
}
#endif
