/*
 * Job control: who calls, which session a terminal belongs to, and which signals it sends. proc's table is read here; it is proc's memory, which tty
 * trusts to hold whole entries, but an entry may change between two looks: each is copied once.
 */
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/ipc.h>
#include <exo/string.h>

#include "proc.h"
#include "service.h"

#define POSTS_MAX 192u /* all pseudo-terminals may be hung up at once, and all leaders of sessions have ended */

static struct {
    uint64_t operation, a, b, c;
} posts[POSTS_MAX];
static unsigned post_count;

static const struct px_proc *entry(unsigned index)
{
    return PX_PROC(service.table, index);
}

/* Entries that are worth a look: one past the last that was ever used. */
static unsigned entries(void)
{
    uint32_t pages = __atomic_load_n(&((const struct px_proctab *)service.table)->table_pages, __ATOMIC_ACQUIRE);

    return pages < PX_PROCS_MAX / 4 ? pages * 4 : PX_PROCS_MAX;
}

static bool lives(const struct px_proc *process)
{
    uint32_t state = __atomic_load_n(&process->state, __ATOMIC_RELAXED);

    return state != PX_FREE && state != PX_ZOMBIE;
}

static void forget_holder(unsigned index)
{
    for (unsigned i = 0; i < PX_TTYS_MAX; i++)
        if (service.terminal[i])
            for (unsigned side = 0; side < 2; side++)
                service.terminal[i]->side[side].holders[index / 32] &= ~(1u << index % 32);
}

static const struct px_proc *find_pid(int32_t pid)
{
    for (unsigned i = 1; i < entries(); i++)
        if (entry(i)->pid == pid && entry(i)->state != PX_FREE)
            return entry(i);
    return NULL;
}

/* The zone that has the terminals: the first process's. */
static bool is_first_zone(const struct px_proc *process)
{
    static uint32_t zone = UINT32_MAX;

    if (zone == UINT32_MAX && ((const struct px_proctab *)service.table)->first_pid) {
        const struct px_proc *first = find_pid(((const struct px_proctab *)service.table)->first_pid);

        zone = first ? first->zone : 0;
    }
    return zone == UINT32_MAX || process->zone == zone;
}

int64_t caller_find(uint64_t badge, struct caller *caller)
{
    unsigned index = PX_BADGE_INDEX(badge);
    const struct px_proc *process;

    if (index == 0 || index >= PX_PROCS_MAX)
        return -ESRCH;
    process = entry(index);
    if (!lives(process) || process->gen != PX_BADGE_GEN(badge))
        return -ESRCH;
    if (!is_first_zone(process))
        return -ENXIO;
    if (service.gen[index] != process->gen) {
        forget_holder(index);
        service.gen[index] = process->gen;
    }
    *caller = (struct caller){.index = index, .gen = process->gen, .pid = process->pid, .pgid = process->pgid,
                              .sid = process->sid, .euid = process->euid, .leader = process->flags & PX_PF_LEADER};
    return 0;
}

struct terminal *caller_terminal(const struct caller *caller)
{
    for (unsigned i = 0; i < PX_TTYS_MAX; i++)
        if (service.terminal[i] && service.terminal[i]->sid && service.terminal[i]->sid == caller->sid)
            return service.terminal[i];
    return NULL;
}

/* A group is orphaned if no member has a parent in another group of the same session (POSIX 3.263). */
static bool orphaned(int32_t pgid)
{
    for (unsigned i = 1; i < entries(); i++) {
        const struct px_proc *member = entry(i), *parent;

        if (!lives(member) || member->pgid != pgid)
            continue;
        parent = find_pid(member->ppid);
        if (parent && lives(parent) && parent->pgid != pgid && parent->sid == member->sid)
            return false;
    }
    return true;
}

int64_t job_check(const struct terminal *terminal, const struct caller *caller, int signal, bool ignored)
{
    if (terminal->sid != caller->sid || terminal->pgid == 0 || terminal->pgid == caller->pgid)
        return 0;
    if (ignored)
        return signal == SIGTTIN ? -EIO : 0;
    if (orphaned(caller->pgid))
        return -EIO;
    job_signal(caller->pgid, signal);
    return -ERESTARTSYS;
}

void job_acquire(struct terminal *terminal, const struct caller *caller)
{
    terminal->sid = caller->sid;
    terminal->pgid = caller->pgid;
    terminal_publish(terminal);
    proc_post(PX_PROC_SETTTY, terminal->index, (uint64_t)caller->sid, 0);
}

void job_release(struct terminal *terminal)
{
    if (terminal->sid)
        proc_post(PX_PROC_SETTTY, ~0ull, (uint64_t)terminal->sid, 0);
    terminal->sid = terminal->pgid = 0;
    terminal_publish(terminal);
}

void job_signal(int32_t pgid, int signal)
{
    proc_post(PX_PROC_TTYSIGNAL, (uint64_t)pgid, (uint64_t)signal, 0);
}

int64_t job_session_of_group(int32_t pgid)
{
    for (unsigned i = 1; i < entries(); i++)
        if (entry(i)->state != PX_FREE && entry(i)->pgid == pgid)
            return entry(i)->sid;
    return -ESRCH;
}

void job_signal_foreground(const struct terminal *terminal, int signal)
{
    if (terminal->pgid && job_session_of_group(terminal->pgid) == terminal->sid)
        job_signal(terminal->pgid, signal);
}

/* Everything opened so far is dead: reads find the end, writes fail. The session loses its terminal and is told. */
void job_hang_up(struct terminal *terminal)
{
    int32_t sid = terminal->sid;

    terminal->epoch = ++service.epoch[terminal->index];
    line_input_flush(&terminal->line);
    line_output_flush(&terminal->line);
    terminal->pending_taken = terminal->pending_put;
    if (sid) {
        const struct px_proc *leader = find_pid(sid);
        int32_t leaders_group = leader ? leader->pgid : sid;

        job_signal(leaders_group, SIGHUP);
        job_signal(leaders_group, SIGCONT);
        if (terminal->pgid != leaders_group) {
            job_signal_foreground(terminal, SIGHUP);
            job_signal_foreground(terminal, SIGCONT);
        }
        job_release(terminal);
    }
    service.page->tty[terminal->index].state = 2;
    terminal->side[SIDE_SLAVE].awaited = terminal->side[SIDE_MASTER].awaited = true;
    terminal_wake(terminal, SIDE_SLAVE);
    terminal_wake(terminal, SIDE_MASTER);
}

/* Its session leader has ended: the foreground group is told, and the terminal is free for another session. */
static void leader_ended(struct terminal *terminal)
{
    if (!terminal->pty) {
        job_hang_up(terminal);
        return;
    }
    job_signal_foreground(terminal, SIGHUP);
    job_signal_foreground(terminal, SIGCONT);
    job_release(terminal);
}

void processes_changed(void)
{
    for (unsigned i = 1; i < entries(); i++)
        if (service.gen[i] && (!lives(entry(i)) || entry(i)->gen != service.gen[i])) {
            forget_holder(i);
            service.gen[i] = 0;
        }
    for (unsigned i = 0; i < PX_TTYS_MAX; i++) {
        struct terminal *terminal = service.terminal[i];
        const struct px_proc *leader;

        if (!terminal || !terminal->sid)
            continue;
        leader = find_pid(terminal->sid);
        if (!leader || !lives(leader) || leader->sid != terminal->sid)
            leader_ended(terminal);
    }
}

void proc_post(uint64_t operation, uint64_t a, uint64_t b, uint64_t c)
{
    if (post_count == POSTS_MAX) {
        say("tty: too many signals at once, one is lost");
        return;
    }
    posts[post_count].operation = operation;
    posts[post_count].a = a;
    posts[post_count].b = b;
    posts[post_count++].c = c;
}

void proc_send_all(void)
{
    for (unsigned i = 0; i < post_count; i++) {
        struct exo_message message = {.word = {posts[i].operation, posts[i].a, posts[i].b, posts[i].c, 0}};

        /* Failure: the group is gone, which is as good as told. */
        (void)!exo_ep_call(service.start->proc, &message);
    }
    post_count = 0;
}
