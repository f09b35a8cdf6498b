/*
 * Moving bytes to and from the program: the range is checked here, the pages by the fault that a missing one
 * causes (arch/.../copy.S).
 */
#include "mm.h"

static inline bool outside(px_user va, uint64_t bytes)
{
    return va < PX_PROG_LO || va > PX_PROG_HI || bytes > PX_PROG_HI - va;
}

int64_t px_check_range(px_user va, uint64_t bytes)
{
    return bytes && outside(va, bytes) ? -EFAULT : 0;
}

int64_t px_copy_in(void *to, px_user from, size_t bytes)
{
    if (outside(from, bytes))
        return bytes ? -EFAULT : 0;
    return px_raw_copy(to, (const void *)from, bytes) ? -EFAULT : 0;
}

int64_t px_copy_out(px_user to, const void *from, size_t bytes)
{
    if (outside(to, bytes))
        return bytes ? -EFAULT : 0;
    return px_raw_copy((void *)to, from, bytes) ? -EFAULT : 0;
}

/* As much of the range as lies in the program's part. */
static size_t clip(px_user va, size_t bytes)
{
    if (va < PX_PROG_LO || va >= PX_PROG_HI)
        return 0;
    return bytes < PX_PROG_HI - va ? bytes : PX_PROG_HI - va;
}

size_t px_copy_in_part(void *to, px_user from, size_t bytes)
{
    size_t inside = clip(from, bytes);

    return inside - px_raw_copy(to, (const void *)from, inside);
}

size_t px_copy_out_part(px_user to, const void *from, size_t bytes)
{
    size_t inside = clip(to, bytes);

    return inside - px_raw_copy((void *)to, from, inside);
}

size_t px_guarded_copy(void *to, const void *from, size_t bytes)
{
    return bytes - px_raw_copy(to, from, bytes);
}

int64_t px_copy_string(char *to, px_user from, size_t most)
{
    size_t inside = clip(from, most);
    int64_t length = px_raw_string(to, (const char *)from, inside);

    if (length < 0)
        return -EFAULT;
    if ((size_t)length < inside)
        return length;
    return inside < most ? -EFAULT : -ENAMETOOLONG;
}

int64_t px_copy_sized(void *to, size_t known, size_t least, px_user from, uint64_t bytes)
{
    uint64_t mine = bytes < known ? bytes : known;

    memset(to, 0, known);
    if (bytes > PX_PAGE)
        return -E2BIG;
    if (bytes < least)
        return -EINVAL;
    for (uint64_t at = mine; at < bytes; at++) {
        uint8_t byte;

        if (px_copy_in(&byte, from + at, 1) != 0)
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    return px_copy_in(to, from, mine);
}

int64_t px_user_length(px_user from, size_t most)
{
    size_t inside = clip(from, most);
    int64_t length = px_raw_length((const char *)from, inside);

    if (length < 0)
        return -EFAULT;
    if ((size_t)length < inside)
        return length;
    return inside < most ? -EFAULT : -E2BIG;
}

int64_t px_clear_out(px_user to, size_t bytes)
{
    if (outside(to, bytes))
        return bytes ? -EFAULT : 0;
    return px_raw_clear((void *)to, bytes) ? -EFAULT : 0;
}

int64_t px_load_u32(px_user va, uint32_t *value)
{
    if (outside(va, sizeof(*value)))
        return -EFAULT;
    return px_raw_load_u32((const void *)va, value) ? -EFAULT : 0;
}

int64_t px_swap_u32(px_user va, uint32_t *value, uint32_t next)
{
    if (outside(va, sizeof(*value)))
        return -EFAULT;
    switch (px_raw_swap_u32((void *)va, value, next)) {
    case 0: return 0;
    case 1: return -EAGAIN;
    default: return -EFAULT;
    }
}
