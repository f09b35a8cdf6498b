/*
 * What has been quiet for a while is not looked at any more: its words are put to a bell (bells.h), and an interest is cold until that rings. So a wait takes
 * as long as there is something to tell, however many connections are idle, and a sleep has room for all of them. A cold one's pipe or socket counts a
 * sleeper, since who changes it must wake the word. A forked child's interests are all hot.
 */
#include "entry/thread.h"
#include "epoll.h"
#include "hold.h"
#include "poll.h"

#define NOWHERE UINT32_MAX /* place of what is disabled: nothing can make it ready but epoll_ctl */

static void swap(struct px_epoll *instance, unsigned one, unsigned other)
{
    struct px_interest kept = instance->interest[one];

    instance->interest[one] = instance->interest[other];
    instance->interest[other] = kept;
}

/* A cold one stands somewhere else now. */
static void moved(const struct px_epoll *instance, unsigned at)
{
    if (instance->interest[at].place != NOWHERE)
        *px_bells_tag(&instance->bells, instance->interest[at].place) = at;
}

static bool ring_for(struct px_epoll *instance, struct px_interest *interest)
{
    const struct px_quiet *quiet = &interest->quiet;
    struct exo_predicate words[QUIET_WORDS];

    _Static_assert(QUIET_WORDS <= EXO_WATCH_WORDS, "one place is enough");
    for (unsigned i = 0; i < quiet->used; i++)
        words[i] = (struct exo_predicate){(uint64_t)quiet->word[i], quiet->value[i], EXO_WAIT_WORD};
    px_poll_watch(interest->ofd, 1); /* before the kernel compares the words: who changes them later wakes them */
    if (px_bells_put(&instance->bells, words, quiet->used, &interest->place) > 0)
        return true;
    px_poll_watch(interest->ofd, -1);
    return false;
}

bool px_epoll_cool(struct px_epoll *instance, unsigned at)
{
    struct px_interest *interest = &instance->interest[at];

    if (interest->watchers)
        return false;
    if (!(interest->events & EVENT_BITS))
        interest->place = NOWHERE;
    else if (!ring_for(instance, interest))
        return false;
    swap(instance, at, --instance->hot);
    moved(instance, instance->hot);
    return true;
}

struct px_interest *px_epoll_warm(struct px_epoll *instance, struct px_interest *interest)
{
    unsigned at = (unsigned)(interest - instance->interest);

    if (at < instance->hot)
        return interest;
    if (interest->place != NOWHERE) {
        px_bells_take(&instance->bells, interest->place);
        px_poll_watch(interest->ofd, -1);
    }
    interest->lively = instance->looks;
    interest->since = px_epoll_changed(); /* who sleeps already has not told its pipe or socket so */
    swap(instance, at, instance->hot);
    if (at != instance->hot)
        moved(instance, at);
    return &instance->interest[instance->hot++];
}

void px_epoll_hear(struct px_epoll *instance)
{
    if (!px_bells_rang(&instance->bells))
        return;
    for (unsigned i = 0; i < instance->bells.count; i++)
        for (uint32_t places = px_bell_places(&instance->bells.bell[i]); places; places &= places - 1)
            (void)px_epoll_warm(instance, &instance->interest[instance->bells.bell[i].tag[__builtin_ctz(places)]]);
}

void px_epoll_open_gap(struct px_epoll *instance)
{
    if (instance->hot < instance->count) {
        instance->interest[instance->count] = instance->interest[instance->hot];
        moved(instance, instance->count);
    }
    instance->count++;
}

void px_epoll_close_gap(struct px_epoll *instance)
{
    instance->count--;
    if (instance->hot < instance->count) {
        instance->interest[instance->hot] = instance->interest[instance->count];
        moved(instance, instance->hot);
    }
}

void px_epoll_sleep_no_more(const struct px_epoll *instance)
{
    for (unsigned i = instance->hot; i < instance->count; i++)
        if (instance->interest[i].place != NOWHERE)
            px_poll_watch(instance->interest[i].ofd, -1);
}
