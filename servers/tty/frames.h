/*
 * Frames of the link (proto/link.h) from the guest's side: cutting what the host sends, and packing what goes to it. The reader is a pure state machine that
 * trusts nothing; the writer fills the send buffers of the console. Both belong to the one context of tty.
 */
#ifndef TTY_FRAMES_H
#define TTY_FRAMES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

#define FRAME_HEADER_BYTES 8u
#define FRAME_SMALL_BYTES 8u /* longest payload of a frame that is delivered whole */

struct frame_reader {
    uint8_t header[FRAME_HEADER_BYTES];
    uint8_t small[FRAME_SMALL_BYTES];
    uint32_t header_bytes; /* read so far */
    uint32_t small_bytes;
    uint32_t left;         /* of the present payload */
    bool bad;              /* the host broke the rules: nothing more is read */
};

/* What to do with what was read. */
struct frame_sink {
    /* Bytes of an INPUT, HELLO or HELLO_MORE payload; returns how many were taken (0: not now). */
    size_t (*bytes)(void *context, uint8_t type, const uint8_t *bytes, size_t count);
    /* A whole WINSIZE, SIGNAL or INPUT_END frame. */
    void (*whole)(void *context, uint8_t type, const uint8_t *payload);
    void *context;
};

/* Reads frames from `bytes`; returns how many bytes were used: fewer when the sink takes no more, or the reader went bad. */
size_t frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t count, const struct frame_sink *sink);

/* Where buffers to send come from and go to. */
struct frame_lender {
    uint8_t *(*lend)(void *context); /* NULL: none now */
    void (*send)(void *context, size_t bytes);
    void *context;
    size_t buffer_bytes;
};

struct frame_writer {
    const struct frame_lender *lender;
    uint8_t *buffer;
    size_t used;    /* bytes of whole frames */
    size_t payload; /* room given with frame_begin */
    uint8_t type;
};

/* Room for a payload of at least `least` bytes: NULL when there is none now. *room: how many fit. */
uint8_t *frame_begin(struct frame_writer *writer, uint8_t type, size_t least, size_t *room);
/* The payload is there. A frame that was begun and not ended is forgotten. */
void frame_end(struct frame_writer *writer, size_t bytes);
/* Sends what is packed. */
void frame_flush(struct frame_writer *writer);

#endif
