/* mremap: in place if there is room, else the pages move; never a copy. */
#include "mm.h"
#include "px_calls.h"

struct remap {
    uint64_t lo, old_bytes, bytes, to; /* page aligned */
    uint64_t flags;
};

static int64_t check_remap(const struct remap *r)
{
    if (r->flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) || r->lo % PX_PAGE)
        return -EINVAL;
    if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(r->flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if (r->flags & MREMAP_DONTUNMAP && r->bytes != r->old_bytes)
        return -EINVAL;
    if (r->bytes == 0 || r->old_bytes == 0)
        return -EINVAL; /* an old size of 0 would map shared pages twice: not there */
    if (r->lo > PX_PROG_HI || r->old_bytes > PX_PROG_HI - r->lo)
        return -EFAULT;
    if (!(r->flags & MREMAP_FIXED))
        return r->bytes > PX_PROG_HI ? -ENOMEM : 0;
    if (r->to % PX_PAGE || r->bytes > PX_PROG_HI || r->to > PX_PROG_HI - r->bytes)
        return -EINVAL;
    if (r->to < r->lo + r->old_bytes && r->lo < r->to + r->bytes)
        return -EINVAL;
    return r->to < PX_PROG_LO ? -EPERM : 0;
}

/* The one mapping that holds lo .. lo + bytes. */
static int64_t check_mapping(uint64_t lo, uint64_t bytes, struct px_vma *out)
{
    const struct px_vma *vma = px_vma_at(lo);

    if (!vma || bytes > vma->hi - lo)
        return -EFAULT;
    if (vma->file && vma->page + (lo - vma->lo + bytes) / PX_PAGE > UINT32_MAX)
        return -EINVAL;
    *out = *vma;
    return 0;
}

static int64_t grow_in_place(const struct px_vma *vma, const struct remap *r)
{
    uint64_t end = r->lo + r->old_bytes, more = r->bytes - r->old_bytes;
    struct px_vma added = *vma;

    if (vma->hi != end || r->bytes > PX_PROG_HI - r->lo || !px_vma_free(end, end + more))
        return -ENOMEM;
    added.lo = end;
    added.hi = end + more;
    added.flags &= (uint16_t)~PX_VMA_FULL & 0x1fffu;
    if (added.file) {
        added.page += (uint32_t)((end - vma->lo) / PX_PAGE);
        px_mm.file[added.file - 1]->users++;
    }
    px_vma_add(&added);
    return (int64_t)r->lo;
}

/* Moves the pages to r->to, where nothing is. */
static int64_t move(const struct px_vma *vma, const struct remap *r)
{
    uint64_t moved = r->old_bytes < r->bytes ? r->old_bytes : r->bytes;
    struct px_vma made = *vma, left = *vma;
    int64_t status;

    px_rewrite_restore(r->lo, r->lo + r->old_bytes);
    status = exo_share_all(PX_SLOT_SELF, r->to, r->lo, moved / PX_PAGE, EXO_SHARE_MOVE | 7);

    if (status < 0) { /* no memory for page tables: what has moved goes back */
        status = exo_share_all(PX_SLOT_SELF, r->lo, r->to, moved / PX_PAGE, EXO_SHARE_MOVE | 7);
        return -ENOMEM;
    }
    made.lo = r->to;
    made.hi = r->to + r->bytes;
    if (r->bytes > r->old_bytes)
        made.flags &= (uint16_t)~PX_VMA_FULL & 0x1fffu;
    made.flags &= (uint16_t)~(PX_VMA_HEAP | PX_VMA_FREED) & 0x1fffu; /* marks of use do not move along */
    if (made.file) {
        made.page += (uint32_t)((r->lo - vma->lo) / PX_PAGE);
        px_mm.file[made.file - 1]->users++;
    }
    px_vma_cut(r->lo, r->lo + r->old_bytes);
    px_vma_add(&made);
    if (r->flags & MREMAP_DONTUNMAP) { /* the old one stays, with nothing in it */
        left.lo = r->lo;
        left.hi = r->lo + r->old_bytes;
        left.flags &= (uint16_t)~PX_VMA_FULL & 0x1fffu;
        if (left.file) {
            left.page += (uint32_t)((r->lo - vma->lo) / PX_PAGE);
            px_mm.file[left.file - 1]->users++;
        }
        px_vma_add(&left);
    }
    return (int64_t)r->to;
}

int64_t px_sys_mremap(uint64_t lo, uint64_t old_bytes, uint64_t bytes, uint64_t flags, uint64_t to, uint64_t f)
{
    struct remap r = {lo, PX_PAGE_UP(old_bytes), PX_PAGE_UP(bytes), to, flags};
    struct px_vma vma;
    int64_t status = check_remap(&r);

    (void)f;
    if (status == 0)
        status = px_vma_room(6);
    if (status < 0)
        return status;
    if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && r.bytes <= r.old_bytes) { /* shrink */
        if (px_vma_pages(lo, lo + r.old_bytes) == 0)
            return -EFAULT;
        if (r.bytes < r.old_bytes)
            px_vma_cut(lo + r.bytes, lo + r.old_bytes);
        return (int64_t)lo;
    }
    status = check_mapping(lo, r.old_bytes, &vma);
    if (status < 0)
        return status;
    if (flags & MREMAP_DONTUNMAP && (status = px_mm_may_grow(r.bytes / PX_PAGE, vma.prot, vma.flags)) < 0)
        return status;
    if (r.bytes > r.old_bytes) {
        if (vma.flags & PX_VMA_EAGER)
            return -EFAULT;
        status = px_mm_may_grow((r.bytes - r.old_bytes) / PX_PAGE, vma.prot, vma.flags);
        if (status < 0)
            return status;
    }
    if (flags & MREMAP_FIXED) {
        px_vma_cut(r.to, r.to + r.bytes);
        return move(&vma, &r);
    }
    status = flags & MREMAP_DONTUNMAP ? 0 : grow_in_place(&vma, &r);
    if (status > 0 || !(flags & MREMAP_MAYMOVE))
        return status;
    if (!(flags & MREMAP_DONTUNMAP) || to % PX_PAGE || to < PX_PROG_LO || to > PX_PROG_HI - r.bytes || !px_vma_free(to, to + r.bytes))
        r.to = px_vma_gap(r.bytes);
    return r.to ? move(&vma, &r) : -ENOMEM;
}

/* Another stretch of the file where one of a shared mapping is: since Linux 4.0 a mapping like any other, made over the old one. */
int64_t px_sys_remap_file_pages(uint64_t start, uint64_t size, uint64_t prot, uint64_t page, uint64_t flags, uint64_t f)
{
    const uint64_t lo = PX_PAGE_DOWN(start), bytes = PX_PAGE_DOWN(size);
    struct px_map map = {.lo = lo, .bytes = bytes, .page = page, .lazy = true};
    const struct px_vma *vma = px_vma_at(lo);
    struct px_node node;
    int64_t status;

    (void)flags, (void)f;
    if (prot || lo + bytes <= lo || page + bytes / PX_PAGE < page)
        return -EINVAL;
    if (!vma || (vma->flags & (PX_VMA_SHARED | PX_VMA_EAGER)) != PX_VMA_SHARED || !vma->file || lo + bytes > vma->hi)
        return -EINVAL;
    if (page + bytes / PX_PAGE > UINT32_MAX)
        return -EOVERFLOW;
    map.prot = vma->prot;
    map.flags = vma->flags & (PX_VMA_SHARED | PX_VMA_NOWRITE);
    node = *px_vma_node(vma);
    map.node = &node;
    status = px_node_hold(&node); /* the last mapping of it may go first */
    if (status < 0)
        return status;
    status = px_vma_room(6);
    if (status == 0)
        status = px_mm_map(&map);
    px_node_drop(&node);
    return status;
}
