/* poll, ppoll, select and pselect6. A wait has at most EXO_WAIT_MAX predicates: more descriptions are put to bells for its time (bells.h). */
#include "bells.h"
#include "hold.h"
#include "poll.h"

#define PER_ITEM 4u          /* predicates that one description may add (px.h) */
#define SLICE_NS 10000000ull /* when there is no room for all: look again after 10 ms */
#define SMALL 32u            /* items that need no heap */
#define SET_WORDS 64u        /* of a part of a set */
#define SET_DESCRIPTORS (64u * SET_WORDS)
#define ALWAYS (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
#define SELECT_READ (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SELECT_WRITE (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SELECT_EXCEPT POLLPRI

struct pollfd {
    int32_t fd;
    uint16_t events, revents;
};

unsigned px_poll_ofd(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    const struct px_ops *ops = px_ofd_ops(ofd);

    if (!ops->poll)
        return ALWAYS & events;
    return ops->poll(ofd, events, predicates, count) & (events | POLLERR | POLLHUP | POLLNVAL);
}

/* One look at all items. With predicates: gathers them, and there is room for one more behind them; *rest is the first item whose had none. */
static int64_t look(struct px_poll_item *items, unsigned count, struct exo_predicate *predicates,
                    unsigned *used, unsigned *rest)
{
    int64_t ready = 0;

    for (unsigned i = 0; i < count; i++) {
        bool room = predicates && *used + PER_ITEM < EXO_WAIT_MAX;

        if (!items[i].ofd) {
            ready += items[i].revents != 0;
            continue;
        }
        if (predicates && !room && i < *rest)
            *rest = i;
        items[i].revents =
            (uint16_t)px_poll_ofd(items[i].ofd, items[i].events, room ? predicates : NULL, used);
        ready += items[i].revents != 0;
    }
    return ready;
}

void px_poll_watch(struct px_ofd *ofd, int step)
{
    if (ofd->kind == PX_OFD_PIPE)
        px_pipe_watch(ofd, step);
    else if (ofd->kind == PX_OFD_SOCKET)
        px_socket_watch(ofd, step);
}

/* Tells the pipes and sockets among them that somebody sleeps, or no longer does: in the lists of epolls, for those that were there then. */
static void watch(struct px_poll_item *items, unsigned count, int step, uint32_t begun)
{
    for (unsigned i = 0; i < count; i++) {
        if (!items[i].ofd)
            continue;
        if (items[i].ofd->kind != PX_OFD_EPOLL)
            px_poll_watch(items[i].ofd, step);
        else if (step > 0)
            px_epoll_watch(items[i].ofd);
        else
            px_epoll_unwatch(items[i].ofd, begun);
    }
}

static void settle(const struct px_poll_item *items, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (items[i].ofd && items[i].ofd->kind == PX_OFD_EPOLL)
            px_epoll_settle(items[i].ofd);
}

/* Puts them to bells. False: one of them is ready meanwhile. *all: there was room for each. */
static bool ring_for(struct px_bells *bells, struct px_poll_item *items, unsigned count, bool *all)
{
    for (unsigned i = 0; i < count; i++) {
        struct exo_predicate own[PER_ITEM];
        unsigned used = 0;
        int put = 1;

        if (!items[i].ofd)
            continue;
        if (items[i].ofd->kind == PX_OFD_EPOLL) { /* whose list may be long */
            *all = false;
            continue;
        }
        if (px_poll_ofd(items[i].ofd, items[i].events, own, &used))
            return false;
        for (unsigned at = 0; at < used && put > 0; at += EXO_WATCH_WORDS) {
            uint32_t place;

            put = px_bells_put(bells, own + at, used - at < EXO_WATCH_WORDS ? used - at : EXO_WATCH_WORDS, &place);
        }
        if (put == 0)
            return false;
        *all = *all && put > 0;
    }
    return true;
}

static int64_t sleep(struct exo_predicate *predicates, unsigned used, struct px_bells *bells, bool all, uint64_t deadline_ns)
{
    uint64_t until = deadline_ns;
    int64_t result;

    all = all && !(bells->told && used == EXO_WAIT_MAX); /* an epoll took the last place */
    if (bells->told && used < EXO_WAIT_MAX)
        predicates[used++] = px_bells_silence(bells);
    if (!all && px_now_ns() + SLICE_NS < until)
        until = px_now_ns() + SLICE_NS;
    result = px_wait(predicates, used, px_slacked(until));
    if (result == -ETIMEDOUT)
        return until == deadline_ns ? -ETIMEDOUT : 0;
    return result < 0 ? -PX_ERESTARTNOHAND : 0;
}

static int64_t look_and_sleep(struct px_poll_item *items, unsigned count, uint64_t deadline_ns)
{
    struct exo_predicate predicates[EXO_WAIT_MAX];
    struct px_bells bells = {0};
    unsigned used = 0, rest = count;
    bool all;
    int64_t result;

    px_epoll_partial = false;
    result = look(items, count, predicates, &used, &rest);
    all = !px_epoll_partial;
    if (result == 0 && ring_for(&bells, items + rest, count - rest, &all))
        result = sleep(predicates, used, &bells, all, deadline_ns);
    px_bells_go(&bells);
    return result;
}

int64_t px_poll_wait(struct px_poll_item *items, unsigned count, uint64_t deadline_ns)
{
    unsigned unused = 0;
    int64_t ready = look(items, count, NULL, &unused, NULL);

    if (ready)
        return ready;
    px_hold_items(items, count); /* to the end: who is woken in vain looks at them again */
    while (!ready && (deadline_ns == PX_DEADLINE_NEVER || px_now_ns() < deadline_ns)) {
        uint32_t begun;

        settle(items, count);
        begun = px_epoll_changes();
        watch(items, count, 1, begun);
        ready = look_and_sleep(items, count, deadline_ns);
        watch(items, count, -1, begun);
    }
    px_hold_items(NULL, 0);
    return ready == -ETIMEDOUT ? 0 : ready;
}

uint64_t px_poll_deadline_ms(int64_t ms)
{
    return ms < 0    ? PX_DEADLINE_NEVER
           : ms == 0 ? EXO_DEADLINE_NOW
                     : px_deadline_after((uint64_t)ms * 1000000u);
}

int64_t px_poll_deadline(px_user timespec, uint64_t *deadline_ns)
{
    uint64_t ns;
    int64_t result;

    *deadline_ns = PX_DEADLINE_NEVER;
    if (!timespec)
        return 0;
    result = px_read_timespec(timespec, &ns);
    if (result == 0)
        *deadline_ns = ns ? px_deadline_after(ns) : EXO_DEADLINE_NOW;
    return result;
}

/* ---- poll ---- */

static void item_from(struct px_poll_item *item, const struct pollfd *wanted)
{
    *item = (struct px_poll_item){.events = wanted->events};
    if (wanted->fd < 0)
        return;
    item->ofd = px_fd_get(wanted->fd);
    if (!item->ofd || item->ofd->flags & O_PATH) {
        item->ofd = NULL;
        item->revents = POLLNVAL;
    }
}

static int64_t poll_items(struct px_poll_item *items, px_user fds, unsigned count, uint64_t deadline_ns)
{
    int64_t ready;

    for (unsigned i = 0; i < count; i++) {
        struct pollfd wanted;

        if (px_copy_in(&wanted, fds + i * sizeof wanted, sizeof wanted) != 0)
            return -EFAULT;
        item_from(&items[i], &wanted);
    }
    ready = px_poll_wait(items, count, deadline_ns);
    if (ready < 0)
        return ready;
    for (unsigned i = 0; i < count; i++) {
        px_user to = fds + i * sizeof(struct pollfd) + offsetof(struct pollfd, revents);

        if (px_copy_out(to, &items[i].revents, sizeof items[i].revents) != 0)
            return -EFAULT;
    }
    return ready;
}

static int64_t poll_call(px_user fds, uint64_t count, uint64_t deadline_ns)
{
    struct px_poll_item small[SMALL], *items = small;
    int64_t result;

    if (count > px_limits[RLIMIT_NOFILE].soft || count > PX_FD_MAX)
        return -EINVAL;
    if (count > SMALL && !(items = px_alloc(count * sizeof *items)))
        return -ENOMEM;
    result = poll_items(items, fds, (unsigned)count, deadline_ns);
    if (items != small)
        px_free(items);
    return result;
}

PX_SYS(poll)
{
    return poll_call(a, (uint32_t)b, px_poll_deadline_ms((int32_t)c));
}

int64_t px_poll_mask(px_user mask, uint64_t bytes)
{
    uint64_t bits;

    if (!mask)
        return 0;
    if (bytes != sizeof bits)
        return -EINVAL;
    if (px_copy_in(&bits, mask, sizeof bits) != 0)
        return -EFAULT;
    px_signal_mask_for_call(bits);
    return 0;
}

/* Linux writes the time that was left back, except where the memory is read-only. */
static void write_time_left(px_user timespec, uint64_t deadline_ns)
{
    uint64_t now = px_now_ns(), left = deadline_ns > now ? deadline_ns - now : 0;
    struct px_timespec rest = {.tv_sec = (int64_t)(left / PX_SECOND), .tv_nsec = (int64_t)(left % PX_SECOND)};

    if (timespec && deadline_ns != PX_DEADLINE_NEVER && !(px_personality & PX_STICKY_TIMEOUTS))
        (void)!px_copy_out(timespec, &rest, sizeof rest);
}

PX_SYS(ppoll)
{
    uint64_t deadline_ns;
    int64_t result = px_poll_deadline(c, &deadline_ns);

    if (result == 0)
        result = px_poll_mask(d, e);
    if (result < 0)
        return result;
    result = poll_call(a, (uint32_t)b, deadline_ns);
    write_time_left(c, deadline_ns);
    return result;
}

/* ---- select ---- */

/* A part of the sets: those of SET_DESCRIPTORS descriptors from `first` on. */
struct sets {
    uint64_t word[3][SET_WORDS]; /* read, write, except */
    unsigned first, highest;     /* descriptors looked at: below first + highest */
    unsigned bytes, count;       /* of each set; items that they want */
};
static const uint16_t set_events[3] = {SELECT_READ, SELECT_WRITE, SELECT_EXCEPT};

static int64_t sets_read(struct sets *sets, const px_user user[3])
{
    for (unsigned s = 0; s < 3; s++) {
        memset(sets->word[s], 0, sets->bytes);
        if (user[s] && px_copy_in(sets->word[s], user[s] + sets->first / 8, sets->bytes) != 0)
            return -EFAULT;
    }
    return 0;
}

static unsigned wanted_events(const struct sets *sets, unsigned fd)
{
    unsigned events = 0;

    for (unsigned s = 0; s < 3; s++) {
        if (sets->word[s][fd / 64] >> fd % 64 & 1)
            events |= set_events[s];
    }
    return events;
}

static unsigned sets_count(const struct sets *sets)
{
    unsigned count = 0;

    for (unsigned fd = 0; fd < sets->highest; fd++)
        count += wanted_events(sets, fd) != 0;
    return count;
}

static int64_t sets_items(const struct sets *sets, struct px_poll_item *items)
{
    for (unsigned fd = 0, i = 0; fd < sets->highest; fd++) {
        unsigned events = wanted_events(sets, fd);

        if (!events)
            continue;
        items[i] = (struct px_poll_item){.ofd = px_fd_get((int)(sets->first + fd)), .events = (uint16_t)events};
        if (!items[i++].ofd)
            return -EBADF;
    }
    return 0;
}

/* Leaves in the sets what is ready: the number of bits. */
static int64_t sets_result(struct sets *sets, const struct px_poll_item *items)
{
    int64_t bits = 0;

    for (unsigned fd = 0, i = 0; fd < sets->highest; fd++) {
        if (!wanted_events(sets, fd))
            continue;
        for (unsigned s = 0; s < 3; s++) {
            uint64_t bit = sets->word[s][fd / 64] & 1ull << fd % 64;

            if (bit && items[i].revents & set_events[s])
                bits++;
            else
                sets->word[s][fd / 64] &= ~bit;
        }
        i++;
    }
    return bits;
}

/* Gathers what all parts want, waits, and leaves in them what is ready. */
static int64_t select_items(struct sets *part, unsigned parts, struct px_poll_item *items, unsigned count, const px_user user[3], uint64_t deadline_ns)
{
    struct px_poll_item *at = items;
    int64_t result = 0, bits = 0;

    for (unsigned i = 0; i < parts && result == 0; at += part[i++].count)
        result = sets_items(&part[i], at);
    if (result == 0)
        result = px_poll_wait(items, count, deadline_ns);
    if (result < 0)
        return result;
    at = items;
    for (unsigned i = 0; i < parts; at += part[i++].count) {
        bits += sets_result(&part[i], at);
        for (unsigned s = 0; s < 3; s++)
            if (user[s] && px_copy_out(user[s] + part[i].first / 8, part[i].word[s], part[i].bytes) != 0)
                return -EFAULT;
    }
    return bits;
}

static int64_t select_parts(struct sets *part, unsigned parts, unsigned highest, const px_user user[3], uint64_t deadline_ns)
{
    struct px_poll_item small[SMALL], *items = small;
    unsigned count = 0;
    int64_t result = 0;

    for (unsigned i = 0; i < parts && result == 0; i++) {
        part[i].first = i * SET_DESCRIPTORS;
        part[i].highest = highest - part[i].first < SET_DESCRIPTORS ? highest - part[i].first : SET_DESCRIPTORS;
        part[i].bytes = PX_DIV_UP(part[i].highest, 64) * 8;
        result = sets_read(&part[i], user);
        count += part[i].count = sets_count(&part[i]);
    }
    if (result < 0)
        return result;
    if (count > SMALL && !(items = px_alloc(count * sizeof *items)))
        return -ENOMEM;
    result = select_items(part, parts, items, count, user, deadline_ns);
    if (items != small)
        px_free(items);
    return result;
}

static int64_t select_call(int64_t highest, const px_user user[3], uint64_t deadline_ns)
{
    unsigned most = highest < (int64_t)px_fds.count ? (unsigned)highest : px_fds.count, parts = PX_DIV_UP(most, SET_DESCRIPTORS);
    struct sets one, *part = &one;
    int64_t result;

    if (highest < 0)
        return -EINVAL;
    if (parts > 1 && !(part = px_alloc(parts * sizeof *part)))
        return -ENOMEM;
    result = select_parts(part, parts, most, user, deadline_ns);
    if (part != &one)
        px_free(part);
    return result;
}

PX_SYS(select)
{
    const px_user user[3] = {b, c, d};
    struct px_timeval time;
    uint64_t deadline_ns = PX_DEADLINE_NEVER, left;
    int64_t result;

    if (e) {
        if (px_copy_in(&time, e, sizeof time) != 0)
            return -EFAULT;
        if (time.tv_sec < 0 || time.tv_usec < 0)
            return -EINVAL;
        if (time.tv_sec > 1000000000)
            time.tv_sec = 1000000000;
        left = (uint64_t)time.tv_sec * PX_SECOND + (uint64_t)time.tv_usec % 1000000000000ull * 1000;
        deadline_ns = left ? px_deadline_after(left) : EXO_DEADLINE_NOW;
    }
    result = select_call((int32_t)a, user, deadline_ns);
    if (deadline_ns != PX_DEADLINE_NEVER && !(px_personality & PX_STICKY_TIMEOUTS)) {
        left = deadline_ns > px_now_ns() ? deadline_ns - px_now_ns() : 0;
        time.tv_sec = (int64_t)(left / PX_SECOND);
        time.tv_usec = (int64_t)(left % PX_SECOND / 1000);
        (void)!px_copy_out(e, &time, sizeof time);
    }
    return result;
}

int64_t px_poll_mask_at(px_user pair)
{
    uint64_t mask[2] = {0, 0};

    if (pair && px_copy_in(mask, pair, sizeof mask) != 0)
        return -EFAULT;
    return px_poll_mask(mask[0], mask[1]);
}

PX_SYS(pselect6)
{
    const px_user user[3] = {b, c, d};
    uint64_t deadline_ns;
    int64_t result = px_poll_deadline(e, &deadline_ns);

    if (result == 0)
        result = px_poll_mask_at(f);
    if (result < 0)
        return result;
    result = select_call((int32_t)a, user, deadline_ns);
    write_time_left(e, deadline_ns);
    return result;
}
