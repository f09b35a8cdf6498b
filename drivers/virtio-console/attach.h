/*
 * Finding the virtio console and reaching it with the capabilities of its owner's environment. The kernel command line names the transports:
 *     virtio_mmio.device=SIZE@ADDRESS:LINE
 * which QEMU's microvm appends by itself, and which a person may give for another machine.
 */
#ifndef VIRTIO_CONSOLE_ATTACH_H
#define VIRTIO_CONSOLE_ATTACH_H
#include "console.h"

struct console_place {
    uint64_t self, zone, machine; /* own environment; memory is charged to zone; DEVICE and IRQ of machine */
    uint64_t endpoint;            /* where interrupts are notified, */
    uint64_t bits;                /* as these bits */
    uint64_t free_va;             /* where pages may be mapped; moved along */
};

/* One transport as the command line names it. */
struct virtio_transport {
    uint64_t bytes, address;
    uint32_t line;
};
/* Reads the next transport at or after *text; false when there is none. Words that make no sense are passed over. */
bool virtio_next_transport(const char **text, struct virtio_transport *transport);

/* Finds and starts the console. 0 and the interrupt's capability, or -EXO_E_*: EXO_E_PEER when there is no console. */
int64_t console_attach(struct console *console, const char *command_line, struct console_place *place, uint64_t *interrupt);
/* An interrupt was notified: acknowledges it at the device and at the line, on any kind of line. */
void console_interrupt(struct console *console, uint64_t interrupt);

#endif
