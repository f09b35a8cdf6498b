/* What a descriptor names: the text of /proc/self/fd/N, and a second description by way of it. */
#include "proc_tree.h"
#include "travel.h"

int64_t px_fd_describe(int fd, char *to, size_t bytes)
{
    struct px_ofd *ofd = px_fd_get(fd);
    struct px_stat stat = {0};
    char text[64];

    if (!ofd)
        return -ENOENT;
    if (ofd->kind >= PX_OFD_EVENT && ofd->kind < PX_OFD_KINDS && ofd->kind != PX_OFD_MQUEUE)
        return px_proc_link(px_ofd_ops(ofd)->name, to, bytes);
    if (px_ofd_ops(ofd)->stat)
        (void)!px_ofd_ops(ofd)->stat(ofd, &stat);
    if (ofd->node.kind != PX_NODE_FS && (ofd->kind == PX_OFD_PIPE || ofd->kind == PX_OFD_SOCKET)) {
        exo_format(text, sizeof text, "%s:[%lu]", ofd->kind == PX_OFD_PIPE ? "pipe" : "socket",
                   (unsigned long)stat.st_ino);
        return px_proc_link(text, to, bytes);
    }
    if (ofd->kind == PX_OFD_TTY && PX_MAJOR(stat.st_rdev) == 136) {
        exo_format(text, sizeof text, "/dev/pts/%u", PX_MINOR(stat.st_rdev));
        return px_proc_link(text, to, bytes);
    }
    if (ofd->kind == PX_OFD_TTY)
        return px_proc_link(stat.st_rdev == PX_MAKEDEV(5, 2) ? "/dev/ptmx" : "/dev/console", to, bytes);
    if (ofd->kind == PX_OFD_PROC)
        return px_procfs_path(&ofd->node, to, bytes);
    return px_node_path(&ofd->node, to, bytes);
}

/* The mounts of /proc/PID/mountinfo; 0: of none that is shown there. */
static unsigned mount_of(const struct px_ofd *ofd, uint64_t device)
{
    if (ofd->node.kind == PX_NODE_PROC)
        return device == PX_SYSFS_DEV ? PX_MOUNT_SYSFS : PX_MOUNT_PROC;
    return ofd->node.kind == PX_NODE_FS ? PX_MOUNT_ROOT : 0;
}

void px_text_fdinfo(struct px_text *text, const struct px_proc *process)
{
    struct px_ofd *ofd = process == px_self() ? px_fd_get((int)text->number) : NULL;
    struct px_stat stat = {0};
    bool positioned;

    if (!ofd)
        return;
    if (px_ofd_ops(ofd)->stat)
        (void)!px_ofd_ops(ofd)->stat(ofd, &stat);
    positioned = ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY || ofd->kind == PX_OFD_PROC;
    px_text_add(text, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n",
                positioned ? (unsigned long)(px_ofd_twin(ofd) ? px_ofd_twin(ofd) : ofd)->offset : 0ul,
                ofd->flags | (px_fd_cloexec(text->number) ? O_CLOEXEC : 0u), mount_of(ofd, stat.st_dev), (unsigned long)stat.st_ino);
    if (px_ofd_ops(ofd)->tell)
        px_ofd_ops(ofd)->tell(ofd, text);
}

/* Through its device number: a pseudo-terminal's master has none of its own. */
static int64_t reopen_terminal(struct px_ofd *old, unsigned flags, struct px_ofd **ofd)
{
    struct px_node node = {.kind = PX_NODE_FS, .mode = S_IFCHR};
    struct px_stat stat = {0};

    if (!px_ofd_ops(old)->stat || px_ofd_ops(old)->stat(old, &stat) < 0 || stat.st_rdev == PX_MAKEDEV(5, 2))
        return -EIO;
    node.rdev = stat.st_rdev;
    return px_open_node(&node, "", flags, NULL, ofd);
}

/* Files come here as nodes of fs and are opened there. */
static int64_t reopen(struct px_ofd *old, unsigned flags, struct px_ofd **ofd)
{
    switch (old->kind) {
    case PX_OFD_PIPE:
        if (old->node.kind == PX_NODE_FS)
            return px_pipe_open_fifo(&old->node, flags, ofd);
        return px_pipe_reopen(old, flags, ofd);
    case PX_OFD_DEVICE:
        return px_open_node(&old->node, "", flags, NULL, ofd);
    case PX_OFD_TTY:
        return reopen_terminal(old, flags, ofd);
    default:
        return -ENXIO;
    }
}

int64_t px_fd_reopen(const struct px_proc *process, unsigned fd, unsigned flags, struct px_ofd **ofd)
{
    struct px_ofd *old = px_fd_get((int)fd);
    int64_t result;

    if (process == px_self())
        return old ? reopen(old, flags, ofd) : -ENOENT;
    result = px_parcel_ask(process->pid, fd, &old);
    if (result < 0)
        return result == -EBADF || result == -ESRCH ? -ENOENT : result == -EOPNOTSUPP ? -ENXIO : -EACCES;
    result = reopen(old, flags, ofd);
    px_ofd_leave(old);
    return result;
}
