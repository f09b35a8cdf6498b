/*
 * Leaving for a set-ID program (decision 0032): what the process keeps is packed for the fresh libOS that goes on as this process in another environment:
 * descriptors in a parcel, everything else in a block that proc passes on (proto/renew.h).
 */
#include "exec.h"

#include "entry/timer.h"
#include "entry/trace.h"
#include "fd/fd.h"
#include "fd/strace.h"
#include "fd/travel.h"
#include "fs/files.h"
#include "px_arch.h"
#include "proto/link.h"
#include "proto/parcel.h"
#include "proto/renew.h"

bool px_setid_wanted(const struct px_node *node)
{
    const struct px_proc *self = px_self();

    if (node->kind != PX_NODE_FS || self->flags & PX_PF_NO_NEW_PRIVS || px_traced)
        return false;
    return (node->mode & S_ISUID && node->uid != self->euid) ||
           ((node->mode & (S_ISGID | 0010)) == (S_ISGID | 0010) && node->gid != self->egid);
}

int64_t px_setid_here(const struct px_node *node)
{
    uint32_t leave = UINT32_MAX, uid = node->mode & S_ISUID ? node->uid : leave;
    uint32_t gid = (node->mode & (S_ISGID | 0010)) == (S_ISGID | 0010) ? node->gid : leave;
    int64_t status = px_sys_setresgid(leave, gid, gid, 0, 0, 0);

    return status < 0 ? status : px_sys_setresuid(leave, uid, uid, 0, 0, 0);
}

int64_t px_setid_ask(const struct px_node *node)
{
    return px_fs_call(PX_FS_SETID, PX_FS_NODE(node->ino, node->gen), 0, 0, 0, NULL);
}

/* ---- descriptors ---- */

static bool goes_over(const struct px_exec *exec, unsigned fd)
{
    return px_fd_entry(fd) && (!px_fd_cloexec(fd) || (int)fd == exec->dirfd);
}

static unsigned count_descriptors(const struct px_exec *exec)
{
    unsigned count = 0;

    for (int fd = px_fd_next(0); fd >= 0; fd = px_fd_next((unsigned)fd + 1))
        count += goes_over(exec, (unsigned)fd);
    return count;
}

static const struct px_renewal_fd *same_as(const struct px_renewal_fd *list, unsigned count, const struct px_ofd *ofd)
{
    for (unsigned i = 0; i < count; i++)
        if (px_fd_entry(list[i].fd) == ofd)
            return &list[i];
    return NULL;
}

/* The current directory, and the descriptions that can travel; those that cannot are closed by it. */
static int64_t pack_descriptors(const struct px_exec *exec, uint64_t ticket, struct px_renewal_fd *list, uint32_t *count)
{
    const struct px_base *base = &px_cwd;
    uint64_t root = PX_FS_NODE(px_root.ino, px_root.gen);
    uint16_t items = 1;
    int64_t status = px_parcel_put_directory(ticket, base->ino ? PX_FS_NODE(base->ino, base->gen) : root);

    *count = 0;
    for (int fd = px_fd_next(0); status >= 0 && fd >= 0; fd = px_fd_next((unsigned)fd + 1)) {
        struct px_ofd *ofd = px_fd_entry((unsigned)fd);
        const struct px_renewal_fd *twin;

        if (!goes_over(exec, (unsigned)fd))
            continue;
        twin = same_as(list, *count, ofd);
        status = twin ? 0 : items == PX_PARCEL_MOST ? -EMFILE : px_parcel_put(ticket, ofd);
        if (status >= 0)
            list[(*count)++] = (struct px_renewal_fd){(uint32_t)fd, twin ? twin->item : items++, px_fd_cloexec((unsigned)fd)};
        else if (status == -EOPNOTSUPP)
            status = 0;
    }
    return status < 0 ? status : 0;
}

static void pass_descriptors(const struct px_renewal_block *block)
{
    const struct px_renewal_fd *list = (const struct px_renewal_fd *)(block + 1);

    for (unsigned i = 0; i < block->descriptors; i++)
        if (!same_as(list, i, px_fd_entry(list[i].fd)))
            px_parcel_passed(px_fd_entry(list[i].fd));
}

/* ---- the block ---- */

/* Signals that are ignored because the program said so. */
static uint64_t ignored_signals(void)
{
    uint64_t set = 0;

    for (int signo = 1; signo <= SIGRTMAX; signo++)
        set |= px_actions[signo].handler == PX_SIG_IGN ? PX_SIGBIT(signo) : 0;
    return set;
}

static void fill_head(struct px_renewal_block *block, const struct px_exec *exec, uint64_t ticket)
{
    *block = (struct px_renewal_block){.ticket = ticket,
                                       .blocked = px_signal_mask(),
                                       .ignored = ignored_signals(),
                                       .flags = px_strace_on | (px_missing_wanted ? PX_HELLO_MISSING : 0) |
                                                (px_rewrite_off ? PX_HELLO_NO_REWRITE : 0) | (px_profiled ? PX_HELLO_PROFILE : 0),
                                       .umask = px_umask,
                                       .argc = (uint32_t)exec->argc,
                                       .envc = (uint32_t)exec->envp.count};
    for (unsigned i = 0; i < 3; i++) {
        block->timer_ns[i][0] = px_timer_remaining(&px_timers[i]);
        block->timer_ns[i][1] = px_timers[i].interval_ns;
    }
}

/* Everything that can still fail. */
static int64_t fill_block(const struct px_exec *exec, struct px_renewal_block *block)
{
    struct px_renewal_fd *list = (struct px_renewal_fd *)(block + 1);
    const char *strings = (const char *)exec->stage.at;
    size_t bytes = exec->execfn + strlen(exec->path) + 1 - exec->stage.at, file = strlen(exec->file) + 1;
    uint64_t ticket;
    int64_t status = px_parcel_new(&ticket);

    if (status < 0)
        return status;
    fill_head(block, exec, ticket);
    status = pack_descriptors(exec, ticket, list, &block->descriptors);
    if (status < 0) {
        px_parcel_drop(ticket);
        return status;
    }
    memcpy(list + block->descriptors, strings, bytes);
    memcpy((char *)(list + block->descriptors) + bytes, exec->file, file);
    block->bytes = (uint32_t)(bytes + file);
    return 0;
}

int64_t px_renew(const struct px_exec *exec)
{
    unsigned descriptors = count_descriptors(exec);
    uint64_t strings = exec->stage.hi - exec->stage.at + strlen(exec->file) + 1;
    uint64_t bytes = sizeof(struct px_renewal_block) + descriptors * sizeof(struct px_renewal_fd) + strings;
    uint64_t pages = PX_PAGE_UP(bytes) / PX_PAGE, va = pages <= PX_RENEWAL_PAGES ? px_big_reserve(pages) : 0, done = 0;
    struct exo_message message = {.word = {PX_PROC_RENEW, va, pages}};
    int64_t status;

    if (!va)
        return -ENOMEM;
    status = exo_alloc_all(PX_SLOT_SELF, va, pages, EXO_PROT_READ | EXO_PROT_WRITE, &done) < 0 ? -ENOMEM : 0;
    if (status == 0)
        status = fill_block(exec, (struct px_renewal_block *)va);
    if (status < 0) {
        (void)!exo_unmap_all(PX_SLOT_SELF, va, done);
        px_big_release(va, pages);
        return status;
    }
    pass_descriptors((const struct px_renewal_block *)va);
    px_fd_exit();
    (void)!px_call_server(PX_SLOT_PROC, &message); /* does not come back, unless there is no memory */
    px_exit(SIGKILL);
}
