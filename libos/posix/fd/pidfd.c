/* pidfd: names a process by its entry of the process table and that entry's generation, so never another one. word[0] pid, word[1] index,
 * word[2] generation. It is ready when the process has ended. To send a signal, a descriptor of the directory /proc/PID will do. */
#include "entry/entry.h"
#include "entry/trace.h"
#include "fd.h"
#include "pidfd.h"
#include "proc_tree.h"
#include "travel.h"

#define SIGNAL_FLAGS 0u
#define F_DUPFD_CLOEXEC 1030

/* The process, or NULL when it is gone for good. */
static const struct px_proc *process_of(const struct px_ofd *ofd)
{
    uint64_t index = ofd->word[1];
    const struct px_proc *process;

    if (index == 0 || index >= PX_PROCS_MAX)
        return NULL;
    process = PX_PROC(PX_PROCTAB, index);
    if (process->gen != (uint32_t)ofd->word[2] || process->pid != (int32_t)ofd->word[0] || process->state == PX_FREE)
        return NULL;
    return process;
}

int64_t px_pidfd_pid(int fd, bool *nonblocking)
{
    const struct px_ofd *ofd = px_fd_get(fd);

    if (!ofd || ofd->kind != PX_OFD_PIDFD)
        return -EBADF;
    *nonblocking = ofd->flags & O_NONBLOCK;
    return process_of(ofd) ? (int32_t)ofd->word[0] : -ECHILD;
}

static unsigned pidfd_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    const uint32_t *ends = &px_proctab()->ends;
    uint32_t seen = __atomic_load_n(ends, __ATOMIC_SEQ_CST);
    const struct px_proc *process = process_of(ofd);

    if (predicates)
        predicates[(*count)++] = (struct exo_predicate){.va = (uint64_t)ends, .value = seen, .kind = EXO_WAIT_WORD};
    return (!process || process->state == PX_ZOMBIE ? POLLIN | POLLRDNORM : 0u) & events;
}

static void pidfd_tell(struct px_ofd *ofd, struct px_text *text)
{
    int pid = process_of(ofd) ? (int)ofd->word[0] : -1;

    px_text_add(text, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
}

const struct px_ops px_pidfd_ops = {
    .tell = pidfd_tell,
    .name = "anon_inode:[pidfd]",
    .stat = px_anonymous_stat,
    .poll = pidfd_poll,
};

/* A descriptor of the entry's present process. */
static int64_t make(int32_t pid, uint32_t index, unsigned flags)
{
    struct px_ofd *ofd = px_ofd_new(PX_OFD_PIDFD, O_RDWR | (flags & O_NONBLOCK));
    int64_t fd;

    if (!ofd)
        return -ENFILE;
    ofd->word[0] = (uint32_t)pid;
    ofd->word[1] = index;
    ofd->word[2] = PX_PROC(PX_PROCTAB, index)->gen;
    fd = px_fd_install(ofd, 0, true);
    if (fd < 0)
        px_ofd_abandon(ofd);
    return fd;
}

void px_pidfd_tell(int32_t pid, uint32_t index, px_user to)
{
    int32_t fd = (int32_t)make(pid, index, 0);

    (void)!px_copy_out(to, &fd, sizeof fd);
}

PX_SYS(pidfd_open)
{
    uint32_t index = 1;

    if (b & ~(uint64_t)O_NONBLOCK || (int32_t)a <= 0)
        return -EINVAL;
    while (index < PX_PROCS_MAX && (PX_PROC(PX_PROCTAB, index)->pid != (int32_t)a || PX_PROC(PX_PROCTAB, index)->state == PX_FREE))
        index++;
    if (index == PX_PROCS_MAX)
        return -ESRCH;
    return make((int32_t)a, index, (unsigned)b);
}

static bool is_process_directory(const struct px_ofd *ofd)
{
    return ofd->kind == PX_OFD_PROC && PX_PROC_OBJECT(ofd->node.ino) == PROC_PID;
}

static const struct px_proc *process_of_directory(const struct px_ofd *ofd)
{
    const struct px_proc *process = px_proc_find(PX_PROC_PID(ofd->node.ino));

    return process && process->gen == ofd->node.gen ? process : NULL;
}

PX_SYS(pidfd_send_signal)
{
    const struct px_ofd *ofd = px_fd_get((int)a);
    const struct px_proc *process;
    int32_t signo;

    if (d != SIGNAL_FLAGS)
        return -EINVAL;
    if (!ofd || (ofd->kind != PX_OFD_PIDFD && !is_process_directory(ofd)))
        return -EBADF;
    if (c) {
        if (px_copy_in(&signo, c, sizeof signo) != 0)
            return -EFAULT;
        if (signo != (int32_t)b)
            return -EINVAL;
    }
    process = ofd->kind == PX_OFD_PIDFD ? process_of(ofd) : process_of_directory(ofd);
    if (!process)
        return -ESRCH;
    if (c)
        return px_sys_rt_sigqueueinfo((uint64_t)process->pid, b, c, 0, 0, 0);
    return px_sys_kill((uint64_t)process->pid, b, 0, 0, 0, 0);
}

#define PARTS_MAX 1024u

PX_SYS(process_madvise)
{
    bool nonblocking;
    uint64_t part[2], done = 0; /* an address and a length */
    int64_t pid, status = 0;

    if (e || c > PARTS_MAX)
        return -EINVAL;
    for (uint64_t at = 0; at < c; at++) {
        if (px_copy_in(part, b + at * sizeof part, sizeof part) != 0)
            return -EFAULT;
        if ((int64_t)part[1] < 0)
            return -EINVAL;
    }
    pid = px_pidfd_pid((int)a, &nonblocking);
    if (pid < 0)
        return pid == -ECHILD ? -ESRCH : pid;
    if (!px_advice_idle((int)d))
        return -EINVAL;
    if (px_self()->euid)
        return -EPERM;
    for (uint64_t at = 0; at < c && status == 0; at++) {
        if (px_copy_in(part, b + at * sizeof part, sizeof part) != 0)
            status = -EFAULT;
        else if (pid == px_self()->pid)
            status = px_sys_madvise(part[0], part[1], d, 0, 0, 0);
        else
            status = px_ask_proc((int32_t)pid, PX_ASK_ADVISE, part[0], part[1], d, part, 0);
        done += status == 0 ? part[1] : 0;
    }
    return done ? (int64_t)done : status;
}

/* Whoever is killed gives his memory back at once. */
PX_SYS(process_mrelease)
{
    const struct px_ofd *ofd = px_fd_get((int)a);
    const struct px_proc *process;

    if (b)
        return -EINVAL;
    if (!ofd || ofd->kind != PX_OFD_PIDFD)
        return -EBADF;
    process = process_of(ofd);
    return process && process->state != PX_ZOMBIE ? -EINVAL : -ESRCH;
}

int64_t px_parcel_ask(int pid, unsigned fd, struct px_ofd **ofd)
{
    uint64_t ticket;
    int64_t result = px_ask_proc(pid, PX_ASK_DESCRIPTOR, fd, 0, 0, &ticket, sizeof ticket);

    if (result != (int64_t)sizeof ticket)
        return result < 0 ? result : -EIO;
    result = px_parcel_take(ticket, 0, false, ofd);
    px_parcel_drop(ticket);
    return result;
}

/* What travels; the description has a position of its own, as one that came by a message. */
PX_SYS(pidfd_getfd)
{
    const struct px_ofd *of = px_fd_get((int)a);
    const struct px_proc *process;
    struct px_ofd *ofd;
    int64_t result;

    if (c)
        return -EINVAL;
    if (!of || of->kind != PX_OFD_PIDFD)
        return -EBADF;
    process = process_of(of);
    if (!process || process->state == PX_ZOMBIE)
        return -ESRCH;
    if (process == px_self())
        return px_fd_get((int)b) ? px_sys_fcntl(b, F_DUPFD_CLOEXEC, 0, 0, 0, 0) : -EBADF;
    result = px_parcel_ask(process->pid, (unsigned)b, &ofd);
    if (result < 0)
        return result;
    result = px_fd_install(ofd, 0, true);
    if (result < 0)
        px_ofd_leave(ofd);
    return result;
}
