/*
 * ETXTBSY: nobody writes to a program that runs, and nobody runs a file that is open for writing. Processes say both in their lists of held inodes
 * (proctab.h); two flags of the inode remember that it may be so, and lists are looked at only then. A process that lies about itself lets others write to
 * the program that it runs itself, which is its own loss. A child that has not made its list yet is passed over, for its parent's tells the same; or, where its
 * parent may have closed the file meanwhile, waited for by who asks.
 */
#include "core.h"
#include "proctab.h"

/* Does a living process hold it so? *known: all have told; *begun: all have made a list, if one with too little room. */
static bool is_held(uint32_t ino, uint32_t how, bool *known, bool *begun)
{
    struct fs_hazards hazards;
    unsigned cursor = 0;

    *known = *begun = true;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* partner: px_node_hold_as in the libOS */
    while (os_next_hazards(&cursor, &hazards)) {
        *known = *known && hazards.published;
        *begun = *begun && (hazards.published || hazards.count > 0);
        for (uint32_t i = 0; i < hazards.count; i++) {
            uint32_t entry = __atomic_load_n(&hazards.ino[i], __ATOMIC_ACQUIRE);

            if (entry & how && PX_HAZARD_INO(entry) == ino)
                return true;
        }
    }
    return false;
}

static int64_t check(struct px_inode *inode, uint32_t flag, uint32_t how, bool patient)
{
    bool known, begun;

    if (!(inode->flags & flag))
        return 0;
    inode->flags &= ~flag; /* first: who begins now finds it so, and asks */
    if (is_held(fs_number(inode), how, &known, &begun)) {
        inode->flags |= flag;
        return -ETXTBSY;
    }
    inode->flags |= known ? 0 : flag;
    return patient && !begun ? -EAGAIN : 0;
}

int64_t fs_busy_write(struct px_inode *inode)
{
    return S_ISREG(inode->mode) ? check(inode, PX_INODE_RUN, PX_HAZARD_RUNS, false) : 0;
}

int64_t fs_busy_execute(uint64_t node, bool run, bool patient)
{
    struct px_inode *inode = fs_node(node);
    int64_t status = !inode ? -ESTALE : !S_ISREG(inode->mode) ? -EACCES : check(inode, PX_INODE_WRITTEN, PX_HAZARD_WRITES, patient);

    if (status == 0 && run)
        inode->flags |= PX_INODE_RUN;
    return status;
}
