/*
 * The lattice of rights: eight lanes of eight bits in one word (abi/exo.abi names lanes and bits). Order is inclusion, lane by lane, so join is
 * union, meet is intersection, and each takes the same few instructions whatever the values are: nothing here branches. Kernel and ring 3
 * both use it; it has no state and no owner.
 */
#ifndef EXO_RIGHTS_H
#define EXO_RIGHTS_H
#include <stdbool.h>
#include <stdint.h>

#define EXO_LANES 8u
#define EXO_LANE_BITS 8u
#define EXO_LANE_ONES 0x0101010101010101ul

/* What either allows. */
static inline uint64_t exo_rights_join(uint64_t left, uint64_t right)
{
    return left | right;
}

/* What both allow: all that a capability derived from one with `left` can have of `right`. */
static inline uint64_t exo_rights_meet(uint64_t left, uint64_t right)
{
    return left & right;
}

/* `left` allows at least what `right` does, in every lane. */
static inline bool exo_rights_dominate(uint64_t left, uint64_t right)
{
    return (right & ~left) == 0;
}

/* One byte of the word. */
static inline uint8_t exo_rights_lane(uint64_t rights, unsigned lane)
{
    return (uint8_t)(rights >> (lane % EXO_LANES * EXO_LANE_BITS));
}

/* The lanes in which `left` dominates: all ones in each such lane, zeros in the others. */
static inline uint64_t exo_rights_dominated_lanes(uint64_t left, uint64_t right)
{
    const uint64_t low = EXO_LANE_ONES * 0x7f, high = EXO_LANE_ONES * 0x80;
    uint64_t missing = right & ~left;
    uint64_t lacking = (((missing & low) + low) | missing) & high; /* the top bit of each lane that has a missing bit */

    return ~((lacking >> (EXO_LANE_BITS - 1)) * 0xff);
}

#endif
