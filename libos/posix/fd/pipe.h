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

#endif
