/* What the two walks share: scanning of components, and their answer. */
#ifndef PX_WALK_H
#define PX_WALK_H
#include "files.h"

/* Eight bytes of a string, of which what lies behind its end means nothing: read only where they are in one page. */
static inline uint64_t px_load_word(const char *text)
{
    uint64_t word = 0;

#ifndef EXO_HOST_TEST
    if (__builtin_expect(((uint64_t)text & (PX_PAGE - 1)) <= PX_PAGE - 8, 1))
        return px_name_word(text);
#endif
    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)(uint8_t)text[i] << (8 * i);
        if (!text[i])
            break;
    }
    return word;
}

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
#define SLASHES 0x2f2f2f2f2f2f2f2full

/* Length of the component that begins at text, and its hash: the lowest zero byte of a word is found exactly by (w -
 * ONES) & ~w & HIGHS. */
static inline unsigned px_scan(const char *text, uint32_t directory, uint32_t *hash)
{
    uint64_t sum = px_hash_start(directory);

    for (unsigned at = 0;; at += 8) {
        uint64_t word = px_load_word(text + at), slash = word ^ SLASHES;
        uint64_t stop = (((word - ONES) & ~word) | ((slash - ONES) & ~slash)) & HIGHS;

        if (stop) {
            unsigned rest = (unsigned)__builtin_ctzll(stop) & ~7u;

            if (rest)
                sum = px_hash_step(sum, word & ((1ull << rest) - 1));
            *hash = px_hash_end(sum);
            return at + rest / 8;
        }
        sum = px_hash_step(sum, word);
    }
}

int64_t px_walk_long(const struct px_walk_from *from, const char *path, unsigned flags, struct px_place *place);

static inline void px_set_last(struct px_place *place, uint32_t directory, uint32_t gen, const char *text, unsigned length, bool slash)
{
    place->directory = PX_FS_NODE(directory, gen);
    place->length = (uint8_t)length;
    place->slash = slash;
    memcpy(place->name, text, length);
    place->name[length] = '\0';
    place->last = PX_LAST_NAME;
}

#endif
