/* I/O ports for drivers in ring 3: all but those of the devices that the kernel drives itself. */
#include "cpu.h"
#include "port.h"

#define PORTS 0x10000u

static const struct {
    uint16_t first, last;
} kernel_ports[] = {
    {0x20, 0x21}, {0xa0, 0xa1}, {0x4d0, 0x4d1}, /* interrupt controllers */
    {0x40, 0x43}, {0x61, 0x61},                 /* i8254 and its gate */
    {0x70, 0x71},                               /* date; bit 7 masks the NMI */
    {0xf4, 0xf7},                               /* power off */
    {0x3f8, 0x3ff},                             /* console */
};

static bool is_taken(uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < sizeof(kernel_ports) / sizeof(kernel_ports[0]); i++)
        if (first <= kernel_ports[i].last && last >= kernel_ports[i].first)
            return true;
    return false;
}

bool arch_port_valid(uint64_t port, unsigned width)
{
    return port < PORTS && port + width <= PORTS && !is_taken(port, port + width - 1);
}

uint32_t arch_port_read(uint64_t port, unsigned width)
{
    return width == 1 ? in8((uint16_t)port) : width == 2 ? in16((uint16_t)port) : in32((uint16_t)port);
}

void arch_port_write(uint64_t port, unsigned width, uint32_t value)
{
    if (width == 1)
        out8((uint16_t)port, (uint8_t)value);
    else if (width == 2)
        out16((uint16_t)port, (uint16_t)value);
    else
        out32((uint16_t)port, value);
}
