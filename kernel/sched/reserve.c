/*
 * Reservations: so much processor time for a slice in each period (rt.c has the policy). Promises are added up in parts of 2^28, rounded up, and never
 * beyond the capacity. A slice that has used up its budget is gated until the period ends; servers that work for it go on elsewhere.
 */
#include "policy.h"
#include "port.h"
#include "slice.h"

#define SECOND_NS 1000000000ul
#define PARTS_BITS 28
#define SLACK_NS 1000u /* the timer comes so much later than the budget is used up, lest it come too early */

struct slice_reservation *reserve_stopped;

static struct slice_reservation *kept(const struct reservation *reservation)
{
    return LIST_ENTRY(reservation, struct slice_reservation, reservation);
}

static uint64_t cycles_of(uint64_t ns)
{
    return ns / SECOND_NS * info->tsc_hz + ns % SECOND_NS * info->tsc_hz / SECOND_NS;
}

static void set_timer(struct slice_reservation *reserved, int64_t cycles)
{
    timer_disarm(&reserved->timer);
    timer_arm(&reserved->timer, arch_now_ns() + SLACK_NS + (cycles > 0 ? arch_cycles_to_ns((uint64_t)cycles) : 0));
}

/* Several CPUs may work on one slice: then it is used up so much sooner, and what they have used of it is known only when they settle. */
__attribute__((noinline)) void reserve_begins(struct reservation *reservation)
{
    struct slice_reservation *reserved = kept(reservation);
    int64_t left = reservation->left;
    unsigned users = 0;

    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        if (sched_share_of(cpu) == &reserved->slice->share) {
            left -= (int64_t)sched_unsettled(cpu);
            users++;
        }
    set_timer(reserved, users > 1 ? left / (int64_t)users : left);
}

void entity_stop(struct entity *entity, uint64_t until)
{
    struct slice_reservation *reserved = kept(entity->reserved);
    int64_t rest = (int64_t)(until - arch_cycles());

    if (entity->gates & GATE_BUDGET)
        return;
    share_gate(&reserved->slice->share, GATE_BUDGET);
    if (!reserved->stopped_listed) {
        reserved->stopped_listed = true;
        reserved->next_stopped = reserve_stopped;
        reserve_stopped = reserved;
    }
    set_timer(reserved, rest);
}

/* Not where a stop is noticed: that may be in the middle of somebody's change of queues. */
void reserve_let_go(void)
{
    while (reserve_stopped) {
        struct slice_reservation *reserved = reserve_stopped;

        reserve_stopped = reserved->next_stopped;
        reserved->stopped_listed = false;
        slice_let_go(reserved->slice);
    }
}

/*
 * The next period begins, and what was overdrawn is taken off its budget. Before that the budget may be used up: the tick has charged what this CPU used,
 * the others are to say it now.
 */
void reserve_timer(struct timer *timer)
{
    struct slice_reservation *reserved = LIST_ENTRY(timer, struct slice_reservation, timer);
    struct reservation *reservation = &reserved->reservation;

    if (!(reserved->slice->share.entity.gates & GATE_BUDGET)) {
        sched_end_slices(&reserved->slice->share);
        return;
    }
    reservation->deadline += reservation->period;
    reservation->left += (int64_t)reservation->budget;
    if (reservation->left <= 0)
        set_timer(reserved, (int64_t)reservation->period);
    else
        share_open(&reserved->slice->share, GATE_BUDGET);
}

/* The slice's place in its chooser, which depends on the promise, is given up while it changes. */
static void set_reserved(struct slice *slice, struct reservation *reservation)
{
    struct entity *entity = &slice->share.entity;
    bool linked;

    sched_settle();
    share_pay(sched_share);
    linked = entity->linked;
    if (linked)
        entity->in->policy->remove(entity->in, entity);
    entity->reserved = reservation;
    slice->share.special = true;
    entity->era = entity->in->era - 1;
    entity_greet(entity);
    if (linked)
        entity->in->policy->insert(entity->in, entity);
    sched_look();
}

void reserve_cancel(struct slice *slice)
{
    struct slice_reservation *reserved = slice->share.entity.reserved ? kept(slice->share.entity.reserved) : NULL;

    if (!reserved)
        return;
    reserve_let_go();
    set_reserved(slice, NULL);
    reserve_let_go();
    timer_disarm(&reserved->timer);
    slice->share.entity.in->reserved -= reserved->parts;
    share_open(&slice->share, GATE_BUDGET);
    zone_small_free(slice->object.zone, reserved, sizeof(*reserved));
}

static bool makes_sense(const struct slice *slice, uint64_t budget_ns, uint64_t period_ns)
{
    return slice->share.entity.in->policy->reserves && budget_ns >= EXO_RESERVE_BUDGET_MIN && budget_ns <= period_ns &&
           period_ns >= EXO_RESERVE_PERIOD_MIN && period_ns <= EXO_RESERVE_PERIOD_MAX;
}

int64_t k_slice_reserve(struct context *caller, struct capability *capability, uint64_t budget_ns, uint64_t period_ns)
{
    struct slice *slice = (struct slice *)capability->object;
    struct chooser *chooser = slice->share.entity.in;
    struct slice_reservation *before = slice->share.entity.reserved ? kept(slice->share.entity.reserved) : NULL, *reserved;
    uint64_t parts;

    (void)caller;
    if (budget_ns == 0 && period_ns == 0) {
        reserve_cancel(slice);
        return 0;
    }
    if (!makes_sense(slice, budget_ns, period_ns))
        return -EXO_E_INVAL;
    parts = ((budget_ns << PARTS_BITS) + period_ns - 1) / period_ns;
    if (chooser->reserved - (before ? before->parts : 0) + parts > EXO_RESERVE_CAPACITY)
        return -EXO_E_LIMIT;
    reserved = zone_small(slice->object.zone, sizeof(*reserved));
    if (!reserved)
        return -EXO_E_NOMEM;
    reserve_cancel(slice);
    reserved->timer.kind = TIMER_RESERVE;
    reserved->slice = slice;
    reserved->parts = parts;
    reserved->reservation.budget = cycles_of(budget_ns);
    reserved->reservation.period = cycles_of(period_ns);
    chooser->reserved += parts;
    set_reserved(slice, &reserved->reservation);
    return 0;
}
