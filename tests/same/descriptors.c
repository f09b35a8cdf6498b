/*
 * Descriptors: their flags, their locks, positions, and what is read, written and copied.
 * long: a family is a list of calls, and of what they need.
 */
#include "probe.h"
#include <dirent.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#define FIBMAP 1
#define FIGETBSZ 2
#define FIOCLEX 0x5451
#define FIOQSIZE 0x5460
#define FALLOC_FL_PUNCH_HOLE 2
#define FALLOC_FL_COLLAPSE_RANGE 8
#define FALLOC_FL_ZERO_RANGE 16
#define FALLOC_FL_INSERT_RANGE 32
#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4
#define LOCK_MAND 32
#undef getdents64
#define getdents64(fd, to, bytes) syscall(SYS_getdents64, fd, to, bytes)
#define close_range(first, last, flags) syscall(436, first, last, flags)
#define preadv2(fd, vector, count, offset, flags) syscall(327, fd, vector, count, (long)(offset), 0, flags)
#define pwritev2(fd, vector, count, offset, flags) syscall(328, fd, vector, count, (long)(offset), 0, flags)
static int fd;

static void dups(void)
{
    struct rlimit limit = {32, 32};
    fd = open("f", O_RDWR | O_CREAT, 0644);
    V(fd);
    P(dup(fd)); P(dup(-1)); P(dup(1000)); P(dup2(fd, 10)); P(dup2(fd, fd)); P(dup2(-1, 11)); P(dup2(77, 77)); P(dup2(fd, -1)); P(dup2(fd, 1 << 30));
    P(dup3(fd, fd, 0)); P(dup3(fd, 12, O_CLOEXEC)); P(fcntl(12, F_GETFD)); P(dup3(fd, 12, 0)); P(fcntl(12, F_GETFD)); P(dup3(fd, 12, O_NONBLOCK));
    P(dup3(-1, 12, 0));
    P(dup3(fd, -1, 0)); P(dup3(99, 99, 0)); P(dup3(99, 99, 1)); P(dup3(99, -1, 0));
    P(fcntl(fd, F_DUPFD, 20)); P(fcntl(fd, F_DUPFD_CLOEXEC, 20)); P(fcntl(21, F_GETFD)); P(fcntl(fd, F_DUPFD, -1)); P(fcntl(fd, F_DUPFD, 1 << 30));
    P(fcntl(-1, F_DUPFD, 0)); P(fcntl(99, F_GETFD)); P(fcntl(99, 9999)); P(fcntl(fd, 9999)); P(fcntl(fd, F_DUPFD, 0));
    P(setrlimit(RLIMIT_NOFILE, &limit));
    P(fcntl(fd, F_DUPFD, 31)); P(fcntl(fd, F_DUPFD, 31)); P(fcntl(fd, F_DUPFD, 32)); P(dup2(fd, 31)); P(dup2(fd, 32)); P(dup3(fd, 32, O_CLOEXEC));
    P(dup3(fd, 32, 7)); P(dup2(98, 32));
    for (int i = 0; i < 40; i++) if (dup(fd) < 0) { V(errno); break; }
    P(dup(fd)); P(open("f", O_RDONLY)); P(open("nothing", O_RDONLY)); P(open("g", O_CREAT | O_RDWR, 0600)); P(access("g", F_OK)); P(pipe((int *)page));
    P(socket(1, 1, 0)); close(31); P(pipe((int *)page)); P(socket(1,1,0));
    P(close_range(40, 20, 0)); P(close_range(5, ~0u, 8)); P(close_range(5, ~0u, CLOSE_RANGE_CLOEXEC)); P(fcntl(5, F_GETFD)); P(close_range(5, 9, 0));
    P(fcntl(5, F_GETFD)); P(fcntl(10, F_GETFD));
    P(close_range(5, 9, CLOSE_RANGE_UNSHARE)); P(close(100)); P(close(-1)); P(close(5));
}

static void flags(void)
{
    int p[2], d, q;
    fd = open("f", O_RDWR | O_CREAT | O_APPEND, 0644);
    SAY("%o\n", fcntl(fd, F_GETFL)); P(fcntl(fd, F_SETFL, O_NONBLOCK)); SAY("%o\n", fcntl(fd, F_GETFL));
    P(fcntl(fd, F_SETFL, ~0 & ~O_DIRECT & ~O_ASYNC)); SAY("%o\n", fcntl(fd, F_GETFL)); P(fcntl(fd, F_SETFL, 0)); SAY("%o\n", fcntl(fd, F_GETFL));
    P(fcntl(fd, F_SETFD, 0xffff)); P(fcntl(fd, F_GETFD)); P(fcntl(fd, F_SETFD, 2)); P(fcntl(fd, F_GETFD));
    pipe2(p, O_CLOEXEC); SAY("%o %o\n", fcntl(p[0], F_GETFL), fcntl(p[1], F_GETFL)); P(fcntl(p[0], F_SETFL, O_NOATIME)); P(pipe2(p, O_DIRECT));
    SAY("%o %o\n", fcntl(p[0], F_GETFL), fcntl(p[1], F_GETFL));
    P(pipe2(p, O_RDWR)); P(pipe2(p, O_APPEND)); P(pipe2(p, -1)); P(pipe2(BAD, 0)); P(pipe2(NULL, 0)); P(syscall(SYS_pipe, BAD));
    d = open(".", O_RDONLY); SAY("%o\n", fcntl(d, F_GETFL)); d = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_SYNC);
    SAY("%o\n", fcntl(d, F_GETFL));
    q = open("f", O_PATH); SAY("%o\n", fcntl(q, F_GETFL)); P(fcntl(q, F_SETFL, 0)); P(fcntl(q, F_SETFD, 1)); P(fcntl(q, F_GETLK, page));
    P(read(q, page, 1)); P(write(q, page, 1)); P(lseek(q, 0, 0)); P(ftruncate(q, 0)); P(fchmod(q, 0)); P(fchown(q, 0, 0)); P(ioctl(q, FIONREAD, page));
    P(fstat(q, (void *)page)); P(fsync(q)); P((long)mmap(0, 4096, 1, MAP_SHARED, q, 0)); P(getdents64(q, page, 100));
    P(fgetxattr(q, "user.a", page, 2));
    P(flock(q, LOCK_SH)); P(fcntl(q, F_DUPFD, 50));
    P(fcntl(q, F_SETOWN, 0)); P(fcntl(q, F_GETOWN)); P(fcntl(q, F_GETLEASE)); P(fcntl(q, F_GETPIPE_SZ)); P(fallocate(q, 0, 0, 10));
    P(poll((struct pollfd[]){{q, 1, 0}}, 1, 0)); P(sendfile(q, fd, 0, 1)); P(sendfile(fd, q, 0, 1)); P(fchdir(q)); P(fstatfs(q, (void *)page));
    P(futimens(q, 0));
    P(utimensat(q, "", 0, AT_EMPTY_PATH)); P(syscall(SYS_utimensat, q, 0, 0, 0)); P(posix_fadvise(q, 0, 0, 0)); P(readahead(q, 0, 10)); P(syncfs(q));
    P(dup2(q, 60));
    P(fcntl(fd, F_GETLEASE)); P(fcntl(d, F_GETLEASE)); P(fcntl(fd, F_SETLEASE, 77)); P(fcntl(p[0], F_SETLEASE, F_RDLCK)); P(fcntl(d, F_SETLEASE, F_RDLCK));
    P(fcntl(fd, F_SETLEASE, F_UNLCK)); P(fcntl(fd, F_GET_SEALS)); P(fcntl(fd, F_ADD_SEALS, 1)); P(fcntl(p[0], F_GET_SEALS)); P(fcntl(fd, F_NOTIFY, 0));
    P(fcntl(p[0], F_NOTIFY, 0)); P(fcntl(d, F_NOTIFY, 0));
    P(ioctl(fd, FIOCLEX)); P(fcntl(fd, F_GETFD)); P(ioctl(fd, FIONBIO, BAD)); P(ioctl(fd, FIOASYNC, BAD)); P(ioctl(fd, 0x5555)); P(ioctl(fd, TCGETS, page));
    P(ioctl(fd, TIOCGWINSZ, page)); P(ioctl(99, 1)); P(ioctl(fd, FIONREAD, BAD)); P(ioctl(d, FIONREAD, page)); P(ioctl(p[0], FIONREAD, page));
    V(*(int *)page); P(ioctl(p[1], FIONREAD, page)); P(ioctl(p[0], FIONREAD, BAD)); P(ioctl(p[0], TCGETS, page)); P(ioctl(d, TCGETS, page));
    P(ioctl(fd, FIGETBSZ, page)); V(*(int *)page); P(ioctl(fd, FIBMAP, page)); P(ioctl(fd, FIOQSIZE, page)); P(ioctl(d, FIOQSIZE, page));
    int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR); P(ioctl(zero, TCGETS, page)); P(ioctl(null, FIONREAD, page));
    P(ioctl(zero, 0x5555, page)); P(lseek(null, 5, SEEK_SET)); P(lseek(null, 5, SEEK_CUR)); P(lseek(zero, 5, SEEK_SET)); P(ftruncate(null, 0));
    P(fsync(null)); P(fsync(zero)); P(fsync(p[0])); P(pread(zero, page, 4, 100)); P(pread(p[0], page, 1, 0)); P(pread(fd, page, 1, -1));
    P(pwrite(fd, page, 1, -1)); P(pwrite(p[1], page, 1, 0)); P(pread(d, page, 1, 0)); P(read(d, page, 1)); P(write(d, page, 1)); P(pwrite(d, page, 1, 0));
    P(read(p[1], page, 1)); P(write(p[0], page, 1)); P(write(null, BAD, 10)); P(read(null, BAD, 10)); P(read(zero, BAD, 10)); P(write(zero, BAD, 10));
    P(flock(fd, 0)); P(flock(fd, LOCK_SH | LOCK_EX)); P(flock(-1, LOCK_SH)); P(flock(fd, LOCK_NB)); P(flock(fd, LOCK_UN)); P(flock(fd, LOCK_MAND | 1));
    P(flock(p[0], LOCK_SH)); P(flock(d, LOCK_EX)); P(flock(d, LOCK_UN)); P(flock(null, LOCK_EX | LOCK_NB));
}
static struct flock lk(int type, int whence, long start, long len) {
return (struct flock){.l_type = type, .l_whence = whence, .l_start = start, .l_len = len}; }
#define GET(kind, start, bytes)                                                                                                       \
    do {                                                                                                                              \
        struct flock k = lk(kind, 0, start, bytes);                                                                                   \
        P(fcntl(fd, F_GETLK, &k));                                                                                                    \
        SAY("   %d %d %ld %ld %d\n", k.l_type, k.l_whence, (long)k.l_start, (long)k.l_len, k.l_pid ? k.l_pid == getppid() : 0);        \
    } while (0)
#define SET(t, w, s, l) do { struct flock k = lk(t, w, s, l); P(fcntl(fd, F_SETLK, &k)); } while (0)

static void locks(void)
{
    int other, ro, wo;
    fd = open("f", O_RDWR | O_CREAT, 0644); write(fd, page, 1000); ro = open("f", O_RDONLY); wo = open("f", O_WRONLY);
    SET(F_RDLCK, 0, 0, 10); SET(F_WRLCK, 0, 5, 10); SET(F_UNLCK, 0, 7, 2); CHILD(GET(F_WRLCK, 0, 0); GET(F_RDLCK, 0, 0); GET(F_RDLCK, 7, 2);
    GET(F_WRLCK, 9, 1); GET(F_RDLCK, 14, 1); GET(F_RDLCK, 15, 1); SET(F_RDLCK, 0, 0, 3); SET(F_WRLCK, 0, 0, 3); SET(F_RDLCK, 0, 5, 1));
    SET(F_WRLCK, SEEK_END, -10, 0); CHILD(GET(F_WRLCK, 980, 0); GET(F_WRLCK, 5000, 1)); SET(F_WRLCK, SEEK_END, -10, -10); CHILD(GET(F_WRLCK, 980, 0));
    SET(F_WRLCK, SEEK_SET, 5, -10); SET(F_WRLCK, SEEK_SET, -1, 10); SET(F_WRLCK, SEEK_CUR, -2000, 10); SET(F_WRLCK, 5, 0, 10); SET(7, 0, 0, 10);
    SET(F_RDLCK | 32, 0, 0, 0); SET(F_RDLCK, 0, LONG_MAX, 10); SET(F_RDLCK, 0, LONG_MAX - 1, 1); SET(F_RDLCK, 0, LONG_MAX, 1);
    SET(F_RDLCK, 0, 100, LONG_MAX); SET(F_RDLCK, 0, 0, LONG_MIN);
    lseek(fd, 0, SEEK_SET); SET(F_UNLCK, 0, 0, 0);
    struct flock k = lk(F_WRLCK, 0, 0, 1); P(fcntl(ro, F_SETLK, &k)); P(fcntl(ro, F_GETLK, &k)); k = lk(F_RDLCK, 0, 0, 1); P(fcntl(wo, F_SETLK, &k));
    P(fcntl(wo, F_GETLK, &k)); V(k.l_type); P(fcntl(fd, F_SETLK, BAD)); P(fcntl(fd, F_GETLK, BAD)); k = lk(F_UNLCK, 0, 0, 1); P(fcntl(fd, F_GETLK, &k));
    k.l_type = 9; P(fcntl(fd, F_GETLK, &k));
    k = lk(F_WRLCK, 0, 0, 1); k.l_pid = 5; P(fcntl(fd, F_OFD_SETLK, &k)); k.l_pid = 0; P(fcntl(fd, F_OFD_SETLK, &k)); P(fcntl(ro, F_OFD_GETLK, &k));
    V(k.l_type); V(k.l_pid); k = lk(F_RDLCK, 0, 0, 1); P(fcntl(ro, F_OFD_SETLK, &k)); k = lk(F_WRLCK, 0, 0, 1); P(fcntl(fd, F_SETLK, &k));
    CHILD(GET(F_WRLCK, 0, 1)); close(ro); k = lk(F_RDLCK, 0, 0, 1); other = open("f", O_RDWR); P(fcntl(other, F_OFD_SETLK, &k)); k = lk(F_UNLCK, 0, 0, 0);
    P(fcntl(fd, F_OFD_SETLK, &k));
    SET(F_WRLCK, 0, 0, 0); CHILD(GET(F_RDLCK, 3, 1)); close(other); CHILD(GET(F_RDLCK, 3, 1)); /* closing any descriptor drops */
    P(flock(fd, LOCK_EX)); other = open("f", O_RDONLY); P(flock(other, LOCK_SH | LOCK_NB)); P(flock(wo, LOCK_EX | LOCK_NB)); P(flock(fd, LOCK_SH));
    P(flock(other, LOCK_SH | LOCK_NB)); P(flock(fd, LOCK_EX | LOCK_NB)); P(flock(other, LOCK_UN)); P(flock(fd, LOCK_EX | LOCK_NB)); int d2 = dup(fd);
    close(fd); P(flock(other, LOCK_SH | LOCK_NB)); close(d2); P(flock(other, LOCK_SH | LOCK_NB));
}
static void handler(int s) {}

static void lock_waits(void)
{
    int status; struct flock k; struct sigaction sa = {.sa_handler = handler}; int a[2], b[2]; char c;
    pipe(a); pipe(b); sigaction(SIGALRM, &sa, 0);
    fd = open("f", O_RDWR | O_CREAT, 0644); SET(F_WRLCK, 0, 0, 10);
    CHILD(struct flock q = lk(F_WRLCK, 0, 5, 10); ualarm(30000, 0); sigaction(SIGALRM, &sa, 0); P(fcntl(fd, F_SETLKW, &q)));
    CHILD(sigaction(SIGALRM, &sa, 0); int o = open("f", O_RDWR); flock(fd, LOCK_EX); ualarm(30000, 0); P(flock(o, LOCK_EX)));
    pid_t pid = fork(); if (!pid) { close(a[0]); SET(F_WRLCK, 0, 20, 10); write(a[1], "x", 1); struct flock q = lk(F_WRLCK, 0, 0, 1);
    int r = fcntl(fd, F_SETLKW, &q); _exit(r == 0 ? 0 : errno); }
    read(a[0], &c, 1); usleep(50000); k = lk(F_WRLCK, 0, 20, 1); P(fcntl(fd, F_SETLKW, &k)); SET(F_UNLCK, 0, 0, 0); waitpid(pid, &status, 0);
    probe_status(status);
}

static void seeks(void)
{
    int p[2]; pipe(p); fd = open("f", O_RDWR | O_CREAT, 0644); write(fd, page, 100);
    P(lseek(fd, 0, SEEK_END)); P(lseek(fd, -101, SEEK_END)); P(lseek(fd, -1, SEEK_SET)); P(lseek(fd, 5, 7)); P(lseek(fd, 5, -1)); P(lseek(p[0], 0, 0));
    P(lseek(p[0], 0, 9)); P(lseek(-1, 0, 0)); P(lseek(fd, LONG_MAX, SEEK_SET)); P(lseek(fd, 1, SEEK_CUR)); P(lseek(fd, LONG_MAX, SEEK_END));
    P(read(fd, page, 1)); P(write(fd, page, 1));
    P(lseek(fd, LONG_MAX - 4096, SEEK_SET)); P(write(fd, page, 1)); P(lseek(fd, 0, SEEK_DATA)); P(lseek(fd, 0, SEEK_HOLE)); P(lseek(fd, 100, SEEK_DATA));
    P(lseek(fd, 100, SEEK_HOLE)); P(lseek(fd, -1, SEEK_DATA)); P(lseek(fd, -1, SEEK_HOLE)); P(lseek(fd, 200, SEEK_HOLE)); P(pwrite(fd, page, 1, 100000));
    P(lseek(fd, 0, SEEK_HOLE)); P(lseek(fd, 5000, SEEK_DATA)); P(lseek(fd, 99000, SEEK_HOLE)); P(lseek(fd, 100001, SEEK_DATA));
    P(lseek(fd, 100001, SEEK_HOLE));
    int d = open(".", O_RDONLY); P(lseek(d, 0, SEEK_SET)); P(lseek(d, -1, SEEK_SET)); P(lseek(d, 0, SEEK_CUR));
}

static void rw(void)
{
    struct iovec v[4] = {{page, 10}, {NULL, 0}, {page + 100, 20}, {BAD, 0}}; int p[2]; pipe(p);
    fd = open("f", O_RDWR | O_CREAT, 0644);
    P(writev(fd, v, 4)); P(writev(fd, v, 0)); P(writev(fd, v, -1)); P(writev(fd, v, 1025)); P(writev(fd, BAD, 2)); P(writev(-1, v, 1));
    v[1] = (struct iovec){BAD, 10}; P(writev(fd, v, 3)); v[0].iov_len = -1; P(writev(fd, v, 1)); P(writev(p[1], v, 1)); v[0].iov_len = SSIZE_MAX;
    v[1] = (struct iovec){page, SSIZE_MAX}; P(writev(fd, v, 2)); P(readv(fd, v, 2)); P(readv(fd, v, -1));
    v[0] = (struct iovec){page, 10}; v[1] = (struct iovec){BAD, 10}; P(lseek(fd, 0, 0)); P(readv(fd, v, 2)); P(lseek(fd, 0, 1)); P(readv(fd, v + 1, 1));
    P(lseek(fd, 0, 1));
    P(preadv(fd, v, 1, -1)); P(pwritev(fd, v, 1, -1)); P(preadv(p[0], v, 1, 0)); P(preadv2(fd, v, 1, -1, 0)); P(preadv2(fd, v, 1, 0, 0x4000000));
    P(pwritev2(fd, v, 1, -1, 0x4000000)); P(pwritev2(p[1], v, 1, -1, 0)); P(preadv2(p[0], v, 1, -1, 0)); P(preadv2(fd, v, 1, -2, 0));
    P(preadv(fd, v, -1, 0)); P(preadv(fd, BAD, 1, 0)); P(preadv(-1, v, 1, 0)); P(pwritev(fd, BAD, 1, 0)); P(pwritev(p[0], v, 1, 0));
    P(pwritev(-1, v, 1, 0));
    P(read(fd, page, -1)); P(write(fd, page, -1)); P(read(fd, BAD, 0)); P(write(fd, BAD, 0)); P(write(-1, BAD, 0)); P(read(-1, BAD, 1));
    P(write(p[1], BAD, 0)); P(write(p[1], BAD, 1)); P(read(fd, page, SSIZE_MAX)); P(read(fd, BAD, 1)); lseek(fd, 0, 0); P(read(fd, BAD, 1));
    P(write(fd, BAD, 1)); P(pread(fd, BAD, 1, 1000)); P(pread(fd, page, 1, LONG_MAX)); P(pwrite(fd, page, 1, LONG_MAX)); P(pwrite(fd, page, 0, LONG_MAX));
    P(pread(fd, page, 10, LONG_MAX - 5));
    struct rlimit l = {4096, RLIM_INFINITY}; signal(SIGXFSZ, SIG_IGN); CHILD(setrlimit(RLIMIT_FSIZE, &l); P(pwrite(fd, page, 100, 4090));
    P(pwrite(fd, page, 100, 4096)); P(ftruncate(fd, 5000)); P(fallocate(fd, 0, 0, 5000)); P(truncate("f", 4096)); lseek(fd, 4096, 0); P(write(fd, page, 1));
    P(write(fd, page, 0)); P(creat("x", 0600)); signal(SIGXFSZ, SIG_DFL); P(write(fd, page, 1)));
    P(ftruncate(fd, -1)); P(ftruncate(fd, LONG_MAX)); P(truncate("f", -1)); P(truncate("f", LONG_MAX)); P(truncate("none", 0)); P(truncate(".", 0));
    P(truncate("", 0)); P(truncate(BAD, 0)); P(truncate("f/x", 0)); P(ftruncate(p[1], 0)); int ro = open("f", O_RDONLY); P(ftruncate(ro, 0));
    P(ftruncate(-1, 0)); P(ftruncate(-1, -1)); int d = open(".", O_RDONLY); P(ftruncate(d, 0)); int s = socket(1, 1, 0); P(ftruncate(s, 0));
    mkfifo("ff", 0600); P(truncate("ff", 0)); P(truncate("/dev/null", 0));
    P(fallocate(fd, 0, 0, 0)); P(fallocate(fd, 0, -1, 10)); P(fallocate(fd, 0, 0, -10)); P(fallocate(fd, 0, LONG_MAX, 10)); P(fallocate(ro, 0, 0, 10));
    P(fallocate(-1, 0, 0, 10)); P(fallocate(p[1], 0, 0, 10)); P(fallocate(d, 0, 0, 10)); P(fallocate(fd, 0x1000, 0, 10));
    P(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10)); P(fallocate(fd, FALLOC_FL_PUNCH_HOLE | 1, 0, 10)); P(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
    P(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096)); P(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096)); P(fallocate(s, 0, 0, 10));
    P(fallocate(fd, 1, 100000, 100000)); struct stat st; fstat(fd, &st); V(st.st_size); P(fallocate(fd, 0, 100000, 100000)); fstat(fd, &st); V(st.st_size);
    int ap = open("f", O_WRONLY | O_APPEND); P(fallocate(ap, 0, 0, 300000)); P(fallocate(ap, 3, 0, 4096)); P(posix_fadvise(fd, 0, 0, 9));
    P(posix_fadvise(fd, -1, -1, 1)); P(posix_fadvise(p[0], 0, 0, 0)); P(posix_fadvise(99, 0, 0, 0)); P(posix_fadvise(s, 0, 0, 0)); P(readahead(p[0], 0, 1));
    P(readahead(99, 0, 1)); P(readahead(ap, 0, 1)); P(readahead(fd, 0, 1)); P(readahead(s, 0, 1)); P(readahead(d, 0, 1)); P(readahead(fd, -1, 1));
    P(sync_file_range(fd, 0, 10, 0)); P(sync_file_range(fd, -1, 10, 0)); P(sync_file_range(fd, 0, -1, 0)); P(sync_file_range(fd, 0, 1, 8));
    P(sync_file_range(p[0], 0, 1, 7)); P(sync_file_range(99, 0, 1, 7)); P(sync_file_range(d, 0, 1, 7)); P(syncfs(99)); P(syncfs(p[0])); P(fsync(s));
    P(fdatasync(p[0])); P(fdatasync(99)); P(fsync(d));
}

static void copies(void)
{
    int p[2], q[2], a, b, d, s; long off = 0, o2; pipe(p); pipe(q); a = open("a", O_RDWR | O_CREAT, 0644); b = open("b", O_RDWR | O_CREAT, 0644);
    d = open(".", O_RDONLY); s = socket(1, 1, 0); memset(page, 'x', 1000); write(a, page, 1000); lseek(a, 0, 0);
    int ap = open("b", O_WRONLY | O_APPEND), ro = open("b", O_RDONLY), wo = open("a", O_WRONLY);
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    P(sendfile(b, a, 0, 100)); P(sendfile(b, -1, 0, 1)); P(sendfile(ro, a, 0, 1)); P(sendfile(b, wo, 0, 1)); P(sendfile(b, a, BAD, 1)); off = -1;
    P(sendfile(b, a, &off, 1)); off = 990; P(sendfile(b, a, &off, 100)); V(off); P(sendfile(b, a, &off, 100)); P(sendfile(b, p[0], 0, 1));
    P(sendfile(ap, a, 0, 1)); P(sendfile(b, d, 0, 1)); P(sendfile(d, a, 0, 1)); P(sendfile(p[1], a, 0, 50)); P(sendfile(null, a, 0, 10));
    P(sendfile(b, zero, 0, 10)); P(sendfile(b, s, 0, 1)); P(sendfile(s, a, 0, 1)); P(sendfile(b, a, 0, 0)); P(sendfile(b, a, 0, -1));
    off = 0; P(copy_file_range(a, &off, b, 0, 10, 0)); P(copy_file_range(a, 0, b, 0, 10, 1)); P(copy_file_range(a, 0, ap, 0, 10, 0));
    P(copy_file_range(a, 0, ro, 0, 10, 0)); P(copy_file_range(wo, 0, b, 0, 10, 0)); P(copy_file_range(a, 0, d, 0, 10, 0));
    P(copy_file_range(d, 0, b, 0, 10, 0)); P(copy_file_range(p[0], 0, b, 0, 10, 0)); P(copy_file_range(a, 0, p[1], 0, 10, 0));
    P(copy_file_range(-1, 0, b, 0, 10, 0)); off = 0; o2 = 5; P(copy_file_range(a, &off, a, &o2, 10, 0)); o2 = 500;
    P(copy_file_range(a, &off, a, &o2, 10, 0)); off = 5000; P(copy_file_range(a, &off, b, 0, 10, 0)); off = -1;
    (void)(copy_file_range(a, &off, b, 0, 10, 0)); P(copy_file_range(a, BAD, b, 0, 10, 0)); P(copy_file_range(null, 0, b, 0, 10, 0));
    P(copy_file_range(a, 0, null, 0, 10, 0)); off = LONG_MAX - 5; P(copy_file_range(a, &off, b, 0, 10, 0)); off = 0; o2 = LONG_MAX - 5;
    P(copy_file_range(a, &off, b, &o2, 10, 0)); P(copy_file_range(a, 0, b, 0, 0, 0)); P(copy_file_range(s, 0, b, 0, 1, 0));
    lseek(a, 0, 0); P(splice(a, 0, p[1], 0, 20, 0)); P(splice(p[0], 0, b, 0, 10, 0)); P(splice(a, 0, b, 0, 10, 0)); P(splice(p[0], &off, b, 0, 1, 0));
    P(splice(a, 0, p[1], &off, 1, 0)); P(splice(-1, 0, p[1], 0, 1, 0)); P(splice(a, 0, -1, 0, 1, 0)); P(splice(wo, 0, p[1], 0, 1, 0));
    P(splice(p[0], 0, ro, 0, 1, 0)); P(splice(p[0], 0, ap, 0, 1, 0)); P(splice(p[0], 0, p[1], 0, 1, 0)); P(splice(p[1], 0, q[1], 0, 1, 0));
    P(splice(p[0], 0, q[0], 0, 1, 0)); P(splice(p[0], 0, q[1], 0, 5, 0)); P(splice(a, 0, p[1], 0, 1, 0x100)); P(splice(a, 0, p[1], 0, 0, 0));
    P(splice(p[0], 0, null, 0, 5, 0)); P(splice(zero, 0, p[1], 0, 5, 0)); P(splice(p[0], 0, zero, 0, 5, 0)); P(splice(d, 0, p[1], 0, 1, 0)); off = -5;
    P(splice(a, &off, p[1], 0, 5, 0)); P(splice(a, BAD, p[1], 0, 5, 0)); P(splice(s, 0, p[1], 0, 1, 0)); P(splice(p[0], 0, s, 0, 1, 0));
    P(tee(p[0], q[1], 5, 0)); P(tee(p[0], p[1], 5, 0)); P(tee(a, p[1], 5, 0)); P(tee(p[0], a, 5, 0)); P(tee(-1, p[1], 5, 0)); P(tee(p[1], q[1], 5, 0));
    P(tee(p[0], q[0], 5, 0)); P(tee(p[0], q[1], 0, 0)); P(tee(p[0], q[1], 5, 0x100)); ioctl(p[0], FIONREAD, &off); V((int)off); ioctl(q[0], FIONREAD, &off);
    V((int)off);
    struct iovec v = {page, 10}; P(vmsplice(p[1], &v, 1, 0)); P(vmsplice(p[0], &v, 1, 0)); P(vmsplice(a, &v, 1, 0)); P(vmsplice(-1, &v, 1, 0));
    P(vmsplice(p[1], BAD, 1, 0)); P(vmsplice(p[1], &v, 1025, 0)); P(vmsplice(p[1], &v, -1, 0)); P(vmsplice(p[1], &v, 0, 0));
    P(vmsplice(p[1], &v, 1, 0x100)); v.iov_base = BAD; P(vmsplice(p[1], &v, 1, 0)); P(vmsplice(s, &v, 1, 0)); P(vmsplice(s, &v, 0, 0));
    P(vmsplice(-1, &v, 0, 0));
}

int main(int argc, char **argv)
{
    RUN(dups);
    RUN(flags);
    RUN(locks);
    RUN(lock_waits);
    RUN(seeks);
    RUN(rw);
    RUN(copies);
}
