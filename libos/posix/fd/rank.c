/* The debug build's look at the order in which locks are taken (rank.h). */
#include "rank.h"

#ifdef PX_RANKS
#include "entry/thread.h"
#include "fd.h"

static struct px_ranks ranks[PX_THREADS_MAX]; /* by the thread's number */

const char *px_rank_add(struct px_ranks *mine, const uint32_t *lock, enum px_rank rank)
{
    for (unsigned i = 0; i < mine->count; i++) {
        if (mine->held[i].lock == lock)
            return "it has this lock already";
        if (mine->held[i].rank > rank)
            return "it has a lock that comes later";
        if (mine->held[i].rank == rank && mine->held[i].lock > lock)
            return "it has one of the same rank at a higher address";
    }
    if (mine->count == PX_RANKS_HELD)
        return "it has too many";
    mine->held[mine->count++] = (struct px_rank_held){lock, rank};
    return 0;
}

const char *px_rank_remove(struct px_ranks *mine, const uint32_t *lock)
{
    for (unsigned i = 0; i < mine->count; i++)
        if (mine->held[i].lock == lock) {
            mine->held[i] = mine->held[--mine->count];
            return 0;
        }
    return "it has not taken it";
}

static struct px_ranks *mine_now(void)
{
    const struct px_thread *thread = px_thread();
    struct px_ranks *mine = &ranks[thread->number % PX_THREADS_MAX];

    if (mine->tid != thread->tid)
        *mine = (struct px_ranks){.tid = thread->tid};
    return mine;
}

static _Noreturn void broken(struct px_ranks *mine, const uint32_t *lock, const char *what, const char *why)
{
    px_log("exo: pid %d thread %d %s lock %p: %s\n", px_self()->pid, mine->tid, what, (const void *)lock, why);
    for (unsigned i = 0; i < mine->count; i++)
        px_log("exo:   holds %p of rank %u\n", (const void *)mine->held[i].lock, mine->held[i].rank);
    mine->count = 0; /* for the way out */
    px_exit(SIGABRT);
}

void px_rank_taking(const uint32_t *lock, enum px_rank rank)
{
    struct px_ranks *mine = mine_now();
    const char *why = px_rank_add(mine, lock, rank);

    if (why)
        broken(mine, lock, "takes", why);
}

void px_rank_giving(const uint32_t *lock)
{
    struct px_ranks *mine = mine_now();
    const char *why = px_rank_remove(mine, lock);

    if (why)
        broken(mine, lock, "gives", why);
}

void px_rank_sleeping(void)
{
    struct px_ranks *mine = mine_now();

    if (mine->count)
        broken(mine, mine->held[0].lock, "sleeps with", "what it waits for may need it");
}

void px_rank_start(void)
{
    memset(ranks, 0, sizeof ranks);
}
#endif
