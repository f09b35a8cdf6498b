/* The timer comes when somebody's time has come, and at no other: no ticks. The cycle counter agrees with it. */
#include "bare.h"

#include <exo/clock.h>

#define MILLISECOND 1000000ull
#define ONE_DEADLINE 3 /* interrupts: a timer that runs a hair fast is set again for the rest */

static void sleep_for(uint64_t ns)
{
    uint64_t deadline_ns = exo_clock_ns(bare_info()) + ns;

    EXPECT(exo_wait(NULL, 0, deadline_ns), -EXO_E_TIMEOUT);
    EXPECT(exo_clock_ns(bare_info()) >= deadline_ns, 1);
}

static struct exo_stats now(void)
{
    struct exo_stats stats = {0};

    EXPECT(exo_stats(&stats), 0);
    return stats;
}

CASE(timers_and_counter, "sleeps of many lengths end neither early by the cycle counter nor, by it, long before the timer was to come")
{
    struct exo_stats before = now(), after;

    for (uint64_t i = 1; i <= 200; i++)
        sleep_for(i * i * 250);
    sleep_for(300 * MILLISECOND);
    after = now();
    EXPECT(after.timer_interrupts >= before.timer_interrupts + 100, 1);
    EXPECT((int64_t)after.timers_early, 0);
}

CASE(idle_is_quiet, "a machine that sleeps until one deadline takes the timer for that, however far it is")
{
    sleep_for(50 * MILLISECOND); /* what was begun before has passed */
    for (uint64_t ms = 20; ms <= 2000; ms *= 10) {
        uint64_t before = now().timer_interrupts, count;

        sleep_for(ms * MILLISECOND);
        count = now().timer_interrupts - before;
        EXPECT(count >= 1 && count <= ONE_DEADLINE, 1);
    }
}

CASE(alone_is_quiet, "who runs alone, with no deadline anywhere, is interrupted by no timer")
{
    uint64_t before, until_ns;

    sleep_for(50 * MILLISECOND);
    before = now().timer_interrupts;
    until_ns = exo_clock_ns(bare_info()) + 300 * MILLISECOND;
    while (exo_clock_ns(bare_info()) < until_ns)
        EXPECT(exo_null(), 0);
    EXPECT((int64_t)(now().timer_interrupts - before), 0);
}
