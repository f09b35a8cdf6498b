/* Waiting for several descriptions at once: what poll, select and epoll have in common. */
#ifndef PX_POLL_H
#define PX_POLL_H
#include "fd.h"

struct px_poll_item {
    struct px_ofd *ofd; /* NULL: passed over */
    uint16_t events;    /* asked for */
    uint16_t revents;   /* found */
};

/* Events of one description now; predicates as in px_ops.poll. */
unsigned px_poll_ofd(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count);
/*
 * The predicate that the others, whom a tally counts (`seen` of them with ours), are as they were. Among more than two, which go the general way anyhow,
 * it is: that there are any, so that a fork or an exit of one of many wakes nobody.
 */
static inline struct exo_predicate px_poll_tally(unsigned place, const uint32_t *tally, uint32_t seen, uint32_t ours)
{
    if (place < 2 || seen <= ours)
        return (struct exo_predicate){.va = (uint64_t)tally, .value = seen, .kind = EXO_WAIT_WORD};
    return (struct exo_predicate){.va = (uint64_t)tally, .value = ours + 1, .kind = EXO_WAIT_FROM};
}
/* Tells a pipe or socket that somebody is about to sleep on it (1), or no longer does (-1). */
void px_poll_watch(struct px_ofd *ofd, int step);
/* Lists of epolls (epoll.c). All changes so far; the same for what is in an epoll's list, at the end for those that were there at `begun`. */
uint32_t px_epoll_changes(void);
void px_epoll_watch(const struct px_ofd *ofd);
void px_epoll_unwatch(const struct px_ofd *ofd, uint32_t begun);
void px_epoll_moves(const struct px_ofd *ofd); /* the description's pages are about to be others */
void px_epoll_exit(void);                      /* all descriptions are about to be let go */
void px_epoll_settle(const struct px_ofd *ofd); /* before a sleep: what is to be looked at and slept on is decided */
extern bool px_epoll_partial; /* an epoll's poll had more to sleep on than there was room for: look again soon */
/* Fills in revents and returns how many items have some; sleeps until there is one. 0 after the deadline,
 * -PX_ERESTART* after a signal. */
int64_t px_poll_wait(struct px_poll_item *items, unsigned count, uint64_t deadline_ns);
/* Time-outs: milliseconds (negative: never), or a timespec in the program's memory (NULL: never). */
uint64_t px_poll_deadline_ms(int64_t ms);
int64_t px_poll_deadline(px_user timespec, uint64_t *deadline_ns);

/* The mask that ppoll, pselect6 and epoll_pwait set for the time of the call; NULL: none. 0 or -errno. */
int64_t px_poll_mask(px_user mask, uint64_t bytes);
int64_t px_poll_mask_at(px_user pair); /* of an address and a size, as pselect6 takes them; 0: no mask */

#endif
