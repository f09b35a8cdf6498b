/*
 * ptrace inside the libOS (docs/decisions/0033-ptrace.md). A traced thread stops itself, says so to proc, and answers its tracer's questions out of its own
 * memory meanwhile. What is kept of it here exists while it is traced. All of it is touched with the lock of thread.h held.
 */
#ifndef PX_TRACE_H
#define PX_TRACE_H
#include "entry.h"
#include "proto/trace.h"

#define PX_FPU_BYTES 512u /* what FXSAVE writes */

struct px_tracee {
    _Alignas(16) uint8_t fpu[PX_FPU_BYTES]; /* of the program, while it is stopped */
    bool seized, stopped;
    bool fpu_changed;
    bool renewed;       /* it has another tracer than when it stopped */
    bool step;          /* one instruction, and then a trap */
    bool has_info;      /* the stop is for a signal, or looks like one: PTRACE_GETSIGINFO */
    bool in_call;       /* between a stop at a call's beginning and its end */
    uint8_t call_stop;  /* PTRACE_SYSCALL_INFO_* */
    uint32_t go, options;
    unsigned executed;  /* px_exec_count when it was looked at */
    int signal;         /* to go on with */
    int64_t called;     /* Linux's orig_rax: the call that the registers are at, or -1 */
    uint64_t tls;
    struct px_siginfo info;
};

#define PX_SLOW_TRACE 16u /* px_entry_slow: threads are traced */
extern unsigned px_traced; /* how many threads are */

#define PX_CALL_NONE 0u
#define PX_CALL_ENTRY 1u
#define PX_CALL_EXIT 2u

/* ---- of the traced ---- */

/* PTRACE_TRACEME, and an attach: from now on, as proc knows already. `stop`: it begins with the stop that tells the tracer. 0 or -ENOMEM. */
int64_t px_trace_begin(struct px_thread *thread, bool seized, uint32_t options, bool stop);
void px_trace_drop(struct px_thread *thread);
/* A stop in the middle of a call for an event that the tracer wants to hear of, or nothing. */
void px_trace_event(unsigned event, uint64_t message);
bool px_trace_wants(uint32_t option);
/* At the beginning of a call: its number, or ~0: no call is to be made, the result is in the registers. */
uint32_t px_trace_enter(struct exo_regs *regs);
/* At its end: the result. */
int64_t px_trace_exit(struct exo_regs *regs, uint32_t number, int64_t result);
/* Before signals are looked at: what the tracer has asked for. */
void px_trace_attend(struct exo_regs *regs, struct px_interrupted *call);
/* The tracer decides about a signal: false: there is none any more. */
bool px_trace_signal(struct exo_regs *regs, struct px_interrupted *call, struct px_siginfo *info);
/* A handler has been entered. */
void px_trace_handler(void);
/* The process has been stopped by a job-control signal. */
void px_trace_group(int signo);
/* In the child. */
void px_trace_fork_child(bool traced, bool seized, uint32_t options);
/* Another thread of a process; the present one is traced. */
void px_trace_thread(struct px_thread *thread);
void px_trace_thread_ended(struct px_thread *thread, int status);
/* The first thread goes on as this one. */
void px_trace_move(struct px_thread *from, struct px_thread *to);
/* The tracer's questions: result or -errno. */
int64_t px_trace_answer(struct px_question *question);
/* The program goes on, with one instruction alone: does not return. */
_Noreturn void px_step(void);
_Noreturn void px_step_serve(void);
void px_step_fork_child(void);

/* ---- registers (arch/.../trace_regs.c): 0 or -errno ---- */

#define PX_USER_REGS_BYTES 216u /* struct user_regs_struct */
void px_arch_trace_regs(const struct px_thread *thread, uint8_t to[PX_USER_REGS_BYTES]);
int64_t px_arch_trace_set_regs(struct px_thread *thread, const uint8_t from[PX_USER_REGS_BYTES]);
int64_t px_arch_trace_set_fpu(struct px_tracee *trace, const uint8_t from[PX_FPU_BYTES]);
/* struct ptrace_syscall_info; its size. */
uint32_t px_arch_trace_call(const struct px_thread *thread, uint8_t to[88]);

/* ---- of who asks (question.c) ---- */

/* The answer replaces the question. Result >= 0 or -errno; -EIO: it has no answer in a long time. Not for one's own process. */
int64_t px_ask(int32_t tid, struct px_question *question);
/* Of who is asked. */
void px_ask_answer(void);
/* One question of /proc, with at most PX_ASK_BYTES of answer. */
int64_t px_ask_proc(int32_t pid, enum px_ask kind, uint64_t object, uint64_t offset, uint64_t number, void *to, size_t bytes);
/* Memory of another process: bytes moved, or -errno if none. as: PX_ASK_AS_*. */
int64_t px_ask_read(int32_t tid, uint64_t address, void *to, size_t bytes, unsigned as);
int64_t px_ask_write(int32_t tid, uint64_t address, const void *from, size_t bytes, unsigned as);
/* Between the program's memory at `program` and that of a process, which may be the caller's, at `other`: bytes moved, 0 if none can be reached, or -errno. */
int64_t px_ask_move(int32_t pid, bool write, px_user program, uint64_t other, uint64_t bytes, unsigned as);
/* Own memory by the same rules. */
size_t px_memory_peek(void *to, uint64_t address, size_t bytes);
size_t px_memory_poke(uint64_t address, const void *from, size_t bytes, bool force);
/* The parent's or tracer's next wait asks proc. */
void px_children_unknown(void);

#endif
