/*
 * Streams: bulk data in whole blocks of pages, without a copy. The receiver owns a pool of frame blocks and lends an empty one; the sender maps it, fills it,
 * and pushes it back; the receiver takes the sender's capability and mappings away, whatever that did with them, and then reads. In a minute:
 *
 *     exo_stream_make(&stream, endpoint, env, zone, va, 4, 512);      the receiver: 4 blocks of 2 MiB, mapped from `va` on, in turn
 *     exo_stream_next(&stream, &part, deadline_ns);                   0: part.bytes at part.data are here, and nobody can change them any more
 *     exo_stream_done(&stream, &part);                                the block is empty again, and may be lent
 *
 *     exo_stream_begin(&out, endpoint, env, va, 512);                 the sender: out.bytes at out.data may be filled
 *     exo_stream_push(&out, bytes);                                   they are gone, and others are there; waits until the receiver has an empty block
 *     exo_stream_end(&out, bytes);
 *
 * Back-pressure is the pool: who has no block cannot send, and no more can be under way than the receiver gave. A receiver that waits no longer takes all
 * back (exo_stream_recall). What a sender must bear: the blocks are the receiver's, who can read what is half written, and can take a block back at any
 * time: touching it is a fault then (exo.abi: QUERY_TAKEN). docs/ipc.md says what misuse leads to.
 *
 * A struct is one context's. All functions return 0 or -EXO_E_*.
 */
#ifndef EXO_STREAM_H
#define EXO_STREAM_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stdint.h>

#define EXO_STREAM_BLOCKS 64u
#define EXO_STREAM_PAGES_MAX 1024u
#define EXO_STREAM_VAIN 64u

/*
 * What a sender asks, in word 0 of its call. The answer's word 0: 0 or -EXO_E_*; with a block: word 1 its number, word 2 its pages, word 4 a capability
 * to it.
 */
enum exo_stream_operation {
    EXO_STREAM_TAKE = 1, /* a block */
    EXO_STREAM_PUSH = 2, /* word 1: block, word 2: bytes. And another block */
    EXO_STREAM_LAST = 3, /* word 1: block, word 2: bytes; no other block */
};

struct exo_stream {
    uint64_t endpoint; /* rights RECV */
    uint64_t env;      /* own: MAP, SLOTS */
    uint64_t va;       /* block i is seen at va + i * pages * EXO_PAGE_BYTES while it is read */
    uint32_t blocks, pages;
    uint64_t frame[EXO_STREAM_BLOCKS];
    enum exo_stream_place { EXO_STREAM_HERE, EXO_STREAM_LENT, EXO_STREAM_READ } place[EXO_STREAM_BLOCKS];
    bool asked; /* the sender's call waits for a block */
    bool ended;
};

struct exo_stream_part {
    const void *data;
    uint64_t bytes;
    uint32_t block;
};

/*
 * `env`: rights MAP and SLOTS; `zone`: FRAMES. Blocks of 512 pages and multiples are mapped as large pages where `va` is aligned to them.
 * -EXO_E_INVAL: too many, too large, or none; NOMEM, NOSLOT.
 */
int64_t exo_stream_make(struct exo_stream *stream, uint64_t endpoint, uint64_t env, uint64_t zone, uint64_t va, uint32_t blocks, uint32_t pages);
/*
 * Waits for a filled block, and lends empty ones. -EXO_E_PEER: the sender has ended; BUSY: all blocks are being read, exo_stream_done one first; AGAIN:
 * EXO_STREAM_VAIN messages made no sense; TIMEOUT, EVENT as with exo_ep_recv.
 */
int64_t exo_stream_next(struct exo_stream *stream, struct exo_stream_part *part, uint64_t deadline_ns);
int64_t exo_stream_done(struct exo_stream *stream, const struct exo_stream_part *part);
/* Takes back what is lent: the sender's mappings go, and what it pushes of these is refused. */
int64_t exo_stream_recall(struct exo_stream *stream);
/* Gives all blocks back to the kernel, lent or not. */
void exo_stream_unmake(struct exo_stream *stream);

struct exo_stream_out {
    uint64_t endpoint; /* CALL */
    uint64_t env;      /* MAP */
    void *data;        /* where the block is mapped now; aligned to 2 MiB for large pages */
    uint64_t bytes;    /* of it; 0: there is none */
    uint64_t frame;
    uint32_t block, pages, pages_most;
};

/* Takes a first block. -EXO_E_RANGE: more pages than `pages_most`, the room at `va`. Others: the answer, or what the kernel says of the block. */
int64_t exo_stream_begin(struct exo_stream_out *out, uint64_t endpoint, uint64_t env, void *va, uint32_t pages_most);
/* -EXO_E_RANGE: more bytes than the block has; it is still there. -EXO_E_PEER: the receiver is gone. */
int64_t exo_stream_push(struct exo_stream_out *out, uint64_t bytes);
/* Pushes the last bytes, which may be none, and says that no more will come. */
int64_t exo_stream_end(struct exo_stream_out *out, uint64_t bytes);

#endif
