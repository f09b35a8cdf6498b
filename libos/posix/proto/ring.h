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
    uint32_t lock;    /* 0, or the holder's process index + 1 (tty: 0xffff), | PX_LOCK_WAITERS when somebody sleeps on it */
    uint32_t readers; /* tally word */
    uint32_t writers; /* tally word */
    uint32_t head;    /* read position, free-running modulo 2^32; data is at head % PX_PIPE_SIZE */
    uint32_t tail;    /* write position; tail - head bytes are there. Reset both to 0 when empty, to touch few pages. */
    uint32_t read_seq;  /* bumped after each read: writers sleep on it */
    uint32_t write_seq; /* bumped after each write: readers sleep on it */
    uint32_t read_waiters, write_waiters; /* sleepers (incremented before sleep): no wake call when 0 */
    uint32_t flags;   /* PX_PIPE_* */
    uint32_t owner;   /* for F_SETOWN, unused */
    uint64_t ino;     /* st_ino of this pipe */
    int64_t ctime_ns;
};
#define PX_PIPE_ATTACHED 1u /* the far end has created its tally: a count of 0 now means closed */
#define PX_LOCK_WAITERS 0x80000000u
#define PX_PIPE_DATA(pipe) ((uint8_t *)(pipe) + 4096)

#endif
