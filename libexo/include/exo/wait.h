/* Sleeping on predicates by the shorter of two ways. */
#ifndef EXO_WAIT_H
#define EXO_WAIT_H
#include <exo/calls.h>

/* As exo_wait; one word goes in registers (exo_wait_word), which the kernel has a fast path for. */
static inline int64_t exo_wait_for(const struct exo_predicate *predicates, uint64_t count, uint64_t deadline_ns)
{
    if (count == 1 && predicates->kind == EXO_WAIT_WORD)
        return exo_wait_word((const void *)predicates->va, predicates->value, deadline_ns);
    return exo_wait(predicates, count, deadline_ns);
}
#endif
