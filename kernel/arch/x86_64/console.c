/* The serial console (16550 at COM1) and the backtrace. */
#include "cpu.h"
#include "port.h"

#define COM1 0x3f8

void arch_console_put(char character)
{
    if (character == '\n')
        arch_console_put('\r');
    for (unsigned i = 0; i < 100000 && !(in8(COM1 + 5) & 0x20); i++)
        __asm__ volatile("pause");
    out8(COM1, (uint8_t)character);
}

/* Made after a first link by kernel/symbols.py; the first link has none. */
struct kernel_symbol {
    uint32_t offset; /* from KERNEL_BASE */
    uint32_t name;   /* offset in kernel_symbol_names */
};
extern const struct kernel_symbol kernel_symbols[] __attribute__((weak));
extern const uint32_t kernel_symbol_count __attribute__((weak));
extern const char kernel_symbol_names[] __attribute__((weak));
extern char kernel_text[], kernel_text_end[];

static void show_address(uint64_t address)
{
    uint32_t offset = (uint32_t)(address - KERNEL_BASE), low = 0, high;

    if (!&kernel_symbol_count || kernel_symbol_count == 0) {
        log_text("  %lx\n", address);
        return;
    }
    high = kernel_symbol_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;

        if (kernel_symbols[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    log_text("  %lx %s+0x%x\n", address, kernel_symbol_names + kernel_symbols[low].name, offset - kernel_symbols[low].offset);
}

#define BACKTRACE_MOST 32u

void arch_backtrace(void)
{
    const uint64_t *frame = __builtin_frame_address(0);

    log_text("backtrace:\n");
    for (unsigned i = 0; i < BACKTRACE_MOST && (uint64_t)frame >= KERNEL_BASE && !((uint64_t)frame & 7); i++) {
        if (frame[1] < (uint64_t)kernel_text || frame[1] >= (uint64_t)kernel_text_end)
            break;
        show_address(frame[1]);
        if (frame[0] <= (uint64_t)frame)
            break;
        frame = (const uint64_t *)frame[0];
    }
}
