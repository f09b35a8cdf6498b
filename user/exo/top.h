/* What exo top knows at a look: top.c takes and shows it, owed.c says what is owed to whom. */
#ifndef EXO_TOP_H
#define EXO_TOP_H
#include <stdbool.h>
#include <stdint.h>

#include "../../libos/posix/proto/inspect.h"
#include "exo.h"
#include "share.h"

#define MOST 512u
#define ZONES 64u

struct row {
    struct exo_process process; /* pid 0: a server */
    struct px_inspect now;
    uint64_t since, always; /* contexts that have been ready at each look since this one, and from the last row to this one */
    double cpu, due, gas, calls, faults; /* the first two in processors, the others a second */
};

struct sample {
    struct row row[MOST];
    unsigned count;
    struct exo_stats stats;
    double at_s;
};

struct zone {
    struct exo_zone_status status;
    double cpu, due, gas, wants, own; /* all but `own` with the zones below */
};

extern struct zone top_zones[ZONES];
extern unsigned top_zone_count, top_cpus;

/* The zone of this status: one that is there, or a new one. */
struct zone *top_zone_of(const struct exo_zone_status *status);
/* NULL: none that is seen. */
struct zone *top_zone_above(const struct zone *zone);
bool top_is_servers(const struct sample *sample, const struct zone *zone);
/* Fills in `due` of all rows and zones; `cpu`, `calls` and `always` of the rows are there. */
void top_find_due(struct sample *sample);

#endif
