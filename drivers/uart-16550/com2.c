#include "com2.h"

#include <exo/abi.h>
#include <exo/calls.h>

#define COM2_PORT 0x2f8u
#define COM2_PORTS 8u
#define COM2_LINE 3u
#define NOTHING 0xffu /* what a port without a device says */

static uint8_t port_read(void *context, unsigned offset)
{
    const struct com2_place *place = context;
    int64_t value = exo_port_io(place->ports, COM2_PORT + offset, EXO_PORT_READ | 1, 0);

    return value < 0 ? NOTHING : (uint8_t)value;
}

static void port_write(void *context, unsigned offset, uint8_t value)
{
    const struct com2_place *place = context;

    (void)!exo_port_io(place->ports, COM2_PORT + offset, EXO_PORT_WRITE | 1, value); /* what cannot be written reads as nothing */
}

static void data_read(void *context, uint8_t *bytes, unsigned count)
{
    const struct com2_place *place = context;

    (void)!exo_port_string(place->ports, COM2_PORT, EXO_PORT_READ | 1, bytes, count); /* registers were reached: so is this one */
}

static void data_write(void *context, const uint8_t *bytes, unsigned count)
{
    const struct com2_place *place = context;

    (void)!exo_port_string(place->ports, COM2_PORT, EXO_PORT_WRITE | 1, (void *)(uintptr_t)bytes, count);
}

int64_t com2_attach(struct uart *uart, struct com2_place *place, uint64_t *interrupt)
{
    struct uart_registers registers = {.read = port_read, .write = port_write, .read_data = data_read, .write_data = data_write, .context = place};
    int64_t bound = exo_ports_create(place->machine, COM2_PORT, COM2_PORTS);

    if (bound < 0)
        return bound;
    place->ports = (uint64_t)bound;
    if (!uart_start(uart, registers))
        return -EXO_E_PEER;
    bound = exo_irq_bind(place->machine, COM2_LINE, place->endpoint, place->bits);
    if (bound < 0)
        return bound;
    *interrupt = (uint64_t)bound;
    return 0;
}

void com2_interrupt(struct uart *uart, uint64_t interrupt)
{
    uart_interrupt_take(uart);
    (void)!exo_irq_ack(interrupt);
}
