/* Limits live with prlimit in fd/; mm/ asks for them here. */
#include "fd/fd.h"

uint64_t px_limit(unsigned which)
{
    return which < PX_RLIMITS ? px_limits[which].soft : ~0ull;
}
