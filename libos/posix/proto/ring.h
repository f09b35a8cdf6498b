/*
 * A pipe: a header page and PX_PIPE_SIZE bytes of data, in 17 consecutive pages shared by all that hold an end.
 * `readers` and `writers` are tallies: the kernel keeps in them the number of capabilities to each end, so they are right
 * even if a holder dies in the middle of anything. Data moves under `lock`, which names its holder; whoever finds a dead holder takes
 * the lock over (data is then whole up to `tail`, because the positions are moved last).
 */
#ifndef PX_RING_H
#define PX_RING_H
#include <stdint.h>

#define PX_PIPE_SIZE 65536u
#define PX_PIPE_BUF 4096u /* writes up to this are atomic */
#define PX_PIPE_PAGES 17u
#define PX_PIPE_VERSION 1u

struct px_pipe {
    uint32_t version;
    uint32_t lock;    /* 0, or the holder: PX_LOCK_HOLDER(process index, generation) (tty: 0xffff), | PX_LOCK_WAITERS when somebody sleeps on it */
    uint32_t readers; /* tally word */
    uint32_t writers; /* tally word */
    uint32_t head;    /* read position, free-running modulo 2^32; data is at head % PX_PIPE_SIZE */
    uint32_t tail;    /* write position; tail - head bytes are there. Reset both to 0 when empty, to touch few pages. */
    uint32_t read_seq;  /* bumped after each read: writers sleep on it */
    uint32_t write_seq; /* bumped after each write: readers sleep on it */
    uint32_t read_waiters, write_waiters; /* sleepers (incremented before sleep): no wake call when 0 */
    uint32_t flags;   /* PX_PIPE_* */
    uint32_t shortage; /* bytes that F_SETPIPE_SZ has taken from PX_PIPE_SIZE; whole pages, and one remains */
    uint64_t ino;     /* st_ino of this pipe */
    int64_t ctime_ns;
    uint64_t owner[2]; /* PX_PIPE_READER, PX_PIPE_WRITER: the cookie (proto/proc.h) of who wants SIGIO of that end, and counts as a sleeper */
};
#define PX_PIPE_READER 0u
#define PX_PIPE_WRITER 1u
#define PX_PIPE_ATTACHED 1u /* the far end has created its tally: a count of 0 now means closed */
#define PX_PIPE_NAMED 2u /* a named FIFO: fs holds one capability to each tally itself, so a count of 1 means closed */
#define PX_LOCK_WAITERS 0x80000000u
/* Process index + 1 in the low 16 bits (0xffff: tty); above it 15 bits of the entry's generation, so that an index
 * used again is not taken for the dead holder. */
#define PX_LOCK_HOLDER(index, gen) (((uint32_t)(index) + 1u) | ((uint32_t)(gen) & 0x7fffu) << 16)
#define PX_LOCK_INDEX(lock) (((lock) & 0xffffu) - 1u)
#define PX_LOCK_GEN(lock) ((lock) >> 16 & 0x7fffu)
#define PX_PIPE_DATA(pipe) ((uint8_t *)(pipe) + 4096)

#endif
