/* I/O ports for drivers in ring 3, on machines that have such. */
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

int64_t k_ports_create(struct context *caller, struct capability *machine, uint64_t first, uint64_t count)
{
    struct ports *ports;
    int64_t handle;

    if (count == 0)
        return -EXO_E_INVAL;
    if (first > UINT16_MAX || count > UINT16_MAX + 1u - first)
        return -EXO_E_RANGE;
    if (!arch_port_valid(first, (unsigned)count))
        return -EXO_E_RANGE;
    ports = object_new(caller->env->zone, EXO_TYPE_PORTS, sizeof(*ports));
    if (!ports)
        return -EXO_E_NOMEM;
    ports->first = first;
    ports->count = count;
    handle = cap_insert_below(caller->env, machine, &ports->object, EXO_RIGHTS_ALL);
    object_drop(&ports->object);
    return handle;
}

void ports_free(struct object *object)
{
    object_free(object, sizeof(struct ports));
}

/* 0 and the width in bytes, or an error. */
static int64_t check(const struct capability *capability, uint64_t port, uint64_t operation, unsigned *width)
{
    const struct ports *ports = (const struct ports *)capability->object;

    *width = (unsigned)(operation & EXO_PORT_WIDTH);
    if ((operation & ~(uint64_t)(EXO_PORT_WIDTH | EXO_PORT_WRITE)) || (*width != 1 && *width != 2 && *width != 4))
        return -EXO_E_INVAL;
    return port >= ports->first && *width <= ports->count && port - ports->first <= ports->count - *width ? 0 : -EXO_E_RANGE;
}

int64_t k_port_io(struct context *caller, struct capability *ports, uint64_t port, uint64_t operation, uint64_t value)
{
    unsigned width;
    int64_t status = check(ports, port, operation, &width);

    (void)caller;
    if (status < 0)
        return status;
    if (!(operation & EXO_PORT_WRITE))
        return arch_port_read(port, width);
    if (value >> 8 * width)
        return -EXO_E_INVAL;
    arch_port_write(port, width, (uint32_t)value);
    return 0;
}

static void move(uint8_t *bytes, uint64_t port, uint64_t operation, unsigned width, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t value = 0;

        memcpy(&value, bytes + i * width, width);
        if (operation & EXO_PORT_WRITE)
            arch_port_write(port, width, value);
        else
            value = arch_port_read(port, width);
        memcpy(bytes + i * width, &value, width);
    }
}

/* What was read from a device is gone there, so the memory is proved first, by reading it or by writing it once in vain. */
int64_t k_port_string(struct context *caller, struct capability *ports, uint64_t port, uint64_t operation, uint64_t memory, uint64_t count)
{
    uint8_t bytes[EXO_PORT_STRING] = {0};
    unsigned width;
    int64_t status = check(ports, port, operation, &width);
    bool is_write = operation & EXO_PORT_WRITE;

    if (status < 0)
        return status;
    if (count > EXO_PORT_STRING / width)
        count = EXO_PORT_STRING / width;
    if (!(is_write ? space_read(caller->env, bytes, memory, count * width) : space_write(caller->env, memory, bytes, count * width)))
        return -EXO_E_FAULT;
    move(bytes, port, operation, width, count);
    if (!is_write && !space_write(caller->env, memory, bytes, count * width))
        return -EXO_E_FAULT;
    return (int64_t)count;
}
