/*
 * The lattice of security labels: a finite order given as data (abi/labels.txt) whose tables are made, and checked, when the system is built. Each
 * function is one look-up. Labels must be below EXO_LABELS: who takes one from somebody else asks exo_label_known first.
 */
#ifndef EXO_LABEL_H
#define EXO_LABEL_H
#include <exo/labels.h>
#include <stdbool.h>

static inline bool exo_label_known(uint64_t label)
{
    return label < EXO_LABELS;
}

/* The least label that dominates both. */
static inline unsigned exo_label_join_of(unsigned left, unsigned right)
{
    return exo_label_join[left][right];
}

/* The greatest label that both dominate. */
static inline unsigned exo_label_meet_of(unsigned left, unsigned right)
{
    return exo_label_meet[left][right];
}

/* `actor` stands in one of the relations of the set `allowed` (EXO_RULE_*, EXO_RELATION_*) to `object`. */
static inline bool exo_label_allows(unsigned actor, unsigned object, unsigned allowed)
{
    return exo_label_relation[actor][object] & allowed;
}

static inline bool exo_label_dominates(unsigned left, unsigned right)
{
    return exo_label_allows(left, right, EXO_RELATION_EQUAL | EXO_RELATION_ABOVE);
}

/* Its name, for people. */
static inline const char *exo_label_name(unsigned label)
{
    static const char *const names[] = {
#define EXO_LABEL_NAME(number, name) [number] = #name,
        EXO_LABEL_NAMES(EXO_LABEL_NAME)
#undef EXO_LABEL_NAME
    };

    return label < EXO_LABELS ? names[label] : "?";
}

#endif
