/*
 * Batches: a batch must do exactly what its calls would do one by one. So it is judged as these: the port says when the kernel is about to set the caller's
 * registers for the next call, and all that the call before it did is there to be seen then.
 */
#include "driver.h"
#include "model_calls.h"

#include <stddef.h>
#include <string.h>

#define WORK_MOST 2048u /* pages' worth of work that a batch may always do */
#define OP_BYTES sizeof(struct exo_batch_op)

static struct batch {
    bool on;
    struct m_object *caller, *env;
    uint64_t ops, count, made, work;
    bool over;  /* no other call may come */
    bool begun; /* `step` is the call that comes next, if one does */
    struct step step;
    struct exo_batch_op op;
} batch;

static uint64_t op_va(void)
{
    return batch.ops + batch.made * OP_BYTES;
}

static uint64_t result_va(void)
{
    return op_va() + offsetof(struct exo_batch_op, result);
}

/* What is said about such calls in abi/exo.abi. */
static bool has_place(unsigned number)
{
    switch (number + EXO_CALL_BASE) {
    case EXO_CALL_EP_CALL:
    case EXO_CALL_EP_CALL_CAP:
    case EXO_CALL_EP_CALL_UNTIL:
    case EXO_CALL_EP_CALL_CAP_UNTIL:
    case EXO_CALL_EP_SEND:
    case EXO_CALL_EP_RECV:
    case EXO_CALL_EP_REPLY_RECV:
    case EXO_CALL_WAIT:
    case EXO_CALL_WAIT_WORD:
    case EXO_CALL_YIELD:
    case EXO_CALL_YIELD_TO:
    case EXO_CALL_BATCH:
    case EXO_CALL_POWER_OFF: return false;
    default: return number < EXO_CALLS && exo_grammar[number].name;
    }
}

/* Does the kernel reach that part of the op to write there? */
static bool reached(uint64_t va, uint64_t bytes)
{
    static struct step now;

    step_room(&now);
    return m_wrote(&now, batch.env, va, bytes);
}

/* The next op is read. */
static bool read_op(void)
{
    batch.over = !reached(op_va(), 1) || !m_read(batch.env, &batch.op, op_va(), sizeof(batch.op));
    return !batch.over;
}

/* More pages' worth of work than the call can have done. */
static uint64_t work_bound(const struct step *s)
{
    uint64_t work = 1500; /* slots looked at, pages of an environment that ends, contexts that wake */

    switch (s->number + EXO_CALL_BASE) {
    case EXO_CALL_NULL:
    case EXO_CALL_CAP_INFO:
    case EXO_CALL_ENV_INFO:
    case EXO_CALL_EP_CREATE:
    case EXO_CALL_SLICE_INFO:
    case EXO_CALL_SLICE_MAKE:
    case EXO_CALL_GAS_INFO: return 1;
    case EXO_CALL_MEM_ALLOC:
    case EXO_CALL_MEM_MAP:
    case EXO_CALL_MEM_QUERY:
    case EXO_CALL_MEM_UNMAP:
    case EXO_CALL_MEM_PROTECT: work = 2 * s->a[2]; break;
    case EXO_CALL_FRAME_CLAIM: work += s->a[1]; break; /* looked for, though not found */
    case EXO_CALL_CAP_REVOKE: work = 4096; break; /* pages looked at, and unmapped, in all environments */
    case EXO_CALL_CONSOLE_WRITE: work = s->a[2]; break;
    default: break;
    }
    return work < 5000 ? work + 8 : 5000;
}

static void judge(int64_t result)
{
    struct step *s = &batch.step;

    batch.work += work_bound(s);
    batch.begun = false;
    m_gas_work(EXO_PRICE_SYSCALL);
    s->result = result;
    record->calls++;
    count_answer(s->number, result);
    say_call(s);
    say_answer(result);
    step_after(s);
    m_gas_settle();
    m_zones_end(); /* who was in one may have left it, and the next call is not its account's */
}

/* The op's result has been written, or could not be. */
static void op_made(int64_t result)
{
    batch.over = !reached(result_va(), sizeof(result)) || (result < 0 && batch.op.flags & EXO_BATCH_NEEDED);
    batch.made++;
}

/* The only call that writes single words, so that one of them may lie in the place of its own result. */
static bool covers_result(void)
{
    const uint64_t out = batch.step.a[3];

    return (batch.step.number == EXO_CALL_MEM_QUERY - EXO_CALL_BASE || batch.step.number == EXO_CALL_MEM_QUERY_CLEAR - EXO_CALL_BASE) &&
           result_va() - out < batch.step.a[2] * sizeof(uint64_t);
}

/* Before each call that has a place in a batch, and when the batch is over. */
static void message_set(const struct context *context)
{
    if (!batch.on || &context->object != batch.caller->kernel)
        return;
    if (batch.begun) {
        REQUIRE(context->state != CTX_READY, "op %lu of a batch got no result", batch.made);
        judge(0); /* it ended or stopped itself, and did so */
        batch.over = true;
        batch.made++;
    }
    if (batch.over || batch.made == batch.count || !read_op() || !has_place(batch.op.call))
        return;
    batch.begun = true;
    batch.step = (struct step){.number = batch.op.call};
    memcpy(batch.step.a, batch.op.argument, sizeof(batch.step.a));
    if (!model_knows(batch.op.call) || covers_result() || (batch.op.call == EXO_CALL_MEM_SHARE - EXO_CALL_BASE && !keeps_apart(batch.step.a)))
        leave_process(0); /* the model cannot follow that */
    step_before(&batch.step);
}

/* The linker puts this before the kernel's own: when a result is written, what the call itself wrote is still there. */
bool __real_space_write(struct env *env, uint64_t va, const void *from, size_t bytes);
bool __wrap_space_write(struct env *env, uint64_t va, const void *from, size_t bytes);
bool __wrap_space_write(struct env *env, uint64_t va, const void *from, size_t bytes)
{
    int64_t result;
    bool written;

    if (!batch.on || bytes != sizeof(result) || va != result_va() || &env->object != batch.env->kernel)
        return __real_space_write(env, va, from, bytes);
    memcpy(&result, from, bytes);
    if (batch.begun) {
        judge(result);
    } else {
        REQUIRE(!batch.over && batch.made < batch.count, "a batch goes on after %lu calls", batch.made);
        REQUIRE(read_op() && !has_place(batch.op.call) && result == -EXO_E_BADCALL, "op %lu of a batch, call %u, answered %ld", batch.made,
                batch.op.call, result);
    }
    written = __real_space_write(env, va, from, bytes);
    op_made(result);
    return written;
}

void batch_begins(struct step *s)
{
    batch = (struct batch){.on = true, .caller = s->caller, .env = s->env, .ops = s->a[0], .count = s->a[1]};
    host_message = message_set;
}

void batch_call(struct step *s)
{
    const struct context *caller = (const struct context *)s->caller->kernel;

    batch.on = false;
    MUST(s, s->a[1] > EXO_BATCH_MOST, INVAL);
    MUST(s, s->a[0] % OP_BYTES, ALIGN);
    MUST(s, !s->must && s->a[1] > 0 && batch.made == 0 && batch.over, FAULT);
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result == batch.made, "a batch says that %ld calls were made; they were %lu", s->result, batch.made);
    REQUIRE(batch.over || (!batch.begun && batch.made == batch.count) || (batch.made > 0 && batch.work > WORK_MOST),
            "a batch was over after %lu calls of %lu", batch.made, batch.count);
    for (unsigned i = 0; i < 6; i++)
        REQUIRE(arch_argument(caller, i) == s->a[i], "a batch has changed argument %u", i);
}

/* A capability that an earlier call of the batch may make. */
static uint64_t handle_to_come(void)
{
    const struct m_object *env = m_current->env;
    uint32_t index = 1;

    while (index < ANY_SLOT_END - 1 && (env->slots[index].object || env->slots[index].generation == UINT32_MAX))
        index++;
    return m_handle(env, &env->slots[index]);
}

/* Writes random calls to a page, and makes them. */
void batch_play(const struct op *op)
{
    uint64_t state = op->words[0], page = scratch_page(op->words[1]), count = op->words[2] % 16 ? 1 + op->words[3] % 7 : op->words[3] % 70;
    uint64_t ops = page + (count < 32 ? PAGE / 2 + op->words[4] % 32 * OP_BYTES : 0);
    struct m_object *caller = m_current;

    if (!page)
        return;
    for (uint64_t i = 0; i < count; i++) {
        struct exo_batch_op made = {.flags = random64(&state) % 8 == 0 ? EXO_BATCH_NEEDED : 0};
        struct op one = op_random(&state);

        if (!prepare(&one, made.argument))
            return;
        made.call = random64(&state) % 32 ? one.number : (uint32_t)random64(&state) % 256;
        for (unsigned a = 0; a < exo_grammar[one.number].arguments; a++)
            if (strchr("ch", exo_grammar[one.number].argument[a].meaning) && random64(&state) % 8 == 0)
                made.argument[a] = handle_to_come();
        if (!store(ops + i * OP_BYTES, &made, offsetof(struct exo_batch_op, result)))
            break;
        if (m_current != caller)
            return;
    }
    (void)call(EXO_CALL_BATCH - EXO_CALL_BASE, (const uint64_t[6]){ops + (op->words[5] % 32 == 0) * 8, count});
}
