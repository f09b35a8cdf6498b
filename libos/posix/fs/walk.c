/*
 * The path walk, entirely in this process: components are hashed while they are scanned and looked up in fs's
 * metadata. The whole walk is one look: if fs changed anything meanwhile it starts again. Nothing read is trusted
 * before the look is over but for being in range.
 *
 * A symbolic link's target is put in front of what is left of the path. The two lie together at the end of a buffer,
 * so that the next target can go in front of them again.
 */
#include "walk.h"

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

/* Takes the next component; false: there is none. */
static bool take(struct walk *walk, struct component *component)
{
    const char *at = walk->path;

    while (*at == '/')
        at++;
    component->text = at;
    component->length = px_scan(at, walk->at, &component->hash);
    at += component->length;
    component->slash = *at == '/';
    component->rest = at;
    while (*at == '/')
        at++;
    component->last = !*at;
    return component->length > 0;
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
        px_set_last(walk->place, walk->at, PX_META_LOAD(directory->gen), component->text, component->length, component->slash);
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

static int64_t walk_with(struct walk *walk, const char *path)
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

PX_APART int64_t px_walk_long(const struct px_walk_from *from, const char *path, unsigned flags, struct px_place *place)
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
