/*
 * Making and ending threads. A thread is a context with a stack for the libOS. One that has ended keeps both and sleeps until a new one is wanted: to
 * begin again costs no memory to clear and no context to make. The first thread's context stays even when that thread has ended, because events for the
 * process come to it.
 */
#include "px_arch.h"
#include "timer.h"
#include "trace.h"

#define TURNS 4095u /* tid: turn, index in the process table, number, so that no two of the machine are alike */
#define STACK_LO(base) ((base) + PX_THREAD_BYTES - (PX_THREAD_STACK_PAGES + 1) * PX_PAGE)
#define PAGE_OF(base) ((base) + PX_THREAD_BYTES - PX_PAGE)
#define REGS_ROOM 192u
#define RIGHTS (EXO_RIGHT_START | EXO_RIGHT_EVENT | EXO_RIGHT_STATE)

struct px_threads px_threads = {.live = 1, .made = 1};

static uint64_t base_of(unsigned number)
{
    return PX_THREADS + (uint64_t)number * PX_THREAD_BYTES;
}

struct px_thread *px_thread_number(unsigned number)
{
    uint64_t page = number ? PAGE_OF(base_of(number)) : PX_UPAGE;

    return number < px_threads.made ? (struct px_thread *)((struct exo_upage *)page)->rest : NULL;
}

static int32_t tid_of(const struct px_thread *thread)
{
    return (int32_t)((uint32_t)thread->turn << 18 | (uint32_t)px_ppage()->index << 9 | thread->number);
}

struct px_thread *px_thread_find(int32_t tid)
{
    struct px_thread *thread = px_thread_number(tid == px_self()->pid ? 0 : (uint32_t)tid & (PX_THREADS_MAX - 1));

    return thread && thread->live && thread->tid == tid ? thread : NULL;
}

static uint64_t context_ns(const struct px_thread *thread)
{
    int64_t ns = exo_ctx_time(thread->context);

    return ns < 0 ? 0 : (uint64_t)ns;
}

uint64_t px_thread_cpu_ns(const struct px_thread *thread)
{
    return context_ns(thread) - thread->ran_before_ns;
}

struct px_thread *px_thread_of_clock(int clock)
{
    int32_t tid = ~(clock >> 3);

    if (clock == CLOCK_THREAD_CPUTIME_ID || (clock < 0 && PX_CLOCK_IS_THREADS(clock) && tid == 0))
        return px_thread();
    return clock < 0 && PX_CLOCK_IS_THREADS(clock) ? px_thread_find(tid) : NULL;
}

bool px_tid_lives(int32_t tid)
{
    unsigned index = (uint32_t)tid >> 9 & (PX_PROCS_MAX - 1);
    const struct px_proc *process = tid >> 18 ? PX_PROC(PX_PROCTAB, index) : px_process_find(tid);

    if (process == px_self())
        return px_thread_find(tid) != NULL;
    return process && (process->state == PX_RUNNING || process->state == PX_STOPPED);
}

void px_thread_start(const struct px_thread_kept *kept)
{
    struct px_thread *thread = px_thread();

    thread->regs = &px_first_regs;
    thread->tid = px_self()->pid;
    thread->live = true;
    thread->context = PX_SLOT_CTX;
    thread->kept.altstack.flags = SS_DISABLE;
    if (kept)
        thread->kept = *kept;
    px_threads = (struct px_threads){.live = 1, .made = 1};
    px_entry_slow &= ~PX_SLOW_THREADS;
}

void px_thread_poke(const struct px_thread *thread, uint32_t bits)
{
    (void)!exo_ctx_post(thread->context, bits);
}

static void poke_others(void)
{
    for (unsigned number = 0; number < px_threads.made; number++) {
        const struct px_thread *thread = px_thread_number(number);

        if (thread->live && thread != px_thread())
            px_thread_poke(thread, PX_EVENT_THREAD);
    }
}

/* ---- making ---- */

/* A forked child must not have it: not to be copied. */
static int64_t make_context(uint64_t page, const struct exo_ctx_state *state)
{
    int64_t made = exo_ctx_create(PX_SLOT_SELF, page, state), handle;

    if (made < 0)
        return made;
    handle = exo_cap_copy(PX_SLOT_SELF, 0, (uint64_t)made, RIGHTS, 0);
    if (handle < 0) /* the context stays until the process ends: it is only not used */
        return handle;
    return exo_cap_delete((uint64_t)made) < 0 ? -EXO_E_STALE : handle;
}

/* A thread that there has never been before, stopped. */
static struct px_thread *new_thread(uint64_t tls)
{
    unsigned number = px_threads.made;
    uint64_t base = base_of(number), stack = STACK_LO(base);
    struct exo_regs *regs = (struct exo_regs *)(PAGE_OF(base) - REGS_ROOM);
    struct exo_ctx_state state;
    struct px_thread *thread;
    int64_t handle;

    if (number >= PX_THREADS_MAX)
        return NULL;
    handle = exo_alloc_all(PX_SLOT_SELF, stack, PX_THREAD_STACK_PAGES, EXO_PROT_READ | EXO_PROT_WRITE, NULL);
    px_arch_thread_state(&state, regs, tls);
    if (handle == 0)
        handle = make_context(PAGE_OF(base), &state);
    if (handle < 0) {
        (void)!exo_unmap_all(PX_SLOT_SELF, stack, PX_THREAD_STACK_PAGES);
        return NULL;
    }
    px_threads.made++;
    thread = px_thread_number(number);
    thread->regs = regs;
    thread->number = (uint16_t)number;
    thread->context = (uint64_t)handle;
    px_thread_page(thread)->masked = 1;
    return thread;
}

/* Where a thread that begins again finds its FPU registers: at the far end of its stack, and the first one in libOS data. */
static void *fpu_of(const struct px_thread *thread)
{
    return thread->number ? (void *)STACK_LO(base_of(thread->number)) : NULL;
}

static struct px_thread *take_thread(uint64_t tls)
{
    struct px_thread *thread = px_threads.parked;

    if (!thread)
        return new_thread(tls);
    px_threads.parked = thread->parked;
    thread->used = true;
    thread->ran_before_ns = context_ns(thread);
    px_arch_fpu_keep(fpu_of(thread));
    return thread;
}

/* From now on the lock is needed: this thread has it. */
static void become_many(struct px_thread *thread)
{
    if (px_threads.many)
        return;
    px_threads.many = true;
    px_entry_slow |= PX_SLOW_THREADS;
    px_lock();
    thread->exit_work |= PX_WORK_LOCK;
}

void px_thread_alone(void)
{
    px_threads.many = false;
    px_entry_slow &= ~PX_SLOW_THREADS;
}

static int64_t set_going(struct px_thread *thread)
{
    if (!thread->used)
        return exo_ctx_start(thread->context);
    __atomic_store_n(&thread->wake, 1, __ATOMIC_SEQ_CST);
    return exo_wake(&thread->wake, 1);
}

int64_t px_thread_make(uint64_t flags, uint64_t stack, px_user parent_tid, px_user child_tid, uint64_t tls)
{
    struct px_thread *self = px_thread(), *thread;
    int32_t tid;

    if (!(flags & CLONE_SETTLS))
        tls = px_arch_tls();
    thread = take_thread(tls);
    if (!thread)
        return -EAGAIN;
    if (px_threads.live == 1)
        self->ids = px_process_ids();
    thread->ids = self->ids;
    become_many(self);
    thread->turn = (uint16_t)(thread->turn < TURNS ? thread->turn + 1 : 1);
    thread->tid = tid = tid_of(thread);
    thread->kept = (struct px_thread_kept){.blocked = self->kept.blocked, .altstack.flags = SS_DISABLE, .tls = tls};
    thread->exit_work = 0;
    memcpy(thread->name, self->number ? self->name : px_self()->comm, sizeof(thread->name));
    thread->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : 0;
    thread->robust_list = 0;
    thread->live = true;
    thread->stop_passed = false;
    px_threads.live++;
    px_ppage()->more_threads = px_threads.live - 1;
    if (px_trace_wants(PTRACE_O_TRACECLONE))
        px_trace_thread(thread);
    *thread->regs = *self->regs;
    px_arch_set_result(thread->regs, 0);
    if (stack)
        px_arch_set_stack(thread->regs, stack);
    if (flags & CLONE_PARENT_SETTID)
        (void)!px_copy_out(parent_tid, &tid, sizeof(tid)); /* Linux takes no notice of a bad address either */
    if (flags & CLONE_CHILD_SETTID)
        (void)!px_copy_out(child_tid, &tid, sizeof(tid));
    if (set_going(thread) < 0)
        px_log("exo: a thread does not start\n");
    return tid;
}

struct px_thread *px_thread_make_helper(void)
{
    struct px_thread *thread = new_thread(px_arch_tls());

    if (!thread)
        return NULL;
    thread->helper = true;
    return exo_ctx_start(thread->context) < 0 ? NULL : thread;
}

void px_thread_begin(struct exo_regs *regs)
{
    struct px_thread *thread = px_thread();

    if (thread->helper)
        px_step_serve();

    if (thread->used) {
        px_arch_fpu_give(fpu_of(thread));
        px_arch_set_tls(thread->kept.tls);
    }
    px_leave_again(regs);
}

/* ---- ending ---- */

/* Sleeps until it is wanted again: another thread, of this number, begins. */
static _Noreturn void park(struct px_thread *thread)
{
    thread->wake = 0;
    thread->parked = px_threads.parked;
    px_threads.parked = thread;
    px_unlock();
    while (__atomic_load_n(&thread->wake, __ATOMIC_SEQ_CST) == 0) {
        const struct exo_predicate unwanted = {(uint64_t)&thread->wake, 0, EXO_WAIT_WORD};

        if (exo_wait(&unwanted, 1, EXO_DEADLINE_NEVER) == -EXO_E_EVENT) /* meant for the process, as a timer's */
            (void)!exo_ctx_post(PX_SLOT_CTX, __atomic_exchange_n(&px_upage()->pending, 0, __ATOMIC_SEQ_CST));
    }
    px_thread_entry();
}

/* The first thread has ended, others go on: it only takes the process's events, until one of them has executed a program. */
static _Noreturn void keep(struct px_thread *thread)
{
    thread->wake = 0;
    while (!thread->live) {
        const struct exo_predicate unwanted = {(uint64_t)&thread->wake, 0, EXO_WAIT_WORD};

        if (!px_take_events())
            (void)px_sleep(&unwanted, 1, EXO_DEADLINE_NEVER);
    }
    px_thread_entry();
}

_Noreturn void px_thread_end(int status)
{
    struct px_thread *thread = px_thread();

    if (thread->number == 0)
        px_threads.leader_status = status;
    if (px_threads.live == 1)
        px_exit(px_thread_number(0)->live ? status : px_threads.leader_status);
    if (thread->trace)
        px_trace_thread_ended(thread, status);
    px_thread_release(thread);
    thread->live = false;
    thread->doomed = false;
    px_threads.live--;
    px_ppage()->more_threads = px_threads.live - 1;
    thread->pending = 0;
    thread->queued = 0;
    thread->kept.mask_saved = false;
    px_signal_share();
    if (px_threads.sole) {
        __atomic_fetch_add(&px_threads.sole->wake, 1, __ATOMIC_SEQ_CST);
        (void)!exo_wake(&px_threads.sole->wake, 1);
    }
    if (thread->number == 0)
        keep(thread);
    if (px_timer_leave())
        px_thread_poke(px_thread_number(0), PX_EVENT_TIMER);
    park(thread);
}

int64_t px_thread_end_others(void)
{
    struct px_thread *self = px_thread();

    if (!px_threads.many)
        return 0;
    if (px_threads.sole)
        return -EAGAIN;
    px_threads.sole = self;
    for (unsigned number = 0; number < px_threads.made; number++)
        px_thread_number(number)->doomed = number != self->number && px_thread_number(number)->live;
    poke_others();
    while (px_threads.live > 1) {
        const struct exo_predicate same = {(uint64_t)&self->wake, self->wake, EXO_WAIT_WORD};

        if (px_sleep(&same, 1, EXO_DEADLINE_NEVER) == -EXO_E_EVENT)
            px_take_events();
    }
    px_threads.sole = NULL;
    self->succeeded = self->number != 0;
    return 0;
}

_Noreturn void px_thread_succeed(void)
{
    struct px_thread *self = px_thread(), *first = px_thread_number(0);

    self->succeeded = false;
    self->live = false;
    *first->regs = *self->regs;
    first->kept = self->kept;
    first->pending = self->pending;
    first->queued = self->queued;
    memcpy(first->queue, self->queue, self->queued * sizeof(self->queue[0]));
    first->clear_tid = first->robust_list = 0;
    first->ran_before_ns = context_ns(first) - px_thread_cpu_ns(self); /* may wrap: what has run goes on */
    px_trace_move(self, first);
    self->pending = 0;
    self->queued = 0;
    px_arch_fpu_keep(fpu_of(first));
    first->used = true;
    first->live = true;
    __atomic_store_n(&first->wake, 1, __ATOMIC_SEQ_CST);
    (void)!exo_wake(&first->wake, 1);
    park(self);
}

/* ---- stopping ---- */

bool px_thread_attend_now(void)
{
    const struct px_thread *thread = px_thread();

    while (px_thread_stays(thread) && !thread->doomed) {
        const struct exo_predicate stopped = {(uint64_t)&px_ppage()->cont_seq, px_threads.stop_seq, EXO_WAIT_WORD};

        if (__atomic_load_n(&px_ppage()->cont_seq, __ATOMIC_SEQ_CST) != px_threads.stop_seq)
            px_threads.stopped = false;
        else if (thread->trace)
            px_trace_group(px_threads.stop_signal);
        else if (px_sleep(&stopped, 1, EXO_DEADLINE_NEVER) == -EXO_E_EVENT)
            px_take_events();
    }
    return thread->doomed;
}

void px_thread_stop(uint32_t seq, int signo)
{
    px_threads.stopped = true;
    px_threads.stop_seq = seq;
    px_threads.stop_signal = signo;
    for (unsigned number = 0; number < px_threads.made; number++)
        px_thread_number(number)->stop_passed = false;
    if (px_threads.many)
        poke_others();
    (void)px_thread_attend_now();
}
