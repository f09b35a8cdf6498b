/*
 * A virtio console (Virtual I/O Device 1.2, section 5.3) as one byte stream each way. A device that offers several ports is used with the first of its ports 0
 * and 1 that it announces; QEMU's port 1 (virtserialport) holds bytes back when the host reads slowly, its port 0 (virtconsole) drops them.
 *
 * The owner calls console_poll after an interrupt or when it likes; nothing here waits. Received bytes are looked at in place;
 * bytes to send are written into a buffer that the driver lends. What the device writes is checked; if it breaks the rules, `broken` is set.
 */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H
#include <stddef.h>

#include "virtio_mmio.h"

#define CONSOLE_RECEIVE_BUFFERS 16u
#define CONSOLE_RECEIVE_BYTES 4096u
#define CONSOLE_SEND_BUFFERS 4u
#define CONSOLE_SEND_BYTES 32768u
#define CONSOLE_RINGS 6u /* queues 0..5: port 0's, control, port 1's */

/* Pages of memory for the device: rings, one page for control messages, receive buffers, send buffers. */
#define CONSOLE_PAGES (CONSOLE_RINGS + 1u + CONSOLE_RECEIVE_BUFFERS * CONSOLE_RECEIVE_BYTES / 4096u + \
                       CONSOLE_SEND_BUFFERS * CONSOLE_SEND_BYTES / 4096u)

struct console {
    struct virtio_mmio device;
    uint8_t *memory;   /* CONSOLE_PAGES, zeroed, physically contiguous */
    uint64_t physical;
    struct virtqueue queue[CONSOLE_RINGS];
    bool present[CONSOLE_RINGS];
    bool multiport;
    bool open;         /* a port was found: bytes can flow */
    bool broken;
    unsigned port;     /* 0 or 1 */
    struct {           /* received buffers in the order of arrival */
        uint16_t id;
        uint32_t bytes;
    } arrived[CONSOLE_RECEIVE_BUFFERS];
    unsigned arrived_first, arrived_count;
    uint32_t looked_at;       /* bytes of the first one that are consumed */
    int lent;                 /* send buffer with the owner, or -1 */
    uint32_t control_out_free; /* bit: control message buffer */
};

/* Starts the device behind the registers. False: it is no console, or it refuses. */
bool console_start(struct console *console, struct virtio_registers registers, void *memory, uint64_t physical);
/* Takes what the device has finished. Call until it has nothing to do; it is bounded by the rings' sizes. */
void console_poll(struct console *console);
/* After an interrupt, before and after the line is unmasked. */
uint32_t console_interrupt_take(struct console *console);

/* Received bytes that are next, in place; NULL when there are none. */
const uint8_t *console_peek(struct console *console, size_t *bytes);
void console_consume(struct console *console, size_t bytes);

/* Lends a buffer of CONSOLE_SEND_BYTES to fill; NULL when all are under way. The same one until it is sent. */
uint8_t *console_lend(struct console *console);
void console_send(struct console *console, size_t bytes);
/* Nothing is under way. */
bool console_idle(const struct console *console);
/* Asks for an interrupt when a buffer has been sent (the owner waits for one), or not. */
void console_want_sent(struct console *console, bool wanted);
/* Tells the device of buffers offered since the last time. */
void console_notify(struct console *console);

#endif
