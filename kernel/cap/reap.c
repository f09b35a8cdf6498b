/*
 * Long work that is done in pieces, whoever began it: one at the entry that began it, one at each tick of the clock, the rest when the machine is
 * idle. Objects whose end may take longer than one kernel entry (environments and large frame blocks) wait here when the last reference is gone.
 * Because they wait, the end of one never runs inside the end of another, however long the chain of capabilities.
 */
#include "kernel.h"

/* Pages and slots that are one piece. */
#define PIECE 1024u

_Static_assert(offsetof(struct env, death_link) == offsetof(struct dying, link), "an environment can wait here");
_Static_assert(offsetof(struct block, link) == offsetof(struct dying, link), "a frame block can");
_Static_assert(offsetof(struct endpoint, link) == offsetof(struct dying, link), "an endpoint that is being closed can");

static struct list dying = {&dying, &dying};
bool reap_waiting, reap_fresh;
unsigned reap_at_once = PIECE;

void reap_more(void)
{
    reap_waiting = reap_fresh = sched_needed = true;
}

void reap_add(struct object *object)
{
    list_append(&dying, &((struct dying *)object)->link);
    reap_more();
}

static bool close_endpoint(struct endpoint *endpoint, unsigned *most)
{
    if (!endpoint_close_some(endpoint, most))
        return false;
    list_remove(&endpoint->link);
    object_drop(&endpoint->object);
    return true;
}

/* True when the object is gone; counts `*most` down. */
static bool take_apart(struct object *object, unsigned *most)
{
    if (object->type == EXO_TYPE_ENV)
        return env_free_some((struct env *)object, most);
    if (object->type == EXO_TYPE_ENDPOINT)
        return close_endpoint((struct endpoint *)object, most);
    return block_free_some((struct block *)object, most);
}

bool reap_some(void)
{
    unsigned most = PIECE;

    if (!reap_waiting)
        return false;
    reap_at_once = PIECE;
    wait_wake_some(&reap_at_once);
    while (most > 0 && !list_empty(&dying))
        if (!take_apart(&LIST_ENTRY(dying.next, struct dying, link)->object, &most))
            break;
    recall_some(&most);
    reap_waiting = !zone_end_some(&most) || !list_empty(&dying) || !recall_idle() || !wait_all_woken();
    reap_fresh = false;
    return true;
}
