/* Which sockets there are in the caller's zone, one after the other: for /proc/net. */
#include "meet.h"

static void put_end(struct px_fs_socket *told, unsigned i, const struct px_link *pages, unsigned end, const uint8_t *name, uint16_t name_bytes)
{
    const struct px_flow *in = &pages->to[end];
    uint32_t waiting = __atomic_load_n(&in->tail, __ATOMIC_RELAXED) - __atomic_load_n(&in->head, __ATOMIC_RELAXED);

    told->ino[i] = pages->end[end].ino;
    told->waiting[i] = waiting <= PX_FLOW_BYTES ? waiting : PX_FLOW_BYTES;
    told->name_bytes[i] = name_bytes <= PX_NAME_BYTES ? name_bytes : PX_NAME_BYTES;
    memcpy(told->name[i], name, told->name_bytes[i]);
}

static void tell_binding(const struct binding *binding, struct px_fs_socket *told)
{
    *told = (struct px_fs_socket){.domain = binding->domain,
                                  .type = binding->type,
                                  .backlog = binding->backlog,
                                  .pending = binding->pending,
                                  .uid = {binding->cred.uid},
                                  .lite = binding->lite};
    put_end(told, 0, lobby_of(binding), 0, binding->name, binding->name_bytes);
}

/* An end that nobody has counts the one capability that this server may keep. */
static void tell_link(const struct link *link, struct px_fs_socket *told)
{
    const struct px_link *pages = (const struct px_link *)LINK_VA(link - fs_links);

    *told = (struct px_fs_socket){.connection = 1, .pending = link->state == LINK_PENDING, .uid = {link->cred.uid, link->to.uid}};
    for (unsigned end = 0; end < 2; end++) {
        put_end(told, end, pages, end, pages->end[end].name, pages->end[end].name_bytes);
        if (!pages->end[end].holders || (end == 1 && link->state == LINK_PENDING))
            told->ino[end] = 0;
    }
}

int64_t fs_sockets(struct fs_request *request)
{
    uint16_t zone = PX_PROC(PX_PROCTAB, request->index)->zone;
    struct px_fs_socket told;

    for (uint64_t i = request->message->word[1]; i < BINDINGS_MAX + LINKS_MAX; i++) {
        const struct link *link = &fs_links[i < BINDINGS_MAX ? 0 : i - BINDINGS_MAX];

        if (i < BINDINGS_MAX && fs_bindings[i].zone == zone && binding_alive((unsigned)i, fs_bindings[i].gen) && fs_bindings[i].gen)
            tell_binding(&fs_bindings[i], &told);
        else if (i >= BINDINGS_MAX && link->state != LINK_FREE && link->zone == zone)
            tell_link(link, &told);
        else
            continue;
        memcpy((void *)(uintptr_t)request->page, &told, sizeof told);
        request->message->word[1] = i + 1;
        return 0;
    }
    return -ENOENT;
}
