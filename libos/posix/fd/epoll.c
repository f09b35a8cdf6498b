/*
 * epoll. The interest list is private to the process (after a fork each side has its own copy); a description
 * of kind PX_OFD_EPOLL is only its handle. "Edge" is a change of the words that the description's poll would
 * sleep on.
 */
#include <exo/loop.h>

#include "entry/thread.h"
#include "hold.h"
#include "poll.h"

#define INSTANCES 16u
#define ITEMS_MAX 1024u
#define EPOLL_CLOEXEC O_CLOEXEC
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define EVENT_BITS 0x7fffu /* what poll knows, and RDHUP; WAKEUP and EXCLUSIVE are above */

struct interest {
    int fd;
    struct px_ofd *ofd;
    uint32_t events;
    bool told; /* edge-triggered: reported since the words below had these values */
    uint32_t since;    /* the list's `changes` when it came into it */
    uint32_t watchers; /* threads that sleep and have told its pipe or socket so */
    uint64_t words;
    uint64_t data;
};

struct instance {
    struct px_ofd *handle; /* NULL: free */
    struct interest *interest;
    unsigned count, room;
    uint32_t changes; /* of the list, which another thread may change while one sleeps: handle->word[0] tells it */
};
static struct instance instances[INSTANCES];

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

static struct instance *instance_of(const struct px_ofd *ofd)
{
    for (unsigned i = 0; i < INSTANCES; i++) {
        if (instances[i].handle == ofd)
            return &instances[i];
    }
    return NULL;
}

static void epoll_drop(struct px_ofd *ofd)
{
    struct instance *instance = instance_of(ofd);

    if (!instance)
        return;
    px_free(instance->interest);
    *instance = (struct instance){0};
}

/* Ready events of one interest, edges taken into account; predicates are added as by px_ops.poll. */
static unsigned interest_ready(struct interest *interest, struct exo_predicate *predicates, unsigned *count)
{
    struct exo_predicate own[4];
    unsigned used = 0, ready;
    uint64_t words = 0;

    if (px_fd_get(interest->fd) != interest->ofd || !(interest->events & EVENT_BITS))
        return 0;
    ready = px_poll_ofd(interest->ofd, (interest->events & EVENT_BITS) | POLLERR | POLLHUP, own, &used);
    for (unsigned i = 0; i < used; i++) {
        words = words * 0x9e3779b97f4a7c15ull + own[i].value + 1;
        if (predicates)
            predicates[(*count)++] = own[i];
    }
    if (interest->events & EPOLLET && interest->told && interest->words == words)
        return 0;
    interest->told = false;
    interest->words = words;
    return ready;
}

/* An epoll in another's list, or in poll: ready when one of its own is. Sleeps on the first predicate only.
 */
static unsigned epoll_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates,
                           unsigned *count)
{
    struct instance *instance = instance_of(ofd);
    unsigned before = *count;

    for (unsigned i = 0; instance && i < instance->count; i++) {
        bool room = predicates && *count == before && instance->interest[i].ofd->kind != PX_OFD_EPOLL;

        if (instance->interest[i].ofd->kind != PX_OFD_EPOLL &&
            interest_ready(&instance->interest[i], room ? predicates : NULL, count))
            return (POLLIN | POLLRDNORM) & events;
    }
    return 0;
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

const struct px_ops px_epoll_ops = {
    .name = "anon_inode:[eventpoll]", .stat = epoll_stat, .poll = epoll_poll, .drop = epoll_drop};

static int64_t epoll_new(bool close_on_exec)
{
    struct instance *instance = instance_of(NULL);
    struct px_ofd *ofd;
    int64_t fd;

    if (!instance)
        return -EMFILE;
    ofd = px_ofd_new(PX_OFD_EPOLL, O_RDWR);
    if (!ofd)
        return -ENFILE;
    fd = px_fd_install(ofd, 0, close_on_exec);
    if (fd < 0)
        px_ofd_abandon(ofd);
    else
        instance->handle = ofd;
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

static uint32_t *change_word(const struct instance *instance)
{
    return (uint32_t *)&instance->handle->word[0];
}

static void changed(struct instance *instance)
{
    instance->changes++;
    __atomic_fetch_add(change_word(instance), 1, __ATOMIC_SEQ_CST);
    if (px_threads.many)
        exo_wake_all(change_word(instance));
}

/* Those who sleep no longer count as watchers of it. */
static void forget(struct instance *instance, struct interest *interest)
{
    if (interest->watchers)
        px_poll_watch(interest->ofd, -(int)interest->watchers);
    *interest = instance->interest[--instance->count];
}

static struct interest *find(struct instance *instance, int fd, const struct px_ofd *ofd)
{
    for (unsigned i = 0; i < instance->count; i++) {
        if (instance->interest[i].fd == fd && instance->interest[i].ofd == ofd)
            return &instance->interest[i];
    }
    return NULL;
}

static int64_t add(struct instance *instance, const struct interest *interest)
{
    if (instance->count == instance->room) {
        unsigned room = instance->room ? instance->room * 2 : 8;
        struct interest *more = room <= ITEMS_MAX ? px_alloc(room * sizeof *more) : NULL;

        if (!more)
            return -ENOMEM;
        if (instance->count)
            memcpy(more, instance->interest, instance->count * sizeof *more);
        px_free(instance->interest);
        instance->interest = more;
        instance->room = room;
    }
    instance->interest[instance->count++] = *interest;
    instance->interest[instance->count - 1].since = instance->changes + 1;
    changed(instance);
    return 0;
}

PX_SYS(epoll_ctl)
{
    struct px_ofd *handle = px_fd_entry((unsigned)a), *ofd = px_fd_entry((unsigned)c);
    struct epoll_event event = {0};
    struct interest wanted, *known;
    struct instance *instance;

    if (b != EPOLL_CTL_DEL && px_copy_in(&event, d, sizeof event) != 0)
        return -EFAULT;
    if (!handle || !ofd)
        return -EBADF;
    if (ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY)
        return -EPERM;
    instance = instance_of(handle);
    if (handle->kind != PX_OFD_EPOLL || handle == ofd || !instance)
        return -EINVAL;
    known = find(instance, (int)c, ofd);
    wanted = (struct interest){
        .fd = (int)c, .ofd = ofd, .events = event.events | POLLERR | POLLHUP, .data = event.data};
    switch (b) {
    case EPOLL_CTL_ADD:
        return known ? -EEXIST : add(instance, &wanted);
    case EPOLL_CTL_MOD:
        if (!known)
            return -ENOENT;
        wanted.since = known->since;
        wanted.watchers = known->watchers;
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

/* Interests whose descriptor was closed are forgotten. */
static void sweep(struct instance *instance)
{
    for (unsigned i = 0; i < instance->count;) {
        if (px_fd_get(instance->interest[i].fd) == instance->interest[i].ofd)
            i++;
        else
            forget(instance, &instance->interest[i]);
    }
}

void px_epoll_closed(const struct px_ofd *ofd)
{
    for (unsigned at = 0; at < INSTANCES; at++)
        for (unsigned i = 0; i < instances[at].count;) {
            if (instances[at].interest[i].ofd == ofd)
                forget(&instances[at], &instances[at].interest[i]);
            else
                i++;
        }
}

/* Copies out what is ready: how many, or -EFAULT. */
static int64_t report(struct instance *instance, px_user to, int64_t most)
{
    int64_t reported = 0;

    for (unsigned i = 0; i < instance->count && reported < most; i++) {
        struct interest *interest = &instance->interest[i];
        unsigned ready = interest_ready(interest, NULL, NULL);
        struct epoll_event event = {.events = ready, .data = interest->data};

        if (!ready)
            continue;
        if (px_copy_out(to + (uint64_t)reported * sizeof event, &event, sizeof event) != 0)
            return reported ? reported : -EFAULT;
        interest->told = true;
        if (interest->events & EPOLLONESHOT)
            interest->events &= ~(uint32_t)EVENT_BITS;
        reported++;
    }
    return reported;
}

/* Tells the pipes and sockets that one more sleeps. */
static void watch(struct instance *instance)
{
    for (unsigned i = 0; i < instance->count; i++) {
        px_poll_watch(instance->interest[i].ofd, 1);
        instance->interest[i].watchers++;
    }
}

/* And that it no longer does: those that were there when it began. */
static void unwatch(struct instance *instance, uint32_t begun)
{
    for (unsigned i = 0; i < instance->count; i++) {
        struct interest *interest = &instance->interest[i];

        if (interest->watchers && (int32_t)(begun - interest->since) >= 0) {
            px_poll_watch(interest->ofd, -1);
            interest->watchers--;
        }
    }
}

#define SLICE_NS 10000000ull

/* Sleeps until something may have changed: 0, -ETIMEDOUT, or a signal. */
static int64_t sleep(struct instance *instance, uint32_t seen, uint64_t deadline_ns)
{
    struct exo_predicate predicates[EXO_WAIT_MAX];
    unsigned used = 0;
    uint64_t until = deadline_ns;
    int64_t result;

    predicates[0] = (struct exo_predicate){(uint64_t)change_word(instance), seen, EXO_WAIT_WORD};
    if (px_threads.many)
        used = 1;
    for (unsigned i = 0; i < instance->count; i++) {
        bool room = used + 4 <= EXO_WAIT_MAX;

        if (interest_ready(&instance->interest[i], room ? predicates : NULL, &used))
            return 0;
        if (!room && px_now_ns() + SLICE_NS < until)
            until = px_now_ns() + SLICE_NS;
    }
    result = px_wait(predicates, used, px_slacked(until));
    if (result == -ETIMEDOUT)
        return until == deadline_ns ? -ETIMEDOUT : 0;
    return result < 0 ? -EINTR : 0;
}

static int64_t epoll_wait_call(int fd, px_user to, int64_t most, uint64_t deadline_ns)
{
    struct px_ofd *handle = px_fd_get(fd);
    struct instance *instance;

    if (!handle)
        return -EBADF;
    instance = handle->kind == PX_OFD_EPOLL ? instance_of(handle) : NULL;
    if (!instance || most <= 0)
        return -EINVAL;
    for (;;) {
        uint32_t seen = __atomic_load_n(change_word(instance), __ATOMIC_SEQ_CST), begun = instance->changes;
        int64_t result;

        sweep(instance);
        result = report(instance, to, most);
        if (result || (deadline_ns != PX_DEADLINE_NEVER && px_now_ns() >= deadline_ns))
            return result;
        watch(instance);
        result = sleep(instance, seen, deadline_ns);
        unwatch(instance, begun);
        if (result < 0)
            return result == -ETIMEDOUT ? 0 : result;
    }
}

PX_SYS(epoll_wait)
{
    return epoll_wait_call((int)a, b, (int32_t)c, px_poll_deadline_ms((int32_t)d));
}

PX_SYS(epoll_pwait)
{
    int64_t result = px_poll_mask(e, f);

    return result < 0 ? result : epoll_wait_call((int)a, b, (int32_t)c, px_poll_deadline_ms((int32_t)d));
}

PX_SYS(epoll_pwait2)
{
    uint64_t deadline_ns;
    int64_t result = px_poll_deadline(d, &deadline_ns);

    if (result == 0)
        result = px_poll_mask(e, f);
    return result < 0 ? result : epoll_wait_call((int)a, b, (int32_t)c, deadline_ns);
}
