/* See sim.h. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PLACE ((void *)0x200000000000ul)

uint64_t sched_slice_cycles = SIM_QUANTUM;
static uint64_t state = 88172645463325252ull;

void sim_seed(uint64_t seed)
{
    state = 88172645463325252ull + seed * 0x9E3779B97F4A7C15ull;
    for (unsigned i = 0; i < 10; i++)
        (void)sim_random(2);
}

uint64_t sim_random(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

void sim_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void world_begin(struct world *world, const struct policy *policy)
{
    memset(world, 0, sizeof(*world));
    world->entity = mmap(PLACE, SIM_MOST * sizeof(struct entity), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (world->entity != PLACE)
        sim_fail("no memory");
    world->memory = policy->bytes ? calloc(1, policy->bytes) : NULL;
    if (policy->bytes && !world->memory)
        sim_fail("no memory");
    world->chooser.policy = policy;
    policy->start(&world->chooser, world->memory);
}

void world_end(struct world *world)
{
    free(world->memory);
}

void world_insert(struct world *world, unsigned index)
{
    struct entity *entity = &world->entity[index];

    world->chooser.policy->insert(&world->chooser, entity);
    entity->linked = true;
    world->weights += entity->weight;
}

void world_remove(struct world *world, unsigned index)
{
    struct entity *entity = &world->entity[index];

    world->chooser.policy->remove(&world->chooser, entity);
    entity->linked = false;
    world->weights -= entity->weight;
}

void world_add(struct world *world, uint32_t weight)
{
    struct entity *entity = &world->entity[world->count];

    entity->in = &world->chooser;
    entity->weight = weight;
    world_insert(world, world->count++);
}

unsigned world_decide(struct world *world, uint64_t cycles)
{
    struct entity *entity = world->chooser.policy->first(&world->chooser);

    if (!entity || !entity->linked)
        sim_fail("%s chose nobody, or somebody who is not ready", world->chooser.policy->name);
    world->chooser.policy->charge(&world->chooser, entity, cycles);
    return (unsigned)(entity - world->entity);
}

void lags_begin(struct lags *lags)
{
    memset(lags, 0, sizeof(*lags));
}

static int64_t lag_of(const struct lags *lags, const struct world *world, unsigned index)
{
    return (int64_t)(lags->slots * world->entity[index].weight - lags->got[index] * world->weights);
}

/* Between two of its quanta a lag only grows, and falls by one: it is largest before and least after. */
void lags_note(struct lags *lags, const struct world *world, unsigned ran)
{
    int64_t lag = lag_of(lags, world, ran);

    if (lag > lags->most[ran])
        lags->most[ran] = lag;
    lags->got[ran]++;
    lags->slots++;
    lag = lag_of(lags, world, ran);
    if (lag < lags->least[ran])
        lags->least[ran] = lag;
}

uint64_t lags_worst(const struct lags *lags, const struct world *world)
{
    uint64_t worst = 0;

    for (unsigned i = 0; i < world->count; i++) {
        int64_t lag = lag_of(lags, world, i), most = lag > lags->most[i] ? lag : lags->most[i];
        uint64_t window = (uint64_t)(most - lags->least[i]);

        worst = window > worst ? window : worst;
    }
    return (worst * 1000 + world->weights - 1) / world->weights;
}

/* ---- lottery: a ticket is drawn for each quantum. By walking, so it is for the simulator only ---- */

static void lottery_start(struct chooser *chooser, void *memory)
{
    (void)memory;
    list_init(&chooser->ring);
}

static void lottery_insert(struct chooser *chooser, struct entity *entity)
{
    list_append(&chooser->ring, &entity->turn.link);
}

static void lottery_remove(struct chooser *chooser, struct entity *entity)
{
    (void)chooser;
    list_remove(&entity->turn.link);
}

static struct entity *lottery_first(struct chooser *chooser)
{
    uint64_t tickets = 0, drawn;

    for (struct list *at = chooser->ring.next; at != &chooser->ring; at = at->next)
        tickets += LIST_ENTRY(at, struct entity, turn.link)->weight;
    if (!tickets)
        return NULL;
    drawn = sim_random(tickets);
    for (struct list *at = chooser->ring.next;; at = at->next) {
        struct entity *entity = LIST_ENTRY(at, struct entity, turn.link);

        if (drawn < entity->weight)
            return entity;
        drawn -= entity->weight;
    }
}

static void lottery_charge(struct chooser *chooser, struct entity *entity, uint64_t cycles)
{
    (void)chooser;
    (void)entity;
    (void)cycles;
}

static bool lottery_never(const struct chooser *chooser, const struct entity *first, const struct entity *second)
{
    (void)chooser;
    (void)first;
    (void)second;
    return false;
}

const struct policy lottery_policy = {
    "lottery", ~0u, 0, UINT32_MAX, false, false, lottery_start, lottery_insert, lottery_remove, lottery_first, lottery_charge, lottery_never, lottery_never,
};
