/* The light calls (light.h). */
#include "light.h"

#include "fd/fd.h"
#include "fs/window.h"
#include "px_arch.h"

#include <exo/clock.h>

#define GETTER(name, field)                                                                                                                         \
    PX_LIGHT_KEEPS static int64_t light_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d)                                                      \
    {                                                                                                                                               \
        (void)a, (void)b, (void)c, (void)d;                                                                                                         \
        return (int64_t)px_self()->field;                                                                                                           \
    }

GETTER(getpid, pid)
GETTER(getppid, ppid)
GETTER(getpgrp, pgid)
GETTER(getuid, uid)
GETTER(geteuid, euid)
GETTER(getgid, gid)
GETTER(getegid, egid)

/* A file's description that is this process's alone. Pipes and sockets, which are read most otherwise, are told by the first look. */
static inline struct px_ofd *own_file(uint64_t fd)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)fd);

    return ofd && ofd->kind == PX_OFD_FILE && __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) <= 1 ? ofd : NULL;
}

PX_LIGHT_KEEPS static int64_t light_lseek(uint64_t fd, uint64_t offset, uint64_t whence, uint64_t d)
{
    struct px_ofd *ofd = own_file(fd);
    int64_t to;

    (void)d;
    if (!ofd || (unsigned)whence > SEEK_CUR)
        return PX_LIGHT_NOT;
    to = (int64_t)offset;
    if ((unsigned)whence == SEEK_CUR && __builtin_add_overflow(to, (int64_t)ofd->offset, &to))
        return PX_LIGHT_NOT;
    if (to < 0)
        return PX_LIGHT_NOT;
    ofd->offset = (uint64_t)to;
    return to;
}

PX_LIGHT_KEEPS static int64_t light_fcntl(uint64_t fd, uint64_t command, uint64_t c, uint64_t d)
{
    const struct px_ofd *ofd = px_fd_entry((unsigned)fd);

    (void)c, (void)d;
    return ofd ? px_fcntl_asked(ofd, (unsigned)fd, (unsigned)command, PX_LIGHT_NOT) : PX_LIGHT_NOT;
}

static inline bool in_program(uint64_t va, uint64_t bytes)
{
    return va >= PX_PROG_LO && va <= PX_PROG_HI - bytes;
}

/* Bytes within a page of a file, in the window that was used last; its time of reading needs no change. */
PX_LIGHT_KEEPS static int64_t light_read(uint64_t fd, uint64_t to, uint64_t bytes, uint64_t d)
{
    struct px_ofd *ofd = own_file(fd);
    const struct px_inode *inode;
    const uint8_t *seen;
    uint64_t size;

    (void)d;
    if (!ofd || !px_ofd_readable(ofd) || bytes - 1 >= PX_PAGE || !in_program(to, bytes))
        return PX_LIGHT_NOT;
    inode = px_held_inode_inline((uint32_t)ofd->node.ino, ofd->node.gen);
    if (!inode)
        return PX_LIGHT_NOT;
    size = PX_META_LOAD(inode->size);
    if ((int64_t)size < (int64_t)bytes || ofd->offset > size - bytes || !px_read_noted(inode) || PX_META_LOAD(px_meta()->watches))
        return PX_LIGHT_NOT;
    seen = px_window_seen(ofd, PX_META_LOAD(inode->version), ofd->offset, bytes);
    if (!seen || px_light_copy(to, (uint64_t)seen, bytes))
        return PX_LIGHT_NOT;
    ofd->offset += bytes;
    return (int64_t)bytes;
}

PX_LIGHT_KEEPS static int64_t light_sigprocmask(uint64_t how, uint64_t from, uint64_t old, uint64_t set_bytes)
{
    struct px_thread *thread = px_thread();
    uint64_t before = thread->kept.blocked, next = before, set;

    if ((set_bytes ^ sizeof(set)) | (how > 2)) /* few jumps: each costs an emulator as much as ten instructions */
        return PX_LIGHT_NOT;
    if (from) {
        uint64_t unblock = 0 - (how & 1), replace = 0 - (how >> 1); /* all bits, or none */

        if (!in_program(from, sizeof(set)) || !px_light_get(&set, from))
            return PX_LIGHT_NOT;
        next = ((before & ~(set & unblock) & ~replace) | (set & ~unblock)) & ~PX_SIG_UNBLOCKABLE;
    }
    if ((__atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) | thread->pending) & ~next)
        return PX_LIGHT_NOT;
    if (old && (!in_program(old, sizeof(set)) || !px_light_put(old, before)))
        return PX_LIGHT_NOT;
    thread->kept.blocked = px_ppage()->sig_blocked = next;
    return 0;
}

PX_LIGHT_KEEPS static int64_t light_clock_gettime(uint64_t clock, uint64_t to, uint64_t c, uint64_t d)
{
    uint64_t ns;

    (void)c, (void)d;
    if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) || !in_program(to, sizeof(struct px_timespec)))
        return PX_LIGHT_NOT;
    ns = exo_clock_ns(px_info());
    if (clock == CLOCK_REALTIME)
        ns += px_wall_offset_ns();
    return px_light_put_two(to, ns / PX_SECOND, ns % PX_SECOND) ? 0 : PX_LIGHT_NOT;
}

PX_HOT_TABLE px_light_call *const px_light[PX_LIGHT_CALLS] = {
    [0] = light_read,      [8] = light_lseek,     [14] = light_sigprocmask, [39] = light_getpid,   [72] = light_fcntl,          [102] = light_getuid,
    [104] = light_getgid,  [107] = light_geteuid, [108] = light_getegid,    [110] = light_getppid, [111] = light_getpgrp,       [228] = light_clock_gettime,
};
