/* Descriptions that are in use by several threads: what the descriptor table and poll owe hold.c. */
#ifndef PX_HOLD_H
#define PX_HOLD_H
#include "fd.h"
#include "poll.h"

/* The present call waits for these until it says so of none. */
void px_hold_items(const struct px_poll_item *items, unsigned count);
/* The last descriptor is closed. True: a call still uses the description; px_ofd_leave follows when none does. */
bool px_hold_left(struct px_ofd *ofd);
/* Those that only calls use, for fork: by place, then NULL. The child has none of these calls. */
struct px_ofd *px_hold_next(unsigned at);
void px_hold_forked(void);
/* epoll.c: no list may name the description any more, because the process's last descriptor of it is closed; and, in a child, nobody sleeps. */
void px_epoll_closed(const struct px_ofd *ofd);
void px_epoll_forked(void);

#endif
