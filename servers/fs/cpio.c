/*
 * The boot archive, newc format (cpio(5)): every entry becomes a name and an inode. File data on a page boundary
 * stays where it is: the archive's pages become the file's; other data is copied. Later entries replace earlier ones.
 * Pages may hold the next headers behind a file's end, so nothing is cleared or given back before all is read.
 */
#include <exo/label.h>

#include "core.h"

#define HEADER_BYTES 110u
#define FIELDS 13u
#define LINKS_KEPT 256u
#define ENTRIES_MAX 1000000u
#define ROUND4(n) (((n) + 3) & ~3ull)

enum field {
    F_INO,
    F_MODE,
    F_UID,
    F_GID,
    F_NLINK,
    F_MTIME,
    F_SIZE,
    F_MAJOR,
    F_MINOR,
    F_RMAJOR,
    F_RMINOR,
    F_NAME,
    F_CHECK
};

struct entry {
    uint32_t field[FIELDS];
    const char *name;
    uint32_t name_bytes;
    const uint8_t *data;
    uint64_t data_offset;
};

/* Files of several names: number in the archive, inode here. A ring: a set of links further apart than this becomes
 * two files. */
static struct {
    uint32_t number, device, ino;
} links[LINKS_KEPT];
static unsigned link_next;

static const struct fs_caller root = {.label = EXO_PLACE_PROGRAMS};

static bool parse_hex(const uint8_t *text, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        unsigned c = text[i], digit = c - '0';

        if (digit > 9) {
            c |= 0x20;
            if (c < 'a' || c > 'f')
                return false;
            digit = c - 'a' + 10;
        }
        *value = *value << 4 | digit;
    }
    return true;
}

/* Reads the entry at offset; the next one's offset, 0 at the end of the archive, or -EINVAL. */
static int64_t parse_entry(const uint8_t *archive, uint64_t bytes, uint64_t offset, struct entry *entry)
{
    const uint8_t *header = archive + offset;
    uint64_t name_bytes, data;

    if (offset > bytes || bytes - offset < HEADER_BYTES)
        return -EINVAL;
    if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
        return -EINVAL;
    for (unsigned i = 0; i < FIELDS; i++) {
        if (!parse_hex(header + 6 + i * 8, &entry->field[i]))
            return -EINVAL;
    }
    name_bytes = entry->field[F_NAME];
    if (name_bytes == 0 || name_bytes > PATH_MAX || name_bytes > bytes - offset - HEADER_BYTES)
        return -EINVAL;
    data = ROUND4(offset + HEADER_BYTES + name_bytes);
    if (data > bytes || entry->field[F_SIZE] > bytes - data)
        return -EINVAL;
    entry->name = (const char *)header + HEADER_BYTES;
    entry->name_bytes = (uint32_t)strnlen(entry->name, name_bytes);
    entry->data = archive + data;
    entry->data_offset = data;
    if (entry->name_bytes == 10 && memcmp(entry->name, "TRAILER!!!", 10) == 0)
        return 0;
    return (int64_t)ROUND4(data + entry->field[F_SIZE]);
}

/* Length of the path's first component; *skip: with the slashes around it. */
static uint32_t component(const char *path, uint32_t bytes, uint32_t *start)
{
    uint32_t at = 0, end;

    while (at < bytes && (path[at] == '/' || (path[at] == '.' && (at + 1 == bytes || path[at + 1] == '/'))))
        at++;
    end = at;
    while (end < bytes && path[end] != '/')
        end++;
    *start = at;
    return end - at;
}

/* Walks to the directory of the entry, making what is missing. The last component is left in *text and *bytes: 0
 * bytes for the root itself. */
static uint32_t find_directory(const struct entry *entry, const char **text, uint32_t *bytes)
{
    const char *path = entry->name;
    uint32_t left = entry->name_bytes, directory = fs_meta()->root, start;

    *bytes = component(path, left, &start);
    for (;;) {
        uint32_t ino, after, next;
        struct px_name *name;

        path += start;
        left -= start;
        *text = path;
        if (*bytes == 0)
            return directory;
        path += *bytes;
        left -= *bytes;
        next = component(path, left, &after);
        if (next == 0)
            return directory;
        name = fs_name_find(directory, *text, *bytes);
        if (name) {
            ino = name->inode;
        } else {
            struct fs_new new = {.mode = S_IFDIR | 0755, .name = *text, .name_bytes = *bytes};

            if (fs_create(&root, fs_node_of(directory), &new, &ino) < 0)
                return 0;
        }
        if (!S_ISDIR(fs_inode(ino)->mode))
            return 0;
        directory = ino;
        start = after;
        *bytes = next;
    }
}

static uint32_t find_link(const struct entry *entry)
{
    for (unsigned i = 0; i < LINKS_KEPT; i++) {
        if (links[i].ino && links[i].number == entry->field[F_INO] &&
            links[i].device == (entry->field[F_MAJOR] << 16 ^ entry->field[F_MINOR]))
            return links[i].ino;
    }
    return 0;
}

static void forget_link(uint32_t ino)
{
    for (unsigned i = 0; i < LINKS_KEPT; i++) {
        if (links[i].ino == ino)
            links[i].ino = 0;
    }
}

static void remember_link(const struct entry *entry, uint32_t ino)
{
    links[link_next].number = entry->field[F_INO];
    links[link_next].device = entry->field[F_MAJOR] << 16 ^ entry->field[F_MINOR];
    links[link_next].ino = ino;
    link_next = (link_next + 1) % LINKS_KEPT;
}

static int64_t adopt(struct px_inode *inode, const struct entry *entry)
{
    uint64_t pages = (entry->field[F_SIZE] + FS_PAGE - 1) / FS_PAGE;

    for (uint64_t i = 0; i < pages; i++) {
        if (fs_map_room(inode, i) < 0)
            return -ENOSPC;
        fs_map_put(inode, i, (uint32_t)(1 + entry->data_offset / FS_PAGE + i));
        fs_meta()->data_pages++;
    }
    inode->size = entry->field[F_SIZE];
    return 0;
}

static int64_t copy(struct px_inode *inode, const struct entry *entry)
{
    uint64_t at = 0, bytes = entry->field[F_SIZE], pages = (bytes + FS_PAGE - 1) / FS_PAGE;

    if (pages > 0 && fs_fill(inode, 0, pages) != (int64_t)pages)
        return -ENOSPC;
    for (; at < bytes; at += FS_PAGE)
        memcpy(fs_page(fs_map_get(inode, at / FS_PAGE)), entry->data + at,
               bytes - at < FS_PAGE ? bytes - at : FS_PAGE);
    inode->size = bytes;
    fs_reserved_forget(fs_number(inode));
    inode->flags &= ~(uint32_t)PX_INODE_RESERVED;
    return 0;
}

/* The last page may hold more than the file: adopted ones are cleaned when all is read. */
static int64_t set_data(struct px_inode *inode, const struct entry *entry)
{
    if (entry->field[F_SIZE] == 0)
        return 0;
    fs_map_cut(inode, 0, ~0ull);
    return entry->data_offset % FS_PAGE == 0 ? adopt(inode, entry) : copy(inode, entry);
}

static void set_attributes(struct px_inode *inode, const struct entry *entry)
{
    inode->mode = (inode->mode & S_IFMT) | (entry->field[F_MODE] & 07777);
    inode->uid = entry->field[F_UID];
    inode->gid = entry->field[F_GID];
    inode->mtime = inode->ctime = PX_TIME(entry->field[F_MTIME], 0);
}

/* Makes way for a new entry of that name. True: a directory is there that takes the entry's attributes. False and
 * *status < 0: no way. */
static bool replace(uint32_t directory, const char *text, uint32_t bytes, const struct entry *entry, int64_t *status)
{
    struct px_name *name = fs_name_find(directory, text, bytes);
    bool is_directory;

    *status = 0;
    if (!name)
        return false;
    is_directory = S_ISDIR(fs_inode(name->inode)->mode);
    if (is_directory && S_ISDIR(entry->field[F_MODE])) {
        set_attributes(fs_inode(name->inode), entry);
        return true;
    }
    if (fs_inode(name->inode)->nlink == 1)
        forget_link(name->inode);
    *status = fs_unlink(&root, fs_node_of(directory), text, bytes, is_directory);
    return false;
}

static int64_t make_entry(uint32_t directory, const char *text, uint32_t bytes, const struct entry *entry)
{
    uint32_t mode = entry->field[F_MODE], ino = 0, linked;
    bool link = S_ISREG(mode) && entry->field[F_NLINK] > 1;
    struct fs_new new = {.mode = mode,
                         .name = text,
                         .name_bytes = bytes,
                         .target = (const char *)entry->data,
                         .target_bytes = entry->field[F_SIZE],
                         .rdev = PX_MAKEDEV(entry->field[F_RMAJOR], entry->field[F_RMINOR])};
    int64_t status;

    linked = link ? find_link(entry) : 0;
    if (linked) {
        status = fs_link(&root, fs_node_of(linked), fs_node_of(directory), text, bytes);
        ino = linked;
    } else {
        status = fs_create(&root, fs_node_of(directory), &new, &ino);
    }
    if (status < 0)
        return status;
    if (S_ISREG(mode))
        status = set_data(fs_inode(ino), entry);
    set_attributes(fs_inode(ino), entry);
    if (link && !linked)
        remember_link(entry, ino);
    return status;
}

static int64_t load_entry(const struct entry *entry)
{
    const char *text;
    uint32_t bytes, directory;
    int64_t status;

    if (entry->name_bytes >= 4 && memcmp(entry->name, "exo/", 4) == 0)
        return 0; /* the servers: not for programs */
    directory = find_directory(entry, &text, &bytes);
    if (!directory)
        return 0;
    if (bytes == 0) {
        if (S_ISDIR(entry->field[F_MODE]))
            set_attributes(fs_inode(directory), entry);
        return 0;
    }
    if (fs_name_check(text, bytes) < 0)
        return 0;
    if (replace(directory, text, bytes, entry, &status) || status < 0)
        return 0;
    status = make_entry(directory, text, bytes, entry);
    return status == -ENOSPC ? status : status < 0 ? 0 : 1;
}

static void mark_used(void *used, uint32_t page)
{
    if (fs_page_archived(page))
        ((uint64_t *)used)[page / 64] |= 1ull << (page % 64);
}

/* Clears what follows the files' ends in their last pages, and gives back the archive's other pages. */
static void finish(uint64_t *used)
{
    int64_t now = os_now();

    for (uint32_t ino = fs_inode_after(0); ino; ino = fs_inode_after(ino)) {
        struct px_inode *inode = fs_inode(ino);
        uint32_t last;

        inode->atime = now; /* later than the changes: the first read need not be recorded */
        if (!S_ISREG(inode->mode))
            continue;
        last = inode->size % FS_PAGE ? fs_map_get(inode, inode->size / FS_PAGE) : 0;
        if (last)
            memset(fs_page(last) + inode->size % FS_PAGE, 0, FS_PAGE - inode->size % FS_PAGE);
        fs_map_each(inode, mark_used, used);
    }
    fs_data_keep_archive(false);
    fs_data_sort_archive(used);
}

int64_t fs_load_archive(const uint8_t *archive, uint64_t bytes, uint64_t *used)
{
    uint64_t offset = 0;
    int64_t made = 0, next, status = 0;

    memset(links, 0, sizeof links);
    fs_data_keep_archive(true);
    for (unsigned count = 0; count < ENTRIES_MAX; count++) {
        struct entry entry;

        next = parse_entry(archive, bytes, offset, &entry);
        if (next <= 0) {
            status = next;
            break;
        }
        status = load_entry(&entry);
        if (status < 0)
            break;
        made += status;
        status = 0;
        offset = (uint64_t)next;
    }
    finish(used);
    return status < 0 ? status : made;
}
