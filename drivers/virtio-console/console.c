#include "console.h"

#include <exo/string.h>

#define FEATURE_MULTIPORT (1u << 1)
#define CONFIG_PORTS 4u

enum { CONTROL_IN = 2, CONTROL_OUT = 3 };
#define PORT_RECEIVE(port) ((port) * 4u)
#define PORT_SEND(port) ((port) * 4u + 1u)

/* The control page: messages from the device below, to it above. */
#define CONTROL_IN_BUFFERS 16u
#define CONTROL_IN_BYTES 128u
#define CONTROL_OUT_OFFSET 2048u
#define CONTROL_OUT_BUFFERS 16u
#define CONTROL_OUT_BYTES 8u

struct control {
    uint32_t port;
    uint16_t event;
    uint16_t value;
};
enum control_event { DEVICE_READY = 0, PORT_ADD = 1, PORT_READY = 3, PORT_OPEN = 6 };

static unsigned control_offset(void)
{
    return CONSOLE_RINGS * VIRTQUEUE_PAGE_BYTES;
}

static unsigned receive_offset(unsigned id)
{
    return (CONSOLE_RINGS + 1) * VIRTQUEUE_PAGE_BYTES + id * CONSOLE_RECEIVE_BYTES;
}

static unsigned send_offset(unsigned id)
{
    return receive_offset(CONSOLE_RECEIVE_BUFFERS) + id * CONSOLE_SEND_BYTES;
}

static struct virtqueue *receive_queue(struct console *console)
{
    return &console->queue[PORT_RECEIVE(console->port)];
}

static struct virtqueue *send_queue(struct console *console)
{
    return &console->queue[PORT_SEND(console->port)];
}

static void offer_receive(struct console *console, unsigned id)
{
    if (!virtqueue_offer(receive_queue(console), (uint16_t)id, console->physical + receive_offset(id), CONSOLE_RECEIVE_BYTES, true))
        console->broken = true;
}

static void offer_control(struct console *console, unsigned id)
{
    uint64_t physical = console->physical + control_offset() + id * CONTROL_IN_BYTES;

    if (!virtqueue_offer(&console->queue[CONTROL_IN], (uint16_t)id, physical, CONTROL_IN_BYTES, true))
        console->broken = true;
}

/* A port is ours: from now on bytes flow. */
static void open_port(struct console *console, unsigned port)
{
    console->port = port;
    console->open = true;
    for (unsigned id = 0; id < CONSOLE_RECEIVE_BUFFERS && id < receive_queue(console)->size; id++)
        offer_receive(console, id);
    virtqueue_interrupts(send_queue(console), false);
}

static void send_control(struct console *console, uint32_t port, enum control_event event, uint16_t value)
{
    struct control message = {.port = port, .event = (uint16_t)event, .value = value};
    unsigned id, offset;

    if (console->control_out_free == 0)
        return; /* at most three messages are ever sent */
    id = (unsigned)__builtin_ctz(console->control_out_free);
    offset = control_offset() + CONTROL_OUT_OFFSET + id * CONTROL_OUT_BYTES;
    memcpy(console->memory + offset, &message, sizeof(message));
    if (virtqueue_offer(&console->queue[CONTROL_OUT], (uint16_t)id, console->physical + offset, sizeof(message), false))
        console->control_out_free &= ~(1u << id);
}

static void handle_control(struct console *console, const struct control *message)
{
    if (message->event != PORT_ADD || console->open || message->port > 1 ||
        !console->present[PORT_RECEIVE(message->port)] || !console->present[PORT_SEND(message->port)])
        return;
    open_port(console, message->port);
    send_control(console, message->port, PORT_READY, 1);
    send_control(console, message->port, PORT_OPEN, 1);
}

static void poll_control(struct console *console)
{
    struct control message;
    uint32_t bytes;
    uint16_t id;

    for (unsigned i = 0; i < CONTROL_OUT_BUFFERS && virtqueue_take(&console->queue[CONTROL_OUT], &id, &bytes); i++)
        console->control_out_free |= 1u << id;
    for (unsigned i = 0; i < CONTROL_IN_BUFFERS && virtqueue_take(&console->queue[CONTROL_IN], &id, &bytes); i++) {
        if (bytes >= sizeof(message)) {
            memcpy(&message, console->memory + control_offset() + id * CONTROL_IN_BYTES, sizeof(message));
            handle_control(console, &message);
        }
        offer_control(console, id);
    }
}

static void set_up_queues(struct console *console)
{
    for (unsigned i = 0; i < CONSOLE_RINGS; i++) {
        unsigned offset = i * VIRTQUEUE_PAGE_BYTES;

        if (i >= 2 && !console->multiport)
            break;
        console->present[i] = virtio_queue(&console->device, i, &console->queue[i], console->memory + offset,
                                           console->physical + offset, CONSOLE_RECEIVE_BUFFERS);
    }
}

static void start_multiport(struct console *console)
{
    for (unsigned id = 0; id < CONTROL_IN_BUFFERS && id < console->queue[CONTROL_IN].size; id++)
        offer_control(console, id);
    send_control(console, 0xffffffffu, DEVICE_READY, 1);
}

bool console_start(struct console *console, struct virtio_registers registers, void *memory, uint64_t physical)
{
    uint32_t features;

    memset(console, 0, sizeof(*console));
    console->memory = memory;
    console->physical = physical;
    console->lent = -1;
    console->control_out_free = (1u << CONTROL_OUT_BUFFERS) - 1;
    if (virtio_probe(&console->device, registers) != VIRTIO_DEVICE_CONSOLE)
        return false;
    if (!virtio_negotiate(&console->device, FEATURE_MULTIPORT, &features)) {
        virtio_fail(&console->device);
        return false;
    }
    console->multiport = (features & FEATURE_MULTIPORT) && virtio_config(&console->device, CONFIG_PORTS) > 1;
    set_up_queues(console);
    if (console->multiport ? !console->present[CONTROL_IN] || !console->present[CONTROL_OUT]
                           : !console->present[0] || !console->present[1]) {
        virtio_fail(&console->device);
        return false;
    }
    virtio_go(&console->device);
    if (console->multiport)
        start_multiport(console);
    else
        open_port(console, 0);
    console_notify(console);
    return !console->broken;
}

uint32_t console_interrupt_take(struct console *console)
{
    return virtio_interrupt_take(&console->device);
}

void console_poll(struct console *console)
{
    uint32_t bytes;
    uint16_t id;

    if (console->broken)
        return;
    if (console->multiport)
        poll_control(console);
    if (console->open) {
        while (console->arrived_count < CONSOLE_RECEIVE_BUFFERS && virtqueue_take(receive_queue(console), &id, &bytes)) {
            unsigned at = (console->arrived_first + console->arrived_count) % CONSOLE_RECEIVE_BUFFERS;

            console->arrived[at].id = id;
            console->arrived[at].bytes = bytes;
            console->arrived_count++;
        }
        for (unsigned i = 0; i < CONSOLE_SEND_BUFFERS && virtqueue_take(send_queue(console), &id, &bytes); i++)
            ; /* room[id] is 0 again: the buffer can be lent */
    }
    for (unsigned i = 0; i < CONSOLE_RINGS; i++)
        console->broken |= console->queue[i].broken;
}

const uint8_t *console_peek(struct console *console, size_t *bytes)
{
    while (console->arrived_count > 0) {
        unsigned id = console->arrived[console->arrived_first].id;
        uint32_t there = console->arrived[console->arrived_first].bytes;

        if (console->looked_at < there) {
            *bytes = there - console->looked_at;
            return console->memory + receive_offset(id) + console->looked_at;
        }
        console->arrived_first = (console->arrived_first + 1) % CONSOLE_RECEIVE_BUFFERS;
        console->arrived_count--;
        console->looked_at = 0;
        if (!console->broken)
            offer_receive(console, id);
    }
    *bytes = 0;
    return NULL;
}

void console_consume(struct console *console, size_t bytes)
{
    console->looked_at += (uint32_t)bytes;
}

uint8_t *console_lend(struct console *console)
{
    if (!console->open || console->broken)
        return NULL;
    for (unsigned id = 0; console->lent < 0 && id < CONSOLE_SEND_BUFFERS && id < send_queue(console)->size; id++) {
        if (send_queue(console)->room[id] == 0)
            console->lent = (int)id;
    }
    return console->lent < 0 ? NULL : console->memory + send_offset((unsigned)console->lent);
}

void console_send(struct console *console, size_t bytes)
{
    unsigned id = (unsigned)console->lent;

    if (console->lent < 0 || bytes == 0 || bytes > CONSOLE_SEND_BYTES)
        return;
    if (!virtqueue_offer(send_queue(console), (uint16_t)id, console->physical + send_offset(id), (uint32_t)bytes, false))
        console->broken = true;
    console->lent = -1;
}

bool console_idle(const struct console *console)
{
    return !console->open || console->queue[PORT_SEND(console->port)].offered == 0;
}

void console_want_sent(struct console *console, bool wanted)
{
    if (console->open)
        virtqueue_interrupts(send_queue(console), wanted);
}

void console_notify(struct console *console)
{
    if (console->broken)
        return;
    for (unsigned i = 0; i < CONSOLE_RINGS; i++) {
        if (console->present[i] && virtqueue_must_notify(&console->queue[i]))
            virtio_notify(&console->device, i);
    }
}
