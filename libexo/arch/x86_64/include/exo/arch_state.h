/* x86-64: the first argument is in RDI. */
#ifndef EXO_ARCH_STATE_H
#define EXO_ARCH_STATE_H
#include <exo/abi.h>

/* A context that begins at `entry` with the stack and one argument, no thread pointer and no entries. */
static inline void exo_state_begin(struct exo_ctx_state *state, uint64_t entry, uint64_t stack, uint64_t argument)
{
    *state = (struct exo_ctx_state){0};
    state->regs.rip = entry;
    state->regs.rsp = stack;
    state->regs.rdi = argument;
}

#endif
