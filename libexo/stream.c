/* Streams: blocks that go to and fro. The receiver trusts no word of its sender's; what is taken back is taken back by the kernel (cap_revoke). */
#include <exo/calls.h>
#include <exo/capability.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/stream.h>

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

static void *block_va(const struct exo_stream *stream, uint32_t block)
{
    return (void *)(stream->va + (uint64_t)block * stream->pages * EXO_PAGE_BYTES);
}

/* A block, with what a sender needs and not the right to execute: the kernel's capability allows that, too. */
static int64_t new_block(uint64_t self, uint64_t zone, uint32_t pages)
{
    int64_t all = exo_frame_claim(zone, pages, EXO_FRAME_ANYWHERE, 0), frame;

    if (all < 0)
        return all;
    frame = exo_cap_copy(self, 0, (uint64_t)all, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_COPY, 0);
    (void)!exo_cap_delete((uint64_t)all);
    return frame;
}

int64_t exo_stream_make(struct exo_stream *stream, uint64_t endpoint, uint64_t env, uint64_t zone, uint64_t va, uint32_t blocks, uint32_t pages)
{
    int64_t status = 0;

    if (blocks == 0 || blocks > EXO_STREAM_BLOCKS || pages == 0 || pages > EXO_STREAM_PAGES_MAX || va % EXO_PAGE_BYTES)
        return -EXO_E_INVAL;
    *stream = (struct exo_stream){.endpoint = endpoint, .env = env, .va = va, .pages = pages};
    for (; stream->blocks < blocks; stream->blocks++) {
        status = new_block(env, zone, pages);
        if (status < 0)
            break;
        stream->frame[stream->blocks] = (uint64_t)status;
    }
    if (status < 0)
        exo_stream_unmake(stream);
    return status < 0 ? status : 0;
}

static void answer(int64_t status)
{
    (void)!exo_ep_reply((uint64_t)status, 0, 0, 0, 0); /* a sender that is gone needs none */
}

/* Answers the sender's call with an empty block; if there is none the call waits until there is. */
static void lend(struct exo_stream *stream)
{
    uint32_t block = 0;
    int64_t status;

    while (block < stream->blocks && stream->place[block] != EXO_STREAM_HERE)
        block++;
    stream->asked = block == stream->blocks;
    if (stream->asked)
        return;
    status = exo_ep_reply_cap(0, block, stream->pages, 0, stream->frame[block]);
    if (status == 0)
        stream->place[block] = EXO_STREAM_LENT;
    else
        answer(status);
}

/* Nobody else has the block, in whatever way, after this; it is mapped here. */
static int64_t take_back(struct exo_stream *stream, uint32_t block, bool map)
{
    int64_t status = exo_revoke_all(stream->frame[block]);

    if (status == 0 && map)
        status = exo_map_all(stream->env, (uint64_t)block_va(stream, block), stream->frame[block], 0, stream->pages, EXO_PROT_READ | EXO_PROT_LARGE);
    if (status == 0)
        stream->place[block] = map ? EXO_STREAM_READ : EXO_STREAM_HERE;
    return status;
}

static int64_t check_push(const struct exo_stream *stream, uint64_t block, uint64_t bytes)
{
    if (block >= stream->blocks || stream->place[block] != EXO_STREAM_LENT)
        return -EXO_E_INVAL;
    return bytes > (uint64_t)stream->pages * EXO_PAGE_BYTES ? -EXO_E_RANGE : 0;
}

/* 1: there is a part; 0: nothing to read in this message, which is answered. */
static int64_t serve(struct exo_stream *stream, const struct exo_message *message, struct exo_stream_part *part)
{
    uint64_t operation = message->word[0], block = message->word[1], bytes = message->word[2];
    int64_t status;

    if (operation == EXO_STREAM_TAKE) {
        lend(stream);
        return 0;
    }
    status = operation == EXO_STREAM_PUSH || operation == EXO_STREAM_LAST ? check_push(stream, block, bytes) : -EXO_E_BADCALL;
    if (status == 0)
        status = take_back(stream, (uint32_t)block, true);
    if (status < 0 || operation == EXO_STREAM_LAST)
        answer(status);
    if (status < 0)
        return 0;
    if (operation == EXO_STREAM_LAST)
        stream->ended = true;
    else
        lend(stream);
    *part = (struct exo_stream_part){block_va(stream, (uint32_t)block), bytes, (uint32_t)block};
    return 1;
}

int64_t exo_stream_next(struct exo_stream *stream, struct exo_stream_part *part, uint64_t deadline_ns)
{
    for (unsigned vain = 0; vain < EXO_STREAM_VAIN; vain++) {
        struct exo_message message = {0};
        int64_t status;

        if (stream->ended)
            return -EXO_E_PEER;
        if (stream->asked)
            return -EXO_E_BUSY; /* receiving would break the sender's call off */
        status = exo_ep_recv(stream->endpoint, &message, deadline_ns);
        if (status < 0)
            return status;
        exo_message_refuse(&message);
        if (message.badge != EXO_BADGE_KERNEL && serve(stream, &message, part) > 0)
            return 0;
    }
    return -EXO_E_AGAIN;
}

int64_t exo_stream_done(struct exo_stream *stream, const struct exo_stream_part *part)
{
    int64_t status;

    if (part->block >= stream->blocks || stream->place[part->block] != EXO_STREAM_READ)
        return -EXO_E_INVAL;
    status = exo_unmap_all(stream->env, (uint64_t)block_va(stream, part->block), stream->pages);
    if (status < 0)
        return status;
    stream->place[part->block] = EXO_STREAM_HERE;
    if (stream->asked)
        lend(stream);
    return 0;
}

int64_t exo_stream_recall(struct exo_stream *stream)
{
    int64_t status = 0;

    for (uint32_t block = 0; block < stream->blocks && status == 0; block++)
        if (stream->place[block] == EXO_STREAM_LENT)
            status = take_back(stream, block, false);
    if (status == 0 && stream->asked)
        lend(stream);
    return status;
}

void exo_stream_unmake(struct exo_stream *stream)
{
    for (uint32_t block = 0; block < stream->blocks; block++) {
        if (stream->place[block] == EXO_STREAM_READ)
            (void)!exo_unmap_all(stream->env, (uint64_t)block_va(stream, block), stream->pages);
        (void)!exo_revoke_all(stream->frame[block]);
        (void)!exo_cap_delete(stream->frame[block]);
    }
    if (stream->asked)
        answer(-EXO_E_PEER);
    *stream = (struct exo_stream){0};
}

/* ---- the sender ---- */

/* Asks for a block, or pushes one and asks for another; maps what comes. */
static int64_t ask(struct exo_stream_out *out, enum exo_stream_operation operation, uint64_t bytes)
{
    struct exo_message message = {.word = {operation, out->block, bytes}};
    int64_t status = exo_ep_call(out->endpoint, &message);
    uint64_t pages;

    out->bytes = 0;
    if (status == 0)
        status = (int64_t)message.word[0];
    pages = message.word[2];
    if (status == 0 && operation != EXO_STREAM_LAST && (!message.capability || pages == 0 || pages > out->pages_most))
        status = -EXO_E_RANGE;
    if (status == 0 && operation != EXO_STREAM_LAST) /* if what came is no block, or a smaller one, the kernel says so */
        status = exo_map_all(out->env, (uint64_t)out->data, message.capability, 0, pages, RW | EXO_PROT_LARGE);
    if (status < 0 || operation == EXO_STREAM_LAST) {
        exo_message_refuse(&message);
        return status < 0 ? status : 0;
    }
    out->frame = message.capability;
    out->block = (uint32_t)message.word[1];
    out->pages = (uint32_t)pages;
    out->bytes = pages * EXO_PAGE_BYTES;
    return 0;
}

int64_t exo_stream_begin(struct exo_stream_out *out, uint64_t endpoint, uint64_t env, void *va, uint32_t pages_most)
{
    *out = (struct exo_stream_out){.endpoint = endpoint, .env = env, .data = va, .pages_most = pages_most};
    return ask(out, EXO_STREAM_TAKE, 0);
}

/* The block's mapping and capability go, at one entry as a rule: what the receiver would do otherwise, and at more cost. */
static int64_t let_go(struct exo_stream_out *out)
{
    _Alignas(64) struct exo_batch_op ops[] = {
        {.call = EXO_CALL_MEM_UNMAP - EXO_CALL_BASE, .flags = EXO_BATCH_NEEDED, .argument = {out->env, (uint64_t)out->data, out->pages}},
        {.call = EXO_CALL_CAP_DELETE - EXO_CALL_BASE, .argument = {out->frame}},
    };
    int64_t made = exo_batch_all(ops, 2);

    if (made >= 1 && ops[0].result >= 0 && (uint64_t)ops[0].result < out->pages)
        return exo_unmap_all(out->env, (uint64_t)out->data, out->pages);
    return made < 0 ? made : ops[0].result < 0 ? ops[0].result : 0;
}

static int64_t push(struct exo_stream_out *out, enum exo_stream_operation operation, uint64_t bytes)
{
    int64_t status;

    if (bytes > out->bytes)
        return -EXO_E_RANGE;
    status = let_go(out);
    return status < 0 ? status : ask(out, operation, bytes);
}

int64_t exo_stream_push(struct exo_stream_out *out, uint64_t bytes)
{
    return push(out, EXO_STREAM_PUSH, bytes);
}

int64_t exo_stream_end(struct exo_stream_out *out, uint64_t bytes)
{
    return push(out, EXO_STREAM_LAST, bytes);
}
