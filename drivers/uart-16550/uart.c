#include "uart.h"

#include <exo/string.h>

/* National Semiconductor PC16550D data sheet, table II. */
enum register_offset {
    DATA = 0, INTERRUPT_ENABLE = 1, INTERRUPT_ID = 2, FIFO_CONTROL = 2, LINE_CONTROL = 3, MODEM_CONTROL = 4, LINE_STATUS = 5, SCRATCH = 7,
    DIVISOR_LOW = 0, DIVISOR_HIGH = 1,
};
#define ENABLE_RECEIVE 0x01u
#define ENABLE_SEND 0x02u /* when the send FIFO is empty */
#define ID_WHICH 0x0fu
#define ID_RECEIVED 0x04u
#define ID_RECEIVED_SOME 0x0cu
#define FIFO_ON_14 0xc7u  /* both FIFOs on and emptied; interrupt when 14 bytes have come, or some and then none for four bytes' time */
#define RECEIVED_BYTES 14u /* that are there when the device says ID_RECEIVED */
#define FIFO_WORKS 0xc0u
#define LINE_8_BITS 0x03u
#define LINE_DIVISOR 0x80u
#define MODEM_ON 0x0bu /* DTR, RTS, and OUT2, which lets a PC's interrupt through */
#define STATUS_READY 0x01u
#define STATUS_OVERRUN 0x02u
#define STATUS_SEND_EMPTY 0x20u
#define STATUS_IDLE 0x40u

#define BURSTS_MOST 32u /* FIFOs that one call fills: half a KiB, so that the owner is not kept from others for long */

static uint8_t get(const struct uart *uart, unsigned offset)
{
    return uart->registers.read(uart->registers.context, offset);
}

static void set(const struct uart *uart, unsigned offset, uint8_t value)
{
    uart->registers.write(uart->registers.context, offset, value);
}

static void enable(struct uart *uart, unsigned interrupts)
{
    if (uart->enabled == interrupts)
        return;
    uart->enabled = (uint8_t)interrupts;
    set(uart, INTERRUPT_ENABLE, uart->enabled);
}

static bool is_there(const struct uart *uart)
{
    set(uart, SCRATCH, 0x5a);
    if (get(uart, SCRATCH) != 0x5a)
        return false;
    set(uart, SCRATCH, 0xa5);
    return get(uart, SCRATCH) == 0xa5;
}

bool uart_start(struct uart *uart, struct uart_registers registers)
{
    memset(uart, 0, sizeof(*uart));
    uart->registers = registers;
    if (!is_there(uart))
        return false;
    set(uart, INTERRUPT_ENABLE, 0);
    set(uart, LINE_CONTROL, LINE_8_BITS | LINE_DIVISOR);
    set(uart, DIVISOR_LOW, 1);
    set(uart, DIVISOR_HIGH, 0);
    set(uart, LINE_CONTROL, LINE_8_BITS);
    set(uart, FIFO_CONTROL, FIFO_ON_14);
    if ((get(uart, INTERRUPT_ID) & FIFO_WORKS) != FIFO_WORKS)
        return false; /* an older one, without FIFOs that work */
    set(uart, MODEM_CONTROL, MODEM_ON);
    (void)get(uart, LINE_STATUS); /* errors of the time before */
    enable(uart, ENABLE_RECEIVE);
    return true;
}

static bool has_room(const struct uart *uart)
{
    return UART_RECEIVE_BYTES - uart->end >= UART_FIFO_BYTES;
}

/* Byte for byte: nobody knows how many there are. */
static void receive_some(struct uart *uart)
{
    for (unsigned i = 0; i < RECEIVED_BYTES; i++) {
        uint8_t status = get(uart, LINE_STATUS);

        uart->broken |= (status & STATUS_OVERRUN) != 0;
        if (!(status & STATUS_READY))
            return;
        uart->receive[uart->end++] = get(uart, DATA);
    }
}

/*
 * Only what the device interrupts for: the rest makes an interrupt later. To take each byte as it comes would be slow under an emulator, which
 * then delivers each byte by itself.
 */
static void receive(struct uart *uart)
{
    for (unsigned burst = 0; burst < BURSTS_MOST && has_room(uart) && !uart->broken; burst++) {
        unsigned id = get(uart, INTERRUPT_ID) & ID_WHICH;

        if (id == ID_RECEIVED_SOME) {
            receive_some(uart);
        } else if (id == ID_RECEIVED) {
            uart->registers.read_data(uart->registers.context, uart->receive + uart->end, RECEIVED_BYTES);
            uart->end += RECEIVED_BYTES;
            uart->broken |= (get(uart, LINE_STATUS) & STATUS_OVERRUN) != 0;
        } else {
            return;
        }
    }
}

static void transmit(struct uart *uart)
{
    for (unsigned burst = 0; burst < BURSTS_MOST && uart->sent < uart->to_send; burst++) {
        unsigned count;

        if (!(get(uart, LINE_STATUS) & STATUS_SEND_EMPTY))
            return;
        count = uart->to_send - uart->sent < UART_FIFO_BYTES ? uart->to_send - uart->sent : UART_FIFO_BYTES;
        uart->registers.write_data(uart->registers.context, uart->send + uart->sent, count);
        uart->sent += count;
    }
    if (uart->sent == uart->to_send)
        uart->sent = uart->to_send = 0;
}

/* The device interrupts for what there is room or bytes for. Otherwise its line would stay up, and nothing could be done about it. */
static void choose_interrupts(struct uart *uart)
{
    enable(uart, (has_room(uart) ? ENABLE_RECEIVE : 0) | (uart->to_send > 0 ? ENABLE_SEND : 0));
}

void uart_poll(struct uart *uart)
{
    if (uart->broken)
        return;
    receive(uart);
    transmit(uart);
    choose_interrupts(uart);
}

void uart_interrupt_take(struct uart *uart)
{
    uart_poll(uart); /* reads the interrupt's reason, which lets that of an empty send FIFO go */
}

const uint8_t *uart_peek(struct uart *uart, size_t *bytes)
{
    *bytes = uart->end - uart->first;
    return *bytes > 0 ? uart->receive + uart->first : NULL;
}

void uart_consume(struct uart *uart, size_t bytes)
{
    uart->first += (uint32_t)bytes;
    if (uart->first < uart->end)
        return;
    uart->first = uart->end = 0;
    choose_interrupts(uart);
}

uint8_t *uart_lend(struct uart *uart)
{
    return uart->to_send == 0 && !uart->broken ? uart->send : NULL;
}

void uart_send(struct uart *uart, size_t bytes)
{
    if (uart->to_send > 0 || bytes == 0 || bytes > UART_SEND_BYTES)
        return;
    uart->to_send = (uint32_t)bytes;
    transmit(uart);
    choose_interrupts(uart);
}

bool uart_idle(struct uart *uart)
{
    return uart->to_send == 0 && (uart->broken || (get(uart, LINE_STATUS) & STATUS_IDLE));
}
