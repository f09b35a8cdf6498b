/*
 * The generated label tables: what the header says is a lattice (found again from the relation alone), and every rule on every pair of labels is
 * what abi/rules.txt means by its relations.
 */
#include <assert.h>
#include <stdio.h>

#include <exo/label.h>

static void check_order(void)
{
    for (unsigned a = 0; a < EXO_LABELS; a++) {
        assert(exo_label_relation[a][a] == EXO_RELATION_EQUAL);
        assert(exo_label_dominates(EXO_LABEL_TOP, a) && exo_label_dominates(a, EXO_LABEL_BOTTOM));
        for (unsigned b = 0; b < EXO_LABELS; b++) {
            unsigned relation = exo_label_relation[a][b], mirror = exo_label_relation[b][a];

            assert((relation == EXO_RELATION_EQUAL) == (a == b));
            assert((relation == EXO_RELATION_ABOVE) == (mirror == EXO_RELATION_BELOW));
            assert((relation == EXO_RELATION_APART) == (mirror == EXO_RELATION_APART));
            for (unsigned c = 0; c < EXO_LABELS; c++)
                assert(!exo_label_dominates(a, b) || !exo_label_dominates(b, c) || exo_label_dominates(a, c));
        }
    }
}

/* The bounds by their definition: above (below) both, and below (above) everything that is. */
static void check_bounds(void)
{
    for (unsigned a = 0; a < EXO_LABELS; a++)
        for (unsigned b = 0; b < EXO_LABELS; b++) {
            unsigned join = exo_label_join_of(a, b), meet = exo_label_meet_of(a, b);

            assert(join < EXO_LABELS && meet < EXO_LABELS);
            assert(exo_label_dominates(join, a) && exo_label_dominates(join, b));
            assert(exo_label_dominates(a, meet) && exo_label_dominates(b, meet));
            for (unsigned c = 0; c < EXO_LABELS; c++) {
                if (exo_label_dominates(c, a) && exo_label_dominates(c, b))
                    assert(exo_label_dominates(c, join));
                if (exo_label_dominates(a, c) && exo_label_dominates(b, c))
                    assert(exo_label_dominates(meet, c));
            }
        }
}

/* No rule lets anybody act upwards or on what stands apart; requests go up or stay level; nothing passes between labels that are apart. */
static void check_rules(void)
{
    for (unsigned a = 0; a < EXO_LABELS; a++)
        for (unsigned b = 0; b < EXO_LABELS; b++) {
            bool down = exo_label_dominates(a, b), up = exo_label_dominates(b, a);

            assert(exo_label_allows(a, b, EXO_RULE_READ) == down);
            assert(exo_label_allows(a, b, EXO_RULE_WRITE) == down);
            assert(exo_label_allows(a, b, EXO_RULE_ENTER) == down);
            assert(exo_label_allows(a, b, EXO_RULE_CALL) == up);
            assert(exo_label_allows(a, b, EXO_RULE_GRANT) == (up || down));
        }
}

/* The default order is what AND and OR of bit masks cannot be. */
static void check_not_distributive(void)
{
#if defined(EXO_LABEL_NETWORK) && defined(EXO_LABEL_FILE) && defined(EXO_LABEL_MEM) && defined(EXO_LABEL_TCP)
    unsigned left = exo_label_meet_of(EXO_LABEL_TCP, exo_label_join_of(EXO_LABEL_UDP, EXO_LABEL_FILE));
    unsigned right = exo_label_join_of(exo_label_meet_of(EXO_LABEL_TCP, EXO_LABEL_UDP), exo_label_meet_of(EXO_LABEL_TCP, EXO_LABEL_FILE));

    assert(left == EXO_LABEL_TCP && right == EXO_LABEL_USER);
    assert(exo_label_join_of(EXO_LABEL_TCP, EXO_LABEL_UDP) == EXO_LABEL_NETWORK);
    assert(exo_label_meet_of(EXO_LABEL_NETWORK, EXO_LABEL_MEM) == EXO_LABEL_USER);
    assert(exo_label_join_of(EXO_LABEL_FILE, EXO_LABEL_MEM) == EXO_LABEL_SYSTEM);
#endif
}

int main(void)
{
    check_order();
    check_bounds();
    check_rules();
    check_not_distributive();
    assert(exo_label_known(EXO_LABELS - 1) && !exo_label_known(EXO_LABELS) && !exo_label_known(~0ul));
    puts("1..1\nok 1 - order, bounds, rules");
    return 0;
}
