/*
 * Which of the bindings (meet.c) is meant. Several may have one address of the internet: those that say so by SO_REUSEPORT, of one user, and datagram sockets
 * that say so by SO_REUSEADDR. Who connects or sends is then given to the nearest: who is connected to him, who has that very address, who was bound last;
 * among those of SO_REUSEPORT to each in turn, and datagrams of one sender always to the same (socket(7); Linux 6.1's net/ipv4/udp.c, compute_score).
 */
#include "meet.h"

static bool is_meant(const struct binding *binding, const struct px_fs_meet *ask, bool connecting)
{
    if (address_internet(binding->domain) && address_internet(ask->domain)) {
        const struct address_bound bound = {binding->name, binding->only6}, wanted = {ask->name, ask->flags & PX_MEET_ONLY6};

        if (binding->type != ask->type || binding->lite != !!(ask->flags & PX_MEET_LITE))
            return false; /* each protocol has its ports */
        return connecting ? address_reaches(&bound, ask->name) : address_collides(&bound, &wanted);
    }
    if (binding->domain != ask->domain)
        return false;
    if (is_path(ask))
        return binding->ino == PX_FS_INO(ask->node) && binding->ino_gen == PX_FS_GEN(ask->node);
    return !binding->ino && binding->name_bytes == ask->name_bytes && !memcmp(binding->name, ask->name, ask->name_bytes);
}

static bool is_here(const struct fs_request *request, const struct binding *binding)
{
    return binding->gen && binding_alive(binding_number(binding), binding->gen) && binding->zone == PX_PROC(PX_PROCTAB, request->index)->zone;
}

static bool may_share(const struct fs_request *request, const struct binding *binding, const struct px_fs_meet *ask)
{
    const uint32_t both = binding->shares & ask->flags;

    if (!address_internet(binding->domain))
        return false;
    if (both & PX_MEET_REUSEPORT && binding->cred.uid == PX_PROC(PX_PROCTAB, request->index)->euid)
        return true;
    return both & PX_MEET_REUSEADDR && ask->type == SOCK_DGRAM;
}

struct binding *binding_in_way(const struct fs_request *request, const struct px_fs_meet *ask)
{
    for (unsigned i = 0; i < BINDINGS_MAX; i++) {
        struct binding *binding = &fs_bindings[i];

        if (is_here(request, binding) && is_meant(binding, ask, false) && !may_share(request, binding, ask))
            return binding;
    }
    return NULL;
}

/* How near a binding that is meant is to who asks; 1: only if there is no other. */
static unsigned nearness(const struct binding *binding, const struct px_fs_meet *ask, const struct binding *sender)
{
    unsigned near = 2;

    if (!address_internet(binding->domain))
        return near;
    if (binding->type != SOCK_DGRAM && !binding->backlog)
        return 1;
    if (binding->aim_bytes) {
        if (!sender || address_port(binding->aim_name) != address_port(sender->name))
            return 1;
        near += 8;
    }
    if (binding->name_bytes == ask->name_bytes && !memcmp(binding->name, ask->name, ask->name_bytes))
        near += 4;
    return near + (binding->domain == ask->domain);
}

/* 0: it is not meant. */
static unsigned nearness_here(const struct fs_request *request, const struct binding *binding, const struct px_fs_meet *ask, const struct binding *sender)
{
    return is_here(request, binding) && is_meant(binding, ask, true) ? nearness(binding, ask, sender) : 0;
}

struct binding *binding_met(const struct fs_request *request, const struct px_fs_meet *ask)
{
    static uint32_t turn;
    const struct binding *sender = ask->ticket ? binding_of(ask->ticket) : NULL;
    struct binding *met = NULL;
    unsigned nearest = 0, sharers = 0, chosen;

    for (unsigned i = 0; i < BINDINGS_MAX; i++) {
        struct binding *binding = &fs_bindings[i];
        unsigned near = nearness_here(request, binding, ask, sender);

        if (!near || near < nearest)
            continue;
        if (near > nearest || (int32_t)(binding->gen - met->gen) > 0)
            met = binding;
        sharers = (near > nearest ? 0 : sharers) + (binding->shares & PX_MEET_REUSEPORT ? 1u : 0);
        nearest = near;
    }
    if (sharers < 2 || !(met->shares & PX_MEET_REUSEPORT))
        return met;
    chosen = (sender ? address_port(sender->name) : turn++) % sharers;
    for (unsigned i = 0; i < BINDINGS_MAX; i++) {
        struct binding *binding = &fs_bindings[i];

        if (binding->shares & PX_MEET_REUSEPORT && nearness_here(request, binding, ask, sender) == nearest && chosen-- == 0)
            return binding;
    }
    return met;
}
