/* Deadlines in the order in which they pass. */
#include "kernel.h"
#include "port.h"

static struct list timers = {&timers, &timers};

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    struct list *at;

    ASSERT(!timer->armed);
    timer->deadline_ns = deadline_ns;
    timer->armed = true;
    for (at = timers.previous; at != &timers; at = at->previous)
        if (LIST_ENTRY(at, struct timer, link)->deadline_ns <= deadline_ns)
            break;
    list_prepend(at, &timer->link);
}

void timer_disarm(struct timer *timer)
{
    if (!timer->armed)
        return;
    timer->armed = false;
    list_remove(&timer->link);
}

uint64_t timer_next(void)
{
    return list_empty(&timers) ? UINT64_MAX : LIST_ENTRY(timers.next, struct timer, link)->deadline_ns;
}

/* Which of its context's timers this is decides what it means. */
static void fire(struct timer *timer)
{
    if (timer->is_event) {
        struct context *context = LIST_ENTRY(timer, struct context, event_timer);

        context_post(context, context->event_timer_bits);
    } else {
        wait_finish(LIST_ENTRY(timer, struct context, wait_timer), -EXO_E_TIMEOUT);
    }
}

void timer_expire(uint64_t now_ns)
{
    while (!list_empty(&timers)) {
        struct timer *timer = LIST_ENTRY(timers.next, struct timer, link);

        if (timer->deadline_ns > now_ns)
            break;
        timer_disarm(timer);
        fire(timer);
    }
}
