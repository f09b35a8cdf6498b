/*
 * The virtio console driver against a device made up here: registers that check the order of the start, rings in plain memory,
 * data both ways, ports; then a hostile
 * device: used entries that name no buffer, one twice, lengths beyond the buffer, an index that runs away. The driver must stop, and touch
 * nothing outside its memory (ASan looks).
 *
 * unit-sources: drivers/virtio-console/virtqueue.c drivers/virtio-console/virtio_mmio.c
 * unit-sources: drivers/virtio-console/console.c drivers/virtio-console/transport.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio-console/attach.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

#define PHYSICAL 0x40000000ull
#define QUEUES 6u
#define MEMORY_BYTES (CONSOLE_PAGES * 4096ul)

/* ---- the device -------------------------------------------------------------------------------------------------- */

struct ring_place {
    uint64_t descriptors, avail, used;
    uint32_t size;
    bool ready;
    uint16_t avail_seen, used_index;
};

static struct device {
    uint32_t magic, version, id, offered[2], accepted[2], feature_select, driver_select, status, queue_select, queue_max, interrupt;
    uint32_t ports;
    unsigned queues;
    struct ring_place ring[QUEUES];
    unsigned notified[QUEUES];
    uint8_t *memory;
    bool refuse_features;
} device;

static void *at(uint64_t physical, uint64_t bytes)
{
    CHECK(physical >= PHYSICAL && physical + bytes <= PHYSICAL + MEMORY_BYTES);
    return device.memory + (physical - PHYSICAL);
}

static uint32_t device_read(void *context, unsigned offset)
{
    CHECK(context == &device);
    switch (offset) {
    case 0x00: return device.magic;
    case 0x04: return device.version;
    case 0x08: return device.id;
    case 0x10: return device.offered[device.feature_select & 1];
    case 0x34: return device.queue_select < device.queues ? device.queue_max : 0;
    case 0x60: return device.interrupt;
    case 0x70: return device.refuse_features ? device.status & ~8u : device.status;
    case 0x104: return device.ports;
    default: CHECK(!"a register that is not there is read"); return 0;
    }
}

static void set_half(uint64_t *address, unsigned offset, uint32_t value)
{
    if (offset & 4)
        *address = (*address & 0xffffffffu) | (uint64_t)value << 32;
    else
        *address = (*address & ~0xffffffffull) | value;
}

static void device_write(void *context, unsigned offset, uint32_t value)
{
    struct ring_place *ring = device.queue_select < QUEUES ? &device.ring[device.queue_select] : NULL;

    CHECK(context == &device);
    if (offset >= 0x38 && offset < 0x50 && offset != 0x50)
        CHECK(ring && !(device.status & 4)); /* queues are set up before the device runs */
    switch (offset) {
    case 0x14: device.feature_select = value; break;
    case 0x20: device.accepted[device.driver_select & 1] = value; break;
    case 0x24: device.driver_select = value; break;
    case 0x28: CHECK(device.version == 1 && value == 4096); break;
    case 0x30: device.queue_select = value; break;
    case 0x38: ring->size = value; break;
    case 0x3c: CHECK(device.version == 1 && value == 2048); break;
    case 0x40:
        CHECK(device.version == 1);
        ring->descriptors = (uint64_t)value * 4096;
        ring->avail = ring->descriptors + ring->size * 16;
        ring->used = (ring->avail + 4 + 2 * ring->size + 2047) / 2048 * 2048;
        ring->ready = true;
        break;
    case 0x44: CHECK(device.version == 2 && value == 1); ring->ready = true; break;
    case 0x50: CHECK(value < QUEUES && (device.status & 4)); device.notified[value]++; break;
    case 0x64: device.interrupt &= ~value; break;
    case 0x70: device.status = value; break;
    case 0x80: case 0x84: set_half(&ring->descriptors, offset, value); break;
    case 0x90: case 0x94: set_half(&ring->avail, offset, value); break;
    case 0xa0: case 0xa4: set_half(&ring->used, offset, value); break;
    default: CHECK(!"a register that is not there is written");
    }
}

static const struct virtio_registers registers = {.read = device_read, .write = device_write, .context = &device};

struct buffer {
    uint16_t id;
    uint64_t address;
    uint32_t bytes;
    uint16_t flags;
};

/* The next buffer that the driver offers; false: none. */
static bool device_next(unsigned queue, struct buffer *buffer)
{
    struct ring_place *ring = &device.ring[queue];
    uint16_t index;
    uint8_t *descriptor;

    CHECK(ring->ready);
    memcpy(&index, at(ring->avail + 2, 2), 2);
    if (index == ring->avail_seen)
        return false;
    CHECK((uint16_t)(index - ring->avail_seen) <= ring->size);
    memcpy(&buffer->id, at(ring->avail + 4 + 2u * (ring->avail_seen % ring->size), 2), 2);
    CHECK(buffer->id < ring->size);
    ring->avail_seen++;
    descriptor = at(ring->descriptors + 16u * buffer->id, 16);
    memcpy(&buffer->address, descriptor, 8);
    memcpy(&buffer->bytes, descriptor + 8, 4);
    memcpy(&buffer->flags, descriptor + 12, 2);
    CHECK(buffer->bytes > 0 && at(buffer->address, buffer->bytes));
    return true;
}

static void device_used(unsigned queue, uint32_t id, uint32_t bytes)
{
    struct ring_place *ring = &device.ring[queue];

    memcpy(at(ring->used + 4 + 8u * (ring->used_index % ring->size), 4), &id, 4);
    memcpy(at(ring->used + 8 + 8u * (ring->used_index % ring->size), 4), &bytes, 4);
    ring->used_index++;
    memcpy(at(ring->used + 2, 2), &ring->used_index, 2);
}

static void device_send(unsigned queue, const void *data, uint32_t bytes)
{
    struct buffer buffer;

    CHECK(device_next(queue, &buffer));
    CHECK((buffer.flags & 3) == 2 && bytes <= buffer.bytes);
    memcpy(at(buffer.address, bytes), data, bytes);
    device_used(queue, buffer.id, bytes);
}

static size_t device_receive(unsigned queue, void *to, size_t most)
{
    struct buffer buffer;

    if (!device_next(queue, &buffer))
        return 0;
    CHECK((buffer.flags & 3) == 0 && buffer.bytes <= most);
    memcpy(to, at(buffer.address, buffer.bytes), buffer.bytes);
    device_used(queue, buffer.id, 0);
    return buffer.bytes;
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

static struct console *console;

static void new_device(uint32_t version, unsigned ports)
{
    uint8_t *memory = device.memory;

    device = (struct device){.magic = 0x74726976, .version = version, .id = 3, .offered = {ports > 1 ? 7 : 5, 1}, .queue_max = 64,
                             .ports = ports, .queues = ports > 1 ? 2 + 2 * ports : 2, .memory = memory};
    if (device.queues > QUEUES)
        device.queues = QUEUES;
    memset(device.memory, 0, MEMORY_BYTES);
}

static bool start(void)
{
    return console_start(console, registers, device.memory, PHYSICAL);
}

static void control(uint32_t port, uint16_t event, uint16_t value)
{
    uint8_t message[8];

    memcpy(message, &port, 4);
    memcpy(message + 4, &event, 2);
    memcpy(message + 6, &value, 2);
    device_send(2, message, 8);
}

/* A started console on the given port; the queues' indices are those of that port. */
static unsigned start_on(uint32_t version, unsigned ports, unsigned port)
{
    uint8_t message[8];

    new_device(version, ports);
    CHECK(start());
    CHECK(device.status == (version == 1 ? 7u : 15u));
    if (ports > 1) {
        CHECK(!console->open && console_lend(console) == NULL);
        CHECK(device_receive(3, message, 8) == 8 && message[4] == 0 && message[6] == 1); /* DEVICE_READY */
        control(port, 1, 0);                                                              /* PORT_ADD */
        console_poll(console);
        console_notify(console);
        CHECK(device_receive(3, message, 8) == 8 && message[0] == port && message[4] == 3 && message[6] == 1);
        CHECK(device_receive(3, message, 8) == 8 && message[0] == port && message[4] == 6 && message[6] == 1);
    }
    CHECK(console->open && !console->broken && console->port == port);
    CHECK(device.notified[port * 4] > 0);
    return port * 4;
}

static void starts_and_refusals(void)
{
    new_device(2, 1);
    device.magic = 0;
    CHECK(!start());
    new_device(3, 1);
    CHECK(!start());
    new_device(2, 1);
    device.id = 0; /* an empty transport */
    CHECK(!start());
    new_device(2, 1);
    device.id = 2;
    CHECK(!start());
    new_device(2, 1);
    device.offered[1] = 0; /* no VERSION_1 */
    CHECK(!start() && (device.status & 128));
    new_device(2, 1);
    device.refuse_features = true;
    CHECK(!start());
    new_device(2, 1);
    device.queue_max = 0;
    CHECK(!start() && (device.status & 128));
    new_device(2, 2);
    device.queues = 3; /* no queue for control messages */
    CHECK(!start());
    new_device(2, 1);
    CHECK(start() && device.accepted[0] == 0 && device.accepted[1] == 1);
    new_device(2, 2);
    CHECK(start() && device.accepted[0] == 2);
    new_device(2, 1);
    device.queue_max = 4; /* small queues will do */
    CHECK(start() && device.ring[0].size == 4);
}

/* Bytes in order both ways, with every buffer used many times. */
static void stream_both_ways(uint32_t version, unsigned ports, unsigned port)
{
    unsigned base = start_on(version, ports, port);
    static uint8_t chunk[CONSOLE_SEND_BYTES];
    uint8_t next_in = 0, next_seen = 0, next_out = 0, next_shown = 0;

    for (unsigned round = 0; round < 200; round++) {
        uint32_t bytes = 1 + round * 37 % 4096;
        const uint8_t *seen;
        uint8_t *room;
        size_t count;

        for (uint32_t i = 0; i < bytes; i++)
            chunk[i] = next_in++;
        device_send(base, chunk, bytes);
        console_poll(console);
        while ((seen = console_peek(console, &count)) != NULL) {
            size_t some = count > 100 ? 100 : count;

            for (size_t i = 0; i < some; i++)
                CHECK(seen[i] == next_seen++);
            console_consume(console, some);
        }
        CHECK(next_seen == next_in);
        room = console_lend(console);
        CHECK(room != NULL && room == console_lend(console));
        for (uint32_t i = 0; i < bytes; i++)
            room[i] = next_out++;
        console_send(console, bytes);
        if (round % CONSOLE_SEND_BUFFERS == CONSOLE_SEND_BUFFERS - 1) {
            CHECK(console_lend(console) == NULL && !console_idle(console));
            while ((count = device_receive(base + 1, chunk, sizeof(chunk))) > 0)
                for (size_t i = 0; i < count; i++)
                    CHECK(chunk[i] == next_shown++);
            CHECK(next_shown == next_out);
            console_poll(console);
            CHECK(console_idle(console) && console_lend(console) != NULL);
        }
        console_notify(console);
    }
    CHECK(!console->broken);
}

static void strange_messages_are_passed_over(void)
{
    uint8_t message[128];

    new_device(2, 2);
    CHECK(start());
    control(7, 1, 0);             /* a port that is not ours */
    control(0xffffffff, 1, 0);
    control(1, 77, 3);            /* an event that nobody knows */
    device_send(2, "abc", 3);     /* too short */
    device_send(2, "", 0);
    memset(message, 0xff, sizeof(message));
    device_send(2, message, sizeof(message));
    console_poll(console);
    CHECK(!console->open && !console->broken);
    control(1, 1, 0);
    control(0, 1, 0); /* a second one is not taken */
    control(1, 1, 0);
    console_poll(console);
    CHECK(console->open && console->port == 1 && !console->broken);
    for (unsigned i = 0; i < 1000; i++) {
        control(1, 6, i & 1);
        console_poll(console);
    }
    CHECK(!console->broken);
}

static void misuse_of_sending(void)
{
    start_on(2, 1, 0);
    console_send(console, 10); /* nothing was lent */
    CHECK(console_lend(console) != NULL);
    console_send(console, 0);
    console_send(console, CONSOLE_SEND_BYTES + 1);
    CHECK(console_idle(console) && console_lend(console) != NULL);
    console_send(console, CONSOLE_SEND_BYTES);
    CHECK(!console_idle(console) && !console->broken);
}

static void interrupts_are_taken(void)
{
    start_on(2, 1, 0);
    device.interrupt = 3;
    CHECK(console_interrupt_take(console) == 3 && device.interrupt == 0);
    CHECK(console_interrupt_take(console) == 0);
}

/* ---- a hostile device -------------------------------------------------------------------------------------------- */

static void expect_broken(void)
{
    size_t count;

    console_poll(console);
    CHECK(console->broken);
    CHECK(console_lend(console) == NULL);
    while (console_peek(console, &count))
        console_consume(console, count);
    console_notify(console);
    console_poll(console);
    CHECK(console->broken);
}

static void used_names_no_buffer(void)
{
    static const uint32_t ids[] = {16, 17, 63, 64, 65, 0xffff, 0x10000, 0x7fffffff, 0xffffffff};

    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        unsigned base = start_on(2, 2, 1);

        device_used(base, ids[i], 1);
        expect_broken();
    }
}

static void used_twice(void)
{
    unsigned base = start_on(2, 1, 0);

    device_used(base, 3, 1);
    device_used(base, 3, 1);
    expect_broken();
    base = start_on(2, 1, 0);
    device_used(base, 3, 0);
    device_used(base, 3, 0);
    expect_broken();
}

static void used_and_never_offered(void)
{
    unsigned base = start_on(2, 1, 0);

    device_used(base + 1, 0, 0); /* nothing was sent */
    expect_broken();
}

static void used_too_long(void)
{
    unsigned base = start_on(2, 1, 0);

    device_used(base, 0, CONSOLE_RECEIVE_BYTES + 1);
    expect_broken();
    base = start_on(2, 1, 0);
    device_used(base, 0, 0xffffffff);
    expect_broken();
    base = start_on(2, 1, 0);
    device_used(base, 0, CONSOLE_RECEIVE_BYTES);
    console_poll(console);
    CHECK(!console->broken);
}

static void used_index_runs_away(void)
{
    unsigned base = start_on(2, 1, 0);
    uint16_t index = 1000;

    memcpy(at(device.ring[base].used + 2, 2), &index, 2);
    expect_broken();
}

static void control_queue_hostile(void)
{
    start_on(2, 2, 1);
    device_used(2, 5, 100000);
    expect_broken();
    start_on(2, 2, 1);
    device_used(3, 9, 0);
    expect_broken();
}

/* The length that a device reports for what it only reads means nothing. */
static void length_of_sent_is_ignored(void)
{
    unsigned base = start_on(2, 1, 0);
    struct buffer buffer;

    CHECK(console_lend(console) != NULL);
    console_send(console, 5);
    CHECK(device_next(base + 1, &buffer) && buffer.bytes == 5);
    device_used(base + 1, buffer.id, 0xffffffff);
    console_poll(console);
    CHECK(!console->broken && console_idle(console));
}

static uint64_t state;

static unsigned pick(unsigned below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

/* Random scribbling on everything that the device can write, between ordinary work. */
static void scribbling(void)
{
    for (unsigned seed = 1; seed <= 2000; seed++) {
        state = seed * 0x9e3779b97f4a7c15ull;
        start_on(1 + pick(2), 1 + pick(2), 0);
        for (unsigned i = 0; i < 60; i++) {
            size_t count;

            device.memory[pick(pick(2) ? CONSOLE_RINGS * 4096u : MEMORY_BYTES)] = (uint8_t)pick(256);
            if (pick(3) == 0)
                device.memory[pick(CONSOLE_RINGS) * 4096u + VIRTQUEUE_USED + pick(64)] = (uint8_t)pick(20);
            console_poll(console);
            if (console_peek(console, &count))
                console_consume(console, pick((unsigned)count + 1));
            if (console_lend(console))
                console_send(console, 1 + pick(CONSOLE_SEND_BYTES));
            console_notify(console);
        }
    }
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static void transports(void)
{
    const char *text = "console=ttyS0 virtio_mmio.device=512@0xfeb00000:5 quiet  virtio_mmio.device=4K@0xfeb00200:12";
    struct virtio_transport transport;

    CHECK(virtio_next_transport(&text, &transport));
    CHECK(transport.bytes == 512 && transport.address == 0xfeb00000 && transport.line == 5);
    CHECK(virtio_next_transport(&text, &transport));
    CHECK(transport.bytes == 4096 && transport.address == 0xfeb00200 && transport.line == 12);
    CHECK(!virtio_next_transport(&text, &transport) && *text == 0);
}

static void bad_transports(void)
{
    static const char *const bad[] = {
        "", " ", "virtio_mmio.device", "virtio_mmio.device=", "virtio_mmio.device=512", "virtio_mmio.device=512@", "virtio_mmio.device=@1:1",
        "virtio_mmio.device=512@0x:5", "virtio_mmio.device=512@0xfeb00000", "virtio_mmio.device=512@0xfeb00000:",
        "virtio_mmio.device=512@0xfeb00000:x", "virtio_mmio.device=512@0xfeb00000:65536", "virtio_mmio.device=16@0xfeb00000:5",
        "virtio_mmio.device=512@0xfeb00002:5", "virtio_mmio.device=512@0xfffffffffffffff0:5",
        "virtio_mmio.device=512@99999999999999999999999:5", "virtio_mmio.device=9999999999M@0x1000:5", "xvirtio_mmio.device=512@0x1000:5",
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *text = bad[i];
        struct virtio_transport transport;

        CHECK(!virtio_next_transport(&text, &transport));
    }
}

int main(void)
{
    console = malloc(sizeof(*console));
    device.memory = aligned_alloc(4096, MEMORY_BYTES);
    CHECK(console && device.memory);
    starts_and_refusals();
    stream_both_ways(1, 1, 0);
    stream_both_ways(2, 1, 0);
    stream_both_ways(1, 2, 1);
    stream_both_ways(2, 2, 1);
    stream_both_ways(2, 2, 0);
    strange_messages_are_passed_over();
    misuse_of_sending();
    interrupts_are_taken();
    used_names_no_buffer();
    used_twice();
    used_and_never_offered();
    used_too_long();
    used_index_runs_away();
    control_queue_hostile();
    length_of_sent_is_ignored();
    scribbling();
    transports();
    bad_transports();
    free(device.memory);
    free(console);
    printf("virtio_console: ok\n");
    return 0;
}
