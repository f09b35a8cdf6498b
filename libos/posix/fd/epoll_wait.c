/*
 * Waiting with epoll. "Edge" is a change of the words that the description's poll would sleep on. A list may hold other epolls: whoever waits for it sleeps
 * on what is in theirs.
 */
#include <exo/loop.h>

#include "entry/thread.h"
#include "epoll.h"
#include "hold.h"
#include "poll.h"

_Static_assert(QUIET_WORDS == 3, "is_quiet looks at so many");
#define FRONT 24u    /* interests that a sleep has room for, as a rule */
#define FEW 8u         /* hot interests that are looked at without a second thought */
#define MOST_HOT 20u   /* that a sleep has room for */
#define IDLE 16u       /* looks after which a quiet one is no longer looked at */
#define DEPTH_MAX 8u /* lists that are looked at, one below the other: a list may grow above others */

/* What a wait sleeps on. */
struct gathered {
    struct exo_predicate *predicates; /* EXO_WAIT_MAX, or NULL: nobody sleeps */
    unsigned used;
    bool partial; /* there were more */
};
#define PER_ITEM 4u /* predicates that one description may add (px.h) */

static unsigned nested_ready(const struct px_ofd *ofd, struct gathered *gathered, uint64_t *words, unsigned depth);

static uint64_t mixed(uint64_t words, uint64_t value)
{
    return words * 0x9e3779b97f4a7c15ull + value + 1;
}

static bool is_full(const struct gathered *gathered)
{
    return !gathered->predicates || gathered->used + PER_ITEM > EXO_WAIT_MAX;
}

static void gather(struct gathered *gathered, uint64_t *words, const struct exo_predicate *own, unsigned used)
{
    bool room = !is_full(gathered);

    gathered->partial |= !room;
    for (unsigned i = 0; i < used; i++) {
        *words = mixed(*words, own[i].value);
        if (room)
            gathered->predicates[gathered->used++] = own[i];
    }
}

/* Are the words of a description all that can make it ready? What they lie in then, else 0. */
static uint64_t ring_of(struct px_ofd *ofd)
{
    if (ofd->kind == PX_OFD_SOCKET)
        return px_socket_is_told(ofd) ? ofd->word[0] : 0;
    return ofd->kind == PX_OFD_PIPE && px_pipe_ring(ofd) ? ofd->word[0] : 0;
}

static inline uint32_t differs(const struct px_quiet *quiet, unsigned i)
{
    return __atomic_load_n(quiet->word[i], __ATOMIC_SEQ_CST) ^ quiet->value[i];
}

static inline bool is_quiet(const struct px_interest *interest)
{
    const struct px_quiet *quiet = &interest->quiet;

    return quiet->ring && quiet->ring == interest->ofd->word[0] && !(differs(quiet, 0) | differs(quiet, 1) | differs(quiet, 2));
}

static void note_quiet(struct px_interest *interest, const struct exo_predicate *own, unsigned used)
{
    struct px_quiet *quiet = &interest->quiet;

    if (!used || used > QUIET_WORDS)
        return;
    for (unsigned i = 0; i < used; i++)
        if (own[i].kind != EXO_WAIT_WORD)
            return;
    quiet->ring = ring_of(interest->ofd);
    quiet->used = used;
    for (unsigned i = 0; i < QUIET_WORDS; i++) {
        quiet->word[i] = (const uint32_t *)own[i < used ? i : 0].va;
        quiet->value[i] = own[i < used ? i : 0].value;
    }
}

/* Ready events of one interest, edges taken into account; what a sleep would be for is added. */
static unsigned interest_ready(struct px_interest *interest, struct gathered *gathered, uint64_t *all_words, unsigned depth)
{
    unsigned wanted = (interest->events & EVENT_BITS) | POLLERR | POLLHUP, ready;
    uint64_t words = 0;

    if (!(interest->events & EVENT_BITS))
        return 0;
    if (is_quiet(interest)) {
        struct exo_predicate own[QUIET_WORDS];

        for (unsigned i = 0; i < interest->quiet.used; i++)
            own[i] = (struct exo_predicate){(uint64_t)interest->quiet.word[i], interest->quiet.value[i], EXO_WAIT_WORD};
        gather(gathered, &words, own, interest->quiet.used);
        *all_words = mixed(*all_words, words);
        return 0;
    }
    interest->quiet.ring = 0;
    if (interest->ofd->kind == PX_OFD_EPOLL) {
        ready = nested_ready(interest->ofd, gathered, &words, depth + 1) & wanted;
    } else {
        struct exo_predicate own[PER_ITEM];
        unsigned used = 0;

        ready = px_poll_ofd(interest->ofd, wanted, own, &used);
        gather(gathered, &words, own, used);
        if (!ready)
            note_quiet(interest, own, used);
    }
    *all_words = mixed(*all_words, words);
    if (interest->events & EPOLLET && interest->told && interest->words == words)
        return 0;
    interest->told = false;
    interest->words = words;
    return ready;
}

/* Another thread may change the list of an epoll. */
static void gather_change(const struct px_epoll *instance, uint32_t seen, struct gathered *gathered)
{
    if (!px_threads.many || !gathered->predicates)
        return;
    if (gathered->used == EXO_WAIT_MAX)
        gathered->partial = true;
    else
        gathered->predicates[gathered->used++] = (struct exo_predicate){(uint64_t)px_epoll_change(instance), seen, EXO_WAIT_WORD};
}

/* One of the cold interests may have something to tell. */
static void gather_told(const struct px_epoll *instance, struct gathered *gathered, uint64_t *words)
{
    *words = mixed(*words, instance->bells.heard);
    if (!instance->bells.told || !gathered->predicates)
        return;
    if (gathered->used == EXO_WAIT_MAX)
        gathered->partial = true;
    else
        gathered->predicates[gathered->used++] = px_bells_silence(&instance->bells);
}

/* An epoll in another's list, or in poll: ready when one of its own is. */
static unsigned nested_ready(const struct px_ofd *ofd, struct gathered *gathered, uint64_t *words, unsigned depth)
{
    struct px_epoll *instance = px_epoll_of(ofd);
    unsigned ready = 0;

    if (!instance || depth > DEPTH_MAX)
        return 0;
    if (!gathered->predicates)
        px_epoll_hear(instance); /* not before a sleep: who is hot then has told nobody that somebody sleeps (settle) */
    gather_change(instance, __atomic_load_n(px_epoll_change(instance), __ATOMIC_SEQ_CST), gathered);
    gather_told(instance, gathered, words);
    for (unsigned i = 0; i < instance->hot; i++)
        if (interest_ready(&instance->interest[i], gathered, words, depth))
            ready = POLLIN | POLLRDNORM;
    return ready;
}

bool px_epoll_partial;

unsigned px_epoll_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    struct gathered gathered = {.predicates = predicates, .used = *count};
    uint64_t words = 0;
    unsigned ready = nested_ready(ofd, &gathered, &words, 1);

    *count = gathered.used;
    px_epoll_partial = px_epoll_partial || gathered.partial;
    return ready & events;
}

/*
 * A sleep has no room for all that a long list would wake it by, and looks again after a while for the rest. So what had something to tell lately comes to
 * the front, in the place of one of those there.
 */
static void bring_forward(struct px_epoll *instance, unsigned at)
{
    struct px_interest *front = &instance->interest[instance->front++ % FRONT], forward = instance->interest[at];

    instance->interest[at] = *front;
    *front = forward;
}

/* Those that have been quiet for so many looks, while there are more than so many hot ones, become cold. */
static void cool(struct px_epoll *instance, unsigned looks, unsigned more_than)
{
    for (unsigned i = instance->hot; i-- > 0 && instance->hot > more_than;) {
        const struct px_interest *interest = &instance->interest[i];

        if (instance->looks - interest->lively >= looks && (is_quiet(interest) || !(interest->events & EVENT_BITS)))
            (void)px_epoll_cool(instance, i);
    }
}

/* What has rung is hot again, and there are not more hot ones than a sleep has room for, if that can be. */
static void settle(struct px_epoll *instance, unsigned depth)
{
    if (!instance || depth > DEPTH_MAX)
        return;
    px_epoll_hear(instance);
    for (unsigned looks = IDLE; instance->hot > MOST_HOT && looks > 0; looks /= 4)
        cool(instance, looks / 4, MOST_HOT);
    for (unsigned i = 0; i < instance->hot; i++)
        if (instance->interest[i].ofd->kind == PX_OFD_EPOLL)
            settle(px_epoll_of(instance->interest[i].ofd), depth + 1);
}

void px_epoll_settle(const struct px_ofd *ofd)
{
    settle(px_epoll_of(ofd), 0);
}

/* Copies out what is ready: how many, or -EFAULT. Where more is ready than was asked for, the next call begins behind what this one has told. */
static int64_t report(struct px_epoll *instance, px_user to, int64_t most)
{
    struct gathered nothing = {0};
    int64_t reported = 0;
    uint64_t words = 0;
    unsigned at, last = 0;

    if (++instance->looks % IDLE == 0)
        cool(instance, IDLE, FEW);
    at = instance->next_told < instance->hot ? instance->next_told : 0;
    for (unsigned left = instance->hot; left && reported < most; left--) {
        struct px_interest *interest = &instance->interest[at];
        struct epoll_event event = {.data = interest->data};

        at = at + 1 < instance->hot ? at + 1 : 0;
        if (is_quiet(interest))
            continue;
        interest->lively = instance->looks;
        event.events = interest_ready(interest, &nothing, &words, 0);
        if (!event.events)
            continue;
        if (px_copy_out(to + (uint64_t)reported * sizeof event, &event, sizeof event) != 0)
            return reported ? reported : -EFAULT;
        interest->told = true;
        if (interest->events & EPOLLONESHOT)
            interest->events &= ~(uint32_t)EVENT_BITS;
        reported++;
        last = (unsigned)(interest - instance->interest);
    }
    instance->next_told = reported == most ? at : 0;
    if (last >= FRONT)
        bring_forward(instance, last);
    return reported;
}

/* Of a list, those that may be slept on: all, if other threads, who are told of as well, could have changed the order. */
static unsigned watched(const struct px_epoll *instance)
{
    if (!instance)
        return 0;
    return px_threads.many || instance->hot < EXO_WAIT_MAX ? instance->hot : EXO_WAIT_MAX;
}

/* Tells the pipes and sockets in the list, and below it, that one more sleeps. */
static void watch(struct px_epoll *instance, unsigned depth)
{
    for (unsigned i = 0; i < watched(instance) && depth <= DEPTH_MAX; i++) {
        struct px_ofd *ofd = instance->interest[i].ofd;

        if (ofd->kind == PX_OFD_EPOLL)
            watch(px_epoll_of(ofd), depth + 1);
        else
            px_poll_watch(ofd, 1);
        instance->interest[i].watchers++;
    }
}

/* And that it no longer does: those that were there when it began. */
static void unwatch(struct px_epoll *instance, uint32_t begun, unsigned depth)
{
    for (unsigned i = 0; instance && i < instance->hot && depth <= DEPTH_MAX; i++) {
        struct px_interest *interest = &instance->interest[i];

        if (!interest->watchers || (int32_t)(begun - interest->since) < 0)
            continue;
        if (interest->ofd->kind == PX_OFD_EPOLL)
            unwatch(px_epoll_of(interest->ofd), begun, depth + 1);
        else
            px_poll_watch(interest->ofd, -1);
        interest->watchers--;
    }
}

void px_epoll_watch(const struct px_ofd *ofd)
{
    watch(px_epoll_of(ofd), 1);
}

void px_epoll_unwatch(const struct px_ofd *ofd, uint32_t begun)
{
    unwatch(px_epoll_of(ofd), begun, 1);
}

#define SLICE_NS 10000000ull

/* Sleeps until something may have changed: 0, -ETIMEDOUT, or a signal. */
static int64_t sleep(struct px_epoll *instance, uint32_t seen, uint64_t deadline_ns)
{
    struct exo_predicate predicates[EXO_WAIT_MAX];
    struct gathered gathered = {.predicates = predicates};
    uint64_t until = deadline_ns, words = 0;
    int64_t result;

    gather_change(instance, seen, &gathered);
    gather_told(instance, &gathered, &words);
    for (unsigned i = 0; i < instance->hot; i++) {
        struct px_interest *interest = &instance->interest[i];

        if (is_full(&gathered) && is_quiet(interest))
            gathered.partial = true;
        else if (interest_ready(interest, &gathered, &words, 0))
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
    struct px_epoll *instance;

    if (!handle)
        return -EBADF;
    instance = handle->kind == PX_OFD_EPOLL ? px_epoll_of(handle) : NULL;
    if (!instance || most <= 0 || (uint64_t)most > INT32_MAX / sizeof(struct epoll_event))
        return -EINVAL;
    for (;;) {
        uint32_t seen = __atomic_load_n(px_epoll_change(instance), __ATOMIC_SEQ_CST), begun;
        int64_t result;

        px_epoll_hear(instance);
        result = report(instance, to, most);
        if (result || (deadline_ns != PX_DEADLINE_NEVER && px_now_ns() >= deadline_ns))
            return result;
        settle(instance, 0);
        begun = px_epoll_changes();
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
