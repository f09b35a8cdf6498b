/* Birth, exec, stop and end of processes. */
#include "proc.h"

#include <exo/label.h>
#include <exo/string.h>

/* The generation of an index for its next process; the servers' badges must never be met. */
static uint32_t next_gen(uint32_t gen)
{
    gen++;
    return gen == 0 || gen == 0xffff ? gen + 1 : gen;
}

static void born(uint32_t index, const struct process *process)
{
    uint32_t gen = next_gen(processes[index].gen);

    processes[index] = *process;
    processes[index].gen = gen;
    processes[index].state = PX_RUNNING;
    processes[index].pid = table_new_pid(process->zone);
    zone_join(process->zone);
    processes[index].start_ns = machine_now_ns();
    table->count++;
    table->forks++;
}

static void unborn(uint32_t index)
{
    table->forks--;
    table_free(index);
}

static int64_t spawn_first(uint64_t boot_frames, uint32_t zone, int32_t *pid)
{
    struct process process = {.parent = INIT, .zone = zone, .tty = NO_TTY, .dumpable = 1, .exit_signal = SIGCHLD, .flags = PX_PF_LEADER | PX_PF_EXECED};
    int64_t index = table_take(zone), status;

    if (index < 0)
        return index;
    limits_begin((uint32_t)index);
    born((uint32_t)index, &process);
    processes[index].pgid = processes[index].sid = processes[index].pid;
    table_publish((uint32_t)index);
    status = machine_spawn((uint32_t)index, boot_frames);
    if (status < 0) {
        unborn((uint32_t)index);
        return status;
    }
    table->first_pid = processes[index].pid;
    table_publish((uint32_t)index);
    *pid = processes[index].pid;
    return 0;
}

int64_t life_spawn(uint64_t boot_frames, unsigned label, int32_t *pid)
{
    const struct exo_zone_limits limits = {EXO_QUOTA_NONE, ZONE_PROCESSES, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};
    int64_t zone = 0, status;

    if (table->first_pid)
        return -EBUSY;
    if (label != EXO_LABELS)
        zone = zone_open(0, label, &limits);
    if (zone < 0)
        return zone;
    status = spawn_first(boot_frames, (uint32_t)zone, pid);
    zone_close_if_empty((uint32_t)zone);
    return status;
}

static int64_t spawn_child(uint32_t caller, uint32_t zone, struct fork_answer *answer)
{
    const struct process *self = &processes[caller];
    struct process process = {.parent = caller, .maker = caller, .zone = zone, .tty = NO_TTY, .dumpable = 1, .exit_signal = SIGCHLD,
                              .flags = PX_PF_LEADER | PX_PF_EXECED | (self->flags & PX_PF_NO_NEW_PRIVS),
                              .nice = self->nice, .uid = self->uid, .euid = self->euid, .suid = self->suid,
                              .gid = self->gid, .egid = self->egid, .sgid = self->sgid, .fsuid = self->euid, .fsgid = self->egid};
    int64_t taken = table_take(zone), status;
    uint32_t index = (uint32_t)taken;

    if (taken < 0)
        return taken;
    limits_begin(index);
    born(index, &process);
    processes[index].pgid = processes[index].sid = processes[index].pid;
    memcpy(table_entry(index)->groups, table_entry(caller)->groups, sizeof(table_entry(caller)->groups));
    table_entry(index)->ngroups = table_entry(caller)->ngroups;
    table_publish(index);
    status = machine_spawn_in(caller, index, &answer->child);
    if (status < 0) {
        unborn(index);
        return status;
    }
    table_publish(index);
    processes[caller].forked = processes[index].pid;
    answer->pid = processes[index].pid;
    answer->index = index;
    return 0;
}

int64_t life_spawn_in(uint32_t caller, unsigned label, const struct exo_zone_limits *limits, struct fork_answer *answer)
{
    int64_t zone = zone_open(processes[caller].zone, label, limits), status;

    if (zone < 0)
        return zone;
    status = spawn_child(caller, (uint32_t)zone, answer);
    zone_close_if_empty((uint32_t)zone);
    return status;
}

/* Its entry of the table is all that a child has that runs in its maker's environment. */
static int64_t make_child(uint32_t maker, uint32_t index, const struct exo_ctx_state *state, struct machine_child *child)
{
    if (!processes[index].lent)
        return machine_fork(maker, index, state, child);
    processes[maker].lends = index;
    table_entry(index)->fs_env = 0; /* for fs it holds nothing: its maker does */
    *child = (struct machine_child){0};
    return 0;
}

int64_t life_fork(uint32_t parent, uint64_t flags, const struct exo_ctx_state *state, struct fork_answer *answer)
{
    struct process process = processes[parent];
    int64_t taken, status;
    uint32_t index;

    /*
     * The child would not get a signal that its group got before it was born, and its parent has yet to see: that comes first, and the fork again
     * after it, as on Linux. From here on the child is a member, and gets what its group gets.
     */
    if (kill_is_due(parent))
        return -ERESTARTNOINTR;
    if (processes[parent].lends)
        life_end(processes[parent].lends, SIGKILL, false);
    if (!limit_allows_fork(parent))
        return -EAGAIN;
    taken = table_take(processes[parent].zone);
    if (taken < 0)
        return taken;
    index = (uint32_t)taken;
    process.exit_signal = flags & PX_FORK_PARENT ? processes[parent].exit_signal
                          : flags & PX_FORK_SIGNAL(0)   ? (uint8_t)(flags >> 8)
                                                        : SIGCHLD;
    process.parent = flags & PX_FORK_PARENT ? processes[parent].parent : parent;
    process.maker = parent;
    process.flags = (flags & PX_FORK_VFORK ? PX_PF_VFORK : 0) | (processes[parent].flags & PX_PF_NO_NEW_PRIVS);
    process.lent = flags & PX_FORK_LENT;
    process.lends = 0;
    process.stop_news = process.continue_news = process.killed = process.subreaper = process.fresh = false;
    process.cont_seq = process.trace_seq = process.tracees = 0;
    process.tracer = 0;
    process.mute = false;
    process.stops = 0;
    process.status = process.death_signal = process.forked = 0;
    process.spent = process.child_spent = (struct px_spent){0};
    born(index, &process);
    memcpy(rlimits[index], rlimits[parent], sizeof(rlimits[index]));
    memcpy(table_entry(index)->groups, table_entry(parent)->groups, sizeof(table_entry(parent)->groups));
    table_entry(index)->ngroups = table_entry(parent)->ngroups;
    memcpy(table_entry(index)->comm, table_entry(parent)->comm,
           sizeof(struct px_proc) - offsetof(struct px_proc, comm));
    status = make_child(parent, index, state, &answer->child);
    if (status < 0) {
        unborn(index);
        return status;
    }
    machine_ppage(index)->oom_score_adj = machine_ppage(parent)->oom_score_adj;
    table_publish(index);
    processes[parent].forked = processes[index].pid;
    answer->pid = processes[index].pid;
    answer->index = index;
    return 0;
}

/* Made by this process, and never started. */
static bool is_unstarted(uint32_t child, uint32_t maker)
{
    return child > INIT && is_alive(child) && processes[child].maker == maker && !processes[child].lent && !machine_started(child);
}

/* The child has not run: nobody hears of its end. */
int64_t life_fork_failed(uint32_t parent, int32_t pid)
{
    uint32_t index = table_find(pid);

    if (processes[parent].forked != pid || !is_unstarted(index, parent))
        return -ESRCH;
    ask_ended(index);
    trace_ended(index, SIGKILL);
    machine_destroy(index, SIGKILL);
    table_free(index);
    return 0;
}

static void bump(uint32_t *word)
{
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    machine_wake(word);
}

/* Its parent may know that there is no news of children as long as child_seq stands still. */
static void wake_parent(uint32_t index)
{
    uint32_t parent = processes[index].parent;

    if (parent > INIT && is_alive(parent))
        bump(&machine_ppage(parent)->child_seq);
}

void life_exec(uint32_t index, const struct exec_text *text)
{
    struct px_proc *entry = table_entry(index);
    struct process *process = &processes[index];
    bool vfork = process->flags & PX_PF_VFORK;

    table_change_begin();
    memcpy(entry->comm, text->comm, sizeof(entry->comm) - 1);
    memcpy(entry->exe, text->exe, sizeof(entry->exe) - 1);
    memcpy(entry->cmdline, text->cmdline, sizeof(entry->cmdline));
    entry->cmdline_len = text->length < sizeof(entry->cmdline) ? text->length : sizeof(entry->cmdline);
    table_change_end();
    process->exit_signal = SIGCHLD;
    process->flags = (process->flags | PX_PF_EXECED) & ~(uint32_t)PX_PF_VFORK;
    renew_executed(index);
    table_publish(index);
    if (vfork)
        wake_parent(index);
}

/*
 * Says what has just happened to a child. child_seq comes first: this server may lose the processor between any two steps, and a SIGCHLD handler that
 * runs then must find the news; it would sleep for a second signal that never comes.
 */
static void tell_parent(uint32_t index, int code, int32_t status)
{
    const struct process *process = &processes[index];
    uint32_t parent = process->parent;
    struct px_siginfo info = {.signo = SIGCHLD, .code = code, .pid = process->pid, .uid = (int32_t)process->uid, .status = status};

    if (parent <= INIT || !is_alive(parent))
        return;
    wake_parent(index);
    if (code != CLD_STOPPED && code != CLD_CONTINUED)
        info.signo = process->exit_signal;
    else if (machine_ppage(parent)->child_flags & PX_CHILD_NOSTOP)
        return;
    if (info.signo == 0 || info.signo > SIGRTMAX)
        return;
    kill_post(parent, &info);
}

static int exit_code(int32_t status)
{
    if (!(status & 0x7f))
        return CLD_EXITED;
    return status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

/* The exit status, or the signal. */
static int32_t exit_value(int32_t status)
{
    return status & 0x7f ? status & 0x7f : status >> 8 & 0xff;
}

void life_stopped(uint32_t index, int32_t status)
{
    struct process *process = &processes[index];

    process->state = PX_STOPPED;
    process->status = status;
    process->stop_news = true;
    process->continue_news = false;
    table_publish(index);
    tell_parent(index, CLD_STOPPED, status >> 8 & 0xff);
}

void life_continued(uint32_t index)
{
    struct process *process = &processes[index];

    process->state = PX_RUNNING;
    process->stop_news = false;
    process->continue_news = true;
    table_publish(index);
    tell_parent(index, CLD_CONTINUED, SIGCONT);
}

void life_reap(uint32_t index)
{
    uint32_t parent = processes[index].parent;

    if (parent)
        proc_spent_add(&processes[parent].child_spent, proc_spent_both(index));
    table_free(index);
}

/* A group that has just lost its last link to the session, with stopped members that nobody could continue any more. */
static void hang_up_if_orphaned(int32_t pgid)
{
    if (group_is_orphaned(pgid, 0) && group_has_stopped(pgid)) {
        kill_group(pgid, SIGHUP);
        kill_group(pgid, SIGCONT);
    }
}

/* Who takes the orphans of a process that ends: the next one above that has asked for them, or init. */
static uint32_t reaper_above(uint32_t index)
{
    uint32_t above = processes[index].parent;

    for (unsigned steps = 0; above > INIT && steps < PX_PROCS_MAX; steps++, above = processes[above].parent)
        if (processes[above].subreaper && is_alive(above))
            return above;
    return INIT;
}

static void release_child(uint32_t child, uint32_t reaper)
{
    struct process *process = &processes[child];

    process->parent = reaper;
    process->exit_signal = SIGCHLD;
    if (process->state == PX_ZOMBIE && (reaper == INIT || machine_ppage(reaper)->child_flags & PX_CHILD_NOWAIT)) {
        life_reap(child);
        return;
    }
    table_publish(child);
    if (process->state == PX_ZOMBIE) {
        tell_parent(child, exit_code(process->status), exit_value(process->status));
        return;
    }
    if (process->death_signal) {
        const struct px_siginfo info = {.signo = process->death_signal, .code = SI_KERNEL};

        kill_post(child, &info);
    }
}

/* Children go to init, or to who reaps; groups that depended on the dead process hang up. `linked` tells groups that were not orphaned before. */
static void release_children(uint32_t index)
{
    uint32_t reaper = reaper_above(index);

    for (uint32_t child = INIT + 1; child < table_end(); child++) {
        int32_t pgid = processes[child].pgid, sid = processes[child].sid;
        bool linked;

        if (processes[child].state == PX_FREE || processes[child].parent != index)
            continue;
        linked = pgid != processes[index].pgid && sid == processes[index].sid && processes[child].state != PX_ZOMBIE;
        release_child(child, reaper);
        if (linked)
            hang_up_if_orphaned(pgid);
    }
}

static void end_session(uint32_t index)
{
    if (processes[index].flags & PX_PF_LEADER && processes[index].tty != NO_TTY)
        group_set_tty(processes[index].sid, NO_TTY);
}

void life_end_run(int32_t status)
{
    if (!table->first_pid || table->first_done)
        return;
    table->first_status = status;
    table->gas_used = machine_gas_used();
    __atomic_store_n(&table->first_done, 1, __ATOMIC_SEQ_CST);
    machine_notify_tty(PX_NOTE_FIRST_DONE);
}

/* The environment is its maker's alone again, who is told if he has not asked for that. */
static void take_back(uint32_t index, bool told)
{
    uint32_t maker = processes[index].maker;

    processes[index].lent = false;
    processes[maker].lends = 0;
    if (!told && is_alive(maker))
        machine_post(maker);
}

static uint32_t lent_child(uint32_t maker, int32_t pid)
{
    uint32_t index = processes[maker].lends;

    return index && processes[index].pid == pid ? index : 0;
}

int64_t life_claim(uint32_t maker, int32_t pid, const struct exo_ctx_state *state, const struct exec_text *text, struct fork_answer *answer)
{
    uint32_t index = lent_child(maker, pid);
    int64_t status = index ? machine_fork(maker, index, state, &answer->child) : -ESRCH;

    if (status < 0)
        return status;
    machine_ppage(index)->hazard_count = PX_HAZARDS_ANY; /* until it says what it holds: for fs it is not as young as others that have not */
    take_back(index, true);
    if (memcmp(rlimits[index], rlimits[maker], sizeof(rlimits[index])) != 0)
        machine_post_limit(index);
    if (text) {
        processes[index].flags &= ~(uint32_t)PX_PF_VFORK; /* its parent does not sleep */
        life_exec(index, text);
    } else {
        table_publish(index); /* fs looks at its lists again */
    }
    ask_claimed(index);
    answer->pid = pid;
    answer->index = index;
    return 0;
}

int64_t life_lent_exit(uint32_t maker, int32_t pid, int32_t status)
{
    uint32_t index = lent_child(maker, pid);

    if (!index)
        return -ESRCH;
    life_end(index, status, true);
    return 0;
}

/* Forks that were cut off half way: nobody would ever start the children. Their contexts tell, not the dead process's word. */
static void end_unstarted(uint32_t index)
{
    for (uint32_t child = INIT + 1; processes[index].forked && child < table_end(); child++)
        if (is_unstarted(child, index))
            life_end(child, SIGKILL, false);
}

void life_end(uint32_t index, int32_t status, bool orderly)
{
    struct process *process = &processes[index];
    uint32_t parent = process->parent;
    bool was_linked = !group_is_orphaned(process->pgid, 0), leader = process->flags & PX_PF_LEADER;

    if (process->lends)
        life_end(process->lends, SIGKILL, false);
    if (process->lent) {
        take_back(index, orderly);
    } else {
        machine_spent(index, &process->spent);
        machine_destroy(index, status);
        if (process->uid || process->euid || process->suid || process->zone)
            machine_soil(index);
    }
    process->state = PX_ZOMBIE;
    process->status = status;
    process->flags &= ~(uint32_t)PX_PF_VFORK;
    process->stop_news = process->continue_news = false;
    table_publish(index);
    ask_ended(index);
    trace_ended(index, status);
    if (was_linked)
        hang_up_if_orphaned(process->pgid);
    release_children(index);
    end_unstarted(index);
    if (leader)
        end_session(index);
    if (!orderly)
        machine_notify_fs(PX_NOTE_PROCESS);
    if (!orderly || leader)
        machine_notify_tty(PX_NOTE_PROCESS);
    if (process->pid == table->first_pid)
        life_end_run(process->status);
    tell_parent(index, exit_code(status), exit_value(status));
    if (process->state == PX_ZOMBIE &&
        (parent <= INIT || !is_alive(parent) || (process->exit_signal == SIGCHLD && machine_ppage(parent)->child_flags & PX_CHILD_NOWAIT)))
        life_reap(index); /* unless who ended with it was its parent */
}

static unsigned kills_waiting;

void life_kill(uint32_t index)
{
    if (!processes[index].killed)
        kills_waiting++;
    processes[index].killed = true;
}

bool life_kills_wait(void)
{
    return kills_waiting > 0;
}

void life_end_killed(void)
{
    for (uint32_t index = INIT + 1; kills_waiting > 0 && index < table_end(); index++)
        if (is_alive(index) && processes[index].killed) {
            processes[index].killed = false;
            kills_waiting--;
            life_end(index, SIGKILL, false);
        }
    kills_waiting = 0; /* who was killed may have ended otherwise */
}
