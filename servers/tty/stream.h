/*
 * Standard streams that are no terminals: rings (proto/ring.h) of which tty holds the far end. tty never waits for a ring's
 * lock: if somebody has it, the stream
 * says so and the main loop sleeps on the lock's word among others. The ring is the processes' memory too: every word is read once and checked.
 */
#ifndef TTY_STREAM_H
#define TTY_STREAM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"

struct stream {
    struct px_pipe *pipe;    /* NULL: the stream is a terminal, or closed */
    bool writing;            /* tty writes (standard input), or reads */
    bool blocked;            /* somebody holds the lock, */
    uint32_t lock_seen;      /* whose word was this */
    uint64_t blocked_since_ns;
};

#define STREAM_LOCK_TTY 0xffffu
/* A process that holds the lock for so long is taken for broken. Copies under the lock take microseconds. */
#define STREAM_LOCK_PATIENCE_NS 10000000000ull
/* The death of a holder wakes nobody on the lock's word. */
#define STREAM_LOCK_RECHECK_NS 20000000ull

/* Makes the ring ready and takes its far end. */
void stream_start(struct stream *stream, void *ring, bool writing, uint64_t ino, int64_t now_ns);
/* Bytes that can be written now; 0 when full. A reader that is gone leaves no room, see stream_deserted. */
size_t stream_room(const struct stream *stream);
/* Nobody can ever read what is written. */
bool stream_deserted(const struct stream *stream);
size_t stream_filled(const struct stream *stream);
/* Moves bytes; returns how many (0: none, or `blocked`). `table` is the process table, to tell dead holders of the lock. */
size_t stream_write(struct stream *stream, const uint8_t *bytes, size_t count, const void *table, uint64_t now_ns);
size_t stream_read(struct stream *stream, uint8_t *to, size_t count, const void *table, uint64_t now_ns);
/*
 * Sleeping: take the value of the other side's word before looking for work; when there is none, say with +1 that somebody sleeps on it, sleep until
 * it has another value, say -1.
 */
uint32_t stream_look(struct stream *stream);
uint32_t *stream_word(struct stream *stream);
void stream_watch(struct stream *stream, int step);
/* Leaves the ring: end of file for readers, EPIPE for writers. */
void stream_close(struct stream *stream);

#endif
