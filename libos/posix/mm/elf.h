/*
 * ELF files as execve sees them. A file is hostile: px_elf_read checks what Linux checks before the point of no
 * return, px_elf_load checks each segment again as it maps it, and an error there ends the process. Structures
 * are the System V ABI's (ELF-64), little endian.
 */
#ifndef PX_ELF_H
#define PX_ELF_H
#include "mm.h"

struct px_elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct px_elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct px_elf_header) == 64 && sizeof(struct px_elf_phdr) == 56, "ELF-64");

#define ET_EXEC 2
#define ET_DYN 3
#define PT_LOAD 1u
#define PT_INTERP 3u
#define PT_PHDR 6u
#define PT_GNU_STACK 0x6474e551u
#define PF_X 1u
#define PF_W 2u
#define PF_R 4u
#define PX_ELF_PHDR_BYTES 65536u /* Linux's limit of the program header table */

struct px_elf {
    struct px_node node;
    struct px_elf_header header;
    struct px_elf_phdr *phdr; /* header.phnum of them, in the heap */
    /* made by px_elf_load: */
    uint64_t bias;    /* added to addresses of the file */
    uint64_t base;    /* where the first segment lies, less its file offset: the ELF header */
    uint64_t phdr_va; /* where the program sees the table, 0: nowhere */
    uint64_t entry;
    uint64_t end;     /* above the last segment, page aligned */
};

/* Reads and checks headers. `first`: the beginning of the file, `got` bytes. 0; -ENOEXEC: not ours; -EIO, -ENOMEM.
 * Ends with px_elf_free in any case. */
int64_t px_elf_read(struct px_elf *elf, const struct px_node *node, const void *first, size_t got);
void px_elf_free(struct px_elf *elf);
bool px_elf_has_interpreter(const struct px_elf *elf);
/* The interpreter's path into to[PATH_MAX]: its length, -ENOEXEC, -EIO. */
int64_t px_elf_interpreter(const struct px_elf *elf, char *to);
bool px_elf_stack_executable(const struct px_elf *elf);
/* Lowest and highest address of the segments, page aligned, as the file says; -EINVAL if there is none or they are
 * out of bounds. */
int64_t px_elf_span(const struct px_elf *elf, uint64_t *lo, uint64_t *hi);
/* Maps the segments. `low`: position-independent programs go to PX_PIE_BASE, otherwise below the other mappings. */
int64_t px_elf_load(struct px_elf *elf, bool low);

#endif
