/*
 * libexo's kernel calls on this machine: all of them come to exo_trap6, which whoever includes this declares before. So do messages, without their words; who
 * wants those defines TRAP_FAKE_MESSAGE, and the function of that name.
 */
#ifndef TRAP_FAKE_H
#define TRAP_FAKE_H
#define EXO_ARCH_TRAP_H
#include <stdint.h>

#define exo_trap0(call) exo_trap6(call, 0, 0, 0, 0, 0, 0)
#define exo_trap1(call, a) exo_trap6(call, a, 0, 0, 0, 0, 0)
#define exo_trap2(call, a, b) exo_trap6(call, a, b, 0, 0, 0, 0)
#define exo_trap3(call, a, b, c) exo_trap6(call, a, b, c, 0, 0, 0)
#define exo_trap4(call, a, b, c, d) exo_trap6(call, a, b, c, d, 0, 0)
#define exo_trap5(call, a, b, c, d, e) exo_trap6(call, a, b, c, d, e, 0)
static inline int64_t exo_trap_message(uint64_t call, uint64_t first, uint64_t words[5], uint64_t *badge)
{
#ifdef TRAP_FAKE_MESSAGE
    return TRAP_FAKE_MESSAGE(call, first, words, badge);
#else
    (void)words, (void)badge;
    return exo_trap6(call, first, 0, 0, 0, 0, 0);
#endif
}

#endif
