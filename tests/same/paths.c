/*
 * Calls on paths: open, stat, access, modes and owners, links, renames, times, directories, extended attributes.
 * long: a family is a list of calls, and of what they need.
 */
#include "probe.h"
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <dirent.h>
#include <sys/socket.h>
#include <utime.h>
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif
#define renameat2(a,b,c,d,e) syscall(316,a,b,c,d,e)
#define faccessat2(a,b,c,d) syscall(439,a,b,c,d)
#define openat2(a,b,c,d) syscall(437,a,b,c,d)
#define statx_(a,b,c,d,e) syscall(332,a,b,c,d,e)
struct how { uint64_t flags, mode, resolve, more; };
static char longname[300], longpath[5000];
static int fd;

static void setup(void)
{
    memset(longname, 'n', 299); longname[256] = 0; memset(longpath, 'p', 4998); for (int i = 100; i < 4999; i += 100) longpath[i] = '/';
    fd = open("f", O_RDWR | O_CREAT, 0644); mkdir("d", 0755); mkdir("d/e", 0755); symlink("f", "l"); symlink("loop", "loop"); symlink("none", "dangling");
    symlink("d", "ld"); mkfifo("p", 0644); mkdir("secret", 0700); close(open("secret/f", O_CREAT | O_RDWR, 0644));
    close(open("ro", O_CREAT | O_RDWR, 0444)); close(open("own", O_CREAT|O_RDWR, 0600));
}

static void opens(void)
{
    setup();
    P(open("none", O_RDONLY)); P(open("", O_RDONLY)); P(open(BAD, O_RDONLY)); P(open("f/x", O_RDONLY)); P(open("loop", O_RDONLY));
    P(open("loop", O_RDONLY | O_NOFOLLOW)); P(open("l", O_RDONLY | O_NOFOLLOW)); P(open("l", O_RDONLY | O_NOFOLLOW | O_PATH));
    P(open("dangling", O_RDONLY)); P(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600)); P(access("none", F_OK));
    P(open("dangling", O_CREAT | O_RDWR, 0600)); P(access("none", F_OK)); P(open("f", O_CREAT | O_EXCL, 0600)); P(open("d", O_CREAT | O_EXCL, 0600));
    P(open("d", O_CREAT, 0600)); P(open("d", O_WRONLY)); P(open("d", O_RDWR)); P(open("d", O_RDONLY | O_TRUNC)); P(open("d/", O_RDONLY));
    P(open("f/", O_RDONLY)); P(open("new/", O_CREAT | O_RDWR, 0600)); P(open("f", O_DIRECTORY)); P(open("l", O_DIRECTORY)); P(open("ld", O_DIRECTORY));
    P(open("ld", O_DIRECTORY | O_NOFOLLOW)); P(open("ld/", O_DIRECTORY | O_NOFOLLOW)); (void)(open("d", O_DIRECTORY | O_CREAT, 0600));
    P(open("d2", O_DIRECTORY | O_CREAT, 0600)); P(open("none2", O_DIRECTORY | O_CREAT | O_EXCL, 0600));
    P(open(longname, O_CREAT | O_RDWR, 0600)); longname[255] = 0; P(open(longname, O_CREAT | O_RDWR, 0600)); P(open(longpath, O_RDONLY));
    longpath[4095] = 0; P(open(longpath, O_RDONLY)); P(open("p", O_WRONLY | O_NONBLOCK)); (void)(open("p", O_RDONLY | O_NONBLOCK));
    (void)(open("p", O_WRONLY | O_NONBLOCK)); (void)(open("p", O_RDWR)); (void)(open("f", 3)); P(open("f", O_RDONLY | O_TMPFILE));
    P(open("f", O_RDWR | O_TMPFILE)); (void)(open(".", O_RDWR | O_TMPFILE, 0600)); P(open(".", O_RDONLY | O_TMPFILE, 0600));
    P(open("none/x", O_RDWR | O_TMPFILE, 0600)); P(open(".", O_RDWR | O_TMPFILE | O_CREAT, 0600)); (void)(open(".", O_RDWR | O_TMPFILE | O_EXCL, 0600));
    (void)(open("f", O_PATH | O_RDWR | O_CREAT)); (void)(open("f", O_RDONLY | 0x40000000)); (void)(open("f", O_RDONLY | O_APPEND | O_TRUNC));
    P(open("/dev/null", O_RDWR | O_DIRECTORY)); (void)(open("/dev/null", O_RDWR | O_TRUNC | O_CREAT)); P(openat(-1, "f", O_RDONLY));
    P(openat(fd, "x", O_RDONLY)); (void)(openat(fd, "/dev/null", O_RDONLY)); P(openat(fd, "", O_RDONLY)); P(openat(-1, "", O_RDONLY));
    (void)(openat(-1, "/dev/null", O_RDONLY)); (void)(openat(AT_FDCWD, "f", O_RDONLY | O_NOATIME)); (void)(open("f", O_RDWR|O_DIRECT));
    P(open("/proc/self/exe", O_RDWR)); P(creat("d", 0600)); P(creat("", 0600)); P(creat(BAD, 0600)); P(creat("f/x", 0600)); P(creat("loop", 0600));
    P(creat("none3/x", 0600));
    AS_USER(P(open("f", O_RDWR)); (void)(open("f", O_RDONLY)); P(open("secret", O_RDONLY)); P(open("secret/f", O_RDONLY)); P(open("secret/none", O_RDONLY));
    P(open("own", O_RDONLY)); P(open("f", O_RDONLY | O_NOATIME)); P(open("f", O_TRUNC)); P(creat("d/x", 0600)); (void)(creat("mine", 0400));
    P(open("mine", O_RDWR)); (void)(open("mine", O_RDONLY | O_NOATIME)); (void)(open("own", O_PATH)); (void)(open("secret", O_PATH));
    P(open("d", O_TMPFILE | O_RDWR, 0600)); (void)(open("f", O_CREAT | O_RDONLY, 0600)); P(open("d/y", O_CREAT | O_RDONLY, 0600)); P(open("ro", O_WRONLY)));
    struct how h = {O_RDONLY}; (void)(openat2(AT_FDCWD, "f", &h, 24)); P(openat2(AT_FDCWD, "f", &h, 23)); (void)(openat2(AT_FDCWD, "f", &h, 32));
    h.more = 1; P(openat2(AT_FDCWD, "f", &h, 32)); P(openat2(AT_FDCWD, "f", BAD, 24)); P(openat2(AT_FDCWD, "f", &h, 5000)); h.mode = 1;
    P(openat2(AT_FDCWD, "f", &h, 24)); h.mode = 0; h.flags = 1ull << 40; P(openat2(AT_FDCWD, "f", &h, 24)); h.flags = O_CREAT | O_RDWR; h.mode = 07777;
    (void)(openat2(AT_FDCWD, "n2", &h, 24)); h.mode = 010000; P(openat2(AT_FDCWD, "n3", &h, 24)); h.mode = 0; h.flags = 0; h.resolve = 0x100;
    P(openat2(AT_FDCWD, "f", &h, 24)); h.resolve = 1; P(openat2(AT_FDCWD, "/proc/self/status", &h, 24)); (void)(openat2(AT_FDCWD, "f", &h, 24));
    h.resolve = 2; P(openat2(AT_FDCWD, "/proc/self/exe", &h, 24)); (void)(openat2(AT_FDCWD, "l", &h, 24)); h.resolve = 4; P(openat2(AT_FDCWD, "l", &h, 24));
    P(openat2(AT_FDCWD, "ld/e", &h, 24)); (void)(openat2(AT_FDCWD, "f", &h, 24)); h.resolve = 8; P(openat2(AT_FDCWD, "/dev/null", &h, 24));
    P(openat2(AT_FDCWD, "..", &h, 24)); (void)(openat2(AT_FDCWD, "d/../f", &h, 24)); h.resolve = 16; (void)(openat2(AT_FDCWD, "/f", &h, 24));
    (void)(openat2(AT_FDCWD, "../../f", &h, 24)); P(openat2(AT_FDCWD, "/dev/null", &h, 24)); h.resolve = 24; P(openat2(AT_FDCWD, "f", &h, 24));
    h.resolve = 32; (void)(openat2(AT_FDCWD, "f", &h, 24)); h.flags = O_CREAT | O_RDWR; h.mode = 0600; P(openat2(AT_FDCWD, "cc", &h, 24));
    h.flags = O_TRUNC | O_RDWR; h.mode = 0; P(openat2(AT_FDCWD, "f", &h, 24)); h.resolve = 0; h.flags = O_PATH | O_RDWR; P(openat2(AT_FDCWD, "f", &h, 24));
    h.flags = O_PATH | O_DIRECTORY; (void)(openat2(AT_FDCWD, "d", &h, 24)); h.flags = O_TMPFILE | O_RDONLY; P(openat2(AT_FDCWD, ".", &h, 24));
}
static void umasks(void) { struct stat s; P(umask(0)); P(umask(077)); P(umask(~0)); P(umask(022)); umask(0); close(open("a", O_CREAT | O_RDWR, 07777));
stat("a", &s); SAY("%o\n", s.st_mode); umask(0777); mkdir("b", 07777); stat("b", &s); SAY("%o\n", s.st_mode); mknod("c", S_IFIFO | 0777, 0); stat("c", &s);
SAY("%o\n", s.st_mode); symlink("x", "s"); lstat("s", &s); SAY("%o\n", s.st_mode); umask(0); mkdir("g", 02755); stat("g", &s); SAY("%o\n", s.st_mode);
mkdir("t", 01777); stat("t", &s); SAY("%o\n", s.st_mode); mkdir("u", 04777); stat("u", &s); SAY("%o\n", s.st_mode); chmod("g", 02777); mkdir("g/h", 0755);
stat("g/h", &s); SAY("%o\n", s.st_mode); }

static void stats(void)
{
    struct stat s; setup(); unsigned char x[256];
    P(stat("none", &s)); P(stat("", &s)); P(stat(BAD, &s)); P(stat("f", BAD)); P(stat("f/x", &s)); P(stat("loop", &s)); P(lstat("loop", &s));
    P(stat("dangling", &s)); P(lstat("dangling", &s)); V(s.st_size); P(lstat("ld/", &s)); SAY("%o\n", s.st_mode); P(stat("f/", &s)); P(lstat("l/", &s));
    P(stat(longname, &s)); P(stat(longpath, &s)); P(fstat(-1, &s)); P(fstat(fd, BAD)); P(fstatat(fd, "", &s, AT_EMPTY_PATH)); P(fstatat(fd, "x", &s, 0));
    P(fstatat(-1, "f", &s, 0)); P(fstatat(AT_FDCWD, "", &s, AT_EMPTY_PATH)); P(syscall(262, AT_FDCWD, "f", &s, 0x10));
    P(syscall(262, AT_FDCWD, "l", &s, AT_SYMLINK_NOFOLLOW)); V(S_ISLNK(s.st_mode)); P(syscall(262, AT_FDCWD, "f", &s, AT_NO_AUTOMOUNT));
    P(syscall(262, AT_FDCWD, "f", &s, 0x2000)); P(syscall(262, fd, NULL, &s, AT_EMPTY_PATH)); P(syscall(262, fd, BAD, &s, AT_EMPTY_PATH));
    P(statx_(AT_FDCWD, "f", 0, 0x7ff, x)); P(statx_(AT_FDCWD, "none", 0, 0x7ff, x)); P(statx_(AT_FDCWD, "f", 0x10000, 0x7ff, x));
    P(statx_(AT_FDCWD, "f", 0, 0x80000000, x)); P(statx_(AT_FDCWD, "f", 0, 0, BAD)); P(statx_(AT_FDCWD, BAD, 0, 0, x)); P(statx_(-1, "f", 0, 0, x));
    P(statx_(fd, "", AT_EMPTY_PATH, 0, x)); P(statx_(fd, "", 0, 0, x)); P(statx_(fd, "x", 0, 0, x)); P(statx_(AT_FDCWD, "f", 0x6000, 0, x));
    P(statx_(AT_FDCWD, "f", 0x2000, 0, x)); P(statx_(AT_FDCWD, "f", 0x4000, 0, x)); memset(x, 0xff, 256); P(statx_(AT_FDCWD, "f", 0, 0x7ff, x));
    SAY("%#x blksize %u nlink %u attributes mask %#llx\n", *(int *)x & 0xfff, *(int *)(x + 4), *(int *)(x + 16), 0ll);
    struct statfs fs; P(statfs("none", &fs)); P(statfs("f", &fs)); SAY("%#lx %ld %ld\n", fs.f_type, fs.f_bsize, fs.f_namelen); P(statfs("f", BAD));
    P(statfs(BAD, &fs)); P(statfs("f/x", &fs)); P(statfs("loop", &fs)); P(fstatfs(-1, &fs)); P(fstatfs(fd, BAD)); P(statfs("/proc", &fs));
    SAY("%#lx\n", fs.f_type); int pp[2]; pipe(pp); P(fstatfs(pp[0], &fs)); SAY("%#lx\n", fs.f_type); P(fstatfs(socket(1,1,0), &fs));
    SAY("%#lx\n", fs.f_type); P(statfs("/dev/null", &fs)); SAY("%#lx\n", fs.f_type);
    P(stat("d", &s)); V(s.st_nlink); rmdir("d/e"); stat("d", &s); V(s.st_nlink); V(s.st_blksize); stat("f", &s); V(s.st_blocks); pwrite(fd, page, 1, 0);
    stat("f", &s); V(s.st_blocks); V(s.st_blksize); stat("/dev/null", &s); SAY("%o %lx\n", s.st_mode, s.st_rdev); fstat(pp[0], &s);
    SAY("%o %ld %ld\n", s.st_mode, (long)s.st_size, (long)s.st_blksize); fstat(socket(1,1,0), &s); SAY("%o %ld\n", s.st_mode, (long)s.st_nlink);
}

static void accesses(void)
{
    setup();
    P(access("f", R_OK)); P(access("f", X_OK)); P(access("f", 8)); P(access("f", -1)); P(access("none", 0)); P(access("", 0)); P(access(BAD, 0));
    P(access("f/x", 0)); P(access("loop", 0)); P(access("d", X_OK)); P(access("ro", W_OK)); P(access(longname, 0)); P(access("dangling", 0));
    chmod("f", 0001); P(access("f", X_OK)); chmod("f", 0644);
    P(faccessat2(AT_FDCWD, "f", 0, 0x10000)); P(faccessat2(AT_FDCWD, "dangling", 0, AT_SYMLINK_NOFOLLOW)); P(faccessat2(fd, "", R_OK, AT_EMPTY_PATH));
    P(faccessat2(fd, "", R_OK, 0)); P(faccessat2(-1, "f", 0, 0)); P(faccessat2(fd, "f", 0, 0));
    P(faccessat2(AT_FDCWD, "l", W_OK, AT_SYMLINK_NOFOLLOW | AT_EACCESS)); P(syscall(269, AT_FDCWD, "f", 0, 0xffff));
    AS_USER(P(access("f", R_OK)); P(access("f", W_OK)); P(access("f", X_OK)); P(access("secret", 0)); P(access("secret", R_OK)); P(access("secret/f", 0));
    P(access("own", 0)); P(access("own", R_OK)); P(access("d", W_OK)); P(access("d", X_OK)); P(faccessat2(fd, "", W_OK, AT_EMPTY_PATH)));
    CHILD(setgroups(0, 0); setegid(USER); seteuid(USER); P(access("own", R_OK)); P(faccessat2(AT_FDCWD, "own", R_OK, AT_EACCESS));
    P(faccessat2(AT_FDCWD, "own", R_OK, 0)));
}

static void modes(void)
{
    struct stat s; setup();
#define MODE(n) (stat(n, &s), SAY("   %o %d %d\n", s.st_mode, s.st_uid, s.st_gid))
    P(chmod("f", 07777)); MODE("f"); P(chmod("f", 0177777)); MODE("f"); P(chmod("none", 0)); P(chmod("", 0)); P(chmod(BAD, 0)); P(chmod("f/x", 0));
    P(chmod("loop", 0)); P(chmod("dangling", 0)); P(chmod("l", 0640)); MODE("f"); P(chmod(longname, 0)); P(fchmod(-1, 0)); P(fchmod(fd, 04755)); MODE("f");
    P(fchmodat(AT_FDCWD, "f", 0600, 0)); P(syscall(268, AT_FDCWD, "l", 0600)); P(syscall(268, fd, "x", 0)); P(syscall(268, -1, "f", 0));
    P(syscall(268, AT_FDCWD, "", 0));
    P(chown("f", 5, 6)); MODE("f"); chmod("f", 06755); P(chown("f", -1, -1)); MODE("f"); P(chown("f", 7, -1)); MODE("f"); chmod("f", 02745);
    P(chown("f", 7, 8)); MODE("f"); chmod("d", 06777); P(chown("d", 9, 9)); MODE("d"); P(lchown("l", 3, 3)); lstat("l", &s); V(s.st_uid);
    P(chown("none", 0, 0)); P(chown("loop", 0, 0)); P(chown(BAD, 0, 0)); P(chown("", 0, 0)); P(chown("f/x", 0, 0)); P(lchown("loop", 1, 1));
    P(fchown(-1, 0, 0)); P(fchownat(fd, "", 1, 1, AT_EMPTY_PATH)); MODE("f"); P(fchownat(fd, "", 1, 1, 0)); P(fchownat(AT_FDCWD, "f", 0, 0, 0x8000));
    P(fchownat(-1, "f", 0, 0, 0)); P(fchownat(fd, "x", 0, 0, 0)); P(chown("p", 1000, 1000)); P(chown("own", 1000, 50)); chmod("own", 06777);
    AS_USER(P(chmod("f", 0)); P(chown("f", USER, -1)); P(chown("own", 0, -1)); P(chown("own", USER, 60)); P(chown("own", -1, USER)); MODE("own");
    P(chmod("own", 02777)); MODE("own"); P(chown("own", -1, -1)); P(chmod("secret/f", 0)); P(chown("secret/f", 1, 1)); P(fchmod(fd, 0));
    P(fchown(fd, 1, 1)); P(chown("own", USER, -1)); chmod("own", 06777); P(chown("own", USER, USER)); MODE("own"); chmod("own", 04777);
    int w = open("own", O_RDWR); write(w, "x", 1); MODE("own"); chmod("own", 04777); ftruncate(w, 0); MODE("own"); chmod("own", 04777); truncate("own", 1);
    MODE("own"));
    int w = open("own", O_RDWR); chmod("own", 06777); write(w, "x", 1); MODE("own");
    chown("own", 1000, 50); AS_USER(P(chmod("own", 02777)); MODE("own")); chmod("own", 02777);
    AS_USER(w = open("own", O_RDWR); write(w, "x", 1); MODE("own"));
}

static void links(void)
{
    struct stat s; setup(); char buf[100];
    P(link("f", "f2")); P(link("f", "f2")); P(link("none", "x")); P(link("d", "x")); P(link("f", "d")); P(link("f", "none/x")); P(link("f/x", "y"));
    P(link("f", "f/x")); P(link("", "x")); P(link("f", "")); P(link(BAD, "x")); P(link("f", BAD)); P(link("loop", "loop2")); P(link("dangling", "dl2"));
    P(link("f", longname)); P(link("f", "x/")); P(link("d/.", "q")); P(link("f", "loop/x")); P(linkat(AT_FDCWD, "l", AT_FDCWD, "hl", 0)); lstat("hl", &s);
    SAY("%o\n", s.st_mode); P(linkat(AT_FDCWD, "l", AT_FDCWD, "hl2", AT_SYMLINK_FOLLOW)); lstat("hl2", &s); SAY("%o\n", s.st_mode);
    P(linkat(AT_FDCWD, "f", AT_FDCWD, "hl3", 0x1)); P(linkat(fd, "", AT_FDCWD, "hl4", AT_EMPTY_PATH)); P(linkat(-1, "f", AT_FDCWD, "x", 0));
    P(linkat(fd, "f", AT_FDCWD, "x", 0)); P(linkat(AT_FDCWD, "f", -1, "x", 0)); P(linkat(AT_FDCWD, "dangling", AT_FDCWD, "x9", AT_SYMLINK_FOLLOW));
    int t = open(".", O_TMPFILE | O_RDWR, 0600), t2 = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600); P(linkat(t, "", AT_FDCWD, "tmp1", AT_EMPTY_PATH));
    P(linkat(t2, "", AT_FDCWD, "tmp2", AT_EMPTY_PATH)); P(linkat(t, "", AT_FDCWD, "tmp3", AT_EMPTY_PATH)); int u = open("tmp1", O_RDWR); unlink("tmp1");
    P(linkat(u, "", AT_FDCWD, "tmp4", AT_EMPTY_PATH)); unlink("tmp3"); P(linkat(u, "", AT_FDCWD, "tmp5", AT_EMPTY_PATH)); (void)(link("/dev/null", "nn"));
    P(link("p", "p2"));
    P(symlink("x", "f")); P(symlink("x", "none/y")); P(symlink("", "e")); P(symlink("x", "")); P(symlink(BAD, "x")); P(symlink("x", BAD));
    P(symlink(longpath, "ll")); P(symlink("x", longname)); P(symlink("x", "f/y")); P(symlink("x", "sl/")); P(symlink("x", "dangling"));
    P(symlink("x", "loop/y")); P(symlinkat("x", -1, "y")); P(symlinkat("x", fd, "y")); P(symlink("x", "d/")); P(symlink("x", "."));
    P(readlink("l", buf, 100)); P(readlink("l", buf, 0)); P(readlink("l", buf, -1)); P(readlink("f", buf, 100)); P(readlink("none", buf, 100));
    P(readlink("", buf, 100)); P(readlink(BAD, buf, 10)); P(readlink("l", BAD, 10)); P(readlink("dangling", buf, 2)); P(readlink("f/x", buf, 10));
    P(readlink("loop/x", buf, 10)); P(readlink("ld/", buf, 10)); int q = open("l", O_PATH | O_NOFOLLOW); P(readlinkat(q, "", buf, 10));
    P(readlinkat(fd, "", buf, 10)); P(readlinkat(-1, "l", buf, 10)); P(readlinkat(fd, "l", buf, 10)); P(readlink(longname, buf, 10));
    P(syscall(89, "l", buf, 0)); P(syscall(89, "l", buf, -1)); P(syscall(89, "none", buf, 0));
    P(unlink("none")); P(unlink("d")); P(unlink("")); P(unlink(BAD)); P(unlink("f/x")); P(unlink("loop/x")); P(unlink("f/")); P(unlink("d/"));
    P(unlink("ld/")); P(unlink("loop")); P(unlink(".")); P(unlink("..")); P(unlink("/")); P(unlinkat(AT_FDCWD, "f2", 1));
    P(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR)); P(unlinkat(-1, "d", 0)); P(unlinkat(fd, "d", 0)); P(unlinkat(AT_FDCWD, "f2", AT_REMOVEDIR));
    P(unlink(longname)); P(unlink(longpath));
    P(rmdir("none")); P(rmdir("f")); P(rmdir("")); P(rmdir(BAD)); P(rmdir("d")); P(rmdir("d/e/.")); P(rmdir("d/e/..")); P(rmdir("ld")); P(rmdir("ld/"));
    P(rmdir("/")); P(rmdir(".")); P(rmdir("..")); P(rmdir("d/e/")); P(rmdir("d")); P(rmdir("loop")); P(rmdir("loop/x")); P(rmdir(longname));
    (void)(rmdir("/tmp")); P(rmdir("/proc"));
    P(mkdir("f", 0)); P(mkdir("l", 0)); P(mkdir("dangling", 0)); P(mkdir("none/x", 0)); P(mkdir("", 0)); P(mkdir(BAD, 0)); P(mkdir("f/x", 0));
    P(mkdir("loop/x", 0)); P(mkdir(".", 0)); P(mkdir("..", 0)); P(mkdir("/", 0)); P(mkdir("nd/", 0700)); P(mkdir("nd2/.", 0700)); P(mkdir(longname, 0700));
    P(mkdir(longpath, 0)); P(mkdirat(-1, "x", 0)); P(mkdirat(fd, "x", 0)); P(mkdirat(AT_FDCWD, "x", 0700)); P(mkdir("dangling/", 0700));
    P(mknod("m1", S_IFREG | 0600, 0)); P(mknod("m2", 0600, 0)); P(mknod("m3", S_IFDIR | 0600, 0)); P(mknod("m4", S_IFLNK | 0600, 0));
    P(mknod("m5", S_IFSOCK | 0600, 0)); P(mknod("m6", S_IFCHR | 0600, makedev(1, 3))); P(mknod("m7", S_IFBLK | 0600, makedev(7, 3)));
    P(mknod("m8", 0170000, 0)); P(mknod("m1", S_IFREG, 0)); P(mknod("none/x", S_IFIFO, 0)); P(mknod("", S_IFIFO, 0)); P(mknod(BAD, S_IFIFO, 0));
    P(mknod("f/x", S_IFIFO, 0)); P(mknod("loop/x", S_IFIFO, 0)); P(mknodat(-1, "x", S_IFIFO, 0)); P(mknodat(fd, "x", S_IFIFO, 0));
    P(mknod("ff/", S_IFIFO, 0)); P(mknod("m9", S_IFIFO | 0600, 0)); P(open("m5", O_RDWR)); (void)(open("m7", O_RDWR)); (void)(open("m6", O_RDWR));
    P(mknod("mz", S_IFCHR | 0600, makedev(99, 99))); P(open("mz", O_RDWR)); P(mkfifo("f", 0));
    AS_USER(P(mknod("u1", S_IFCHR | 0600, makedev(1, 3))); P(mknod("u2", S_IFIFO | 0600, 0)); P(mknod("u3", S_IFREG | 0600, 0)); P(mknod("u4", S_IFBLK, 0));
    P(mknod("u5", S_IFCHR, 0)); P(mknod("d/x", S_IFCHR, 1)); P(mkdir("d/x", 0700)); P(unlink("secret/f")); P(rmdir("secret")); P(symlink("x", "d/s"));
    P(link("f", "d/g")); P(link("f", "g")); P(link("ro", "gg")); P(link("own", "ggg")); P(unlink("f")); P(readlink("secret/f", buf, 9)));
}

static void renames(void)
{
    setup(); struct stat s; mkdir("d/e/g", 0700); close(open("d/e/file", O_CREAT | O_RDWR, 0600)); link("f", "f2"); mkdir("empty", 0700);
    mkdir("empty2", 0700);
    P(rename("none", "x")); P(rename("f", "f")); P(rename("f", "f2")); P(access("f", 0)); P(rename("f", "d")); P(rename("d", "f")); P(rename("d", "d/e/x"));
    P(rename("d", "d")); P(rename("d/e", "d")); P(rename("empty", "d")); P(rename("d", "empty")); P(access("d", 0)); P(rename("empty", "d"));
    P(rename("", "x")); P(rename("f", "")); P(rename(BAD, "x")); P(rename("f", BAD)); P(rename("f/x", "y")); P(rename("f", "f2/x"));
    P(rename("loop/x", "y")); P(rename("f", "none/x")); P(rename("f", longname)); P(rename(longname, "f")); P(rename(".", "x")); P(rename("..", "x"));
    P(rename("f", ".")); P(rename("d", "..")); P(rename("d/.", "x")); P(rename("f", "x/")); P(rename("f/", "x")); P(rename("d", "dd/"));
    P(rename("dd/", "d")); P(rename("l", "l2")); P(rename("l2", "f")); P(lstat("f", &s)); SAY("%o\n", s.st_mode); P(rename("ld", "d"));
    P(rename("d", "ld")); P(rename("p", "f2")); P(rename("empty2", "dangling")); P(rename("empty2", "loop")); (void)(rename("/", "x"));
    (void)(rename("x", "/")); P(rename("d", "d/.")); P(rename("/proc/self/status", "x")); (void)(rename("own", "/proc/x"));
    P(renameat2(AT_FDCWD, "own", AT_FDCWD, "ro", RENAME_NOREPLACE)); P(renameat2(AT_FDCWD, "own", AT_FDCWD, "own2", RENAME_NOREPLACE));
    P(renameat2(AT_FDCWD, "own2", AT_FDCWD, "d", RENAME_EXCHANGE)); P(renameat2(AT_FDCWD, "own2", AT_FDCWD, "none", RENAME_EXCHANGE));
    P(renameat2(AT_FDCWD, "own2", AT_FDCWD, "own2/e", RENAME_EXCHANGE)); P(renameat2(AT_FDCWD, "own2/e", AT_FDCWD, "own2", RENAME_EXCHANGE));
    P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "x", RENAME_EXCHANGE | RENAME_NOREPLACE)); P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "x", 8));
    P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "x", RENAME_WHITEOUT | RENAME_EXCHANGE)); P(renameat2(-1, "ro", AT_FDCWD, "x", 0));
    P(renameat2(AT_FDCWD, "ro", -1, "x", 0)); P(renameat2(fd, "ro", AT_FDCWD, "x", 0)); P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "ro", RENAME_NOREPLACE));
    P(renameat2(AT_FDCWD, ".", AT_FDCWD, "ro", RENAME_NOREPLACE)); P(renameat2(AT_FDCWD, "ro", AT_FDCWD, ".", RENAME_NOREPLACE));
    P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "ro", RENAME_EXCHANGE)); P(renameat2(AT_FDCWD, "ro/", AT_FDCWD, "own2", RENAME_EXCHANGE));
    P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "own2/", RENAME_EXCHANGE));
    mkdir("sticky", 01777); chmod("sticky", 01777); close(open("sticky/r", O_CREAT, 0666)); mkdir("sticky/dir", 0777); chmod("sticky/dir", 0777);
    AS_USER(P(rename("sticky/r", "sticky/q")); P(unlink("sticky/r")); P(rmdir("sticky/dir")); P(close(open("sticky/mine", O_CREAT | O_RDWR, 0600)));
    P(rename("sticky/mine", "sticky/r")); P(rename("sticky/mine", "sticky/m2")); P(unlink("sticky/m2")); P(rename("secret/f", "x"));
    P(rename("ro", "sticky/x")); P(rename("ro", "secret/f")); P(rename("secret", "sec")); P(mkdir("ud", 0500)); P(mkdir("ud2", 0700));
    P(rename("ud", "ud2/ud")); P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "sticky/r", RENAME_NOREPLACE));
    P(renameat2(AT_FDCWD, "ro", AT_FDCWD, "sticky/r", RENAME_EXCHANGE)));
}

static void times_(void)
{
    struct timespec t[2] = {{100, 5}, {200, 6}}; struct timeval tv[2] = {{1, 2}, {3, 4}}; struct stat s; setup(); struct utimbuf ub = {7, 8};
#define T(n) (stat(n, &s), SAY("  %ld.%ld %ld.%ld\n", s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec, s.st_mtim.tv_nsec))
    P(utimensat(AT_FDCWD, "f", t, 0)); T("f"); t[0].tv_nsec = UTIME_OMIT; t[1].tv_sec = 300; P(utimensat(AT_FDCWD, "f", t, 0)); T("f");
    t[1].tv_nsec = UTIME_OMIT; P(utimensat(AT_FDCWD, "none", t, 0)); P(utimensat(-1, "none", t, 0)); P(utimensat(AT_FDCWD, "f", t, 0x8000));
    t[0].tv_nsec = 1000000000; P(utimensat(AT_FDCWD, "f", t, 0)); t[0].tv_nsec = -1; P(utimensat(AT_FDCWD, "f", t, 0)); P(utimensat(AT_FDCWD, "f", BAD, 0));
    P(utimensat(AT_FDCWD, BAD, NULL, 0)); P(utimensat(AT_FDCWD, "none", NULL, 0)); P(utimensat(AT_FDCWD, "f/x", NULL, 0));
    P(utimensat(AT_FDCWD, "", NULL, 0)); P(utimensat(AT_FDCWD, "dangling", NULL, AT_SYMLINK_NOFOLLOW)); P(utimensat(AT_FDCWD, "dangling", NULL, 0));
    P(syscall(280, fd, NULL, NULL, 0)); P(syscall(280, fd, NULL, NULL, AT_SYMLINK_NOFOLLOW)); P(syscall(280, AT_FDCWD, NULL, NULL, 0));
    P(syscall(280, -1, NULL, NULL, 0)); P(syscall(280, fd, "", NULL, AT_EMPTY_PATH)); P(utimensat(AT_FDCWD, "loop", NULL, 0));
    P(syscall(132, "f", &ub)); T("f"); P(syscall(132, "none", &ub)); P(syscall(132, "f", BAD)); P(syscall(132, BAD, 0)); P(syscall(235, "f", tv)); T("f");
    tv[0].tv_usec = 1000000; P(syscall(235, "f", tv)); tv[0].tv_usec = -1; P(syscall(235, "f", tv)); P(syscall(235, "f", BAD)); tv[0].tv_usec = 1;
    P(syscall(261, AT_FDCWD, "f", tv)); P(syscall(261, -1, "f", tv)); P(syscall(261, fd, NULL, tv)); P(syscall(261, AT_FDCWD, "none", tv));
    t[0] = (struct timespec){-5, 0}; t[1] = (struct timespec){1l << 40, 0}; P(utimensat(AT_FDCWD, "f", t, 0)); stat("f", &s); V(s.st_atim.tv_sec);
    chmod("f", 0666); chmod("d", 0755); AS_USER(t[0].tv_nsec = UTIME_NOW; t[1].tv_nsec = UTIME_NOW; P(utimensat(AT_FDCWD, "f", NULL, 0));
    P(utimensat(AT_FDCWD, "f", t, 0)); t[0].tv_nsec = 0; P(utimensat(AT_FDCWD, "f", t, 0)); t[1].tv_nsec = UTIME_OMIT; P(utimensat(AT_FDCWD, "f", t, 0));
    t[0].tv_nsec = UTIME_OMIT; P(utimensat(AT_FDCWD, "ro", t, 0)); t[0].tv_nsec = UTIME_NOW; P(utimensat(AT_FDCWD, "f", t, 0));
    P(utimensat(AT_FDCWD, "ro", NULL, 0)); P(utimensat(AT_FDCWD, "secret/f", NULL, 0)); P(syscall(132, "f", &ub)); P(syscall(132, "ro", 0));
    P(syscall(132, "f", 0)));
}

static void dirs(void)
{
    char buf[4096]; setup(); int d = open("d", O_RDONLY);
    P(getcwd(buf, 0)); P(syscall(79, buf, 1)); P(syscall(79, BAD, 100)); P(syscall(79, NULL, 100)); P(syscall(79, buf, 0)); P(syscall(79, buf, -1));
    P(syscall(79, buf, 18)); P(syscall(79, buf, 17)); P(chdir("none")); P(chdir("f")); P(chdir("")); P(chdir(BAD)); P(chdir("loop")); P(chdir("f/x"));
    P(chdir(longname)); P(fchdir(-1)); P(fchdir(fd)); P(fchdir(d)); P(rmdir("../d/e")); P(rmdir("../d")); P(syscall(79, buf, 100)); P(open(".", O_RDONLY));
    P(open("..", O_RDONLY)); P(open("x", O_CREAT | O_RDWR, 0600)); P(mkdir("x", 0700)); P(access(".", 0)); P(chdir("..")); P(getcwd(buf, 100) != 0);
    P(syscall(217, d, buf, 4096)); P(fchdir(d)); P(getcwd(buf, 100) ? 0 : -1); P(symlink("a", "b")); P(link("../f", "b")); P(rename("../f", "b"));
    P(mknod("b", S_IFIFO, 0)); P(stat(".", (void *)page)); P(((struct stat *)page)->st_nlink);
    chdir("/tmp"); P(syscall(217, fd, buf, 100)); P(syscall(217, -1, buf, 100)); int t = open("/", O_RDONLY); P(syscall(217, t, buf, 10));
    P(syscall(217, t, BAD, 1000)); P(syscall(217, t, buf, 0)); P(syscall(217, t, buf, 24)); P(syscall(78, t, BAD, 1000)); P(syscall(78, fd, BAD, 1000));
    P(syscall(78, t, buf, 1));
    AS_USER(chdir("/"); mkdir("/tmp/closed", 0); P(chdir("/tmp/closed")); P(open("/tmp/closed", O_RDONLY)); rmdir("/tmp/closed"); P(chroot("/tmp")));
    P(chroot("none")); P(chroot("f")); P(chroot(BAD)); P(chroot("")); P(chroot("loop")); CHILD(mkdir("/tmp/root", 0755); mkdir("/tmp/root/in", 0755);
    P(chroot("/tmp/root")); P(access("/in", 0)); P(access("/tmp", 0)); P(access("in", 0));
    P(syscall(79, buf, 100) > 0); SAY("%.13s\n", buf); chdir("/"); P(chdir("..")); P(access("in", 0));
    P(syscall(79, buf, 100)); S(buf));
}

static void xattrs(void)
{
    setup(); char b[100];
    P(setxattr("f", "user.a", "123", 3, 0)); P(setxattr("f", "user.a", "12", 2, XATTR_CREATE)); P(setxattr("f", "user.b", "12", 2, XATTR_REPLACE));
    P(setxattr("f", "user.a", "12", 2, 4)); P(setxattr("f", "user.a", "12", 2, 3)); P(setxattr("f", "bogus.a", "12", 2, 0));
    (void)(setxattr("f", "user.", "12", 2, 0)); P(setxattr("f", "", "12", 2, 0)); P(setxattr("f", longname, "1", 1, 0));
    P(setxattr("f", "user.c", page, 65537, 0)); P(setxattr("f", "user.c", BAD, 6, 0)); P(setxattr("f", BAD, "", 1, 0));
    P(setxattr("none", "user.a", "", 1, 0)); P(setxattr("f", "user.e", NULL, 0, 0)); P(getxattr("f", "user.e", b, 100)); P(getxattr("f", "user.a", b, 100));
    P(getxattr("f", "user.a", b, 1)); P(getxattr("f", "user.a", NULL, 0)); P(getxattr("f", "user.z", b, 1)); P(getxattr("f", "user.a", BAD, 10));
    P(getxattr("f", "nothing", b, 1)); P(listxattr("f", b, 100)); P(listxattr("f", b, 1)); P(listxattr("f", NULL, 0)); P(listxattr("f", BAD, 100));
    P(removexattr("f", "user.a")); P(removexattr("f", "user.a")); P(removexattr("f", BAD)); P(removexattr("f", "")); P(setxattr("p", "user.a", "1", 1, 0));
    P(getxattr("p", "user.a", b, 1)); P(lsetxattr("l", "user.a", "1", 1, 0)); P(lgetxattr("l", "user.a", b, 1)); P(setxattr("d", "user.a", "1", 1, 0));
    P(setxattr("/dev/null", "user.a", "1", 1, 0)); P(lsetxattr("l", "trusted.a", "1", 1, 0)); P(fsetxattr(-1, "user.a", "", 1, 0));
    P(fgetxattr(-1, "user.a", b, 1)); P(flistxattr(-1, b, 1)); P(fremovexattr(-1, "user.a")); P(fsetxattr(fd, "trusted.x", "y", 1, 0));
    P(flistxattr(fd, b, 100)); P(listxattr("p", b, 100)); P(llistxattr("l", b, 100)); (void)(getxattr("f", "system.posix_acl_access", b, 100));
    P(setxattr("f", "security.x", "1", 1, 0)); P(setxattr("f", "system.foo", "1", 1, 0)); (void)(setxattr("f", "security.capability", "1", 1, 0));
    chmod("f", 0644); AS_USER(P(getxattr("f", "user.e", b, 10)); P(setxattr("f", "user.e", "1", 1, 0)); P(getxattr("f", "trusted.x", b, 10));
    P(setxattr("f", "trusted.x", "1", 1, 0)); (void)(listxattr("f", b, 100)); P(getxattr("own", "user.e", b, 10));
    P(setxattr("f", "security.x", "1", 1, 0)); P(removexattr("f", "user.e")); P(removexattr("f", "trusted.x")); P(fremovexattr(fd, "user.e")));
}

int main(int argc, char **argv)
{
    RUN(opens);
    RUN(umasks);
    RUN(stats);
    RUN(accesses);
    RUN(modes);
    RUN(links);
    RUN(renames);
    RUN(times_);
    RUN(dirs);
RUN(xattrs);
}
