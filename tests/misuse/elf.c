/*
 * Files that execve must refuse, or survive: not an ELF, cut off, and headers that lie.
 * guest-test: --timeout 80
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

#include "misuse.h"

#define PROGRAM "/tmp/misuse-elf"
#define BASE 0x400000ul

/* A program that exits with 42: one header, up to three segments, its code, and room for a program header table elsewhere. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    unsigned char code[16];
};

/* What a case may end in. Linux refuses with an error, or execve succeeds and the process dies. */
enum outcome { RUNS, REFUSED, KILLED, REFUSED_OR_KILLED };

struct lie {
    const char *name;
    void (*tell)(struct image *image);
    enum outcome outcome;
};

static struct image good_image(void)
{
    struct image image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_entry = BASE + offsetof(struct image, code),
                   .e_phoff = offsetof(struct image, segments),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .segments[0] = {.p_type = PT_LOAD,
                        .p_flags = PF_R | PF_X,
                        .p_vaddr = BASE,
                        .p_filesz = sizeof(struct image),
                        .p_memsz = sizeof(struct image),
                        .p_align = PAGE},
        /* mov $42, %edi; mov $231, %eax; syscall; hlt */
        .code = {0xbf, 42, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05, 0xf4},
    };
    return image;
}

static void second_segment(struct image *image, uint64_t address, uint64_t file_bytes, uint64_t memory_bytes)
{
    image->header.e_phnum = 2;
    image->segments[1] = image->segments[0];
    image->segments[1].p_vaddr = address;
    image->segments[1].p_flags = PF_R | PF_W;
    image->segments[1].p_filesz = file_bytes;
    image->segments[1].p_memsz = memory_bytes;
}

static void nothing_wrong(struct image *image) { (void)image; }
static void no_magic(struct image *image) { image->header.e_ident[0] = 'x'; }
static void other_machine(struct image *image) { image->header.e_machine = EM_AARCH64; }
static void relocatable(struct image *image) { image->header.e_type = ET_REL; }
static void core_file(struct image *image) { image->header.e_type = ET_CORE; }
static void no_headers(struct image *image) { image->header.e_phnum = 0; }
static void too_many_headers(struct image *image) { image->header.e_phnum = 0xffff; }
static void small_headers(struct image *image) { image->header.e_phentsize = 32; }
static void large_headers(struct image *image) { image->header.e_phentsize = 0xffff; }
static void zero_size_headers(struct image *image) { image->header.e_phentsize = 0; }
static void headers_beyond_file(struct image *image) { image->header.e_phoff = 1 << 20; }
static void headers_wrap(struct image *image) { image->header.e_phoff = UINT64_MAX - 8; }
static void headers_negative(struct image *image) { image->header.e_phoff = 1ul << 63; }
static void headers_half_there(struct image *image) { image->header.e_phoff = sizeof(struct image) - 8; }
static void entry_nowhere(struct image *image) { image->header.e_entry = NOWHERE; }
static void entry_in_kernel(struct image *image) { image->header.e_entry = KERNEL_HALF; }
static void entry_not_canonical(struct image *image) { image->header.e_entry = 0x8000000000000000ul; }
static void segment_in_kernel(struct image *image) { second_segment(image, KERNEL_HALF, 0, PAGE); }
static void segment_at_the_top(struct image *image) { second_segment(image, 0x7ffffffff000ul, 0, PAGE); }
static void segment_not_canonical(struct image *image) { second_segment(image, 1ul << 62, 0, PAGE); }
static void memory_wraps(struct image *image) { second_segment(image, 0x600000, 0, UINT64_MAX - 0x1000); }
static void memory_wraps_to_zero(struct image *image) { second_segment(image, 0x600000, 0, 0ul - 0x600000); }
static void memory_huge(struct image *image) { second_segment(image, 0x600000, 0, 1ul << 60); }
static void memory_below_file(struct image *image) { second_segment(image, 0x600000, 64, 32); }
static void file_bytes_huge(struct image *image) { second_segment(image, 0x600000, 1ul << 62, 1ul << 62); }
static void misaligned(struct image *image)
{
    second_segment(image, 0x600000, 64, 64);
    image->segments[1].p_offset = 8; /* p_vaddr and p_offset differ within the page */
}

static void interpreter_without_end(struct image *image)
{
    image->header.e_phnum = 2;
    image->segments[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = offsetof(struct image, code), .p_filesz = 4};
}

static void interpreter_missing(struct image *image)
{
    image->header.e_phnum = 2;
    memcpy(image->segments + 2, "/nonexistent/ld.so", 19);
    image->segments[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = offsetof(struct image, segments[2]), .p_filesz = 19};
}

static void interpreter_huge(struct image *image)
{
    image->header.e_phnum = 2;
    image->segments[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0, .p_filesz = 1ul << 40};
}

/* On Linux these addresses are free for a program; on ExoV6 the libOS lives there and execve refuses. */
static void over_the_libos(struct image *image) { second_segment(image, LIBOS_IMAGE, 0, PAGE); }
static void over_the_windows(struct image *image) { second_segment(image, LIBOS_WINDOW, 0, PAGE); }
static void into_the_libos(struct image *image) { second_segment(image, LIBOS_WINDOW - PAGE, 0, LIBOS_IMAGE - LIBOS_WINDOW + 2 * PAGE); }
static void all_of_memory(struct image *image) { second_segment(image, 0x600000, 0, 0x7fffff000000ul); }

static void overlapping(struct image *image)
{
    second_segment(image, BASE, sizeof(struct image), sizeof(struct image));
    image->segments[1].p_flags = PF_R | PF_X;
}

static const struct lie lies[] = {
    {"the program as it should be runs", nothing_wrong, RUNS},
    {"no magic number", no_magic, REFUSED},
    {"a program for another machine", other_machine, REFUSED},
    {"a relocatable object", relocatable, REFUSED},
    {"a core file", core_file, REFUSED},
    {"no program headers", no_headers, REFUSED},
    {"65535 program headers", too_many_headers, REFUSED},
    {"program headers of 32 bytes", small_headers, REFUSED},
    {"program headers of 65535 bytes", large_headers, REFUSED},
    {"program headers of no bytes", zero_size_headers, REFUSED},
    {"program headers beyond the file", headers_beyond_file, REFUSED},
    {"program headers at a wrapping offset", headers_wrap, REFUSED},
    {"program headers at a negative offset", headers_negative, REFUSED},
    {"program headers half in the file", headers_half_there, REFUSED},
    {"an entry point where nothing is", entry_nowhere, KILLED},
    {"an entry point in the kernel's half", entry_in_kernel, REFUSED_OR_KILLED},
    {"an entry point that is not canonical", entry_not_canonical, REFUSED_OR_KILLED},
    {"a segment in the kernel's half", segment_in_kernel, REFUSED_OR_KILLED},
    {"a segment at the end of user addresses", segment_at_the_top, REFUSED_OR_KILLED},
    {"a segment at a non-canonical address", segment_not_canonical, REFUSED_OR_KILLED},
    {"a memory size that wraps", memory_wraps, REFUSED_OR_KILLED},
    {"a memory size that wraps to address 0", memory_wraps_to_zero, REFUSED_OR_KILLED},
    {"a memory size of 2^60", memory_huge, REFUSED_OR_KILLED},
    {"a memory size below the file size", memory_below_file, REFUSED_OR_KILLED},
    {"a file size of 2^62", file_bytes_huge, REFUSED_OR_KILLED},
    {"file offset and address out of step", misaligned, REFUSED_OR_KILLED},
    {"an interpreter's name without an end", interpreter_without_end, REFUSED},
    {"an interpreter that is not there", interpreter_missing, REFUSED},
    {"an interpreter's name of 2^40 bytes", interpreter_huge, REFUSED},
    {"all of the address space", all_of_memory, REFUSED_OR_KILLED},
    {"two segments at one place", overlapping, RUNS},
};

/* Whatever happens to the program, the system must live: Linux maps these, ExoV6 must refuse. */
static const struct lie libos_lies[] = {
    {"a segment over the libOS", over_the_libos, REFUSED_OR_KILLED},
    {"a segment over the libOS's windows", over_the_windows, REFUSED_OR_KILLED},
    {"a segment that grows into the libOS", into_the_libos, REFUSED_OR_KILLED},
};

static void write_program(const void *bytes, size_t count)
{
    int fd;

    unlink(PROGRAM);
    fd = open(PROGRAM, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
        _exit(99);
    close(fd);
}

/* 42: the program ran; 100: execve refused; else something is wrong. */
static int execute(void *argument)
{
    char *arguments[] = {PROGRAM, NULL}, *environment[] = {NULL};

    (void)argument;
    execve(PROGRAM, arguments, environment);
    return errno == ENOEXEC || errno == EINVAL || errno == ENOMEM || errno == EFAULT || errno == ENOENT || errno == EIO ||
                   errno == ELIBBAD || errno == EACCES || errno == EOVERFLOW || errno == E2BIG || errno == EEXIST
               ? 100
               : 101;
}

static bool as_expected(int status, enum outcome outcome)
{
    bool refused = exited_with(status, 100);
    bool killed = killed_by(status, SIGSEGV) || killed_by(status, SIGKILL) || killed_by(status, SIGBUS);

    switch (outcome) {
    case RUNS:
        return exited_with(status, 42);
    case REFUSED:
        return refused;
    case KILLED:
        return killed;
    case REFUSED_OR_KILLED:
        return refused || killed;
    }
    return false;
}

static void try_lie(const struct lie *lie, bool linux_may_run_it)
{
    struct image image = good_image();
    int status;

    lie->tell(&image);
    write_program(&image, sizeof image);
    status = in_child(execute, NULL);
    CASE(lie->name, as_expected(status, lie->outcome) || (linux_may_run_it && exited_with(status, 42)));
}

/* Every length from nothing to just short of the whole file. */
static void truncated(void)
{
    struct image image = good_image();
    bool good = true;

    for (size_t count = 0; count < offsetof(struct image, segments[1]); count += 4) {
        int status;

        write_program(&image, count);
        status = in_child(execute, NULL);
        /* An empty file and one without the whole header are no programs at all. */
        good &= as_expected(status, REFUSED_OR_KILLED);
    }
    CASE("cut off at every length", good);
}

static void other_files(void)
{
    struct image image = good_image();
    char text[] = "this is no program\n", script[] = "#!" PROGRAM "\n";

    write_program(text, sizeof text - 1);
    CASE("a text without #!", exited_with(in_child(execute, NULL), 100));
    write_program(script, sizeof script - 1);
    CASE("a script that is its own interpreter", in_child(execute, NULL) != 0);
    write_program(&image, sizeof image);
    chmod(PROGRAM, 0644);
    CASE("a program without the right to run", exited_with(in_child(execute, NULL), 100));
    chmod(PROGRAM, 0755);
    CASE("and after all that a good program still runs", exited_with(in_child(execute, NULL), 42));
}

/* A file of random bytes behind a good start, from a fixed seed. */
static void random_headers(void)
{
    uint64_t state = 0x9e3779b97f4a7c15ul;
    bool good = true;

    for (int round = 0; round < 200; round++) {
        struct image image = good_image();
        int status;

        for (int change = 0; change < 4; change++) {
            state = state * 6364136223846793005ul + 1442695040888963407ul;
            ((unsigned char *)&image)[4 + (state >> 33) % (sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) - 4)] = (unsigned char)(state >> 24);
        }
        write_program(&image, sizeof image);
        status = in_child(execute, NULL);
        good &= !exited_with(status, 101) && status != -1;
    }
    CASE("200 headers with random bytes", good);
}

int main(void)
{
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        try_lie(&lies[i], false);
    for (size_t i = 0; i < sizeof libos_lies / sizeof libos_lies[0]; i++)
        try_lie(&libos_lies[i], true);
    truncated();
    random_headers();
    other_files();
    unlink(PROGRAM);
    return tap_finish();
}
