/*
 * Contexts: one thread of control each. Faults and events enter ring 3 again through the upcall entry, with the registers saved in the context page, which
 * the context may scribble over as it likes: the kernel keeps nothing there that it needs.
 */
#include <exo/string.h>

#include "port.h"
#include "slice.h"
#include "trace.h"

struct context *context_new(struct env *env, uint64_t upage_va, const struct exo_ctx_state *state, int64_t *error)
{
    struct context *context;
    uint64_t *entry, physical;

    *error = -EXO_E_LIMIT;
    if (env->context_count >= CONTEXTS_MAX)
        return NULL;
    *error = -EXO_E_NOMEM;
    context = object_new(env->zone, EXO_TYPE_CTX, sizeof(*context));
    if (!context)
        return NULL;
    entry = space_entry(env, upage_va, true);
    physical = entry && !(*entry & PTE_PRESENT) ? frame_take(env->zone, 0, false) : 0;
    if (!physical || space_map(env, upage_va, physical, pte_make(physical, EXO_PROT_READ | EXO_PROT_WRITE, true)) < 0) {
        if (entry && *entry & PTE_PRESENT)
            *error = -EXO_E_EXISTS;
        if (physical)
            frame_drop(physical);
        object_free(&context->object, sizeof(*context));
        return NULL;
    }
    frame_hold(physical);
    context->upage_physical = physical;
    context->upage = direct(physical);
    context->upage->self = upage_va;
    context->upage->version = EXO_ABI_VERSION;
    context->env = env;
    list_init(&context->link);
    list_init(&context->peers);
    list_init(&context->slice_link);
    list_init(&context->serves_link);
    context->event_timer.kind = TIMER_EVENT;
    list_init(&context->wait_endpoints);
    list_append(&env->contexts, &context->env_link);
    env->context_count++;
    object_hold(&env->object);
    object_hold(&context->object); /* by the environment's list, until context_kill */
    arch_context_init(context, state, upage_va);
    stats.contexts++;
    return context;
}

/* Takes the context out of everything; only capabilities may still name it. */
void context_kill(struct context *context)
{
    if (context->state == CTX_DEAD)
        return;
    sched_dislodge(context);
    sched_remove(context);
    if (context->donated)
        gas_sponsor(context, NULL);
    wait_cancel(context);
    timer_disarm(&context->event_timer);
    ipc_forget(context);
    slice_unbind(context);
    context->state = CTX_DEAD;
    context->object.dead = 1;
    list_remove(&context->env_link);
    context->env->context_count--;
    stats.contexts--;
    frame_drop(context->upage_physical);
    context->upage = NULL;
    arch_context_free(context);
    if (context != arch_current()) { /* else when another runs: sched.c, make_current */
        context->env->cpu_cycles += context->cpu_cycles;
        object_drop(&context->object);
    }
}

void context_free(struct object *object)
{
    struct env *env = ((struct context *)object)->env;

    object_drop(&env->object);
    object_free(object, sizeof(struct context));
}

void context_upcall(struct context *context, uint64_t cause, uint64_t error, uint64_t address)
{
    struct exo_upage *page = context->upage;
    uint32_t depth = page->depth;
    struct exo_upcall *frame;
    struct exo_ctx_state state;

    if (!context->arch.upcall_entry || depth >= EXO_UPCALL_FRAMES) {
        env_end(context->env, EXO_REASON_FAULT | cause << 8, address, arch_program_counter(context));
        return;
    }
    frame = &page->frame[depth];
    arch_context_read(context, &state);
    frame->regs = state.regs;
    frame->cause = cause;
    frame->error = error;
    frame->address = address;
    frame->masked = page->masked;
    frame->pending = page->pending;
    page->depth = depth + 1;
    page->masked = 1;
    COUNT_ONE(counters.upcalls);
    TRACE(EXO_TRACE_UPCALL, (unsigned)cause, context, address, 0);
    arch_upcall_enter(context, context->arch.upage_va + EXO_UPAGE_FRAME + depth * sizeof(*frame), cause);
}

void context_post(struct context *context, uint32_t bits)
{
    if (context->state == CTX_DEAD)
        return;
    __atomic_fetch_or(&context->upage->pending, bits, __ATOMIC_SEQ_CST);
    if (context->state == CTX_WAIT || context->state == CTX_RECEIVE)
        wait_finish(context, -EXO_E_EVENT);
    else if (context->cpu != 0)
        sched_changed(context);
}

void context_deliver(struct context *context)
{
    struct exo_upage *page = context->upage;

    if (page->pending && !page->masked && context->arch.upcall_entry)
        context_upcall(context, EXO_CAUSE_EVENT, 0, 0);
}

int64_t k_ctx_create(struct context *caller, struct capability *capability, uint64_t upage_va, uint64_t state_va)
{
    struct env *env = (struct env *)capability->object;
    struct exo_ctx_state state;
    struct context *context;
    int64_t error, handle;

    if (upage_va % PAGE)
        return -EXO_E_ALIGN;
    if (upage_va == 0 || upage_va >= EXO_USER_TOP)
        return -EXO_E_RANGE;
    if (!space_read(caller->env, &state, state_va, sizeof(state)))
        return -EXO_E_FAULT;
    if (!arch_state_valid(&state))
        return -EXO_E_RANGE;
    if (env->ended)
        return -EXO_E_PEER;
    context = context_new(env, upage_va, &state, &error);
    if (!context)
        return error;
    handle = arch_context_inherit(caller, context) ? cap_insert_below(caller->env, capability, &context->object, EXO_RIGHTS_ALL)
                                                    : -EXO_E_NOMEM;
    if (handle < 0) {
        context_kill(context);
        space_unmap(env, upage_va);
    }
    object_drop(&context->object);
    return handle;
}

int64_t k_ctx_start(struct context *caller, struct capability *capability)
{
    struct context *context = (struct context *)capability->object;

    (void)caller;
    if (context->state == CTX_STOPPED)
        sched_ready(context);
    return 0;
}

int64_t k_ctx_stop(struct context *caller, struct capability *capability)
{
    struct context *context = (struct context *)capability->object;

    (void)caller;
    sched_dislodge(context);
    switch ((enum context_state)context->state) {
    case CTX_WAIT:
    case CTX_RECEIVE: wait_finish(context, -EXO_E_EVENT); break;
    case CTX_CALL:
    case CTX_REPLY:
        ipc_forget(context);
        arch_result(context, -EXO_E_EVENT);
        break;
    case CTX_READY:
    case CTX_STOPPED:
    case CTX_DRY:
    case CTX_DEAD: break;
    }
    sched_remove(context);
    context->state = CTX_STOPPED;
    return 0;
}

int64_t k_ctx_read(struct context *caller, struct capability *capability, uint64_t out)
{
    const struct context *context = (const struct context *)capability->object;
    struct exo_ctx_state state;

    if (context->state != CTX_STOPPED)
        return -EXO_E_BUSY;
    arch_context_read(context, &state);
    return space_write(caller->env, out, &state, sizeof(state)) ? 0 : -EXO_E_FAULT;
}

int64_t k_ctx_write(struct context *caller, struct capability *capability, uint64_t in)
{
    struct context *context = (struct context *)capability->object;
    struct exo_ctx_state state;

    if (context->state != CTX_STOPPED)
        return -EXO_E_BUSY;
    if (!space_read(caller->env, &state, in, sizeof(state)))
        return -EXO_E_FAULT;
    if (!arch_state_valid(&state))
        return -EXO_E_RANGE;
    arch_context_write(context, &state);
    return 0;
}

int64_t k_ctx_post(struct context *caller, struct capability *capability, uint64_t bits)
{
    (void)caller;
    context_post((struct context *)capability->object, (uint32_t)bits);
    return 0;
}

int64_t k_ctx_time(struct context *caller, struct capability *capability)
{
    (void)caller;
    return (int64_t)arch_cycles_to_ns(sched_context_cycles((const struct context *)capability->object));
}

int64_t k_set_tls(struct context *caller, uint64_t base)
{
    if (!arch_user_address(base))
        return -EXO_E_RANGE;
    arch_set_tls(caller, base);
    return 0;
}

int64_t k_set_entries(struct context *caller, uint64_t syscall_entry, uint64_t upcall_entry)
{
    if (!arch_user_address(syscall_entry) || !arch_user_address(upcall_entry))
        return -EXO_E_RANGE;
    caller->arch.syscall_entry = syscall_entry;
    caller->arch.upcall_entry = upcall_entry;
    arch_switch_to(caller);
    return 0;
}

int64_t k_timer_set(struct context *caller, uint64_t deadline_ns, uint64_t bits)
{
    timer_disarm(&caller->event_timer);
    caller->event_timer_bits = (uint32_t)bits;
    if (deadline_ns != EXO_DEADLINE_NEVER)
        timer_arm(&caller->event_timer, deadline_ns);
    return 0;
}
