/*
 * process_madvise and process_mrelease: advice and ends of other processes' memory. The same on Linux 6.1, as root (later ones take more advice, and users').
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define PAGE 4096ul
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif

static long advise(int fd, const struct iovec *parts, unsigned long count, int advice, unsigned flags)
{
    return syscall(440, fd, parts, count, advice, flags);
}

static long release(int fd, unsigned flags)
{
    return syscall(448, fd, flags);
}

int main(void)
{
    char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec parts[2] = {{memory, PAGE}, {memory + 2 * PAGE, PAGE}}, gone[2] = {{memory, PAGE}, {memory + 3 * PAGE, PAGE}};
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0), other, status, ends[2];
    pid_t child;

    memory[0] = 1;
    munmap(memory + 3 * PAGE, PAGE);
    CASE("advice of two parts", advise(self, parts, 2, MADV_COLD, 0) == 2 * (long)PAGE && memory[0] == 1);
    CASE("paged out, or not", advise(self, parts, 1, MADV_PAGEOUT, 0) == (long)PAGE && memory[0] == 1);
    CASE("of no part", advise(self, parts, 0, MADV_COLD, 0) == 0);
    CASE("up to a hole", advise(self, gone, 2, MADV_COLD, 0) == (long)PAGE && FAILS(advise(self, gone + 1, 1, MADV_COLD, 0), ENOMEM));
    CASE("advice that would change something", FAILS(advise(self, parts, 1, MADV_DONTNEED, 0), EINVAL));
    CASE("flags", FAILS(advise(self, parts, 1, MADV_COLD, 1), EINVAL));
    CASE("too many parts", FAILS(advise(self, parts, 1025, MADV_COLD, 0), EINVAL));
    CASE("parts that are nowhere", FAILS(advise(self, (struct iovec *)8, 1, MADV_COLD, 0), EFAULT));
    CASE("no pidfd", FAILS(advise(0, parts, 1, MADV_COLD, 0), EBADF) && FAILS(advise(-1, parts, 1, MADV_COLD, 0), EBADF));
    (void)!pipe(ends);
    child = fork();
    if (child == 0) {
        close(ends[1]);
        (void)!read(ends[0], memory, 1);
        _exit(0);
    }
    other = (int)syscall(SYS_pidfd_open, child, 0);
    CASE("another's", advise(other, parts, 2, MADV_COLD, 0) == 2 * (long)PAGE);
    CASE("where he has none", FAILS(advise(other, gone + 1, 1, MADV_COLD, 0), ENOMEM));
    CASE("who lives gives nothing back", FAILS(release(other, 0), EINVAL) && FAILS(release(other, 1), EINVAL));
    close(ends[1]);
    waitpid(child, &status, 0);
    CASE("who has ended has nothing", FAILS(release(other, 0), ESRCH) && FAILS(advise(other, parts, 1, MADV_COLD, 0), ESRCH));
    CASE("no pidfd has nothing, either", FAILS(release(0, 0), EBADF));
    child = fork();
    if (child == 0)
        _exit(setuid(1000) != 0 || !FAILS(advise(self, parts, 1, MADV_COLD, 0), EPERM));
    CASE("users may not", waitpid(child, &status, 0) == child && status == 0);
    return tap_finish();
}
