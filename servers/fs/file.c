/*
 * Regular files' contents: size, holes, pages that writers reserved beyond the end. Reserved pages may hold anything
 * that a writer put there, so the way to a larger size always clears what lies between the old end and the new data.
 */
#include "core.h"

#define RESERVED_MAX 64u
#define APPEND_MAX (FS_PAGE * 256)
#define PAGES_UP(bytes) (((bytes) + FS_PAGE - 1) / FS_PAGE)

static uint32_t reserved[RESERVED_MAX]; /* inodes with pages beyond their end; 0: none */
static unsigned reserved_next;

/* A regular file that the caller may write, or NULL and *error. */
static struct px_inode *writable(const struct fs_caller *caller, uint64_t node, uint64_t token, int64_t *error)
{
    struct px_inode *inode = fs_node(node);

    *error = !inode ? -ESTALE : S_ISDIR(inode->mode) ? -EISDIR : !S_ISREG(inode->mode) ? -EINVAL : 0;
    if (*error == 0 && !fs_allowed(caller, inode, PX_FS_INO(node), 2, token))
        *error = -EACCES;
    return *error == 0 ? inode : NULL;
}

static void clear_in_page(struct px_inode *inode, uint64_t from, uint64_t to)
{
    uint32_t page = from < to ? fs_map_get(inode, from / FS_PAGE) : 0;

    if (page)
        memset(fs_page(page) + from % FS_PAGE, 0, to - from);
}

FS_APART static void trim(struct px_inode *inode)
{
    uint32_t before = inode->pages;

    fs_tail_close(inode);
    inode->flags &= ~(uint32_t)PX_INODE_RESERVED;
    fs_map_cut(inode, PAGES_UP(inode->size), ~0ull);
    if (inode->pages != before)
        inode->version++;
}

void fs_reserved_start(void)
{
    memset(reserved, 0, sizeof reserved);
}

void fs_reserved_forget(uint32_t ino)
{
    for (unsigned i = 0; i < RESERVED_MAX; i++) {
        if (reserved[i] == ino)
            reserved[i] = 0;
    }
}

static void trim_others(uint32_t but)
{
    for (unsigned i = 0; i < RESERVED_MAX; i++) {
        if (reserved[i] && reserved[i] != but) {
            trim(fs_inode(reserved[i]));
            reserved[i] = 0;
        }
    }
}

void fs_trim_reserved(void)
{
    trim_others(0);
}

static void remember_reserved(struct px_inode *inode)
{
    if (inode->flags & PX_INODE_RESERVED)
        return;
    if (reserved[reserved_next])
        trim(fs_inode(reserved[reserved_next]));
    reserved[reserved_next] = fs_number(inode);
    reserved_next = (reserved_next + 1) % RESERVED_MAX;
    inode->flags |= PX_INODE_RESERVED;
}

/* Holes from `index` on that the map has room for, at most `most`. */
static uint64_t hole_run(struct px_inode *inode, uint64_t index, uint64_t most)
{
    uint64_t run = 0;

    while (run < most && !fs_map_get(inode, index + run) && fs_map_room(inode, index + run) == 0)
        run++;
    return run;
}

FS_APART static uint64_t fill_hole(struct px_inode *inode, uint64_t first, uint64_t count, uint32_t near)
{
    uint64_t got = 0, run = hole_run(inode, first, count), room = fs_label_page_room(inode);
    uint32_t page;

    if (run > room)
        run = room;
    page = run ? fs_data_take(near, run, &got) : 0;
    if (!page && run) {
        trim_others(fs_number(inode));
        page = fs_data_take(near, run, &got);
    }
    if (!page)
        return 0;
    for (uint64_t i = 0; i < got; i++)
        fs_map_put(inode, first + i, page + (uint32_t)i);
    return got;
}

int64_t fs_fill(struct px_inode *inode, uint64_t first, uint64_t count)
{
    uint64_t done = 0, got;

    while (done < count) {
        if (fs_map_get(inode, first + done)) {
            done++;
            continue;
        }
        got = fill_hole(inode, first + done, count - done, first + done > 0 ? fs_map_get(inode, first + done - 1) : 0);
        if (!got)
            break;
        done += got;
    }
    if (done > 0 && first + done > PAGES_UP(inode->size & ~PX_SIZE_OPEN))
        remember_reserved(inode);
    return done > 0 || count == 0 ? (int64_t)done : -ENOSPC;
}

/* What follows from a change of the contents. */
static void written(const struct fs_caller *caller, struct px_inode *inode)
{
    fs_touch(inode);
    fs_drop_set_id(caller, inode);
    if (fs_watched())
        fs_watch_inode(inode, IN_MODIFY);
}

/* The file is to be at least `end` long, with data from `start` on: what lies between the old end and start reads as
 * zeros. */
static void lengthen(struct px_inode *inode, uint64_t start, uint64_t end)
{
    uint64_t old = inode->size;

    if (end <= old)
        return;
    if (start > old) {
        uint64_t page_end = PAGES_UP(old) * FS_PAGE;

        clear_in_page(inode, old, start < page_end ? start : page_end);
        if (start > page_end) {
            uint32_t before = inode->pages;

            fs_map_cut(inode, PAGES_UP(old), start / FS_PAGE);
            if (inode->pages != before)
                inode->version++;
            clear_in_page(inode, start / FS_PAGE * FS_PAGE, start);
        }
    }
    inode->size = end;
}

int64_t fs_open(const struct fs_caller *caller, uint64_t node, unsigned rights, bool truncate, uint64_t *token)
{
    struct px_inode *inode = fs_node(node);

    if (!inode)
        return -ESTALE;
    if (S_ISDIR(inode->mode) && (rights & 2 || truncate))
        return -EISDIR;
    rights &= 6;
    if (rights == 0)
        return -EINVAL;
    if (!fs_may(caller, inode, rights | (truncate ? 2 : 0)))
        return -EACCES;
    if (rights & 2 || truncate) {
        int64_t status = fs_busy_write(inode);

        if (status < 0)
            return status;
        inode->flags |= rights & 2 ? PX_INODE_WRITTEN : 0;
    }
    if (truncate && S_ISREG(inode->mode)) {
        int64_t status = fs_truncate(caller, node, 0, fs_token(PX_FS_INO(node), inode->gen, 2));

        if (status < 0)
            return status;
    }
    if (rights & 2 && fs_may(caller, inode, 6))
        rights = 6; /* windows for writing are readable too */
    *token = fs_token(PX_FS_INO(node), inode->gen, rights);
    return 0;
}

int64_t fs_truncate(const struct fs_caller *caller, uint64_t node, uint64_t size, uint64_t token)
{
    int64_t error;
    struct px_inode *inode = writable(caller, node, token, &error);

    if (!inode)
        return error;
    if (size > FS_SIZE_MAX)
        return -EFBIG;
    error = fs_seal_check(inode, false, size);
    if (error == 0)
        error = fs_busy_write(inode);
    if (error < 0)
        return error;
    if (size < inode->size) {
        fs_map_cut(inode, PAGES_UP(size), ~0ull);
        inode->size = size;
        if (size % FS_PAGE)
            clear_in_page(inode, size, PAGES_UP(size) * FS_PAGE);
        inode->version++;
    } else if (size > inode->size) {
        if (inode->flags & PX_INODE_RESERVED) {
            fs_reserved_forget(PX_FS_INO(node));
            trim(inode);
        }
        clear_in_page(inode, inode->size, PAGES_UP(inode->size) * FS_PAGE);
        inode->size = size;
    }
    written(caller, inode);
    return 0;
}

int64_t fs_extend(const struct fs_caller *caller, uint64_t node, uint64_t start, uint64_t end, uint32_t version,
                  uint64_t token)
{
    int64_t error;
    struct px_inode *inode = writable(caller, node, token, &error);

    if (!inode)
        return error;
    if (end > FS_SIZE_MAX)
        return -EFBIG;
    if (start > end)
        return -EINVAL;
    error = fs_seal_check(inode, true, end > inode->size ? end : inode->size);
    if (error < 0)
        return error;
    if (version != (inode->version & 0xffffffffu))
        return -EAGAIN;
    lengthen(inode, start, end);
    written(caller, inode);
    return 0;
}

FS_HOT int64_t fs_append(const struct fs_caller *caller, uint64_t node, uint64_t bytes, uint64_t token, uint64_t *offset)
{
    int64_t error, filled;
    struct px_inode *inode = writable(caller, node, token, &error);
    uint64_t first, end;

    if (!inode)
        return error;
    if (bytes > APPEND_MAX)
        bytes = APPEND_MAX;
    if (bytes == 0)
        return -EINVAL;
    if (inode->size > FS_SIZE_MAX - bytes)
        return -EFBIG;
    error = fs_seal_check(inode, true, inode->size + bytes);
    if (error < 0)
        return error;
    first = inode->size / FS_PAGE;
    end = inode->size + bytes;
    filled = fs_fill(inode, first, PAGES_UP(end) - first);
    if (filled < 0)
        return filled;
    if (end > (first + (uint64_t)filled) * FS_PAGE)
        end = (first + (uint64_t)filled) * FS_PAGE;
    if (end <= inode->size)
        return -ENOSPC;
    *offset = inode->size;
    inode->size = end;
    fs_touch(inode);
    fs_drop_set_id(caller, inode);
    return (int64_t)(end - *offset);
}

int64_t fs_write(const struct fs_caller *caller, uint64_t node, uint64_t offset, const void *data, uint64_t bytes,
                 uint64_t token, uint64_t *at)
{
    int64_t error, filled;
    struct px_inode *inode = writable(caller, node, token, &error);
    uint64_t first, done = 0;

    if (!inode)
        return error;
    if (bytes == 0 || bytes > FS_PAGE)
        return -EINVAL;
    if (offset == PX_FS_AT_END)
        offset = inode->size;
    if (offset > FS_SIZE_MAX - bytes)
        return -EFBIG;
    error = fs_seal_check(inode, true, offset + bytes > inode->size ? offset + bytes : inode->size);
    if (error < 0)
        return error;
    first = offset / FS_PAGE;
    filled = fs_fill(inode, first, PAGES_UP(offset + bytes) - first);
    if (filled < 0)
        return filled;
    if (bytes > (first + (uint64_t)filled) * FS_PAGE - offset)
        bytes = (first + (uint64_t)filled) * FS_PAGE - offset;
    lengthen(inode, offset, offset + bytes);
    while (done < bytes) {
        uint64_t place = offset + done, part = FS_PAGE - place % FS_PAGE;

        if (part > bytes - done)
            part = bytes - done;
        memcpy(fs_page(fs_map_get(inode, place / FS_PAGE)) + place % FS_PAGE, (const uint8_t *)data + done, part);
        done += part;
    }
    written(caller, inode);
    *at = offset;
    return (int64_t)bytes;
}

#define DAY PX_TIME(24 * 3600, 0)

/* Access time as Linux's relatime: only when it would otherwise be older than the change, or a day old. */
static void read_now(struct px_inode *inode)
{
    int64_t now = os_now();

    if (inode->atime <= inode->mtime || inode->atime <= inode->ctime || now - inode->atime >= DAY)
        inode->atime = now;
}

int64_t fs_touched(const struct fs_caller *caller, uint64_t node, unsigned what, uint64_t token)
{
    struct px_inode *inode = fs_node_growing(node);

    if (!inode)
        return -ESTALE;
    if (!fs_allowed(caller, inode, PX_FS_INO(node), what & PX_TOUCH_WRITTEN ? 2 : 4, token))
        return -EACCES;
    if (what & PX_TOUCH_WRITTEN) {
        written(caller, inode);
    }
    if (what & PX_TOUCH_READ)
        read_now(inode);
    return 0;
}

int64_t fs_punch(const struct fs_caller *caller, uint64_t node, uint64_t offset, uint64_t bytes, uint64_t token)
{
    int64_t error;
    struct px_inode *inode = writable(caller, node, token, &error);
    uint64_t end = offset + bytes, first = PAGES_UP(offset), last = end / FS_PAGE;

    if (!inode)
        return error;
    if (bytes == 0 || offset > FS_SIZE_MAX || bytes > FS_SIZE_MAX - offset)
        return -EINVAL;
    error = fs_seal_check(inode, true, inode->size);
    if (error < 0)
        return error;
    if (first > last) { /* within one page */
        clear_in_page(inode, offset, end);
    } else {
        clear_in_page(inode, offset, first * FS_PAGE);
        clear_in_page(inode, last * FS_PAGE, end);
        fs_map_cut(inode, first, last);
        inode->version++;
    }
    written(caller, inode);
    return 0;
}

int64_t fs_allocate(const struct fs_caller *caller, uint64_t node, uint64_t offset, uint64_t bytes, bool keep_size,
                    uint64_t token)
{
    int64_t error, filled;
    struct px_inode *inode = writable(caller, node, token, &error);
    uint64_t first = offset / FS_PAGE, count;

    if (!inode)
        return error;
    if (bytes == 0 || offset > FS_SIZE_MAX)
        return -EINVAL;
    if (bytes > FS_SIZE_MAX - offset)
        return -EFBIG;
    error = fs_seal_check(inode, false, offset + bytes > inode->size ? offset + bytes : inode->size);
    if (error < 0)
        return error;
    count = PAGES_UP(offset + bytes) - first;
    if (count > fs_data_free() + inode->pages)
        return -ENOSPC;
    if (!keep_size && offset + bytes > inode->size) { /* no stale reserved pages in the new part */
        trim(inode);
        clear_in_page(inode, inode->size, PAGES_UP(inode->size) * FS_PAGE);
    }
    filled = fs_fill(inode, first, count);
    if (filled < (int64_t)count)
        return -ENOSPC;
    if (!keep_size && offset + bytes > inode->size)
        inode->size = offset + bytes;
    written(caller, inode);
    return 0;
}

/* ---- grants ---------------------------------------------------------------------------------------------------- */

/* Maps a file's pages first .. first+count-1 that are there into the client. */
static int64_t share_pages(const struct fs_caller *caller, const struct px_inode *inode, uint64_t first,
                           uint64_t count, uint64_t va, uint64_t mode_prot)
{
    uint64_t at = 0;

    while (at < count) {
        uint32_t page = fs_map_get(inode, first + at);
        uint64_t run = 1;

        if (page) {
            int64_t status;

            while (at + run < count && fs_map_get(inode, first + at + run) == page + run &&
                   fs_page(page + (uint32_t)run) == fs_page(page) + run * FS_PAGE)
                run++;
            status = os_share(caller->client, va + at * FS_PAGE, fs_page(page), run, mode_prot);
            if (status < 0)
                return status;
        }
        at += run;
    }
    return 0;
}

static int64_t check_grant(const struct fs_caller *caller, const struct px_inode *inode, uint32_t ino, unsigned flags,
                           uint64_t token)
{
    bool shared_write = flags & PX_GRANT_WRITE && !(flags & PX_GRANT_PRIVATE);

    if (!S_ISREG(inode->mode))
        return S_ISDIR(inode->mode) ? -EISDIR : -ENODEV;
    if (flags & PX_GRANT_FILL && flags & PX_GRANT_PRIVATE)
        return -EINVAL;
    if (shared_write && fs_seal_check(inode, true, inode->size) < 0)
        return -EPERM;
    if (shared_write)
        return flags & PX_GRANT_EXEC ? -EINVAL : fs_allowed(caller, inode, ino, 6, token) ? 0 : -EACCES;
    if (fs_allowed(caller, inode, ino, 4, token) || (flags & PX_GRANT_EXEC && fs_may(caller, inode, 1)))
        return 0;
    return -EACCES;
}

int64_t fs_grant(const struct fs_caller *caller, uint64_t node, uint64_t first, uint64_t count, uint64_t va_flags,
                 uint64_t token, uint32_t *version)
{
    struct px_inode *inode = fs_node_growing(node);
    unsigned flags = va_flags & (FS_PAGE - 1);
    uint64_t pages, mode = flags & 7;
    int64_t status;

    if (!inode)
        return -ESTALE;
    fs_tail_settle(inode, false);
    status = check_grant(caller, inode, PX_FS_INO(node), flags, token);
    if (status < 0)
        return status;
    if (flags & PX_GRANT_WRITE && !(flags & PX_GRANT_PRIVATE))
        fs_drop_set_id(caller, inode); /* from here on nobody need say that he writes */
    if (count == 0 || first > FS_SIZE_MAX / FS_PAGE)
        return -EINVAL;
    if (count > PX_GRANT_MAX)
        count = PX_GRANT_MAX;
    if (!(flags & PX_GRANT_FILL && flags & PX_GRANT_WRITE)) {
        pages = PAGES_UP(inode->size & ~PX_SIZE_OPEN);
        count = first >= pages ? 0 : count < pages - first ? count : pages - first;
        if (count && !(flags & PX_GRANT_WRITE && !(flags & PX_GRANT_PRIVATE)))
            read_now(inode);
    }
    if (flags & PX_GRANT_FILL && count) {
        status = fs_fill(inode, first, count);
        if (status < 0)
            return status;
        count = (uint64_t)status;
    }
    /* Execution needs PRIVATE: a plainly shared page has at most the rights that this server has on it. */
    mode |= flags & (PX_GRANT_PRIVATE | PX_GRANT_EXEC) ? EXO_SHARE_PRIVATE : EXO_SHARE_SAME;
    status = share_pages(caller, inode, first, count, va_flags & ~(FS_PAGE - 1), mode);
    *version = inode->version;
    return status < 0 ? status : (int64_t)count;
}
