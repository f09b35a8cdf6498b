/* exo_deadline_slack against looking at every instant of small ranges, and at the ends of time. */
#include <exo/clock.h>

#include <stdio.h>

static unsigned failures;

static void check(int good, const char *what, uint64_t deadline_ns, uint64_t slack_ns)
{
    if (!good && failures++ < 10)
        printf("# %s: %llu + %llu gives %llu\n", what, (unsigned long long)deadline_ns, (unsigned long long)slack_ns,
               (unsigned long long)exo_deadline_slack(deadline_ns, slack_ns));
}

static unsigned zeros(uint64_t value)
{
    return value ? (unsigned)__builtin_ctzll(value) : 64;
}

static void is_the_roundest(uint64_t deadline_ns, uint64_t slack_ns)
{
    uint64_t result = exo_deadline_slack(deadline_ns, slack_ns);

    check(result >= deadline_ns && result - deadline_ns <= slack_ns, "outside", deadline_ns, slack_ns);
    for (uint64_t after = 0; after <= slack_ns; after++)
        check(zeros(deadline_ns + after) <= zeros(result), "another one is rounder", deadline_ns, slack_ns);
}

static void ends_of_time(void)
{
    const uint64_t never = EXO_DEADLINE_NEVER;

    for (uint64_t slack_ns = 1; slack_ns; slack_ns <<= 1) {
        check(exo_deadline_slack(EXO_DEADLINE_NOW, slack_ns) == EXO_DEADLINE_NOW, "now is now", EXO_DEADLINE_NOW, slack_ns);
        for (uint64_t before = 0; before < 3; before++) {
            uint64_t result = exo_deadline_slack(never - before, slack_ns);

            check(before == 0 ? result == never : result >= never - before && result < never, "never", never - before, slack_ns);
            check(exo_deadline_slack(never - before, never - before) >= never - before, "never twice", never - before, slack_ns);
        }
        check(exo_deadline_slack(slack_ns, 0) == slack_ns, "no slack", slack_ns, 0);
        check(exo_deadline_slack(slack_ns, never) >= slack_ns, "all the time there is", slack_ns, never);
    }
}

int main(void)
{
    const uint64_t places[] = {1, 1000, 1ull << 20, 1ull << 32, 123456789012345ull, 1ull << 63};

    for (unsigned place = 0; place < sizeof(places) / sizeof(places[0]); place++) {
        uint64_t from = places[place] > 40 ? places[place] - 40 : 1;

        for (uint64_t deadline_ns = from; deadline_ns < from + 80; deadline_ns++)
            for (uint64_t slack_ns = 0; slack_ns < 150; slack_ns++)
                is_the_roundest(deadline_ns, slack_ns);
    }
    ends_of_time();
    return failures != 0;
}
