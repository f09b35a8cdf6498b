/* ELF headers: reading and checking, without changing anything. */
#include "elf.h"

static const uint8_t magic[7] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little endian */, 1 /* version */};

static int64_t check_header(const struct px_elf_header *header)
{
    /* Linux looks at the first four bytes only and would take another class for a strange machine: the machine
     * differs then. */
    if (memcmp(header->ident, magic, 4) != 0 || header->ident[4] != magic[4] || header->ident[5] != magic[5])
        return -ENOEXEC;
    if (header->type != ET_EXEC && header->type != ET_DYN)
        return -ENOEXEC;
    if (header->machine != px_arch_elf_machine || header->phentsize != sizeof(struct px_elf_phdr))
        return -ENOEXEC;
    if (header->phnum == 0 || header->phnum * sizeof(struct px_elf_phdr) > PX_ELF_PHDR_BYTES)
        return -ENOEXEC;
    return 0;
}

int64_t px_elf_read(struct px_elf *elf, const struct px_node *node, const void *first, size_t got)
{
    size_t bytes;
    int64_t status;

    elf->phdr = NULL;
    elf->node = *node;
    if (got < sizeof(elf->header))
        return -ENOEXEC;
    memcpy(&elf->header, first, sizeof(elf->header));
    status = check_header(&elf->header);
    if (status < 0)
        return status;
    bytes = elf->header.phnum * sizeof(struct px_elf_phdr);
    elf->phdr = px_alloc(bytes);
    if (!elf->phdr)
        return -ENOMEM;
    if (elf->header.phoff <= got && bytes <= got - elf->header.phoff) {
        memcpy(elf->phdr, (const char *)first + elf->header.phoff, bytes);
        return 0;
    }
    if (elf->header.phoff > INT64_MAX)
        return -ENOEXEC;
    status = px_node_read(node, elf->phdr, elf->header.phoff, bytes);
    return status == (int64_t)bytes ? 0 : -ENOEXEC;
}

void px_elf_free(struct px_elf *elf)
{
    px_free(elf->phdr);
    elf->phdr = NULL;
}

static const struct px_elf_phdr *find(const struct px_elf *elf, uint32_t type)
{
    for (unsigned at = 0; at < elf->header.phnum; at++)
        if (elf->phdr[at].type == type)
            return &elf->phdr[at];
    return NULL;
}

bool px_elf_has_interpreter(const struct px_elf *elf)
{
    return find(elf, PT_INTERP);
}

int64_t px_elf_interpreter(const struct px_elf *elf, char *to)
{
    const struct px_elf_phdr *phdr = find(elf, PT_INTERP);
    int64_t got;

    if (!phdr || phdr->filesz > PATH_MAX || phdr->filesz < 2)
        return -ENOEXEC;
    if (phdr->offset > INT64_MAX)
        return -EIO;
    got = px_node_read(&elf->node, to, phdr->offset, phdr->filesz);
    if (got != (int64_t)phdr->filesz)
        return got < 0 ? got : -EIO;
    return to[got - 1] == '\0' ? (int64_t)strlen(to) : -ENOEXEC;
}

bool px_elf_stack_executable(const struct px_elf *elf)
{
    const struct px_elf_phdr *phdr = find(elf, PT_GNU_STACK);

    return phdr && phdr->flags & PF_X; /* without one not, as Linux does for 64-bit programs */
}

int64_t px_elf_span(const struct px_elf *elf, uint64_t *lo, uint64_t *hi)
{
    *lo = UINT64_MAX;
    *hi = 0;
    for (unsigned at = 0; at < elf->header.phnum; at++) {
        const struct px_elf_phdr *phdr = &elf->phdr[at];

        if (phdr->type != PT_LOAD)
            continue;
        if (phdr->vaddr >= PX_PROG_HI || phdr->memsz > PX_PROG_HI - phdr->vaddr || phdr->filesz > phdr->memsz)
            return -EINVAL;
        if (PX_PAGE_DOWN(phdr->vaddr) < *lo)
            *lo = PX_PAGE_DOWN(phdr->vaddr);
        if (PX_PAGE_UP(phdr->vaddr + phdr->memsz) > *hi)
            *hi = PX_PAGE_UP(phdr->vaddr + phdr->memsz);
    }
    return *lo < *hi ? 0 : -EINVAL;
}
