/* Channels between environments: sleeping, polling, and peers that die in the middle, scribble, or flood. */
#include <kinds.capnp.h>

#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define RING(n) (AREA(80) + (uint64_t)(n) * RING_BYTES) /* a frame each, so each sender can have its own alone */
#define RING_BYTES EXO_PAGE_BYTES
#define SLOTS 16u
#define MESSAGES 1000u
#define SECOND_NS 1000000000ul

enum { CHILD_TALLY = 30, CHILD_VICTIM = 31 };

static uint32_t alive __attribute__((aligned(4096))); /* in a page of its own, which no child has */

static void rings_begin(unsigned count)
{
    EXPECT(exo_alloc_all(SELF, RING(0), count, RW, NULL), 0);
    for (unsigned i = 0; i < count; i++)
        EXPECT(exo_channel_format((void *)RING(i), RING_BYTES, &kinds_layout, SLOTS), 0);
}

static void rings_end(unsigned count)
{
    EXPECT(exo_unmap_all(SELF, RING(0), count), 0);
}

static void give_ring(const struct child *child, unsigned ring)
{
    EXPECT(exo_share_all(child->env, RING(ring), RING(ring), 1, EXO_SHARE_SAME | RW), 0);
}

static struct kinds_channel bind(enum exo_channel_side side, unsigned ring)
{
    struct kinds_channel channel;

    if (kinds_bind(&channel, side, (void *)RING(ring), RING_BYTES) < 0)
        child_exit(100);
    return channel;
}

static uint64_t entries(void)
{
    struct exo_env_info info;

    EXPECT(exo_env_info(SELF, &info), 0);
    return info.calls;
}

/* Sends what it receives from ring 0 back through ring 1, and sleeps when it must. */
static void echo(uint64_t unused)
{
    struct kinds_channel in = bind(EXO_CHANNEL_RECEIVER, 0), out = bind(EXO_CHANNEL_SENDER, 1);
    struct kinds message;

    (void)unused;
    while (exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER) == 0) {
        if (kinds_receive(&in, &message) < 0)
            child_exit(1);
        while (kinds_send(&out, &message) == -EXO_E_AGAIN)
            if (exo_channel_wait(&out.channel, EXO_DEADLINE_NEVER) < 0)
                child_exit(2);
    }
    exo_channel_end(&out.channel);
    child_exit(3);
}

CASE(channel_echo, "channels: messages there and back, both sides sleep and are woken")
{
    struct child child = child_new(echo, 0);
    struct kinds_channel in, out;
    struct kinds message;
    uint64_t sent = 0, received = 0;

    rings_begin(2);
    give_ring(&child, 0), give_ring(&child, 1);
    out = bind(EXO_CHANNEL_SENDER, 0), in = bind(EXO_CHANNEL_RECEIVER, 1);
    child_start(&child);
    while (received < MESSAGES) {
        kinds_begin(&message);
        kinds_set_unsigned64(&message, sent);
        while (sent < MESSAGES && sent - received < 40 && kinds_send(&out, &message) == 0)
            kinds_set_unsigned64(&message, ++sent);
        EXPECT(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), 0);
        while (kinds_receive(&in, &message) == 0)
            EXPECT((int64_t)kinds_get_unsigned64(&message), (int64_t)received++);
    }
    exo_channel_end(&out.channel);
    EXPECT(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    EXPECT((int64_t)child_result(&child), 3);
    rings_end(2);
}

/* Never sleeps; ends with the number of messages when the sender has ended. */
static void poll(uint64_t unused)
{
    struct kinds_channel in = bind(EXO_CHANNEL_RECEIVER, 0);
    struct kinds message;
    uint64_t count = 0;
    int64_t status;

    (void)unused;
    while ((status = kinds_receive(&in, &message)) != -EXO_E_PEER)
        count += status == 0;
    child_exit(count);
}

CASE(channel_polling, "channels: a receiver that polls costs its sender no kernel entry")
{
    struct child child = child_new(poll, 0);
    struct kinds_channel out;
    struct kinds message;
    uint64_t before, each;

    rings_begin(1);
    give_ring(&child, 0);
    out = bind(EXO_CHANNEL_SENDER, 0);
    child_start(&child);
    kinds_begin(&message);
    before = entries();
    each = entries() - before;
    before = entries();
    for (unsigned i = 0; i < 4 * SLOTS;)
        i += kinds_send(&out, &message) == 0; /* the receiver runs when this one's slice of time is over */
    exo_channel_end(&out.channel);
    EXPECT((int64_t)(entries() - before), (int64_t)each);
    EXPECT((int64_t)child_result(&child), 4 * SLOTS);
    rings_end(1);
}

/* Ends another environment, as whoever looks after it does, a moment later. */
static void destroy(uint64_t unused)
{
    int64_t status;

    (void)unused;
    for (unsigned i = 0; i < 50; i++)
        (void)!exo_yield();
    do
        status = exo_env_destroy(CHILD_VICTIM, 9);
    while (status == -EXO_E_AGAIN);
    child_exit(7);
}

/* A child that dies, who sees to that, and a word that tells of it. */
struct mortal {
    struct child child, destroyer;
};

static struct mortal mortal_new(void (*function)(uint64_t))
{
    struct mortal mortal = {child_new(function, 0), child_new(destroy, 0)};
    int64_t tally;

    alive = 0;
    tally = MUST(exo_tally_create(&alive));
    EXPECT(exo_cap_copy(mortal.child.env, CHILD_TALLY, (uint64_t)tally, EXO_RIGHT_COPY, 0), CHILD_TALLY);
    EXPECT(exo_cap_delete((uint64_t)tally), 0);
    EXPECT(exo_cap_copy(mortal.destroyer.env, CHILD_VICTIM, mortal.child.env, EXO_RIGHT_DESTROY, 0), CHILD_VICTIM);
    return mortal;
}

static void mortal_end(const struct mortal *mortal)
{
    EXPECT((int64_t)alive, 0);
    EXPECT((int64_t)child_result(&mortal->destroyer), 7);
    EXPECT((int64_t)child_end(&mortal->child), EXO_REASON_DESTROYED | 9 << 8);
}

/* Half a message, in one lane; no more comes. */
static void die(uint64_t unused)
{
    struct kinds_channel out = bind(EXO_CHANNEL_SENDER, 0);
    struct kinds message;

    (void)unused;
    kinds_begin(&message);
    if (kinds_send(&out, &message) < 0)
        child_exit(1);
    exo_channel_copy(exo_channel_slot(&out.channel, KINDS_WORDS), message.word, KINDS_WORDS / 2);
    for (;;)
        (void)!exo_yield();
}

static void send_some(uint64_t ring)
{
    struct kinds_channel out = bind(EXO_CHANNEL_SENDER, (unsigned)ring);
    struct kinds message;

    kinds_begin(&message);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        kinds_set_unsigned64(&message, i);
        while (kinds_send(&out, &message) == -EXO_E_AGAIN)
            if (exo_channel_wait(&out.channel, EXO_DEADLINE_NEVER) < 0)
                child_exit(2);
    }
    exo_channel_end(&out.channel);
    child_exit(6);
}

CASE(channel_death, "channels: a sender that dies in the middle of a message has not sent it, and holds up nobody")
{
    struct mortal dying = mortal_new(die);
    struct child other = child_new(send_some, 1);
    struct kinds_channel in[2];
    struct exo_channel *const lanes[] = {&in[0].channel, &in[1].channel};
    uint64_t received[2] = {0};
    struct kinds message;
    unsigned turn = 0;
    int64_t lane;

    rings_begin(2);
    give_ring(&dying.child, 0), give_ring(&other, 1);
    in[0] = bind(EXO_CHANNEL_RECEIVER, 0), in[1] = bind(EXO_CHANNEL_RECEIVER, 1);
    exo_channel_watch(&in[0].channel, &alive);
    child_start(&dying.child), child_start(&other), child_start(&dying.destroyer);
    while ((lane = exo_channel_pick(lanes, 2, &turn, EXO_DEADLINE_NEVER)) >= 0) {
        EXPECT(kinds_receive(&in[lane], &message), 0);
        received[lane]++;
    }
    EXPECT(lane, -EXO_E_PEER);
    EXPECT((int64_t)received[0], 1);
    EXPECT((int64_t)received[1], MESSAGES);
    mortal_end(&dying);
    EXPECT((int64_t)child_result(&other), 6);
    rings_end(2);
}

CASE(channel_receiver_death, "channels: a sender whose receiver died hears of it, also while it sleeps")
{
    struct mortal dying = mortal_new(die);
    struct kinds_channel out;
    struct kinds message;

    rings_begin(1);
    give_ring(&dying.child, 0);
    EXPECT(exo_alloc_all(SELF, RING(1), 1, RW, NULL), 0); /* the ring that it never reads */
    EXPECT(exo_channel_format((void *)RING(1), RING_BYTES, &kinds_layout, SLOTS), 0);
    out = bind(EXO_CHANNEL_SENDER, 1);
    exo_channel_watch(&out.channel, &alive);
    kinds_begin(&message);
    while (kinds_send(&out, &message) == 0)
        ;
    child_start(&dying.child), child_start(&dying.destroyer);
    EXPECT(exo_channel_wait(&out.channel, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    mortal_end(&dying);
    rings_end(2);
}

static void receive_one(uint64_t ring)
{
    struct kinds_channel in = bind(EXO_CHANNEL_RECEIVER, (unsigned)ring);
    struct kinds message;

    if (exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER) < 0)
        child_exit(1);
    child_exit(kinds_receive(&in, &message) == 0 ? 8 : 2);
}

/* Writes nonsense over all of the ring, for ever, and wakes who sleeps there. */
static void scribble(uint64_t unused)
{
    uint64_t seed = 88172645463325252ul;

    (void)unused;
    for (;;) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        *(volatile uint32_t *)(RING(0) + (seed >> 40) % (RING_BYTES / 4) * 4) = seed & 1 ? (uint32_t)seed : (uint32_t)seed % 64;
        ((struct exo_ring *)RING(0))->receiver_sleeps = 0;
        (void)!exo_wake(&((struct exo_ring *)RING(0))->receiver_sleeps, 1);
    }
}

CASE(channel_scribbler, "channels: a peer that writes anything anywhere in the ring gives errors, and nothing else")
{
    struct child child = child_new(scribble, 0);
    struct kinds message;
    const char *title;

    rings_begin(1);
    EXPECT(exo_alloc_all(SELF, RING(1), 1, RW, NULL), 0); /* what lies behind it */
    give_ring(&child, 0);
    child_start(&child);
    for (unsigned round = 0; round < 300; round++) {
        struct kinds_channel in, out;
        int64_t status;

        EXPECT(exo_channel_format((void *)RING(0), RING_BYTES, &kinds_layout, SLOTS), 0);
        (void)!exo_yield();
        status = kinds_bind(&in, EXO_CHANNEL_RECEIVER, (void *)RING(0), RING_BYTES);
        CHECK(status == 0 || status == -EXO_E_TYPE || status == -EXO_E_RANGE);
        EXPECT(exo_channel_format((void *)RING(0), RING_BYTES, &kinds_layout, SLOTS), 0);
        if (status < 0 || kinds_bind(&out, EXO_CHANNEL_SENDER, (void *)RING(0), RING_BYTES) < 0)
            continue;
        for (unsigned i = 0; i < 3 * SLOTS && (status = kinds_receive(&in, &message)) == 0; i++)
            (void)!kinds_get_title(&message, &title);
        CHECK(status == 0 || status == -EXO_E_AGAIN || status == -EXO_E_PEER || status == -EXO_E_RANGE);
        (void)!exo_yield();
        status = exo_channel_wait(&in.channel, bare_now() + SECOND_NS / 100);
        CHECK(status == 0 || status == -EXO_E_AGAIN || status == -EXO_E_PEER || status == -EXO_E_RANGE || status == -EXO_E_TIMEOUT);
        for (unsigned i = 0; i < 3 * SLOTS && (status = kinds_send(&out, &message)) == 0; i++)
            ;
        CHECK(status == 0 || status == -EXO_E_AGAIN || status == -EXO_E_PEER || status == -EXO_E_RANGE);
    }
    (void)!exo_env_destroy(child.env, 0);
    EXPECT((int64_t)(child_end(&child) & 0xff), EXO_REASON_DESTROYED);
    for (const uint64_t *at = (const uint64_t *)RING(1); at < (const uint64_t *)RING(2); at++)
        CHECK(*at == 0);
    rings_end(2);
}

CASE(channel_batch, "channels: many receivers that sleep are woken at one kernel entry")
{
    enum { RECEIVERS = 12 };
    struct child child[RECEIVERS];
    struct kinds_channel out[RECEIVERS];
    struct exo_channel *channels[RECEIVERS];
    struct kinds message;
    uint64_t before;

    rings_begin(RECEIVERS);
    kinds_begin(&message);
    for (unsigned i = 0; i < RECEIVERS; i++) {
        child[i] = child_new(receive_one, i);
        give_ring(&child[i], i);
        out[i] = bind(EXO_CHANNEL_SENDER, i);
        out[i].channel.gather = true;
        channels[i] = &out[i].channel;
        child_start(&child[i]);
    }
    EXPECT(exo_channel_wake_all(channels, EXO_BATCH_MOST + 1), -EXO_E_INVAL);
    for (unsigned i = 0; i < RECEIVERS; i++)
        while (__atomic_load_n(out[i].channel.peer_sleeps, __ATOMIC_SEQ_CST) == 0)
            (void)!exo_yield();
    (void)!exo_yield(); /* the last one has said so, and sleeps now */
    before = entries();
    for (unsigned i = 0; i < RECEIVERS; i++)
        EXPECT(kinds_send(&out[i], &message), 0);
    EXPECT((int64_t)(entries() - before), 1); /* that which tells */
    EXPECT(exo_channel_wake_all(channels, RECEIVERS), RECEIVERS);
    EXPECT(exo_channel_wake_all(channels, RECEIVERS), 0);
    for (unsigned i = 0; i < RECEIVERS; i++)
        EXPECT((int64_t)child_result(&child[i]), 8);
    rings_end(RECEIVERS);
}

/* Takes the other side's flag, sets its own, never reads: the sender's outcome is a full ring. */
CASE(channel_reader_never, "channels: a receiver that never reads fills its ring, and the sender's wait ends in time")
{
    struct kinds_channel out;
    struct kinds message;
    unsigned sent = 0;
    uint64_t until = bare_now() + 2000000;

    rings_begin(1);
    out = bind(EXO_CHANNEL_SENDER, 0);
    kinds_begin(&message);
    while (kinds_send(&out, &message) == 0)
        sent++;
    EXPECT(sent, SLOTS);
    EXPECT(exo_channel_wait(&out.channel, until), -EXO_E_TIMEOUT);
    CHECK(bare_now() >= until);
    rings_end(1);
}
