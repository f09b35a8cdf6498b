/*
 * Inside the POSIX library OS: what its files owe each other. The libOS is one static program mapped at PX_IMAGE in every process; its
 * data is private to the process and copied on fork. It runs on its own stack, with events masked, never touches FPU registers,
 * and takes nothing from the program on trust: a program address is a px_user until px_copy_* has moved the bytes.
 *
 * Results are Linux's: >= 0, or -errno. A call that a signal interrupted returns one of the -PX_ERESTART* and entry.c decides.
 *
 * Who writes what:
 *   entry/   PROC   arch/x86_64/entry.S, upcall.c, signal.c, process.c (fork, exit, wait, kill, ids), start.c
 *   mm/      MM     vma.c, fault.c, copy.c, heap.c, exec.c, elf.c, auxv
 *   fs/      FILES  path walk, inodes, windows, calls on paths, regular files and directories
 *   fd/      FD     descriptors, open file descriptions, pipes, poll, devices, /proc, strace, time, miscellany, calls.tab
 *   socket/  SOCKET sockets
 *   tty/     TTY    terminals from the client's side
 */
#ifndef PX_H
#define PX_H
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/capability.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/string.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux.h" /* Linux's numbers and structures, as far as the libOS uses them */
#include "proto/layout.h"
#include "proto/parcel.h"
#include "proto/proctab.h"

typedef uint64_t px_user; /* an address that the program gave: not yet believed */

#define PX_ERESTARTSYS 512        /* restart if SA_RESTART, else EINTR */
#define PX_ERESTARTNOINTR 513     /* always restart */
#define PX_ERESTARTNOHAND 514     /* restart if no handler ran, else EINTR */
#define PX_ERESTART_BLOCK 516     /* restart through restart_syscall (nanosleep, poll) */

#define PX_DEADLINE_NEVER EXO_DEADLINE_NEVER

/* ---- entry (PROC) ------------------------------------------------------------------------------------------------ */

/* A call's body: the six arguments as the program gave them. */
typedef int64_t px_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/* Tables made from calls.tab, by number. */
extern px_call *const px_bodies[]; /* NULL: ENOSYS and counted */
struct px_call_entry {
    const char *name;
    const char *format; /* argument kinds, for strace: calls.tab says which */
};
extern const struct px_call_entry px_calls[];
extern const unsigned px_calls_count;
extern uint32_t px_missing[]; /* how often each missing call was asked for */

/* The program's registers at the present system call or upcall; may be changed (sigreturn, execve, signal delivery). */
struct exo_regs *px_regs(void);

/* Direct entry: the address that AT_EXO_CALL (auxv 0x65786f) gives to programs: called like a function with the number in RAX and Linux's
 * argument registers, without entering the kernel. */
void px_direct_entry(void) __attribute__((visibility("hidden")));

/*
 * What each system call, or a hand-over between processes, runs and touches: kept together. After a change of address space each page costs a walk of the
 * page tables, and under TCG that is most of what a change takes.
 */
#define PX_HOT __attribute__((hot))
/* What one call after another runs, in pages of its own that no function crosses (posix.ld): TCG chains jumps within a page only. */
#define PX_PACKED(page) __attribute__((hot, section(".text.packed." #page)))
/* With all that it calls in one piece: a return looks up where it goes, a jump within a page does not. What is seldom done says PX_APART. */
#define PX_WHOLE __attribute__((flatten))
#define PX_APART __attribute__((noinline))
#define PX_HOT_DATA __attribute__((section(".data.hot")))
#define PX_HOT_TABLE __attribute__((section(".tables")))

static inline struct px_ppage *px_ppage(void)
{
    return (struct px_ppage *)PX_PPAGE;
}
static inline const struct exo_info *px_info(void)
{
    return (const struct exo_info *)PX_INFO;
}
static inline const struct px_proctab *px_proctab(void)
{
    return (const struct px_proctab *)PX_PROCTAB;
}
/* This process's entry of the process table. */
static inline const struct px_proc *px_self(void)
{
    return PX_PROC(PX_PROCTAB, px_ppage()->index);
}
/* The entry of a pid, 0 for the own one; NULL: there is no such process. */
const struct px_proc *px_process_find(int32_t pid);

/*
 * Sleeps until a predicate no longer holds (returns its index), the deadline of the monotonic clock passes (-ETIMEDOUT) or a signal that
 * is not blocked arrives (-PX_ERESTARTSYS). At most EXO_WAIT_MAX predicates. Predicates name words (exo_predicate) that others change and wake.
 */
int64_t px_wait(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns);
int64_t px_wait_word(const uint32_t *word, uint32_t value, uint64_t deadline_ns);
/* The same on words in PX_SHARED, whose changers wake only if *waiters is not 0. With several processors it looks for a moment before it sleeps. */
int64_t px_wait_counted(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns, uint32_t *waiters);
bool px_signal_waiting(void); /* a signal that is neither blocked nor ignored waits */
/* For ppoll, pselect6, epoll_pwait, rt_sigsuspend: `mask` holds until the end of the present call; the old one
 * returns after a handler that ran because of it. */
void px_signal_mask_for_call(uint64_t mask);

/* Calls to servers through the message page. Fill *message; the answer replaces it. Returns word 0 of the answer (>= 0 or -errno); -EIO if the
 * server is gone. px_msg() is the message page: valid from filling to the end of the call. */
int64_t px_call_server(enum px_slot server, struct exo_message *message);
int64_t px_call_server_cap(enum px_slot server, struct exo_message *message);
static inline void *px_msg(void)
{
    return (void *)PX_MSG;
}

/* Raises a signal in this process for the fault at hand (si_code, si_addr). Never returns to the faulting instruction unless a handler does. */
void px_raise_fault(struct exo_upcall *upcall, int signo, int code, uint64_t address, int trapno);
/* Posts a signal to this process itself (SIGPIPE, SIGALRM, ...), taken on the way out of the present call. */
void px_raise(int signo);
/* Does not return. status: wait status. */
_Noreturn void px_exit(int status);
/* On exec: handlers to default, sigaltstack off, pending kept. */
void px_signal_exec(void);
/* CLONE_CLEAR_SIGHAND: handlers to default, and nothing else. */
void px_signal_clear(void);
/* Did root ask that its capabilities be kept over a change of user (entry/prctl.c)? */
bool px_capabilities_kept(void);
/* Those on ids (CAP_SETUID, CAP_SETGID) are given up. */
int64_t px_capabilities_drop(void);
/* May this process take any user, or groups: as root, or by what it has kept and has on (fd/capability.c)? */
bool px_may_set_ids(bool user);
void px_prctl_exec(void);
/* The timers of this process (entry/timer.h): the kernel's event came, see what is due. */
void px_timer_expire(uint64_t now_ns);
/* RLIMIT_CPU has been set, in seconds of processor time. */
void px_timer_cpu_limit(uint64_t soft_s, uint64_t hard_s);

/* ---- memory (MM) ------------------------------------------------------------------------------------------------- */

/* 0 or -EFAULT; program addresses only (PX_PROG_LO .. PX_PROG_HI); demand pages come in as needed. */
int64_t px_copy_in(void *to, px_user from, size_t bytes);
int64_t px_copy_out(px_user to, const void *from, size_t bytes);
struct px_spent; /* proto/proc.h */
/* As struct rusage. */
int64_t px_rusage_put(px_user to, const struct px_spent *spent);
/* As px_copy_*, but return how many bytes were copied before the first bad one (read and write of several pages may be short). */
size_t px_copy_in_part(void *to, px_user from, size_t bytes);
size_t px_copy_out_part(px_user to, const void *from, size_t bytes);
/* Length without NUL, -EFAULT, or -ENAMETOOLONG if there is no NUL within `most` bytes. */
int64_t px_copy_string(char *to, px_user from, size_t most);
/* A structure of which the program may know fewer members or more than the `known` bytes: what it does not give is 0, what it gives beyond must be.
 * 0, -EINVAL: fewer than `least` bytes; -E2BIG, -EFAULT. */
int64_t px_copy_sized(void *to, size_t known, size_t least, px_user from, uint64_t bytes);
int64_t px_clear_out(px_user to, size_t bytes);
/* 0 or -EFAULT: the range is in the program's part and does not wrap. Says nothing about what is mapped. */
int64_t px_check_range(px_user va, uint64_t bytes);
/* 0 or -EFAULT: the range could be a program's on Linux, which looks at no more than that before it moves bytes. */
static inline int64_t px_access(px_user va, uint64_t bytes)
{
    return va > EXO_USER_TOP || bytes > EXO_USER_TOP - va ? -EFAULT : 0;
}
/* Sequentially consistent 32-bit load of a program word (futex); 0 or -EFAULT. */
int64_t px_load_u32(px_user va, uint32_t *value);
/* Atomically: `next` if the word is *value still; otherwise -EAGAIN, and *value is what it is. -EFAULT. */
int64_t px_swap_u32(px_user va, uint32_t *value, uint32_t next);
/* Is the address in a mapping that other processes may share? */
bool px_memory_shared(uint64_t address);

/* Guarded copies between libOS memory and pages that may be missing (windows): bytes copied. */
size_t px_guarded_copy(void *to, const void *from, size_t bytes);

/* Private heap (PX_HEAP): 16-byte aligned; NULL when full. */
void *px_alloc(size_t bytes);
void px_free(void *block);

/* Address ranges in PX_SHARED and PX_WINDOW: pages, page aligned; 0 when none. Nothing is mapped. */
uint64_t px_shared_reserve(uint64_t pages);
void px_shared_release(uint64_t va, uint64_t pages);
uint64_t px_window_reserve(uint64_t pages);
void px_window_release(uint64_t va, uint64_t pages);

/* fork: clones the program's ranges and the libOS's (as layout.h says) into the environment. 0 or -ENOMEM. vfork: both have the same pages of the program;
 * a child that executes one at once gets none. */
enum px_clone { PX_CLONE_COPIES, PX_CLONE_SAME, PX_CLONE_LIBOS };
int64_t px_memory_clone(uint64_t env, enum px_clone what);

/* In the child, whose page tables do not know what was written since MADV_FREE. */
void px_vma_fork_child(void);

/* A page fault from the program or in a copy; true if it was resolved. */
bool px_memory_fault(uint64_t address, bool write, bool exec);
/* After px_memory_fault failed: is the address in a mapping (SEGV_ACCERR) or not (SEGV_MAPERR)? */
bool px_memory_mapped(uint64_t address);
/* After px_memory_fault failed: the signal that Linux would send (SIGSEGV; SIGBUS past the end of a file; SIGKILL: no memory) and its si_code. */
int px_memory_fault_signal(uint64_t address, int *code);
/* A fault at an instruction in [px_guarded_start, px_guarded_end) that cannot be resolved goes on at px_guarded_fixup, registers unchanged. */
extern const char px_guarded_start[], px_guarded_end[], px_guarded_fixup[];
/* FILES: brings in metadata pages (PX_META) that fs added since; true if the address is there now. */
bool px_meta_fault(uint64_t address);

/* Gives pages back that nobody will miss, and that are this process's alone, so that each frees a frame: at most so many; how many. */
uint64_t px_memory_spare(uint64_t most);
/* Where it hurts least to lose more. */
void px_memory_offer(uint64_t *lo, uint64_t *hi);

/* Does the advice (madvise) change nothing? So others may give it, too. */
static inline bool px_advice_idle(int advice)
{
    return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

/* Text of /proc/self/maps and the like from `offset` on; bytes written. */
enum px_maps { PX_MAPS, PX_SMAPS, PX_SMAPS_ROLLUP };
size_t px_memory_maps(char *to, size_t bytes, uint64_t offset, enum px_maps how);
struct px_memory_totals {
    uint64_t size, size_most, resident, data, stack, code, locked; /* pages, as in statm and status */
    uint64_t argument_lo, argument_hi, environment_hi; /* addresses of the argument and environment strings */
    uint64_t auxv, auxv_bytes;
    uint64_t heap_lo, heap_hi;
};
void px_memory_totals(struct px_memory_totals *totals);

/* Random bytes: ChaCha20, seeded once per process (rdrand if there is one, clocks), and again after fork. */
void px_random_bytes(void *to, size_t bytes);

/* execve of the file `node` (opened, checked for execution by the caller) is in exec.c; start.c calls it for the first
 * program. argv and envp are arrays of pointers in
 * libOS memory, NULL-ended. On success the program's registers (px_regs()) are those of the new one. */
int64_t px_exec(const char *path, char *const argv[], char *const envp[]);
/* In a fresh environment (renew.c): the file, with the ids that its set-ID bits give; `name`: what it was called by. */
int64_t px_exec_raised(const char *file, const char *name, char *const argv[], char *const envp[]);
/* An execve that a vfork child begins in its parent's environment (entry/lend.c): what proc is told of it (PX_PROC_EXEC), and the rest, in its own. */
struct px_exec;
void px_exec_describe(const struct px_exec *exec, void *text);
void px_exec_go_on(struct px_exec *exec);
extern bool px_lent; /* a vfork child runs here, and all that runs is the child */
int64_t px_lend_exec(struct px_exec *exec); /* the parent goes on with the result */
int64_t px_lend_again(void);                /* and the child makes its call again, as a process of its own */

/* ---- files (FILES) ----------------------------------------------------------------------------------------------- */

/* What a path leads to. `fs` nodes are inodes of the fs server; `proc` nodes are made up by fd/procfs.c. */
enum px_node_kind { PX_NODE_FS = 1, PX_NODE_PROC };
struct px_node {
    uint32_t kind;
    uint32_t mode; /* st_mode */
    uint64_t ino;
    uint32_t gen;
    uint32_t uid, gid;
    uint32_t nlink;
    uint64_t size;
    uint64_t rdev;
};

#define PX_FS_DEV 2ull /* st_dev of everything that fs has */
#define PX_SYSFS_DEV 23ull /* ... of /sys */

#define PX_WALK_NOFOLLOW 1u   /* do not follow a symbolic link at the end */
#define PX_WALK_EMPTY 2u      /* AT_EMPTY_PATH */
#define PX_WALK_SYSFS 64u     /* px_procfs_walk: below /sys */
#define PX_WALK_DIRECTORY 4u  /* must be a directory */
/* How openat2 may be told to resolve a path, its RESOLVE_ bits shifted left. */
#define PX_WALK_NO_XDEV 0x10000u       /* not into or out of /proc */
#define PX_WALK_NO_MAGICLINKS 0x20000u /* no links of /proc that lead elsewhere */
#define PX_WALK_NO_SYMLINKS 0x40000u
#define PX_WALK_BENEATH 0x80000u       /* never above where it starts */
#define PX_WALK_IN_ROOT 0x100000u      /* where it starts is the root */
#define PX_WALK_NO_LINKS (PX_WALK_NO_MAGICLINKS | PX_WALK_NO_SYMLINKS)
#define PX_WALK_INSIDE (PX_WALK_NO_XDEV | PX_WALK_BENEATH | PX_WALK_IN_ROOT)
/* dirfd: AT_FDCWD or a descriptor. path: libOS memory. 0 or -errno. */
int64_t px_walk(int dirfd, const char *path, unsigned flags, struct px_node *node);
/* access(2)'s check with the effective ids. want: 4 read, 2 write, 1 execute. 0 or -EACCES. */
int64_t px_node_access(const struct px_node *node, unsigned want);
/* Reads file bytes into libOS memory; bytes read or -errno. */
int64_t px_node_read(const struct px_node *node, void *to, uint64_t offset, size_t bytes);
/* Maps file pages at va (which must be free): PROT_* and MAP_SHARED or MAP_PRIVATE. Pages past the end stay unmapped. 0 or -errno. */
int64_t px_node_map(const struct px_node *node, uint64_t first_page, uint64_t pages, uint64_t va, int prot, int flags);
/* Keeps an inode alive (hazard list) while mapped or executed. */
int64_t px_node_hold(const struct px_node *node);
void px_node_drop(const struct px_node *node);
int64_t px_node_hold_as(const struct px_node *node, bool writing); /* writing: open for it, nobody may execute it */
void px_node_drop_write(const struct px_node *node);
int64_t px_node_unwritten(const struct px_node *node); /* -ETXTBSY: it is open for writing */
/* This is the program from now on, which nobody may write; held until there is another one. -ETXTBSY: it is open for writing. */
int64_t px_node_run(const struct px_node *node);
/* The file was cut to the size: what this process has mapped of it behind that goes. */
void px_memory_cut(const struct px_node *node, uint64_t size);
/* Its pages from offset on became a hole: what this process has mapped of them goes, but for copies of its own. */
void px_memory_punch(const struct px_node *node, uint64_t offset, uint64_t bytes);
/* Does this process have a shared mapping of the file that is, or may be made, writable? */
bool px_memory_writes(const struct px_node *node);
/* May nobody write to it any more (F_SEAL_WRITE)? */
bool px_memfd_sealed(const struct px_node *node);
int64_t px_node_stat(const struct px_node *node, struct px_stat *stat);
/* Absolute path of a node or directory, for /proc/self/exe, getcwd, maps; length or -errno. */
int64_t px_node_path(const struct px_node *node, char *to, size_t bytes);
/* The current and root directories live in fs/: */
void px_files_keep_rights(void); /* before this process's ids change */
void px_files_start(void); /* first process: cwd = / */
void px_files_fork_child(void); /* in the child, first thing: publishes what it holds */

/* personality(2): what has an effect. */
#define PX_UNAME26 0x20000u
#define PX_STICKY_TIMEOUTS 0x4000000u
extern uint32_t px_personality;

/* ---- descriptors (FD) -------------------------------------------------------------------------------------------- */

struct px_ofd;

/* What an open file description can do; NULL: not supported (the caller answers as Linux does: EINVAL, ESPIPE, ENOTTY, ENOTDIR...). */
struct px_text;
struct px_ops {
    const char *name;
    /* `offset`: where to, moved along by the callee; NULL-safe for streams. Count, or -errno. Must honour O_NONBLOCK in ofd->flags. */
    int64_t (*read)(struct px_ofd *ofd, px_user to, size_t bytes, uint64_t *offset);
    int64_t (*write)(struct px_ofd *ofd, px_user from, size_t bytes, uint64_t *offset);
    int64_t (*seek)(struct px_ofd *ofd, int64_t offset, int whence);
    int64_t (*ioctl)(struct px_ofd *ofd, uint64_t request, uint64_t argument);
    int64_t (*stat)(struct px_ofd *ofd, struct px_stat *stat);
    /* Ready events now; may add predicates (at most 4) to sleep on until that could change. */
    unsigned (*poll)(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count);
    int64_t (*getdents)(struct px_ofd *ofd, px_user to, size_t bytes, bool old_layout);
    int64_t (*map)(struct px_ofd *ofd, uint64_t first_page, uint64_t pages, uint64_t va, int prot, int flags);
    int64_t (*truncate)(struct px_ofd *ofd, uint64_t size);
    int64_t (*sync)(struct px_ofd *ofd);
    /* The last descriptor of this process closed; other processes may still hold the description. */
    void (*drop)(struct px_ofd *ofd);
    /* The last descriptor of all closed. */
    void (*destroy)(struct px_ofd *ofd);
    /* This process is about to fork: take what the child will hold (tty counts). */
    void (*fork)(struct px_ofd *ofd);
    /* Lines of its fdinfo, for its kind alone. */
    void (*tell)(struct px_ofd *ofd, struct px_text *text);
    /* Its owner has this cookie, or there is none (0), and wants SIGIO or does not (fd/owner.h). */
    void (*own)(struct px_ofd *ofd, uint64_t cookie, bool async);
};

/* An open file description, in a page of PX_SHARED: shared by fork, so anybody who shares it may write nonsense; indices in it are checked. */
struct px_ofd {
    uint32_t kind;   /* enum px_ofd_kind: chooses the operations */
    uint32_t holders; /* processes that have descriptors on it (atomic) */
    uint32_t flags;  /* O_* status flags and access mode */
    uint32_t lock;   /* guards offset: as in ring.h */
    uint64_t offset;
    struct px_node node;
    uint64_t word[6]; /* the kind's own */
    uint64_t lock_id; /* names the description in flock's table; 0: never locked */
};

/* fcntl's F_ADD_SEALS and F_GET_SEALS (fs/memfd.c). */
int64_t px_memfd_seals(struct px_ofd *ofd, bool add, uint64_t seals);
extern const struct px_ops *const px_ops[PX_OFD_KINDS]; /* fd/ofd.c; each kind's file exports `const struct px_ops px_<kind>_ops` */

/* The description behind a descriptor, or NULL (EBADF). */
struct px_ofd *px_fd_get(int fd);
/* A new description (holders 1), or NULL (ENFILE). */
struct px_ofd *px_ofd_new(enum px_ofd_kind kind, unsigned flags);
/* Gives up a description that px_ofd_new made and no descriptor names yet. */
void px_ofd_abandon(struct px_ofd *ofd);
/* Lowest free descriptor >= lowest; takes over the description. -EMFILE: the caller abandons it. */
int64_t px_fd_install(struct px_ofd *ofd, int lowest, bool close_on_exec);
int64_t px_fd_close(int fd);
void px_fd_start(void);           /* first process: descriptors 0..2 from PX_BOOTARGS */
void px_fd_start_none(void);      /* without any */
extern bool px_fd_fs_waits; /* what was closed while exiting is partly fs's, which is to look when the process is gone */
int64_t px_fd_fork_prepare(uint32_t index, uint32_t gen); /* of the child in the process table; before the clone; counts holders for the child */
void px_fd_fork_failed(void);
void px_fd_fork_child(void);      /* in the child, first thing */
void px_fd_exec(void);            /* close-on-exec */
bool px_ring_lost(uint64_t address); /* a fault there: a page of a ring that is gone is replaced */
void px_fd_exit(void);
/* devices, tty, procfs by node; FILES calls it for non-regular nodes */
int64_t px_open_node(const struct px_node *node, const char *path, unsigned flags, unsigned *made_kind, struct px_ofd **ofd);
/* /proc: walks the rest of a path below /proc. */
int64_t px_procfs_walk(const char *rest, unsigned flags, struct px_node *node);
int64_t px_procfs_readlink(const struct px_node *node, char *to, size_t bytes);
int64_t px_procfs_stat(const struct px_node *node, struct px_stat *stat);
int64_t px_procfs_path(const struct px_node *node, char *to, size_t bytes); /* absolute; length */

void px_sem_exit(void); /* fs does what SEM_UNDO remembers of this process */
void px_rights_exit(void); /* parcels of this process that lie in fs are over */
void px_limits_changed(void); /* by another process: asks proc for them */
/* Soft limit of RLIMIT_*; ~0: none. */
uint64_t px_limit(unsigned which);

#define PX_SECOND 1000000000ull
uint64_t px_now_ns(void);  /* CLOCK_MONOTONIC, without the kernel */
/* When to be woken for a deadline: it or later, by the process's slack at most (PR_SET_TIMERSLACK). */
uint64_t px_slacked(uint64_t deadline_ns);
extern uint64_t px_timer_slack_ns;
uint64_t px_real_ns(void); /* CLOCK_REALTIME */
/* The real-time clock less the monotonic one: by the kernel, and by who has set it since. */
static inline __attribute__((always_inline)) uint64_t px_wall_offset_ns(void)
{
    return px_info()->wall_offset_ns + (uint64_t)__atomic_load_n(&px_proctab()->wall_shift_ns, __ATOMIC_RELAXED);
}

/* Clocks without a call (entry/vdso.c): the ELF image that AT_SYSINFO_EHDR names, and its end. */
extern const char px_vdso[], px_vdso_end[];

/* strace and the summary. What is wanted: PX_HELLO_STRACE, PX_HELLO_STRACE_SUMMARY, PX_HELLO_TRACE. */
extern uint32_t px_strace_on;
#define PX_STRACE_WAYS (PX_HELLO_STRACE | PX_HELLO_STRACE_SUMMARY | PX_HELLO_TRACE)
void px_strace_enter(uint64_t number, const uint64_t arguments[6]);
void px_strace_exit(uint64_t number, int64_t result);
void px_strace_signal(int signo, const struct px_siginfo *info);
void px_strace_stopped(int signo);
void px_strace_exited(int status);
void px_arch_siginfo_out(const struct px_siginfo *info, uint8_t to[128]); /* as a program sees it */
int64_t px_arch_frame_mask(uint64_t *mask);                               /* the mask that rt_sigreturn would bring back; -EFAULT */
extern bool px_profiled; /* --profile: mm/profile.c */
void px_profile_tell(void);
static inline void px_code_changed(void)
{
    if (__builtin_expect(px_profiled, false))
        px_profile_tell();
}
void px_log(const char *format, ...) __attribute__((format(printf, 1, 2))); /* a line to the host's stderr, through tty */

/* ---- terminals (TTY) --------------------------------------------------------------------------------------------- */

/* Opens terminal `index` (PX_TTY_CTTY, console, pts) or a new pty master: a description of kind PX_OFD_TTY. */
int64_t px_tty_open(unsigned index, unsigned flags, struct px_ofd **ofd);
int64_t px_tty_open_master(unsigned flags, struct px_ofd **ofd);

#endif
