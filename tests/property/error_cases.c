/* Each error that abi/exo.abi lists for a call and that random calls seldom meet. */
#include "cases.h"
#include "trace.h"

#include <string.h>

/* A capability of the first environment that a call would take; 0: there is none of that type. */
static uint64_t fitting(unsigned type)
{
    switch (type) {
    case EXO_TYPE_ENV: return SELF;
    case EXO_TYPE_CTX: return CTX;
    case EXO_TYPE_ZONE: return ZONE;
    case EXO_TYPE_MACHINE: return MACHINE;
    case EXO_TYPE_FRAME: return MUST_DO(FRAME_ALLOC, ZONE, 1);
    case EXO_TYPE_AUDIT: return AUDIT;
    case EXO_TYPE_PORTS: return MUST_DO(PORTS_CREATE, MACHINE, 0, 16);
    case EXO_TYPE_DMA: return MUST_DO(DMA_BIND, MACHINE, MUST_DO(FRAME_ALLOC, ZONE, 1));
    case EXO_TYPE_SLICE: return MUST_DO(SLICE_MAKE, ZONE, 1);
    case EXO_TYPE_WATCH: return MUST_DO(WATCH_CREATE, MEMORY + 1024, MEMORY + 1028);
    case EXO_TYPE_IRQ: return MUST_DO(IRQ_BIND, MACHINE, 1, MUST_DO(EP_CREATE), 1);
    default: return MUST_DO(EP_CREATE);
    }
}

static uint64_t derived(uint64_t handle, uint64_t rights, uint64_t expires_ns)
{
    return MUST_DO(CAP_DERIVE, SELF, 0, handle, rights, 0, expires_ns);
}

/* For each capability that a call takes: every wrong one, while all else is right. */
CASE(authority, "wrong capabilities")
{
    for (unsigned number = 0; number < EXO_CALLS; number++) {
        const struct exo_grammar_call *call = &exo_grammar[number];
        uint64_t a[6] = {0};

        for (unsigned i = 0; i < call->arguments; i++)
            if (call->argument[i].meaning == 'c')
                a[i] = fitting(call->argument[i].type);
        for (unsigned i = 0; i < call->arguments; i++) {
            const struct exo_grammar_argument *argument = &call->argument[i];
            uint64_t right = a[i], expired;

            if (argument->meaning != 'c')
                continue;
            a[i] = 0;
            case_expect(number, -EXO_E_BADSLOT, a, __FILE__, __LINE__);
            a[i] = right + (1ul << 16);
            case_expect(number, -EXO_E_STALE, a, __FILE__, __LINE__);
            if (argument->type != 255) {
                a[i] = argument->type == EXO_TYPE_ENV ? CTX : SELF;
                case_expect(number, -EXO_E_TYPE, a, __FILE__, __LINE__);
            }
            expired = derived(right, EXO_RIGHTS_ALL, host_cycles + 1);
            host_cycles += 2;
            a[i] = expired;
            case_expect(number, -EXO_E_EXPIRED, a, __FILE__, __LINE__);
            if (argument->rights) {
                a[i] = derived(right, EXO_RIGHTS_ALL & ~argument->rights, EXO_DEADLINE_NEVER);
                case_expect(number, -EXO_E_RIGHTS, a, __FILE__, __LINE__);
            }
            a[i] = right;
        }
    }
}

/* An environment below everything that it names, and one above an endpoint that it would call. */
CASE(labels, "labels that forbid it")
{
    uint64_t low = case_zone(600, EXO_LABEL_SANDBOX), endpoint = MUST_DO(EP_CREATE_IN, low), objects[EXO_CALLS][6] = {{0}};

    for (unsigned number = 0; number < EXO_CALLS; number++)
        for (unsigned i = 0; i < exo_grammar[number].arguments; i++)
            if (exo_grammar[number].argument[i].meaning == 'c')
                objects[number][i] = fitting(exo_grammar[number].argument[i].type);
    for (unsigned number = 0; number < EXO_CALLS; number++)
        if (exo_grammar[number].argument[0].meaning == 'c' && exo_grammar[number].argument[0].type == EXO_TYPE_ENDPOINT &&
            exo_grammar[number].argument[0].rights & (EXO_RIGHT_CALL | EXO_RIGHT_NOTIFY))
            case_expect(number, -EXO_E_DENIED, (const uint64_t[6]){endpoint}, __FILE__, __LINE__);
    (void)MUST_DO(ZONE_ENTER, low, SELF);
    for (unsigned number = 0; number < EXO_CALLS; number++) {
        const struct exo_grammar_argument *argument = exo_grammar[number].argument;

        for (unsigned i = 0; i < exo_grammar[number].arguments; i++) {
            uint64_t a[6];

            if (argument[i].meaning != 'c' || !(exo_grammar[number].errors >> EXO_E_DENIED & 1) || argument[i].relations & EXO_RELATION_BELOW)
                continue;
            memcpy(a, objects[number], sizeof(a));
            for (unsigned other = 0; other < i; other++)
                if (argument[other].type == EXO_TYPE_ENV)
                    a[other] = SELF;
                else if (argument[other].type == EXO_TYPE_ZONE)
                    a[other] = low;
            if (a[i] != SELF && a[i] != CTX) /* they have entered, too */
                case_expect(number, -EXO_E_DENIED, a, __FILE__, __LINE__);
        }
    }
}

CASE(labels_self, "labels that forbid it: environments and contexts above")
{
    struct case_child child = case_child(case_zone(300, EXO_LABEL_SANDBOX));
    uint64_t self = case_give(&child, SELF), context = case_give(&child, CTX), endpoint = case_give(&child, MUST_DO(EP_CREATE));
    uint64_t slice = case_give(&child, MUST_DO(SLICE_MAKE, case_zone(100, EXO_LABEL_SANDBOX), 1));

    (void)MUST_DO(MEM_ALLOC, child.env, MEMORY + 2 * PAGE, 1, 3);
    case_become(child.context);
    for (unsigned number = 0; number < EXO_CALLS; number++)
        for (unsigned i = 0; i < exo_grammar[number].arguments; i++) {
            uint64_t a[6] = {exo_grammar[number].argument[0].type == EXO_TYPE_SLICE ? slice : 1, 0, endpoint};

            bool is_context = exo_grammar[number].argument[i].type == EXO_TYPE_CTX;

            if ((!is_context && exo_grammar[number].argument[i].type != EXO_TYPE_ENV) || number == NUMBER(ZONE_ENTER))
                continue;
            a[i] = is_context ? context : self;
            case_expect(number, -EXO_E_DENIED, a, __FILE__, __LINE__);
        }
    case_poke(MEMORY + 2 * PAGE, &(struct exo_predicate){endpoint, 0, EXO_WAIT_ENDPOINT}, sizeof(struct exo_predicate));
    REFUSED(WAIT, DENIED, MEMORY + 2 * PAGE, 1, EXO_DEADLINE_NEVER);
}

/* ---- slots ---- */

CASE(no_slot, "no slot is free")
{
    const struct exo_ctx_state state = {.regs = {.rip = HOST_ENTRY}};
    const struct exo_zone_limits limits = {EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE, 100};
    uint64_t endpoint = MUST_DO(EP_CREATE), block = MUST_DO(FRAME_ALLOC, ZONE, 2);

    case_poke(MEMORY, &state, sizeof(state));
    case_poke(MEMORY + 512, &limits, sizeof(limits));
    case_self()->env->slots_hint = EXO_SLOTS_MAX; /* as if all were in use */
    REFUSED(CAP_DERIVE, NOSLOT, SELF, 0, endpoint, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
    REFUSED(CAP_MOVE, NOSLOT, SELF, 0, endpoint);
    REFUSED(ENV_CREATE, NOSLOT, ZONE);
    REFUSED(CTX_CREATE, NOSLOT, SELF, 0x20000000, MEMORY);
    REFUSED(FRAME_ALLOC, NOSLOT, ZONE, 1);
    REFUSED(FRAME_CLAIM, NOSLOT, ZONE, 1, EXO_FRAME_ANYWHERE);
    REFUSED(FRAME_SPLIT, NOSLOT, block, 1);
    REFUSED(FRAME_DEVICE, NOSLOT, MACHINE, HOST_DEVICE, 1);
    REFUSED(EP_CREATE, NOSLOT);
    REFUSED(EP_CREATE_IN, NOSLOT, ZONE);
    REFUSED(TALLY_CREATE, NOSLOT, MEMORY + 1024);
    REFUSED(WATCH_CREATE, NOSLOT, MEMORY + 1024, MEMORY + 1028);
    REFUSED(IRQ_BIND, NOSLOT, MACHINE, 2, endpoint, 1);
    REFUSED(ZONE_CREATE, NOSLOT, ZONE, 5);
    REFUSED(ZONE_MEMBER, NOSLOT, ZONE, 0);
    REFUSED(ZONE_MAKE, NOSLOT, ZONE, EXO_LABEL_USER, MEMORY + 512);
    REFUSED(SERVICE_CREATE, NOSLOT, EXO_TYPE_SERVICE);
    REFUSED(PORTS_CREATE, NOSLOT, MACHINE, 0, 4);
    REFUSED(DMA_BIND, NOSLOT, MACHINE, block);
    REFUSED(TRACE_BIND, NOSLOT, MACHINE, block, 0, 0);
    REFUSED(SLICE_MAKE, NOSLOT, ZONE, 1);
}

/* ---- capabilities that travel ---- */

/* A server that waits, and a client; whoever is given the capability cannot take it, for a reason that `spoil` makes. */
static void travel(uint64_t zone, void (*spoil)(struct env *receiver, uint64_t handle), int64_t error)
{
    uint64_t endpoint = MUST_DO(EP_CREATE), service = MUST_DO(SERVICE_CREATE, EXO_TYPE_SERVICE), there;
    struct case_child child = case_child(zone);
    struct context *first = case_self();

    there = case_give(&child, endpoint);
    case_become(child.context);
    (void)DO(EP_RECV, there, EXO_DEADLINE_NEVER); /* sleeps: the first context runs again */
    case_become(first);
    spoil(child.context->env, service);
    case_expect(NUMBER(EP_CALL_CAP), error, (const uint64_t[6]){endpoint, 0, 0, 0, 0, service}, __FILE__, __LINE__);
    case_expect(NUMBER(EP_CALL_CAP_UNTIL), error, (const uint64_t[6]){endpoint, 0, 0, 0, EXO_DEADLINE_NEVER, service}, __FILE__, __LINE__);
}

/* As travel, the other way round: an answer brings the capability. */
static void travel_back(uint64_t zone, void (*spoil)(struct env *receiver, uint64_t handle), int64_t error)
{
    uint64_t endpoint = MUST_DO(EP_CREATE), service = MUST_DO(SERVICE_CREATE, EXO_TYPE_SERVICE), there;
    struct case_child child = case_child(zone);
    struct context *first = case_self();

    there = case_give(&child, endpoint);
    case_become(child.context);
    (void)DO(EP_CALL, there);
    case_become(first);
    (void)MUST_DO(EP_RECV, endpoint, EXO_DEADLINE_NEVER);
    spoil(child.context->env, service);
    case_expect(NUMBER(EP_REPLY_CAP), error, (const uint64_t[6]){0, 0, 0, 0, service}, __FILE__, __LINE__);
}

static void spoil_slots(struct env *receiver, uint64_t handle)
{
    (void)handle;
    receiver->slots_hint = EXO_SLOTS_MAX;
}

static void spoil_memory(struct env *receiver, uint64_t handle)
{
    (void)handle;
    receiver->zone->slots.quota = receiver->zone->slots.used;
}

static void spoil_revoking(struct env *receiver, uint64_t handle)
{
    (void)receiver;
    for (unsigned i = 0; i < 300; i++)
        (void)MUST_DO(CAP_DERIVE, SELF, 0, handle, 0, 0, EXO_DEADLINE_NEVER);
    REFUSED(CAP_REVOKE, AGAIN, handle);
}

static void spoil_time(struct env *receiver, uint64_t handle)
{
    struct capability *slot;

    (void)receiver;
    REQUIRE(cap_resolve(case_self()->env, handle, CAP_ANY, 0, &slot) == 0, "no capability");
    slot->node->expires_ns = host_cycles; /* as if it had been derived so */
    slot->key |= SLOT_EXPIRES;
}

static void spoil_label(struct env *receiver, uint64_t handle)
{
    (void)handle;
    receiver->object.label = EXO_LABEL_TCP; /* as if both were in zones apart */
    case_self()->env->object.label = EXO_LABEL_FILE;
}

CASE(travel_slots, "a capability that travels finds no slot")
{
    travel(case_zone(300, EXO_LABEL_TOP), spoil_slots, -EXO_E_NOSLOT);
}

CASE(travel_back_slots, "a capability that comes with an answer finds no slot")
{
    travel_back(case_zone(300, EXO_LABEL_TOP), spoil_slots, -EXO_E_NOSLOT);
}

CASE(travel_memory, "a capability that travels finds a full quota")
{
    travel(case_zone(300, EXO_LABEL_TOP), spoil_memory, -EXO_E_NOMEM);
}

CASE(travel_back_memory, "a capability that comes with an answer finds a full quota")
{
    travel_back(case_zone(300, EXO_LABEL_TOP), spoil_memory, -EXO_E_NOMEM);
}

CASE(travel_revoking, "a capability that is being revoked does not travel")
{
    travel(ZONE, spoil_revoking, -EXO_E_LIMIT);
}

CASE(travel_back_revoking, "a capability that is being revoked does not come with an answer")
{
    travel_back(ZONE, spoil_revoking, -EXO_E_LIMIT);
}

CASE(travel_expired, "a capability whose time is over does not travel")
{
    travel(ZONE, spoil_time, -EXO_E_EXPIRED);
}

CASE(travel_back_expired, "a capability whose time is over does not come with an answer")
{
    travel_back(ZONE, spoil_time, -EXO_E_EXPIRED);
}

CASE(travel_label, "a capability does not travel between labels that are apart")
{
    travel(case_zone(300, EXO_LABEL_TOP), spoil_label, -EXO_E_DENIED);
}

CASE(travel_back_label, "a capability does not come with an answer between labels that are apart")
{
    travel_back(case_zone(300, EXO_LABEL_TOP), spoil_label, -EXO_E_DENIED);
}

CASE(travel_rights, "a capability without COPY does not travel")
{
    uint64_t endpoint = MUST_DO(EP_CREATE), service = MUST_DO(SERVICE_CREATE, EXO_TYPE_SERVICE);
    uint64_t fixed = derived(service, EXO_RIGHTS_ALL & ~EXO_RIGHT_COPY, EXO_DEADLINE_NEVER);
    struct case_child child = case_child(ZONE);
    struct context *first = case_self();
    uint64_t there = case_give(&child, endpoint);

    REFUSED(EP_CALL_CAP, RIGHTS, endpoint, 0, 0, 0, 0, fixed);
    REFUSED(CAP_MOVE, RIGHTS, child.env, 0, fixed);
    case_become(child.context);
    (void)DO(EP_CALL, there);
    case_become(first);
    (void)MUST_DO(EP_RECV, endpoint, EXO_DEADLINE_NEVER);
    REFUSED(EP_REPLY_CAP, RIGHTS, 0, 0, 0, 0, fixed);
    REFUSED(EP_REPLY_CAP, BADSLOT, 0, 0, 0, 0, 0);
    REFUSED(EP_REPLY_CAP, STALE, 0, 0, 0, 0, service + (1ul << 16));
}

CASE(wait_rights, "waiting for an endpoint takes RECV")
{
    struct exo_predicate predicate = {.kind = EXO_WAIT_ENDPOINT};

    predicate.va = derived(MUST_DO(EP_CREATE), EXO_RIGHT_CALL, EXO_DEADLINE_NEVER);
    case_poke(MEMORY, &predicate, sizeof(predicate));
    REFUSED(WAIT, RIGHTS, MEMORY, 1, EXO_DEADLINE_NEVER);
    predicate.va = SELF;
    case_poke(MEMORY, &predicate, sizeof(predicate));
    REFUSED(WAIT, TYPE, MEMORY, 1, EXO_DEADLINE_NEVER);
    predicate.va = SELF + (1ul << 16);
    case_poke(MEMORY, &predicate, sizeof(predicate));
    REFUSED(WAIT, STALE, MEMORY, 1, EXO_DEADLINE_NEVER);
    predicate.va = MUST_DO(EP_CREATE);
    spoil_time(NULL, predicate.va);
    case_poke(MEMORY, &predicate, sizeof(predicate));
    REFUSED(WAIT, EXPIRED, MEMORY, 1, EXO_DEADLINE_NEVER);
}

/* ---- limits ---- */

/* A capability 255 derivations below this one. */
static uint64_t deepest(uint64_t handle)
{
    for (unsigned i = 0; i < 255; i++)
        handle = derived(handle, EXO_RIGHTS_ALL, EXO_DEADLINE_NEVER);
    return handle;
}

CASE(depth, "derivation ends at a depth")
{
    uint64_t machine = deepest(MACHINE), zone = deepest(ZONE), endpoint = MUST_DO(EP_CREATE);

    REFUSED(CAP_DERIVE, LIMIT, SELF, 0, machine, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
    REFUSED(IRQ_BIND, LIMIT, machine, 2, endpoint, 1);
    REFUSED(PORTS_CREATE, LIMIT, machine, 0, 4);
    REFUSED(DMA_BIND, LIMIT, machine, MUST_DO(FRAME_ALLOC, ZONE, 1));
    REFUSED(TRACE_BIND, LIMIT, machine, MUST_DO(FRAME_ALLOC, ZONE, 1), 0, 0);
    REFUSED(FRAME_DEVICE, LIMIT, machine, 0xfeb00000, 1);
    REFUSED(ENV_CREATE, LIMIT, zone, 0, 0);
    REFUSED(FRAME_ALLOC, LIMIT, zone, 1);
    REFUSED(FRAME_CLAIM, LIMIT, zone, 1, EXO_FRAME_ANYWHERE, 0);
    REFUSED(EP_CREATE_IN, LIMIT, zone);
    REFUSED(ZONE_MEMBER, LIMIT, zone, 0);
}

CASE(members, "what follows an environment in a zone where it is not")
{
    uint64_t zone = case_zone(30, EXO_LABEL_TOP), env = MUST_DO(ENV_CREATE, zone), brief;

    REFUSED(ZONE_MEMBER, INVAL, zone, SELF);
    REFUSED(ZONE_MEMBER, TYPE, zone, CTX);
    REFUSED(ZONE_MEMBER, BADSLOT, zone, 0xfff0);
    REFUSED(ZONE_MEMBER, STALE, zone, env + (1ul << 16));
    brief = derived(env, EXO_RIGHTS_ALL, EXO_DEADLINE_NEVER);
    spoil_time(NULL, brief);
    REFUSED(ZONE_MEMBER, EXPIRED, zone, brief);
    REQUIRE(DO(ZONE_MEMBER, zone, env) == 0, "somebody else is in the zone");
    brief = MUST_DO(ZONE_MEMBER, zone, 0);
    REQUIRE(DO(ZONE_MEMBER, zone, brief) == 0, "somebody else is in the zone");
}

CASE(pieces, "long work comes in pieces")
{
    uint64_t endpoint = MUST_DO(EP_CREATE), env = MUST_DO(ENV_CREATE, ZONE);

    for (unsigned i = 0; i < 300; i++)
        (void)derived(endpoint, EXO_RIGHTS_ALL, EXO_DEADLINE_NEVER);
    REFUSED(CAP_REVOKE, AGAIN, endpoint);
    (void)MUST_DO(CAP_REVOKE, endpoint);
    (void)MUST_DO(CAP_DERIVE, env, 2000, endpoint, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
    REFUSED(CAP_LIST, AGAIN, env, 1, MEMORY, 8);
    REFUSED(ENV_DESTROY, AGAIN, env, 0);
}

CASE(zones_deep, "zones end at a depth")
{
    const struct exo_zone_limits limits = {EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE, 100};
    uint64_t zone = ZONE;

    case_poke(MEMORY, &limits, sizeof(limits));
    for (unsigned i = 1; i < EXO_ZONE_DEPTH; i++)
        zone = MUST_DO(ZONE_CREATE, zone, EXO_QUOTA_NONE);
    REFUSED(ZONE_CREATE, LIMIT, zone, 5);
    REFUSED(ZONE_MAKE, LIMIT, zone, EXO_LABEL_USER, MEMORY);
}

CASE(contexts, "an environment has a limited number of contexts")
{
    const struct exo_ctx_state state = {.regs = {.rip = HOST_ENTRY}};
    uint64_t env = MUST_DO(ENV_CREATE, ZONE), zone = MUST_DO(ZONE_CREATE, ZONE, EXO_QUOTA_NONE);

    case_poke(MEMORY, &state, sizeof(state));
    for (uint64_t i = 0; i <= EXO_ENTER_CONTEXTS; i++)
        (void)MUST_DO(CTX_CREATE, env, 0x20000000 + i * PAGE, MEMORY);
    REFUSED(ZONE_ENTER, LIMIT, zone, env);
    case_self()->env->context_count += CONTEXTS_MAX; /* as if they were there */
    REFUSED(CTX_CREATE, LIMIT, SELF, 0x20000000, MEMORY);
    case_self()->env->context_count -= CONTEXTS_MAX;
}

CASE(memory_full, "a zone's quota is used up")
{
    const struct exo_zone_limits limits = {EXO_QUOTA_NONE, 0, EXO_QUOTA_NONE, 100};
    uint64_t zone = case_zone(30, EXO_LABEL_TOP), endpoint = MUST_DO(EP_CREATE), env = MUST_DO(ENV_CREATE, zone), no_envs;
    uint64_t block = MUST_DO(FRAME_ALLOC, ZONE, 1);

    case_poke(MEMORY, &limits, sizeof(limits));
    no_envs = MUST_DO(ZONE_MAKE, ZONE, EXO_LABEL_TOP, MEMORY);
    (void)DO(MEM_ALLOC, env, MEMORY, 30, 3);
    REFUSED(MEM_ALLOC, NOMEM, env, 0x40000000, 1, 3);
    REFUSED(MEM_SHARE, NOMEM, env, 0x7f0000000000, MEMORY, 1, 3);
    REFUSED(MEM_MAP, NOMEM, env, 0x7f0000000000, IMAGE, 0, 1, 1);
    REFUSED(FRAME_ALLOC, NOMEM, zone, 1);
    REFUSED(FRAME_CLAIM, NOMEM, zone, 1, EXO_FRAME_ANYWHERE);
    REFUSED(ENV_CREATE, NOMEM, zone);
    REFUSED(ZONE_ENTER, NOMEM, no_envs, SELF);
    (void)MUST_DO(ZONE_ENTER, zone, SELF);
    REFUSED(ENV_CLONE_SLOTS, NOMEM, env, 1, 3);
    REFUSED(CAP_MOVE, NOMEM, SELF, 3000, endpoint);
    REFUSED(FRAME_DEVICE, NOMEM, MACHINE, HOST_DEVICE, 1);
    REFUSED(TALLY_CREATE, NOMEM, MEMORY + 1024);
    REFUSED(WATCH_CREATE, NOMEM, MEMORY + 1024, MEMORY + 1028);
    REFUSED(IRQ_BIND, NOMEM, MACHINE, 2, endpoint, 1);
    REFUSED(SERVICE_CREATE, NOMEM, EXO_TYPE_SERVICE);
    REFUSED(SLICE_MAKE, NOMEM, ZONE, 1);
    REFUSED(PORTS_CREATE, NOMEM, MACHINE, 0, 4);
    REFUSED(DMA_BIND, NOMEM, MACHINE, block);
    REFUSED(TRACE_BIND, NOMEM, MACHINE, block, 0, 0);
}

/* ---- calls that random sequences do not make yet ---- */

CASE(port_string, "a device's bytes go to memory that is there")
{
    uint64_t ports = MUST_DO(PORTS_CREATE, MACHINE, 0, 16);

    REFUSED(PORT_STRING, FAULT, ports, 0, 1, NOWHERE, 4);
    REFUSED(PORT_STRING, INVAL, ports, 0, 3, MEMORY, 4);
    REFUSED(PORT_STRING, RANGE, ports, 16, 1, MEMORY, 4);
}

CASE(gas, "gas and shares")
{
    uint64_t env = MUST_DO(ENV_CREATE, ZONE), zone = case_zone(600, EXO_LABEL_USER), endpoint = MUST_DO(EP_CREATE);

    REFUSED(GAS_INFO, TYPE, CTX, MEMORY);
    REFUSED(GAS_INFO, FAULT, env, NOWHERE);
    REFUSED(GAS_SET, TYPE, CTX, 0, 0, 0);
    REFUSED(GAS_SET, INVAL, env, 1, 0, 0);
    zones[0]->gas.depth = 200; /* as if there were so many accounts above */
    REFUSED(GAS_SET, LIMIT, env, 0, 0, 0);
    zones[0]->gas.depth = 0;
    REFUSED(GAS_GRANT, TYPE, CTX, zone, 1);
    REFUSED(GAS_GRANT, INVAL, env, zone, 0);
    (void)MUST_DO(GAS_SET, env, EXO_GAS_FIXED, 10, 0);
    REFUSED(GAS_GRANT, GAS, env, zone, 11);
    REFUSED(GAS_NOTIFY, TYPE, CTX, endpoint, 1);
    REFUSED(GAS_NOTIFY, INVAL, MUST_DO(ENV_CREATE, ZONE), endpoint, 1);
    REFUSED(GAS_POLICY, FAULT, MACHINE, NOWHERE);
    REFUSED(GAS_POLICY, INVAL, MACHINE, MEMORY);
    REFUSED(GAS_PRICE, INVAL, EXO_GAS_CLASSES);
    REFUSED(ZONE_WEIGHT, INVAL, zone, 0);
}

CASE(batch, "batches that are none")
{
    REFUSED(BATCH, INVAL, MEMORY, EXO_BATCH_MOST + 1);
    REFUSED(BATCH, ALIGN, MEMORY + 8, 1);
    REFUSED(BATCH, FAULT, NOWHERE, 1);
}

CASE(ledger, "ledgers and demands")
{
    struct case_child child = case_child(ZONE);
    uint64_t endpoint = MUST_DO(EP_CREATE);

    REFUSED(LEDGER_BIND, ALIGN, MEMORY + 8, 1);
    REFUSED(LEDGER_BIND, FAULT, NOWHERE, 1);
    REFUSED(RECLAIM_ASK, INVAL, child.env, 0, 0);
    REFUSED(RECLAIM_TAKE, INVAL, child.env, EXO_USER_TOP);
    REFUSED(RECLAIM_STATUS, FAULT, child.env, NOWHERE);
    (void)MUST_DO(MEM_ALLOC, child.env, 0x40000000, 100, 3);
    (void)MUST_DO(RECLAIM_ASK, child.env, 90, host_cycles + 5);
    REFUSED(RECLAIM_ASK, BUSY, child.env, 1, 0);
    REFUSED(RECLAIM_TAKE, BUSY, child.env, EXO_USER_TOP);
    host_cycles += 10;
    REFUSED(RECLAIM_TAKE, AGAIN, child.env, EXO_USER_TOP);
    REFUSED(CAP_ASK, BADSLOT, 0, 0, 0);
    REFUSED(CAP_ASK, STALE, endpoint + (1ul << 16), 0, 0);
    REFUSED(CAP_ASK, LIMIT, endpoint, 1ul << 20, 0);
    spoil_time(NULL, endpoint);
    REFUSED(CAP_ASK, EXPIRED, endpoint, 0, 0);
    (void)MUST_DO(ENV_DESTROY, MUST_DO(ENV_CREATE, ZONE), 0);
}

/* ---- arguments ---- */

CASE(alignment, "addresses that are not aligned")
{
    uint64_t frame = MUST_DO(FRAME_ALLOC, ZONE, 2), odd = MEMORY + 8;

    REFUSED(CTX_CREATE, ALIGN, SELF, odd, MEMORY);
    REFUSED(MEM_ALLOC, ALIGN, SELF, odd, 1, 3);
    REFUSED(MEM_MAP, ALIGN, SELF, odd, frame, 0, 1, 3);
    REFUSED(MEM_SHARE, ALIGN, SELF, odd, MEMORY, 1, 3);
    REFUSED(MEM_SHARE, ALIGN, SELF, MEMORY, odd, 1, 3);
    REFUSED(MEM_FETCH, ALIGN, SELF, odd, MEMORY, 1, 3);
    REFUSED(MEM_FETCH, ALIGN, SELF, MEMORY, odd, 1, 3);
    REFUSED(MEM_FETCH, INVAL, SELF, MEMORY, MEMORY, 1, EXO_SHARE_COPY | 3);
    REFUSED(MEM_PROTECT, ALIGN, SELF, odd, 1, 3);
    REFUSED(MEM_UNMAP, ALIGN, SELF, odd, 1);
    REFUSED(MEM_QUERY, ALIGN, SELF, odd, 1, MEMORY);
    REFUSED(FRAME_DEVICE, ALIGN, MACHINE, HOST_DEVICE + 8, 1);
    REFUSED(WAKE, ALIGN, MEMORY + 2, 1);
    REFUSED(TALLY_CREATE, ALIGN, MEMORY + 2);
    REFUSED(WATCH_CREATE, ALIGN, MEMORY + 2, MEMORY);
    REFUSED(WATCH_CREATE, ALIGN, MEMORY, MEMORY + 1);
}

CASE(ranges, "arguments that are out of range, or make no sense")
{
    struct exo_ctx_state state = {.regs = {.rip = EXO_USER_TOP}};
    uint64_t endpoint = MUST_DO(EP_CREATE), frame = MUST_DO(FRAME_ALLOC, ZONE, 2), env = MUST_DO(ENV_CREATE, ZONE), context;

    case_poke(MEMORY + 512, &state, sizeof(state));
    state.regs.rip = HOST_ENTRY;
    case_poke(MEMORY, &state, sizeof(state));
    context = MUST_DO(CTX_CREATE, env, MEMORY, MEMORY);
    REFUSED(CTX_CREATE, RANGE, env, 0x20000000, MEMORY + 512);
    REFUSED(CTX_CREATE, RANGE, env, EXO_USER_TOP, MEMORY);
    REFUSED(CTX_CREATE, EXISTS, env, MEMORY, MEMORY);
    REFUSED(CTX_WRITE, RANGE, context, MEMORY + 512);
    REFUSED(CTX_WRITE, FAULT, context, NOWHERE);
    REFUSED(SET_TLS, RANGE, EXO_USER_TOP);
    REFUSED(SET_ENTRIES, RANGE, 0, EXO_USER_TOP);
    REFUSED(MEM_ALLOC, RANGE, SELF, EXO_USER_TOP - PAGE, 2, 3);
    REFUSED(MEM_MAP, RANGE, SELF, 0x40000000, frame, 1, 2, 3);
    REFUSED(CAP_MOVE, INVAL, SELF, EXO_SLOTS_MAX, endpoint);
    REFUSED(PORTS_CREATE, RANGE, MACHINE, HOST_PORTS_TAKEN - 1, 2);
    REFUSED(PORTS_CREATE, INVAL, MACHINE, 0, 0);
    (void)MUST_DO(IRQ_BIND, MACHINE, 3, endpoint, 1);
    REFUSED(IRQ_BIND, EXISTS, MACHINE, 3, endpoint, 1);
    REFUSED(IRQ_BIND, RANGE, MACHINE, HOST_LINES, endpoint, 1);
}

CASE(expired_own, "handles of the caller whose time is over")
{
    uint64_t service = MUST_DO(SERVICE_CREATE, EXO_TYPE_SERVICE);

    spoil_time(NULL, service);
    REFUSED(CAP_INFO, EXPIRED, service, MEMORY);
    REFUSED(CAP_REVOKE, EXPIRED, service);
    REFUSED(CAP_MOVE, EXPIRED, SELF, 0, service);
    (void)MUST_DO(CAP_DELETE, service);
    REFUSED(CAP_DELETE, STALE, service);
    REFUSED(CAP_INFO, STALE, service, MEMORY);
}

/* One that has ended but is not taken apart yet. */
CASE(ended, "an environment that has ended")
{
    struct case_child child = case_child(ZONE);
    struct context *first = case_self();

    case_become(child.context);
    (void)DO(ENV_DESTROY, 1, 0);
    case_become(first);
    REFUSED(RECLAIM_ASK, PEER, child.env, 1, 0);
    REFUSED(MEM_ALLOC, PEER, child.env, 0x40000000, 1, 3);
    REFUSED(MEM_QUERY_CLEAR, PEER, child.env, 0x40000000, 1, MEMORY);
    REFUSED(MEM_MAP, PEER, child.env, 0x40000000, IMAGE, 0, 1, 1);
    REFUSED(MEM_SHARE, PEER, child.env, 0x40000000, MEMORY, 1, 3);
    REFUSED(MEM_FETCH, PEER, child.env, 0x40000000, MEMORY, 1, 3);
    REFUSED(MEM_PROTECT, PEER, child.env, MEMORY, 1, 3);
    REFUSED(MEM_UNMAP, PEER, child.env, MEMORY, 1);
    REFUSED(MEM_QUERY, PEER, child.env, MEMORY, 1, MEMORY);
    REFUSED(CTX_CREATE, PEER, child.env, 0x20000000, MEMORY);
    REFUSED(CAP_DERIVE, PEER, child.env, 0, SELF, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
    REFUSED(CAP_MOVE, PEER, child.env, 0, MUST_DO(EP_CREATE));
    REFUSED(ZONE_ENTER, PEER, ZONE, child.env);
    REFUSED(ENV_CLONE_SLOTS, PEER, child.env, 1, 1);
}

/* ---- devices ---- */

CASE(device_shared, "a device's pages are never copied")
{
    uint64_t frame = MUST_DO(FRAME_DEVICE, MACHINE, HOST_DEVICE, 2), va = 0x40000000;

    (void)MUST_DO(MEM_MAP, SELF, va, frame, 0, 2, EXO_PROT_READ | EXO_PROT_WRITE);
    for (uint64_t mode = EXO_SHARE_SAME; mode <= EXO_SHARE_PRIVATE; mode += EXO_SHARE_COW)
        (void)MUST_DO(MEM_SHARE, SELF, va + (1 + mode / EXO_SHARE_COW) * 2 * PAGE, va, 2, mode | EXO_PROT_READ | EXO_PROT_WRITE);
    for (uint64_t page = 0; page < 16; page++)
        REQUIRE(!space_break_copy(case_self()->env, va + page * PAGE), "page %lu of a device was copied", page);
}

CASE(windows, "windows for devices: of RAM, and of blocks that stay as they are")
{
    uint64_t block = MUST_DO(FRAME_CLAIM, ZONE, 4, EXO_FRAME_ANYWHERE), half = MUST_DO(FRAME_SPLIT, block, 2), dma = MUST_DO(DMA_BIND, MACHINE, half);

    REFUSED(DMA_BIND, INVAL, MACHINE, MUST_DO(FRAME_DEVICE, MACHINE, HOST_DEVICE, 1));
    REFUSED(DMA_INFO, FAULT, dma, NOWHERE);
    REFUSED(FRAME_SPLIT, BUSY, half, 1);
    REFUSED(FRAME_MERGE, BUSY, block, half);
    case_check();
    (void)MUST_DO(CAP_DELETE, half);
    case_check();
    (void)MUST_DO(DMA_INFO, dma, MEMORY);
    (void)MUST_DO(CAP_REVOKE, MACHINE);
    REFUSED(DMA_INFO, STALE, dma, MEMORY);
}

CASE(traces, "traces: of one's own block, one for each CPU, until its last capability is gone")
{
    uint64_t block = MUST_DO(FRAME_CLAIM, ZONE, 4, EXO_FRAME_ANYWHERE), trace;

    REFUSED(TRACE_BIND, RANGE, MACHINE, block, 1, 0);
    REFUSED(TRACE_BIND, INVAL, MACHINE, MUST_DO(FRAME_DEVICE, MACHINE, HOST_DEVICE, 1), 0, 0);
    REFUSED(TRACE_BIND, INVAL, MACHINE, block, 0, 9999);
    REFUSED(TRACE_BIND, RIGHTS, derived(MACHINE, EXO_RIGHT_DEVICE | EXO_RIGHT_IRQ, EXO_DEADLINE_NEVER), block, 0, 0);
    REFUSED(TRACE_BIND, RIGHTS, MACHINE, derived(block, EXO_RIGHT_READ, EXO_DEADLINE_NEVER), 0, 0);
    (void)MUST_DO(TRACE_NOTE, 1, 2, 3);
    trace = MUST_DO(TRACE_BIND, MACHINE, block, 0, 10000);
    REFUSED(TRACE_BIND, BUSY, MACHINE, block, 0, 0);
    REFUSED(FRAME_SPLIT, BUSY, block, 1);
    (void)MUST_DO(TRACE_NOTE, 1, 2, 3);
    case_check();
    (void)MUST_DO(CAP_DELETE, block);
    case_check();
    (void)MUST_DO(CAP_DELETE, trace);
    REQUIRE(!trace_to, "the recording goes on");
    trace = MUST_DO(TRACE_BIND, MACHINE, MUST_DO(FRAME_ALLOC, ZONE, 1), 0, 0);
    (void)MUST_DO(CAP_REVOKE, MACHINE);
    REQUIRE(!trace_to, "the recording goes on after revocation");
    REFUSED(CAP_DELETE, STALE, trace);
}

CASE(frame_blocks, "frames that are not free, not alike, not alone")
{
    uint64_t block = MUST_DO(FRAME_CLAIM, ZONE, 4, EXO_FRAME_ANYWHERE), rest, copy, place = MUST_DO(FRAME_ADDRESS, block);

    REFUSED(FRAME_CLAIM, INVAL, ZONE, 0, EXO_FRAME_ANYWHERE);
    REFUSED(FRAME_CLAIM, INVAL, ZONE, 1, 3);
    REFUSED(FRAME_CLAIM, ALIGN, ZONE, 1, EXO_FRAME_AT, place + 1);
    REFUSED(FRAME_CLAIM, EXISTS, ZONE, 1, EXO_FRAME_AT, place);
    REFUSED(FRAME_CLAIM, RANGE, ZONE, 1, EXO_FRAME_AT, HOST_DEVICE);
    REFUSED(FRAME_INFO, FAULT, block, NOWHERE);
    REFUSED(FRAME_SPLIT, INVAL, block, 4);
    rest = MUST_DO(FRAME_SPLIT, block, 1);
    REFUSED(FRAME_MERGE, INVAL, rest, block);
    copy = derived(rest, EXO_RIGHT_READ, EXO_DEADLINE_NEVER);
    REFUSED(FRAME_SPLIT, BUSY, rest, 1);
    REFUSED(FRAME_MERGE, BUSY, block, rest);
    (void)MUST_DO(CAP_DELETE, rest);
    REFUSED(FRAME_MERGE, RIGHTS, block, copy);
}

CASE(no_half, "a block that cannot be split for want of memory")
{
    uint64_t zone = case_zone(60, EXO_LABEL_TOP), block = MUST_DO(FRAME_CLAIM, zone, 40, EXO_FRAME_ANYWHERE);
    int64_t rest = (int64_t)block;

    while (DO(FRAME_ALLOC, zone, 1) >= 0)
        ;
    for (unsigned i = 0; i < 38 && rest >= 0; i++) {
        block = (uint64_t)rest;
        rest = DO(FRAME_SPLIT, block, 1);
    }
    REFUSED(FRAME_SPLIT, NOMEM, block, 1);
}

CASE(marks, "marks of use of what is not there")
{
    REFUSED(MEM_QUERY_CLEAR, RANGE, SELF, 0, 1, MEMORY);
    REFUSED(MEM_QUERY_CLEAR, ALIGN, SELF, MEMORY + 1, 1, MEMORY);
    REFUSED(MEM_QUERY_CLEAR, FAULT, SELF, MEMORY, 1, NOWHERE);
}
