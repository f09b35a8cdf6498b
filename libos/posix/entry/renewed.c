/*
 * The beginning of a process's second life, in a fresh environment (decision 0032): nothing that its old program could reach is mapped here, and no program has
 * run yet. The block that the old libOS left says what a hostile one may say: it is taken as a program's word is, or not at all.
 */
#include "fd/fd.h"
#include "fd/strace.h"
#include "fd/travel.h"
#include "fs/files.h"
#include "mm/mm.h"
#include "proto/link.h"
#include "proto/renew.h"
#include "px_arch.h"
#include "timer.h"

#define ITIMERS 3u
#define ITIMER_NS_MAX (1ull << 62)

struct renewal {
    const struct px_renewal *head;
    const struct px_renewal_block *block;
    const struct px_renewal_fd *list;
    char **argv, **envp;
    const char *name, *file;
};

/* Finds what the block holds: argc and envc strings and two more, each ended within it. */
static bool read_block(struct renewal *renewal)
{
    const struct px_renewal_block *block = renewal->block;
    uint64_t room = renewal->head->pages * PX_PAGE, strings = (uint64_t)block->argc + block->envc;
    char *text, *end;

    if (block->descriptors > PX_FD_MAX || block->bytes == 0 ||
        sizeof(*block) + block->descriptors * sizeof(*renewal->list) + block->bytes > room || strings + 2 > block->bytes)
        return false;
    renewal->list = (const struct px_renewal_fd *)(block + 1);
    text = (char *)(renewal->list + block->descriptors);
    end = text + block->bytes;
    renewal->argv = px_alloc((strings + 2) * sizeof(char *));
    if (end[-1] || !renewal->argv)
        return false;
    renewal->envp = renewal->argv + block->argc + 1;
    for (uint64_t i = 0; i < strings && text < end; i++, text += strlen(text) + 1)
        renewal->argv[i < block->argc ? i : i + 1] = text;
    renewal->argv[block->argc] = renewal->envp[block->envc] = NULL;
    renewal->name = text;
    if (text < end)
        text += strlen(text) + 1;
    renewal->file = text;
    return text < end;
}

static void take_signals(const struct px_renewal_block *block)
{
    for (int signo = 1; signo <= SIGRTMAX; signo++)
        if (PX_SIGBIT(signo) & block->ignored & ~PX_SIG_UNBLOCKABLE)
            px_signal_set_action(signo, &(struct px_action){.handler = PX_SIG_IGN});
    px_signal_set_mask(block->blocked);
    px_signal_publish();
}

static void take_timers(const struct px_renewal_block *block)
{
    for (unsigned i = 0; i < ITIMERS; i++) {
        struct px_timer *timer = &px_timers[i];

        timer->processor = i != 0;
        if (block->timer_ns[i][0] && block->timer_ns[i][0] < ITIMER_NS_MAX && block->timer_ns[i][1] < ITIMER_NS_MAX)
            px_timer_start(timer, px_timer_clock_ns(timer) + block->timer_ns[i][0], block->timer_ns[i][1]);
    }
}

static bool node_of(uint64_t name, struct px_node *node)
{
    *node = (struct px_node){.kind = PX_NODE_FS, .ino = PX_FS_INO(name), .gen = PX_FS_GEN(name)};
    if (px_node_hold(node) < 0)
        return false;
    px_node_fill(node, PX_FS_INO(name), px_held_inode(node));
    return true;
}

/* Root's word, by way of proc. */
static bool take_root(uint64_t name)
{
    struct px_node root;

    if (!name)
        return true;
    if (!node_of(name, &root))
        return false;
    px_node_drop(&px_root);
    px_root = root;
    return true;
}

static void take_directory(uint64_t ticket)
{
    struct px_node old = {.kind = PX_NODE_FS, .ino = px_cwd.ino, .gen = px_cwd.gen};
    struct px_ofd *ofd;

    if (px_parcel_take(ticket, 0, false, &ofd) < 0)
        return;
    if (ofd->kind == PX_OFD_DIRECTORY && px_node_hold(&ofd->node) == 0) {
        px_cwd = (struct px_base){.ino = (uint32_t)ofd->node.ino, .gen = ofd->node.gen};
        px_node_drop(&old);
    }
    px_ofd_leave(ofd);
}

static void take_descriptors(const struct renewal *renewal)
{
    const struct px_renewal_fd *list = renewal->list;

    for (unsigned i = 0; i < renewal->block->descriptors; i++) {
        unsigned first = 0;
        struct px_ofd *ofd;

        if (list[i].fd >= PX_FD_MAX || px_fd_get((int)list[i].fd))
            continue;
        while (list[first].item != list[i].item)
            first++;
        if (first < i)
            (void)!px_sys_dup3(list[first].fd, list[i].fd, list[i].close_on_exec ? O_CLOEXEC : 0, 0, 0, 0);
        else if (px_parcel_take(renewal->block->ticket, list[i].item, true, &ofd) >= 0 && px_fd_place(ofd, list[i].fd, list[i].close_on_exec) < 0)
            px_ofd_leave(ofd);
    }
}

static bool take_all(const struct renewal *renewal)
{
    const struct px_renewal_block *block = renewal->block;

    take_signals(block);
    px_files_start();
    px_fd_start_none();
    if (!take_root(renewal->head->root))
        return false;
    px_limits_changed();
    px_umask = block->umask & 0777;
    px_strace_on = block->flags & PX_STRACE_WAYS;
    px_missing_wanted = block->flags & (PX_HELLO_STRACE | PX_HELLO_MISSING);
    px_profiled = block->flags & PX_HELLO_PROFILE;
    px_rewrite_off = block->flags & PX_HELLO_NO_REWRITE;
    if (px_strace_on)
        px_entry_slow |= PX_SLOW_STRACE;
    take_directory(block->ticket);
    take_descriptors(renewal);
    px_parcel_drop(block->ticket);
    take_timers(block);
    px_children_unknown();
    return true;
}

bool px_is_renewed(void)
{
    return ((const struct px_renewal *)PX_BOOTARGS)->version == PX_RENEWAL_VERSION;
}

void px_renewed_start(void)
{
    struct renewal renewal = {.head = (const struct px_renewal *)PX_BOOTARGS, .block = (const struct px_renewal_block *)PX_RENEWAL_BLOCK};
    uint64_t pages = renewal.head->pages + 1ul;

    if (!read_block(&renewal) || !take_all(&renewal) || px_exec_raised(renewal.file, renewal.name, renewal.argv, renewal.envp) < 0)
        px_exit(SIGSEGV);
    px_free(renewal.argv);
    (void)!exo_unmap_all(PX_SLOT_SELF, PX_BOOTARGS, pages);
    px_leave_again(px_regs());
}
