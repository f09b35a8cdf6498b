/* The calls about gas: reading and changing accounts, moving gas between them, prices. */
#include "parts.h"
#include "port.h"

/* The account that an environment or a zone uses; NULL: the capability names neither. */
static struct gas_account *account_of(const struct capability *capability)
{
    if (capability->object->type == EXO_TYPE_ENV)
        return ((struct env *)capability->object)->gas;
    if (capability->object->type == EXO_TYPE_ZONE)
        return &((struct zone *)capability->object)->gas;
    return NULL;
}

int64_t k_gas_info(struct context *caller, struct capability *holder, uint64_t out)
{
    struct gas_account *account = account_of(holder);
    struct exo_gas_info text = {0};
    int64_t worth;

    if (!account)
        return -EXO_E_TYPE;
    gas_meter_refill(&account->meter, arch_now_ns());
    worth = gas_purse_worth(account);
    text.balance = account->meter.limited ? (uint64_t)(account->meter.balance + worth) : 0;
    text.consumed = gas_used(account);
    text.rate = !account->meter.limited ? 0 : account->meter.rate ? account->meter.rate : EXO_GAS_FIXED;
    text.burst = account->meter.burst;
    text.short_since_ns = account->meter.short_since_ns;
    text.stops = account->stops;
    text.factor = gas_class_factor(account->class);
    text.class = account->class;
    text.own = account->owner == holder->object;
    text.weight = account->zone->part.weight;
    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}

int64_t k_gas_set(struct context *caller, struct capability *holder, uint64_t rate, uint64_t amount, uint64_t class)
{
    struct gas_account *account;
    struct gas_meter meter = {0};

    (void)caller;
    if (!account_of(holder))
        return -EXO_E_TYPE;
    if (class >= EXO_GAS_CLASSES || !gas_meter_set(&meter, rate, amount, arch_now_ns()))
        return -EXO_E_INVAL;
    account = holder->object->type == EXO_TYPE_ENV ? gas_make_own((struct env *)holder->object) : account_of(holder);
    if (!account)
        return -EXO_E_LIMIT;
    if (account == gas_loaded)
        sched_settle();
    gas_gather(account);
    gas_pay_debt(account);
    meter.paid = (uint64_t)((int64_t)account->meter.paid - gas_purse_worth(account));
    account->meter = meter;
    account->class = (uint8_t)class;
    account->purse = 0; /* what was paid for under the old rules is not lost to the books, but ends */
    if (account == gas_loaded) {
        gas_purse = 0;
        gas_end_ns = UINT64_MAX;
    }
    sched_all_changed();
    gas_changed(account);
    return 0;
}

/* Accounts are in trees no deeper than zones are: is `above` on the way from `account` to the top? */
static bool is_above(const struct gas_account *above, const struct gas_account *account)
{
    while (account && account != above)
        account = account->parent;
    return account != NULL;
}

int64_t k_gas_grant(struct context *caller, struct capability *from, struct capability *to, uint64_t amount)
{
    struct gas_account *source = account_of(from), *target = account_of(to), *at;
    uint64_t now_ns = arch_now_ns();

    (void)caller;
    if (!source || !target)
        return -EXO_E_TYPE;
    if (amount == 0 || amount > EXO_GAS_AMOUNT_MAX)
        return -EXO_E_INVAL;
    for (at = source; at && !is_above(at, target); at = at->parent)
        if (at->meter.limited && gas_meter_available(&at->meter, now_ns) < (int64_t)amount)
            return -EXO_E_GAS;
    for (at = source; at && !is_above(at, target); at = at->parent)
        if (at->meter.limited)
            at->meter.balance -= (int64_t)amount;
    for (at = target; at && !is_above(at, source); at = at->parent) {
        gas_meter_refill(&at->meter, now_ns);
        gas_meter_add(&at->meter, amount);
        gas_changed(at);
    }
    return 0;
}

int64_t k_gas_notify(struct context *caller, struct capability *holder, struct capability *endpoint, uint64_t bits)
{
    struct gas_account *account = account_of(holder);

    (void)caller;
    if (!account)
        return -EXO_E_TYPE;
    if (account->owner != holder->object)
        return -EXO_E_INVAL; /* somebody else's account */
    if (bits)
        object_hold(endpoint->object);
    if (account->told)
        object_drop(&account->told->object);
    account->told = bits ? (struct endpoint *)endpoint->object : NULL;
    account->told_bits = bits;
    return 0;
}

int64_t k_gas_policy(struct context *caller, struct capability *machine, uint64_t in)
{
    struct exo_gas_policy asked;

    (void)machine;
    if (!space_read(caller->env, &asked, in, sizeof(asked)))
        return -EXO_E_FAULT;
    if (!gas_policy_valid(&asked))
        return -EXO_E_INVAL;
    gas_policy = asked;
    return 0;
}

int64_t k_gas_price(struct context *caller, uint64_t class)
{
    (void)caller;
    return class < EXO_GAS_CLASSES ? (int64_t)gas_class_factor((unsigned)class) : -EXO_E_INVAL;
}
