/*
 * Inodes held: open, mapped, the current directory or the root. They stand in the process page, where fs looks before
 * it frees a file without a name. An inode is published first and looked at again afterwards, so that either fs sees
 * it or this process sees that it is gone.
 */
#include "files.h"

/* Own copy of the list, from which fork makes the child's. In the bits that an entry leaves free: how many of the users write. */
static uint32_t held[PX_HAZARDS];
static uint16_t users[PX_HAZARDS];
static uint16_t runs; /* entry of the program that runs, + 1 */
#define WRITER 0x200000u
#define WRITERS 0x3fe00000u
static unsigned high; /* no entry in use at or above */

static unsigned find(uint32_t ino)
{
    unsigned at = 0;

    while (at < high && PX_HAZARD_INO(held[at]) != ino)
        at++;
    return at;
}

static void publish(unsigned at, uint32_t entry)
{
    struct px_ppage *page = px_ppage();

    held[at] = entry;
    __atomic_store_n(&page->hazard[at], entry & ~WRITERS, __ATOMIC_RELEASE);
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

/* Says what is done with it, too. */
static void mark(unsigned at)
{
    uint32_t entry = (held[at] & ~(PX_HAZARD_WRITES | PX_HAZARD_RUNS)) | (held[at] & WRITERS ? PX_HAZARD_WRITES : 0) |
                     (runs == at + 1 ? PX_HAZARD_RUNS : 0);

    if (entry != held[at])
        publish(at, entry);
}

int64_t px_node_hold_write(const struct px_node *node)
{
    int64_t status = px_node_hold(node);
    unsigned at;

    if (status < 0 || node->kind != PX_NODE_FS)
        return status;
    at = find((uint32_t)node->ino);
    if ((held[at] & WRITERS) == WRITERS) {
        px_node_drop(node);
        return -ENFILE;
    }
    held[at] += WRITER;
    mark(at);
    return 0;
}

void px_node_drop_write(const struct px_node *node)
{
    unsigned at = node->kind == PX_NODE_FS && node->ino ? find((uint32_t)node->ino) : high;

    if (at < high && held[at] & WRITERS) {
        held[at] -= WRITER;
        mark(at);
    }
    px_node_drop(node);
}

/* The question for fs, if the inode's flags leave any. */
static int64_t ask_busy(const struct px_node *node, uint32_t set, uint32_t wanted, uint64_t run)
{
    const struct px_inode *inode = px_held_inode(node);

    if (!inode || (PX_META_LOAD(inode->flags) & set) == wanted)
        return 0;
    return px_fs_call(PX_FS_EXECUTE, PX_FS_NODE(node->ino, node->gen), run, 0, 0, NULL);
}

int64_t px_node_unwritten(const struct px_node *node)
{
    return node->kind == PX_NODE_FS ? ask_busy(node, PX_INODE_WRITTEN, 0, 0) : 0;
}

int64_t px_node_run(const struct px_node *node)
{
    static struct px_node running;
    uint16_t before = runs;
    struct px_node old = running;
    int64_t status = px_node_hold(node);

    if (status < 0 || node->kind != PX_NODE_FS)
        return status;
    runs = (uint16_t)(find((uint32_t)node->ino) + 1);
    mark(runs - 1u);
    status = ask_busy(node, PX_INODE_WRITTEN | PX_INODE_RUN, PX_INODE_RUN, 1);
    if (status < 0) {
        uint16_t refused = runs;

        runs = before;
        mark(refused - 1u);
        px_node_drop(node);
        return status;
    }
    running = *node;
    if (before) {
        mark(before - 1u);
        px_node_drop(&old);
    }
    return 0;
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
        __atomic_store_n(&page->hazard[at], held[at] & ~WRITERS, __ATOMIC_RELAXED);
    __atomic_store_n(&page->hazard_count, high ? high : 1, __ATOMIC_RELEASE);
    px_window_fork_child();
}
