/* A traced thread: how it stops for its tracer, and what that changes. */
#include "trace.h"

#include "fd/fd.h"
#include "px_arch.h"

#define RESTART_FIRST (-PX_ERESTARTSYS)
#define RESTART_LAST (-PX_ERESTART_BLOCK)
#define SIGKILL_BIT PX_SIGBIT(SIGKILL) /* never waits here: in a thread's set it says that the tracer has interrupted it */

unsigned px_traced;

/* ---- beginning and end ----------------------------------------------------------------------------------------------- */

static void set_slow(void)
{
    if (px_traced)
        px_entry_slow |= PX_SLOW_TRACE;
    else
        px_entry_slow &= ~PX_SLOW_TRACE;
    px_signal_publish(); /* ignored signals are told to a tracer, too */
}

/* What every trace begins with; a stop that is to come at once by the way out. */
int64_t px_trace_begin(struct px_thread *thread, bool seized, uint32_t options, bool stop)
{
    const struct px_siginfo info = {.signo = SIGSTOP, .code = SI_KERNEL};
    struct px_tracee *trace;

    trace = thread->trace ? thread->trace : px_alloc(sizeof(*trace));
    if (!trace)
        return -ENOMEM;
    if (!thread->trace) {
        *trace = (struct px_tracee){.executed = px_exec_count, .called = -1};
        px_traced++;
    }
    trace->renewed = thread->trace != NULL; /* its former tracer has left, which it has not noticed yet */
    trace->seized = seized;
    trace->options = options;
    trace->go = 0;
    thread->trace = trace;
    px_rewrite_calm();
    set_slow();
    if (stop && seized)
        thread->pending |= SIGKILL_BIT;
    else if (stop)
        (void)!px_signal_post_thread(thread, &info);
    if (thread == px_thread())
        thread->exit_work |= PX_WORK_SIGNALS;
    else
        px_thread_poke(thread, PX_EVENT_THREAD);
    return 0;
}

void px_trace_drop(struct px_thread *thread)
{
    px_free(thread->trace);
    thread->trace = NULL;
    thread->pending &= ~SIGKILL_BIT;
    thread->stop_passed = false;
    px_traced--;
    set_slow();
}

static int64_t tell(const struct px_thread *thread, enum px_trace_op what, uint64_t a, uint64_t b, struct exo_message *message)
{
    int32_t tid = thread->succeeded ? px_self()->pid : thread->tid;

    *message = (struct exo_message){.word = {PX_PROC_TRACE, what, (uint64_t)(int64_t)tid, a, b}};
    return px_call_proc(message);
}

/* ---- stopping -------------------------------------------------------------------------------------------------------- */

/* Until the tracer lets it go on, is gone, or another thread wants all others to end. */
static int64_t sleep_stopped(struct px_thread *thread, uint32_t seq, struct exo_message *message)
{
    for (;;) {
        const struct exo_predicate same = {(uint64_t)&px_ppage()->trace_seq, seq, EXO_WAIT_WORD};
        int64_t status;

        if (px_sleep(&same, 1, PX_DEADLINE_NEVER) == -EXO_E_EVENT)
            px_take_events();
        if (thread->trace->renewed)
            return -ESRCH;
        status = tell(thread, PX_TRACE_GO, 0, 0, message);
        if (status != -EAGAIN || thread->doomed)
            return status;
        seq = (uint32_t)message->word[1];
    }
}

/* enum px_trace_go; 0: who has traced it does so no more, and thread->trace may be gone. info: NULL if the stop is for none. */
static uint32_t stop(uint32_t status, uint64_t told, const struct px_siginfo *info)
{
    struct px_thread *thread = px_thread();
    struct px_tracee *trace = thread->trace;
    struct exo_message message;
    int64_t result;

    trace->has_info = info != NULL;
    if (info)
        trace->info = *info;
    trace->tls = px_arch_tls();
    px_arch_fpu_keep(trace->fpu);
    trace->fpu_changed = trace->step = trace->renewed = false;
    trace->stopped = true;
    (void)px_arch_sanitize(thread->regs); /* no trap flag that nobody has set */
    thread->exit_work |= PX_WORK_REGS | PX_WORK_SIGNALS;
    result = tell(thread, PX_TRACE_STOP, status, told, &message);
    if (result == 0)
        result = sleep_stopped(thread, (uint32_t)message.word[1], &message);
    trace->stopped = false;
    px_arch_set_tls(trace->tls);
    if (trace->fpu_changed)
        px_arch_fpu_give(trace->fpu);
    thread->regs->ss = 0; /* entry.S: where the registers point is the program's own */
    if (result < 0) {
        if (!thread->doomed && !trace->renewed)
            px_trace_drop(thread);
        return 0;
    }
    trace->go = (uint32_t)message.word[1];
    trace->signal = (int)(message.word[2] & 0x7f);
    trace->options = (uint32_t)message.word[3];
    trace->step = trace->go == PX_GO_STEP;
    return trace->go;
}

static struct px_siginfo trap_info(uint32_t code)
{
    return (struct px_siginfo){.signo = SIGTRAP, .code = (int32_t)code, .pid = px_self()->pid, .uid = (int32_t)px_self()->uid};
}

/* A stop that is for no signal. What the tracer gives to go on with is a new one. */
static uint32_t stop_for_event(int signo, unsigned event, uint64_t told)
{
    struct px_thread *thread = px_thread();
    struct px_siginfo info = trap_info((uint32_t)signo | event << 8);
    uint32_t go;

    info.signo = signo & 0x7f;
    go = stop(PX_STOP_STATUS(signo, event), told, &info);
    if (go && thread->trace->signal && event != PTRACE_EVENT_STOP) {
        const struct px_siginfo given = {.signo = thread->trace->signal, .code = SI_USER, .pid = px_self()->tracer};

        (void)!px_signal_post_thread(thread, &given);
    }
    return go;
}

bool px_trace_wants(uint32_t option)
{
    const struct px_tracee *trace = px_thread()->trace;

    return trace && trace->options & option;
}

void px_trace_event(unsigned event, uint64_t message)
{
    if (px_thread()->trace) {
        px_thread()->trace->call_stop = PX_CALL_NONE;
        stop_for_event(SIGTRAP, event, message);
    }
}

/* ---- calls ----------------------------------------------------------------------------------------------------------- */

static void stop_for_call(unsigned kind)
{
    struct px_tracee *trace = px_thread()->trace;

    trace->call_stop = (uint8_t)kind;
    if (stop_for_event(trace->options & PTRACE_O_TRACESYSGOOD ? SIGTRAP | 0x80 : SIGTRAP, 0, kind) && px_thread()->trace)
        px_thread()->trace->call_stop = PX_CALL_NONE;
}

uint32_t px_trace_enter(struct exo_regs *regs)
{
    struct px_tracee *trace = px_thread()->trace;
    uint32_t number = (uint32_t)px_arch_number(regs);
    int64_t called;

    px_arch_called(regs);
    trace->called = number;
    if (trace->go != PX_GO_CALL && number != ~0u)
        return number;
    px_arch_set_result(regs, -ENOSYS);
    if (trace->go != PX_GO_CALL)
        return number;
    stop_for_call(PX_CALL_ENTRY);
    trace = px_thread()->trace;
    called = trace ? trace->called : number;
    if ((int32_t)called == -1)
        return ~0u;
    px_arch_set_result(regs, (int32_t)called); /* until there is a result */
    return (uint32_t)called;
}

/* The call was an execve that has come to something. */
static void executed(void)
{
    struct px_thread *thread = px_thread();
    const struct px_siginfo info = {.signo = SIGTRAP, .code = SI_USER, .pid = px_self()->pid, .uid = (int32_t)px_self()->uid};
    struct exo_message message = {.word = {PX_PROC_TRACE, PX_TRACE_EXEC, (uint64_t)(int64_t)thread->tid}};
    int32_t former = thread->tid;

    thread->trace->executed = px_exec_count;
    if (px_call_proc(&message) < 0)
        px_trace_drop(thread);
    else if (thread->trace->options & PTRACE_O_TRACEEXEC)
        px_trace_event(PTRACE_EVENT_EXEC, (uint64_t)former);
    else if (!thread->trace->seized)
        (void)!px_signal_post_thread(thread, &info);
}

int64_t px_trace_exit(struct exo_regs *regs, uint32_t number, int64_t result)
{
    const struct px_siginfo stepped = {.signo = SIGTRAP, .code = TRAP_TRACE, .value = px_arch_pc(regs)};
    const struct px_thread *thread = px_thread();

    px_arch_set_result(regs, result);
    if (thread->trace->executed != px_exec_count)
        executed();
    if (thread->trace && thread->trace->step) {
        thread->trace->step = false;
        px_signal_force(&stepped);
    } else if (thread->trace && thread->trace->go == PX_GO_CALL) {
        stop_for_call(PX_CALL_EXIT);
    }
    result = (int64_t)px_arch_result(regs);
    if (number != ~0u)
        px_arch_set_result(regs, number); /* as px_leave expects it */
    return result;
}

/* ---- signals ----------------------------------------------------------------------------------------------------------- */

/* The registers say, as on Linux, whether a call is to be made again: the tracer may have put others in their place. */
static void take_up(const struct exo_regs *regs, struct px_interrupted *call)
{
    const struct px_tracee *trace = px_thread()->trace;
    int64_t result = (int64_t)px_arch_result(regs);

    if (!trace)
        return;
    call->restart = trace->called >= 0 && result <= RESTART_FIRST && result >= RESTART_LAST;
    call->number = (uint64_t)trace->called;
    call->result = result;
}

static void put_down(const struct px_interrupted *call)
{
    px_thread()->trace->called = call->restart ? (int64_t)call->number : -1;
    px_thread()->trace->call_stop = PX_CALL_NONE;
}

void px_trace_attend(struct exo_regs *regs, struct px_interrupted *call)
{
    struct px_thread *thread = px_thread();

    if (!(thread->pending & SIGKILL_BIT))
        return;
    thread->pending &= ~SIGKILL_BIT;
    put_down(call);
    stop_for_event(SIGTRAP, PTRACE_EVENT_STOP, 0);
    take_up(regs, call);
}

bool px_trace_signal(struct exo_regs *regs, struct px_interrupted *call, struct px_siginfo *info)
{
    struct px_thread *thread = px_thread();
    struct px_tracee *trace = thread->trace;

    put_down(call);
    if (!stop(PX_STOP_STATUS(info->signo, 0), 0, info))
        return thread->doomed; /* proc sends what there is to send */
    take_up(regs, call);
    if (!trace->signal || trace->signal > SIGRTMAX)
        return false;
    *info = trace->info;
    if (info->signo != trace->signal)
        *info = (struct px_siginfo){.signo = trace->signal, .code = SI_USER, .pid = px_self()->tracer};
    if (!(thread->kept.blocked & PX_SIGBIT(info->signo)))
        return true;
    (void)!px_signal_post_thread(thread, info);
    return false;
}

void px_trace_handler(void)
{
    const struct px_siginfo stepped = {.signo = SIGTRAP, .code = TRAP_TRACE};

    if (px_thread()->trace->step)
        (void)stop(PX_STOP_STATUS(SIGTRAP, 0), 0, &stepped);
}

void px_trace_group(int signo)
{
    struct px_thread *thread = px_thread();
    bool seized = thread->trace->seized;
    uint32_t go;

    thread->stop_passed = true;
    thread->trace->call_stop = PX_CALL_NONE;
    if (!seized)
        go = stop(PX_STOP_STATUS(signo, 0), PX_STOP_GROUP, NULL);
    else
        go = stop_for_event(signo, PTRACE_EVENT_STOP, 0);
    if (go == PX_GO_TRAP)
        stop_for_event(SIGTRAP, PTRACE_EVENT_STOP, 0);
}

/* ---- processes and threads --------------------------------------------------------------------------------------------- */

void px_trace_fork_child(bool traced, bool seized, uint32_t options)
{
    if (px_traced) { /* else nothing is written: the page is its parent's, too */
        px_traced = 0;
        set_slow();
    }
    px_step_fork_child();
    if (traced)
        (void)!px_trace_begin(px_thread(), seized, options, true); /* without memory nobody hears of it */
}

void px_trace_thread(struct px_thread *thread)
{
    const struct px_thread *self = px_thread();
    struct exo_message message;

    if (tell(self, PX_TRACE_THREAD, (uint64_t)(int64_t)thread->tid, 0, &message) == 0)
        (void)!px_trace_begin(thread, self->trace->seized, self->trace->options, true);
}

void px_trace_thread_ended(struct px_thread *thread, int status)
{
    struct exo_message message;

    (void)!tell(thread, PX_TRACE_END, (uint64_t)(uint32_t)status, 0, &message);
    px_trace_drop(thread);
}

void px_trace_move(struct px_thread *from, struct px_thread *to)
{
    to->trace = from->trace;
    to->pending |= from->pending & SIGKILL_BIT;
    from->trace = NULL;
}

/* ---- the tracer's questions -------------------------------------------------------------------------------------------- */

static uint64_t *mask_of(struct px_thread *thread)
{
    return thread->kept.mask_saved ? &thread->kept.saved_mask : &thread->kept.blocked;
}

static int64_t get(struct px_thread *thread, struct px_question *question)
{
    const struct px_tracee *trace = thread->trace;

    switch (question->word[0]) {
    case PX_PART_REGS:
        px_arch_trace_regs(thread, question->data);
        question->bytes = PX_USER_REGS_BYTES;
        return 0;
    case PX_PART_FPU:
        memcpy(question->data, trace->fpu, PX_FPU_BYTES);
        question->bytes = PX_FPU_BYTES;
        return 0;
    case PX_PART_INFO:
        if (!trace->has_info)
            return -EINVAL;
        px_arch_siginfo_out(&trace->info, question->data);
        question->bytes = 128;
        return 0;
    case PX_PART_MASK:
        memcpy(question->data, mask_of(thread), sizeof(uint64_t));
        question->bytes = sizeof(uint64_t);
        return 0;
    case PX_PART_CALL: question->bytes = px_arch_trace_call(thread, question->data); return question->bytes;
    default: return -EINVAL;
    }
}

static int64_t set_info(struct px_tracee *trace, const uint8_t from[128])
{
    int32_t word[8];

    if (!trace->has_info)
        return -EINVAL;
    memcpy(word, from, sizeof(word));
    trace->info = (struct px_siginfo){.signo = word[0], .errno_ = word[1], .code = word[2], .pid = word[4], .uid = word[5], .status = word[6]};
    memcpy(&trace->info.value, from + (px_signal_is_fault(&trace->info) ? 16 : 24), sizeof(trace->info.value));
    return 0;
}

static int64_t set(struct px_thread *thread, const struct px_question *question)
{
    static const uint32_t bytes[] = {[PX_PART_REGS] = PX_USER_REGS_BYTES, [PX_PART_FPU] = PX_FPU_BYTES, [PX_PART_INFO] = 128, [PX_PART_MASK] = 8};
    uint64_t mask;

    if (question->word[0] >= sizeof(bytes) / sizeof(bytes[0]) || question->bytes < bytes[question->word[0]])
        return -EINVAL;
    switch (question->word[0]) {
    case PX_PART_REGS: return px_arch_trace_set_regs(thread, question->data);
    case PX_PART_FPU: return px_arch_trace_set_fpu(thread->trace, question->data);
    case PX_PART_INFO: return set_info(thread->trace, question->data);
    case PX_PART_MASK:
        memcpy(&mask, question->data, sizeof(mask));
        *mask_of(thread) = mask & ~PX_SIG_UNBLOCKABLE;
        return 0;
    default: return -EINVAL;
    }
}

int64_t px_trace_answer(struct px_question *question)
{
    struct px_thread *thread = px_thread_find(question->tid);
    bool to_set = question->kind == PX_ASK_SET, seize = question->word[0] & PX_ATTACH_SEIZE;
    int64_t result = -ESRCH;

    if (!thread)
        return -ESRCH;
    switch (question->kind) {
    case PX_ASK_ATTACH: result = px_trace_begin(thread, seize, (uint32_t)question->word[1], !seize); break;
    case PX_ASK_INTERRUPT:
        if (!thread->trace)
            break;
        thread->pending |= SIGKILL_BIT;
        if (thread == px_thread())
            thread->exit_work |= PX_WORK_SIGNALS;
        else
            px_thread_poke(thread, PX_EVENT_THREAD);
        result = 0;
        break;
    case PX_ASK_GET:
    case PX_ASK_SET:
        if (thread->trace && thread->trace->stopped)
            result = to_set ? set(thread, question) : get(thread, question);
        break;
    default: result = -EINVAL; break;
    }
    if (question->kind != PX_ASK_GET)
        question->bytes = 0;
    return result;
}
