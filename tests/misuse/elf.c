/*
 * Hostile executables: this program's own file with its headers changed, and scripts. Each is executed in a child, and what comes of it must be an
 * error, a death by signal or an ordinary run, as on Linux; then random changes, of which only the end of this test says that they did no harm.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../guest/tap.h"

#define RAN 42
#define DIED 1000 /* by any signal */
#define FILE_NAME "/tmp/misuse-elf"

static unsigned char original[1 << 20], changed[1 << 20];
static size_t original_bytes, bytes;
static Elf64_Ehdr *const header = (Elf64_Ehdr *)changed;

static Elf64_Phdr *program(unsigned index)
{
    return (Elf64_Phdr *)(changed + sizeof(*header)) + index;
}

/* The nth segment that is loaded. */
static Elf64_Phdr *segment(unsigned index)
{
    for (unsigned at = 0; at < header->e_phnum; at++)
        if (program(at)->p_type == PT_LOAD && index-- == 0)
            return program(at);
    return program(0);
}

static void begin(void)
{
    memcpy(changed, original, original_bytes);
    bytes = original_bytes;
}

static void put(const void *from, size_t count, mode_t mode)
{
    int fd;

    unlink(FILE_NAME);
    fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    if (fd < 0 || write(fd, from, count) != (ssize_t)count || fchmod(fd, mode) < 0)
        exit(2);
    close(fd);
}

/* RAN, DIED, or the error of execve; what the child exits with otherwise is nobody's error number. */
static int execute(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        char *argv[] = {(char *)FILE_NAME, (char *)"run", NULL}, *envp[] = {NULL};

        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        setrlimit(RLIMIT_CPU, &(struct rlimit){2, 2});
        alarm(20);
        execve(FILE_NAME, argv, envp);
        _exit(100 + errno);
    }
    if (waitpid(child, &status, 0) != child)
        return -1;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? -2 : DIED;
    return WEXITSTATUS(status) == RAN ? RAN : WEXITSTATUS(status) - 100;
}

static int try(void)
{
    put(changed, bytes, 0700);
    return execute();
}

static int try_text(const char *text)
{
    put(text, strlen(text), 0700);
    return execute();
}

static void test_headers(void)
{
    begin();
    CASE("the file as it is runs", try() == RAN);
    CASE("not executable", (put(changed, bytes, 0600), execute()) == EACCES);
    CASE("an empty file", (put(changed, 0, 0700), execute()) == ENOEXEC);
    begin(), header->e_ident[0] = 0;
    CASE("no magic", try() == ENOEXEC);
    begin(), header->e_type = ET_REL;
    CASE("an object file", try() == ENOEXEC);
    begin(), header->e_machine = 0xfefe;
    CASE("another machine", try() == ENOEXEC);
    begin(), header->e_phentsize = 8;
    CASE("a wrong size of program headers", try() == ENOEXEC);
    begin(), header->e_phnum = 0;
    CASE("no program headers", try() == ENOEXEC);
    begin(), header->e_phnum = 0xfffe;
    CASE("too many program headers", try() == ENOEXEC);
    begin(), header->e_phoff = ~0ul - 20;
    CASE("program headers nowhere", try() == ENOEXEC);
    begin(), header->e_phoff = bytes - 10;
    CASE("program headers cut off", try() == ENOEXEC);
    begin(), bytes = 40;
    CASE("a header cut off", try() == ENOEXEC);
    begin(), header->e_entry = 0xffffffff80000000;
    CASE("the entry in the kernel", try() == DIED);
    begin(), header->e_entry = 0;
    CASE("the entry at nothing", try() == DIED);
}

static void test_segments(void)
{
    static const uint64_t places[] = {0x7fef00000000, 0x7ffff0000000, 0x7ffff00f0000, 0x7ffffffff000, 0x800000000000, 0xffff800000000000,
                                      0xffffffff80000000, 0xfffffffffffff000};
    unsigned died = 0;

    for (unsigned at = 0; at < sizeof(places) / sizeof(places[0]); at++) {
        int first, second;

        begin(), segment(0)->p_vaddr = places[at];
        first = try();
        begin(), segment(1)->p_vaddr = places[at] + segment(1)->p_vaddr % 4096;
        second = try();
        died += first == DIED || (at < 3 && first == RAN); /* Linux has nothing at the first three */
        died += second == DIED || (at < 3 && second == RAN);
    }
    CASE("segments over the libOS and the kernel", died == 2 * sizeof(places) / sizeof(places[0]));
    begin(), segment(1)->p_memsz = ~0ul;
    CASE("a size that wraps", try() == DIED);
    begin(), segment(1)->p_memsz = 1ul << 46;
    CASE("a size beyond all memory", try() == DIED);
    begin(), segment(1)->p_filesz = segment(1)->p_memsz + 1;
    CASE("more in the file than in memory", try() == DIED);
    begin(), segment(1)->p_offset += 1;
    CASE("an offset that does not fit the address", try() == DIED);
    begin(), segment(1)->p_offset = ~0ul << 12 | segment(1)->p_vaddr % 4096;
    CASE("an offset beyond all files", try() == DIED);
    begin(), bytes = 8192;
    CASE("a file cut off", try() == DIED);
    begin();
    for (unsigned at = 0; at < header->e_phnum; at++)
        program(at)->p_type = PT_NULL;
    CASE("nothing to load", try() == DIED);
}

static void test_interpreters(void)
{
    begin(), *program(0) = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = bytes, .p_filesz = 9};
    memcpy(changed + bytes, "/nowhere", 9), bytes += 9;
    CASE("an interpreter that is not there", try() == ENOENT);
    begin(), *program(0) = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = bytes, .p_filesz = 9};
    CASE("an interpreter's name beyond the file", try() == EIO);
    begin(), *program(0) = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0, .p_filesz = 5000};
    CASE("an interpreter's name too long", try() == ENOEXEC);
    CASE("a script without interpreter", try_text("#!\n") == ENOEXEC && try_text("#! \t \n") == ENOEXEC);
    CASE("a script for nobody", try_text("#!/nowhere\n") == ENOENT);
    CASE("a script for a directory", try_text("#!/tmp\n") == EACCES);
    CASE("a script for itself", try_text("#!" FILE_NAME "\n") == ELOOP);
    CASE("text", try_text("neither fish nor fowl, but long enough to be looked at for a while, I think\n") == ENOEXEC);
    CASE("a path through a file", (execve(FILE_NAME "/x", (char *[]){NULL}, (char *[]){NULL}), errno) == ENOTDIR);
}

static void test_arguments(void)
{
    static char text[140000], *many[3000];
    char *one[] = {text, NULL}, *none[] = {NULL};
    char *volatile nowhere = (char *)8;
    char **volatile no_array = (char **)8, **volatile high_array = (char **)0x7ffff0000000;

    memset(text, 'a', sizeof(text) - 1);
    begin(), put(changed, bytes, 0700);
    CASE("an argument too long", execve(FILE_NAME, one, none) == -1 && errno == E2BIG);
    text[100000] = 0;
    for (unsigned at = 0; at < 2999; at++)
        many[at] = text;
    CASE("arguments too many", execve(FILE_NAME, many, none) == -1 && errno == E2BIG && execve(FILE_NAME, none, many) == -1 && errno == E2BIG);
    CASE("a wild path", execve(nowhere, none, none) == -1 && errno == EFAULT);
    CASE("wild arrays", execve(FILE_NAME, no_array, none) == -1 && errno == EFAULT && execve(FILE_NAME, none, high_array) == -1 &&
                            errno == EFAULT);
    one[0] = (char *)0xffffffff80000000;
    CASE("a wild argument", execve(FILE_NAME, one, none) == -1 && errno == EFAULT);
}

static void test_random(unsigned rounds)
{
    uint64_t state = 0x123456789abcdef1;
    unsigned strange = 0, ran = 0;

    for (unsigned round = 0; round < rounds; round++) {
        int result;

        begin();
        for (unsigned changes = 1 + round % 3; changes > 0; changes--) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            changed[(state >> 33) % (64 + 56 * header->e_phnum)] = (unsigned char)(state >> 56);
        }
        result = try();
        ran += result == RAN;
        strange += result == -1;
    }
    CASE("random changes", strange == 0 && ran > 0);
}

int main(int argc, char **argv)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    ssize_t got;

    if (argc > 1 && strcmp(argv[1], "run") == 0)
        return RAN;
    while ((got = read(fd, original + original_bytes, sizeof(original) - 4096 - original_bytes)) > 0)
        original_bytes += (size_t)got;
    if (((Elf64_Ehdr *)original)->e_phoff != sizeof(Elf64_Ehdr))
        return 2;
    test_headers();
    test_segments();
    test_interpreters();
    test_arguments();
    test_random(300);
    unlink(FILE_NAME);
    return tap_finish();
}
