/*
 * Channels: typed messages of fixed size from one sender to one receiver, through a ring in frames that both have mapped. Neither enters the kernel but
 * to sleep, or to wake a peer that said in the ring that it sleeps. A schema (NAME.capnp) describes the messages; NAME.capnp.h, made from it, has types
 * and accessors. In a minute:
 *
 *     exo_channel_format(memory, bytes, &sample_layout, 64);            whoever makes the ring, before anybody binds it
 *     sample_bind(&out, EXO_CHANNEL_SENDER, memory, bytes);             the one side,
 *     sample_begin(&message); sample_set_value(&message, 7);
 *     sample_send(&out, &message);                                      -EXO_E_AGAIN: full; exo_channel_wait(&out.channel, deadline_ns) waits
 *     sample_bind(&in, EXO_CHANNEL_RECEIVER, memory, bytes);            the other, with its own mapping
 *     exo_channel_wait(&in.channel, deadline_ns);                       0: something is there. Or poll: then nobody ever makes a call
 *     sample_receive(&in, &message);                                    -EXO_E_AGAIN: nothing is there
 *
 * Many senders: a ring for each, and one receiver that waits on all of them (exo_channel_pick). So a sender can spoil, or leave half done, its own
 * messages only, and one that floods gets its turn as the others do.
 *
 * What is trusted: nothing in the ring. Geometry and layout are checked once, when a side binds, and kept in private memory; a position of the peer's is
 * copied, then checked; a message is copied out before it is looked at. A position that cannot be makes the channel `broken`: -EXO_E_RANGE, from then on.
 * A message is published by one store: a sender that dies before it has sent nothing. docs/ipc.md has the memory order, and what misuse leads to.
 *
 * A struct exo_channel is its owner's alone: one context's, or guarded by it. All functions return 0, or what they say, or -EXO_E_*.
 */
#ifndef EXO_CHANNEL_H
#define EXO_CHANNEL_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stdint.h>

/* What sender and receiver must have in common; from the schema. */
struct exo_layout {
    uint64_t type_id; /* Cap'n Proto's */
    uint64_t hash;    /* of all fields and their places */
    uint32_t words;   /* of a message */
    uint16_t data_words, pointers;
};

#define EXO_RING_VERSION 1u
#define EXO_RING_SLOTS_MAX (1u << 20)
#define EXO_RING_WORDS_MAX 512u
#define EXO_RING_POSITION 0x7fffffffu /* positions are counted modulo 2^31; */
#define EXO_RING_ENDED 0x80000000u    /* beside them: this side is through */

/* The ring's memory. Each side writes a cache line of its own, and the sender the slots. */
struct exo_ring {
    uint64_t magic;
    uint64_t type_id, hash;
    uint32_t version;
    uint32_t slots; /* a power of two */
    uint32_t words;
    uint32_t reserved;
    _Alignas(64) uint32_t tail; /* the sender's: messages published */
    uint32_t sender_sleeps;     /* 1: on this word, until the receiver clears it and wakes; 0: it runs, and polls, so no call is needed */
    _Alignas(64) uint32_t head; /* the receiver's: messages taken */
    uint32_t receiver_sleeps;
    _Alignas(64) uint64_t slot[]; /* slots * words */
};

enum exo_channel_side { EXO_CHANNEL_SENDER, EXO_CHANNEL_RECEIVER };

struct exo_channel {
    uint64_t *slot;
    uint32_t *mine_shared, *theirs_shared; /* positions in the ring */
    uint32_t *peer_sleeps, *sleeps;
    uint32_t mask, words; /* of the ring, as they were when it was bound */
    uint32_t mine;        /* my position */
    uint32_t theirs;      /* the peer's, when it was last looked at */
    const uint32_t *alive; /* a word that is 0 when the peer is gone (exo_channel_watch), or NULL */
    bool receiver, broken;
    bool gather; /* the owner's choice: peers that sleep are woken by exo_channel_wake_all, not by each message */
};

/* Bytes that a ring takes. */
static inline uint64_t exo_channel_bytes(const struct exo_layout *layout, uint32_t slots)
{
    return sizeof(struct exo_ring) + (uint64_t)slots * layout->words * sizeof(uint64_t);
}

/* An empty ring in memory aligned to 64 bytes. -EXO_E_INVAL: `slots` is no power of two, or it does not fit. */
int64_t exo_channel_format(void *memory, uint64_t bytes, const struct exo_layout *layout, uint32_t slots);
/*
 * Takes a side, where the last one who had it stopped. -EXO_E_TYPE: another version or layout; RANGE: the ring's numbers make no sense, or it is longer
 * than `bytes`.
 */
int64_t exo_channel_bind(struct exo_channel *channel, enum exo_channel_side side, void *memory, uint64_t bytes, const struct exo_layout *layout);
/*
 * While the word is not 0 the peer lives: a tally's (exo_tally_create) of which it has a capability, in memory that it cannot write to. So that waits end
 * when the peer dies.
 */
static inline void exo_channel_watch(struct exo_channel *channel, const uint32_t *alive)
{
    channel->alive = alive;
}
/*
 * Waits until something can be received or sent. -EXO_E_PEER: never more, the peer has ended or died; TIMEOUT, EVENT as with exo_wait; RANGE: broken;
 * AGAIN: the peer woke EXO_CHANNEL_VAIN times for nothing, which no honest one does.
 */
#define EXO_CHANNEL_VAIN 64u
int64_t exo_channel_wait(struct exo_channel *channel, uint64_t deadline_ns);
/* Tells the peer that nothing comes any more, or is taken any more. What was sent can still be received. */
void exo_channel_end(struct exo_channel *channel);

/* Lanes of exo_channel_pick: so many that their words fit one exo_wait. */
#define EXO_CHANNEL_LANES (EXO_WAIT_MAX / 2)
/*
 * As exo_channel_wait for several channels: the index of one that is ready, in turn from *turn on, or -EXO_E_*. One that is broken, or whose peer
 * is gone, is passed over; PEER or RANGE: all are.
 */
int64_t exo_channel_pick(struct exo_channel *const lanes[], unsigned count, unsigned *turn, uint64_t deadline_ns);

/*
 * Wakes the peers of several channels (at most EXO_BATCH_MOST), those that sleep, at one kernel entry: none if none does. How many; or -EXO_E_*. For owners
 * who set `gather`, send much, and then call this.
 */
int64_t exo_channel_wake_all(struct exo_channel *const channels[], unsigned count);

/* Looks at the peer's position: 0: there is something, or room; -EXO_E_AGAIN: not yet; PEER, RANGE as above. */
int64_t exo_channel_look(struct exo_channel *channel);
void exo_channel_wake(struct exo_channel *channel);

/* Publishes my position, and wakes the peer if it sleeps. The store and the load are in the one order of all such (docs/ipc.md). */
static inline void exo_channel_publish(struct exo_channel *channel)
{
    __atomic_store_n(channel->mine_shared, channel->mine & EXO_RING_POSITION, __ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(channel->peer_sleeps, __ATOMIC_SEQ_CST), 0) && !channel->gather)
        exo_channel_wake(channel);
}

/* Word by word, each once, whatever the other side does meanwhile. */
static inline void exo_channel_copy(uint64_t *to, const uint64_t *from, uint32_t words)
{
    uint32_t i = 0;

#define EXO_COPY_WORD(at) __atomic_store_n(&to[at], __atomic_load_n(&from[at], __ATOMIC_RELAXED), __ATOMIC_RELAXED)
    for (; i + 4 <= words; i += 4) {
        EXO_COPY_WORD(i);
        EXO_COPY_WORD(i + 1);
        EXO_COPY_WORD(i + 2);
        EXO_COPY_WORD(i + 3);
    }
    for (; i < words; i++)
        EXO_COPY_WORD(i);
#undef EXO_COPY_WORD
}

static inline uint64_t *exo_channel_slot(const struct exo_channel *channel, uint32_t words)
{
    return channel->slot + (uint64_t)(channel->mine & channel->mask) * words;
}

/* NAME_send is for users. `words` must be the layout's. -EXO_E_AGAIN: the ring is full. */
static inline int64_t exo_channel_send(struct exo_channel *channel, const uint64_t *message, uint32_t words)
{
    if (__builtin_expect(channel->mine - channel->theirs > channel->mask, 0)) {
        int64_t status = exo_channel_look(channel);

        if (status < 0)
            return status;
    }
    exo_channel_copy(exo_channel_slot(channel, words), message, words);
    channel->mine++;
    exo_channel_publish(channel);
    return 0;
}

/* NAME_receive is for users. -EXO_E_AGAIN: nothing is there. */
static inline int64_t exo_channel_receive(struct exo_channel *channel, uint64_t *message, uint32_t words)
{
    if (__builtin_expect(channel->mine == channel->theirs, 0)) {
        int64_t status = exo_channel_look(channel);

        if (status < 0)
            return status;
    }
    exo_channel_copy(message, exo_channel_slot(channel, words), words);
    channel->mine++;
    exo_channel_publish(channel);
    return 0;
}

/* Texts and data of a message in private memory: for the accessors. `at` is the index of the pointer. */
int64_t exo_message_blob(const uint64_t *message, uint32_t words, uint32_t at, bool text, const void **found);
int64_t exo_message_add_blob(uint64_t *message, uint32_t words, uint32_t at, uint32_t *used, bool text, const void *blob, uint64_t bytes);

#endif
