/*
 * Bulk data from one process to another, 1 GiB: by pages that change hands where there are such streams, on Linux through a pipe, which is what it has for
 * that. The sender marks each page, and the receiver looks at each mark.
 */
#define _GNU_SOURCE
#include "bench.h"
#include <exo/calls.h>
#include <exo/stream.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layout.h"

#define BLOCKS 3u
#define BLOCK_PAGES 512u
#define BLOCK_BYTES (BLOCK_PAGES * 4096ul)
#define PART_BYTES 65536ul
#define GIB (1ul << 30)

static char part_of_pipe[PART_BYTES];

/* A range that nothing else takes, aligned for large pages. */
static char *range(size_t bytes)
{
    char *start = mmap(NULL, bytes + BLOCK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        fail("mmap");
    return start + (BLOCK_BYTES - (uintptr_t)start % BLOCK_BYTES) % BLOCK_BYTES;
}

/* Sends so many bytes, with a mark in each page. */
static int send_all(uint64_t endpoint, uint64_t bytes)
{
    struct exo_stream_out out;
    uint64_t mark = 0;
    int64_t status = exo_stream_begin(&out, endpoint, PX_SLOT_SELF, range(BLOCK_BYTES), BLOCK_PAGES);
    while (status == 0) {
        uint64_t part = bytes < out.bytes ? bytes : out.bytes;
        for (uint64_t at = 0; at < part; at += 4096)
            *(volatile uint64_t *)((char *)out.data + at) = mark++;
        bytes -= part;
        if (bytes == 0)
            return exo_stream_end(&out, part) < 0;
        status = exo_stream_push(&out, part);
    }
    return 1;
}

static uint64_t by_stream(uint64_t bytes)
{
    struct exo_stream stream;
    struct exo_stream_part part;
    uint64_t mark = 0, received = 0;
    uint64_t endpoint = (uint64_t)must(exo_ep_create(), "ep_create");
    int64_t status;
    must(exo_stream_make(&stream, endpoint, PX_SLOT_SELF, PX_SLOT_ZONE, (uint64_t)range(BLOCKS * BLOCK_BYTES), BLOCKS, BLOCK_PAGES), "stream_make");
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0)
        _exit(send_all(endpoint, bytes));
    uint64_t start = ticks_now();
    while ((status = exo_stream_next(&stream, &part, EXO_DEADLINE_NEVER)) == 0) {
        for (uint64_t at = 0; at < part.bytes; at += 4096)
            if (*(const volatile uint64_t *)((const char *)part.data + at) != mark++)
                fail("stream: wrong data");
        received += part.bytes;
        must(exo_stream_done(&stream, &part), "stream_done");
    }
    uint64_t took = ticks_now() - start;
    if (status != -EXO_E_PEER || received != bytes)
        fail("stream");
    exo_stream_unmake(&stream);
    must(exo_cap_delete(endpoint), "cap_delete");
    must(waitpid(child, NULL, 0), "waitpid");
    return took;
}

static int write_all(int to, uint64_t bytes)
{
    uint64_t mark = 0;
    for (; bytes > 0; bytes -= PART_BYTES) {
        for (uint64_t at = 0; at < PART_BYTES; at += 4096)
            *(uint64_t *)(part_of_pipe + at) = mark++;
        for (uint64_t sent = 0; sent < PART_BYTES;)
            sent += (uint64_t)must(write(to, part_of_pipe + sent, PART_BYTES - sent), "write");
    }
    return 0;
}

static uint64_t by_pipe(uint64_t bytes)
{
    int data[2];
    uint64_t mark = 0;
    must(pipe(data), "pipe");
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0)
        _exit(write_all(data[1], bytes));
    close(data[1]);
    uint64_t start = ticks_now();
    for (; bytes > 0; bytes -= PART_BYTES) {
        for (uint64_t got = 0; got < PART_BYTES;)
            got += (uint64_t)must(read(data[0], part_of_pipe + got, PART_BYTES - got), "read");
        for (uint64_t at = 0; at < PART_BYTES; at += 4096)
            if (*(volatile uint64_t *)(part_of_pipe + at) != mark++)
                fail("pipe: wrong data");
    }
    uint64_t took = ticks_now() - start;
    close(data[0]);
    must(waitpid(child, NULL, 0), "waitpid");
    return took;
}

static uint64_t one_gib(long n)
{
    return exo_null() == 0 ? by_stream((uint64_t)n * GIB) : by_pipe((uint64_t)n * GIB);
}

const struct bench_case stream_cases[] = {
    {"stream_1gib", one_gib, 1},
    {0},
};
