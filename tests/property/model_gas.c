/*
 * The reference model of gas. What work costs is known exactly, so is what accounts got; when the kernel pays, and how much at once, is its own choice. So what
 * is judged is that nothing comes from nowhere and nothing is lost: what an account has used is the work that was done on it and what accounts
 * below it paid, and what it has and what it used together are what it was given and what time can have brought.
 */
#include "model_calls.h"

#include <string.h>

#define DEPTH_DOUBTFUL 40u
#define CPU_PRICE (((uint64_t)EXO_PRICE_CPU_US * 1000000 << 32) / 1000000000) /* a nanosecond's, << 32 */

static struct m_object *paying; /* whose account pays for what is done now */
static bool exact;              /* all was paid at the listed prices, nothing on credit, and no account ended unseen */
static const struct exo_gas_policy neutral = {
    .base = EXO_GAS_ONE, .congestion_max = EXO_GAS_ONE,
    .classes = {EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE, EXO_GAS_ONE}};
static struct exo_gas_policy policy;

static struct gas_account *kernel_account(const struct m_object *owner)
{
    return owner->type == EXO_TYPE_ENV ? &((struct env *)owner->kernel)->own_gas : &((struct zone *)owner->kernel)->gas;
}

static bool has_own(const struct m_object *holder)
{
    return holder->type == EXO_TYPE_ZONE || holder->payer == holder;
}

/* Whose account is above this one's. */
static struct m_object *above(const struct m_object *owner)
{
    return owner->type == EXO_TYPE_ENV ? owner->gas.above : owner->zone;
}

struct m_object *m_gas_payer(const struct m_object *context)
{
    return context->sponsor ? context->sponsor : context->env->payer;
}

void m_gas_begin(struct m_object *context)
{
    exact = true;
    policy = neutral;
    paying = m_gas_payer(context);
    for (unsigned i = 0; i < m_objects.count; i++)
        if (list_object(&m_objects, i)->type == EXO_TYPE_ZONE) { /* what was used before counts as below */
            const struct gas_account *account = kernel_account(m_objects.at[i]);

            list_object(&m_objects, i)->gas.paid_below = account->meter.paid - (uint64_t)(account == gas_loaded ? gas_purse : account->purse);
            list_object(&m_objects, i)->gas.paid_seen = account->meter.paid;
        }
}

void m_gas_work(uint64_t units)
{
    paying->gas.work += units;
}

void m_gas_time(uint64_t passed_ns)
{
    m_slice_time(passed_ns);
    m_gas_work((uint64_t)((unsigned __int128)passed_ns * CPU_PRICE >> 32));
}

/* The context is to run: its payer is charged from now on, also for the switch to it. */
void m_gas_runs(const struct m_object *context, bool switched)
{
    paying = m_gas_payer(context);
    if (switched)
        m_gas_work(EXO_PRICE_SWITCH);
}

/* ---- the life of accounts ---- */

/* What it draws on besides an account of its own. */
static struct m_object *base_of(const struct m_object *env)
{
    return env->payer == env ? env->gas.above : env->payer;
}

void m_gas_join(struct m_object *env, const struct m_object *maker)
{
    struct m_object *payer = maker->donated ? maker->env->payer : m_gas_payer(maker);

    env->payer = env->charged;
    if (payer->type != EXO_TYPE_ENV || payer->charged != env->charged)
        return;
    env->payer = payer;
    m_hold(payer);
}

void m_gas_change_zone(struct m_object *env, struct m_object *from, struct m_object *to)
{
    struct m_object *base = base_of(env);

    *(env->payer == env ? &env->gas.above : &env->payer) = to;
    if (base != from)
        m_drop(base);
}

void m_gas_end(struct m_object *owner)
{
    struct m_object *base = owner->type == EXO_TYPE_ENV ? base_of(owner) : NULL;

    if (owner == paying)
        paying = m_zone_root;
    if (owner->gas.told)
        m_drop(owner->gas.told);
    owner->gas.told = NULL;
    if (base && base != owner->charged)
        m_drop(base);
}

/* An account may have paid and ended at one kernel entry. */
void m_gas_unseen(void)
{
    exact = false;
}

/* ---- what the kernel did ---- */

static int64_t purse_of(const struct gas_account *account)
{
    return account == gas_loaded ? gas_purse : account->purse;
}

static bool is_dry(const struct m_object *owner)
{
    for (; owner; owner = above(owner))
        if (owner->gas.limited && kernel_account(owner)->meter.balance <= 0)
            return true;
    return false;
}

static bool has_account(const struct m_object *object)
{
    return (object->type == EXO_TYPE_ZONE || (object->type == EXO_TYPE_ENV && !object->dying)) && !object->closing && has_own(object);
}

static void look_at_account(struct m_object *owner)
{
    const struct gas_account *account = kernel_account(owner);
    bool ran_dry = account->stops != owner->gas.stops && account->meter.short_since_ns && account->meter.short_since_ns != owner->gas.short_ns;

    owner->gas.stops = account->stops;
    owner->gas.short_ns = account->meter.short_since_ns;
    if (ran_dry && owner->gas.told)
        m_notify(owner->gas.told, owner->gas.told_bits);
}

static void look_at_context(struct m_object *context)
{
    unsigned state = ((struct context *)context->kernel)->state;

    if (state == CTX_DRY && context->state == CTX_READY) {
        REQUIRE(is_dry(m_gas_payer(context)), "context %lu was stopped although there is gas", context->kernel->id);
        context->state = CTX_DRY;
    } else if (state == CTX_READY && context->state == CTX_DRY) {
        context->state = CTX_READY;
    }
}

/* What accounts paid since the last look is what those above them paid, too. */
static void see_payments(void)
{
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *owner = m_objects.at[i];
        uint64_t paid;

        if (!has_account(owner))
            continue;
        paid = kernel_account(owner)->meter.paid;
        if (above(owner))
            above(owner)->gas.paid_below += paid - owner->gas.paid_seen;
        owner->gas.paid_seen = paid;
        exact = exact && !kernel_account(owner)->credit;
    }
}

/* Accounts that ran dry since the last look, and contexts that were stopped for it, or go on. */
void m_gas_settle(void)
{
    see_payments();
    for (unsigned i = 0; i < m_objects.count; i++)
        if (has_account(m_objects.at[i]))
            look_at_account(m_objects.at[i]);
    for (unsigned i = 0; i < m_objects.count; i++)
        if (list_object(&m_objects, i)->type == EXO_TYPE_CTX)
            look_at_context(m_objects.at[i]);
}

/* Nothing will happen any more: whoever is stopped must be so for good. */
void m_gas_all_asleep(void)
{
    for (unsigned i = 0; i < m_objects.count; i++) {
        const struct m_object *context = m_objects.at[i];

        REQUIRE(context->type != EXO_TYPE_CTX || context->state != CTX_DRY || is_dry(m_gas_payer(context)) || is_dry(context->env->payer),
                "context %lu sleeps for want of gas, which there is", context->kernel->id);
    }
}

static void compare_account(struct m_object *owner)
{
    const struct gas_account *account = kernel_account(owner);
    struct m_gas *gas = &owner->gas;
    uint64_t both, brought;

    if (exact)
        REQUIRE(account->meter.paid - (uint64_t)purse_of(account) == gas->work + gas->paid_below, "account of %lu used %lu; work cost %lu, and below it %lu",
                owner->kernel->id, account->meter.paid - (uint64_t)purse_of(account), gas->work, gas->paid_below);
    REQUIRE(account->meter.limited == gas->limited && (!gas->limited || account->meter.rate == gas->rate) && account->class == gas->class,
            "account of %lu has other rules", owner->kernel->id);
    if (!gas->limited)
        return;
    both = (uint64_t)account->meter.balance + account->meter.paid;
    brought = both - gas->given;
    if (gas->rate == 0 || gas->full) /* a full account takes no more: how much it took then is its own matter */
        REQUIRE(gas->full || brought == 0, "account of %lu got %lu from nowhere", owner->kernel->id, brought);
    else
        REQUIRE(brought >= gas->brought && brought <= (uint64_t)((unsigned __int128)(host_cycles - gas->set_ns) * gas->rate / 1000000000),
                "time brought account of %lu %lu, before it was %lu", owner->kernel->id, brought, gas->brought);
    gas->brought = brought;
}

void m_gas_compare(void)
{
    for (unsigned i = 0; i < m_objects.count; i++)
        if (has_account(m_objects.at[i]))
            compare_account(m_objects.at[i]);
}

/* ---- the calls ---- */

/* Whose account the capability's object uses; NULL, and TYPE is due, if it is neither an environment nor a zone. */
static struct m_object *account_of(struct step *s, unsigned argument)
{
    struct m_object *holder = s->caps[argument] ? s->caps[argument]->object : NULL;

    MUST(s, holder && holder->type != EXO_TYPE_ENV && holder->type != EXO_TYPE_ZONE, TYPE);
    if (!holder || s->must)
        return NULL;
    return holder->type == EXO_TYPE_ENV ? holder->payer : holder;
}

void gas_info(struct step *s)
{
    struct m_object *owner = account_of(s, 0);
    const struct gas_account *account;
    struct exo_gas_info said;

    if (!owner) {
        m_refused(s);
        return;
    }
    if (!output(s, s->a[1], sizeof(said)) || !m_read(s->env, &said, s->a[1], sizeof(said)))
        return;
    account = kernel_account(owner);
    compare_account(owner);
    REQUIRE(said.rate == (!owner->gas.limited ? 0 : owner->gas.rate ? owner->gas.rate : EXO_GAS_FIXED) && said.class == owner->gas.class &&
            said.own == (owner == s->caps[0]->object), "gas_info says rate %lu, class %u, own %u", said.rate, said.class, said.own);
    REQUIRE(!exact || said.consumed == owner->gas.work + owner->gas.paid_below, "gas_info says that %lu was consumed, not %lu", said.consumed,
            owner->gas.work + owner->gas.paid_below);
    REQUIRE(said.balance + said.consumed == (owner->gas.limited ? (uint64_t)account->meter.balance + account->meter.paid : said.consumed),
            "gas_info says %ld and %lu consumed", (int64_t)said.balance, said.consumed);
}

/* What it has been given is what it has, and what it used. */
static void count_given(struct m_object *owner)
{
    const struct gas_account *account = kernel_account(owner);

    owner->gas.given = (uint64_t)account->meter.balance + account->meter.paid;
    owner->gas.brought = 0;
    owner->gas.set_ns = host_cycles;
}

void gas_set(struct step *s)
{
    struct m_object *owner = account_of(s, 0), *holder = s->caps[0]->object;
    uint64_t rate = s->a[1], amount = s->a[2];
    bool fixed = rate == EXO_GAS_FIXED, fresh;
    unsigned depth = 0;

    MUST(s, s->a[3] >= EXO_GAS_CLASSES || amount > (uint64_t)EXO_GAS_AMOUNT_MAX || (!fixed && (rate > EXO_GAS_RATE_MAX || (rate > 0 && amount == 0))),
         INVAL);
    for (const struct m_object *at = owner; at; at = above(at))
        depth++;
    MAY(s, depth > DEPTH_DOUBTFUL, LIMIT);
    if (m_refused(s))
        return;
    fresh = !has_own(holder);
    if (!fresh && kernel_account(holder)->meter.paid < holder->gas.paid_seen)
        holder->gas.paid_seen = kernel_account(holder)->meter.paid; /* its purse was given back to it, not to those above */
    see_payments();
    if (fresh) {
        holder->gas = (struct m_gas){.above = owner};
        holder->payer = holder;
    }
    owner = holder;
    owner->gas.limited = rate > 0;
    owner->gas.rate = fixed ? 0 : rate;
    owner->gas.class = (uint8_t)s->a[3];
    owner->gas.short_ns = 0;
    owner->gas.full = false;
    REQUIRE(!owner->gas.limited || kernel_account(owner)->meter.balance == (int64_t)amount, "gas_set gave %ld", kernel_account(owner)->meter.balance);
    count_given(owner);
}

static bool is_above(const struct m_object *owner, const struct m_object *below)
{
    while (below && below != owner)
        below = above(below);
    return below;
}

void gas_grant(struct step *s)
{
    struct m_object *from = account_of(s, 0), *to = account_of(s, 1), *at;
    uint64_t amount = s->a[2];
    bool enough = true;

    MUST(s, amount == 0 || amount > (uint64_t)EXO_GAS_AMOUNT_MAX, INVAL);
    for (at = from; at && to && !is_above(at, to); at = above(at))
        enough = enough && (!at->gas.limited || kernel_account(at)->meter.balance + (s->result == 0 ? (int64_t)amount : 0) >= (int64_t)amount);
    MUST(s, !s->must && !enough, GAS);
    if (m_refused(s))
        return;
    for (at = from; at && !is_above(at, to); at = above(at))
        at->gas.given -= at->gas.limited ? amount : 0;
    for (at = to; at && !is_above(at, from); at = above(at)) {
        at->gas.given += at->gas.limited ? amount : 0;
        at->gas.full = at->gas.full || kernel_account(at)->meter.balance == EXO_GAS_AMOUNT_MAX;
        at->gas.short_ns = kernel_account(at)->meter.short_since_ns;
    }
}

void gas_notify(struct step *s)
{
    struct m_object *owner = account_of(s, 0), *before;

    MUST(s, owner && owner != s->caps[0]->object, INVAL);
    if (m_refused(s))
        return;
    before = owner->gas.told;
    owner->gas.told = s->a[2] ? s->caps[1]->object : NULL;
    owner->gas.told_bits = s->a[2];
    if (owner->gas.told)
        m_hold(owner->gas.told);
    if (before)
        m_drop(before);
}

static bool factor_valid(uint32_t factor)
{
    return factor >= 1 && factor <= 65536;
}

void gas_policy_call(struct step *s)
{
    const struct exo_gas_policy *asked = &s->policy;
    bool valid = factor_valid(asked->base) && asked->congestion_max >= EXO_GAS_ONE && factor_valid(asked->congestion_max) &&
                 asked->runnable_step <= 65536 && asked->frames_step <= 65536;

    for (unsigned i = 0; i < EXO_GAS_CLASSES; i++)
        valid = valid && factor_valid(asked->classes[i]);
    MUST(s, !s->input_valid, FAULT);
    MUST(s, s->input_valid && !valid, INVAL);
    if (m_refused(s))
        return;
    policy = *asked;
    exact = exact && memcmp(&policy, &neutral, sizeof(policy)) == 0;
}

void gas_price(struct step *s)
{
    uint64_t factor = EXO_GAS_ONE, free_256ths = frames_free * 256 / frames_total;

    MUST(s, s->a[0] >= EXO_GAS_CLASSES, INVAL);
    if (m_refused(s))
        return;
    if (sched_runnable > policy.runnable_free)
        factor += (uint64_t)(sched_runnable - policy.runnable_free) * policy.runnable_step;
    if (free_256ths < policy.frames_low)
        factor += (policy.frames_low - free_256ths) * policy.frames_step;
    if (factor > policy.congestion_max)
        factor = policy.congestion_max;
    factor = policy.base * factor / 256 * policy.classes[s->a[0]] / 256;
    REQUIRE((uint64_t)s->result == (factor ? factor : 1), "gas_price says %ld, not %lu", s->result, factor);
}

void zone_weight(struct step *s)
{
    MUST(s, s->a[1] == 0 || s->a[1] > EXO_ZONE_WEIGHT_MAX || s->caps[0]->object == m_zone_root, INVAL);
    if (!m_refused(s))
        REQUIRE(((struct zone *)s->caps[0]->object->kernel)->part.weight == s->a[1], "zone_weight set another weight");
}
