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
/* Waits to be moved to a lock. */
static inline bool px_futex_will_lock(const struct px_thread *thread)
{
    return thread->futex.bits == PX_FUTEX_PI && thread->futex.to;
}
/* The first that waits here, for whatever; a waiter for the lock at `to` from now on. */
struct px_thread *px_futex_first(px_user va);
void px_futex_move(struct px_thread *thread, px_user to);
/* Wakes of words of this process alone, and of those that others may share: how many were woken. */
int64_t px_futex_queue_wake(px_user va, uint32_t most);
int64_t px_futex_shared_wake(px_user va, uint32_t most);
int64_t px_futex_deadline(px_user timespec, unsigned operation, uint64_t *deadline_ns);
/* The first waiter for the lock at that word; *more: there is another one. */
struct px_thread *px_futex_heir(px_user va, bool *more);
void px_futex_take_out(struct px_thread *thread);
/* May other processes wait on the word? */
bool px_futex_shared(px_user va, unsigned operation);
/* LOCK_PI and its like. */
int64_t px_futex_pi(px_user va, unsigned operation, px_user timespec);
int64_t px_futex_wait_requeue(px_user va, uint32_t expected, unsigned operation, px_user timespec, px_user to);
int64_t px_futex_requeue_pi(px_user va, px_user to, uint32_t wake, uint32_t move, unsigned operation, uint32_t expected);

/* Those who wait on several words at once (futex_vector.c); NULL: nobody. */
extern struct px_futex_vector *px_futex_vectors;
uint32_t px_futex_vector_wake(px_user va, uint32_t most);

#endif
