/*
 * The private heap and the range allocators: random use against what was written into each block, exhaustion,
 * failing memory.
 */
#include "fake.h"

#include "libos/posix/mm/heap.c"
#include "libos/posix/mm/range.c"

struct px_mm px_mm;
bool px_memory_fault(uint64_t address, bool write, bool exec)
{
    (void)address, (void)write, (void)exec;
    return false;
}

#define BLOCKS 600u
static struct {
    unsigned char *at;
    size_t bytes;
    unsigned char tag;
} block[BLOCKS];

static void check_block(unsigned at)
{
    for (size_t byte = 0; byte < block[at].bytes; byte++)
        CHECK(block[at].at[byte] == block[at].tag);
}

static size_t random_size(void)
{
    switch (fake_random(8)) {
    case 0: return fake_random(100000);
    case 1: return fake_random(20000);
    case 2: return 0;
    default: return fake_random(700);
    }
}

static void random_use(unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        unsigned at = (unsigned)fake_random(BLOCKS);

        if (block[at].at) {
            check_block(at);
            px_free(block[at].at);
            block[at].at = NULL;
            continue;
        }
        block[at].bytes = random_size();
        block[at].at = px_alloc(block[at].bytes);
        if (!block[at].at)
            continue;
        CHECK((uint64_t)block[at].at % 16 == 0);
        block[at].tag = (unsigned char)fake_random(256);
        memset(block[at].at, block[at].tag, block[at].bytes);
        for (size_t page_ = 0; page_ < block[at].bytes; page_ += 4096)
            CHECK(entry_of(PX_SLOT_SELF, (uint64_t)block[at].at + page_)); /* usable without a fault */
    }
}

static void free_all(void)
{
    for (unsigned at = 0; at < BLOCKS; at++) {
        if (block[at].at)
            check_block(at);
        px_free(block[at].at);
        block[at].at = NULL;
    }
    for (unsigned at = 0; at < PAGES; at++)
        CHECK(descriptor[at].kind == PAGE_FREE);
    CHECK(px_big_range.count == 1 && px_big_range.piece[0].pages == BIG_BYTES / 4096);
}

static void test_heap(void)
{
    random_use(20000);
    free_all();
    for (unsigned n = 0; n < 200; n++) { /* the nth page is refused */
        fail_after = n;
        random_use(60);
        fail_after = 1u << 30;
        random_use(60);
    }
    free_all();
    CHECK(px_alloc(BIG_BYTES) == NULL && px_alloc(SIZE_MAX) == NULL && px_alloc(SIZE_MAX - 4096) == NULL);
    px_free(NULL);
    px_free(&block); /* not ours: nothing happens */
    for (unsigned count = 0;; count++) { /* all of it, in small blocks */
        void *made = px_alloc(2000);

        if (!made) {
            CHECK(count > 112 * 2 - 2);
            break;
        }
    }
}

#define RANGE_PAGES 300u
static bool taken[RANGE_PAGES];

static void test_used(struct px_range *range)
{
    uint64_t lo, hi, at = px_range_take(range, RANGE_PAGES);
    struct px_range never = {0};

    CHECK(at == 0x10000 && px_range_used(range, 0, &lo, &hi) && lo == at && hi == at + RANGE_PAGES * 4096);
    CHECK(px_range_used(range, at + 8192, &lo, &hi) && lo == at + 8192 && !px_range_used(range, hi, &lo, &hi));
    px_range_give(range, at, 2);
    px_range_give(range, at + 5 * 4096, 3);
    CHECK(px_range_used(range, 0, &lo, &hi) && lo == at + 2 * 4096 && hi == at + 5 * 4096);
    CHECK(px_range_used(range, hi, &lo, &hi) && lo == at + 8 * 4096 && hi == at + RANGE_PAGES * 4096);
    px_range_give(range, at + 2 * 4096, 3);
    px_range_give(range, at + 8 * 4096, RANGE_PAGES - 8);
    CHECK(!px_range_used(range, 0, &lo, &hi) && !px_range_used(&never, 0, &lo, &hi));
}

static void test_range(void)
{
    static struct px_piece first[4];
    struct px_range range = {0};
    struct {
        uint64_t va, pages;
    } held[64] = {{0}};

    for (unsigned at = 0; at < PAGES; at++) /* a heap to grow in */
        descriptor[at].kind = PAGE_FREE;
    memset(partial, 0, sizeof(partial));
    px_range_start(&range, first, 4, 0x10000, 0x10000 + RANGE_PAGES * 4096);
    for (unsigned round = 0; round < 50000; round++) {
        unsigned at = (unsigned)fake_random(64);
        bool give = held[at].va;

        if (!give) {
            held[at].pages = fake_random(12);
            held[at].va = px_range_take(&range, held[at].pages);
            CHECK(held[at].pages || !held[at].va);
        }
        for (uint64_t index = 0; held[at].va && index < held[at].pages; index++) {
            bool *mark = &taken[(held[at].va - 0x10000) / 4096 + index];

            CHECK(*mark == give);
            *mark = !give;
        }
        if (give) {
            px_range_give(&range, held[at].va, held[at].pages);
            if (fake_random(20) == 0)
                px_range_give(&range, held[at].va, held[at].pages); /* twice: no harm */
            held[at].va = 0;
        }
    }
    for (unsigned at = 0; at < 64; at++)
        if (held[at].va)
            px_range_give(&range, held[at].va, held[at].pages);
    CHECK(range.count == 1 && range.piece[0].pages == RANGE_PAGES);
    CHECK(px_range_take(&range, RANGE_PAGES + 1) == 0 && px_range_take(&range, UINT64_MAX) == 0);
    test_used(&range);
    CHECK(px_window_reserve(1) == PX_WINDOW_LO && px_shared_reserve(17) == PX_SHARED + PX_COMMON_PAGES * PX_PAGE);
    CHECK(px_window_reserve(1ul << 18) == PX_WINDOW_LO + 4096);
}

int main(void)
{
    fake_start();
    test_heap();
    test_range();
    return 0;
}
