/* The reference model of watches: which places wait where, and who is told in which order. */
#include "model.h"
#include "waiting.h"

#include <stdlib.h>

struct m_place {
    struct m_word words[EXO_WATCH_WORDS];
    unsigned count;
    uint64_t order; /* when it was set */
};

static uint64_t order;

/* Whose turn comes: contexts and places, in the order in which they were found. Who has left meanwhile, or sleeps or waits anew, is passed over. */
struct turn {
    struct m_object *object;
    uint64_t order, index; /* of the sleep, or of the place; which predicate, or place */
};
static struct turn *turns;
static unsigned turn_count, turn_room;

static void add_turn(struct m_object *object, uint64_t when, uint64_t index)
{
    if (turn_count == turn_room) {
        turn_room = turn_room ? 2 * turn_room : 64;
        turns = realloc(turns, turn_room * sizeof(*turns));
        REQUIRE(turns != NULL, "no memory");
    }
    turns[turn_count++] = (struct turn){object, when, index};
}

/* The first of the words there whose condition does not hold; -1: none. */
static int ended(const struct m_word *words, unsigned count, uint64_t physical, uint32_t word)
{
    for (unsigned i = 0; i < count; i++)
        if (words[i].physical == physical && !m_test_holds(words[i].kind, word, words[i].value))
            return (int)i;
    return -1;
}

static int compare_turns(const void *left, const void *right)
{
    const struct turn *a = left, *b = right;

    return a->order < b->order ? -1 : a->order > b->order;
}

static void line_of(uint64_t physical, uint32_t word, unsigned type)
{
    unsigned first = turn_count;

    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *object = m_objects.at[i];

        if (object->type != type)
            continue;
        if (type == EXO_TYPE_CTX) {
            int index = object->state == CTX_WAIT ? ended(object->nodes, object->node_count, physical, word) : -1;

            if (index >= 0)
                add_turn(object, object->sleep_order, (uint64_t)index);
            continue;
        }
        for (unsigned place = 0; place < EXO_WATCH_PLACES; place++)
            if (ended(object->places[place].words, object->places[place].count, physical, word) >= 0)
                add_turn(object, object->places[place].order, place);
    }
    if (turn_count > first)
        qsort(turns + first, turn_count - first, sizeof(*turns), compare_turns);
}

static void clear(struct m_place *place)
{
    while (place->count > 0)
        m_frame_drop(place->words[--place->count].physical & ~(PAGE - 1ul));
}

/* The kernel wrote there. */
static void written(uint64_t physical)
{
    m_frames[physical / PAGE].tag = *(uint64_t *)((char *)direct(physical & ~(PAGE - 1ul)) + TAG_OFFSET);
}

/* The word that tells when the watch has just added to it: what it is now, less what the kernel added later. */
static uint32_t told_then(const struct m_object *watch)
{
    uint32_t now = *(const uint32_t *)direct(watch->told);

    for (unsigned i = 0; i < m_objects.count; i++) {
        const struct m_object *other = m_objects.at[i];

        if (other->type == EXO_TYPE_WATCH && other->told == watch->told)
            now -= ((const struct watch *)other->kernel)->count - other->count;
    }
    return now;
}

static void take_turn(const struct turn *turn)
{
    struct m_object *object = turn->object;
    uint32_t told;

    if (object->type == EXO_TYPE_CTX) {
        if (object->state == CTX_WAIT && object->sleep_order == turn->order)
            m_finish(object, (int64_t)turn->index);
        return;
    }
    if (!object->places[turn->index].count || object->places[turn->index].order != turn->order)
        return;
    clear(&object->places[turn->index]);
    object->count++;
    written(object->physical);
    written(object->told);
    told = told_then(object);
    line_of(object->told, told, EXO_TYPE_CTX);
    line_of(object->told, told, EXO_TYPE_WATCH);
}

void m_watches_tell(uint64_t physical, uint32_t word)
{
    turn_count = 0;
    line_of(physical, word, EXO_TYPE_WATCH);
    for (unsigned i = 0; i < turn_count; i++) {
        struct turn turn = turns[i]; /* the list may move */

        take_turn(&turn);
    }
}

void m_watch_clear(struct m_object *watch)
{
    for (unsigned place = 0; place < EXO_WATCH_PLACES; place++)
        clear(&watch->places[place]);
    free(watch->places);
    watch->places = NULL;
    m_frame_drop(watch->physical & ~(PAGE - 1ul));
    m_frame_drop(watch->told & ~(PAGE - 1ul));
}

static uint64_t word_at(struct m_object *env, uint64_t va)
{
    return m_page(env, va)->physical + va % PAGE;
}

void watch_create(struct step *s)
{
    struct m_object *watch;

    MUST(s, s->a[0] % 4 || s->a[1] % 4, ALIGN);
    for (unsigned i = 0; i < 2 && !s->must; i++)
        MUST(s, !m_wrote(s, s->env, s->a[i], 1), FAULT);
    MAY(s, m_tight(s, s->env->charged, 6), NOMEM);
    if (m_refused(s))
        return;
    watch = m_new(EXO_TYPE_WATCH, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged);
    watch->places = calloc(EXO_WATCH_PLACES, sizeof(*watch->places));
    REQUIRE(watch->places != NULL, "no memory");
    watch->physical = word_at(s->env, s->a[0]);
    watch->told = word_at(s->env, s->a[1]);
    m_frame_hold(watch->physical & ~(PAGE - 1ul));
    m_frame_hold(watch->told & ~(PAGE - 1ul));
    m_created(s, watch, EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY);
}

void watch_place(struct step *s)
{
    uint64_t count = s->a[3], all = count;
    struct m_place *place;

    MUST(s, s->a[1] >= EXO_WATCH_PLACES || count > EXO_WATCH_WORDS, INVAL);
    if (!s->must && count > 0)
        MUST(s, !s->input_valid, FAULT);
    for (uint64_t i = 0; i < count && !s->must; i++) {
        const struct exo_predicate *predicate = &s->predicates[i];
        bool known = m_predicate_known(predicate);

        MUST(s, !known || predicate->va % 4, INVAL);
        MUST(s, known && predicate->va % 4 == 0 && !m_readable(s->env, predicate->va, 1), FAULT);
        if (!s->must && !(predicate->kind == EXO_WAIT_WORD ? s->predicate_word[i] == predicate->value
                                                           : m_test_holds(predicate->kind, s->predicate_word[i], predicate->value)))
            all = 0;
    }
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result == all, "a place waits on %ld words, expected %lu", s->result, all);
    place = &s->caps[0]->object->places[s->a[1]];
    for (uint64_t i = 0; i < all; i++) /* before it leaves the others: a frame may be the same */
        m_frame_hold(word_at(s->env, s->predicates[i].va) & ~(PAGE - 1ul));
    clear(place);
    for (uint64_t i = 0; i < all; i++)
        place->words[place->count++] = (struct m_word){word_at(s->env, s->predicates[i].va), s->predicates[i].kind, s->predicates[i].value};
    place->order = ++order;
}
