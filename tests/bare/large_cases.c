/* Large pages: mapped where all fits, split by whatever concerns a part; marks of use; who may execute. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define LARGE 0x200000ul
#define LARGE_PAGES 512ul
#define PLACE(n) (0x140000000000ul + (uint64_t)(n) * LARGE) /* at a multiple of 1 GiB */

static volatile uint64_t *word(uint64_t va)
{
    return (volatile uint64_t *)va;
}

static uint64_t query(uint64_t va)
{
    uint64_t out = 0;

    EXPECT(exo_mem_query(SELF, va, 1, &out), 1);
    return out;
}

static bool is_large(uint64_t va)
{
    return query(va) & EXO_QUERY_LARGE;
}

/* A block of so many large pages, ready, and mapped at PLACE(0), if there is that much memory in one piece; or 0. */
static uint64_t mapped_block(uint64_t count, uint64_t prot)
{
    int64_t frame = exo_frame_claim(ZONE, count * LARGE_PAGES, EXO_FRAME_ANYWHERE, 0);

    if (frame < 0)
        return 0;
    while (exo_frame_prepare((uint64_t)frame) > 0)
        ;
    EXPECT(exo_map_all(SELF, PLACE(0), (uint64_t)frame, 0, count * LARGE_PAGES, prot | EXO_PROT_LARGE), 0);
    return (uint64_t)frame;
}

static void end(uint64_t frame, uint64_t count)
{
    EXPECT(exo_unmap_all(SELF, PLACE(0), count * LARGE_PAGES), 0);
    EXPECT(exo_cap_delete(frame), 0);
    bare_settle();
}

static uint64_t tables(void)
{
    struct exo_env_info info;

    EXPECT(exo_env_info(SELF, &info), 0);
    return info.frames - info.mapped;
}

CASE(large_pages, "mem_map uses large pages where asked, address, frames and length allow")
{
    uint64_t frame = mapped_block(2, RW), physical = query(PLACE(0)) & ~0xffful;

    CHECK(is_large(PLACE(0)) && is_large(PLACE(1) + 5 * PAGE));
    EXPECT((int64_t)(query(PLACE(1) + 5 * PAGE) & ~0xffful), (int64_t)(physical + LARGE + 5 * PAGE));
    *word(PLACE(1) + 5 * PAGE) = 11;
    EXPECT(exo_mem_map(SELF, PLACE(0), frame, 0, 512, RW | EXO_PROT_LARGE), -EXO_E_EXISTS);
    EXPECT(exo_mem_map(SELF, PLACE(1) + 5 * PAGE, frame, 0, 1, RW), -EXO_E_EXISTS);
    EXPECT(exo_mem_alloc(SELF, PLACE(1) + 6 * PAGE, 1, RW), -EXO_E_EXISTS);
    EXPECT(exo_map_all(SELF, PLACE(4) + PAGE, frame, 1, 1023, RW | EXO_PROT_LARGE), 0); /* not from its first page on */
    CHECK(!is_large(PLACE(4) + PAGE) && is_large(PLACE(5)));
    EXPECT((int64_t)*word(PLACE(5) + 5 * PAGE), 11);
    EXPECT(exo_map_all(SELF, PLACE(6) + PAGE, frame, 0, 512, RW | EXO_PROT_LARGE), 0); /* crooked */
    CHECK(!is_large(PLACE(6) + PAGE));
    EXPECT(exo_unmap_all(SELF, PLACE(4), 2048), 0);
    EXPECT(exo_map_all(SELF, PLACE(4), frame, 0, 512, RW), 0); /* not asked for */
    CHECK(!is_large(PLACE(4)));
    EXPECT(exo_unmap_all(SELF, PLACE(4), 512), 0);
    end(frame, 2);
}

CASE(large_split, "unmap and protect of a part split a large page; its other parts stay as they are")
{
    uint64_t frame = mapped_block(1, RW), before;

    for (uint64_t i = 0; i < LARGE_PAGES; i++)
        *word(PLACE(0) + i * PAGE) = i;
    before = tables();
    EXPECT(exo_mem_protect(SELF, PLACE(0), LARGE_PAGES, EXO_PROT_READ), LARGE_PAGES);
    CHECK(is_large(PLACE(0)) && tables() == before);
    EXPECT(exo_mem_protect(SELF, PLACE(0), LARGE_PAGES, RW), LARGE_PAGES);
    EXPECT(exo_mem_unmap(SELF, PLACE(0) + 3 * PAGE, 2), 2);
    CHECK(!is_large(PLACE(0)) && tables() == before + 1);
    EXPECT((int64_t)query(PLACE(0) + 4 * PAGE), 0);
    EXPECT(exo_mem_protect(SELF, PLACE(0) + 7 * PAGE, 1, EXO_PROT_READ), 1);
    CHECK(!(query(PLACE(0) + 7 * PAGE) & EXO_QUERY_WRITE) && query(PLACE(0) + 8 * PAGE) & EXO_QUERY_WRITE);
    for (uint64_t i = 5; i < LARGE_PAGES; i++)
        if (*word(PLACE(0) + i * PAGE) != i)
            CHECK(!"another frame");
    EXPECT(exo_mem_unmap(SELF, PLACE(0), LARGE_PAGES), LARGE_PAGES);
    CHECK(tables() < before); /* the directory went with the table: nothing else lies near */
    EXPECT(exo_map_all(SELF, PLACE(0), frame, 0, 512, RW | EXO_PROT_LARGE), 0);
    CHECK(is_large(PLACE(0)));
    end(frame, 1);
}

CASE(large_no_table, "a part of a large page cannot be unmapped without memory for a table; all of it can")
{
    int64_t zone = MUST(exo_zone_create(ZONE, 600)), env = MUST(exo_env_create((uint64_t)zone, 0, 0));
    int64_t frame = MUST(exo_frame_claim(ZONE, 512, EXO_FRAME_ANYWHERE, 0));
    uint64_t done;

    EXPECT(exo_map_all((uint64_t)env, PLACE(0), (uint64_t)frame, 0, 512, RW | EXO_PROT_LARGE), 0);
    EXPECT(exo_alloc_all((uint64_t)env, AREA(0), 1000, RW, &done), -EXO_E_NOMEM);
    EXPECT(exo_mem_unmap((uint64_t)env, PLACE(0) + PAGE, 1), -EXO_E_NOMEM);
    EXPECT(exo_mem_protect((uint64_t)env, PLACE(0) + PAGE, 1, EXO_PROT_READ), -EXO_E_NOMEM);
    EXPECT(exo_mem_unmap((uint64_t)env, PLACE(0), 512), 512);
    bare_destroy((uint64_t)env);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(exo_cap_delete((uint64_t)zone), 0);
}

CASE(large_shared, "mem_share of a large page in each mode")
{
    uint64_t frame = mapped_block(1, RW);
    static const uint64_t modes[6] = {EXO_SHARE_SAME, EXO_SHARE_COW, EXO_SHARE_COPY, EXO_SHARE_SOLE, EXO_SHARE_PRIVATE, EXO_SHARE_MOVE};

    for (unsigned i = 0; i < 6; i++) {
        bool same = modes[i] == EXO_SHARE_SAME || modes[i] == EXO_SHARE_SOLE;

        if (i > 0) {
            EXPECT(exo_unmap_all(SELF, PLACE(0), LARGE_PAGES), 0);
            EXPECT(exo_map_all(SELF, PLACE(0), frame, 0, LARGE_PAGES, RW | EXO_PROT_LARGE), 0);
        }
        *word(PLACE(0) + 9 * PAGE) = 1;
        EXPECT(exo_share_all(SELF, PLACE(2) + PAGE, PLACE(0) + 8 * PAGE, 4, modes[i] | RW), 0);
        EXPECT((int64_t)*word(PLACE(2) + 2 * PAGE), 1);
        *word(PLACE(2) + 2 * PAGE) = 2;
        if (modes[i] == EXO_SHARE_MOVE)
            EXPECT((int64_t)query(PLACE(0) + 9 * PAGE), 0);
        else
            EXPECT((int64_t)*word(PLACE(0) + 9 * PAGE), same ? 2 : 1);
        EXPECT(exo_unmap_all(SELF, PLACE(2), LARGE_PAGES), 0);
    }
    EXPECT(exo_unmap_all(SELF, PLACE(0), LARGE_PAGES), 0);
    EXPECT(exo_map_all(SELF, PLACE(0), frame, 0, LARGE_PAGES, RW | EXO_PROT_LARGE), 0);
    EXPECT(exo_alloc_all(SELF, AREA(0), 1, RW, NULL), 0);
    *word(AREA(0)) = 5;
    EXPECT(exo_share_all(SELF, PLACE(0) + PAGE, AREA(0), 1, EXO_SHARE_SAME | RW), 0); /* a large page is the destination */
    EXPECT((int64_t)*word(PLACE(0) + PAGE), 5);
    CHECK(*word(PLACE(0)) != 5 && !is_large(PLACE(0)));
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    end(frame, 1);
}

CASE(large_in_the_kernel, "the kernel reads and writes through large pages, and by their protection")
{
    uint64_t frame = mapped_block(1, RW);
    struct exo_env_info *info = (struct exo_env_info *)(PLACE(0) + 17 * PAGE - 8);

    EXPECT(exo_env_info(SELF, info), 0);
    CHECK(info->mapped > LARGE_PAGES);
    EXPECT(exo_mem_protect(SELF, PLACE(0), LARGE_PAGES, EXO_PROT_READ), LARGE_PAGES);
    EXPECT(exo_env_info(SELF, info), -EXO_E_FAULT);
    end(frame, 1);
}

CASE(huge_pages, "1 GiB in pages of 2 MiB, or in one where the processor has such; taken apart without memory")
{
    uint64_t frame, before, with;
    bool huge = bare_info()->features & 1u << 6;

    if (bare_info()->frames_total < 0xa0000)
        return; /* less than 2.5 GiB */
    EXPECT(exo_unmap_all(SELF, PLACE(0), 1ul << 22), 0);
    before = tables();
    frame = mapped_block(512, RW);
    CHECK(frame != 0);
    if (!frame)
        return;
    with = tables();
    CHECK(with <= before + 2); /* a directory and what leads to it */
    *word(PLACE(300) + 8) = 77;
    EXPECT((int64_t)*word(PLACE(300) + 8), 77);
    EXPECT(exo_mem_protect(SELF, PLACE(1), LARGE_PAGES, EXO_PROT_READ), LARGE_PAGES);
    EXPECT((int64_t)tables(), (int64_t)with);
    CHECK(is_large(PLACE(1)) && !(query(PLACE(1)) & EXO_QUERY_WRITE) && query(PLACE(2)) & EXO_QUERY_WRITE);
    EXPECT((int64_t)*word(PLACE(300) + 8), 77);
    CHECK(!huge || query(PLACE(7)) & EXO_QUERY_DIRTY); /* one mark for all that was one page */
    end(frame, 512);
    EXPECT((int64_t)tables(), (int64_t)before);
}

CASE(huge_ends, "an environment ends with huge pages in it")
{
    int64_t env = MUST(exo_env_create(ZONE, 0, 0)), frame;

    if (bare_info()->frames_total >= 0xa0000) {
        frame = MUST(exo_frame_claim(ZONE, 262144, EXO_FRAME_ANYWHERE, 0));
        while (exo_frame_prepare((uint64_t)frame) > 0)
            ;
        EXPECT(exo_map_all((uint64_t)env, PLACE(0), (uint64_t)frame, 0, 262144, RW | EXO_PROT_LARGE), 0);
        EXPECT(exo_cap_delete((uint64_t)frame), 0);
    }
    bare_destroy((uint64_t)env);
}

CASE(tables_return, "page tables of unmapped aligned ranges go back, those of small ranges stay")
{
    uint64_t before;

    EXPECT(exo_unmap_all(SELF, PLACE(0), 1ul << 22), 0);
    before = tables();
    EXPECT(exo_alloc_all(SELF, PLACE(0), 3 * LARGE_PAGES, RW, NULL), 0);
    CHECK(tables() >= before + 3);
    EXPECT(exo_unmap_all(SELF, PLACE(0) + PAGE, 10), 0);
    EXPECT(exo_unmap_all(SELF, PLACE(0), 3 * LARGE_PAGES), 0);
    EXPECT((int64_t)tables(), (int64_t)before);
    EXPECT(exo_alloc_all(SELF, PLACE(0), 1, RW, NULL), 0);
    EXPECT(exo_unmap_all(SELF, PLACE(0), 1), 0);
    CHECK(tables() > before);
    EXPECT(exo_unmap_all(SELF, PLACE(0), 1ul << 22), 0); /* 16 GiB of holes */
    EXPECT((int64_t)tables(), (int64_t)before);
}

CASE(marks_of_use, "accessed and dirty are told, and cleared for the next time")
{
    uint64_t out[4], used = EXO_QUERY_ACCESSED | EXO_QUERY_DIRTY;
    uint64_t frame;

    EXPECT(exo_alloc_all(SELF, AREA(0), 4, RW, NULL), 0);
    *word(AREA(0)) = 1;
    (void)*word(AREA(0) + PAGE);
    EXPECT(exo_mem_query_clear(SELF, AREA(0), 4, out), 4);
    CHECK((out[0] & used) == used && (out[1] & used) == EXO_QUERY_ACCESSED && !(out[2] & used));
    EXPECT(exo_mem_query(SELF, AREA(0), 4, out), 4);
    CHECK(!((out[0] | out[1] | out[2]) & used));
    *word(AREA(0) + PAGE) = 1;
    EXPECT(exo_zone_info(ZONE, (void *)(AREA(0) + 2 * PAGE)), 0); /* the kernel writes for us */
    EXPECT(exo_mem_query(SELF, AREA(0), 4, out), 4);
    CHECK(!(out[0] & used) && (out[1] & used) == used && (out[2] & used) == used);
    EXPECT(exo_mem_query_clear(SELF, AREA(0), 1, (void *)EXO_USER_TOP), -EXO_E_FAULT);
    EXPECT(exo_mem_query_clear(SELF, AREA(0) + 1, 1, out), -EXO_E_ALIGN);
    EXPECT(exo_unmap_all(SELF, AREA(0), 4), 0);
    frame = mapped_block(1, RW);
    *word(PLACE(0)) = 1;
    EXPECT(exo_mem_query_clear(SELF, PLACE(0), 2, out), 2);
    CHECK((out[0] & used) == used && (out[1] & used) == used);
    CHECK(!(query(PLACE(0)) & used));
    end(frame, 1);
}

/* mov $42, %eax; ret */
static const uint8_t program[] = {0xb8, 42, 0, 0, 0, 0xc3};

CASE(write_and_execute, "writable and executable is the owner's own decision, and only for itself")
{
    int64_t frame = MUST(exo_frame_claim(ZONE, 1, EXO_FRAME_ANYWHERE, 0)), reader;
    uint64_t out = 0;

    EXPECT(exo_mem_alloc(SELF, AREA(0), 1, 7), 1);
    memcpy((void *)AREA(0), program, sizeof(program));
    EXPECT(((int (*)(void))AREA(0))(), 42);
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 1, EXO_SHARE_SAME | RW), 0);
    CHECK(!(query(AREA(1)) & EXO_QUERY_EXEC));
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    EXPECT(exo_unmap_all(SELF, AREA(1), 1), 0);
    reader = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ | EXO_RIGHT_WRITE, 0));
    EXPECT(exo_mem_map(SELF, AREA(0), (uint64_t)reader, 0, 1, 7), -EXO_E_RIGHTS);
    EXPECT(exo_mem_map(SELF, AREA(0), (uint64_t)reader, 0, 1, RW), 1);
    EXPECT(exo_mem_protect(SELF, AREA(0), 1, 7), -EXO_E_RIGHTS); /* what the capability lacks does not come later */
    EXPECT(exo_share_all(SELF, AREA(1), AREA(0), 1, EXO_SHARE_PRIVATE | 7), 0);
    EXPECT(exo_mem_query(SELF, AREA(1), 1, &out), 1);
    CHECK(!(out & EXO_QUERY_EXEC));
    EXPECT(exo_mem_protect(SELF, AREA(1), 1, EXO_PROT_READ | EXO_PROT_EXEC), -EXO_E_RIGHTS);
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    EXPECT(exo_unmap_all(SELF, AREA(1), 1), 0);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(exo_cap_delete((uint64_t)reader), 0);
}
