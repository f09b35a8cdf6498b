/* Kernel calls: from the number to the body. Handles are resolved and rights checked in the generated decoders, before any body runs. */
#include "kernel.h"
#include "port.h"
#include "trace.h"

#define ARGUMENT0(context) arch_argument(context, 0)
#define ARGUMENT1(context) arch_argument(context, 1)
#define ARGUMENT2(context) arch_argument(context, 2)
#define ARGUMENT3(context) arch_argument(context, 3)
#define ARGUMENT4(context) arch_argument(context, 4)
#define ARGUMENT5(context) arch_argument(context, 5)
#include <kernel_dispatch.inc>

/* The entry code has compared `number` with EXO_CALLS; the mask is for a CPU that guesses. */
int64_t call_dispatch(struct context *caller, uint64_t number)
{
    lock_needed();
    gas_charge(EXO_PRICE_SYSCALL);
    caller->env->calls++;
    COUNT_ONE(counters.calls);
    return dispatch[number % DISPATCH_SIZE](caller);
}

PER_CPU(uint64_t) kernel_work;

/* One call of a batch. False: the batch ends here. */
static bool run_op(struct context *caller, uint64_t va)
{
    struct exo_batch_op op;
    int64_t result = -EXO_E_BADCALL;

    if (!space_read(caller->env, &op, va, sizeof(op)))
        return false;
    if (op.call < EXO_CALLS && batched[op.call]) {
        arch_message_set(caller, op.argument[0], &op.argument[1]); /* where a call's arguments are */
        result = call_dispatch(caller, op.call);
    }
    if (caller->state != CTX_READY) /* it ended or stopped itself */
        return false;
    if (!space_write(caller->env, va + offsetof(struct exo_batch_op, result), &result, sizeof(result)))
        return false;
    return result >= 0 || !(op.flags & EXO_BATCH_NEEDED);
}

int64_t k_batch(struct context *caller, uint64_t ops, uint64_t count)
{
    uint64_t made = 0, saved[6];
    bool goes_on = true;

    if (count > EXO_BATCH_MOST)
        return -EXO_E_INVAL;
    if (ops % sizeof(struct exo_batch_op)) /* so none lies across pages */
        return -EXO_E_ALIGN;
    for (unsigned i = 0; i < 6; i++)
        saved[i] = arch_argument(caller, i);
    kernel_work = 0;
    for (; made < count && goes_on && kernel_work <= EXO_BATCH_WORK; made++) {
        if (!space_reach(caller->env, ops + made * sizeof(struct exo_batch_op), ACCESS_WRITE))
            break;
        goes_on = run_op(caller, ops + made * sizeof(struct exo_batch_op));
    }
    arch_message_set(caller, saved[0], &saved[1]);
    return made == 0 && count > 0 ? -EXO_E_FAULT : (int64_t)made;
}

void kernel_fault(struct context *context, uint64_t vector, uint64_t error, uint64_t address)
{
    COUNT_ONE(counters.faults);
    TRACE(EXO_TRACE_FAULT, (unsigned)vector, context, address, arch_program_counter(context));
    context->env->faults++;
    gas_charge(EXO_PRICE_FAULT);
    if (arch_fault_is_write(vector, error) && space_break_copy(context->env, address & ~(PAGE - 1ul)))
        return;
    context_upcall(context, vector, error, address);
}
