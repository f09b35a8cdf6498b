/*
 * epoll. The interest list is private to the process (after a fork each side has its own copy); a description
 * of kind PX_OFD_EPOLL is only its handle. "Edge" is a change of the words that the description's poll would
 * sleep on. A list may hold other epolls: whoever waits for it sleeps on what is in theirs.
 */
#include <exo/loop.h>

#include "entry/thread.h"
#include "hold.h"
#include "poll.h"

#define ITEMS_MAX 65536u
#define NESTED_MAX 4u /* lists that may lie below one that is put into another; of Linux */
#define DEPTH_MAX 8u  /* that are looked at, one below the other: a list may grow above others */
#define EPOLL_CLOEXEC O_CLOEXEC
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define EXCLUSIVE_BITS (POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLET)
#define EVENT_BITS 0x7fffu /* what poll knows, and RDHUP; WAKEUP and EXCLUSIVE are above */

struct interest {
    int fd;
    struct px_ofd *ofd;
    uint32_t events;
    bool told; /* edge-triggered: reported since the words below had these values */
    uint32_t since;    /* `changes` when it came into its list */
    uint32_t watchers; /* threads that sleep and have told its pipe or socket so */
    uint64_t words;
    uint64_t data;
};

struct instance {
    struct instance *next;
    struct px_ofd *handle;
    struct interest *interest;
    unsigned count, room;
};
static struct instance *instances;
static uint32_t changes; /* of all lists, which another thread may change while one sleeps: handle->word[0] tells it */

/* What a wait sleeps on. */
struct gathered {
    struct exo_predicate *predicates; /* EXO_WAIT_MAX, or NULL: nobody sleeps */
    unsigned used;
    bool partial; /* there were more */
};
#define PER_ITEM 4u /* predicates that one description may add (px.h) */

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

static struct instance *instance_of(const struct px_ofd *ofd)
{
    struct instance *instance = instances;

    while (instance && instance->handle != ofd)
        instance = instance->next;
    return instance;
}

static void epoll_drop(struct px_ofd *ofd)
{
    struct instance **at = &instances, *instance;

    while (*at && (*at)->handle != ofd)
        at = &(*at)->next;
    instance = *at;
    if (!instance)
        return;
    *at = instance->next;
    px_free(instance->interest);
    px_free(instance);
}

static uint32_t *change_word(const struct instance *instance)
{
    return (uint32_t *)&instance->handle->word[0];
}

static unsigned nested_ready(const struct px_ofd *ofd, struct gathered *gathered, uint64_t *words, unsigned depth);

static uint64_t mixed(uint64_t words, uint64_t value)
{
    return words * 0x9e3779b97f4a7c15ull + value + 1;
}

/* Ready events of one interest, edges taken into account; what a sleep would be for is added. */
static unsigned interest_ready(struct interest *interest, struct gathered *gathered, uint64_t *all_words, unsigned depth)
{
    unsigned wanted = (interest->events & EVENT_BITS) | POLLERR | POLLHUP, ready;
    uint64_t words = 0;

    if (!(interest->events & EVENT_BITS))
        return 0;
    if (interest->ofd->kind == PX_OFD_EPOLL) {
        ready = nested_ready(interest->ofd, gathered, &words, depth + 1) & wanted;
    } else {
        struct exo_predicate own[PER_ITEM];
        unsigned used = 0;
        bool room = gathered->predicates && gathered->used + PER_ITEM <= EXO_WAIT_MAX;

        ready = px_poll_ofd(interest->ofd, wanted, own, &used);
        gathered->partial = gathered->partial || !room;
        for (unsigned i = 0; i < used; i++) {
            words = mixed(words, own[i].value);
            if (room)
                gathered->predicates[gathered->used++] = own[i];
        }
    }
    *all_words = mixed(*all_words, words);
    if (interest->events & EPOLLET && interest->told && interest->words == words)
        return 0;
    interest->told = false;
    interest->words = words;
    return ready;
}

/* Another thread may change the list of an epoll. */
static void gather_change(const struct instance *instance, uint32_t seen, struct gathered *gathered)
{
    if (!px_threads.many || !gathered->predicates)
        return;
    if (gathered->used == EXO_WAIT_MAX)
        gathered->partial = true;
    else
        gathered->predicates[gathered->used++] = (struct exo_predicate){(uint64_t)change_word(instance), seen, EXO_WAIT_WORD};
}

/* An epoll in another's list, or in poll: ready when one of its own is. */
static unsigned nested_ready(const struct px_ofd *ofd, struct gathered *gathered, uint64_t *words, unsigned depth)
{
    struct instance *instance = instance_of(ofd);
    unsigned ready = 0;

    if (!instance || depth > DEPTH_MAX)
        return 0;
    gather_change(instance, __atomic_load_n(change_word(instance), __ATOMIC_SEQ_CST), gathered);
    for (unsigned i = 0; i < instance->count; i++)
        if (interest_ready(&instance->interest[i], gathered, words, depth))
            ready = POLLIN | POLLRDNORM;
    return ready;
}

bool px_epoll_partial;

static unsigned epoll_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    struct gathered gathered = {.predicates = predicates, .used = *count};
    uint64_t words = 0;
    unsigned ready = nested_ready(ofd, &gathered, &words, 1);

    *count = gathered.used;
    px_epoll_partial = px_epoll_partial || gathered.partial;
    return ready & events;
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
    struct instance *instance = px_alloc(sizeof *instance);
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
    *instance = (struct instance){.next = instances, .handle = ofd};
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

static void changed(struct instance *instance)
{
    changes++;
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
    instance->interest[instance->count - 1].since = changes + 1;
    changed(instance);
    return 0;
}

/* May `into` hold this epoll? Not if it comes to hold itself, or what is below is deep. */
static bool may_hold(const struct instance *into, const struct px_ofd *ofd, unsigned depth)
{
    const struct instance *instance = instance_of(ofd);

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
    if (b != EPOLL_CTL_DEL && event.events & EPOLLEXCLUSIVE && !may_be_exclusive(b, ofd, event.events))
        return -EINVAL;
    known = find(instance, (int)c, ofd);
    wanted = (struct interest){
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

/* The process's last descriptor of it is closed. */
void px_epoll_closed(const struct px_ofd *ofd)
{
    for (struct instance *instance = instances; instance; instance = instance->next)
        for (unsigned i = 0; i < instance->count;) {
            if (instance->interest[i].ofd == ofd)
                forget(instance, &instance->interest[i]);
            else
                i++;
        }
}

/* In a forked child, whose other threads sleep no more. */
void px_epoll_forked(void)
{
    for (struct instance *instance = instances; instance; instance = instance->next)
        for (unsigned i = 0; i < instance->count; i++)
            instance->interest[i].watchers = 0;
}

/* Copies out what is ready: how many, or -EFAULT. */
static int64_t report(struct instance *instance, px_user to, int64_t most)
{
    struct gathered nothing = {0};
    int64_t reported = 0;
    uint64_t words = 0;

    for (unsigned i = 0; i < instance->count && reported < most; i++) {
        struct interest *interest = &instance->interest[i];
        unsigned ready = interest_ready(interest, &nothing, &words, 0);
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

uint32_t px_epoll_changes(void)
{
    return changes;
}

/* Tells the pipes and sockets in the list, and below it, that one more sleeps. */
static void watch(struct instance *instance, unsigned depth)
{
    for (unsigned i = 0; instance && i < instance->count && depth <= DEPTH_MAX; i++) {
        struct px_ofd *ofd = instance->interest[i].ofd;

        if (ofd->kind == PX_OFD_EPOLL)
            watch(instance_of(ofd), depth + 1);
        else
            px_poll_watch(ofd, 1);
        instance->interest[i].watchers++;
    }
}

/* And that it no longer does: those that were there when it began. */
static void unwatch(struct instance *instance, uint32_t begun, unsigned depth)
{
    for (unsigned i = 0; instance && i < instance->count && depth <= DEPTH_MAX; i++) {
        struct interest *interest = &instance->interest[i];

        if (!interest->watchers || (int32_t)(begun - interest->since) < 0)
            continue;
        if (interest->ofd->kind == PX_OFD_EPOLL)
            unwatch(instance_of(interest->ofd), begun, depth + 1);
        else
            px_poll_watch(interest->ofd, -1);
        interest->watchers--;
    }
}

void px_epoll_watch(const struct px_ofd *ofd)
{
    watch(instance_of(ofd), 1);
}

void px_epoll_unwatch(const struct px_ofd *ofd, uint32_t begun)
{
    unwatch(instance_of(ofd), begun, 1);
}

#define SLICE_NS 10000000ull

/* Sleeps until something may have changed: 0, -ETIMEDOUT, or a signal. */
static int64_t sleep(struct instance *instance, uint32_t seen, uint64_t deadline_ns)
{
    struct exo_predicate predicates[EXO_WAIT_MAX];
    struct gathered gathered = {.predicates = predicates};
    uint64_t until = deadline_ns, words = 0;
    int64_t result;

    gather_change(instance, seen, &gathered);
    for (unsigned i = 0; i < instance->count; i++) {
        if (interest_ready(&instance->interest[i], &gathered, &words, 0))
            return 0;
    }
    if (gathered.partial && px_now_ns() + SLICE_NS < until)
        until = px_now_ns() + SLICE_NS;
    result = px_wait(predicates, gathered.used, px_slacked(until));
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
        uint32_t seen = __atomic_load_n(change_word(instance), __ATOMIC_SEQ_CST), begun = changes;
        int64_t result;

        result = report(instance, to, most);
        if (result || (deadline_ns != PX_DEADLINE_NEVER && px_now_ns() >= deadline_ns))
            return result;
        watch(instance, 0);
        result = sleep(instance, seen, deadline_ns);
        unwatch(instance, begun, 0);
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
