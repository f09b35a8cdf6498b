/*
 * Visible revocation: what an environment is asked to give back, and what was taken from it (the repossession vector). Both are written to a page of
 * the environment's own, its ledger, and an event tells it. The kernel keeps its own counts, so a ledger that its owner scribbles over hurts nobody
 * else. An environment without one is asked in vain, and loses the same.
 *
 * Memory is asked for in pages (reclaim_ask). The holder chooses what to unmap. After the deadline whoever asked may have the rest taken
 * (reclaim_take): private pages, a bounded number at a time, first from the part of the address space that the ledger offers. The entries of pages
 * that were taken say so (PTE_TAKEN), so that nobody mistakes what is lost for what was never there. Everything else is
 * held by capability: those derived from one's own are asked for (cap_ask) and taken (cap_revoke, cap/node.c).
 */
#include <exo/string.h>

#include "kernel.h"
#include "port.h"
#include "trace.h"

#define ASK_MOST 256u        /* children asked at one entry */
#define ASK_SKIP_MOST 4096u  /* and passed over */
#define SKIPPED_A_PAGE 16u   /* for the work of a page */
#define TAKE_MOST 64u        /* pages taken at one entry */

static void tell(struct ledger *ledger)
{
    if (ledger->context && ledger->context->state != CTX_DEAD)
        context_post(ledger->context, ledger->event_bits);
}

static void write_demand(struct env *env, struct exo_demand demand)
{
    struct ledger *ledger = &env->ledger;

    TRACE(EXO_TRACE_DEMAND, demand.kind, NULL, env->object.id, demand.amount);
    demand.sequence = ++ledger->demands;
    if (!ledger->page)
        return;
    ledger->page->demand[(demand.sequence - 1) % EXO_DEMANDS_KEPT] = demand;
    ledger->page->demands = demand.sequence;
    tell(ledger);
}

static inline void write_taking(struct env *env, unsigned kind, unsigned type, uint64_t what)
{
    struct ledger *ledger = &env->ledger;

    ledger->takings++;
    if (!ledger->page)
        return;
    ledger->page->taken[(ledger->takings - 1) % EXO_TAKINGS_KEPT] = (struct exo_taken){.kind = kind, .type = type, .what = what};
    ledger->page->takings = ledger->takings;
    tell(ledger);
}

__attribute__((noinline)) static void trace_taking(struct env *env, unsigned kind, unsigned type, uint64_t what)
{
    TRACE(EXO_TRACE_TAKEN, kind, NULL, env->object.id, what);
    write_taking(env, kind, type, what);
}

/* For each capability that is revoked: two functions, so that this one keeps no registers for the other. */
void ledger_taken(struct env *env, unsigned kind, unsigned type, uint64_t what)
{
    if (__builtin_expect(trace_to != NULL, false))
        trace_taking(env, kind, type, what);
    else
        write_taking(env, kind, type, what);
}

void ledger_release(struct env *env)
{
    struct ledger *ledger = &env->ledger;

    if (!ledger->page)
        return;
    frame_drop(direct_physical(ledger->page));
    object_drop(&ledger->context->object);
    ledger->page = NULL;
    ledger->context = NULL;
}

int64_t k_ledger_bind(struct context *caller, uint64_t page, uint64_t bits)
{
    struct ledger *ledger = &caller->env->ledger;
    void *place;

    if (page % PAGE)
        return -EXO_E_ALIGN;
    place = space_reach(caller->env, page, ACCESS_WRITE);
    if (!place || !frame_is_ram(direct_physical(place)))
        return -EXO_E_FAULT;
    frame_hold(direct_physical(place));
    object_hold(&caller->object);
    ledger_release(caller->env);
    ledger->page = place;
    ledger->context = caller;
    ledger->event_bits = (uint32_t)bits;
    ledger->page->demands = ledger->demands;
    ledger->page->takings = ledger->takings;
    return 0;
}

/* ---- memory ---- */

int64_t k_reclaim_ask(struct context *caller, struct capability *capability, uint64_t pages, uint64_t deadline_ns)
{
    struct env *env = (struct env *)capability->object;
    struct ledger *ledger = &env->ledger;

    (void)caller;
    if (env->ended)
        return -EXO_E_PEER;
    if (pages == 0 && !ledger->wanted)
        return -EXO_E_INVAL;
    if (pages == 0) {
        ledger->wanted = 0;
        return 0;
    }
    if (ledger->wanted)
        return -EXO_E_BUSY;
    ledger->wanted = pages < env->mapped ? pages : env->mapped;
    ledger->mapped_then = env->mapped;
    ledger->taken = 0;
    ledger->deadline_ns = deadline_ns;
    ledger->offer_va = ledger->cursor_va = 0;
    write_demand(env, (struct exo_demand){.kind = EXO_DEMAND_MEMORY, .amount = ledger->wanted, .deadline_ns = deadline_ns});
    return 0;
}

/* The holder had until now to make its offer. */
static void begin_taking(struct ledger *ledger)
{
    ledger->cursor_va = PAGE;
    if (ledger->page && ledger->page->offer_end <= EXO_USER_TOP) {
        ledger->offer_va = ledger->page->offer_first & ~(PAGE - 1ul);
        ledger->offer_end = ledger->page->offer_end & ~(PAGE - 1ul);
    }
}

/* Pages that are not mapped any more since they were asked for; what was taken is among them. */
static uint64_t given_back(const struct env *env)
{
    const struct ledger *ledger = &env->ledger;

    return ledger->mapped_then > env->mapped ? ledger->mapped_then - env->mapped : 0;
}

static bool satisfied(const struct env *env)
{
    return given_back(env) >= env->ledger.wanted;
}

/* Only pages that nobody else has are worth taking: those free a frame. The argument counts down to the end of this entry's work. */
static int64_t take_page(struct env *env, uint64_t *entry, uint64_t va, uint64_t argument)
{
    unsigned *left = (unsigned *)argument;
    uint64_t physical = pte_physical(*entry), pages;

    if (satisfied(env) || *left == 0)
        return -EXO_E_AGAIN;
    if (!(*entry & PTE_PRESENT) || !frame_is_ram(physical) || frame_of(physical)->references > 1)
        return 0;
    pages = *entry & PTE_LARGE ? SPACE_TABLE_BYTES / PAGE : 1; /* a large page is taken as a whole: to split it needs memory */
    space_unbind(env, entry, va);
    env->ledger.taken += pages;
    *left -= pages < *left ? (unsigned)pages : *left;
    ledger_taken(env, EXO_DEMAND_MEMORY, EXO_TYPE_FRAME, va);
    return 0;
}

/* Takes from [*va, end) on and moves *va along. False: it is through with the range. */
static bool take_from(struct env *env, uint64_t *va, uint64_t end, unsigned *left)
{
    int64_t done;

    if (*va == 0 || *va >= end)
        return false;
    done = space_each_page(env, *va, (end - *va) / PAGE, (uint64_t)left, take_page);
    if (done > 0)
        *va += (uint64_t)done * PAGE;
    return done < 0 ? done == -EXO_E_AGAIN : *va < end;
}

int64_t k_reclaim_take(struct context *caller, struct capability *capability, uint64_t end_va)
{
    struct env *env = (struct env *)capability->object;
    struct ledger *ledger = &env->ledger;
    unsigned left = TAKE_MOST;

    (void)caller;
    if (!ledger->wanted)
        return -EXO_E_INVAL;
    if (!satisfied(env) && arch_now_ns() < ledger->deadline_ns)
        return -EXO_E_BUSY;
    if (!ledger->cursor_va)
        begin_taking(ledger);
    if (end_va > EXO_USER_TOP)
        end_va = EXO_USER_TOP;
    end_va &= ~(PAGE - 1ul);
    if (!satisfied(env) && (take_from(env, &ledger->offer_va, ledger->offer_end < end_va ? ledger->offer_end : end_va, &left) ||
                            take_from(env, &ledger->cursor_va, end_va, &left)) && !satisfied(env))
        return -EXO_E_AGAIN;
    ledger->wanted = 0; /* the demand is closed: met, or nothing is left to take */
    return (int64_t)ledger->taken;
}

int64_t k_reclaim_status(struct context *caller, struct capability *capability, uint64_t out)
{
    struct env *env = (struct env *)capability->object;
    const struct ledger *ledger = &env->ledger;
    uint64_t back = given_back(env);
    struct exo_reclaim status = {
        .wanted = ledger->wanted,
        .given = back > ledger->taken ? back - ledger->taken : 0,
        .taken = ledger->taken,
        .deadline_ns = ledger->deadline_ns,
        .demands = ledger->demands,
        .takings = ledger->takings,
    };

    return space_write(caller->env, out, &status, sizeof(status)) ? 0 : -EXO_E_FAULT;
}

/* ---- capabilities ---- */

int64_t k_cap_ask(struct context *caller, uint64_t handle, uint64_t first, uint64_t deadline_ns)
{
    struct capability *slot;
    int64_t status = cap_resolve(caller->env, handle, CAP_ANY, 0, &slot), asked = 0;
    const struct cap_node *child;

    if (status < 0)
        return status;
    if (first > ASK_SKIP_MOST)
        return -EXO_E_LIMIT;
    work_done(first / SKIPPED_A_PAGE);
    for (child = slot->node->children; child && first > 0; first--)
        child = child->next;
    for (; child && asked < ASK_MOST; child = child->next, asked++)
        if (child->env) {
            struct exo_demand demand = {.kind = EXO_DEMAND_CAPABILITY, .deadline_ns = deadline_ns};

            demand.amount = cap_handle(cap_slot(child->env, child->index));
            write_demand(child->env, demand);
        }
    work_done((uint64_t)asked);
    return asked;
}
