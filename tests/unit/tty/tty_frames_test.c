/*
 * The link's frames: what the reader makes of good and of hostile bytes, in any pieces; and that what the writer packs, a reader takes apart again.
 *
 * unit-sources: servers/tty/frames.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/tty/frames.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static uint64_t state;

static unsigned pick(unsigned below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

/* What the sink was given: payloads of stream frames in a row, and the last whole frame. */
static struct {
    uint8_t bytes[1 << 20];
    size_t count, most; /* most: what a call takes; 0: refuses */
    unsigned wholes;
    uint8_t type, payload[FRAME_SMALL_BYTES], stream_type;
} got;

static size_t take_bytes(void *context, uint8_t type, const uint8_t *bytes, size_t count)
{
    (void)context;
    CHECK(count > 0);
    if (count > got.most)
        count = got.most;
    CHECK(got.count + count <= sizeof(got.bytes));
    memcpy(got.bytes + got.count, bytes, count);
    got.count += count;
    got.stream_type = type;
    return count;
}

static void take_whole(void *context, uint8_t type, const uint8_t *payload)
{
    (void)context;
    got.wholes++;
    got.type = type;
    memcpy(got.payload, payload, sizeof(got.payload));
}

static const struct frame_sink sink = {.bytes = take_bytes, .whole = take_whole};

static void forget(void)
{
    memset(&got, 0, sizeof(got));
    got.most = SIZE_MAX;
}

static size_t put_frame(uint8_t *to, uint8_t type, const void *payload, uint32_t bytes)
{
    memset(to, 0, 8);
    to[0] = type;
    for (unsigned i = 0; i < 4; i++)
        to[4 + i] = (uint8_t)(bytes >> 8 * i);
    if (bytes)
        memcpy(to + 8, payload, bytes);
    return 8 + bytes;
}

/* Each kind of frame, cut at every place. */
static void whole_frames_in_pieces(void)
{
    uint8_t stream[256];
    size_t total = 0;

    total += put_frame(stream + total, PX_LINK_INPUT, "hello", 5);
    total += put_frame(stream + total, PX_LINK_WINSIZE, "\1\2\3\4\5\6\7\10", 8);
    total += put_frame(stream + total, PX_LINK_INPUT, "", 0);
    total += put_frame(stream + total, PX_LINK_SIGNAL, "\17\0\0\0", 4);
    total += put_frame(stream + total, PX_LINK_HELLO_MORE, "more", 4);
    total += put_frame(stream + total, PX_LINK_INPUT_END, "", 0);
    for (size_t cut = 0; cut <= total; cut++) {
        struct frame_reader reader = {0};

        forget();
        CHECK(frame_read(&reader, stream, cut, &sink) == cut);
        CHECK(frame_read(&reader, stream + cut, total - cut, &sink) == total - cut);
        CHECK(!reader.bad && got.count == 9 && memcmp(got.bytes, "hellomore", 9) == 0);
        CHECK(got.wholes == 3 && got.type == PX_LINK_INPUT_END && reader.header_bytes == 0);
    }
}

static void small_payload_arrives(void)
{
    struct frame_reader reader = {0};
    uint8_t stream[32];
    size_t total = put_frame(stream, PX_LINK_SIGNAL, "\11\1\0\0", 4);

    forget();
    CHECK(frame_read(&reader, stream, total, &sink) == total);
    CHECK(got.wholes == 1 && got.type == PX_LINK_SIGNAL && memcmp(got.payload, "\11\1\0\0", 4) == 0);
}

/* A sink that takes no more stops the reader at that byte, and it goes on from there. */
static void refusal(void)
{
    struct frame_reader reader = {0};
    uint8_t stream[64];
    size_t total = put_frame(stream, PX_LINK_INPUT, "abcdef", 6), used;

    forget();
    got.most = 4;
    used = frame_read(&reader, stream, 8 + 4, &sink);
    CHECK(used == 12);
    got.most = 0;
    CHECK(frame_read(&reader, stream + used, total - used, &sink) == 0 && !reader.bad);
    got.most = 1;
    CHECK(frame_read(&reader, stream + used, total - used, &sink) == 2);
    CHECK(got.count == 6 && memcmp(got.bytes, "abcdef", 6) == 0);
}

static void bad_headers(void)
{
    static const struct {
        uint8_t type, zero[3];
        uint32_t bytes;
        bool bad;
    } headers[] = {
        {PX_LINK_INPUT, {0}, PX_LINK_MAX, false},      {PX_LINK_INPUT, {0}, PX_LINK_MAX + 1, true},
        {PX_LINK_INPUT, {0}, 0xffffffff, true},        {PX_LINK_INPUT, {1, 0, 0}, 1, true},
        {PX_LINK_INPUT, {0, 1, 0}, 1, true},           {PX_LINK_INPUT, {0, 0, 1}, 1, true},
        {PX_LINK_INPUT_END, {0}, 1, true},             {PX_LINK_WINSIZE, {0}, 7, true},
        {PX_LINK_WINSIZE, {0}, 9, true},               {PX_LINK_WINSIZE, {0}, 0, true},
        {PX_LINK_SIGNAL, {0}, 3, true},                {PX_LINK_SIGNAL, {0}, 5, true},
        {PX_LINK_OUTPUT, {0}, 1, true},                {PX_LINK_EXIT, {0}, 4, true},
        {PX_LINK_CREDIT, {0}, 4, true},                {0, {0}, 0, true},
        {0xff, {0}, 0, true},                          {PX_LINK_HELLO, {0}, PX_LINK_MAX, false},
    };

    for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct frame_reader reader = {0};
        uint8_t header[8] = {headers[i].type, headers[i].zero[0], headers[i].zero[1], headers[i].zero[2],
                             (uint8_t)headers[i].bytes, (uint8_t)(headers[i].bytes >> 8), (uint8_t)(headers[i].bytes >> 16),
                             (uint8_t)(headers[i].bytes >> 24)};

        forget();
        frame_read(&reader, header, sizeof(header), &sink);
        CHECK(reader.bad == headers[i].bad);
        CHECK(!reader.bad || frame_read(&reader, header, sizeof(header), &sink) == 0);
        CHECK(got.wholes == 0 && got.count == 0);
    }
}

/* Random bytes: nothing breaks, nothing is delivered that was not there. */
static void random_bytes(void)
{
    uint8_t bytes[512];

    for (unsigned seed = 1; seed <= 20000; seed++) {
        struct frame_reader reader = {0};
        size_t count, used = 0;

        state = seed * 0x9e3779b97f4a7c15ull;
        forget();
        count = 1 + pick(sizeof(bytes));
        for (size_t i = 0; i < count; i++)
            bytes[i] = pick(3) ? (uint8_t)(pick(2) ? 0 : "IEWSHh"[pick(6)]) : (uint8_t)pick(256);
        while (used < count) {
            size_t some = 1 + pick(40), taken;

            if (some > count - used)
                some = count - used;
            taken = frame_read(&reader, bytes + used, some, &sink);
            CHECK(taken <= some);
            used += taken;
            if (reader.bad)
                break;
            CHECK(taken > 0);
        }
        CHECK(got.count <= used && reader.header_bytes <= FRAME_HEADER_BYTES && reader.small_bytes <= FRAME_SMALL_BYTES);
    }
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

#define BUFFER_BYTES 256u

static uint8_t buffer[BUFFER_BYTES], sent[1 << 16];
static size_t sent_bytes;
static unsigned free_buffers;

static uint8_t *lend(void *context)
{
    (void)context;
    if (free_buffers == 0)
        return NULL;
    free_buffers--;
    return buffer;
}

static void send(void *context, size_t bytes)
{
    (void)context;
    CHECK(bytes > 0 && bytes <= BUFFER_BYTES && sent_bytes + bytes <= sizeof(sent));
    memcpy(sent + sent_bytes, buffer, bytes);
    sent_bytes += bytes;
}

static const struct frame_lender lender = {.lend = lend, .send = send, .buffer_bytes = BUFFER_BYTES};

static void packing(void)
{
    struct frame_writer writer = {.lender = &lender};
    size_t room;

    free_buffers = 2;
    sent_bytes = 0;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *payload = frame_begin(&writer, PX_LINK_OUTPUT, 1, &room);

        CHECK(payload && room == BUFFER_BYTES - i * 18 - 8);
        memset(payload, 'a' + (int)i, 10);
        frame_end(&writer, 10);
    }
    CHECK(sent_bytes == 0);
    CHECK(frame_begin(&writer, PX_LINK_LOG, 240, &room) != NULL); /* does not fit behind the others */
    CHECK(sent_bytes == 54 && room == BUFFER_BYTES - 8);
    frame_flush(&writer); /* begun and not ended: nothing */
    CHECK(sent_bytes == 54);
    CHECK(sent[0] == PX_LINK_OUTPUT && sent[4] == 10 && sent[8] == 'a' && sent[18 + 8] == 'b' && sent[36 + 17] == 'c');
    CHECK(frame_begin(&writer, PX_LINK_LOG, 1, &room) != NULL);
    frame_end(&writer, 100000); /* more than was given */
    frame_flush(&writer);
    CHECK(sent_bytes == 54 + BUFFER_BYTES);
    CHECK(frame_begin(&writer, PX_LINK_LOG, 1, &room) == NULL); /* all buffers are under way */
}

/* Random frames packed and read back. */
static void round_trip(void)
{
    for (unsigned seed = 1; seed <= 500; seed++) {
        struct frame_writer writer = {.lender = &lender};
        struct frame_reader reader = {0};
        uint8_t expected[8192];
        size_t count = 0, room;

        state = seed;
        free_buffers = 1000;
        sent_bytes = 0;
        forget();
        for (unsigned i = 0; i < 60; i++) {
            uint8_t *payload = frame_begin(&writer, PX_LINK_INPUT, 1 + pick(100), &room);
            size_t some = pick(120);

            CHECK(payload != NULL && room >= 1);
            if (some > room)
                some = room;
            for (size_t k = 0; k < some; k++)
                payload[k] = expected[count++] = (uint8_t)pick(256);
            frame_end(&writer, some);
            if (pick(5) == 0)
                frame_flush(&writer);
        }
        frame_flush(&writer);
        CHECK(frame_read(&reader, sent, sent_bytes, &sink) == sent_bytes && !reader.bad);
        CHECK(got.count == count && memcmp(got.bytes, expected, count) == 0);
    }
}

int main(void)
{
    whole_frames_in_pieces();
    small_payload_arrives();
    refusal();
    bad_headers();
    random_bytes();
    packing();
    round_trip();
    printf("tty_frames: ok\n");
    return 0;
}
