/*
 * A 16550A serial port with its FIFOs as one byte stream each way, at its highest speed, eight bits, no parity, no flow control. Owned by one server;
 * one context, hence no lock.
 *
 * The owner calls uart_poll after an interrupt or when it likes; nothing here waits, and each call moves a bounded number of bytes. Received bytes are
 * looked at in place; bytes to send are written into the buffer that the driver lends. A lost byte makes it `broken` for good.
 */
#ifndef UART_16550_H
#define UART_16550_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_RECEIVE_BYTES 4096u
#define UART_SEND_BYTES 4096u
#define UART_FIFO_BYTES 16u

/* Registers are reached through functions, so that a test can stand in for the device. */
struct uart_registers {
    uint8_t (*read)(void *context, unsigned offset);
    void (*write)(void *context, unsigned offset, uint8_t value);
    void (*read_data)(void *context, uint8_t *bytes, unsigned count); /* register 0 count times, at most UART_FIFO_BYTES */
    void (*write_data)(void *context, const uint8_t *bytes, unsigned count);
    void *context;
};

struct uart {
    struct uart_registers registers;
    uint8_t receive[UART_RECEIVE_BYTES]; /* bytes first .. end-1 have come and are not consumed */
    uint32_t first, end;
    uint8_t send[UART_SEND_BYTES];       /* bytes sent .. to_send-1 are still to go */
    uint32_t sent, to_send;
    uint8_t enabled;                     /* interrupts, as the device has them */
    bool broken;
};

/* Finds out whether there is a 16550A, and starts it with receive interrupts. What has come before is lost. */
bool uart_start(struct uart *uart, struct uart_registers registers);
/* Takes what has come and sends what is under way, as far as the device goes at once. */
void uart_poll(struct uart *uart);
/* After an interrupt, before its line is unmasked: takes what the device interrupts for. */
void uart_interrupt_take(struct uart *uart);

/* Received bytes that are next, in place; NULL when there are none. */
const uint8_t *uart_peek(struct uart *uart, size_t *bytes);
void uart_consume(struct uart *uart, size_t bytes);

/* Lends a buffer of UART_SEND_BYTES to fill; NULL while its bytes are under way. */
uint8_t *uart_lend(struct uart *uart);
void uart_send(struct uart *uart, size_t bytes);
/* Nothing is under way, not even in the device. */
bool uart_idle(struct uart *uart);

#endif
