/*
 * futex. Threads of this process that wait on a word of memory that is its alone stand in a queue here, by address, and each sleeps on a word of its own:
 * a page that is copied on write may get another frame while they sleep. Words of shared mappings are slept on as they are: the kernel
 * names them by frame, so other processes find their sleepers. A FUTEX_PRIVATE one is always of the first kind.
 */
#include "futex.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_TRYLOCK_PI 8
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI 12
#define FUTEX_LOCK_PI2 13
#define ALL_BITS 0xffffffffu
#define SWAPS_MOST 65536u /* of a word that other threads keep changing */

#define QUEUES 32u

static struct { struct px_thread *first, *last; } queues[QUEUES];

void px_futex_forked(void)
{
    memset(queues, 0, sizeof queues);
    px_futex_vectors = NULL;
}

static unsigned queue_of(px_user va)
{
    return (unsigned)(va >> 2 ^ va >> 8 ^ va >> 14) % QUEUES;
}

static void enqueue(struct px_thread *thread, px_user va)
{
    unsigned at = queue_of(va);

    thread->futex.va = va;
    thread->futex.next = NULL;
    if (queues[at].last)
        queues[at].last->futex.next = thread;
    else
        queues[at].first = thread;
    queues[at].last = thread;
}

/* Takes the thread after `before` (NULL: the first one) out of the queue. */
static void dequeue_after(unsigned at, struct px_thread *before)
{
    struct px_thread **link = before ? &before->futex.next : &queues[at].first, *thread = *link;

    *link = thread->futex.next;
    if (queues[at].last == thread)
        queues[at].last = before;
    thread->futex.va = 0;
}

static void dequeue(struct px_thread *thread)
{
    unsigned at = queue_of(thread->futex.va);
    struct px_thread *before = NULL;

    for (struct px_thread *each = queues[at].first; each && each != thread; each = each->futex.next)
        before = each;
    dequeue_after(at, before);
}

static void wake_thread(struct px_thread *thread)
{
    __atomic_store_n(&thread->wake, 1, __ATOMIC_SEQ_CST);
    (void)!exo_wake(&thread->wake, 1);
}

/* Wakes up to `wake` of those who wait here, and lets up to `move` others wait on another word: how many in all. */
static int64_t queue_wake(px_user va, uint32_t wake, uint32_t bits, uint32_t move, px_user to)
{
    unsigned at = queue_of(va);
    struct px_thread *before = NULL, *thread = queues[at].first, *next;
    struct px_thread *last = queues[at].last; /* those that are moved into the same queue are not met again */
    int64_t done = 0;

    for (bool more = true; thread && more && (wake || move); thread = next) {
        next = thread->futex.next;
        more = thread != last;
        if (thread->futex.va != va || !(thread->futex.bits & bits)) {
            if (thread->futex.va == va && px_futex_will_lock(thread))
                return -EINVAL; /* waits for another kind of wake */
            before = thread;
            continue;
        }
        dequeue_after(at, before);
        if (wake) {
            wake--;
            wake_thread(thread);
        } else {
            move--;
            enqueue(thread, to);
        }
        done++;
    }
    return wake && __builtin_expect(px_futex_vectors != NULL, false) ? done + px_futex_vector_wake(va, wake) : done;
}

int64_t px_futex_queue_wake(px_user va, uint32_t wake)
{
    return queue_wake(va, wake, ALL_BITS, 0, 0);
}

struct px_thread *px_futex_first(px_user va)
{
    struct px_thread *each = queues[queue_of(va)].first;

    while (each && each->futex.va != va)
        each = each->futex.next;
    return each;
}

void px_futex_move(struct px_thread *thread, px_user to)
{
    dequeue(thread);
    thread->futex.to = 0;
    enqueue(thread, to);
}

struct px_thread *px_futex_heir(px_user va, bool *more)
{
    struct px_thread *heir = NULL;

    *more = false;
    for (struct px_thread *each = queues[queue_of(va)].first; each; each = each->futex.next) {
        if (each->futex.va != va || each->futex.bits != PX_FUTEX_PI || px_futex_will_lock(each))
            continue;
        *more = heir != NULL;
        if (heir)
            break;
        heir = each;
    }
    return heir;
}

void px_futex_take_out(struct px_thread *thread)
{
    dequeue(thread);
    wake_thread(thread);
}

/* ---- words that other processes may share ---- */

bool px_futex_shared(px_user va, unsigned operation)
{
    return !(operation & PX_FUTEX_PRIVATE) && px_memory_shared(va);
}

int64_t px_futex_shared_wake(px_user va, uint32_t most)
{
    uint32_t value;
    int64_t result = px_load_u32(va, &value), woken = 0, now = 0;

    if (result < 0)
        return result;
    do {
        now = exo_wake((const void *)va, most - (uint64_t)woken);
        woken += now > 0 ? now : 0;
    } while (now == EXO_WAKE_MOST && (uint64_t)woken < most);
    return woken;
}

/* ---- the operations ---- */

int64_t px_futex_deadline(px_user timespec, unsigned operation, uint64_t *deadline_ns)
{
    bool absolute = (operation & PX_FUTEX_COMMAND) != FUTEX_WAIT;
    uint64_t ns, now;
    int64_t result;

    *deadline_ns = PX_DEADLINE_NEVER;
    if (!timespec)
        return 0;
    result = px_read_timespec(timespec, &ns);
    if (result < 0)
        return result;
    now = !absolute ? 0 : operation & PX_FUTEX_CLOCK_REALTIME ? px_real_ns() : px_now_ns();
    *deadline_ns = ns > now ? px_slacked(px_deadline_after(ns - now)) : EXO_DEADLINE_NOW;
    return 0;
}

int64_t px_futex_sleep(px_user va, uint32_t bits, uint64_t deadline_ns)
{
    struct px_thread *thread = px_thread();
    int64_t result;

    thread->wake = 0;
    thread->futex.bits = bits;
    enqueue(thread, va);
    result = px_wait_word(&thread->wake, 0, deadline_ns);
    if (thread->wake)
        return 0; /* and taken out, whatever else has happened */
    dequeue(thread);
    return result;
}

static int64_t futex_wait(px_user va, uint32_t expected, unsigned operation, px_user timespec, uint32_t bits)
{
    uint64_t deadline_ns;
    uint32_t value;
    int64_t result = bits ? px_futex_deadline(timespec, operation, &deadline_ns) : -EINVAL;

    if (result == 0)
        result = px_load_u32(va, &value);
    if (result < 0)
        return result;
    if (value != expected)
        return -EAGAIN;
    result = px_futex_shared(va, operation) ? px_wait_word((const uint32_t *)va, expected, deadline_ns) : px_futex_sleep(va, bits, deadline_ns);
    if (result >= 0)
        return 0;
    return result == -PX_ERESTARTSYS && timespec ? -PX_ERESTARTNOHAND : result;
}

/* Sleepers on shared words have no bits: all must look. */
static int64_t futex_wake(px_user va, uint32_t most, unsigned operation, uint32_t bits)
{
    if (px_check_range(va, sizeof(uint32_t)) < 0)
        return -EFAULT;
    if ((int32_t)most <= 0)
        most = 1; /* as on Linux */
    if (px_futex_shared(va, operation))
        return px_futex_shared_wake(va, bits == ALL_BITS ? most : ALL_BITS);
    return queue_wake(va, most, bits, 0, 0);
}

int64_t px_futex_wake(px_user va, uint32_t most)
{
    return futex_wake(va, most, FUTEX_WAKE, ALL_BITS);
}

/* Sleepers on shared words cannot be moved: they wake and contend again, which is what requeueing saves, not what it means. */
static int64_t futex_requeue(px_user va, px_user to, uint32_t wake, uint32_t move, unsigned operation, const uint32_t *expected)
{
    uint32_t value;
    int64_t result = px_load_u32(va, &value);

    if ((int32_t)wake < 0 || (int32_t)move < 0 || to % sizeof(uint32_t))
        return -EINVAL;
    if (result == 0 && px_check_range(to, sizeof(uint32_t)) < 0)
        result = -EFAULT;
    if (result < 0)
        return result;
    if (expected && value != *expected)
        return -EAGAIN;
    if (px_futex_shared(va, operation) || px_futex_shared(to, operation))
        return px_futex_shared(va, operation) ? px_futex_shared_wake(va, wake + move) : queue_wake(va, wake + move, ALL_BITS, 0, 0);
    return queue_wake(va, wake, ALL_BITS, move, to);
}

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

static int64_t compute(unsigned op, uint32_t before, uint32_t argument, uint32_t *after)
{
    switch (op) {
    case OP_SET: *after = argument; return 0;
    case OP_ADD: *after = before + argument; return 0;
    case OP_OR: *after = before | argument; return 0;
    case OP_ANDN: *after = before & ~argument; return 0;
    case OP_XOR: *after = before ^ argument; return 0;
    default: return -ENOSYS;
    }
}

static int64_t compare(unsigned cmp, int32_t value, int32_t argument)
{
    switch (cmp) {
    case CMP_EQ: return value == argument;
    case CMP_NE: return value != argument;
    case CMP_LT: return value < argument;
    case CMP_LE: return value <= argument;
    case CMP_GT: return value > argument;
    case CMP_GE: return value >= argument;
    default: return -ENOSYS;
    }
}

static int32_t signed_12(uint32_t bits)
{
    return (int32_t)(bits << 20) >> 20;
}

/* Changes the second word as `code` says, wakes on the first, and on the second if it was so before. */
static int64_t futex_wake_op(px_user va, px_user other, uint32_t wake, uint32_t wake_other, unsigned operation, uint32_t code)
{
    uint32_t argument = (uint32_t)signed_12(code >> 12 & 0xfff), value = 0, next;
    int64_t result, also, holds;

    if (other % sizeof(uint32_t))
        return -EINVAL;
    if (code >> 31) {
        if (argument > 31)
            return -EINVAL;
        argument = 1u << argument;
    }
    if (px_check_range(va, sizeof(value)) < 0 || px_load_u32(other, &value) < 0)
        return -EFAULT;
    result = -EAGAIN;
    for (unsigned tries = 0; result == -EAGAIN && tries < SWAPS_MOST; tries++) {
        result = compute(code >> 28 & 7, value, argument, &next);
        if (result == 0)
            result = px_swap_u32(other, &value, next);
    }
    if (result < 0)
        return result;
    holds = compare(code >> 24 & 15, (int32_t)value, signed_12(code & 0xfff));
    if (holds < 0)
        return holds;
    result = futex_wake(va, wake, operation, ALL_BITS);
    also = holds && result >= 0 ? futex_wake(other, wake_other, operation, ALL_BITS) : 0;
    return result < 0 ? result : also < 0 ? also : result + also;
}

#define REAL_CLOCK_COMMANDS (1ull << FUTEX_WAIT_BITSET | 1ull << 11 /* WAIT_REQUEUE_PI */ | 1ull << FUTEX_LOCK_PI2)

static __attribute__((noinline)) int64_t any_operation(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    unsigned operation = (unsigned)b;
    uint32_t expected = (uint32_t)f;

    if (a % sizeof(uint32_t))
        return -EINVAL;
    if (operation & PX_FUTEX_CLOCK_REALTIME && !(1ull << (operation & PX_FUTEX_COMMAND & 63) & REAL_CLOCK_COMMANDS))
        return -ENOSYS;
    switch (operation & PX_FUTEX_COMMAND) {
    case FUTEX_WAIT:
        return futex_wait(a, (uint32_t)c, operation, d, ALL_BITS);
    case FUTEX_WAIT_BITSET:
        return futex_wait(a, (uint32_t)c, operation, d, (uint32_t)f);
    case FUTEX_WAKE:
        return futex_wake(a, (uint32_t)c, operation, ALL_BITS);
    case FUTEX_WAKE_BITSET:
        return (uint32_t)f ? futex_wake(a, (uint32_t)c, operation, (uint32_t)f) : -EINVAL;
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(a, e, (uint32_t)c, (uint32_t)d, operation, &expected);
    case FUTEX_REQUEUE:
        return futex_requeue(a, e, (uint32_t)c, (uint32_t)d, operation, NULL);
    case FUTEX_WAKE_OP:
        return futex_wake_op(a, e, (uint32_t)c, (uint32_t)d, operation, (uint32_t)f);
    case FUTEX_WAIT_REQUEUE_PI:
        return px_futex_wait_requeue(a, (uint32_t)c, operation, d, e);
    case FUTEX_CMP_REQUEUE_PI:
        return px_futex_requeue_pi(a, e, (uint32_t)c, (uint32_t)d, operation, expected);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI:
    case FUTEX_UNLOCK_PI:
        return px_futex_pi(a, operation, d);
    default:
        return -ENOSYS;
    }
}

/* What a lock of a C library asks for comes first. */
PX_SYS(futex)
{
    bool plain = a % sizeof(uint32_t) == 0 && a >= PX_PROG_LO && a < PX_PROG_HI;
    uint32_t value;

    if (b == (FUTEX_WAKE | PX_FUTEX_PRIVATE) && plain && (int32_t)c > 0)
        return queue_wake(a, (uint32_t)c, ALL_BITS, 0, 0);
    if (b != (FUTEX_WAIT | PX_FUTEX_PRIVATE) || !plain || d)
        return any_operation(a, b, c, d, e, f);
    if (px_load_u32(a, &value) < 0)
        return -EFAULT;
    return value == (uint32_t)c ? px_futex_sleep(a, ALL_BITS, PX_DEADLINE_NEVER) : -EAGAIN;
}
