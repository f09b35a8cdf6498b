/*
 * The arithmetic of gas: meters refill by time and never by more than their rate, whatever the pattern of looks; prices follow the oracle's
 * numbers, round in the payer's disfavour, and overflow nowhere.
 * unit-sources: kernel/gas/meter.c kernel/gas/oracle.c
 */
#include "gas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)
#define SECOND 1000000000ull

static uint64_t state = 88172645463325252ull;

static uint64_t any(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void refused_numbers(void)
{
    struct gas_meter meter = {0};

    CHECK(!gas_meter_set(&meter, EXO_GAS_RATE_MAX + 1, 1, 0));
    CHECK(!gas_meter_set(&meter, 5, 0, 0));
    CHECK(!gas_meter_set(&meter, 5, EXO_GAS_AMOUNT_MAX + 1, 0));
    CHECK(!gas_meter_set(&meter, EXO_GAS_FIXED, EXO_GAS_AMOUNT_MAX + 1, 0));
    CHECK(!meter.limited && meter.balance == 0);
    CHECK(gas_meter_set(&meter, EXO_GAS_FIXED, 0, 0));
    CHECK(meter.limited);
}

static void no_limit(void)
{
    struct gas_meter meter = {0};

    CHECK(gas_meter_set(&meter, 0, 0, 7));
    gas_meter_pay(&meter, 1ull << 50);
    CHECK(gas_meter_available(&meter, 8) == INT64_MAX);
    CHECK(meter.paid == 1ull << 50);
}

static void fixed_amount(void)
{
    struct gas_meter meter = {0};

    CHECK(gas_meter_set(&meter, EXO_GAS_FIXED, 100, 0));
    CHECK(gas_meter_available(&meter, 1000 * SECOND) == 100);
    gas_meter_pay(&meter, 130);
    CHECK(gas_meter_available(&meter, 2000 * SECOND) == -30);
    CHECK(gas_meter_when(&meter, 1) == UINT64_MAX);
    gas_meter_pay(&meter, 50);
    gas_meter_refund(&meter, 50);
    CHECK(meter.balance == -30 && meter.paid == 130);
    meter.short_since_ns = 5;
    gas_meter_add(&meter, 20);
    CHECK(meter.balance == -10 && meter.short_since_ns == 5);
    gas_meter_add(&meter, 20);
    CHECK(meter.balance == 10 && meter.short_since_ns == 0);
}

static void rate_refills(void)
{
    struct gas_meter meter = {0};

    CHECK(gas_meter_set(&meter, 1000, 500, 10 * SECOND));
    gas_meter_pay(&meter, 500);
    meter.short_since_ns = 10 * SECOND;
    CHECK(gas_meter_available(&meter, 10 * SECOND + 999999) == 0);
    CHECK(gas_meter_available(&meter, 10 * SECOND + 1000000) == 1);
    CHECK(gas_meter_available(&meter, 10 * SECOND + 100000000) == 100);
    CHECK(meter.short_since_ns != 0);
    CHECK(gas_meter_when(&meter, 200) == 10 * SECOND + 200000000);
    CHECK(gas_meter_when(&meter, 100000) == 10 * SECOND + 500000000); /* full is enough */
    CHECK(gas_meter_available(&meter, 1000 * SECOND) == 500);
    CHECK(meter.short_since_ns == 0);
    CHECK(gas_meter_available(&meter, 5 * SECOND) == 500); /* a clock that stands still harms nothing */
}

static void grants_stay(void)
{
    struct gas_meter meter = {0};

    CHECK(gas_meter_set(&meter, 1000, 500, 0));
    gas_meter_add(&meter, 10000);
    CHECK(gas_meter_available(&meter, 100 * SECOND) == 10500); /* no more by time, and nothing lost */
    gas_meter_pay(&meter, 10100);
    CHECK(gas_meter_available(&meter, 100 * SECOND + SECOND / 100) == 410);
    gas_meter_add(&meter, UINT64_MAX);
    CHECK(meter.balance == EXO_GAS_AMOUNT_MAX);
}

/* Looks at random times, draws of random sizes: total use stays below burst + rate * time, and within a bit of it when all is drawn. */
static void never_beyond_rate(void)
{
    for (unsigned round = 0; round < 2000; round++) {
        uint64_t rate = 1 + any(any(2) ? EXO_GAS_RATE_MAX : 1000), burst = 1 + any(1ull << any(40)), now = any(1ull << 50);
        uint64_t start = now, used = 0, looks = 1 + any(300), step = 1ull << any(32);
        struct gas_meter meter = {0};
        unsigned __int128 allowed;

        CHECK(gas_meter_set(&meter, rate, burst, now));
        for (uint64_t i = 0; i < looks; i++) {
            int64_t available;

            now += any(step);
            available = gas_meter_available(&meter, now);
            CHECK(available <= (int64_t)burst);
            if (available > 0) {
                uint64_t draw = any((uint64_t)available + 1);

                gas_meter_pay(&meter, draw);
                used += draw;
            }
        }
        allowed = (unsigned __int128)(now - start) * rate / SECOND + burst;
        CHECK(used <= allowed);
        CHECK(meter.paid == used);
    }
}

/* Who looks often gets no less than who looks seldom, but for a nanosecond's worth a look. */
static void often_or_seldom(void)
{
    for (unsigned round = 0; round < 500; round++) {
        uint64_t rate = 1 + any(10000000), burst = 1ull << 40, now = 0, looks = 1000;
        struct gas_meter often = {0}, seldom = {0};

        CHECK(gas_meter_set(&often, rate, burst, 0) && gas_meter_set(&seldom, rate, burst, 0));
        often.balance = seldom.balance = 0;
        for (uint64_t i = 0; i < looks; i++) {
            now += any(1000000);
            gas_meter_refill(&often, now);
        }
        gas_meter_refill(&seldom, now);
        CHECK(often.balance <= seldom.balance);
        CHECK((uint64_t)(seldom.balance - often.balance) <= looks * rate / SECOND + 2);
    }
}

/* The time that `when` names is the first at which there is enough. */
static void when_is_exact(void)
{
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t rate = 1 + any(EXO_GAS_RATE_MAX), burst = 1 + any(1ull << 40), wanted = 1 + any(burst), when;
        struct gas_meter meter = {0}, early;

        CHECK(gas_meter_set(&meter, rate, burst, any(1ull << 40)));
        gas_meter_pay(&meter, any(2 * burst));
        early = meter;
        when = gas_meter_when(&meter, wanted);
        if (meter.balance >= (int64_t)wanted)
            continue;
        CHECK(gas_meter_available(&meter, when) >= (int64_t)wanted);
        CHECK(gas_meter_available(&early, when - 1) < (int64_t)wanted);
    }
}

static void debts_are_bounded(void)
{
    struct gas_meter meter = {0};

    CHECK(gas_meter_set(&meter, 1, 1, 0));
    for (unsigned i = 0; i < 100; i++)
        gas_meter_pay(&meter, UINT64_MAX);
    CHECK(meter.balance < 0);
    CHECK(gas_meter_when(&meter, 1) > 1ull << 60);
    gas_meter_refill(&meter, UINT64_MAX);
    CHECK(meter.balance < 0);
}

static struct exo_gas_policy neutral(void)
{
    struct exo_gas_policy policy = {.base = EXO_GAS_ONE, .congestion_max = EXO_GAS_ONE};

    for (unsigned class = 0; class < EXO_GAS_CLASSES; class++)
        policy.classes[class] = EXO_GAS_ONE;
    return policy;
}

static void oracle_prices(void)
{
    struct exo_gas_policy policy = neutral();
    struct gas_load load = {.runnable = 1000, .frames_free = 1, .frames_total = 1000};

    CHECK(gas_policy_valid(&policy));
    CHECK(gas_factor(&policy, &load, 3) == EXO_GAS_ONE); /* neutral whatever the load */
    policy.base = 512;
    policy.classes[7] = 128;
    CHECK(gas_factor(&policy, &load, 0) == 512 && gas_factor(&policy, &load, 7) == 256);
    policy.congestion_max = 1024;
    policy.runnable_free = 4;
    policy.runnable_step = 16;
    load = (struct gas_load){.runnable = 4, .frames_free = 500, .frames_total = 1000};
    CHECK(gas_factor(&policy, &load, 0) == 512);
    load.runnable = 20;
    CHECK(gas_factor(&policy, &load, 0) == 1024); /* 16 more, 16/256 each */
    load.runnable = 4000000000;
    CHECK(gas_factor(&policy, &load, 0) == 2048); /* congestion ends at 4 */
    load.runnable = 0;
    policy.frames_low = 64;
    policy.frames_step = 4;
    CHECK(gas_factor(&policy, &load, 0) == 512);
    load.frames_free = 0;
    CHECK(gas_factor(&policy, &load, 0) == 1024);
    load.frames_total = 0;
    CHECK(gas_factor(&policy, &load, 0) == 512);
}

static void oracle_refuses(void)
{
    struct exo_gas_policy policy = neutral();

    policy.base = 0;
    CHECK(!gas_policy_valid(&policy));
    policy = neutral();
    policy.classes[5] = 0;
    CHECK(!gas_policy_valid(&policy));
    policy = neutral();
    policy.classes[5] = GAS_FACTOR_MAX + 1;
    CHECK(!gas_policy_valid(&policy));
    policy = neutral();
    policy.congestion_max = EXO_GAS_ONE - 1;
    CHECK(!gas_policy_valid(&policy));
    policy = neutral();
    policy.runnable_step = UINT32_MAX;
    CHECK(!gas_policy_valid(&policy));
    policy = neutral();
    policy.frames_step = UINT32_MAX;
    CHECK(!gas_policy_valid(&policy));
}

/* Monotonic in load and class, never 0, for policies of all sorts. */
static void oracle_is_monotonic(void)
{
    for (unsigned round = 0; round < 20000; round++) {
        struct exo_gas_policy policy;
        struct gas_load load = {any(1ull << 32), any(1ull << 40), 1 + any(1ull << 40)}, more = load;
        uint32_t factor;

        policy.base = 1 + (uint32_t)any(GAS_FACTOR_MAX);
        policy.congestion_max = EXO_GAS_ONE + (uint32_t)any(GAS_FACTOR_MAX - EXO_GAS_ONE + 1);
        policy.runnable_free = (uint32_t)any(1ull << 32);
        policy.runnable_step = (uint32_t)any(GAS_FACTOR_MAX + 1);
        policy.frames_low = (uint32_t)any(300);
        policy.frames_step = (uint32_t)any(GAS_FACTOR_MAX + 1);
        for (unsigned class = 0; class < EXO_GAS_CLASSES; class++)
            policy.classes[class] = 1 + (uint32_t)any(GAS_FACTOR_MAX);
        CHECK(gas_policy_valid(&policy));
        factor = gas_factor(&policy, &load, 2);
        CHECK(factor >= 1);
        more.runnable += any(1000);
        more.frames_free -= more.frames_free ? any(more.frames_free) : 0;
        CHECK(gas_factor(&policy, &more, 2) >= factor);
        CHECK((gas_factor(&policy, &load, 1) >= factor) == (policy.classes[1] >= policy.classes[2]) ||
              gas_factor(&policy, &load, 1) == factor);
    }
}

static void cost_and_worth(void)
{
    CHECK(gas_cost(1000, EXO_GAS_ONE) == 1000 && gas_worth(1000, EXO_GAS_ONE) == 1000);
    CHECK(gas_cost(1, 1) == 1); /* never for nothing */
    CHECK(gas_cost(0, 5000) == 0 && gas_worth(0, 1) == 0);
    CHECK(gas_cost(UINT64_MAX, UINT32_MAX) == EXO_GAS_AMOUNT_MAX);
    CHECK(gas_worth(UINT64_MAX, 1) == EXO_GAS_AMOUNT_MAX);
    for (unsigned round = 0; round < 100000; round++) {
        uint32_t factor = 1 + (uint32_t)any(1ull << (1 + any(32)));
        uint64_t gas = any(1ull << any(40)), units = any(1ull << any(36));

        CHECK(gas_cost(gas_worth(gas, factor), factor) <= gas);      /* what it buys costs no more */
        CHECK(gas_worth(gas_cost(units, factor), factor) >= units);  /* what it costs buys no less */
        CHECK((unsigned __int128)gas_cost(units, factor) * EXO_GAS_ONE >= (unsigned __int128)units * factor);
    }
}

int main(void)
{
    refused_numbers();
    no_limit();
    fixed_amount();
    rate_refills();
    grants_stay();
    never_beyond_rate();
    often_or_seldom();
    when_is_exact();
    debts_are_bounded();
    oracle_prices();
    oracle_refuses();
    oracle_is_monotonic();
    cost_and_worth();
    return 0;
}
