/* The thread pointer, and the processor's state at the start of a new program. */
#include "px_arch.h"
#include "px_calls.h"

#define FEATURE_FSGSBASE 1u
#define MXCSR_DEFAULT 0x1f80u

uint64_t px_arch_read_fs(void);

void px_arch_exec(void)
{
    static const uint32_t mxcsr = MXCSR_DEFAULT;

    px_arch_set_tls(0);
    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
}

uint64_t px_arch_tls(void)
{
    return px_info()->features & FEATURE_FSGSBASE ? px_arch_read_fs() : px_thread()->kept.tls;
}

void px_arch_set_tls(uint64_t base)
{
    px_thread()->kept.tls = base;
    (void)!exo_set_tls(base);
}

#define ARCH_SET_GS 0x1001u
#define ARCH_SET_FS 0x1002u
#define ARCH_GET_FS 0x1003u
#define ARCH_GET_GS 0x1004u

/* The GS base is the libOS's: a program that asks for it is told EPERM, as Linux does for addresses it may not have. */
int64_t px_sys_arch_prctl(uint64_t code, uint64_t address, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t base;

    (void)c, (void)d, (void)e, (void)f;
    switch (code) {
    case ARCH_SET_FS:
        if (address >= EXO_USER_TOP || exo_set_tls(address) < 0)
            return -EPERM;
        px_thread()->kept.tls = address;
        return 0;
    case ARCH_GET_FS:
        base = px_arch_tls();
        return px_copy_out(address, &base, sizeof(base));
    case ARCH_SET_GS: return -EPERM;
    case ARCH_GET_GS:
        base = 0;
        return px_copy_out(address, &base, sizeof(base));
    default: return -EINVAL;
    }
}
