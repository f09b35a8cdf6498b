/*
 * Scheduling and waiting, as the rest of the kernel sees them: kernel/sched/. kernel.h includes this where contexts are known. What a policy is says
 * policy.h.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H
#include "kernel.h"

void sched_start(void); /* clocks count */
/* share.c */
void share_start(struct share *share, struct chooser *in, uint32_t weight);
void share_end(struct share *share, struct share *heir);
void chooser_start(struct chooser *chooser, struct entity *up, struct chooser *above, uint32_t weight);
bool entity_reweigh(struct entity *entity, uint64_t weight); /* false: it has no weight, or not such a one */
void entity_end(struct entity *entity); /* not linked; its chooser stays */
void share_enqueue(struct context *context, bool first); /* READY, and in no list */
void share_dequeue(struct context *context);
struct context *share_pick(void); /* NULL: nobody is ready */
const struct context *share_peek(void); /* somebody that is ready where this CPU last picked one; NULL: nobody is */
bool share_before(const struct context *first, const struct context *second);
void share_pay(struct share *share); /* the policies learn what it has used */
void share_gate(struct share *share, unsigned gate); /* GATE_*: stops it */
void share_open(struct share *share, unsigned gate);
static inline bool chooser_is_alone(const struct chooser *chooser) /* there is nothing to choose: the policy has nobody */
{
    return chooser->children == 1;
}
void entity_greet(struct entity *entity); /* what it has of an earlier policy means nothing */
/* chooser.c */
void chooser_end(struct zone *zone); /* only its own share is left */
void chooser_boot(const char *line);
/* sched.c */
void sched_look(void);    /* what is special about a share has changed */
void sched_stop(const struct share *share); /* who runs on it must not go on */
void sched_end_slices(const struct share *share); /* of those that run on it elsewhere: what they have used is charged soon */
void sched_preempt(void); /* the current context's slice is over now */
void sched_ready(struct context *context);       /* to the end of the queue */
void sched_ready_first(struct context *context); /* to its head */
void sched_remove(struct context *context);
void sched_share_gone(const struct share *share, struct share *heir);
/* Chooses what runs after this kernel entry. `direct`: a context to switch to at once, or NULL. */
void sched_switch(struct context *direct);
struct context *sched_pick(void); /* never NULL: sleeps until there is one */
#ifdef EXO_DEBUG
void sched_check_settled(const struct context *context); /* sched_pick would choose it, and change nothing */
#else
#define sched_check_settled(context) ((void)0)
#endif
/* What belongs to a processor and is looked at by the fast paths (fast.h), and by the entry code. */
struct sched_cpu {
    struct context *current; /* its registers are live in ring 3. It is its environment's; one that is dead is kept until another runs */
    struct context *direct;  /* READY and in no queue: runs next */
    /* Fast paths: entries that nobody else counts. The first three are switches, too. */
    uint64_t calls, replies, turns, wakes;
    struct share *share_seen; /* on which time passes, if there is nothing special to look at; else NULL */
    struct share *share_last; /* picked last by this CPU: it may be linked although nobody is ready there */
    /* That share, if nobody is ready on any other, and no server waits there: who is next is a matter of one look. NULL: perhaps not. */
    struct share *share_alone;
};
extern PER_CPU(struct sched_cpu) sched_cpu;
const struct share *sched_share_of(unsigned cpu); /* on which its time passes; NULL: on nobody's */
uint64_t sched_idle_ns(unsigned cpu); /* that it had nothing to do, up to now */
uint64_t sched_unsettled(unsigned cpu); /* cycles that it has used for somebody, and that are not charged yet */
uint64_t sched_unsettled_gas(unsigned cpu);
extern uint32_t sched_shares_linked; /* that have somebody ready, or had just now */
extern PER_CPU(bool) sched_slice_armed; /* the timer ends what is left of the slice of time */
uint64_t sched_env_cycles(const struct env *env); /* cycles that its contexts ran, up to now */
uint64_t sched_context_cycles(const struct context *context);
extern PER_CPU(bool) sched_needed; /* something has changed since the last pick that it looks at, besides what sched_leave does */
void sched_changed(const struct context *context); /* the same of the CPU that runs it */
void sched_all_changed(void);                      /* of all CPUs, */
void sched_look_at(unsigned cpu);                  /* of this one */
/* No CPU but this one runs the context any more; it is in no queue. */
void sched_dislodge(struct context *context);
extern PER_CPU(bool) sched_requeued;
void sched_requeue_out(struct context *context);
void sched_requeue_in(struct context *context);
/* Its account or share is about to change: who waits in a queue leaves it, */
static inline void sched_requeue_begin(struct context *context)
{
    if (context->state == CTX_READY)
        sched_requeue_out(context);
}
/* and has changed. */
static inline void sched_requeue_end(struct context *context)
{
    if (__builtin_expect(sched_requeued, false))
        sched_requeue_in(context);
    sched_changed(context);
}
/* At the end of a kernel entry of the current context: who runs now. As a rule nothing has changed. */
static inline struct context *sched_leave(struct context *current)
{
    if (__builtin_expect(!sched_needed && current->state == CTX_READY && gas_purse >= 0 && !current->upage->pending, true)) {
        sched_check_settled(current);
        return current;
    }
    return sched_pick();
}
void sched_tick(void);
void sched_woke(const struct context *context); /* from the tick: the time since the last such call was spent on its timer */
bool sched_before(const struct context *first, const struct context *second); /* is to be served first */
extern PER_CPU(struct share *) sched_share; /* on which time passes */
void sched_settle(void); /* charges the time used so far to whom it was used for */
extern uint32_t sched_runnable; /* ready contexts besides the current one */

static inline struct gas_account *gas_payer(const struct context *context)
{
    return context->sponsor ? context->sponsor : context->env->gas;
}

void wait_cancel(struct context *context);
void wait_finish(struct context *context, int64_t result);
void wait_wake_all(uint64_t physical); /* who sleeps on the word */
void wait_poke_pollers(struct endpoint *endpoint);
/* Goes on with these two, as there may be any number: wakes `*most`, and counts them down. */
void wait_wake_some(unsigned *most);
bool wait_all_woken(void);

#endif
