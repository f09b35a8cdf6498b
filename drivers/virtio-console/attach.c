#include "attach.h"

#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/loop.h>

#define REGISTER_BYTES 0x200u

static uint32_t mmio_read(void *context, unsigned offset)
{
    return *(volatile uint32_t *)((uint8_t *)context + offset);
}

static void mmio_write(void *context, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)((uint8_t *)context + offset) = value;
}

/* Maps the page of a transport's registers. 0 or -EXO_E_*. */
static int64_t map_registers(const struct virtio_transport *transport, const struct console_place *place, void **registers)
{
    uint64_t page = transport->address & ~(EXO_PAGE_BYTES - 1ul);
    uint64_t offset = transport->address - page;
    int64_t frame, status;

    if (offset + REGISTER_BYTES > EXO_PAGE_BYTES)
        return -EXO_E_RANGE;
    frame = exo_frame_device(place->machine, page, 1);
    if (frame < 0)
        return frame;
    status = exo_map_all(place->self, place->free_va, (uint64_t)frame, 0, 1, EXO_PROT_READ | EXO_PROT_WRITE | EXO_PROT_UNCACHED);
    (void)!exo_cap_delete((uint64_t)frame); /* the mapping holds the page */
    *registers = (void *)(place->free_va + offset);
    return status;
}

static int64_t map_memory(const struct console_place *place, uint64_t va, uint64_t *physical)
{
    int64_t frame = exo_frame_alloc(place->zone, CONSOLE_PAGES), address, status;

    if (frame < 0)
        return frame;
    address = exo_frame_address((uint64_t)frame);
    if (address < 0)
        return address;
    status = exo_map_all(place->self, va, (uint64_t)frame, 0, CONSOLE_PAGES, EXO_PROT_READ | EXO_PROT_WRITE);
    *physical = (uint64_t)address;
    return status;
}

static int64_t start(struct console *console, struct console_place *place, const struct virtio_transport *transport,
                     struct virtio_registers registers, uint64_t *interrupt)
{
    uint64_t va = place->free_va + EXO_PAGE_BYTES, physical = 0;
    int64_t status = map_memory(place, va, &physical), bound;

    if (status < 0)
        return status;
    bound = exo_irq_bind(place->machine, transport->line, place->endpoint, place->bits);
    if (bound < 0)
        return bound;
    *interrupt = (uint64_t)bound;
    place->free_va = va + CONSOLE_PAGES * EXO_PAGE_BYTES;
    return console_start(console, registers, (void *)va, physical) ? 0 : -EXO_E_PEER;
}

int64_t console_attach(struct console *console, const char *command_line, struct console_place *place, uint64_t *interrupt)
{
    struct virtio_transport transport;
    int64_t failure = -EXO_E_PEER;

    while (virtio_next_transport(&command_line, &transport)) {
        struct virtio_registers registers = {.read = mmio_read, .write = mmio_write};
        struct virtio_mmio probe;
        int64_t status = map_registers(&transport, place, &registers.context);

        if (status == 0 && virtio_probe(&probe, registers) == VIRTIO_DEVICE_CONSOLE) {
            status = start(console, place, &transport, registers, interrupt);
            if (status == 0)
                return 0;
            failure = status;
        }
        status = exo_unmap_all(place->self, place->free_va, 1);
        if (status < 0)
            return status;
    }
    return failure;
}

/*
 * A line that follows the level interrupts again as long as the device holds it; a line that follows edges loses an edge that comes while it is
 * masked. Letting the line fall both before and after it is unmasked serves both: afterwards a new event makes a new edge.
 */
void console_interrupt(struct console *console, uint64_t interrupt)
{
    (void)console_interrupt_take(console);
    (void)!exo_irq_ack(interrupt);
    (void)console_interrupt_take(console);
}
