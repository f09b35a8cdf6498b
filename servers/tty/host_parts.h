/*
 * The link's state, and what its parts owe each other: host_hello.c (the first process's arguments),
 * host_receive.c, host_send.c, and host.c, which turns all of it. One object: a machine has one host.
 */
#ifndef HOST_PARTS_H
#define HOST_PARTS_H
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/string.h>

#include "device.h"
#include "frames.h"
#include "host.h"
#include "service.h"
#include "stream.h"

enum phase {
    PHASE_HELLO,   /* arguments are coming in */
    PHASE_RUNNING, /* the first process was started */
    PHASE_LAST,    /* it has ended: what it has left in the rings goes out */
    PHASE_EXIT,    /* the status was sent: wait until the device has it */
};

struct host {
    enum phase phase;
    struct device device;
    struct frame_reader reader;
    struct frame_writer writer;
    struct stream stream[3];
    uint32_t looked[3];      /* the other side's words before this turn */
    uint32_t left[3];        /* PHASE_LAST: bytes of each stream that are still to go */
    uint32_t credit;         /* INPUT bytes that the host may still send */
    bool starved;            /* something waits for a send buffer */
    bool interrupted;        /* the device has something new; without this a turn stays away from its rings' pages */
    bool urgent;             /* what is packed must not be held back */
    uint64_t packed_ns;      /* when the first frame that is not sent yet was packed; 0: none is */
    uint32_t status;         /* wait status to report */
    struct px_link_hello hello;
    uint32_t hello_bytes;    /* read so far */
    uint64_t block;          /* frames for PX_BOOTARGS */
    uint8_t *block_va;
    uint64_t block_pages;
    uint64_t free_va;
};
extern struct host host;
extern struct frame_lender host_lender; /* its size comes with the device */

_Noreturn void host_fail(uint64_t code, const char *why);

/* Room for a frame's payload (frame_begin); NULL: not now, and it is remembered that somebody waits. */
uint8_t *host_begin(uint8_t type, size_t least, size_t *room);
/* host_send.c. Each sends what the device has buffers for; true if something moved. */
bool host_send_number(uint8_t type, uint32_t value);
bool host_send_terminal(void); /* the console's output */
bool host_drain(unsigned i);   /* what a standard stream's ring holds */
bool host_grant(void);         /* lets the host send as much more input as there is room for */

/* host_trace.c: when the first process has ended, recording stops, and what there is goes out before the status. */
void host_trace_stop(void);
bool host_send_trace(void);
bool host_trace_is_sent(void);

/* host_receive.c */
bool host_receive(void);

/*
 * host_hello.c: the payload of HELLO and of what continues it: the header, then the strings, into the block.
 * With the last of it the first process starts.
 */
size_t host_take_hello(uint8_t type, const uint8_t *bytes, size_t count);

#endif
