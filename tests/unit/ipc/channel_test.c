/* Channels and generated accessors, alone: what fits and what does not, positions that wrap, and peers that write nonsense into the ring. */
#include "ring_fake.h"

#include "libexo/channel.c"
#include "libexo/loop.c"

#include <kinds.capnp.h>

static unsigned number, failed;

static void check(bool good, const char *text, int line)
{
    if (!good) {
        printf("# line %d: %s\n", line, text);
        failed++;
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)
#define EQUAL(left, right) check((int64_t)(left) == (int64_t)(right), #left " is not " #right, __LINE__)

static _Alignas(64) unsigned char memory[65536];
static struct exo_ring *const ring = (struct exo_ring *)memory;
#define BYTES sizeof(memory)

static void make(uint32_t slots, struct kinds_channel *out, struct kinds_channel *in)
{
    memset(memory, 0xa5, sizeof(memory));
    EQUAL(exo_channel_format(memory, BYTES, &kinds_layout, slots), 0);
    EQUAL(kinds_bind(out, EXO_CHANNEL_SENDER, memory, BYTES), 0);
    EQUAL(kinds_bind(in, EXO_CHANNEL_RECEIVER, memory, BYTES), 0);
}

static void accessors(void)
{
    struct kinds message;
    const char *title;
    const uint8_t *bytes;

    kinds_begin(&message);
    for (unsigned i = 0; i < KINDS_WORDS; i++)
        EQUAL(message.word[i], 0); /* defaults are zeros on the wire */
    EQUAL(kinds_get_unsigned8(&message), 200);
    EQUAL(kinds_get_signed8(&message), -3);
    EQUAL(kinds_get_signed16(&message), -300);
    EQUAL(kinds_get_unsigned32(&message), 4000000000);
    CHECK(kinds_get_unsigned64(&message) == UINT64_MAX);
    EQUAL(kinds_get_signed64(&message), -9);
    CHECK(kinds_get_yes(&message) && !kinds_get_no(&message));
    EQUAL(kinds_get_colour(&message), COLOUR_LIGHT_GREEN);
    EQUAL(kinds_get_place_y(&message), 1);
    EQUAL(kinds_get_which(&message), KINDS_WHICH_COUNT);
    EQUAL(kinds_get_title(&message, &title), 0);
    EQUAL(kinds_get_bytes(&message, &bytes), 0);
    kinds_set_signed8(&message, -128);
    kinds_set_signed64(&message, INT64_MIN);
    kinds_set_yes(&message, false);
    kinds_set_no(&message, true);
    kinds_set_place_x(&message, -5);
    kinds_set_share(&message, 51);
    EQUAL(kinds_get_signed8(&message), -128);
    CHECK(kinds_get_signed64(&message) == INT64_MIN);
    CHECK(!kinds_get_yes(&message) && kinds_get_no(&message));
    EQUAL(kinds_get_place_x(&message), -5);
    EQUAL(kinds_get_which(&message), KINDS_WHICH_SHARE);
    EQUAL(kinds_get_share(&message), 51);
    kinds_set_done(&message);
    EQUAL(kinds_get_which(&message), KINDS_WHICH_DONE);
    EQUAL(kinds_set_title(&message, "north", 5), 0);
    EQUAL(kinds_set_title(&message, "again", 5), -EXO_E_RANGE);
    EQUAL(kinds_set_bytes(&message, (const uint8_t *)"\1\2\3", 3), 0);
    EQUAL(kinds_get_title(&message, &title), 5);
    CHECK(strcmp(title, "north") == 0);
    EQUAL(kinds_get_bytes(&message, &bytes), 3);
    CHECK(memcmp(bytes, "\1\2\3", 3) == 0);
}

/* Texts that just fit, and lengths up to 4 GiB and beyond that do not. */
static void lengths(void)
{
    static const char text[256];
    struct kinds message;
    const char *title;
    uint64_t room;

    kinds_begin(&message);
    room = (KINDS_WORDS - message.used) * 8ul;
    EQUAL(kinds_set_title(&message, text, room), -EXO_E_RANGE); /* no place for the NUL */
    EQUAL(kinds_set_title(&message, text, 1ul << 32), -EXO_E_RANGE);
    EQUAL(kinds_set_title(&message, text, UINT64_MAX), -EXO_E_RANGE);
    EQUAL(kinds_set_title(&message, text, room - 1), 0);
    EQUAL(kinds_get_title(&message, &title), room - 1);
    EQUAL(kinds_set_bytes(&message, (const uint8_t *)text, 1), -EXO_E_RANGE);
    EQUAL(kinds_set_bytes(&message, (const uint8_t *)text, 0), 0);
}

/* Every pointer that differs from a good one in one bit, and many random ones: an error, or something inside of the message. */
static void wild_pointers(void)
{
    struct kinds message, wild;
    const char *title;
    uint64_t seed = 88172645463325252ul;

    kinds_begin(&message);
    EQUAL(kinds_set_title(&message, "12345678", 8), 0);
    for (unsigned i = 0; i < 200000; i++) {
        int64_t length;

        wild = message;
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        for (unsigned at = kinds_layout.data_words; at < kinds_layout.data_words + kinds_layout.pointers; at++)
            wild.word[at] = i < 64 ? message.word[at] ^ 1ul << i : i % 2 ? seed : (seed & 0xff0000007ful) | 1;
        length = kinds_get_title(&wild, &title);
        if (length < 0) {
            EQUAL(length, -EXO_E_RANGE);
            continue;
        }
        CHECK(length == 0 || (title >= (const char *)wild.word && title + length < (const char *)(wild.word + KINDS_WORDS)));
        CHECK(title[length] == 0);
    }
}

static void order_and_wrap(void)
{
    struct kinds_channel out, in;
    struct kinds message;

    make(4, &out, &in);
    out.channel.mine = in.channel.mine = ring->tail = ring->head = EXO_RING_POSITION - 5; /* near where positions begin again */
    out.channel.theirs = out.channel.mine;
    in.channel.theirs = in.channel.mine;
    for (uint64_t round = 0; round < 1000; round++) {
        for (uint64_t i = 0; i < 4; i++) {
            kinds_begin(&message);
            kinds_set_unsigned64(&message, round * 4 + i);
            EQUAL(kinds_send(&out, &message), 0);
        }
        EQUAL(kinds_send(&out, &message), -EXO_E_AGAIN);
        for (uint64_t i = 0; i < 4; i++) {
            EQUAL(kinds_receive(&in, &message), 0);
            EQUAL(kinds_get_unsigned64(&message), round * 4 + i);
        }
        EQUAL(kinds_receive(&in, &message), -EXO_E_AGAIN);
    }
    EQUAL(exo_channel_wait(&in.channel, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    EQUAL(ring->receiver_sleeps, 0);
}

static void no_calls_while_both_run(void)
{
    struct kinds_channel out, in;
    struct kinds message;

    make(8, &out, &in);
    kinds_begin(&message);
    fake_sleeps = fake_wakes = 0;
    for (unsigned i = 0; i < 100; i++) {
        EQUAL(kinds_send(&out, &message), 0);
        EQUAL(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), 0);
        EQUAL(kinds_receive(&in, &message), 0);
    }
    EQUAL(fake_sleeps + fake_wakes, 0);
    ring->receiver_sleeps = 1; /* one that sleeps costs one call, not one a message */
    for (unsigned i = 0; i < 5; i++)
        EQUAL(kinds_send(&out, &message), 0);
    EQUAL(fake_wakes, 1);
}

static void gathered_wakes(void)
{
    struct kinds_channel out, in;
    struct exo_channel *const channels[] = {&out.channel};
    struct kinds message;

    make(8, &out, &in);
    kinds_begin(&message);
    out.channel.gather = true;
    fake_wakes = 0;
    EQUAL(kinds_send(&out, &message), 0);
    EQUAL(exo_channel_wake_all(channels, 1), 0); /* nobody sleeps */
    ring->receiver_sleeps = 1;
    for (unsigned i = 0; i < 5; i++)
        EQUAL(kinds_send(&out, &message), 0);
    EQUAL(fake_wakes, 0);
    EQUAL(exo_channel_wake_all(channels, 1), 1);
    EQUAL(exo_channel_wake_all(channels, 1), 0);
    EQUAL(fake_wakes, 1);
    EQUAL(ring->receiver_sleeps, 0);
    EQUAL(exo_channel_wake_all(channels, EXO_BATCH_MOST + 1), -EXO_E_INVAL);
}

static void bad_rings(void)
{
    struct exo_layout other = kinds_layout;
    struct kinds_channel channel;
    struct exo_ring good;

    EQUAL(exo_channel_format(memory, BYTES, &kinds_layout, 3), -EXO_E_INVAL);
    EQUAL(exo_channel_format(memory, BYTES, &kinds_layout, 0), -EXO_E_INVAL);
    EQUAL(exo_channel_format(memory, BYTES, &kinds_layout, 1u << 31), -EXO_E_INVAL);
    EQUAL(exo_channel_format(memory, BYTES, &kinds_layout, 512), -EXO_E_INVAL); /* does not fit */
    EQUAL(exo_channel_format(memory + 8, BYTES - 8, &kinds_layout, 4), -EXO_E_INVAL);
    EQUAL(exo_channel_format(memory, BYTES, &kinds_layout, 4), 0);
    good = *ring;
    EQUAL(kinds_bind(&channel, EXO_CHANNEL_SENDER, memory, 191), -EXO_E_RANGE);
    EQUAL(kinds_bind(&channel, EXO_CHANNEL_SENDER, memory, exo_channel_bytes(&kinds_layout, 4) - 1), -EXO_E_RANGE);
    other.hash++;
    EQUAL(exo_channel_bind(&channel.channel, EXO_CHANNEL_SENDER, memory, BYTES, &other), -EXO_E_TYPE);
    other = kinds_layout, other.type_id++;
    EQUAL(exo_channel_bind(&channel.channel, EXO_CHANNEL_SENDER, memory, BYTES, &other), -EXO_E_TYPE);
    ring->words++;
    EQUAL(kinds_bind(&channel, EXO_CHANNEL_SENDER, memory, BYTES), -EXO_E_TYPE);
    *ring = good, ring->version++;
    EQUAL(kinds_bind(&channel, EXO_CHANNEL_SENDER, memory, BYTES), -EXO_E_TYPE);
    *ring = good, ring->magic++;
    EQUAL(kinds_bind(&channel, EXO_CHANNEL_SENDER, memory, BYTES), -EXO_E_TYPE);
    for (unsigned i = 0; i < 32; i++) {
        *ring = good, ring->slots = i == 2 ? 5 : 1u << i;
        int64_t status = kinds_bind(&channel, EXO_CHANNEL_RECEIVER, memory, BYTES);

        EQUAL(status, i != 2 && exo_channel_bytes(&kinds_layout, 1u << i) <= BYTES ? 0 : -EXO_E_RANGE);
    }
    *ring = good, ring->tail = 5;
    EQUAL(kinds_bind(&channel, EXO_CHANNEL_RECEIVER, memory, BYTES), -EXO_E_RANGE);
    *ring = good, ring->head = 1;
    EQUAL(kinds_bind(&channel, EXO_CHANNEL_SENDER, memory, BYTES), -EXO_E_RANGE);
}

/* Whatever the peer writes over its position, and over the numbers that were checked when the ring was bound. */
static void wild_positions(void)
{
    struct kinds_channel out, in;
    struct kinds message;
    uint64_t seed = 88172645463325252ul;

    kinds_begin(&message);
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t *position;
        int64_t status;

        make(4, &out, &in);
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        position = i % 2 ? &ring->tail : &ring->head;
        *position = i < 64 ? 1u << i / 2 : (uint32_t)(seed >> 32);
        ring->slots = (uint32_t)seed, ring->words = (uint32_t)(seed >> 7), ring->magic = seed;
        if (i % 2) {
            for (unsigned got = 0; (status = kinds_receive(&in, &message)) == 0; got++)
                CHECK(got < 4); /* never more than the ring holds */
            CHECK(status == -EXO_E_RANGE || status == -EXO_E_AGAIN || status == -EXO_E_PEER);
            if (in.channel.broken)
                *position = in.channel.mine, EQUAL(kinds_receive(&in, &message), -EXO_E_RANGE); /* for good */
        } else {
            for (unsigned sent = 0; (status = kinds_send(&out, &message)) == 0; sent++)
                CHECK(sent < 4);
            CHECK(status == -EXO_E_RANGE || status == -EXO_E_AGAIN || status == -EXO_E_PEER);
        }
        for (unsigned byte = (unsigned)exo_channel_bytes(&kinds_layout, 4); byte < BYTES; byte += 997)
            EQUAL(memory[byte], 0xa5); /* nothing outside of the ring was written */
    }
}

static void ends(void)
{
    struct kinds_channel out, in;
    struct kinds message;
    uint32_t alive = 1;

    make(4, &out, &in);
    kinds_begin(&message);
    EQUAL(kinds_send(&out, &message), 0);
    exo_channel_end(&out.channel);
    EQUAL(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), 0);
    EQUAL(kinds_receive(&in, &message), 0);
    EQUAL(kinds_receive(&in, &message), -EXO_E_PEER);
    EQUAL(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    EQUAL(kinds_bind(&out, EXO_CHANNEL_SENDER, memory, BYTES), 0); /* another sender goes on where it stopped */
    EQUAL(kinds_send(&out, &message), 0);
    EQUAL(kinds_receive(&in, &message), 0);
    exo_channel_end(&in.channel);
    for (unsigned i = 0; i < 3; i++)
        (void)kinds_send(&out, &message); /* into what room it knows of */
    while (kinds_send(&out, &message) == 0)
        ;
    EQUAL(kinds_send(&out, &message), -EXO_E_PEER);
    make(4, &out, &in);
    exo_channel_watch(&in.channel, &alive);
    EQUAL(kinds_send(&out, &message), 0);
    alive = 0; /* it died after it had sent, and in the middle of the next message */
    memset(&ring->slot[KINDS_WORDS], 0xff, 40);
    EQUAL(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), 0);
    EQUAL(kinds_receive(&in, &message), 0);
    EQUAL(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), -EXO_E_PEER);
}

/* Three lanes: one that floods, one that is broken, and one with a message now and then, which waits for at most one of the flood's. */
static void lanes(void)
{
    static _Alignas(64) unsigned char flood[4096], quiet[4096];
    struct kinds_channel broken, out[2], in[3];
    struct exo_channel *const all[] = {&in[0].channel, &in[1].channel, &in[2].channel};
    struct kinds message;
    unsigned turn = 0, waited = 0;
    int64_t lane;

    make(4, &broken, &in[0]);
    EQUAL(exo_channel_format(flood, sizeof(flood), &kinds_layout, 4), 0);
    EQUAL(exo_channel_format(quiet, sizeof(quiet), &kinds_layout, 4), 0);
    EQUAL(kinds_bind(&out[0], EXO_CHANNEL_SENDER, flood, sizeof(flood)), 0);
    EQUAL(kinds_bind(&out[1], EXO_CHANNEL_SENDER, quiet, sizeof(quiet)), 0);
    EQUAL(kinds_bind(&in[1], EXO_CHANNEL_RECEIVER, flood, sizeof(flood)), 0);
    EQUAL(kinds_bind(&in[2], EXO_CHANNEL_RECEIVER, quiet, sizeof(quiet)), 0);
    ring->tail = 100000;
    kinds_begin(&message);
    for (unsigned i = 0; i < 100; i++) {
        while (kinds_send(&out[0], &message) == 0)
            ;
        EQUAL(kinds_send(&out[1], &message), 0);
        for (waited = 0; (lane = exo_channel_pick(all, 3, &turn, EXO_DEADLINE_NOW)) != 2; waited++) {
            EQUAL(lane, 1);
            EQUAL(kinds_receive(&in[lane], &message), 0);
        }
        CHECK(waited <= 1);
        EQUAL(kinds_receive(&in[2], &message), 0);
    }
    while ((lane = exo_channel_pick(all, 3, &turn, EXO_DEADLINE_NOW)) == 1)
        EQUAL(kinds_receive(&in[1], &message), 0);
    EQUAL(lane, -EXO_E_TIMEOUT);
    CHECK(in[0].channel.broken && !in[1].channel.broken && !in[2].channel.broken);
    exo_channel_end(&out[0].channel);
    exo_channel_end(&out[1].channel);
    CHECK(exo_channel_pick(all, 3, &turn, EXO_DEADLINE_NEVER) < 0);
    EQUAL(exo_channel_pick(all, 0, &turn, EXO_DEADLINE_NOW), -EXO_E_INVAL);
    EQUAL(exo_channel_pick(all, EXO_CHANNEL_LANES + 1, &turn, EXO_DEADLINE_NOW), -EXO_E_INVAL);
}

/* A peer that takes the flag away again and again keeps nobody for ever. */
static void *nag(void *stop)
{
    while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
        __atomic_store_n(&ring->receiver_sleeps, 0, __ATOMIC_SEQ_CST);
        (void)fake_wake((uint64_t)&ring->receiver_sleeps);
    }
    return NULL;
}

static void woken_in_vain(void)
{
    struct kinds_channel out, in;
    bool stop = false;
    pthread_t thread;

    make(4, &out, &in);
    CHECK(pthread_create(&thread, NULL, nag, &stop) == 0);
    EQUAL(exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER), -EXO_E_AGAIN);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"accessors: values, defaults, unions, groups, texts", accessors},
        {"texts that just fit, and lengths of 4 GiB and more", lengths},
        {"pointers that a hostile sender wrote", wild_pointers},
        {"order, full and empty rings, positions that begin again", order_and_wrap},
        {"no call while both sides run, one for a sleeper", no_calls_while_both_run},
        {"wakes that are gathered", gathered_wakes},
        {"rings that are none are not bound", bad_rings},
        {"positions that a hostile peer wrote", wild_positions},
        {"ends: a side that ended, a sender that died, also in the middle of a message", ends},
        {"lanes: a flood and a broken ring do not keep another's messages back", lanes},
        {"a peer that wakes for nothing is found out", woken_in_vain},
    };

    printf("1..%zu\n", sizeof(cases) / sizeof(cases[0]));
    for (number = 0; number < sizeof(cases) / sizeof(cases[0]); number++) {
        unsigned before = failed;

        cases[number].run();
        printf("%sok %u - %s\n", failed == before ? "" : "not ", number + 1, cases[number].name);
    }
    return failed != 0;
}
