/* What sequences with gas have found. */
#include "cases.h"

/* A child in the zone; its second capability is one to the endpoint. */
static struct case_child child_with(uint64_t zone, uint64_t endpoint)
{
    struct case_child child = case_child(zone);

    (void)case_give(&child, endpoint);
    return child;
}

CASE(gas_debt, "what an account owes is paid by those above it, whatever rules it gives itself")
{
    uint64_t zone = case_zone(300, EXO_LABEL_TOP);
    struct case_child child = case_child(zone);
    const struct gas_meter *meter = &child.context->env->zone->gas.meter;

    (void)MUST_DO(GAS_SET, zone, EXO_GAS_FIXED, 1000000, 0);
    case_become(child.context);
    for (unsigned i = 0; i < 1000; i++)
        (void)MUST_DO(GAS_SET, 1, EXO_GAS_RATE_MAX, 1000000, 0);
    REQUIRE(meter->paid >= 999 * EXO_PRICE_SYSCALL, "1000 calls cost %lu", meter->paid);
}

static void pass_time(void)
{
    REQUIRE(host_timer_ns != UINT64_MAX, "all sleep for ever");
    if (host_cycles < host_timer_ns)
        host_cycles = host_timer_ns;
    host_timer_ns = UINT64_MAX;
    sched_tick();
}

CASE(gas_crowd, "of those who wait for the same gas, none is forgotten")
{
    uint64_t zone = case_zone(300, EXO_LABEL_TOP), endpoint = MUST_DO(EP_CREATE), ran[2] = {0};
    struct case_child one = child_with(zone, endpoint), two = child_with(zone, endpoint);
    const struct context *first = case_self();

    host_idle = pass_time;
    (void)MUST_DO(GAS_SET, zone, 1000000, 500, 0);
    (void)DO(EP_RECV, endpoint, host_cycles + 2000000000);
    for (unsigned i = 0; case_self() != first; i++) {
        ran[case_self() == two.context] += i > 1000;
        (void)DO(YIELD);
    }
    REQUIRE(one.context->state != CTX_DEAD && ran[0] > 100 && ran[1] > 100, "they ran %lu and %lu times", ran[0], ran[1]);
}
