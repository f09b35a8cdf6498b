/*
 * Which of the program's memory is in a core dump: what the kernel of Linux takes by default (coredump_filter 33). That is all that is nobody's file or was
 * changed since it was mapped, and of unchanged files the first page, if they are programs.
 */
#include "entry/core.h"

#include "mm.h"

#define ELF_MAGIC "\177ELF"

static void query(uint64_t va, uint64_t pages, uint64_t word[PX_QUERY_PAGES])
{
    if (exo_mem_query(PX_SLOT_SELF, va, pages, word) != (int64_t)pages)
        memset(word, 0, pages * sizeof(*word));
}

/* A page of a private mapping of a file that is not the file's any more. One that may not be written, and that a fork shares, is told by what is in it. */
static bool is_own(const struct px_vma *vma, uint64_t va, uint64_t word)
{
    uint8_t now[256], then[256]; /* the libOS's stack is small */
    uint64_t offset = ((uint64_t)vma->page + (va - vma->lo) / PX_PAGE) * PX_PAGE;

    if (!(word & EXO_QUERY_PRESENT) || vma->prot & PROT_EXEC) /* text differs from its file where calls are rewritten */
        return false;
    if ((word & (EXO_QUERY_WRITE | EXO_QUERY_COW)) == EXO_QUERY_WRITE || !(word & EXO_QUERY_SHARED))
        return true;
    for (unsigned at = 0; at < PX_PAGE; at += sizeof now) {
        int64_t got = px_node_read(px_vma_node(vma), then, offset + at, sizeof then);

        if (got <= 0 || px_copy_in(now, va + at, sizeof now) < 0)
            return false;
        if (memcmp(now, then, (size_t)got) != 0)
            return true;
    }
    return false;
}

/* Anonymous memory that was touched, and files' that was changed. */
static bool is_used(const struct px_vma *vma)
{
    uint64_t word[PX_QUERY_PAGES];

    for (uint64_t va = vma->lo; va < vma->hi; va += PX_QUERY_PAGES * PX_PAGE) {
        uint64_t left = (vma->hi - va) / PX_PAGE, pages = left < PX_QUERY_PAGES ? left : PX_QUERY_PAGES;

        query(va, pages, word);
        for (uint64_t i = 0; i < pages; i++)
            if (vma->file ? is_own(vma, va + i * PX_PAGE, word[i]) : (word[i] & EXO_QUERY_PRESENT) != 0)
                return true;
    }
    return false;
}

static uint64_t bytes_of(const struct px_vma *vma)
{
    const struct px_node *node = px_vma_node(vma);
    struct px_stat stat;
    char magic[4];

    if (vma->flags & PX_VMA_NODUMP)
        return 0;
    if (vma->flags & PX_VMA_SHARED)
        return node && (px_node_stat(node, &stat) < 0 || stat.st_nlink > 0) ? 0 : vma->hi - vma->lo;
    if (is_used(vma))
        return vma->hi - vma->lo;
    if (!node || vma->page != 0 || !(vma->prot & PROT_READ))
        return 0;
    if (px_node_stat(node, &stat) == 0 && stat.st_mode & 0111)
        return PX_PAGE;
    return px_copy_in(magic, vma->lo, sizeof magic) == 0 && memcmp(magic, ELF_MAGIC, sizeof magic) == 0 ? PX_PAGE : 0;
}

bool px_core_segment(unsigned number, struct px_segment *segment)
{
    const struct px_vma *vma = &px_mm.vma[number];

    if (number > px_mm.count)
        return false;
    if (number == px_mm.count) {
        uint64_t bytes = (uint64_t)(px_vdso_end - px_vdso);

        *segment = (struct px_segment){.lo = (uint64_t)px_vdso, .bytes = bytes, .in_file = bytes, .prot = PROT_READ | PROT_EXEC};
        return true;
    }
    *segment = (struct px_segment){.lo = vma->lo, .bytes = vma->hi - vma->lo, .in_file = bytes_of(vma), .prot = vma->prot,
                                   .node = px_vma_node(vma), .page = vma->page};
    return true;
}

/* Private memory of nobody's file is brought in by nobody: what is not there is zero, and left out. */
static void put_present(struct px_core *core, const struct px_vma *vma, uint64_t bytes)
{
    uint64_t word[PX_QUERY_PAGES];

    for (uint64_t done = 0; done < bytes; done += PX_QUERY_PAGES * PX_PAGE) {
        uint64_t left = (bytes - done) / PX_PAGE, pages = left < PX_QUERY_PAGES ? left : PX_QUERY_PAGES, at = 0;

        query(vma->lo + done, pages, word);
        while (at < pages) {
            uint64_t first = at;
            bool there = word[at] & EXO_QUERY_PRESENT;

            while (at < pages && !(word[at] & EXO_QUERY_PRESENT) == !there)
                at++;
            if (there)
                px_core_put_program(core, vma->lo + done + first * PX_PAGE, (at - first) * PX_PAGE);
            else
                px_core_skip(core, (at - first) * PX_PAGE);
        }
    }
}

void px_core_put_segment(struct px_core *core, const struct px_segment *segment)
{
    const struct px_vma *vma = px_vma_at(segment->lo);

    if (segment->in_file == 0 || core->full)
        px_core_skip(core, segment->in_file);
    else if (!vma)
        px_core_put(core, (const void *)segment->lo, segment->in_file);
    else if (vma->file || vma->flags & PX_VMA_SHARED)
        px_core_put_program(core, segment->lo, segment->in_file);
    else
        put_present(core, vma, segment->in_file);
}

void px_core_auxv(uint64_t *va, uint64_t *bytes)
{
    *va = px_mm.auxv;
    *bytes = px_mm.auxv_bytes;
}
