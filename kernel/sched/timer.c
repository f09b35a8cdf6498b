/*
 * Deadlines. The armed timers are a tree with the next deadline at the root: no timer is due before the one above it. Which way a timer goes at each
 * level is a bit of its own address, so the depth is bounded by the bits of an address, however many timers there are and whatever their
 * deadlines, and setting or taking back costs that much at most.
 */
#include "kernel.h"
#include "port.h"

/* Timers that pass at one tick; those that are left come with the next, which is at once. */
#define EXPIRE_MOST 64u

static struct timer *root;

/* The bits that differ most come first: those of the page. */
static uint64_t path_of(const struct timer *timer)
{
    uint64_t address = (uint64_t)timer;

    return address >> 12 | address << 52;
}

static void put(struct timer **place, struct timer *timer)
{
    *place = timer;
    if (timer)
        timer->place = place;
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    struct timer **place = &root;

    ASSERT(!timer->armed);
    timer->deadline_ns = deadline_ns;
    timer->armed = true;
    sched_needed = true;
    timer->child[0] = timer->child[1] = NULL;
    for (unsigned bit = 0; *place; bit++) {
        struct timer *there = *place;

        if (timer->deadline_ns < there->deadline_ns) { /* takes its place, and that one goes on down */
            put(place, timer);
            put(&timer->child[0], there->child[0]);
            put(&timer->child[1], there->child[1]);
            timer = there;
            timer->child[0] = timer->child[1] = NULL;
        }
        place = &(*place)->child[path_of(timer) >> bit & 1];
    }
    put(place, timer);
}

/* The earlier of two timers below a place moves up, and so on. */
void timer_take_back(struct timer *timer)
{
    struct timer **place = timer->place, *left = timer->child[0], *right = timer->child[1];

    timer->armed = false;
    while (left || right) {
        struct timer *up = !right || (left && left->deadline_ns <= right->deadline_ns) ? left : right;
        struct timer *up_left = up->child[0], *up_right = up->child[1];

        put(place, up);
        put(&up->child[0], up == left ? NULL : left);
        put(&up->child[1], up == right ? NULL : right);
        place = &up->child[up == right];
        left = up_left;
        right = up_right;
    }
    *place = NULL;
}

uint64_t timer_next(void)
{
    return root ? root->deadline_ns : UINT64_MAX;
}

static void fire(struct timer *timer)
{
    switch ((enum timer_kind)timer->kind) {
    case TIMER_EVENT: {
        struct context *context = LIST_ENTRY(timer, struct context, event_timer);

        context_post(context, context->event_timer_bits);
        sched_woke(context);
        break;
    }
    case TIMER_WAIT: {
        struct context *context = LIST_ENTRY(timer, struct context, wait_timer);

        wait_finish(context, -EXO_E_TIMEOUT);
        sched_woke(context);
        break;
    }
    case TIMER_GAS: gas_timer(LIST_ENTRY(timer, struct gas_account, timer)); break;
    }
}

void timer_expire(uint64_t now_ns)
{
    for (unsigned count = 0; count < EXPIRE_MOST && root && root->deadline_ns <= now_ns; count++) {
        struct timer *timer = root;

        timer_take_back(timer);
        fire(timer);
    }
}
