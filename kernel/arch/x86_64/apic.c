/* Local APIC (timer, end of interrupt) and I/O APIC (lines). Intel SDM volume 3 chapter 11; 82093AA data sheet. */
#include "cpu.h"
#include "port.h"

#define LAPIC_BASE 0xfee00000ul
#define IOAPIC_BASE 0xfec00000ul
#define LAPIC_ID 0x20
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_COMMAND 0x300
#define LAPIC_COMMAND_HIGH 0x310
#define COMMAND_INIT 0x500u
#define COMMAND_START 0x600u
#define COMMAND_PENDING 0x1000u
#define COMMAND_ASSERT 0x4000u
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0
#define LVT_MASKED 0x10000u
#define IOAPIC_VERSION 1u
#define IOAPIC_ENTRY 0x10u
#define ENTRY_LEVEL 0x8000u
#define ENTRY_MASKED 0x10000u

static volatile uint32_t *lapic, *ioapic;
static unsigned lines;

static void ioapic_write(unsigned index, uint32_t value)
{
    ioapic[0] = index;
    ioapic[4] = value;
}

static uint32_t ioapic_read(unsigned index)
{
    ioapic[0] = index;
    return ioapic[4];
}

void apic_eoi(void)
{
    lapic[LAPIC_EOI / 4] = 0;
}

void apic_timer(uint32_t ticks)
{
    lapic[LAPIC_TIMER_INITIAL / 4] = ticks;
}

uint32_t apic_timer_left(void)
{
    return lapic[LAPIC_TIMER_CURRENT / 4];
}

unsigned apic_id(void)
{
    return lapic[LAPIC_ID / 4] >> 24;
}

static void send(unsigned id, uint32_t command)
{
    while (lapic[LAPIC_COMMAND / 4] & COMMAND_PENDING)
        __asm__ volatile("pause");
    lapic[LAPIC_COMMAND_HIGH / 4] = id << 24;
    lapic[LAPIC_COMMAND / 4] = command;
}

void apic_send(unsigned id, unsigned vector)
{
    send(id, vector | COMMAND_ASSERT);
}

void apic_send_init(unsigned id)
{
    send(id, COMMAND_INIT | COMMAND_ASSERT);
}

void apic_send_start(unsigned id, unsigned page)
{
    send(id, COMMAND_START | COMMAND_ASSERT | page);
}

void apic_start_this(void)
{
    lapic[LAPIC_LVT_LINT0 / 4] = LVT_MASKED;
    lapic[LAPIC_LVT_LINT1 / 4] = LVT_MASKED;
    lapic[LAPIC_LVT_ERROR / 4] = LVT_MASKED;
    lapic[LAPIC_TIMER_DIVIDE / 4] = 0xb; /* by 1 */
    lapic[LAPIC_LVT_TIMER / 4] = VECTOR_TIMER;
    lapic[LAPIC_SPURIOUS / 4] = 0x100 | VECTOR_SPURIOUS;
}

void apic_init(void)
{
    out8(0x21, 0xff); /* the old interrupt controllers stay silent */
    out8(0xa1, 0xff);
    lapic = map_device(LAPIC_BASE);
    ioapic = map_device(IOAPIC_BASE);
    apic_start_this();
    percpu.apic_id = apic_id();
    lines = (ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1;
    if (lines > 128 - VECTOR_LINE)
        lines = 128 - VECTOR_LINE;
    for (unsigned line = 0; line < lines; line++)
        ioapic_write(IOAPIC_ENTRY + 2 * line, ENTRY_MASKED);
}

bool arch_irq_valid(unsigned line)
{
    return line < lines;
}

/* Level triggered, active high: a device that still has something to say fires again when it is unmasked. */
static void set_entry(unsigned line, uint32_t mask)
{
    ioapic_write(IOAPIC_ENTRY + 2 * line, (VECTOR_LINE + line) | ENTRY_LEVEL | mask);
}

void arch_irq_bind(unsigned line)
{
    ioapic_write(IOAPIC_ENTRY + 2 * line + 1, apic_id() << 24);
    set_entry(line, 0);
}

void arch_irq_mask(unsigned line)
{
    if (line < lines)
        set_entry(line, ENTRY_MASKED);
}

void arch_irq_unmask(unsigned line)
{
    set_entry(line, 0);
}

void arch_irq_release(unsigned line)
{
    arch_irq_mask(line);
}
