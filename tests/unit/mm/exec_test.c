/* execve on files made here: good ones against a model of what must lie in memory, hostile ones against what Linux answers, thousands of random
 * mutations, argument limits, scripts, and every allocation refused in turn. */
#include <setjmp.h>

#include "fake.h"

#include "libos/posix/mm/copy.c"
#include "libos/posix/mm/elf.c"
#include "libos/posix/mm/exec.c"
#include "libos/posix/mm/fault.c"
#include "libos/posix/mm/heap.c"
#undef PAGES
#include "libos/posix/mm/load.c"
#include "libos/posix/mm/mmap.c"
#include "libos/posix/mm/random.c"
#include "libos/posix/mm/range.c"
#include "libos/posix/mm/script.c"
#include "libos/posix/mm/stage.c"
#include "libos/posix/mm/vma.c"

/* ---- the libOS around it ---- */
#define MACHINE 62
const char px_arch_platform[] = "platform";
const char px_vdso[1];
const uint16_t px_arch_elf_machine = MACHINE;
static struct exo_regs regs;
static uint64_t started_entry, started_stack;
static jmp_buf died;
static int died_of;
static unsigned announced;

bool px_meta_fault(uint64_t address)
{
    return address == 0;
}
void px_arch_entropy(uint64_t words[PX_ENTROPY_WORDS])
{
    for (unsigned at = 0; at < PX_ENTROPY_WORDS; at++)
        words[at] = at;
}
uint64_t px_arch_hwcap(void)
{
    return 0x1234;
}
uint64_t px_arch_hwcap2(void)
{
    return 2;
}
uint64_t px_arch_signal_stack(void)
{
    return 2048;
}
void px_arch_start(struct exo_regs *registers, uint64_t entry, uint64_t stack)
{
    CHECK(registers == &regs);
    started_entry = entry;
    started_stack = stack;
}
struct exo_regs *px_regs(void)
{
    return &regs;
}
bool px_lent;
int64_t px_lend_exec(struct px_exec *exec)
{
    return exec ? -ENOSYS : 0;
}
int64_t px_lend_again(void)
{
    return -ENOSYS;
}
void px_fd_exec(void)
{
}
void px_prctl_exec(void)
{
}
void px_signal_exec(void)
{
}
bool px_setid_wanted(const struct px_node *node)
{
    (void)node;
    return false;
}
int64_t px_setid_here(const struct px_node *node)
{
    (void)node;
    return 0;
}
int64_t px_setid_ask(const struct px_node *node)
{
    (void)node;
    return 0;
}
int64_t px_renew(const struct px_exec *exec)
{
    (void)exec;
    return -ENOMEM;
}
int64_t px_thread_end_others(void)
{
    return 0;
}
void px_direct_entry(void)
{
}
_Noreturn void px_exit(int status)
{
    died_of = status;
    longjmp(died, 1);
}
int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    CHECK(server == PX_SLOT_PROC && message->word[0] == PX_PROC_EXEC);
    announced++;
    return 0;
}
int exo_format(char *to, size_t bytes, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(to, bytes, format, arguments);
    va_end(arguments);
    return length;
}
int64_t px_walk(int dirfd, const char *path, unsigned flags, struct px_node *node)
{
    (void)dirfd, (void)flags;
    for (unsigned ino = 1; ino < FILES; ino++)
        if (fake_file[ino].path && strcmp(fake_file[ino].path, path) == 0) {
            *node = fake_node(ino);
            return 0;
        }
    return -ENOENT;
}
int64_t px_node_access(const struct px_node *node, unsigned want)
{
    return node->mode & want ? 0 : -EACCES;
}

/* ---- making files ---- */

#define FILE_BYTES (24 * 4096)
static struct image {
    unsigned char bytes[FILE_BYTES];
    size_t size;
    struct px_elf_header *header;
    struct px_elf_phdr *phdr;
} image;

static void begin(uint16_t type, uint64_t entry)
{
    for (size_t at = 0; at < FILE_BYTES; at++)
        image.bytes[at] = (unsigned char)(at * 31 + at / 4096 + 1);
    image.header = (void *)image.bytes;
    image.phdr = (void *)(image.bytes + 64);
    *image.header = (struct px_elf_header){.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .type = type, .machine = MACHINE, .version = 1,
                                           .entry = entry, .phoff = 64, .ehsize = 64, .phentsize = 56, .phnum = 0};
    image.size = FILE_BYTES;
}

static struct px_elf_phdr *add(uint32_t type, uint32_t flags, uint64_t offset, uint64_t va, uint64_t filesz, uint64_t memsz)
{
    struct px_elf_phdr *phdr = &image.phdr[image.header->phnum++];

    *phdr = (struct px_elf_phdr){type, flags, offset, va, va, filesz, memsz, 0x1000};
    return phdr;
}

static void put(unsigned ino, const char *path, uint32_t mode)
{
    fake_file_set(ino, path, mode, image.bytes, image.size);
}

/* Text of five pages, data that begins and ends inside pages, bss of four more pages. */
static void make_plain(uint16_t type, uint64_t base)
{
    begin(type, base + 0x1234);
    add(PT_LOAD, PF_R | PF_X, 0, base, 5 * 4096 + 100, 5 * 4096 + 100);
    add(PT_LOAD, PF_R | PF_W, 6 * 4096 + 0x777, base + 0x100000 + 0x777, 5000, 5000 + 4 * 4096);
    add(PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
}

static char *no_strings[] = {NULL};

/* The process has died and another begins: nothing remains but its address space, which must be in order. */
static int64_t buried(void)
{
    px_vma_reset();
    for (unsigned at = 0; at < px_mm.files; at++)
        CHECK(!px_mm.file[at]);
    for (unsigned ino = 0; ino < FILES; ino++)
        fake_file[ino].holds = 0;
    for (uint64_t va = PX_BIG; va < PX_BIG_HI; va += 4096)
        entry_clear(PX_SLOT_SELF, va);
    px_big_range.piece = NULL;
    for (unsigned at = 0; at < PAGES_MAX; at++)
        descriptor[at].kind = PAGE_FREE;
    memset(partial, 0, sizeof(partial));
    px_mm.vma = NULL;
    px_mm.file = NULL;
    px_mm.capacity = px_mm.files = 0;
    return died_of;
}

/* 0, -errno, or the wait status of the death. */
static int64_t exec_file(const char *path, char *const argv[], char *const envp[])
{
    int64_t status;

    died_of = 0;
    if (setjmp(died))
        return buried();
    status = px_exec(path, argv, envp);
    CHECK(status <= 0);
    return status;
}

/* ---- checks ---- */

static unsigned char byte_at(uint64_t va)
{
    unsigned char byte = 0;

    CHECK(px_copy_in(&byte, va, 1) == 0);
    return byte;
}

static uint64_t word_at(uint64_t va)
{
    uint64_t word = 0;

    CHECK(px_copy_in(&word, va, 8) == 0);
    return word;
}

static void check_string(uint64_t va, const char *expected)
{
    char text[512];

    CHECK(px_copy_string(text, va, sizeof(text)) >= 0);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "'%s' instead of '%s'\n", text, expected);
    CHECK(strcmp(text, expected) == 0);
}

static void check_invariants(void)
{
    for (unsigned at = 0; at < BUCKETS; at++)
        for (const struct entry *entry = chain[at]; entry; entry = entry->next) {
            const struct px_vma *vma = px_vma_at(entry->page * 4096);

            if (host_range(entry->page * 4096))
                continue;
            CHECK(entry->page * 4096 < PX_PROG_HI && vma && (entry->prot & ~px_mm_prot(vma->prot)) == 0);
        }
    CHECK(px_big_range.count == 1 || px_big_range.piece == NULL); /* staging given back */
    for (unsigned ino = 0; ino < FILES; ino++) {
        unsigned users = 0;

        for (unsigned at = 0; at < px_mm.files; at++)
            users += px_mm.file[at] && px_mm.file[at]->node.ino == ino;
        CHECK(fake_file[ino].holds == users);
    }
}

static void check_plain(uint64_t base)
{
    for (uint64_t at = 0; at < 5 * 4096 + 100; at += 13)
        CHECK(byte_at(base + at) == image.bytes[at]);
    for (uint64_t at = 0; at < 5000; at++)
        CHECK(byte_at(base + 0x100777 + at) == image.bytes[6 * 4096 + 0x777 + at]);
    for (uint64_t at = 5000; at < 5000 + 4 * 4096; at++)
        CHECK(byte_at(base + 0x100777 + at) == 0);
    CHECK(px_check_range(base, 1) == 0 && px_memory_fault(base, true, false) == false);
    CHECK(!px_memory_fault(base + 0x100000, false, true));
    CHECK(px_vma_at(base)->prot == (PROT_READ | PROT_EXEC));
}

/* argc, argv, envp and where the auxiliary vector begins. */
static uint64_t check_stack(uint64_t argc, const char *const argv[], const char *const envp[])
{
    uint64_t at = started_stack;

    CHECK(at % 16 == 0 && word_at(at) == argc);
    for (at += 8; *argv; argv++, at += 8)
        check_string(word_at(at), *argv);
    CHECK(word_at(at) == 0);
    for (at += 8; *envp; envp++, at += 8)
        check_string(word_at(at), *envp);
    CHECK(word_at(at) == 0 && word_at(PX_STACK_HI - 8) == 0);
    return at + 8;
}

static void check_auxv(uint64_t at, const uint64_t (*expected)[2])
{
    for (;; at += 16, expected++) {
        CHECK(word_at(at) == (*expected)[0]);
        if ((*expected)[0] == AT_EXECFN)
            check_string(word_at(at + 8), (const char *)(*expected)[1]);
        else if ((*expected)[0] == AT_PLATFORM)
            check_string(word_at(at + 8), px_arch_platform);
        else if ((*expected)[0] == AT_RANDOM)
            CHECK(word_at(word_at(at + 8)) != 0 && word_at(at + 8) > started_stack);
        else
            CHECK(word_at(at + 8) == (*expected)[1]);
        if ((*expected)[0] == AT_NULL)
            return;
    }
}

/* ---- good programs ---- */

static void test_static(void)
{
    static char a0[] = "prog", a1[] = "", a2[] = "two words", e0[] = "PATH=/bin", e1[] = "X=";
    char *argv[] = {a0, a1, a2, NULL}, *envp[] = {e0, e1, NULL};
    const uint64_t aux[][2] = {{AT_SYSINFO_EHDR, (uint64_t)px_vdso}, {AT_MINSIGSTKSZ, 2048}, {AT_HWCAP, 0x1234}, {AT_PAGESZ, 4096}, {AT_CLKTCK, 100},
                               {AT_PHDR, 0x400040},
                               {AT_PHENT, 56}, {AT_PHNUM, 3}, {AT_BASE, 0}, {AT_FLAGS, 0}, {AT_ENTRY, 0x401234}, {AT_UID, 0}, {AT_EUID, 0},
                               {AT_GID, 0}, {AT_EGID, 0}, {AT_SECURE, 0}, {AT_RANDOM, 0}, {AT_HWCAP2, 2}, {AT_EXECFN, (uint64_t)"/bin/prog"},
                               {AT_PLATFORM, 0}, {AT_EXO_CALL, (uint64_t)px_direct_entry}, {AT_NULL, 0}};
    struct {
        char comm[16], exe[256];
        uint32_t length;
        char cmdline[376];
    } *text = px_msg();

    make_plain(ET_EXEC, 0x400000);
    put(1, "/bin/prog", S_IFREG | 0755);
    announced = 0;
    CHECK(exec_file("/bin/prog", argv, envp) == 0 && announced == 1);
    CHECK(started_entry == 0x401234);
    check_plain(0x400000);
    check_auxv(check_stack(3, (const char *const *)argv, (const char *const *)envp), aux);
    CHECK(px_mm.brk == 0x506000 && px_sys_brk(0x508000, 0, 0, 0, 0, 0) == 0x508000);
    CHECK(strcmp(text->comm, "prog") == 0 && strcmp(text->exe, "/bin/prog") == 0 && text->length == 16);
    CHECK(memcmp(text->cmdline, "prog\0\0two words", 16) == 0);
    check_invariants();
    CHECK(exec_file("/bin/prog", no_strings, no_strings) == 0); /* again, over the old one */
    check_stack(1, (const char *const[]){"", NULL}, (const char *const[]){NULL});
    CHECK(fake_file[1].holds == 1);
    check_invariants();
}

static void test_position_independent(void)
{
    uint64_t aux;

    make_plain(ET_DYN, 0);
    put(1, "/bin/pie", S_IFREG | 0755);
    CHECK(exec_file("/bin/pie", no_strings, no_strings) == 0); /* a static one: among the mappings */
    CHECK(started_entry > PX_PROG_HI - (1ul << 30) && started_entry % 4096 == 0x234 && px_mm.brk == PX_PIE_BASE);
    check_plain(started_entry - 0x1234);
    add(PT_INTERP, PF_R, 23 * 4096, 0, 11, 11);
    memcpy(image.bytes + 23 * 4096, "/lib/ld.so", 11);
    put(1, "/bin/pie", S_IFREG | 0755);
    put(2, "/lib/ld.so", S_IFREG | 0755); /* that it names an interpreter is nobody's business */
    CHECK(exec_file("/bin/pie", no_strings, no_strings) == 0);
    CHECK(started_entry > PX_PROG_HI - (1ul << 30));
    aux = check_stack(1, (const char *const[]){"", NULL}, (const char *const[]){NULL});
    CHECK(word_at(aux + 16 * 8) == AT_BASE && word_at(aux + 16 * 8 + 8) == started_entry - 0x1234);
    CHECK(word_at(aux + 16 * 10) == AT_ENTRY && word_at(aux + 16 * 10 + 8) == PX_PIE_BASE + 0x1234);
    CHECK(word_at(aux + 16 * 5 + 8) == PX_PIE_BASE + 64 && px_mm.brk == PX_PIE_BASE + 0x106000);
    check_plain(PX_PIE_BASE);
    check_plain(started_entry - 0x1234);
    check_invariants();
}

/* ---- scripts ---- */

static void script(unsigned ino, const char *path, const char *text)
{
    fake_file_set(ino, path, S_IFREG | 0755, text, strlen(text));
}

static void test_scripts(void)
{
    static char a0[] = "gone", a1[] = "kept";
    char *argv[] = {a0, a1, NULL}, text[600];

    make_plain(ET_EXEC, 0x400000);
    put(1, "/bin/prog", S_IFREG | 0755);
    script(2, "/s", "#! \t/bin/prog  -a b \t\nrest");
    CHECK(exec_file("/s", argv, no_strings) == 0);
    check_stack(4, (const char *const[]){"/bin/prog", "-a b", "/s", "kept", NULL}, (const char *const[]){NULL});
    script(2, "/s", "#!/bin/prog");
    CHECK(exec_file("/s", no_strings, no_strings) == 0);
    check_stack(2, (const char *const[]){"/bin/prog", "/s", NULL}, (const char *const[]){NULL});
    script(3, "/t", "#!/s x\n");
    CHECK(exec_file("/t", argv, no_strings) == 0);
    check_stack(5, (const char *const[]){"/bin/prog", "/s", "x", "/t", "kept", NULL}, (const char *const[]){NULL});
    script(2, "/s", "#!/s\n");
    CHECK(exec_file("/s", argv, no_strings) == -ELOOP);
    script(2, "/s", "#!\n/bin/prog");
    CHECK(exec_file("/s", argv, no_strings) == -ENOEXEC);
    script(2, "/s", "#!   \t \n");
    CHECK(exec_file("/s", argv, no_strings) == -ENOEXEC);
    script(2, "/s", "#!   \t ");
    CHECK(exec_file("/s", argv, no_strings) == -EACCES); /* an empty name, as Linux has it */
    script(2, "/s", "#!/nowhere\n");
    CHECK(exec_file("/s", argv, no_strings) == -ENOENT);
    script(2, "/s", "#");
    CHECK(exec_file("/s", argv, no_strings) == -ENOEXEC);
    script(2, "/s", "");
    CHECK(exec_file("/s", argv, no_strings) == -ENOEXEC);
    memset(text, 'x', sizeof(text));
    memcpy(text, "#!/bin/prog", 11);
    text[599] = 0;
    script(2, "/s", text); /* the name itself is cut off */
    CHECK(exec_file("/s", argv, no_strings) == -ENOEXEC);
    text[11] = ' ';
    script(2, "/s", text); /* only the argument is */
    CHECK(exec_file("/s", argv, no_strings) == 0);
    script(2, "/s", "#!/d\n");
    script(3, "/d", "text");
    fake_file[3].mode = S_IFDIR | 0755;
    CHECK(exec_file("/s", argv, no_strings) == -EACCES);
    fake_file[3].mode = S_IFREG | 0644;
    CHECK(exec_file("/s", argv, no_strings) == -EACCES && exec_file("/d", argv, no_strings) == -EACCES);
    CHECK(exec_file("/none", argv, no_strings) == -ENOENT);
    check_invariants();
}

/* ---- hostile files ---- */

static int64_t try_image(void)
{
    int64_t status;

    put(1, "/bin/prog", S_IFREG | 0755);
    status = exec_file("/bin/prog", no_strings, no_strings);
    check_invariants();
    return status;
}

#define PLAIN make_plain(ET_EXEC, 0x400000)

static void test_refused(void)
{
    PLAIN, image.bytes[1] = 'e';
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->ident[4] = 1;
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->type = 1;
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->machine = 3;
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->phentsize = 32;
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->phnum = 0;
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->phnum = 0xffff;
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->phoff = ~0ul - 10;
    CHECK(try_image() == -ENOEXEC);
    PLAIN, image.header->phoff = FILE_BYTES - 50;
    CHECK(try_image() == -ENOEXEC);
    for (size_t size = 0; size < 64 + 3 * 56; size += 7) {
        PLAIN, image.size = size;
        CHECK(try_image() == -ENOEXEC);
    }
    PLAIN, add(PT_INTERP, PF_R, FILE_BYTES - 4, 0, 8, 8);
    CHECK(try_image() == -EIO);
    PLAIN, add(PT_INTERP, PF_R, 4096, 0, 5000, 5000);
    CHECK(try_image() == -ENOEXEC);
    PLAIN, add(PT_INTERP, PF_R, 4096, 0, 1, 1);
    CHECK(try_image() == -ENOEXEC);
    PLAIN, add(PT_INTERP, PF_R, ~0ul - 3, 0, 8, 8);
    CHECK(try_image() == -EIO);
    PLAIN, add(PT_INTERP, PF_R, 8192, 0, 4, 4), memcpy(image.bytes + 8192, "/nox", 4);
    CHECK(try_image() == -ENOEXEC); /* no NUL */
    PLAIN, add(PT_INTERP, PF_R, 8192, 0, 5, 5), memcpy(image.bytes + 8192, "/nox", 5);
    CHECK(try_image() == -ENOENT);
    script(4, "/interp", "this is no ELF file, but it is long enough to have the header of one in it");
    PLAIN, add(PT_INTERP, PF_R, 8192, 0, 8, 8), memcpy(image.bytes + 8192, "/interp", 8);
    CHECK(try_image() == -ELIBBAD);
    script(4, "/interp", "short");
    CHECK(try_image() == -EIO);
}

/* Refused by Linux too only after the old program is gone. */
static void test_killed(void)
{
    static const uint64_t wrong[] = {PX_PROG_HI, PX_WINDOW_LO + 4096, PX_IMAGE, PX_SHARED, PX_UPAGE, 0x7ffffffff000, 0x800000000000,
                                     0xffff800000000000, 0xffffff8000000000, 0xffffffff80000000, ~0ul << 12, 0, 0x1000, 0xf000, PX_PROG_HI - 4096};

    for (unsigned at = 0; at < sizeof(wrong) / sizeof(wrong[0]); at++) {
        PLAIN, image.phdr[0].vaddr = wrong[at];
        CHECK(try_image() == SIGSEGV);
        PLAIN, image.phdr[1].vaddr = wrong[at] + 0x777;
        CHECK(try_image() == SIGSEGV);
    }
    PLAIN, image.phdr[1].memsz = ~0ul;
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[1].memsz = ~0ul - image.phdr[1].vaddr + 1;
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[1].memsz = 1ul << 46; /* more than the machine has */
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[1].filesz = image.phdr[1].memsz + 1;
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[1].filesz = ~0ul;
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[1].offset += 1; /* offset and address differ within the page */
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[1].offset = 0x700;
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[1].offset = ~0ul - 0x888;
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.header->phnum = 1, image.phdr[0].type = PT_GNU_STACK; /* nothing to load */
    CHECK(try_image() == SIGSEGV);
    make_plain(ET_DYN, 0), image.phdr[0].align = 1ul << 63;
    CHECK(try_image() == SIGSEGV);
    PLAIN, image.phdr[0].vaddr = PX_STACK_HI - 0x7000; /* where the stack must go */
    CHECK(try_image() == SIGSEGV);
}

static void test_odd_but_good(void)
{
    PLAIN, image.header->entry = 0xffffffff80000000; /* the program's own problem */
    CHECK(try_image() == 0 && started_entry == 0xffffffff80000000);
    PLAIN, image.phdr[1].vaddr = 0x401777; /* overlapping: the later segment wins */
    CHECK(try_image() == 0 && byte_at(0x401777) == image.bytes[6 * 4096 + 0x777] && byte_at(0x400008) == image.bytes[8]);
    PLAIN, image.phdr[1].filesz = 0; /* all bss */
    CHECK(try_image() == 0 && byte_at(0x500000) == 0 && byte_at(0x500777) == 0);
    PLAIN, image.phdr[0].filesz = image.phdr[0].memsz = 40 * 4096; /* longer than the file */
    CHECK(try_image() == 0 && !px_memory_fault(0x400000 + 39 * 4096, false, false));
    PLAIN, image.phdr[2].flags = PF_R | PF_W | PF_X;
    CHECK(try_image() == 0 && px_vma_at(PX_STACK_HI - 1)->prot == 7);
    PLAIN, image.phdr[1].memsz = image.phdr[1].filesz = 70000; /* larger than what is copied at once */
    CHECK(try_image() == 0 && byte_at(0x500777 + 69000) == image.bytes[6 * 4096 + 0x777 + 69000]);
    PLAIN, image.phdr[1].filesz = 69999, image.phdr[1].memsz = 90000;
    CHECK(try_image() == 0 && byte_at(0x500777 + 69998) != 0 && byte_at(0x500777 + 69999) == 0 && byte_at(0x500777 + 89999) == 0);
}

static void test_mutations(void)
{
    unsigned outcomes[3] = {0};

    for (unsigned round = 0; round < 20000; round++) {
        int64_t status;

        make_plain(round % 2 ? ET_EXEC : ET_DYN, round % 2 ? 0x400000 : 0);
        for (unsigned n = 1 + (unsigned)fake_random(3); n > 0; n--) {
            unsigned char *byte = &image.bytes[fake_random(64 + 3 * 56)];

            *byte = fake_random(3) ? (unsigned char)fake_random(256) : (unsigned char)(fake_random(2) * 255);
        }
        if (fake_random(8) == 0)
            image.size = fake_random(FILE_BYTES);
        status = try_image();
        outcomes[status == 0 ? 0 : status < 0 ? 1 : 2]++;
        CHECK(status == 0 || status == SIGSEGV || status == -ENOEXEC || status == -EIO || status == -ENOENT || status == -ENOMEM);
    }
    CHECK(outcomes[0] > 100 && outcomes[1] > 100 && outcomes[2] > 100);
}

/* ---- arguments ---- */

static char long_text[200000];

static void test_argument_limits(void)
{
    char *one[] = {long_text, NULL}, *many[24], *empty[] = {NULL};

    PLAIN;
    put(1, "/bin/prog", S_IFREG | 0755);
    memset(long_text, 'y', sizeof(long_text));
    long_text[131071] = 0;
    CHECK(exec_file("/bin/prog", one, empty) == 0);
    CHECK(byte_at(word_at(started_stack + 8) + 131070) == 'y' && byte_at(word_at(started_stack + 8) + 131071) == 0);
    long_text[131071] = 'y', long_text[131072] = 0;
    CHECK(exec_file("/bin/prog", one, empty) == -E2BIG);
    long_text[131071] = 0;
    for (unsigned at = 0; at < 24; at++)
        many[at] = long_text;
    many[15] = NULL; /* 15 * 128 KiB fit into a quarter of 8 MiB, 16 with pointers do not */
    CHECK(exec_file("/bin/prog", many, empty) == 0 && word_at(started_stack) == 15);
    many[15] = long_text, many[16] = NULL;
    CHECK(exec_file("/bin/prog", many, empty) == -E2BIG && exec_file("/bin/prog", empty, many) == -E2BIG);
    fake_limit[RLIMIT_STACK] = PX_RLIM_INFINITY; /* then 6 MiB */
    CHECK(exec_file("/bin/prog", many, empty) == 0 && word_at(started_stack) == 16);
    fake_limit[RLIMIT_STACK] = 4096; /* never less than 128 KiB */
    many[1] = NULL;
    long_text[100000] = 0;
    CHECK(exec_file("/bin/prog", many, empty) == 0);
    long_text[100000] = 'y';
    CHECK(exec_file("/bin/prog", many, empty) == -E2BIG);
    fake_limit[RLIMIT_STACK] = 8ul << 20;
    check_invariants();
}

/* execve proper: everything comes from the program's memory. */
static int64_t exec_user(uint64_t path, uint64_t argv, uint64_t envp)
{
    died_of = 0;
    if (setjmp(died))
        return buried();
    return px_sys_execve(path, argv, envp, 0, 0, 0);
}

static void test_user_arguments(void)
{
    const uint64_t at = 0x7000000;
    char strings[] = "/bin/prog\0one\0two=2";
    uint64_t vectors[] = {at + 10, at + 14, 0, at + 14, 0};

    PLAIN;
    put(1, "/bin/prog", S_IFREG | 0755);
    CHECK(px_sys_mmap(at, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~0ul, 0) == (int64_t)at);
    CHECK(px_copy_out(at, strings, sizeof(strings)) == 0 && px_copy_out(at + 1024, vectors, sizeof(vectors)) == 0);
    CHECK(exec_user(0, 0, 0) == -EFAULT && exec_user(PX_IMAGE, 0, 0) == -EFAULT && exec_user(at + 8192, 0, 0) == -EFAULT);
    CHECK(exec_user(at, 8, 0) == -EFAULT && exec_user(at, ~0ul - 8, 0) == -EFAULT && exec_user(at, PX_IMAGE, 0) == -EFAULT);
    CHECK(exec_user(at, 0, at + 8188) == -EFAULT && exec_user(at, at + 1, 0) == -EFAULT);
    CHECK(exec_user(at + 10, 0, 0) == -ENOENT);
    check_string(at, "/bin/prog"); /* the old program is whole */
    CHECK(exec_user(at, at + 1024, at + 1024 + 24) == 0);
    check_stack(2, (const char *const[]){"one", "two=2", NULL}, (const char *const[]){"two=2", NULL});
    CHECK(px_vma_at(at) == NULL);
    CHECK(px_sys_execveat(0, 0, 0, 0, 0x4000, 0) == -EINVAL);
    check_invariants();
}

/* The nth frame is refused, for all n: an error and the old program whole, or death; nothing is lost. */
static void test_no_memory(void)
{
    char *argv[] = {long_text, NULL};
    unsigned refused = 0, dead = 0, live = 0;

    PLAIN;
    put(1, "/bin/prog", S_IFREG | 0755);
    long_text[9000] = 0;
    for (unsigned n = 0;; n++) {
        int64_t status;

        fail_after = n;
        status = exec_file("/bin/prog", argv, no_strings);
        fail_after = 1u << 30;
        CHECK(status == 0 || status == -ENOMEM || status == SIGSEGV);
        refused += status == -ENOMEM;
        dead += status == SIGSEGV;
        if (status == 0)
            break;
        CHECK(n < 1000);
    }
    CHECK(refused > 0 && dead > 0);
    px_vma_reset();
    live = frames_live;
    CHECK(exec_file("/bin/prog", argv, no_strings) == 0);
    px_vma_reset();
    CHECK(frames_live == live);
}

static void test_random_bytes(void)
{
    /* RFC 8439, 2.3.2 */
    uint32_t test_key[8], counter_nonce[4] = {1, 0x09000000, 0x4a000000, 0}, out[16];
    unsigned char a[100], b[100];
    unsigned same = 0;

    for (unsigned at = 0; at < 32; at++)
        ((unsigned char *)test_key)[at] = (unsigned char)at;
    px_chacha_block(test_key, counter_nonce, out);
    CHECK(out[0] == 0xe4e7f110 && out[1] == 0x15593bd1 && out[15] == 0x4e3c50a2);
    px_random_bytes(a, sizeof(a));
    px_random_bytes(b, sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    memcpy(test_key, key, sizeof(test_key)); /* parent and child after fork */
    px_random_bytes(a, sizeof(a));
    memcpy(key, test_key, sizeof(key));
    PX_PROC(PX_PROCTAB, 1)->pid = 43;
    px_random_bytes(b, sizeof(b));
    for (unsigned at = 0; at < sizeof(a); at++)
        same += a[at] == b[at];
    CHECK(same < 20);
}

static void tests(void)
{
    test_static();
    test_position_independent();
    test_scripts();
    test_refused();
    test_killed();
    test_odd_but_good();
    test_mutations();
    test_argument_limits();
    test_user_arguments();
    test_no_memory();
    test_random_bytes();
}

int main(void)
{
    return fake_run(tests);
}
