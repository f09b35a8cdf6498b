/*
 * Futexes that name their owner, and are handed from one to the next (FUTEX_LOCK_PI). All threads have the same priority, so there is none to inherit; what
 * remains is what the word says: the owner's tid, whether somebody waits, and whether the last owner died with it. Words that other processes may share are
 * not handed over: one of those who sleep on it is woken, and takes it if nobody was faster.
 */
#include "futex.h"

#define LOCK_PI 6
#define UNLOCK_PI 7
#define TRYLOCK_PI 8
#define LOCK_PI2 13
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define TID_MASK 0x3fffffffu
#define TRIES_MOST 65536u /* of a word that the program keeps changing */

static int64_t lock(px_user va, uint64_t deadline_ns, bool may_wait)
{
    uint32_t self = (uint32_t)px_thread()->tid, value;
    int64_t result = px_load_u32(va, &value);

    for (unsigned tries = 0; result == 0 || result == -EAGAIN; tries++) {
        bool more;

        if ((value & TID_MASK) == self)
            return -EDEADLK;
        if (tries == TRIES_MOST || (value & TID_MASK && !may_wait))
            return value & TID_MASK && !px_thread_find((int32_t)(value & TID_MASK)) ? -ESRCH : -EAGAIN;
        if (!(value & TID_MASK)) {
            result = px_swap_u32(va, &value, self | (value & OWNER_DIED) | (px_futex_heir(va, &more) ? WAITERS : 0));
            if (result == 0)
                return 0;
        } else if (!px_thread_find((int32_t)(value & TID_MASK))) {
            return -ESRCH;
        } else if (!(value & WAITERS)) {
            result = px_swap_u32(va, &value, value | WAITERS);
            value |= result == 0 ? WAITERS : 0;
        } else {
            px_thread()->futex.to = 0;
            result = px_futex_sleep(va, PX_FUTEX_PI, deadline_ns);
            return result == -PX_ERESTARTSYS ? -PX_ERESTARTNOINTR : result;
        }
    }
    return result;
}

static int64_t lock_shared(px_user va, uint64_t deadline_ns, bool may_wait)
{
    uint32_t self = (uint32_t)px_thread()->tid, waited = 0, value;
    int64_t result = px_load_u32(va, &value);

    for (unsigned tries = 0; result == 0 || result == -EAGAIN; tries++) {
        if ((value & TID_MASK) == self)
            return -EDEADLK;
        if (tries == TRIES_MOST || (value & TID_MASK && !may_wait))
            return -EAGAIN;
        if (!(value & TID_MASK)) {
            result = px_swap_u32(va, &value, self | (value & (OWNER_DIED | WAITERS)) | waited);
            if (result == 0)
                return 0;
        } else if (!px_tid_lives((int32_t)(value & TID_MASK))) {
            uint32_t gone = value;

            result = px_load_u32(va, &value);
            if (result == 0 && value == gone)
                return -ESRCH; /* else it gave the lock back before it ended */
        } else if (!(value & WAITERS)) {
            result = px_swap_u32(va, &value, value | WAITERS);
            value |= result == 0 ? WAITERS : 0;
        } else {
            result = px_wait_word((const uint32_t *)va, value, deadline_ns);
            if (result < 0)
                return result == -PX_ERESTARTSYS ? -PX_ERESTARTNOINTR : result;
            waited = WAITERS; /* there may be more who do */
            tries = 0;
            result = px_load_u32(va, &value);
        }
    }
    return result;
}

/* To the next one; `kept`: bits of the word that stay. */
static int64_t hand_over(px_user va, uint32_t value, uint32_t kept)
{
    int64_t result = -EAGAIN;

    for (unsigned tries = 0; result == -EAGAIN && tries < TRIES_MOST; tries++) {
        uint32_t owner = value & TID_MASK;
        bool more = false;
        struct px_thread *heir = px_futex_heir(va, &more);

        result = px_swap_u32(va, &value, (heir ? (uint32_t)heir->tid : 0) | (more ? WAITERS : 0) | (value & kept));
        if (result == 0 && heir)
            px_futex_take_out(heir);
        if (result == -EAGAIN && (value & TID_MASK) != owner)
            return -EPERM;
    }
    return result;
}

static int64_t unlock(px_user va)
{
    uint32_t value;
    int64_t result = px_load_u32(va, &value);

    if (result < 0)
        return result;
    return (value & TID_MASK) == (uint32_t)px_thread()->tid ? hand_over(va, value, 0) : -EPERM;
}

static int64_t unlock_shared(px_user va)
{
    uint32_t value;
    int64_t result = px_load_u32(va, &value);

    for (unsigned tries = 0; result == 0 && tries < TRIES_MOST; tries++) {
        if ((value & TID_MASK) != (uint32_t)px_thread()->tid)
            return -EPERM;
        result = px_swap_u32(va, &value, 0);
        if (result == 0) {
            (void)!px_futex_wake(va, 1);
            return 0;
        }
        if (result == -EAGAIN)
            result = 0;
    }
    return result < 0 ? result : -EAGAIN;
}

void px_futex_owner_died(px_user va)
{
    uint32_t value;

    if (px_futex_shared(va, 0))
        (void)!px_futex_wake(va, 1);
    else if (px_load_u32(va, &value) == 0 && !(value & TID_MASK))
        (void)!hand_over(va, value, OWNER_DIED);
}

int64_t px_futex_pi(px_user va, unsigned operation, px_user timespec)
{
    uint64_t deadline_ns = PX_DEADLINE_NEVER, ns, now;
    unsigned command = operation & PX_FUTEX_COMMAND;
    int64_t result;

    bool shared = px_futex_shared(va, operation);

    if (command == UNLOCK_PI)
        return shared ? unlock_shared(va) : unlock(va);
    if (timespec && command != TRYLOCK_PI) {
        result = px_read_timespec(timespec, &ns);
        if (result < 0)
            return result;
        now = command == LOCK_PI || operation & PX_FUTEX_CLOCK_REALTIME ? px_real_ns() : px_now_ns();
        deadline_ns = ns > now ? px_deadline_after(ns - now) : EXO_DEADLINE_NOW;
    }
    return (shared ? lock_shared : lock)(va, deadline_ns, command != TRYLOCK_PI);
}

/* ---- condition variables whose waiters get a lock (WAIT_REQUEUE_PI, CMP_REQUEUE_PI) ---- */

static int64_t wait_private(px_user va, uint64_t deadline_ns, px_user to)
{
    struct px_thread *thread = px_thread();
    int64_t result;

    thread->futex.to = to;
    result = px_futex_sleep(va, PX_FUTEX_PI, deadline_ns);
    if (result == -PX_ERESTARTSYS)
        result = thread->futex.to ? -PX_ERESTARTNOINTR : -EAGAIN; /* not moved yet, or moved in vain */
    thread->futex.to = 0;
    return result; /* 0: it was handed the lock */
}

int64_t px_futex_wait_requeue(px_user va, uint32_t expected, unsigned operation, px_user timespec, px_user to)
{
    bool shared = px_futex_shared(va, operation), lock_is_shared = px_futex_shared(to, operation);
    uint64_t deadline_ns;
    uint32_t value;
    int64_t result = va == to || to % sizeof(uint32_t) ? -EINVAL : px_futex_deadline(timespec, operation, &deadline_ns);

    if (result == 0 && px_check_range(to, sizeof(uint32_t)) < 0)
        result = -EFAULT;
    if (result == 0)
        result = px_load_u32(va, &value);
    if (result < 0)
        return result;
    if (value != expected)
        return -EAGAIN;
    if (!shared && !lock_is_shared)
        return wait_private(va, deadline_ns, to);
    result = shared ? px_wait_word((const uint32_t *)va, expected, deadline_ns) : px_futex_sleep(va, ~0u, deadline_ns);
    if (result >= 0)
        result = lock_is_shared ? lock_shared(to, deadline_ns, true) : lock(to, deadline_ns, true);
    return result == -PX_ERESTARTSYS || result == -PX_ERESTARTNOINTR ? -EAGAIN : result;
}

/* The lock for the first waiter if nobody has it; else its word says that somebody waits. 1: he has it. */
static int64_t lock_for(struct px_thread *thread, px_user va, bool others)
{
    uint32_t value;
    int64_t result = px_load_u32(va, &value);

    if (result < 0)
        return result;
    result = -EAGAIN;
    for (unsigned tries = 0; result == -EAGAIN && tries < TRIES_MOST; tries++) {
        uint32_t owner = value & TID_MASK;

        if (owner == (uint32_t)thread->tid)
            return -EDEADLK;
        if (owner && !px_thread_find((int32_t)owner))
            return -ESRCH;
        result = px_swap_u32(va, &value, owner ? value | WAITERS : (uint32_t)thread->tid | (others ? WAITERS : 0) | (value & OWNER_DIED));
        if (result == 0)
            return !owner;
    }
    return result;
}

static int64_t move_private(px_user va, px_user to, uint32_t most)
{
    struct px_thread *thread = px_futex_first(va);
    int64_t done = 0, owns;

    if (!thread)
        return 0;
    if (thread->futex.bits != PX_FUTEX_PI || thread->futex.to != to)
        return -EINVAL;
    owns = lock_for(thread, to, most > 1 && thread->futex.next);
    if (owns < 0)
        return owns;
    if (owns) {
        px_futex_take_out(thread);
        done++;
    }
    while ((uint64_t)done < most && (thread = px_futex_first(va)) != NULL) {
        if (thread->futex.bits != PX_FUTEX_PI || thread->futex.to != to)
            return -EINVAL;
        px_futex_move(thread, to);
        done++;
    }
    return done;
}

int64_t px_futex_requeue_pi(px_user va, px_user to, uint32_t wake, uint32_t move, unsigned operation, uint32_t expected)
{
    uint64_t most = (uint64_t)wake + move;
    uint32_t value;
    int64_t result;

    if (va == to || wake != 1 || (int32_t)move < 0 || to % sizeof(uint32_t))
        return -EINVAL;
    result = px_load_u32(va, &value);
    if (result == 0 && px_check_range(to, sizeof(uint32_t)) < 0)
        result = -EFAULT;
    if (result < 0)
        return result;
    if (value != expected)
        return -EAGAIN;
    if (px_futex_shared(va, operation)) /* who is woken takes the lock, or waits for it, by himself */
        return px_futex_shared_wake(va, (uint32_t)most);
    if (px_futex_shared(to, operation))
        return px_futex_queue_wake(va, (uint32_t)most);
    return move_private(va, to, (uint32_t)most);
}
