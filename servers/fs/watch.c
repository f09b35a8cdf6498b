/*
 * inotify: who wants to know what happens to which inode. An instance is a ring that its holders and this server map (proto/watch.h); a watch names an
 * instance and an inode. An inode that is watched is marked, and so are the entries of a directory by looking at the directory: what nobody
 * watches costs a look at one count.
 */
#include "serve.h"
#include "watch.h"

#define INSTANCES_MAX 64u
#define INSTANCES_EACH 16u /* of one process */
#define WATCHES_MAX 1024u
#define WATCHES_EACH 512u /* of one instance */
#define TOKEN_WATCH 9u    /* rights that no file's token has */
#define RINGS_VA 0x630000000000ul
#define EVENT_MOST (sizeof(struct px_watch_event) + 256u)
#define ALIASES_MAX 8u /* names of one inode that are looked at */

static struct instance {
    uint32_t gen; /* 0: free */
    uint32_t tail;
    uint32_t last_wd, watches;
    uint16_t owner;
    bool overflowed;
    struct px_watch_event last; /* the event at the end, which is not said twice */
    char last_name[NAME_MAX + 1];
} instances[INSTANCES_MAX];
static uint32_t instance_gen, instance_count;

static struct watch {
    uint32_t ino; /* 0: free */
    uint32_t mask;
    int32_t wd;
    uint16_t instance;
} watches[WATCHES_MAX];

static uint32_t last_cookie;

static struct px_watch_ring *ring_of(const struct instance *instance)
{
    return (struct px_watch_ring *)(RINGS_VA + (uint64_t)(instance - instances) * PX_WATCH_PAGES * FS_PAGE);
}

/* ---- events ---- */

static void put_bytes(struct instance *instance, const void *bytes, uint32_t count)
{
    uint8_t *data = PX_WATCH_DATA(ring_of(instance));
    uint32_t at = instance->tail % PX_WATCH_RING, first = count < PX_WATCH_RING - at ? count : PX_WATCH_RING - at;

    memcpy(data + at, bytes, first);
    memcpy(data, (const uint8_t *)bytes + first, count - first);
    instance->tail += count;
}

static void publish(struct instance *instance)
{
    struct px_watch_ring *ring = ring_of(instance);

    __atomic_store_n(&ring->tail, instance->tail, __ATOMIC_RELEASE);
    __atomic_fetch_add(&ring->seq, 1, __ATOMIC_SEQ_CST);
    exo_wake_all(&ring->seq);
}

static bool said_already(const struct instance *instance, const struct px_watch_event *event, const char *name, unsigned length)
{
    const struct px_watch_event *last = &instance->last;

    return last->wd == event->wd && last->mask == event->mask && last->cookie == event->cookie && last->bytes == event->bytes &&
           !memcmp(instance->last_name, name, length);
}

static void put_event(struct instance *instance, int32_t wd, uint32_t mask, uint32_t cookie, const char *name, unsigned length)
{
    static const char zeros[16];
    struct px_watch_event event = {wd, mask, cookie, PX_WATCH_NAME_BYTES(length)};
    uint32_t used = instance->tail - __atomic_load_n(&ring_of(instance)->head, __ATOMIC_ACQUIRE);

    if (used && used <= PX_WATCH_RING && said_already(instance, &event, name, length))
        return;
    if (used > PX_WATCH_RING - 2 * EVENT_MOST) { /* one more is always room for: that there were too many */
        if (instance->overflowed || used > PX_WATCH_RING - EVENT_MOST)
            return;
        instance->overflowed = true;
        event = (struct px_watch_event){-1, IN_Q_OVERFLOW, 0, 0};
        length = 0;
    } else {
        instance->overflowed = false;
    }
    put_bytes(instance, &event, sizeof event);
    put_bytes(instance, name, length);
    put_bytes(instance, zeros, event.bytes - length);
    instance->last = event;
    memcpy(instance->last_name, name, length);
    publish(instance);
}

static void watch_end(struct watch *watch)
{
    uint32_t ino = watch->ino;

    instances[watch->instance].watches--;
    watch->ino = 0;
    fs_meta()->watches--;
    for (unsigned i = 0; i < WATCHES_MAX; i++)
        if (watches[i].ino == ino)
            return;
    fs_inode(ino)->flags &= ~(uint32_t)PX_INODE_WATCHED;
}

static void watch_ignored(struct watch *watch)
{
    put_event(&instances[watch->instance], watch->wd, IN_IGNORED, 0, "", 0);
    watch_end(watch);
}

/* Tells who watches the inode. */
FS_APART static void tell(uint32_t ino, uint32_t mask, uint32_t cookie, const char *name, unsigned length)
{
    if (!(fs_inode(ino)->flags & PX_INODE_WATCHED))
        return;
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        struct watch *watch = &watches[i];

        if (watch->ino != ino || !(watch->mask & mask & IN_ALL_EVENTS))
            continue;
        put_event(&instances[watch->instance], watch->wd, mask, cookie, name, length);
        if (watch->mask & IN_ONESHOT)
            watch_ignored(watch);
    }
}

static uint32_t directory_bit(const struct px_inode *inode)
{
    return S_ISDIR(inode->mode) ? IN_ISDIR : 0;
}

void fs_watch_name(const struct px_name *name, uint32_t mask, uint32_t cookie)
{
    tell(name->directory, mask | directory_bit(fs_inode(name->inode)), cookie, name->text, name->length);
}

void fs_watch_self(const struct px_inode *inode, uint32_t mask)
{
    tell(fs_number(inode), mask | (mask & (IN_DELETE_SELF | IN_MOVE_SELF) ? 0 : directory_bit(inode)), 0, "", 0);
}

void fs_watch_inode(const struct px_inode *inode, uint32_t mask)
{
    uint32_t at = inode->flags & PX_INODE_ORPHAN ? 0 : inode->name;

    for (unsigned i = 0; at && i < ALIASES_MAX; i++) {
        const struct px_name *name = fs_at(at);

        fs_watch_name(name, mask, 0);
        at = name->alias;
    }
    fs_watch_self(inode, mask);
}

uint32_t fs_watch_cookie(void)
{
    return ++last_cookie;
}

void fs_watch_gone(uint32_t ino)
{
    tell(ino, IN_DELETE_SELF, 0, "", 0);
    for (unsigned i = 0; i < WATCHES_MAX; i++)
        if (watches[i].ino == ino)
            watch_ignored(&watches[i]);
}

/* ---- instances ---- */

static void instance_end(struct instance *instance)
{
    for (unsigned i = 0; instance->watches && i < WATCHES_MAX; i++)
        if (watches[i].ino && &instances[watches[i].instance] == instance)
            watch_end(&watches[i]);
    os_pages_give(ring_of(instance), PX_WATCH_PAGES);
    instance->gen = 0;
    instance_count--;
}

void fs_watch_sweep(void)
{
    for (unsigned i = 0; instance_count && i < INSTANCES_MAX; i++) {
        uint64_t page = 0;

        if (instances[i].gen && exo_mem_query(fs_start->self, (uint64_t)ring_of(&instances[i]), 1, &page) == 1 &&
            !(page & EXO_QUERY_SHARED))
            instance_end(&instances[i]);
    }
}

static uint64_t ticket_of(const struct instance *instance)
{
    uint32_t i = (uint32_t)(instance - instances);

    return (fs_token(i, instance->gen, TOKEN_WATCH) & ~0xffffull) | i;
}

static struct instance *instance_of(uint64_t ticket)
{
    uint64_t i = ticket & 0xffff;

    return i < INSTANCES_MAX && instances[i].gen && ticket_of(&instances[i]) == ticket ? &instances[i] : NULL;
}

int64_t fs_watch_new(struct fs_request *request, uint64_t va)
{
    struct instance *place = NULL;
    unsigned own = 0;
    int64_t status;

    fs_watch_sweep();
    for (unsigned i = 0; i < INSTANCES_MAX; i++) {
        own += instances[i].gen && instances[i].owner == request->index;
        if (!instances[i].gen && !place)
            place = &instances[i];
    }
    if (!place || own >= INSTANCES_EACH)
        return -EMFILE;
    if (va % FS_PAGE || !os_pages_take(ring_of(place), PX_WATCH_PAGES))
        return va % FS_PAGE ? -EINVAL : -ENOMEM;
    status = os_share(request->caller.client, va, ring_of(place), PX_WATCH_PAGES, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
    if (status < 0) {
        os_pages_give(ring_of(place), PX_WATCH_PAGES);
        return status;
    }
    *place = (struct instance){.gen = ++instance_gen ? instance_gen : ++instance_gen, .owner = (uint16_t)request->index};
    instance_count++;
    request->message->word[1] = ticket_of(place);
    return 0;
}

/* ---- watches ---- */

static int64_t watch_more(struct watch *watch, uint32_t mask)
{
    if (mask & IN_MASK_CREATE)
        return -EEXIST;
    watch->mask = mask & IN_MASK_ADD ? watch->mask | mask : mask;
    return watch->wd;
}

int64_t fs_watch_add(struct fs_request *request, uint64_t ticket, uint64_t node, uint32_t mask)
{
    struct instance *instance = instance_of(ticket);
    struct px_inode *inode = fs_node(node);
    struct watch *place = NULL;

    if (!instance || !(mask & IN_ALL_EVENTS))
        return -EINVAL;
    if (!inode)
        return -ENOENT;
    if (!fs_may(&request->caller, inode, 4))
        return -EACCES;
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].ino == PX_FS_INO(node) && &instances[watches[i].instance] == instance)
            return watch_more(&watches[i], mask);
        if (!watches[i].ino && !place)
            place = &watches[i];
    }
    if (!place || instance->watches >= WATCHES_EACH || instance->last_wd == INT32_MAX)
        return -ENOSPC;
    *place = (struct watch){
        .ino = PX_FS_INO(node), .mask = mask, .wd = (int32_t)++instance->last_wd, .instance = (uint16_t)(instance - instances)};
    instance->watches++;
    inode->flags |= PX_INODE_WATCHED;
    fs_meta()->watches++;
    return place->wd;
}

int64_t fs_watch_remove(uint64_t ticket, uint64_t wd)
{
    struct instance *instance = instance_of(ticket);

    for (unsigned i = 0; instance && i < WATCHES_MAX; i++) {
        if (watches[i].ino && &instances[watches[i].instance] == instance && (uint64_t)watches[i].wd == wd) {
            watch_ignored(&watches[i]);
            return 0;
        }
    }
    return -EINVAL;
}

/* What a process does to a file without asking this server; who could not do it cannot say so. */
int64_t fs_watch_notice(const struct fs_request *request, uint64_t node, uint32_t mask, uint64_t token)
{
    const struct px_inode *inode = fs_node(node);

    if (!inode)
        return -ESTALE;
    if (mask & ~(IN_ACCESS | IN_OPEN | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE) || !mask)
        return -EINVAL;
    if (!fs_allowed(&request->caller, inode, PX_FS_INO(node), mask & IN_CLOSE_WRITE ? 2 : 4, token) &&
        !fs_allowed(&request->caller, inode, PX_FS_INO(node), mask & IN_OPEN ? 2 : 4, token))
        return -EACCES;
    fs_watch_inode(inode, mask);
    return 0;
}
