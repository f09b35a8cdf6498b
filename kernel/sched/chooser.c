/* Which policy a zone has: at the first zone as the kernel's command line says (sched=NAME), elsewhere as its holder says. */
#include <exo/string.h>

#include "policy.h"
#include "port.h"

static const struct policy *const policies[] = {&stride_policy, &round_robin_policy, &beatty_policy, &rt_policy, &dag_policy, &hybrid_policy};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static unsigned order_of(const struct policy *policy)
{
    unsigned order = 0;

    while ((uint64_t)PAGE << order < policy->bytes)
        order++;
    return order;
}

static void give_memory(struct chooser *chooser, const struct policy *policy)
{
    uint64_t physical = chooser->memory;

    chooser->memory = 0;
    for (uint64_t page = 0; physical && page < 1ul << order_of(policy); page++)
        frame_drop(physical + page * PAGE);
}

/* Who is ready goes over from the old policy to the new one. */
static void exchange(struct chooser *chooser, const struct policy *policy, uint64_t memory)
{
    const struct policy *before = chooser->policy;
    struct entity *entity;
    struct list moving;

    list_init(&moving);
    while (!chooser_is_alone(chooser) && (entity = before->first(chooser))) {
        before->remove(chooser, entity);
        list_append(&moving, &entity->turn.link);
    }
    give_memory(chooser, before);
    chooser->policy = policy;
    chooser->memory = memory;
    chooser->era++;
    policy->start(chooser, memory ? direct(memory) : NULL);
    while (!list_empty(&moving)) {
        entity = LIST_ENTRY(moving.next, struct entity, turn.link);
        list_remove(&entity->turn.link);
        entity_greet(entity);
        policy->insert(chooser, entity);
    }
}

static int64_t set_policy(struct zone *zone, const struct policy *policy)
{
    struct chooser *chooser = &zone->below;
    uint64_t memory = 0;

    if (policy == chooser->policy)
        return 0;
    if (chooser->children > policy->most || chooser->children > EXO_POLICY_PARTS)
        return -EXO_E_LIMIT;
    if (chooser->reserved)
        return -EXO_E_BUSY;
    if (policy->bytes)
        memory = frame_take(zone, order_of(policy), false);
    if (policy->bytes && !memory)
        return -EXO_E_NOMEM;
    sched_settle();
    share_pay(sched_share);
    work_done(chooser->linked);
    exchange(chooser, policy, memory);
    return 0;
}

void chooser_end(struct zone *zone)
{
    give_memory(&zone->below, zone->below.policy);
    zone->below.policy = &stride_policy;
    zone->below.policy->start(&zone->below, NULL);
}

int64_t k_zone_policy(struct context *caller, struct capability *zone, uint64_t number)
{
    (void)caller;
    for (unsigned i = 0; i < POLICIES; i++)
        if (policies[i]->number == number)
            return set_policy((struct zone *)zone->object, policies[i]);
    return -EXO_E_INVAL;
}

static bool says(const char *word, const char *name)
{
    size_t length = strlen(name);

    return !strncmp(word, name, length) && (word[length] == ' ' || word[length] == '\0');
}

static size_t word_length(const char *word, size_t most)
{
    size_t length = 0;

    while (length < most && word[length] && word[length] != ' ')
        length++;
    return length;
}

void chooser_boot(const char *line)
{
    char name[32] = "";

    for (const char *at = line; at && *at; at = strchr(at, ' ')) {
        while (*at == ' ')
            at++;
        if (strncmp(at, "sched=", 6))
            continue;
        for (unsigned i = 0; i < POLICIES; i++)
            if (says(at + 6, policies[i]->name)) {
                if (set_policy(zones[0], policies[i]) < 0)
                    panic("not enough memory to start");
                log_text("sched=%s\n", policies[i]->name);
                return;
            }
        memcpy(name, at, word_length(at, sizeof(name) - 1));
        panic("%s: there is no such policy; there are stride, rr, beatty, rt, dag and hybrid", name);
    }
}
