/*
 * Each call that abi/ says may answer NOMEM fails at every point at which it can run out of frames, slots or environments, and leaves nothing: the calls are
 * taken from the grammar, so one that is new fails this until it is set up here.
 */
#include "cases.h"
#include "references.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAR 0x7f0000000000ul /* no table is near */
#define ATTEMPTS 60u
#define FILLERS 256u

static struct case_child other;
static const struct exo_ctx_state state = {.regs = {.rip = HOST_ENTRY}};
static const struct exo_zone_limits limits = {EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

/* ---- what each call needs ---- */

#define ARGUMENTS(...)                                                                                                 \
    do {                                                                                                               \
        const uint64_t given[6] = {__VA_ARGS__};                                                                       \
                                                                                                                       \
        for (unsigned i = 0; i < 6; i++)                                                                               \
            a[i] = given[i];                                                                                           \
        return true;                                                                                                   \
    } while (0)

/* The other environment's context receives from the endpoint, or calls it with `call`, so that this one has received its call. */
static uint64_t partner(bool calls)
{
    uint64_t endpoint = MUST_DO(EP_CREATE), there = case_give(&other, endpoint);
    struct context *self = case_self();

    case_become(other.context);
    (void)(calls ? DO(EP_CALL, there) : DO(EP_RECV, there, EXO_DEADLINE_NEVER));
    case_become(self);
    if (calls)
        (void)MUST_DO(EP_RECV, endpoint, EXO_DEADLINE_NEVER);
    return endpoint;
}

static uint64_t task(uint64_t policy)
{
    (void)MUST_DO(ZONE_POLICY, ZONE, policy);
    return MUST_DO(SLICE_MAKE, ZONE, 1);
}

static bool arguments_of_objects(unsigned number, uint64_t a[6])
{
    switch (number + EXO_CALL_BASE) {
    case EXO_CALL_ENV_CREATE:
    case EXO_CALL_EP_CREATE_IN: ARGUMENTS(ZONE);
    case EXO_CALL_EP_CREATE: ARGUMENTS(0);
    case EXO_CALL_CTX_CREATE: ARGUMENTS(other.env, FAR, MEMORY + PAGE);
    case EXO_CALL_TALLY_CREATE: ARGUMENTS(MEMORY);
    case EXO_CALL_WATCH_CREATE: ARGUMENTS(MEMORY, MEMORY + 4);
    case EXO_CALL_IRQ_BIND: ARGUMENTS(MACHINE, 2, MUST_DO(EP_CREATE), 1);
    case EXO_CALL_ZONE_CREATE: ARGUMENTS(ZONE, 5);
    case EXO_CALL_ZONE_MAKE: ARGUMENTS(ZONE, EXO_LABEL_TOP, MEMORY + 2 * PAGE);
    case EXO_CALL_ZONE_MEMBER: ARGUMENTS(ZONE, 0);
    case EXO_CALL_ZONE_ENTER: ARGUMENTS(MUST_DO(ZONE_CREATE, ZONE, 50), other.env);
    case EXO_CALL_SERVICE_CREATE: ARGUMENTS(EXO_TYPE_SERVICE);
    case EXO_CALL_PORTS_CREATE: ARGUMENTS(MACHINE, 0, 4);
    case EXO_CALL_TRACE_BIND:
    case EXO_CALL_DMA_BIND: ARGUMENTS(MACHINE, MUST_DO(FRAME_ALLOC, ZONE, 1));
    case EXO_CALL_SLICE_MAKE: ARGUMENTS(ZONE, 1);
    case EXO_CALL_ZONE_POLICY: ARGUMENTS(ZONE, EXO_POLICY_BEATTY);
    case EXO_CALL_SLICE_AFTER: ARGUMENTS(task(EXO_POLICY_DAG), MUST_DO(SLICE_MAKE, ZONE, 1), MEMORY);
    case EXO_CALL_SLICE_RESERVE: ARGUMENTS(task(EXO_POLICY_RT), 1000000, 10000000);
    default: return false;
    }
}

static bool arguments_of_memory(unsigned number, uint64_t a[6])
{
    switch (number + EXO_CALL_BASE) {
    case EXO_CALL_MEM_ALLOC: ARGUMENTS(other.env, FAR, 1, 3);
    case EXO_CALL_MEM_MAP: ARGUMENTS(other.env, FAR, IMAGE, 0, 1, 1);
    case EXO_CALL_MEM_SHARE: ARGUMENTS(other.env, FAR, MEMORY, 1, EXO_SHARE_COPY | 3);
    case EXO_CALL_MEM_FETCH: ARGUMENTS(SELF, MEMORY, FAR, 1, 3);
    case EXO_CALL_FRAME_ALLOC: ARGUMENTS(ZONE, 3);
    case EXO_CALL_FRAME_CLAIM: ARGUMENTS(ZONE, 20, EXO_FRAME_COLOUR, 1ul << 32);
    case EXO_CALL_FRAME_SPLIT: ARGUMENTS(MUST_DO(FRAME_ALLOC, ZONE, 2), 1);
    case EXO_CALL_FRAME_DEVICE: ARGUMENTS(MACHINE, HOST_DEVICE, 1);
    default: return false;
    }
}

static bool arguments_of_capabilities(unsigned number, uint64_t a[6])
{
    switch (number + EXO_CALL_BASE) {
    case EXO_CALL_CAP_DERIVE: ARGUMENTS(other.env, 300, SELF, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
    case EXO_CALL_CAP_MOVE: ARGUMENTS(other.env, 300, MUST_DO(EP_CREATE));
    case EXO_CALL_ENV_CLONE_SLOTS: ARGUMENTS(other.env, 2, 4);
    case EXO_CALL_EP_CALL_CAP: ARGUMENTS(partner(false), 0, 0, 0, 0, ZONE);
    case EXO_CALL_EP_CALL_CAP_UNTIL: ARGUMENTS(partner(false), 0, 0, 0, EXO_DEADLINE_NEVER, ZONE);
    case EXO_CALL_EP_REPLY_CAP: (void)partner(true); ARGUMENTS(0, 0, 0, 0, ZONE);
    default: return false;
    }
}

/* Sets the call's stage; false: nobody has said how. */
static bool set_up(unsigned number, uint64_t a[6])
{
    other = case_child(ZONE);
    case_poke(MEMORY + PAGE, &state, sizeof(state));
    case_poke(MEMORY + 2 * PAGE, &limits, sizeof(limits));
    return arguments_of_objects(number, a) || arguments_of_memory(number, a) || arguments_of_capabilities(number, a);
}

/* ---- running out ---- */

/* So that each small object needs a page of its own zone's: no block is left in those that are there. */
static void *fillers[SLAB_CLASSES][FILLERS];

static void fill_pages(void)
{
    for (unsigned class = 0; class < SLAB_CLASSES; class++)
        for (unsigned i = 0; i < FILLERS && !list_empty(&zones[0]->slab[class].pages); i++)
            fillers[class][i] = zone_small(zones[0], 64ul << class);
}

static void empty_pages(void)
{
    for (unsigned class = 0; class < SLAB_CLASSES; class++)
        for (unsigned i = 0; i < FILLERS && fillers[class][i]; i++)
            zone_small_free(zones[0], fillers[class][i], 64ul << class);
}

enum shortage { FRAMES, SLOTS, ENVIRONMENTS, SHORTAGES };

static uint64_t limit(enum shortage shortage, uint64_t spare)
{
    uint64_t *quotas[SHORTAGES] = {&zones[0]->quota, &zones[0]->slots.quota, &zones[0]->envs.quota};
    uint64_t used[SHORTAGES] = {zones[0]->used, zones[0]->slots.used, zones[0]->envs.used}, before = *quotas[shortage];

    *quotas[shortage] = spare == EXO_QUOTA_NONE ? spare : used[shortage] + spare;
    return before;
}

enum { MADE = 10, SHORT, WRONG, NOT_SET_UP }; /* how a process ends */

/* In a process of its own: the call with so much to spare. */
_Noreturn static void attempt(unsigned number, enum shortage shortage, uint64_t spare)
{
    uint64_t a[6] = {0};
    unsigned before, slots;
    int64_t result;

    if (!set_up(number, a))
        _exit(NOT_SET_UP);
    case_check();
    before = references_found;
    slots = case_self()->env->slots_used;
    fill_pages();
    (void)limit(shortage, spare);
    result = case_call(number, a);
    (void)limit(shortage, EXO_QUOTA_NONE);
    empty_pages();
    case_check();
    if (number == NUMBER(ENV_CLONE_SLOTS) && result >= 0 && result < 4)
        result = -EXO_E_NOMEM; /* what was copied before stays: how many says the answer */
    else if (result < 0 && (references_found != before || slots != case_self()->env->slots_used))
        REQUIRE(false, "%s left %u objects instead of %u", exo_grammar[number].name, references_found, before);
    if (result < 0 && result != -EXO_E_NOMEM)
        REQUIRE(false, "%s answered %ld", exo_grammar[number].name, result);
    _exit(result < 0 ? SHORT : MADE);
}

static int run_attempt(unsigned number, enum shortage shortage, uint64_t spare)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        attempt(number, shortage, spare);
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid, "no process");
    return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

/* With ever more to spare, until it succeeds. How often it failed; -1: in another way than it should. */
static int failures_of(unsigned number, enum shortage shortage)
{
    for (uint64_t spare = 0; spare < ATTEMPTS; spare++) {
        int end = run_attempt(number, shortage, spare);

        if (end == MADE)
            return (int)spare;
        if (end != SHORT) {
            printf("# %s with %lu %s: %s\n", exo_grammar[number].name, spare, shortage == FRAMES ? "frames" : shortage == SLOTS ? "slots" : "environments",
                   end == NOT_SET_UP ? "nobody has said how (nomem_cases.c)" : "see above");
            return -1;
        }
    }
    return -1;
}

CASE(no_memory, "each call that may answer NOMEM does so wherever it can run out of something, and leaves nothing")
{
    bool good = true;

    for (unsigned number = 0; number < EXO_CALLS; number++) {
        int failures = 0;

        /* Only large pages make these take memory, which this port has not: tests/bare/large_cases.c. */
        if (!(exo_grammar[number].errors >> EXO_E_NOMEM & 1) || number == NUMBER(MEM_PROTECT) || number == NUMBER(MEM_UNMAP))
            continue;
        for (enum shortage shortage = FRAMES; shortage < SHORTAGES && failures >= 0; shortage++) {
            int found = failures_of(number, shortage);

            failures = found < 0 ? found : failures + found;
        }
        printf("# %s failed %d times\n", exo_grammar[number].name, failures);
        good = good && failures > 0;
    }
    REQUIRE(good, "some calls are not as they should be");
}
