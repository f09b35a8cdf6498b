/* Each error that abi/exo.abi lists for the calls of slices, policies, tasks and reservations. */
#include "cases.h"

CASE(slices, "slices and turns")
{
    uint64_t slice = MUST_DO(SLICE_MAKE, ZONE, EXO_ZONE_WEIGHT_MAX), env = MUST_DO(ENV_CREATE, ZONE), context = 0, zone = ZONE;
    const struct exo_ctx_state state = {.regs = {.rip = HOST_ENTRY}};

    REFUSED(SLICE_MAKE, INVAL, ZONE, 0);
    REFUSED(SLICE_WEIGHT, INVAL, slice, EXO_ZONE_WEIGHT_MAX + 1);
    REFUSED(SLICE_INFO, FAULT, slice, NOWHERE);
    case_poke(MEMORY, &state, sizeof(state));
    for (unsigned i = 0; i <= EXO_SLICE_CONTEXTS; i++) {
        context = MUST_DO(CTX_CREATE, env, 0x20000000 + i * PAGE, MEMORY);
        if (i < EXO_SLICE_CONTEXTS)
            (void)MUST_DO(SLICE_BIND, slice, context);
    }
    REFUSED(SLICE_BIND, LIMIT, slice, context);
    REFUSED(YIELD_TO, AGAIN, context);
    REFUSED(ZONE_POLICY, INVAL, ZONE, EXO_POLICY_HYBRID + 1);
    zones[0]->below.children += EXO_POLICY_PARTS; /* as if there were so many */
    REFUSED(ZONE_POLICY, LIMIT, ZONE, EXO_POLICY_BEATTY);
    zones[0]->below.children -= EXO_POLICY_PARTS;
    for (unsigned i = 0; i < 255; i++)
        zone = MUST_DO(CAP_DERIVE, SELF, 0, zone, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
    REFUSED(SLICE_MAKE, LIMIT, zone, 1);
}

CASE(tasks, "slices that wait for slices")
{
    uint64_t slice[EXO_TASK_EDGES + 2];

    for (unsigned i = 0; i < EXO_TASK_EDGES + 2; i++)
        slice[i] = MUST_DO(SLICE_MAKE, ZONE, 1);
    REFUSED(SLICE_AFTER, INVAL, slice[0], slice[1], MEMORY);
    (void)MUST_DO(ZONE_POLICY, ZONE, EXO_POLICY_DAG);
    for (unsigned i = 1; i <= EXO_TASK_EDGES; i++)
        (void)MUST_DO(SLICE_AFTER, slice[0], slice[i], MEMORY);
    REFUSED(SLICE_AFTER, EXISTS, slice[0], slice[1], MEMORY);
    REFUSED(SLICE_AFTER, LIMIT, slice[0], slice[EXO_TASK_EDGES + 1], MEMORY);
    REFUSED(SLICE_AFTER, CIRCLE, slice[1], slice[0], MEMORY);
    REFUSED(SLICE_AFTER, FAULT, slice[1], slice[0], NOWHERE);
    REFUSED(SLICE_DONE, INVAL, slice[0]);
    for (unsigned i = 1; i < EXO_TASK_EDGES; i++) /* 63 * 62 / 2 edges, more than are looked at */
        for (unsigned k = i + 1; k < EXO_TASK_EDGES; k++)
            (void)case_call(NUMBER(SLICE_AFTER), (const uint64_t[6]){slice[i], slice[k], MEMORY});
    REFUSED(SLICE_AFTER, LIMIT, slice[EXO_TASK_EDGES + 1], slice[0], MEMORY);
}

CASE(reservations, "promises that cannot be kept")
{
    uint64_t slice = MUST_DO(SLICE_MAKE, ZONE, 1), other = MUST_DO(SLICE_MAKE, ZONE, 1);

    REFUSED(SLICE_RESERVE, INVAL, slice, 1000000, 10000000);
    (void)MUST_DO(ZONE_POLICY, ZONE, EXO_POLICY_RT);
    (void)MUST_DO(SLICE_RESERVE, slice, 9000000, 10000000);
    REFUSED(SLICE_RESERVE, LIMIT, other, 1000000, 10000000);
    REFUSED(ZONE_POLICY, BUSY, ZONE, EXO_POLICY_STRIDE);
}
