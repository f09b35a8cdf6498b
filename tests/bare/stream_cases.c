/* Streams: blocks that change hands, and senders and receivers that cheat. */
#include <exo/stream.h>

#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define PAGES 4u
#define BLOCK_BYTES (PAGES * EXO_PAGE_BYTES)
#define BLOCKS 3u
#define HERE AREA(90)        /* the receiver's view */
#define THERE ((void *)AREA(91)) /* the sender's */
#define SECOND_VIEW AREA(92) /* of a sender that cheats */
#define SECOND_NS 1000000000ul

enum { CHILD_ENDPOINT = 20, CHILD_OTHER = 21 };

/* A stream, and a child that is to be its sender. */
struct pair {
    struct exo_stream stream;
    struct child child;
    uint64_t endpoint;
};

static struct pair begin(void (*sender)(uint64_t), uint64_t argument, uint32_t blocks)
{
    struct pair pair = {.child = child_new(sender, argument)};

    pair.endpoint = (uint64_t)MUST(exo_ep_create());
    EXPECT(exo_stream_make(&pair.stream, pair.endpoint, SELF, ZONE, HERE, blocks, PAGES), 0);
    EXPECT(exo_cap_copy(pair.child.env, CHILD_ENDPOINT, pair.endpoint, EXO_RIGHT_CALL, 1), CHILD_ENDPOINT);
    child_start(&pair.child);
    return pair;
}

static void end(struct pair *pair)
{
    exo_stream_unmake(&pair->stream);
    EXPECT(exo_cap_delete(pair->endpoint), 0);
}

/* Ends a child that would go on, or is stuck. */
static void stop(const struct child *child)
{
    (void)!exo_env_destroy(child->env, 0);
    EXPECT((int64_t)(child_end(child) & 0xff), EXO_REASON_DESTROYED);
}

static bool whole(const struct exo_stream_part *part, uint64_t value)
{
    for (uint64_t i = 0; i < part->bytes / 8; i++)
        if (((const volatile uint64_t *)part->data)[i] != value)
            return false;
    return true;
}

static void fill(void *data, uint64_t bytes, uint64_t value)
{
    for (uint64_t i = 0; i < bytes / 8; i++)
        ((volatile uint64_t *)data)[i] = value;
}

/* ---- honest ---- */

static void send(uint64_t count)
{
    struct exo_stream_out out;

    if (exo_stream_begin(&out, CHILD_ENDPOINT, SELF, THERE, PAGES) < 0 || out.bytes != BLOCK_BYTES)
        child_exit(1);
    for (uint64_t i = 0; i < count; i++) {
        fill(out.data, out.bytes, i);
        if (exo_stream_push(&out, out.bytes - 8 * (i % 3)) < 0)
            child_exit(2);
    }
    child_exit(exo_stream_end(&out, 0) < 0 ? 3 : 4);
}

static void receive_all(uint32_t blocks)
{
    struct pair pair = begin(send, 50, blocks);
    struct exo_stream_part part;
    uint64_t count = 0;
    int64_t status;

    while ((status = exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER)) == 0) {
        if (count < 50)
            EXPECT((int64_t)part.bytes, (int64_t)(BLOCK_BYTES - 8 * (count % 3)));
        CHECK(count >= 50 || whole(&part, count));
        count++;
        EXPECT(exo_stream_done(&pair.stream, &part), 0);
        EXPECT(exo_stream_done(&pair.stream, &part), -EXO_E_INVAL);
    }
    EXPECT(status, -EXO_E_PEER);
    EXPECT((int64_t)count, 51);
    EXPECT((int64_t)child_result(&pair.child), 4);
    end(&pair);
}

CASE(stream_flows, "streams: blocks arrive whole and in order, with one block and with three")
{
    receive_all(1);
    receive_all(BLOCKS);
}

CASE(stream_pressure, "streams: a receiver that reads nothing has lent all that there is, and the sender waits")
{
    struct pair pair = begin(send, 50, BLOCKS);
    struct exo_stream_part part[BLOCKS], more;

    for (unsigned i = 0; i < BLOCKS; i++) {
        EXPECT(exo_stream_next(&pair.stream, &part[i], EXO_DEADLINE_NEVER), 0);
        CHECK(whole(&part[i], i));
    }
    EXPECT(exo_stream_next(&pair.stream, &more, EXO_DEADLINE_NEVER), -EXO_E_BUSY);
    EXPECT(exo_stream_done(&pair.stream, &part[1]), 0);
    EXPECT(exo_stream_next(&pair.stream, &more, EXO_DEADLINE_NEVER), 0);
    CHECK(more.block == part[1].block && whole(&more, BLOCKS));
    stop(&pair.child);
    end(&pair);
}

/* ---- senders that cheat ---- */

/* A block as the protocol gives it, mapped. */
static struct exo_message take(void)
{
    struct exo_message message = {.word = {EXO_STREAM_TAKE}};

    if (exo_ep_call(CHILD_ENDPOINT, &message) < 0 || message.word[0] != 0 || !message.capability)
        child_exit(90);
    if (exo_map_all(SELF, (uint64_t)THERE, message.capability, 0, PAGES, RW) < 0)
        child_exit(91);
    return message;
}

/* Pushes a block that it keeps mapped, and the capability, too; then writes on. */
static void keep(uint64_t unused)
{
    struct exo_message block = take(), message = {.word = {EXO_STREAM_PUSH, block.word[1], BLOCK_BYTES}};

    (void)unused;
    fill(THERE, BLOCK_BYTES, 7);
    if (exo_ep_call(CHILD_ENDPOINT, &message) < 0 || message.word[0] != 0)
        child_exit(1);
    if (exo_mem_map(SELF, SECOND_VIEW, block.capability, 0, 1, RW) >= 0) /* the capability is gone */
        child_exit(2);
    fill(THERE, BLOCK_BYTES, 8); /* and so are the pages */
    child_exit(3);
}

CASE(stream_kept, "streams: a sender that keeps a pushed block mapped loses it, and what arrived does not change")
{
    struct pair pair = begin(keep, 0, BLOCKS);
    struct exo_stream_part part;

    EXPECT(exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER), 0);
    CHECK(whole(&part, 7));
    EXPECT((int64_t)child_end(&pair.child), EXO_REASON_FAULT | 14 << 8); /* at its first write */
    CHECK(whole(&part, 7));
    end(&pair);
}

/* Another environment that the block was passed on to; it writes for ever. */
static void accomplice(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    if (exo_ep_recv(CHILD_OTHER, &message, EXO_DEADLINE_NEVER) < 0 || exo_map_all(SELF, SECOND_VIEW, message.capability, 0, PAGES, RW) < 0 ||
        exo_ep_reply(0, 0, 0, 0, 0) < 0)
        child_exit(1);
    for (uint64_t i = 100;; i++)
        fill((void *)SECOND_VIEW, BLOCK_BYTES, i);
}

static void pass_on(uint64_t unused)
{
    struct exo_message block = take(), message = {.word = {0, 0, 0, 0, block.capability}};

    (void)unused;
    if (exo_ep_call_cap(CHILD_OTHER, &message) < 0)
        child_exit(1);
    message = (struct exo_message){.word = {EXO_STREAM_LAST, block.word[1], BLOCK_BYTES}};
    fill(THERE, BLOCK_BYTES, 7);
    (void)!exo_cap_revoke(block.capability); /* of its own, so it takes back what it passed on, at most */
    child_exit(exo_ep_call(CHILD_ENDPOINT, &message) < 0 || message.word[0] != 0 ? 2 : 3);
}

CASE(stream_passed_on, "streams: a sender that gave the block to another environment, or revokes it, changes nothing for the receiver")
{
    struct child other = child_new(accomplice, 0);
    struct pair pair = {.child = child_new(pass_on, 0), .endpoint = (uint64_t)MUST(exo_ep_create())};
    uint64_t between = (uint64_t)MUST(exo_ep_create());
    struct exo_stream_part part;
    uint64_t value;

    EXPECT(exo_stream_make(&pair.stream, pair.endpoint, SELF, ZONE, HERE, BLOCKS, PAGES), 0);
    EXPECT(exo_cap_copy(pair.child.env, CHILD_ENDPOINT, pair.endpoint, EXO_RIGHT_CALL, 1), CHILD_ENDPOINT);
    EXPECT(exo_cap_copy(pair.child.env, CHILD_OTHER, between, EXO_RIGHT_CALL, 1), CHILD_OTHER);
    EXPECT(exo_cap_copy(other.env, CHILD_OTHER, between, EXO_RIGHT_RECV, 0), CHILD_OTHER);
    child_start(&other), child_start(&pair.child);
    EXPECT(exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER), 0);
    value = *(const volatile uint64_t *)part.data;
    EXPECT((int64_t)child_end(&other), EXO_REASON_FAULT | 14 << 8);
    EXPECT((int64_t)*(const volatile uint64_t *)part.data, (int64_t)value);
    EXPECT(exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    EXPECT((int64_t)child_result(&pair.child), 3);
    EXPECT(exo_cap_delete(between), 0);
    end(&pair);
}

/* Numbers that it was not given, lengths that no block has, operations that are none; then a proper end. */
static void lie(uint64_t unused)
{
    static const uint64_t wild[] = {1ul << 32, (1ul << 32) - 1, BLOCK_BYTES + 1, UINT64_MAX, 1ul << 63};
    struct exo_message block = take(), message;
    const uint64_t mine = block.word[1];

    (void)unused;
    for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        message = (struct exo_message){.word = {EXO_STREAM_PUSH, mine, wild[i]}};
        if (exo_ep_call(CHILD_ENDPOINT, &message) < 0 || (int64_t)message.word[0] != -EXO_E_RANGE)
            child_exit(1);
        message = (struct exo_message){.word = {EXO_STREAM_PUSH, wild[i], 8}};
        if (exo_ep_call(CHILD_ENDPOINT, &message) < 0 || (int64_t)message.word[0] != -EXO_E_INVAL)
            child_exit(2);
        message = (struct exo_message){.word = {wild[i] | 8, mine, 8, 0, CHILD_ENDPOINT}};
        if (exo_ep_call(CHILD_ENDPOINT, &message) < 0 || (int64_t)message.word[0] != -EXO_E_BADCALL)
            child_exit(3);
    }
    message = (struct exo_message){.word = {EXO_STREAM_PUSH, (mine + 1) % BLOCKS, 8}};
    if (exo_ep_call(CHILD_ENDPOINT, &message) < 0 || (int64_t)message.word[0] != -EXO_E_INVAL)
        child_exit(4);
    message = (struct exo_message){.word = {EXO_STREAM_LAST, mine, 8}};
    child_exit(exo_ep_call(CHILD_ENDPOINT, &message) < 0 || message.word[0] != 0 ? 5 : 6);
}

CASE(stream_lies, "streams: lengths of 4 GiB, blocks that were not lent, operations that are none: refused, and the stream goes on")
{
    struct pair pair = begin(lie, 0, BLOCKS);
    struct exo_stream_part part;

    EXPECT(exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER), 0);
    EXPECT((int64_t)part.bytes, 8);
    EXPECT(exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    EXPECT((int64_t)child_result(&pair.child), 6);
    end(&pair);
}

static void flood(uint64_t unused)
{
    struct exo_message message;

    (void)unused;
    do
        message = (struct exo_message){.word = {99}};
    while (exo_ep_call(CHILD_ENDPOINT, &message) == 0);
    child_exit(1);
}

CASE(stream_flood, "streams: a flood of nonsense ends a wait")
{
    struct pair pair = begin(flood, 0, BLOCKS);
    struct exo_stream_part part;

    EXPECT(exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER), -EXO_E_AGAIN);
    stop(&pair.child);
    end(&pair);
}

/* Takes all blocks and gives none back. */
static void hoard(uint64_t unused)
{
    (void)unused;
    for (unsigned i = 0; i < BLOCKS; i++) {
        (void)take();
        if (exo_unmap_all(SELF, (uint64_t)THERE, PAGES) < 0)
            child_exit(1);
    }
    (void)take();
    fill(THERE, BLOCK_BYTES, 5);
    (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER);
    child_exit(2);
}

CASE(stream_hoard, "streams: a sender that returns nothing has the pool until the receiver takes it back")
{
    struct pair pair = begin(hoard, 0, BLOCKS);
    struct exo_stream_part part;

    EXPECT(exo_stream_next(&pair.stream, &part, EXO_DEADLINE_NEVER), -EXO_E_BUSY);
    for (unsigned i = 0; i < BLOCKS; i++)
        EXPECT(pair.stream.place[i], EXO_STREAM_LENT);
    EXPECT(exo_stream_recall(&pair.stream), 0); /* and lends one, since the sender asks */
    EXPECT(exo_stream_next(&pair.stream, &part, bare_now() + 2000000), -EXO_E_TIMEOUT);
    EXPECT(exo_stream_recall(&pair.stream), 0);
    for (unsigned i = 0; i < BLOCKS; i++)
        EXPECT(pair.stream.place[i], EXO_STREAM_HERE);
    stop(&pair.child);
    end(&pair);
}

/* Dies with a block half filled. */
/* Until the sender has asked for a block, and has it; it sends none. */
static void lend(struct pair *pair)
{
    uint64_t give_up = bare_now() + 20 * SECOND_NS;
    struct exo_stream_part part;

    while (pair->stream.place[0] == EXO_STREAM_HERE && bare_now() < give_up)
        EXPECT(exo_stream_next(&pair->stream, &part, bare_now() + 5000000), -EXO_E_TIMEOUT);
}

static void die(uint64_t unused)
{
    (void)unused;
    (void)take();
    fill(THERE, BLOCK_BYTES / 2, 5);
    child_exit(1);
}

CASE(stream_death, "streams: what a dead sender had is taken back whole")
{
    struct pair pair = begin(die, 0, BLOCKS);

    lend(&pair);
    EXPECT((int64_t)child_result(&pair.child), 1);
    EXPECT(exo_stream_recall(&pair.stream), 0);
    EXPECT(pair.stream.place[0], EXO_STREAM_HERE);
    end(&pair);
}

/* ---- receivers that cheat ---- */

/* Writes for ever into a block that is taken away meanwhile. */
static void fill_for_ever(uint64_t unused)
{
    (void)unused;
    (void)take();
    for (uint64_t i = 0;; i++)
        fill(THERE, BLOCK_BYTES, i);
}

/* Does the sender fault where it writes? It has so long for it to begin; if that is not enough, its call for a block fails instead. */
static bool faults_at_it(uint64_t wait_ns)
{
    struct pair pair = begin(fill_for_ever, 0, BLOCKS);
    struct exo_message note = {0};

    lend(&pair);
    EXPECT(exo_wait(NULL, 0, bare_now() + wait_ns), -EXO_E_TIMEOUT);
    EXPECT(exo_stream_recall(&pair.stream), 0);
    EXPECT(exo_ep_recv(pair.child.death, &note, bare_now() + 10 * SECOND_NS), 0);
    CHECK(note.word[0] == EXO_NOTE_DEATH);
    bare_destroy(pair.child.env);
    EXPECT(exo_cap_delete(pair.child.context), 0);
    EXPECT(exo_cap_delete(pair.child.death), 0);
    end(&pair);
    return note.word[3] >= (uint64_t)THERE && note.word[3] < (uint64_t)THERE + BLOCK_BYTES;
}

CASE(stream_revoked, "streams: a sender whose block is taken away in the middle faults at it, and nowhere else")
{
    uint64_t wait_ns = 5000000;

    while (wait_ns < 2 * SECOND_NS && !faults_at_it(wait_ns))
        wait_ns *= 2;
    CHECK(wait_ns < 2 * SECOND_NS);
}

/* What a sender's library says of one receiver after the other. */
static void distrust(uint64_t unused)
{
    static const int64_t expected[] = {-EXO_E_RANGE, -EXO_E_RANGE, -EXO_E_RANGE, -EXO_E_TYPE, -EXO_E_RANGE, -EXO_E_RIGHTS, -EXO_E_NOMEM, -EXO_E_PEER};
    struct exo_stream_out out;

    (void)unused;
    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (exo_stream_begin(&out, CHILD_ENDPOINT, SELF, THERE, PAGES) != expected[i] || out.bytes != 0)
            child_exit(i);
    child_exit(50);
}

CASE(stream_bad_blocks, "streams: a sender refuses blocks that are too large, smaller than said, not to be written to, or none")
{
    struct child child = child_new(distrust, 0);
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), frame = (uint64_t)MUST(exo_frame_alloc(ZONE, PAGES - 1));
    uint64_t reader = (uint64_t)MUST(exo_cap_copy(SELF, 0, frame, EXO_RIGHT_READ | EXO_RIGHT_COPY, 0));
    const struct {
        uint64_t status, pages, capability;
    } answers[] = {{0, PAGES + 1, frame}, {0, 1ul << 32, frame}, {0, 1, 0}, {0, 1, endpoint}, {0, PAGES, frame}, {0, 1, reader},
                   {(uint64_t)-EXO_E_NOMEM, 0, 0}};
    struct exo_message message = {0};

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, endpoint, EXO_RIGHT_CALL, 1), CHILD_ENDPOINT);
    child_start(&child);
    for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        EXPECT(exo_ep_recv(endpoint, &message, EXO_DEADLINE_NEVER), 0);
        if (answers[i].capability)
            EXPECT(exo_ep_reply_cap(answers[i].status, 0, answers[i].pages, 0, answers[i].capability), 0);
        else
            EXPECT(exo_ep_reply(answers[i].status, 0, answers[i].pages, 0, 0), 0);
    }
    EXPECT(exo_ep_recv(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    EXPECT(exo_cap_delete(reader), 0);
    EXPECT(exo_cap_delete(frame), 0);
    EXPECT(exo_ep_recv(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT); /* never answers: whoever receives again breaks the call off */
    EXPECT((int64_t)child_result(&child), 50);
    EXPECT(exo_cap_delete(endpoint), 0);
}

CASE(stream_misuse, "streams: sizes and places that make no sense")
{
    struct exo_stream stream;
    struct exo_stream_part part = {.block = 5};

    EXPECT(exo_stream_make(&stream, 20, SELF, ZONE, HERE, 0, 1), -EXO_E_INVAL);
    EXPECT(exo_stream_make(&stream, 20, SELF, ZONE, HERE, EXO_STREAM_BLOCKS + 1, 1), -EXO_E_INVAL);
    EXPECT(exo_stream_make(&stream, 20, SELF, ZONE, HERE, 1, 0), -EXO_E_INVAL);
    EXPECT(exo_stream_make(&stream, 20, SELF, ZONE, HERE, 1, EXO_STREAM_PAGES_MAX + 1), -EXO_E_INVAL);
    EXPECT(exo_stream_make(&stream, 20, SELF, ZONE, HERE + 1, 1, 1), -EXO_E_INVAL);
    EXPECT(exo_stream_make(&stream, 20, SELF, MACHINE, HERE, 1, 1), -EXO_E_TYPE);
    EXPECT(exo_stream_make(&stream, 60000, SELF, ZONE, HERE, 1, 1), 0);
    EXPECT(exo_stream_next(&stream, &part, EXO_DEADLINE_NOW), -EXO_E_BADSLOT);
    EXPECT(exo_stream_done(&stream, &part), -EXO_E_INVAL);
    exo_stream_unmake(&stream);
}
