/*
 * Inodes held: open, mapped, the current directory or the root. They stand in the process page, where fs looks before
 * it frees a file without a name. An inode is published first and looked at again afterwards, so that either fs sees
 * it or this process sees that it is gone.
 */
#include "files.h"

static struct {
    uint32_t entry; /* own copy of the list, from which fork makes the child's */
    uint32_t users, writers;
} held[PX_HAZARDS];
PX_HOT_DATA static uint16_t runs; /* entry of the program that runs, + 1 */
static unsigned high; /* no entry in use at or above */

/* Those that found no room in the list: while there are any, the list says that this process may hold anything. */
struct more {
    uint32_t ino, users;
};
static struct more *more;
static unsigned more_count, more_room;

static unsigned find(uint32_t ino)
{
    unsigned at = 0;

    while (at < high && PX_HAZARD_INO(held[at].entry) != ino)
        at++;
    return at;
}

static void publish(unsigned at, uint32_t entry)
{
    struct px_ppage *page = px_ppage();

    held[at].entry = entry;
    __atomic_store_n(&page->hazard[at], entry, __ATOMIC_RELEASE);
    if (at >= high) {
        high = at + 1;
        if (!more_count)
            __atomic_store_n(&page->hazard_count, high, __ATOMIC_RELEASE);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* partner: mark_held in fs */
}

/* The count never goes back to 0, which means: list not made yet. */
PX_PACKED(close) static void withdraw(unsigned at)
{
    __atomic_store_n(&px_ppage()->hazard[at], 0, __ATOMIC_RELEASE);
    held[at].entry = 0;
    while (high > 1 && !held[high - 1].entry)
        high--;
    if (!more_count)
        __atomic_store_n(&px_ppage()->hazard_count, high, __ATOMIC_RELEASE);
}

PX_APART static struct more *find_more(uint32_t ino)
{
    for (unsigned at = 0; at < more_count; at++)
        if (more[at].ino == ino)
            return &more[at];
    return NULL;
}

static struct more *add_more(uint32_t ino)
{
    if (more_count == more_room) {
        unsigned room = more_room ? more_room * 2 : 64;
        struct more *larger = px_alloc(room * sizeof *larger);

        if (!larger)
            return NULL;
        if (more_count)
            memcpy(larger, more, more_count * sizeof *more);
        px_free(more);
        more = larger;
        more_room = room;
    }
    if (!more_count)
        __atomic_store_n(&px_ppage()->hazard_count, PX_HAZARDS_ANY, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* partner: mark_held in fs */
    more[more_count] = (struct more){.ino = ino};
    return &more[more_count++];
}

/* One user fewer. True: it was the last one. With the last of all what fs has kept for our sake can go. */
static bool leave_more(struct more *entry)
{
    if (--entry->users > 0)
        return false;
    *entry = more[--more_count];
    if (!more_count)
        __atomic_store_n(&px_ppage()->hazard_count, high, __ATOMIC_RELEASE);
    return true;
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

PX_APART static int64_t hold_more(const struct px_node *node, struct more *entry)
{
    if (!entry)
        entry = add_more((uint32_t)node->ino);
    if (!entry)
        return -ENFILE;
    entry->users++;
    if (is_there(node))
        return 0;
    (void)leave_more(entry);
    return -ENOENT;
}

/* Says what is done with it, too; of what found no room nothing is said. */
PX_PACKED(close) static void mark(unsigned at)
{
    uint32_t entry;

    if (at >= high)
        return;
    entry = (held[at].entry & ~(PX_HAZARD_WRITES | PX_HAZARD_RUNS)) | (held[at].writers ? PX_HAZARD_WRITES : 0) | (runs == at + 1 ? PX_HAZARD_RUNS : 0);
    if (entry != held[at].entry)
        publish(at, entry);
}

PX_PACKED(close) void px_node_drop_write(const struct px_node *node)
{
    unsigned at = node->kind == PX_NODE_FS && node->ino ? find((uint32_t)node->ino) : high;

    if (at < high && held[at].writers) {
        held[at].writers--;
        mark(at);
    }
    px_node_drop(node);
}

#define PATIENCE 1000u /* turns that others get, for a child to say what it has */

/* The question for fs, if the inode's flags leave any. */
static int64_t ask_busy(const struct px_node *node, uint32_t set, uint32_t wanted, uint64_t run)
{
    const struct px_inode *inode = px_held_inode(node);
    int64_t status = -EAGAIN;

    if (!inode || (PX_META_LOAD(inode->flags) & set) == wanted)
        return 0;
    for (unsigned turns = 0; status == -EAGAIN && turns <= PATIENCE; turns++) {
        if (turns > 0)
            (void)!exo_yield();
        status = px_fs_call(PX_FS_EXECUTE, PX_FS_NODE(node->ino, node->gen), run | (turns < PATIENCE ? PX_EXECUTE_PATIENT : 0), 0, 0, NULL);
    }
    return status;
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
    runs = find((uint32_t)node->ino) < high ? (uint16_t)(find((uint32_t)node->ino) + 1) : UINT16_MAX;
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

PX_PACKED(held) int64_t px_node_hold_as(const struct px_node *node, bool writing)
{
    uint32_t ino = (uint32_t)node->ino;
    unsigned at;

    if (node->kind != PX_NODE_FS)
        return 0;
    if (!ino)
        return -ENOENT;
    at = find(ino);
    if (at == high) {
        struct more *entry = more_count ? find_more(ino) : NULL;

        at = find(0);
        if (entry || at == PX_HAZARDS)
            return hold_more(node, entry);
        publish(at, ino);
        held[at].users = held[at].writers = 0;
    }
    held[at].users++;
    if (is_there(node)) {
        if (writing) {
            held[at].writers++;
            mark(at);
        }
        return 0;
    }
    if (--held[at].users == 0)
        withdraw(at);
    return -ENOENT;
}

int64_t px_node_hold(const struct px_node *node)
{
    return px_node_hold_as(node, false);
}

static bool is_nameless(const struct px_node *node)
{
    const struct px_inode *inode = px_held_inode(node);

    return inode && PX_META_LOAD(inode->nlink) == 0;
}

PX_APART static void drop_more(const struct px_node *node)
{
    struct more *entry = find_more((uint32_t)node->ino);
    bool nameless = is_nameless(node);

    if (!entry || !leave_more(entry))
        return;
    if (nameless)
        px_window_forget((uint32_t)node->ino);
    if ((nameless || !more_count) && !px_fd_exiting)
        (void)!px_fs_call(PX_FS_REAP, PX_FS_NODE(node->ino, node->gen), 0, 0, 0, NULL);
}

PX_PACKED(close) void px_node_drop(const struct px_node *node)
{
    unsigned at = node->kind == PX_NODE_FS && node->ino ? find((uint32_t)node->ino) : high;
    bool nameless;

    if (at == high) {
        if (more_count && node->kind == PX_NODE_FS)
            drop_more(node);
        return;
    }
    if (--held[at].users > 0)
        return;
    nameless = is_nameless(node);
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
        __atomic_store_n(&page->hazard[at], held[at].entry, __ATOMIC_RELAXED);
    __atomic_store_n(&page->hazard_count, more_count ? PX_HAZARDS_ANY : high ? high : 1, __ATOMIC_RELEASE);
    px_walk_fork_child();
    px_window_fork_child();
    px_tail_fork_child();
}
