/*
 * The libOS in the first process: its text and constants from the one set of frames that all processes share, its data from a copy. Forked
 * processes get theirs from their parents.
 */
#include <exo/calls.h>
#include <exo/elf.h>
#include <exo/loop.h>
#include <exo/string.h>

#include "../../libos/posix/proto/layout.h"
#include "machine.h"

static struct exo_elf elf;

int64_t image_start(void)
{
    const struct px_server_start *start = machine_gifts();

    return exo_elf_parse((const void *)start->posix_va, start->posix_bytes, PX_IMAGE, PX_IMAGE_HI, &elf);
}

int64_t image_entry(uint64_t *entry)
{
    *entry = elf.entry;
    return elf.segments > 0 ? 0 : -EXO_E_INVAL;
}

/* Pages that are written: fresh ones, filled here and moved. */
static int64_t map_data(uint64_t env, const struct exo_elf_segment *segment)
{
    const struct px_server_start *start = machine_gifts();
    uint64_t stage = start->free_va + 16 * EXO_PAGE_BYTES, pages = exo_elf_pages(segment);
    int64_t status = exo_alloc_all(start->self, stage, pages, EXO_PROT_READ | EXO_PROT_WRITE, NULL);

    if (status == 0) {
        memcpy((void *)(stage + segment->va % EXO_PAGE_BYTES), (const void *)(start->posix_va + segment->file_offset),
               segment->file_bytes);
        status = exo_share_all(env, exo_elf_first_page(segment), stage, pages, EXO_SHARE_MOVE | segment->prot);
    }
    if (status < 0)
        (void)!exo_unmap_all(start->self, stage, pages);
    return status;
}

int64_t image_map(uint64_t env)
{
    const struct px_server_start *start = machine_gifts();
    int64_t status = 0;

    for (unsigned i = 0; status == 0 && i < elf.segments; i++) {
        const struct exo_elf_segment *segment = &elf.segment[i];
        uint64_t from = start->posix_va + (segment->file_offset & ~(EXO_PAGE_BYTES - 1ul));

        if (segment->prot & EXO_PROT_WRITE)
            status = map_data(env, segment);
        else
            status = exo_share_all(env, exo_elf_first_page(segment), from, exo_elf_pages(segment), EXO_SHARE_SAME | segment->prot);
    }
    return status;
}
