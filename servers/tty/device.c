#include "device.h"

#include <exo/abi.h>

/* ---- the virtio console ------------------------------------------------------------------------------------------ */

static void virtio_poll(struct device *device)
{
    console_poll(&device->console);
}

static void virtio_interrupt(struct device *device)
{
    console_interrupt(&device->console, device->interrupt);
}

static const uint8_t *virtio_peek(struct device *device, size_t *bytes)
{
    return console_peek(&device->console, bytes);
}

static void virtio_consume(struct device *device, size_t bytes)
{
    console_consume(&device->console, bytes);
}

static uint8_t *virtio_lend(struct device *device)
{
    return console_lend(&device->console);
}

static void virtio_send(struct device *device, size_t bytes)
{
    console_send(&device->console, bytes);
}

static bool virtio_idle(struct device *device)
{
    return console_idle(&device->console);
}

static bool virtio_broken(const struct device *device)
{
    return device->console.broken;
}

static void virtio_want_sent(struct device *device, bool wanted)
{
    console_want_sent(&device->console, wanted);
}

static void virtio_notify_all(struct device *device)
{
    console_notify(&device->console);
}

static const struct device_operations virtio_operations = {
    .send_bytes = CONSOLE_SEND_BYTES, .poll = virtio_poll, .interrupt = virtio_interrupt, .peek = virtio_peek,
    .consume = virtio_consume, .lend = virtio_lend, .send = virtio_send, .idle = virtio_idle, .broken = virtio_broken,
    .want_sent = virtio_want_sent, .notify = virtio_notify_all,
};

/* ---- the serial port --------------------------------------------------------------------------------------------- */

static void serial_poll(struct device *device)
{
    uart_poll(&device->uart);
}

static void serial_interrupt(struct device *device)
{
    com2_interrupt(&device->uart, device->interrupt);
}

static const uint8_t *serial_peek(struct device *device, size_t *bytes)
{
    return uart_peek(&device->uart, bytes);
}

static void serial_consume(struct device *device, size_t bytes)
{
    uart_consume(&device->uart, bytes);
}

static uint8_t *serial_lend(struct device *device)
{
    return uart_lend(&device->uart);
}

static void serial_send(struct device *device, size_t bytes)
{
    uart_send(&device->uart, bytes);
}

static bool serial_idle(struct device *device)
{
    return uart_idle(&device->uart);
}

static bool serial_broken(const struct device *device)
{
    return device->uart.broken;
}

static const struct device_operations serial_operations = {
    .send_bytes = UART_SEND_BYTES, .host_waits = true, .poll = serial_poll, .interrupt = serial_interrupt, .peek = serial_peek,
    .consume = serial_consume, .lend = serial_lend, .send = serial_send, .idle = serial_idle, .broken = serial_broken,
};

/* ------------------------------------------------------------------------------------------------------------------ */

int64_t device_start(struct device *device, const char *command_line, struct console_place *place)
{
    int64_t status = console_attach(&device->console, command_line, place, &device->interrupt), second;

    device->operations = &virtio_operations;
    if (status == 0)
        return 0;
    device->operations = &serial_operations;
    device->com2 = (struct com2_place){.machine = place->machine, .endpoint = place->endpoint, .bits = place->bits};
    second = com2_attach(&device->uart, &device->com2, &device->interrupt);
    if (second == 0)
        return 0;
    return status != -EXO_E_PEER ? status : second;
}
