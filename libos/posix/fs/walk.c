/*
 * The path walk, entirely in this process: components are hashed while they are scanned and looked up in fs's
 * metadata. The whole walk is one look: if fs changed anything meanwhile it starts again. Nothing read is trusted
 * before the look is over but for being in range.
 *
 * A symbolic link's target is put in front of what is left of the path. The two lie together at the end of a buffer,
 * so that the next target can go in front of them again.
 */
#include "files.h"

#define LINK_SMALL 512u
#define LINK_LARGE (3 * PATH_MAX)

struct walk {
    const struct px_walk_from *from;
    struct px_region region;
    struct px_place *place;
    const char *path; /* what is left */
    uint32_t at;      /* the directory that `path` starts from */
    unsigned flags;
    unsigned links;
    char *buffer; /* for targets; its end moves down */
    size_t room;  /* bytes of the buffer before what is used */
    size_t bytes;
    bool in_buffer : 1; /* path is in the buffer */
    bool more_room : 1; /* the small buffer was not enough */
    const char *proc; /* the rest of a path that led to /proc or /sys */
    bool sysfs;       /* ... to the latter */
};

/* Puts a target in front of the rest. */
static int64_t push_target(struct walk *walk, const char *target, size_t length, const char *rest)
{
    if (!walk->in_buffer) {
        size_t left = strlen(rest) + 1;

        if (left > walk->bytes)
            goto full;
        walk->room = walk->bytes - left;
        memcpy(walk->buffer + walk->room, rest, left);
        walk->in_buffer = true;
    } else {
        walk->room = (size_t)(rest - walk->buffer);
    }
    if (length > walk->room)
        goto full;
    walk->room -= length;
    memcpy(walk->buffer + walk->room, target, length);
    walk->path = walk->buffer + walk->room;
    return 0;
full:
    walk->more_room = true;
    return -ENAMETOOLONG;
}

static int64_t follow(struct walk *walk, const struct px_inode *link, const char *rest)
{
    uint64_t length = PX_META_LOAD(link->size);
    const char *target = link->target;

    if (++walk->links > PX_LINKS_MAX || walk->flags & PX_WALK_NO_SYMLINKS)
        return -ELOOP;
    if (length >= PATH_MAX)
        return -EIO; /* torn: the look will tell */
    if (length >= PX_LINK_INLINE)
        target = px_region_at(&walk->region, PX_META_LOAD(link->link.at), length);
    if (!target || length == 0)
        return -ENOENT;
    if (target[0] == '/') {
        if (walk->flags & PX_WALK_BENEATH)
            return -EXDEV;
        walk->at = walk->from->root;
    }
    return push_target(walk, target, length, rest);
}

struct component {
    const char *text;
    unsigned length;
    uint32_t hash;
    const char *rest; /* behind it */
    bool last, slash;
};

/* Eight bytes of a string, of which what lies behind its end means nothing: read only where they are in one page. */
static inline uint64_t load_word(const char *text)
{
    uint64_t word = 0;

#ifndef EXO_HOST_TEST
    if (__builtin_expect(((uint64_t)text & (PX_PAGE - 1)) <= PX_PAGE - 8, 1))
        return px_name_word(text);
#endif
    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)(uint8_t)text[i] << (8 * i);
        if (!text[i])
            break;
    }
    return word;
}

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
#define SLASHES 0x2f2f2f2f2f2f2f2full

/* Length of the component that begins at text, and its hash: the lowest zero byte of a word is found exactly by (w -
 * ONES) & ~w & HIGHS. */
static inline unsigned scan(const char *text, uint32_t directory, uint32_t *hash)
{
    uint64_t sum = px_hash_start(directory);

    for (unsigned at = 0;; at += 8) {
        uint64_t word = load_word(text + at), slash = word ^ SLASHES;
        uint64_t stop = (((word - ONES) & ~word) | ((slash - ONES) & ~slash)) & HIGHS;

        if (stop) {
            unsigned rest = (unsigned)__builtin_ctzll(stop) & ~7u;

            if (rest)
                sum = px_hash_step(sum, word & ((1ull << rest) - 1));
            *hash = px_hash_end(sum);
            return at + rest / 8;
        }
        sum = px_hash_step(sum, word);
    }
}

/* Takes the next component; false: there is none. */
static bool take(struct walk *walk, struct component *component)
{
    const char *at = walk->path;

    while (*at == '/')
        at++;
    component->text = at;
    component->length = scan(at, walk->at, &component->hash);
    at += component->length;
    component->slash = *at == '/';
    component->rest = at;
    while (*at == '/')
        at++;
    component->last = !*at;
    return component->length > 0;
}

static void set_last(struct walk *walk, const struct component *component, uint32_t gen)
{
    struct px_place *place = walk->place;

    place->directory = PX_FS_NODE(walk->at, gen);
    place->length = (uint8_t)component->length;
    place->slash = component->slash;
    memcpy(place->name, component->text, component->length);
    place->name[component->length] = '\0';
    place->last = PX_LAST_NAME;
}

/* The walk ends at this inode. */
static int64_t arrive(struct walk *walk, uint32_t ino, const struct px_inode *inode, bool directory)
{
    px_node_fill(&walk->place->node, ino, inode);
    if ((directory || walk->flags & PX_WALK_DIRECTORY) && !S_ISDIR(walk->place->node.mode))
        return -ENOTDIR;
    return 0;
}

/* One named component. 1: go on. */
static int64_t step_name(struct walk *walk, const struct component *component, const struct px_inode *directory)
{
    const struct px_name *name;
    const struct px_inode *inode;
    uint32_t ino, mode;

    if (component->length > NAME_MAX)
        return -ENAMETOOLONG;
    if (component->last && walk->flags & (PX_WALK_PARENT | PX_WALK_NAME))
        set_last(walk, component, PX_META_LOAD(directory->gen));
    name = px_region_name(&walk->region, walk->at, component->hash, component->text, component->length);
    if (!name)
        return component->last && walk->flags & PX_WALK_PARENT ? 0 : -ENOENT;
    ino = PX_META_LOAD(name->inode);
    inode = px_region_inode(&walk->region, ino);
    if (!inode)
        return -EIO;
    mode = PX_META_LOAD(inode->mode);
    if (S_ISLNK(mode) && (!component->last || !(walk->flags & (component->slash ? PX_WALK_STAY : PX_WALK_NOFOLLOW)))) {
        int64_t status = follow(walk, inode, component->rest);

        return status < 0 ? status : 1;
    }
    if (PX_META_LOAD(inode->flags) & PX_INODE_PROCFS) {
        walk->proc = component->rest;
        walk->sysfs = PX_META_LOAD(inode->flags) & PX_INODE_SYSFS;
        return walk->flags & PX_WALK_NO_XDEV ? -EXDEV : 0;
    }
    if (component->last)
        return arrive(walk, ino, inode, component->slash && !(walk->flags & PX_WALK_STAY));
    if (!S_ISDIR(mode))
        return -ENOTDIR;
    walk->at = ino;
    walk->path = component->rest;
    return 1;
}

/* `.` and `..`. 1: go on. */
static int64_t step_dots(struct walk *walk, const struct component *component, const struct px_inode *directory)
{
    if (component->length == 2 && walk->flags & PX_WALK_BENEATH && walk->at == walk->from->start)
        return -EXDEV;
    if (component->length == 2 && walk->at != walk->from->root)
        walk->at = PX_META_LOAD(directory->parent);
    walk->path = component->rest;
    if (!component->last)
        return 1;
    walk->place->last = component->length == 1 ? PX_LAST_DOT : PX_LAST_DOTDOT;
    walk->place->slash = component->slash;
    walk->place->directory = 0;
    directory = px_region_inode(&walk->region, walk->at);
    return directory ? arrive(walk, walk->at, directory, true) : -EIO;
}

static bool is_dots(const struct component *component)
{
    const char *text = component->text;

    return text[0] == '.' && (component->length == 1 || (component->length == 2 && text[1] == '.'));
}

/* One pass. 0: place is filled in, or walk->proc is set. */
static int64_t walk_once(struct walk *walk)
{
    struct component component;
    int64_t status = 1;

    /* Each step takes a component of the path or of one of at most 40 targets. */
    while (status == 1) {
        const struct px_inode *directory = px_region_inode(&walk->region, walk->at);
        uint32_t mode = directory ? PX_META_LOAD(directory->mode) : 0;

        if (!S_ISDIR(mode))
            return -ENOTDIR;
        if (!take(walk, &component)) {
            walk->place->last = PX_LAST_ROOT;
            walk->place->directory = 0;
            return arrive(walk, walk->at, directory, true);
        }
        if (!px_may(walk->from->ids, mode, PX_META_LOAD(directory->uid), PX_META_LOAD(directory->gid), 1))
            return -EACCES;
        status =
            is_dots(&component) ? step_dots(walk, &component, directory) : step_name(walk, &component, directory);
    }
    return status;
}

/* Where a path below /proc comes out of it again through `..`, or NULL. */
static const char *leaves_proc(const char *path)
{
    unsigned depth = 0;

    for (;;) {
        size_t length = 0;

        while (*path == '/')
            path++;
        while (path[length] && path[length] != '/')
            length++;
        if (length == 0)
            return NULL;
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            if (depth-- == 0)
                return path + 2;
        } else if (!(length == 1 && path[0] == '.')) {
            depth++;
        }
        path += length;
    }
}

/* In /proc: the rest is FD's, unless it comes out again; then 1, and the walk goes on above with *out. walk->at is
 * the directory that /proc is in. */
static int64_t walk_proc(struct walk *walk, const char **out)
{
    const char *rest = walk->proc;
    struct px_place *place = walk->place;

    *out = leaves_proc(rest);
    walk->proc = NULL;
    if (*out)
        return 1;
    while (*rest == '/')
        rest++;
    if (*rest) { /* else it is the mount point itself, which has a name */
        place->directory = 0;
        place->last = PX_LAST_NAME;
        place->length = 0;
        place->slash = rest[strlen(rest) - 1] == '/';
    }
    return px_procfs_walk(rest, (walk->flags & ~(PX_WALK_PARENT | PX_WALK_STAY)) | (walk->sysfs ? PX_WALK_SYSFS : 0), &place->node);
}

static int64_t walk_fs(struct walk *walk, const char *path, uint32_t start)
{
    struct px_look look;
    int64_t status;

    px_look_start(&look);
    do {
        walk->region = look.region;
        walk->place->node.kind = 0;
        walk->path = path;
        walk->at = start;
        walk->links = 0;
        walk->proc = NULL;
        walk->in_buffer = false;
        walk->more_room = false;
        status = walk_once(walk);
    } while (px_look_again(&look));
    return look.failed ? -EIO : status;
}

PX_HOT static int64_t walk_with(struct walk *walk, const char *path)
{
    char again[LINK_SMALL]; /* a path that left /proc */
    uint32_t start = *path == '/' ? walk->from->root : walk->from->start;
    const char *out = NULL;

    for (unsigned rounds = 0; rounds < PX_LINKS_MAX; rounds++) {
        int64_t status = walk_fs(walk, path, start);

        if (!walk->proc || status < 0)
            return status;
        status = walk_proc(walk, &out);
        if (status != 1)
            return status;
        if (walk->flags & PX_WALK_INSIDE)
            return -EXDEV;
        if (strlen(out) >= sizeof again)
            return -ENAMETOOLONG;
        memmove(again, out, strlen(out) + 1);
        path = again;
        start = walk->at;
    }
    return -ELOOP;
}

/* ---- the short way --------------------------------------------------------------------------------------------- */

#define SLOW 1 /* something that only the walk above can do */
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
 * The walk for what most paths are: plain names of directories that may be searched, and at the end something that is
 * there. Anything else is SLOW: dots, symbolic links, /proc, slashes at the end, what is missing. The same look as a
 * walk; nothing is copied but the node.
 */
static inline int64_t walk_quick(const struct px_walk_from *from, const struct px_region *region, const char *path,
                                 uint32_t *ino)
{
    uint32_t at = *path == '/' ? from->root : from->start;
    struct quick quick;

    if (!quick_start(&quick, region, from->ids))
        return SLOW;
    for (;;) {
        uint32_t hash, mode;
        unsigned length;
        const struct px_inode *inode = (const struct px_inode *)(quick.base + (uint64_t)at * PX_INODE_BYTES);
        const struct px_name *name;
        const char *text;

        while (*path == '/')
            path++;
        text = path;
        if (*text == '.' || !*text || (uint64_t)at * PX_INODE_BYTES >= quick.limit)
            return SLOW;
        length = scan(text, at, &hash);
        path += length;
        mode = PX_META_LOAD(inode->mode);
        if (!S_ISDIR(mode) ||
            !(quick.super || px_may(from->ids, mode, PX_META_LOAD(inode->uid), PX_META_LOAD(inode->gid), 1)))
            return SLOW;
        name = quick_name(&quick, at, hash, text, length);
        if (!name)
            return SLOW;
        at = PX_META_LOAD(name->inode);
        inode = (const struct px_inode *)(quick.base + (uint64_t)at * PX_INODE_BYTES);
        if ((uint64_t)at * PX_INODE_BYTES >= quick.limit || S_ISLNK(PX_META_LOAD(inode->mode)) ||
            PX_META_LOAD(inode->flags) & PX_INODE_PROCFS)
            return SLOW;
        if (!*path) {
            *ino = at;
            return 0;
        }
    }
}

PX_HOT static __attribute__((noinline)) int64_t walk_slow(const struct px_walk_from *from, const char *path, unsigned flags,
                                                   struct px_place *place)
{
    char small[LINK_SMALL];
    struct walk walk = {
        .from = from, .place = place, .flags = flags, .buffer = small, .bytes = sizeof small, .room = sizeof small};
    int64_t status = walk_with(&walk, path);

    if (!walk.more_room)
        return status;
    walk = (struct walk){.from = from,
                         .place = place,
                         .flags = flags,
                         .buffer = px_alloc(LINK_LARGE),
                         .bytes = LINK_LARGE,
                         .room = LINK_LARGE};
    if (!walk.buffer)
        return -ENOMEM;
    status = walk_with(&walk, path);
    px_free(walk.buffer);
    return status;
}

PX_HOT int64_t px_walk_from(const struct px_walk_from *from, const char *path, unsigned flags, struct px_place *place)
{
    struct px_look look;
    int64_t status;
    uint32_t ino = 0;

    if (flags & ~(PX_WALK_NOFOLLOW | PX_WALK_EMPTY | PX_WALK_DIRECTORY))
        return walk_slow(from, path, flags, place);
    px_look_start(&look);
    do {
        status = walk_quick(from, &look.region, path, &ino);
        if (status == 0)
            px_node_fill(&place->node, ino,
                         (const struct px_inode *)(look.region.base + (uint64_t)ino * PX_INODE_BYTES));
    } while (px_look_again(&look));
    if (status == SLOW || look.failed)
        return walk_slow(from, path, flags, place);
    return flags & PX_WALK_DIRECTORY && !S_ISDIR(place->node.mode) ? -ENOTDIR : 0;
}

bool px_walk_stat(const struct px_walk_from *from, const char *path, struct px_stat *stat)
{
    struct px_look look;
    int64_t status;
    uint32_t ino = 0;

    px_look_start(&look);
    do {
        status = walk_quick(from, &look.region, path, &ino);
        if (status == 0)
            px_stat_fill(stat, ino, (const struct px_inode *)(look.region.base + (uint64_t)ino * PX_INODE_BYTES));
    } while (px_look_again(&look));
    return status == 0 && !look.failed;
}
