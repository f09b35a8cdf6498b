/*
 * The scheduling policies' simulator: the table of share errors, and what must hold (tests/sim/run.py asks for both).
 *
 *     sim table DECISIONS      largest share error over all windows, for each policy, kind of weights and number of entities: tab-separated
 *     sim bound DECISIONS SEED Beatty with random weights: stops with status 1 where a window is two quanta wrong
 *     sim change DECISIONS SEED  entities that come and go, and quanta that are not used up: nobody starves, parts are kept in the long run
 */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static struct lags lags;

static const struct kind {
    const char *name;
    uint32_t (*weight)(unsigned index);
} *kind;

static uint32_t uniform(unsigned index)
{
    (void)index;
    return (uint32_t)(1 + sim_random(10000));
}

static uint32_t logarithmic(unsigned index)
{
    uint64_t octave = 1ull << sim_random(14), weight = octave + sim_random(octave);

    (void)index;
    return weight > 10000 ? 10000 : (uint32_t)weight;
}

static uint32_t one_heavy(unsigned index)
{
    return index == 0 ? 10000 : (uint32_t)(1 + sim_random(10));
}

static uint32_t powers(unsigned index)
{
    (void)index;
    return (uint32_t)(1u << sim_random(14));
}

static uint32_t equal(unsigned index)
{
    (void)index;
    return 100;
}

static const struct kind kinds[] = {
    {"uniform", uniform}, {"logarithmic", logarithmic}, {"one heavy", one_heavy}, {"powers of two", powers}, {"equal", equal},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* In thousandths. */
static uint64_t worst_of(const struct policy *policy, unsigned count, uint64_t decisions)
{
    uint64_t worst;

    world_begin(&world, policy);
    for (unsigned i = 0; i < count; i++)
        world_add(&world, kind->weight(i));
    lags_begin(&lags);
    while (lags.slots < decisions)
        lags_note(&lags, &world, world_decide(&world, SIM_QUANTUM));
    worst = lags_worst(&lags, &world);
    world_end(&world);
    return worst;
}

static void table(uint64_t decisions)
{
    static const struct policy *const policies[] = {&beatty_policy, &stride_policy, &round_robin_policy, &lottery_policy};
    static const unsigned counts[] = {2, 3, 5, 10, 20, 50, 100, 200, 500, 1000};

    printf("weights\tentities\tpolicy\tthousandths\n");
    for (unsigned k = 0; k < 3; k++)
        for (unsigned c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
            for (unsigned p = 0; p < sizeof(policies) / sizeof(policies[0]); p++) {
                kind = &kinds[k];
                sim_seed(k * 100 + c); /* the same weights for each policy */
                printf("%s\t%u\t%s\t%" PRIu64 "\n", kind->name, counts[c], policies[p]->name, worst_of(policies[p], counts[c], decisions));
            }
}

static void bound(uint64_t decisions, uint64_t seed)
{
    uint64_t worst = 0, done = 0;

    for (uint64_t round = 0; done < decisions; round++) {
        unsigned count = round % 3 ? (unsigned)(2 + sim_random(20)) : (unsigned)(2 + sim_random(999));
        uint64_t each = count < 22 ? 20000 : 200000, found;

        kind = &kinds[round % KINDS];
        sim_seed(seed * 1000003 + round);
        found = worst_of(&beatty_policy, count, each);
        if (found >= 2000)
            sim_fail("seed %" PRIu64 " round %" PRIu64 ": %u entities, weights %s: a window is %" PRIu64 " thousandths of a quantum wrong", seed,
                     round, count, kind->name, found);
        worst = found > worst ? found : worst;
        done += each;
    }
    printf("%" PRIu64 " decisions; the worst window was %" PRIu64 ".%03" PRIu64 " quanta wrong\n", done, worst / 1000, worst % 1000);
}

/*
 * Half of the entities come and go, quanta are left unfinished. Whoever was ready all the time must have had time in proportion to his weight against
 * the others who were.
 */
static void change(uint64_t decisions, uint64_t seed)
{
    static const struct policy *const policies[] = {&beatty_policy, &stride_policy};
    static uint64_t got[SIM_MOST];

    for (unsigned p = 0; p < 2; p++) {
        unsigned count = 20;

        sim_seed(seed);
        world_begin(&world, policies[p]);
        memset(got, 0, sizeof(got));
        for (unsigned i = 0; i < count; i++)
            world_add(&world, (uint32_t)(1 + sim_random(200)));
        for (uint64_t i = 0; i < decisions; i++) {
            uint64_t cycles = sim_random(4) ? SIM_QUANTUM : 1 + sim_random(SIM_QUANTUM);
            unsigned who = count / 2 + (unsigned)sim_random(count / 2);

            got[world_decide(&world, cycles)] += cycles;
            if (sim_random(8) == 0)
                (world.entity[who].linked ? world_remove : world_insert)(&world, who);
        }
        for (unsigned i = 1; i < count / 2; i++) {
            uint64_t mine = got[i] * world.entity[0].weight, first = got[0] * world.entity[i].weight;
            uint64_t apart = mine > first ? mine - first : first - mine;

            if (apart * 50 > mine + first + 100ull * SIM_QUANTUM * world.entity[0].weight)
                sim_fail("%s: entity %u of weight %u got %" PRIu64 ", entity 0 of weight %u %" PRIu64, policies[p]->name, i, world.entity[i].weight, got[i],
                         world.entity[0].weight, got[0]);
        }
        world_end(&world);
    }
    printf("%" PRIu64 " decisions while others came and went\n", 2 * decisions);
}

int main(int count, char **argument)
{
    uint64_t decisions = count > 2 ? strtoull(argument[2], NULL, 0) : 0, seed = count > 3 ? strtoull(argument[3], NULL, 0) : 1;

    if (decisions && !strcmp(argument[1], "table"))
        table(decisions);
    else if (decisions && !strcmp(argument[1], "bound"))
        bound(decisions, seed);
    else if (decisions && !strcmp(argument[1], "change"))
        change(decisions, seed);
    else
        sim_fail("usage: sim table|bound|change DECISIONS [SEED]");
    return 0;
}
