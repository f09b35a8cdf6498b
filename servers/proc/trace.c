/*
 * Who traces whom (ptrace). A traced thread's libOS says that it stops and asks when it may go on; the tracer hears of it by wait. What the thread is like
 * meanwhile its libOS answers (ask.c). A thread that is not what its libOS says fools its tracer and nobody else:
 * each entry belongs to one process and one tracer, and
 * goes with either.
 */
#include "proc.h"

#include <exo/string.h>

#define TRACEES 512u
#define TRACEES_EACH 256u /* threads of one process */
#define CLD_TRAPPED 4
#define WNOWAIT 0x01000000u
#define WEXITED 4u

enum tracee_state { UNUSED, RUNS, STOPPED, LISTENS, ENDED };
static struct tracee {
    uint32_t state;
    uint32_t index;  /* of its process; of no meaning when it has ended */
    uint32_t tracer; /* index */
    int32_t tid, pgid;
    bool seized, news; /* news: not yet told by wait */
    bool continued;    /* SIGCONT has come since, or before, it has told of a stop by job control */
    uint32_t options, status;
    uint64_t message, cpu_ns;
    uint32_t go; /* enum px_trace_go */
    uint32_t signal;
} tracees[TRACEES];
static uint32_t used;

static void bump(uint32_t *word)
{
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    machine_wake(word);
}

static struct tracee *find(int32_t tid)
{
    for (uint32_t at = 0; used > 0 && at < TRACEES; at++)
        if (tracees[at].state != UNUSED && tracees[at].state != ENDED && tracees[at].tid == tid)
            return &tracees[at];
    return NULL;
}

/* What the table shows of it. */
static void show(uint32_t index)
{
    const struct tracee *first = find(processes[index].pid);

    processes[index].tracer = first ? processes[first->tracer].pid : 0;
    processes[index].flags &= ~(uint32_t)PX_PF_TRAPPED;
    if (first && (first->state == STOPPED || first->state == LISTENS))
        processes[index].flags |= PX_PF_TRAPPED;
    if (processes[index].state == PX_STOPPED && first && first->state == RUNS)
        processes[index].state = PX_RUNNING;
    table_publish(index);
}

/* Its threads look again whether they may go on. */
static void wake_threads(uint32_t index)
{
    processes[index].trace_seq++;
    __atomic_store_n(&machine_ppage(index)->trace_seq, processes[index].trace_seq, __ATOMIC_SEQ_CST);
    machine_wake(&machine_ppage(index)->trace_seq);
}

static void drop(struct tracee *tracee)
{
    bool alive = tracee->state != ENDED;

    tracee->state = UNUSED;
    used--;
    if (!alive)
        return;
    processes[tracee->index].tracees--;
    show(tracee->index);
    if (is_alive(tracee->index))
        wake_threads(tracee->index);
}

static struct tracee *add(uint32_t index, int32_t tid, uint32_t tracer)
{
    for (uint32_t at = 0; at < TRACEES && processes[index].tracees < TRACEES_EACH; at++)
        if (tracees[at].state == UNUSED) {
            tracees[at] = (struct tracee){.state = RUNS, .index = index, .tid = tid, .tracer = tracer};
            used++;
            processes[index].tracees++;
            return &tracees[at];
        }
    return NULL;
}

bool trace_may(uint32_t caller, uint32_t target, bool attach)
{
    const struct process *from = &processes[caller], *to = &processes[target];
    uint32_t uid = attach ? from->uid : from->euid, gid = attach ? from->gid : from->egid;

    if (from->zone != to->zone)
        return false;
    if (caller == target || from->euid == 0)
        return true;
    return uid == to->uid && uid == to->euid && uid == to->suid && gid == to->gid && gid == to->egid && gid == to->sgid && to->dumpable == 1;
}

bool trace_by(uint32_t caller, int32_t tid, bool stopped)
{
    const struct tracee *tracee = find(tid);

    return tracee && tracee->tracer == caller && (!stopped || tracee->state == STOPPED);
}

bool trace_parent_traces(uint32_t index)
{
    const struct tracee *first = find(processes[index].pid);

    return first && first->tracer == processes[index].parent;
}

void trace_refused(uint32_t tracer, int32_t tid)
{
    struct tracee *tracee = find(tid);

    if (tracee && tracee->tracer == tracer && tracee->state == RUNS && !tracee->news)
        drop(tracee);
}

/* ---- the tracer ---------------------------------------------------------------------------------------------------- */

static int64_t traceme(uint32_t caller, int32_t tid)
{
    uint32_t parent = processes[caller].parent;

    if (ask_target(caller, tid) != caller)
        return -ESRCH;
    if (find(tid) || parent <= INIT || !is_alive(parent) || processes[parent].zone != processes[caller].zone)
        return -EPERM;
    if (!add(caller, tid, parent))
        return -EAGAIN;
    show(caller);
    return 0;
}

static int64_t attach(uint32_t caller, int32_t tid, bool seize, uint64_t address, uint64_t options)
{
    uint32_t target = ask_target(caller, tid);
    struct tracee *tracee;

    if (seize && (address || options & ~(uint64_t)PTRACE_O_KNOWN))
        return -EIO;
    if (!target)
        return -ESRCH;
    if (target == caller || find(tid) || !trace_may(caller, target, true))
        return -EPERM;
    tracee = add(target, tid, caller);
    if (!tracee)
        return -EAGAIN;
    tracee->seized = seize;
    tracee->options = seize ? (uint32_t)options : 0;
    show(target);
    return 0;
}

static int64_t go_on(struct tracee *tracee, uint32_t go, uint64_t signo)
{
    if (signo > SIGNAL_MAX)
        return -EIO;
    tracee->state = RUNS;
    tracee->news = false;
    tracee->go = go;
    tracee->signal = (uint32_t)signo;
    show(tracee->index);
    wake_threads(tracee->index);
    return 0;
}

/* A signal to go on with goes where any signal of that thread's goes, once nobody traces it. */
static int64_t detach(struct tracee *tracee, uint64_t signo)
{
    struct px_siginfo info = {.signo = (int32_t)signo, .code = SI_USER, .pid = processes[tracee->tracer].pid, .uid = (int32_t)processes[tracee->tracer].uid};
    uint32_t index = tracee->index;

    if (signo > SIGNAL_MAX)
        return -EIO;
    drop(tracee);
    if (signo)
        kill_post(index, &info);
    return 0;
}

static int64_t listen(struct tracee *tracee)
{
    if (!tracee->seized || tracee->status >> 16 != PTRACE_EVENT_STOP)
        return -EIO;
    if (tracee->continued)
        return go_on(tracee, PX_GO_TRAP, 0);
    tracee->state = LISTENS;
    show(tracee->index);
    return 0;
}

static int64_t of_stopped(struct tracee *tracee, uint64_t request, uint64_t data, uint64_t *answer)
{
    switch (request) {
    case PTRACE_CONT: return go_on(tracee, PX_GO_ON, data);
    case PTRACE_SYSCALL: return go_on(tracee, PX_GO_CALL, data);
    case PTRACE_SINGLESTEP: return go_on(tracee, PX_GO_STEP, data);
    case PTRACE_DETACH: return detach(tracee, data);
    case PTRACE_LISTEN: return listen(tracee);
    case PTRACE_SETOPTIONS:
        if (data & ~(uint64_t)PTRACE_O_KNOWN)
            return -EINVAL;
        tracee->options = (uint32_t)data;
        return 0;
    case PTRACE_GETEVENTMSG: *answer = tracee->message; return 0;
    default: return -EIO;
    }
}

int64_t trace_call(uint32_t caller, uint64_t request, int32_t tid, uint64_t address, uint64_t data, uint64_t *answer)
{
    struct tracee *tracee;

    switch (request) {
    case PTRACE_TRACEME: return traceme(caller, tid);
    case PTRACE_ATTACH: return attach(caller, tid, false, 0, 0);
    case PTRACE_SEIZE: return attach(caller, tid, true, address, data);
    default: break;
    }
    tracee = find(tid);
    if (!tracee || tracee->tracer != caller)
        return -ESRCH;
    if (request == PTRACE_KILL) {
        life_kill(tracee->index);
        return 0;
    }
    if (request == PTRACE_INTERRUPT)
        return tracee->seized ? 0 : -EIO;
    return tracee->state == STOPPED ? of_stopped(tracee, request, data, answer) : -ESRCH;
}

/* ---- the traced ------------------------------------------------------------------------------------------------------ */

/* As tell_parent (life.c): the word first, then the signal. */
static void tell_tracer(const struct tracee *tracee, int code)
{
    const struct px_siginfo info = {.signo = SIGCHLD, .code = code, .pid = tracee->tid, .status = (int32_t)(tracee->status >> 8)};
    struct px_ppage *page = machine_ppage(tracee->tracer);

    bump(&page->child_seq);
    if (code != CLD_TRAPPED || !(page->child_flags & PX_CHILD_NOSTOP))
        kill_post(tracee->tracer, &info);
}

static int64_t stop(struct tracee *tracee, uint64_t status, uint64_t message, uint64_t *seq)
{
    if ((status & 0xff) != 0x7f || status >> 24)
        return -EINVAL;
    tracee->state = STOPPED;
    tracee->status = (uint32_t)status;
    tracee->message = message;
    tracee->news = true;
    tracee->go = 0;
    tracee->continued = !processes[tracee->index].stops;
    *seq = processes[tracee->index].trace_seq;
    show(tracee->index);
    tell_tracer(tracee, CLD_TRAPPED);
    return 0;
}

static int64_t ask_go(struct tracee *tracee, uint64_t word[4])
{
    if (!tracee->go && tracee->state == RUNS)
        return -ESRCH; /* it has stopped for another tracer */
    if (tracee->state != RUNS) {
        word[1] = processes[tracee->index].trace_seq;
        return -EAGAIN;
    }
    word[1] = tracee->go;
    word[2] = tracee->signal;
    word[3] = tracee->options;
    return 0;
}

/* Of those that are waited for only a tracer that is no parent hears what becomes of the first thread: a parent is told by its child's end. */
static void end(struct tracee *tracee, int32_t status)
{
    uint32_t index = tracee->index;
    bool told = tracee->tid == processes[index].pid && tracee->tracer == processes[index].parent;

    if (told || !is_alive(tracee->tracer)) {
        drop(tracee);
        return;
    }
    tracee->pgid = processes[index].pgid;
    tracee->status = (uint32_t)status;
    tracee->cpu_ns = 0;
    tracee->state = ENDED;
    tracee->news = true;
    processes[index].tracees--;
    show(index);
    tell_tracer(tracee, CLD_EXITED);
}

/* All others have ended before, each by itself or without a word. */
static void executed(struct tracee *tracee)
{
    struct tracee *first = find(processes[tracee->index].pid);

    if (first && first != tracee)
        drop(first);
    for (uint32_t at = 0; at < TRACEES; at++)
        if (&tracees[at] != tracee && tracees[at].state != UNUSED && tracees[at].state != ENDED && tracees[at].index == tracee->index)
            end(&tracees[at], 0);
    tracee->tid = processes[tracee->index].pid;
    show(tracee->index);
}

int64_t trace_told(uint32_t caller, uint64_t word[5])
{
    struct tracee *tracee = find((int32_t)word[2]), *more;

    if (!tracee || tracee->index != caller)
        return -ESRCH;
    switch (word[1]) {
    case PX_TRACE_STOP: return stop(tracee, word[3], word[4], &word[1]);
    case PX_TRACE_GO: return ask_go(tracee, word);
    case PX_TRACE_THREAD:
        if (find((int32_t)word[3]) || (int32_t)word[3] < PX_TID_FIRST || PX_TID_INDEX(word[3]) != caller)
            return -EINVAL;
        more = add(caller, (int32_t)word[3], tracee->tracer);
        if (!more)
            return -EAGAIN;
        more->seized = tracee->seized;
        more->options = tracee->options;
        return 0;
    case PX_TRACE_END: end(tracee, (int32_t)(word[3] & 0xffff)); return 0;
    case PX_TRACE_EXEC: executed(tracee); return 0;
    default: return -EINVAL;
    }
}

void trace_forked(uint32_t parent, int32_t tid, uint32_t child)
{
    const struct tracee *tracee = find(tid);
    struct tracee *more = tracee && tracee->index == parent ? add(child, processes[child].pid, tracee->tracer) : NULL;

    if (!more)
        return;
    more->seized = tracee->seized;
    more->options = tracee->options;
    show(child);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------- */

void trace_continued(uint32_t index)
{
    for (uint32_t at = 0; processes[index].tracees > 0 && at < TRACEES; at++) {
        if (tracees[at].state == UNUSED || tracees[at].index != index)
            continue;
        tracees[at].continued = true;
        if (tracees[at].state == LISTENS)
            (void)!go_on(&tracees[at], PX_GO_TRAP, 0);
    }
}

void trace_leave(uint32_t index)
{
    for (uint32_t at = 0; processes[index].tracees > 0 && at < TRACEES; at++)
        if (tracees[at].state != UNUSED && tracees[at].state != ENDED && tracees[at].index == index)
            drop(&tracees[at]);
}

/* The tracer is gone. The signal that he was to decide about is delivered. */
static void forsake(struct tracee *tracee)
{
    const struct px_siginfo info = {.signo = (int32_t)(tracee->status >> 8), .code = SI_USER};
    bool signal = tracee->state == STOPPED && tracee->status >> 16 == 0 && tracee->message == 0;
    uint32_t index = tracee->index;
    bool alive = tracee->state != ENDED;

    if (alive && tracee->options & PTRACE_O_EXITKILL)
        life_kill(index);
    drop(tracee);
    if (alive && signal && info.signo <= (int32_t)SIGNAL_MAX)
        kill_post(index, &info);
}

void trace_ended(uint32_t index, int32_t status)
{
    for (uint32_t at = 0; used > 0 && at < TRACEES; at++) {
        struct tracee *tracee = &tracees[at];

        if (tracee->state == UNUSED)
            continue;
        if (tracee->tracer == index) {
            forsake(tracee);
        } else if (tracee->state != ENDED && tracee->index == index) {
            end(tracee, status);
        }
    }
}

static bool matches(const struct tracee *tracee, uint32_t tracer, int32_t pid)
{
    int32_t pgid = tracee->state == ENDED ? tracee->pgid : processes[tracee->index].pgid;

    if (pid > 0)
        return tracee->tid == pid;
    return pid == -1 || pgid == (pid == 0 ? processes[tracer].pgid : -pid);
}

static void take_news(struct tracee *tracee, uint64_t options, struct wait_answer *answer)
{
    answer->pid = tracee->tid;
    answer->status = (int32_t)tracee->status;
    answer->trapped = tracee->state != ENDED;
    if (options & WNOWAIT)
        return;
    tracee->news = false;
    if (tracee->state == ENDED) {
        answer->children--;
        drop(tracee);
    }
}

bool trace_wait(uint32_t tracer, int32_t pid, uint64_t options, struct wait_answer *answer)
{
    struct tracee *found = NULL;
    bool any = false;

    for (uint32_t at = 0; used > 0 && at < TRACEES; at++) {
        struct tracee *tracee = &tracees[at];
        bool tells;

        if (tracee->state == UNUSED || tracee->tracer != tracer)
            continue;
        answer->children++;
        tells = tracee->news && matches(tracee, tracer, pid) && (tracee->state != ENDED || options & WEXITED);
        any |= matches(tracee, tracer, pid);
        if (tells && !found)
            found = tracee;
        else
            answer->more |= tracee->news;
    }
    if (found)
        take_news(found, options, answer);
    return any;
}
