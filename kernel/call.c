/* Kernel calls: from the number to the body. Handles are resolved and rights checked in the generated decoders, before any body runs. */
#include "kernel.h"
#include "port.h"

#define ARGUMENT0(context) arch_argument(context, 0)
#define ARGUMENT1(context) arch_argument(context, 1)
#define ARGUMENT2(context) arch_argument(context, 2)
#define ARGUMENT3(context) arch_argument(context, 3)
#define ARGUMENT4(context) arch_argument(context, 4)
#define ARGUMENT5(context) arch_argument(context, 5)
#include <kernel_dispatch.inc>

/* `number` is below EXO_CALLS, also when the CPU guesses: the entry code checked it, the mask is for speculation. */
int64_t call_dispatch(struct context *caller, uint64_t number)
{
    _Static_assert(EXO_CALLS <= 128, "the mask below");
    number &= 127;
    caller->env->calls++;
    stats.calls++;
    if (number >= EXO_CALLS || !dispatch[number])
        return -EXO_E_BADCALL;
    return dispatch[number](caller);
}

void kernel_fault(struct context *context, uint64_t vector, uint64_t error, uint64_t address)
{
    stats.faults++;
    context->env->faults++;
    if (arch_fault_is_write(vector, error) && space_break_copy(context->env, address & ~(PAGE - 1ul)))
        return;
    context_upcall(context, vector, error, address);
}
