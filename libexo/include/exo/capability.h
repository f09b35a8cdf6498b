/* Capabilities: short forms of the kernel's calls for handing them on and taking them back. */
#ifndef EXO_CAPABILITY_H
#define EXO_CAPABILITY_H
#include <exo/abi.h>
#include <exo/calls.h>

/* exo_cap_derive for as long as the source lives: rights SLOTS on env and COPY on source. The new handle or -EXO_E_*. */
static inline int64_t exo_cap_copy(uint64_t env, uint64_t index, uint64_t source, uint64_t rights, uint64_t badge)
{
    return exo_cap_derive(env, index, source, rights, badge, EXO_DEADLINE_NEVER);
}

/* Takes back everything that was derived from the capability: exo_cap_revoke until nothing is left. 0 or -EXO_E_*. */
static inline int64_t exo_revoke_all(uint64_t handle)
{
    int64_t status;

    do
        status = exo_cap_revoke(handle);
    while (status == -EXO_E_AGAIN);
    return status;
}

#endif
