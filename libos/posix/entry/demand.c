/*
 * Demands for memory, and losses. The kernel writes them to the ledger and posts PX_EVENT_DEMAND. The ledger costs a page, so there is none
 * until proc says that somebody is about to ask (PX_PROC_RECLAIM). It is this process's own: a forked child has none, and an exec keeps it. Everything
 * here runs where events are taken, so a program sees neither a signal nor EINTR. What was taken is noticed when it is touched (mm/fault.c).
 */
#include "entry.h"

static bool bound;
static uint64_t answered; /* demands, by the kernel's count */

void px_demand_fork_child(void)
{
    bound = false;
    answered = 0;
}

/* Without a page for it everything works but the offer. */
static void bind(void)
{
    int64_t status = exo_mem_alloc(PX_SLOT_SELF, PX_LEDGER, 1, EXO_PROT_READ | EXO_PROT_WRITE);

    if (status == 1 || status == -EXO_E_EXISTS)
        bound = exo_ledger_bind((void *)PX_LEDGER, PX_EVENT_DEMAND) == 0;
}

void px_demand_answer(void)
{
    struct exo_ledger *ledger = (struct exo_ledger *)PX_LEDGER;
    struct exo_reclaim demand;
    uint64_t missing;

    if (!bound)
        bind();
    if (exo_reclaim_status(PX_SLOT_SELF, &demand) < 0 || demand.demands == answered)
        return;
    answered = demand.demands;
    do { /* what counts is what the kernel counts: the ledger itself has just come */
        missing = demand.wanted > demand.given + demand.taken ? demand.wanted - demand.given - demand.taken : 0;
        if (missing == 0)
            return;
    } while (px_memory_spare(missing) > 0 && exo_reclaim_status(PX_SLOT_SELF, &demand) == 0);
    if (bound)
        px_memory_offer(&ledger->offer_first, &ledger->offer_end);
}
