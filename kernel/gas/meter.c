/* Meters: a balance that time refills. Lazily: nothing happens until somebody looks. */
#include "gas.h"

#define SECOND_NS 1000000000ull

bool gas_meter_set(struct gas_meter *meter, uint64_t rate, uint64_t amount, uint64_t now_ns)
{
    bool fixed = rate == EXO_GAS_FIXED;

    if (amount > EXO_GAS_AMOUNT_MAX || (!fixed && rate > EXO_GAS_RATE_MAX))
        return false;
    if (!fixed && rate > 0 && amount == 0)
        return false; /* it could never hold anything */
    meter->limited = rate != 0;
    meter->balance = (int64_t)amount;
    meter->rate = fixed ? 0 : rate;
    meter->burst = fixed ? 0 : amount;
    meter->refilled_ns = now_ns;
    meter->short_since_ns = 0;
    return true;
}

void gas_meter_refill(struct gas_meter *meter, uint64_t now_ns)
{
    uint64_t elapsed, gain, room;

    if (!meter->limited || meter->rate == 0 || now_ns <= meter->refilled_ns)
        return;
    if (meter->balance >= (int64_t)meter->burst) {
        meter->refilled_ns = now_ns;
        meter->short_since_ns = 0;
        return;
    }
    room = meter->burst - (uint64_t)meter->balance; /* right for debts too */
    elapsed = now_ns - meter->refilled_ns;
    if (elapsed / SECOND_NS > room / meter->rate) {
        gain = room;
    } else { /* no overflow: rates are below 2^34, a second's nanoseconds below 2^30 */
        gain = elapsed / SECOND_NS * meter->rate + elapsed % SECOND_NS * meter->rate / SECOND_NS;
        if (gain > room)
            gain = room;
    }
    meter->balance += (int64_t)gain;
    if (gain == room) {
        meter->refilled_ns = now_ns;
        meter->short_since_ns = 0;
    } else { /* the time that this gain took, rounded up; the rest counts at the next look */
        meter->refilled_ns += gain / meter->rate * SECOND_NS + (gain % meter->rate * SECOND_NS + meter->rate - 1) / meter->rate;
    }
}

int64_t gas_meter_available(struct gas_meter *meter, uint64_t now_ns)
{
    if (!meter->limited)
        return INT64_MAX;
    gas_meter_refill(meter, now_ns);
    return meter->balance;
}

void gas_meter_pay(struct gas_meter *meter, uint64_t amount)
{
    meter->paid += amount;
    if (!meter->limited)
        return;
    if (amount > (uint64_t)EXO_GAS_AMOUNT_MAX)
        amount = EXO_GAS_AMOUNT_MAX;
    if (meter->balance < -(int64_t)EXO_GAS_AMOUNT_MAX)
        return; /* so deep in debt that it makes no difference */
    meter->balance -= (int64_t)amount;
}

void gas_meter_refund(struct gas_meter *meter, uint64_t amount)
{
    meter->paid -= amount;
    if (meter->limited)
        meter->balance += (int64_t)amount;
}

void gas_meter_add(struct gas_meter *meter, uint64_t amount)
{
    uint64_t room;

    if (!meter->limited)
        return;
    room = EXO_GAS_AMOUNT_MAX - (uint64_t)meter->balance;
    meter->balance += (int64_t)(amount < room ? amount : room);
    if (meter->balance > 0 && meter->rate == 0)
        meter->short_since_ns = 0;
}

uint64_t gas_meter_when(const struct gas_meter *meter, uint64_t wanted)
{
    uint64_t missing, seconds, rest;

    if (!meter->limited || meter->balance >= (int64_t)wanted)
        return meter->refilled_ns;
    if (meter->rate == 0)
        return UINT64_MAX;
    if (wanted > meter->burst)
        wanted = meter->burst;
    if (meter->balance >= (int64_t)wanted)
        return meter->refilled_ns;
    missing = wanted - (uint64_t)meter->balance;
    seconds = missing / meter->rate;
    rest = (missing % meter->rate * SECOND_NS + meter->rate - 1) / meter->rate;
    if (seconds > (UINT64_MAX - meter->refilled_ns - rest) / SECOND_NS)
        return UINT64_MAX - 1; /* in centuries */
    return meter->refilled_ns + seconds * SECOND_NS + rest;
}
