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
    if (vma->flags & PX_VMA_STACK && vma->hi == PX_PROG_HI)
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
                            node ? (unsigned long)vma->page * PX_PAGE : 0ul, node ? 1u : 0u, (unsigned long)(node ? node->ino : 0));
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

size_t px_memory_maps(char *to, size_t bytes, uint64_t offset)
{
    size_t room = PATH_MAX + 160, done = 0;
    const struct px_vma vdso = {.lo = (uint64_t)px_vdso, .hi = (uint64_t)px_vdso_end, .prot = PROT_READ | PROT_EXEC};
    char *line = px_alloc(room);
    uint64_t place = 0;

    if (!line)
        return 0;
    for (unsigned at = 0; at <= px_mm.count && done < bytes; at++) {
        size_t length = format_line(line, room, at < px_mm.count ? &px_mm.vma[at] : &vdso), skip, part;

        skip = offset > place ? offset - place : 0;
        place += length;
        if (skip >= length)
            continue;
        part = length - skip < bytes - done ? length - skip : bytes - done;
        memcpy(to + done, line + skip, part);
        done += part;
    }
    px_free(line);
    return done;
}

void px_memory_totals(struct px_memory_totals *totals)
{
    struct exo_env_info info;

    memset(totals, 0, sizeof(*totals));
    totals->size = px_mm.pages;
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
