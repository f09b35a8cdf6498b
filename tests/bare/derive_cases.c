/* The derivation tree: what is taken back with what, times, moves, listings, and objects of servers. */
#include "bare.h"

#define ENDPOINT_RIGHTS (EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY)

static int64_t derive(int64_t source, uint64_t rights)
{
    return MUST(exo_cap_copy(SELF, 0, (uint64_t)source, rights, 0));
}

static bool alive(int64_t handle)
{
    return exo_ep_notify((uint64_t)handle, 1) == 0;
}

static void drop(int64_t handle)
{
    EXPECT(exo_cap_delete((uint64_t)handle), 0);
}

CASE(revoke_descendants, "revocation takes what was derived, near and far, and nothing else")
{
    int64_t root = MUST(exo_ep_create()), left = derive(root, ENDPOINT_RIGHTS), right = derive(root, ENDPOINT_RIGHTS);
    int64_t under = derive(left, ENDPOINT_RIGHTS), deep = derive(under, ENDPOINT_RIGHTS), other = derive(right, ENDPOINT_RIGHTS);

    EXPECT(exo_cap_revoke((uint64_t)left), 0);
    CHECK(alive(root) && alive(left) && alive(right) && alive(other));
    EXPECT(exo_ep_notify((uint64_t)under, 1), -EXO_E_STALE);
    EXPECT(exo_ep_notify((uint64_t)deep, 1), -EXO_E_STALE);
    EXPECT(exo_cap_revoke((uint64_t)left), 0);
    EXPECT(exo_cap_revoke((uint64_t)deep), -EXO_E_STALE);
    EXPECT(exo_cap_revoke((uint64_t)root), 0);
    CHECK(alive(root) && !alive(left) && !alive(right) && !alive(other));
    drop(root);
}

CASE(revoke_past_the_deleted, "what a deleted capability left behind is still below its ancestors, and only below these")
{
    int64_t root = MUST(exo_ep_create()), older = derive(root, ENDPOINT_RIGHTS), middle = derive(root, ENDPOINT_RIGHTS);
    int64_t one = derive(middle, ENDPOINT_RIGHTS), two = derive(middle, ENDPOINT_RIGHTS), three = derive(two, ENDPOINT_RIGHTS);

    drop(middle);
    EXPECT(exo_cap_revoke((uint64_t)older), 0);
    CHECK(alive(one) && alive(two) && alive(three));
    drop(two); /* `three` now stands where `two` stood */
    EXPECT(exo_cap_revoke((uint64_t)one), 0);
    CHECK(alive(three));
    drop(one);
    CHECK(alive(three) && alive(older));
    EXPECT(exo_cap_revoke((uint64_t)root), 0);
    CHECK(!alive(three) && !alive(older));
    drop(root);
}

CASE(orphans, "derived capabilities outlive the first one, whose end frees nothing that they use")
{
    int64_t root = MUST(exo_ep_create()), one = derive(root, ENDPOINT_RIGHTS), two = derive(root, ENDPOINT_RIGHTS);
    int64_t under = derive(one, ENDPOINT_RIGHTS);

    drop(root);
    CHECK(alive(one) && alive(two) && alive(under));
    EXPECT(exo_cap_revoke((uint64_t)two), 0);
    drop(two);
    EXPECT(exo_cap_revoke((uint64_t)one), 0);
    CHECK(alive(one) && !alive(under));
    drop(one);
}

#define MANY 2000u

CASE(revoke_many, "thousands of descendants in another environment: in pieces, and nothing new grows meanwhile")
{
    struct exo_env_info before, after;
    int64_t env = MUST(exo_env_create(ZONE, 0, 0)), root = MUST(exo_ep_create()), keep = derive(root, ENDPOINT_RIGHTS);
    unsigned again = 0;
    int64_t status;

    EXPECT(exo_env_info((uint64_t)env, &before), 0);
    for (uint64_t i = 0; i < MANY; i++)
        (void)MUST(exo_cap_copy((uint64_t)env, 0, (uint64_t)(i % 2 ? keep : root), ENDPOINT_RIGHTS, 0));
    EXPECT(exo_env_info((uint64_t)env, &after), 0);
    EXPECT(after.slots - before.slots, MANY);
    EXPECT(exo_cap_revoke((uint64_t)root), -EXO_E_AGAIN);
    EXPECT(exo_cap_copy(SELF, 0, (uint64_t)root, ENDPOINT_RIGHTS, 0), -EXO_E_LIMIT);
    while ((status = exo_cap_revoke((uint64_t)root)) == -EXO_E_AGAIN)
        again++;
    EXPECT(status, 0);
    CHECK(again >= 4 && !alive(keep));
    EXPECT(exo_env_info((uint64_t)env, &after), 0);
    EXPECT(after.slots, before.slots);
    drop(derive(root, ENDPOINT_RIGHTS)); /* allowed again */
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    drop(env);
    drop(root);
}

CASE(revoke_abandoned, "a revocation that nobody finished ends with its capability")
{
    int64_t env = MUST(exo_env_create(ZONE, 0, 0)), root = MUST(exo_ep_create()), keep = derive(root, ENDPOINT_RIGHTS);
    int64_t survivor;

    for (uint64_t i = 0; i < 600; i++)
        (void)MUST(exo_cap_copy((uint64_t)env, 0, (uint64_t)keep, ENDPOINT_RIGHTS, 0));
    survivor = MUST(exo_cap_copy(SELF, 0, (uint64_t)keep, ENDPOINT_RIGHTS, 0));
    EXPECT(exo_cap_revoke((uint64_t)keep), -EXO_E_AGAIN);
    drop(keep);
    if (alive(survivor)) {
        drop(derive(survivor, ENDPOINT_RIGHTS));
        drop(survivor);
    }
    drop(derive(root, ENDPOINT_RIGHTS));
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    drop(env);
    drop(root);
}

CASE(depth, "a chain of derivations ends at its limit, and copies for equals do not lengthen it")
{
    int64_t root = MUST(exo_ep_create()), at = root, next, env = MUST(exo_env_create(ZONE, 0, 0));
    unsigned depth = 0;

    while ((next = exo_cap_copy(SELF, 0, (uint64_t)at, ENDPOINT_RIGHTS, 0)) >= 0) {
        at = next;
        depth++;
    }
    EXPECT(next, -EXO_E_LIMIT);
    EXPECT(depth, 255);
    EXPECT(exo_cap_revoke((uint64_t)root), 0);
    at = derive(root, ENDPOINT_RIGHTS);
    EXPECT(exo_env_clone_slots((uint64_t)env, (uint64_t)at & 0xffff, 1), 1);
    EXPECT(exo_cap_revoke((uint64_t)at), 0); /* the copy stands beside it */
    {
        struct exo_env_info info;

        EXPECT(exo_env_info((uint64_t)env, &info), 0);
        EXPECT(info.slots, 1);
        EXPECT(exo_cap_revoke((uint64_t)root), 0);
        EXPECT(exo_env_info((uint64_t)env, &info), 0);
        EXPECT(info.slots, 0);
    }
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    drop(env);
    drop(root);
}

CASE(times, "a capability with a time ends then, and so does what derives from it")
{
    struct exo_cap_info info;
    int64_t root = MUST(exo_ep_create()), brief, below = -1, over;
    uint64_t soon, span_ns = 10000000;

    over = MUST(exo_cap_derive(SELF, 0, (uint64_t)root, EXO_RIGHTS_ALL, 0, 1));
    EXPECT(exo_ep_notify((uint64_t)over, 1), -EXO_E_EXPIRED);
    EXPECT(exo_cap_copy(SELF, 0, (uint64_t)over, EXO_RIGHTS_ALL, 0), -EXO_E_EXPIRED);
    EXPECT(exo_cap_info((uint64_t)over, &info), -EXO_E_EXPIRED);
    EXPECT(exo_cap_move(SELF, 0, (uint64_t)over), -EXO_E_EXPIRED);
    for (;; span_ns *= 2) { /* a slow machine may be past the time already */
        soon = bare_now() + span_ns;
        brief = MUST(exo_cap_derive(SELF, 0, (uint64_t)root, EXO_RIGHTS_ALL, 0, soon));
        below = exo_cap_derive(SELF, 0, (uint64_t)brief, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
        if (below >= 0)
            break;
        EXPECT(below, -EXO_E_EXPIRED);
        drop(brief);
    }
    while (bare_now() < soon)
        (void)!exo_yield();
    EXPECT(exo_ep_notify((uint64_t)brief, 1), -EXO_E_EXPIRED);
    EXPECT(exo_ep_notify((uint64_t)below, 1), -EXO_E_EXPIRED);
    CHECK(alive(root));
    drop(over);
    drop(brief);
    drop(below);
    brief = MUST(exo_cap_derive(SELF, 0, (uint64_t)root, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER - 1));
    CHECK(alive(brief));
    drop(brief);
    drop(root);
}

CASE(moves, "a moved capability keeps its place in the tree; its old handle names nothing")
{
    int64_t env = MUST(exo_env_create(ZONE, 0, 0)), root = MUST(exo_ep_create()), middle = derive(root, ENDPOINT_RIGHTS);
    int64_t under = derive(middle, ENDPOINT_RIGHTS), stays = derive(root, EXO_RIGHT_NOTIFY), moved;
    struct exo_env_info info;

    moved = MUST(exo_cap_move(SELF, 0, (uint64_t)middle));
    CHECK(moved != middle && alive(moved));
    EXPECT(exo_ep_notify((uint64_t)middle, 1), -EXO_E_STALE);
    EXPECT(exo_cap_revoke((uint64_t)moved), 0);
    CHECK(!alive(under));
    EXPECT(exo_cap_move(SELF, SELF, (uint64_t)moved), -EXO_E_EXISTS);
    EXPECT(exo_cap_move(SELF, EXO_SLOTS_MAX, (uint64_t)moved), -EXO_E_INVAL);
    EXPECT(exo_cap_move(CTX, 0, (uint64_t)moved), -EXO_E_TYPE);
    EXPECT(exo_cap_move(SELF, 0, (uint64_t)middle), -EXO_E_STALE);
    EXPECT(exo_cap_move((uint64_t)env, 0, (uint64_t)stays), -EXO_E_RIGHTS);
    CHECK(alive(stays));
    EXPECT(exo_cap_move((uint64_t)env, 9, (uint64_t)moved), 9);
    EXPECT(exo_ep_notify((uint64_t)moved, 1), -EXO_E_STALE);
    EXPECT(exo_env_info((uint64_t)env, &info), 0);
    EXPECT(info.slots, 1);
    EXPECT(exo_cap_revoke((uint64_t)root), 0);
    EXPECT(exo_env_info((uint64_t)env, &info), 0);
    EXPECT(info.slots, 0);
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_cap_move((uint64_t)env, 0, (uint64_t)root), -EXO_E_BADSLOT);
    drop(env);
    drop(root);
}

CASE(listing, "a listing tells each capability, and which derives from which")
{
    static struct exo_cap_entry entries[64];
    int64_t root = MUST(exo_ep_create()), child = MUST(exo_cap_copy(SELF, 0, (uint64_t)root, ENDPOINT_RIGHTS | EXO_RIGHT_MINT, 7));
    const struct exo_cap_entry *first = NULL, *second = NULL;
    int64_t count = MUST(exo_cap_list(SELF, 0, entries, 64));

    for (int64_t i = 0; i < count; i++) {
        first = (int64_t)entries[i].handle == root ? &entries[i] : first;
        second = (int64_t)entries[i].handle == child ? &entries[i] : second;
        CHECK(i == 0 || (entries[i].handle & 0xffff) > (entries[i - 1].handle & 0xffff));
    }
    CHECK(first && second && first->parent == 0 && second->parent == first->node && first->depth + 1 == second->depth);
    CHECK(second && second->badge == 7 && second->rights == (ENDPOINT_RIGHTS | EXO_RIGHT_MINT) && second->object == first->object);
    EXPECT(exo_cap_list(SELF, 65535, entries, 64), 0);
    EXPECT(exo_cap_list(SELF, UINT64_MAX, entries, 1), 0);
    EXPECT(exo_cap_list(SELF, 0, entries, 0), -EXO_E_INVAL);
    EXPECT(exo_cap_list(SELF, 0, entries, 65), -EXO_E_INVAL);
    EXPECT(exo_cap_list(SELF, 0, (void *)16, 1), -EXO_E_FAULT);
    EXPECT(exo_cap_list(ZONE, 0, entries, 1), -EXO_E_TYPE);
    drop(child);
    drop(root);
}

CASE(services, "objects of servers: names that cannot be forged, with badges that only the maker gives")
{
    struct exo_cap_info mine, shown;
    int64_t service = MUST(exo_service_create(EXO_TYPE_SERVICE)), other = MUST(exo_service_create(EXO_TYPE_SERVICE));
    int64_t client = MUST(exo_cap_copy(SELF, 0, (uint64_t)service, EXO_RIGHT_COPY | EXO_RIGHT_READ, 42)), disk;

    EXPECT(exo_cap_info((uint64_t)service, &mine), 0);
    EXPECT(exo_cap_info((uint64_t)client, &shown), 0);
    CHECK(shown.object == mine.object && shown.type == EXO_TYPE_SERVICE && shown.badge == 42);
    EXPECT(exo_cap_info((uint64_t)other, &shown), 0);
    CHECK(shown.object != mine.object);
    EXPECT(exo_cap_copy(SELF, 0, (uint64_t)client, EXO_RIGHTS_ALL, 43), -EXO_E_INVAL);
    EXPECT(exo_ep_notify((uint64_t)service, 1), -EXO_E_TYPE);
    disk = MUST(exo_service_create(EXO_TYPE_DISK));
    EXPECT(exo_cap_info((uint64_t)disk, &shown), 0);
    CHECK(shown.type == EXO_TYPE_DISK);
    drop(disk);
    drop(MUST(exo_service_create(EXO_TYPE_NETWORK)));
    for (uint64_t type = 0; type < 300; type++)
        if (type != EXO_TYPE_SERVICE && type != EXO_TYPE_DISK && type != EXO_TYPE_NETWORK)
            EXPECT(exo_service_create(type), -EXO_E_INVAL);
    drop(client);
    drop(other);
    drop(service);
}

CASE(zones_return, "a zone's number and small objects go with it")
{
    for (unsigned i = 0; i < 200; i++) {
        int64_t zone = MUST(exo_zone_create(ZONE, 100)), env = MUST(exo_env_create((uint64_t)zone, 0, 0));

        EXPECT(exo_cap_copy((uint64_t)env, 5, (uint64_t)zone, EXO_RIGHTS_ALL, 0), 5);
        drop(zone);
        while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
            ;
        drop(env);
    }
}

CASE(chain_of_environments, "environments that hold the last capability to each other go one after the other, however long the chain")
{
    int64_t below = MUST(exo_ep_create());
    struct exo_stats before, now;

    EXPECT(exo_stats(&before), 0);
    for (unsigned i = 0; i < 3000; i++) {
        int64_t env = MUST(exo_env_create(ZONE, 0, 0));

        EXPECT(exo_cap_move((uint64_t)env, 5, (uint64_t)below), 5);
        below = env;
    }
    drop(below);
    do { /* the kernel takes them apart in pieces, at later entries */
        EXPECT(exo_yield(), 0);
        EXPECT(exo_stats(&now), 0);
    } while (now.envs > before.envs);
}
