/*
 * The process table, written by proc, mapped read-only everywhere at PX_PROCTAB, and the process page, one per process. The servers see it whole;
 * processes of a zone see a table of their zone's: the same entries, without those that are not theirs to see.
 * A reader takes `seq` before and after (odd: being changed) when it needs several fields to agree.
 */
#ifndef PX_PROCTAB_H
#define PX_PROCTAB_H
#include <stdint.h>

#define PX_PROCTAB_VERSION 1u
#define PX_PROCS_MAX 508u /* entries of 1 KiB in 127 pages; the 128th page is px_ttypage */

enum px_state {
    PX_FREE = 0,
    PX_EMBRYO,  /* environment made, not started */
    PX_RUNNING, /* running or sleeping: /proc shows S or R */
    PX_STOPPED, /* by a job-control signal */
    PX_ZOMBIE,
};

struct px_proc {
    _Alignas(1024) uint32_t state; /* enum px_state */
    uint32_t gen;   /* generation of this entry: part of the badge */
    int32_t pid, ppid, pgid, sid;
    uint32_t uid, euid, suid, gid, egid, sgid;
    uint32_t ngroups;
    uint32_t groups[32];
    int32_t status;    /* wait status of a zombie or of the last stop */
    int32_t tty;       /* controlling terminal: index in tty, or -1 */
    uint32_t flags;    /* enum px_proc_flags */
    uint64_t start_ns; /* monotonic time of fork */
    uint64_t cpu_ns;   /* of a zombie; of the living: ask the kernel */
    uint64_t child_cpu_ns;
    int32_t nice;
    uint32_t umask_hint; /* informational, for /proc */
    int32_t dumpable;
    uint16_t zone, label; /* proc's number of the zone, and its label: for the servers */
    uint64_t fs_env; /* fs's handle on this process's environment; for fs */
    char comm[16];
    char exe[256];     /* absolute path of the program */
    int32_t tracer;    /* pid of the first thread's tracer, or 0 */
    uint32_t cmdline_len;
    uint32_t fsuid, fsgid; /* what access to files goes by: the effective ones, unless setfsuid(2) and setfsgid(2) said otherwise */
    char cmdline[368]; /* arguments, each ended by NUL, cut off at the end */
};
_Static_assert(sizeof(struct px_proc) == 1024, "four entries to a page");

enum px_proc_flags {
    PX_PF_EXECED = 1,  /* has executed since fork: setpgid by the parent fails with EACCES */
    PX_PF_LEADER = 2,  /* session leader */
    PX_PF_VFORK = 4,   /* parent sleeps until exec or exit */
    PX_PF_NO_NEW_PRIVS = 8, /* prctl(PR_SET_NO_NEW_PRIVS), for good */
    PX_PF_TRAPPED = 16, /* the first thread is stopped for its tracer */
};

/* Entry 0 is the table's header; process entries are 1 .. PX_PROCS_MAX-1. */
struct px_proctab {
    _Alignas(1024) uint32_t version;
    uint32_t seq;        /* bumped before and after each change */
    uint32_t change;     /* bumped after each change of any process's state; a word to wait on */
    uint32_t count;      /* processes alive, zombies included */
    int32_t first_pid;   /* pid of the first process (the command of exo run) */
    int32_t first_done;  /* 1 when it has ended */
    int32_t first_status; /* its wait status */
    int32_t last_pid;
    uint64_t forks;      /* since boot */
    uint32_t entries;    /* no entry at or above this index has ever been used: scans end here */
    uint32_t table_pages; /* pages of the table that exist; the others are mapped when somebody looks (PX_PROC_TABLE) */
    char hostname[65];
    uint64_t gas_used;   /* by all processes, when the first one has ended */
    uint32_t ends; /* bumped when a process ends, and then its sleepers are woken */
    int64_t wall_shift_ns; /* what clock_settime has added to the kernel's real-time clock: atomic */
    uint64_t begun_tsc, ready_tsc; /* proc's first instruction, and when it first received */
};
#define PX_STATUS_GAS 0x10000 /* first_status beyond what wait tells: the run was ended because its gas was used up */
_Static_assert(sizeof(struct px_proctab) == 1024, "header is one entry");
#define PX_PROC(table, index) (&((struct px_proc *)(table))[index])

/* A queued signal's siginfo, the part that must travel. */
struct px_siginfo {
    int32_t signo, code, pid, uid;
    int32_t status; /* SIGCHLD */
    int32_t errno_;
    uint64_t value; /* sigqueue */
};

#define PX_SIGQUEUE 16u
#define PX_HAZARDS 352u
/* An entry of the list: the inode's number, and what is done with it. */
#define PX_HAZARD_WRITES 0x80000000u /* opened for writing */
#define PX_HAZARD_RUNS 0x40000000u   /* the program that runs */
#define PX_HAZARD_INO(entry) ((entry) & 0x1fffffu) /* PX_META_PAGES_MAX is less */
#define PX_HAZARDS_ANY (PX_HAZARDS + 1) /* as hazard_count: there are more than the list has room for, so it may be any */

/*
 * The process page at PX_PPAGE: shared by one process, proc and fs. The process may write nonsense here and hurts only itself:
 * servers read every word once and check it. Fields say who writes them.
 */
struct px_ppage {
    uint32_t version;
    int32_t index;          /* own entry in the table                                     (proc) */
    uint64_t sig_pending;   /* bit n-1: signal n waits to be taken                         (proc sets, libOS clears; atomics) */
    uint32_t sig_seq;       /* bumped with each posted signal: a word to wait on           (proc) */
    uint32_t child_seq;     /* bumped when a child changes state: a word to wait on        (proc) */
    struct px_siginfo sig_info[65]; /* latest siginfo of standard signal n                 (proc) */
    uint32_t queue_head, queue_tail; /* real-time signals: proc appends, libOS takes */
    struct px_siginfo queue[PX_SIGQUEUE];
    uint64_t sig_blocked;   /* copy of the mask, for /proc and for SIGCONT decisions       (libOS) */
    uint64_t sig_ignored;   /* bits of signals whose disposition is ignore: proc does not post them (libOS) */
    uint64_t sig_caught;    /* (libOS) */
    uint32_t cont_seq;      /* bumped by SIGCONT: a stopped libOS waits on it              (proc) */
    uint32_t hazard_count;  /* entries in use below                                        (libOS) */
    uint32_t child_flags;   /* PX_CHILD_*: the disposition of SIGCHLD                      (libOS) */
    uint32_t ask_seq;       /* bumped when a question of this process has an answer: a word to wait on (proc) */
    uint32_t trace_seq;     /* bumped when a traced thread may go on: a word to wait on    (proc) */
    /* for /proc */
    uint32_t more_threads;  /* than the first one                                          (libOS) */
    int32_t oom_score_adj;  /* children have their parent's                                (libOS, proc) */
    uint32_t resident_most; /* pages of its mappings that were there at once, as far as it noticed (libOS) */
    uint64_t mapped_pages;  /* of all mappings                                             (libOS) */
    /* fs reads this: inodes open, mapped or current directory here */
    uint32_t hazard[PX_HAZARDS];
};
_Static_assert(sizeof(struct px_ppage) <= 4096, "one page");
#define PX_CHILD_NOSTOP 1u /* SA_NOCLDSTOP: no SIGCHLD when a child stops or continues */
#define PX_CHILD_NOWAIT 2u /* SA_NOCLDWAIT or SIG_IGN: children leave no zombie */
#endif
