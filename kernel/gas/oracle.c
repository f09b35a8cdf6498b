/*
 * The oracle: what work costs, from numbers that the holder of a capability sets and loads that can be measured. Prices are asked when gas is
 * drawn, some thousand units at a time, so the fast path knows nothing of them: there a unit of work is a unit.
 */
#include "gas.h"

static bool factor_valid(uint32_t factor)
{
    return factor >= 1 && factor <= GAS_FACTOR_MAX;
}

bool gas_policy_valid(const struct exo_gas_policy *policy)
{
    for (unsigned class = 0; class < EXO_GAS_CLASSES; class++)
        if (!factor_valid(policy->classes[class]))
            return false;
    return factor_valid(policy->base) && factor_valid(policy->congestion_max) && policy->congestion_max >= EXO_GAS_ONE &&
           policy->runnable_step <= GAS_FACTOR_MAX && policy->frames_step <= GAS_FACTOR_MAX;
}

static uint64_t congestion(const struct exo_gas_policy *policy, const struct gas_load *load)
{
    uint64_t factor = EXO_GAS_ONE, free_256ths = load->frames_total ? load->frames_free * 256 / load->frames_total : 256;

    if (load->runnable > policy->runnable_free)
        factor += (load->runnable - policy->runnable_free) * policy->runnable_step;
    if (free_256ths < policy->frames_low)
        factor += (policy->frames_low - free_256ths) * policy->frames_step;
    return factor < policy->congestion_max ? factor : policy->congestion_max;
}

uint32_t gas_factor(const struct exo_gas_policy *policy, const struct gas_load *load, unsigned class)
{
    uint64_t factor = policy->base * congestion(policy, load) / EXO_GAS_ONE;

    factor = factor * policy->classes[class % EXO_GAS_CLASSES] / EXO_GAS_ONE;
    if (factor > UINT32_MAX)
        return UINT32_MAX;
    return factor ? (uint32_t)factor : 1;
}

uint64_t gas_cost(uint64_t units, uint32_t factor)
{
    uint64_t whole = units / EXO_GAS_ONE, part = units % EXO_GAS_ONE;

    if (whole > (EXO_GAS_AMOUNT_MAX - UINT32_MAX) / factor)
        return EXO_GAS_AMOUNT_MAX;
    return whole * factor + (part * factor + EXO_GAS_ONE - 1) / EXO_GAS_ONE;
}

uint64_t gas_worth(uint64_t gas, uint32_t factor)
{
    if (gas / factor >= EXO_GAS_AMOUNT_MAX / EXO_GAS_ONE)
        return EXO_GAS_AMOUNT_MAX;
    return gas / factor * EXO_GAS_ONE + gas % factor * EXO_GAS_ONE / factor;
}
