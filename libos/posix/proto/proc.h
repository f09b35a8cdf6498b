/*
 * Calls to proc. Word 0 is the operation; the answer's word 0 is 0 or a negative Linux errno. "msg" is the caller's message page.
 * The caller is known by its badge; nothing in a message names it.
 */
#ifndef PX_PROTO_PROC_H
#define PX_PROTO_PROC_H
#include <stdint.h>

enum px_proc_op {
    /* w1 flags (PX_FORK_*), w2 the thread; msg: struct exo_ctx_state in which the child begins. Answer: w1 pid of the child, w2 its table index, w3 and w4
     * handles, in the caller's slots, of the child's environment (map into it, fill slots, create contexts) and of its stopped context (start);
     * neither can be copied. The child's process, message and info pages, its entry of the table and slots 1..6 are in place. The caller maps
     * the rest and starts the context; no further message is needed. -ERESTARTNOINTR: signals wait for the caller that the child would miss. */
    PX_PROC_FORK = 1,
    /* w1 pid; w2 = 1: the caller could not go on, destroy the child. */
    PX_PROC_FORK_DONE,
    /* msg: comm[16], exe[256], u32 length, cmdline. The process has a new program (set PX_PF_EXECED, wake a vfork parent). */
    PX_PROC_EXEC,
    /* w1 wait status (as wait4 gives it), w2 1: fs and tty are to look what it leaves. No answer: the environment is destroyed. */
    PX_PROC_EXIT,
    /* w1 pid as in wait4, w2 options (WNOHANG is implied: the libOS sleeps on child_seq itself; WNOWAIT 0x01000000, WEXITED 4,
     * WUNTRACED 2, WCONTINUED 8). Answer: w1 pid or 0 (none yet), w2 status; with PX_WAIT_SPENT msg struct px_spent, of the child with its waited-for children;
     * w4 uid | number of children left << 32 | PX_WAIT_MORE if another one could be reported now | PX_WAIT_TRAPPED. -ECHILD. */
    PX_PROC_WAIT,
    /* w1 pid as in kill(2), w2 signal | si_errno << 32, w3 flags (PX_KILL_*) | si_code << 32, w4 sigqueue value.
     * From fs: w1 pid | sender << 32, w2 signal | uid << 32, w3 si_code. */
    PX_PROC_KILL,
    /* w1 pid, w2 pgid. */
    PX_PROC_SETPGID,
    PX_PROC_SETSID, /* answer: w1 sid */
    /* w1 what (enum px_cred), w2..w4 ids (-1: leave). PX_CRED_OF_THREAD: of a thread that goes by the struct px_cred_ids in msg, as each thread of Linux
     * has ids of its own; what it comes to is answered there, and the process's if that may have it. */
    PX_PROC_SETCRED,
    /* msg: u32 gids, w1 count */
    PX_PROC_SETGROUPS,
    /* w1 wait status of the stop, w2 signal. Answer w1: 1 if SIGCONT has come after the last such signal, or if the group is orphaned
     * and the signal is not SIGSTOP: the caller does not stop. Otherwise it sleeps while cont_seq is w2. The parent is told by child_seq,
     * and by SIGCHLD unless it has SA_NOCLDSTOP. */
    PX_PROC_STOPPED,
    /* Not needed: proc tells the parent when SIGCONT comes. Answers 0. */
    PX_PROC_CONTINUED,
    /* w1 which, w2 who, w3 value (setpriority semantics) */
    PX_PROC_SETPRIORITY,
    /* msg: name, w1 length. Host name of all. */
    PX_PROC_SETHOSTNAME,
    /* w1 -1 or terminal index: controlling terminal of the caller's session. Only tty may call this for another: w2 sid. */
    PX_PROC_SETTTY,
    /* Only tty: w1 pgid, w2 signal: to each member of the process group. */
    PX_PROC_TTYSIGNAL,
    /* Only tty: start the first process. w1: a label + 1 for a zone of its own, or 0. w4 carries a capability to a frame
     * block that proc maps at PX_BOOTARGS (read-write). Answer: w1 pid. */
    PX_PROC_SPAWN,
    /* w1 PR_SET_* option, w2 value: PR_SET_NAME: msg comm[16]; PR_SET_DUMPABLE; PR_SET_PDEATHSIG;
     * PR_SET_CHILD_SUBREAPER; PR_GET_CHILD_SUBREAPER: answer w1; PR_SET_KEEPCAPS: who changes from root may go on setting ids and groups,
     * until PR_CAPBSET_DROP */
    PX_PROC_PRCTL,
    /* w1 pid. Answer: w2 frames in use; msg struct px_usage. */
    PX_PROC_USAGE,
    /* w1 0: flush; 1: power off (RB_POWER_OFF), 2 restart, 3 halt: reboot(2). */
    PX_PROC_REBOOT,
    /* w1 page of the process table that the caller has not mapped yet: mapped read-only. */
    PX_PROC_TABLE,
    /* w1 label, msg: struct exo_zone_limits. A new zone below the caller's, and a child of the caller's in it that shares
     * nothing with it: a fresh libOS, stopped. Answer as PX_PROC_FORK; the caller maps a block of boot arguments (link.h)
     * at PX_BOOTARGS and starts the context. -EPERM: the caller's zone's label does not dominate the label. -EAGAIN: too
     * many zones or processes. */
    PX_PROC_ZONE,
    /* Answer: w1 a capability to the record of crossings. -EPERM: not root, or of a zone whose label may not read it. */
    PX_PROC_AUDIT,
    /* w1 pid. For root: answer w1 a capability to the process's environment, to ask it for memory and to take what it does not
     * give (RECLAIM, INSPECT); w2 the number of its zone, w3 its label. The process is told that demands may come
     * (PX_EVENT_DEMAND). -EPERM: not root; -ESRCH: the caller sees no living process with that pid. */
    PX_PROC_RECLAIM,
    /* w1 pid (0: the caller), w2 enum px_limit_name, with PX_LIMIT_SET also w3 the new soft and w4 the new hard limit. Answer: w3, w4 what they were
     * before. Another process is told by PX_EVENT_LIMIT, upon which it asks for its own. */
    PX_PROC_LIMIT,
    /* w1 va of a block (renew.h), w2 its pages. The process goes on in a fresh environment, and the caller's ends: no answer. */
    PX_PROC_RENEW,
    /* w1 node: root's processes say which their root directory is. */
    PX_PROC_CHROOT,
    /* Only fs: w1 badge of a process that executes a file with set-ID bits, w2 the file's uid | gid << 32, w3 PX_SETID_*. Answer w1: 1 if its
     * ids are these now. -EPERM: it is not fresh. */
    PX_PROC_SETID,
    PX_PROC_SETTIME, /* w1 what is added to the kernel's real-time clock from now on, for all. Root's, outside of zones. */
    /* w1 pid of the child that runs in the caller's environment (PX_FORK_LENT), w2 1: it executes a program, and what PX_PROC_EXEC says of it
     * lies PX_CLAIM_TEXT bytes into msg, which is otherwise as for PX_PROC_FORK. It gets an environment of its own. Answer w3, w4 as of PX_PROC_FORK.
     * -ESRCH: it has ended meanwhile. */
    PX_PROC_CLAIM,
    /* w1 pid of that child, w2 wait status: it ends. -ESRCH: it has ended already. */
    PX_PROC_LENT_EXIT,
    /* Questions (trace.h). w1 pid or tid; msg: struct px_question. Answer: w1 names the question; ask_seq in the process page changes when it is answered.
     * -ESRCH, -EPERM; -EAGAIN: too many are under way; -EIO: that process has left one without an answer. */
    PX_PROC_ASK,
    /* w1 question, w2 1: nobody waits any more. Answer: w1 result, msg: the answer. -EAGAIN: not yet. */
    PX_PROC_ANSWERED,
    /* Of the asked, after PX_EVENT_ASK: w1 names the next question, msg: the question. -EAGAIN: no more. */
    PX_PROC_QUESTION,
    /* w1 question, w2 result; msg: the answer. */
    PX_PROC_ANSWER,
    /* w1 enum px_ptrace, w2 tid, w3 and w4 as the request has them. Answer: w1, what the request answers. What proc does not know itself is asked for. */
    PX_PROC_PTRACE,
    /* w1 enum px_trace_op, w2 tid, w3, w4. */
    PX_PROC_TRACE,
    /* The owner of a description, who gets its signals: w1 the cookie of the one before or 0, w2 pid, a group's negated or 0: nobody, and the descriptor
     * << 32, w3 F_SETSIG's signal, w4 a random number. Answer: w1 a cookie, which whoever shares the description shows; 0: nobody. -ESRCH; -EAGAIN: too
     * many. */
    PX_PROC_OWNER,
    /* w1 cookie, w2 enum px_tell: the owner gets its signal. -ESRCH: the cookie is good no more. */
    PX_PROC_TELL,
    /* w1 pid (0: the caller), or with w2 1 one of enum px_server. msg: struct px_inspect (inspect.h). -ESRCH: the caller sees no living process with that
     * pid, or there is no such server; -EPERM: neither root nor the process's user, or, of a server, not root outside of zones. */
    PX_PROC_INSPECT,
};
/* Why: the codes of SIGIO, and SIGURG. */
enum px_tell { PX_TELL_IN = 1, PX_TELL_OUT, PX_TELL_MESSAGE, PX_TELL_ERROR, PX_TELL_URGENT_IN, PX_TELL_HUP, PX_TELL_URGENT };
#define PX_SETID_UID 1u
#define PX_SETID_GID 2u
#define PX_LIMIT_SET 0x100u
#define PX_CLAIM_TEXT 2048u


#define PX_EVENT_SIGNAL 1u /* event bit that proc posts: look at sig_pending */
#define PX_EVENT_DEMAND 4u /* that proc or the kernel posts: look at the ledger (2: PX_EVENT_TIMER, the libOS's own) */
#define PX_EVENT_LIMIT 16u /* that proc posts: somebody has changed a limit of this process (8: PX_EVENT_THREAD, the libOS's own) */
#define PX_EVENT_ASK 32u /* that proc posts: somebody has a question */
#define PX_WAIT_SPENT 0x02000000u
#define PX_WAIT_MORE (1ull << 63)
#define PX_WAIT_TRAPPED (1ull << 62) /* a stop that a tracer is told of */

#define PX_FORK_VFORK 1 /* child shares until exec: recorded as PX_PF_VFORK, parent sleeps on its child_seq */
#define PX_FORK_PARENT 2 /* CLONE_PARENT */
/* No environment yet: the child runs in the caller's until PX_PROC_CLAIM or PX_PROC_LENT_EXIT. The answer has no handles. One at a time: an earlier one is
 * killed. It is killed with its maker, too. What is posted to it is told to its maker (PX_EVENT_SIGNAL), as is its end by others. */
#define PX_FORK_LENT 4
#define PX_FORK_SIGNAL(number) (16u | (number) << 8) /* of its end its parent is told by this signal, or by none: 0; else by SIGCHLD */
#define PX_FORK_TRACED 8 /* the child has the tracer of the thread in w2 */

enum px_cred { PX_CRED_UID = 1, PX_CRED_GID, PX_CRED_REUID, PX_CRED_REGID, PX_CRED_RESUID, PX_CRED_RESGID, PX_CRED_FSUID, PX_CRED_FSGID };
#define PX_CRED_OF_THREAD 0x100u
#define PX_CRED_WITHOUT 0x200u /* as if nothing had been kept over the change from root: capset has it off */
struct px_cred_ids {
    uint32_t uid, euid, suid, gid, egid, sgid;
};

#define PX_KILL_SIGQUEUE 1 /* sigqueue: the code, which is negative, and the value in w4 */
#define PX_KILL_TKILL 2    /* code SI_TKILL */
#define PX_KILL_WORD(low, high) ((uint64_t)(low) | (uint64_t)(uint32_t)(high) << 32)

/* What a process has used so far, or several together. */
struct px_spent {
    uint64_t cpu_ns;
    uint64_t faults;        /* that the kernel has counted */
    uint64_t resident_most; /* pages that one of them had at once */
};
/* Of a process that is not known only itself: what it says in its process page. */
struct px_usage {
    struct px_spent own, children; /* those that were waited for */
    uint64_t pages;  /* of all its mappings */
    uint64_t pending, blocked, ignored, caught; /* signals */
    uint32_t threads;
    int32_t oom_score_adj;
    uint64_t ready; /* contexts that run or could */
};

#endif
