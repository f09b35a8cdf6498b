/*
 * What a window on a file's pages is (window.c), for who looks at the one that was used last without taking another.
 */
#ifndef PX_WINDOW_H
#define PX_WINDOW_H
#include "files.h"

#define PX_WINDOW_SMALL 16u /* pages */
#define PX_WINDOW_LARGE 128u
#define PX_WINDOWS_SMALL 16u /* the first ones */
#define PX_WINDOWS 20u

struct px_window {
    uint32_t ino, gen, version;
    uint32_t used; /* stamp of the last use; 0: free */
    uint64_t base; /* first page of the file */
    uint64_t va;   /* 0: no addresses yet */
    uint64_t mapped[PX_WINDOW_LARGE / 64];
    uint8_t use; /* enum px_window_use */
    uint8_t grants;
};
extern struct px_window px_windows[PX_WINDOWS];
extern struct px_window *px_window_latest;

static inline uint64_t px_window_span(const struct px_window *window)
{
    return window < &px_windows[PX_WINDOWS_SMALL] ? PX_WINDOW_SMALL : PX_WINDOW_LARGE;
}

static inline bool px_window_mapped(const struct px_window *window, uint64_t at)
{
    return window->mapped[at / 64] >> (at % 64) & 1;
}

/* What the latest window shows of the file's present version from the offset on, if it shows all of it and that is in one page. For reading. */
static inline const uint8_t *px_window_seen(const struct px_ofd *ofd, uint32_t version, uint64_t offset, uint64_t bytes)
{
    const struct px_window *window = px_window_latest;
    uint64_t at = offset / PX_PAGE - window->base;

    if (at >= px_window_span(window) || window->ino != (uint32_t)ofd->node.ino || window->gen != ofd->node.gen || !window->used ||
        window->version != version || !px_window_mapped(window, at) || offset % PX_PAGE + bytes > PX_PAGE)
        return NULL;
    return (const uint8_t *)(window->va + at * PX_PAGE + offset % PX_PAGE);
}

#endif
