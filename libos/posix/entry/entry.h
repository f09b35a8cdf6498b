/*
 * Private to entry/ and arch/: signals of this process, the way out of the libOS, and what fork must tell the child. All of it is libOS data, private to the
 * process and copied on fork; events are masked whenever it is touched, and the lock of thread.h is held.
 */
#ifndef PX_ENTRY_H
#define PX_ENTRY_H
#include "px.h"
#include "proto/proc.h"
#include "thread.h"

/* ---- the way out ---- */

/* px_thread.exit_work: px_leave must look. */
#define PX_WORK_SIGNALS 1u /* a signal may be deliverable, or event bits were taken before the exit */
#define PX_WORK_REGS 2u    /* all registers must be restored, not only those that calls clobber */
#define PX_WORK_MASK 4u    /* the signal mask holds for this call only */
#define PX_WORK_LOCK 8u    /* the lock was taken by other than the way in */

/* Event bits of the context (PX_EVENT_SIGNAL comes from proc). */
#define PX_EVENT_TIMER 2u

/* Takes the pending event bits; what they ask for is remembered for the exit. True: memory was asked for, and pages of the program may be gone. */
bool px_take_events(void);
/* demand.c: somebody asks this process for memory, or has taken some. */
void px_demand_answer(void);
void px_demand_fork_child(void);
/* The rest of a call: result, restart, signals. regs are the program's. */
void px_leave(struct exo_regs *regs, int64_t result);
/* The same when no call is under way. */
void px_leave_again(struct exo_regs *regs);
/* Calls of several threads. */
int64_t px_call_locked(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, px_call *body, uint64_t number);
/* Calls that are missing, out of range or traced. */
int64_t px_dispatch_slow(struct exo_regs *regs);
void px_upcall_program(struct exo_upcall *frame, uint64_t cause);
uint64_t px_upcall_early(const struct exo_upcall *frame);
void px_upcall_libos(struct exo_upcall *frame, uint64_t cause);
void px_child_start(void);
void px_start(void);
bool px_is_renewed(void); /* it begins in the middle of an execve (renewed.c) */
void px_renewed_start(void);
int64_t px_process_name(const char name[16]); /* prctl(PR_SET_NAME) of the first thread */
/* The present call must not be restarted, whatever its result looks like (sigreturn). */
void px_no_restart(void);

/* ---- signals ---- */

struct px_action { /* as the program gives it to rt_sigaction */
    uint64_t handler, flags, restorer, mask;
};
#define PX_SIG_DFL 0ul
#define PX_SIG_IGN 1ul
#define SA_NOCLDSTOP 1ul
#define SA_NOCLDWAIT 2ul
#define SA_SIGINFO 4ul
#define SA_RESTORER 0x04000000ul
#define SA_ONSTACK 0x08000000ul
#define SA_RESTART 0x10000000ul
#define SA_NODEFER 0x40000000ul
#define SA_RESETHAND 0x80000000ul

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM (1 << 31)
#define MINSIGSTKSZ 2048u

#define SI_USER 0
#define SI_KERNEL 128
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)
#define TRAP_TRACE 2
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

#define PX_NR_RESTART 219u /* restart_syscall */
#define PX_SIG_UNBLOCKABLE (PX_SIGBIT(SIGKILL) | PX_SIGBIT(SIGSTOP))
#define PX_SIG_STOPS (PX_SIGBIT(SIGSTOP) | PX_SIGBIT(SIGTSTP) | PX_SIGBIT(SIGTTIN) | PX_SIGBIT(SIGTTOU))
#define PX_SIG_DUMPS                                                                                                                    \
    (PX_SIGBIT(SIGQUIT) | PX_SIGBIT(SIGILL) | PX_SIGBIT(SIGTRAP) | PX_SIGBIT(SIGABRT) | PX_SIGBIT(SIGBUS) | PX_SIGBIT(SIGFPE) | \
     PX_SIGBIT(SIGSEGV) | PX_SIGBIT(SIGXCPU) | PX_SIGBIT(SIGXFSZ) | PX_SIGBIT(SIGSYS)) /* their default is a core dump */
#define PX_SIG_DEFAULT_IGNORED (PX_SIGBIT(SIGCHLD) | PX_SIGBIT(SIGCONT) | PX_SIGBIT(SIGURG) | PX_SIGBIT(SIGWINCH))

extern struct px_action px_actions[SIGRTMAX + 1];

uint64_t px_signal_mask(void);
void px_signal_set_mask(uint64_t mask);
/* Changes a disposition, and what proc is told of it through the process page. */
void px_signal_set_action(int signo, const struct px_action *action);
/* Tells it to a new process page. */
void px_signal_publish(void);
/* Signals that wait and are not blocked, ignored ones included. */
uint64_t px_signal_ready(void);
/* Takes the next signal of `set` that waits; false if there is none. */
bool px_signal_take(uint64_t set, struct px_siginfo *info);
/* Adds a signal to those that wait for this process. */
void px_signal_post(const struct px_siginfo *info);
/* Adds a signal to those that wait for one thread; -EAGAIN: a real-time signal that has no room. */
int64_t px_signal_post_thread(struct px_thread *thread, const struct px_siginfo *info);
/* Sent by another process to one thread. */
int64_t px_signal_from_outside(struct px_thread *thread, const struct px_siginfo *info);
/* Tells other threads of signals of the process that this one will not take. */
void px_signal_share(void);
void px_signal_discard(uint64_t set);
/* Delivers what waits. `call`: result is a restart code; the number of the call that may be made again. */
struct px_interrupted {
    bool restart;
    int64_t result;
    uint64_t number;
};
void px_signal_deliver(struct exo_regs *regs, struct px_interrupted *call);
/* Nothing is delivered: the call is made again. */
void px_signal_settle(struct exo_regs *regs, struct px_interrupted *call);
/* The dispositions, kept while a vfork child has its own. */
struct px_signal_kept {
    struct px_action actions[SIGRTMAX + 1];
    uint64_t ignored, caught;
};
void px_signal_keep(struct px_signal_kept *kept);
void px_signal_give(const struct px_signal_kept *kept);
/* A fault that must be delivered: a blocked or ignored signal kills. */
void px_signal_force(const struct px_siginfo *info);
void px_signal_fork_child(void);

/* ---- timers ---- */
void px_timer_fork_child(void);
/* A signal of a timer of timer_create is taken: says how often it expired meanwhile. */
void px_posix_timer_taken(struct px_siginfo *info);
void px_posix_timer_exec(void);

/* ---- processes ---- */
#define CLONE_VM 0x100ul
#define CLONE_VFORK 0x4000ul
#define CLONE_PARENT 0x8000ul
#define CLONE_SETTLS 0x80000ul
#define CLONE_PARENT_SETTID 0x100000ul
#define CLONE_CHILD_CLEARTID 0x200000ul
#define CLONE_CHILD_SETTID 0x1000000ul
#define CSIGNAL 0xfful
/* What proc is told of the signal that a clone asks for. */
static inline uint64_t px_fork_signal(uint64_t flags)
{
    return (flags & CSIGNAL) == SIGCHLD ? 0 : PX_FORK_SIGNAL(flags & CSIGNAL);
}
struct px_birth { /* what a forked child must know, besides the program's registers */
    uint64_t flags, stack, child_tid;
    int32_t pid;
    uint32_t index; /* in the process table */
    bool begun;               /* it has run in its parent's environment before, and goes on where it is: */
    struct px_exec *exec;     /* with this, unless NULL, */
    struct px_siginfo forced; /* or with this signal, unless 0 */
};
/* The parent's part of a fork when proc has made an environment: the child goes on as `birth` says. */
int64_t px_fork_start(const struct px_birth *birth, uint64_t env, uint64_t ctx, enum px_clone memory);
void px_fork_wait(int32_t pid, uint32_t index); /* until a vfork child executes a program or ends */

/* ---- lend.c: a vfork child that runs in its parent's environment ---- */
/* vfork; flags as of clone. 0: the caller goes on as the child. */
int64_t px_lend(uint64_t flags, uint64_t stack, px_user parent_tid, px_user child_tid, uint64_t tls);
/* A call of the child. */
int64_t px_lend_call(px_call *body, const uint64_t word[6]);
/* Something is to be taken that is not for the child, or for which it must be a process. */
void px_lend_attend(void);
void px_lend_force(const struct px_siginfo *info); /* as px_signal_force */
void px_children_reset(void);
void px_children_unknown(void); /* proc knows */
void px_children_forked(int32_t pid, uint32_t seq_before);
uint32_t px_child_seq(void);
/* A fault of the libOS itself. */
_Noreturn void px_fatal(const struct exo_upcall *frame);
/* Asks proc to map a page of the process table that this process has not seen yet. */
bool px_table_fault(uint64_t address);

static inline int64_t px_call_proc(struct exo_message *message)
{
    return px_call_server(PX_SLOT_PROC, message);
}

/* simple.c: bodies that px_direct_entry may jump to as they are. entry.S knows the count. */
#define PX_SIMPLE_CALLS 192u
extern px_call *const px_simple[PX_SIMPLE_CALLS];

/* vdso.c and arch/.../vdso.S: not called, but found by their names in the image. */
int64_t px_vdso_clock_gettime(int32_t clock, struct px_timespec *to);
int64_t px_vdso_gettimeofday(struct px_timeval *to, int32_t zone[2]);
int64_t px_vdso_time(int64_t *to);
/* The system call, by a plain call. */
int64_t px_direct_clock_gettime(int32_t clock, struct px_timespec *to);

/* boot_chart.c. When the libOS of the first process began; its program is loaded now. */
void px_boot_chart(uint64_t libos_tsc);

#endif
