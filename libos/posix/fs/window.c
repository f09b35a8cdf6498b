/*
 * Windows: address ranges on parts of files, where fs maps the pages that this process may see. Reading is then a
 * copy. A window keeps which of its pages are mapped, and of which version of the file: when pages were taken away
 * the version changes and the window starts over. There are a few small and a few large ones, used again in the order
 * of their last use.
 */
#include "window.h"

#define FIRST_GRANT 16u  /* pages at the first touch of a window; the next touch takes the rest */
#define RESERVE_MOST 64u /* pages beyond the end that a writer takes ahead */

struct px_window px_windows[PX_WINDOWS];
struct px_window *px_window_latest = px_windows;
static uint32_t stamp;

PX_APART static void clear(struct px_window *window)
{
    bool any = false;

    for (unsigned i = 0; i < PX_WINDOW_LARGE / 64; i++) {
        any |= window->mapped[i] != 0;
        window->mapped[i] = 0;
    }
    window->grants = 0;
    if (any)
        (void)!exo_unmap_all(PX_SLOT_SELF, window->va, px_window_span(window));
}

static bool covers(const struct px_window *window, const struct px_file *file, uint64_t page)
{
    return window->ino == file->ino && window->used && window->gen == file->gen && page >= window->base &&
           page - window->base < px_window_span(window);
}

/* px_window_seen leaves no stamps. */
static struct px_window *look_at(struct px_window *window)
{
    if (px_window_latest->used)
        px_window_latest->used = ++stamp;
    return px_window_latest = window;
}

static struct px_window *find(const struct px_file *file, uint64_t page)
{
    if (covers(px_window_latest, file, page))
        return px_window_latest;
    for (unsigned i = 0; i < PX_WINDOWS; i++) {
        if (covers(&px_windows[i], file, page))
            return look_at(&px_windows[i]);
    }
    return NULL;
}

/* A window for the page, taken from its last user. NULL: no addresses. */
static struct px_window *take(const struct px_file *file, uint64_t page, uint64_t file_pages)
{
    unsigned first = file_pages > PX_WINDOW_SMALL ? PX_WINDOWS_SMALL : 0, end = first ? PX_WINDOWS : PX_WINDOWS_SMALL;
    struct px_window *oldest = &px_windows[first];

    for (unsigned i = first; i < end; i++) {
        if (px_windows[i].used < oldest->used)
            oldest = &px_windows[i];
    }
    if (!oldest->va && !(oldest->va = px_window_reserve(px_window_span(oldest))))
        return NULL;
    clear(oldest);
    oldest->ino = file->ino;
    oldest->gen = file->gen;
    oldest->base = page & ~(px_window_span(oldest) - 1);
    oldest->use = PX_USE_READ;
    return look_at(oldest);
}

void px_window_forget(uint32_t ino)
{
    for (unsigned i = 0; i < PX_WINDOWS; i++) {
        if (px_windows[i].ino == ino && px_windows[i].used) {
            clear(&px_windows[i]);
            px_windows[i].used = 0;
        }
    }
}

void px_window_fork_child(void)
{
    for (unsigned i = 0; i < PX_WINDOWS; i++) {
        memset(px_windows[i].mapped, 0, sizeof(px_windows[i].mapped));
        px_windows[i].grants = 0;
    }
}

uint32_t px_window_version(const struct px_file *file, uint64_t page)
{
    const struct px_window *window = find(file, page);

    return window ? window->version : 0;
}

static unsigned grant_flags(enum px_window_use use)
{
    switch (use) {
    case PX_USE_READ: return PX_GRANT_READ;
    case PX_USE_EXEC: return PX_GRANT_READ | PX_GRANT_EXEC;
    case PX_USE_WRITE: break;
    }
    return PX_GRANT_READ | PX_GRANT_WRITE | PX_GRANT_FILL;
}

/* How many pages to ask for: what is wanted, and more where more will follow. */
static uint64_t choose_count(const struct px_window *window, const struct px_inode *inode, uint64_t at, uint64_t want,
                             uint64_t file_pages)
{
    struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};
    uint64_t page = window->base + at, most = px_window_span(window) - at, count = want < most ? want : most;
    uint64_t rest = file_pages > page ? file_pages - page : 0, aim = FIRST_GRANT;

    if (window->use == PX_USE_WRITE && count > rest) { /* beyond the end: half as much again as there is */
        aim = count + (file_pages / 2 < RESERVE_MOST ? file_pages / 2 : RESERVE_MOST);
        return aim < most ? aim : most;
    }
    if (window->grants > 0 || (at == 0 && window->base > 0))
        aim = most;
    aim = aim < rest ? aim : rest;
    aim = aim < most ? aim : most;
    if (window->use != PX_USE_WRITE)
        return count < aim ? aim : count;
    while (count < aim && px_region_page(&region, inode, page + count)) /* holes that nobody writes to stay */
        count++;
    return count;
}

/* Asks fs for pages from `at` on. Marked as mapped is what was no hole before: that is certainly there now. */
static int64_t grant(struct px_window *window, const struct px_file *file, const struct px_inode *inode, uint64_t at,
                     uint64_t count)
{
    struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};
    bool fill = window->use == PX_USE_WRITE;
    uint64_t there[PX_WINDOW_LARGE / 64] = {0}, version;
    int64_t done;

    for (uint64_t i = at; i < at + count; i++) {
        if (fill || px_region_page(&region, inode, window->base + i))
            there[i / 64] |= 1ull << (i % 64);
    }
    done = px_fs_call(PX_FS_GRANT | count << 32, PX_FS_NODE(file->ino, file->gen), window->base + at,
                      (window->va + at * PX_PAGE) | grant_flags(window->use), file->token, &version);
    if (done < 0)
        return done;
    if ((uint32_t)version != window->version) { /* pages went while we asked: what is mapped may be stale */
        for (uint64_t i = at; i < at + count; i++)
            window->mapped[i / 64] |= 1ull << (i % 64);
        clear(window);
        window->version = (uint32_t)version;
        return -EAGAIN;
    }
    for (uint64_t i = at; i < at + (uint64_t)done && i < at + count; i++)
        window->mapped[i / 64] |= there[i / 64] & 1ull << (i % 64);
    window->grants = 1;
    return done;
}

/* The window on the page, of the file's present version and for the use wanted. */
static struct px_window *ready(const struct px_file *file, const struct px_inode *inode, uint64_t page,
                            enum px_window_use use, uint64_t file_pages)
{
    uint32_t version = PX_META_LOAD(inode->version);
    struct px_window *window = find(file, page);

    if (window && file_pages > 2 * PX_WINDOW_SMALL && px_window_span(window) == PX_WINDOW_SMALL) {
        px_window_forget(file->ino); /* it has grown: large windows now */
        window = NULL;
    }
    if (!window) {
        window = take(file, page, file_pages);
        if (!window)
            return NULL;
        window->version = version;
    }
    if (window->version != version || window->use < use) {
        clear(window);
        window->version = version;
        window->use = (uint8_t)use;
    }
    window->used = ++stamp;
    return window;
}

int64_t px_window_at(const struct px_file *file, uint64_t page, uint64_t want, enum px_window_use use, uint8_t **at)
{
    const struct px_inode *inode = px_held_inode_inline(file->ino, file->gen);

    for (unsigned tries = 0; inode && tries < 8; tries++) {
        uint64_t pages = PX_PAGES_UP(px_inode_size(inode)), index, count;
        struct px_window *window = ready(file, inode, page, use, page + 1 > pages ? page + 1 : pages);
        struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};
        int64_t done;

        if (!window)
            return -ENOMEM;
        index = page - window->base;
        *at = (uint8_t *)(window->va + index * PX_PAGE);
        for (count = 0; count < want && index + count < px_window_span(window) && px_window_mapped(window, index + count); count++)
            ;
        if (count > 0)
            return (int64_t)count;
        if (use != PX_USE_WRITE && !px_region_page(&region, inode, page))
            return 0;
        done = grant(window, file, inode, index, choose_count(window, inode, index, want, pages));
        if (done == -EACCES &&
            window->use > use) { /* another description of this process may write: this one may not */
            clear(window);
            window->use = (uint8_t)use;
            continue;
        }
        if (done < 0 && done != -EAGAIN)
            return done;
        if (done == 0)
            return 0; /* past the end by now */
    }
    return -EIO;
}
