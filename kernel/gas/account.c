/*
 * Accounts of gas: who pays, and what happens when there is none. The meters' arithmetic is gas/meter.c, the calls are gas/calls.c. See
 * docs/decisions/0007-gas.md.
 *
 * While a context runs, the purse of its account is in gas_purse, and each operation takes from it. When it is below 0 at the end of a kernel entry (or
 * of the time that it pays for), gas_admit fills it for another few thousand units of work, or takes the context out until there is gas.
 */
#include "parts.h"
#include "port.h"
#include "slice.h"
#include "trace.h"

#define PURSE_METERED 5000ll   /* units of work paid for at once: as much as a slice of time */
#define PURSE_FREE 65536ll     /* where nobody sets a limit */
#define CREDIT 1000ll          /* a server gets so much at once for a client that has none */
#define DEPTH_MAX (EXO_ZONE_DEPTH + 32)
#define WAKE_UNITS 1000u       /* a context that waits goes on when it can do so much */
#define NS_PER_CPU_UNIT (1000 / EXO_PRICE_CPU_US)

PER_CPU(int64_t) gas_purse;
PER_CPU(struct gas_account *) gas_loaded;
PER_CPU(uint64_t) gas_end_ns = UINT64_MAX;

/* Neutral until somebody with the right says otherwise. */
struct exo_gas_policy gas_policy = {
    .base = EXO_GAS_ONE,
    .congestion_max = EXO_GAS_ONE,
    .classes = {EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE},
};

/* ---- the life of an account -------------------------------------------------------------------------------------- */

void gas_account_init(struct gas_account *account, struct gas_account *parent, struct zone *zone, struct object *owner)
{
    account->parent = parent;
    account->depth = parent ? parent->depth + 1 : 0;
    account->zone = zone;
    account->owner = owner;
    account->factor = EXO_GAS_ONE;
    list_init(&account->waiting);
    account->timer.kind = TIMER_GAS;
}

void gas_account_end(struct gas_account *account)
{
    if (!account->owner)
        return; /* the environment never had one */
    ASSERT(list_empty(&account->waiting));
    gas_gather(account);
    if (account == gas_loaded)
        gas_load(&zones[0]->gas);
    timer_disarm(&account->timer);
    if (account->told)
        object_drop(&account->told->object);
    account->told = NULL;
}

/* A new environment draws on its zone's account; one made by an environment with an account of its own in that zone, on that one. */
void gas_choose_account(struct env *env, const struct context *creator)
{
    struct gas_account *account = creator->donated ? creator->env->gas : gas_payer(creator);

    if (account->zone != env->zone || account == &env->zone->gas)
        return;
    object_hold(account->owner);
    env->gas = account;
}

struct gas_account *gas_make_own(struct env *env)
{
    if (env->gas != &env->own_gas) {
        if (env->gas->depth >= DEPTH_MAX)
            return NULL;
        gas_account_init(&env->own_gas, env->gas, env->zone, &env->object);
        env->gas = &env->own_gas;
        sched_all_changed();
    }
    return &env->own_gas;
}

/* What it draws on besides an account of its own. */
static struct gas_account *base_of(struct env *env)
{
    return env->gas == &env->own_gas ? env->own_gas.parent : env->gas;
}

void gas_leave_account(struct env *env)
{
    struct gas_account *base = base_of(env);

    gas_account_end(&env->own_gas);
    if (base != &env->zone->gas)
        object_drop(base->owner);
}

/* Its contexts wait where its account's zone says: those that wait are taken out, and come back when all has changed. */
void gas_change_zone(struct env *env, struct zone *zone)
{
    struct gas_account *base = base_of(env), *before = &env->zone->gas;

    for (struct list *at = env->contexts.next; at != &env->contexts; at = at->next) {
        struct context *context = LIST_ENTRY(at, struct context, env_link);
        bool ready = context->state == CTX_READY || context->state == CTX_DRY;

        sched_remove(context);
        slice_unbind(context);
        if (ready)
            context->state = CTX_READY;
    }
    env->zone = zone;
    sched_all_changed();
    if (env->gas == &env->own_gas) {
        env->own_gas.parent = &zone->gas;
        env->own_gas.zone = zone;
        env->own_gas.depth = zone->gas.depth + 1;
    } else {
        env->gas = &zone->gas;
    }
    for (struct list *at = env->contexts.next; at != &env->contexts; at = at->next) {
        struct context *context = LIST_ENTRY(at, struct context, env_link);

        if (context->state == CTX_READY)
            sched_ready(context);
    }
    if (base != before)
        object_drop(base->owner);
}

/* ---- filling the purse ------------------------------------------------------------------------------------------- */

uint32_t gas_class_factor(unsigned class)
{
    const struct gas_load load = {sched_runnable, frames_free, frames_total};

    return gas_factor(&gas_policy, &load, class);
}

/* The first account from here upwards that is dry; NULL: none, and *available says how much all have. */
static struct gas_account *find_dry(struct gas_account *account, uint64_t now_ns, int64_t *available)
{
    *available = INT64_MAX;
    for (; account; account = account->parent) {
        int64_t here = gas_meter_available(&account->meter, now_ns);

        if (here <= 0)
            return account;
        if (here < *available)
            *available = here;
    }
    return NULL;
}

static void pay_all(struct gas_account *account, uint64_t gas)
{
    for (; account; account = account->parent)
        gas_meter_pay(&account->meter, gas);
}

/* Units of work to buy: what is owed, and a purse full if `available` pays for it. */
static int64_t units_to_buy(int64_t available, uint32_t factor, bool metered)
{
    int64_t owed = -gas_purse, most = metered ? PURSE_METERED : PURSE_FREE;
    uint64_t cost = gas_cost((uint64_t)owed, factor), left, more;

    if (cost >= (uint64_t)available)
        return owed; /* the account goes into debt, and stops there */
    left = (uint64_t)available - cost;
    more = gas_worth(left, factor);
    return owed + (more < (uint64_t)most ? (int64_t)more : most);
}

/* Some units later than it will be empty: a part of one is not charged, and an interrupt that finds nothing to take would come again at once. */
static void renew_end(uint64_t now_ns)
{
    gas_end_ns = gas_loaded->metered && gas_purse >= 0 ? now_ns + ((uint64_t)gas_purse + 20) * NS_PER_CPU_UNIT : UINT64_MAX;
}

/* Other CPUs have bought some and not used it: nobody is stopped before that is used up. */
static bool fetch_purses(struct gas_account *account, uint64_t now_ns)
{
    if (arch_cpus() == 1)
        return false;
    gas_gather(account);
    renew_end(now_ns);
    return gas_purse > 0;
}

/* Returns what it costs. */
static uint64_t buy(struct gas_account *account, int64_t units, uint32_t factor, uint64_t now_ns)
{
    uint64_t cost = gas_cost((uint64_t)units, factor);

    pay_all(account, cost);
    account->factor = factor;
    gas_purse += units;
    renew_end(now_ns);
    return cost;
}

/*
 * A server whose client's account is dry goes on if its own can pay as well; what it uses is the client's debt all the same. So nobody waits
 * behind a client without gas, and two accounts cannot lend each other work that neither pays for.
 */
static struct gas_account *buy_on_credit(struct gas_account *account, struct gas_account *own, uint64_t now_ns)
{
    int64_t available;
    struct gas_account *dry = find_dry(own, now_ns, &available);
    uint64_t cost;

    if (dry)
        return dry;
    account->metered = account->credit = true;
    cost = buy(account, CREDIT - gas_purse, gas_class_factor(account->class), now_ns);
    for (struct gas_account *at = own; at; at = at->parent)
        if (at->meter.limited)
            gas_meter_pay(&at->meter, cost);
    return NULL;
}

static bool has_purse_of(const struct gas_account *account, unsigned cpu)
{
    return OF_CPU(cpu, struct gas_account *, gas_loaded) == account;
}

int64_t gas_purses(const struct gas_account *account)
{
    int64_t purses = account->purse;

    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        if (has_purse_of(account, cpu))
            purses += OF_CPU(cpu, int64_t, gas_purse) - (cpu == arch_cpu() ? 0 : (int64_t)sched_unsettled_gas(cpu));
    return purses;
}

int64_t gas_purse_worth(const struct gas_account *account)
{
    return gas_purses(account) * (int64_t)account->factor / (int64_t)EXO_GAS_ONE;
}

uint64_t gas_used(const struct gas_account *account)
{
    return (uint64_t)((int64_t)account->meter.paid - gas_purse_worth(account));
}

void gas_gather(struct gas_account *account)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        if (cpu != arch_cpu() && has_purse_of(account, cpu)) {
            account->purse += OF_CPU(cpu, int64_t, gas_purse) - (int64_t)sched_unsettled_gas(cpu);
            OF_CPU(cpu, struct gas_account *, gas_loaded) = NULL;
            sched_look_at(cpu);
        }
    if (account == gas_loaded) {
        gas_purse += account->purse;
        account->purse = 0;
    }
}

/* What this CPU can take of it at once. */
static int64_t purse_of(const struct gas_account *account)
{
    return account == gas_loaded ? gas_purse : account->purse;
}

static void set_purse(struct gas_account *account, int64_t purse)
{
    if (account == gas_loaded)
        gas_purse = purse;
    else
        account->purse = purse;
}

/* What is left of the last purse goes back: it was for the server, and shall not carry its client to the next call. */
static void end_credit(struct gas_account *account)
{
    int64_t left = purse_of(account);

    account->credit = false;
    if (left <= 0)
        return;
    for (struct gas_account *at = account; at; at = at->parent)
        gas_meter_refund(&at->meter, (uint64_t)left * account->factor / EXO_GAS_ONE);
    set_purse(account, -1);
}

/* ---- stopping and going on --------------------------------------------------------------------------------------- */

/* When there is something to wake for. */
static void arm(struct gas_account *account)
{
    uint64_t when = gas_meter_when(&account->meter, gas_cost(WAKE_UNITS, gas_class_factor(account->class)));

    timer_disarm(&account->timer);
    if (when != UINT64_MAX)
        timer_arm(&account->timer, when);
}

static void tell(struct gas_account *account, uint64_t now_ns)
{
    account->stops++;
    if (account->meter.short_since_ns)
        return;
    account->meter.short_since_ns = now_ns ? now_ns : 1;
    if (account->told)
        endpoint_notify(account->told, account->told_bits);
}

static void wake_first(struct gas_account *account)
{
    struct context *context;

    if (list_empty(&account->waiting))
        return;
    context = LIST_ENTRY(account->waiting.next, struct context, link);
    list_remove(&context->link);
    context->gas_woken = account;
    sched_ready(context);
}

/* One is woken at a time, and the next when it runs: a crowd that waits costs no more than one. */
void gas_continue(struct context *context)
{
    struct gas_account *account = context->gas_woken;

    context->gas_woken = NULL;
    wake_first(account);
}

static void stop(struct context *context, struct gas_account *dry, uint64_t now_ns)
{
    bool kept_turn = context->gas_woken == dry;

    if (context->gas_woken && !kept_turn)
        gas_continue(context);
    context->gas_woken = NULL;
    context->state = CTX_DRY;
    if (kept_turn)
        list_prepend(&dry->waiting, &context->link);
    else
        list_append(&dry->waiting, &context->link);
    if (context->arch.upcall_entry)
        __atomic_fetch_or(&context->upage->pending, EXO_EVENT_GAS, __ATOMIC_SEQ_CST);
    if (!timer_armed(&dry->timer))
        arm(dry);
    tell(dry, now_ns);
}

__attribute__((noinline)) bool gas_admit(struct context *context)
{
    struct gas_account *account = gas_loaded, *own = context->env->gas, *dry;
    uint64_t now_ns = arch_now_ns();
    int64_t available;

    dry = find_dry(account, now_ns, &available);
    if (!dry) {
        uint32_t factor = gas_class_factor(account->class);

        account->metered = available != INT64_MAX;
        (void)buy(account, units_to_buy(available, factor, account->metered), factor, now_ns);
    } else if (fetch_purses(account, now_ns)) {
        dry = NULL;
    } else if (account != own) {
        dry = buy_on_credit(account, own, now_ns);
    }
    if (dry) {
        gas_end_ns = UINT64_MAX;
        stop(context, dry, now_ns);
        return false;
    }
    if (context->gas_woken && context == arch_current()) /* else when it runs: whom it wakes must not be current then */
        gas_continue(context);
    return true;
}

__attribute__((noinline)) void gas_load(struct gas_account *account)
{
    if (gas_loaded) {
        TRACE(EXO_TRACE_GAS, 0, NULL, gas_loaded->owner->id, gas_used(gas_loaded));
        gas_loaded->purse += gas_purse;
    }
    gas_loaded = account;
    gas_purse = account->purse; /* all of it: another CPU that needs some fills its own */
    account->purse = 0;
    gas_end_ns = UINT64_MAX;
    if (account->metered)
        renew_end(arch_now_ns());
    sched_needed = true;
}

void gas_time_passed(void)
{
    if (gas_loaded)
        TRACE(EXO_TRACE_GAS, 0, NULL, gas_loaded->owner->id, gas_used(gas_loaded));
    if (gas_loaded && gas_loaded->metered)
        renew_end(arch_now_ns());
}

void gas_timer(struct gas_account *account)
{
    wake_first(account);
}

void gas_forget(struct context *context)
{
    if (context->state == CTX_DRY) {
        list_remove(&context->link);
        context->state = CTX_STOPPED;
    }
    if (context->gas_woken)
        gas_continue(context);
}

void gas_sponsor(struct context *server, const struct context *client)
{
    struct gas_account *before = server->sponsor, *account = client ? gas_payer(client) : NULL;
    struct slice *slice = client ? slice_of(client) : NULL;

    if (!before && !account)
        return;
    if (account)
        object_hold(account->owner);
    sched_requeue_begin(server);
    server->sponsor = account;
    server->donated = false;
    if (slice || server->serves_on)
        slice_serve(server, slice);
    sched_requeue_end(server);
    if (!before)
        return;
    if (before->credit)
        end_credit(before);
    object_drop(before->owner);
}

void gas_pay_debt(struct gas_account *account)
{
    int64_t left = purse_of(account);

    if (left >= 0)
        return;
    pay_all(account, gas_cost((uint64_t)-left, account->factor));
    set_purse(account, 0);
}

/* Gas has come or the rate is another: whoever waits tries again. */
void gas_changed(struct gas_account *account)
{
    if (list_empty(&account->waiting))
        return;
    timer_disarm(&account->timer);
    if (account->meter.limited && account->meter.balance <= 0)
        arm(account);
    else
        wake_first(account);
}
