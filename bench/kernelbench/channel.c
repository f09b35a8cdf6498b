/* What a message through a channel costs each side while both run: with all fields set and read, and the loop. */
#include "cases.h"

#include <tick.capnp.h>

#define SLOTS 64u

static _Alignas(64) unsigned char memory[8192];
static struct tick_channel out, in;

static void make(void)
{
    EXPECT(exo_channel_format(memory, sizeof(memory), &tick_layout, SLOTS), 0);
    EXPECT(tick_bind(&out, EXO_CHANNEL_SENDER, memory, sizeof(memory)), 0);
    EXPECT(tick_bind(&in, EXO_CHANNEL_RECEIVER, memory, sizeof(memory)), 0);
}

static inline int64_t send(uint64_t i)
{
    struct tick message;

    tick_begin(&message);
    tick_set_number(&message, i);
    tick_set_time(&message, 3 * i);
    tick_set_value(&message, -(int64_t)i);
    tick_set_source(&message, (uint32_t)i);
    tick_set_kind(&message, 7);
    return tick_send(&out, &message);
}

static uint64_t sum;
static int64_t failures; /* what the calls answered, all together: looked at once */

static inline int64_t receive(void)
{
    struct tick message;
    int64_t status = tick_receive(&in, &message);

    sum += tick_get_number(&message) + tick_get_time(&message) + (uint64_t)tick_get_value(&message) + tick_get_source(&message) +
           tick_get_kind(&message);
    return status;
}

/* In lots that fill the ring: a full ring and an empty one are part of it. */
static uint64_t lots(uint64_t count, bool sends)
{
    uint64_t ticks = 0;

    make();
    for (uint64_t done = 0; done < count; done += SLOTS) {
        uint64_t sending = TICKS(SLOTS, failures |= send(i)), receiving = TICKS(SLOTS, failures |= receive());

        ticks += sends ? sending : receiving;
    }
    EXPECT(failures, 0);
    return ticks;
}

uint64_t channel_send(uint64_t count)
{
    return lots(count, true);
}

uint64_t channel_receive(uint64_t count)
{
    return lots(count, false);
}

uint64_t channel_turns(uint64_t count)
{
    uint64_t ticks;

    make();
    ticks = TICKS(count, {
        failures |= send(i);
        failures |= receive();
    });
    EXPECT(failures, 0);
    return ticks;
}
