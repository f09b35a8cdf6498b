/*
 * Small things that programs ask for now and then: sizes of pipes, flags of preadv2 and pwritev2, whiteouts, signals of exits, clocks that are set. The same on
 * Linux, as root, with /tmp on tmpfs; the clock is left alone if KEEP_CLOCK is in the environment.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define USER 1000u
#define close_range_(first, last) syscall(436, first, last, 0)
#ifndef RWF_NOWAIT
#define RWF_HIPRI 1
#define RWF_DSYNC 2
#define RWF_SYNC 4
#define RWF_NOWAIT 8
#define RWF_APPEND 16
#endif
#define RENAME_NOREPLACE_ 1u
#define RENAME_EXCHANGE_ 2u
#define RENAME_WHITEOUT_ 4u

static char bytes[1 << 17];

/* ---- pipes ---- */

static ssize_t fill(int fd)
{
    ssize_t total = 0, done;

    while ((done = write(fd, bytes, 4096)) > 0)
        total += done;
    return errno == EAGAIN ? total : -1;
}

static bool writable(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};

    return poll(&item, 1, 0) == 1 && item.revents & POLLOUT;
}

static void pipe_sizes(void)
{
    int ends[2], file = open("/tmp/gaps-file", O_RDWR | O_CREAT | O_TRUNC, 0600);

    CASE("a pipe", pipe2(ends, O_NONBLOCK) == 0 && fcntl(ends[0], F_GETPIPE_SZ) == 65536 && fcntl(ends[1], F_GETPIPE_SZ) == 65536);
    CASE("halved", fcntl(ends[0], F_SETPIPE_SZ, 32768) == 32768 && fcntl(ends[1], F_GETPIPE_SZ) == 32768);
    CASE("... takes half", fill(ends[1]) == 32768 && !writable(ends[1]));
    CASE("cannot be less than what is there", FAILS(fcntl(ends[1], F_SETPIPE_SZ, 16384), EBUSY) && fcntl(ends[1], F_GETPIPE_SZ) == 32768);
    CASE("larger again, there is room", fcntl(ends[1], F_SETPIPE_SZ, 65536) == 65536 && writable(ends[1]) && fill(ends[1]) == 32768);
    CASE("all of it is read", read(ends[0], bytes, sizeof bytes) == 65536 && FAILS(read(ends[0], bytes, 1), EAGAIN));
    CASE("sizes are powers of two of pages", fcntl(ends[0], F_SETPIPE_SZ, 0) == 4096 && fcntl(ends[0], F_SETPIPE_SZ, 4097) == 8192 &&
                                                 fcntl(ends[0], F_SETPIPE_SZ, 12289) == 16384);
    CASE("one page", fcntl(ends[0], F_SETPIPE_SZ, 1) == 4096 && fill(ends[1]) == 4096 && !writable(ends[1]) && read(ends[0], bytes, 4096) == 4096);
    CASE("a small one is written as a whole", fcntl(ends[1], F_SETFL, 0) == 0 && write(ends[1], bytes, 4096) == 4096 && read(ends[0], bytes, 9999) == 4096);
    CASE("what is no pipe, and what is no size",
         FAILS(fcntl(file, F_GETPIPE_SZ), EBADF) && FAILS(fcntl(ends[0], F_SETPIPE_SZ, 0x90000000u), EINVAL));
    close(ends[0]);
    close(ends[1]);
    close(file);
}

/* Who sleeps for room learns of more. */
static void pipe_grows(void)
{
    int ends[2], status = -1;
    ssize_t total = 0, got;
    pid_t child;

    if (pipe(ends) < 0 || fcntl(ends[1], F_SETPIPE_SZ, 4096) != 4096)
        return;
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 32; i++)
            if (write(ends[1], bytes, 4096) != 4096)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    while (fcntl(ends[0], F_SETPIPE_SZ, 32768) != 32768)
        ;
    while ((got = read(ends[0], bytes, sizeof bytes)) > 0)
        total += got;
    waitpid(child, &status, 0);
    CASE("a sleeping writer goes on when it grows", total == 32 * 4096 && status == 0);
    close(ends[0]);
}

/* ---- preadv2, pwritev2 ---- */

static ssize_t put(int fd, const char *text, off_t offset, int flags)
{
    struct iovec part = {(void *)(uintptr_t)text, strlen(text)};

    return syscall(SYS_pwritev2, fd, &part, 1, offset, offset < 0 ? -1 : 0, flags);
}

static ssize_t get(int fd, size_t count, off_t offset, int flags)
{
    struct iovec part = {bytes, count};

    memset(bytes, 0, count + 1);
    return syscall(SYS_preadv2, fd, &part, 1, offset, offset < 0 ? -1 : 0, flags);
}

static void flags_of_transfers(void)
{
    int fd = open("/tmp/gaps-file", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2];

    CASE("pwritev2 at the position, and elsewhere", put(fd, "0123456789", -1, 0) == 10 && put(fd, "ab", 2, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 10);
    CASE("RWF_APPEND, whatever the offset", put(fd, "XY", 0, RWF_APPEND) == 2 && get(fd, 20, 0, 0) == 12 && strcmp(bytes, "01ab456789XY") == 0);
    CASE("... which moves no position then", lseek(fd, 0, SEEK_CUR) == 10);
    lseek(fd, 1, SEEK_SET);
    CASE("RWF_APPEND at the position moves it", put(fd, "Z", -1, RWF_APPEND) == 1 && lseek(fd, 0, SEEK_CUR) == 13 && !(fcntl(fd, F_GETFL) & O_APPEND));
    CASE("hints", put(fd, "h", 0, RWF_DSYNC | RWF_SYNC | RWF_HIPRI) == 1 && get(fd, 1, 0, RWF_HIPRI) == 1 && bytes[0] == 'h');
    CASE("no such flag", FAILS(put(fd, "x", 0, 0x1000), EOPNOTSUPP) && FAILS(get(fd, 1, 0, 0x1000), EOPNOTSUPP));
    CASE("no such descriptor", FAILS(put(-1, "x", -1, RWF_APPEND), EBADF) && FAILS(get(99, 1, 0, RWF_NOWAIT), EBADF));
    CASE("a pipe has no offsets", pipe(ends) == 0 && FAILS(get(ends[0], 1, 0, RWF_NOWAIT), ESPIPE));
    CASE("RWF_NOWAIT does not wait", FAILS(get(ends[0], 1, -1, RWF_NOWAIT), EAGAIN) && !(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
    CASE("... when there is something it takes it", put(ends[1], "now", -1, RWF_NOWAIT) == 3 && get(ends[0], 9, -1, RWF_NOWAIT) == 3);
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

/* ---- renameat2 ---- */

static int rename_with(const char *from, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static bool is_whiteout(const char *path)
{
    struct stat stat_;

    return lstat(path, &stat_) == 0 && S_ISCHR(stat_.st_mode) && stat_.st_rdev == makedev(0, 0) && (stat_.st_mode & 07777) == 0 && stat_.st_nlink == 1;
}

static bool as_user(bool (*body)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0 || !body());
    waitpid(child, &status, 0);
    return status == 0;
}

static bool user_whites_out(void)
{
    return rename_with("/tmp/gaps/own", "/tmp/gaps/b", RENAME_WHITEOUT_) == 0 && is_whiteout("/tmp/gaps/own");
}

static bool user_makes_one(void)
{
    return mknod("/tmp/gaps/d", S_IFCHR, makedev(0, 0)) == 0 && is_whiteout("/tmp/gaps/d") && unlink("/tmp/gaps/d") == 0 &&
           FAILS(mknod("/tmp/gaps/d", S_IFCHR, makedev(1, 3)), EPERM) && FAILS(mknod("/tmp/gaps/d", S_IFBLK, 0), EPERM);
}

static void whiteouts(void)
{
    mkdir("/tmp/gaps", 0755);
    (void)!chown("/tmp/gaps", USER, USER);
    close(open("/tmp/gaps/a", O_WRONLY | O_CREAT, 0644));
    close(open("/tmp/gaps/own", O_WRONLY | O_CREAT, 0644));
    (void)!chown("/tmp/gaps/own", USER, USER);
    CASE("a name leaves a whiteout", rename_with("/tmp/gaps/a", "/tmp/gaps/b", RENAME_WHITEOUT_) == 0 && is_whiteout("/tmp/gaps/a") &&
                                         access("/tmp/gaps/b", R_OK) == 0);
    CASE("... that can be replaced", rename_with("/tmp/gaps/b", "/tmp/gaps/a", RENAME_WHITEOUT_) == 0 && is_whiteout("/tmp/gaps/b") &&
                                         !is_whiteout("/tmp/gaps/a"));
    CASE("... and is in the way", FAILS(rename_with("/tmp/gaps/a", "/tmp/gaps/b", RENAME_WHITEOUT_ | RENAME_NOREPLACE_), EEXIST));
    CASE("not with an exchange", FAILS(rename_with("/tmp/gaps/a", "/tmp/gaps/b", RENAME_WHITEOUT_ | RENAME_EXCHANGE_), EINVAL));
    CASE("directories, too", mkdir("/tmp/gaps/d", 0755) == 0 && rename_with("/tmp/gaps/d", "/tmp/gaps/e", RENAME_WHITEOUT_) == 0 &&
                                 is_whiteout("/tmp/gaps/d") && rmdir("/tmp/gaps/e") == 0);
    CASE("by a user, who owns what replaces it", as_user(user_whites_out));
    unlink("/tmp/gaps/d");
    CASE("... who makes no other devices", as_user(user_makes_one) && FAILS(open("/tmp/gaps/a", O_RDONLY), ENXIO) == is_whiteout("/tmp/gaps/a"));
    for (const char *name = "abd"; *name; name++) {
        char path[] = "/tmp/gaps/x";

        path[10] = *name;
        unlink(path);
    }
    unlink("/tmp/gaps/own");
    CASE("nothing else is left", rmdir("/tmp/gaps") == 0);
}

/* ---- the clock ---- */

static bool user_sets_clock(void)
{
    struct timespec time = {1000000000, 0};
    struct timeval other = {1000000000, 0};

    return FAILS(clock_settime(CLOCK_REALTIME, &time), EPERM) && FAILS(settimeofday(&other, NULL), EPERM);
}

static bool is_2001(time_t seconds)
{
    return seconds >= 1000000000 && seconds < 1000001000;
}

static bool sees_2001(void)
{
    struct timespec raw;
    struct timeval other;

    return syscall(SYS_clock_gettime, CLOCK_REALTIME, &raw) == 0 && is_2001(raw.tv_sec) && is_2001(time(NULL)) && gettimeofday(&other, NULL) == 0 &&
           is_2001(other.tv_sec);
}

static void clocks(void)
{
    struct timespec time = {1000000000, 5}, before, after;
    struct timeval other = {1500000000, 0};
    int ready[2], go[2], status = -1;
    struct stat stat_;
    pid_t child;
    char byte;

    CASE("a user does not set the clock", as_user(user_sets_clock));
    CASE("nor is every clock set", FAILS(clock_settime(CLOCK_MONOTONIC, &time), EINVAL));
    time.tv_nsec = 1000000000;
    CASE("... to anything", FAILS(clock_settime(CLOCK_REALTIME, &time), EINVAL));
    time.tv_nsec = 5;
    if (getenv("KEEP_CLOCK"))
        return;
    if (pipe(ready) < 0 || pipe(go) < 0)
        return;
    child = fork();
    if (child == 0) {
        _exit(write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1 || !sees_2001());
    }
    (void)!read(ready[0], &byte, 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    CASE("root does", clock_settime(CLOCK_REALTIME, &time) == 0 && sees_2001());
    clock_gettime(CLOCK_MONOTONIC, &after);
    CASE("the monotonic clock goes on", after.tv_sec - before.tv_sec < 1000 && after.tv_sec >= before.tv_sec);
    (void)!write(go[1], "g", 1);
    waitpid(child, &status, 0);
    CASE("a process that ran before sees it", status == 0);
    close(open("/tmp/gaps-file", O_WRONLY | O_CREAT | O_TRUNC, 0600));
    CASE("so do files", stat("/tmp/gaps-file", &stat_) == 0 && is_2001(stat_.st_mtime));
    CASE("settimeofday", settimeofday(&other, NULL) == 0 && clock_gettime(CLOCK_REALTIME, &time) == 0 && time.tv_sec >= 1500000000 &&
                             time.tv_sec < 1500001000);
}

static void *own_tid(void *unused)
{
    (void)unused;
    return (void *)(long)(kill((pid_t)syscall(SYS_gettid), 0) == 0);
}

static volatile sig_atomic_t told;

static void tell(int signo)
{
    told = signo;
}

/* Children whose end another signal tells, or none. */
static void exit_signals(void)
{
    pthread_t thread;
    void *result = NULL;
    pid_t child;
    int status;

    signal(SIGUSR2, tell);
    child = (pid_t)syscall(SYS_clone, SIGUSR2, 0, 0, 0, 0);
    if (child == 0)
        _exit(7);
    CASE("a plain wait does not see it", FAILS(waitpid(child, &status, 0), ECHILD) && FAILS(waitpid(-1, &status, WNOHANG), ECHILD));
    CASE("__WCLONE does", waitpid(child, &status, 0x80000000) == child && WEXITSTATUS(status) == 7 && told == SIGUSR2);
    child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (child == 0)
        _exit(8);
    CASE("so does __WALL, of one that tells nobody", waitpid(-1, &status, 0x40000000) == child && WEXITSTATUS(status) == 8);
    child = fork();
    if (child == 0)
        _exit(9);
    CASE("and __WCLONE does not see a fork", FAILS(waitpid(child, &status, 0x80000000), ECHILD) && waitpid(child, &status, 0) == child);
    signal(SIGUSR2, SIG_DFL);
    CASE("kill takes a thread's id", pthread_create(&thread, NULL, own_tid, NULL) == 0 && pthread_join(thread, &result) == 0 && result);
}

static void steering(void)
{
    struct timex timex = {0};
    struct timespec before, after;
    pid_t child;
    int status;

    CASE("adjtimex reads", adjtimex(&timex) >= 0 && timex.tick == 10000 && timex.time.tv_sec > 1000000000);
    child = fork();
    if (child == 0) {
        timex.modes = ADJ_SETOFFSET;
        _exit(setuid(1000) != 0 || !FAILS(adjtimex(&timex), EPERM) || !FAILS(clock_adjtime(CLOCK_MONOTONIC, &timex), EOPNOTSUPP) ||
              !FAILS(clock_adjtime(99, &timex), EINVAL));
    }
    CASE("and lets users change nothing", waitpid(child, &status, 0) == child && status == 0);
    timex = (struct timex){.modes = ADJ_OFFSET_SINGLESHOT};
    CASE("adjtime by nothing", adjtimex(&timex) >= 0 && timex.offset == 0);
    timex.modes = ADJ_OFFSET_SS_READ;
    CASE("and what is left of it", adjtimex(&timex) >= 0 && timex.offset == 0);
    timex.modes = 0x8000;
    CASE("which is asked for in one way", FAILS(adjtimex(&timex), EINVAL));
    timex = (struct timex){0};
    (void)adjtimex(&timex);
    timex.modes = ADJ_FREQUENCY | ADJ_STATUS | ADJ_TICK | ADJ_TIMECONST;
    CASE("setting what is", adjtimex(&timex) >= 0);
    timex.modes = ADJ_TICK;
    timex.tick = 8000;
    CASE("ticks that are none", FAILS(adjtimex(&timex), EINVAL));
    CASE("at an address that is one", FAILS(syscall(SYS_adjtimex, 8l), EFAULT));
    if (getenv("KEEP_CLOCK"))
        return;
    clock_gettime(CLOCK_REALTIME, &before);
    timex = (struct timex){.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {5000, 999999999}};
    CASE("puts it forward", clock_adjtime(CLOCK_REALTIME, &timex) >= 0 && clock_gettime(CLOCK_REALTIME, &after) == 0 &&
                                after.tv_sec >= before.tv_sec + 5000 && after.tv_sec < before.tv_sec + 5300);
    timex = (struct timex){.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {0, 1000000000}};
    CASE("by a time that is one", FAILS(adjtimex(&timex), EINVAL));
}

static void small_answers(void)
{
    char *old = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *moved, name[64], text[128];
    int fd = open("/tmp", O_RDWR | O_TMPFILE, 0600);
    struct itimerval timer;
    ssize_t length;

    CASE("renameat: a directory that is none comes before a name that is not there", FAILS(renameat(AT_FDCWD, "/tmp/gaps-none", -1, "x"), EBADF));
    CASE("but not before a path that is none", FAILS(renameat(AT_FDCWD, "/tmp/gaps-none/y", -1, "x"), ENOENT));
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    length = readlink(name, text, sizeof text - 1);
    CASE("a file that never had a name is shown as deleted", length > 10 && text[0] == '/' && !memcmp(text + length - 10, " (deleted)", 10));
    close(fd);
    old[5] = 'o';
    moved = mremap(old, 4096, 4096, MREMAP_MAYMOVE | 4);
    CASE("MREMAP_DONTUNMAP leaves an empty page", moved != MAP_FAILED && moved != old && moved[5] == 'o' && old[5] == 0);
    CASE("of the same size", FAILS((long)mremap(old, 4096, 8192, MREMAP_MAYMOVE | 4), EINVAL) && FAILS((long)mremap(old, 4096, 4096, 4), EINVAL));
    munmap(old, 4096), munmap(moved, 4096);
    setitimer(ITIMER_PROF, &(struct itimerval){.it_interval = {10, 20}}, NULL);
    CASE("the interval of a timer of processor time that stands",
         getitimer(ITIMER_PROF, &timer) == 0 && timer.it_interval.tv_sec == 10 && !timer.it_value.tv_sec);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_interval = {10, 20}}, NULL);
    CASE("but not of one of real time", getitimer(ITIMER_REAL, &timer) == 0 && timer.it_interval.tv_sec == 0);
}

/* More descriptors than RLIMIT_NOFILE says at first, for who may raise it. */
static bool user_raises(void)
{
    struct rlimit limit = {100, 1 << 20};

    return FAILS(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
}

static void many_descriptors(void)
{
    struct rlimit limit = {1024, (1 << 20) + 1};
    unsigned long set[200] = {0};
    int ends[2], fd = open("/tmp/gaps-file", O_RDWR | O_CREAT, 0600), opened = 0, last = -1, status = -1;
    struct timeval now = {0, 0};
    struct pollfd item = {.fd = 12000, .events = POLLIN};
    char text[64];
    pid_t child;

    CASE("nr_open is above which nobody raises it", FAILS(setrlimit(RLIMIT_NOFILE, &limit), EPERM) && as_user(user_raises));
    limit = (struct rlimit){1 << 20, 1 << 20};
    CASE("root raises it so far", setrlimit(RLIMIT_NOFILE, &limit) == 0 && pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    CASE("large numbers", dup2(ends[0], 12000) == 12000 && dup2(fd, (1 << 20) - 1) == (1 << 20) - 1 && fcntl(fd, F_DUPFD, 9000) == 9000);
    CASE("... but none beyond", FAILS(dup2(fd, 1 << 20), EBADF) && FAILS(fcntl(fd, F_DUPFD, 1 << 20), EINVAL) &&
                                  FAILS(fcntl(fd, F_DUPFD, (1 << 20) - 1), EMFILE));
    set[12000 / 64] = 1ul << 12000 % 64;
    CASE("select knows them", syscall(SYS_select, 12001, set, NULL, NULL, &now) == 1 && set[12000 / 64] == 1ul << 12000 % 64 && poll(&item, 1, 0) == 1);
    set[12000 / 64] = 1;
    CASE("... and what is none of them", FAILS(syscall(SYS_select, 12001, set, NULL, NULL, &now), EBADF));
    CASE("/proc/self/fd, too", readlink("/proc/self/fd/1048575", text, sizeof text) == 14 && !memcmp(text, "/tmp/gaps-file", 14) &&
                                   close(open("/proc/self/fd/1048575", O_RDONLY)) == 0);
    for (; opened < 7000 && (last = open("/tmp/gaps-file", O_RDONLY)) >= 0; opened++)
        ;
    CASE("thousands of descriptions", opened == 7000 && last >= 7000);
    child = fork();
    if (child == 0)
        _exit(read(last, text, 1) != 0 || close_range_(3, ~0u) != 0 || !FAILS(close(last), EBADF) || !FAILS(close(1048575), EBADF));
    CASE("a child has them", waitpid(child, &status, 0) == child && status == 0 && read(last, text, 1) == 0);
    limit.rlim_cur = 100;
    CASE("a lower limit leaves them open", setrlimit(RLIMIT_NOFILE, &limit) == 0 && FAILS(dup(fd), EMFILE) && close(last) == 0 && close(1048575) == 0);
    close_range_(3, ~0u);
    limit.rlim_cur = 1024;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
    if (geteuid() != 0) {
        puts("1..0 # SKIP only root can do this");
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    pipe_sizes();
    pipe_grows();
    many_descriptors();
    flags_of_transfers();
    whiteouts();
    exit_signals();
    small_answers();
    steering();
    clocks();
    return tap_finish();
}
