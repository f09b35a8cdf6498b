/* Windows of frames for devices: while one lives its frames are nobody else's, whatever becomes of the block's holders and of the driver. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define PAGES 4u
#define LARGEST 1024u
#define BLOCKS_MOST 8192u

enum { CHILD_MACHINE = 20, CHILD_FRAME = 21, CHILD_ENDPOINT = 22 };

static void drop(int64_t handle)
{
    EXPECT(exo_cap_delete((uint64_t)handle), 0);
}

static uint64_t place_of(int64_t frame)
{
    return (uint64_t)MUST(exo_frame_address((uint64_t)frame));
}

/* Takes the very frames, or is told that somebody has them. */
static void expect_taken(uint64_t physical, bool taken)
{
    bare_settle();
    for (uint64_t page = 0; page < PAGES; page++) {
        int64_t frame = exo_frame_claim(ZONE, 1, EXO_FRAME_AT, physical + page * PAGE);

        CHECK(taken ? frame == -EXO_E_EXISTS : frame > 0);
        if (frame > 0)
            drop(frame);
    }
}

static bool is_small_machine(void)
{
    return bare_info()->frames_total < 1ul << 17; /* else to zero all its memory takes too long */
}

/* Takes all memory there is: how many of the frames were among it. */
static unsigned found_in_all(uint64_t physical)
{
    static int64_t blocks[BLOCKS_MOST];
    unsigned count = 0, found = 0;

    for (uint64_t pages = LARGEST; pages > 0; pages /= 2) {
        int64_t block;

        while (count < BLOCKS_MOST && (block = exo_frame_alloc(ZONE, pages)) > 0) {
            uint64_t first = place_of(block);

            for (uint64_t page = physical; page < physical + PAGES * PAGE; page += PAGE)
                found += page >= first && page - first < pages * PAGE;
            blocks[count++] = block;
        }
    }
    CHECK(count < BLOCKS_MOST && bare_frames_free() < 8);
    while (count > 0)
        drop(blocks[--count]);
    return found;
}

CASE(dma_keeps, "a window's frames are given to nobody, though nobody has the block any more; afterwards they are")
{
    int64_t frame = MUST(exo_frame_alloc(ZONE, PAGES)), dma = MUST(exo_dma_bind(MACHINE, (uint64_t)frame)), other;
    uint64_t physical = place_of(frame);
    struct exo_dma_info info = {0};

    EXPECT(exo_dma_info((uint64_t)dma, &info), 0);
    CHECK(info.physical == physical && info.pages == PAGES);
    other = MUST(exo_dma_bind(MACHINE, (uint64_t)frame)); /* several may be open */
    drop(frame);
    expect_taken(physical, true);
    if (is_small_machine())
        EXPECT(found_in_all(physical), 0);
    drop(dma);
    expect_taken(physical, true);
    drop(other);
    expect_taken(physical, false);
    if (is_small_machine())
        EXPECT(found_in_all(physical), PAGES);
}

/* Opens a window and gives it to its server, if it is to. Then it ends, with all that it has. */
static void driver(uint64_t gives)
{
    struct exo_message message = {.word = {1}};
    int64_t dma = exo_dma_bind(CHILD_MACHINE, CHILD_FRAME);

    if (dma < 0 || exo_cap_delete(CHILD_FRAME) < 0)
        child_exit(1);
    message.word[4] = (uint64_t)dma;
    child_exit((gives ? exo_ep_call_cap(CHILD_ENDPOINT, &message) : exo_ep_call(CHILD_ENDPOINT, &message)) == 0 ? 42 : 2);
}

/* A driver that has opened its window and ended. The server's copy; `machine` is what it opened it with. */
static int64_t dead_driver(bool gives, int64_t machine, uint64_t *physical)
{
    int64_t frame = MUST(exo_frame_alloc(ZONE, PAGES)), endpoint = MUST(exo_ep_create());
    struct child child = child_new(driver, gives);
    struct exo_message message = {0};

    *physical = place_of(frame);
    EXPECT(exo_cap_copy(child.env, CHILD_MACHINE, (uint64_t)machine, EXO_RIGHT_DEVICE, 0), CHILD_MACHINE);
    EXPECT(exo_cap_copy(child.env, CHILD_FRAME, (uint64_t)frame, EXO_RIGHT_READ | EXO_RIGHT_WRITE, 0), CHILD_FRAME);
    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, (uint64_t)endpoint, EXO_RIGHT_CALL, 0), CHILD_ENDPOINT);
    child_start(&child);
    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, bare_now() + 10000000000ul), 0);
    drop(frame);
    expect_taken(*physical, true);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), 0);
    EXPECT((int64_t)child_result(&child), 42);
    drop(endpoint);
    CHECK(gives == (message.capability > 0));
    return (int64_t)message.capability;
}

CASE(dma_driver_dies, "a driver dies: its server's copy keeps the frames until the server lets go")
{
    int64_t machine = MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHTS_ALL, 0)), dma;
    struct exo_dma_info info = {0};
    uint64_t physical;

    dma = dead_driver(true, machine, &physical);
    expect_taken(physical, true);
    EXPECT(exo_dma_info((uint64_t)dma, &info), 0); /* what the device is to be reset from */
    CHECK(info.physical == physical && info.pages == PAGES);
    drop(dma);
    expect_taken(physical, false);
    (void)dead_driver(false, machine, &physical); /* nobody has it */
    expect_taken(physical, false);
    drop(machine);
}

CASE(dma_revoked, "windows end with the machine's capability that they were opened with, and not with the block's")
{
    int64_t frame = MUST(exo_frame_alloc(ZONE, PAGES)), machine = MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHTS_ALL, 0)), given, dma, copy;
    uint64_t physical = place_of(frame);
    struct exo_dma_info info;
    struct child child = child_new(driver, 0);

    given = MUST(exo_cap_copy(child.env, CHILD_FRAME, (uint64_t)frame, EXO_RIGHT_READ | EXO_RIGHT_WRITE, 0));
    EXPECT(given, CHILD_FRAME);
    dma = MUST(exo_dma_bind((uint64_t)machine, (uint64_t)frame));
    copy = MUST(exo_cap_copy(SELF, 0, (uint64_t)dma, EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_map_all(child.env, AREA(0), (uint64_t)frame, 0, PAGES, RW), 0);
    EXPECT(exo_revoke_all((uint64_t)frame), 0);
    EXPECT(exo_dma_info((uint64_t)dma, &info), 0);
    drop(frame);
    expect_taken(physical, true);
    EXPECT(exo_revoke_all((uint64_t)dma), 0);
    EXPECT(exo_dma_info((uint64_t)copy, &info), -EXO_E_STALE);
    EXPECT(exo_dma_info((uint64_t)dma, &info), 0);
    EXPECT(exo_revoke_all((uint64_t)machine), 0);
    EXPECT(exo_dma_info((uint64_t)dma, &info), -EXO_E_STALE);
    expect_taken(physical, false);
    child_start(&child); /* it has no machine: it ends at once */
    EXPECT((int64_t)child_result(&child), 1);
    drop(machine);
}

/* What the wrong capabilities answer. */
static void refuse_capabilities(int64_t frame)
{
    int64_t weak = MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHTS_ALL & ~EXO_RIGHT_DEVICE, 0)), brief, closed;
    int64_t reader = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ, 0)), writer = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_WRITE, 0));
    struct exo_dma_info info;

    EXPECT(exo_dma_bind((uint64_t)weak, (uint64_t)frame), -EXO_E_RIGHTS);
    EXPECT(exo_dma_bind(MACHINE, (uint64_t)reader), -EXO_E_RIGHTS);
    EXPECT(exo_dma_bind(MACHINE, (uint64_t)writer), -EXO_E_RIGHTS);
    EXPECT(exo_dma_bind(ZONE, (uint64_t)frame), -EXO_E_TYPE);
    EXPECT(exo_dma_bind(MACHINE, ZONE), -EXO_E_TYPE);
    EXPECT(exo_dma_bind(MACHINE, 60000), -EXO_E_BADSLOT);
    brief = MUST(exo_cap_derive(SELF, 0, MACHINE, EXO_RIGHTS_ALL, 0, bare_now()));
    EXPECT(exo_dma_bind((uint64_t)brief, (uint64_t)frame), -EXO_E_EXPIRED);
    EXPECT(exo_dma_info((uint64_t)frame, &info), -EXO_E_TYPE);
    EXPECT(exo_dma_info(60000, &info), -EXO_E_BADSLOT);
    drop(brief);
    brief = MUST(exo_dma_bind(MACHINE, (uint64_t)frame));
    closed = MUST(exo_cap_copy(SELF, 0, (uint64_t)brief, EXO_RIGHT_COPY, 0));
    EXPECT(exo_dma_info((uint64_t)closed, &info), -EXO_E_RIGHTS);
    EXPECT(exo_dma_info((uint64_t)brief, (void *)EXO_USER_TOP), -EXO_E_FAULT);
    EXPECT(exo_mem_map(SELF, AREA(0), (uint64_t)brief, 0, 1, RW), -EXO_E_TYPE); /* a window is the device's, no right to the memory */
    drop(brief);
    drop(closed);
    drop(weak);
    drop(reader);
    drop(writer);
}

CASE(dma_misuse, "no window of a device's memory, of what is not ready, or by the wrong capabilities; no halves while there is one")
{
    int64_t frame = MUST(exo_frame_claim(ZONE, LARGEST + 1, EXO_FRAME_ANYWHERE, 0)), device = MUST(exo_frame_device(MACHINE, 0xfeb00000, 1)), half, dma;

    EXPECT(exo_dma_bind(MACHINE, (uint64_t)frame), -EXO_E_AGAIN);
    EXPECT(exo_frame_prepare((uint64_t)frame), 0);
    EXPECT(exo_dma_bind(MACHINE, (uint64_t)device), -EXO_E_INVAL);
    refuse_capabilities(frame);
    half = MUST(exo_frame_split((uint64_t)frame, 1));
    dma = MUST(exo_dma_bind(MACHINE, (uint64_t)half));
    EXPECT(exo_frame_split((uint64_t)half, 1), -EXO_E_BUSY);
    EXPECT(exo_frame_merge((uint64_t)frame, (uint64_t)half), -EXO_E_BUSY);
    drop(dma);
    EXPECT(exo_frame_merge((uint64_t)frame, (uint64_t)half), 0);
    drop(frame);
    drop(device);
}
