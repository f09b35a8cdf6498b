/*
 * epoll. The interest list is private to the process (after a fork each side has its own copy); a description
 * of kind PX_OFD_EPOLL is only its handle.
 */
#include "entry/thread.h"
#include "epoll.h"
#include "hold.h"

#define ITEMS_MAX 65536u
#define NESTED_MAX 4u /* lists that may lie below one that is put into another; of Linux */
#define EPOLL_CLOEXEC O_CLOEXEC
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EXCLUSIVE_BITS (POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLET)

PX_HOT_DATA static struct px_epoll *instances; /* each close looks there */
static uint32_t changes; /* of all lists, which another thread may change while one sleeps: handle->word[0] tells it */

struct px_epoll *px_epoll_of(const struct px_ofd *ofd)
{
    struct px_epoll *instance = instances;

    while (instance && instance->handle != ofd)
        instance = instance->next;
    return instance;
}

static void epoll_drop(struct px_ofd *ofd)
{
    struct px_epoll **at = &instances, *instance;

    while (*at && (*at)->handle != ofd)
        at = &(*at)->next;
    instance = *at;
    if (!instance)
        return;
    *at = instance->next;
    if (!px_fd_exiting) {
        px_epoll_sleep_no_more(instance);
        px_bells_go(&instance->bells);
    }
    px_free(instance->interest);
    px_free(instance);
}

static int64_t epoll_stat(PX_UNUSED struct px_ofd *ofd, struct px_stat *stat)
{
    stat->st_dev = 15;
    stat->st_ino = 2;
    stat->st_nlink = 1;
    stat->st_mode = 0600;
    stat->st_blksize = 4096;
    return 0;
}

static void epoll_tell(struct px_ofd *ofd, struct px_text *text)
{
    const struct px_epoll *instance = px_epoll_of(ofd);

    for (unsigned i = 0; instance && i < instance->count; i++) {
        const struct px_interest *interest = &instance->interest[i];
        struct px_stat stat = {0};

        if (px_ofd_ops(interest->ofd)->stat)
            (void)!px_ofd_ops(interest->ofd)->stat(interest->ofd, &stat);
        px_text_add(text, "tfd: %8d events: %8x data: %16lx  pos:0 ino:%lx sdev:%lx\n", interest->fd, interest->events, (unsigned long)interest->data,
                    (unsigned long)stat.st_ino, (unsigned long)stat.st_dev);
    }
}

const struct px_ops px_epoll_ops = {
    .tell = epoll_tell,
    .name = "anon_inode:[eventpoll]", .seek = px_no_seek, .stat = epoll_stat, .poll = px_epoll_poll, .drop = epoll_drop};

static int64_t epoll_new(bool close_on_exec)
{
    struct px_epoll *instance = px_alloc(sizeof *instance);
    struct px_ofd *ofd;
    int64_t fd = -ENFILE;

    if (!instance)
        return -ENOMEM;
    ofd = px_ofd_new(PX_OFD_EPOLL, O_RDWR);
    if (ofd) {
        fd = px_fd_install(ofd, 0, close_on_exec);
        if (fd < 0)
            px_ofd_abandon(ofd);
    }
    if (fd < 0) {
        px_free(instance);
        return fd;
    }
    *instance = (struct px_epoll){.next = instances, .handle = ofd};
    instances = instance;
    return fd;
}

PX_SYS(epoll_create)
{
    return (int32_t)a <= 0 ? -EINVAL : epoll_new(false);
}

PX_SYS(epoll_create1)
{
    return a & ~(uint64_t)EPOLL_CLOEXEC ? -EINVAL : epoll_new(a & EPOLL_CLOEXEC);
}

/* ---- the interest list ---- */

uint32_t px_epoll_changed(void)
{
    return ++changes;
}

static void changed(struct px_epoll *instance)
{
    changes++;
    __atomic_fetch_add(px_epoll_change(instance), 1, __ATOMIC_SEQ_CST);
    if (px_threads.many)
        exo_wake_all(px_epoll_change(instance));
}

/* Those who sleep no longer count as watchers of it. */
PX_APART static void forget(struct px_epoll *instance, struct px_interest *interest)
{
    interest = px_epoll_warm(instance, interest);
    if (interest->watchers)
        px_poll_watch(interest->ofd, -(int)interest->watchers);
    *interest = instance->interest[--instance->hot];
    px_epoll_close_gap(instance);
}

static struct px_interest *find(struct px_epoll *instance, int fd, const struct px_ofd *ofd)
{
    for (unsigned i = 0; i < instance->count; i++) {
        if (instance->interest[i].fd == fd && instance->interest[i].ofd == ofd)
            return &instance->interest[i];
    }
    return NULL;
}

static int64_t add(struct px_epoll *instance, const struct px_interest *interest)
{
    if (instance->count == instance->room) {
        unsigned room = instance->room ? instance->room * 2 : 8;
        struct px_interest *more = room <= ITEMS_MAX ? px_alloc(room * sizeof *more) : NULL;

        if (!more)
            return -ENOMEM;
        if (instance->count)
            memcpy(more, instance->interest, instance->count * sizeof *more);
        px_free(instance->interest);
        instance->interest = more;
        instance->room = room;
    }
    px_epoll_open_gap(instance);
    instance->interest[instance->hot] = *interest;
    instance->interest[instance->hot].lively = instance->looks;
    instance->interest[instance->hot++].since = changes + 1;
    changed(instance);
    return 0;
}

/* May `into` hold this epoll? Not if it comes to hold itself, or what is below is deep. */
static bool may_hold(const struct px_epoll *into, const struct px_ofd *ofd, unsigned depth)
{
    const struct px_epoll *instance = px_epoll_of(ofd);

    for (unsigned i = 0; instance && i < instance->count; i++) {
        const struct px_ofd *below = instance->interest[i].ofd;

        if (below->kind == PX_OFD_EPOLL && (below == into->handle || depth > NESTED_MAX || !may_hold(into, below, depth + 1)))
            return false;
    }
    return true;
}

/* EPOLLEXCLUSIVE, of which nothing else is known here: each waits for his own list, and those who were woken in vain go on sleeping. */
static bool may_be_exclusive(uint64_t operation, const struct px_ofd *ofd, uint32_t events)
{
    return operation == EPOLL_CTL_ADD && ofd->kind != PX_OFD_EPOLL && !(events & ~(uint32_t)EXCLUSIVE_BITS);
}

PX_SYS(epoll_ctl)
{
    struct px_ofd *handle = px_fd_entry((unsigned)a), *ofd = px_fd_entry((unsigned)c);
    struct epoll_event event = {0};
    struct px_interest wanted, *known;
    struct px_epoll *instance;

    if (b != EPOLL_CTL_DEL && px_copy_in(&event, d, sizeof event) != 0)
        return -EFAULT;
    if (!handle || !ofd)
        return -EBADF;
    if (ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY || (ofd->kind == PX_OFD_DEVICE && !px_ofd_ops(ofd)->poll))
        return -EPERM;
    instance = px_epoll_of(handle);
    if (handle->kind != PX_OFD_EPOLL || handle == ofd || !instance)
        return -EINVAL;
    if (b != EPOLL_CTL_DEL && event.events & EPOLLEXCLUSIVE && !may_be_exclusive(b, ofd, event.events))
        return -EINVAL;
    known = find(instance, (int)c, ofd);
    wanted = (struct px_interest){
        .fd = (int)c, .ofd = ofd, .events = event.events | POLLERR | POLLHUP, .data = event.data};
    switch (b) {
    case EPOLL_CTL_ADD:
        if (ofd->kind == PX_OFD_EPOLL && !may_hold(instance, ofd, 0))
            return -ELOOP;
        return known ? -EEXIST : add(instance, &wanted);
    case EPOLL_CTL_MOD:
        if (!known)
            return -ENOENT;
        if (known->events & EPOLLEXCLUSIVE)
            return -EINVAL;
        known = px_epoll_warm(instance, known);
        wanted.since = known->since;
        wanted.watchers = known->watchers;
        wanted.lively = instance->looks;
        *known = wanted;
        changed(instance);
        return 0;
    case EPOLL_CTL_DEL:
        if (!known)
            return -ENOENT;
        forget(instance, known);
        changed(instance);
        return 0;
    default:
        return -EINVAL;
    }
}

/* ---- waiting ---- */

/* The process's last descriptor of it is closed. */
void px_epoll_closed(const struct px_ofd *ofd)
{
    for (struct px_epoll *instance = instances; instance; instance = instance->next)
        for (unsigned i = 0; i < instance->count; i++)
            if (instance->interest[i].ofd == ofd) {
                forget(instance, &instance->interest[i]);
                i = UINT32_MAX; /* the order has changed: again */
            }
}

/* In a forked child, whose other threads sleep no more. */
void px_epoll_forked(void)
{
    for (struct px_epoll *instance = instances; instance; instance = instance->next) {
        px_free(instance->bells.bell);
        instance->bells = (struct px_bells){0};
        instance->hot = instance->count;
        for (unsigned i = 0; i < instance->count; i++)
            instance->interest[i].watchers = 0;
    }
}

void px_epoll_moves(const struct px_ofd *ofd)
{
    for (struct px_epoll *instance = instances; instance; instance = instance->next)
        for (unsigned i = instance->hot; i < instance->count; i++)
            if (instance->interest[i].ofd == ofd)
                (void)px_epoll_warm(instance, &instance->interest[i]);
}

/* Nobody wakes words for who is gone. */
void px_epoll_exit(void)
{
    for (const struct px_epoll *instance = instances; instance; instance = instance->next)
        px_epoll_sleep_no_more(instance);
}

uint32_t px_epoll_changes(void)
{
    return changes;
}
