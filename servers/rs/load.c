/*
 * Pages that nobody writes are mapped straight from the boot image's frames, so that text exists once; what is written is copied.
 */
#include "load.h"

#include <exo/calls.h>
#include <exo/elf.h>
#include <exo/loop.h>
#include <exo/string.h>

#define SELF 1u

static int64_t load_shared(uint64_t env, const struct boot_image *image, uint64_t offset, const struct exo_elf_segment *segment)
{
    uint64_t page = (offset + segment->file_offset) / EXO_PAGE_BYTES;

    if (segment->file_bytes != segment->memory_bytes)
        return -EXO_E_INVAL;
    return exo_map_all(env, exo_elf_first_page(segment), image->frames, page, exo_elf_pages(segment), segment->prot);
}

static int64_t load_copied(uint64_t env, const struct boot_image *image, uint64_t offset, const struct exo_elf_segment *segment)
{
    uint64_t pages = exo_elf_pages(segment), at = image->scratch_va;
    int64_t status = exo_alloc_all(SELF, at, pages, EXO_PROT_READ | EXO_PROT_WRITE, NULL);

    if (status < 0)
        return status;
    memcpy((void *)(at + segment->va % EXO_PAGE_BYTES), (const void *)(image->va + offset + segment->file_offset),
           segment->file_bytes);
    return exo_share_all(env, exo_elf_first_page(segment), at, pages, EXO_SHARE_MOVE | segment->prot);
}

int64_t load_server(uint64_t env, const struct boot_image *image, uint64_t file_offset, uint64_t file_bytes, uint64_t *entry)
{
    struct exo_elf elf;
    int64_t status;

    if (file_offset % EXO_PAGE_BYTES)
        return -EXO_E_ALIGN;
    status = exo_elf_parse((const void *)(image->va + file_offset), file_bytes, SERVER_LOW, SERVER_HIGH, &elf);
    for (unsigned i = 0; status == 0 && i < elf.segments; i++) {
        const struct exo_elf_segment *segment = &elf.segment[i];

        status = segment->prot & EXO_PROT_WRITE ? load_copied(env, image, file_offset, segment)
                                                : load_shared(env, image, file_offset, segment);
    }
    *entry = elf.entry;
    return status;
}
