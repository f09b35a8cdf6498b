/*
 * A thermometer, a process of its own, sends readings through a ring in a shared page; the parent prints them. Neither makes a kernel call for a
 * message while the other one runs. The messages are described in reading.capnp.
 *     ./exo run ./build/release/examples/channel
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <exo/calls.h>
#include <reading.capnp.h>

#define RING_BYTES 4096u

static int thermometer(void *memory)
{
    struct reading_channel out;
    struct reading reading;

    if (reading_bind(&out, EXO_CHANNEL_SENDER, memory, RING_BYTES) < 0)
        return 1;
    for (uint64_t i = 0; i < 1000; i++) {
        reading_begin(&reading);
        reading_set_number(&reading, i);
        reading_set_celsius(&reading, (int16_t)(i % 40));
        reading_set_sensor(&reading, SENSOR_WATER);
        if (reading_set_place(&reading, "harbour", 7) < 0)
            return 1;
        while (reading_send(&out, &reading) == -EXO_E_AGAIN) /* full: the parent has to read first */
            if (exo_channel_wait(&out.channel, EXO_DEADLINE_NEVER) < 0)
                return 1;
    }
    exo_channel_end(&out.channel);
    return 0;
}

int main(void)
{
    char *shared = mmap(NULL, 2 * RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint32_t *alive = (uint32_t *)(shared + RING_BYTES);
    struct reading_channel in;
    struct reading reading;
    uint64_t next = 0;
    int64_t sum = 0, status, tally;
    const char *place = "";

    *alive = 0; /* the page is there */
    if (exo_channel_format(shared, RING_BYTES, &reading_layout, 16) < 0 || (tally = exo_tally_create(alive)) < 0)
        return 1;
    if (fork() == 0)
        return thermometer(shared);
    if (exo_cap_delete((uint64_t)tally) < 0 || reading_bind(&in, EXO_CHANNEL_RECEIVER, shared, RING_BYTES) < 0)
        return 1;
    exo_channel_watch(&in.channel, alive); /* the child has the tally's only capability: the word is 0 when it has died */
    while ((status = exo_channel_wait(&in.channel, EXO_DEADLINE_NEVER)) == 0)
        while (reading_receive(&in, &reading) == 0) {
            if (reading_get_number(&reading) != next++)
                return 1;
            sum += reading_get_celsius(&reading);
            if (reading_get_place(&reading, &place) < 0)
                return 1;
        }
    printf("%lu readings from the %s, %ld degrees on average; then the channel %s\n", (unsigned long)next, place, (long)(sum / (int64_t)next),
           status == -EXO_E_PEER ? "ended" : "failed");
    return status == -EXO_E_PEER ? 0 : 1;
}
