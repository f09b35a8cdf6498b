/* madvise, msync, mincore and the mlock family: what a program says or asks about mappings that exist. */
#include "fs/files.h"
#include "mm.h"
#include "proto/limit.h"
#include "px_calls.h"

/* Checks a range as these calls do; *hi: its end. */
static int64_t check_span(uint64_t lo, uint64_t bytes, uint64_t *hi)
{
    if (lo % PX_PAGE)
        return -EINVAL;
    *hi = lo + PX_PAGE_UP(bytes);
    return *hi < lo || (bytes && PX_PAGE_UP(bytes) == 0) ? -EINVAL : 0;
}

static bool all_mapped(uint64_t lo, uint64_t hi)
{
    if (lo >= PX_PROG_HI || hi > PX_PROG_HI)
        return lo == hi;
    return px_vma_pages(lo, hi) == (hi - lo) / PX_PAGE;
}

/* Frees the pages; the next access finds zeros, or the file. Shared memory keeps its contents. */
static void forget(const struct px_vma *vma, uint64_t lo, uint64_t hi)
{
    int64_t status = 0;

    if (!(vma->flags & (PX_VMA_SHARED | PX_VMA_EAGER))) {
        px_memory_peak((hi - lo) / PX_PAGE);
        status = exo_unmap_all(PX_SLOT_SELF, lo, (hi - lo) / PX_PAGE);
    }
    (void)status;
}

static int64_t bring_in(uint64_t lo, uint64_t hi, bool write)
{
    for (uint64_t va = lo; va < hi; va += PX_PAGE) {
        uint64_t word = 0;

        if (exo_mem_query(PX_SLOT_SELF, va, 1, &word) != 1 || (word & EXO_QUERY_PRESENT && !(write && word & EXO_QUERY_COW)))
            continue;
        if (!(word & EXO_QUERY_PRESENT) && !px_memory_fault(va, write, false))
            return px_mm.bad_signal == SIGKILL ? -ENOMEM : -EFAULT;
    }
    return 0;
}

static bool scarce(void)
{
    return px_info()->frames_free < px_info()->frames_total / 4;
}

/* From now on what is not written is not needed: the marks of use tell (spare.c gives it when memory is asked for). False: it cannot be noted. */
static bool mark_free(uint64_t lo, uint64_t hi)
{
    uint64_t word[PX_QUERY_PAGES];

    if (px_vma_room(2) < 0)
        return false;
    for (uint64_t va = lo; va < hi; va += PX_QUERY_PAGES * PX_PAGE) {
        uint64_t pages = (hi - va) / PX_PAGE < PX_QUERY_PAGES ? (hi - va) / PX_PAGE : PX_QUERY_PAGES;

        if (exo_mem_query_clear(PX_SLOT_SELF, va, pages, word) != (int64_t)pages)
            return false;
    }
    px_vma_split(lo);
    px_vma_split(hi);
    px_mm.vma[px_vma_find(lo)].flags |= PX_VMA_FREED;
    px_mm.freed = true;
    px_vma_merge(lo, hi);
    return true;
}

/* Flags of a part of one mapping. */
static int64_t mark(uint64_t lo, uint64_t hi, unsigned set, unsigned clear)
{
    struct px_vma *vma;

    if (px_vma_room(2) < 0)
        return -ENOMEM;
    px_vma_split(lo);
    px_vma_split(hi);
    vma = &px_mm.vma[px_vma_find(lo)];
    px_mm.locked -= vma->flags & PX_VMA_LOCKED ? (hi - lo) / PX_PAGE : 0;
    vma->flags = ((vma->flags | set) & ~clear) & 0x1fffu;
    px_mm.locked += vma->flags & PX_VMA_LOCKED ? (hi - lo) / PX_PAGE : 0;
    px_vma_merge(lo, hi);
    return 0;
}

/* Of shared memory that is no file's the pages stay, as zeros: those that are there, so that no more come. */
static void clear_pages(uint64_t lo, uint64_t hi)
{
    for (uint64_t va = lo; va < hi; va += PX_PAGE) {
        uint64_t word = 0;

        if (exo_mem_query(PX_SLOT_SELF, va, 1, &word) == 1 && word & EXO_QUERY_PRESENT)
            (void)px_clear_out(va, PX_PAGE);
    }
}

/* From now on there are zeros, for all who have it. */
static int64_t punch(const struct px_vma *vma, uint64_t lo, uint64_t hi)
{
    if (vma->flags & (PX_VMA_LOCKED | PX_VMA_EAGER) || !(vma->file || vma->flags & PX_VMA_SHARED))
        return -EINVAL;
    if (!(vma->flags & PX_VMA_SHARED) || !(vma->prot & PROT_WRITE))
        return -EACCES;
    if (vma->file)
        return px_file_punch(px_vma_node(vma), (vma->page + (lo - vma->lo) / PX_PAGE) * PX_PAGE, hi - lo, 0);
    clear_pages(lo, hi);
    return 0;
}

static int64_t advise(const struct px_vma *vma, uint64_t lo, uint64_t hi, int advice)
{
    switch (advice) {
    case MADV_DONTNEED:
        if (vma->flags & PX_VMA_LOCKED)
            return -EINVAL;
        /* fall through */
    case MADV_DONTNEED_LOCKED:
        forget(vma, lo, hi);
        return 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
        return vma->flags & PX_VMA_LOCKED ? -EINVAL : 0;
    case MADV_REMOVE:
        return punch(vma, lo, hi);
    case MADV_DONTFORK:
        px_mm.unforked = true;
        return mark(lo, hi, PX_VMA_NOFORK, 0);
    case MADV_DOFORK:
        return mark(lo, hi, 0, PX_VMA_NOFORK);
    case MADV_WIPEONFORK:
        return vma->file || vma->flags & (PX_VMA_SHARED | PX_VMA_EAGER) ? -EINVAL : mark(lo, hi, PX_VMA_WIPED, 0);
    case MADV_DONTDUMP:
        return mark(lo, hi, PX_VMA_NODUMP, 0);
    case MADV_DODUMP:
        return mark(lo, hi, 0, PX_VMA_NODUMP);
    case MADV_KEEPONFORK:
        return mark(lo, hi, 0, PX_VMA_WIPED);
    case MADV_FREE:
        if (vma->file || vma->flags & (PX_VMA_SHARED | PX_VMA_LOCKED))
            return -EINVAL;
        if (scarce() || !mark_free(lo, hi))
            forget(vma, lo, hi);
        return 0;
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return bring_in(lo, hi, advice == MADV_POPULATE_WRITE);
    default:
        return 0;
    }
}

/* Advice that Linux knows; what advise() does not is taken without doing anything. */
static bool known(int advice)
{
    return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) || (advice >= MADV_FREE && advice <= MADV_DONTNEED_LOCKED);
}

int64_t px_sys_madvise(uint64_t lo, uint64_t bytes, uint64_t advice, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t status, result = 0;
    uint64_t hi, at_va = lo;

    (void)d, (void)e, (void)f;
    if (!known((int)advice))
        return -EINVAL;
    status = check_span(lo, bytes, &hi);
    if (status < 0 || lo == hi)
        return status;
    while (at_va < hi) {
        unsigned at = px_vma_find(at_va);
        struct px_vma vma;
        uint64_t to;

        if (at >= px_mm.count || px_mm.vma[at].lo >= hi)
            break;
        vma = px_mm.vma[at]; /* a copy: the advice may change the list */
        to = vma.hi < hi ? vma.hi : hi;
        if (vma.lo > at_va) {
            result = -ENOMEM; /* a hole: the rest is still advised */
            at_va = vma.lo;
        }
        status = advise(&vma, at_va, to, (int)advice);
        if (status < 0)
            return status;
        at_va = to;
    }
    return at_va < hi ? -ENOMEM : result;
}

/* File pages are the page cache's own: there is nothing to write back. */
int64_t px_sys_msync(uint64_t lo, uint64_t bytes, uint64_t flags, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t hi;

    (void)d, (void)e, (void)f;
    if (flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & MS_ASYNC && flags & MS_SYNC) || lo % PX_PAGE)
        return -EINVAL;
    if (bytes && PX_PAGE_UP(bytes) == 0)
        return 0; /* Linux rounds up before it looks */
    if (check_span(lo, bytes, &hi) < 0)
        return -ENOMEM;
    if (flags & MS_INVALIDATE && px_vma_locked(lo, hi))
        return -EBUSY;
    return all_mapped(lo, hi) ? 0 : -ENOMEM;
}

#define MINCORE_PAGES 64u

int64_t px_sys_mincore(uint64_t lo, uint64_t bytes, uint64_t vector, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t word[MINCORE_PAGES], hi;
    unsigned char in[MINCORE_PAGES];

    (void)d, (void)e, (void)f;
    if (lo % PX_PAGE)
        return -EINVAL;
    if (check_span(lo, bytes, &hi) < 0 || lo > PX_PROG_HI || hi > PX_PROG_HI)
        return -ENOMEM;
    if (px_check_range(vector, (hi - lo) / PX_PAGE) < 0)
        return -EFAULT;
    if (!all_mapped(lo, hi))
        return -ENOMEM;
    while (lo < hi) {
        uint64_t pages = (hi - lo) / PX_PAGE < MINCORE_PAGES ? (hi - lo) / PX_PAGE : MINCORE_PAGES;

        if (exo_mem_query(PX_SLOT_SELF, lo, pages, word) != (int64_t)pages)
            return -EAGAIN;
        for (uint64_t at = 0; at < pages; at++)
            in[at] = word[at] & EXO_QUERY_PRESENT ? 1 : 0;
        if (px_copy_out(vector, in, pages) < 0)
            return -EFAULT;
        vector += pages;
        lo += pages * PX_PAGE;
    }
    return 0;
}

/* All mappings of the range, up to the first hole. */
static int64_t mark_locked(uint64_t lo, uint64_t hi, bool locking)
{
    int64_t status = 0;

    while (lo < hi && status == 0) {
        const struct px_vma *vma = px_vma_at(lo);
        uint64_t to;

        if (!vma)
            return -ENOMEM;
        to = vma->hi < hi ? vma->hi : hi;
        status = mark(lo, to, locking ? PX_VMA_LOCKED : 0, locking ? PX_VMA_FREED : PX_VMA_LOCKED);
        lo = to;
    }
    return status;
}

/* Nothing is ever paged out, so locking is bringing in, and counting. */
static int64_t lock(uint64_t lo, uint64_t bytes, bool locking, bool now)
{
    uint64_t hi = PX_PAGE_UP(lo + bytes);
    int64_t status;

    lo = PX_PAGE_DOWN(lo);
    status = locking ? px_mm_may_lock(0) : 0;
    if (status == -EPERM || hi < lo)
        return hi < lo ? -EINVAL : status;
    if (locking)
        status = px_mm_may_lock((hi - lo) / PX_PAGE - px_vma_locked(lo, hi));
    if (status == 0)
        status = mark_locked(lo, hi, locking);
    if (status < 0)
        return status;
    status = now ? bring_in(lo, hi, false) : 0;
    return status < 0 ? (status == -ENOMEM ? -EAGAIN : -ENOMEM) : 0;
}

int64_t px_sys_mlock(uint64_t lo, uint64_t bytes, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)c, (void)d, (void)e, (void)f;
    return lock(lo, bytes, true, true);
}

int64_t px_sys_mlock2(uint64_t lo, uint64_t bytes, uint64_t flags, uint64_t d, uint64_t e, uint64_t f)
{
    (void)d, (void)e, (void)f;
    return flags & ~1ull ? -EINVAL : lock(lo, bytes, true, flags == 0);
}

int64_t px_sys_munlock(uint64_t lo, uint64_t bytes, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)c, (void)d, (void)e, (void)f;
    return lock(lo, bytes, false, false);
}

/* Pages are not brought in: that comes when they are touched. */
static void mark_all(bool locked)
{
    px_mm.locked = locked ? px_mm.pages : 0;
    for (unsigned at = 0; at < px_mm.count; at++)
        px_mm.vma[at].flags = (locked ? px_mm.vma[at].flags | PX_VMA_LOCKED : px_mm.vma[at].flags & ~(unsigned)PX_VMA_LOCKED) & 0x1fffu;
    px_vma_merge(0, PX_PROG_HI);
}

int64_t px_sys_mlockall(uint64_t flags, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t status;

    (void)b, (void)c, (void)d, (void)e, (void)f;
    if (flags == 0 || flags == MCL_ONFAULT || flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        return -EINVAL;
    status = px_mm_may_lock(0);
    if (status == 0 && flags & MCL_CURRENT)
        status = px_self()->euid && px_mm.pages > px_limit(PX_LIMIT_MEMLOCK) / PX_PAGE ? -ENOMEM : 0;
    if (status < 0)
        return status;
    px_mm.lock_all = flags & MCL_FUTURE;
    if (flags & MCL_CURRENT)
        mark_all(true);
    return 0;
}

int64_t px_sys_munlockall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    px_mm.lock_all = false;
    mark_all(false);
    return 0;
}
