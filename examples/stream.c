/*
 * A child produces 64 MiB, the parent adds them up; not a byte is copied. The parent owns eight blocks of 64 pages and lends them, so the child can
 * never be more than half a MiB ahead.
 *     ./exo run ./build/release/examples/stream
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <exo/calls.h>
#include <exo/stream.h>

#include "layout.h" /* PX_SLOT_*: what every process has */

#define BLOCKS 8u
#define BLOCK_PAGES 64u
#define BLOCK_BYTES (BLOCK_PAGES * 4096ul)
#define TOTAL_BYTES (64ul << 20)

static void *addresses(uint64_t bytes)
{
    return mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static int produce(uint64_t endpoint)
{
    struct exo_stream_out out;
    uint64_t value = 0;
    int64_t status = exo_stream_begin(&out, endpoint, PX_SLOT_SELF, addresses(BLOCK_BYTES), BLOCK_PAGES);

    while (status == 0) {
        uint64_t *data = out.data;

        for (uint64_t i = 0; i < out.bytes / sizeof(*data); i++)
            data[i] = value++;
        if (value * sizeof(*data) >= TOTAL_BYTES)
            return exo_stream_end(&out, out.bytes) < 0;
        status = exo_stream_push(&out, out.bytes);
    }
    return 1;
}

int main(void)
{
    struct exo_stream stream;
    struct exo_stream_part part;
    uint64_t sum = 0, count = 0;
    int64_t endpoint = exo_ep_create(), status;

    if (endpoint < 0 ||
        exo_stream_make(&stream, (uint64_t)endpoint, PX_SLOT_SELF, PX_SLOT_ZONE, (uint64_t)addresses(BLOCKS * BLOCK_BYTES), BLOCKS, BLOCK_PAGES) < 0)
        return 1;
    if (fork() == 0)
        return produce((uint64_t)endpoint);
    while ((status = exo_stream_next(&stream, &part, EXO_DEADLINE_NEVER)) == 0) {
        const uint64_t *data = part.data;

        for (uint64_t i = 0; i < part.bytes / sizeof(*data); i++)
            sum += data[i];
        count += part.bytes / sizeof(*data);
        if (exo_stream_done(&stream, &part) < 0)
            return 1;
    }
    printf("%lu numbers, the sum is %s; then the stream %s\n", (unsigned long)count, sum == count * (count - 1) / 2 ? "right" : "wrong",
           status == -EXO_E_PEER ? "ended" : "failed");
    exo_stream_unmake(&stream);
    return status == -EXO_E_PEER ? 0 : 1;
}
