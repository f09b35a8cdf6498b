/* Names: one hash table for all directories, keyed by directory and name, and a list in each directory in the order
 * of cookies. */
#include "core.h"

#define BUCKETS_FIRST 1024u
#define BUCKETS_MAX (1u << 22)

FS_HOT static uint32_t *bucket_of(uint32_t hash)
{
    return (uint32_t *)fs_at(fs_meta()->hash) + (hash & fs_meta()->hash_mask);
}

FS_HOT int64_t fs_name_check(const char *text, uint32_t bytes)
{
    if (bytes > NAME_MAX)
        return -ENAMETOOLONG;
    if (bytes == 0 || (text[0] == '.' && (bytes == 1 || (bytes == 2 && text[1] == '.'))))
        return -EINVAL;
    for (uint32_t i = 0; i < bytes; i++) {
        if (text[i] == '/' || text[i] == '\0')
            return -EINVAL;
    }
    return 0;
}

/* A larger table (or the first), when there is room for one. */
FS_APART static bool rehash(uint32_t buckets)
{
    struct px_meta *meta = fs_meta();
    uint32_t pages = (uint32_t)((buckets * 4 + FS_PAGE - 1) / FS_PAGE), old = meta->hash, old_mask = meta->hash_mask;
    uint32_t table = fs_pages_new(pages);

    if (!table)
        return false;
    memset(fs_at(table), 0, pages * FS_PAGE);
    meta->hash = table;
    meta->hash_mask = buckets - 1;
    if (!old)
        return true;
    for (uint32_t i = 0; i <= old_mask; i++) {
        uint32_t at = ((uint32_t *)fs_at(old))[i];

        while (at) {
            struct px_name *name = fs_at(at);
            uint32_t next = name->next, *bucket = bucket_of(name->hash);

            name->next = *bucket;
            *bucket = at;
            at = next;
        }
    }
    fs_pages_free(old, (uint32_t)(((old_mask + 1) * 4ul + FS_PAGE - 1) / FS_PAGE));
    return true;
}

FS_HOT struct px_name *fs_name_find(uint32_t directory, const char *text, uint32_t bytes)
{
    if (!fs_meta()->hash)
        return NULL;
    return (struct px_name *)(uintptr_t)px_region_name(&fs_region, directory, px_hash_text(directory, text, bytes),
                                                       text, bytes);
}

FS_HOT struct px_name *fs_name_new(const char *text, uint32_t bytes)
{
    uint32_t buckets = fs_meta()->hash ? fs_meta()->hash_mask + 1 : 0, at;
    struct px_name *name;

    if (fs_meta()->names >= buckets && buckets < BUCKETS_MAX && !rehash(buckets ? buckets * 2 : BUCKETS_FIRST) &&
        !buckets)
        return NULL;
    at = fs_block_new((uint32_t)sizeof *name + bytes);
    if (!at)
        return NULL;
    name = fs_at(at);
    memset(name, 0, sizeof *name);
    memcpy(name->text, text, bytes);
    name->length = (uint8_t)bytes;
    return name;
}

FS_HOT void fs_name_free(struct px_name *name)
{
    fs_block_free((uint32_t)((uint8_t *)name - fs_region.base), (uint32_t)sizeof *name + name->length);
}

static uint32_t offset_of(const struct px_name *name)
{
    return (uint32_t)((const uint8_t *)name - fs_region.base);
}

FS_HOT static void alias_add(struct px_name *name, uint32_t ino)
{
    struct px_inode *inode = fs_inode(ino);

    name->inode = ino;
    name->type = (uint8_t)((inode->mode & S_IFMT) >> 12);
    name->alias = inode->name;
    inode->name = offset_of(name);
    if (S_ISDIR(inode->mode))
        inode->parent = name->directory;
}

FS_HOT static void alias_remove(struct px_name *name)
{
    struct px_inode *inode = fs_inode(name->inode);
    uint32_t *link = &inode->name;

    while (*link && *link != offset_of(name))
        link = &((struct px_name *)fs_at(*link))->alias;
    if (*link)
        *link = name->alias;
    fs_meta()->paths += S_ISDIR(inode->mode);
}

FS_HOT void fs_name_enter(struct px_name *name, uint32_t directory, uint32_t ino)
{
    struct px_inode *inode = fs_inode(directory);
    uint32_t *bucket, at = offset_of(name);

    name->hash = px_hash_text(directory, name->text, name->length);
    name->directory = directory;
    bucket = bucket_of(name->hash);
    name->next = *bucket;
    *bucket = at;
    name->cookie = inode->directory.next_cookie++;
    name->before = inode->directory.last;
    name->after = 0;
    if (name->before)
        ((struct px_name *)fs_at(name->before))->after = at;
    else
        inode->directory.first = at;
    inode->directory.last = at;
    inode->directory.count++;
    fs_meta()->names++;
    alias_add(name, ino);
}

FS_HOT void fs_name_leave(struct px_name *name)
{
    struct px_inode *inode = fs_inode(name->directory);
    uint32_t *link = bucket_of(name->hash);

    while (*link && *link != offset_of(name))
        link = &((struct px_name *)fs_at(*link))->next;
    if (*link)
        *link = name->next;
    if (name->before)
        ((struct px_name *)fs_at(name->before))->after = name->after;
    else
        inode->directory.first = name->after;
    if (name->after)
        ((struct px_name *)fs_at(name->after))->before = name->before;
    else
        inode->directory.last = name->before;
    inode->directory.count--;
    fs_meta()->names--;
    alias_remove(name);
    name->cookie = 0;
    name->directory = 0;
}

void fs_name_retarget(struct px_name *name, uint32_t ino)
{
    alias_remove(name);
    alias_add(name, ino);
}
