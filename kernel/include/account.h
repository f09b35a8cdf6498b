/*
 * Timers, gas accounts and shares of the processor: parts of other objects (kernel.h), which keep them. gas/account.c has the rules of gas, gas.h the
 * arithmetic; share.h and sched/share.c have the shares.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H
#include <arch/arch.h>
#include <stdbool.h>
#include <stdint.h>

#include "gas.h"
#include "heap.h"
#include "list.h"

struct context;
struct endpoint;
struct env;
struct object;
struct zone;

/* ---- timers: sched/timer.c ---- */

/* Which of its holder's timers this is decides what it means. */
enum timer_kind {
    TIMER_WAIT,  /* ends a wait */
    TIMER_EVENT, /* posts events */
    TIMER_GAS,   /* an account that ran dry has gas again */
    TIMER_TRACE, /* a sample is due */
    TIMER_RESERVE, /* a slice's reservation: a period is over */
};

struct timer {
    struct heap_node node; /* in a heap while it is armed; the key is the deadline, ns */
    uint8_t kind;          /* enum timer_kind */
};

static inline bool timer_armed(const struct timer *timer)
{
    return timer->node.place;
}
void timer_arm(struct timer *timer, uint64_t deadline_ns);
static inline void timer_disarm(struct timer *timer)
{
    if (timer_armed(timer))
        heap_remove(&timer->node);
}
uint64_t timer_next(void);
void timer_expire(uint64_t now_ns); /* bounded: timer_next() tells if some are left */

#include "share.h"

/* ---- gas accounts: gas/account.c ---- */

/*
 * Part of an environment or zone. Work is paid from the purse, in units of work; the purse is filled from the meter and from those of all
 * accounts above, in units of gas, at the oracle's price of that moment. So no account ever gets more than those above it have.
 */
struct gas_account {
    struct gas_meter meter;
    struct gas_account *parent;
    struct object *owner;   /* what it is part of, and kept by */
    struct zone *zone;      /* whose share of the processor its users have */
    int64_t purse;          /* work that is paid for; while its user runs, gas_purse is */
    uint32_t factor;        /* at which the purse was filled */
    uint8_t class, depth;   /* depth: accounts above */
    bool metered;           /* the purse comes from an account with a limit */
    bool credit;            /* it was filled for a server although the account is dry */
    struct list waiting;    /* contexts that it stopped */
    struct timer timer;     /* until there is gas for them */
    struct endpoint *told;  /* counted; when it runs dry */
    uint64_t told_bits;
    uint64_t stops;
};

void gas_account_init(struct gas_account *account, struct gas_account *parent, struct zone *zone, struct object *owner);
void gas_account_end(struct gas_account *account); /* nobody uses it any more */
void gas_choose_account(struct env *env, const struct context *creator);
void gas_leave_account(struct env *env); /* it ends */
void gas_change_zone(struct env *env, struct zone *zone); /* sets env->zone */
/* Work done for who runs: one subtraction. What it has to say is heard when sched_pick looks. */
extern PER_CPU(int64_t) gas_purse;
static inline void gas_charge(uint64_t units)
{
    gas_purse -= (int64_t)units;
}
extern PER_CPU(struct gas_account *) gas_loaded; /* whose purse gas_purse is */
extern PER_CPU(uint64_t) gas_end_ns;            /* when the purse will be empty at the latest, if it came from a limited account */
void gas_load(struct gas_account *account);
/* gas_purse is negative: fills it for the context, or takes the context off the processor. */
bool gas_admit(struct context *context);
void gas_time_passed(void);
/* `server` works on the client's gas and share of the processor from now on; NULL: on its own. */
void gas_sponsor(struct context *server, const struct context *client);
void gas_forget(struct context *context); /* it waits for gas no more, is stopped if it did */
void gas_continue(struct context *context); /* it runs: who waited behind it is next */
void gas_timer(struct gas_account *account);

#endif
