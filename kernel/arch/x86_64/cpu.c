/* Descriptor tables, control registers, and what the CPU can do. */
#include "cpu.h"

#include <exo/string.h>

#include "port.h"
#include "trace.h"

PER_CPU(struct percpu) percpu;
struct cpu_features features;

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, attributes;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

#define STACK_BYTES 18432u
#define FATAL_STACK_BYTES 4096u

static struct gate idt[VECTORS];

struct gdt {
    uint64_t entry[10];
};
static PER_CPU(struct gdt) gdt;

/*
 * What each CPU has for its own: stacks and variables. At the top of the stacks for the worst, which may begin with GS anywhere, stands how far the variables
 * lie. Each entry uses the end of the stack and the variables: they are in one page.
 */
struct cpu_area {
    char fatal_stacks[3][FATAL_STACK_BYTES];
    char stack[STACK_BYTES];
    struct context **current; /* the stack's top: by it debuggers find the registers of ring 3 (entry.S) */
    uint64_t pad[7];
    char variables[1984];
};
extern char kernel_percpu[], kernel_percpu_end[]; /* kernel.ld */
static struct cpu_area first_area __attribute__((aligned(PAGE)));
_Static_assert(sizeof(struct cpu_area) == PAGE << CPU_AREA_ORDER, "smp.c takes so much");
_Static_assert(offsetof(struct cpu_area, stack) / PAGE < offsetof(struct cpu_area, current) / PAGE, "the end of the stack is in the page of the variables");
_Static_assert(offsetof(struct cpu_area, variables) % 64 == 0, "kernel.ld aligns them so");
_Static_assert(offsetof(struct cpu_area, current) == offsetof(struct cpu_area, stack) + STACK_BYTES, "entry.S");

_Static_assert(offsetof(struct percpu, user_rsp) == PERCPU_USER_RSP && offsetof(struct percpu, stack) == PERCPU_STACK, "entry.S");
_Static_assert(offsetof(struct percpu, tss.rsp) == PERCPU_REGS_END && offsetof(struct percpu, upage) == PERCPU_UPAGE, "entry.S");
_Static_assert(offsetof(struct percpu, syscall_entry) == PERCPU_SYSCALL_ENTRY, "entry.S");
_Static_assert(offsetof(struct percpu, scratch) == PERCPU_SCRATCH, "entry.S");
_Static_assert(offsetof(struct percpu, redirects) == PERCPU_REDIRECTS, "entry.S");
_Static_assert(offsetof(struct context, arch.regs) == CONTEXT_REGS, "entry.S");
_Static_assert(offsetof(struct context, arch.full_return) == CONTEXT_FULL_RETURN, "entry.S");
_Static_assert(sizeof(struct exo_regs) == EXO_REGS_BYTES, "entry.S");
_Static_assert((CONTEXT_REGS + sizeof(struct exo_regs)) % 16 == 0, "the CPU aligns the stack that it pushes to");

static void set_gdt(struct cpu_area *area)
{
    uint64_t offset = arch_cpu_offset[percpu.number], base = (uint64_t)&percpu.tss + offset;
    struct table_pointer pointer = {sizeof(gdt) - 1, (uint64_t)&gdt + offset};

    gdt.entry[SEGMENT_KERNEL_CODE / 8] = 0x00af9b000000ffff;
    gdt.entry[SEGMENT_KERNEL_DATA / 8] = 0x00cf93000000ffff;
    gdt.entry[SEGMENT_USER_DATA / 8] = 0x00cff3000000ffff;
    gdt.entry[SEGMENT_USER_CODE / 8] = 0x00affb000000ffff;
    gdt.entry[SEGMENT_TSS / 8] = 0x0000890000000000 | (sizeof(percpu.tss) - 1) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    gdt.entry[SEGMENT_TSS / 8 + 1] = base >> 32;
    percpu.tss.io_map = sizeof(percpu.tss);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t *top = (uint64_t *)(void *)(area->fatal_stacks[i] + FATAL_STACK_BYTES) - 2;

        *top = offset;
        percpu.tss.ist[i] = (uint64_t)top;
    }
    __asm__ volatile("lgdt %0" : : "m"(pointer) : "memory");
    __asm__ volatile("ltr %w0" : : "r"(SEGMENT_TSS) : "memory");
}

static void set_gate(unsigned vector, unsigned ist, unsigned privilege)
{
    uint64_t stub = vector_stubs[vector];

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)stub,
        .selector = SEGMENT_KERNEL_CODE,
        .ist = (uint8_t)ist,
        .attributes = (uint8_t)(0x8e | privilege << 5),
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
    };
}

static void set_idt(void)
{
    for (unsigned vector = 0; vector < VECTORS; vector++)
        set_gate(vector, 0, vector == 3 || vector == 4 ? 3 : 0);
    set_gate(VECTOR_DOUBLE_FAULT, 1, 0);
    set_gate(VECTOR_NMI, 2, 0);
    set_gate(VECTOR_MACHINE_CHECK, 3, 0);
}

static void find_features(void)
{
    struct cpuid extended = {0};

    if (cpuid(0, 0).a >= 7)
        extended = cpuid(7, 0);
    features.smep = extended.b >> 7 & 1;
    features.smap = extended.b >> 20 & 1;
    features.umip = extended.c >> 2 & 1;
    features.fsgsbase = extended.b & 1;
    features.huge_pages = cpuid(0x80000001, 0).d >> 26 & 1;
    if (!(cpuid(0x80000001, 0).d >> 20 & 1))
        panic("this CPU cannot forbid execution (NX)");
}

/* With one CPU nobody takes a lock. */
void cpu_choose_entry(void)
{
    void (*entry)(void) = percpu.number == 0 && smp_cpus == 1 ? syscall_entry : syscall_entry_locked;

    if (trace_to)
        entry = syscall_entry_traced;
    write_msr(MSR_LSTAR, (uint64_t)entry);
}

static void set_control(void)
{
    uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    if (features.smep)
        cr4 |= CR4_SMEP;
    if (features.smap)
        cr4 |= CR4_SMAP;
    if (features.umip)
        cr4 |= CR4_UMIP;
    if (features.fsgsbase)
        cr4 |= CR4_FSGSBASE;
    write_cr4(cr4);
    write_msr(MSR_EFER, EFER_SCE | EFER_LME | EFER_NXE | 0x400);
    write_msr(MSR_STAR, (uint64_t)(SEGMENT_USER_DATA - 8) << 48 | (uint64_t)SEGMENT_KERNEL_CODE << 32);
    cpu_choose_entry();
    write_msr(MSR_SFMASK, RFLAGS_MASKED);
    write_msr(MSR_KERNEL_GS_BASE, 0);
}

unsigned arch_cpu(void)
{
    return percpu.number;
}

uint64_t arch_cpu_offset[CPUS_MAX];

uint64_t cpu_area_begin(unsigned cpu, unsigned apic_id, void *memory)
{
    struct cpu_area *area = memory;
    size_t bytes = (size_t)(kernel_percpu_end - kernel_percpu);

    ASSERT(bytes <= sizeof(area->variables));
    memcpy(area->variables, kernel_percpu, bytes);
    arch_cpu_offset[cpu] = (uint64_t)area->variables - (uint64_t)kernel_percpu;
    OF_CPU(cpu, struct percpu, percpu) = (struct percpu){.number = cpu, .apic_id = apic_id, .area = (uint64_t)area};
    return (uint64_t)area->stack + STACK_BYTES;
}

void cpu_start(unsigned cpu)
{
    struct table_pointer pointer = {sizeof(idt) - 1, (uint64_t)idt};
    struct cpu_area *area;

    write_msr(MSR_GS_BASE, arch_cpu_offset[cpu]);
    area = (struct cpu_area *)percpu.area;
    set_gdt(area);
    __asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
    set_control();
    percpu.tls = percpu.fsgsbase = features.fsgsbase;
    percpu.stack = (uint64_t)area->stack + STACK_BYTES;
    area->current = (struct context **)((uint64_t)&sched_cpu.current + arch_cpu_offset[cpu]);
    fpu_init();
}

/* What nobody has written to is zero: the area began so. */
uint64_t arch_stack_used(unsigned cpu)
{
    const uint64_t *top = (const uint64_t *)OF_CPU(cpu, struct percpu, percpu).stack, *at = top - STACK_BYTES / sizeof(*top);

    while (at < top && *at == 0)
        at++;
    return (uint64_t)(top - at) * sizeof(*top);
}

void arch_init_cpu(void)
{
    (void)cpu_area_begin(0, 0, &first_area);
    find_features();
    set_idt();
    cpu_start(0);
    info->features = (uint64_t)features.fsgsbase | (uint64_t)features.smep << 2 |
                     (uint64_t)features.smap << 3 | (uint64_t)features.umip << 4 | 1u << 5 | (uint64_t)features.huge_pages << 6;
}

/* QEMU's isa-debug-exit; ACPI power-off of q35 and pc; at last a triple fault, which ends QEMU with -no-reboot. */
void arch_power_off(unsigned code)
{
    struct table_pointer none = {0, 0};

    out32(0xf4, code);
    out16(0x604, 0x2000);
    out16(0xb004, 0x2000);
    __asm__ volatile("lidt %0; int3" : : "m"(none));
    for (;;)
        __asm__ volatile("cli; hlt");
}
