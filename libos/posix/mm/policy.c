/* Where memory comes from: one node has it all, as on a Linux machine without NUMA. And protection keys, of which the processor has none. */
#include "mm.h"
#include "px_calls.h"

#define MPOL_MODE_FLAGS 0xe000u
#define MPOL_F_NODE 1u
#define MPOL_F_ADDR 2u
#define MPOL_F_MEMS_ALLOWED 4u
#define NODES_MAX 1024u
enum { MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL, MPOL_PREFERRED_MANY };

static int32_t task_mode = MPOL_DEFAULT; /* as it was set: node 0 is all there is to choose from */

/* The set of nodes that the program names: bit 0 is the only one there is. */
static int64_t read_nodes(px_user from, uint64_t bits, uint64_t *nodes)
{
    *nodes = 0;
    if (!from || bits <= 1)
        return 0;
    if (bits - 1 > NODES_MAX * 32)
        return -EINVAL;
    for (uint64_t word = 0; word * 64 < bits - 1; word++) {
        uint64_t part;

        if (px_copy_in(&part, from + word * 8, sizeof part) != 0)
            return -EFAULT;
        if (bits - 1 - word * 64 < 64)
            part &= (1ull << (bits - 1 - word * 64)) - 1;
        if (word == 0)
            *nodes = part;
        else if (part)
            return -EINVAL;
    }
    return *nodes & ~1ull ? -EINVAL : 0;
}

static int64_t check_policy(uint64_t mode, px_user from, uint64_t bits)
{
    uint64_t nodes;
    int64_t status;

    mode &= ~(uint64_t)MPOL_MODE_FLAGS;
    if (mode > MPOL_PREFERRED_MANY)
        return -EINVAL;
    status = read_nodes(from, bits, &nodes);
    if (status < 0)
        return status;
    if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL)
        return nodes ? -EINVAL : 0;
    return nodes || mode == MPOL_PREFERRED ? 0 : -EINVAL;
}

PX_SYS(set_mempolicy)
{
    int64_t status = check_policy((uint32_t)a, b, c);

    if (status == 0)
        task_mode = (int32_t)a;
    return status;
}

PX_SYS(mbind)
{
    int64_t status;

    if (f & ~7ull || a % PX_PAGE)
        return -EINVAL;
    status = check_policy((uint32_t)c, d, e);
    return status < 0 ? status : px_vma_pages(a, PX_PAGE_UP(a + b)) * PX_PAGE < PX_PAGE_UP(b) ? -EFAULT : 0;
}

PX_SYS(get_mempolicy)
{
    bool nodes = e & MPOL_F_MEMS_ALLOWED || (!(e & (MPOL_F_NODE | MPOL_F_ADDR)) && (task_mode & 7) != MPOL_DEFAULT && (task_mode & 7) != MPOL_LOCAL);
    int32_t mode = e & (MPOL_F_NODE | MPOL_F_MEMS_ALLOWED) ? 0 : task_mode;

    if (e & ~7ull || (e & MPOL_F_MEMS_ALLOWED && e & (MPOL_F_NODE | MPOL_F_ADDR)) || (b && c < 1))
        return -EINVAL;
    if (!(e & MPOL_F_ADDR) && d)
        return -EINVAL;
    if (e & MPOL_F_ADDR && !px_memory_mapped(d))
        return -EFAULT;
    if (e & MPOL_F_NODE && !(e & MPOL_F_ADDR) && (task_mode & 7) != MPOL_INTERLEAVE)
        return -EINVAL;
    if (e & MPOL_F_ADDR && !(e & MPOL_F_NODE))
        mode = MPOL_DEFAULT;
    if (a && px_copy_out(a, &mode, sizeof mode) != 0)
        return -EFAULT;
    for (uint64_t word = 0; b && word * 64 < c && word < NODES_MAX / 64; word++) {
        uint64_t part = word == 0 && nodes;

        if (px_copy_out(b + word * 8, &part, sizeof part) != 0)
            return -EFAULT;
    }
    return 0;
}

PX_SYS(pkey_alloc)
{
    return a || b & ~3ull ? -EINVAL : -ENOSPC;
}

PX_SYS(pkey_free)
{
    return -EINVAL;
}

PX_SYS(pkey_mprotect)
{
    return (int32_t)d == -1 ? px_sys_mprotect(a, b, c, 0, 0, 0) : -EINVAL;
}
