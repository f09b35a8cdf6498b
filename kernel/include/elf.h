/* Just enough of ELF64 to start the first program: bounds-checked reading of its header and segments. */
#ifndef ELF_H
#define ELF_H
#include <stdbool.h>
#include <stdint.h>

struct elf_header {
    uint64_t entry, segments_offset;
    unsigned segments;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, va, file_bytes, memory_bytes;
};

bool elf_check(const char *file, uint64_t bytes, struct elf_header *header);
/* False if the segment lies outside the file or is larger in the file than in memory. */
bool elf_segment(const char *file, uint64_t bytes, const struct elf_header *header, unsigned index, struct elf_segment *segment);

#endif
