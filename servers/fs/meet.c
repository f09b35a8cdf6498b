/*
 * Where sockets meet (decision 0020): names that sockets are bound to, and connections on their way from who connects to who accepts. Once both have
 * the connection's pages (proto/socket.h), bytes go past this server.
 *
 * A binding lives as long as somebody holds the tally whose word is in `alive`, in this server's own memory. Its page, the lobby, is shared with its
 * holders: what they write there is never read here. A link's pages stay mapped here, so that the kernel can say when nobody else has them.
 */
#include "meet.h"

#define BINDINGS_EACH 128u /* of one process */
#define LINKS_EACH 384u
#define LINKS_MEMORY 4u /* this part of all frames is for connections */
#define SWEEP_STEP 16u
#define BACKLOG_MAX 4096u
#define PORT_FIRST 32768u /* those that are given to who asks for none */
#define PORT_LAST 60999u
#define PORTS_OF_ROOT 1024u
#define LOBBY_VA 0x620000000000ul

struct binding fs_bindings[BINDINGS_MAX];
static uint32_t alive[BINDINGS_MAX]; /* tally words */
static unsigned binding_count, boxes; /* boxes: bindings of datagrams */
static uint32_t last_gen, last_auto, last_port, arrivals;

struct link fs_links[LINKS_MAX];
static unsigned link_count, link_hand;

struct px_link *lobby_of(const struct binding *binding)
{
    return (struct px_link *)(LOBBY_VA + (uint64_t)(binding - fs_bindings) * PX_BOX_PAGES * FS_PAGE);
}

static const struct px_proc *process_of(const struct fs_request *request)
{
    return PX_PROC(PX_PROCTAB, request->index);
}

static struct cred cred_of(const struct fs_request *request)
{
    const struct px_proc *process = process_of(request);

    return (struct cred){.pid = (uint32_t)process->pid, .uid = process->euid, .gid = process->egid};
}

/* ---- what is over ---- */

static void link_free(struct link *link)
{
    if (link->state == LINK_PENDING) {
        (void)!exo_cap_delete(link->tally); /* who connected sees that nobody is there */
        fs_bindings[link->binding].pending--;
    }
    os_pages_give((void *)LINK_VA(link - fs_links), PX_LINK_PAGES);
    link->state = LINK_FREE;
    link_count--;
}

/* Has anybody else what begins with that page? */
static bool shared(uint64_t va)
{
    uint64_t page = 0;

    return exo_mem_query(fs_start->self, va, 1, &page) != 1 || page & EXO_QUERY_SHARED;
}

static void links_sweep(unsigned most)
{
    for (unsigned i = 0; link_count && most && i < LINKS_MAX; i++) {
        struct link *link = &fs_links[link_hand++ % LINKS_MAX];

        if (link->state == LINK_GIVEN && most-- && !shared(LINK_VA(link - fs_links)))
            link_free(link);
    }
}

static void binding_free(struct binding *binding)
{
    for (unsigned i = 0; binding->pending && i < LINKS_MAX; i++) {
        if (fs_links[i].state == LINK_PENDING && fs_links[i].binding == binding - fs_bindings)
            link_free(&fs_links[i]);
    }
    os_pages_give(lobby_of(binding), binding->pages);
    boxes -= binding->pages > 1;
    binding->gen = 0;
    binding_count--;
}

void fs_meet_sweep(unsigned most_links)
{
    for (unsigned i = 0; binding_count && i < BINDINGS_MAX; i++) {
        if (fs_bindings[i].gen && !alive[i] && !(fs_bindings[i].pages > 1 && shared((uint64_t)lobby_of(&fs_bindings[i]))))
            binding_free(&fs_bindings[i]); /* a box is somebody's as long as he keeps it mapped */
    }
    links_sweep(most_links);
}

/* ---- binding ---- */

static uint16_t next_port(void)
{
    return (uint16_t)(PORT_FIRST + last_port++ % (PORT_LAST - PORT_FIRST + 1));
}

/* A name that nobody has: a port; of AF_UNIX, where a NUL comes before abstract names, five digits. */
static bool name_self(const struct fs_request *request, struct px_fs_meet *ask)
{
    const uint32_t flags = ask->flags;

    ask->flags &= ~PX_MEET_SHARES; /* one's own, whatever one would share */
    for (unsigned tries = 0; tries < 2 * BINDINGS_MAX; tries++) {
        uint32_t number;

        if (address_internet(ask->domain)) {
            address_set_port(ask->name, next_port());
        } else {
            number = ++last_auto & 0xfffff;
            ask->name_bytes = 8;
            ask->name[2] = 0;
            for (unsigned i = 0; i < 5; i++)
                ask->name[3 + i] = (uint8_t)"0123456789abcdef"[number >> (16 - 4 * i) & 15];
        }
        if (!binding_in_way(request, ask)) {
            ask->flags = flags;
            return true;
        }
    }
    return false;
}

struct binding *binding_named(uint64_t token, unsigned kind)
{
    uint64_t i = token & 0xffff;

    if (i >= BINDINGS_MAX || !fs_bindings[i].gen || !alive[i] || token >> 16 != fs_token((uint32_t)i, fs_bindings[i].gen, kind) >> 16)
        return NULL;
    return &fs_bindings[i];
}

uint64_t binding_token(const struct binding *binding, unsigned kind)
{
    uint32_t i = (uint32_t)(binding - fs_bindings);

    return (fs_token(i, binding->gen, kind) & ~0xffffull) | i;
}

/* For another connection, or another box. */
static bool memory_left(void)
{
    return link_count * PX_LINK_PAGES + boxes * PX_BOX_PAGES < fs_start->frames_total / LINKS_MEMORY;
}

static struct binding *binding_place(const struct fs_request *request)
{
    struct binding *place = NULL;
    unsigned own = 0;

    for (unsigned i = 0; i < BINDINGS_MAX; i++) {
        own += fs_bindings[i].gen && fs_bindings[i].owner == request->index;
        if (!fs_bindings[i].gen && !place)
            place = &fs_bindings[i];
    }
    return own < BINDINGS_EACH ? place : NULL;
}

static int64_t check_bind(const struct fs_request *request, struct px_fs_meet *ask)
{
    int64_t status = address_check(ask);

    if (status < 0)
        return status;
    if (is_path(ask)) {
        const struct px_inode *inode = fs_node(ask->node);

        if (!inode || (inode->mode & S_IFMT) != S_IFSOCK || !fs_owns(&request->caller, inode))
            return inode ? -EACCES : -ESTALE;
    } else if (address_wanted(ask) && !name_self(request, ask)) {
        return -EADDRINUSE;
    }
    if (address_internet(ask->domain) && address_port(ask->name) < PORTS_OF_ROOT && request->caller.uid != 0)
        return -EACCES;
    return binding_in_way(request, ask) ? -EADDRINUSE : 0;
}

static int64_t do_bind(struct fs_request *request, struct px_fs_meet *ask)
{
    unsigned pages = ask->type == SOCK_DGRAM ? PX_BOX_PAGES : 1;
    struct binding *binding;
    struct px_link *lobby;
    int64_t status, tally;

    fs_meet_sweep(SWEEP_STEP);
    status = check_bind(request, ask);
    if (status < 0)
        return status;
    binding = binding_place(request);
    if (!binding || (pages > 1 && !memory_left()))
        return -ENOBUFS;
    lobby = lobby_of(binding);
    if (!os_pages_take(lobby, pages))
        return -ENOMEM;
    lobby->version = PX_LINK_VERSION;
    lobby->pages = pages;
    lobby->end[0].name_bytes = ask->name_bytes;
    memcpy(lobby->end[0].name, ask->name, ask->name_bytes);
    tally = exo_tally_create(&alive[binding - fs_bindings]);
    status = tally < 0 ? -ENOMEM
                       : os_share(request->caller.client, ask->va, lobby, pages, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
    if (status < 0) {
        if (tally >= 0)
            (void)!exo_cap_delete((uint64_t)tally);
        os_pages_give(lobby, pages);
        return status;
    }
    boxes += pages > 1;
    *binding = (struct binding){.gen = ++last_gen ? last_gen : ++last_gen,
                                .ino = is_path(ask) ? PX_FS_INO(ask->node) : 0,
                                .ino_gen = is_path(ask) ? PX_FS_GEN(ask->node) : 0,
                                .domain = ask->domain,
                                .type = ask->type,
                                .pages = (uint16_t)pages,
                                .zone = process_of(request)->zone,
                                .owner = (uint16_t)request->index,
                                .only6 = ask->flags & PX_MEET_ONLY6,
                                .lite = ask->flags & PX_MEET_LITE,
                                .shares = ask->flags & PX_MEET_SHARES,
                                .name_bytes = ask->name_bytes,
                                .cred = cred_of(request)};
    memcpy(binding->name, ask->name, ask->name_bytes);
    binding_count++;
    request->message->word[1] = ticket_of(binding);
    request->capability = (uint64_t)tally;
    request->passed_on = true;
    return 0;
}

static int64_t do_listen(struct fs_request *request, const struct px_fs_meet *ask)
{
    struct binding *binding = binding_of(ask->ticket);

    if (!binding || binding->type == SOCK_DGRAM)
        return -EINVAL;
    binding->backlog = (uint16_t)(ask->backlog < BACKLOG_MAX ? ask->backlog + 1 : BACKLOG_MAX);
    if (address_internet(binding->domain))
        binding->backlog = BACKLOG_MAX; /* a caller there is told nothing of a line that is full */
    binding->cred = cred_of(request);
    return 0;
}

/* ---- meeting ---- */

static struct link *link_place(const struct fs_request *request)
{
    struct link *place = NULL;
    unsigned own = 0;

    links_sweep(link_count >= LINKS_MAX / 2 ? LINKS_MAX : SWEEP_STEP);
    for (unsigned i = 0; i < LINKS_MAX; i++) {
        own += fs_links[i].state != LINK_FREE && fs_links[i].owner == request->index;
        if (fs_links[i].state == LINK_FREE && !place)
            place = &fs_links[i];
    }
    return own < LINKS_EACH && memory_left() ? place : NULL;
}

/* What the two ends are called. On the internet who connects has a port, and who listens anywhere was met somewhere. */
static void name_ends(struct px_link *link, const struct px_fs_meet *ask, const struct binding *from, const struct binding *to)
{
    struct px_end *near = &link->end[0], *far = &link->end[1];

    if (from) {
        near->name_bytes = from->name_bytes;
        memcpy(near->name, from->name, from->name_bytes);
    }
    far->name_bytes = to->name_bytes;
    memcpy(far->name, to->name, to->name_bytes);
    if (!address_internet(ask->domain))
        return;
    near->name_bytes = (uint16_t)address_loopback(near->name, ask->domain, from ? address_port(from->name) : next_port());
    far->name_bytes = ask->name_bytes;
    memcpy(far->name, ask->name, ask->name_bytes);
}

/* The pages, with a tally for each end. The handles, or -errno with nothing made. */
static int64_t link_make(struct px_link *link, int64_t tally[2])
{
    if (!os_pages_take(link, PX_LINK_PAGES))
        return -ENOMEM;
    link->version = PX_LINK_VERSION;
    link->pages = PX_LINK_PAGES;
    tally[0] = exo_tally_create(&link->end[0].holders);
    tally[1] = tally[0] < 0 ? tally[0] : exo_tally_create(&link->end[1].holders);
    if (tally[1] >= 0)
        return 0;
    if (tally[0] >= 0)
        (void)!exo_cap_delete((uint64_t)tally[0]);
    os_pages_give(link, PX_LINK_PAGES);
    return -ENOMEM;
}

int64_t meet_whom(const struct fs_request *request, const struct px_fs_meet *ask, struct binding **to)
{
    int64_t status = address_check(ask);

    if (status < 0)
        return status;
    if (is_path(ask)) {
        const struct px_inode *inode = fs_node(ask->node);

        if (!inode || (inode->mode & S_IFMT) != S_IFSOCK)
            return -ECONNREFUSED;
        if (!fs_may(&request->caller, inode, 2))
            return -EACCES;
    }
    *to = binding_met(request, ask);
    if (!*to)
        return -ECONNREFUSED;
    if ((*to)->type != ask->type)
        return -EPROTOTYPE;
    return 0;
}

static int64_t check_connect(const struct fs_request *request, const struct px_fs_meet *ask, struct binding **to)
{
    int64_t status = meet_whom(request, ask, to);

    if (status < 0)
        return status;
    if (!(*to)->backlog)
        return -ECONNREFUSED;
    return (*to)->pending >= (*to)->backlog ? -EAGAIN : 0;
}

static void put_cred(struct fs_request *request, const struct cred *cred)
{
    request->message->word[1] = cred->pid | (uint64_t)cred->uid << 32;
    request->message->word[2] = cred->gid;
}

static void announce(const struct binding *binding)
{
    struct px_flow *flow = &lobby_of(binding)->to[0];

    __atomic_store_n(&flow->tail, flow->head + binding->pending, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&flow->write_seq, 1, __ATOMIC_SEQ_CST);
    exo_wake_all(&flow->write_seq);
    if (lobby_of(binding)->end[0].async)
        os_tell_owner(lobby_of(binding)->end[0].owner);
}

static int64_t do_connect(struct fs_request *request, const struct px_fs_meet *ask)
{
    struct binding *to, *from = ask->ticket ? binding_of(ask->ticket) : NULL;
    int64_t status = check_connect(request, ask, &to), tally[2];
    struct link *link;

    if (status < 0)
        return status;
    link = link_place(request);
    if (!link)
        return -ENOBUFS;
    status = link_make((struct px_link *)LINK_VA(link - fs_links), tally);
    if (status < 0)
        return status;
    name_ends((struct px_link *)LINK_VA(link - fs_links), ask, from, to);
    status = os_share(request->caller.client, ask->va, (void *)LINK_VA(link - fs_links), PX_LINK_PAGES,
                      EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
    if (status < 0) {
        (void)!exo_cap_delete((uint64_t)tally[0]);
        (void)!exo_cap_delete((uint64_t)tally[1]);
        os_pages_give((void *)LINK_VA(link - fs_links), PX_LINK_PAGES);
        return status;
    }
    *link = (struct link){.state = LINK_PENDING,
                          .owner = (uint16_t)request->index,
                          .binding = (uint16_t)(to - fs_bindings),
                          .zone = process_of(request)->zone,
                          .order = ++arrivals,
                          .tally = (uint64_t)tally[1],
                          .cred = cred_of(request),
                          .to = to->cred};
    link_count++;
    to->pending++;
    put_cred(request, &to->cred);
    request->capability = (uint64_t)tally[0];
    request->passed_on = true;
    announce(to);
    return 0;
}

unsigned binding_number(const struct binding *binding)
{
    return (unsigned)(binding - fs_bindings);
}

bool binding_alive(unsigned number, uint32_t gen)
{
    return fs_bindings[number].gen == gen && alive[number];
}

void meet_tell_peer(const struct fs_request *request, uint64_t frame, unsigned side, uint32_t peer[3])
{
    struct cred cred = cred_of(request);

    for (unsigned i = 0; i < LINKS_MAX; i++) {
        uint64_t page = 0;

        if (fs_links[i].state == LINK_GIVEN && exo_mem_query(fs_start->self, LINK_VA(i), 1, &page) == 1 && (page & ~(uint64_t)(FS_PAGE - 1)) == frame)
            cred = side == 0 ? fs_links[i].to : fs_links[i].cred;
    }
    peer[0] = cred.pid;
    peer[1] = cred.uid;
    peer[2] = cred.gid;
}

static struct link *first_pending(const struct binding *binding)
{
    struct link *first = NULL;

    for (unsigned i = 0; binding->pending && i < LINKS_MAX; i++) {
        if (fs_links[i].state == LINK_PENDING && fs_links[i].binding == binding - fs_bindings &&
            (!first || (int32_t)(fs_links[i].order - first->order) < 0))
            first = &fs_links[i];
    }
    return first;
}

static int64_t do_accept(struct fs_request *request, const struct px_fs_meet *ask)
{
    struct binding *binding = binding_of(ask->ticket);
    struct link *link = binding ? first_pending(binding) : NULL;
    int64_t status;

    if (!binding || !binding->backlog)
        return -EINVAL;
    if (!link)
        return -EAGAIN;
    status = os_share(request->caller.client, ask->va, (void *)LINK_VA(link - fs_links), PX_LINK_PAGES,
                      EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
    if (status < 0)
        return status;
    link->state = LINK_GIVEN;
    binding->pending--;
    announce(binding);
    put_cred(request, &link->cred);
    request->capability = link->tally;
    request->passed_on = true;
    return 0;
}

int64_t fs_meet(struct fs_request *request)
{
    struct px_fs_meet ask;

    memcpy(&ask, request->page, sizeof ask);
    if (ask.va % FS_PAGE)
        return -EINVAL;
    switch (request->message->word[0] & 0xff) {
    case PX_FS_BIND: return do_bind(request, &ask);
    case PX_FS_LISTEN: return do_listen(request, &ask);
    case PX_FS_CONNECT: return do_connect(request, &ask);
    case PX_FS_ACCEPT: return do_accept(request, &ask);
    case PX_FS_AIM: return letter_aim(request, &ask);
    case PX_FS_SEND: return letter_send(request);
    default: fs_meet_sweep(SWEEP_STEP), fs_parcels_sweep(), fs_orphans_sweep(); return 0;
    }
}
