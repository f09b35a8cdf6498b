/*
 * More than there is: memory, processes, arguments, names, links. Each must be refused or end the greedy, and the system must be
 * as good as before: every case closes with a child that runs.
 * guest-test: --timeout 100 --memory 64M
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "misuse.h"

#define FOLDER "/tmp/misuse-limits"

static int do_nothing(void *unused)
{
    (void)unused;
    return 0;
}

static bool still_well(void)
{
    int fd = open("after", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool wrote = fd >= 0 && write(fd, "x", 1) == 1;

    close(fd);
    unlink("after");
    return wrote && exited_with(in_child(do_nothing, NULL), 0);
}

#define CASE_AND_WELL(name, condition) CASE(name, (condition) && still_well())

/* ---- mappings ---------------------------------------------------------------------------------------------------------- */

static void test_mapping_arguments(void)
{
    long rw = PROT_READ | PROT_WRITE, private = MAP_PRIVATE | MAP_ANONYMOUS, mapped;

    CASE("mmap of no bytes", raw(SYS_mmap, 0, 0, rw, private, -1, 0) == -EINVAL);
    CASE("mmap of nearly all addresses", raw(SYS_mmap, 0, LONG_MAX - PAGE, rw, private, -1, 0) == -ENOMEM);
    CASE("mmap of more than all addresses", raw(SYS_mmap, 0, -1, rw, private, -1, 0) == -ENOMEM);
    CASE("mmap neither private nor shared", raw(SYS_mmap, 0, PAGE, rw, MAP_ANONYMOUS, -1, 0) == -EINVAL);
    CASE("fixed mmap off a page boundary", raw(SYS_mmap, 0x10000001, PAGE, rw, private | MAP_FIXED, -1, 0) == -EINVAL);
    CASE("mmap at an odd file offset", raw(SYS_mmap, 0, PAGE, PROT_READ, private, -1, 1) == -EINVAL);
    CASE("fixed mmap in the kernel's half", raw(SYS_mmap, (long)KERNEL_HALF, PAGE, rw, private | MAP_FIXED, -1, 0) < 0);
    CASE("fixed mmap over the end of user addresses", raw(SYS_mmap, 0x7fffffffe000, 4 * PAGE, rw, private | MAP_FIXED, -1, 0) < 0);
    mapped = raw(SYS_mmap, 0x10000001, PAGE, rw, private, -1, 0);
    CASE("a hint off a page boundary is rounded", mapped > 0 && mapped % (long)PAGE == 0);
    CASE("munmap off a page boundary", raw(SYS_munmap, mapped + 1, PAGE, 0, 0, 0, 0) == -EINVAL);
    CASE("munmap of no bytes", raw(SYS_munmap, mapped, 0, 0, 0, 0, 0) == -EINVAL);
    CASE("munmap that wraps", raw(SYS_munmap, mapped, -(long)PAGE, 0, 0, 0, 0) == -EINVAL);
    CASE("munmap in the kernel's half", raw(SYS_munmap, (long)KERNEL_HALF, PAGE, 0, 0, 0, 0) == -EINVAL);
    CASE("mprotect off a page boundary", raw(SYS_mprotect, mapped + 1, PAGE, PROT_READ, 0, 0, 0) == -EINVAL);
    CASE("mprotect of nothing there", raw(SYS_mprotect, NOWHERE, PAGE, PROT_READ, 0, 0, 0) == -ENOMEM);
    CASE("mprotect that wraps", raw(SYS_mprotect, mapped, -(long)PAGE, PROT_READ, 0, 0, 0) == -ENOMEM);
    CASE("mprotect with odd bits", raw(SYS_mprotect, mapped, PAGE, 0x12340, 0, 0, 0) == -EINVAL);
    CASE("brk to nowhere changes nothing", raw(SYS_brk, -1, 0, 0, 0, 0, 0) == raw(SYS_brk, 0, 0, 0, 0, 0, 0));
    CASE("madvise of nothing there", raw(SYS_madvise, NOWHERE, PAGE, 4, 0, 0, 0) == -ENOMEM);
    raw(SYS_munmap, mapped, PAGE, 0, 0, 0, 0);
}

/* What only ExoV6 must refuse: the libOS's place. On Linux these are a program's to use. */
static int libos_mapping(void *unused)
{
    static const unsigned long places[] = {LIBOS_IMAGE, LIBOS_WINDOW, 0x7fffe0020000ul, 0x7ffff0100000ul, 0x7ffff0110000ul};
    long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    (void)unused;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        raw(SYS_mprotect, (long)places[i], PAGE, PROT_NONE, 0, 0, 0);
        raw(SYS_munmap, (long)places[i], PAGE, 0, 0, 0, 0);
        raw(SYS_mmap, (long)places[i], PAGE, PROT_READ, flags, -1, 0);
        raw(SYS_madvise, (long)places[i], PAGE, 4, 0, 0, 0);
    }
    raw(SYS_munmap, (long)LIBOS_WINDOW, 0x7ffffffff000l - (long)LIBOS_WINDOW, 0, 0, 0, 0);
    return getpid() > 0 ? 0 : 1;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

/* Touches memory until there is none; the limit keeps Linux's own machine out of it. */
static int eat_memory(void *unused)
{
    struct rlimit limit = {512ul << 20, 512ul << 20};

    (void)unused;
    setrlimit(RLIMIT_AS, &limit);
    for (int i = 0; i < 4096; i++) {
        char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (piece == MAP_FAILED)
            return errno == ENOMEM ? 7 : 1;
        for (size_t at = 0; at < 1 << 20; at += PAGE)
            piece[at] = 1;
    }
    return 2;
}

static int eat_heap(void *unused)
{
    struct rlimit limit = {512ul << 20, 512ul << 20};
    char *piece;

    (void)unused;
    setrlimit(RLIMIT_AS, &limit);
    while ((piece = malloc(100000)))
        memset(piece, 1, 100000);
    return 7;
}

/* The file system's memory. The limit on the file's size is for Linux. */
static int eat_files(void *unused)
{
    static char block[65536];
    struct rlimit limit = {512ul << 20, 512ul << 20};
    int fd = open("big", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    (void)unused;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    while (write(fd, block, sizeof block) > 0)
        ;
    fd = errno;
    unlink("big");
    return fd == ENOSPC || fd == EFBIG || fd == ENOMEM ? 7 : 1;
}

/* A child's copy of memory that the parent fills up again: copy on write must not promise what is not there. */
static int eat_copies(void *unused)
{
    struct rlimit limit = {256ul << 20, 256ul << 20};
    size_t bytes = 12 << 20;
    char *region;
    int dead = 0;

    (void)unused;
    setrlimit(RLIMIT_AS, &limit);
    region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        return 7;
    memset(region, 1, bytes);
    for (int i = 0; i < 8; i++) {
        pid_t child = fork();

        if (child == 0) {
            memset(region, 2, bytes);
            usleep(200000);
            _exit(region[0] == 2 && region[bytes - 1] == 2 ? 0 : 9);
        }
        dead += child < 0;
    }
    for (int status, i = 0; i < 8 - dead; i++)
        if (wait(&status) > 0 && exited_with(status, 9))
            return 1;
    return region[0] == 1 && region[bytes - 1] == 1 ? 7 : 2;
}

static bool greedy(int (*body)(void *))
{
    int status = in_child(body, NULL);

    if (!exited_with(status, 7) && !WIFSIGNALED(status))
        printf("# wait status %#x\n", (unsigned)status);
    return exited_with(status, 7) || killed_by(status, SIGKILL) || killed_by(status, SIGSEGV) || killed_by(status, SIGBUS);
}

/* ---- processes --------------------------------------------------------------------------------------------------------- */

/* Forks until fork refuses, with all children alive; then they end. */
static int fork_bomb(void *unused)
{
    int gate[2], count = 0;
    char byte;
    struct rlimit limit = {2000, 2000};

    (void)unused;
    setrlimit(RLIMIT_NPROC, &limit);
    if (pipe(gate) < 0)
        return 1;
    while (count < 300) {
        pid_t child = fork();

        if (child < 0)
            break;
        if (child == 0) {
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
        }
        count++;
    }
    if (count < 300 && errno != EAGAIN && errno != ENOMEM)
        return 2;
    close(gate[1]);
    for (int status, i = 0; i < count; i++)
        if (wait(&status) < 0 || status != 0)
            return 3;
    return count >= 10 ? 0 : 4;
}

/* Every process forks two, ten deep: two thousand if all are let in. */
static int fork_tree(void *unused)
{
    (void)unused;
    for (int level = 0; level < 9; level++)
        if (fork() == 0)
            continue;
    while (wait(NULL) > 0)
        ;
    return 0;
}

/* ---- arguments and names ----------------------------------------------------------------------------------------------- */

static int exec_result(char **arguments)
{
    char *environment[] = {NULL};

    execve("/bin/busybox", arguments, environment);
    return errno == E2BIG ? 7 : errno == ENOMEM ? 8 : 1;
}

static int one_huge_argument(void *unused)
{
    size_t bytes = 32 * PAGE + 1;
    char *text = malloc(bytes), *arguments[] = {(char *)"true", text, NULL};

    (void)unused;
    memset(text, 'a', bytes);
    text[bytes - 1] = 0;
    return exec_result(arguments);
}

static int many_arguments(void *unused)
{
    static char *arguments[100001];
    static char text[1000];
    struct rlimit limit = {8ul << 20, RLIM_INFINITY};

    (void)unused;
    setrlimit(RLIMIT_STACK, &limit);
    memset(text, 'b', sizeof text - 1);
    for (int i = 0; i < 100000; i++)
        arguments[i] = text;
    return exec_result(arguments);
}

static int just_enough_arguments(void *unused)
{
    static char *arguments[1001];
    static char text[1000];

    (void)unused;
    memset(text, 'c', sizeof text - 1);
    arguments[0] = (char *)"true";
    for (int i = 1; i < 1000; i++)
        arguments[i] = text;
    return exec_result(arguments);
}

static void test_names(void)
{
    static char name[8192];
    struct stat status;

    memset(name, 'n', 300);
    CASE("a name of 300 bytes", raw(SYS_open, (long)name, O_CREAT | O_WRONLY, 0600, 0, 0, 0) == -ENAMETOOLONG);
    CASE("a folder of 300 bytes", raw(SYS_mkdir, (long)name, 0700, 0, 0, 0, 0) == -ENAMETOOLONG);
    for (int i = 0; i < 5000; i++)
        name[i] = i % 2 ? '/' : '.';
    CASE("a path of 5000 bytes", raw(SYS_stat, (long)name, (long)&status, 0, 0, 0, 0) == -ENAMETOOLONG);
    name[4095] = 0;
    CASE("a path of 4095 bytes", raw(SYS_stat, (long)name, (long)&status, 0, 0, 0, 0) == 0);
    memset(name, 't', 4100);
    name[4096] = 0;
    CASE("a link to a path of 4096 bytes", raw(SYS_symlink, (long)name, (long)"long", 0, 0, 0, 0) == -ENAMETOOLONG);
    CASE("two links to each other", symlink("b", "a") == 0 && symlink("a", "b") == 0);
    CASE("opening them", raw(SYS_open, (long)"a", O_RDONLY, 0, 0, 0, 0) == -ELOOP);
    CASE("opening through them", raw(SYS_open, (long)"a/x", O_RDONLY, 0, 0, 0, 0) == -ELOOP);
    CASE("O_NOFOLLOW on one", raw(SYS_open, (long)"a", O_RDONLY | O_NOFOLLOW, 0, 0, 0, 0) == -ELOOP);
    unlink("a");
    unlink("b");
}

int main(void)
{
    mkdir(FOLDER, 0700);
    if (chdir(FOLDER) < 0)
        return 99;
    test_mapping_arguments();
    CASE_AND_WELL("taking the libOS's place", in_child(libos_mapping, NULL) != -1);
    CASE_AND_WELL("all memory", greedy(eat_memory));
    CASE_AND_WELL("all heap", greedy(eat_heap));
    CASE_AND_WELL("all room for files", greedy(eat_files));
    CASE_AND_WELL("copies of memory that do not fit", greedy(eat_copies));
    CASE_AND_WELL("hundreds of processes at once", exited_with(in_child(fork_bomb, NULL), 0));
    CASE_AND_WELL("processes that make processes", in_child(fork_tree, NULL) != -1);
    CASE_AND_WELL("an argument of 128 KiB", exited_with(in_child(one_huge_argument, NULL), 7));
    CASE_AND_WELL("arguments of 100 MB", exited_with(in_child(many_arguments, NULL), 7));
    CASE_AND_WELL("arguments of 1 MB", exited_with(in_child(just_enough_arguments, NULL), 0));
    test_names();
    CASE("all is well at the end", still_well());
    rmdir(FOLDER);
    return tap_finish();
}
