/* What proc tells of an environment when it is asked (PX_PROC_INSPECT): what the kernel tells of it, its account of gas, its zone and that one's. */
#ifndef PX_INSPECT_H
#define PX_INSPECT_H
#include <exo/abi.h>

struct px_inspect {
    struct exo_env_info env;
    struct exo_gas_info gas, zone_gas;
    struct exo_zone_status zone;
};
_Static_assert(sizeof(struct px_inspect) <= 4096, "it goes through a message page");

#endif
