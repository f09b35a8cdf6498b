/* x86-64 registers, instructions and numbers. The sources: Intel SDM volume 3, AMD APM volume 2. */
#ifndef CPU_H
#define CPU_H

#define SEGMENT_KERNEL_CODE 0x10
#define SEGMENT_KERNEL_DATA 0x18
#define SEGMENT_USER_DATA 0x2b /* as Linux has them: programs see them in signal frames */
#define SEGMENT_USER_CODE 0x33
#define SEGMENT_TSS 0x40

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_APIC_BASE 0x1b
#define EFER_SCE 0x1
#define EFER_LME 0x100
#define EFER_NXE 0x800

#define CR0_MP 0x2
#define CR0_EM 0x4
#define CR0_TS 0x8
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_UMIP 0x800
#define CR4_FSGSBASE 0x10000
#define CR4_SMEP 0x100000
#define CR4_SMAP 0x200000

#define RFLAGS_USER 0x240dd5 /* CF PF AF ZF SF TF DF OF AC ID: what ring 3 may choose */
#define RFLAGS_FIXED 0x202  /* IF and the bit that is always 1 */
#define RFLAGS_MASKED 0x47700 /* cleared by syscall: TF IF DF IOPL NT AC */

#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_NO_FPU 7
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_TIMER 0x40
#define VECTOR_KICK 0x41 /* from another CPU */
#define VECTOR_LINE 0x50 /* + interrupt line */
#define VECTOR_SPURIOUS 0xff
#define VECTORS 256

/* Offsets in struct percpu. In ring 0 each CPU's own is %gs:percpu. */
#define PERCPU_USER_RSP 0
#define PERCPU_STACK 8
#define PERCPU_UPAGE 16
#define PERCPU_SYSCALL_ENTRY 24
#define PERCPU_SCRATCH 32
#define PERCPU_REDIRECTS 40
#define PERCPU_REGS_END 52 /* tss.rsp[0] */

#define CONTEXT_REGS 32          /* offset of the registers in struct context */
#define CONTEXT_FULL_RETURN 232  /* of arch.full_return */
#define EXO_REGS_BYTES 160

#ifndef __ASSEMBLER__
#include <arch/arch.h>
#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct percpu {
    uint64_t user_rsp, stack;
    struct exo_upage *upage;
    uint64_t syscall_entry, scratch, redirects;
    struct tss tss; /* rsp[0]: where the registers of the current context end, which entries from ring 3 push */
    struct context *fpu_owner;
    unsigned flushes; /* pages flushed at this entry */
    bool fpu_off; /* CR0.TS is set */
    bool fsgsbase; /* features.fsgsbase, at hand */
    uint64_t tls;   /* the current context's; not 0 where ring 3 can change it by itself */
    struct env *loaded; /* with several CPUs: whose page tables CR3 names; NULL: the kernel's own */
    bool by_call; /* the last entry was a call, not an exception or interrupt */
    unsigned number, apic_id;
    uint64_t area; /* its stacks, and these variables */
};
extern PER_CPU(struct percpu) percpu;

struct cpu_features {
    bool smep, smap, umip, fsgsbase, huge_pages;
};
extern struct cpu_features features;

/* Page tables: of four levels, 0 is that of the pages. */
#define ENTRIES 512u
static inline unsigned index_at(uint64_t va, unsigned level)
{
    return (unsigned)(va >> (12 + 9 * level) & (ENTRIES - 1));
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t read_cr0(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void write_cr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

struct cpuid {
    uint32_t a, b, c, d;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(subleaf));
    return r;
}

/* smp.c */
void smp_lock(void);
void smp_unlock(void);
extern uint32_t smp_lock_word;
static inline void smp_unlock_clean(void) /* nothing was unmapped since it was taken */
{
    lock_giving();
    __atomic_store_n(&smp_lock_word, 0, __ATOMIC_RELEASE);
}
bool smp_poll(void);   /* waits a moment: true: there may be something to do */
void smp_served(void); /* an interrupt that came in ring 0 */
bool smp_kicked(void); /* VECTOR_KICK: serves it; true: look what shall run */
#define SMP_ALL_PAGES UINT64_MAX
void smp_flush_page(struct env *env, uint64_t va);
/* cpu.c */
#define CPU_AREA_ORDER 3u /* pages of what a CPU has for its own (cpu.c) */
/* In zeroed memory of so many pages: the CPU's variables are there from then on. Returns the end of its stack. */
uint64_t cpu_area_begin(unsigned cpu, unsigned apic_id, void *memory);
void cpu_start(unsigned cpu);
void cpu_choose_entry(void);
/* entry.S */
void syscall_entry(void);
void syscall_entry_locked(void);
void syscall_entry_traced(void);
extern const uint64_t vector_stubs[VECTORS];
_Noreturn void resume_context(struct context *context);
/* memory.c */
extern uint64_t kernel_root; /* page table whose upper half every environment shares */
void *map_device(uint64_t physical);
void space_flush_finish(void); /* before ring 3 runs again */
/* apic.c, clock.c */
void apic_init(void);
void apic_start_this(void);
void apic_eoi(void);
unsigned apic_id(void);
void apic_send(unsigned id, unsigned vector);
void apic_send_init(unsigned id);
void apic_send_start(unsigned id, unsigned page);
void apic_timer(uint32_t ticks);
uint32_t apic_timer_left(void);
void clock_check(void);
void clock_init(void);
/* fpu.c */
void fpu_init(void);
void fpu_needed(struct context *context);
void fpu_save(struct context *context);
void fpu_forget(struct context *context);
/* acpi.c */
unsigned acpi_cpus(uint64_t rsdp, uint8_t *ids, unsigned most);
/* boot.c */
void boot_main(uint32_t kind, uint64_t information);
#endif
#endif
