/* Beatty's choice: the kernel's own file (kernel/sched/beatty.c), in ring 3. The loop around it is taken off. */
#include <exo/string.h>

#include "../../kernel/include/policy.h"
#include "cases.h"

#define ENTITIES 2000u

uint64_t sched_slice_cycles = 1000;

static struct entity entities[ENTITIES];
static struct chooser chooser;
static uint64_t policy_memory[8192];

static uint64_t loop(uint64_t count)
{
    return TICKS(count, __asm__ volatile("" : : "r"(&entities[i & 1])));
}

static void begin_choosing(unsigned count)
{
    MUST(beatty_policy.bytes <= sizeof(policy_memory) ? 0 : -1);
    memset(policy_memory, 0, sizeof(policy_memory));
    memset(entities, 0, sizeof(entities));
    beatty_policy.start(&chooser, policy_memory);
    for (unsigned i = 0; i < count; i++) {
        entities[i].weight = 1 + i * 7919 % 1000;
        beatty_policy.insert(&chooser, &entities[i]);
        entities[i].linked = true;
    }
    for (unsigned i = 0; i < 3 * count; i++)
        beatty_policy.charge(&chooser, beatty_policy.first(&chooser), sched_slice_cycles);
}

static uint64_t choice(uint64_t count, unsigned ready)
{
    begin_choosing(ready);
    return TICKS(count, __asm__ volatile("" : : "r"(beatty_policy.first(&chooser)))) - loop(count);
}

uint64_t choice_2(uint64_t count)
{
    return choice(count, 2);
}

uint64_t choice_2000(uint64_t count)
{
    return choice(count, ENTITIES);
}

/* A whole decision: who is next, and that he has had his quantum. */
static uint64_t quantum(uint64_t count, unsigned ready)
{
    begin_choosing(ready);
    return TICKS(count, beatty_policy.charge(&chooser, beatty_policy.first(&chooser), sched_slice_cycles)) - loop(count);
}

uint64_t quantum_2(uint64_t count)
{
    return quantum(count, 2);
}

uint64_t quantum_2000(uint64_t count)
{
    return quantum(count, ENTITIES);
}
