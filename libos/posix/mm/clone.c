/*
 * fork's memory: what the child gets of each range (layout.h). Neighbouring ranges go to the kernel in one
 * call. The kernel walks page by page inside tables that exist, so ranges follow the mappings closely.
 */
#include "mm.h"
#include "proto/fsmeta.h"

#define JOIN_GAP (16 * PX_PAGE) /* a hole that costs less to walk than a call */
#define ALL_PROT (EXO_PROT_READ | EXO_PROT_WRITE | EXO_PROT_EXEC)

extern char px_image_start[], px_image_data_start[], px_image_end[]; /* posix.ld */

/* Pages of shared anonymous memory that nobody has touched yet must exist before there are two processes to share
 * them. */
static int64_t fill(struct px_vma *vma)
{
    uint64_t va = vma->lo;

    while (va < vma->hi) {
        int64_t done = exo_mem_alloc(PX_SLOT_SELF, va, (vma->hi - va) / PX_PAGE, px_mm_prot(vma->prot));

        if (done < 0 && done != -EXO_E_EXISTS)
            return -ENOMEM;
        va += done > 0 ? (uint64_t)done * PX_PAGE : PX_PAGE;
    }
    vma->flags |= PX_VMA_FULL;
    return 0;
}

static uint64_t share_mode(const struct px_vma *vma, bool same)
{
    if (same)
        return EXO_SHARE_SOLE;
    if (vma->flags & PX_VMA_SHARED)
        return EXO_SHARE_SAME;
    /* A vfork child has the very pages of its parent, who may write them later without anybody noticing: its own
     * child gets copies now. */
    return px_self()->flags & PX_PF_VFORK ? EXO_SHARE_COPY : EXO_SHARE_COW;
}

static int64_t share(uint64_t env, uint64_t lo, uint64_t hi, uint64_t mode)
{
    if (lo >= hi)
        return 0;
    return exo_share_all(env, lo, lo, (hi - lo) / PX_PAGE, mode | ALL_PROT) < 0 ? -ENOMEM : 0;
}

static int64_t clone_program(uint64_t env, bool same)
{
    uint64_t lo = 0, hi = 0, mode = 0;
    int64_t status;

    px_mm.copied = !same;
    for (unsigned at = 0; at < px_mm.count; at++) {
        struct px_vma *vma = &px_mm.vma[at];
        uint64_t wanted = share_mode(vma, same);

        if (!same && vma->flags & (PX_VMA_WIPED | PX_VMA_NOFORK)) { /* the child gets no pages of it */
            status = share(env, lo, hi, mode);
            if (status < 0)
                return status;
            lo = hi = 0;
            continue;
        }
        if (vma->flags & PX_VMA_SHARED && !vma->file && !(vma->flags & (PX_VMA_FULL | PX_VMA_EAGER)) && vma->prot) {
            status = fill(vma);
            if (status < 0)
                return status;
        }
        if (hi > lo && wanted == mode && vma->lo - hi <= JOIN_GAP) {
            hi = vma->hi;
            continue;
        }
        status = share(env, lo, hi, mode);
        if (status < 0)
            return status;
        lo = vma->lo;
        hi = vma->hi;
        mode = wanted;
    }
    return share(env, lo, hi, mode);
}

/* What of a range somebody has taken. */
static int64_t share_used(uint64_t env, const struct px_range *range, uint64_t mode)
{
    uint64_t lo, hi = 0;
    int64_t status = 0;

    while (status == 0 && px_range_used(range, hi, &lo, &hi))
        status = share(env, lo, hi, mode);
    return status;
}

/* The libOS's own part, without the pages in windows: most children read other files, and to share a page costs as much as to read much of it. The
 * libOS's data, the stack in use and the first pages of the heap are written by both sides at once: copied now, which is cheaper than two faults
 * each. The rest of the stack holds nothing, but must be there. */
#define HEAP_HOT 8u

static int64_t clone_libos(uint64_t env)
{
    const struct px_meta *meta = (const struct px_meta *)PX_META;
    uint64_t data = (uint64_t)px_image_data_start, end = PX_PAGE_UP(px_image_end), here = (uint64_t)__builtin_frame_address(0);
    uint64_t live = here > data && here < end ? PX_PAGE_DOWN(here) : data, meta_pages = PX_META_LOAD(meta->pages);
    uint64_t heap = px_heap_pages(), hot = heap < HEAP_HOT ? heap : HEAP_HOT;
    const struct {
        uint64_t lo, hi, mode;
    } part[] = {
        {(uint64_t)px_image_start, data, EXO_SHARE_SAME},
        {data, live, EXO_SHARE_COW},
        {live, end, EXO_SHARE_COPY},
        {PX_HEAP, PX_HEAP + hot * PX_PAGE, EXO_SHARE_COPY},
        {PX_HEAP + hot * PX_PAGE, PX_HEAP + heap * PX_PAGE, EXO_SHARE_COW},
        {PX_PROCTAB, PX_PROCTAB + PX_PROCTAB_PAGES * PX_PAGE, EXO_SHARE_SAME},
        {PX_META, PX_META + (meta_pages < PX_META_PAGES_MAX ? meta_pages : PX_META_PAGES_MAX) * PX_PAGE, EXO_SHARE_SAME},
    };
    int64_t status = 0;

    for (unsigned at = 0; at < sizeof(part) / sizeof(part[0]) && status == 0; at++)
        status = share(env, part[at].lo, part[at].hi, part[at].mode);
    if (status == 0)
        status = share_used(env, &px_big_range, EXO_SHARE_COW);
    if (status == 0)
        status = share_used(env, &px_shared_range, EXO_SHARE_SAME);
    return status;
}

int64_t px_memory_clone(uint64_t env, enum px_clone what)
{
    int64_t status = what == PX_CLONE_LIBOS ? 0 : clone_program(env, what == PX_CLONE_SAME);

    return status < 0 ? status : clone_libos(env);
}
