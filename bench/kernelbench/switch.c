/* A switch to another context by a turn that is given up: of the same environment, and of another one. */
#include "cases.h"

#define PARTNER_UPAGE 0x155000000000ul

static void yield_back(void)
{
    for (;;)
        (void)!exo_yield();
}

/* A switch to another context of this environment, with what ring 3 does between two: half of there and back. */
uint64_t switch_same(uint64_t count)
{
    static uint64_t stack[512];
    const struct exo_ctx_state state = {.regs = {.rip = (uint64_t)yield_back, .rsp = (uint64_t)&stack[511]}};
    uint64_t partner = (uint64_t)MUST(exo_ctx_create(SELF, PARTNER_UPAGE, &state)), ticks;

    EXPECT(exo_ctx_start(partner), 0);
    ticks = TICKS(count, (void)!exo_yield()) / 2;
    EXPECT(exo_ctx_stop(partner), 0);
    EXPECT(exo_cap_delete(partner), 0);
    EXPECT(exo_unmap_all(SELF, PARTNER_UPAGE, 1), 0);
    return ticks;
}

static void yielder(uint64_t unused)
{
    (void)unused;
    yield_back();
}

/* The same between two environments. */
uint64_t switch_other(uint64_t count)
{
    struct child child = child_new(yielder, 0);
    uint64_t ticks;

    child_start(&child);
    (void)!exo_yield(); /* its pages are there */
    (void)!exo_yield();
    ticks = TICKS(count, (void)!exo_yield()) / 2;
    (void)!exo_env_destroy(child.env, 0);
    (void)child_end(&child);
    return ticks;
}
