/* The kernel's log: the serial console. */
#include <exo/format.h>
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

static void put_line(const char *format, va_list arguments)
{
    char line[256];

    exo_vformat(line, sizeof(line), format, arguments);
    for (const char *at = line; *at; at++)
        arch_console_put(*at);
}

void log_text(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_line(format, arguments);
    va_end(arguments);
}

#define PANIC_CODE 0x64u

void panic(const char *format, ...)
{
    static bool again;
    va_list arguments;

    if (again)
        arch_power_off(PANIC_CODE);
    again = true;
    log_text("\nEXOV6 PANIC: ");
    va_start(arguments, format);
    put_line(format, arguments);
    va_end(arguments);
    log_text("\n");
    arch_backtrace();
    if (arch_current())
        log_text("current: context %lu of environment %lu\n", arch_current()->object.id, arch_current()->env->object.id);
    arch_power_off(PANIC_CODE);
}
