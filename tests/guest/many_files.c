/*
 * More files open than a process's list of held inodes has room for, files that are cut while they are mapped, and the limit of a file's size.
 * The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define MANY 900
#define BIG (8 << 20)

static int fds[MANY];

static int has(int fd, unsigned number)
{
    unsigned got = ~number;

    return pread(fd, &got, sizeof got, 0) == sizeof got && got == number;
}

static unsigned good_files(void)
{
    unsigned good = 0;

    for (unsigned i = 0; i < MANY; i++)
        good += has(fds[i], i);
    return good;
}

static void test_many(void)
{
    unsigned made = 0, status = 1;
    pid_t child;

    mkdir("many", 0700);
    for (unsigned i = 0; i < MANY; i++) {
        char name[32];

        snprintf(name, sizeof name, "many/%u", i);
        fds[i] = open(name, O_RDWR | O_CREAT, 0600);
        made += fds[i] >= 0 && write(fds[i], &i, sizeof i) == sizeof i && unlink(name) == 0;
    }
    CASE("many files", made == MANY);
    CASE("are all there, without a name", good_files() == MANY);
    CASE("a directory more", chdir("many") == 0 && chdir("..") == 0);
    child = fork();
    if (child == 0) {
        for (unsigned i = 0; i < MANY / 2; i++)
            close(fds[i]);
        _exit(!has(fds[MANY - 1], MANY - 1) || !has(fds[MANY / 2], MANY / 2));
    }
    waitpid(child, (int *)&status, 0);
    CASE("a child has them, and lets go of its own", status == 0 && good_files() == MANY);
}

static long free_pages(void)
{
    struct statfs there;

    statfs(".", &there);
    return (long)there.f_bfree;
}

/* What is deleted while somebody's list is overfull is kept; with the list's end it goes. */
static void test_given_back(void)
{
    long before = free_pages();
    int fd = open("big", O_RDWR | O_CREAT, 0600);

    CASE("a large file", fd >= 0 && posix_fallocate(fd, 0, BIG) == 0 && before - free_pages() >= BIG / 4096);
    unlink("big");
    close(fd);
    for (unsigned i = 0; i < MANY; i++)
        close(fds[i]);
    CASE("given back when all are closed", before - free_pages() < BIG / 4096 / 2 && rmdir("many") == 0);
}

static sigjmp_buf back;

/* One file, opened to write as often as the limit of descriptors allows. */
static void test_same_file(void)
{
    const struct rlimit limit = {1000, 1000};
    unsigned open_now = 0;
    int fd, last = -1;

    setrlimit(RLIMIT_NOFILE, &limit);
    while ((fd = open("same", O_WRONLY | O_CREAT, 0600)) >= 0) {
        last = fd;
        open_now++;
    }
    CASE("opened up to the limit", errno == EMFILE && last == 999 && open_now > 900);
    CASE("and written to", write(last, "x", 1) == 1);
    for (fd = last; open_now > 0; fd--, open_now--)
        close(fd);
    unlink("same");
}

static void jumps(int signo)
{
    siglongjmp(back, signo);
}

static int signal_of_reading(const volatile char *at)
{
    int signo = sigsetjmp(back, 1);

    if (!signo)
        (void)*at;
    return signo;
}

static void test_cut(int flags, const char *kind)
{
    int fd = open("cut", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *at, text[64];

    ftruncate(fd, 16384);
    at = mmap(NULL, 16384, PROT_READ | PROT_WRITE, flags, fd, 0);
    memset(at, 'x', 16384);
    ftruncate(fd, 5000);
    snprintf(text, sizeof text, "%s: behind the end there is nothing", kind);
    CASE(text, signal_of_reading(at + 8192) == SIGBUS && signal_of_reading(at + 16383) == SIGBUS);
    snprintf(text, sizeof text, "%s: before it all is there", kind);
    CASE(text, at[0] == 'x' && at[4999] == 'x');
    ftruncate(fd, 16384);
    snprintf(text, sizeof text, "%s: made longer again, it is empty", kind);
    CASE(text, at[8192] == 0 && at[16383] == 0 && at[4096] == 'x');
    munmap(at, 16384);
    close(fd);
    unlink("cut");
}

static volatile int signals;

static void counts(int signo)
{
    (void)signo;
    signals++;
}

static void test_limit(void)
{
    struct rlimit limit = {8192, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    int fd = open("limit", O_RDWR | O_CREAT, 0600);
    struct stat stat;

    signal(SIGXFSZ, counts);
    ftruncate(fd, 20000);
    setrlimit(RLIMIT_FSIZE, &limit);
    CASE("a file above the limit may be cut", ftruncate(fd, 12000) == 0 && ftruncate(fd, 9000) == 0 && signals == 0);
    CASE("and not grow", FAILS(ftruncate(fd, 9001), EFBIG) && signals == 1);
    CASE("nor be filled behind its end", FAILS(fallocate(fd, 0, 8192, 4096), EFBIG) && signals == 2);
    CASE("but within", fallocate(fd, 0, 0, 9000) == 0 && signals == 2);
    CASE("not kept either", FAILS(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000), EFBIG) && signals == 3);
    CASE("its size is as it was", fstat(fd, &stat) == 0 && stat.st_size == 9000);
    setrlimit(RLIMIT_FSIZE, &none);
    close(fd);
    unlink("limit");
}

int main(void)
{
    chdir("/tmp");
    alarm(50);
    test_many();
    test_given_back();
    signal(SIGBUS, jumps);
    signal(SIGSEGV, jumps);
    test_cut(MAP_SHARED, "shared");
    test_cut(MAP_PRIVATE, "private");
    test_limit();
    test_same_file();
    return tap_finish();
}
