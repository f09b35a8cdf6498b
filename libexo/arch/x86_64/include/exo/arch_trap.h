/*
 * x86-64: call number in RAX, arguments in RDI RSI RDX R10 R8 R9, result in RAX; RCX and R11 are lost. Message calls
 * return the badge in RDI and five words in RSI RDX R10 R8 R9; when they fail, what these hold means nothing. Calls from EXO_FAST_FIRST on lose
 * the argument registers, too.
 */
#ifndef EXO_ARCH_TRAP_H
#define EXO_ARCH_TRAP_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stdint.h>

static inline bool exo_trap_is_fast(uint64_t call)
{
    return call >= EXO_CALL_BASE + EXO_FAST_FIRST;
}

static inline int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
                     : "0"(call)
                     : "rcx", "r11", "memory");
    return result;
}

static inline int64_t exo_trap0(uint64_t call)
{
    int64_t result;

    if (exo_trap_is_fast(call))
        __asm__ volatile("syscall" : "=a"(result) : "0"(call) : "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory");
    else
        __asm__ volatile("syscall" : "=a"(result) : "0"(call) : "rcx", "r11", "memory");
    return result;
}

static inline int64_t exo_trap1(uint64_t call, uint64_t a)
{
    int64_t result;

    if (exo_trap_is_fast(call))
        __asm__ volatile("syscall" : "=a"(result), "+D"(a) : "0"(call) : "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory");
    else
        __asm__ volatile("syscall" : "=a"(result) : "0"(call), "D"(a) : "rcx", "r11", "memory");
    return result;
}

static inline int64_t exo_trap2(uint64_t call, uint64_t a, uint64_t b)
{
    int64_t result;

    if (exo_trap_is_fast(call))
        __asm__ volatile("syscall" : "=a"(result), "+D"(a), "+S"(b) : "0"(call) : "rdx", "rcx", "r8", "r9", "r10", "r11", "memory");
    else
        __asm__ volatile("syscall" : "=a"(result) : "0"(call), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

static inline int64_t exo_trap3(uint64_t call, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result;

    if (exo_trap_is_fast(call))
        __asm__ volatile("syscall" : "=a"(result), "+D"(a), "+S"(b), "+d"(c) : "0"(call) : "rcx", "r8", "r9", "r10", "r11", "memory");
    else
        __asm__ volatile("syscall" : "=a"(result) : "0"(call), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static inline int64_t exo_trap4(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(call), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static inline int64_t exo_trap5(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    return exo_trap6(call, a, b, c, d, e, 0);
}

/* A call that answers with a message: words[0..4] go in and come out, *badge comes out. `first` is RDI. */
static inline int64_t exo_trap_message(uint64_t call, uint64_t first, uint64_t words[5], uint64_t *badge)
{
    register uint64_t r10 __asm__("r10") = words[2];
    register uint64_t r8 __asm__("r8") = words[3];
    register uint64_t r9 __asm__("r9") = words[4];
    uint64_t w0 = words[0], w1 = words[1];
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result), "+D"(first), "+S"(w0), "+d"(w1), "+r"(r10), "+r"(r8), "+r"(r9)
                     : "0"(call)
                     : "rcx", "r11", "memory");
    words[0] = w0;
    words[1] = w1;
    words[2] = r10;
    words[3] = r8;
    words[4] = r9;
    *badge = first;
    return result;
}

/* In a loop that waits for another processor. */
static inline void exo_arch_relax(void)
{
    __asm__ volatile("pause");
}

static inline uint64_t exo_arch_cycles(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif
