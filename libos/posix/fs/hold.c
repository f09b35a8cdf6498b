/*
 * Inodes held: open, mapped, the current directory or the root. They stand in the process page, where fs looks before
 * it frees a file without a name. An inode is published first and looked at again afterwards, so that either fs sees
 * it or this process sees that it is gone.
 */
#include "files.h"

static uint32_t held[PX_HAZARDS]; /* own copy: fork makes the child's list from it */
static uint16_t users[PX_HAZARDS];
static unsigned high; /* no entry in use at or above */

static unsigned find(uint32_t ino)
{
    unsigned at = 0;

    while (at < high && held[at] != ino)
        at++;
    return at;
}

static void publish(unsigned at, uint32_t ino)
{
    struct px_ppage *page = px_ppage();

    held[at] = ino;
    __atomic_store_n(&page->hazard[at], ino, __ATOMIC_RELEASE);
    if (at >= high) {
        high = at + 1;
        __atomic_store_n(&page->hazard_count, high, __ATOMIC_RELEASE);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* partner: mark_held in fs */
}

/* The count never goes back to 0, which means: list not made yet. */
static void withdraw(unsigned at)
{
    __atomic_store_n(&px_ppage()->hazard[at], 0, __ATOMIC_RELEASE);
    held[at] = 0;
    while (high > 1 && !held[high - 1])
        high--;
    __atomic_store_n(&px_ppage()->hazard_count, high, __ATOMIC_RELEASE);
}

static bool is_there(const struct px_node *node)
{
    struct px_look look;
    bool there;

    px_look_start(&look);
    do {
        const struct px_inode *inode = px_region_inode(&look.region, (uint32_t)node->ino);

        there = inode && PX_META_LOAD(inode->gen) == node->gen && PX_META_LOAD(inode->mode);
    } while (px_look_again(&look));
    return there && !look.failed;
}

int64_t px_node_hold(const struct px_node *node)
{
    uint32_t ino = (uint32_t)node->ino;
    unsigned at;

    if (node->kind != PX_NODE_FS)
        return 0;
    if (!ino)
        return -ENOENT;
    at = find(ino);
    if (at == high) {
        at = find(0);
        if (at == PX_HAZARDS)
            return -ENFILE;
        publish(at, ino);
        users[at] = 0;
    }
    if (users[at] == UINT16_MAX)
        return -ENFILE;
    users[at]++;
    if (is_there(node))
        return 0;
    if (--users[at] == 0)
        withdraw(at);
    return -ENOENT;
}

void px_node_drop(const struct px_node *node)
{
    unsigned at = node->kind == PX_NODE_FS && node->ino ? find((uint32_t)node->ino) : high;
    const struct px_inode *inode;
    bool nameless;

    if (at == high)
        return;
    if (--users[at] > 0)
        return;
    inode = px_held_inode(node);
    nameless = inode && PX_META_LOAD(inode->nlink) == 0;
    withdraw(at);
    if (!nameless)
        return;
    px_window_forget((uint32_t)node->ino);
    if (!px_fd_exiting)
        (void)!px_fs_call(PX_FS_REAP, PX_FS_NODE(node->ino, node->gen), 0, 0, 0, NULL);
}

void px_files_fork_child(void)
{
    struct px_ppage *page = px_ppage();

    for (unsigned at = 0; at < high; at++)
        __atomic_store_n(&page->hazard[at], held[at], __ATOMIC_RELAXED);
    __atomic_store_n(&page->hazard_count, high ? high : 1, __ATOMIC_RELEASE);
}
