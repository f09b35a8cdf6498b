/*
 * futex_waitv: a wait on several words at once. Who waits stands in a list of its own, where wakes of words that are this process's alone find him; words of
 * shared mappings are slept on as they are.
 */
#include "futex.h"

#define WORDS_MOST 128u
#define SIZE_U32 2u
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define SLICE_NS 10000000u /* to look at words for which the kernel has no room in one wait */

struct word { /* struct futex_waitv */
    uint64_t value;
    px_user va;
    uint32_t flags, reserved;
};

struct px_futex_vector {
    struct px_thread *thread;
    const struct word *word;
    unsigned count;
    int woken; /* which word; -1: none yet */
    struct px_futex_vector *next;
};
struct px_futex_vector *px_futex_vectors;

uint32_t px_futex_vector_wake(px_user va, uint32_t most)
{
    uint32_t woken = 0;

    for (struct px_futex_vector *each = px_futex_vectors; each && woken < most; each = each->next)
        for (unsigned i = 0; i < each->count && each->woken < 0; i++)
            if (each->word[i].va == va && !px_futex_shared(va, each->word[i].flags)) {
                each->woken = (int)i;
                __atomic_store_n(&each->thread->wake, 1, __ATOMIC_SEQ_CST);
                (void)!exo_wake(&each->thread->wake, 1);
                woken++;
            }
    return woken;
}

static void add(struct px_futex_vector *vector)
{
    struct px_futex_vector **link = &px_futex_vectors;

    while (*link)
        link = &(*link)->next;
    *link = vector;
}

static void leave(const struct px_futex_vector *vector)
{
    struct px_futex_vector **link = &px_futex_vectors;

    while (*link && *link != vector)
        link = &(*link)->next;
    if (*link)
        *link = vector->next;
}

static int64_t check(const struct word *word, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (word[i].flags & ~(SIZE_U32 | PX_FUTEX_PRIVATE) || word[i].reserved || !(word[i].flags & SIZE_U32) || word[i].va % sizeof(uint32_t))
            return -EINVAL;
    return 0;
}

/* Which word is no longer what was said, -EFAULT, or -ENOENT: none. */
static int64_t changed(const struct word *word, unsigned count, bool shared_only)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t value;

        if (shared_only && !px_futex_shared(word[i].va, word[i].flags))
            continue;
        if (px_load_u32(word[i].va, &value) < 0)
            return -EFAULT;
        if (value != (uint32_t)word[i].value)
            return (int64_t)i;
    }
    return -ENOENT;
}

static int64_t sleep_once(const struct px_futex_vector *vector, uint64_t deadline_ns)
{
    struct exo_predicate same[EXO_WAIT_MAX] = {{.va = (uint64_t)&vector->thread->wake, .value = 0, .kind = EXO_WAIT_WORD}};
    uint8_t place[EXO_WAIT_MAX];
    unsigned used = 1;
    bool all = true;
    uint64_t until = deadline_ns;
    int64_t result;

    for (unsigned i = 0; i < vector->count; i++) {
        const struct word *word = &vector->word[i];

        if (!px_futex_shared(word->va, word->flags))
            continue;
        if (used == EXO_WAIT_MAX) {
            all = false;
            break;
        }
        place[used] = (uint8_t)i;
        same[used++] = (struct exo_predicate){.va = word->va, .value = (uint32_t)word->value, .kind = EXO_WAIT_WORD};
    }
    if (!all && px_now_ns() + SLICE_NS < until)
        until = px_now_ns() + SLICE_NS;
    result = px_wait(same, used, until);
    if (vector->woken >= 0)
        return vector->woken;
    if (result == -ETIMEDOUT && until != deadline_ns)
        return -ENOENT;
    return result > 0 && result < (int64_t)used ? place[result] : result == 0 ? -ENOENT : result;
}

static int64_t wait_for(const struct word *word, unsigned count, uint64_t deadline_ns)
{
    struct px_futex_vector vector = {.thread = px_thread(), .word = word, .count = count, .woken = -1};
    int64_t result = changed(word, count, false);

    if (result != -ENOENT)
        return result < 0 ? result : -EAGAIN;
    vector.thread->wake = 0;
    add(&vector);
    do {
        result = sleep_once(&vector, deadline_ns);
        if (result == -ENOENT)
            result = changed(word, count, true);
    } while (result == -ENOENT);
    leave(&vector);
    return result;
}

static int64_t read_deadline(px_user timespec, int clock, uint64_t *deadline_ns)
{
    uint64_t ns, now;
    int64_t result;

    *deadline_ns = PX_DEADLINE_NEVER;
    if (!timespec)
        return 0;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return -EINVAL;
    result = px_read_timespec(timespec, &ns);
    now = clock == CLOCK_REALTIME ? px_real_ns() : px_now_ns();
    if (result == 0)
        *deadline_ns = ns > now ? px_slacked(px_deadline_after(ns - now)) : EXO_DEADLINE_NOW;
    return result;
}

PX_SYS(futex_waitv)
{
    unsigned count = (unsigned)b;
    uint64_t deadline_ns;
    struct word *word;
    int64_t result;

    if ((uint32_t)c || !count || count > WORDS_MOST || !a)
        return -EINVAL;
    result = read_deadline(d, (int)e, &deadline_ns);
    if (result < 0)
        return result;
    word = px_alloc(count * sizeof *word);
    if (!word)
        return -ENOMEM;
    result = px_copy_in(word, a, count * sizeof *word) != 0 ? -EFAULT : check(word, count);
    if (result == 0)
        result = wait_for(word, count, deadline_ns);
    px_free(word);
    return result;
}
