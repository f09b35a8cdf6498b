/*
 * The lattice of rights: every law on every pair of lane values, lane by lane against the definition by bits, and on random words.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <exo/rights.h>

static uint64_t state = 0x9e3779b97f4a7c15ul;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Dominance bit by bit, which is what the word operations must agree with. */
static int lane_dominates(unsigned left, unsigned right)
{
    for (unsigned bit = 0; bit < EXO_LANE_BITS; bit++)
        if (right >> bit & 1 && !(left >> bit & 1))
            return 0;
    return 1;
}

static void check_laws(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t join = exo_rights_join(a, b), meet = exo_rights_meet(a, b);

    assert(join == exo_rights_join(b, a) && meet == exo_rights_meet(b, a));
    assert(exo_rights_join(a, a) == a && exo_rights_meet(a, a) == a);
    assert(exo_rights_join(a, meet) == a && exo_rights_meet(a, join) == a);
    assert(exo_rights_join(a, exo_rights_join(b, c)) == exo_rights_join(join, c));
    assert(exo_rights_meet(a, exo_rights_meet(b, c)) == exo_rights_meet(meet, c));
    assert(exo_rights_meet(a, exo_rights_join(b, c)) == exo_rights_join(meet, exo_rights_meet(a, c)));
    assert(exo_rights_dominate(a, b) == (join == a) && exo_rights_dominate(a, b) == (meet == b));
    assert(exo_rights_dominate(join, a) && exo_rights_dominate(join, b) && exo_rights_dominate(a, meet) && exo_rights_dominate(b, meet));
    assert(exo_rights_dominate(~0ul, a) && exo_rights_dominate(a, 0));
}

static void check_lanes(uint64_t a, uint64_t b)
{
    uint64_t lanes = exo_rights_dominated_lanes(a, b);
    int all = 1;

    for (unsigned lane = 0; lane < EXO_LANES; lane++) {
        int holds = lane_dominates(exo_rights_lane(a, lane), exo_rights_lane(b, lane));

        assert(exo_rights_lane(lanes, lane) == (holds ? 0xff : 0));
        all = all && holds;
    }
    assert(exo_rights_dominate(a, b) == all);
}

int main(void)
{
    for (unsigned lane = 0; lane < EXO_LANES; lane++)
        for (unsigned a = 0; a < 256; a++)
            for (unsigned b = 0; b < 256; b++) {
                /* Once with the other lanes in order, once with one other lane that is not. */
                uint64_t left = (uint64_t)a << lane * 8, right = (uint64_t)b << lane * 8;

                check_lanes(left, right);
                check_lanes(left, right | 1ul << ((lane + 3) % 8 * 8));
                check_laws(left, right, next());
            }
    for (unsigned i = 0; i < 1000000; i++) {
        uint64_t a = next(), b = next();

        check_laws(a, b, next());
        check_lanes(a, a & b);
        check_lanes(a, b);
    }
    puts("1..1\nok 1 - laws and lanes");
    return 0;
}
