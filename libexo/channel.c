/* Channels: what is not on the way of each message. The protocol of sleeping and waking is modelled in models/channel.pml. */
#include <exo/calls.h>
#include <exo/channel.h>
#include <exo/loop.h>
#include <exo/string.h>

#define RING_MAGIC 0x676e697230785345ul

int64_t exo_channel_format(void *memory, uint64_t bytes, const struct exo_layout *layout, uint32_t slots)
{
    struct exo_ring *ring = memory;

    if ((uint64_t)memory % _Alignof(struct exo_ring) || slots == 0 || slots & (slots - 1) || slots > EXO_RING_SLOTS_MAX || layout->words == 0 ||
        layout->words > EXO_RING_WORDS_MAX || exo_channel_bytes(layout, slots) > bytes)
        return -EXO_E_INVAL;
    *ring = (struct exo_ring){.magic = RING_MAGIC, .type_id = layout->type_id, .hash = layout->hash, .version = EXO_RING_VERSION, .slots = slots,
                              .words = layout->words};
    return 0;
}

/* Each number once: what is checked is what is used. */
static struct exo_ring copy_of(const struct exo_ring *ring)
{
    return (struct exo_ring){
        .magic = __atomic_load_n(&ring->magic, __ATOMIC_RELAXED), .type_id = __atomic_load_n(&ring->type_id, __ATOMIC_RELAXED),
        .hash = __atomic_load_n(&ring->hash, __ATOMIC_RELAXED), .version = __atomic_load_n(&ring->version, __ATOMIC_RELAXED),
        .slots = __atomic_load_n(&ring->slots, __ATOMIC_RELAXED), .words = __atomic_load_n(&ring->words, __ATOMIC_RELAXED),
        .tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE), .head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE),
    };
}

int64_t exo_channel_bind(struct exo_channel *channel, enum exo_channel_side side, void *memory, uint64_t bytes, const struct exo_layout *layout)
{
    struct exo_ring *ring = memory, copy;
    bool receiver = side == EXO_CHANNEL_RECEIVER;

    if ((uint64_t)memory % _Alignof(struct exo_ring))
        return -EXO_E_INVAL;
    if (bytes < sizeof(copy))
        return -EXO_E_RANGE;
    copy = copy_of(ring);
    if (copy.magic != RING_MAGIC || copy.version != EXO_RING_VERSION || copy.type_id != layout->type_id || copy.hash != layout->hash ||
        copy.words != layout->words)
        return -EXO_E_TYPE;
    if (copy.slots == 0 || copy.slots & (copy.slots - 1) || copy.slots > EXO_RING_SLOTS_MAX || exo_channel_bytes(layout, copy.slots) > bytes ||
        ((copy.tail - copy.head) & EXO_RING_POSITION) > copy.slots)
        return -EXO_E_RANGE;
    copy.tail &= EXO_RING_POSITION;
    *channel = (struct exo_channel){
        .slot = ring->slot, .mask = copy.slots - 1, .words = copy.words, .receiver = receiver,
        .mine_shared = receiver ? &ring->head : &ring->tail, .theirs_shared = receiver ? &ring->tail : &ring->head,
        .sleeps = receiver ? &ring->receiver_sleeps : &ring->sender_sleeps, .peer_sleeps = receiver ? &ring->sender_sleeps : &ring->receiver_sleeps,
        .mine = receiver ? copy.tail - ((copy.tail - copy.head) & EXO_RING_POSITION) : copy.tail,
    };
    channel->theirs = channel->mine - (receiver ? 0 : copy.slots); /* nothing is there, no room: the first use looks */
    return 0;
}

/* How much there is to receive, or lies in the ring, by the peer's position. */
static uint32_t distance(const struct exo_channel *channel, uint32_t theirs)
{
    return (channel->receiver ? theirs - channel->mine : channel->mine - theirs) & EXO_RING_POSITION;
}

static int64_t judge(struct exo_channel *channel, uint32_t word)
{
    uint32_t count = distance(channel, word);

    if (channel->broken || count > channel->mask + 1) {
        channel->broken = true;
        return -EXO_E_RANGE;
    }
    if (!channel->receiver && word & EXO_RING_ENDED)
        return -EXO_E_PEER; /* nobody would take it */
    channel->theirs = channel->receiver ? channel->mine + count : channel->mine - count;
    if (count == (channel->receiver ? 0 : channel->mask + 1))
        return word & EXO_RING_ENDED ? -EXO_E_PEER : -EXO_E_AGAIN;
    return 0;
}

int64_t exo_channel_look(struct exo_channel *channel)
{
    return judge(channel, __atomic_load_n(channel->theirs_shared, __ATOMIC_ACQUIRE));
}

void exo_channel_wake(struct exo_channel *channel)
{
    if (__atomic_exchange_n(channel->peer_sleeps, 0, __ATOMIC_SEQ_CST))
        (void)!exo_wake(channel->peer_sleeps, 1);
}

int64_t exo_channel_wake_all(struct exo_channel *const channels[], unsigned count)
{
    _Alignas(64) struct exo_batch_op ops[EXO_BATCH_MOST];
    unsigned sleepers = 0;

    if (count > EXO_BATCH_MOST)
        return -EXO_E_INVAL;
    for (unsigned i = 0; i < count; i++)
        if (__atomic_load_n(channels[i]->peer_sleeps, __ATOMIC_SEQ_CST) && __atomic_exchange_n(channels[i]->peer_sleeps, 0, __ATOMIC_SEQ_CST))
            ops[sleepers++] = (struct exo_batch_op){.call = EXO_CALL_WAKE - EXO_CALL_BASE, .argument = {(uint64_t)channels[i]->peer_sleeps, 1}};
    return sleepers ? exo_batch_all(ops, sleepers) : 0;
}

/* As exo_channel_look, at a moment at which the peer was seen to live or not: *alive. */
static int64_t look_alive(struct exo_channel *channel, uint32_t *alive)
{
    int64_t status;

    *alive = channel->alive ? __atomic_load_n(channel->alive, __ATOMIC_SEQ_CST) : 1; /* first: what it sent before it died counts */
    status = judge(channel, __atomic_load_n(channel->theirs_shared, __ATOMIC_SEQ_CST));
    return (status == -EXO_E_AGAIN || (status == 0 && !channel->receiver)) && *alive == 0 ? -EXO_E_PEER : status;
}

/*
 * The conditions of sleep, one or two: the peer has not cleared my flag, and is not gone. That the flag is slept on, and not the position, makes it safe to
 * clear it before waking: a wake that was meant for an earlier sleep ends this one too soon, never too late.
 */
static unsigned sleep_on(const struct exo_channel *channel, uint32_t alive, struct exo_predicate *predicates)
{
    predicates[0] = (struct exo_predicate){(uint64_t)channel->sleeps, 1, EXO_WAIT_WORD};
    if (!channel->alive)
        return 1;
    predicates[1] = (struct exo_predicate){(uint64_t)channel->alive, alive, EXO_WAIT_WORD};
    return 2;
}

int64_t exo_channel_wait(struct exo_channel *channel, uint64_t deadline_ns)
{
    struct exo_channel *const lanes[] = {channel};
    unsigned turn = 0;

    return exo_channel_pick(lanes, 1, &turn, deadline_ns);
}

void exo_channel_end(struct exo_channel *channel)
{
    __atomic_store_n(channel->mine_shared, (channel->mine & EXO_RING_POSITION) | EXO_RING_ENDED, __ATOMIC_SEQ_CST);
    exo_channel_wake(channel);
}

/* One look at each lane: the index of one that is ready; else -EXO_E_AGAIN, or what is wrong with the last if none can be ready any more. */
static int64_t look_around(struct exo_channel *const lanes[], unsigned count, unsigned *turn, struct exo_predicate *predicates, unsigned *conditions)
{
    int64_t result = -EXO_E_PEER;

    *conditions = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned lane = (*turn + i) % count;
        uint32_t alive;
        int64_t status = look_alive(lanes[lane], &alive);

        if (status == 0) {
            *turn = lane + 1;
            return lane;
        }
        if (status == -EXO_E_AGAIN)
            *conditions += sleep_on(lanes[lane], alive, &predicates[*conditions]);
        if (result != -EXO_E_AGAIN)
            result = status;
    }
    return result;
}

static void say_asleep(struct exo_channel *const lanes[], unsigned count, uint32_t asleep)
{
    for (unsigned i = 0; i < count; i++)
        __atomic_store_n(lanes[i]->sleeps, asleep, __ATOMIC_SEQ_CST);
}

int64_t exo_channel_pick(struct exo_channel *const lanes[], unsigned count, unsigned *turn, uint64_t deadline_ns)
{
    struct exo_predicate predicates[EXO_CHANNEL_LANES * 2];
    unsigned conditions;
    int64_t status;

    if (count == 0 || count > EXO_CHANNEL_LANES)
        return -EXO_E_INVAL;
    *turn %= count;
    status = look_around(lanes, count, turn, predicates, &conditions);
    for (unsigned vain = 0; status == -EXO_E_AGAIN && vain < EXO_CHANNEL_VAIN; vain++) {
        say_asleep(lanes, count, 1);
        status = look_around(lanes, count, turn, predicates, &conditions); /* who did not see the flag has published before */
        if (status == -EXO_E_AGAIN) {
            int64_t slept = exo_wait(predicates, conditions, deadline_ns);

            status = look_around(lanes, count, turn, predicates, &conditions);
            if (status == -EXO_E_AGAIN && slept < 0)
                status = slept;
        }
        say_asleep(lanes, count, 0);
        if (status < 0 && status != -EXO_E_AGAIN)
            break;
    }
    return status;
}

/* ---- texts and data, as Cap'n Proto's encoding has them: a list pointer to bytes (encoding.html#lists) ---- */

#define LIST_POINTER 1u
#define LIST_OF_BYTES 2u

int64_t exo_message_blob(const uint64_t *message, uint32_t words, uint32_t at, bool text, const void **found)
{
    uint64_t pointer = message[at], bytes = pointer >> 35;
    uint64_t first = at + 1 + (uint64_t)((int64_t)(int32_t)(uint32_t)pointer >> 2); /* wraps when it is nonsense */

    *found = "";
    if (pointer == 0)
        return 0;
    if ((pointer & 3) != LIST_POINTER || (pointer >> 32 & 7) != LIST_OF_BYTES || first > words || bytes > (words - first) * sizeof(uint64_t))
        return -EXO_E_RANGE;
    if (text && (bytes == 0 || ((const char *)&message[first])[bytes - 1] != 0))
        return -EXO_E_RANGE;
    *found = &message[first];
    return (int64_t)(bytes - text);
}

int64_t exo_message_add_blob(uint64_t *message, uint32_t words, uint32_t at, uint32_t *used, bool text, const void *blob, uint64_t bytes)
{
    uint64_t room = *used < words ? (words - *used) * sizeof(uint64_t) : 0;

    if (message[at] != 0 || room < text || bytes > room - text)
        return -EXO_E_RANGE;
    message[at] = (uint64_t)(*used - at - 1) << 2 | LIST_POINTER | (uint64_t)LIST_OF_BYTES << 32 | (bytes + text) << 35;
    memcpy(&message[*used], blob, bytes); /* what follows is zero: the NUL, and the rest of the word */
    *used += (uint32_t)((bytes + text + 7) / 8);
    return 0;
}
