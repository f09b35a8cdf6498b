/*
 * Descriptors on their way (decision 0030, proto/parcel.h): what a sender put into a message is kept here until somebody takes it, or nobody can any more.
 * Pages come from the sender's environment (mem_fetch) and are never read here, for they may go at any time; capabilities are copies. What a sender says
 * is checked as far as it carries authority: a file's token is written here for what he may do, and who is at the other end of a socket is said by this server.
 *
 * A parcel is in a conversation, which is named by the frame of its first page. It is over when nobody is left to receive there: when the tally of the
 * receiving end counts none but those that are themselves in parcels that are over. Of those that lie here in no conversation, for whoever comes with the
 * ticket, the oldest of a process give way, so that receivers who never come cost it nothing.
 */
#include "meet.h"
#include "parcel.h"
#include "ring.h"

#define PARCELS_MAX 128u
#define ITEMS_MAX 512u
#define ITEMS_EACH 320u /* of one process, that it has not seen taken */
#define TOKEN_PARCEL 32u /* rights that no file's token has */
#define PAGES_VA 0x640000000000ul
#define ITEM_VA(i) (PAGES_VA + (uint64_t)(i) * PX_PARCEL_PAGES * FS_PAGE)
#define WORD_VA(i) (ITEM_VA(ITEMS_MAX) + (uint64_t)(i) * FS_PAGE) /* a parcel's conversation */
#define CAPABILITIES 2u

static struct parcel {
    uint32_t gen, owner_gen; /* gen 0: free */
    uint16_t owner, zone, items;
    uint16_t box;     /* of a letter: the binding + 1, */
    uint32_t box_gen; /* and which that was */
    uint8_t side;     /* the end that receives */
    bool live;        /* somebody can take it: as far as the sweep knows by now */
    uint64_t frame;   /* of the conversation's first page; 0: a letter's */
} parcels[PARCELS_MAX];

static struct item {
    uint16_t parcel; /* + 1; 0: free */
    uint16_t number;
    uint64_t frame;
    uint64_t capability[CAPABILITIES];
    struct px_parcel_item what;
} items[ITEMS_MAX];

static unsigned parcel_count, item_count;
static uint32_t last_gen;

static struct parcel *parcel_named(uint64_t ticket)
{
    uint64_t i = ticket & 0xffff;

    if (i >= PARCELS_MAX || !parcels[i].gen || ticket >> 16 != fs_token((uint32_t)i, parcels[i].gen, TOKEN_PARCEL) >> 16)
        return NULL;
    return &parcels[i];
}

static bool is_in(const struct item *item, const struct parcel *parcel)
{
    return item->parcel == parcel - parcels + 1;
}

static struct item *item_of(const struct parcel *parcel, uint64_t number)
{
    for (unsigned i = 0; i < ITEMS_MAX; i++) {
        if (is_in(&items[i], parcel) && items[i].number == number)
            return &items[i];
    }
    return NULL;
}

static void item_free(struct item *item)
{
    for (unsigned i = 0; i < CAPABILITIES; i++) {
        if (item->capability[i])
            (void)!exo_cap_delete(item->capability[i]);
    }
    os_pages_give((void *)ITEM_VA(item - items), item->what.pages);
    *item = (struct item){0};
    item_count--;
}

static void parcel_free(struct parcel *parcel)
{
    for (unsigned i = 0; i < ITEMS_MAX && parcel->items; i++) {
        if (!is_in(&items[i], parcel))
            continue;
        item_free(&items[i]);
        parcel->items--;
    }
    if (parcel->frame)
        os_pages_give((void *)WORD_VA(parcel - parcels), 1);
    *parcel = (struct parcel){0};
    parcel_count--;
}

/* The caller's pages at `from` come to `to`, whole and such that they can be written: the first one's frame, or -errno with nothing there. */
static int64_t fetch(const struct fs_request *request, uint64_t from, uint64_t to, unsigned pages)
{
    const struct px_proc *process = PX_PROC(PX_PROCTAB, request->index);
    uint64_t entry[PX_PARCEL_PAGES];
    int64_t status = from % FS_PAGE ? -EXO_E_ALIGN : exo_fetch_all(process->fs_env, from, to, pages, EXO_PROT_READ | EXO_PROT_WRITE);

    if (status == 0)
        status = exo_mem_query(fs_start->self, to, pages, entry) == pages ? 0 : -EXO_E_RANGE;
    for (unsigned i = 0; status == 0 && i < pages; i++) {
        if ((entry[i] & (EXO_QUERY_PRESENT | EXO_QUERY_WRITE | EXO_QUERY_COW)) != (EXO_QUERY_PRESENT | EXO_QUERY_WRITE))
            status = -EXO_E_RANGE;
    }
    if (status < 0) {
        os_pages_give((void *)to, pages);
        return fs_errno(status);
    }
    return (int64_t)(entry[0] & ~(uint64_t)(FS_PAGE - 1));
}

/* ---- what is over ---- */

/* How many capabilities to that end are kept here; those of parcels that are live, or of all. */
static uint32_t kept(uint64_t frame, unsigned side, bool live)
{
    uint32_t count = 0;

    for (unsigned i = 0; i < ITEMS_MAX; i++) {
        if (items[i].parcel && items[i].what.kind == PX_OFD_SOCKET && items[i].frame == frame && items[i].what.side == side)
            count += (items[i].capability[0] != 0) && (!live || parcels[items[i].parcel - 1].live);
    }
    return count;
}

/* Has the receiving end a holder besides those here? The kernel looks, for the page may be gone, and nobody with it. */
static bool has_holder(const struct parcel *parcel)
{
    const struct px_link *link = (const struct px_link *)WORD_VA(parcel - parcels);

    return exo_wait_word(&link->end[parcel->side].holders, kept(parcel->frame, parcel->side, false), EXO_DEADLINE_NOW, 0, 0) == 0;
}

static bool owner_lives(const struct parcel *parcel)
{
    const struct px_proc *process = PX_PROC(PX_PROCTAB, parcel->owner);

    return process->gen == parcel->owner_gen && (process->state == PX_RUNNING || process->state == PX_STOPPED);
}

static bool is_live(const struct parcel *parcel)
{
    if (parcel->box)
        return binding_alive(parcel->box - 1u, parcel->box_gen);
    if (!parcel->frame)
        return owner_lives(parcel); /* not sent yet */
    return has_holder(parcel) || kept(parcel->frame, parcel->side, true);
}

void fs_parcels_sweep(void)
{
    bool more = true;

    if (!parcel_count)
        return;
    for (unsigned i = 0; i < PARCELS_MAX; i++)
        parcels[i].live = false;
    while (more) { /* each round finds one more at least, or is the last */
        more = false;
        for (unsigned i = 0; i < PARCELS_MAX; i++) {
            if (parcels[i].gen && !parcels[i].live && is_live(&parcels[i]))
                parcels[i].live = more = true;
        }
    }
    for (unsigned i = 0; i < PARCELS_MAX; i++) {
        if (parcels[i].gen && !parcels[i].live)
            parcel_free(&parcels[i]);
    }
}

uint32_t fs_parcels_hold(const uint32_t **inodes)
{
    static uint32_t held[ITEMS_MAX];
    uint32_t count = 0;

    for (unsigned i = 0; item_count && i < ITEMS_MAX; i++) {
        bool writes = items[i].what.kind == PX_OFD_FILE && items[i].what.flags & 3;

        if (items[i].parcel && items[i].what.node)
            held[count++] = PX_FS_INO(items[i].what.node) | (writes ? PX_HAZARD_WRITES : 0);
    }
    *inodes = held;
    return count;
}

/* ---- sending ---- */

/* A process has so many lying here that its oldest one goes. */
static void make_room(unsigned index, uint32_t gen)
{
    struct parcel *oldest = NULL;
    unsigned count = 0;

    for (struct parcel *parcel = parcels; parcel < parcels + PARCELS_MAX; parcel++) {
        if (!parcel->gen || parcel->side != PX_PARCEL_LIES || parcel->owner != index || parcel->owner_gen != gen)
            continue;
        count++;
        if (!oldest || last_gen - parcel->gen > last_gen - oldest->gen)
            oldest = parcel;
    }
    if (count >= PX_PARCEL_LYING)
        parcel_free(oldest);
}

static int64_t do_new(struct fs_request *request, uint64_t va, uint64_t side)
{
    const struct px_proc *process = PX_PROC(PX_PROCTAB, request->index);
    struct parcel *parcel = parcels;
    int64_t frame = 0;

    if (side > PX_PARCEL_LIES || (va && side == PX_PARCEL_LIES))
        return -EINVAL;
    if (side == PX_PARCEL_LIES)
        make_room(request->index, process->gen);
    if (parcel_count >= PARCELS_MAX / 2)
        fs_parcels_sweep();
    while (parcel < parcels + PARCELS_MAX && parcel->gen)
        parcel++;
    if (parcel == parcels + PARCELS_MAX)
        return -ETOOMANYREFS;
    if (va)
        frame = fetch(request, va, WORD_VA(parcel - parcels), 1);
    if (frame < 0)
        return frame;
    *parcel = (struct parcel){.gen = ++last_gen ? last_gen : ++last_gen,
                              .owner_gen = process->gen,
                              .owner = (uint16_t)request->index,
                              .zone = process->zone,
                              .side = (uint8_t)side,
                              .frame = (uint64_t)frame};
    parcel_count++;
    request->message->word[1] = (fs_token((uint32_t)(parcel - parcels), parcel->gen, TOKEN_PARCEL) & ~0xffffull) | (uint64_t)(parcel - parcels);
    return 0;
}

/* A file or directory of fs: may the sender do with it what he passes on? */
static int64_t check_node(const struct fs_request *request, struct px_parcel_item *what)
{
    static const uint8_t rights[4] = {4, 2, 6, 6};
    struct px_inode *inode = fs_node(what->node);
    unsigned want = rights[what->flags & 3];

    if (!inode)
        return -ESTALE;
    if (what->kind == PX_OFD_DIRECTORY)
        return S_ISDIR(inode->mode) ? 0 : -EINVAL;
    if (what->kind != PX_OFD_FILE)
        return 0;
    if (!S_ISREG(inode->mode))
        return -EINVAL;
    if (!fs_allowed(&request->caller, inode, PX_FS_INO(what->node), want, what->word[PX_PARCEL_TOKEN]))
        return -EACCES;
    what->word[PX_PARCEL_TOKEN] = fs_token(PX_FS_INO(what->node), PX_FS_GEN(what->node), want);
    return 0;
}

static int64_t check_item(const struct fs_request *request, struct px_parcel_item *what)
{
    for (unsigned i = 0; i < CAPABILITIES; i++) {
        if (what->place[i] > PX_PARCEL_OFFSET && what->place[i] != PX_PARCEL_NONE)
            return -EINVAL;
    }
    if (what->pages > PX_PARCEL_PAGES || what->side > 1)
        return -EINVAL;
    switch (what->kind) {
    case PX_OFD_FILE: return what->pages > 1 || !what->node ? -EINVAL : check_node(request, what);
    case PX_OFD_DIRECTORY:
    case PX_OFD_PATH: return what->pages || !what->node ? -EINVAL : check_node(request, what);
    case PX_OFD_PIPE: return what->pages != PX_PIPE_PAGES ? -EINVAL : what->node ? check_node(request, what) : 0;
    case PX_OFD_SOCKET: return what->pages == 1 || what->pages == PX_BOX_PAGES || what->pages == PX_LINK_PAGES ? 0 : -EINVAL;
    case PX_OFD_EVENT:
    case PX_OFD_TIMER: return what->pages == 1 ? 0 : -EINVAL;
    case PX_OFD_TTY:
    case PX_OFD_DEVICE:
    case PX_OFD_SIGNAL:
    case PX_OFD_PIDFD: return what->pages ? -EINVAL : 0;
    default: return -EOPNOTSUPP;
    }
}

static unsigned items_of_process(unsigned index)
{
    unsigned count = 0;

    for (unsigned i = 0; i < ITEMS_MAX; i++)
        count += items[i].parcel && parcels[items[i].parcel - 1].owner == index;
    return count;
}

static struct item *item_place(const struct fs_request *request)
{
    for (unsigned tries = 0; tries < 2; tries++) {
        if (item_count < ITEMS_MAX && items_of_process(request->index) < ITEMS_EACH) {
            struct item *item = items;

            while (item->parcel)
                item++;
            return item;
        }
        fs_parcels_sweep();
    }
    return NULL;
}

static bool is_own(const struct fs_request *request, const struct parcel *parcel)
{
    return parcel && parcel->owner == request->index && parcel->owner_gen == PX_PROC(PX_PROCTAB, request->index)->gen;
}

static int64_t do_put(struct fs_request *request, struct parcel *parcel)
{
    struct px_parcel_item what;
    struct item *item;
    int64_t status;

    memcpy(&what, request->page, sizeof what);
    if (!is_own(request, parcel))
        return -EINVAL;
    if (parcel->items >= PX_PARCEL_MOST)
        return -EINVAL;
    status = check_item(request, &what);
    item = status < 0 ? NULL : item_place(request);
    if (!item)
        return status < 0 ? status : -ETOOMANYREFS;
    if (what.pages)
        status = fetch(request, what.va, ITEM_VA(item - items), what.pages);
    if (status < 0)
        return status;
    *item = (struct item){.parcel = (uint16_t)(parcel - parcels + 1), .number = parcel->items++, .frame = (uint64_t)status, .what = what};
    if (what.kind == PX_OFD_SOCKET && what.connected)
        meet_tell_peer(request, item->frame, what.side, item->what.peer);
    item_count++;
    return 0;
}

static int64_t do_give(struct fs_request *request, struct parcel *parcel)
{
    struct item *item = is_own(request, parcel) && parcel->items ? item_of(parcel, parcel->items - 1u) : NULL;

    for (unsigned i = 0; item && i < CAPABILITIES; i++) {
        if (item->capability[i] || item->what.place[i] == PX_PARCEL_NONE)
            continue;
        item->capability[i] = request->came;
        request->came = 0;
        return 0;
    }
    return -EINVAL;
}

bool fs_parcel_attach(const struct fs_request *request, uint64_t ticket, const struct binding *to)
{
    struct parcel *parcel = parcel_named(ticket);

    if (!is_own(request, parcel) || parcel->frame || parcel->side == PX_PARCEL_LIES)
        return false;
    parcel->box = binding_number(to) + 1u;
    parcel->box_gen = to->gen;
    return true;
}

static int64_t do_leave(const struct fs_request *request)
{
    for (struct parcel *parcel = parcels; parcel < parcels + PARCELS_MAX; parcel++) {
        if (parcel->gen && parcel->side == PX_PARCEL_LIES && is_own(request, parcel))
            parcel_free(parcel);
    }
    fs_orphans_sweep();
    return 0;
}

/* ---- receiving ---- */

/* Zones are apart, and a label that may not change a file gets no descriptor to do it. */
static int64_t may_take(const struct fs_request *request, const struct parcel *parcel, const struct px_parcel_item *what)
{
    const struct px_inode *inode = what->node ? fs_node(what->node) : NULL;

    if (PX_PROC(PX_PROCTAB, request->index)->zone != parcel->zone)
        return -EPERM;
    if (what->node && !inode)
        return -ESTALE;
    return inode && what->flags & 3 && !fs_label_may(&request->caller, inode, 2) ? -EPERM : 0;
}

static int64_t do_map(const struct fs_request *request, const struct item *item, uint64_t va)
{
    if (va % FS_PAGE || !item->what.pages)
        return -EINVAL;
    return os_share(request->caller.client, va, (const void *)ITEM_VA(item - items), item->what.pages,
                    EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
}

static int64_t do_receive(struct fs_request *request, const struct parcel *parcel, uint64_t call, uint64_t number, uint64_t which)
{
    const struct item *item = parcel ? item_of(parcel, number) : NULL;
    int64_t status = item ? may_take(request, parcel, &item->what) : -EINVAL;

    if (status < 0)
        return status;
    if (call == PX_PARCEL_MAP)
        return do_map(request, item, which);
    if (call == PX_PARCEL_LOOK) {
        memcpy((void *)(uintptr_t)request->page, &item->what, sizeof item->what);
        request->message->word[1] = parcel->items;
        return 0;
    }
    if (which >= CAPABILITIES || !item->capability[which])
        return -EINVAL;
    request->capability = item->capability[which];
    return 0;
}

int64_t fs_parcel(struct fs_request *request)
{
    const uint64_t *word = request->message->word;
    struct parcel *parcel = parcel_named(word[2]);

    switch (word[1]) {
    case PX_PARCEL_NEW: return do_new(request, word[3], word[4]);
    case PX_PARCEL_PUT: return do_put(request, parcel);
    case PX_PARCEL_GIVE: return do_give(request, parcel);
    case PX_PARCEL_LOOK:
    case PX_PARCEL_MAP:
    case PX_PARCEL_TAKE: return do_receive(request, parcel, word[1], word[3], word[4]);
    case PX_PARCEL_DROP:
        if (!parcel)
            return -EINVAL;
        parcel_free(parcel);
        fs_orphans_sweep();
        return 0;
    case PX_PARCEL_LEAVE: return do_leave(request);
    default: return -EINVAL;
    }
}
