/* Where a path begins: at the root, the current directory, or an open directory; and what the libOS's other parts ask
 * by path. */
#include "files.h"

/* The walk goes through the path of a directory in /proc. */
PX_APART static int64_t walk_below_proc(const char *base, const char *path, unsigned flags, const struct px_ids *ids,
                               struct px_place *place)
{
    const uint32_t root = PX_META_LOAD(px_meta()->root);
    const struct px_walk_from from = {root, root, ids};
    size_t base_bytes = strlen(base), path_bytes = strlen(path);
    char *joined;
    int64_t status;

    if (base_bytes + path_bytes + 2 > PATH_MAX)
        return -ENAMETOOLONG;
    joined = px_alloc(PATH_MAX);
    if (!joined)
        return -ENOMEM;
    memcpy(joined, base, base_bytes);
    joined[base_bytes] = '/';
    memcpy(joined + base_bytes + 1, path, path_bytes + 1);
    status = px_walk_from(&from, joined, flags, place);
    px_free(joined);
    return status;
}

PX_APART static int64_t walk_from_description(const struct px_ofd *ofd, const char *path, unsigned flags,
                                     const struct px_ids *ids, struct px_place *place)
{
    struct px_walk_from from = {.root = (uint32_t)px_root.ino, .ids = ids};
    struct px_node node = ofd->node;

    if (node.kind == PX_NODE_PROC && S_ISDIR(node.mode)) {
        char base[PX_BASE_MAX];
        int64_t length = px_procfs_path(&node, base, sizeof base - 1);

        if (length < 0)
            return length;
        base[length] = '\0';
        return walk_below_proc(base, path, flags, ids, place);
    }
    if (node.kind != PX_NODE_FS || !S_ISDIR(node.mode) || !px_held_inode(&node))
        return -ENOTDIR;
    from.start = (uint32_t)node.ino;
    if (flags & PX_WALK_IN_ROOT)
        from.root = from.start;
    return px_walk_from(&from, path, flags, place);
}

/* An empty path names the descriptor itself. */
PX_APART static int64_t find_descriptor(int dirfd, struct px_place *place)
{
    const struct px_ofd *ofd;

    memset(place, 0, offsetof(struct px_place, name));
    place->last = PX_LAST_DOT;
    if (dirfd == AT_FDCWD)
        return px_find(AT_FDCWD, ".", 0, NULL, place);
    ofd = px_fd_get(dirfd);
    if (!ofd)
        return -EBADF;
    place->node = ofd->node;
    if (place->node.kind == PX_NODE_FS) {
        const struct px_inode *inode = px_held_inode(&place->node);

        if (inode)
            px_node_fill(&place->node, (uint32_t)place->node.ino, inode);
    }
    return 0;
}

PX_PACKED(walk) PX_WHOLE int64_t px_find(int dirfd, const char *path, unsigned flags, const struct px_ids *ids, struct px_place *place)
{
    struct px_walk_from from = {.start = px_cwd.ino, .root = (uint32_t)px_root.ino, .ids = ids};
    struct px_ids effective;
    const struct px_ofd *ofd;

    if (!*path)
        return flags & PX_WALK_EMPTY ? find_descriptor(dirfd, place) : -ENOENT;
    if (!ids) {
        px_ids_effective(&effective);
        from.ids = ids = &effective;
    }
    if (*path == '/' && flags & PX_WALK_BENEATH)
        return -EXDEV;
    if (dirfd == AT_FDCWD && flags & PX_WALK_IN_ROOT && from.start)
        from.root = from.start;
    if ((*path == '/' && (dirfd == AT_FDCWD || !(flags & PX_WALK_IN_ROOT))) || (dirfd == AT_FDCWD && from.start))
        return px_walk_from(&from, path, flags, place);
    if (dirfd == AT_FDCWD)
        return walk_below_proc(px_cwd.proc, path, flags, ids, place);
    ofd = px_fd_get(dirfd);
    return ofd ? walk_from_description(ofd, path, flags, ids, place) : -EBADF;
}

PX_PACKED(walk) int64_t px_find_user(int dirfd, px_user path, unsigned flags, struct px_place *place)
{
    char text[PATH_MAX];
    int64_t length = px_copy_string(text, path, sizeof text);

    return length < 0 ? length : px_find(dirfd, text, flags, NULL, place);
}

int64_t px_walk(int dirfd, const char *path, unsigned flags, struct px_node *node)
{
    struct px_place place;
    int64_t status = px_find(dirfd, path, flags, NULL, &place);

    if (status == 0)
        *node = place.node;
    return status;
}

int64_t px_node_access(const struct px_node *node, unsigned want)
{
    struct px_ids ids;

    px_ids_effective(&ids);
    return px_may(&ids, node->mode, node->uid, node->gid, want) ? 0 : -EACCES;
}

int64_t px_node_stat(const struct px_node *node, struct px_stat *stat)
{
    struct px_look look;
    bool found;

    if (node->kind == PX_NODE_PROC)
        return px_procfs_stat(node, stat);
    px_look_start(&look);
    do {
        const struct px_inode *inode = px_region_inode(&look.region, (uint32_t)node->ino);

        found = inode && PX_META_LOAD(inode->mode) && PX_META_LOAD(inode->gen) == node->gen;
        if (found)
            px_stat_fill(stat, (uint32_t)node->ino, inode);
    } while (px_look_again(&look));
    return look.failed ? -EIO : found ? 0 : -ENOENT;
}
