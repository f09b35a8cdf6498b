/* The devices of /dev that need no server, and which description a special file becomes when it is opened.
 * word[0]: the device's number. */
#include "fd.h"

#include "proto/tty.h"

#define DEV_NULL PX_MAKEDEV(1, 3)
#define DEV_ZERO PX_MAKEDEV(1, 5)
#define DEV_FULL PX_MAKEDEV(1, 7)
#define DEV_RANDOM PX_MAKEDEV(1, 8)
#define DEV_URANDOM PX_MAKEDEV(1, 9)
#define DEV_TTY PX_MAKEDEV(5, 0)
#define DEV_CONSOLE PX_MAKEDEV(5, 1)
#define DEV_PTMX PX_MAKEDEV(5, 2)
#define PTS_MAJOR 136u
#define RNDGETENTCNT 0x80045200u
#define RANDOM_PART 256u

static int64_t read_random(px_user to, size_t bytes)
{
    uint8_t part[RANDOM_PART];
    size_t done = 0;

    while (done < bytes) {
        size_t n = bytes - done < sizeof part ? bytes - done : sizeof part;

        px_random_bytes(part, n);
        if (px_copy_out(to + done, part, n) != 0)
            return done ? (int64_t)done : -EFAULT;
        done += n;
    }
    return (int64_t)done;
}

static int64_t device_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    switch (ofd->word[0]) {
    case DEV_ZERO:
    case DEV_FULL:
        return px_clear_out(to, bytes) ? -EFAULT : (int64_t)bytes;
    case DEV_RANDOM:
    case DEV_URANDOM:
        return read_random(to, bytes);
    default:
        return 0;
    }
}

static int64_t device_write(struct px_ofd *ofd, PX_UNUSED px_user from, size_t bytes,
                            PX_UNUSED uint64_t *offset)
{
    return ofd->word[0] == DEV_FULL && bytes ? -ENOSPC : (int64_t)bytes;
}

int64_t px_no_seek(PX_UNUSED struct px_ofd *ofd, PX_UNUSED int64_t offset, PX_UNUSED int whence)
{
    return 0;
}

static int64_t device_ioctl(struct px_ofd *ofd, uint64_t request, uint64_t argument)
{
    const int32_t bits = 256;

    if (ofd->word[0] != DEV_RANDOM && ofd->word[0] != DEV_URANDOM)
        return -ENOTTY;
    return request == RNDGETENTCNT ? px_copy_out(argument, &bits, sizeof bits) : -EINVAL;
}

static int64_t device_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    return px_node_stat(&ofd->node, stat);
}

/* Only /dev/zero can be mapped: as anonymous memory. */
static int64_t device_map(struct px_ofd *ofd, PX_UNUSED uint64_t first_page, uint64_t pages, uint64_t va,
                          int prot, PX_UNUSED int flags)
{
    uint64_t bits = (uint64_t)prot & (PROT_READ | PROT_WRITE | PROT_EXEC);

    if (ofd->word[0] != DEV_ZERO)
        return -ENODEV;
    return exo_alloc_all(PX_SLOT_SELF, va, pages, bits | EXO_PROT_READ, NULL) != 0 ? -ENOMEM : 0;
}

const struct px_ops px_device_ops = {
    .name = "device",
    .read = device_read,
    .write = device_write,
    .seek = px_no_seek,
    .ioctl = device_ioctl,
    .stat = device_stat,
    .map = device_map,
};

static int64_t open_device(const struct px_node *node, unsigned flags, struct px_ofd **ofd)
{
    *ofd = px_ofd_new(PX_OFD_DEVICE, flags);
    if (!*ofd)
        return -ENFILE;
    (*ofd)->node = *node;
    (*ofd)->word[0] = node->rdev;
    return 0;
}

static int64_t open_character(const struct px_node *node, unsigned flags, struct px_ofd **ofd)
{
    switch (node->rdev) {
    case DEV_NULL:
    case DEV_ZERO:
    case DEV_FULL:
    case DEV_RANDOM:
    case DEV_URANDOM:
        return open_device(node, flags, ofd);
    case DEV_TTY:
        return px_tty_open(PX_TTY_CTTY, flags, ofd);
    case DEV_CONSOLE:
        return px_tty_open(PX_TTY_CONSOLE, flags, ofd);
    case DEV_PTMX:
        return px_tty_open_master(flags, ofd);
    default:
        if (PX_MAJOR(node->rdev) == PTS_MAJOR && PX_MINOR(node->rdev) < PX_TTYS_MAX - 1)
            return px_tty_open(PX_MINOR(node->rdev) + 1, flags, ofd);
        return -ENXIO;
    }
}

int64_t px_open_node(const struct px_node *node, PX_UNUSED const char *path, unsigned flags,
                     unsigned *made_kind, struct px_ofd **ofd)
{
    int64_t result;

    if (node->kind == PX_NODE_PROC)
        result = px_proc_open(node, flags, ofd);
    else if (S_ISCHR(node->mode))
        result = open_character(node, flags, ofd);
    else if (S_ISFIFO(node->mode))
        result = px_pipe_open_fifo(node, flags, ofd);
    else
        result = -ENXIO; /* block devices and sockets */
    if (result == 0 && made_kind)
        *made_kind = (*ofd)->kind;
    return result;
}
