/* Sleeping on predicates by the shorter of two ways. */
#ifndef EXO_WAIT_H
#define EXO_WAIT_H
#include <exo/calls.h>

/* As exo_wait; one word, or two, go in registers (exo_wait_word), which the kernel has a fast path for. */
static inline int64_t exo_wait_for(const struct exo_predicate *predicates, uint64_t count, uint64_t deadline_ns)
{
    if (count == 1 && predicates[0].kind == EXO_WAIT_WORD)
        return exo_wait_word((const void *)predicates[0].va, predicates[0].value, deadline_ns, 0, 0);
    if (count == 2 && predicates[0].kind == EXO_WAIT_WORD && predicates[1].kind == EXO_WAIT_WORD && predicates[1].va != 0)
        return exo_wait_word((const void *)predicates[0].va, predicates[0].value, deadline_ns, predicates[1].va, predicates[1].value);
    return exo_wait(predicates, count, deadline_ns);
}
#endif
