/* System V shared memory: segments by key, within a zone. A segment's file counts one link, which IPC_RMID takes away; then it goes when nobody has it
 * mapped, as files do. */
#include "serve.h"
#include "shm.h"

#define SEQ_STEP 32768
#define SEQ_MAX 65535u

static struct segment {
    uint32_t ino, gen; /* ino 0: free */
    int32_t key;
    uint16_t zone, seq;
    uint32_t cuid, cgid;
    uint64_t size;
    int64_t atime, dtime, ctime;
    int32_t cpid, lpid;
    bool removed;
} segments[PX_SHM_MAX];
static uint16_t last_seq;

static int32_t id_of(const struct segment *segment)
{
    return (int32_t)(segment - segments) + segment->seq * SEQ_STEP;
}

static const struct px_proc *process_of(const struct fs_request *request)
{
    return PX_PROC(PX_PROCTAB, request->index);
}

/* An inode that is gone, or another file by now: the segment is over. */
static struct px_inode *inode_of(struct segment *segment)
{
    struct px_inode *inode = segment->ino ? fs_node(PX_FS_NODE(segment->ino, segment->gen)) : NULL;

    if (!inode)
        segment->ino = 0;
    return inode;
}

static struct segment *by_id(const struct fs_request *request, int32_t id)
{
    struct segment *segment = &segments[(uint32_t)id % SEQ_STEP % PX_SHM_MAX];

    if (id < 0 || (uint32_t)id % SEQ_STEP >= PX_SHM_MAX || !inode_of(segment) || segment->zone != process_of(request)->zone ||
        id_of(segment) != id)
        return NULL;
    return segment;
}

/* Who made it counts as its owner, too. */
static bool owns(const struct fs_caller *caller, const struct segment *segment)
{
    return caller->uid == 0 || caller->uid == fs_inode(segment->ino)->uid || caller->uid == segment->cuid;
}

static bool may(const struct fs_caller *caller, const struct segment *segment, unsigned want)
{
    unsigned bits = fs_inode(segment->ino)->mode;

    if (caller->uid == 0)
        return true;
    if (owns(caller, segment))
        bits >>= 6;
    else if (fs_in_group(caller, fs_inode(segment->ino)->gid) || fs_in_group(caller, segment->cgid))
        bits >>= 3;
    return (want & ~bits & 6) == 0;
}

static int64_t now_seconds(void)
{
    return PX_TIME_SECONDS(os_now());
}

static int64_t make(struct fs_request *request, const struct px_shm *ask)
{
    const struct fs_caller *caller = &request->caller;
    struct segment *place = NULL;
    uint32_t ino;

    for (unsigned i = 0; i < PX_SHM_MAX && !place; i++)
        if (!inode_of(&segments[i]))
            place = &segments[i];
    if (!place || !fs_label_inode_room(caller->label))
        return -ENOSPC;
    if (ask->size == 0 || ask->size > fs_meta()->data_pages_max * FS_PAGE)
        return -EINVAL;
    ino = fs_inode_new(S_IFREG | (ask->flags & 0777), caller->uid, caller->gid, 0);
    if (!ino)
        return -ENOSPC;
    fs_label_set(fs_inode(ino), caller->label);
    fs_inode(ino)->nlink = 1;
    fs_inode(ino)->size = (ask->size + FS_PAGE - 1) / FS_PAGE * FS_PAGE;
    if (++last_seq > SEQ_MAX - 1)
        last_seq = 1;
    *place = (struct segment){.ino = ino,
        .gen = fs_inode(ino)->gen,
        .key = ask->key,
        .zone = process_of(request)->zone,
        .seq = last_seq,
        .cuid = caller->uid,
        .cgid = caller->gid,
        .size = ask->size,
        .ctime = now_seconds(),
        .cpid = process_of(request)->pid};
    return id_of(place);
}

static int64_t get(struct fs_request *request, const struct px_shm *ask)
{
    for (unsigned i = 0; ask->key != IPC_PRIVATE && i < PX_SHM_MAX; i++) {
        struct segment *segment = &segments[i];
        unsigned want = (ask->flags >> 6 | ask->flags >> 3 | ask->flags) & 6;

        if (!inode_of(segment) || segment->removed || segment->key != ask->key || segment->zone != process_of(request)->zone)
            continue;
        if ((ask->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
            return -EEXIST;
        if (ask->size > segment->size)
            return -EINVAL;
        return may(&request->caller, segment, want) ? id_of(segment) : -EACCES;
    }
    return ask->key == IPC_PRIVATE || ask->flags & IPC_CREAT ? make(request, ask) : -ENOENT;
}

/* Processes that say that they hold the inode. */
static uint64_t holders_of(uint32_t ino)
{
    struct fs_hazards hazards;
    unsigned cursor = 0;
    uint64_t count = 0;

    while (os_next_hazards(&cursor, &hazards)) {
        for (uint32_t i = 0; i < hazards.count; i++) {
            if (PX_HAZARD_INO(__atomic_load_n(&hazards.ino[i], __ATOMIC_ACQUIRE)) == ino) {
                count++;
                break;
            }
        }
    }
    return count;
}

static int64_t attach(struct fs_request *request, struct px_shm *ask)
{
    struct segment *segment = by_id(request, ask->id);

    if (!segment)
        return -EINVAL;
    if (!may(&request->caller, segment, ask->flags & SHM_RDONLY ? 4 : 6))
        return -EACCES;
    segment->atime = now_seconds();
    segment->lpid = process_of(request)->pid;
    ask->node = PX_FS_NODE(segment->ino, segment->gen);
    ask->size = segment->size;
    request->message->word[1] = fs_token(segment->ino, segment->gen, ask->flags & SHM_RDONLY ? 4 : 6);
    return 0;
}

static int64_t detach(struct fs_request *request, const struct px_shm *ask)
{
    for (unsigned i = 0; i < PX_SHM_MAX; i++) {
        if (segments[i].ino && PX_FS_NODE(segments[i].ino, segments[i].gen) == ask->node && segments[i].zone == process_of(request)->zone) {
            segments[i].dtime = now_seconds();
            segments[i].lpid = process_of(request)->pid;
        }
    }
    return 0;
}

static int64_t describe(struct fs_request *request, struct px_shm *ask)
{
    uint32_t flags = ask->flags;
    struct segment *segment;
    const struct px_inode *inode;

    if (flags & PX_SHM_BY_INDEX)
        segment = ask->id >= 0 && (uint32_t)ask->id < PX_SHM_MAX && inode_of(&segments[ask->id]) &&
                          segments[ask->id].zone == process_of(request)->zone
                      ? &segments[ask->id]
                      : NULL;
    else
        segment = by_id(request, ask->id);
    if (!segment)
        return -EINVAL;
    if (!(flags & PX_SHM_ANYBODY) && !may(&request->caller, segment, 4))
        return -EACCES;
    inode = fs_inode(segment->ino);
    *ask = (struct px_shm){.key = segment->removed ? IPC_PRIVATE : segment->key,
        .id = id_of(segment),
        .uid = inode->uid,
        .gid = inode->gid,
        .cuid = segment->cuid,
        .cgid = segment->cgid,
        .mode = (inode->mode & 0777) | (segment->removed ? SHM_DEST : 0),
        .size = segment->size,
        .atime = segment->atime,
        .dtime = segment->dtime,
        .ctime = segment->ctime,
        .cpid = segment->cpid,
        .lpid = segment->lpid,
        .attached = holders_of(segment->ino)};
    return id_of(segment);
}

static int64_t change(struct fs_request *request, const struct px_shm *ask, bool remove)
{
    struct segment *segment = by_id(request, ask->id);
    struct px_inode *inode;

    if (!segment)
        return -EINVAL;
    if (!owns(&request->caller, segment))
        return -EPERM;
    inode = fs_inode(segment->ino);
    if (!remove) {
        inode->uid = ask->uid;
        inode->gid = ask->gid;
        inode->mode = S_IFREG | (ask->mode & 0777);
        segment->ctime = now_seconds();
        return 0;
    }
    if (!segment->removed) {
        segment->removed = true;
        inode->nlink = 0;
        fs_orphan(segment->ino, NULL, 0);
        fs_orphans_sweep();
    }
    return 0;
}

static int64_t count(struct fs_request *request, struct px_shm *ask)
{
    int64_t highest = 0;

    ask->used = ask->pages = 0;
    for (unsigned i = 0; i < PX_SHM_MAX; i++) {
        const struct px_inode *inode = inode_of(&segments[i]);

        if (!inode || segments[i].zone != process_of(request)->zone)
            continue;
        ask->used++;
        ask->pages += inode->pages;
        highest = i;
    }
    return highest;
}

int64_t fs_shm(struct fs_request *request)
{
    struct px_shm ask;
    int64_t status;

    memcpy(&ask, request->page, sizeof ask);
    switch (request->message->word[2]) {
    case PX_SHM_GET:
        status = get(request, &ask);
        break;
    case PX_SHM_ATTACH:
        status = attach(request, &ask);
        break;
    case PX_SHM_DETACH:
        status = detach(request, &ask);
        break;
    case PX_SHM_STAT:
        status = describe(request, &ask);
        break;
    case PX_SHM_SET:
        status = change(request, &ask, false);
        break;
    case PX_SHM_REMOVE:
        status = change(request, &ask, true);
        break;
    case PX_SHM_INFO:
        status = count(request, &ask);
        break;
    default:
        status = -EINVAL;
        break;
    }
    if (status >= 0)
        memcpy((void *)(uintptr_t)request->page, &ask, sizeof ask);
    return status;
}
