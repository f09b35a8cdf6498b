/* ELF-64 as the System V ABI and its AMD64 supplement describe it: the header, and the program headers of type PT_LOAD. */
#include <exo/abi.h>
#include <exo/elf.h>
#include <exo/string.h>
#include <stdbool.h>

#define PAGE_MASK (EXO_PAGE_BYTES - 1ul)
#define TYPE_EXEC 2u
#define SEGMENT_LOAD 1u
#define SEGMENT_HEADERS_MAX 64u

struct file_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_offset, sections_offset;
    uint32_t flags;
    uint16_t header_bytes, segment_bytes, segments, section_bytes, sections, names;
};

struct file_segment {
    uint32_t type, flags;
    uint64_t offset, va, physical, file_bytes, memory_bytes, align;
};
_Static_assert(sizeof(struct file_header) == 64 && sizeof(struct file_segment) == 56, "ELF-64");

uint64_t exo_elf_first_page(const struct exo_elf_segment *segment)
{
    return segment->va & ~PAGE_MASK;
}

uint64_t exo_elf_pages(const struct exo_elf_segment *segment)
{
    return ((segment->va & PAGE_MASK) + segment->memory_bytes + PAGE_MASK) / EXO_PAGE_BYTES;
}

static uint32_t segment_prot(uint32_t flags)
{
    return (flags & 4 ? EXO_PROT_READ : 0u) | (flags & 2 ? EXO_PROT_WRITE : 0u) | (flags & 1 ? EXO_PROT_EXEC : 0u);
}

static int64_t check_segment(const struct file_segment *raw, uint64_t file_bytes, uint64_t low, uint64_t high)
{
    if (raw->offset > file_bytes || raw->file_bytes > file_bytes - raw->offset || raw->file_bytes > raw->memory_bytes)
        return -EXO_E_INVAL;
    if ((raw->offset & PAGE_MASK) != (raw->va & PAGE_MASK) || (raw->flags & 3) == 3)
        return -EXO_E_INVAL;
    if (raw->va < low || raw->va >= high || raw->memory_bytes > high - raw->va)
        return -EXO_E_RANGE;
    return 0;
}

static bool entry_is_code(const struct exo_elf *elf)
{
    for (unsigned i = 0; i < elf->segments; i++) {
        const struct exo_elf_segment *segment = &elf->segment[i];

        if (segment->prot & EXO_PROT_EXEC && elf->entry - segment->va < segment->file_bytes)
            return true;
    }
    return false;
}

int64_t exo_elf_parse(const void *file, uint64_t bytes, uint64_t low, uint64_t high, struct exo_elf *elf)
{
    struct file_header header;
    uint64_t next_page = 0;

    *elf = (struct exo_elf){0};
    if (bytes < sizeof(header))
        return -EXO_E_INVAL;
    memcpy(&header, file, sizeof(header));
    if (memcmp(header.ident, "\177ELF\2\1", 6) != 0 || header.type != TYPE_EXEC ||
        header.segment_bytes != sizeof(struct file_segment) || header.segments > SEGMENT_HEADERS_MAX ||
        header.segments_offset > bytes || header.segments * sizeof(struct file_segment) > bytes - header.segments_offset)
        return -EXO_E_INVAL;
    for (unsigned i = 0; i < header.segments; i++) {
        struct exo_elf_segment *segment;
        struct file_segment raw;
        int64_t status;

        memcpy(&raw, (const char *)file + header.segments_offset + i * sizeof(raw), sizeof(raw));
        if (raw.type != SEGMENT_LOAD || raw.memory_bytes == 0)
            continue;
        status = check_segment(&raw, bytes, low, high);
        if (status < 0)
            return status;
        if (elf->segments == EXO_ELF_SEGMENTS_MAX || (raw.va & ~PAGE_MASK) < next_page)
            return -EXO_E_INVAL;
        segment = &elf->segment[elf->segments++];
        *segment = (struct exo_elf_segment){raw.va, raw.offset, raw.file_bytes, raw.memory_bytes, segment_prot(raw.flags)};
        next_page = exo_elf_first_page(segment) + exo_elf_pages(segment) * EXO_PAGE_BYTES;
    }
    elf->entry = header.entry;
    return elf->segments > 0 && entry_is_code(elf) ? 0 : -EXO_E_INVAL;
}
