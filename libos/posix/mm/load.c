/*
 * Mapping an ELF file's segments. Text is mapped from the page cache and never copied. A small writable segment
 * is copied at once: its pages would nearly all be copied one by one, at a fault each. A message to fs costs
 * more than mapping a hundred pages, so what is not writable and lies side by side is asked for once, and small
 * segments come through the file's window.
 */
#include "elf.h"

#define COPY_PAGES 16u

static int segment_prot(const struct px_elf_phdr *phdr)
{
    return (phdr->flags & PF_R ? PROT_READ : 0) | (phdr->flags & PF_W ? PROT_WRITE : 0) | (phdr->flags & PF_X ? PROT_EXEC : 0);
}

static uint64_t largest_alignment(const struct px_elf *elf)
{
    uint64_t alignment = PX_PAGE;

    for (unsigned at = 0; at < elf->header.phnum; at++) {
        uint64_t wanted = elf->phdr[at].align;

        if (elf->phdr[at].type == PT_LOAD && wanted > alignment && (wanted & (wanted - 1)) == 0)
            alignment = wanted;
    }
    return alignment;
}

/* Fresh pages with the file's bytes in them. */
static int64_t copy_in_place(const struct px_elf *elf, const struct px_elf_phdr *phdr, uint64_t va, uint64_t lo, uint64_t hi, int prot)
{
    int64_t got;

    if (exo_alloc_all(PX_SLOT_SELF, lo, (hi - lo) / PX_PAGE, px_mm_prot(prot), NULL) < 0)
        return -ENOMEM;
    /* What Linux would map is whole pages of the file, and zeros behind its last byte in the segment. */
    got = px_node_read(&elf->node, (void *)lo, phdr->offset - (va - lo), va - lo + phdr->filesz);
    return got < 0 ? got : 0;
}

/* The part of a segment that comes from the file. */
static int64_t map_file_part(const struct px_elf *elf, const struct px_elf_phdr *phdr, uint64_t va, int prot)
{
    uint64_t lo = PX_PAGE_DOWN(va), hi = PX_PAGE_UP(va + phdr->filesz), skip = va - lo, end = va + phdr->filesz;
    struct px_map map = {.lo = lo, .bytes = hi - lo, .prot = prot, .node = &elf->node};
    bool small = prot & PROT_WRITE && hi - lo <= COPY_PAGES * PX_PAGE;
    bool text = !(prot & PROT_WRITE) && hi - lo > PX_WINDOW_BIND_PAGES * PX_PAGE;
    int64_t status;

    if (phdr->offset < skip || (phdr->offset - skip) % PX_PAGE || phdr->offset > INT64_MAX)
        return -EINVAL;
    map.page = (phdr->offset - skip) / PX_PAGE;
    if (map.page + map.bytes / PX_PAGE > UINT32_MAX)
        return -EOVERFLOW;
    map.lazy = small || text; /* text: bind_text */
    status = px_mm_map(&map);
    if (status == 0 && small && phdr->offset - skip < elf->node.size)
        status = copy_in_place(elf, phdr, va, lo, hi, prot);
    else if (status == 0 && phdr->memsz > phdr->filesz && prot & PROT_WRITE && end % PX_PAGE)
        status = px_clear_out(end, hi - end);
    return status;
}

static int64_t load_segment(const struct px_elf *elf, const struct px_elf_phdr *phdr)
{
    uint64_t va = elf->bias + phdr->vaddr, hi;
    int prot = segment_prot(phdr);
    int64_t status = 0;

    if (va >= PX_PROG_HI || phdr->filesz > phdr->memsz || phdr->memsz > PX_PROG_HI || PX_PROG_HI - phdr->memsz < va)
        return -EINVAL;
    if (PX_PAGE_DOWN(va) < PX_PROG_LO)
        return -EPERM;
    if (phdr->filesz)
        status = map_file_part(elf, phdr, va, prot);
    hi = PX_PAGE_UP(va + phdr->memsz);
    va = phdr->filesz ? PX_PAGE_UP(va + phdr->filesz) : PX_PAGE_DOWN(va);
    if (status == 0 && hi > va) {
        /* As Linux has it, what is not in the file can be written, whatever the segment says. */
        struct px_map map = {.lo = va, .bytes = hi - va, .prot = PROT_READ | PROT_WRITE | (prot & PROT_EXEC)};

        status = px_mm_may_grow(map.bytes / PX_PAGE, map.prot, 0);
        if (status == 0)
            status = px_mm_map(&map);
    }
    return status;
}

/* Pages of the file that lie side by side in memory, too. */
struct run {
    uint64_t va, page, pages;
    int prot; /* of all together */
};

/* All of run->va .. hi is mapped as the run says: no later segment lies over it. */
static bool is_whole(const struct px_elf *elf, const struct run *run, uint64_t hi)
{
    uint64_t va = run->va;

    for (unsigned at = px_vma_find(va); va < hi; va = px_mm.vma[at++].hi) {
        const struct px_vma *vma = &px_mm.vma[at];

        if (at >= px_mm.count || vma->lo > va || !vma->file || !vma->prot || vma->prot & PROT_WRITE)
            return false;
        if (px_vma_node(vma)->ino != elf->node.ino || vma->page + (va - vma->lo) / PX_PAGE != run->page + (va - run->va) / PX_PAGE)
            return false;
    }
    return true;
}

/* Binds a run's pages up to the end of the file. What goes wrong here is left to the faults that follow. */
static void bind_run(const struct px_elf *elf, const struct run *run)
{
    uint64_t end = PX_PAGE_UP(elf->node.size) / PX_PAGE, pages = run->pages, hi;
    unsigned at;

    if (pages == 0 || run->page >= end)
        return;
    pages = pages < end - run->page ? pages : end - run->page;
    hi = run->va + pages * PX_PAGE;
    if (!is_whole(elf, run, hi) || px_node_map(&elf->node, run->page, pages, run->va, run->prot, MAP_PRIVATE) < 0)
        return;
    for (at = px_vma_find(run->va); at < px_mm.count && px_mm.vma[at].lo < hi; at++) {
        const struct px_vma *vma = &px_mm.vma[at];
        uint64_t to = vma->hi < hi ? vma->hi : hi, lo = vma->lo > run->va ? vma->lo : run->va;

        if (vma->prot != run->prot && exo_protect_all(PX_SLOT_SELF, lo, (to - lo) / PX_PAGE, px_mm_prot(vma->prot)) < 0)
            return; /* cannot fail: an own range, and less access than before */
    }
}

static void bind_text(const struct px_elf *elf)
{
    struct run run = {0};

    for (unsigned at = 0; at < elf->header.phnum; at++) {
        const struct px_elf_phdr *phdr = &elf->phdr[at];
        uint64_t va = PX_PAGE_DOWN(elf->bias + phdr->vaddr), pages = PX_PAGE_UP(elf->bias + phdr->vaddr + phdr->filesz - va) / PX_PAGE;
        int prot = segment_prot(phdr);

        if (phdr->type != PT_LOAD || prot & PROT_WRITE || pages <= PX_WINDOW_BIND_PAGES)
            continue;
        if (run.pages && va == run.va + run.pages * PX_PAGE && phdr->offset / PX_PAGE == run.page + run.pages) {
            run.pages += pages;
            run.prot |= prot;
            continue;
        }
        bind_run(elf, &run);
        run = (struct run){va, phdr->offset / PX_PAGE, pages, prot};
    }
    bind_run(elf, &run);
}

/* Where the file's address 0 goes. */
static int64_t choose_bias(struct px_elf *elf, uint64_t lo, uint64_t hi, bool low)
{
    uint64_t alignment = largest_alignment(elf), va;

    if (elf->header.type == ET_EXEC) {
        elf->bias = 0;
        return 0;
    }
    if (low) {
        elf->bias = (PX_PIE_BASE & ~(alignment - 1)) - lo;
        return 0;
    }
    if (alignment > PX_PROG_HI / 2 || hi - lo > PX_PROG_HI / 2)
        return -ENOMEM;
    va = px_vma_gap(hi - lo + alignment - PX_PAGE);
    if (!va)
        return -ENOMEM;
    va = (va + alignment - 1) & ~(alignment - 1);
    elf->bias = va - lo;
    return 0;
}

int64_t px_elf_load(struct px_elf *elf, bool low)
{
    uint64_t lo, hi;
    bool first = true;
    int64_t status = px_elf_span(elf, &lo, &hi);

    if (status == 0)
        status = choose_bias(elf, lo, hi, low);
    for (unsigned at = 0; at < elf->header.phnum && status == 0; at++) {
        const struct px_elf_phdr *phdr = &elf->phdr[at];

        if (phdr->type != PT_LOAD)
            continue;
        status = load_segment(elf, phdr);
        if (first)
            elf->base = elf->bias + phdr->vaddr - phdr->offset;
        first = false;
        /* Programs without PT_PHDR: the table is where the segment that contains it puts it. */
        if (elf->header.phoff >= phdr->offset && elf->header.phoff - phdr->offset < phdr->filesz)
            elf->phdr_va = elf->header.phoff - phdr->offset + phdr->vaddr + elf->bias;
    }
    if (status == 0)
        bind_text(elf);
    elf->entry = elf->header.entry + elf->bias;
    elf->end = hi + elf->bias;
    return status;
}
