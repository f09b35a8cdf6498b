/* Regular files: read and write through windows, position, mapping. What fs must know of a write is told as rarely as Linux's clock ticks. */
#include "window.h"

#include "proto/watch.h"

#define TICK_SHIFT 22u    /* about 4 ms in ns, the grain of Linux's file times */
#define SMALL_WRITE 1024u /* a write past the end up to this goes with the message */
#define CHUNK_MAX (128 * PX_PAGE)
#define AGAIN_MAX 8u

static struct px_file file_of(const struct px_ofd *ofd)
{
    return (struct px_file){(uint32_t)ofd->node.ino, ofd->node.gen, ofd->word[PX_WORD_TOKEN]};
}

static uint64_t node_of(const struct px_file *file)
{
    return PX_FS_NODE(file->ino, file->gen);
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

/* relatime: the time of reading matters when it is not later than the last change, or a day old. A grant has done it already. */
static void note_read(const struct px_ofd *ofd, const struct px_inode *inode)
{
    if (PX_META_LOAD(px_meta()->watches))
        px_watch_tell(ofd, IN_ACCESS);
    if (px_read_noted(inode))
        return;
    if (!(ofd->flags & O_NOATIME)) {
        struct px_file file = file_of(ofd);

        (void)!px_fs_call(PX_FS_TOUCH, node_of(&file), PX_TOUCH_READ, 0, file.token, NULL);
    }
}

/* Copies one stretch of the file out: bytes, 0 when the program's memory ends, or -errno. */
static int64_t read_part(const struct px_file *file, px_user to, uint64_t offset, uint64_t bytes)
{
    uint64_t in_page = offset % PX_PAGE;
    uint8_t *at;
    int64_t pages = px_window_at(file, offset / PX_PAGE, PX_PAGES_UP(in_page + bytes), PX_USE_READ, &at);
    uint64_t part = (pages > 0 ? (uint64_t)pages : 1) * PX_PAGE - in_page;

    if (pages < 0)
        return pages;
    if (part > bytes)
        part = bytes;
    if (pages > 0)
        return (int64_t)px_copy_out_part(to, at + in_page, part);
    return px_clear_out(to, part) == 0 ? (int64_t)part : 0;
}

/* Piece by piece: bytes, or -errno if there are none. */
static __attribute__((noinline)) int64_t read_parts(const struct px_ofd *ofd, px_user to, uint64_t start, uint64_t bytes)
{
    struct px_file file = file_of(ofd);
    uint64_t done = 0;

    while (done < bytes) {
        int64_t part = read_part(&file, to + done, start + done, bytes - done);

        if (part < 0 && done == 0)
            return part;
        if (part <= 0)
            break;
        done += (uint64_t)part;
    }
    return done > 0 ? (int64_t)done : -EFAULT;
}

static int64_t file_read(struct px_ofd *ofd, px_user to, size_t bytes, uint64_t *offset)
{
    const struct px_inode *inode = px_held_inode_inline((uint32_t)ofd->node.ino, ofd->node.gen);
    uint64_t size, start = *offset;
    const uint8_t *seen;
    int64_t done;

    if (!inode)
        return -EIO;
    size = PX_META_LOAD(inode->size);
    if (size & PX_SIZE_OPEN)
        size = px_size_settle(inode); /* who reads it now reads on: then that should be quick */
    if (start >= size || bytes == 0)
        return bytes > PX_FILE_MAX - start ? -EINVAL : 0;
    if (bytes > size - start)
        bytes = size - start;
    seen = px_window_seen(ofd, PX_META_LOAD(inode->version), start, bytes);
    done = seen ? (int64_t)px_copy_out_part(to, seen, bytes) : read_parts(ofd, to, start, bytes);
    if (done <= 0)
        return done ? done : -EFAULT;
    note_read(ofd, inode);
    *offset = start + (uint64_t)done;
    return done;
}

int64_t px_node_read(const struct px_node *node, void *to, uint64_t offset, size_t bytes)
{
    struct px_file file = {(uint32_t)node->ino, node->gen, 0};
    const struct px_inode *inode = px_held_inode(node);
    uint64_t size = inode ? px_inode_size(inode) : 0, done = 0;
    enum px_window_use use = PX_USE_READ;

    if (!inode || node->kind != PX_NODE_FS)
        return -EIO;
    if (offset >= size)
        return 0;
    if (bytes > size - offset)
        bytes = size - offset;
    while (done < bytes) {
        uint64_t place = offset + done, part = PX_PAGE - place % PX_PAGE;
        uint8_t *at;
        int64_t pages = px_window_at(&file, place / PX_PAGE, PX_PAGES_UP(place % PX_PAGE + bytes - done), use, &at);

        if (pages == -EACCES && use == PX_USE_READ) { /* a program that may be executed and not read */
            use = PX_USE_EXEC;
            continue;
        }
        if (pages < 0)
            return pages;
        if (pages > 0)
            part += (uint64_t)(pages - 1) * PX_PAGE;
        if (part > bytes - done)
            part = bytes - done;
        if (pages == 0)
            memset((uint8_t *)to + done, 0, part);
        else if (px_guarded_copy((uint8_t *)to + done, at + place % PX_PAGE, part) != part)
            return -EFAULT;
        done += part;
    }
    return (int64_t)done;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Copies from the program into pages of the file: bytes, or -errno. The file's size is not looked at. */
static int64_t fill_pages(const struct px_file *file, px_user from, uint64_t offset, uint64_t bytes)
{
    uint64_t done = 0;

    while (done < bytes) {
        uint64_t place = offset + done, in_page = place % PX_PAGE, part, copied;
        uint8_t *at;
        int64_t pages = px_window_at(file, place / PX_PAGE, PX_PAGES_UP(in_page + bytes - done), PX_USE_WRITE, &at);

        if (pages <= 0)
            return done ? (int64_t)done : pages ? pages : -EIO;
        part = (uint64_t)pages * PX_PAGE - in_page;
        if (part > bytes - done)
            part = bytes - done;
        copied = px_copy_in_part(at + in_page, from + done, part);
        done += copied;
        if (copied < part)
            return done ? (int64_t)done : -EFAULT;
    }
    return (int64_t)done;
}

/* By message: small pieces, and files that may be written but not read. */
static int64_t write_message(const struct px_file *file, px_user from, uint64_t offset, uint64_t bytes, uint64_t *at)
{
    uint64_t part = bytes < PX_PAGE ? bytes : PX_PAGE, copied = px_copy_in_part(px_msg(), from, part);

    if (copied == 0)
        return -EFAULT;
    return px_fs_call(PX_FS_WRITE, node_of(file), offset, copied, file->token, at);
}

/* fs is told once a tick. */
static void tell_written(struct px_ofd *ofd, const struct px_file *file)
{
    uint64_t tick = px_now_ns() >> TICK_SHIFT;

    if (ofd->word[PX_WORD_TICK] != tick + 1 || px_watched(px_held_inode(&ofd->node))) {
        ofd->word[PX_WORD_TICK] = tick + 1;
        (void)!px_fs_call(PX_FS_TOUCH, node_of(file), PX_TOUCH_WRITTEN, 0, file->token, NULL);
    }
}

/* Into the part of the file that is there. */
static int64_t write_inside(struct px_ofd *ofd, const struct px_file *file, px_user from, uint64_t offset, uint64_t bytes)
{
    int64_t done = fill_pages(file, from, offset, bytes);
    uint64_t at;

    if (done == -EACCES)
        return write_message(file, from, offset, bytes, &at);
    if (done > 0)
        tell_written(ofd, file);
    return done;
}

/* Past the end: pages first, then the data, then the size. */
static int64_t write_beyond(struct px_ofd *ofd, const struct px_file *file, px_user from, uint64_t offset, uint64_t bytes)
{
    uint64_t at;

    if (bytes <= SMALL_WRITE)
        return write_message(file, from, offset, bytes, &at);
    if (bytes > CHUNK_MAX)
        bytes = CHUNK_MAX;
    for (unsigned tries = 0; tries < AGAIN_MAX; tries++) {
        int64_t done = fill_pages(file, from, offset, bytes), status;
        uint32_t version;

        if (done == -EACCES)
            return write_message(file, from, offset, bytes, &at);
        if (done <= 0)
            return done;
        version = px_window_version(file, offset / PX_PAGE);
        if (px_window_version(file, (offset + (uint64_t)done - 1) / PX_PAGE) != version)
            continue;
        status = px_fs_call(PX_FS_EXTEND | (uint64_t)version << 32, node_of(file), offset, offset + (uint64_t)done,
                            file->token, NULL);
        ofd->word[PX_WORD_TICK] = (px_now_ns() >> TICK_SHIFT) + 1;
        if (status != -EAGAIN)
            return status < 0 ? status : done;
    }
    return write_message(file, from, offset, bytes, &at);
}

/* O_APPEND: fs says where, in one step with growing the file. */
static int64_t write_append(const struct px_file *file, const struct px_inode *inode, px_user from, uint64_t bytes, uint64_t *at)
{
    uint64_t end = px_inode_size(inode);
    int64_t got, done;
    uint8_t *page;

    if (bytes <= SMALL_WRITE)
        return write_message(file, from, PX_FS_AT_END, bytes, at);
    bytes = px_readable(from, bytes);
    if (bytes == 0)
        return -EFAULT;
    /* Where it will probably go, pages are asked for while that is beyond the end: then it is more of them at a time (window.c). */
    (void)!px_window_at(file, end / PX_PAGE, PX_PAGES_UP(end % PX_PAGE + bytes), PX_USE_WRITE, &page);
    got = px_fs_call(PX_FS_APPEND, node_of(file), bytes, 0, file->token, at);
    if (got <= 0)
        return got;
    done = fill_pages(file, from, *at, (uint64_t)got);
    if (done == -EACCES) {
        uint64_t place;

        return write_message(file, from, *at, (uint64_t)got, &place);
    }
    if (px_watched(inode)) /* now that the bytes are there */
        (void)!px_fs_call(PX_FS_TOUCH, node_of(file), PX_TOUCH_WRITTEN, 0, file->token, NULL);
    return done;
}

/* How much may be written at the offset: the file size limit and the largest file. -EFBIG. */
static int64_t clip_write(uint64_t offset, uint64_t bytes)
{
    uint64_t limit;

    if (bytes > PX_FILE_MAX - offset)
        return -EINVAL; /* it would end where no offset reaches */
    limit = px_limit(PX_RLIMIT_FSIZE);
    if (offset + bytes <= limit)
        return (int64_t)bytes;
    if (offset >= limit) {
        px_raise(SIGXFSZ);
        return -EFBIG;
    }
    return (int64_t)(limit - offset);
}

static int64_t write_part(struct px_ofd *ofd, const struct px_inode *inode, px_user from, uint64_t bytes, uint64_t *offset)
{
    struct px_file file = file_of(ofd);
    uint64_t size = px_inode_size(inode);
    bool append = ofd->flags & O_APPEND;

    if (!append && *offset < size && PX_META_LOAD(inode->size) & PX_SIZE_OPEN)
        size = px_size_settle(inode); /* it is not only at its end that it is written */
    if ((append || *offset == size) && !px_watched(inode)) {
        int64_t done = px_tail_write(&file, inode, from, bytes, offset, append);

        if (done > 0)
            tell_written(ofd, &file);
        if (done != 0)
            return done;
    }
    if (append)
        return write_append(&file, inode, from, bytes, offset);
    if (*offset >= size)
        return write_beyond(ofd, &file, from, *offset, bytes);
    if (bytes <= size - *offset)
        return write_inside(ofd, &file, from, *offset, bytes);
    if (bytes <= SMALL_WRITE || *offset / PX_PAGE == (size - 1) / PX_PAGE)
        return write_beyond(ofd, &file, from, *offset, bytes);
    return write_inside(ofd, &file, from, *offset, size - *offset);
}

static int64_t file_write(struct px_ofd *ofd, px_user from, size_t bytes, uint64_t *offset)
{
    const struct px_inode *inode = px_held_inode(&ofd->node);
    uint64_t place = *offset, done = 0;
    int64_t clipped;

    if (!inode)
        return -EIO;
    if (bytes == 0)
        return 0;
    if (PX_META_LOAD(inode->flags) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) << PX_INODE_SEALS_SHIFT)
        return -EPERM; /* windows may be older than the seal */
    clipped = clip_write(ofd->flags & O_APPEND ? px_inode_size(inode) : place, bytes);
    if (clipped < 0)
        return clipped;
    bytes = (uint64_t)clipped;
    while (done < bytes) {
        int64_t part = write_part(ofd, inode, from + done, bytes - done, &place);

        if (part < 0 && done == 0)
            return part;
        if (part <= 0)
            break;
        done += (uint64_t)part;
        place += (uint64_t)part;
    }
    *offset = place;
    return (int64_t)done;
}

/* ---- position, size, mapping ----------------------------------------------------------------------------------- */

/* First page >= index that is (or is not) a hole; end if there is none. Whole empty blocks are passed over. */
static uint64_t next_page(const struct px_inode *inode, uint64_t index, uint64_t end, bool hole)
{
    struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};
    uint32_t height = PX_META_LOAD(inode->file.height);

    while (index < end && (px_region_page(&region, inode, index) == 0) != hole) {
        uint64_t step = 1;

        if (!hole && index >= px_map_reach(height, PX_META_LOAD(inode->file.slots)))
            return end;
        for (uint32_t level = 1; !hole && level < height && level < PX_MAP_HEIGHT_MAX; level++) {
            uint64_t block = 1ull << (10 * level);
            const struct px_inode above = {
                .file = {.map = PX_META_LOAD(inode->file.map), .height = height - level, .slots = PX_MAP_FANOUT}};

            if (index % block || px_region_page(&region, &above, index / block))
                break;
            step = block;
        }
        index += step;
    }
    return index < end ? index : end;
}

static int64_t seek_data(const struct px_inode *inode, uint64_t offset, uint64_t size, bool hole)
{
    uint64_t page;

    if (offset >= size)
        return -ENXIO;
    page = next_page(inode, offset / PX_PAGE, PX_PAGES_UP(size), hole);
    if (page == PX_PAGES_UP(size))
        return hole ? (int64_t)size : -ENXIO;
    return (int64_t)(page * PX_PAGE > offset ? page * PX_PAGE : offset);
}

int64_t px_file_seek(struct px_ofd *ofd, int64_t offset, int whence, uint64_t size)
{
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)ofd->offset : (int64_t)size;

    if (whence > SEEK_END)
        return -EINVAL;
    if (__builtin_add_overflow(base, offset, &offset) || offset < 0)
        return -EINVAL;
    ofd->offset = (uint64_t)offset;
    return offset;
}

static int64_t file_seek(struct px_ofd *ofd, int64_t offset, int whence)
{
    const struct px_inode *inode = px_held_inode(&ofd->node);
    uint64_t size = inode ? px_inode_size(inode) : 0;
    int64_t result;

    if (!inode)
        return -EIO;
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return px_file_seek(ofd, offset, whence, size);
    if (offset < 0)
        return -ENXIO;
    result = seek_data(inode, (uint64_t)offset, size, whence == SEEK_HOLE);
    if (result >= 0)
        ofd->offset = (uint64_t)result;
    return result;
}

static int64_t file_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    return px_node_stat(&ofd->node, stat);
}

static unsigned file_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    (void)ofd, (void)predicates, (void)count;
    return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

/* Holes of a private mapping are the program's own zero pages. */
static int64_t map_holes(const struct px_inode *inode, uint64_t end, uint64_t first, uint64_t pages, uint64_t va, int prot)
{
    struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};

    for (uint64_t i = 0; i < pages && first + i < end; i++) {
        int64_t done;

        if (px_region_page(&region, inode, first + i))
            continue;
        done = exo_mem_alloc(PX_SLOT_SELF, va + i * PX_PAGE, 1, (uint64_t)prot & 7);
        if (done < 0 && done != -EXO_E_EXISTS)
            return -ENOMEM;
    }
    return 0;
}

static int64_t map_pages(const struct px_file *file, const struct px_inode *inode, uint64_t first, uint64_t pages,
                         uint64_t va, int prot, int flags)
{
    bool shared = (flags & 3) != MAP_PRIVATE, shared_write = shared && prot & PROT_WRITE;
    uint64_t end = PX_PAGES_UP(px_inode_size(inode)), done = 0;
    /* A page asked for alone is one that somebody looks at: a hole that is shared becomes a page then, which others may write to. */
    unsigned grant = ((unsigned)prot & 7) | (shared ? 0 : PX_GRANT_PRIVATE) | (shared_write || (shared && pages == 1) ? PX_GRANT_FILL : 0);

    if (first >= end)
        return 0;
    if (pages > end - first)
        pages = end - first;
    if (shared_write)
        grant &= ~PX_GRANT_EXEC;
    while (done < pages) {
        uint64_t count = pages - done < PX_GRANT_MAX ? pages - done : PX_GRANT_MAX;
        int64_t got = px_fs_call(PX_FS_GRANT | count << 32, PX_FS_NODE(file->ino, file->gen), first + done,
                                 (va + done * PX_PAGE) | grant, file->token, NULL);

        if (got < 0)
            return got == -ENOSPC ? -ENOMEM : got;
        if (got == 0)
            break;
        done += (uint64_t)got;
    }
    return shared ? 0 : map_holes(inode, end, first, pages, va, prot);
}

static int64_t file_map(struct px_ofd *ofd, uint64_t first_page, uint64_t pages, uint64_t va, int prot, int flags)
{
    const struct px_inode *inode = px_held_inode(&ofd->node);
    struct px_file file = file_of(ofd);

    return inode ? map_pages(&file, inode, first_page, pages, va, prot, flags) : -EIO;
}

int64_t px_node_map(const struct px_node *node, uint64_t first_page, uint64_t pages, uint64_t va, int prot, int flags)
{
    const struct px_inode *inode = node->kind == PX_NODE_FS ? px_held_inode(node) : NULL;
    struct px_file file = {(uint32_t)node->ino, node->gen, 0};

    return inode ? map_pages(&file, inode, first_page, pages, va, prot, flags) : -ENODEV;
}

static int64_t file_truncate(struct px_ofd *ofd, uint64_t size)
{
    return px_file_truncate(&ofd->node, size, ofd->word[PX_WORD_TOKEN]);
}

static int64_t file_sync(struct px_ofd *ofd)
{
    (void)ofd;
    return 0; /* memory is all there is */
}

PX_PACKED(close) static void file_drop(struct px_ofd *ofd)
{
    px_watch_closed(ofd);
    px_file_let_go(ofd);
}

PX_HOT_TABLE const struct px_ops px_file_ops = {
    .name = "file",
    .read = file_read,
    .write = file_write,
    .seek = file_seek,
    .stat = file_stat,
    .poll = file_poll,
    .map = file_map,
    .truncate = file_truncate,
    .sync = file_sync,
    .drop = file_drop,
};
