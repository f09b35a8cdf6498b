/* Extended attributes: there are none, as on a tmpfs without them. The paths are looked up all the same, so that what
 * is missing is said first. */
#include "files.h"
#include "px_calls.h"

#define XATTR_NAME_MAX 255u

static int64_t check_name(px_user name)
{
    char text[XATTR_NAME_MAX + 1];
    int64_t length = px_copy_string(text, name, sizeof text);

    return length == -ENAMETOOLONG || length == 0 ? -ERANGE : length < 0 ? length : 0;
}

static int64_t on_path(px_user path, unsigned flags, px_user name, int64_t answer)
{
    struct px_place place;
    int64_t status = name ? check_name(name) : 0;

    if (status == 0)
        status = px_find_user(AT_FDCWD, path, flags, &place);
    return status < 0 ? status : answer;
}

static int64_t on_descriptor(int fd, px_user name, int64_t answer)
{
    const struct px_ofd *ofd = px_fd_get(fd);
    int64_t status = name ? check_name(name) : 0;

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    return status < 0 ? status : answer;
}

PX_SYS(setxattr)
{
    return on_path(a, 0, b, -EOPNOTSUPP);
}

PX_SYS(lsetxattr)
{
    return on_path(a, PX_WALK_NOFOLLOW, b, -EOPNOTSUPP);
}

PX_SYS(fsetxattr)
{
    return on_descriptor((int)a, b, -EOPNOTSUPP);
}

PX_SYS(getxattr)
{
    return on_path(a, 0, b, -EOPNOTSUPP);
}

PX_SYS(lgetxattr)
{
    return on_path(a, PX_WALK_NOFOLLOW, b, -EOPNOTSUPP);
}

PX_SYS(fgetxattr)
{
    return on_descriptor((int)a, b, -EOPNOTSUPP);
}

PX_SYS(listxattr)
{
    return on_path(a, 0, 0, 0);
}

PX_SYS(llistxattr)
{
    return on_path(a, PX_WALK_NOFOLLOW, 0, 0);
}

PX_SYS(flistxattr)
{
    return on_descriptor((int)a, 0, 0);
}

PX_SYS(removexattr)
{
    return on_path(a, 0, b, -EOPNOTSUPP);
}

PX_SYS(lremovexattr)
{
    return on_path(a, PX_WALK_NOFOLLOW, b, -EOPNOTSUPP);
}

PX_SYS(fremovexattr)
{
    return on_descriptor((int)a, b, -EOPNOTSUPP);
}
