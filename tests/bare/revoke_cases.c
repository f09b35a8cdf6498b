/* Revocation of memory: what was mapped through a capability that is taken back, or through what was made with it, is unmapped everywhere. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define MEMORY (EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_COPY)
#define THERE 0x40000000ul /* in other environments */

static int64_t dumb(void)
{
    return MUST(exo_env_create(ZONE, 0, 0));
}

static struct exo_env_info about(int64_t env)
{
    struct exo_env_info info = {0};

    EXPECT(exo_env_info((uint64_t)env, &info), 0);
    return info;
}

static int64_t mapped(int64_t env)
{
    return (int64_t)about(env).mapped;
}

static uint64_t takings(int64_t env)
{
    struct exo_reclaim status = {0};

    EXPECT(exo_reclaim_status((uint64_t)env, &status), 0);
    return status.takings;
}

static void map_there(int64_t env, int64_t frame, uint64_t pages)
{
    EXPECT(exo_map_all((uint64_t)env, THERE, (uint64_t)frame, 0, pages, RW), 0);
}

static void drop(int64_t handle)
{
    EXPECT(exo_cap_delete((uint64_t)handle), 0);
}

static bool maps(uint64_t va)
{
    uint64_t word = 0;

    EXPECT(exo_mem_query(SELF, va, 1, &word), 1);
    return word & EXO_QUERY_PRESENT;
}

CASE(revoke_unmaps, "what was mapped through a capability goes with it, is recorded, and holders of others keep theirs")
{
    int64_t frame = MUST(exo_frame_alloc(ZONE, 4)), given, other, loser = dumb(), holder = dumb(), outsider = dumb();

    given = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, MEMORY, 0));
    other = MUST(exo_cap_copy((uint64_t)holder, 0, (uint64_t)frame, MEMORY, 0));
    (void)other;
    map_there(SELF, frame, 4);
    map_there(loser, given, 3);
    map_there(holder, frame, 4);
    EXPECT(exo_share_all((uint64_t)outsider, THERE, THERE, 2, EXO_SHARE_SAME | RW), 0); /* passed on without any capability */
    EXPECT(exo_share_all((uint64_t)outsider, THERE + 2 * PAGE, THERE + 2 * PAGE, 2, EXO_SHARE_PRIVATE | RW), 0);
    (void)MUST(exo_cap_copy((uint64_t)loser, 0, (uint64_t)given, MEMORY, 0));
    EXPECT(exo_revoke_all((uint64_t)given), 0);
    EXPECT(mapped(loser), 0);
    EXPECT(mapped(outsider), 0);
    EXPECT(mapped(holder), 4);
    CHECK(maps(THERE) && maps(THERE + 3 * PAGE));
    EXPECT((int64_t)takings(loser), 4); /* the capability and three pages */
    EXPECT((int64_t)takings(outsider), 4);
    EXPECT((int64_t)takings(holder), 0);
    EXPECT(exo_unmap_all(SELF, THERE, 4), 0);
    EXPECT(exo_revoke_all((uint64_t)frame), 0);
    EXPECT(mapped(holder), 0);
    bare_destroy((uint64_t)loser);
    bare_destroy((uint64_t)holder);
    bare_destroy((uint64_t)outsider);
    drop(frame);
}

CASE(revoke_polite, "where all was given back in time nothing is taken, and pages of others' blocks are left alone")
{
    int64_t frame = MUST(exo_frame_alloc(ZONE, 4)), mine = MUST(exo_frame_alloc(ZONE, 4)), env = dumb();

    (void)MUST(exo_cap_copy((uint64_t)env, 0, (uint64_t)frame, MEMORY, 0));
    map_there(env, mine, 4);
    EXPECT(exo_map_all((uint64_t)env, THERE + 4 * PAGE, (uint64_t)frame, 0, 4, RW), 0);
    EXPECT(exo_unmap_all((uint64_t)env, THERE + 4 * PAGE, 4), 0);
    EXPECT(exo_cap_revoke((uint64_t)frame), 0);
    EXPECT((int64_t)takings(env), 1);
    EXPECT(mapped(env), 4); /* though it has no capability to those */
    EXPECT(exo_map_all((uint64_t)env, THERE + 4 * PAGE, (uint64_t)frame, 0, 4, RW), 0);
    EXPECT(exo_revoke_all((uint64_t)frame), 0);
    EXPECT(mapped(env), 4); /* those were only mapped for it: it has no capability */
    EXPECT((int64_t)takings(env), 5);
    bare_destroy((uint64_t)env);
    drop(frame);
    drop(mine);
}

CASE(revoke_above, "what was made by virtue of a capability is taken back with it: blocks, device windows, environments, contexts, endpoints, zones")
{
    struct exo_ctx_state state = {.regs = {.rip = 0x1000}};
    int64_t zone = MUST(exo_cap_copy(SELF, 0, ZONE, EXO_RIGHTS_ALL, 0)), machine = MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHTS_ALL, 0));
    int64_t env = MUST(exo_env_create((uint64_t)zone, 0, 0)), context = MUST(exo_ctx_create((uint64_t)env, CHILD_UPAGE, &state));
    int64_t frame = MUST(exo_frame_alloc((uint64_t)zone, 2)), claim = MUST(exo_frame_claim((uint64_t)zone, 2, EXO_FRAME_ANYWHERE, 0));
    int64_t endpoint = MUST(exo_ep_create_in((uint64_t)zone)), below = MUST(exo_zone_create((uint64_t)zone, 10));
    int64_t window = MUST(exo_frame_device((uint64_t)machine, 0xfeb00000, 2)), own = MUST(exo_cap_copy(SELF, 0, (uint64_t)env, EXO_RIGHTS_ALL, 0));
    int64_t half = MUST(exo_frame_split((uint64_t)claim, 1));

    EXPECT(exo_revoke_all((uint64_t)env), 0); /* its contexts were made by virtue of it */
    EXPECT(exo_ctx_stop((uint64_t)context), -EXO_E_STALE);
    EXPECT(exo_env_destroy((uint64_t)own, 0), -EXO_E_STALE);
    map_there(SELF, frame, 2);
    EXPECT(exo_map_all(SELF, THERE + 2 * PAGE, (uint64_t)window, 0, 2, RW), 0);
    EXPECT(exo_map_all(SELF, THERE + 4 * PAGE, (uint64_t)half, 0, 1, RW), 0);
    EXPECT(exo_revoke_all((uint64_t)machine), 0);
    CHECK(!maps(THERE + 2 * PAGE) && !maps(THERE + 3 * PAGE) && maps(THERE) && maps(THERE + PAGE));
    EXPECT(exo_frame_address((uint64_t)window), -EXO_E_STALE);
    (void)!exo_env_destroy((uint64_t)env, 0);
    EXPECT(exo_revoke_all((uint64_t)zone), 0);
    for (uint64_t page = 0; page < 5; page++)
        CHECK(!maps(THERE + page * PAGE));
    EXPECT(exo_frame_address((uint64_t)frame), -EXO_E_STALE);
    EXPECT(exo_frame_address((uint64_t)claim), -EXO_E_STALE);
    EXPECT(exo_frame_address((uint64_t)half), -EXO_E_STALE);
    EXPECT(exo_ep_notify((uint64_t)endpoint, 1), -EXO_E_STALE);
    EXPECT(exo_zone_create((uint64_t)below, 1), -EXO_E_STALE);
    drop(zone);
    drop(machine);
}

#define CROWD 24u
#define OTHER_PAGES 600ul /* that have nothing to do with it, and that the pass must look at */
#define LEFT_OVER 7000u

static int64_t crowd[CROWD];

/* Gives a page, which it has no right to any more, to everybody, again and again, while it revokes its own zone's capability in pieces. */
static void passes_on(uint64_t cpus)
{
    int64_t zone = exo_cap_copy(SELF, 0, ZONE, EXO_RIGHTS_ALL, 0), frame = exo_frame_alloc((uint64_t)zone, 2), status;
    unsigned waited = 0, pieces = 0;

    if (frame < 0 || exo_map_all(SELF, THERE, (uint64_t)frame, 0, 2, RW) < 0)
        child_exit(1);
    for (unsigned i = 0; i < CROWD; i += 3)
        if (exo_share_all((uint64_t)crowd[i], THERE, THERE, 2, EXO_SHARE_SAME | RW) < 0)
            child_exit(2);
    while ((status = exo_cap_revoke((uint64_t)zone)) == -EXO_E_AGAIN) {
        for (unsigned i = 0; i < CROWD; i++) {
            static const uint64_t modes[] = {EXO_SHARE_SAME, EXO_SHARE_COW, EXO_SHARE_PRIVATE, EXO_SHARE_SOLE};

            status = exo_mem_share((uint64_t)crowd[i], THERE + (pieces % 4 + 1) * 16 * PAGE, THERE, 1, modes[pieces % 4] | RW);
            waited += status == -EXO_E_AGAIN;
            if (status < 0 && status != -EXO_E_AGAIN)
                child_exit(3);
        }
        (void)!exo_mem_share(SELF, THERE - 16 * PAGE, THERE + PAGE, 1, EXO_SHARE_MOVE | RW); /* behind where the pass may be */
        pieces++;
    }
    if (status != 0 || pieces == 0)
        child_exit(4);
    for (unsigned i = 0; i < CROWD; i++)
        if (about(crowd[i]).mapped != OTHER_PAGES)
            child_exit(LEFT_OVER + i);
    if (maps(THERE) || maps(THERE + PAGE) || maps(THERE - 16 * PAGE))
        child_exit(5);
    child_exit(waited > 0 || cpus > 1 ? 42 : 6); /* with several it may all be over between two looks */
}

CASE(share_meets_pass, "a page that is being taken back does not slip past, by whatever sharing between the pieces")
{
    struct child child;

    EXPECT(exo_alloc_all(SELF, AREA(0), 1, RW, NULL), 0);
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i] = dumb();
        for (uint64_t page = 0; page < OTHER_PAGES; page++)
            EXPECT(exo_mem_share((uint64_t)crowd[i], 0x80000000 + page * PAGE, AREA(0), 1, EXO_SHARE_SAME | RW), 1);
    }
    child = child_new(passes_on, bare_info()->cpus); /* whose page it has not */
    EXPECT(exo_env_clone_slots(child.env, ZONE, 500) > 0, true);
    child_start(&child);
    EXPECT((int64_t)child_result(&child), 42);
    for (unsigned i = 0; i < CROWD; i++)
        bare_destroy((uint64_t)crowd[i]);
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
}

CASE(revoke_large, "large pages of a block that is taken back go as a whole, and in part where another block has the other part")
{
    int64_t frame = MUST(exo_frame_claim(ZONE, 512, EXO_FRAME_ANYWHERE, 0)), env = dumb(), half;
    uint64_t word = 1;

    while (MUST(exo_frame_prepare((uint64_t)frame)) > 0)
        ;
    EXPECT(exo_map_all((uint64_t)env, THERE, (uint64_t)frame, 0, 512, RW | EXO_PROT_LARGE), 0);
    EXPECT(exo_revoke_all((uint64_t)frame), 0);
    EXPECT(mapped(env), 0);
    EXPECT(exo_mem_query((uint64_t)env, THERE, 1, &word), 1);
    EXPECT((int64_t)word, 0); /* and no table stands there that is none */
    EXPECT(exo_map_all((uint64_t)env, THERE, (uint64_t)frame, 0, 512, RW | EXO_PROT_LARGE), 0);
    half = MUST(exo_frame_split((uint64_t)frame, 200));
    EXPECT(exo_revoke_all((uint64_t)half), 0);
    EXPECT(mapped(env), 200);
    EXPECT(exo_revoke_all((uint64_t)frame), 0);
    EXPECT(mapped(env), 0);
    bare_destroy((uint64_t)env);
    drop(half);
    drop(frame);
}

CASE(revoke_many_blocks, "more blocks than one pass takes, each mapped by somebody who was only given the pages")
{
    int64_t zone = MUST(exo_cap_copy(SELF, 0, ZONE, EXO_RIGHTS_ALL, 0)), env = dumb();

    for (uint64_t i = 0; i < 700; i++) {
        int64_t frame = MUST(exo_frame_alloc((uint64_t)zone, 1));

        EXPECT(exo_map_all((uint64_t)env, THERE + i * PAGE, (uint64_t)frame, 0, 1, RW), 0);
    }
    EXPECT(exo_cap_revoke((uint64_t)zone), -EXO_E_AGAIN);
    EXPECT(exo_revoke_all((uint64_t)zone), 0);
    EXPECT(mapped(env), 0);
    EXPECT((int64_t)takings(env), 700);
    bare_destroy((uint64_t)env);
    drop(zone);
}
