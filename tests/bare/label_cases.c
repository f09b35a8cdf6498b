/* What labels forbid: each kind of operation by an environment of each label on an object of each label. */
#include "bare.h"

#include <exo/label.h>

/* What an actor holds of each label's objects, from slot 64 on. */
enum held { HELD_ENV, HELD_CTX, HELD_FRAME, HELD_ENDPOINT, HELD_DEAF, HELD_ZONE, HELDS };
#define HELD(label, what) (64 + (label)*8u + (what))

enum operation {
    OP_MAP_READ, OP_MAP_WRITE, OP_INFO, OP_ALLOC, OP_SHARE, OP_PROTECT, OP_COPY, OP_CLONE, OP_CONTEXT, OP_POST, OP_READ_STATE, OP_RECEIVE, OP_REPLY_RECEIVE,
    OP_WAIT, OP_NOTIFY, OP_CALL, OP_CALL_CAP, OP_ENV_CREATE, OP_FRAME_ALLOC, OP_ENDPOINT, OP_ZONE_CREATE, OP_ZONE_STATUS, OPERATIONS,
};

#define RESULTS AREA(40) /* int64_t [label][operation], shared with the actor */
#define THERE 0x310000000000ul /* in the other's address space */

static void drop(int64_t handle)
{
    if (handle > 0)
        (void)!exo_cap_delete((uint64_t)handle);
}

static int64_t map_frame(unsigned label, uint64_t prot)
{
    int64_t status = exo_mem_map(SELF, AREA(41), HELD(label, HELD_FRAME), 0, 1, prot);

    (void)!exo_mem_unmap(SELF, AREA(41), 1);
    return status;
}

static int64_t make(int64_t handle)
{
    drop(handle);
    return handle < 0 ? handle : 0;
}

static int64_t wait_for(unsigned label)
{
    const struct exo_predicate predicate = {.va = HELD(label, HELD_ENDPOINT), .kind = EXO_WAIT_ENDPOINT};

    return exo_wait(&predicate, 1, EXO_DEADLINE_NOW);
}

static int64_t message(unsigned label, enum operation operation)
{
    struct exo_message message = {.word[4] = SELF};

    if (operation == OP_RECEIVE)
        return exo_ep_recv(HELD(label, HELD_ENDPOINT), &message, EXO_DEADLINE_NOW);
    if (operation == OP_CALL)
        return exo_ep_call(HELD(label, HELD_DEAF), &message);
    return exo_ep_call_cap(HELD(label, HELD_DEAF), &message);
}

static int64_t do_memory(unsigned label, enum operation operation)
{
    uint64_t env = HELD(label, HELD_ENV);

    switch ((unsigned)operation) {
    case OP_MAP_READ: return map_frame(label, EXO_PROT_READ);
    case OP_MAP_WRITE: return map_frame(label, EXO_PROT_READ | EXO_PROT_WRITE);
    case OP_ALLOC: return exo_mem_alloc(env, THERE, 1, EXO_PROT_READ);
    case OP_SHARE: return exo_mem_share(env, THERE, RESULTS, 1, EXO_SHARE_SAME | EXO_PROT_READ);
    default: return exo_mem_unmap(env, THERE, 1);
    }
}

static int64_t do_operation(unsigned label, enum operation operation)
{
    uint64_t env = HELD(label, HELD_ENV), zone = HELD(label, HELD_ZONE);
    struct exo_env_info info;
    struct exo_ctx_state state;
    struct exo_zone_status status;

    switch (operation) {
    case OP_MAP_READ:
    case OP_MAP_WRITE:
    case OP_ALLOC:
    case OP_SHARE:
    case OP_PROTECT: return do_memory(label, operation);
    case OP_INFO: return exo_env_info(env, &info);
    case OP_COPY: return exo_cap_copy(env, 0, SELF, EXO_RIGHT_INSPECT, 0);
    case OP_CLONE: return exo_env_clone_slots(env, 1, 1);
    case OP_CONTEXT: return exo_ctx_create(env, THERE, (void *)8);
    case OP_POST: return exo_ctx_post(HELD(label, HELD_CTX), 0);
    case OP_READ_STATE: return exo_ctx_read(HELD(label, HELD_CTX), &state);
    case OP_RECEIVE:
    case OP_CALL:
    case OP_CALL_CAP: return message(label, operation);
    case OP_REPLY_RECEIVE: return exo_trap1(EXO_CALL_EP_REPLY_RECV, HELD(label, HELD_CTX));
    case OP_WAIT: return wait_for(label);
    case OP_NOTIFY: return exo_ep_notify(HELD(label, HELD_ENDPOINT), 0);
    case OP_ENV_CREATE: return make(exo_env_create(zone, 0, 0));
    case OP_FRAME_ALLOC: return make(exo_frame_alloc(zone, 1));
    case OP_ENDPOINT: return make(exo_ep_create_in(zone));
    case OP_ZONE_CREATE: return make(exo_zone_create(zone, 10));
    case OP_ZONE_STATUS: return exo_zone_status(zone, &status);
    case OPERATIONS: break;
    }
    return 0;
}

static void act(uint64_t unused)
{
    int64_t (*results)[OPERATIONS] = (void *)RESULTS;

    (void)unused;
    for (unsigned label = 0; label < EXO_LABELS; label++)
        for (unsigned operation = 0; operation < OPERATIONS; operation++)
            results[label][operation] = do_operation(label, operation);
    child_exit(1);
}

/* By the meaning of the rules, not by their table: authority reaches down and level, requests up and level. */
static bool should_be_allowed(unsigned actor, unsigned object, enum operation operation)
{
    bool up = operation == OP_NOTIFY || operation == OP_CALL || operation == OP_CALL_CAP;

    return up ? exo_label_dominates(object, actor) : exo_label_dominates(actor, object);
}

static int64_t answer_when_allowed(enum operation operation)
{
    switch (operation) {
    case OP_MAP_READ:
    case OP_MAP_WRITE:
    case OP_ALLOC:
    case OP_SHARE:
    case OP_PROTECT:
    case OP_CLONE: return 1;
    case OP_CONTEXT: return -EXO_E_FAULT;
    case OP_REPLY_RECEIVE: return -EXO_E_TYPE; /* of the wrong type: that comes first */
    case OP_RECEIVE:
    case OP_WAIT: return -EXO_E_TIMEOUT;
    case OP_CALL:
    case OP_CALL_CAP: return -EXO_E_PEER;
    default: return 0;
    }
}

static void check_result(unsigned actor, unsigned object, enum operation operation, int64_t got)
{
    int64_t wanted = answer_when_allowed(operation);

    if (operation == OP_REPLY_RECEIVE) {
        EXPECT(got, wanted);
        return;
    }
    if (!should_be_allowed(actor, object, operation))
        wanted = -EXO_E_DENIED;
    if (operation == OP_COPY && wanted == 0 && got > 0)
        return; /* a handle */
    if (operation == OP_CLONE && wanted == 1 && got >= 0)
        return;
    if (got != wanted)
        bare_say("# %s on %s, operation %u: %ld, not %ld\n", exo_label_name(actor), exo_label_name(object), operation, got, wanted);
    CHECK(got == wanted);
}

struct world {
    uint64_t zone[EXO_LABELS], held[EXO_LABELS][HELDS];
};

static void make_world(struct world *world)
{
    const struct exo_zone_limits limits = {EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

    for (unsigned label = 0; label < EXO_LABELS; label++) {
        struct exo_ctx_state state = {.regs.rip = 0x1000, .regs.rsp = 0x1000};
        uint64_t *held = world->held[label];

        held[HELD_ZONE] = world->zone[label] = (uint64_t)MUST(exo_zone_make(ZONE, label, &limits));
        held[HELD_ENV] = (uint64_t)MUST(exo_env_create(world->zone[label], 0, 0));
        held[HELD_CTX] = (uint64_t)MUST(exo_ctx_create(held[HELD_ENV], CHILD_UPAGE, &state));
        held[HELD_FRAME] = (uint64_t)MUST(exo_frame_alloc(world->zone[label], 1));
        held[HELD_ENDPOINT] = (uint64_t)MUST(exo_ep_create_in(world->zone[label]));
        held[HELD_DEAF] = (uint64_t)MUST(exo_ep_create_in(world->zone[label]));
    }
}

/* Of the endpoint that nobody can receive from only the actors' copies stay. */
static void give_world(struct world *world, uint64_t env)
{
    for (unsigned label = 0; label < EXO_LABELS; label++)
        for (unsigned what = 0; what < HELDS; what++) {
            uint64_t rights = what == HELD_DEAF ? EXO_RIGHT_CALL | EXO_RIGHT_COPY : EXO_RIGHTS_ALL;

            EXPECT(exo_cap_copy(env, HELD(label, what), world->held[label][what], rights, 0), HELD(label, what));
        }
}

static void end_env(uint64_t env)
{
    while (exo_env_destroy(env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_cap_delete(env), 0);
}

static void end_world(struct world *world)
{
    for (unsigned label = 0; label < EXO_LABELS; label++)
        for (unsigned what = 0; what < HELDS; what++) {
            if (what == HELD_ENV)
                end_env(world->held[label][what]);
            else if (world->held[label][what])
                EXPECT(exo_cap_delete(world->held[label][what]), 0);
        }
}

CASE(all_pairs, "labels: every operation, by every label on every label")
{
    static struct world world;
    int64_t (*results)[OPERATIONS] = (void *)RESULTS;

    EXPECT(exo_alloc_all(SELF, RESULTS, 1, EXO_PROT_READ | EXO_PROT_WRITE, NULL), 0);
    _Static_assert(EXO_LABELS * OPERATIONS * 8 <= EXO_PAGE_BYTES, "one page of results");
    make_world(&world);
    for (unsigned label = 0; label < EXO_LABELS; label++) { /* nobody keeps a way to receive from the deaf one */
        uint64_t deaf = world.held[label][HELD_DEAF];

        world.held[label][HELD_DEAF] = (uint64_t)MUST(exo_cap_copy(SELF, 0, deaf, EXO_RIGHT_CALL | EXO_RIGHT_COPY, 0));
        EXPECT(exo_cap_delete(deaf), 0);
    }
    for (unsigned actor = 0; actor < EXO_LABELS; actor++) {
        struct child child = child_new_in(world.zone[actor], act, 0);

        give_world(&world, child.env);
        memset((void *)RESULTS, 0x55, EXO_PAGE_BYTES);
        EXPECT(exo_share_all(child.env, RESULTS, RESULTS, 1, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE), 0);
        child_start(&child);
        EXPECT((int64_t)child_result(&child), 1);
        for (unsigned label = 0; label < EXO_LABELS; label++)
            for (unsigned operation = 0; operation < OPERATIONS; operation++)
                check_result(actor, label, operation, results[label][operation]);
    }
    end_world(&world);
    EXPECT(exo_unmap_all(SELF, RESULTS, 1), 0);
}

/* A capability sent along with a call, between each two labels that may call. */
static void send_self(uint64_t unused)
{
    struct exo_message message = {.word[4] = SELF};

    (void)unused;
    child_exit((uint64_t)-exo_ep_call_cap(64, &message) + 1);
}

CASE(transfers, "labels: a capability travels up with a call, and comes back down with the answer")
{
    const struct exo_zone_limits limits = {EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};
    int64_t endpoint = MUST(exo_ep_create());

    for (unsigned label = 0; label < EXO_LABELS; label++) {
        int64_t zone = MUST(exo_zone_make(ZONE, label, &limits));
        struct child child = child_new_in((uint64_t)zone, send_self, 0);
        struct exo_message message = {0};
        struct exo_cap_info info;

        EXPECT(exo_cap_copy(child.env, 64, (uint64_t)endpoint, EXO_RIGHT_CALL, 9), 64);
        child_start(&child);
        EXPECT(exo_ep_recv((uint64_t)endpoint, &message, bare_now() + 10000000000ul), 0);
        EXPECT(exo_cap_info(message.word[4], &info), 0);
        CHECK(info.type == EXO_TYPE_ENV && message.badge == 9);
        EXPECT(exo_cap_delete(message.word[4]), 0);
        EXPECT(exo_ep_reply_cap(0, 0, 0, 0, CTX), 0);
        EXPECT((int64_t)child_result(&child), 1);
        EXPECT(exo_cap_delete((uint64_t)zone), 0);
    }
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}
