/*
 * What the tests of the path walk share: the libOS's walk as it is, names made by the server's own code, a plain resolver, random trees and paths.
 */
#ifndef FILES_WALK_H
#define FILES_WALK_H
#include <pthread.h>
#undef unix

#include "files_fake.h"

#define find window_find
#define take window_take
#define clear window_clear
#include "fs/window.c"
#include "fs/tail.c"
#undef find
#undef take
#undef clear
#include "fs/directory.c"

int64_t px_file_seek(struct px_ofd *ofd, int64_t offset, int whence, uint64_t size)
{
    (void)size;
    if (whence == SEEK_CUR)
        offset += (int64_t)ofd->offset;
    ofd->offset = (uint64_t)offset;
    return offset;
}
const struct px_ops *const px_ops[PX_OFD_KINDS];

static uint32_t make(uint32_t directory, const char *name, uint32_t mode, const char *target)
{
    struct fs_new new = {.mode = mode,
                         .name = name,
                         .name_bytes = (uint32_t)strlen(name),
                         .target = target,
                         .target_bytes = target ? (uint32_t)strlen(target) : 0};
    uint32_t ino;
    int64_t status;

    fs_change_begin();
    status = fs_create(&super, fs_node_of(directory), &new, &ino);
    fs_change_end();
    return status == 0 ? ino : 0;
}

/* ---- a plain resolver ------------------------------------------------------------------------------------------ */

/* Takes the path apart by copying; recursion for links. Result: inode number or -errno. */
static int64_t resolve(uint32_t at, const char *path, bool follow, unsigned *links)
{
    char text[PATH_MAX], name[PATH_MAX];

    snprintf(text, sizeof text, "%s", path);
    if (!*text)
        return -ENOENT;
    if (*text == '/')
        at = fs_meta()->root;
    for (char *rest = text; *rest;) {
        size_t length = 0;
        bool last, slash;
        struct px_name *found;
        struct px_inode *inode = fs_inode(at);

        while (*rest == '/')
            rest++;
        if (!*rest)
            break;
        while (rest[length] && rest[length] != '/')
            length++;
        memcpy(name, rest, length);
        name[length] = '\0';
        rest += length;
        slash = *rest == '/';
        while (*rest == '/')
            rest++;
        last = !*rest;
        if (!S_ISDIR(inode->mode))
            return -ENOTDIR;
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            at = inode->parent;
            continue;
        }
        if (length > NAME_MAX)
            return -ENAMETOOLONG;
        found = fs_name_find(at, name, (uint32_t)length);
        if (!found)
            return -ENOENT;
        inode = fs_inode(found->inode);
        if (S_ISLNK(inode->mode) && (!last || slash || follow)) {
            char target[PATH_MAX];
            int64_t to;

            if (++*links > 40)
                return -ELOOP;
            memcpy(target, fs_link_text(inode), inode->size);
            target[inode->size] = '\0';
            to = resolve(at, target, true, links);
            if (to < 0)
                return to;
            at = (uint32_t)to;
        } else {
            at = found->inode;
        }
        if ((slash || !last) && !S_ISDIR(fs_inode(at)->mode))
            return -ENOTDIR;
    }
    return at;
}

/* ---- random trees and paths ------------------------------------------------------------------------------------ */

#define DIRECTORIES 24
static uint32_t directory[DIRECTORIES];
static unsigned directories;

static void random_path(char *to, size_t bytes, unsigned most)
{
    size_t used = 0;
    unsigned parts = 1 + (unsigned)below(most);

    if (below(2))
        used += (size_t)snprintf(to, bytes, "/");
    for (unsigned i = 0; i < parts && used + 20 < bytes; i++) {
        switch (below(8)) {
        case 0: used += (size_t)snprintf(to + used, bytes - used, ".."); break;
        case 1: used += (size_t)snprintf(to + used, bytes - used, "."); break;
        default:
            used += (size_t)snprintf(to + used, bytes - used, "%c%s", 'a' + (char)below(6),
                                     below(3) ? "" : "longer.name");
        }
        if (i + 1 < parts || below(5) == 0)
            used += (size_t)snprintf(to + used, bytes - used, "%s", below(6) ? "/" : "//");
    }
    if (used == 0)
        snprintf(to, bytes, "a");
}

static void random_tree(void)
{
    directory[0] = fs_meta()->root;
    directories = 1;
    for (unsigned i = 0; i < 160; i++) {
        char name[32], target[256];
        uint32_t in = directory[below(directories)], ino;

        snprintf(name, sizeof name, "%c%s", 'a' + (char)below(6), below(3) ? "" : "longer.name");
        switch (below(5)) {
        case 0:
        case 1:
            ino = make(in, name, S_IFDIR | 0755, NULL);
            if (ino && directories < DIRECTORIES)
                directory[directories++] = ino;
            break;
        case 2: make(in, name, S_IFREG | 0644, NULL); break;
        default:
            random_path(target, sizeof target, 6);
            if (below(8) == 0)
                memset(target, '.', 200), target[200] = '\0', target[1] = '/', target[199] = '/';
            make(in, name, S_IFLNK | 0777, target);
        }
    }
}

static int64_t walk(uint32_t start, const char *path, unsigned flags, struct px_place *place)
{
    const struct px_ids ids = {0};
    const struct px_walk_from from = {start, fs_meta()->root, &ids};

    return px_walk_from(&from, path, flags, place);
}

static int64_t find_at(const char *path, unsigned flags)
{
    struct px_place place;
    int64_t status = px_find(AT_FDCWD, path, flags, NULL, &place);

    return status < 0 ? status : (int64_t)place.node.ino;
}

#endif
