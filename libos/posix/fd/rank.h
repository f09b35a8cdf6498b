/*
 * The order of the locks in memory that processes share (px_lock_take). Who holds one takes only such as come later; of those of one rank, only at
 * higher addresses, which all who share them see alike. The debug build looks at each lock taken, and ends the process with a text if the order
 * is broken; the release build has none of this. A thread holds its own list of what it has.
 *
 * Nobody sleeps with one until something happens in another program, only for another such lock: so a thread that has one has its process's lock
 * as well (entry/thread.h), and one that waits for one may keep that, because the holder, in another process, does not need it.
 *
 * Not ranked: the lock around the libOS of one process, which comes before all of these; and fs's metadata and the process table, which have one
 * writer and whose readers lock nothing (sequence counters).
 */
#ifndef PX_RANK_H
#define PX_RANK_H
#include <stdint.h>

enum px_rank {
    PX_RANK_POSITION = 1, /* of a description of a file: held while what is moved is moved */
    PX_RANK_COUNTER,      /* an eventfd's counter, an end of a socket: nothing is called with it that knows descriptions */
    PX_RANK_RING,         /* a pipe's ring */
    PX_RANK_RECORDS,      /* the table of advisory locks */
};

#if defined(EXO_DEBUG) && !defined(EXO_HOST_TEST)
#define PX_RANKS 1
#endif

#ifdef PX_RANKS
#define PX_RANKS_HELD 4u

struct px_ranks {
    int32_t tid; /* whose they are: numbers of threads are used again */
    unsigned count;
    struct px_rank_held {
        const uint32_t *lock;
        enum px_rank rank;
    } held[PX_RANKS_HELD];
};

/* What is wrong with taking it now, or NULL: then it is in the list. */
const char *px_rank_add(struct px_ranks *ranks, const uint32_t *lock, enum px_rank rank);
/* The same of giving it back, in any order. */
const char *px_rank_remove(struct px_ranks *ranks, const uint32_t *lock);
/* This thread does that. What is wrong ends the process. */
void px_rank_taking(const uint32_t *lock, enum px_rank rank);
void px_rank_giving(const uint32_t *lock);
/* This thread is about to sleep. */
void px_rank_sleeping(void);
/* A child holds nothing. */
void px_rank_start(void);
#else
static inline void px_rank_taking(const uint32_t *lock, enum px_rank rank)
{
    (void)lock, (void)rank;
}
static inline void px_rank_giving(const uint32_t *lock)
{
    (void)lock;
}
static inline void px_rank_sleeping(void)
{
}
static inline void px_rank_start(void)
{
}
#endif

#endif
