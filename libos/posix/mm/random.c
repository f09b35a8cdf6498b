/*
 * Random bytes for the whole libOS (AT_RANDOM, getrandom, /dev/urandom): ChaCha20 (RFC 8439) with fast key
 * erasure: the first half of each block is the next key, so what was given out cannot be computed from the
 * state later. A forked child has its parent's key: it mixes in its own identity and new entropy before it
 * gives anything out.
 */
#include "mm.h"

_Static_assert(PX_ENTROPY_WORDS * 8 == 32, "as much as the key");
#define WORDS 16u
#define KEY_BYTES 32u

static uint32_t key[KEY_BYTES / 4];
static int32_t seeded_pid; /* 0: never seeded */

static inline uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void quarter(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 7);
}

/* RFC 8439, 2.3: one block. */
void px_chacha_block(const uint32_t block_key[8], const uint32_t counter_nonce[4], uint32_t out[WORDS])
{
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t start[WORDS], s[WORDS];

    memcpy(start, constants, 16);
    memcpy(start + 4, block_key, 32);
    memcpy(start + 12, counter_nonce, 16);
    memcpy(s, start, sizeof(s));
    for (unsigned round = 0; round < 10; round++) {
        quarter(s, 0, 4, 8, 12);
        quarter(s, 1, 5, 9, 13);
        quarter(s, 2, 6, 10, 14);
        quarter(s, 3, 7, 11, 15);
        quarter(s, 0, 5, 10, 15);
        quarter(s, 1, 6, 11, 12);
        quarter(s, 2, 7, 8, 13);
        quarter(s, 3, 4, 9, 14);
    }
    for (unsigned at = 0; at < WORDS; at++)
        out[at] = s[at] + start[at];
}

/* New entropy and the process's own names go into the key; the next block spreads them over all of it. */
static void seed(int32_t pid)
{
    uint64_t words[PX_ENTROPY_WORDS];

    px_arch_entropy(words);
    words[0] ^= (uint32_t)pid | (uint64_t)(uint32_t)px_ppage()->index << 32;
    words[1] ^= px_info()->wall_offset_ns;
    words[2] ^= px_info()->context_switches << 32 ^ px_info()->idle_ns;
    for (unsigned at = 0; at < PX_ENTROPY_WORDS; at++) {
        key[2 * at] ^= (uint32_t)words[at];
        key[2 * at + 1] ^= (uint32_t)(words[at] >> 32);
    }
    seeded_pid = pid;
}

void px_random_bytes(void *to, size_t bytes)
{
    static const uint32_t first[4] = {0, 0, 0, 0};
    uint32_t block[WORDS], stream[8], counter[4] = {0, 0, 0, 0};
    unsigned char *at = to;
    int32_t pid = px_self()->pid;

    if (pid != seeded_pid || pid == 0)
        seed(pid);
    px_chacha_block(key, first, block);
    memcpy(key, block, KEY_BYTES);
    memcpy(stream, block + 8, KEY_BYTES);
    if (bytes <= KEY_BYTES) {
        memcpy(to, stream, bytes);
        bytes = 0;
    }
    while (bytes > 0) { /* more than that: the second half is the key of this request */
        size_t part = bytes < sizeof(block) ? bytes : sizeof(block);

        px_chacha_block(stream, counter, block);
        if (++counter[0] == 0)
            counter[1]++;
        memcpy(at, block, part);
        at += part;
        bytes -= part;
    }
    memset(block, 0, sizeof(block));
    memset(stream, 0, sizeof(stream));
}
