/* Making and ending processes. */
#define _GNU_SOURCE
#include "bench.h"
#include <elf.h>
#include <stddef.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(pid_t child)
{
    int status;
    must(waitpid(child, &status, 0), "waitpid");
    if (status != 0)
        fail("a child failed");
}

static uint64_t fork_wait(long n)
{
    return TIMED(n, ({
        pid_t child = (pid_t)must(fork(), "fork");
        if (child == 0)
            _exit(0);
        reap(child);
    }));
}

/* The same with 4 MiB of touched heap, to see what page tables cost. */
static uint64_t fork_wait_4m(long n)
{
    size_t bytes = 4 << 20;
    char *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        fail("mmap");
    memset(region, 1, bytes);
    uint64_t took = fork_wait(n);
    munmap(region, bytes);
    return took;
}

/* The smallest program: one segment, exit(0). */
struct tiny {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    unsigned char code[12];
};

static void write_tiny(const char *path)
{
    static const struct tiny tiny = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_entry = 0x400000 + offsetof(struct tiny, code),
                   .e_phoff = offsetof(struct tiny, segment),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = 0x400000,
                    .p_paddr = 0x400000,
                    .p_filesz = sizeof(struct tiny),
                    .p_memsz = sizeof(struct tiny),
                    .p_align = 4096},
        .code = {0x31, 0xff, 0xb8, 231, 0, 0, 0, 0x0f, 0x05, 0xf4}, /* xor edi, edi; mov eax, 231; syscall; hlt */
    };
    int fd = (int)must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755), path);
    must(write(fd, &tiny, sizeof tiny), path);
    close(fd);
}

static char *no_arguments[] = {(char *)"tiny", NULL}, *no_environment[] = {NULL};

static uint64_t fork_exec(long n, const char *path, char **arguments)
{
    return TIMED(n, ({
        pid_t child = (pid_t)must(fork(), "fork");
        if (child == 0) {
            execve(path, arguments, no_environment);
            _exit(127);
        }
        reap(child);
    }));
}

static uint64_t fork_exec_wait(long n)
{
    write_tiny("/tmp/exobench/tiny");
    uint64_t took = fork_exec(n, "/tmp/exobench/tiny", no_arguments);
    unlink("/tmp/exobench/tiny");
    return took;
}

/* A function of its own: what vfork's child changes here, its parent does not use. */
static pid_t vfork_tiny(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execve("/tmp/exobench/tiny", no_arguments, no_environment);
        _exit(127);
    }
    return child;
}

static uint64_t vfork_exec_wait(long n)
{
    write_tiny("/tmp/exobench/tiny");
    uint64_t took = TIMED(n, reap((pid_t)must(vfork_tiny(), "vfork")));
    unlink("/tmp/exobench/tiny");
    return took;
}

static pid_t vfork_nothing(void)
{
    pid_t child = vfork();
    if (child == 0)
        _exit(0);
    return child;
}

static uint64_t vfork_wait(long n)
{
    return TIMED(n, reap((pid_t)must(vfork_nothing(), "vfork")));
}

static uint64_t posix_spawn_wait(long n)
{
    write_tiny("/tmp/exobench/tiny");
    uint64_t took = TIMED(n, ({
        pid_t child;
        if (posix_spawn(&child, "/tmp/exobench/tiny", NULL, NULL, no_arguments, no_environment) != 0)
            fail("posix_spawn");
        reap(child);
    }));
    unlink("/tmp/exobench/tiny");
    return took;
}

/* What a script does for each command: the shell starts busybox, which does nothing. */
static uint64_t sh_true(long n)
{
    static char *arguments[] = {(char *)"busybox", (char *)"true", NULL};
    return access("/bin/busybox", X_OK) < 0 ? NOT_HERE : fork_exec(n, "/bin/busybox", arguments);
}

/* A program with a loader and a shared library, where there is one: the root file system has Debian's true then and not a link to busybox. */
static uint64_t exec_dynamic(long n)
{
    static char *arguments[] = {(char *)"true", NULL};
    char target[8];
    if (access("/lib64/ld-linux-x86-64.so.2", X_OK) < 0 || access("/bin/true", X_OK) < 0 || readlink("/bin/true", target, sizeof target) >= 0)
        return NOT_HERE;
    return fork_exec(n, "/bin/true", arguments);
}

const struct bench_case process_cases[] = {
    {"fork_wait", fork_wait, 50},
    {"fork_wait_4m", fork_wait_4m, 50},
    {"fork_exec_wait", fork_exec_wait, 50},
    {"vfork_exec_wait", vfork_exec_wait, 50},
    {"vfork_wait", vfork_wait, 50},
    {"posix_spawn_wait", posix_spawn_wait, 50},
    {"exec_busybox", sh_true, 20},
    {"exec_dynamic", exec_dynamic, 20},
    {0},
};
