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
#define PX_LIGHT_KEEPS __attribute__((no_caller_saved_registers, hot))

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

/* False: a fault. */
static inline bool px_light_get(uint64_t *value, uint64_t from)
{
    register uint64_t bad __asm__("r9");

    __asm__ volatile(PX_LIGHT_ASK("px_light_get8") : "=a"(*value), "=r"(bad) : "D"(from) : "memory", "cc");
    return !bad;
}
static inline bool px_light_put(uint64_t to, uint64_t value)
{
    register uint64_t bad __asm__("r9");

    __asm__ volatile(PX_LIGHT_ASK("px_light_put8") : "=r"(bad) : "D"(to), "a"(value) : "memory", "cc");
    return !bad;
}
static inline bool px_light_put_two(uint64_t to, uint64_t first, uint64_t second)
{
    register uint64_t bad __asm__("r9");

    __asm__ volatile(PX_LIGHT_ASK("px_light_put16") : "=r"(bad) : "D"(to), "a"(first), "d"(second) : "memory", "cc");
    return !bad;
}

#endif
