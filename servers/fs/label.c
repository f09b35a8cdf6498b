/*
 * What the security labels of zones say about files. A file has the label of the process that made it; those of the boot archive have that of
 * programs. A process may change only what its label dominates; it reads by permission, as everybody does. A directory in which
 * everybody may write and nobody clear away (sticky, as /tmp) takes entries from everybody; what it is itself it keeps. What a label
 * below that of programs stands for has a share of the memory and of the inodes, so that a confined tree cannot use up everybody's.
 */
#include <exo/label.h>

#include "core.h"

#define INODES_SHARE 4096u
#define LINKS_SHARE 16u
#define PAGES_SHARE 4u /* one part in so many */

FS_HOT_DATA static uint64_t inodes[EXO_LABELS], pages[EXO_LABELS];

void fs_label_start(void)
{
    memset(inodes, 0, sizeof inodes);
    memset(pages, 0, sizeof pages);
}

static unsigned label_of(const struct px_inode *inode)
{
    unsigned label = PX_INODE_LABEL(inode->flags);

    return label < EXO_LABELS ? label : EXO_LABEL_TOP;
}

static bool is_limited(unsigned label)
{
    return !exo_label_dominates(label, EXO_PLACE_PROGRAMS);
}

FS_HOT bool fs_label_dominates(const struct fs_caller *caller, const struct px_inode *inode)
{
    return exo_label_dominates(caller->label, label_of(inode));
}

/* Device files are not changed by what is written to them; a FIFO is changed by reading, too. */
FS_HOT bool fs_label_may(const struct fs_caller *caller, const struct px_inode *inode, unsigned want)
{
    if (S_ISCHR(inode->mode) || (inode->mode & S_IFMT) == S_IFBLK)
        return true;
    if (!(want & (S_ISFIFO(inode->mode) ? 6u : 2u)))
        return true;
    if (S_ISDIR(inode->mode) && (inode->mode & (S_ISVTX | 0002)) == (S_ISVTX | 0002))
        return true;
    return fs_label_dominates(caller, inode);
}

FS_HOT void fs_label_set(struct px_inode *inode, unsigned label)
{
    inode->flags |= PX_INODE_LABELLED(label);
    inodes[label]++;
}

FS_HOT void fs_label_forget(const struct px_inode *inode)
{
    inodes[label_of(inode)]--;
}

FS_HOT bool fs_label_inode_room(unsigned label)
{
    return !is_limited(label) || inodes[label] < INODES_SHARE;
}

bool fs_label_link_room(const struct px_inode *inode)
{
    return !is_limited(label_of(inode)) || inode->nlink < LINKS_SHARE;
}

uint64_t fs_label_page_room(const struct px_inode *inode)
{
    unsigned label = label_of(inode);
    uint64_t most = fs_meta()->data_pages_max / PAGES_SHARE;

    if (!is_limited(label))
        return UINT64_MAX;
    return pages[label] < most ? most - pages[label] : 0;
}

void fs_label_pages(const struct px_inode *inode, int64_t change)
{
    pages[label_of(inode)] += (uint64_t)change;
}
