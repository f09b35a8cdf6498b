/*
 * The arithmetic of gas, which needs no kernel around it: meters (what an account may still use) and the oracle (what a unit of work costs now).
 * kernel/gas/account.c owns the accounts that these are parts of. Integers only; times in nanoseconds of the monotonic clock.
 */
#ifndef GAS_H
#define GAS_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- meters: gas/meter.c ---- */

/* What an account may still use, and how that grows. */
struct gas_meter {
    bool limited;            /* else only `paid` counts */
    int64_t balance;         /* negative: a debt */
    uint64_t rate;           /* units a second; 0: grows by grants only */
    uint64_t burst;          /* where growing by time ends */
    uint64_t refilled_ns;    /* up to here the time has been turned into gas */
    uint64_t short_since_ns; /* ran dry then, and has not recovered; 0: has not */
    uint64_t paid;
};

/* `rate` as in the call gas_set; false: it and `amount` make no sense together. */
bool gas_meter_set(struct gas_meter *meter, uint64_t rate, uint64_t amount, uint64_t now_ns);
/* Never more than rate times time in the long run, however often this is called. */
void gas_meter_refill(struct gas_meter *meter, uint64_t now_ns);
/* Refilled, what may be drawn: INT64_MAX without a limit, at most 0 when it is dry. */
int64_t gas_meter_available(struct gas_meter *meter, uint64_t now_ns);
/* The balance may become negative. */
void gas_meter_pay(struct gas_meter *meter, uint64_t amount);
/* Takes back a payment, or a part of one. */
void gas_meter_refund(struct gas_meter *meter, uint64_t amount);
/* A grant, at most EXO_GAS_AMOUNT_MAX in the end. */
void gas_meter_add(struct gas_meter *meter, uint64_t amount);
/* Earliest time at which the balance is at least `wanted` (or full) if nothing is drawn; UINT64_MAX: never by itself. */
uint64_t gas_meter_when(const struct gas_meter *meter, uint64_t wanted);

/* ---- the oracle: gas/oracle.c ---- */

#define GAS_FACTOR_MAX 65536u

/* What congestion is measured by. */
struct gas_load {
    uint64_t runnable;
    uint64_t frames_free, frames_total;
};

bool gas_policy_valid(const struct exo_gas_policy *policy);
/* Price of a unit of work in 1/256 of a unit of gas; at least 1. */
uint32_t gas_factor(const struct exo_gas_policy *policy, const struct gas_load *load, unsigned class);
/* Gas for so many units of work, rounded up; and the work that so much gas buys, rounded down. */
uint64_t gas_cost(uint64_t units, uint32_t factor);
uint64_t gas_worth(uint64_t gas, uint32_t factor);

#endif
