/*
 * The 16550 driver against a device made up here: no device, an old one without FIFOs, the order of the start; bytes both ways through FIFOs of 16; a host that
 * reads slowly; a full receive buffer, with which the device must fall silent; a lost byte.
 *
 * unit-sources: drivers/uart-16550/uart.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/uart-16550/uart.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

#define TRIGGER 14u

static struct device {
    bool absent, old, overrun;
    uint8_t scratch, line, enabled, modem, divisor[2];
    bool fifo, send_cleared; /* the interrupt of the empty send FIFO has been read */
    uint8_t in[UART_FIFO_BYTES];
    unsigned in_count, out_count; /* out_count: bytes in the send FIFO */
    bool stuck;                   /* the host reads nothing */
    uint8_t out[65536];
    unsigned out_end;
} device;

static uint8_t pop(void)
{
    uint8_t byte = device.in[0];

    CHECK(device.in_count > 0); /* the driver must not read what is not there */
    memmove(device.in, device.in + 1, --device.in_count);
    return byte;
}

static uint8_t interrupt_id(void)
{
    uint8_t works = device.fifo && !device.old ? 0xc0 : 0;

    if (device.enabled & 1 && device.in_count >= TRIGGER)
        return works | 4;
    if (device.enabled & 1 && device.in_count > 0)
        return works | 12;
    if (device.enabled & 2 && device.out_count == 0 && !device.send_cleared)
        return works | 2;
    return works | 1;
}

static uint8_t device_read(void *context, unsigned offset)
{
    uint8_t value;

    CHECK(context == &device);
    if (device.absent)
        return 0xff;
    switch (offset) {
    case 0: CHECK(!(device.line & 0x80)); return pop();
    case 2:
        value = interrupt_id();
        device.send_cleared |= (value & 15) == 2;
        return value;
    case 5:
        if (!device.stuck)
            device.out_count = 0;
        value = (device.in_count > 0) | (device.overrun ? 2 : 0) | (device.out_count ? 0 : 0x60);
        device.overrun = false;
        return value;
    case 7: return device.scratch;
    default: CHECK(false); return 0;
    }
}

static void put(uint8_t byte)
{
    CHECK(device.out_count < UART_FIFO_BYTES); /* more would be lost */
    device.out[device.out_end++] = byte;
    device.out_count++;
    device.send_cleared = false;
}

static void device_write(void *context, unsigned offset, uint8_t value)
{
    CHECK(context == &device);
    switch (offset) {
    case 0:
    case 1:
        if (device.line & 0x80)
            device.divisor[offset] = value;
        else if (offset == 1)
            device.enabled = value;
        else
            put(value);
        break;
    case 2: device.fifo = value & 1; device.in_count = 0; break;
    case 3: device.line = value; break;
    case 4: device.modem = value; break;
    case 7: device.scratch = value; break;
    default: CHECK(false);
    }
}

static void device_read_data(void *context, uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bytes[i] = device_read(context, 0);
}

static void device_write_data(void *context, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        device_write(context, 0, bytes[i]);
}

static const struct uart_registers registers = {
    .read = device_read, .write = device_write, .read_data = device_read_data, .write_data = device_write_data, .context = &device};
static struct uart uart;

static void started(void)
{
    memset(&device, 0, sizeof(device));
    CHECK(uart_start(&uart, registers));
    CHECK(device.fifo && device.line == 3 && device.divisor[0] == 1 && device.divisor[1] == 0);
    CHECK(device.enabled == 1 && (device.modem & 0x18) == 8); /* OUT2, no loopback */
}

static void starts(void)
{
    memset(&device, 0, sizeof(device));
    device.absent = true;
    CHECK(!uart_start(&uart, registers));
    device.absent = false;
    device.old = true;
    CHECK(!uart_start(&uart, registers));
    started();
}

static void arrive(unsigned from, unsigned count)
{
    CHECK(device.in_count + count <= UART_FIFO_BYTES);
    for (unsigned i = 0; i < count; i++)
        device.in[device.in_count++] = (uint8_t)(from + i);
}

static void receives(void)
{
    size_t bytes;
    unsigned expected = 0;

    started();
    CHECK(uart_peek(&uart, &bytes) == NULL && bytes == 0);
    for (unsigned count = 1, from = 0; count <= UART_FIFO_BYTES; from += count++) {
        arrive(from, count);
        uart_interrupt_take(&uart);
        CHECK(device.in_count == 0);
    }
    while (uart_peek(&uart, &bytes)) {
        CHECK(*uart_peek(&uart, &bytes) == (uint8_t)expected++);
        uart_consume(&uart, 1);
    }
    CHECK(expected == 16 * 17 / 2 && !uart.broken);
}

static void full(void)
{
    size_t bytes;
    unsigned count = 0;

    started();
    while (device.enabled & 1) {
        arrive(count, TRIGGER);
        uart_interrupt_take(&uart);
        CHECK(device.in_count == 0);
        count += TRIGGER;
        CHECK(count <= UART_RECEIVE_BYTES);
    }
    arrive(count, TRIGGER);
    uart_interrupt_take(&uart); /* no room: the device keeps them */
    CHECK(device.in_count == TRIGGER && !(device.enabled & 1));
    CHECK(uart_peek(&uart, &bytes) && bytes == count);
    uart_consume(&uart, bytes - 1);
    CHECK(uart_peek(&uart, &bytes) && bytes == 1);
    uart_consume(&uart, 1);
    CHECK(device.enabled & 1); /* it asks again */
    uart_interrupt_take(&uart);
    CHECK(device.in_count == 0 && uart_peek(&uart, &bytes) && bytes == TRIGGER && !uart.broken);
}

static void sends(void)
{
    uint8_t *buffer;
    unsigned turns = 0;

    started();
    buffer = uart_lend(&uart);
    CHECK(buffer && uart_lend(&uart) == buffer);
    uart_send(&uart, 0);
    uart_send(&uart, UART_SEND_BYTES + 1);
    CHECK(uart_lend(&uart) == buffer && uart_idle(&uart));
    for (unsigned i = 0; i < UART_SEND_BYTES; i++)
        buffer[i] = (uint8_t)(i * 7);
    uart_send(&uart, UART_SEND_BYTES);
    CHECK(uart_lend(&uart) == NULL && !uart_idle(&uart)); /* not all at once: others wait */
    device.stuck = true;
    uart_poll(&uart);
    uart_poll(&uart);
    CHECK(device.enabled == 3 && !uart_idle(&uart));
    device.stuck = false;
    while (!uart_lend(&uart)) {
        CHECK(device.enabled == 3 && ++turns < 100);
        uart_interrupt_take(&uart);
    }
    CHECK(device.enabled == 1 && uart_idle(&uart) && device.out_end == UART_SEND_BYTES);
    for (unsigned i = 0; i < UART_SEND_BYTES; i++)
        CHECK(device.out[i] == (uint8_t)(i * 7));
}

static void idle_means_gone(void)
{
    started();
    device.stuck = true;
    memcpy(uart_lend(&uart), "x", 1);
    uart_send(&uart, 1);
    CHECK(uart_lend(&uart) != NULL && !uart_idle(&uart));
    device.stuck = false;
    CHECK(uart_idle(&uart) && device.out_end == 1 && device.out[0] == 'x');
}

static void loses(void)
{
    started();
    arrive(0, TRIGGER);
    device.overrun = true;
    uart_interrupt_take(&uart);
    CHECK(uart.broken && uart_lend(&uart) == NULL);
    started();
    arrive(0, 3);
    device.overrun = true;
    uart_interrupt_take(&uart);
    CHECK(uart.broken);
}

int main(void)
{
    starts();
    receives();
    full();
    sends();
    idle_means_gone();
    loses();
    return 0;
}
