/* I/O ports for drivers in ring 3, on machines that have such. */
#include "kernel.h"
#include "port.h"

int64_t k_port_io(struct context *caller, struct capability *machine, uint64_t port, uint64_t operation, uint64_t value)
{
    uint64_t width = operation & EXO_PORT_WIDTH;

    (void)caller;
    (void)machine;
    if ((operation & ~(uint64_t)(EXO_PORT_WIDTH | EXO_PORT_WRITE)) || (width != 1 && width != 2 && width != 4))
        return -EXO_E_INVAL;
    if (operation & EXO_PORT_WRITE && value >> 8 * width)
        return -EXO_E_INVAL;
    if (!arch_port_io(port, operation, &value))
        return -EXO_E_RANGE;
    return operation & EXO_PORT_WRITE ? 0 : (int64_t)value;
}
