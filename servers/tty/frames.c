#include "frames.h"

#include <exo/string.h>

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Is this a header that the host may send? Types that are delivered whole have one length. */
static bool header_valid(const uint8_t *header, uint32_t bytes)
{
    if (header[1] || header[2] || header[3] || bytes > PX_LINK_MAX)
        return false;
    switch (header[0]) {
    case PX_LINK_HELLO:
    case PX_LINK_HELLO_MORE:
    case PX_LINK_INPUT: return true;
    case PX_LINK_INPUT_END: return bytes == 0;
    case PX_LINK_WINSIZE: return bytes == 8;
    case PX_LINK_SIGNAL: return bytes == 4;
    default: return false;
    }
}

static bool is_small(uint8_t type)
{
    return type == PX_LINK_INPUT_END || type == PX_LINK_WINSIZE || type == PX_LINK_SIGNAL;
}

static void deliver_small(struct frame_reader *reader, const struct frame_sink *sink)
{
    reader->header_bytes = 0;
    reader->small_bytes = 0;
    sink->whole(sink->context, reader->header[0], reader->small);
}

static void read_header_byte(struct frame_reader *reader, uint8_t byte, const struct frame_sink *sink)
{
    reader->header[reader->header_bytes++] = byte;
    if (reader->header_bytes < FRAME_HEADER_BYTES)
        return;
    reader->left = get32(reader->header + 4);
    if (!header_valid(reader->header, reader->left)) {
        reader->bad = true;
        return;
    }
    if (reader->left == 0) {
        if (is_small(reader->header[0]))
            deliver_small(reader, sink);
        reader->header_bytes = 0;
    }
}

static size_t read_payload(struct frame_reader *reader, const uint8_t *bytes, size_t count, const struct frame_sink *sink)
{
    size_t some = count < reader->left ? count : reader->left;

    if (is_small(reader->header[0])) {
        if (some > FRAME_SMALL_BYTES - reader->small_bytes)
            some = FRAME_SMALL_BYTES - reader->small_bytes;
        memcpy(reader->small + reader->small_bytes, bytes, some);
        reader->small_bytes += (uint32_t)some;
        reader->left -= (uint32_t)some;
        if (reader->left == 0)
            deliver_small(reader, sink);
        return some;
    }
    some = sink->bytes(sink->context, reader->header[0], bytes, some);
    reader->left -= (uint32_t)some;
    if (reader->left == 0)
        reader->header_bytes = 0;
    return some;
}

size_t frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t count, const struct frame_sink *sink)
{
    size_t done = 0;

    while (done < count && !reader->bad) {
        size_t some = 1;

        if (reader->header_bytes < FRAME_HEADER_BYTES)
            read_header_byte(reader, bytes[done], sink);
        else
            some = read_payload(reader, bytes + done, count - done, sink);
        if (some == 0)
            break;
        done += some;
    }
    return done;
}

uint8_t *frame_begin(struct frame_writer *writer, uint8_t type, size_t least, size_t *room)
{
    const struct frame_lender *lender = writer->lender;

    if (writer->buffer && lender->buffer_bytes - writer->used < FRAME_HEADER_BYTES + least)
        frame_flush(writer);
    if (!writer->buffer) {
        writer->buffer = lender->lend(lender->context);
        writer->used = 0;
        if (!writer->buffer)
            return NULL;
    }
    writer->type = type;
    writer->payload = lender->buffer_bytes - writer->used - FRAME_HEADER_BYTES;
    if (writer->payload > PX_LINK_MAX)
        writer->payload = PX_LINK_MAX;
    *room = writer->payload;
    return writer->buffer + writer->used + FRAME_HEADER_BYTES;
}

void frame_end(struct frame_writer *writer, size_t bytes)
{
    uint8_t *header = writer->buffer + writer->used;

    if (bytes > writer->payload)
        bytes = writer->payload; /* the caller was told; never send what it did not write */
    memset(header, 0, FRAME_HEADER_BYTES);
    header[0] = writer->type;
    for (unsigned i = 0; i < 4; i++)
        header[4 + i] = (uint8_t)(bytes >> 8 * i);
    writer->used += FRAME_HEADER_BYTES + bytes;
}

void frame_flush(struct frame_writer *writer)
{
    if (writer->buffer && writer->used) {
        writer->lender->send(writer->lender->context, writer->used);
        writer->buffer = NULL;
    }
}
