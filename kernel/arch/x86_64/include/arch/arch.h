/*
 * x86-64's side of the port contract: the types that portable code embeds and the inline functions it calls often. The contract itself is
 * kernel/include/port.h; page-table entries are arch/pte.h.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A variable of which each CPU has one: `static PER_CPU(unsigned) count;`. Its own, a CPU names plainly (through GS, whose base is how far its own lie
 * from what all begin with); that of another is OF_CPU(cpu, type, count). No arrays: gcc 12 takes these for what
 * all begin with; a struct may have one.
 */
#define PER_CPU(type) __attribute__((section(".percpu"))) __seg_gs __typeof__(type)
#define OF_CPU(cpu, type, variable) (*(type *)((uint64_t)&(variable) + arch_cpu_offset[cpu]))
/* Takes from an int64_t of this CPU's: is it negative now? In one instruction, which gcc does not find. */
#define PER_CPU_TAKE(variable, amount)                                                                                 \
    ({                                                                                                                 \
        bool negative;                                                                                                 \
        __asm__("subq %2, %1" : "=@ccs"(negative), "+m"(variable) : "er"((int64_t)(amount)));                          \
        negative;                                                                                                      \
    })
/* What most entries touch, beside the variables of the first CPU: after a change of address space each page costs a walk of the page tables. */
#define HOT_DATA __attribute__((section(".data.hot")))
#define CPUS_MAX 8u
extern uint64_t arch_cpu_offset[CPUS_MAX];
extern unsigned smp_cpus; /* that run */
static inline unsigned arch_cpus(void)
{
    return smp_cpus;
}
unsigned arch_cpu(void);

/*
 * All RAM is mapped at DIRECT_MAP: writable, never executable, but for the kernel's image, whose pages are of one kind each. The tables of its first GiB
 * are also those of the addresses that the kernel is linked for: after a change of address space each page of tables that is looked at costs, under
 * emulation most of all (decision 0041).
 */
#define DIRECT_MAP 0xffffff8000000000ul
#define KERNEL_BASE 0xffffffff80000000ul
#define DIRECT_BYTES (KERNEL_BASE - DIRECT_MAP) /* RAM beyond is not used */
#define LOAD_ADDRESS 0x100000ul

static inline void *direct(uint64_t physical)
{
    return (void *)(physical + DIRECT_MAP);
}

static inline uint64_t direct_physical(const void *address)
{
    return (uint64_t)address - DIRECT_MAP;
}

/* What one leaf page table covers, and a large page: entries within are consecutive. */
#define SPACE_TABLE_BYTES 0x200000ul

/* Huge pages of one address space, and the directory that each was made of: what does not fit here stays large pages. */
#define SPACE_HUGE_MAX 64u
#define SPACE_LEAVES 8u
#define SPACE_NO_LEAF UINT64_MAX
struct space_huge {
    uint32_t gib;       /* address in GiB; 0: not in use */
    uint32_t directory; /* frame number */
};

struct space {
    uint64_t root; /* physical address of the top page table */
    struct {
        uint64_t tag; /* what it covers, as va / SPACE_TABLE_BYTES; SPACE_NO_LEAF: none */
        uint64_t *table;
    } leaf[SPACE_LEAVES]; /* tables found last */
    uint32_t cpus; /* that have it loaded, one bit each */
    struct space_huge huge[SPACE_HUGE_MAX];
};

/* Environments lay out their memory in large powers of two: the low bits of a table's number do not tell tables apart. 2^64 / phi. */
static inline unsigned space_leaf_of(uint64_t va)
{
    return (unsigned)(va / SPACE_TABLE_BYTES * 0x9e3779b97f4a7c15ul >> 61);
}

/* The entry of the 4 KiB page at va, if its table was found lately; else NULL. */
static inline uint64_t *space_entry_soon(struct space *space, uint64_t va)
{
    unsigned leaf = space_leaf_of(va);

    if (__builtin_expect(space->leaf[leaf].tag != va / SPACE_TABLE_BYTES, false))
        return NULL;
    return &space->leaf[leaf].table[va / 4096 % 512];
}

/* The pointer itself: the compiler is not to reckon it again at each use. */
#define KEPT(pointer) __asm__("" : "+r"(pointer))

/* The first member of a context: the entry code pushes registers here. */
struct arch_context {
    struct exo_regs regs; /* the CPU and the stubs fill it from its end downwards: 16-byte aligned end */
    uint64_t tls;
    uint64_t upage_va;       /* GS base in ring 3 */
    uint64_t syscall_entry;
    uint64_t upcall_entry;
    uint64_t fpu_physical;   /* saved FPU state, or 0: never used it */
    uint8_t full_return;     /* 1: came by an interrupt, all registers count (iretq); 0: by syscall, and while it runs */
    uint8_t fpu_cpu;         /* number of the CPU that it used the FPU on last, + 1 */
    uint8_t pad[6];
    uint64_t space_root;     /* its environment's */
} __attribute__((aligned(16)));

static inline void arch_space_load(const struct arch_context *context)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(context->space_root) : "memory");
}

struct boot_range {
    uint64_t start, end;
};

#define BOOT_RANGES 32

/* What the boot loader told. */
struct boot {
    struct boot_range ram[BOOT_RANGES];
    unsigned ram_count;
    struct boot_range image;
    uint64_t rsdp;
    uint8_t cpu[CPUS_MAX]; /* local APICs' numbers */
    unsigned cpu_count;
    char command_line[2048];
};

static inline uint64_t arch_cycles(void)
{
    uint64_t low, high; /* the upper halves of the registers are cleared */

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}

#include <arch/pte.h>
#endif
