/*
 * What the parts of pipes share: rings (pipe_ring.c), ends (pipe_make.c), named FIFOs (fifo.c), and moving
 * data (pipe.c).
 *
 * A description of a pipe has in word[0] the ring's address and in word[1] this end's tally capability: a
 * handle that fork copies to the same slot, so each process's own holding is counted by the kernel. Of a
 * named FIFO fs holds the ring, and a capability to each tally: word[2] is 1, what a tally counts too much;
 * one open for both directions has the writers' capability in word[3], and one opened for reading without a
 * writer says so in word[4].
 */
#ifndef PX_PIPE_H
#define PX_PIPE_H
#include "fd.h"

#define PX_PIPE_WORD_ALONE 4u
#define PX_PIPE_ALONE (1ull << 32) /* opened when there was no writer; below it the write_seq of then */

/* A pipe's ring of this process's own, zeroed, or 0. */
uint64_t px_pipe_ring_new(void);
/*
 * The words that tell one side what the other does: sampled, and slept on if `predicates`. Returns how many
 * ends the other side has.
 */
uint32_t px_pipe_sample(const struct px_ofd *ofd, uint32_t *sequence, uint32_t *tally,
                        struct exo_predicate *predicates, unsigned *count);

/* Ends of the other side, when the tally's word is `count`. */
static inline uint32_t px_pipe_others(const struct px_ofd *ofd, uint32_t count)
{
    uint32_t surplus = (uint32_t)ofd->word[2];

    return count > surplus ? count - surplus : 0;
}

/* For splice (splice.c): looks at what is there without taking it; waits for some if `wait` and the pipe is not O_NONBLOCK. Bytes, 0 at the end,
 * -errno. What was seen is taken later, unless somebody else has meanwhile. */
struct px_pipe_mark {
    uint32_t head;
};
int64_t px_pipe_peek(struct px_ofd *ofd, px_user to, size_t bytes, bool wait, struct px_pipe_mark *mark);
void px_pipe_consume(struct px_ofd *ofd, const struct px_pipe_mark *mark, uint32_t bytes);
/* Writes what fits, at least one byte; waits for room for that one only. */
int64_t px_pipe_write_now(struct px_ofd *ofd, px_user from, size_t bytes, bool wait);
int64_t px_pipe_size(struct px_ofd *ofd, bool set, uint64_t wanted); /* F_GETPIPE_SZ, F_SETPIPE_SZ */
uint32_t px_pipe_room(const struct px_ofd *ofd); /* 1 when there are no readers: a write would say so */
int64_t px_pipe_wait_room(struct px_ofd *ofd);
/* Who wants SIGIO of that end (pipe_tell.c). */
void px_pipe_tell_readers(struct px_pipe *pipe);
void px_pipe_tell_writers(struct px_pipe *pipe);
/* This description's end is gone: if it was the last of its side, the other one hears of it. */
void px_pipe_tell_of_end(const struct px_ofd *ofd, struct px_pipe *pipe);
void px_pipe_own(struct px_ofd *ofd, uint64_t cookie, bool async); /* px_ops.own */

#endif
