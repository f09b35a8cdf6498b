/*
 * A virtio device on the memory-mapped transport (Virtual I/O Device 1.2, section 4.2), version 2 and legacy version 1. Registers are reached through two
 * functions, so that a test can stand in for the device.
 */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H
#include <stdbool.h>
#include <stdint.h>

#include "virtqueue.h"

struct virtio_registers {
    uint32_t (*read)(void *context, unsigned offset);
    void (*write)(void *context, unsigned offset, uint32_t value);
    void *context;
};

struct virtio_mmio {
    struct virtio_registers registers;
    bool legacy;
};

#define VIRTIO_DEVICE_CONSOLE 3u

/* Device id behind the registers: 0 when there is none that this driver understands. */
uint32_t virtio_probe(struct virtio_mmio *device, struct virtio_registers registers);
/* Resets the device and agrees on features: those of `wanted` (low 32 bits) that it offers are in *agreed. False: it refuses. */
bool virtio_negotiate(struct virtio_mmio *device, uint32_t wanted, uint32_t *agreed);
/* Between negotiation and virtio_go. False: the device has no such queue. `most`: entries at most, a power of two. */
bool virtio_queue(struct virtio_mmio *device, unsigned index, struct virtqueue *queue, void *page, uint64_t physical, uint16_t most);
void virtio_go(struct virtio_mmio *device);
void virtio_fail(struct virtio_mmio *device);
void virtio_notify(struct virtio_mmio *device, unsigned queue);
/* Reads why the device interrupts, and lets the line fall: 0 if it does not. */
uint32_t virtio_interrupt_take(struct virtio_mmio *device);
uint32_t virtio_config(struct virtio_mmio *device, unsigned offset);

#endif
