/*
 * Descriptors that are none, or not of the kind, or too many; odd flags; pipes without the other end; calls that do not exist.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>

#include "misuse.h"

#define FD -77l
static char room[4096];
static struct iovec vector = {room, 8};

static const struct {
    const char *name;
    long number;
    long arguments[5];
} calls[] = {
    {"read", SYS_read, {FD, (long)room, 1}},
    {"write", SYS_write, {FD, (long)room, 1}},
    {"close", SYS_close, {FD}},
    {"fstat", SYS_fstat, {FD, (long)room}},
    {"lseek", SYS_lseek, {FD, 0, SEEK_SET}},
    {"ioctl", SYS_ioctl, {FD, TCGETS, (long)room}},
    {"writev", SYS_writev, {FD, (long)&vector, 1}},
    {"readv", SYS_readv, {FD, (long)&vector, 1}},
    {"dup", SYS_dup, {FD}},
    {"dup2", SYS_dup2, {FD, 9}},
    {"dup3", SYS_dup3, {FD, 9, 0}},
    {"fcntl F_GETFL", SYS_fcntl, {FD, F_GETFL, 0}},
    {"fcntl F_DUPFD", SYS_fcntl, {FD, F_DUPFD, 0}},
    {"ftruncate", SYS_ftruncate, {FD, 0}},
    {"getdents64", SYS_getdents64, {FD, (long)room, sizeof room}},
    {"openat", SYS_openat, {FD, (long)"x", O_RDONLY}},
    {"mknodat", SYS_mknodat, {FD, (long)"x", S_IFIFO | 0600}},
    {"newfstatat", SYS_newfstatat, {FD, (long)"x", (long)room, 0}},
    {"newfstatat of the descriptor", SYS_newfstatat, {FD, (long)"", (long)room, AT_EMPTY_PATH}},
    {"utimensat", SYS_utimensat, {FD, (long)"x", 0, 0}},
    {"faccessat", SYS_faccessat, {FD, (long)"x", 0}},
    {"sendfile, out", SYS_sendfile, {FD, 0, 0, 1}},
    {"fchdir", SYS_fchdir, {FD}},
    {"fchmod", SYS_fchmod, {FD, 0600}},
    {"fsync", SYS_fsync, {FD}},
    {"unlinkat", SYS_unlinkat, {FD, (long)"x", 0}},
    {"fstatfs", SYS_fstatfs, {FD, (long)room}},
    {"mmap", SYS_mmap, {0, PAGE, PROT_READ, MAP_PRIVATE, FD}},
};

static void test_bad_descriptors(void)
{
    static const long bad[] = {-1, 999, 1 << 20, INT_MAX, INT_MIN, 1l << 40 | 500};

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        bool good = true;

        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            long a[5];

            for (int n = 0; n < 5; n++)
                a[n] = calls[i].arguments[n] == FD ? bad[k] : calls[i].arguments[n];
            long result = raw(calls[i].number, a[0], a[1], a[2], a[3], a[4], 0);
            if (result != -EBADF) {
                printf("# %s(%ld): %ld\n", calls[i].name, bad[k], result);
                good = false;
            }
        }
        CASE(calls[i].name, good);
    }
}

static void test_wrong_kind(void)
{
    int ends[2], file = open("/tmp/misuse-file", O_RDWR | O_CREAT, 0600), folder = open("/tmp", O_RDONLY | O_DIRECTORY);
    int reader = open("/tmp/misuse-file", O_RDONLY), writer = open("/tmp/misuse-file", O_WRONLY);
    long whole = 0;

    CASE("a pipe", pipe(ends) == 0);
    CASE("lseek on a pipe", raw(SYS_lseek, ends[0], 0, SEEK_SET, 0, 0, 0) == -ESPIPE);
    CASE("reading the writing end", raw(SYS_read, ends[1], (long)room, 1, 0, 0, 0) == -EBADF);
    CASE("writing the reading end", raw(SYS_write, ends[0], (long)room, 1, 0, 0, 0) == -EBADF);
    CASE("reading a folder", raw(SYS_read, folder, (long)room, 1, 0, 0, 0) == -EISDIR);
    CASE("writing a folder", raw(SYS_write, folder, (long)room, 1, 0, 0, 0) == -EBADF);
    CASE("getdents64 of a file", raw(SYS_getdents64, file, (long)room, 100, 0, 0, 0) == -ENOTDIR);
    CASE("openat below a file", raw(SYS_openat, file, (long)"x", O_RDONLY, 0, 0, 0) == -ENOTDIR);
    CASE("fchdir to a file", raw(SYS_fchdir, file, 0, 0, 0, 0, 0) == -ENOTDIR);
    CASE("opening a folder for writing", raw(SYS_open, (long)"/tmp", O_WRONLY, 0, 0, 0, 0) == -EISDIR);
    CASE("opening a file as a folder", raw(SYS_open, (long)"/tmp/misuse-file", O_DIRECTORY, 0, 0, 0, 0) == -ENOTDIR);
    CASE("reading a file open for writing", raw(SYS_read, writer, (long)room, 1, 0, 0, 0) == -EBADF);
    CASE("writing a file open for reading", raw(SYS_write, reader, (long)room, 1, 0, 0, 0) == -EBADF);
    CASE("ftruncate of a file open for reading", raw(SYS_ftruncate, reader, 0, 0, 0, 0, 0) == -EINVAL);
    CASE("ftruncate to a negative size", raw(SYS_ftruncate, file, -1, 0, 0, 0, 0) == -EINVAL);
    CASE("a terminal call on a file", raw(SYS_ioctl, file, TCGETS, (long)room, 0, 0, 0) == -ENOTTY);
    CASE("an unknown ioctl", raw(SYS_ioctl, file, 0x12345678, (long)room, 0, 0, 0) == -ENOTTY);
    CASE("an unknown fcntl", raw(SYS_fcntl, file, 9999, 0, 0, 0, 0) == -EINVAL);
    CASE("F_DUPFD to a negative descriptor", raw(SYS_fcntl, file, F_DUPFD, -1, 0, 0, 0) == -EINVAL);
    CASE("lseek to before the start", raw(SYS_lseek, file, -1, SEEK_SET, 0, 0, 0) == -EINVAL);
    CASE("lseek from nowhere", raw(SYS_lseek, file, 0, 77, 0, 0, 0) == -EINVAL);
    CASE("lseek that overflows", lseek(file, 10, SEEK_SET) == 10 && raw(SYS_lseek, file, LONG_MAX, SEEK_CUR, 0, 0, 0) == -EINVAL);
    CASE("dup3 to itself", raw(SYS_dup3, file, file, 0, 0, 0, 0) == -EINVAL);
    CASE("dup3 with odd flags", raw(SYS_dup3, file, 50, 1, 0, 0, 0) == -EINVAL);
    CASE("dup2 to itself", raw(SYS_dup2, file, file, 0, 0, 0, 0) == file);
    CASE("pipe2 with odd flags", raw(SYS_pipe2, (long)&whole, 1, 0, 0, 0, 0) == -EINVAL);
    CASE("openat of an empty name", raw(SYS_open, (long)"", O_RDONLY, 0, 0, 0, 0) == -ENOENT);
    CASE("open that creates below a file", raw(SYS_open, (long)"/tmp/misuse-file/x", O_CREAT, 0600, 0, 0, 0) == -ENOTDIR);
    CASE("O_EXCL of what is there", raw(SYS_open, (long)"/tmp/misuse-file", O_CREAT | O_EXCL, 0600, 0, 0, 0) == -EEXIST);
    CASE("newfstatat with odd flags", raw(SYS_newfstatat, AT_FDCWD, (long)".", (long)room, 0x8000000, 0, 0) == -EINVAL);
    close(file), close(folder), close(reader), close(writer), close(ends[0]), close(ends[1]);
    unlink("/tmp/misuse-file");
}

static volatile sig_atomic_t pipes_broken;

static void on_pipe(int number)
{
    (void)number;
    pipes_broken++;
}

static int broken_pipe(void *unused)
{
    int ends[2];

    (void)unused;
    if (pipe(ends) < 0)
        return 1;
    close(ends[0]);
    return write(ends[1], "x", 1) < 0 ? 2 : 3;
}

static void test_pipes(void)
{
    struct pollfd poll_both;
    int ends[2], more = 0;

    CASE("writing without a reader kills", killed_by(in_child(broken_pipe, NULL), SIGPIPE));
    signal(SIGPIPE, on_pipe);
    CASE("a pipe", pipe2(ends, O_NONBLOCK) == 0);
    CASE("reading an empty pipe that does not block", raw(SYS_read, ends[0], (long)room, 1, 0, 0, 0) == -EAGAIN);
    while (raw(SYS_write, ends[1], (long)room, sizeof room, 0, 0, 0) == sizeof room && more < 1000)
        more++;
    CASE("a full pipe holds 64 KiB", more == 16);
    CASE("writing a full pipe that does not block", raw(SYS_write, ends[1], (long)room, 1, 0, 0, 0) == -EAGAIN);
    close(ends[0]);
    CASE("writing without a reader, handled", raw(SYS_write, ends[1], (long)room, 1, 0, 0, 0) == -EPIPE && pipes_broken == 1);
    poll_both = (struct pollfd){.fd = ends[1], .events = POLLOUT};
    CASE("poll says so", poll(&poll_both, 1, 0) == 1 && poll_both.revents & POLLERR);
    signal(SIGPIPE, SIG_IGN);
    CASE("writing without a reader, ignored", raw(SYS_write, ends[1], (long)room, 1, 0, 0, 0) == -EPIPE && pipes_broken == 1);
    close(ends[1]);
    CASE("a pipe again", pipe(ends) == 0);
    close(ends[1]);
    CASE("reading without a writer", raw(SYS_read, ends[0], (long)room, 1, 0, 0, 0) == 0);
    close(ends[0]);
    poll_both = (struct pollfd){.fd = 555, .events = POLLIN};
    CASE("poll of a descriptor that is none", poll(&poll_both, 1, 0) == 1 && poll_both.revents == POLLNVAL);
    CASE("poll of too many", raw(SYS_poll, (long)room, 1 << 30, 0, 0, 0, 0) == -EINVAL);
}

static int exhaust(void *unused)
{
    struct rlimit limit = {64, 64};
    int last = -1, count = 0, fd;

    (void)unused;
    setrlimit(RLIMIT_NOFILE, &limit);
    while ((fd = open("/dev/null", O_RDONLY)) >= 0 && count < 1000)
        last = fd, count++;
    if (errno != EMFILE || last != 63)
        return 1;
    if (raw(SYS_dup, 0, 0, 0, 0, 0, 0) != -EMFILE || raw(SYS_fcntl, 0, F_DUPFD, 0, 0, 0, 0) != -EMFILE)
        return 2;
    if (raw(SYS_pipe, (long)room, 0, 0, 0, 0, 0) != -EMFILE || raw(SYS_dup2, 0, 64, 0, 0, 0, 0) != -EBADF)
        return 3;
    close(10);
    return open("/dev/null", O_RDONLY) == 10 && raw(SYS_pipe, (long)room, 0, 0, 0, 0, 0) == -EMFILE ? 0 : 4;
}

/* As many as the system allows, in one process: then there are no more, and closing gives them back. */
static int exhaust_all(void *unused)
{
    struct rlimit limit;
    int count = 0, fd, top = 0;

    (void)unused;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    while ((fd = open("/dev/null", O_RDONLY)) >= 0 && count < 5000)
        top = fd, count++;
    if (fd < 0 && errno != EMFILE && errno != ENFILE && errno != ENOMEM)
        return 1;
    for (fd = 3; fd <= top; fd++)
        close(fd);
    return open("/dev/null", O_RDONLY) == 3 ? 0 : 2;
}

/* Many pipes with their rings: refused at some point, or all there; then given back. */
static int many_pipes(void *unused)
{
    int ends[2], first[2];

    (void)unused;
    for (int round = 0; round < 3; round++) {
        int count = 0, last = 0;

        if (pipe(first) < 0)
            return 1;
        while (count < 400 && pipe(ends) == 0)
            last = ends[1], count++;
        if (count < 50)
            return 2;
        for (int fd = 3; fd <= last; fd++)
            close(fd);
    }
    return 0;
}

static void test_numbers(void)
{
    static const long numbers[] = {335, 400, 461, 511, 1000, 0x7fffffff, 0x80000000, 0xffffffff, -1, -2, LONG_MIN, LONG_MAX,
                                   1l << 32, 0x44ffffff, 0x45ffffff, 0x4fffffff};
    bool good = true;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        long result = raw(numbers[i], 0, 0, 0, 0, 0, 0);

        /* Linux looks at the low half only; an exokernel call that is none has its own answer. */
        bool fine = result == -ENOSYS || (numbers[i] == 1l << 32) || (numbers[i] == LONG_MIN) || (numbers[i] >> 24 == 0x45 && result < 0);
        if (!fine)
            printf("# call %ld: %ld\n", numbers[i], result);
        good &= fine;
    }
    CASE("call numbers that nobody has", good);
}

int main(void)
{
    test_bad_descriptors();
    test_wrong_kind();
    test_pipes();
    CASE("descriptors run out at the limit", exited_with(in_child(exhaust, NULL), 0));
    CASE("as many descriptors as there can be", exited_with(in_child(exhaust_all, NULL), 0));
    CASE("hundreds of pipes, three times", exited_with(in_child(many_pipes, NULL), 0));
    test_numbers();
    return tap_finish();
}
