/* What execve and the random generator need to know of the processor. */
#include "mm/mm.h"

const char px_arch_platform[] = "x86_64";
const uint16_t px_arch_elf_machine = 62;

static void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "0"(leaf), "2"(0));
}

uint64_t px_arch_hwcap(void)
{
    static uint32_t features; /* CPUID leaves the processor's fast path under virtualisation: asked once */
    uint32_t out[4];

    if (!features) {
        cpuid(1, out);
        features = out[3];
    }
    return features;
}

#define HWCAP2_FSGSBASE 2u
#define INFO_FSGSBASE 1u

uint64_t px_arch_hwcap2(void)
{
    return px_info()->features & INFO_FSGSBASE ? HWCAP2_FSGSBASE : 0;
}

/* The frame of entry's signal delivery: return address, ucontext and siginfo, FXSAVE's area, alignment to 64, the red zone. */
uint64_t px_arch_signal_stack(void)
{
    return (8 + 304 + 128 + 512 + 63 + 128 + 15) & ~15ul;
}

#define CPUID_1_ECX_RDRAND (1u << 30)

static bool random_word(uint64_t *word)
{
    for (int tries = 0; tries < 10; tries++) {
        unsigned char good;

        __asm__ volatile("rdrand %0; setc %1" : "=r"(*word), "=qm"(good) : : "cc");
        if (good)
            return true;
    }
    return false;
}

void px_arch_entropy(uint64_t words[PX_ENTROPY_WORDS])
{
    uint32_t out[4];

    cpuid(1, out);
    for (unsigned at = 0; at < PX_ENTROPY_WORDS; at++) {
        uint64_t word = 0;

        if (out[2] & CPUID_1_ECX_RDRAND)
            random_word(&word);
        words[at] = word ^ exo_arch_cycles() * 0x9e3779b97f4a7c15ull;
    }
}

void px_arch_start(struct exo_regs *regs, uint64_t entry, uint64_t stack)
{
    uint64_t cs = regs->cs, ss = regs->ss;

    memset(regs, 0, sizeof(*regs));
    regs->rip = entry;
    regs->rsp = stack;
    regs->cs = cs;
    regs->ss = ss;
    regs->rflags = 0x202; /* interrupts on, and the bit that is always set */
}
