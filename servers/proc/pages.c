/*
 * The process page and the message page of each index, which proc, fs, tty and the process share. They are used again by the next process of the index, unless
 * children of the last one may still have them: a libOS can map its pages into whom it makes. What was mapped is replaced, never unmapped: another
 * server may be reading there.
 */
#include <exo/calls.h>
#include <exo/loop.h>
#include <exo/string.h>

#include "machine.h"
#include "proc.h"

#define WRITE (EXO_PROT_READ | EXO_PROT_WRITE)
#define PAGES_VA (machine_gifts()->free_va + 2 * PX_PAGE) /* two pages on their way */

static enum { PAGES_NONE, PAGES_SOILED, PAGES_CLEAN } state[PX_PROCS_MAX];

struct px_ppage *machine_ppage(uint32_t index)
{
    return (struct px_ppage *)PX_CLIENT_PPAGE(index);
}

void *machine_message(uint32_t index)
{
    return (void *)PX_CLIENT_MSG(index);
}

static bool take_pages(void)
{
    return exo_alloc_all(machine_gifts()->self, PAGES_VA, 2, WRITE, NULL) == 0;
}

int64_t pages_put(uint32_t index, uint64_t env)
{
    const struct px_server_start *start = machine_gifts();
    uint64_t va = PX_CLIENT_PPAGE(index);
    int64_t status = exo_share_all(start->env_fs, va, PAGES_VA, 2, EXO_SHARE_SAME | WRITE);

    if (status == 0)
        status = exo_share_all(start->env_tty, va, PAGES_VA, 2, EXO_SHARE_SAME | WRITE);
    if (status == 0 && env)
        status = exo_share_all(env, PX_PPAGE, PAGES_VA, 2, EXO_SHARE_SAME | WRITE);
    if (status == 0)
        status = exo_share_all(start->self, va, PAGES_VA, 2, EXO_SHARE_MOVE | WRITE);
    if (status < 0)
        (void)!exo_unmap_all(start->self, PAGES_VA, 2);
    return status < 0 ? -ENOMEM : 0;
}

static int64_t make_index_pages(uint32_t index)
{
    int64_t status = take_pages() ? pages_put(index, 0) : -ENOMEM;

    if (status == 0)
        state[index] = PAGES_CLEAN;
    return status;
}

void machine_soil(uint32_t index)
{
    state[index] = PAGES_SOILED;
}

int64_t machine_index_ready(uint32_t index)
{
    int64_t status = machine_table_page(index * sizeof(struct px_proc) / PX_PAGE);

    if (status < 0)
        return status;
    if (state[index] == PAGES_CLEAN) {
        memset(machine_ppage(index), 0, 2 * PX_PAGE);
    } else {
        status = make_index_pages(index);
        if (status < 0)
            return status;
    }
    machine_ppage(index)->version = PX_PROCTAB_VERSION;
    machine_ppage(index)->index = (int32_t)index;
    return 0;
}

/* What a program's process page says goes over as far as it can only hurt itself: which signals it does not want, and that standard ones wait. */
static void keep_signals(uint32_t index, struct px_ppage *fresh)
{
    const struct px_ppage *old = machine_ppage(index);
    uint64_t standard = (1ull << 31) - 1, pending = __atomic_load_n(&old->sig_pending, __ATOMIC_SEQ_CST) & standard;

    fresh->version = PX_PROCTAB_VERSION;
    fresh->index = (int32_t)index;
    fresh->sig_blocked = old->sig_blocked;
    fresh->sig_ignored = old->sig_ignored;
    fresh->child_flags = old->child_flags;
    fresh->oom_score_adj = old->oom_score_adj;
    fresh->sig_seq = old->sig_seq + 1;
    fresh->child_seq = old->child_seq + 1;
    fresh->cont_seq = processes[index].cont_seq;
    fresh->sig_pending = pending & ~(PX_SIGBIT(SIGKILL) | PX_SIGBIT(SIGSTOP));
    for (int signo = 1; signo < 32; signo++)
        fresh->sig_info[signo] =
            (struct px_siginfo){.signo = signo, .code = SI_USER, .pid = processes[index].pid, .uid = (int32_t)processes[index].uid};
}

bool pages_renew(uint32_t index)
{
    if (!take_pages())
        return false;
    keep_signals(index, (struct px_ppage *)PAGES_VA);
    return true;
}
