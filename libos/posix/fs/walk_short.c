/* The walk for most paths, in one look and few instructions (px_walk_from); what it can not do, px_walk_long does. */
#include "walk.h"

#define SLOW 1 /* something that only the long walk can do */
#define ENTRY_ROOM (sizeof(struct px_name) + NAME_MAX + 1)

struct quick {
    const uint8_t *base;
    uint64_t limit; /* a name at an offset below lies in the region whatever its length */
    const uint32_t *buckets;
    uint32_t mask;
    bool super; /* user 0 may search everywhere */
};

static bool quick_start(struct quick *quick, const struct px_region *region, const struct px_ids *ids)
{
    const struct px_meta *meta = (const struct px_meta *)region->base;
    uint64_t mask = PX_META_LOAD(meta->hash_mask);

    quick->base = region->base;
    quick->limit = region->bytes - ENTRY_ROOM;
    quick->buckets = px_region_at(region, PX_META_LOAD(meta->hash), (mask + 1) * 4);
    quick->mask = (uint32_t)mask;
    quick->super = ids->uid == 0;
    return quick->buckets;
}

static inline const struct px_name *quick_name(const struct quick *quick, uint32_t directory, uint32_t hash,
                                               const char *text, unsigned length)
{
    uint32_t at = PX_META_LOAD(quick->buckets[hash & quick->mask]);

    for (unsigned steps = 0; at && at < quick->limit && steps < PX_CHAIN_MAX; steps++) {
        const struct px_name *name = (const struct px_name *)(quick->base + at / sizeof(uint64_t) * sizeof(uint64_t)); /* in a torn look it may be any number */

        if (PX_META_LOAD(name->hash) == hash && PX_META_LOAD(name->directory) == directory &&
            PX_META_LOAD(name->length) == length && px_name_equal(name->text, text, length))
            return name;
        at = PX_META_LOAD(name->next);
    }
    return NULL;
}

/*
 * The directory that the last short walk came through, by the bytes of the path before its last component. It is still there while fs's `paths` is what
 * it was: no directory has lost its name or got another mode. Kept only if everybody may search what lies on the way; the directory itself is asked at
 * each walk. Threads share it: `turn` is odd while one writes.
 */
#define PASSED_BYTES 48u

PX_HOT_DATA static struct {
    uint32_t turn, length;
    uint32_t from, at; /* inodes */
    uint64_t paths;
    uint64_t text[PASSED_BYTES / 8]; /* the last word filled up with zeros */
} passed;

/* Eight bytes of a path, of which those from `left` on are not wanted. */
static inline uint64_t load_some(const char *text, unsigned left)
{
    return left < 8 ? px_load_word(text) & ((1ull << 8 * left) - 1) : px_load_word(text);
}

/* The bytes of path that lead to *at, which was where it starts from. */
static inline unsigned use_passed(const struct px_region *region, const char *path, uint32_t *at)
{
    const struct px_meta *meta = (const struct px_meta *)region->base;
    uint32_t turn = __atomic_load_n(&passed.turn, __ATOMIC_ACQUIRE), length = PX_META_LOAD(passed.length), to = PX_META_LOAD(passed.at);

    if (turn & 1 || !length || PX_META_LOAD(passed.from) != *at || PX_META_LOAD(passed.paths) != PX_META_LOAD(meta->paths))
        return 0;
    for (unsigned i = 0; i < length && i < PASSED_BYTES; i += 8)
        if (load_some(path + i, length - i) != PX_META_LOAD(passed.text[i / 8])) /* an end of the path does not match */
            return 0;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (PX_META_LOAD(passed.turn) != turn)
        return 0;
    *at = to;
    return length;
}

/* After a look that held: what was read in one that did not may lead anywhere. */
static inline void keep_passed(uint64_t paths, uint32_t from, uint32_t at, const char *path, unsigned length)
{
    uint32_t turn = PX_META_LOAD(passed.turn);

    if (length == 0 || length > PASSED_BYTES || turn & 1 ||
        !__atomic_compare_exchange_n(&passed.turn, &turn, turn + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&passed.length, length, __ATOMIC_RELAXED);
    __atomic_store_n(&passed.from, from, __ATOMIC_RELAXED);
    __atomic_store_n(&passed.at, at, __ATOMIC_RELAXED);
    __atomic_store_n(&passed.paths, paths, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < length; i += 8)
        __atomic_store_n(&passed.text[i / 8], load_some(path + i, length - i), __ATOMIC_RELAXED);
    __atomic_store_n(&passed.turn, turn + 2, __ATOMIC_RELEASE);
}

/* Where a short walk ended. */
struct quick_end {
    uint32_t directory, ino; /* ino 0: the directory has no such name */
    const char *text;        /* the name */
    unsigned length;
    unsigned keep; /* bytes of the path to its directory, if that is to be kept */
    uint32_t first;
    uint64_t paths;
};

/*
 * The walk for what most paths are: plain names of directories that may be searched, and at the end a name. Anything else is SLOW: dots, symbolic
 * links (`itself`: but for the last), /proc, slashes at the end. The same look as a walk; nothing is copied.
 */
PX_HOT static int64_t walk_quick(const struct px_walk_from *from, const struct px_region *region, const char *path, bool itself, struct quick_end *end)
{
    uint32_t at = *path == '/' ? from->root : from->start, first = at;
    const char *begun = path;
    bool open = true; /* everybody may search what was passed */
    struct quick quick;
    unsigned known;

    if (!quick_start(&quick, region, from->ids))
        return SLOW;
    known = use_passed(region, path, &at);
    path += known;
    for (;;) {
        uint32_t hash, mode;
        const struct px_inode *inode = (const struct px_inode *)(quick.base + (uint64_t)at * PX_INODE_BYTES);
        const struct px_name *name;

        while (*path == '/')
            path++;
        end->text = path;
        if (*path == '.' || !*path || (uint64_t)at * PX_INODE_BYTES >= quick.limit)
            return SLOW;
        end->length = px_scan(path, at, &hash);
        path += end->length;
        mode = PX_META_LOAD(inode->mode);
        if (!S_ISDIR(mode) || end->length > NAME_MAX ||
            !(quick.super || px_may(from->ids, mode, PX_META_LOAD(inode->uid), PX_META_LOAD(inode->gid), 1)))
            return SLOW;
        end->directory = at;
        name = quick_name(&quick, at, hash, end->text, end->length);
        if (name) {
            at = PX_META_LOAD(name->inode);
            inode = (const struct px_inode *)(quick.base + (uint64_t)at * PX_INODE_BYTES);
            if ((uint64_t)at * PX_INODE_BYTES >= quick.limit || (S_ISLNK(PX_META_LOAD(inode->mode)) && (*path || !itself)) ||
                PX_META_LOAD(inode->flags) & PX_INODE_PROCFS)
                return SLOW;
        }
        if (!*path) {
            end->ino = name ? at : 0;
            end->first = first;
            end->paths = PX_META_LOAD(((const struct px_meta *)region->base)->paths);
            end->keep = open && end->directory != first && end->text != begun + known ? (unsigned)(end->text - begun) : 0;
            return 0;
        }
        if (!name)
            return SLOW;
        open &= (mode & 0111) == 0111;
    }
}

PX_HOT int64_t px_walk_from(const struct px_walk_from *from, const char *path, unsigned flags, struct px_place *place)
{
    struct px_look look;
    struct quick_end end;
    uint32_t gen = 0;
    int64_t status;

    if (flags & ~(PX_WALK_NOFOLLOW | PX_WALK_STAY | PX_WALK_EMPTY | PX_WALK_DIRECTORY | PX_WALK_PARENT | PX_WALK_NAME))
        return px_walk_long(from, path, flags, place);
    px_look_start(&look);
    do {
        status = walk_quick(from, &look.region, path, flags & PX_WALK_NOFOLLOW, &end);
        if (status == 0) {
            const struct px_inode *inodes = (const struct px_inode *)look.region.base;

            if (end.ino)
                px_node_fill(&place->node, end.ino, &inodes[end.ino]);
            gen = PX_META_LOAD(inodes[end.directory].gen);
        }
    } while (px_look_again(&look));
    if (status == SLOW || look.failed)
        return px_walk_long(from, path, flags, place);
    keep_passed(end.paths, end.first, end.directory, path, end.keep);
    if (!end.ino && !(flags & PX_WALK_PARENT))
        return -ENOENT;
    if (!end.ino)
        place->node.kind = 0;
    else if (flags & PX_WALK_DIRECTORY && !S_ISDIR(place->node.mode))
        return -ENOTDIR;
    if (flags & (PX_WALK_PARENT | PX_WALK_NAME))
        px_set_last(place, end.directory, gen, end.text, end.length, false);
    return 0;
}

bool px_walk_stat(const struct px_walk_from *from, const char *path, struct px_stat *stat)
{
    struct px_look look;
    struct quick_end end;
    int64_t status;

    px_look_start(&look);
    do {
        status = walk_quick(from, &look.region, path, false, &end);
        if (status == 0 && end.ino)
            px_stat_fill(stat, end.ino, (const struct px_inode *)(look.region.base + (uint64_t)end.ino * PX_INODE_BYTES));
    } while (px_look_again(&look));
    if (status == SLOW || look.failed)
        return false;
    keep_passed(end.paths, end.first, end.directory, path, end.keep);
    return end.ino;
}

/* Another thread may have been writing, and is not here. */
void px_walk_fork_child(void)
{
    passed.turn = 0;
    passed.length = 0;
}
