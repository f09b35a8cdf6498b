/* ELF-64 object file format, Tool Interface Standard 1.2 and the ELF-64 supplement. */
#include "elf.h"

#include <exo/string.h>
#include <stddef.h>

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

bool elf_check(const char *file, uint64_t bytes, struct elf_header *header)
{
    struct file_header raw;

    if (bytes < sizeof(raw))
        return false;
    memcpy(&raw, file, sizeof(raw));
    if (memcmp(raw.ident, "\177ELF\2\1", 6) != 0 || raw.type != 2 || raw.segment_bytes != sizeof(struct file_segment))
        return false;
    if (raw.segments_offset > bytes || raw.segments > (bytes - raw.segments_offset) / sizeof(struct file_segment))
        return false;
    *header = (struct elf_header){raw.entry, raw.segments_offset, raw.segments};
    return true;
}

bool elf_segment(const char *file, uint64_t bytes, const struct elf_header *header, unsigned index, struct elf_segment *segment)
{
    struct file_segment raw;

    memcpy(&raw, file + header->segments_offset + index * sizeof(raw), sizeof(raw));
    *segment = (struct elf_segment){raw.type, raw.flags, raw.offset, raw.va, raw.file_bytes, raw.memory_bytes};
    return raw.offset <= bytes && raw.file_bytes <= bytes - raw.offset && raw.file_bytes <= raw.memory_bytes &&
           raw.va + raw.memory_bytes >= raw.va;
}
