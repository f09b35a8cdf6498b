/*
 * What a thread leaves behind: the word with its id, which who joins it sleeps on, and its robust futexes, whose next owners must learn that it died. The
 * list of these is the program's: each address in it is checked, and its length bounded as Linux bounds it.
 */
#include "entry.h"
#include "px_calls.h"

#define LIST_MOST 2048u
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu
#define ENTRY_PI 1ul

struct robust_head {
    px_user first;
    int64_t offset; /* from an entry to its futex */
    px_user pending; /* being locked or unlocked just now */
};
#define ROBUST_HEAD_BYTES sizeof(struct robust_head)

int64_t px_sys_gettid(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return px_thread()->tid;
}

int64_t px_sys_set_tid_address(uint64_t address, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)b, (void)c, (void)d, (void)e, (void)f;
    px_thread()->clear_tid = address;
    return px_thread()->tid;
}

int64_t px_sys_set_robust_list(uint64_t head, uint64_t bytes, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)c, (void)d, (void)e, (void)f;
    if (bytes != ROBUST_HEAD_BYTES)
        return -EINVAL;
    px_thread()->robust_list = head;
    return 0;
}

int64_t px_sys_get_robust_list(uint64_t tid, uint64_t head, uint64_t bytes, uint64_t d, uint64_t e, uint64_t f)
{
    const struct px_thread *thread = tid ? px_thread_find((int32_t)tid) : px_thread();
    const uint64_t length = ROBUST_HEAD_BYTES;

    (void)d, (void)e, (void)f;
    if (!thread) /* another process's is nobody's to see */
        return px_process_find((int32_t)tid) ? -EPERM : -ESRCH;
    return px_copy_out(bytes, &length, sizeof(length)) < 0 ? -EFAULT : px_copy_out(head, &thread->robust_list, sizeof(thread->robust_list));
}

/* The futex is marked if the thread owns it, and one of those who wait for it is woken. */
static void mark_dead(const struct px_thread *thread, px_user futex, bool pi, bool pending)
{
    uint32_t value;

    if (futex % sizeof(value) || px_load_u32(futex, &value) < 0)
        return;
    if (pending && !pi && value == 0) { /* it was unlocked, and then its waiters were not woken any more */
        (void)!px_futex_wake(futex, 1);
        return;
    }
    for (unsigned tries = 0; (value & FUTEX_TID_MASK) == (uint32_t)thread->tid && tries < LIST_MOST; tries++) {
        int64_t status = px_swap_u32(futex, &value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);

        if (status == -EAGAIN)
            continue;
        if (status == 0 && value & FUTEX_WAITERS && pi)
            px_futex_owner_died(futex);
        else if (status == 0 && value & FUTEX_WAITERS)
            (void)!px_futex_wake(futex, 1);
        return;
    }
}

static void walk(const struct px_thread *thread)
{
    struct robust_head head;
    px_user entry, next;

    if (!thread->robust_list || px_copy_in(&head, thread->robust_list, sizeof(head)) < 0)
        return;
    entry = head.first;
    for (unsigned count = 0; (entry & ~ENTRY_PI) != thread->robust_list && count < LIST_MOST; count++) {
        bool more = px_copy_in(&next, entry & ~ENTRY_PI, sizeof(next)) == 0; /* before whoever is woken changes it */

        if (entry != head.pending)
            mark_dead(thread, (entry & ~ENTRY_PI) + (uint64_t)head.offset, entry & ENTRY_PI, false);
        if (!more)
            break;
        entry = next;
    }
    if (head.pending)
        mark_dead(thread, (head.pending & ~ENTRY_PI) + (uint64_t)head.offset, head.pending & ENTRY_PI, true);
}

void px_thread_release(struct px_thread *thread)
{
    const uint32_t nobody = 0;

    walk(thread);
    thread->robust_list = 0;
    if (thread->clear_tid && px_threads.live > 1 && px_copy_out(thread->clear_tid, &nobody, sizeof(nobody)) == 0)
        (void)!px_futex_wake(thread->clear_tid, 1);
    thread->clear_tid = 0;
}

void px_threads_release(void)
{
    for (unsigned number = 0; number < px_threads.made; number++) {
        struct px_thread *thread = px_thread_number(number);

        if (thread->live && thread->robust_list)
            px_thread_release(thread);
    }
}
