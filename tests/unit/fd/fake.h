/*
 * The libOS around libos/posix/fd on this machine: memory at PX_SHARED that a real fork() shares, a kernel
 * that knows tallies and words, and a program whose memory is one array. A test includes this first and then
 * the .c files that it tries. A wait looks again and again, so nothing depends on time.
 */
#ifndef FD_FAKE_H
#define FD_FAKE_H

/* Instead of the processor's way into the kernel. */
#define EXO_ARCH_TRAP_H
#include <stdint.h>
int64_t fake_kernel(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);
static inline int64_t exo_trap0(uint64_t call)
{
    return fake_kernel(call, 0, 0, 0, 0, 0);
}
static inline int64_t exo_trap1(uint64_t call, uint64_t a)
{
    return fake_kernel(call, a, 0, 0, 0, 0);
}
static inline int64_t exo_trap2(uint64_t call, uint64_t a, uint64_t b)
{
    return fake_kernel(call, a, b, 0, 0, 0);
}
static inline int64_t exo_trap3(uint64_t call, uint64_t a, uint64_t b, uint64_t c)
{
    return fake_kernel(call, a, b, c, 0, 0);
}
static inline int64_t exo_trap4(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return fake_kernel(call, a, b, c, d, 0);
}
static inline int64_t exo_trap5(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    return fake_kernel(call, a, b, c, d, e);
}
static inline int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                uint64_t f)
{
    (void)f;
    return fake_kernel(call, a, b, c, d, e);
}
static inline int64_t exo_trap_message(uint64_t call, uint64_t first, uint64_t words[5], uint64_t *badge)
{
    (void)badge;
    return fake_kernel(call, first, words[0], 0, 0, 0);
}
static inline uint64_t exo_arch_cycles(void)
{
    return 1000000;
}

/* Where things lie here. */
#include "libos/posix/proto/layout.h"
#undef PX_SHARED
#undef PX_SHARED_HI
#undef PX_PROCTAB
#undef PX_PPAGE
#undef PX_INFO
#undef PX_MSG
#undef PX_META
#define PX_SHARED 0x500000000000ul
#define PX_SHARED_HI 0x500004000000ul
#define PX_PROCTAB ((unsigned long)fake_table)
#define PX_PPAGE ((unsigned long)&fake_page)
#define PX_INFO ((unsigned long)&fake_info)
#define PX_MSG ((unsigned long)fake_message)
#define PX_META ((unsigned long)fake_meta)
struct px_proc;
struct px_ppage;
struct exo_info;
extern struct px_proc *fake_table;
extern struct px_ppage fake_page;
extern struct exo_info fake_info;
extern uint8_t fake_message[4096], fake_meta[4096];

#include "libos/posix/fd/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#undef RENAME_NOREPLACE /* fs.h has them */
#undef RENAME_EXCHANGE
#undef RENAME_WHITEOUT
char *strcpy(char *restrict to, const char *restrict from);
char *strstr(const char *text, const char *part);
/* Of unistd.h and others, whose names of signals are linux.h's, too. */
int fork(void);
int wait(int *status);
int sched_yield(void);
_Noreturn void _exit(int status);

#define CHECK(condition) fake_check(condition, #condition, __LINE__)
#define EQUAL(left, right) fake_equal((int64_t)(left), (int64_t)(right), #left, __LINE__)

static inline void fake_check(int condition, const char *text, int line)
{
    if (!condition) {
        fprintf(stderr, "line %d: not so: %s\n", line, text);
        abort();
    }
}

static inline void fake_equal(int64_t left, int64_t right, const char *text, int line)
{
    if (left != right) {
        fprintf(stderr, "line %d: %s is %lld, not %lld\n", line, text, (long long)left, (long long)right);
        abort();
    }
}

/* ---- chance ---- */

static uint64_t fake_seed = 0x9e3779b97f4a7c15ull;
static inline uint32_t fake_random(uint32_t below)
{
    fake_seed ^= fake_seed << 13;
    fake_seed ^= fake_seed >> 7;
    fake_seed ^= fake_seed << 17;
    return (uint32_t)(fake_seed >> 33) % below;
}

/* ---- the process table and this process ---- */

struct px_proc *fake_table;
struct px_ppage fake_page;
struct exo_info fake_info = {
    .cpus = 1, .tsc_mult = 1ull << 32, .tsc_hz = 1000000000, .frames_total = 1000, .frames_free = 400};
uint8_t fake_message[4096], fake_meta[4096];
static struct exo_stats fake_stats;

static inline void fake_process(uint32_t index, uint32_t gen, uint32_t state)
{
    struct px_proc *process = PX_PROC(fake_table, index);

    process->state = state;
    process->gen = gen;
    process->pid = (int32_t)(100 + index);
    process->ppid = 1;
    process->pgid = process->sid = process->pid;
    process->tty = -1;
}

/* ---- the kernel ---- */

#define FAKE_SLOTS 256u
#define FAKE_TALLIES 512u

/* Shared with forked processes: how many capabilities to each tally there are. */
struct fake_shared {
    uint32_t tallies, lock;
    uint32_t *word[FAKE_TALLIES];
    uint32_t count[FAKE_TALLIES];
};
static struct fake_shared *fake_shared;
static uint32_t fake_slot[FAKE_SLOTS]; /* this process's slots: tally number + 1 */
static uint64_t fake_brk = PX_SHARED + PX_COMMON_PAGES * PX_PAGE; /* next address that px_shared_reserve gives */
static unsigned fake_wakes, fake_waits, fake_allocations;
static unsigned fake_allocations_left = ~0u;
static uint64_t fake_now = 1000000;
static bool (*fake_wait_hook)(
    void); /* called instead of looking again; false: the wait must not have happened */

static inline void fake_start(void)
{
    fake_table =
        mmap(NULL, PX_PROCTAB_PAGES * PX_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fake_shared = mmap(NULL, sizeof *fake_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(mmap((void *)PX_SHARED, PX_SHARED_HI - PX_SHARED, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0) == (void *)PX_SHARED);
    fake_page.index = 5;
    fake_process(5, 7, PX_RUNNING);
}

static inline void fake_count(uint32_t tally, int change)
{
    while (__atomic_exchange_n(&fake_shared->lock, 1, __ATOMIC_ACQUIRE))
        ;
    fake_shared->count[tally] += (uint32_t)change;
    __atomic_store_n(fake_shared->word[tally], fake_shared->count[tally], __ATOMIC_SEQ_CST);
    __atomic_store_n(&fake_shared->lock, 0, __ATOMIC_RELEASE);
}

static inline int64_t fake_insert(uint32_t tally)
{
    for (uint32_t slot = PX_SLOT_FIRST_FREE; slot < FAKE_SLOTS; slot++) {
        if (!fake_slot[slot]) {
            fake_slot[slot] = tally + 1;
            fake_count(tally, 1);
            return slot;
        }
    }
    return -EXO_E_NOSLOT;
}

static inline int64_t fake_tally(uint64_t word)
{
    uint32_t tally = __atomic_fetch_add(&fake_shared->tallies, 1, __ATOMIC_SEQ_CST);

    CHECK(tally < FAKE_TALLIES);
    fake_shared->word[tally] = (uint32_t *)word;
    return fake_insert(tally);
}

static inline int64_t fake_delete(uint64_t slot)
{
    if (slot >= FAKE_SLOTS || !fake_slot[slot])
        return -EXO_E_BADSLOT;
    fake_count(fake_slot[slot] - 1, -1);
    fake_slot[slot] = 0;
    return 0;
}

/* What env_clone_slots does, seen from the child of a real fork: its copies count, too. And what the end of
 * an environment does. */
static inline void fake_slots_inherited(void)
{
    for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++) {
        if (fake_slot[slot])
            fake_count(fake_slot[slot] - 1, 1);
    }
}

static inline void fake_environment_ends(void)
{
    for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++) {
        if (fake_slot[slot])
            (void)fake_delete(slot);
    }
}

static inline int64_t fake_look(const struct exo_predicate *predicates, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (__atomic_load_n((const uint32_t *)predicates[i].va, __ATOMIC_SEQ_CST) != predicates[i].value)
            return (int64_t)i;
    }
    return -1;
}

static inline int64_t fake_wait(const struct exo_predicate *predicates, uint64_t count, uint64_t deadline_ns)
{
    for (;;) {
        int64_t changed = fake_look(predicates, count);

        if (changed >= 0)
            return changed;
        fake_waits++;
        if (fake_wait_hook && !fake_wait_hook())
            return -EXO_E_EVENT;
        if (deadline_ns != PX_DEADLINE_NEVER && fake_look(predicates, count) < 0) {
            fake_now = deadline_ns;
            return -EXO_E_TIMEOUT;
        }
    }
}

int64_t fake_kernel(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    switch (call) {
    case EXO_CALL_WAKE:
        fake_wakes++;
        return 0;
    case EXO_CALL_WAIT:
        return fake_wait((const struct exo_predicate *)a, b, c);
    case EXO_CALL_WAIT_WORD: {
        const struct exo_predicate predicates[] = {{a, (uint32_t)b, EXO_WAIT_WORD}, {d, (uint32_t)e, EXO_WAIT_WORD}};

        return fake_wait(predicates, d ? 2 : 1, c);
    }
    case EXO_CALL_YIELD:
        return 0;
    case EXO_CALL_STATS:
        *(struct exo_stats *)a = fake_stats;
        return 0;
    case EXO_CALL_TALLY_CREATE:
        return fake_tally(a);
    case EXO_CALL_CAP_DELETE:
        return fake_delete(a);
    case EXO_CALL_CAP_DERIVE:
        return c < FAKE_SLOTS && fake_slot[c] ? fake_insert(fake_slot[c] - 1) : -EXO_E_BADSLOT;
    default:
        fprintf(stderr, "kernel call %#llx is not faked\n", (unsigned long long)call);
        abort();
    }
}

__attribute__((warn_unused_result)) int64_t exo_alloc_all(uint64_t env, uint64_t va, uint64_t pages,
                                                          uint64_t prot, uint64_t *done)
{
    (void)env, (void)va, (void)pages, (void)prot, (void)done;
    if (fake_allocations_left == 0)
        return -EXO_E_NOMEM;
    fake_allocations_left--;
    fake_allocations++;
    return 0;
}

__attribute__((warn_unused_result)) int64_t exo_unmap_all(uint64_t env, uint64_t va, uint64_t pages)
{
    (void)env;
    memset((void *)va, 0xa5, pages * PX_PAGE);
    return 0;
}

uint64_t px_shared_reserve(uint64_t pages)
{
    uint64_t va = fake_brk;

    if (pages > (PX_SHARED_HI - va) / PX_PAGE)
        return 0;
    fake_brk += pages * PX_PAGE;
    return va;
}
static unsigned fake_released;
void px_shared_release(uint64_t va, uint64_t pages)
{
    (void)va;
    fake_released += (unsigned)pages;
}

/* ---- the rest of the libOS ---- */

int64_t px_wait(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns)
{
    int64_t result = fake_wait(predicates, count, deadline_ns);

    return result == -EXO_E_TIMEOUT ? -ETIMEDOUT : result == -EXO_E_EVENT ? -PX_ERESTARTSYS : result;
}

int64_t px_wait_counted(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns, uint32_t *waiters)
{
    int64_t result;

    __atomic_fetch_add(waiters, 1, __ATOMIC_SEQ_CST);
    result = px_wait(predicates, count, deadline_ns);
    __atomic_fetch_sub(waiters, 1, __ATOMIC_SEQ_CST);
    return result;
}
int64_t px_wait_word(const uint32_t *word, uint32_t value, uint64_t deadline_ns)
{
    const struct exo_predicate predicate = {.va = (uint64_t)word, .value = value, .kind = EXO_WAIT_WORD};

    return px_wait(&predicate, 1, deadline_ns);
}

void *px_alloc(size_t bytes)
{
    return malloc(bytes);
}
void px_free(void *block)
{
    free(block);
}

void px_timer_cpu_limit(uint64_t soft_s, uint64_t hard_s)
{
    (void)soft_s, (void)hard_s;
}

static int fake_raised;
void px_raise(int signo)
{
    fake_raised = signo;
}

#ifndef FAKE_TIME
uint64_t px_now_ns(void)
{
    return fake_now;
}
uint64_t px_real_ns(void)
{
    return fake_now + 1700000000ull * PX_SECOND;
}
#endif

/* The program's memory: from fake_user on, fake_user_bytes long; everything else is not mapped. */
static uint8_t fake_user[1 << 20];
static size_t fake_user_bytes = sizeof fake_user;
#define USER(offset) ((px_user)(uint64_t)(fake_user + (offset)))

static inline size_t fake_readable(px_user va, size_t bytes)
{
    uint64_t lo = (uint64_t)fake_user, hi = lo + fake_user_bytes;

    if (va < lo || va >= hi)
        return 0;
    return bytes < hi - va ? bytes : hi - va;
}
size_t px_copy_in_part(void *to, px_user from, size_t bytes)
{
    size_t n = fake_readable(from, bytes);

    if (n)
        memcpy(to, (const void *)from, n);
    return n;
}
size_t px_copy_out_part(px_user to, const void *from, size_t bytes)
{
    size_t n = fake_readable(to, bytes);

    if (n)
        memcpy((void *)to, from, n);
    return n;
}
int64_t px_copy_in(void *to, px_user from, size_t bytes)
{
    return px_copy_in_part(to, from, bytes) == bytes ? 0 : -EFAULT;
}
int64_t px_copy_out(px_user to, const void *from, size_t bytes)
{
    return px_copy_out_part(to, from, bytes) == bytes ? 0 : -EFAULT;
}
int64_t px_copy_string(char *to, px_user from, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        if (px_copy_in(&to[i], from + i, 1) != 0)
            return -EFAULT;
        if (!to[i])
            return (int64_t)i;
    }
    return -ENAMETOOLONG;
}

/* One thread: nobody else uses what it closes. */
#include "entry/thread.h"
struct px_threads px_threads = {.live = 1, .made = 1};
struct px_thread *px_thread_number(unsigned number)
{
    static struct px_thread thread;

    thread.tid = px_self()->pid;
    thread.live = true;
    return number ? NULL : &thread;
}
struct px_thread *px_thread_find(int32_t tid)
{
    return tid == px_self()->pid ? px_thread_number(0) : NULL;
}
int64_t px_sys_gettid(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return px_self()->pid;
}
struct px_poll_item;
bool px_hold_left(struct px_ofd *ofd);
struct px_ofd *px_hold_next(unsigned at);
void px_hold_forked(void);
void px_hold_items(const struct px_poll_item *items, unsigned count);
bool px_hold_left(struct px_ofd *ofd)
{
    (void)ofd;
    return false;
}
struct px_ofd *px_hold_next(unsigned at)
{
    (void)at;
    return NULL;
}
void px_hold_forked(void)
{
}
void px_epoll_forked(void);
void px_epoll_forked(void)
{
}
void px_bells_forked(void);
void px_bells_forked(void)
{
}
void px_epoll_exit(void);
void px_epoll_exit(void)
{
}
void px_hold_items(const struct px_poll_item *items, unsigned count)
{
    (void)items, (void)count;
}
void px_futex_forked(void)
{
}

/* Owners of descriptions (owner.h): nobody has one, and who is told is counted. */
#include "libos/posix/fd/owner.h"
unsigned px_owners;
#ifdef FAKE_PERSONALITY
uint32_t px_personality = FAKE_PERSONALITY;
#else
uint32_t px_personality;
#endif
__attribute__((unused)) static unsigned fake_told[PX_TELL_URGENT + 1];
__attribute__((unused)) static uint64_t fake_good_cookie;
void px_owner_forget(struct px_ofd *ofd)
{
    (void)ofd;
}
bool px_owner_tell(uint64_t *cookie, enum px_tell why)
{
    if (!*cookie || *cookie == fake_good_cookie) {
        fake_told[why] += *cookie != 0;
        return true;
    }
    *cookie = 0;
    return false;
}

#endif
