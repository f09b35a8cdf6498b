/* Watches: each error that they answer, and that it changes nothing. */
#include "cases.h"
#include "waiting.h"

CASE(watches, "watches: of words that can be written to, and places that there are, with conditions that there are")
{
    uint64_t word = MEMORY + 1024, watch = MUST_DO(WATCH_CREATE, word, word + 4);
    struct capability *slot;
    struct exo_predicate predicates[3] = {{word + 8, 0, EXO_WAIT_WORD}, {word + 12, 1, EXO_WAIT_FROM}, {word + 16, 0, EXO_WAIT_IS}};

    case_poke(MEMORY, predicates, sizeof(predicates));
    case_poke(word + 12, &(uint32_t){1}, 4);
    REFUSED(WATCH_CREATE, FAULT, NOWHERE, word);
    REFUSED(WATCH_CREATE, FAULT, word, NOWHERE);
    REFUSED(WATCH_CREATE, FAULT, UINT64_MAX - 3, word);
    REFUSED(WATCH_PLACE, INVAL, watch, EXO_WATCH_PLACES, MEMORY, 1);
    REFUSED(WATCH_PLACE, INVAL, watch, UINT64_MAX, MEMORY, 1);
    REFUSED(WATCH_PLACE, INVAL, watch, 0, MEMORY, EXO_WATCH_WORDS + 1);
    REFUSED(WATCH_PLACE, FAULT, watch, 0, NOWHERE, 1);
    REFUSED(WATCH_PLACE, RIGHTS, MUST_DO(CAP_DERIVE, SELF, 0, watch, EXO_RIGHT_COPY, 0, EXO_DEADLINE_NEVER), 0, MEMORY, 1);
    REFUSED(WATCH_PLACE, TYPE, SELF, 0, MEMORY, 1);
    REQUIRE(MUST_DO(WATCH_PLACE, watch, 0, MEMORY, 3) == 3, "it does not wait");
    case_poke(MEMORY, &(struct exo_predicate){MUST_DO(EP_CREATE), 0, EXO_WAIT_ENDPOINT}, sizeof(predicates[0]));
    REFUSED(WATCH_PLACE, INVAL, watch, 0, MEMORY, 1);
    case_poke(MEMORY, &(struct exo_predicate){word + 2, 0, EXO_WAIT_WORD}, sizeof(predicates[0]));
    REFUSED(WATCH_PLACE, INVAL, watch, 0, MEMORY, 1);
    case_poke(MEMORY, &(struct exo_predicate){NOWHERE, 0, EXO_WAIT_WORD}, sizeof(predicates[0]));
    REFUSED(WATCH_PLACE, FAULT, watch, 0, MEMORY, 1);
    REQUIRE(wait_watched == 3, "an error changed what a place waits for");
    REQUIRE(MUST_DO(WAKE, word + 12, 1) == 0 && wait_watched == 3, "a wake that changed nothing ended it");
    REQUIRE(MUST_DO(WAKE, word + 8, 0) == 0 && wait_watched == 3, "a wake of nobody ended it");
    REQUIRE(MUST_DO(WAKE, word + 8, 1) == 0 && wait_watched == 0, "a wake did not end it");
    case_poke(MEMORY, predicates, sizeof(predicates));
    (void)MUST_DO(WATCH_PLACE, watch, 23, MEMORY, 3);
    case_check();
    (void)MUST_DO(CAP_REVOKE, watch);
    (void)MUST_DO(CAP_DELETE, watch);
    REQUIRE(wait_watched == 0, "who is gone still waits");
    watch = MUST_DO(WATCH_CREATE, word, word + 4);
    (void)cap_resolve(case_self()->env, watch, EXO_TYPE_WATCH, 0, &slot);
    slot->object->label = EXO_LABEL_SANDBOX; /* as if somebody below had made it */
    REFUSED(WATCH_PLACE, DENIED, watch, 0, MEMORY, 1);
}
