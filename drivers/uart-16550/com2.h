/* The second serial port of a PC, reached with the capabilities of its owner's environment. Owned by the server that links it. */
#ifndef UART_COM2_H
#define UART_COM2_H
#include "uart.h"

struct com2_place {
    uint64_t machine;  /* DEVICE and IRQ */
    uint64_t ports;    /* com2_attach makes it from that */
    uint64_t endpoint; /* where interrupts are notified, */
    uint64_t bits;     /* as these bits */
};

/* Starts it. 0 and the interrupt's capability, or -EXO_E_*: EXO_E_PEER when there is no such port. `place` must stay. */
int64_t com2_attach(struct uart *uart, struct com2_place *place, uint64_t *interrupt);
/* An interrupt was notified: serves the device, and unmasks the line. */
void com2_interrupt(struct uart *uart, uint64_t interrupt);

#endif
