/* The program's memory as its tracer reads and writes it: also text that the program itself cannot write. */
#include "entry/trace.h"
#include "mm.h"

/* The vDSO lies in the libOS, but is the program's to see. */
static size_t peek_vdso(void *to, uint64_t address, size_t bytes)
{
    uint64_t lo = (uint64_t)px_vdso, hi = (uint64_t)px_vdso_end;

    if (address < lo || address >= hi)
        return 0;
    if (bytes > hi - address)
        bytes = hi - address;
    memcpy(to, (const void *)address, bytes);
    return bytes;
}

size_t px_memory_peek(void *to, uint64_t address, size_t bytes)
{
    return address >= PX_PROG_HI ? peek_vdso(to, address, bytes) : px_copy_in_part(to, address, bytes);
}

/* Within a page. A private page that may not be written gets a changed copy in its place, as Linux does it. */
static bool poke(uint64_t address, const void *from, size_t bytes, bool force)
{
    const struct px_change change = {address, from, bytes};
    uint64_t page = PX_PAGE_DOWN(address);
    const struct px_vma *vma = px_vma_at(page);
    uint8_t byte;

    if (!vma)
        return false;
    px_rewrite_restore(page, page + PX_PAGE);
    if (vma->prot & PROT_WRITE)
        return px_copy_out(address, from, bytes) == 0;
    if (!force || vma->flags & PX_VMA_SHARED || px_copy_in(&byte, page, 1) < 0)
        return false;
    return px_mm_replace(page, vma->prot, &change, 1);
}

size_t px_memory_poke(uint64_t address, const void *from, size_t bytes, bool force)
{
    size_t done = 0;

    while (done < bytes) {
        uint64_t at = address + done;
        size_t part = PX_PAGE - at % PX_PAGE;

        part = part < bytes - done ? part : bytes - done;
        if (at < PX_PROG_LO || at >= PX_PROG_HI || !poke(at, (const uint8_t *)from + done, part, force))
            break;
        done += part;
    }
    return done;
}
