/*
 * Files without a name that somebody may still have open. A process publishes the inodes that it holds in its process
 * page, and only then looks whether the inode still is what it found; fs takes the name away, and only then looks at
 * the lists: one of the two sees the other. A process whose list is not made yet (a child just after fork) may hold
 * anything: then nothing goes. One that is born while fs goes from list to list may have been passed over, and its parent, whose list comes later, have let
 * go of the same file by then: so the lists are gone through again. models/hazards.pml has all this.
 */
#include "core.h"
#include "proctab.h"

#define LOOKS 8u /* at the lists, while processes come and go */
#define WAIT_MOST 8u

FS_HOT_DATA uint32_t fs_orphan_count;

FS_HOT_DATA static uint32_t first; /* inode number */
FS_HOT_DATA static uint32_t waiting; /* empty ones since the last sweep */

/* Where an orphan's inode keeps the next one's number: a directory needs its parent for `..`. */
static uint32_t *next_of(uint32_t ino)
{
    struct px_inode *inode = fs_inode(ino);

    return S_ISDIR(inode->mode) ? &inode->directory.orphan : &inode->parent;
}

/* False: some process has not published yet. */
static bool mark_lists(void)
{
    struct fs_hazards hazards;
    unsigned cursor = 0;

    while (os_next_hazards(&cursor, &hazards)) {
        if (!hazards.published)
            return false;
        for (uint32_t i = 0; i < hazards.count; i++) {
            uint32_t ino = PX_HAZARD_INO(__atomic_load_n(&hazards.ino[i], __ATOMIC_ACQUIRE));

            if (ino && fs_is_inode(ino) && fs_inode(ino)->flags & PX_INODE_ORPHAN)
                fs_inode(ino)->flags |= PX_INODE_HELD;
        }
    }
    return true;
}

/* Marks the orphans that are held. False: that is not known; the next sweep may. */
static bool mark_held(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* partner: px_node_hold in the libOS */
    for (unsigned tries = 0; tries < LOOKS; tries++) {
        uint32_t changes = os_process_changes();

        if (!mark_lists())
            return false;
        if (os_process_changes() == changes)
            return true;
    }
    return false;
}

FS_APART void fs_orphans_sweep(void)
{
    uint32_t *link = &first;
    bool known;

    waiting = 0;
    if (!first)
        return;
    known = mark_held();
    while (*link) {
        uint32_t ino = *link;
        struct px_inode *inode = fs_inode(ino);
        bool held = inode->flags & PX_INODE_HELD;

        inode->flags &= ~(uint32_t)PX_INODE_HELD;
        if (held || !known) {
            link = next_of(ino);
            continue;
        }
        *link = *next_of(ino);
        fs_orphan_count--;
        fs_inode_free(ino);
    }
}

/* To go through all lists takes as long as the rest of an unlink. What waits here goes with the next sweep, or when something is full. */
FS_HOT FS_APART void fs_orphans_sweep_soon(const struct px_inode *latest)
{
    bool empty = S_ISREG(latest->mode) && latest->pages == 0 && latest->extended == 0 && !(latest->flags & (PX_INODE_WATCHED | PX_INODE_MQUEUE));

    if (!empty || ++waiting == WAIT_MOST)
        fs_orphans_sweep();
}

FS_HOT void fs_orphan(uint32_t ino, struct px_name *name, uint32_t directory)
{
    struct px_inode *inode = fs_inode(ino);

    inode->flags |= PX_INODE_ORPHAN;
    inode->name = 0;
    if (name) {
        name->inode = ino;
        name->directory = directory;
        name->alias = 0;
        inode->name = (uint32_t)((uint8_t *)name - fs_region.base);
    }
    *next_of(ino) = first;
    first = ino;
    fs_orphan_count++;
}

void fs_orphan_adopt(uint32_t ino)
{
    uint32_t *link = &first;

    while (*link && *link != ino)
        link = next_of(*link);
    if (*link) {
        *link = *next_of(ino);
        fs_orphan_count--;
    }
    if (fs_inode(ino)->name)
        fs_name_free(fs_at(fs_inode(ino)->name));
    fs_inode(ino)->name = 0;
    *next_of(ino) = 0;
    fs_inode(ino)->flags &= ~(uint32_t)(PX_INODE_ORPHAN | PX_INODE_TMPFILE);
}

void fs_orphans_forget(void)
{
    first = 0;
    waiting = 0;
    fs_orphan_count = 0;
}
