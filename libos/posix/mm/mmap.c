/*
 * mmap, munmap, mprotect, brk. Each call checks all of its arguments in Linux's order, makes room in the list,
 * and only then changes anything. Addresses at or above PX_PROG_HI are as good as beyond Linux's TASK_SIZE.
 */
#include "fs/files.h"
#include "mm.h"
#include "proto/limit.h"
#include "px_calls.h"

#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC)

/* ---- limits
 * ------------------------------------------------------------------------------------------------------ */

static bool is_data(const struct px_vma *vma)
{
    return vma->prot & PROT_WRITE && !(vma->flags & (PX_VMA_SHARED | PX_VMA_STACK));
}

static uint64_t data_pages(void)
{
    uint64_t pages = 0;

    for (unsigned at = 0; at < px_mm.count; at++)
        if (is_data(&px_mm.vma[at]))
            pages += (px_mm.vma[at].hi - px_mm.vma[at].lo) / PX_PAGE;
    return pages;
}

/* Linux's heuristic overcommit: anything goes but a single request beyond all memory there is. */
static int64_t check_overcommit(uint64_t pages, int prot, unsigned flags)
{
    bool accountable = prot & PROT_WRITE && !(flags & (PX_VMA_SHARED | PX_VMA_NORESERVE));

    return accountable && pages > px_info()->frames_total ? -ENOMEM : 0;
}

int64_t px_mm_may_grow(uint64_t pages, int prot, unsigned flags)
{
    uint64_t limit = px_limit(RLIMIT_AS);

    if (limit != PX_RLIM_INFINITY && px_mm.pages + pages > limit / PX_PAGE)
        return -ENOMEM;
    limit = px_limit(RLIMIT_DATA);
    if (limit != PX_RLIM_INFINITY && prot & PROT_WRITE && !(flags & (PX_VMA_SHARED | PX_VMA_STACK)) &&
        data_pages() + pages > limit / PX_PAGE)
        return -ENOMEM;
    return check_overcommit(pages, prot, flags);
}

int64_t px_mm_may_lock(uint64_t pages)
{
    uint64_t limit = px_limit(PX_LIMIT_MEMLOCK);

    if (px_self()->euid == 0)
        return 0;
    return !limit ? -EPERM : px_mm.locked + pages > limit / PX_PAGE ? -ENOMEM : 0;
}

/* ---- making a mapping
 * -------------------------------------------------------------------------------------------- */

bool px_mm_bind_window(const struct px_node *node, uint64_t first, uint64_t pages, uint64_t va, int prot)
{
    const struct px_file file = {.ino = (uint32_t)node->ino, .gen = node->gen};
    uint8_t *at;

    if (px_window_at(&file, first, pages, PX_USE_READ, &at) < (int64_t)pages)
        return false;
    return exo_share_all(PX_SLOT_SELF, va, (uint64_t)at, pages, EXO_SHARE_PRIVATE | px_mm_prot(prot)) == 0;
}

/* Binds a file mapping's pages now, if that is worth it. */
static int64_t bind_file(const struct px_map *map)
{
    int flags = map->flags & PX_VMA_SHARED ? MAP_SHARED : MAP_PRIVATE;
    uint64_t pages = map->bytes / PX_PAGE, first = map->page;

    if (!map->node)
        return px_ops[map->ofd->kind]->map(map->ofd, first, pages, map->lo, map->prot, flags);
    if (map->lazy || !(map->prot & PROT_KNOWN))
        return 0;
    if (first >= PX_PAGE_UP(map->node->size) / PX_PAGE)
        return 0;
    if (pages > PX_PAGE_UP(map->node->size) / PX_PAGE - first)
        pages = PX_PAGE_UP(map->node->size) / PX_PAGE - first;
    if (pages > PX_EAGER_PAGES)
        return 0;
    if (pages <= PX_WINDOW_BIND_PAGES && flags == MAP_PRIVATE && px_mm_bind_window(map->node, first, pages, map->lo, map->prot))
        return 0;
    if (map->ofd && px_ops[map->ofd->kind]->map) /* the description may do more than the file's mode allows now */
        return px_ops[map->ofd->kind]->map(map->ofd, first, pages, map->lo, map->prot, flags);
    return px_node_map(map->node, first, pages, map->lo, map->prot, flags);
}

int64_t px_mm_map(const struct px_map *map)
{
    struct px_vma vma = {.lo = map->lo, .hi = map->lo + map->bytes, .prot = (uint16_t)map->prot & 7u, .flags = map->flags & 0x1fffu};
    int64_t status = px_vma_room(3);

    if (status < 0)
        return status;
    if (map->node) {
        status = px_vma_file(map->node);
        if (status < 0)
            return status;
        vma.file = (uint16_t)status;
        vma.page = (uint32_t)map->page;
    }
    px_vma_cut(vma.lo, vma.hi);
    status = map->node || map->ofd ? bind_file(map) : 0;
    if (status < 0) {
        if (vma.file)
            px_vma_file_drop(vma.file);
        return status;
    }
    px_vma_add(&vma);
    return 0;
}

/* ---- mmap
 * -------------------------------------------------------------------------------------------------------- */

/* Where the mapping goes: an address or -errno. */
static int64_t place(uint64_t hint, uint64_t bytes, uint64_t flags)
{
    if (bytes > PX_PROG_HI)
        return -ENOMEM;
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (hint > PX_PROG_HI - bytes)
            return -ENOMEM;
        if (hint % PX_PAGE)
            return -EINVAL;
        if (hint < PX_PROG_LO)
            return -EPERM;
        if (flags & MAP_FIXED_NOREPLACE && px_vma_pages(hint, hint + bytes) > 0)
            return -EEXIST;
        return (int64_t)hint;
    }
    hint = PX_PAGE_DOWN(hint);
    if (hint != 0 && hint < PX_PROG_LO)
        hint = PX_PROG_LO;
    if (hint != 0 && hint <= PX_PROG_HI - bytes && px_vma_free(hint, hint + bytes))
        return (int64_t)hint;
    hint = px_vma_gap(bytes);
    return hint ? (int64_t)hint : -ENOMEM;
}

static bool is_zero_device(const struct px_node *node)
{
    return S_ISCHR(node->mode) && node->rdev == PX_MAKEDEV(1, 5);
}

/* What the description allows; fills in the rest of the map. `node` is the caller's copy: descriptions are shared
 * with others. */
static int64_t check_file(struct px_ofd *ofd, uint64_t flags, int prot, struct px_map *map, struct px_node *node)
{
    uint64_t type = flags & 3;
    unsigned access = ofd->flags & O_ACCMODE;

    if (ofd->flags & O_PATH)
        return -EBADF;
    if (type == MAP_SHARED_VALIDATE && flags & ~(uint64_t)MAP_VALIDATED)
        return -EOPNOTSUPP;
    if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) {
        if (prot & PROT_WRITE && access != O_RDWR)
            return -EACCES;
        map->flags |= PX_VMA_SHARED | (access == O_RDWR ? 0 : PX_VMA_NOWRITE);
    } else if (type != MAP_PRIVATE) {
        return -EINVAL;
    }
    if (access == O_WRONLY)
        return -EACCES;
    if (flags & MAP_GROWSDOWN)
        return -EINVAL;
    *node = ofd->node;
    if (is_zero_device(node))
        return 0; /* the same as anonymous memory */
    if (ofd->kind >= PX_OFD_KINDS || !px_ops[ofd->kind])
        return -ENODEV;
    if (ofd->kind == PX_OFD_FILE && node->kind == PX_NODE_FS) {
        struct px_stat stat;
        int64_t status = px_node_stat(node, &stat);

        if (status < 0)
            return status;
        node->size = (uint64_t)stat.st_size;
        if (px_memfd_sealed(node) && map->flags & PX_VMA_SHARED) {
            if (prot & PROT_WRITE)
                return -EPERM;
            map->flags |= PX_VMA_NOWRITE;
        }
        map->node = node;
        map->ofd = ofd;
        return 0;
    }
    if (!px_ops[ofd->kind]->map)
        return -ENODEV;
    map->ofd = ofd;
    map->flags |= PX_VMA_EAGER;
    return 0;
}

static int64_t check_anonymous(uint64_t flags, struct px_map *map)
{
    uint64_t type = flags & 3;

    if (type == 0 || type == MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (type == MAP_SHARED) {
        if (flags & MAP_GROWSDOWN)
            return -EINVAL;
        map->flags |= PX_VMA_SHARED;
    }
    if (flags & MAP_GROWSDOWN)
        map->flags |= PX_VMA_STACK;
    return 0;
}

/* MAP_POPULATE: as far as memory goes, and no error if it does not. */
static void populate(uint64_t lo, uint64_t hi)
{
    for (uint64_t va = lo; va < hi; va += PX_PAGE)
        if (!px_memory_fault(va, false, false))
            return;
}

int64_t px_sys_mmap(uint64_t hint, uint64_t bytes, uint64_t prot, uint64_t flags, uint64_t fd, uint64_t offset)
{
    struct px_map map = {.prot = (int)(prot & PROT_KNOWN), .page = offset / PX_PAGE};
    struct px_ofd *ofd = NULL;
    struct px_node node;
    int64_t status;

    if (offset % PX_PAGE)
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS)) {
        ofd = px_fd_get((int)fd);
        if (!ofd)
            return -EBADF;
    }
    if (bytes == 0)
        return -EINVAL;
    map.bytes = PX_PAGE_UP(bytes);
    if (map.bytes == 0)
        return -ENOMEM;
    if (ofd && map.page + map.bytes / PX_PAGE > UINT32_MAX)
        return -EOVERFLOW;
    if (flags & MAP_HUGETLB)
        return ofd ? -EINVAL : -ENOMEM; /* there are no huge pages */
    status = place(hint, map.bytes, flags);
    if (status < 0)
        return status;
    map.lo = (uint64_t)status;
    status = ofd ? check_file(ofd, flags, map.prot, &map, &node) : check_anonymous(flags, &map);
    if (status < 0)
        return status;
    if (flags & MAP_NORESERVE)
        map.flags |= PX_VMA_NORESERVE;
    if (!map.node && !map.ofd)
        map.page = 0;
    if (flags & MAP_LOCKED || px_mm.lock_all) {
        if (px_mm_may_lock(map.bytes / PX_PAGE) < 0)
            return px_mm_may_lock(1) == -EPERM && flags & MAP_LOCKED ? -EPERM : -EAGAIN;
        map.flags |= PX_VMA_LOCKED;
        flags |= MAP_POPULATE;
    }
    status = px_mm_may_grow(map.bytes / PX_PAGE - px_vma_pages(map.lo, map.lo + map.bytes), map.prot, map.flags);
    if (status == 0)
        status = px_mm_map(&map);
    if (status < 0)
        return status;
    if (flags & MAP_POPULATE && map.prot)
        populate(map.lo, map.lo + map.bytes);
    if (ofd && map.prot & PROT_EXEC)
        px_code_changed();
    return (int64_t)map.lo;
}

/* ---- munmap
 * ------------------------------------------------------------------------------------------------------ */

int64_t px_sys_munmap(uint64_t lo, uint64_t bytes, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t status;

    (void)c, (void)d, (void)e, (void)f;
    if (lo % PX_PAGE || lo > PX_PROG_HI || bytes > PX_PROG_HI - lo || PX_PAGE_UP(bytes) == 0)
        return -EINVAL;
    status = px_vma_room(2);
    if (status == 0)
        px_vma_cut(lo, lo + PX_PAGE_UP(bytes));
    return status;
}

/* ---- mprotect
 * ---------------------------------------------------------------------------------------------------- */

#define PROT_SEM 8
#define PROT_GROWSDOWN 0x01000000
#define PROT_GROWSUP 0x02000000

/* Everything that can refuse mprotect(lo..hi), for the mappings up to the first gap; *end: where that is. 0 or
 * -errno. */
static int64_t check_protect(uint64_t lo, uint64_t hi, int prot, uint64_t *end)
{
    uint64_t at_va = lo;

    for (unsigned at = px_vma_find(lo); at_va < hi; at++) {
        const struct px_vma *vma = &px_mm.vma[at];
        uint64_t to;

        *end = at_va;
        if (at >= px_mm.count || vma->lo > at_va)
            return -ENOMEM;
        to = vma->hi < hi ? vma->hi : hi;
        if (prot & PROT_WRITE && vma->flags & PX_VMA_NOWRITE)
            return -EACCES;
        if (prot & PROT_WRITE && !(vma->prot & PROT_WRITE) && check_overcommit((to - at_va) / PX_PAGE, prot, vma->flags) < 0)
            return -ENOMEM;
        at_va = to;
    }
    *end = hi;
    return 0;
}

static void protect(uint64_t lo, uint64_t hi, int prot)
{
    if (prot != (PROT_READ | PROT_EXEC))
        px_rewrite_restore(lo, hi);
    px_vma_split(lo);
    px_vma_split(hi);
    for (unsigned at = px_vma_find(lo); at < px_mm.count && px_mm.vma[at].lo < hi; at++) {
        struct px_vma *vma = &px_mm.vma[at];
        int64_t status = 0;

        if (vma->prot != prot)
            status = exo_protect_all(PX_SLOT_SELF, vma->lo, (vma->hi - vma->lo) / PX_PAGE, px_mm_prot(prot));
        /* Pages of private mappings that were bound without write authority are copied at the write fault
         * (fault.c). */
        (void)status;
        vma->prot = (uint16_t)prot & 7u;
    }
    px_vma_merge(lo, hi);
}

int64_t px_sys_mprotect(uint64_t lo, uint64_t bytes, uint64_t prot, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP), hi, end;
    struct px_vma *vma;
    int64_t status;

    (void)d, (void)e, (void)f;
    prot &= ~grows;
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || lo % PX_PAGE)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    hi = lo + PX_PAGE_UP(bytes);
    if (hi <= lo)
        return -ENOMEM;
    if (prot & ~(uint64_t)(PROT_KNOWN | PROT_SEM) || grows & PROT_GROWSUP)
        return -EINVAL;
    if (grows) {
        vma = px_vma_at(lo);
        if (!vma)
            return -ENOMEM;
        if (!(vma->flags & PX_VMA_STACK))
            return -EINVAL;
        lo = vma->lo;
    }
    if (px_vma_room(2) < 0)
        return -ENOMEM;
    status = check_protect(lo, hi, (int)(prot & PROT_KNOWN), &end);
    if (end > lo)
        protect(lo, end, (int)(prot & PROT_KNOWN)); /* as Linux: what lies before the obstacle is changed */
    return status;
}

/* ---- brk
 * --------------------------------------------------------------------------------------------------------- */

static int64_t grow_brk(uint64_t from, uint64_t to)
{
    struct px_map map = {.lo = from, .bytes = to - from, .prot = PROT_READ | PROT_WRITE,
                         .flags = PX_VMA_HEAP | (px_mm.lock_all ? PX_VMA_LOCKED : 0)};

    /* Linux keeps a page free above the heap, and the guard gap below a stack. */
    if (to > PX_PROG_HI || !px_vma_free(from, to + PX_PAGE))
        return -ENOMEM;
    if (px_mm_may_grow(map.bytes / PX_PAGE, map.prot, map.flags) < 0)
        return -ENOMEM;
    return px_mm_map(&map);
}

int64_t px_sys_brk(uint64_t wanted, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t limit = px_limit(RLIMIT_DATA), from = PX_PAGE_UP(px_mm.brk), to = PX_PAGE_UP(wanted);

    (void)b, (void)c, (void)d, (void)e, (void)f;
    if (wanted < px_mm.brk_lo || wanted >= PX_PROG_HI)
        return (int64_t)px_mm.brk;
    if (limit != PX_RLIM_INFINITY && wanted - px_mm.brk_lo > limit)
        return (int64_t)px_mm.brk;
    if (to > from) {
        if (grow_brk(from, to) < 0)
            return (int64_t)px_mm.brk;
    } else if (to < from) {
        if (px_vma_room(2) < 0)
            return (int64_t)px_mm.brk;
        px_vma_cut(to, from);
    }
    px_mm.brk = wanted;
    return (int64_t)wanted;
}
