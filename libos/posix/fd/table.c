/* The descriptor table: numbers to descriptions, close-on-exec, growth, and what fork, exec and exit do to
 * it. */
#include "bells.h"
#include "fd.h"
#include "hold.h"

PX_HOT_DATA static uint64_t first_entries[PX_FD_FIRST];
PX_HOT_DATA struct px_fd_table px_fds = {.entry = first_entries, .count = PX_FD_FIRST};

struct px_ofd *px_fd_get(int fd)
{
    return px_fd_entry((unsigned)fd);
}

bool px_fd_cloexec(unsigned fd)
{
    return fd < px_fds.count && (px_fds.entry[fd] & PX_ENTRY_CLOEXEC);
}

void px_fd_set_cloexec(unsigned fd, bool on)
{
    px_fds.entry[fd] = (px_fds.entry[fd] & ~PX_ENTRY_CLOEXEC) | (on ? PX_ENTRY_CLOEXEC : 0);
}

int px_fd_next(unsigned fd)
{
    for (; fd < px_fds.high; fd++) {
        if (px_fds.entry[fd])
            return (int)fd;
    }
    return -1;
}

/* Room for entry `fd`. Doubles; the old table goes back to the heap unless it is the first. */
PX_APART static int64_t grow(unsigned fd)
{
    unsigned count = px_fds.count;
    uint64_t *entry;

    if (fd >= PX_FD_MAX)
        return -EMFILE;
    while (count <= fd)
        count *= 2;
    entry = px_alloc(count * sizeof *entry);
    if (!entry)
        return -ENOMEM;
    memcpy(entry, px_fds.entry, px_fds.count * sizeof *entry);
    memset(entry + px_fds.count, 0, (count - px_fds.count) * sizeof *entry);
    if (px_fds.entry != first_entries)
        px_free(px_fds.entry);
    px_fds.entry = entry;
    px_fds.count = count;
    return 0;
}

static unsigned limit(void)
{
    uint64_t soft = px_limits[RLIMIT_NOFILE].soft;

    return soft < PX_FD_MAX ? (unsigned)soft : PX_FD_MAX;
}

PX_PACKED(held) int64_t px_fd_place(struct px_ofd *ofd, unsigned fd, bool close_on_exec)
{
    if (fd >= px_fds.count) {
        int64_t result = grow(fd);

        if (result < 0)
            return result;
    }
    px_fds.entry[fd] = (uint64_t)ofd | (close_on_exec ? PX_ENTRY_CLOEXEC : 0);
    px_board_set(fd, true);
    if (px_fds.high <= fd)
        px_fds.high = fd + 1;
    return fd;
}

int64_t px_fd_room(void)
{
    unsigned fd = px_fds.hint, most = limit();

    while (fd < px_fds.high && px_fds.entry[fd])
        fd++;
    return fd < most ? 0 : -EMFILE;
}

PX_PACKED(held) int64_t px_fd_install(struct px_ofd *ofd, int lowest, bool close_on_exec)
{
    unsigned fd = (unsigned)lowest, most = limit();
    bool from_hint = fd <= px_fds.hint;
    int64_t placed;

    if (from_hint)
        fd = px_fds.hint;
    while (fd < px_fds.high && px_fds.entry[fd])
        fd++;
    if (fd >= most)
        return -EMFILE;
    placed = px_fd_place(ofd, fd, close_on_exec);
    if (placed >= 0 && from_hint)
        px_fds.hint = fd + 1;
    return placed;
}

int64_t px_fd_install_pair(struct px_ofd *ends[2], bool close_on_exec, px_user to)
{
    int64_t first = px_fd_install(ends[0], 0, close_on_exec);
    int64_t second = first < 0 ? first : px_fd_install(ends[1], 0, close_on_exec);
    int32_t pair[2] = {(int32_t)first, (int32_t)second};

    if (second < 0) {
        if (first < 0)
            px_ofd_leave(ends[0]);
        else
            (void)px_fd_close(pair[0]);
        px_ofd_leave(ends[1]);
        return second;
    }
    if (px_copy_out(to, pair, sizeof pair) != 0) {
        (void)px_fd_close(pair[0]);
        (void)px_fd_close(pair[1]);
        return -EFAULT;
    }
    return 0;
}

/* Does another descriptor than `fd` name the description? */
static bool has_twin(const struct px_ofd *ofd, unsigned fd)
{
    for (unsigned i = 0; i < px_fds.high; i++) {
        if (i != fd && px_fd_entry(i) == ofd)
            return true;
    }
    return false;
}

/* A second descriptor for what `fd` names. */
static int64_t twin(unsigned fd, int64_t placed)
{
    if (placed >= 0) {
        px_fds.entry[fd] |= PX_ENTRY_TWIN;
        px_fds.entry[placed] |= PX_ENTRY_TWIN;
    }
    return placed;
}

int64_t px_fd_dup(int fd, int lowest, bool close_on_exec)
{
    struct px_ofd *ofd = px_fd_get(fd);

    if (!ofd)
        return -EBADF;
    if (lowest && (unsigned)lowest >= limit())
        return -EINVAL;
    return twin((unsigned)fd, px_fd_install(ofd, lowest, close_on_exec));
}

PX_PACKED(close) PX_WHOLE int64_t px_fd_close(int fd)
{
    struct px_ofd *ofd = px_fd_get(fd);
    uint64_t entry;

    if (!ofd)
        return -EBADF;
    entry = px_fds.entry[fd];
    px_fds.entry[fd] = 0;
    px_board_set((unsigned)fd, false);
    if ((unsigned)fd < px_fds.hint)
        px_fds.hint = (unsigned)fd;
    while (px_fds.high && !px_fds.entry[px_fds.high - 1])
        px_fds.high--;
    px_record_release(ofd);
    if ((entry & PX_ENTRY_TWIN && has_twin(ofd, (unsigned)fd)) || px_hold_left(ofd))
        return 0;
    px_ofd_leave(ofd);
    return 0;
}

static int64_t dup_to(int from, int to, bool close_on_exec)
{
    struct px_ofd *ofd = px_fd_get(from);
    int64_t placed;

    if (!ofd || (unsigned)to >= limit())
        return -EBADF;
    if ((unsigned)to >= px_fds.count && (placed = grow((unsigned)to)) < 0)
        return placed;
    if (px_fds.entry[to]) {
        px_fds.entry[from] |=
            PX_ENTRY_TWIN; /* `to` may be its only twin: it must not look unshared while that closes */
        (void)px_fd_close(to);
    }
    return twin((unsigned)from, px_fd_place(ofd, (unsigned)to, close_on_exec));
}

PX_SYS(dup)
{
    return px_fd_dup((int)a, 0, false);
}

PX_SYS(dup2)
{
    if ((int)a == (int)b)
        return px_fd_get((int)a) ? (int64_t)(int)b : -EBADF;
    return dup_to((int)a, (int)b, false);
}

PX_SYS(dup3)
{
    if (c & ~(uint64_t)O_CLOEXEC || (int)a == (int)b)
        return -EINVAL;
    return dup_to((int)a, (int)b, c & O_CLOEXEC);
}

PX_PACKED(close) PX_SYS(close)
{
    return px_fd_close((int)a);
}

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

PX_SYS(close_range)
{
    unsigned first = (unsigned)a, last = (unsigned)b, flags = (unsigned)c;

    if (first > last || flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
        return -EINVAL;
    for (int fd = px_fd_next(first); fd >= 0 && (unsigned)fd <= last; fd = px_fd_next((unsigned)fd + 1)) {
        if (flags & CLOSE_RANGE_CLOEXEC)
            px_fd_set_cloexec((unsigned)fd, true);
        else
            (void)px_fd_close(fd);
    }
    return 0;
}

/* ---- fork, exec, exit ---- */

/* The description of `fd` if this is its lowest descriptor, else NULL: so each description is met once. */
static struct px_ofd *first_named(unsigned fd)
{
    struct px_ofd *ofd = px_fd_entry(fd);

    if (!ofd || !(px_fds.entry[fd] & PX_ENTRY_TWIN))
        return ofd;
    for (unsigned i = 0; i < fd; i++) {
        if (px_fd_entry(i) == ofd)
            return NULL;
    }
    return ofd;
}

static uint32_t child; /* PX_LOCK_HOLDER of who will hold what this process does */

static void count_in(struct px_ofd *ofd)
{
    px_ofd_note(ofd, child);
    __atomic_fetch_add(&ofd->holders, 1, __ATOMIC_RELAXED);
    if (px_ofd_ops(ofd)->fork)
        px_ofd_ops(ofd)->fork(ofd);
}

static void count_out(struct px_ofd *ofd)
{
    if (px_ofd_ops(ofd)->fork && px_ofd_ops(ofd)->drop)
        px_ofd_ops(ofd)->drop(ofd);
    __atomic_fetch_sub(&ofd->holders, 1, __ATOMIC_RELAXED);
}

static void for_each_description(void (*count)(struct px_ofd *ofd))
{
    struct px_ofd *ofd;

    for (unsigned fd = 0; fd < px_fds.high; fd++)
        if ((ofd = first_named(fd)))
            count(ofd);
    for (unsigned at = 0; (ofd = px_hold_next(at)); at++)
        count(ofd);
}

int64_t px_fd_fork_prepare(uint32_t index, uint32_t gen)
{
    child = PX_LOCK_HOLDER(index, gen);
    px_ofd_forks();
    for_each_description(count_in);
    px_pipe_inherited();
    return 0;
}

void px_fd_fork_failed(void)
{
    for_each_description(count_out);
}

void px_fd_fork_child(void)
{
    px_lock_start();
    px_record_forked();
    px_board_all();
    px_futex_forked();
    px_hold_forked();
    px_bells_forked();
    px_epoll_forked();
}

uint32_t px_exec_count;
static uint32_t exec_euid, exec_egid; /* as at the last exec: description pages were made under these */

void px_fd_exec(void)
{
    const struct px_proc *self = px_self();

    px_exec_count++;
    for (unsigned fd = 0; fd < px_fds.high; fd++) {
        if (px_fds.entry[fd] & PX_ENTRY_CLOEXEC)
            (void)px_fd_close((int)fd);
    }
    if (self->euid != exec_euid || self->egid != exec_egid)
        px_ofd_seal();
    exec_euid = self->euid;
    exec_egid = self->egid;
}

PX_HOT_DATA bool px_fd_exiting, px_fd_fs_waits;

void px_fd_exit(void)
{
    px_epoll_exit();
    px_fd_exiting = true;
    for (int fd = px_fd_next(0); fd >= 0; fd = px_fd_next((unsigned)fd + 1))
        (void)px_fd_close(fd);
    px_record_exit();
}
