/*
 * Memory as a program sees it: mappings, protection, faults and their signals, stack, heap, what fork shares, /proc/self/maps.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf landing;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;

static void on_fault(int signo, siginfo_t *info, void *context)
{
    (void)context;
    fault_signal = signo;
    fault_code = info->si_code;
    fault_address = info->si_addr;
    siglongjmp(landing, 1);
}

/* The signal that touching the address raises, 0 if none. */
static int touch(volatile char *at, int write)
{
    fault_signal = fault_code = 0;
    if (sigsetjmp(landing, 1))
        return fault_signal;
    if (write)
        *at = 1;
    else
        (void)*at;
    return 0;
}

static char *map(size_t pages, int prot)
{
    return mmap(NULL, pages * PAGE, prot, ANONYMOUS, -1, 0);
}

static void test_faults(void)
{
    char *at = map(4, RW);
    int fd = open("/tmp/memory-test", O_RDWR | O_CREAT | O_TRUNC, 0600);

    CASE("fresh memory is zero", at[0] == 0 && at[4 * PAGE - 1] == 0);
    CASE("a page without access", mprotect(at + PAGE, PAGE, PROT_NONE) == 0 && touch(at + PAGE + 5, 0) == SIGSEGV &&
                                      fault_code == SEGV_ACCERR && fault_address == at + PAGE + 5);
    at[2 * PAGE] = 7;
    CASE("a read-only page", mprotect(at + 2 * PAGE, PAGE, PROT_READ) == 0 && touch(at + 2 * PAGE, 0) == 0 &&
                                 touch(at + 2 * PAGE, 1) == SIGSEGV && fault_code == SEGV_ACCERR);
    CASE("access comes back, contents stay", mprotect(at + PAGE, 2 * PAGE, RW) == 0 && touch(at + 2 * PAGE + 1, 1) == 0 &&
                                                 at[2 * PAGE] == 7);
    CASE("after munmap there is nothing", munmap(at, PAGE) == 0 && touch(at, 0) == SIGSEGV && fault_code == SEGV_MAPERR);
    CASE("the null page", touch((char *)8, 1) == SIGSEGV && fault_code == SEGV_MAPERR && fault_address == (void *)8);
    CASE("beyond all user addresses", touch((char *)0x8000000000000000, 0) == SIGSEGV && fault_code == SI_KERNEL);
    CASE("the kernel's half", touch((char *)0xffffffff80000000, 0) == SIGSEGV);
    CASE("past the end of a file", fd >= 0 && ftruncate(fd, 10) == 0 &&
                                       (at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0)) != MAP_FAILED && touch(at + 100, 1) == 0 &&
                                       touch(at + PAGE, 0) == SIGBUS && fault_code == BUS_ADRERR && fault_address == at + PAGE);
    munmap(at, 2 * PAGE);
    close(fd);
}

static void test_files(void)
{
    char text[16] = {0}, *shared, *private;
    int fd = open("/tmp/memory-test", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("/tmp/memory-test", O_RDONLY);

    CASE("a file of three pages", write(fd, "hello", 5) == 5 && pwrite(fd, "end", 3, 3 * PAGE - 3) == 3);
    shared = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    private = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, reader, 0);
    CASE("both mappings show it", memcmp(shared, "hello", 5) == 0 && memcmp(private + 3 * PAGE - 3, "end", 3) == 0);
    memcpy(shared, "HELLO", 5);
    CASE("a shared write is in the file", pread(fd, text, 5, 0) == 5 && memcmp(text, "HELLO", 5) == 0);
    private[0] = 'j';
    CASE("a private write is not", pread(fd, text, 1, 0) == 1 && text[0] == 'H' && shared[0] == 'H');
    CASE("a file write is in the mapping", pwrite(fd, "x", 1, PAGE) == 1 && shared[PAGE] == 'x');
    CASE("MADV_DONTNEED drops a private copy", madvise(private, PAGE, MADV_DONTNEED) == 0 && private[0] == 'H');
    CASE("mapping a reader's file shared and writable", mmap(NULL, PAGE, RW, MAP_SHARED, reader, 0) == MAP_FAILED && errno == EACCES);
    CASE("making it writable later", (private = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0)) != MAP_FAILED &&
                                         mprotect(private, PAGE, RW) == -1 && errno == EACCES);
    CASE("the file's offset", (private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 2 * PAGE)) != MAP_FAILED &&
                                  memcmp(private + PAGE - 3, "end", 3) == 0);
    close(fd);
    close(reader);
    unlink("/tmp/memory-test");
    CASE("the mapping outlives descriptor and name", memcmp(shared, "HELLO", 5) == 0 && touch(shared, 1) == 0);
}

static void test_errors(void)
{
    char *at = map(2, RW);

    CASE("no length", mmap(NULL, 0, RW, ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    CASE("neither private nor shared", mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    CASE("no descriptor", mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
    CASE("everything there is", mmap(NULL, SIZE_MAX / 4096 * 4096, RW, ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    CASE("an odd fixed address", mmap(at + 1, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
    CASE("fixed in the kernel's half", mmap((void *)0xffff800000000000, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED &&
                                           errno == ENOMEM);
    CASE("not over what is there", mmap(at, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    CASE("a directory", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("/", O_RDONLY | O_DIRECTORY), 0) == MAP_FAILED && errno == ENODEV);
    CASE("munmap at an odd address", munmap(at + 1, PAGE) == -1 && errno == EINVAL);
    CASE("munmap of a hole", munmap(at, 2 * PAGE) == 0 && munmap(at, 2 * PAGE) == 0);
    CASE("mprotect of a hole", mprotect(at, PAGE, RW) == -1 && errno == ENOMEM);
    CASE("mremap of a hole", mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CASE("madvise of a hole", madvise(at, PAGE, MADV_DONTNEED) == -1 && errno == ENOMEM);
}

/* Pages of a file that is too large to be mapped at once, some of which are read while the mapping is for reading only. */
static void test_later(void)
{
    size_t bytes = 2000 * PAGE;
    int fd = open("/tmp/memory-test", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("/tmp/memory-test", O_RDONLY);
    char *at, *seen, text[2] = {0};

    CASE("a large file", fd >= 0 && ftruncate(fd, (off_t)bytes) == 0 && pwrite(fd, "abc", 3, 5 * PAGE) == 3);
    at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    seen = mmap(NULL, bytes, PROT_READ, MAP_SHARED, reader, 0);
    CASE("mapped for reading", at != MAP_FAILED && at[5 * PAGE] == 'a' && at[6 * PAGE] == 0 && seen[5 * PAGE] == 'a' && seen[6 * PAGE] == 0);
    CASE("not to be written", touch(at + 5 * PAGE, 1) == SIGSEGV && fault_code == SEGV_ACCERR);
    CASE("written when it may be", mprotect(at, bytes, RW) == 0 && touch(at + 5 * PAGE + 1, 1) == 0 && touch(at + 6 * PAGE + 1, 1) == 0 &&
                                       touch(at + 1900 * PAGE, 1) == 0);
    CASE("others see it", seen[5 * PAGE] == 'a' && seen[5 * PAGE + 1] == 1 && seen[6 * PAGE + 1] == 1 && pread(fd, text, 2, 5 * PAGE + 1) == 2 &&
                              text[0] == 1 && text[1] == 'c');
    CASE("a reader's mapping stays so", mprotect(seen, bytes, RW) == -1 && errno == EACCES && touch(seen + 5 * PAGE, 1) == SIGSEGV);
    CASE("memory that outlives power is not there", mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0) == MAP_FAILED && errno == EOPNOTSUPP &&
                                                        mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_POPULATE, fd, 0) != MAP_FAILED);
    munmap(at, bytes);
    munmap(seen, bytes);
    close(fd);
    close(reader);
    unlink("/tmp/memory-test");
}

static void test_large(void)
{
    size_t huge = 1ul << 40;
    char *at = mmap(NULL, huge, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0), *moved;
    unsigned good = 0;

    CASE("a terabyte reserved", at != MAP_FAILED && mprotect(at + huge / 2, PAGE, RW) == 0 && touch(at + huge / 2, 1) == 0 &&
                                    touch(at, 0) == SIGSEGV);
    CASE("and forked", fork() == 0 ? (_exit(at[huge / 2] == 1 ? 3 : 4), 0) : (wait(&(int){0}), 1));
    CASE("and given back", munmap(at, huge) == 0 && touch(at + huge / 2, 0) == SIGSEGV);
    CASE("more memory than there is", mmap(NULL, huge, RW, ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    at = map(3000, RW);
    for (unsigned page = 0; page < 3000; page += 2)
        good += mprotect(at + page * PAGE, PAGE, PROT_READ) == 0;
    CASE("thousands of mappings", good == 1500 && touch(at + 2998 * PAGE, 1) == SIGSEGV && touch(at + 2999 * PAGE, 1) == 0);
    for (unsigned page = 0; page < 3000; page++)
        good += munmap(at + page * PAGE, PAGE) == 0;
    CASE("and all of them gone", good == 4500);
    at = map(20, RW);
    memset(at, 'a', 20 * PAGE);
    moved = mremap(at, 20 * PAGE, 4000 * PAGE, MREMAP_MAYMOVE);
    CASE("mremap moves what is there", moved != MAP_FAILED && moved[0] == 'a' && moved[20 * PAGE - 1] == 'a' && moved[20 * PAGE] == 0);
    CASE("mremap shrinks", mremap(moved, 4000 * PAGE, PAGE, 0) == moved && touch(moved + PAGE, 0) == SIGSEGV);
}

static void test_fork(void)
{
    volatile int *shared = mmap(NULL, 8 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    volatile int *private = (volatile int *)map(8, RW);
    int status = -1;

    private[0] = 1;
    if (fork() == 0) {
        shared[0] = private[0];
        shared[7 * PAGE / sizeof(int)] = 77; /* a page that nobody had touched */
        private[0] = 2;
        private[4 * PAGE / sizeof(int)] = 3;
        _exit(fork() == 0 ? (shared[1] = 5, 0) : (wait(NULL), 0));
    }
    wait(&status);
    CASE("fork: private memory", status == 0 && private[0] == 1 && private[4 * PAGE / sizeof(int)] == 0);
    CASE("fork: shared memory", shared[0] == 1 && shared[7 * PAGE / sizeof(int)] == 77 && shared[1] == 5);
}

/* Uses about `bytes` of stack. */
static __attribute__((noinline)) int dig(size_t bytes)
{
    volatile char hole[4000];

    hole[0] = (char)bytes;
    return bytes > sizeof(hole) ? dig(bytes - sizeof(hole)) + hole[0] : hole[0];
}

static void test_stack(void)
{
    static char other[65536];
    stack_t alternative = {.ss_sp = other, .ss_size = sizeof(other)};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    int status = -1;

    dig(7 << 20);
    CASE("a deep stack", 1);
    sigaltstack(&alternative, NULL);
    sigaction(SIGSEGV, &action, NULL);
    fault_signal = 0;
    if (!sigsetjmp(landing, 1))
        dig(1ul << 30);
    CASE("a stack without end", fault_signal == SIGSEGV && (char *)fault_address < (char *)&status);
    if (fork() == 0) {
        signal(SIGSEGV, SIG_DFL);
        dig(1ul << 30);
        _exit(0);
    }
    CASE("kills without a handler", wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void test_heap(void)
{
    char *start = (char *)syscall(SYS_brk, 0), *more = start + (1 << 20);

    CASE("brk grows", (char *)syscall(SYS_brk, more) == more && touch(more - 1, 1) == 0);
    CASE("brk shrinks", (char *)syscall(SYS_brk, start) == start && touch((char *)(((uintptr_t)start + 2 * PAGE) & -PAGE), 0) == SIGSEGV);
    CASE("what comes back is zero", (char *)syscall(SYS_brk, more) == more && more[-1] == 0);
    CASE("brk refuses nonsense", (char *)syscall(SYS_brk, -1l) == more && (char *)syscall(SYS_brk, 1l) == more);
    CASE("brk beyond its limit", setrlimit(RLIMIT_DATA, &(struct rlimit){1 << 20, RLIM_INFINITY}) == 0 &&
                                     (char *)syscall(SYS_brk, more + (64 << 20)) == more);
    setrlimit(RLIMIT_DATA, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    CASE("mappings within RLIMIT_AS", setrlimit(RLIMIT_AS, &(struct rlimit){64 << 20, RLIM_INFINITY}) == 0 &&
                                          mmap(NULL, 128 << 20, RW, ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    setrlimit(RLIMIT_AS, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

/* Calls that are given addresses where nothing is: an error, and bytes up to the first bad one. */
static void test_bad_addresses(void)
{
    char *at = map(2, RW), *edge = at + PAGE;
    static char *const wild[] = {(char *)8, (char *)0x7ffff0000000, (char *)0x7fff00000000, (char *)0xffffffff80000000, (char *)-1,
                                 (char *)0x8000000000000000};
    int fd = open("/proc/self/exe", O_RDONLY), ends[2];
    unsigned good = 0;

    munmap(edge, PAGE);
    for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
        good += read(fd, wild[i], 100) == -1 && errno == EFAULT && open(wild[i], O_RDONLY) == -1 && errno == EFAULT;
    CASE("wild addresses", good == sizeof(wild) / sizeof(wild[0]));
    CASE("a read stops at the bad byte", read(fd, edge - 10, 100) == 10 && read(fd, edge, 100) == -1 && errno == EFAULT);
    CASE("a write from a bad byte", pipe(ends) == 0 && write(ends[1], edge, 1) == -1 && errno == EFAULT);
    memcpy(edge - 5, "/dev/", 5);
    CASE("a path without an end", open(edge - 5, O_RDONLY) == -1 && errno == EFAULT);
    edge[-1] = 0;
    CASE("a path that ends at the edge", open(edge - 5, O_RDONLY) >= 0);
    CASE("a read into read-only memory", mprotect(at, PAGE, PROT_READ) == 0 && read(fd, at, 10) == -1 && errno == EFAULT);
    CASE("memory comes in under a call", (at = map(64, RW)) != MAP_FAILED && pread(fd, at + PAGE - 5, 10 * PAGE, 0) == 10 * PAGE &&
                                             memcmp(at + PAGE - 5, "\177ELF", 4) == 0);
    CASE("mincore into nowhere", mincore(at, PAGE, (void *)8) == -1 && errno == EFAULT);
}

static void test_maps(void)
{
    static char text[65536];
    char line[64];
    char *at = mmap((void *)0x1234560000, 3 * PAGE, PROT_READ, ANONYMOUS, -1, 0);
    int fd = open("/proc/self/maps", O_RDONLY);
    ssize_t got, all = 0;

    while ((got = read(fd, text + all, sizeof(text) - 1 - (size_t)all)) > 0)
        all += got;
    snprintf(line, sizeof(line), "%lx-%lx r--p ", (unsigned long)at, (unsigned long)at + 3 * PAGE);
    CASE("maps: a hint that is free is taken", at == (char *)0x1234560000);
    CASE("maps: the new mapping", strstr(text, line) != NULL);
    CASE("maps: stack and heap", strstr(text, " [stack]\n") && strstr(text, " [heap]\n"));
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    test_faults();
    test_files();
    test_errors();
    test_later();
    test_large();
    test_fork();
    test_heap();
    test_bad_addresses();
    test_maps();
    test_stack();
    return tap_finish();
}
