/* Frame blocks: chosen frames, colours, large blocks that are zeroed in pieces, halves. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

static int64_t claim(uint64_t pages, uint64_t how, uint64_t value)
{
    return exo_frame_claim(ZONE, pages, how, value);
}

static struct exo_frame_info about(int64_t frame)
{
    struct exo_frame_info info = {0};

    EXPECT(exo_frame_info((uint64_t)frame, &info), 0);
    return info;
}

static void drop(int64_t frame)
{
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
}

static bool is_zero(uint64_t va, uint64_t pages)
{
    const volatile uint64_t *word = (const volatile uint64_t *)va;

    for (uint64_t i = 0; i < pages * PAGE / 8; i++)
        if (word[i])
            return false;
    return true;
}

CASE(claim_address, "frames by their address: those, or EXISTS, or RANGE")
{
    int64_t any = MUST(claim(8, EXO_FRAME_ANYWHERE, 0)), again;
    uint64_t physical = about(any).physical;

    CHECK(physical % (8 * PAGE) == 0);
    EXPECT(exo_frame_address((uint64_t)any), (int64_t)physical);
    EXPECT(claim(1, EXO_FRAME_AT, physical), -EXO_E_EXISTS);
    EXPECT(claim(4, EXO_FRAME_AT, physical + 4 * PAGE), -EXO_E_EXISTS);
    drop(any);
    again = MUST(claim(3, EXO_FRAME_AT, physical + 2 * PAGE)); /* out of the middle */
    EXPECT((int64_t)about(again).physical, (int64_t)(physical + 2 * PAGE));
    any = MUST(claim(2, EXO_FRAME_AT, physical));
    EXPECT(claim(1, EXO_FRAME_AT, physical + 4 * PAGE), -EXO_E_EXISTS);
    drop(any);
    drop(again);
    any = MUST(claim(8, EXO_FRAME_AT, physical));
    drop(any);
    EXPECT(claim(1, EXO_FRAME_AT, physical + 1), -EXO_E_ALIGN);
    EXPECT(claim(1, EXO_FRAME_AT, 0x100000), -EXO_E_RANGE);  /* the kernel */
    EXPECT(claim(1, EXO_FRAME_AT, 0xfee00000), -EXO_E_RANGE);
    EXPECT(claim(1, EXO_FRAME_AT, 0xfffffffffffff000ul), -EXO_E_RANGE);
    EXPECT(claim(4, EXO_FRAME_AT, bare_info()->frames_total * PAGE * 64), -EXO_E_RANGE);
}

CASE(claim_colour, "frames by their colour")
{
    int64_t frames[12];

    for (uint64_t i = 0; i < 12; i++) {
        frames[i] = MUST(claim(1 + i % 3, EXO_FRAME_COLOUR, (i * 5 % 16) | 16ul << 32));
        CHECK(about(frames[i]).physical / PAGE % 16 == i * 5 % 16);
    }
    for (uint64_t i = 0; i < 12; i++)
        drop(frames[i]);
    frames[0] = MUST(claim(1, EXO_FRAME_COLOUR, 5 | 7ul << 32));
    CHECK(about(frames[0]).physical / PAGE % 7 == 5);
    drop(frames[0]);
    EXPECT(claim(1, EXO_FRAME_COLOUR, 16 | 16ul << 32), -EXO_E_INVAL);
    EXPECT(claim(1, EXO_FRAME_COLOUR, 0), -EXO_E_INVAL);
    EXPECT(claim(1, EXO_FRAME_COLOUR, 1ul << 63), -EXO_E_INVAL);
}

CASE(claim_misuse, "frame_claim refuses sizes and kinds that it does not know")
{
    EXPECT(claim(0, EXO_FRAME_ANYWHERE, 0), -EXO_E_INVAL);
    EXPECT(claim(262145, EXO_FRAME_ANYWHERE, 0), -EXO_E_INVAL);
    EXPECT(claim(UINT64_MAX, EXO_FRAME_ANYWHERE, 0), -EXO_E_INVAL);
    EXPECT(claim(1, 3, 0), -EXO_E_INVAL);
    if (bare_info()->frames_total < 262144)
        EXPECT(claim(262144, EXO_FRAME_ANYWHERE, 0), -EXO_E_NOMEM);
    EXPECT(exo_frame_claim(SELF, 1, 0, 0), -EXO_E_TYPE);
    EXPECT(exo_frame_prepare(ZONE), -EXO_E_TYPE);
    EXPECT(exo_frame_info(ZONE, NULL), -EXO_E_TYPE);
    EXPECT(exo_frame_info(6, (void *)EXO_USER_TOP), -EXO_E_FAULT);
}

CASE(claim_large, "a large block is ready piece by piece; what is not ready cannot be mapped, and goes back")
{
    uint64_t before = bare_frames_free();
    int64_t zone = MUST(exo_zone_create(ZONE, 2100)), frame = MUST(exo_frame_claim((uint64_t)zone, 2000, EXO_FRAME_ANYWHERE, 0));

    EXPECT((int64_t)about(frame).ready, 1024);
    CHECK(bare_zone_used((uint64_t)zone) >= 2000);
    EXPECT(exo_mem_map(SELF, AREA(0), (uint64_t)frame, 1024, 1, RW), -EXO_E_AGAIN);
    EXPECT(exo_mem_map(SELF, AREA(0), (uint64_t)frame, 1023, 1, RW), 1);
    EXPECT(exo_frame_prepare((uint64_t)frame), 0);
    EXPECT(exo_mem_map(SELF, AREA(1), (uint64_t)frame, 1999, 1, RW), 1);
    *(volatile uint64_t *)AREA(1) = 1;
    EXPECT(exo_frame_claim((uint64_t)zone, 200, EXO_FRAME_ANYWHERE, 0), -EXO_E_NOMEM); /* quota */
    drop(frame);
    bare_settle();
    CHECK(bare_zone_used((uint64_t)zone) <= 4); /* two mapped pages, small objects */
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    EXPECT(exo_unmap_all(SELF, AREA(1), 1), 0);
    frame = MUST(exo_frame_claim((uint64_t)zone, 1500, EXO_FRAME_ANYWHERE, 0)); /* goes back with a part not ready */
    drop(frame);
    bare_settle();
    EXPECT(exo_cap_delete((uint64_t)zone), 0);
    CHECK(bare_frames_free() + 4 >= before);
}

/* In a child of another zone: leaves its mark in all pages of the block, and ends. */
static void soil(uint64_t va)
{
    for (uint64_t at = 0; at < 64 * PAGE; at += 8)
        *(volatile uint64_t *)(va + at) = 0x5ec7e75ec7e75ec7;
    child_exit(1);
}

CASE(zeroed_for_the_next, "no frame comes to another environment with what was in it, however it is taken")
{
    int64_t zone = MUST(exo_zone_create(ZONE, 1000)), frame = MUST(exo_frame_claim((uint64_t)zone, 64, EXO_FRAME_ANYWHERE, 0));
    struct child child = child_new_in((uint64_t)zone, soil, AREA(0));
    uint64_t physical = about(frame).physical;

    EXPECT(exo_map_all(child.env, AREA(0), (uint64_t)frame, 0, 64, RW), 0);
    child_start(&child);
    EXPECT((int64_t)child_result(&child), 1);
    EXPECT(exo_map_all(SELF, AREA(0), (uint64_t)frame, 0, 1, EXO_PROT_READ), 0);
    EXPECT((int64_t)*(volatile uint64_t *)AREA(0), 0x5ec7e75ec7e75ec7);
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    drop(frame);
    bare_settle();
    frame = MUST(claim(64, EXO_FRAME_AT, physical));
    EXPECT(exo_map_all(SELF, AREA(0), (uint64_t)frame, 0, 64, RW), 0);
    CHECK(is_zero(AREA(0), 64));
    EXPECT(exo_unmap_all(SELF, AREA(0), 64), 0);
    drop(frame);
    EXPECT(exo_cap_delete((uint64_t)zone), 0);
}

CASE(split_and_merge, "a block in two, and in one again; what is mapped stays")
{
    int64_t frame = MUST(claim(10, EXO_FRAME_ANYWHERE, 0)), rest, third;
    uint64_t physical = about(frame).physical;

    EXPECT(exo_map_all(SELF, AREA(0), (uint64_t)frame, 0, 10, RW), 0);
    EXPECT(exo_frame_split((uint64_t)frame, 0), -EXO_E_INVAL);
    EXPECT(exo_frame_split((uint64_t)frame, 10), -EXO_E_INVAL);
    rest = MUST(exo_frame_split((uint64_t)frame, 4));
    EXPECT((int64_t)about(frame).pages, 4);
    EXPECT((int64_t)about(rest).pages, 6);
    EXPECT((int64_t)about(rest).physical, (int64_t)(physical + 4 * PAGE));
    EXPECT(exo_mem_map(SELF, AREA(1), (uint64_t)frame, 3, 2, RW), -EXO_E_RANGE);
    third = MUST(exo_frame_split((uint64_t)rest, 2));
    EXPECT(exo_frame_merge((uint64_t)frame, (uint64_t)third), -EXO_E_INVAL); /* not adjacent */
    EXPECT(exo_frame_merge((uint64_t)rest, (uint64_t)frame), -EXO_E_INVAL);  /* in the wrong order */
    EXPECT(exo_frame_merge((uint64_t)frame, (uint64_t)frame), -EXO_E_INVAL);
    EXPECT(exo_frame_merge((uint64_t)rest, (uint64_t)third), 0);
    EXPECT(exo_frame_info((uint64_t)third, NULL), -EXO_E_STALE);
    drop(frame); /* the frames stay while they are mapped */
    *(volatile uint32_t *)AREA(0) = 7;
    EXPECT(exo_unmap_all(SELF, AREA(0), 10), 0);
    EXPECT(claim(4, EXO_FRAME_AT, physical + 4 * PAGE), -EXO_E_EXISTS);
    drop(rest);
    frame = MUST(claim(10, EXO_FRAME_AT, physical));
    drop(frame);
}

CASE(split_alone, "only a sole holder splits and merges, and only what is alike and ready")
{
    int64_t frame = MUST(claim(4, EXO_FRAME_ANYWHERE, 0)), rest, reader, large;

    reader = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ, 0));
    EXPECT(exo_frame_split((uint64_t)frame, 2), -EXO_E_BUSY);
    EXPECT(exo_frame_split((uint64_t)reader, 2), -EXO_E_BUSY);
    drop(reader);
    rest = MUST(exo_frame_split((uint64_t)frame, 2));
    reader = MUST(exo_cap_copy(SELF, 0, (uint64_t)rest, EXO_RIGHT_READ | EXO_RIGHT_COPY, 0));
    EXPECT(exo_frame_merge((uint64_t)frame, (uint64_t)rest), -EXO_E_BUSY);
    drop(rest);
    EXPECT(exo_frame_merge((uint64_t)frame, (uint64_t)reader), -EXO_E_RIGHTS); /* unequal */
    drop(reader);
    drop(frame);
    large = MUST(claim(1030, EXO_FRAME_ANYWHERE, 0));
    rest = MUST(exo_frame_split((uint64_t)large, 1000));
    EXPECT((int64_t)about(large).ready, 1000);
    EXPECT((int64_t)about(rest).ready, 24);
    EXPECT(exo_frame_merge((uint64_t)large, (uint64_t)rest), -EXO_E_AGAIN);
    EXPECT(exo_frame_prepare((uint64_t)rest), 0);
    EXPECT(exo_frame_merge((uint64_t)large, (uint64_t)rest), 0);
    drop(large);
    bare_settle();
}

CASE(split_time_and_rights, "halves have the rights and the time of the whole")
{
    int64_t frame = MUST(claim(4, EXO_FRAME_ANYWHERE, 0)), less, rest;
    uint64_t deadline_ns = bare_now() + 50000000;
    struct exo_cap_info info;

    less = MUST(exo_cap_derive(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ, 0, deadline_ns));
    drop(frame); /* it is alone now */
    rest = MUST(exo_frame_split((uint64_t)less, 1));
    EXPECT(exo_cap_info((uint64_t)rest, &info), 0);
    CHECK(info.rights == EXO_RIGHT_READ);
    EXPECT(exo_wait(NULL, 0, deadline_ns), -EXO_E_TIMEOUT);
    EXPECT(exo_frame_address((uint64_t)rest), -EXO_E_EXPIRED);
    drop(less);
    drop(rest);
}
