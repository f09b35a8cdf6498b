/* Plays operations: each goes to the kernel, then to the model; then what both show is compared. */
#include "driver.h"
#include "references.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UPCALL_ENTRY 0x401000ul
#define SYSCALL_ENTRY 0x402000ul
#define COMPARE_EVERY 8u
#define INVARIANTS_EVERY 32u
#define ENVS_MOST 7u
#define SPAWN_UPAGE 0x30000000ul

struct record *record;
static bool talking;
static unsigned entries; /* kernel entries so far */

uint64_t random64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ul; /* splitmix64 (Steele, Lea, Flood 2014) */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}

/* Calls that bring a sequence to an early end come up less often, those that many others need more often. */
static unsigned weight(unsigned number)
{
    switch (number + EXO_CALL_BASE) {
    case EXO_CALL_TRACE_BIND: /* would write where the model knows what stands */
    case EXO_CALL_POWER_OFF: return 0;
    case EXO_CALL_NULL:
    case EXO_CALL_ENV_DESTROY:
    case EXO_CALL_GAS_POLICY:
    case EXO_CALL_STATS:
    case EXO_CALL_CTX_STOP: return 1;
    case EXO_CALL_EP_CALL:
    case EXO_CALL_EP_CALL_CAP:
    case EXO_CALL_EP_CALL_UNTIL:
    case EXO_CALL_EP_CALL_CAP_UNTIL:
    case EXO_CALL_EP_SEND:
    case EXO_CALL_EP_RECV:
    case EXO_CALL_EP_REPLY_RECV:
    case EXO_CALL_SLICE_BIND:
    case EXO_CALL_SLICE_MAKE:
    case EXO_CALL_WATCH_PLACE:
    case EXO_CALL_YIELD_TO:
    case EXO_CALL_WAIT_WORD:
    case EXO_CALL_WAIT: return 3;
    case EXO_CALL_CAP_DERIVE:
    case EXO_CALL_MEM_ALLOC:
    case EXO_CALL_MEM_SHARE:
    case EXO_CALL_MEM_FETCH:
    case EXO_CALL_MEM_MAP: return 6;
    default: return model_knows(number) ? 2 : 0;
    }
}

static unsigned random_call(uint64_t *state)
{
    unsigned total = 0, at;

    for (unsigned i = 0; i < EXO_CALLS; i++)
        total += weight(i);
    at = (unsigned)(random64(state) % total);
    for (unsigned i = 0;; i++) {
        if (at < weight(i))
            return i;
        at -= weight(i);
    }
}

struct op op_random(uint64_t *state)
{
    static const uint8_t shares[OP_KINDS] = {0, 12, 5, 3, 1, 2, 3, 3, 6}; /* of 128; the rest are calls */
    struct op op = {.kind = OP_CALL};
    uint64_t choice = random64(state) % 128;

    for (unsigned kind = 1; kind < OP_KINDS; kind++) {
        if (choice < shares[kind]) {
            op.kind = (uint8_t)kind;
            break;
        }
        choice -= shares[kind];
    }
    op.number = (uint8_t)random_call(state);
    op.squeeze = random64(state) % 8 ? 0 : (uint8_t)(1 + random64(state) % 8);
    for (unsigned i = 0; i < 6; i++)
        op.words[i] = random64(state);
    return op;
}

/* ---- kernel entries ---- */

void count_answer(unsigned number, int64_t result)
{
    record->answers[number][result < 0 && result > -64 ? -result : 0]++;
}

/* Contexts that would end their environment if they ran now: an event, and no frame left for it. */
static struct m_list doomed;

static bool is_doomed(const struct m_object *context)
{
    const struct context *kernel = (const struct context *)context->kernel;

    return context->type == EXO_TYPE_CTX && context->state != CTX_DEAD && kernel->upage && kernel->upage->pending && !kernel->upage->masked &&
           kernel->arch.upcall_entry && kernel->upage->depth >= EXO_UPCALL_FRAMES;
}

static void find_doomed(void)
{
    doomed.count = 0;
    for (unsigned i = 0; i < m_objects.count; i++)
        if (is_doomed(m_objects.at[i]))
            list_push(&doomed, m_objects.at[i]);
}

/* Those that ended. The one that ran last, for a moment, comes last here, too. */
static void take_ends(void)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < doomed.count; i++) {
            struct m_object *context = doomed.at[i], *env = context->env;

            if (context->freed || env->ended || !((struct env *)env->kernel)->ended || (pass == 0 && context->kernel == &arch_current()->object))
                continue;
            m_ran(context);
            m_gas_unseen();
            m_env_end(env, EXO_REASON_FAULT | EXO_CAUSE_EVENT << 8, 0, ((struct env *)env->kernel)->death_pc);
        }
    }
}

/* What the kernel did at the end of its entry besides choosing. */
static void settle(void)
{
    m_gas_settle();
    m_reap();
    take_ends();
    m_gas_settle(); /* an end may have woken somebody, who was stopped then */
    m_reap();
    m_zones_end();
}

/* Nobody can run. Time passes until a timer fires; without one the sequence is over. */
static void idle(void)
{
    m_turn_chosen();
    settle();
    m_turn_over();
    for (unsigned i = 0; i < m_objects.count; i++) {
        const struct m_object *object = m_objects.at[i];

        REQUIRE(object->type != EXO_TYPE_CTX || object->state != CTX_READY || m_is_gated(object), "the kernel idles while context %lu is ready",
                object->kernel->id);
    }
    if (host_timer_ns == UINT64_MAX) {
        m_gas_all_asleep();
        check_invariants();
        if (talking)
            puts("all sleep");
        leave_process(0);
    }
    if (host_cycles < host_timer_ns)
        host_cycles = host_timer_ns;
    host_timer_ns = UINT64_MAX;
    m_expire(host_cycles);
    sched_tick();
    m_reap();
    find_doomed();
}

/* What ring 3 does with an upcall: takes the events and goes on where it was. */
static void return_from_upcall(struct context *context)
{
    struct exo_upage *page = context->upage;

    if (page->depth == 0 || page->depth > EXO_UPCALL_FRAMES || context->arch.regs.rip != context->arch.upcall_entry ||
        context->arch.regs.rdi != context->arch.upage_va + EXO_UPAGE_FRAME + (page->depth - 1) * sizeof(page->frame[0]))
        return;
    page->depth--;
    context->arch.regs = page->frame[page->depth].regs;
    page->masked = 0;
    page->pending = 0;
}

/* The end of a kernel entry: somebody runs, and what everybody sees is right. */
static void leave(void)
{
    struct context *next;

    find_doomed();
    next = sched_leave(arch_current());
    m_turn_chosen();
    settle();
    m_ran(m_find(&next->object));
    settle();
    m_turn_check();
    REQUIRE(m_current->state == CTX_READY, "context %lu runs in state %u", next->object.id, m_current->state);
    REQUIRE(!is_doomed(m_current), "context %lu runs without having taken its event", next->object.id);
    return_from_upcall(next);
    entries++;
    if (entries % INVARIANTS_EVERY == 0)
        check_invariants();
    else if (entries % COMPARE_EVERY == 0)
        compare_all();
    else
        compare_env(m_current->env);
    if (m_current->woken)
        count_answer(m_current->sleeps_in, (int64_t)m_current->result);
    m_current->woken = false;
}

/* A call and its answer, for who wants to read them. */
void say_call(const struct step *s)
{
    if (!talking)
        return;
    printf("context %lu of %lu: %s(", s->caller->kernel->id, s->env->kernel->id, exo_grammar[s->number].name);
    for (unsigned i = 0; i < exo_grammar[s->number].arguments; i++)
        printf("%s%s %#lx", i ? ", " : "", exo_grammar[s->number].argument[i].name, s->a[i]);
    fputs(")", stdout);
    fflush(stdout);
}

static struct { /* the caller's zone has less to give during the next call */
    struct zone *zone;
    uint64_t quota;
} squeezed;

static void squeeze(struct zone *zone, uint64_t frames_left)
{
    if (frames_left >= zone->quota - zone->used)
        return;
    squeezed.zone = zone;
    squeezed.quota = zone->quota;
    zone->quota = zone->used + frames_left;
    if (talking)
        printf("(%lu frames left) ", frames_left);
}

static const char *error_name(int64_t result)
{
    const uint64_t names = sizeof(exo_error_names) / sizeof(exo_error_names[0]);

    return result < 0 && (uint64_t)-result < names && exo_error_names[-result] ? exo_error_names[-result] : "";
}

void say_answer(int64_t result)
{
    if (talking)
        printf(" = %ld %s\n", result, error_name(result));
}

int64_t call(unsigned number, const uint64_t arguments[6])
{
    struct step s = {.number = number};

    memcpy(s.a, arguments, sizeof(s.a));
    step_before(&s);
    m_gas_work(EXO_PRICE_SYSCALL);
    say_call(&s);
    if (number == EXO_CALL_BATCH - EXO_CALL_BASE)
        batch_begins(&s);
    s.result = host_call((struct context *)s.caller->kernel, number, arguments);
    if (squeezed.zone)
        squeezed.zone->quota = squeezed.quota;
    squeezed.zone = NULL;
    say_answer(s.result);
    record->calls++;
    count_answer(number, s.result);
    step_after(&s);
    leave();
    return s.result;
}

/* A fault of ring 3: a write to a page, or another exception. False when the context did not simply go on. */
static bool fault(uint64_t vector, uint64_t error, uint64_t address)
{
    struct step s = {.number = 0};
    struct context *context = (struct context *)m_current->kernel;
    struct m_page *page = m_page(m_current->env, address);
    bool copies = vector == 14 && page && page->copy && page->want && !page->uncached, done;
    uint64_t pc = context->arch.regs.rip;

    if (talking)
        printf("context %lu: fault %lu at %lx\n", context->object.id, vector, address);
    step_before(&s);
    m_gas_work(EXO_PRICE_FAULT);
    kernel_fault(context, vector, error, address);
    done = copies && m_wrote(&s, s.env, address & ~(PAGE - 1ul), 1);
    if (!done && ((struct env *)s.env->kernel)->ended) {
        REQUIRE(!context->arch.upcall_entry || ((struct env *)s.env->kernel)->death_reason, "an environment ended for no reason");
        m_env_end(s.env, EXO_REASON_FAULT | vector << 8, address, pc);
    } else if (!done) {
        REQUIRE(context->arch.regs.rip == context->arch.upcall_entry, "a fault was not told");
        return_from_upcall(context);
    }
    leave();
    return done;
}

bool store(uint64_t va, const void *bytes, uint64_t count)
{
    const struct m_page *page = m_page(m_current->env, va);
    struct m_object *caller = m_current;

    if (!page || !page->want || !page->user || page->uncached || va % PAGE + count > PAGE)
        return false;
    if (page->copy && (!fault(14, 7, va) || m_current != caller))
        return false;
    page = m_page(m_current->env, va);
    memcpy((char *)direct(page->physical) + va % PAGE, bytes, count);
    memcpy(&m_frames[page->physical / PAGE].tag, (char *)direct(page->physical) + TAG_OFFSET, 8);
    return true;
}

/* ---- operations ---- */

static void touch(const struct op *op)
{
    uint64_t page = scratch_page(op->words[0]);

    if (page)
        store(page + TAG_OFFSET, &op->words[1], 8);
}

static void tick(const struct op *op)
{
    uint64_t passed_ns = op->words[0] % 20000;

    host_cycles += passed_ns;
    m_gas_time(passed_ns);
    m_turn_over();
    if (talking)
        printf("time is %lu\n", host_cycles);
    m_expire(host_cycles);
    sched_tick();
    m_reap();
    leave();
}

static void interrupt(const struct op *op)
{
    struct step s = {.number = 0};
    unsigned line = (unsigned)(op->words[0] % HOST_LINES);

    if (talking)
        printf("interrupt %u\n", line);
    step_before(&s);
    irq_fired(line);
    ipc_present(&s);
    if (m_lines[line])
        m_notify(m_lines[line]->endpoint, m_lines[line]->bits);
    leave();
}

/* The context's page is its own to write: events that it has, frames that it uses. */
static void scribble_events(const struct op *op)
{
    struct exo_upage *page = ((struct context *)m_current->kernel)->upage;

    page->masked = op->words[0] & 1;
    page->pending = op->words[0] & 2 ? 1 : 0;
    page->depth = op->words[0] % 16 == 0 ? EXO_UPCALL_FRAMES : (uint32_t)(op->words[0] >> 8 & 1);
    if (talking)
        printf("context %lu: masked %u pending %u depth %u\n", m_current->kernel->id, page->masked, page->pending, page->depth);
}

/* As if a slot had been emptied and filled almost 2^32 times. */
static void age(const struct op *op)
{
    struct m_object *env = m_current->env;
    struct m_cap *cap = &env->slots[env->touched_count > 0 ? env->touched[op->words[0] % env->touched_count] : 0];
    uint32_t generation = UINT32_MAX - 1 - (uint32_t)(op->words[1] % 3);
    struct capability *slot;

    if (!cap->object || cap->object->dead || cap->generation >= generation || cap->node->expires_ns <= host_cycles)
        return;
    REQUIRE(cap_resolve((struct env *)env->kernel, m_handle(env, cap), CAP_ANY, 0, &slot) == 0, "a capability does not resolve");
    cap->generation = generation;
    slot->key = (slot->key & ~SLOT_HANDLE) | m_handle(env, cap);
    if (talking)
        printf("slot %lu has generation %u\n", (unsigned long)(cap - env->slots), generation);
}

static uint64_t find_cap(unsigned type, uint64_t rights)
{
    struct m_object *env = m_current->env;

    for (unsigned i = 0; i < env->touched_count; i++) {
        const struct m_cap *cap = &env->slots[env->touched[i]];

        if (cap->object && !cap->object->dead && cap->object->type == type && (cap->rights & rights) == rights)
            return m_handle(env, cap);
    }
    return 0;
}

#define CALL(NAME, ...) call(EXO_CALL_##NAME - EXO_CALL_BASE, (const uint64_t[6]){__VA_ARGS__})

static uint64_t write_state(uint64_t word)
{
    struct exo_ctx_state state = {.regs = {.rip = 0x400000 + word % 256}, .syscall_entry = SYSCALL_ENTRY, .upcall_entry = UPCALL_ENTRY};
    uint64_t place = scratch_page(word) + word % 8 * 8;

    if (word % 16 == 1)
        state.tls = EXO_USER_TOP;
    if (word % 16 == 2)
        state.upcall_entry = 0;
    return store(place, &state, sizeof(state)) ? place : 0;
}

static uint64_t write_policy(uint64_t word)
{
    struct exo_gas_policy policy = {.base = 256, .congestion_max = 256 + word % 1000, .runnable_free = word >> 10 & 3, .runnable_step = word >> 12 & 255,
                                    .frames_low = word >> 20 & 255, .frames_step = word >> 28 & 255};
    uint64_t place = scratch_page(word) + 256;

    for (unsigned i = 0; i < EXO_GAS_CLASSES; i++)
        policy.classes[i] = 1 + (uint32_t)(word >> 8 * i & 1023);
    if (word % 8 == 0)
        policy.base = 0;
    return store(place, &policy, sizeof(policy)) ? place : 0;
}

static uint64_t write_limits(uint64_t word)
{
    struct exo_zone_limits limits = {word % 600, word >> 12 & 7 ? EXO_QUOTA_NONE : word % 9, word >> 15 & 7 ? EXO_QUOTA_NONE : word % 40,
                                     word >> 20 & 7 ? 100 : word % 3 * 5001};
    uint64_t place = scratch_page(word) + 128;

    return store(place, &limits, sizeof(limits)) ? place : 0;
}

/* An endpoint with a badge to call, and a page to meet on. */
static void share_with(const struct op *op, uint64_t env)
{
    struct m_object *parent = m_current;
    uint64_t endpoint = find_cap(EXO_TYPE_ENDPOINT, EXO_RIGHT_MINT), page = scratch_page(op->words[3]);

    if (!endpoint)
        (void)CALL(EP_CREATE, 0);
    else
        (void)CALL(CAP_DERIVE, env, 0, endpoint, op->words[4] % 2 ? UINT64_MAX : ~(uint64_t)EXO_RIGHT_RECV, 1 + op->words[4] % 5, EXO_DEADLINE_NEVER);
    if (m_current == parent && page)
        (void)CALL(MEM_SHARE, env, 0x10003000, page, 1, EXO_PROT_READ | EXO_PROT_WRITE);
}

/* A child with a few pages, a context and some of its parent's capabilities, as a process tree makes it. */
static void spawn(const struct op *op)
{
    struct m_object *parent = m_current;
    uint64_t zone = find_cap(EXO_TYPE_ZONE, EXO_RIGHT_CHARGE), death = op->words[0] & 1 ? find_cap(EXO_TYPE_ENDPOINT, EXO_RIGHT_RECV) : 0, state;
    unsigned envs = 0;
    int64_t env, context;

    for (unsigned i = 0; i < m_objects.count; i++)
        envs += list_object(&m_objects, i)->type == EXO_TYPE_ENV;
    if (envs >= ENVS_MOST || !zone || (env = CALL(ENV_CREATE, zone, death, op->words[0] % 100)) < 0 || m_current != parent)
        return;
    if (CALL(MEM_ALLOC, (uint64_t)env, 0x10000000, 3, 3) < 0 || m_current != parent)
        return;
    state = write_state(op->words[1]);
    if (!state || m_current != parent || (context = CALL(CTX_CREATE, (uint64_t)env, SPAWN_UPAGE, state)) < 0)
        return;
    for (unsigned i = 0; i < 5 && m_current == parent; i++)
        (void)CALL(CAP_DERIVE, (uint64_t)env, 0, (op->words[2] >> i & 1) ? find_cap(1 + i, EXO_RIGHT_COPY) : (uint64_t)env, UINT64_MAX, 0, EXO_DEADLINE_NEVER);
    share_with(op, (uint64_t)env);
    if (m_current == parent)
        (void)CALL(CAP_DERIVE, (uint64_t)env, 0, zone, UINT64_MAX, 0, EXO_DEADLINE_NEVER);
    if (m_current == parent)
        (void)CALL(CTX_START, (uint64_t)context);
}

/* One of few words, so that sleepers and wakers find each other. */
static uint64_t word_to_meet_at(uint64_t word)
{
    return scratch_page(word % 3) + word / 3 % 4 * 4;
}

/* What watches write: elsewhere, since the model sees the words only after a call. */
static uint64_t word_of_watches(uint64_t word)
{
    return scratch_page(word % 3) + 32 + word / 3 % 4 * 4;
}

/* A condition on a word that is `now` which holds, or nearly; seldom there is no such condition. */
static void write_condition(struct exo_predicate *predicate, uint32_t now, uint64_t word)
{
    unsigned first = word % 32, bits = 1 + (unsigned)(word >> 5) % 32;

    predicate->kind = EXO_WAIT_WORD;
    predicate->value = now + (word >> 20) % 8 / 7;
    if (word >> 24 & 1)
        return;
    predicate->kind = EXO_WAIT_IS + (uint32_t)(word >> 25) % 6 % (word >> 30 & 7 ? 5 : 6);
    if (!(word >> 28 & 3) && (first + bits <= 32 || !(word >> 33 & 7))) {
        predicate->kind |= first << 8 | bits << 16;
        predicate->value = (now >> first & UINT32_MAX >> (32 - bits)) + (word >> 20) % 8 / 7;
    }
}

/* Predicates that hold, or nearly, in the caller's memory: *at is where, *how_many. */
static void write_predicates(const struct op *op, uint64_t *at, uint64_t *how_many)
{
    struct exo_predicate predicates[4];
    uint64_t place = scratch_page(op->words[0]) + 64, count = op->words[1] % 4;
    struct m_object *caller = m_current;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t word = op->words[i + 2];
        bool endpoint = i + 1 == count && word & 1;
        uint32_t now = 0;
        uint64_t va = word % 32 == 0 ? word >> 8 : word >> 56 & 3 ? word_to_meet_at(word >> 5) : word_of_watches(word >> 5);

        (void)m_read(m_current->env, &now, va, 4);
        predicates[i].va = va;
        write_condition(&predicates[i], now, word >> 8);
        if (endpoint)
            predicates[i] = (struct exo_predicate){find_cap(EXO_TYPE_ENDPOINT, EXO_RIGHT_RECV), 0, EXO_WAIT_ENDPOINT};
        else if ((word >> 44) % 64 == 0)
            predicates[i].kind = (uint32_t)word >> 30;
    }
    if (count == 0 || !store(place, predicates, count * sizeof(predicates[0])) || m_current != caller)
        return;
    *at = place;
    *how_many = count;
}

/*
 * Of frames that are taken in the middle of a call the model knows what the page tables show afterwards: pages that are first copied and then
 * replaced in the same call would stay hidden from it.
 */
bool keeps_apart(const uint64_t a[6])
{
    uint64_t mode = a[4] & EXO_SHARE_MODE, distance = (a[1] > a[2] ? a[1] - a[2] : a[2] - a[1]) / PAGE;

    return (mode != EXO_SHARE_SOLE && mode != EXO_SHARE_COPY) || a[3] <= (distance ? distance : 1);
}

bool prepare(const struct op *op, uint64_t a[6])
{
    uint32_t now;
    const struct exo_grammar_call *shape = &exo_grammar[op->number];
    struct m_object *caller = m_current;
    uint64_t state = 0;
    bool takes_state = op->number == EXO_CALL_CTX_CREATE - EXO_CALL_BASE || op->number == EXO_CALL_CTX_WRITE - EXO_CALL_BASE;

    if (takes_state && op->words[5] % 8)
        state = write_state(op->words[5]);
    if (m_current != caller)
        return false;
    for (unsigned i = 0; i < 6; i++)
        a[i] = i < shape->arguments ? argument_value(shape, op->number, i, op->words[i]) : op->words[i];
    if (op->number == EXO_CALL_ZONE_MAKE - EXO_CALL_BASE && op->words[5] % 8) {
        a[2] = write_limits(op->words[5]);
        a[1] = op->words[1] % (EXO_LABELS + 1);
    }
    if (op->number == EXO_CALL_GAS_POLICY - EXO_CALL_BASE && op->words[5] % 8)
        a[1] = write_policy(op->words[5]);
    if (op->number == EXO_CALL_MEM_SHARE - EXO_CALL_BASE && !keeps_apart(a))
        a[3] = 1;
    if ((op->number == EXO_CALL_WAKE - EXO_CALL_BASE || op->number == EXO_CALL_TALLY_CREATE - EXO_CALL_BASE) && op->words[5] % 8)
        a[0] = word_to_meet_at(op->words[0]);
    if (op->number == EXO_CALL_WAKE - EXO_CALL_BASE)
        a[1] = op->words[1] % 16 ? op->words[1] % 3 : op->words[1];
    if (op->number == EXO_CALL_WAIT_WORD - EXO_CALL_BASE && op->words[5] % 8) {
        a[0] = word_to_meet_at(op->words[0]);
        now = 0;
        (void)m_read(m_current->env, &now, a[0], 4);
        a[1] = now + (op->words[1] % 4 == 0);
        a[2] = op->words[2] % 2 ? EXO_DEADLINE_NEVER : a[2];
        a[3] = op->words[3] % 4 ? word_to_meet_at(op->words[3] >> 2) : 0;
        now = 0;
        (void)m_read(m_current->env, &now, a[3], 4);
        a[4] = now + (op->words[4] % 8 == 0);
    }
    if (state)
        a[shape->arguments - 1] = state;
    if (op->number == EXO_CALL_WAIT - EXO_CALL_BASE && op->words[0] % 8)
        write_predicates(op, &a[0], &a[1]);
    if (op->number == EXO_CALL_WATCH_CREATE - EXO_CALL_BASE && op->words[5] % 8) {
        a[0] = word_of_watches(op->words[0]) + 16;
        a[1] = word_of_watches(op->words[1]);
    }
    if (op->number == EXO_CALL_WATCH_PLACE - EXO_CALL_BASE && op->words[5] % 8) {
        a[1] = op->words[1] >> 8 & 63 ? op->words[1] >> 2 & 3 : op->words[1] >> 2 & 31;
        write_predicates(op, &a[2], &a[3]);
    }
    return m_current == caller;
}

static void random_call_of(const struct op *op)
{
    uint64_t a[6];

    if (!prepare(op, a))
        return;
    if (op->squeeze)
        squeeze(((struct env *)m_current->env->kernel)->zone, op->squeeze - 1u);
    call(op->number, a);
}

/* An exception, or a write to a page: often one that is mapped, of RAM or a device. */
static void exception(const struct op *op)
{
    const struct m_object *env = m_current->env;
    bool write = op->words[0] % 4 != 0;
    uint64_t va = env->page_count > 0 && op->words[1] % 8 ? env->pages[op->words[2] % env->page_count].va : op->words[2] & 0x7ffffffff000;

    (void)fault(write ? 14 : 13, write ? 7 : 0, va);
}

void play_begin(void)
{
    struct context *first = sched_pick();

    host_idle = idle;
    references_begin();
    m_begin(first->env, first);
}

void play(const struct op *ops, unsigned count, bool talk)
{
    static void (*const players[OP_KINDS])(const struct op *) = {
        [OP_CALL] = random_call_of, [OP_TOUCH] = touch, [OP_TICK] = tick, [OP_IRQ] = interrupt, [OP_EVENTS] = scribble_events,
        [OP_AGE] = age, [OP_SPAWN] = spawn, [OP_BATCH] = batch_play,
    };

    talking = talk;
    check_invariants();
    for (unsigned i = 0; i < count; i++) {
        if (ops[i].kind == OP_FAULT)
            exception(&ops[i]);
        else
            players[ops[i].kind](&ops[i]);
    }
    check_invariants();
}
