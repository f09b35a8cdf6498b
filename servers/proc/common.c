/*
 * Pages that all processes of a zone share and write: the table of advisory locks, and the board on which they say which descriptors are open. Nothing is
 * decided by them but what processes tell each other. They are the servers', so that a process without relatives finds them, too.
 */
#include <exo/calls.h>
#include <exo/loop.h>

#include "machine.h"
#include "proc.h"

static bool made[ZONES_MAX];

int64_t common_show(uint64_t env, uint32_t zone)
{
    if (!made[zone]) {
        if (exo_alloc_all(machine_gifts()->self, PX_ZONE_COMMON(zone), PX_COMMON_PAGES, EXO_PROT_READ | EXO_PROT_WRITE, NULL) < 0)
            return -EXO_E_NOMEM;
        made[zone] = true;
    }
    return exo_share_all(env, PX_SHARED, PX_ZONE_COMMON(zone), PX_COMMON_PAGES, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
}

void common_end(uint32_t zone)
{
    if (made[zone])
        (void)!exo_unmap_all(machine_gifts()->self, PX_ZONE_COMMON(zone), PX_COMMON_PAGES);
    made[zone] = false;
}
