/* What a descriptor names: the text of /proc/self/fd/N, and a second description by way of it. */
#include "proc_tree.h"

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

/* A second description of what a descriptor names. Files come here as nodes of fs and are opened there. */
int64_t px_fd_reopen(int fd, unsigned flags, struct px_ofd **ofd)
{
    struct px_ofd *old = px_fd_get(fd);

    if (!old)
        return -ENOENT;
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
