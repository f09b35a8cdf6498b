/* What /proc says about this process's memory. */
#include <exo/format.h>

#include "mm.h"

#define NAME_COLUMN 73

static const char *kind_name(const struct px_vma *vma)
{
    if (vma->lo == (uint64_t)px_vdso)
        return "[vdso]";
    if (vma->flags & PX_VMA_HEAP)
        return "[heap]";
    if (vma->flags & PX_VMA_STACK && vma->hi == PX_STACK_HI)
        return "[stack]";
    return vma->flags & PX_VMA_SHARED ? "/dev/zero (deleted)" : "";
}

/* One line of /proc/self/maps; its length. `to` has room for numbers and a longest path. */
static size_t format_line(char *to, size_t bytes, const struct px_vma *vma)
{
    const struct px_node *node = px_vma_node(vma);
    int length = exo_format(to, bytes, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu ", (unsigned long)vma->lo, (unsigned long)vma->hi,
                            vma->prot & PROT_READ ? 'r' : '-', vma->prot & PROT_WRITE ? 'w' : '-',
                            vma->prot & PROT_EXEC ? 'x' : '-', vma->flags & PX_VMA_SHARED ? 's' : 'p',
                            node ? (unsigned long)vma->page * PX_PAGE : 0ul, node ? (unsigned)PX_FS_DEV : 0u, (unsigned long)(node ? node->ino : 0));
    const char *name = kind_name(vma);
    int64_t named = 0;

    if (node || name[0])
        while (length < NAME_COLUMN)
            to[length++] = ' ';
    if (node)
        named = px_node_path(node, to + length, bytes - (size_t)length - 1);
    else
        named = exo_format(to + length, bytes - (size_t)length - 1, "%s", name);
    if (named > 0)
        length += (int)named;
    to[length] = '\n';
    return (size_t)length + 1;
}

/* What the pages of a mapping are, in pages. How many others share one is not known, so there is no Pss. */
struct pages {
    uint64_t size, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous, lazy, locked;
};

static void add_page(struct pages *pages, const struct px_vma *vma, uint64_t word)
{
    bool shared = word & EXO_QUERY_SHARED, dirty = word & EXO_QUERY_DIRTY;

    if (!(word & EXO_QUERY_PRESENT))
        return;
    pages->shared_clean += shared && !dirty;
    pages->shared_dirty += shared && dirty;
    pages->private_clean += !shared && !dirty;
    pages->private_dirty += !shared && dirty;
    pages->referenced += !!(word & EXO_QUERY_ACCESSED);
    /* of a private mapping of a file: a copy of its own */
    pages->anonymous += !(vma->flags & PX_VMA_SHARED) && (!vma->file || (word & (EXO_QUERY_WRITE | EXO_QUERY_COW)) == EXO_QUERY_WRITE);
    pages->lazy += vma->flags & PX_VMA_FREED && !dirty;
    pages->locked += !!(vma->flags & PX_VMA_LOCKED);
}

static void count_pages(const struct px_vma *vma, struct pages *pages)
{
    uint64_t word[PX_QUERY_PAGES];

    pages->size += (vma->hi - vma->lo) / PX_PAGE;
    for (uint64_t va = vma->lo; va < vma->hi; va += PX_QUERY_PAGES * PX_PAGE) {
        uint64_t left = (vma->hi - va) / PX_PAGE, count = left < PX_QUERY_PAGES ? left : PX_QUERY_PAGES;

        if (exo_mem_query(PX_SLOT_SELF, va, count, word) != (int64_t)count)
            return;
        for (uint64_t i = 0; i < count; i++)
            add_page(pages, vma, word[i]);
    }
}

static int put_kib(char *to, size_t bytes, const char *name, uint64_t pages)
{
    return exo_format(to, bytes, "%-16s%8lu kB\n", name, (unsigned long)(pages * (PX_PAGE / 1024)));
}

static size_t format_pages(char *to, size_t bytes, const struct pages *pages, bool rollup)
{
    const struct {
        const char *name;
        uint64_t value;
    } line[] = {{"Size:", pages->size},
                {"KernelPageSize:", 1},
                {"MMUPageSize:", 1},
                {"Rss:", pages->shared_clean + pages->shared_dirty + pages->private_clean + pages->private_dirty},
                {"Shared_Clean:", pages->shared_clean},
                {"Shared_Dirty:", pages->shared_dirty},
                {"Private_Clean:", pages->private_clean},
                {"Private_Dirty:", pages->private_dirty},
                {"Referenced:", pages->referenced},
                {"Anonymous:", pages->anonymous},
                {"LazyFree:", pages->lazy},
                {"AnonHugePages:", 0},
                {"ShmemPmdMapped:", 0},
                {"FilePmdMapped:", 0},
                {"Shared_Hugetlb:", 0},
                {"Private_Hugetlb:", 0},
                {"Swap:", 0},
                {"SwapPss:", 0},
                {"Locked:", pages->locked}};
    size_t used = 0;

    for (size_t i = rollup ? 3 : 0; i < sizeof line / sizeof line[0]; i++)
        used += (size_t)put_kib(to + used, bytes - used, line[i].name, line[i].value);
    return used;
}

/* The flags as smaps has them, of which many are Linux's own affair. */
static size_t format_flags(char *to, size_t bytes, const struct px_vma *vma)
{
    bool shared = vma->flags & PX_VMA_SHARED;

    return (size_t)exo_format(to, bytes, "THPeligible:    0\nVmFlags:%s%s%s%s mr%s me%s%s%s%s%s%s%s \n", vma->prot & PROT_READ ? " rd" : "",
                              vma->prot & PROT_WRITE ? " wr" : "", vma->prot & PROT_EXEC ? " ex" : "", shared ? " sh" : "",
                              shared && vma->flags & PX_VMA_NOWRITE ? "" : " mw", shared ? " ms" : "", vma->flags & PX_VMA_STACK ? " gd" : "",
                              vma->flags & PX_VMA_LOCKED ? " lo" : "", vma->flags & PX_VMA_NOFORK ? " dc" : "", !shared && vma->prot & PROT_WRITE ? " ac" : "",
                              vma->flags & PX_VMA_NORESERVE ? " nr" : "", vma->flags & PX_VMA_WIPED ? " wf" : "");
}

static size_t format_details(char *to, size_t bytes, const struct px_vma *vma)
{
    struct pages pages = {0};
    size_t used;

    count_pages(vma, &pages);
    used = format_pages(to, bytes, &pages, false);
    return used + format_flags(to + used, bytes - used, vma);
}

#define DETAILS_MOST 900u

/* All mappings as one, which reaches from the first to the last. */
static size_t rollup(char *to, size_t bytes)
{
    struct pages pages = {0};
    size_t used;

    if (bytes < DETAILS_MOST + 160)
        return bytes; /* there will be a larger one */
    for (unsigned at = 0; at < px_mm.count; at++)
        count_pages(&px_mm.vma[at], &pages);
    used = (size_t)exo_format(to, bytes, "%08lx-%08lx ---p 00000000 00:00 0 ", px_mm.count ? (unsigned long)px_mm.vma[0].lo : 0ul,
                              px_mm.count ? (unsigned long)px_mm.vma[px_mm.count - 1].hi : 0ul);
    while (used < NAME_COLUMN)
        to[used++] = ' ';
    used += (size_t)exo_format(to + used, bytes - used, "[rollup]\n");
    return used + format_pages(to + used, bytes - used, &pages, true);
}

/* The mappings that reads have ended in, so that the next ones go on there. */
#define CURSORS 16u
static struct cursor {
    enum px_maps how;
    uint64_t offset; /* where the next read begins */
    uint64_t place;  /* where the mapping's text begins */
    uint64_t lo;
} cursors[CURSORS];

static struct cursor *cursor_at(uint64_t offset, enum px_maps how)
{
    for (unsigned at = 0; at < CURSORS; at++)
        if (cursors[at].offset == offset && cursors[at].how == how)
            return &cursors[at];
    return NULL;
}

/* Others may read the same, so the old ones stay while there is room. */
static void keep_cursor(const struct cursor *cursor)
{
    static unsigned oldest;
    struct cursor *same = cursor_at(cursor->offset, cursor->how);

    if (!same)
        same = &cursors[oldest++ % CURSORS];
    *same = *cursor;
}

size_t px_memory_maps(char *to, size_t bytes, uint64_t offset, enum px_maps how)
{
    size_t room = PATH_MAX + 160 + DETAILS_MOST, done = 0;
    const struct px_vma vdso = {.lo = (uint64_t)px_vdso, .hi = (uint64_t)px_vdso_end, .prot = PROT_READ | PROT_EXEC};
    char *line = how == PX_SMAPS_ROLLUP ? NULL : px_alloc(room);
    const struct cursor *known = offset ? cursor_at(offset, how) : NULL;
    struct cursor cursor = known ? *known : (struct cursor){.how = how};
    uint64_t place = cursor.place;

    if (how == PX_SMAPS_ROLLUP)
        return rollup(to, bytes);
    if (!line)
        return 0;
    for (unsigned at = px_vma_find(cursor.lo); at <= px_mm.count && done < bytes; at++) {
        const struct px_vma *vma = at < px_mm.count ? &px_mm.vma[at] : &vdso;
        size_t length = format_line(line, room - DETAILS_MOST, vma), skip, part;

        if (how == PX_SMAPS)
            length += format_details(line + length, DETAILS_MOST, vma);
        cursor = (struct cursor){how, 0, place, vma->lo};
        skip = offset > place ? offset - place : 0;
        place += length;
        if (skip >= length)
            continue;
        part = length - skip < bytes - done ? length - skip : bytes - done;
        memcpy(to + done, line + skip, part);
        done += part;
    }
    cursor.offset = offset + done;
    keep_cursor(&cursor);
    px_free(line);
    return done;
}

void px_memory_totals(struct px_memory_totals *totals)
{
    struct exo_env_info info;

    memset(totals, 0, sizeof(*totals));
    totals->size = px_mm.pages;
    totals->size_most = px_mm.pages_most;
    totals->locked = px_mm.locked;
    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];
        uint64_t pages = (vma->hi - vma->lo) / PX_PAGE;

        if (vma->flags & PX_VMA_STACK)
            totals->stack += pages;
        else if (vma->prot & PROT_WRITE && !(vma->flags & PX_VMA_SHARED))
            totals->data += pages;
        else if (vma->prot & PROT_EXEC)
            totals->code += pages;
    }
    if (exo_env_info(PX_SLOT_SELF, &info) == 0)
        totals->resident = info.mapped;
    if (totals->resident > totals->size) /* the libOS's own pages are counted too */
        totals->resident = totals->size;
    totals->argument_lo = px_mm.argument_lo;
    totals->argument_hi = px_mm.argument_hi;
    totals->environment_hi = px_mm.environment_hi;
    totals->auxv = px_mm.auxv;
    totals->auxv_bytes = px_mm.auxv_bytes;
    totals->heap_lo = px_mm.brk_lo;
    totals->heap_hi = px_mm.brk;
}
