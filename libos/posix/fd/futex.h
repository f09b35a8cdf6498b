/* Queues of futexes: what futex_pi.c owes futex.c. */
#ifndef PX_FUTEX_H
#define PX_FUTEX_H
#include "entry/thread.h"
#include "fd.h"

#define PX_FUTEX_PRIVATE 128u
#define PX_FUTEX_CLOCK_REALTIME 256u
#define PX_FUTEX_COMMAND 127u
#define PX_FUTEX_PI 0u /* bits of a waiter that no wake means: it is handed the lock */

/* Sleeps in the queue of the word: 0 when it was taken out, or as px_wait. */
int64_t px_futex_sleep(px_user va, uint32_t bits, uint64_t deadline_ns);
/* The first waiter for the lock at that word; *more: there is another one. */
struct px_thread *px_futex_heir(px_user va, bool *more);
void px_futex_take_out(struct px_thread *thread);
/* May other processes wait on the word? */
bool px_futex_shared(px_user va, unsigned operation);
/* LOCK_PI and its like. */
int64_t px_futex_pi(px_user va, unsigned operation, px_user timespec);

#endif
