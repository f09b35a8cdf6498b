/* See bells.h. */
#include "bells.h"

#define WORDS (PX_PAGE / sizeof(uint32_t))
static uint64_t words_taken[WORDS / 64];
static bool has_page;

static uint32_t *word_new(void)
{
    if (!has_page) {
        int64_t status = exo_mem_alloc(PX_SLOT_SELF, PX_BELLS, 1, EXO_PROT_READ | EXO_PROT_WRITE);

        if (status != 1 && status != -EXO_E_EXISTS)
            return NULL;
        has_page = true;
    }
    for (unsigned i = 0; i < WORDS / 64; i++) {
        uint32_t *word;
        unsigned bit;

        if (words_taken[i] == UINT64_MAX)
            continue;
        bit = (unsigned)__builtin_ctzll(~words_taken[i]);
        words_taken[i] |= 1ull << bit;
        word = (uint32_t *)PX_BELLS + i * 64 + bit;
        *word = 0;
        return word;
    }
    return NULL;
}

static void word_free(const uint32_t *word)
{
    uint64_t at = (uint64_t)(word - (uint32_t *)PX_BELLS);

    words_taken[at / 64] &= ~(1ull << at % 64);
}

void px_bells_forked(void)
{
    has_page = false;
    memset(words_taken, 0, sizeof words_taken);
}

/* A fork is not to copy the capability: the child would hold a watch that rings for its parent. */
static int64_t watch_new(uint32_t *bits, uint32_t *told)
{
    int64_t made = exo_watch_create(bits, told), own;

    if (made < 0)
        return made;
    own = exo_cap_derive(PX_SLOT_SELF, 0, (uint64_t)made, EXO_RIGHT_NOTIFY, 0, EXO_DEADLINE_NEVER);
    (void)!exo_cap_delete((uint64_t)made);
    return own;
}

static bool room_for_bell(struct px_bells *bells)
{
    unsigned room = bells->room ? 2 * bells->room : 4;
    struct px_bell *more;

    if (bells->count < bells->room)
        return true;
    more = px_alloc(room * sizeof *more);
    if (!more)
        return false;
    if (bells->count)
        memcpy(more, bells->bell, bells->count * sizeof *more);
    px_free(bells->bell);
    bells->bell = more;
    bells->room = room;
    return true;
}

static struct px_bell *bell_new(struct px_bells *bells)
{
    uint32_t *bits = NULL;
    int64_t watch = -1;

    if (!bells->told && (bells->told = word_new()))
        bells->heard = 0;
    if (bells->told && room_for_bell(bells) && (bits = word_new()))
        watch = watch_new(bits, bells->told);
    if (watch < 0) {
        if (bits)
            word_free(bits);
        bells->deaf = true;
        return NULL;
    }
    bells->bell[bells->count] = (struct px_bell){.watch = (uint64_t)watch, .bits = bits};
    return &bells->bell[bells->count++];
}

static struct px_bell *bell_with_room(struct px_bells *bells)
{
    for (unsigned i = bells->count; i-- > 0;)
        if (bells->bell[i].taken != (1u << EXO_WATCH_PLACES) - 1)
            return &bells->bell[i];
    return bells->deaf ? NULL : bell_new(bells);
}

int px_bells_put(struct px_bells *bells, const struct exo_predicate *predicates, unsigned count, uint32_t *place)
{
    struct px_bell *bell = bell_with_room(bells);
    unsigned at;

    if (!bell)
        return -1;
    at = (unsigned)__builtin_ctz(~bell->taken);
    if (exo_watch_place(bell->watch, at, predicates, count) <= 0)
        return 0;
    bell->taken |= 1u << at;
    *place = (uint32_t)(bell - bells->bell) * EXO_WATCH_PLACES + at;
    return 1;
}

void px_bells_take(struct px_bells *bells, uint32_t place)
{
    struct px_bell *bell = &bells->bell[place / EXO_WATCH_PLACES];
    uint32_t bit = 1u << place % EXO_WATCH_PLACES;

    (void)!exo_watch_place(bell->watch, place % EXO_WATCH_PLACES, NULL, 0);
    __atomic_fetch_and(bell->bits, ~bit, __ATOMIC_SEQ_CST);
    bell->taken &= ~bit;
}

bool px_bells_rang(struct px_bells *bells)
{
    uint32_t told = bells->told ? __atomic_load_n(bells->told, __ATOMIC_SEQ_CST) : bells->heard;

    if (told == bells->heard)
        return false;
    bells->heard = told;
    return true;
}

uint32_t px_bell_places(struct px_bell *bell)
{
    if (!__atomic_load_n(bell->bits, __ATOMIC_SEQ_CST))
        return 0;
    return __atomic_exchange_n(bell->bits, 0, __ATOMIC_SEQ_CST) & bell->taken;
}

void px_bells_go(struct px_bells *bells)
{
    for (unsigned i = 0; i < bells->count; i++) {
        (void)!exo_cap_delete(bells->bell[i].watch);
        word_free(bells->bell[i].bits);
    }
    if (bells->told)
        word_free(bells->told);
    px_free(bells->bell);
    *bells = (struct px_bells){0};
}
