/*
 * Wild pointers to every call: the answer is EFAULT, and never a fault in the libOS, a crash, or a byte of anybody else's.
 * One line of the table is one pointer argument of one call.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "misuse.h"

#define P 0x5050505050505050l /* where the wild pointer goes */
#define SCRATCH "/tmp/misuse-pointers"

/* What the pointer is for the call. */
enum kind {
    IN,      /* read: a structure or buffer */
    OUT,     /* written */
    PATH,    /* a string */
    BUFFER_IN, /* read, but a call may take the part that is there */
};
#define NULL_IS_FINE 0x10
#define MAY_BE_MISSING 0x20 /* beyond tier 1: ENOSYS will do */

struct row {
    const char *name;
    long number;
    long arguments[6];
    int kind;
};

static int file_fd, folder_fd, pipe_out, pipe_in;
static long word;
static char room[4096];
static char *no_strings[] = {NULL};
static struct timespec soon = {0, 1};
static struct iovec one_iovec = {room, 16};

#define FILE_FD -1001l
#define FOLDER_FD -1002l
#define PIPE_IN -1003l
#define PIPE_OUT -1004l
#define ADDRESS(x) ((long)(uintptr_t)(x))
#define HERE AT_FDCWD

static const struct row rows[] = {
    {"read", SYS_read, {FILE_FD, P, 16}, OUT},
    {"write to a file", SYS_write, {FILE_FD, P, 64}, BUFFER_IN},
    {"write to a pipe", SYS_write, {PIPE_OUT, P, 64}, BUFFER_IN},
    {"open", SYS_open, {P, O_RDONLY}, PATH},
    {"stat, path", SYS_stat, {P, ADDRESS(room)}, PATH},
    {"stat, result", SYS_stat, {ADDRESS("."), P}, OUT},
    {"fstat", SYS_fstat, {FILE_FD, P}, OUT},
    {"lstat, path", SYS_lstat, {P, ADDRESS(room)}, PATH},
    {"lstat, result", SYS_lstat, {ADDRESS("."), P}, OUT},
    {"poll", SYS_poll, {P, 1, 0}, IN},
    {"rt_sigaction, new", SYS_rt_sigaction, {SIGUSR1, P, 0, 8}, IN | NULL_IS_FINE},
    {"rt_sigaction, old", SYS_rt_sigaction, {SIGUSR1, 0, P, 8}, OUT | NULL_IS_FINE},
    {"rt_sigprocmask, new", SYS_rt_sigprocmask, {SIG_BLOCK, P, 0, 8}, IN | NULL_IS_FINE},
    {"rt_sigprocmask, old", SYS_rt_sigprocmask, {SIG_BLOCK, 0, P, 8}, OUT | NULL_IS_FINE},
    {"ioctl FIONREAD", SYS_ioctl, {PIPE_IN, FIONREAD, P}, OUT | MAY_BE_MISSING},
    {"writev, vector", SYS_writev, {FILE_FD, P, 2}, IN},
    {"access", SYS_access, {P, 0}, PATH},
    {"pipe", SYS_pipe, {P}, OUT},
    {"sendfile", SYS_sendfile, {FILE_FD, FILE_FD, P, 1}, IN | NULL_IS_FINE},
    {"execve, path", SYS_execve, {P, ADDRESS(no_strings), ADDRESS(no_strings)}, PATH},
    {"execve, arguments", SYS_execve, {ADDRESS("/bin/busybox"), P, ADDRESS(no_strings)}, IN | NULL_IS_FINE},
    {"execve, environment", SYS_execve, {ADDRESS("/bin/busybox"), ADDRESS(no_strings), P}, IN | NULL_IS_FINE},
    {"uname", SYS_uname, {P}, OUT},
    {"getcwd", SYS_getcwd, {P, 100}, OUT},
    {"chdir", SYS_chdir, {P}, PATH},
    {"rename, from", SYS_rename, {P, ADDRESS("y")}, PATH},
    {"rename, to", SYS_rename, {ADDRESS("file"), P}, PATH},
    {"mkdir", SYS_mkdir, {P, 0700}, PATH},
    {"rmdir", SYS_rmdir, {P}, PATH},
    {"link, from", SYS_link, {P, ADDRESS("y")}, PATH},
    {"link, to", SYS_link, {ADDRESS("file"), P}, PATH},
    {"unlink", SYS_unlink, {P}, PATH},
    {"symlink, target", SYS_symlink, {P, ADDRESS("y")}, PATH},
    {"symlink, name", SYS_symlink, {ADDRESS("x"), P}, PATH},
    {"readlink, path", SYS_readlink, {P, ADDRESS(room), 100}, PATH},
    {"readlink, result", SYS_readlink, {ADDRESS("link"), P, 100}, OUT},
    {"chmod", SYS_chmod, {P, 0644}, PATH},
    {"chown", SYS_chown, {P, -1, -1}, PATH},
    {"gettimeofday", SYS_gettimeofday, {P, 0}, OUT | NULL_IS_FINE},
    {"getrusage", SYS_getrusage, {0, P}, OUT},
    {"sysinfo", SYS_sysinfo, {P}, OUT},
    {"times", SYS_times, {P}, OUT | NULL_IS_FINE},
    {"rt_sigsuspend", SYS_rt_sigsuspend, {P, 8}, IN},
    {"statfs, path", SYS_statfs, {P, ADDRESS(room)}, PATH},
    {"statfs, result", SYS_statfs, {ADDRESS("."), P}, OUT},
    {"prctl PR_SET_NAME", SYS_prctl, {PR_SET_NAME, P}, IN},
    {"prctl PR_GET_NAME", SYS_prctl, {PR_GET_NAME, P}, OUT},
    {"arch_prctl ARCH_GET_FS", SYS_arch_prctl, {0x1003, P}, OUT},
    {"chroot", SYS_chroot, {P}, PATH},
    {"futex, word", SYS_futex, {P, 0 /* FUTEX_WAIT */, 0, ADDRESS(&soon)}, IN},
    {"futex, time", SYS_futex, {ADDRESS(&word), 0 /* FUTEX_WAIT */, 0, P}, IN | NULL_IS_FINE},
    {"sched_getaffinity", SYS_sched_getaffinity, {0, 128, P}, OUT},
    {"getdents64", SYS_getdents64, {FOLDER_FD, P, 1000}, OUT},
    {"clock_nanosleep", SYS_clock_nanosleep, {CLOCK_REALTIME, 0, P, 0}, IN},
    {"nanosleep", SYS_nanosleep, {P, 0}, IN},
    {"openat", SYS_openat, {HERE, P, O_RDONLY}, PATH},
    {"mknodat", SYS_mknodat, {HERE, P, S_IFIFO | 0600, 0}, PATH},
    {"newfstatat, path", SYS_newfstatat, {HERE, P, ADDRESS(room), 0}, PATH},
    {"newfstatat, result", SYS_newfstatat, {HERE, ADDRESS("."), P, 0}, OUT},
    {"pselect6, set", SYS_pselect6, {8, P, 0, 0, ADDRESS(&soon), 0}, IN | NULL_IS_FINE},
    {"pselect6, time", SYS_pselect6, {0, 0, 0, 0, P, 0}, IN | NULL_IS_FINE},
    {"pselect6, mask", SYS_pselect6, {0, 0, 0, 0, ADDRESS(&soon), P}, IN | NULL_IS_FINE},
    {"utimensat, path", SYS_utimensat, {HERE, P, 0, 0}, PATH},
    {"utimensat, times", SYS_utimensat, {HERE, ADDRESS("file"), P, 0}, IN | NULL_IS_FINE},
    {"pipe2", SYS_pipe2, {P, 0}, OUT},
    {"prlimit64, new", SYS_prlimit64, {0, 7, P, 0}, IN | NULL_IS_FINE},
    {"prlimit64, old", SYS_prlimit64, {0, 7, 0, P}, OUT | NULL_IS_FINE},
    {"getrandom", SYS_getrandom, {P, 16, 0}, OUT},
    {"clone3", SYS_clone3, {P, 64}, IN | MAY_BE_MISSING},
    {"faccessat2", SYS_faccessat2, {HERE, P, 0, 0}, PATH | MAY_BE_MISSING},
    {"clock_gettime", SYS_clock_gettime, {CLOCK_REALTIME, P}, OUT},
    {"sigaltstack, new", SYS_sigaltstack, {P, 0}, IN | NULL_IS_FINE},
    {"sigaltstack, old", SYS_sigaltstack, {0, P}, OUT | NULL_IS_FINE},
    {"readv, vector", SYS_readv, {FILE_FD, P, 2}, IN | MAY_BE_MISSING},
    {"pread64", SYS_pread64, {FILE_FD, P, 16, 0}, OUT | MAY_BE_MISSING},
    {"pwrite64", SYS_pwrite64, {FILE_FD, P, 64, 0}, BUFFER_IN | MAY_BE_MISSING},
    {"statx, path", SYS_statx, {HERE, P, 0, 0x7ff, ADDRESS(room)}, PATH | MAY_BE_MISSING},
    {"statx, result", SYS_statx, {HERE, ADDRESS("."), 0, 0x7ff, P}, OUT | MAY_BE_MISSING},
    {"ppoll", SYS_ppoll, {P, 1, ADDRESS(&soon), 0, 8}, IN | MAY_BE_MISSING},
    {"unlinkat", SYS_unlinkat, {HERE, P, 0}, PATH | MAY_BE_MISSING},
    {"mkdirat", SYS_mkdirat, {HERE, P, 0700}, PATH | MAY_BE_MISSING},
    {"readlinkat, result", SYS_readlinkat, {HERE, ADDRESS("link"), P, 100}, OUT | MAY_BE_MISSING},
    {"setitimer", SYS_setitimer, {0, P, 0}, IN | NULL_IS_FINE | MAY_BE_MISSING},
    {"getitimer", SYS_getitimer, {0, P}, OUT | MAY_BE_MISSING},
    {"rt_sigpending", SYS_rt_sigpending, {P, 8}, OUT | MAY_BE_MISSING},
    {"rt_sigtimedwait", SYS_rt_sigtimedwait, {P, 0, ADDRESS(&soon), 8}, IN | MAY_BE_MISSING},
    {"epoll_ctl", SYS_epoll_ctl, {FILE_FD, 1, PIPE_IN, P}, IN | MAY_BE_MISSING},
    {"setsockopt", SYS_setsockopt, {FILE_FD, 1, 2, P, 4}, IN | MAY_BE_MISSING},
};

/* Pages to point at: one that may be read and written, and behind it nothing; one read-only; one with no access. */
static char *last_page, *read_only, *no_access;

static char *page(int protection)
{
    char *address = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (address == MAP_FAILED)
        _exit(99);
    memset(address, 'A', 2 * PAGE);
    munmap(address + PAGE, PAGE);
    if (protection != (PROT_READ | PROT_WRITE))
        mprotect(address, PAGE, protection);
    return address;
}

static long value_of(long argument, uintptr_t pointer)
{
    switch (argument) {
    case P:
        return (long)pointer;
    case FILE_FD:
        return file_fd;
    case FOLDER_FD:
        return folder_fd;
    case PIPE_IN:
        return pipe_in;
    case PIPE_OUT:
        return pipe_out;
    default:
        return argument;
    }
}

static long call(const struct row *row, uintptr_t pointer)
{
    long a[6];

    for (int i = 0; i < 6; i++)
        a[i] = value_of(row->arguments[i], pointer);
    lseek(file_fd, 0, SEEK_SET);
    return raw(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool refused(const struct row *row, uintptr_t pointer, long allowed)
{
    long result = call(row, pointer);
    bool not_there = (row->kind & MAY_BE_MISSING) && (result == -ENOSYS || result == -EINVAL || result == -EPERM ||
                                                      result == -ENOTSOCK || result == -ENOTTY || result == -EBADF);

    if (row->number == SYS_futex && pointer % 4 != 0 && result == -EINVAL)
        return true; /* its alignment is looked at first */
    if (result == -EFAULT || not_there || (allowed && result > 0 && result <= allowed))
        return true;
    printf("# %s(%#lx): %ld\n", row->name, (unsigned long)pointer, result);
    return false;
}

/* One row with every wild pointer there is. */
static int try_row(void *argument)
{
    static const uintptr_t wild[] = {
        NOWHERE, 8, KERNEL_HALF, UINTPTR_MAX, UINTPTR_MAX - 7, UINTPTR_MAX - PAGE + 1, 1ul << 63, 1ul << 47, (1ul << 47) - 8,
        0x7ffffffff000ul, LIBOS_IMAGE, LIBOS_IMAGE + 0x80000, LIBOS_IMAGE + 0xf0000, LIBOS_IMAGE + 0xf1000, LIBOS_IMAGE + 0x100000,
        LIBOS_WINDOW, 0x7fffe0020000ul, 0x7fffe00a8000ul, 0x7fffd8000000ul, 0xffff800000000000ul, 0xffffff8000000000ul, 0xffffff8000101000ul,
    };
    const struct row *row = argument;
    int kind = row->kind & 0xf;
    bool good = true;

    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++)
        good &= refused(row, wild[i], 0);
    if (!(row->kind & NULL_IS_FINE))
        good &= refused(row, 0, 0);
    good &= refused(row, (uintptr_t)no_access, 0);
    good &= refused(row, (uintptr_t)no_access + PAGE - 1, 0);
    if (kind == OUT)
        good &= refused(row, (uintptr_t)read_only, 0);
    /* A byte of it is there, the rest is not. What only partly arrives may count for a buffer. */
    good &= refused(row, (uintptr_t)last_page + PAGE - 1, kind == BUFFER_IN || row->number == SYS_read || row->number == SYS_getrandom ||
                                                                row->number == SYS_pread64
                                                            ? 1
                                                            : 0);
    return good ? 0 : 1;
}

/* Vectors whose pieces are wild: refused before the piece, or as far as the good pieces went. */
static int wild_vectors(void *unused)
{
    struct iovec vector[3] = {{room, 16}, {(void *)NOWHERE, 16}, {room, 16}};
    struct iovec wraps[2] = {{room, SIZE_MAX}, {room, 16}};
    struct iovec negative = {room, (size_t)1 << 63};
    struct iovec libos = {(void *)LIBOS_IMAGE, 16};
    long result;
    int bad = 0;

    (void)unused;
    result = raw(SYS_writev, file_fd, (long)vector, 3, 0, 0, 0);
    bad |= result != 16 && result != -EFAULT;
    lseek(file_fd, 0, SEEK_SET);
    result = raw(SYS_readv, file_fd, (long)vector, 3, 0, 0, 0);
    bad |= result != 16 && result != -EFAULT && result != -ENOSYS;
    result = raw(SYS_writev, file_fd, (long)&libos, 1, 0, 0, 0);
    bad |= (result != -EFAULT) << 1;
    result = raw(SYS_writev, file_fd, (long)wraps, 2, 0, 0, 0);
    bad |= (result != -EINVAL && result != -EFAULT) << 2;
    result = raw(SYS_writev, file_fd, (long)&negative, 1, 0, 0, 0);
    bad |= (result != -EINVAL) << 3;
    bad |= (raw(SYS_writev, file_fd, (long)&one_iovec, -1, 0, 0, 0) != -EINVAL) << 4;
    bad |= (raw(SYS_writev, file_fd, (long)&one_iovec, 1025, 0, 0, 0) != -EINVAL) << 5;
    bad |= (raw(SYS_writev, file_fd, (long)&one_iovec, 0, 0, 0, 0) != 0) << 6;
    return bad;
}

/* wait4 with a child to report and nowhere to put the status: the child is gone afterwards or not, but nothing breaks. */
static int wait_with_wild_status(void *unused)
{
    pid_t child = fork();
    long result;

    (void)unused;
    if (child == 0)
        _exit(3);
    result = raw(SYS_wait4, child, LIBOS_IMAGE, 0, 0, 0, 0);
    if (result != -EFAULT)
        return 1;
    result = raw(SYS_wait4, -1, NOWHERE, WNOHANG, NOWHERE, 0, 0);
    return result == -EFAULT || result == -ECHILD ? 0 : 2;
}

/* Argument strings that are wild, in a vector that is not. */
static int wild_argument_strings(void *unused)
{
    char *const wild[] = {(char *)"x", (char *)NOWHERE, NULL};
    char *const libos[] = {(char *)"x", (char *)LIBOS_IMAGE, NULL};
    char *const endless[] = {last_page, NULL};

    (void)unused;
    return raw(SYS_execve, (long)"/bin/busybox", (long)wild, 0, 0, 0, 0) != -EFAULT ||
           raw(SYS_execve, (long)"/bin/busybox", (long)libos, 0, 0, 0, 0) != -EFAULT ||
           raw(SYS_execve, (long)"/bin/busybox", (long)endless, 0, 0, 0, 0) != -EFAULT;
}

/* Sizes that reach from good memory over everything to the kernel. */
static int huge_sizes(void *unused)
{
    long read_all, write_all;

    (void)unused;
    read_all = raw(SYS_read, file_fd, (long)last_page, -1l, 0, 0, 0);
    write_all = raw(SYS_write, file_fd, (long)last_page, -1l, 0, 0, 0);
    if (read_all != -EFAULT && read_all != -EINVAL)
        return 1;
    if (write_all != -EFAULT && write_all != -EINVAL)
        return 2;
    lseek(file_fd, 0, SEEK_SET);
    read_all = raw(SYS_read, file_fd, (long)last_page, 1l << 46, 0, 0, 0); /* the file is shorter than the page */
    return read_all > 0 || read_all == -EFAULT ? 0 : 4;
}

static void set_up(void)
{
    int ends[2];

    mkdir(SCRATCH, 0700);
    if (chdir(SCRATCH) < 0)
        _exit(99);
    file_fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (write(file_fd, "some bytes that are in the file", 31) != 31 || pipe(ends) < 0)
        _exit(99);
    pipe_in = ends[0];
    pipe_out = ends[1];
    folder_fd = open(".", O_RDONLY | O_DIRECTORY);
    if (symlink("file", "link") < 0 && errno != EEXIST)
        _exit(99);
    last_page = page(PROT_READ | PROT_WRITE);
    read_only = page(PROT_READ);
    no_access = page(PROT_NONE);
}

int main(void)
{
    char name[100];

    set_up();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "%s", rows[i].name);
        CASE(name, exited_with(in_child(try_row, (void *)&rows[i]), 0));
    }
    CASE("vectors with wild pieces", exited_with(in_child(wild_vectors, NULL), 0));
    CASE("wait4 with a wild status", exited_with(in_child(wait_with_wild_status, NULL), 0));
    CASE("execve with wild strings", exited_with(in_child(wild_argument_strings, NULL), 0));
    CASE("sizes that reach into the kernel", exited_with(in_child(huge_sizes, NULL), 0));
    unlink("file");
    unlink("link");
    unlink("y");
    rmdir(SCRATCH);
    return tap_finish();
}
