/* Address spaces: allocation, protection, sharing in each mode, copy on write. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

static volatile uint32_t *word(uint64_t va)
{
    return (volatile uint32_t *)va;
}

static void drop(uint64_t va, uint64_t pages)
{
    EXPECT(exo_unmap_all(SELF, va, pages), 0);
}

CASE(alloc_is_zeroed, "fresh frames are zeroed, also after use")
{
    for (unsigned round = 0; round < 3; round++) {
        EXPECT(exo_alloc_all(SELF, AREA(0), 16, RW, NULL), 0);
        for (uint64_t at = 0; at < 16 * PAGE; at += 4) {
            if (*word(AREA(0) + at) != 0) {
                CHECK(!"page not zeroed");
                break;
            }
            *word(AREA(0) + at) = 0xdeadbeef;
        }
        drop(AREA(0), 16);
    }
}

CASE(alloc_misuse, "mem_alloc refuses bad ranges")
{
    EXPECT(exo_mem_alloc(SELF, AREA(0) + 1, 1, RW), -EXO_E_ALIGN);
    EXPECT(exo_mem_alloc(SELF, 0, 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_alloc(SELF, EXO_USER_TOP, 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_alloc(SELF, EXO_USER_TOP - PAGE, 2, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_alloc(SELF, 0xffff800000000000ul, 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_alloc(SELF, 0xffffff8000000000ul, 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_alloc(SELF, PAGE, UINT64_MAX, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_alloc(SELF, PAGE, UINT64_MAX / PAGE, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_alloc(SELF, AREA(0), 1, 0xff), -EXO_E_INVAL);
    EXPECT(exo_mem_alloc(SELF, AREA(0), 0, RW), 0);
    EXPECT(exo_mem_alloc(CTX, AREA(0), 1, RW), -EXO_E_TYPE);
    EXPECT(exo_mem_alloc(60000, AREA(0), 1, RW), -EXO_E_BADSLOT);
    EXPECT(exo_mem_alloc(SELF, AREA(0), 1, RW), 1);
    EXPECT(exo_mem_alloc(SELF, AREA(0), 1, RW), -EXO_E_EXISTS);
    drop(AREA(0), 1);
}

CASE(query_tells, "mem_query tells address, protection and sharing")
{
    uint64_t words[3];

    EXPECT(exo_alloc_all(SELF, AREA(0), 1, RW, NULL), 0);
    *word(AREA(0)) = 1;
    EXPECT(exo_mem_query(SELF, AREA(0), 2, words), 2);
    CHECK((words[0] & (EXO_QUERY_PRESENT | EXO_QUERY_WRITE | EXO_QUERY_EXEC | EXO_QUERY_COW | EXO_QUERY_SHARED)) ==
          (EXO_QUERY_PRESENT | EXO_QUERY_WRITE));
    CHECK(words[0] & EXO_QUERY_DIRTY);
    EXPECT((int64_t)words[1], 0);
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 1, EXO_SHARE_SAME | EXO_PROT_READ), 0);
    EXPECT(exo_mem_query(SELF, AREA(1), 1, words + 1), 1);
    CHECK((words[0] >> 12) == (words[1] >> 12) && words[1] & EXO_QUERY_SHARED && !(words[1] & EXO_QUERY_WRITE));
    EXPECT(exo_mem_query(SELF, AREA(0), 1, (void *)EXO_USER_TOP), -EXO_E_FAULT);
    drop(AREA(0), 1);
    drop(AREA(1), 1);
}

CASE(share_same, "SHARE_SAME: both see each other's writes; write authority is not regained")
{
    EXPECT(exo_alloc_all(SELF, AREA(0), 2, RW, NULL), 0);
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 1, EXO_SHARE_SAME | RW), 0);
    *word(AREA(1)) = 5;
    EXPECT(*word(AREA(0)), 5);
    EXPECT(exo_share_all(SELF, AREA(2), AREA(0), 1, EXO_SHARE_SAME | EXO_PROT_READ), 0);
    EXPECT(exo_mem_protect(SELF, AREA(2), 1, RW), -EXO_E_RIGHTS);
    EXPECT(exo_share_all(SELF, AREA(3), AREA(2), 1, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_mem_protect(SELF, AREA(3), 1, RW), -EXO_E_RIGHTS);
    EXPECT(exo_share_all(SELF, AREA(4), AREA(2), 1, EXO_SHARE_COW | RW), 0);
    EXPECT(exo_mem_protect(SELF, AREA(4), 1, RW), -EXO_E_RIGHTS);
    for (unsigned i = 0; i < 5; i++)
        drop(AREA(i), 2);
}

CASE(share_cow, "SHARE_COW: each side keeps its own after a write")
{
    EXPECT(exo_alloc_all(SELF, AREA(0), 3, RW, NULL), 0);
    for (unsigned page = 0; page < 3; page++)
        *word(AREA(0) + page * PAGE) = page + 1;
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 3, EXO_SHARE_COW | RW), 0);
    *word(AREA(0)) = 10;
    *word(AREA(1) + PAGE) = 20;
    EXPECT(*word(AREA(0)), 10);
    EXPECT(*word(AREA(1)), 1);
    EXPECT(*word(AREA(0) + PAGE), 2);
    EXPECT(*word(AREA(1) + PAGE), 20);
    EXPECT(*word(AREA(0) + 2 * PAGE), 3);
    drop(AREA(0), 3);
    *word(AREA(1) + 2 * PAGE) = 30; /* sole owner now: no copy needed */
    EXPECT(*word(AREA(1) + 2 * PAGE), 30);
    drop(AREA(1), 3);
}

CASE(share_cow_protection, "SHARE_COW then mprotect: writable again only by copying")
{
    EXPECT(exo_alloc_all(SELF, AREA(0), 1, RW, NULL), 0);
    *word(AREA(0)) = 1;
    EXPECT(exo_mem_protect(SELF, AREA(0), 1, EXO_PROT_READ), 1);
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 1, EXO_SHARE_COW | RW), 0);
    EXPECT(exo_mem_protect(SELF, AREA(0), 1, RW), 1);
    *word(AREA(0)) = 2;
    EXPECT(*word(AREA(1)), 1);
    drop(AREA(0), 1);
    drop(AREA(1), 1);
}

CASE(share_private, "SHARE_PRIVATE: the destination copies, the source is not affected")
{
    EXPECT(exo_alloc_all(SELF, AREA(0), 1, RW, NULL), 0);
    *word(AREA(0)) = 1;
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 1, EXO_SHARE_PRIVATE | RW), 0);
    *word(AREA(0)) = 2;
    EXPECT(*word(AREA(1)), 2);
    *word(AREA(1)) = 3;
    *word(AREA(0)) = 4;
    EXPECT(*word(AREA(1)), 3);
    drop(AREA(0), 1);
    drop(AREA(1), 1);
}

CASE(share_copy_move_sole, "SHARE_COPY, SHARE_MOVE and SHARE_SOLE")
{
    EXPECT(exo_alloc_all(SELF, AREA(0), 1, RW, NULL), 0);
    *word(AREA(0)) = 1;
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 1, EXO_SHARE_COPY | RW), 0);
    *word(AREA(0)) = 2;
    EXPECT(*word(AREA(1)), 1);
    EXPECT(exo_share_all(SELF, AREA(2), AREA(0), 1, EXO_SHARE_COW | RW), 0);
    EXPECT(exo_share_all(SELF, AREA(3), AREA(0), 1, EXO_SHARE_SOLE | RW), 0);
    *word(AREA(3)) = 9;
    EXPECT(*word(AREA(0)), 9);
    EXPECT(*word(AREA(2)), 2);
    EXPECT(exo_share_all(SELF, AREA(4), AREA(0), 1, EXO_SHARE_MOVE | RW), 0);
    EXPECT(*word(AREA(4)), 9);
    EXPECT(exo_mem_alloc(SELF, AREA(0), 1, RW), 1);
    for (unsigned i = 0; i < 5; i++)
        drop(AREA(i), 1);
}

CASE(fetch, "mem_fetch: another environment's pages come, as it has them; with both rights only")
{
    int64_t env = MUST(exo_env_create(ZONE, 0, 0)), half;
    uint64_t words[3];

    EXPECT(exo_alloc_all(SELF, AREA(0), 2, RW, NULL), 0);
    *word(AREA(0)) = 7;
    EXPECT(exo_share_all((uint64_t)env, 0x70000000, AREA(0), 1, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_share_all((uint64_t)env, 0x70001000, AREA(0) + PAGE, 1, EXO_SHARE_SAME | EXO_PROT_READ), 0);
    EXPECT(exo_mem_fetch((uint64_t)env, 0x70000000, AREA(1), 3, RW), 3);
    EXPECT(*word(AREA(1)), 7);
    *word(AREA(1)) = 8;
    EXPECT(*word(AREA(0)), 8);
    CHECK(exo_mem_protect(SELF, AREA(1) + PAGE, 1, RW) < 0);
    EXPECT(exo_mem_query(SELF, AREA(1), 3, words), 3);
    CHECK(words[0] & EXO_QUERY_WRITE && !(words[1] & EXO_QUERY_WRITE) && words[1] & EXO_QUERY_PRESENT && !words[2]);
    half = MUST(exo_cap_copy(SELF, 0, (uint64_t)env, EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_mem_fetch((uint64_t)half, 0x70000000, AREA(1), 1, RW), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete((uint64_t)half), 0);
    half = MUST(exo_cap_copy(SELF, 0, (uint64_t)env, EXO_RIGHT_MAP, 0));
    EXPECT(exo_mem_fetch((uint64_t)half, 0x70000000, AREA(1), 1, RW), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete((uint64_t)half), 0);
    EXPECT(exo_mem_fetch((uint64_t)env, 0x70000000, AREA(1), 1, EXO_SHARE_COW | RW), -EXO_E_INVAL);
    EXPECT(exo_mem_fetch((uint64_t)env, EXO_USER_TOP, AREA(1), 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_fetch((uint64_t)env, 0x70000000, 0xffffffff80100000ul, 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_fetch((uint64_t)env, 0x70000008, AREA(1), 1, RW), -EXO_E_ALIGN);
    EXPECT(exo_env_destroy((uint64_t)env, 0), 0);
    EXPECT(exo_cap_delete((uint64_t)env), 0);
    EXPECT(*word(AREA(1)), 8);
    drop(AREA(0), 2);
    drop(AREA(1), 3);
}

CASE(share_misuse, "mem_share refuses bad ranges and modes")
{
    EXPECT(exo_mem_share(SELF, AREA(0), AREA(1), 1, 0x600 | RW), -EXO_E_INVAL);
    EXPECT(exo_mem_share(SELF, AREA(0), AREA(1), 1, 0x1000), -EXO_E_INVAL);
    EXPECT(exo_mem_share(SELF, AREA(0), EXO_USER_TOP, 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_share(SELF, EXO_USER_TOP, AREA(0), 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_share(SELF, AREA(0), 0xffffffff80100000ul, 1, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_share(SELF, AREA(0), AREA(1) + 8, 1, RW), -EXO_E_ALIGN);
    EXPECT(exo_mem_share(SELF, AREA(0), AREA(1), 5, RW), 5); /* holes stay holes */
}

CASE(frame_blocks, "frame blocks: contiguous, mapped by right, alive while mapped")
{
    uint64_t words[4];
    int64_t frame = MUST(exo_frame_alloc(ZONE, 3)), reader;

    EXPECT(exo_map_all(SELF, AREA(0), (uint64_t)frame, 0, 3, RW), 0);
    EXPECT(exo_mem_query(SELF, AREA(0), 3, words), 3);
    CHECK((words[1] >> 12) == (words[0] >> 12) + 1 && (words[2] >> 12) == (words[0] >> 12) + 2);
    EXPECT(exo_frame_address((uint64_t)frame), (int64_t)(words[0] & ~0xffful));
    EXPECT(exo_mem_map(SELF, AREA(1), (uint64_t)frame, 2, 2, RW), -EXO_E_RANGE);
    EXPECT(exo_mem_map(SELF, AREA(1), (uint64_t)frame, UINT64_MAX, 2, RW), -EXO_E_RANGE);
    reader = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ, 0));
    EXPECT(exo_mem_map(SELF, AREA(1), (uint64_t)reader, 0, 1, RW), -EXO_E_RIGHTS);
    EXPECT(exo_mem_map(SELF, AREA(1), (uint64_t)reader, 0, 1, EXO_PROT_READ | EXO_PROT_EXEC), -EXO_E_RIGHTS);
    EXPECT(exo_mem_map(SELF, AREA(1), (uint64_t)reader, 0, 1, EXO_PROT_READ), 1);
    EXPECT(exo_mem_protect(SELF, AREA(1), 1, RW), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(exo_cap_delete((uint64_t)reader), 0);
    *word(AREA(0)) = 77;
    EXPECT(*word(AREA(1)), 77);
    EXPECT(exo_frame_alloc(ZONE, 0), -EXO_E_INVAL);
    EXPECT(exo_frame_alloc(ZONE, 1025), -EXO_E_INVAL);
    EXPECT(exo_frame_device(MACHINE, 0x100000, 1), -EXO_E_RANGE); /* RAM */
    EXPECT(exo_frame_device(MACHINE, 0xfee00001, 1), -EXO_E_ALIGN);
    drop(AREA(0), 3);
    drop(AREA(1), 1);
}

CASE(quota, "a zone's quota stops its environments, and only them")
{
    int64_t zone = MUST(exo_zone_create(ZONE, 40));
    int64_t env = MUST(exo_env_create((uint64_t)zone, 0, 0));
    uint64_t done = 0, account[2];

    EXPECT(exo_alloc_all((uint64_t)env, AREA(0), 1000, RW, &done), -EXO_E_NOMEM);
    CHECK(done > 20 && done < 40);
    EXPECT(exo_zone_info((uint64_t)zone, account), 0);
    CHECK(account[0] <= 40 && account[1] == 40);
    EXPECT(exo_alloc_all(SELF, AREA(0), 100, RW, NULL), 0);
    drop(AREA(0), 100);
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_zone_info((uint64_t)zone, account), 0);
    CHECK(account[0] <= 8);
    EXPECT(exo_cap_delete((uint64_t)env), 0);
    EXPECT(exo_cap_delete((uint64_t)zone), 0);
}

CASE(exhaustion, "all memory taken: NOMEM, and all of it comes back")
{
    uint64_t done = 0;

    EXPECT(exo_alloc_all(SELF, AREA(16), 1ul << 30, RW, &done), -EXO_E_NOMEM);
    CHECK(done > 1000);
    EXPECT(exo_env_create(ZONE, 0, 0), -EXO_E_NOMEM);
    drop(AREA(16), done);
}
