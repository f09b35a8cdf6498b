/*
 * Environments. One ends when it is destroyed or when a fault finds no upcall entry: its contexts go at once and its creator is told through the
 * death endpoint; env_destroy then takes it apart, a bounded piece at each call.
 */
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

/* Pages, page tables and slots taken apart at one entry. */
#define CLEAR_PAGES 1024u
#define CLEAR_SLOTS 256u

/* It is counted there no more. The frame that it lies in still is, so the zone outlives this. */
static void leave_zone(struct env *env)
{
    zone_give_envs(env->zone, 1);
    object_drop(&env->zone->object);
}

struct env *env_new(struct zone *zone)
{
    struct env *env;

    if (!zone_take_envs(zone, 1))
        return NULL;
    env = object_new(zone, EXO_TYPE_ENV, sizeof(*env));
    if (!env) {
        zone_give_envs(zone, 1);
        return NULL;
    }
    env->zone = zone;
    object_hold(&zone->object);
    env->slots[0].key = UINT64_MAX; /* no handle names it */
    env->slots_hint = 1;
    env->gas = &zone->gas;
    list_init(&env->contexts);
    list_init(&env->death_link);
    if (!space_init(env)) {
        env->object.type = EXO_TYPE_NONE;
        leave_zone(env);
        object_free(&env->object, sizeof(*env));
        return NULL;
    }
    members_add(env);
    recall_env_new(env);
    stats.envs++;
    return env;
}

/* Not in line: ./exo run --backtrace stops here. */
__attribute__((noinline)) void env_end(struct env *env, uint64_t reason, uint64_t address, uint64_t pc)
{
    if (env->ended)
        return;
    env->ended = 1;
    env->death_reason = reason;
    env->death_address = address;
    env->death_pc = pc;
    object_hold(&env->object); /* its own contexts may hold the last references */
    ledger_release(env);
    while (!list_empty(&env->contexts))
        context_kill(LIST_ENTRY(env->contexts.next, struct context, env_link));
    endpoint_death(env);
    object_drop(&env->object);
}

bool env_free_some(struct env *env, unsigned *most)
{
    unsigned slots = env->slots_end;

    ASSERT(list_empty(&env->contexts));
    env->ended = 1;
    if (!cap_clear_some(env, *most < CLEAR_SLOTS ? *most : CLEAR_SLOTS)) {
        *most = 0;
        return false;
    }
    work_spend(most, slots);
    if (!space_clear_some(env, most))
        return false;
    list_remove(&env->death_link);
    recall_env_gone(env);
    cap_free_table(env);
    space_free_root(env);
    if (env->death)
        object_drop(&env->death->object);
    gas_leave_account(env);
    stats.envs--;
    leave_zone(env);
    object_free(&env->object, sizeof(*env));
    return true;
}

int64_t k_env_create(struct context *caller, struct capability *zone, uint64_t death, uint64_t cookie)
{
    struct capability *endpoint = NULL;
    struct env *env;
    int64_t handle;

    if (death) {
        int64_t status = cap_resolve(caller->env, death, EXO_TYPE_ENDPOINT, EXO_RIGHT_RECV, &endpoint);

        if (status < 0)
            return status;
        if (!label_may(caller->env, endpoint->object, EXO_RULE_READ))
            return label_refused(caller->env, endpoint->object, EXO_AUDIT_READ);
    }
    env = env_new((struct zone *)zone->object);
    if (!env)
        return -EXO_E_NOMEM;
    if (env->zone != caller->env->zone)
        audit(EXO_AUDIT_ENTER, caller->env, env->object.id, env->zone, 0);
    gas_choose_account(env, caller);
    if (endpoint) {
        env->death = (struct endpoint *)endpoint->object;
        object_hold(&env->death->object);
        env->death_cookie = cookie;
    }
    handle = cap_insert_below(caller->env, zone, &env->object, EXO_RIGHTS_ALL);
    object_drop(&env->object);
    return handle;
}

int64_t k_env_destroy(struct context *caller, struct capability *capability, uint64_t reason)
{
    struct env *env = (struct env *)capability->object;
    unsigned pages = CLEAR_PAGES;
    bool cleared;

    work_done(env->context_count);
    env_end(env, EXO_REASON_DESTROYED | reason << 8, 0, 0);
    if (env == caller->env)
        return 0; /* the caller is no more */
    cleared = space_clear_some(env, &pages);
    work_done(CLEAR_PAGES - pages);
    if (!cleared || !cap_clear_some(env, CLEAR_SLOTS))
        return -EXO_E_AGAIN;
    env->object.dead = 1;
    members_leave(env);
    return 0;
}

int64_t k_env_info(struct context *caller, struct capability *capability, uint64_t out)
{
    const struct env *env = (const struct env *)capability->object;
    struct exo_env_info text;
    uint64_t ready = 0;

    for (const struct list *link = env->contexts.next; link != &env->contexts; link = link->next)
        ready += LIST_ENTRY(link, const struct context, env_link)->state == CTX_READY;
    text = (struct exo_env_info){
        .id = env->object.id,
        .frames = env->mapped + env->tables,
        .mapped = env->mapped,
        .cpu_ns = arch_cycles_to_ns(sched_env_cycles(env)),
        .calls = env->calls,
        .faults = env->faults,
        .contexts = env->context_count,
        .slots = env->slots_used,
        .ready = ready,
    };
    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}
