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

static uint32_t read_port(uint16_t port, unsigned width)
{
    return width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port);
}

static void write_port(uint16_t port, unsigned width, uint32_t value)
{
    if (width == 1)
        out8(port, (uint8_t)value);
    else if (width == 2)
        out16(port, (uint16_t)value);
    else
        out32(port, value);
}

bool arch_port_io(uint64_t port, uint64_t operation, uint64_t *value)
{
    unsigned width = (unsigned)(operation & EXO_PORT_WIDTH);

    if (port >= PORTS || port + width > PORTS || is_taken(port, port + width - 1))
        return false;
    if (operation & EXO_PORT_WRITE)
        write_port((uint16_t)port, width, (uint32_t)*value);
    else
        *value = read_port((uint16_t)port, width);
    return true;
}
