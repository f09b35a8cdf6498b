/*
 * Policies of zones: parts by weight, tasks that wait for others, reservations. Parts are counted in the machine whose clock counts instructions (boots.py:
 * microvm-counted); elsewhere the processor is not ours to divide, and only the rest is looked at.
 */
#include "lottery.h"
#include "work.h"

#define WINDOW_NS 800000000ul
#define MS 1000000ul

static uint64_t policy_zone(uint64_t policy)
{
    uint64_t zone = work_zone(4000, EXO_ZONE_WEIGHT);

    EXPECT(exo_zone_policy(zone, policy), 0);
    return zone;
}

static uint64_t slice_of(uint64_t zone, uint64_t weight)
{
    return (uint64_t)MUST(exo_slice_make(zone, weight));
}

static void pass(void)
{
    sleep_ns(bare_asked("counted") ? WINDOW_NS : 10 * MS);
}

/* Within two slices of time: 12 thousandths of the window. */
static void expect_part(const char *who, uint64_t used, uint64_t part)
{
    uint64_t got = used / (WINDOW_NS / 1000);

    if (!bare_asked("counted"))
        return;
    bare_say("# %s: %lu of a thousand, its part is %lu\n", who, got, part);
    CHECK(got + 12 >= part && got <= part + 12);
}

CASE(policy_beatty, "a zone with the policy Beatty: parts as weights say, and as much for the zone beside it as ever")
{
    uint64_t zone = policy_zone(EXO_POLICY_BEATTY), theirs = work_zone(4000, EXO_ZONE_WEIGHT), slice[7], used[8];
    static const uint64_t weight[7] = {400, 200, 100, 100, 50, 30, 20};
    struct child child[7], other;

    work_begin();
    for (unsigned i = 0; i < 7; i++)
        child[i] = work_spinner(zone, i, slice[i] = slice_of(zone, weight[i]));
    other = work_spinner(theirs, 7, 0);
    sleep_ns(20 * MS);
    for (unsigned i = 0; i < 7; i++)
        used[i] = work_used(&child[i]);
    used[7] = work_used(&other);
    pass();
    for (unsigned i = 0; i < 7; i++) /* the zone's own contexts do nothing */
        expect_part("a slice", work_used(&child[i]) - used[i], 500 * weight[i] / 900);
    expect_part("the zone beside it", work_used(&other) - used[7], 500);
    for (unsigned i = 0; i < 7; i++) {
        work_kill(&child[i]);
        EXPECT(exo_cap_delete(slice[i]), 0);
    }
    work_kill(&other);
    EXPECT(exo_cap_delete(zone), 0);
    EXPECT(exo_cap_delete(theirs), 0);
    work_end();
}

CASE(policy_changes, "a zone's policy changes under those who run, as often as one likes")
{
    static const uint64_t policy[] = {EXO_POLICY_BEATTY, EXO_POLICY_ROUND_ROBIN, EXO_POLICY_HYBRID, EXO_POLICY_RT, EXO_POLICY_BEATTY, EXO_POLICY_STRIDE};
    uint64_t zone = work_zone(4000, EXO_ZONE_WEIGHT), slice[3];
    struct child child[4];

    work_begin();
    for (unsigned i = 0; i < 4; i++)
        child[i] = work_spinner(zone, i, i < 3 ? slice[i] = slice_of(zone, 100) : 0);
    for (unsigned i = 0; i < sizeof(policy) / sizeof(policy[0]); i++) {
        EXPECT(exo_zone_policy(zone, policy[i]), 0);
        for (unsigned one = 0; one < 4; one++)
            CHECK(work_moves(one));
    }
    for (unsigned i = 0; i < 4; i++)
        work_kill(&child[i]);
    EXPECT(exo_zone_policy(zone, EXO_POLICY_BEATTY), 0); /* and with nobody there */
    EXPECT(exo_zone_policy(zone, EXO_POLICY_DAG), 0);
    for (unsigned i = 0; i < 3; i++)
        EXPECT(exo_cap_delete(slice[i]), 0);
    EXPECT(exo_cap_delete(zone), 0);
    work_end();
}

CASE(policy_misuse, "no policy that is none, by the wrong capability, or beyond the zone's memory")
{
    uint64_t zone = work_zone(12, EXO_ZONE_WEIGHT), weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, zone, EXO_RIGHTS_ALL & ~EXO_RIGHT_SHARE, 0)), rt, slice;

    EXPECT(exo_zone_policy(zone, EXO_POLICY_HYBRID + 1), -EXO_E_INVAL);
    EXPECT(exo_zone_policy(zone, ~0ul), -EXO_E_INVAL);
    EXPECT(exo_zone_policy(weak, EXO_POLICY_RT), -EXO_E_RIGHTS);
    EXPECT(exo_zone_policy(SELF, EXO_POLICY_RT), -EXO_E_TYPE);
    EXPECT(exo_zone_policy(zone, EXO_POLICY_BEATTY), -EXO_E_NOMEM); /* 16 pages */
    EXPECT(exo_zone_policy(zone, EXO_POLICY_ROUND_ROBIN), 0);
    EXPECT(exo_zone_policy(zone, EXO_POLICY_ROUND_ROBIN), 0);
    EXPECT(exo_cap_delete(weak), 0);
    EXPECT(exo_cap_delete(zone), 0);
    rt = policy_zone(EXO_POLICY_RT);
    slice = slice_of(rt, 1);
    EXPECT(exo_slice_reserve(slice, MS, 10 * MS), 0);
    EXPECT(exo_zone_policy(rt, EXO_POLICY_STRIDE), -EXO_E_BUSY);
    EXPECT(exo_slice_reserve(slice, 0, 0), 0);
    EXPECT(exo_zone_policy(rt, EXO_POLICY_STRIDE), 0);
    EXPECT(exo_slice_reserve(slice, MS, 10 * MS), -EXO_E_INVAL);
    EXPECT(exo_cap_delete(slice), 0);
    EXPECT(exo_cap_delete(rt), 0);
}

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

static uint64_t id_of(uint64_t handle)
{
    struct exo_cap_info info = {0};

    EXPECT(exo_cap_info(handle, &info), 0);
    return info.object;
}

static bool rests(unsigned index)
{
    uint64_t before = *counter(index);

    sleep_ns(30 * MS);
    return *counter(index) == before;
}

static uint32_t waits_of(uint64_t slice)
{
    struct exo_slice_info info = {0};

    EXPECT(exo_slice_info(slice, &info), 0);
    return info.waits;
}

/* A before B and C, both before D. */
static void diamond(uint64_t policy)
{
    uint64_t zone = policy_zone(policy), task[4], circle[EXO_CIRCLE_MOST];
    struct child child[4];

    work_begin();
    for (unsigned i = 0; i < 4; i++)
        task[i] = slice_of(zone, 100);
    EXPECT(exo_slice_after(task[1], task[0], circle), 0);
    EXPECT(exo_slice_after(task[2], task[0], circle), 0);
    EXPECT(exo_slice_after(task[3], task[1], circle), 0);
    EXPECT(exo_slice_after(task[3], task[2], circle), 0);
    for (unsigned i = 0; i < 4; i++)
        child[i] = work_spinner(zone, i, task[i]);
    CHECK(work_moves(0) && rests(1) && rests(2) && rests(3));
    EXPECT((int64_t)waits_of(task[3]), 2);
    EXPECT(exo_yield_to(child[3].context), -EXO_E_AGAIN); /* nobody can make it start early */
    EXPECT(exo_slice_after(task[0], task[3], circle), -EXO_E_CIRCLE);
    CHECK(circle[0] == id_of(task[0]) && circle[2] == id_of(task[3]) && circle[3] == 0);
    CHECK(circle[1] == id_of(task[1]) || circle[1] == id_of(task[2]));
    EXPECT(exo_slice_done(task[1]), -EXO_E_INVAL); /* has not begun */
    EXPECT(exo_slice_done(task[0]), 0);
    EXPECT(exo_slice_done(task[0]), -EXO_E_INVAL);
    EXPECT(exo_ctx_stop(child[0].context), 0);
    CHECK(work_moves(1));
    if (policy == EXO_POLICY_DAG) /* one after the other */
        EXPECT(exo_ctx_stop(child[1].context), 0);
    CHECK(work_moves(2) && rests(3));
    EXPECT(exo_slice_done(task[1]), 0);
    CHECK(rests(3));
    EXPECT(exo_slice_done(task[2]), 0);
    EXPECT(exo_ctx_stop(child[2].context), 0);
    CHECK(work_moves(3));
    for (unsigned i = 0; i < 4; i++)
        work_kill(&child[i]);
    for (unsigned i = 0; i < 4; i++)
        EXPECT(exo_cap_delete(task[i]), 0);
    EXPECT(exo_cap_delete(zone), 0);
    work_end();
}

CASE(task_diamond, "tasks: none starts before its inputs are done, two that do not wait for each other run side by side; a circle is refused and named")
{
    diamond(EXO_POLICY_HYBRID);
    diamond(EXO_POLICY_DAG);
}

CASE(task_misuse, "tasks: waiting for oneself, twice, across zones, without the rights, in a zone of another policy; an input that goes")
{
    uint64_t zone = policy_zone(EXO_POLICY_DAG), theirs = policy_zone(EXO_POLICY_DAG), plain = work_zone(4000, 100), circle[EXO_CIRCLE_MOST];
    uint64_t one = slice_of(zone, 1), two = slice_of(zone, 1), far = slice_of(theirs, 1), weak;
    struct child child;

    work_begin();
    EXPECT(exo_slice_after(one, one, circle), -EXO_E_CIRCLE);
    CHECK(circle[0] == id_of(one) && circle[1] == 0);
    EXPECT(exo_slice_after(one, one, (uint64_t *)0x10), -EXO_E_FAULT);
    EXPECT(exo_slice_after(one, far, circle), -EXO_E_INVAL);
    EXPECT(exo_slice_after(one, two, circle), 0);
    EXPECT(exo_slice_after(one, two, circle), -EXO_E_EXISTS);
    EXPECT(exo_slice_after(two, one, circle), -EXO_E_CIRCLE);
    EXPECT(exo_slice_after(one, two + 65536, circle), -EXO_E_STALE);
    EXPECT(exo_slice_after(one, SELF, circle), -EXO_E_TYPE);
    weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, two, EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_slice_after(one, weak, circle), -EXO_E_RIGHTS);
    EXPECT(exo_slice_done(weak), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete(weak), 0);
    child = work_spinner(zone, 0, one);
    CHECK(rests(0));
    EXPECT(exo_cap_delete(two), 0);
    CHECK(work_moves(0));
    work_kill(&child);
    EXPECT(exo_cap_delete(one), 0);
    EXPECT(exo_cap_delete(far), 0);
    one = slice_of(plain, 1);
    two = slice_of(plain, 1);
    EXPECT(exo_slice_after(one, two, circle), -EXO_E_INVAL);
    EXPECT(exo_cap_delete(one), 0);
    EXPECT(exo_cap_delete(two), 0);
    EXPECT(exo_cap_delete(plain), 0);
    EXPECT(exo_cap_delete(zone), 0);
    EXPECT(exo_cap_delete(theirs), 0);
    work_end();
}

/* ---- reservations ------------------------------------------------------------------------------------------------ */

#define PERIOD_NS (10 * MS)

/* Each period: works for `index` in its low half ms, ready again a period after it began; counts periods, and those whose end it missed. */
static void periodic(uint64_t work_ns)
{
    unsigned at = work_ns >= 3 * MS ? 12 : 10;

    for (;;) {
        uint64_t begun = bare_now();

        while (bare_now() < begun + work_ns) { /* more than so much processor time it never needs */
        }
        ++*counter(at);
        if (bare_now() > begun + PERIOD_NS)
            ++*counter(at + 1);
        (void)!exo_wait(NULL, 0, begun + PERIOD_NS);
    }
}

CASE(reserve_deadlines, "reservations: who overruns his budget is stopped until the next period, and nobody else misses a deadline")
{
    uint64_t slice[3], used, window;
    struct child good[2], overruns, idle;

    work_begin();
    EXPECT(exo_zone_policy(ZONE, EXO_POLICY_RT), 0);
    for (unsigned i = 0; i < 3; i++)
        slice[i] = slice_of(ZONE, 100);
    EXPECT(exo_slice_reserve(slice[0], 2 * MS, PERIOD_NS), 0);
    EXPECT(exo_slice_reserve(slice[1], 3 * MS, PERIOD_NS), 0);
    EXPECT(exo_slice_reserve(slice[2], 4 * MS, PERIOD_NS), 0);
    for (unsigned i = 0; i < 2; i++) {
        good[i] = work_child(ZONE, periodic, i ? 3 * MS : MS);
        EXPECT(exo_slice_bind(slice[i ? 2 : 0], good[i].context), 0);
        child_start(&good[i]);
    }
    overruns = work_spinner(ZONE, 0, slice[1]);
    idle = work_spinner(ZONE, 1, 0);
    sleep_ns(20 * MS);
    used = work_used(&overruns);
    window = bare_now();
    pass();
    window = bare_now() - window;
    used = work_used(&overruns) - used;
    if (bare_asked("counted")) {
        bare_say("# %lu and %lu periods, %lu and %lu missed; who overruns had %lu of a thousand\n", *counter(10), *counter(12), *counter(11), *counter(13),
                 used / (window / 1000));
        CHECK(*counter(10) > 70 && *counter(12) > 70 && *counter(11) == 0 && *counter(13) == 0);
        CHECK(used / (window / 1000) > 280 && used / (window / 1000) <= 302);
    }
    CHECK(work_moves(0) && work_moves(1));
    work_kill(&overruns);
    work_kill(&idle);
    for (unsigned i = 0; i < 2; i++)
        work_kill(&good[i]);
    for (unsigned i = 0; i < 3; i++)
        EXPECT(exo_cap_delete(slice[i]), 0); /* with the promise */
    EXPECT(exo_zone_policy(ZONE, EXO_POLICY_STRIDE), 0);
    work_end();
}

/*
 * Of a thousand, what the children have had together. Exact where instructions are the clock. Else what the host took while one ran counts as used: it is
 * taken off later budgets, so over many periods the part is right, but for what came last; then the next window is right.
 */
static uint64_t part_of(const struct child *child, unsigned count, uint64_t most)
{
    uint64_t part = 0;

    for (unsigned tries = 0; (part == 0 || part > most) && tries < (bare_asked("counted") ? 1u : 50u); tries++) {
        uint64_t window = bare_now(), used = 0;

        for (unsigned i = 0; i < count; i++)
            used -= work_used(&child[i]);
        sleep_ns(20 * PERIOD_NS);
        for (unsigned i = 0; i < count; i++)
            used += work_used(&child[i]);
        part = used / ((bare_now() - window) / 1000);
    }
    bare_say("# %u alone: %lu of a thousand\n", count, part);
    return part;
}

CASE(reserve_alone, "reservations: alone on the processors, too, a budget is all there is, for one that draws on it or four, until the next period")
{
    uint64_t slice;
    struct child child[4];

    work_begin();
    EXPECT(exo_zone_policy(ZONE, EXO_POLICY_RT), 0);
    slice = slice_of(ZONE, 100);
    EXPECT(exo_slice_reserve(slice, 2 * MS, PERIOD_NS), 0);
    for (unsigned i = 0; i < 4; i++) {
        child[i] = work_spinner(ZONE, i, slice);
        if (i % 3 == 0) {
            uint64_t most = bare_asked("counted") ? 210 : 240, part = part_of(child, i + 1, most);

            CHECK(part > 0 && part <= most);
        }
    }
    for (unsigned i = 1; i < 4; i++)
        work_kill(&child[i]);
    EXPECT(exo_slice_reserve(slice, 9 * MS, PERIOD_NS), 0); /* another promise, while it is stopped perhaps */
    CHECK(work_moves(0));
    EXPECT(exo_slice_reserve(slice, 0, 0), 0);
    CHECK(work_moves(0));
    work_kill(&child[0]);
    EXPECT(exo_cap_delete(slice), 0);
    EXPECT(exo_zone_policy(ZONE, EXO_POLICY_STRIDE), 0);
    work_end();
}

CASE(reserve_misuse, "reservations: more than there is, budgets beyond periods, periods of nothing and of years, the wrong rights")
{
    uint64_t zone = policy_zone(EXO_POLICY_RT), one = slice_of(zone, 1), two = slice_of(zone, 1), weak;

    EXPECT(exo_slice_reserve(one, 8 * MS, 16 * MS), 0);
    EXPECT(exo_slice_reserve(two, 8 * MS, 16 * MS), -EXO_E_LIMIT);
    EXPECT(exo_slice_reserve(two, 7 * MS, 16 * MS), 0); /* 15 sixteenths, exactly */
    EXPECT(exo_slice_reserve(two, 7 * MS + 1, 16 * MS), -EXO_E_LIMIT);
    EXPECT(exo_slice_reserve(one, 6 * MS, 16 * MS), 0); /* instead of the one before */
    EXPECT(exo_slice_reserve(two, 9 * MS, 16 * MS), 0);
    EXPECT(exo_slice_reserve(two, 7 * MS, 16 * MS), 0);
    EXPECT(exo_slice_reserve(one, 11 * MS, 10 * MS), -EXO_E_INVAL);
    EXPECT(exo_slice_reserve(one, MS, 0), -EXO_E_INVAL);
    EXPECT(exo_slice_reserve(one, 0, MS), -EXO_E_INVAL);
    EXPECT(exo_slice_reserve(one, EXO_RESERVE_BUDGET_MIN - 1, MS), -EXO_E_INVAL);
    EXPECT(exo_slice_reserve(one, EXO_RESERVE_BUDGET_MIN, EXO_RESERVE_PERIOD_MIN - 1), -EXO_E_INVAL);
    EXPECT(exo_slice_reserve(one, ~0ul, ~0ul), -EXO_E_INVAL);
    EXPECT(exo_slice_reserve(one, MS, EXO_RESERVE_PERIOD_MAX + 1), -EXO_E_INVAL);
    weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, one, EXO_RIGHTS_ALL & ~EXO_RIGHT_SHARE, 0));
    EXPECT(exo_slice_reserve(weak, MS, 10 * MS), -EXO_E_RIGHTS);
    EXPECT(exo_slice_reserve(one + 65536, MS, 10 * MS), -EXO_E_STALE);
    EXPECT(exo_cap_delete(weak), 0);
    EXPECT(exo_cap_delete(one), 0);
    EXPECT(exo_slice_reserve(two, 9 * MS, 10 * MS), 0); /* what the other had is free */
    EXPECT(exo_cap_delete(two), 0);
    EXPECT(exo_zone_policy(zone, EXO_POLICY_STRIDE), 0);
    EXPECT(exo_cap_delete(zone), 0);
}

/* ---- a policy in user space (lottery.c) -------------------------------------------------------------------------- */

CASE(lottery, "a lottery divides a slice: by tickets inside, and never more than the slice from the others")
{
    uint64_t zone = work_zone(4000, EXO_ZONE_WEIGHT), theirs = work_zone(4000, EXO_ZONE_WEIGHT), slice = slice_of(zone, 900), used[4];
    static const uint64_t tickets[3] = {500, 300, 200};
    struct child child[3], other;
    struct lottery lottery;

    work_begin();
    lottery_begin(&lottery, slice, 2 * MS, 7);
    EXPECT(lottery_round(&lottery), -EXO_E_AGAIN);
    for (unsigned i = 0; i < 3; i++) {
        child[i] = work_child(zone, work_spin, i);
        EXPECT(lottery_add(&lottery, child[i].context, tickets[i]), 0);
    }
    EXPECT(lottery_add(&lottery, child[0].context, 0), -EXO_E_INVAL);
    EXPECT(lottery_add(&lottery, SELF, 1), -EXO_E_TYPE);
    EXPECT(lottery_add(&lottery, child[0].context + 65536, 1), -EXO_E_STALE);
    EXPECT(lottery_transfer(&lottery, 2, 0, 201), -EXO_E_INVAL);
    EXPECT(lottery_transfer(&lottery, 3, 0, 1), -EXO_E_INVAL);
    other = work_spinner(theirs, 5, 0);
    for (unsigned i = 0; i < 3; i++)
        used[i] = work_used(&child[i]);
    used[3] = work_used(&other);
    for (unsigned i = 0; i < (bare_asked("counted") ? 400u : 30u); i++)
        EXPECT(lottery_round(&lottery), 0);
    for (unsigned i = 0; i < 3; i++)
        used[i] = work_used(&child[i]) - used[i];
    used[3] = work_used(&other) - used[3];
    if (bare_asked("counted")) {
        uint64_t all = used[0] + used[1] + used[2];

        bare_say("# %lu, %lu and %lu of a thousand; the zone beside them %lu\n", used[0] * 1000 / all, used[1] * 1000 / all, used[2] * 1000 / all,
                 used[3] * 1000 / (all + used[3]));
        for (unsigned i = 0; i < 3; i++) /* chance: four standard deviations of 400 draws are a tenth of all */
            CHECK(used[i] * 1000 / all + 100 >= tickets[i] && used[i] * 1000 / all <= tickets[i] + 100);
        CHECK(used[3] * 1000 / (all + used[3]) >= 480);
        CHECK(lottery.client[0].won + lottery.client[1].won + lottery.client[2].won == 400);
    }
    CHECK(rests(0) && rests(1) && rests(2)); /* nobody runs but in his quantum */
    EXPECT(lottery_remove(&lottery, child[1].context), 0);
    EXPECT(lottery_remove(&lottery, child[1].context), -EXO_E_INVAL);
    EXPECT(lottery_transfer(&lottery, 0, 1, 500), 0);
    EXPECT(exo_cap_delete(slice), 0); /* asked back: the lottery goes on without it */
    EXPECT(lottery_round(&lottery), 0);
    for (unsigned i = 0; i < 3; i++)
        work_kill(&child[i]);
    work_kill(&other);
    EXPECT(exo_cap_delete(zone), 0);
    EXPECT(exo_cap_delete(theirs), 0);
    work_end();
}
