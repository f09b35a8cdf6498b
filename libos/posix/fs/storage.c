/* Calls about storage behind the files, of which there is none but memory: synchronising is done when it is asked
 * for, advice is taken and not needed. */
#include "files.h"
#include "px_calls.h"

static int64_t check_descriptor(int fd)
{
    const struct px_ofd *ofd = px_fd_get(fd);

    return ofd && !(ofd->flags & O_PATH) ? 0 : -EBADF;
}

PX_SYS(sync)
{
    return 0;
}

PX_SYS(syncfs)
{
    return check_descriptor((int)a);
}

PX_SYS(sync_file_range)
{
    const struct px_ofd *ofd = px_fd_get((int)a);
    int64_t status = check_descriptor((int)a);

    if (status < 0)
        return status;
    if (d & ~7ull || (int64_t)b < 0 || (int64_t)c < 0 || (int64_t)(b + c) < 0)
        return -EINVAL;
    return ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY ? 0 : -ESPIPE;
}

PX_SYS(fadvise64)
{
    const struct px_ofd *ofd = px_fd_get((int)a);
    int64_t status = check_descriptor((int)a);

    if (status < 0)
        return status;
    if (ofd->kind == PX_OFD_PIPE)
        return -ESPIPE;
    return (int64_t)c < 0 || d > 5 ? -EINVAL : 0;
}

PX_SYS(readahead)
{
    const struct px_ofd *ofd = px_fd_get((int)a);
    int64_t status = check_descriptor((int)a);

    if (status < 0 || (ofd->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    return ofd->kind == PX_OFD_FILE ? 0 : -EINVAL;
}
