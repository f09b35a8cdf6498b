/*
 * Watches: who waits for many words need not look at them one by one, nor tell the kernel of all of them at each sleep. A place of a watch waits for up to
 * EXO_WATCH_WORDS of them, as a context would, once: when that ends, its bit is set in a word of the maker's, another word says that something came,
 * and the maker, who may sleep on that one, has to look only where bits are. A word that tells may be watched itself, so watches can stand above others.
 */
#include "port.h"
#include "waiting.h"

static void clear(struct watch *watch, uint64_t place)
{
    for (; watch->used[place] > 0; wait_watched--)
        wait_leave(&watch->nodes[place * EXO_WATCH_WORDS + --watch->used[place]]);
}

void watch_end(struct wait_node *node)
{
    struct watch *watch = wait_watch(node);
    uint64_t place = (uint64_t)(node - watch->nodes) / EXO_WATCH_WORDS;

    clear(watch, place);
    __atomic_fetch_or((uint32_t *)direct(watch->bits), 1u << place, __ATOMIC_SEQ_CST);
    __atomic_fetch_add((uint32_t *)direct(watch->told), 1, __ATOMIC_SEQ_CST);
    watch->count++;
    wait_wake_later(watch->told);
}

void watch_free(struct object *object)
{
    struct watch *watch = (struct watch *)object;

    for (uint64_t place = 0; place < EXO_WATCH_PLACES; place++)
        clear(watch, place);
    frame_drop(watch->bits & ~(PAGE - 1ul));
    frame_drop(watch->told & ~(PAGE - 1ul));
    object_free(object, sizeof(*watch));
}

/* Where a word of the caller's is that it can write to; 0: it is not. */
static uint64_t own_word(struct context *caller, uint64_t va)
{
    const void *word = space_reach(caller->env, va, ACCESS_WRITE);

    return word ? direct_physical(word) : 0;
}

int64_t k_watch_create(struct context *caller, uint64_t bits_va, uint64_t told_va)
{
    uint64_t bits, told;
    struct watch *watch;
    int64_t handle;

    if (bits_va % sizeof(uint32_t) || told_va % sizeof(uint32_t))
        return -EXO_E_ALIGN;
    bits = own_word(caller, bits_va);
    told = bits ? own_word(caller, told_va) : 0;
    if (!told)
        return -EXO_E_FAULT;
    watch = object_new(caller->env->zone, EXO_TYPE_WATCH, sizeof(*watch));
    if (!watch)
        return -EXO_E_NOMEM;
    watch->bits = bits;
    watch->told = told;
    frame_hold(bits & ~(PAGE - 1ul));
    frame_hold(told & ~(PAGE - 1ul));
    handle = cap_insert(caller->env, 0, &watch->object, EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY, 0);
    object_drop(&watch->object);
    return handle;
}

static void wait_at(struct watch *watch, uint64_t place, const struct exo_predicate *predicate, uint64_t physical)
{
    uint64_t i = place * EXO_WATCH_WORDS + watch->used[place]++;

    watch->nodes[i].physical = physical | WAIT_WATCHED;
    watch->test[i] = wait_test_of(predicate);
    watch->test_value[i] = predicate->value;
    frame_hold(physical & ~(PAGE - 1ul));
    wait_enter(&watch->nodes[i]);
    wait_watched++;
}

int64_t k_watch_place(struct context *caller, struct capability *capability, uint64_t place, uint64_t predicates_va, uint64_t count)
{
    struct watch *watch = (struct watch *)capability->object;
    struct exo_predicate predicates[EXO_WATCH_WORDS];
    uint64_t physical[EXO_WATCH_WORDS], all = count;

    if (place >= EXO_WATCH_PLACES || count > EXO_WATCH_WORDS)
        return -EXO_E_INVAL;
    if (count > 0 && !space_read(caller->env, predicates, predicates_va, count * sizeof(predicates[0])))
        return -EXO_E_FAULT;
    for (uint64_t i = 0; i < count; i++) {
        int64_t holds = wait_check_word(caller, &predicates[i], &physical[i]);

        if (holds < 0)
            return holds;
        if (!holds)
            all = 0;
    }
    clear(watch, place);
    for (uint64_t i = 0; i < all; i++)
        wait_at(watch, place, &predicates[i], physical[i]);
    return (int64_t)all;
}
