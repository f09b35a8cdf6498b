/* What entry.S calls: kernel calls, and exceptions and interrupts from either ring. Each returns the context to go on with. */
#include "cpu.h"
#include "port.h"
#include "trace.h"

struct context *trap_call(struct context *context, uint64_t number);
struct context *trap_call_held(struct context *context, uint64_t number);
struct context *trap_call_traced(struct context *context, uint64_t number);
struct context *trap_leave(struct context *context);
struct context *trap_redirect(struct context *context);
struct context *trap_user(struct context *context, uint64_t vector, uint64_t error);
void trap_kernel(const struct exo_regs *regs, uint64_t vector, uint64_t error);
_Noreturn void trap_stop(const struct exo_regs *regs, uint64_t vector, uint64_t error);

/* Return addresses, by the chain of frame pointers, where there is one: the program's own memory, which may say anything. */
static unsigned find_stack(const struct context *context, uint64_t stack[TRACE_STACK_MOST])
{
    uint64_t at = context->arch.regs.rbp, frame[2];
    unsigned count = 0;

    while (count < TRACE_STACK_MOST && at % 8 == 0 && space_read(context->env, frame, at, sizeof(frame)) && frame[1]) {
        stack[count++] = frame[1];
        if (frame[0] <= at)
            break;
        at = frame[0];
    }
    return count;
}

/* Where the program was left for the environment's own system-call or upcall entry; 0: it runs itself. The page may say anything. */
static uint64_t left_off(const struct exo_upage *page)
{
    uint32_t depth = __atomic_load_n(&page->depth, __ATOMIC_RELAXED);

    if (!page->masked || depth > EXO_UPCALL_FRAMES)
        return 0;
    return depth ? page->frame[depth - 1].regs.rip : page->sc_rip;
}

static void trace_sample(const struct context *context, uint64_t late_ns)
{
    uint64_t stack[TRACE_STACK_MOST], left = left_off(context->upage);
    unsigned count = find_stack(context, stack);

    trace_write(EXO_TRACE_SAMPLE, count, context, context->arch.regs.rip, late_ns);
    for (unsigned i = 0; i < count; i += 2)
        trace_write(EXO_TRACE_STACK, 0, context, stack[i], i + 1 < count ? stack[i + 1] : 0);
    if (left)
        trace_write(EXO_TRACE_STACK, 1, context, left, 0);
}

__attribute__((noinline)) static void trace_interrupt(const struct context *context, uint64_t vector)
{
    uint64_t late_ns;
    bool due = vector == VECTOR_TIMER && trace_sample_due(&late_ns);

    trace_write(EXO_TRACE_INTERRUPT, (unsigned)vector, context, context->arch.regs.rip, 0);
    if (due)
        trace_sample(context, late_ns);
}

#define PF_PRESENT 1u
#define PF_WRITE 2u

bool arch_fault_is_write(uint64_t vector, uint64_t error)
{
    return vector == VECTOR_PAGE_FAULT && (error & (PF_PRESENT | PF_WRITE)) == (PF_PRESENT | PF_WRITE);
}

static inline struct context *leave_with(struct context *next)
{
    if (percpu.flushes)
        space_flush_finish();
    if (__builtin_expect(smp_cpus > 1, false))
        smp_unlock();
    return next;
}

static inline struct context *leave(struct context *current)
{
    return leave_with(sched_leave(current));
}

/* From ring 3. False: while this CPU waited, another one took the context away; the entry is as if it had not been. */
static inline bool enter(struct context *context, bool by_call)
{
    if (__builtin_expect(smp_cpus == 1, true))
        return true;
    percpu.by_call = by_call;
    smp_lock();
    return arch_current() == context;
}

static inline int64_t make_call(struct context *context, uint64_t number)
{
    int64_t result;

    context->arch.regs.rax = 0; /* what a call that sleeps answers, until it is woken */
    result = call_dispatch(context, number);
    if (result != 0)
        arch_result(context, result);
    return result;
}

static inline struct context *call(struct context *context, uint64_t number)
{
    (void)make_call(context, number);
    return leave(context);
}

struct context *trap_call(struct context *context, uint64_t number)
{
    if (!enter(context, true))
        return leave_with(sched_pick());
    return call(context, number);
}

/* A note is a record, and has no others. */
struct context *trap_call_traced(struct context *context, uint64_t number)
{
    bool shown = number != EXO_CALL_TRACE_NOTE - EXO_CALL_BASE;
    int64_t result;

    if (!enter(context, true))
        return leave_with(sched_pick());
    if (shown)
        TRACE(EXO_TRACE_CALL, (unsigned)number, context, arch_argument(context, 0), arch_argument(context, 1));
    result = make_call(context, number);
    if (shown)
        TRACE(EXO_TRACE_RETURN, (unsigned)number, context, (uint64_t)result, context->state);
    return leave(context);
}

/* The fast path that did not fit has the lock. */
struct context *trap_call_held(struct context *context, uint64_t number)
{
    return call(context, number);
}

/* The end of a fast path that has something for the scheduler. */
struct context *trap_leave(struct context *context)
{
    return leave(context);
}

/* What `redirect` in entry.S does, for a context that has to be given gas first. */
struct context *trap_redirect(struct context *context)
{
    struct exo_regs *regs = &context->arch.regs;
    struct exo_upage *page;

    if (!enter(context, true))
        return leave_with(sched_pick());
    page = context->upage;
    page->sc_rip = regs->rcx;
    page->sc_rflags = regs->r11;
    page->masked = 1;
    percpu.redirects++;
    regs->rip = context->arch.syscall_entry;
    regs->rflags = RFLAGS_FIXED;
    return leave(context);
}

static void interrupt(uint64_t vector)
{
    if (vector == VECTOR_TIMER) {
        apic_eoi();
        clock_check();
        sched_tick();
    } else if (vector >= VECTOR_LINE && vector < 128) {
        arch_irq_mask((unsigned)vector - VECTOR_LINE);
        apic_eoi();
        irq_fired((unsigned)vector - VECTOR_LINE);
    } /* else spurious: no end of interrupt */
}

struct context *trap_user(struct context *context, uint64_t vector, uint64_t error)
{
    uint64_t address = vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;

    percpu.by_call = false;
    if (vector == VECTOR_KICK && !smp_kicked())
        return context;
    if (!enter(context, false)) {
        if (vector >= 32)
            interrupt(vector);
        return leave_with(sched_pick());
    }
    if (__builtin_expect(trace_to != NULL, false) && vector >= 32)
        trace_interrupt(context, vector);
    if (vector >= 32)
        interrupt(vector);
    else if (vector == VECTOR_NO_FPU)
        fpu_needed(context);
    else
        kernel_fault(context, vector, error, address);
    return leave(context);
}

static void show(const struct exo_regs *regs, uint64_t vector, uint64_t error)
{
    log_text("\nvector %lu error %lx address %lx\n", vector, error, read_cr2());
    log_text("rip %lx rsp %lx rflags %lx cs %lx\n", regs->rip, regs->rsp, regs->rflags, regs->cs);
    log_text("rax %lx rbx %lx rcx %lx rdx %lx\n", regs->rax, regs->rbx, regs->rcx, regs->rdx);
    log_text("rsi %lx rdi %lx rbp %lx r8 %lx\n", regs->rsi, regs->rdi, regs->rbp, regs->r8);
}

/* In ring 0 only the idle loop lets interrupts in; an exception is a bug. */
void trap_kernel(const struct exo_regs *regs, uint64_t vector, uint64_t error)
{
    if (vector == VECTOR_KICK) {
        (void)smp_kicked(); /* who sleeps looks anyway */
        smp_served();
        return;
    }
    if (vector >= 32) {
        smp_served();
        if (smp_cpus > 1)
            smp_lock();
        interrupt(vector);
        if (smp_cpus > 1)
            smp_unlock();
        return;
    }
    show(regs, vector, error);
    panic("exception %lu in the kernel", vector);
}

void trap_stop(const struct exo_regs *regs, uint64_t vector, uint64_t error)
{
    show(regs, vector, error);
    panic("%s", vector == VECTOR_NMI ? "NMI" : vector == VECTOR_DOUBLE_FAULT ? "double fault" : "machine check");
}

void arch_run(void)
{
    struct context *context = sched_pick();

    if (percpu.number == 0)
        stats.user_tsc = arch_cycles();
    resume_context(leave_with(context));
}

void arch_idle(void)
{
    bool several = smp_cpus > 1;

    if (several)
        smp_unlock();
    lock_unwanted();
    if (!several || !smp_poll())
        __asm__ volatile("sti; hlt; cli" : : : "memory");
    if (several)
        smp_lock();
}

void arch_let_interrupts(void)
{
    if (smp_cpus > 1)
        smp_unlock();
    __asm__ volatile("sti; nop; cli" : : : "memory");
    if (smp_cpus > 1)
        smp_lock();
}
