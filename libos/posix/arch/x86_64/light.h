/*
 * Light calls: what rewritten instructions of the program (rewrite.c) ask most, for the common case. A light call does all of its work or returns
 * PX_LIGHT_NOT and has changed nothing, and the call's general body follows. It changes no register but RAX, RCX and R11 (entry.S stores none), never
 * sleeps, sends nothing, and leaves nothing to be done on the way out. There is one thread, and events are masked.
 */
#ifndef PX_LIGHT_H
#define PX_LIGHT_H
#include "px.h"

#define PX_LIGHT_NOT (-4096ll)
#define PX_LIGHT_CALLS 229u
/*
 * QEMU finds what an indirect jump leads to in a table, by a number of which 6 bits are of the address within its page: bits 0-5 xor bits 6-11. Of two that
 * meet in one entry each costs as much as a whole light call, so those of one call are kept apart: all begin at a multiple of 64.
 */
#define PX_LIGHT_KEEPS __attribute__((no_caller_saved_registers, section(".text.light"), aligned(64)))

typedef __attribute__((no_caller_saved_registers)) int64_t px_light_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

extern px_light_call *const px_light[PX_LIGHT_CALLS] __attribute__((visibility("hidden")));

/*
 * Copies (copy.S) for who keeps registers. The caller may have something below its stack pointer, of which nobody but the compiler knows.
 */
#define PX_LIGHT_ASK(function) "lea -128(%%rsp), %%rsp\n\tcall " function "\n\tlea 128(%%rsp), %%rsp"

/* Bytes not copied. */
static inline uint64_t px_light_copy(uint64_t to, uint64_t from, uint64_t bytes)
{
    uint64_t left;

    __asm__ volatile(PX_LIGHT_ASK("px_raw_copy") : "=a"(left), "+D"(to), "+S"(from), "+d"(bytes) : : "r8", "r9", "memory", "cc");
    return left;
}

/*
 * One access that may fault, without a call: it lies among others of its kind (posix.ld), for which window.c does what it does for copy.S: R9 is where a
 * fault that cannot be resolved goes on. False: it did.
 */
#define PX_LIGHT_GUARDED(access)                                                                                                                    \
    "lea %l[bad](%%rip), %%r9\n\tjmp 71f\n\t.pushsection .text.guarded, \"ax\", @progbits\n71:\t" access "\n\tjmp 72f\n\t.popsection\n72:"

static inline bool px_light_get(uint64_t *value, uint64_t from)
{
    uint64_t got;

    __asm__ goto(PX_LIGHT_GUARDED("mov (%1), %0") : "=r"(got) : "r"(from) : "r9", "memory" : bad);
    *value = got;
    return true;
bad:
    return false;
}
static inline bool px_light_put(uint64_t to, uint64_t value)
{
    __asm__ goto(PX_LIGHT_GUARDED("mov %1, (%0)") : : "r"(to), "r"(value) : "r9", "memory" : bad);
    return true;
bad:
    return false;
}
static inline bool px_light_put_two(uint64_t to, uint64_t first, uint64_t second)
{
    __asm__ goto(PX_LIGHT_GUARDED("mov %2, 8(%0)\n\tmov %1, (%0)") : : "r"(to), "r"(first), "r"(second) : "r9", "memory" : bad);
    return true;
bad:
    return false;
}

#endif
