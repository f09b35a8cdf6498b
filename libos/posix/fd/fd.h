/*
 * Descriptors, inside fd/: the table of this process, description pages, locks in shared memory, and what the
 * kinds of descriptions (pipe*.c, device.c, event.c, epoll.c, proc*.c, socket/) share. The table is private
 * to the process; descriptions are shared with relatives, who may write nonsense into them: every index and
 * address found there is checked before use.
 */
#ifndef PX_FD_H
#define PX_FD_H
#include <exo/format.h>

#include "px_calls.h"

#include "proto/limit.h"
#include "proto/ring.h"
#include "rank.h"

#define PX_FD_FIRST 64u /* entries of the table that need no heap */
#define PX_FD_MAX PX_LIMIT_FILES_MAX
#define PX_ENTRY_CLOEXEC 1ul
#define PX_ENTRY_TWIN 2ul /* another descriptor of this process may name the same description */
#define PX_ENTRY_BITS 127ul
#define PX_RW_MAX 0x7ffff000ul /* Linux's MAX_RW_COUNT */
#define PX_DIV_UP(n, by) (((n) + (by)-1) / (by))

/* Entry: address of the description | PX_ENTRY_*; 0: free. */
struct px_fd_table {
    uint64_t *entry;
    unsigned count; /* entries there are */
    unsigned hint;  /* no free one below */
    unsigned high;  /* none in use at or above */
};
extern struct px_fd_table px_fds;

static inline struct px_ofd *px_fd_entry(unsigned fd)
{
    if (fd >= px_fds.count)
        return NULL;
    return (struct px_ofd *)(px_fds.entry[fd] & ~PX_ENTRY_BITS);
}

#define F_GETFD 1
#define F_GETFL 3
#define FD_CLOEXEC 1
/* fcntl's commands that only ask and need no more than the description; `else_answer` to all others. */
static inline int64_t px_fcntl_asked(const struct px_ofd *ofd, unsigned fd, unsigned command, int64_t else_answer)
{
    switch (command) {
    case F_GETFL: return ofd->flags | (ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY ? O_LARGEFILE : 0);
    case F_GETFD: return px_fds.entry[fd] & PX_ENTRY_CLOEXEC ? FD_CLOEXEC : 0;
    default: return else_answer;
    }
}

extern const struct px_ops px_none_ops;
static inline const struct px_ops *px_ofd_ops(const struct px_ofd *ofd)
{
    uint32_t kind = ofd->kind;

    return kind < PX_OFD_KINDS ? px_ops[kind] : &px_none_ops;
}
static inline bool px_ofd_readable(const struct px_ofd *ofd)
{
    return !(ofd->flags & (O_WRONLY | O_PATH));
}
static inline bool px_ofd_writable(const struct px_ofd *ofd)
{
    return (ofd->flags & O_ACCMODE) - 1u < 2 && !(ofd->flags & O_PATH);
}
/* Does the description have a position that read and write move? */
static inline bool px_ofd_positioned(const struct px_ofd *ofd)
{
    return 1u << (ofd->kind & 31) & (1u << PX_OFD_FILE | 1u << PX_OFD_DIRECTORY | 1u << PX_OFD_PROC);
}

/* Locks in shared memory (ring.h). A dead holder's lock is taken over. */
extern uint32_t px_lock_self; /* this process as a holder */
void px_lock_start(void);     /* computes it: at start and in a child */
bool px_holder_is_gone(uint32_t holder); /* the process of a PX_LOCK_HOLDER has ended */
void px_lock_take_slowly(uint32_t *lock);
static inline void px_lock_take(uint32_t *lock, enum px_rank rank)
{
    uint32_t seen = 0;

    px_rank_taking(lock, rank);
    if (!__atomic_compare_exchange_n(lock, &seen, px_lock_self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        px_lock_take_slowly(lock);
}
static inline void px_lock_give(uint32_t *lock)
{
    px_rank_giving(lock);
    if (__atomic_exchange_n(lock, 0, __ATOMIC_SEQ_CST) & PX_LOCK_WAITERS)
        (void)!exo_wake(lock, 1);
}
/* The position's lock is needed only when another process shares the description: only an own fork can change
 * that, and a description with a twin counts that as a process, too. */
void px_position_take(struct px_ofd *ofd);
void px_position_give(struct px_ofd *ofd);
static inline bool px_ofd_lock(struct px_ofd *ofd)
{
    if (__atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) <= 1)
        return false;
    px_position_take(ofd);
    return true;
}
static inline void px_ofd_unlock(struct px_ofd *ofd, bool locked)
{
    if (locked)
        px_position_give(ofd);
}

/*
 * A file's description that a renewed process has brought along (decision 0032) has a twin: the one that its relatives of before still use, of which only
 * position and lock are believed. Here is its address, in a page that is mapped for it alone (px_ring_hold); 0: there is none.
 */
#define PX_WORD_TWIN 3u
struct px_ofd *px_ofd_twin(const struct px_ofd *ofd);
void px_ofd_set_twin(struct px_ofd *ofd, uint64_t address);
/* The position, and a new one, when it is not used at once. */
uint64_t px_ofd_position(struct px_ofd *ofd);
void px_ofd_set_position(struct px_ofd *ofd, uint64_t offset);

/* Descriptors (table.c). */
int64_t px_fd_place(struct px_ofd *ofd, unsigned fd,
                    bool close_on_exec); /* at this number, which must be free */
bool px_fd_cloexec(unsigned fd);
void px_fd_set_cloexec(unsigned fd, bool on);
int64_t px_fd_dup(int fd, int lowest, bool close_on_exec);
int64_t px_fd_room(void); /* 0 if a descriptor is free, or -EMFILE */
/* Two new descriptions get descriptors, whose numbers are told; on failure neither is left. */
int64_t px_fd_install_pair(struct px_ofd *ends[2], bool close_on_exec, px_user to);
/* Next descriptor in use at or above fd, or -1: for /proc/self/fd. */
int px_fd_next(unsigned fd);
extern uint32_t px_exec_count; /* programs that this process and its ancestors have executed */
/* Descriptions (ofd.c). */
void px_ofd_leave(struct px_ofd *ofd); /* the last descriptor of this process is gone */
bool px_ofd_believable(uint64_t address);
void px_ofd_note(const struct px_ofd *ofd, uint32_t holder); /* the process, a PX_LOCK_HOLDER, holds the description */
uint32_t px_ofd_heir(const struct px_ofd *ofd); /* another process that does, as a PX_LOCK_HOLDER; 0: there is none */
void px_ofd_forks(void); /* this process is about to have a child, who will share its descriptions */
/* Description pages made so far are for others to write in: use new ones from now on (credentials changed).
 */
void px_ofd_seal(void);

extern bool px_fd_exiting; /* pages and capabilities go with the environment: only tell others */

/* What other processes may see of our table (board.c). */
void px_board_start(void);
void px_board_all(void); /* the whole table: at start and in a child */
void px_board_set(unsigned fd, bool open);
bool px_board_has(const struct px_proc *process, unsigned fd);

/* Other processes may sleep on the eventfd from now on, though they do not hold the description (event.c). */
void px_event_shared(struct px_ofd *ofd);
bool px_event_is(const struct px_ofd *ofd);
void px_event_add(struct px_ofd *ofd); /* one more, unless it is full */
/* Of what has no inode: eventfd and its like (event.c). Seeking moves nothing. */
struct px_ofd *px_anonymous_new(enum px_ofd_kind kind, unsigned flags); /* with a page of zeros at word[0]; NULL: no room */
int64_t px_anonymous_seek(struct px_ofd *ofd, int64_t offset, int whence);
int64_t px_anonymous_stat(struct px_ofd *ofd, struct px_stat *stat);
int64_t px_no_seek(struct px_ofd *ofd, int64_t offset, int whence); /* of what has no position, and takes it well: 0 */

/* Advisory locks (record.c). */
void px_record_start(void); /* first process: makes the table that all its descendants share */
void px_record_release(
    struct px_ofd *ofd); /* a descriptor on it closed: this process's fcntl locks on that file go */
void px_record_forget(struct px_ofd *ofd); /* the description goes: so does its flock */
void px_record_pass_on(
    struct px_ofd *ofd); /* this process leaves the description to others: its flock is theirs */
void px_record_forked(void);
void px_record_exit(void);
struct px_flock {
    int16_t l_type, l_whence;
    uint32_t pad0;
    int64_t l_start, l_len;
    int32_t l_pid;
    uint32_t pad1;
};
int64_t px_record_fcntl(struct px_ofd *ofd, unsigned command, px_user lock);

/* Pipes (pipe.h). */
struct px_pipe *px_pipe_ring(const struct px_ofd *ofd); /* NULL if the description lies */
int64_t px_pipe_new(unsigned flags, struct px_ofd *ends[2]);
int64_t px_pipe_adopt(uint64_t ring_va, bool write_end, unsigned flags,
                      struct px_ofd **ofd); /* a far end's ring: the first process's streams */
int64_t px_pipe_reopen(const struct px_ofd *old, unsigned flags, struct px_ofd **ofd); /* /proc/self/fd/N */
/* A gathered write: base, bytes, base, bytes...; together `bytes`, at most PX_PIPE_BUF. */
int64_t px_pipe_write_vector(struct px_ofd *ofd, const uint64_t *vector, uint64_t pieces, size_t bytes);
int64_t px_pipe_open_fifo(const struct px_node *node, unsigned flags, struct px_ofd **ofd);
void px_pipe_inherited(void);
void px_pipe_watch(struct px_ofd *ofd, int step); /* poll: +1 before it looks and sleeps, -1 after */

/* Rings in PX_SHARED, of pipes and sockets (pipe_ring.c): pages of this process's own, zeroed, or 0. */
uint64_t px_ring_new(unsigned pages);
void px_ring_free(uint64_t va, unsigned pages);
/* One description more on the ring, which `inherited` says others can see. False: too many rings. */
bool px_ring_hold(uint64_t va, unsigned pages, bool inherited);
bool px_ring_held(uint64_t va);
unsigned px_ring_pages(uint64_t va); /* of a ring that is held; 0: it is not */
void px_ring_forget(uint64_t va); /* held, but nothing came to lie there */
/* One fewer; with the last one the ring goes, or is kept for the next pipe if nobody else can see it. */
void px_ring_let_go(uint64_t va);

/* Sockets (socket/). */
void px_socket_watch(struct px_ofd *ofd, int step); /* as px_pipe_watch */
/* A connection between two who are there and have no error to tell: as long as its pages and the words that its poll sleeps on are the same, so is its poll. */
bool px_socket_is_told(struct px_ofd *ofd);
/* mq_notify's: a netlink socket, or NULL and the error; it gets the cookie when told[place] (proto/sysv.h) is no longer what was seen. */
#define PX_NETLINK_COOKIE 32u
struct px_ofd *px_netlink_get_socket(unsigned fd, int64_t *error);
int64_t px_netlink_arm(struct px_ofd *ofd, uint32_t place, uint32_t seen, const uint8_t cookie[PX_NETLINK_COOKIE]);
/* A scattered read or gathered write of one message: base, bytes, base, bytes...; together `bytes`. */
int64_t px_socket_vector(struct px_ofd *ofd, bool sending, const uint64_t *vector, uint64_t pieces, uint64_t bytes);

/* Named objects below /proc (proc*.c). */
#define PX_PROC_DEV 21ull /* st_dev of /proc */
enum px_mount { PX_MOUNT_ROOT = 1, PX_MOUNT_PROC, PX_MOUNT_SYSFS }; /* mount_id of mountinfo */
#define PX_PIPE_DEV 14ull /* st_dev of pipes */
#define PX_DEVPTS_DEV 22ull
int64_t px_proc_open(const struct px_node *node, unsigned flags, struct px_ofd **ofd);
/* Re-opens what descriptor fd names (/proc/self/fd/N, /dev/fd/N). */
int64_t px_fd_reopen(const struct px_proc *process, unsigned fd, unsigned flags, struct px_ofd **ofd);
/* What readlink of /proc/self/fd/N gives; length. */
int64_t px_fd_describe(int fd, char *to, size_t bytes);

/* A forked child has one thread, which waits for no futex (futex.c). */
void px_futex_forked(void);

/* Limits (limits.c). */
#define RLIMIT_CPU 0u
#define RLIMIT_NOFILE 7u
#define RLIMIT_STACK 3u
extern struct px_rlimit px_limits[PX_RLIMITS];
int64_t px_limit_of(int pid, unsigned which, struct px_rlimit *limit); /* of any process that this one may ask about */

/* Time (time.c). */
int64_t px_read_timespec(px_user from,
                         uint64_t *ns); /* -EFAULT, -EINVAL; too long ones are cut at about 292 years */
uint64_t px_deadline_after(uint64_t ns);

/* Text that grows: what /proc files and strace lines are made of. `full` when something did not fit. */
struct px_text {
    char *at;
    size_t used, room;
    bool full;
    unsigned number; /* of files of /proc: of which thread, descriptor or processor (procfs.h) */
    uint64_t from;   /* where the reader begins; a text that is made from there on says so in `begins` */
    uint64_t begins; /* how much of it was left out */
};
void px_text_add(struct px_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void px_text_put(struct px_text *text, const void *bytes, size_t count);

#endif
