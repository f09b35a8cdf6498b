/*
 * What processes ask each other, through proc (decision 0033). proc carries questions and answers and says who may ask whom; the asked process's libOS does
 * what it is asked in its own address space. Everything in an answer is that process's word and no more. A question or an answer lies in the message page of
 * who sends or takes it; proc copies it, and reads of it only the head.
 */
#ifndef PX_PROTO_TRACE_H
#define PX_PROTO_TRACE_H
#include <stdint.h>

#define PX_ASK_BYTES 4000u
struct px_question {
    uint32_t kind; /* enum px_ask */
    int32_t tid;   /* a thread of the asked process, or its pid */
    uint64_t word[3];
    uint32_t bytes; /* of data */
    uint32_t pad;
    uint8_t data[PX_ASK_BYTES];
};
_Static_assert(sizeof(struct px_question) <= 4096, "a message page");

/* Results are >= 0 or -errno; data goes both ways. */
enum px_ask {
    /* Who may trace may ask: */
    PX_ASK_TEXT = 1, /* word: object of /proc, offset, number: a part of the file's text */
    PX_ASK_LINK,     /* word: object, -, number: the text of a link of /proc */
    PX_ASK_THREADS,  /* word: -, where to begin: int32_t tids; result: where to go on, 0: that was all */
    PX_ASK_READ,     /* word: address, bytes, PX_ASK_AS_*: memory; result: bytes */
    PX_ASK_WRITE,    /* the same: data goes there; result: bytes */
    PX_ASK_DESCRIPTOR, /* word: descriptor: uint64_t ticket of a parcel (parcel.h) that it alone is in, for the asker to take and to drop */
    PX_ASK_ADVISE,     /* word: address, bytes, advice that changes nothing (px_advice_idle): as madvise answers */
    /* Who may send signals: */
    PX_ASK_SIGNAL, /* from the asker word: signal, code, value; to the asked data: struct px_siginfo */
    /* The tracer of `tid` (word: flags, for PX_ASK_ATTACH): */
    PX_ASK_ATTACH,
    PX_ASK_INTERRUPT,
    /* The tracer, while `tid` is in a stop that he has been told of: word: enum px_trace_part, offset; data. */
    PX_ASK_GET,
    PX_ASK_SET,
};
#define PX_ATTACH_SEIZE 1u
#define PX_ASK_AS_TRACER 1u /* -ESRCH unless it is stopped for the asker */
#define PX_ASK_AS_FORCE 2u  /* also where the program may not write itself, if the page is its own */

enum px_trace_part { PX_PART_REGS = 1, PX_PART_FPU, PX_PART_INFO, PX_PART_MASK, PX_PART_CALL, PX_PART_QUEUE };

/* Word 1 of PX_PROC_TRACE, of the traced process; w2 is the thread. */
enum px_trace_op {
    PX_TRACE_STOP = 1, /* w3 wait status, w4 message. Answer: w1 trace_seq to sleep on. -ESRCH: nobody traces it (any more) */
    PX_TRACE_GO,       /* Answer: w1 enum px_trace_go, w2 signal, w3 options. -EAGAIN: not yet, w1 trace_seq. -ESRCH */
    PX_TRACE_THREAD,   /* w3 a new thread, which is traced by the same tracer. -EAGAIN */
    PX_TRACE_END,      /* the thread has ended: w3 its wait status */
    PX_TRACE_EXEC,     /* the thread has executed a program: it is the first one now, and the only one */
};
enum px_trace_go { PX_GO_ON = 1, PX_GO_CALL, PX_GO_STEP, PX_GO_TRAP /* it was listened to, and SIGCONT has come */ };

/* Numbers of Linux's ABI (ptrace.h). */
enum px_ptrace {
    PTRACE_TRACEME, PTRACE_PEEKTEXT, PTRACE_PEEKDATA, PTRACE_PEEKUSER, PTRACE_POKETEXT, PTRACE_POKEDATA, PTRACE_POKEUSER, PTRACE_CONT, PTRACE_KILL,
    PTRACE_SINGLESTEP, PTRACE_GETREGS = 12, PTRACE_SETREGS, PTRACE_GETFPREGS, PTRACE_SETFPREGS, PTRACE_ATTACH, PTRACE_DETACH,
    PTRACE_SYSCALL = 24, PTRACE_SETOPTIONS = 0x4200, PTRACE_GETEVENTMSG, PTRACE_GETSIGINFO, PTRACE_SETSIGINFO, PTRACE_GETREGSET, PTRACE_SETREGSET,
    PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_LISTEN, PTRACE_PEEKSIGINFO, PTRACE_GETSIGMASK, PTRACE_SETSIGMASK, PTRACE_GET_SYSCALL_INFO = 0x420e,
};
#define PTRACE_O_TRACESYSGOOD 1u
#define PTRACE_O_TRACEFORK 2u
#define PTRACE_O_TRACEVFORK 4u
#define PTRACE_O_TRACECLONE 8u
#define PTRACE_O_TRACEEXEC 0x10u
#define PTRACE_O_TRACEVFORKDONE 0x20u
#define PTRACE_O_TRACEEXIT 0x40u
#define PTRACE_O_EXITKILL 0x100000u
#define PTRACE_O_KNOWN 0x10007fu
enum { PTRACE_EVENT_FORK = 1, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE, PTRACE_EVENT_EXEC, PTRACE_EVENT_VFORK_DONE, PTRACE_EVENT_EXIT,
       PTRACE_EVENT_STOP = 128 };
#define PX_STOP_GROUP 3u /* the message of a stop by job control; of calls it is 1 and 2, of signals 0 */
#define PX_STOP_STATUS(signo, event) (0x7fu | (uint32_t)(signo) << 8 | (uint32_t)(event) << 16)

/* Tids of threads other than the first are above all pids: the turn, the index in the process table, the thread's number. */
#define PX_TID_FIRST 0x40000
#define PX_TID_INDEX(tid) ((uint32_t)(tid) >> 9 & 0x1ffu)

#endif
