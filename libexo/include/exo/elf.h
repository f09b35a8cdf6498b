/*
 * Reading a static ELF-64 program: what goes where. The file is not trusted: every number is checked against the file's length and
 * against the address range that the caller allows, so whoever loads by this description cannot be led outside of either.
 * Nothing is mapped here; that is the loader's business.
 */
#ifndef EXO_ELF_H
#define EXO_ELF_H
#include <stdint.h>

#define EXO_ELF_SEGMENTS_MAX 8u

struct exo_elf_segment {
    uint64_t va;           /* of the first byte; same offset in its page as file_offset */
    uint64_t file_offset;
    uint64_t file_bytes;   /* at most memory_bytes; the rest is zero */
    uint64_t memory_bytes; /* never 0 */
    uint32_t prot;         /* EXO_PROT_*; never WRITE and EXEC together */
};

struct exo_elf {
    uint64_t entry;     /* inside an executable segment */
    unsigned segments;  /* at least 1; ascending, no two in one page */
    struct exo_elf_segment segment[EXO_ELF_SEGMENTS_MAX];
};

/* Describes the static program in file[0..bytes) whose segments lie in [low, high). 0 or -EXO_E_INVAL (not such a file) or -EXO_E_RANGE. */
__attribute__((warn_unused_result)) int64_t exo_elf_parse(const void *file, uint64_t bytes, uint64_t low, uint64_t high, struct exo_elf *elf);

/* Page-aligned start of a segment, and how many pages it touches. */
uint64_t exo_elf_first_page(const struct exo_elf_segment *segment);
uint64_t exo_elf_pages(const struct exo_elf_segment *segment);

#endif
