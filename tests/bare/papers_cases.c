/* The papers' names do what their calls do. */
#include <exo/papers.h>

#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

CASE(papers, "the papers' names: memory, sharing, batches, devices, types")
{
    struct exo_batch_op op __attribute__((aligned(64))) = {.call = 0, .result = 1};
    struct exo_cap_info info;
    int64_t page = MUST(exo_alloc_page(ZONE)), env = MUST(exo_env_create(ZONE, 0, 0));

    EXPECT(exo_cap_info((uint64_t)page, &info), 0);
    CHECK(info.type == CAP_TYPE_MEMORY && exo_frame_address((uint64_t)page) > 0);
    EXPECT(zone_map(SELF, AREA(0), (uint64_t)page, 0, 1, RW), 0);
    *(volatile int *)AREA(0) = 6;
    EXPECT(exo_share_pages((uint64_t)env, AREA(0), AREA(0), 1, EXO_PROT_READ), 0);
    EXPECT(exo_share_pages(CTX, AREA(0), AREA(0), 1, EXO_PROT_READ), -EXO_E_TYPE);
    EXPECT(exo_batch_syscall(&op, 1), 1);
    EXPECT(op.result, 0);
    EXPECT(exo_direct_io(MACHINE, SELF, AREA(1), 0xfeb00000, 1), 0);
    (void)*(volatile uint32_t *)AREA(1);
    EXPECT(exo_direct_io(ZONE, SELF, AREA(1), 0xfeb00000, 1), -EXO_E_TYPE);
    EXPECT(zone_transition(ZONE, (uint64_t)env), 0);
    EXPECT(zone_transition((uint64_t)env, (uint64_t)env), -EXO_E_TYPE);
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    EXPECT(exo_unmap_all(SELF, AREA(1), 1), 0);
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_cap_delete((uint64_t)env), 0);
    EXPECT(exo_cap_delete((uint64_t)page), 0);
}
