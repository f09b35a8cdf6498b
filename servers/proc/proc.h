/*
 * proc: the process table and what Linux says about processes, signals, groups, sessions and credentials. The logic (table, life, wait, kill, group,
 * credentials, serve) does not call the kernel: everything that does is behind the machine_ functions, which the host tests replace.
 *
 * `struct process` is the truth and private; px_proc (proctab.h) is what is published of it. Index 0 is the table's header, index 1 is init: a
 * process without an environment, parent of orphans, which it reaps at once.
 */
#ifndef PROC_H
#define PROC_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../libos/posix/linux.h"
#include "../../libos/posix/proto/inspect.h"
#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/limit.h"
#include "../../libos/posix/proto/proc.h"
#include "../../libos/posix/proto/proctab.h"
#include "../../libos/posix/proto/renew.h"
#include "../../libos/posix/proto/server.h"
#include "../../libos/posix/proto/trace.h"

#define INIT 1u
/* What the kernel says of an environment's death: whose it was, and the how many-th. */
#define PX_COOKIE(index, gen, life) (PX_BADGE(index, gen) | (uint64_t)(life) << 48)
#define PX_COOKIE_BADGE(cookie) ((cookie) & 0xfffffffffffful)
#define PX_COOKIE_LIFE(cookie) ((cookie) >> 48)
#define PID_MAX 32768
#define ZONES_MAX 32u
#define ZONES_BELOW 3u /* zones that one zone of programs can have below it, at whatever depth */
#define ZONE_PROCESSES 128u /* most that a zone can have: its share of the table */
#define ZONE_PID_COUNT 512  /* more than a zone can have processes, groups and sessions of which somebody is left */
#define ZONE_PIDS(zone) (PID_MAX + (int32_t)(zone) * ZONE_PID_COUNT)
#define NO_TTY (-1)
#define SIGNAL_MAX 64u
#define ERESTARTNOINTR 513 /* the libOS makes the call again when it has taken its signals */
#define SI_KERNEL 128
#define SI_USER 0
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define STATUS_CONTINUED 0xffff

struct process {
    uint32_t state; /* enum px_state */
    uint32_t gen;
    int32_t pid, pgid, sid;
    uint32_t parent; /* index */
    uint32_t zone;   /* zone.c */
    uint32_t flags;  /* enum px_proc_flags */
    int32_t status;  /* of a zombie, or of the stop */
    bool stop_news, continue_news; /* not yet told by wait */
    uint32_t cont_seq;
    uint64_t stops; /* stop signals since the last SIGCONT: what SIGCONT has overtaken stops nobody */
    bool killed;    /* SIGKILL has come: life_end_killed ends it */
    int32_t forked; /* the child that it made last, which it may not have started yet */
    uint32_t maker; /* index of who forked it: its parent, but for CLONE_PARENT */
    bool lent;      /* has no environment yet, and runs in its maker's (vfork) */
    uint32_t lends; /* index of the child that runs in this one's environment, or 0 */
    int32_t tty, nice, death_signal, dumpable;
    uint8_t exit_signal; /* tells its parent of its end; 0: none does */
    uint32_t uid, euid, suid, gid, egid, sgid, fsuid, fsgid;
    uint64_t start_ns;
    struct px_spent spent, child_spent; /* in environments that are gone; its children that were waited for */
    int32_t tracer;     /* pid of the first thread's */
    uint32_t tracees;   /* threads that somebody traces */
    uint32_t trace_seq; /* as its page says, unless it has written there */
    bool mute;          /* has left a question without an answer */
    bool subreaper; /* orphans among its descendants become its children */
    bool keeps;     /* PR_SET_KEEPCAPS */
    bool may_set;   /* was root's and has kept CAP_SETUID and CAP_SETGID: it may take any user and groups */
    bool fresh;     /* renewed, and has run no program since: renew.c */
    uint16_t life;  /* times that it was renewed */
    uint64_t root;  /* node of its root directory; 0: the file system's */
};

extern struct process processes[PX_PROCS_MAX];
extern struct px_proctab *table; /* the published table; entries behind it are px_proc */

/* ---- the machine: kernel calls (machine.c), or a fake (tests) ------------------------------------------------------------------ */

/* Pages shared with the process of an index. Valid once machine_index_ready has answered 0. */
struct px_ppage *machine_ppage(uint32_t index);
void *machine_message(uint32_t index);
/* Makes sure that the index has its pages and a place in the table, and clears them. 0 or -ENOMEM. */
int64_t machine_index_ready(uint32_t index);
/* A place in the tables of the zone, and of those above: 0 or -ENOMEM. */
int64_t machine_view_ready(uint32_t zone, uint32_t index);
/* The table that processes of the zone read; zone 0: the whole. */
struct px_proctab *machine_view(uint32_t zone);
/* The kernel's zone. 0 or a negative errno. */
int64_t machine_zone_make(uint32_t zone, uint32_t parent, unsigned label, const struct exo_zone_limits *limits);
void machine_zone_end(uint32_t zone);
/* Puts a capability to the record of crossings into the process's slots: its handle or a negative errno. */
int64_t machine_give_audit(uint32_t index);
/* Puts a capability to ask process `index` for memory into the caller's slots, and tells the process: the handle or a negative errno. */
int64_t machine_give_reclaim(uint32_t caller, uint32_t index);
/* What the kernel tells of the environment of a process, or of a server (enum px_server): 0 or -ESRCH. */
int64_t machine_inspect(uint32_t index, struct px_inspect *answer);
int64_t machine_inspect_server(uint64_t who, struct px_inspect *answer);
/* An environment for the child `index`, with everything but its memory, and a stopped context in `state`. The two handles are in the parent's slots. */
struct machine_child {
    uint64_t env, ctx;
};
int64_t machine_fork(uint32_t parent, uint32_t index, const struct exo_ctx_state *state, struct machine_child *child);
/* The first process: as above, with the libOS in it and the boot arguments from the frame block; started. */
int64_t machine_spawn(uint32_t index, uint64_t boot_frames);
/* The first process of a zone: as machine_spawn, but the boot arguments are the parent's to map, and the context is its to start. */
int64_t machine_spawn_in(uint32_t parent, uint32_t index, struct machine_child *child);
/* The process goes on in a fresh environment, with the block at `from` of the old one (renew.h). 0; a negative errno: it is as it was; -EFAULT: it must end. */
int64_t machine_renew(uint32_t index, uint64_t from, uint64_t pages, uint64_t root);
/* The pages of the index may be others' to write to: its next process gets new ones. */
void machine_soil(uint32_t index);
/* Has the child that machine_fork made ever been started? */
bool machine_started(uint32_t index);
void machine_destroy(uint32_t index, int32_t status);
void machine_post(uint32_t index); /* event PX_EVENT_SIGNAL */
void machine_post_limit(uint32_t index); /* PX_EVENT_LIMIT */
void machine_post_ask(uint32_t index); /* PX_EVENT_ASK */
void machine_wake(uint32_t *word);
uint64_t machine_now_ns(void);
uint64_t machine_gas_used(void); /* by all processes */
/* Also what its page says, which is its own. */
void machine_spent(uint32_t index, struct px_spent *spent);
/* What the kernel tells of the process's environment; false: there is none. */
bool machine_figures(uint32_t index, struct exo_env_info *figures);
/* Notifications (PX_NOTE_*) to fs and tty. */
void machine_notify_fs(uint64_t bits);
void machine_notify_tty(uint64_t bits);
/* Maps a page of the table into the process. */
int64_t machine_map_table(uint32_t index, uint32_t page);
void *machine_page(void); /* of zeros, for proc itself, for good; NULL: there is none */
void machine_power(unsigned how);
void machine_drop(uint64_t handle);

/* ---- table.c ---- */

void table_start(void);
/* Lowest free index, ready for use by a process of the zone, or -EAGAIN, -ENOMEM. */
int64_t table_take(uint32_t zone);
int32_t table_new_pid(uint32_t zone);
/* The living or dead process with that pid, or 0. */
uint32_t table_find(int32_t pid);
/* As table_find, if the caller sees it. */
uint32_t table_find_seen(uint32_t caller, int32_t pid);
/* The process behind a badge, or 0 if that one is gone. */
uint32_t table_by_badge(uint64_t badge);
void table_free(uint32_t index);
/* Copies what is published of a process; the sequence is bumped around it. */
void table_publish(uint32_t index);
void table_change_begin(void);
void table_change_end(void);
static inline void proc_spent_add(struct px_spent *to, struct px_spent more)
{
    to->cpu_ns += more.cpu_ns;
    to->faults += more.faults;
    to->resident_most = more.resident_most > to->resident_most ? more.resident_most : to->resident_most;
}

/* A zombie's, and its children's. */
static inline struct px_spent proc_spent_both(uint32_t index)
{
    struct px_spent spent = processes[index].spent;

    proc_spent_add(&spent, processes[index].child_spent);
    return spent;
}

static inline struct px_proc *table_entry(uint32_t index)
{
    return PX_PROC(table, index);
}
/* Has a process that could still run code. */
static inline bool is_alive(uint32_t index)
{
    return processes[index].state == PX_RUNNING || processes[index].state == PX_STOPPED;
}
uint32_t table_end(void); /* indices in use are below */
void table_tell_end(uint32_t *ends); /* bumps the word and wakes who sleeps on it */

/* ---- zone.c ---- */

void zone_start(void);
unsigned zone_label(uint32_t zone);
bool zone_used(uint32_t zone);
/* A new zone below `parent`; it ends when its last process leaves, or at once by zone_close_if_empty. Index, -EINVAL, -EPERM, -EAGAIN, -ENOMEM. */
int64_t zone_open(uint32_t parent, unsigned label, const struct exo_zone_limits *limits);
void zone_close_if_empty(uint32_t zone);
void zone_join(uint32_t zone);
void zone_leave(uint32_t zone);
uint64_t zone_members(uint32_t zone); /* those of zones below included */
bool zone_is_full(uint32_t zone);
/* The zone is `above` or below it. */
bool zone_within(uint32_t zone, uint32_t above);
/* A process of the zone sees the process. */
bool zone_sees(uint32_t zone, uint32_t index);
int32_t zone_next_pid(uint32_t zone);
void zone_show_time(void); /* table->wall_shift_ns, to all zones */
/* Shows a process as it is now to all zones that see it. */
void zone_show(uint32_t index);

/* ---- life.c ---- */

/* `label`: of a zone of its own for the first process, or EXO_LABELS for none. */
int64_t life_spawn(uint64_t boot_frames, unsigned label, int32_t *pid);
struct fork_answer {
    int32_t pid;
    uint32_t index;
    struct machine_child child;
};
int64_t life_fork(uint32_t parent, uint64_t flags, const struct exo_ctx_state *state, struct fork_answer *answer);
/* A child of the caller's in a new zone, which shares nothing with it. */
int64_t life_spawn_in(uint32_t caller, unsigned label, const struct exo_zone_limits *limits, struct fork_answer *answer);
int64_t life_fork_failed(uint32_t parent, int32_t pid);
struct exec_text;
/* The child that runs in the maker's environment gets its own; `text`: and a new program, unless NULL. */
int64_t life_claim(uint32_t maker, int32_t pid, const struct exo_ctx_state *state, const struct exec_text *text, struct fork_answer *answer);
int64_t life_lent_exit(uint32_t maker, int32_t pid, int32_t status);
struct exec_text { /* message page of PX_PROC_EXEC */
    char comm[16];
    char exe[256];
    uint32_t length;
    char cmdline[368];
};
void life_exec(uint32_t index, const struct exec_text *text);
/* The end, whatever its cause. `orderly`: the libOS has closed its descriptors itself. */
void life_end(uint32_t index, int32_t status, bool orderly);
/* The machine ends with this status, whoever still runs. */
void life_end_run(int32_t status);
/*
 * SIGKILL in two steps, as on Linux, where the killed process ends by itself a moment after kill(2) has returned: shells print what they do in that order.
 * Nothing that a killed process says is heard any more: serve() ends those that wait first.
 */
void life_kill(uint32_t index);
bool life_kills_wait(void);
static inline bool life_is_killed(uint32_t index) /* and is to be ended yet; false for nobody */
{
    return index && processes[index].killed;
}
void life_end_killed(void);
void life_reap(uint32_t index);
void life_stopped(uint32_t index, int32_t status);
void life_continued(uint32_t index);

/* ---- renew.c ---- */

/* As PX_PROC_RENEW: 0 if the caller is gone, and another is there in its place. */
int64_t renew_process(uint32_t index, uint64_t from, uint64_t pages);
int64_t renew_root(uint32_t index, uint64_t node);
/* From fs: the process executes a file of this owner. 1: these are its ids now; 0: they are not to be raised. */
int64_t renew_ids(uint32_t index, uint32_t uid, uint32_t gid, uint64_t which);
/* It has executed something, in whatever environment. */
void renew_executed(uint32_t index);

/* ---- wait.c ---- */

struct wait_answer {
    int32_t pid, status; /* pid 0: nothing yet */
    struct px_spent spent;
    uint32_t uid, children;
    bool more, trapped; /* trapped: a stop that its tracer is told of */
};
int64_t wait_child(uint32_t parent, int32_t pid, uint64_t options, struct wait_answer *answer);

/* ---- kill.c ---- */

bool kill_allowed(uint32_t caller, uint32_t target, uint64_t signo);
int64_t kill_call(uint32_t caller, int32_t pid, uint64_t signal, uint64_t flags, uint64_t value); /* as PX_PROC_KILL has them */
int32_t kill_code(int32_t code); /* si_code, made one that a sender may choose */
/* Posts without asking for permission. */
void kill_post(uint32_t index, const struct px_siginfo *info);
/* A signal waits that the process is about to take. */
bool kill_is_due(uint32_t index);
/* From the system (terminals, orphaned groups): to every member of the group. Members reached. */
unsigned kill_group(int32_t pgid, int signo);

/* ---- owner.c ---- */

struct owner_wish {
    int32_t who, fd;
    uint64_t signal, nonce;
};
/* As PX_PROC_OWNER. *cookie: the one before, and the new one. */
int64_t owner_set(uint32_t caller, const struct owner_wish *wish, uint64_t *cookie);
int64_t owner_tell(uint64_t cookie, uint64_t reason);

/* ---- group.c ---- */

int64_t group_setpgid(uint32_t caller, int32_t pid, int32_t pgid);
int64_t group_setsid(uint32_t caller, int32_t *sid);
/* No member has a parent outside of the group and inside the session; `without` does not count (0: nobody). */
bool group_is_orphaned(int32_t pgid, uint32_t without);
bool group_has_stopped(int32_t pgid);
void group_set_tty(int32_t sid, int32_t tty);

/* ---- credentials.c ---- */

/* `thread`: as PX_CRED_OF_THREAD; else NULL. */
int64_t credentials_set(uint32_t index, uint64_t what, uint32_t first, uint32_t second, uint32_t third, struct px_cred_ids *thread);
int64_t credentials_set_groups(uint32_t index, const uint32_t *groups, uint64_t count);
int64_t credentials_set_priority(uint32_t index, uint64_t which, uint32_t who, int64_t value);

/* ---- inspect.c: looks at an environment for the caller, into its message page ---- */

int64_t inspect(uint32_t caller, int32_t pid);
int64_t inspect_server(uint32_t caller, uint64_t who);

/* ---- limit.c ---- */

extern struct px_rlimit rlimits[PX_PROCS_MAX][PX_RLIMITS]; /* of each process */
void limits_begin(uint32_t index); /* of who inherits nothing */
/* `set` NULL: only asks. *old: what was before. */
int64_t limit_call(uint32_t caller, int32_t pid, uint64_t which, const struct px_rlimit *set, struct px_rlimit *old);
/* RLIMIT_NPROC lets the process's user have one more. */
bool limit_allows_fork(uint32_t index);

/* ---- ask.c ---- */

/* The living process that has this thread, if the caller sees it, or 0. Whether there is such a thread only its libOS knows. */
uint32_t ask_target(uint32_t caller, int32_t tid);
/* The caller's message page has a question for the process: 0 and its number, or a negative errno. */
int64_t ask_put(uint32_t caller, int32_t tid, uint64_t *id);
/* The process has an environment of its own now, to which it was not posted. */
void ask_claimed(uint32_t index);
int64_t ask_answered(uint32_t caller, uint64_t id, bool give_up, uint64_t *result);
int64_t ask_next(uint32_t caller, uint64_t *id);
int64_t ask_answer(uint32_t caller, uint64_t id, int64_t result);
void ask_ended(uint32_t index);

/* ---- trace.c ---- */

/* ptrace's access check: by the real ids (attach) or the effective ones (reading). */
bool trace_may(uint32_t caller, uint32_t target, bool attach);
bool trace_by(uint32_t caller, int32_t tid, bool stopped);
/* The process's first thread is traced by its parent. */
bool trace_parent_traces(uint32_t index);
void trace_refused(uint32_t tracer, int32_t tid);
int64_t trace_call(uint32_t caller, uint64_t request, int32_t tid, uint64_t address, uint64_t data, uint64_t *answer);
int64_t trace_told(uint32_t caller, uint64_t word[5]);
void trace_forked(uint32_t parent, int32_t tid, uint32_t child);
/* SIGCONT has come. */
void trace_continued(uint32_t index);
void trace_ended(uint32_t index, int32_t status);
/* Nobody traces the process any more. */
void trace_leave(uint32_t index);
/* News of those that this process traces, counted as children; false: none could ever come. */
bool trace_wait(uint32_t tracer, int32_t pid, uint64_t options, struct wait_answer *answer);

/* ---- serve.c ---- */

struct exo_message;
/* Handles one message; true if `message` is an answer to send. */
bool serve(struct exo_message *message);

#endif
