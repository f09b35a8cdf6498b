/*
 * Channels between real threads, under ThreadSanitizer: a sender and a receiver that sleep whenever they must (rings of two slots, so they do all the time),
 * and several senders with a ring each before one receiver. Every message is checked, and a wake that is lost ends the test (tests/unit/ipc/ring_fake.h).
 */
#include "tests/unit/ipc/ring_fake.h"

#include "libexo/channel.c"
#include "libexo/loop.c"

#include <kinds.capnp.h>
#include <sched.h>

#define SENDERS 4u
#define RING_BYTES 8192u

static _Alignas(64) unsigned char rings[SENDERS][RING_BYTES];
static unsigned long messages = 60000;

static void need(bool good, const char *text)
{
    if (!good) {
        fprintf(stderr, "not so: %s\n", text);
        abort();
    }
}
#define NEED(condition) need((condition), #condition)

static void fill(struct kinds *message, unsigned sender, uint64_t at)
{
    char title[24];

    kinds_begin(message);
    kinds_set_unsigned64(message, at);
    kinds_set_signed64(message, ~(int64_t)at);
    kinds_set_unsigned32(message, sender);
    NEED(kinds_set_title(message, title, (uint64_t)snprintf(title, sizeof(title), "%lu", (unsigned long)at)) == 0);
}

static void check(const struct kinds *message, unsigned sender, uint64_t at)
{
    const char *title;

    NEED(kinds_get_unsigned64(message) == at);
    NEED(kinds_get_signed64(message) == ~(int64_t)at);
    NEED(kinds_get_unsigned32(message) == sender);
    NEED(kinds_get_title(message, &title) > 0 && strtoul(title, NULL, 10) == at);
}

static void *send_all(void *argument)
{
    unsigned sender = (unsigned)(uintptr_t)argument;
    struct kinds_channel out;
    struct kinds message;

    NEED(kinds_bind(&out, EXO_CHANNEL_SENDER, rings[sender], RING_BYTES) == 0);
    for (uint64_t at = 0; at < messages; at++) {
        int64_t status;

        fill(&message, sender, at);
        while ((status = kinds_send(&out, &message)) == -EXO_E_AGAIN) {
            if (at % 3 == 0)
                sched_yield(); /* sometimes one polls */
            else
                NEED(exo_channel_wait(&out.channel, EXO_DEADLINE_NEVER) == 0);
        }
        NEED(status == 0);
    }
    exo_channel_end(&out.channel);
    return NULL;
}

static void receive_all(unsigned senders)
{
    struct kinds_channel in[SENDERS];
    struct exo_channel *lanes[SENDERS];
    uint64_t next[SENDERS] = {0};
    struct kinds message;
    unsigned turn = 0;
    int64_t lane;

    for (unsigned i = 0; i < senders; i++) {
        NEED(kinds_bind(&in[i], EXO_CHANNEL_RECEIVER, rings[i], RING_BYTES) == 0);
        lanes[i] = &in[i].channel;
    }
    while ((lane = exo_channel_pick(lanes, senders, &turn, EXO_DEADLINE_NEVER)) >= 0) {
        NEED(kinds_receive(&in[lane], &message) == 0);
        check(&message, (unsigned)lane, next[lane]++);
    }
    NEED(lane == -EXO_E_PEER);
    for (unsigned i = 0; i < senders; i++)
        NEED(next[i] == messages);
}

static void play(unsigned senders, uint32_t slots)
{
    pthread_t thread[SENDERS];

    for (unsigned i = 0; i < senders; i++) {
        NEED(exo_channel_format(rings[i], RING_BYTES, &kinds_layout, slots) == 0);
        NEED(pthread_create(&thread[i], NULL, send_all, (void *)(uintptr_t)i) == 0);
    }
    receive_all(senders);
    for (unsigned i = 0; i < senders; i++)
        pthread_join(thread[i], NULL);
    printf("%u senders, %u slots: %lu messages each, %u sleeps, %u wakes\n", senders, slots, messages, fake_sleeps, fake_wakes);
}

int main(int count, char **words)
{
    if (count > 1)
        messages = strtoul(words[1], NULL, 10);
    play(1, 1);
    play(1, 2);
    play(1, 32);
    play(SENDERS, 2);
    play(SENDERS, 8);
    NEED(fake_sleeps > 0 && fake_wakes > 0); /* or nothing was tried */
    return 0;
}
