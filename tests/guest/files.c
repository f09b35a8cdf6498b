/*
 * Files as programs use them: open's flags, names, rename, links, holes, appends by several processes, mappings,
 * listings, times, permissions, and wild pointers to every call that takes a path or a buffer. The same on Linux (as
 * user 0, in a folder of a file system that has O_TMPFILE).
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "tap.h"

#define RENAME_NO (1u << 0)
#define RENAME_SWAP (1u << 1)
#define FAILS(call, error) ((call) == -1 && errno == (error))

/* struct statx, the fields that are looked at */
struct extended {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, rest[26];
};

static char folder[64];

static int make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);

    if (fd >= 0 && *text && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return -1;
    return fd;
}

static int make_closed(const char *name, const char *text)
{
    int fd = make(name, text);

    return fd < 0 ? fd : close(fd);
}

static int holds(const char *name, const char *text)
{
    char buffer[256] = "";
    int fd = open(name, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, buffer, sizeof buffer - 1);

    close(fd);
    return got == (ssize_t)strlen(text) && strcmp(buffer, text) == 0;
}

static void test_open(void)
{
    struct stat status;
    int fd, folder_fd = -1;

    CASE("open of nothing", FAILS(open("none", O_RDONLY), ENOENT));
    CASE("O_CREAT makes it", (fd = open("a", O_CREAT | O_WRONLY | O_EXCL, 0640)) >= 0);
    CASE("write only: not readable", FAILS(read(fd, &status, 1), EBADF));
    CASE("mode and umask", fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0640 && S_ISREG(status.st_mode) &&
                               status.st_nlink == 1);
    close(fd);
    CASE("O_EXCL on what is there", FAILS(open("a", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST));
    CASE("O_DIRECTORY on a file", FAILS(open("a", O_DIRECTORY), ENOTDIR));
    CASE("a slash behind a file", FAILS(open("a/", O_RDONLY), ENOTDIR));
    CASE("a name below a file", FAILS(open("a/b", O_RDONLY), ENOTDIR));
    CASE("writing a folder", FAILS(open(".", O_WRONLY), EISDIR) && FAILS(open(".", O_RDWR | O_CREAT, 0644), EISDIR));
    CASE("a new name with a slash", FAILS(open("new/", O_CREAT | O_WRONLY, 0644), EISDIR));
    CASE("O_TRUNC", make_closed("a", "text") == 0 && (fd = open("a", O_WRONLY | O_TRUNC)) >= 0 &&
                        fstat(fd, &status) == 0 && status.st_size == 0);
    close(fd);
    CASE("links: O_NOFOLLOW",
         symlink("a", "l") == 0 && FAILS(open("l", O_RDONLY | O_NOFOLLOW), ELOOP) && (fd = open("l", O_RDONLY)) >= 0);
    close(fd);
    CASE("O_CREAT through a dangling link",
         symlink("made", "d") == 0 && (fd = open("d", O_CREAT | O_WRONLY, 0600)) >= 0 && access("made", F_OK) == 0);
    close(fd);
    CASE("O_EXCL does not follow", FAILS(open("d", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST));
    CASE("openat below a folder", mkdir("dir", 0755) == 0 && (folder_fd = open("dir", O_RDONLY | O_DIRECTORY)) >= 0 &&
                                      (fd = openat(folder_fd, "in", O_CREAT | O_RDWR, 0644)) >= 0 &&
                                      access("dir/in", F_OK) == 0);
    CASE("a file is no folder for openat",
         FAILS(openat(fd, "x", O_RDONLY), ENOTDIR) && FAILS(openat(99, "x", O_RDONLY), EBADF));
    close(fd);
    CASE("fchdir", fchdir(folder_fd) == 0 && access("in", F_OK) == 0 && chdir("..") == 0);
    close(folder_fd);
    CASE("O_PATH", (fd = open("a", O_PATH)) >= 0 && fstat(fd, &status) == 0 && FAILS(read(fd, &status, 1), EBADF) &&
                       FAILS(syscall(SYS_fchmod, fd, 0), EBADF));
    close(fd);
    CASE("umask", umask(077) == 022 && make_closed("u", "") == 0 && stat("u", &status) == 0 &&
                      (status.st_mode & 0777) == 0600 && umask(022) == 077);
}

static void test_names(void)
{
    char name[300], path[5000];
    struct stat one, two;

    memset(name, 'n', 255);
    name[255] = '\0';
    CASE("255 characters", mkdir(name, 0755) == 0 && rmdir(name) == 0);
    name[255] = 'n';
    name[256] = '\0';
    CASE("256 characters", FAILS(mkdir(name, 0755), ENAMETOOLONG) && FAILS(stat(name, &one), ENAMETOOLONG));
    memset(path, '/', sizeof path);
    path[4095] = '\0';
    CASE("a path of 4095 characters", stat(path, &one) == 0);
    path[4095] = '/';
    path[4096] = '\0';
    CASE("a path of 4096 characters", FAILS(stat(path, &one), ENAMETOOLONG));
    CASE("the empty path",
         FAILS(stat("", &one), ENOENT) && FAILS(mkdir("", 0755), ENOENT) && FAILS(unlink(""), ENOENT));
    CASE("mkdir on what is there",
         FAILS(mkdir("/", 0755), EEXIST) && FAILS(mkdir(".", 0755), EEXIST) && FAILS(mkdir("..", 0755), EEXIST));
    CASE("mkdir with a slash", mkdir("s/", 0755) == 0 && rmdir("s/") == 0);
    CASE("rmdir of dots",
         mkdir("s", 0755) == 0 && FAILS(rmdir("s/."), EINVAL) && FAILS(rmdir("s/.."), ENOTEMPTY) && rmdir("s") == 0);
    CASE("rmdir of the root", FAILS(rmdir("/"), EBUSY));
    CASE("unlink of a folder, rmdir of a file", mkdir("f", 0755) == 0 && make_closed("g", "") == 0 &&
                                                    FAILS(unlink("f"), EISDIR) && FAILS(rmdir("g"), ENOTDIR));
    CASE("rmdir of a folder with something in it",
         make_closed("f/x", "") == 0 && FAILS(rmdir("f"), ENOTEMPTY) && unlink("f/x") == 0 && rmdir("f") == 0);
    CASE("link counts", link("g", "h") == 0 && stat("g", &one) == 0 && stat("h", &two) == 0 &&
                            one.st_ino == two.st_ino && one.st_nlink == 2);
    CASE("link over a name",
         FAILS(link("g", "h"), EEXIST) && FAILS(link("none", "i"), ENOENT) && FAILS(link(".", "i"), EPERM));
    CASE("a folder's links", mkdir("k", 0755) == 0 && mkdir("k/1", 0755) == 0 && mkdir("k/2", 0755) == 0 &&
                                 stat("k", &one) == 0 && one.st_nlink == 4);
    CASE("links in a circle", symlink("c2", "c1") == 0 && symlink("c1", "c2") == 0 &&
                                  FAILS(stat("c1", &one), ELOOP) && lstat("c1", &one) == 0);
    CASE("readlink",
         readlink("c1", name, sizeof name) == 2 && memcmp(name, "c2", 2) == 0 && readlink("c1", name, 1) == 1);
    CASE("readlink of no link",
         FAILS(readlink("g", name, sizeof name), EINVAL) && FAILS(syscall(SYS_readlink, "c1", name, 0), EINVAL));
    CASE("symlink to nothing", FAILS(symlink("", "e"), ENOENT) && FAILS(symlink("x", "g"), EEXIST));
}

static int rename2(const char *old, const char *new, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, flags);
}

static void test_rename(void)
{
    struct stat one, two;

    make_closed("r1", "one");
    make_closed("r2", "two");
    CASE("over a file", rename("r1", "r2") == 0 && holds("r2", "one") && FAILS(access("r1", F_OK), ENOENT));
    CASE("what is not there", FAILS(rename("r1", "r3"), ENOENT));
    CASE("two names of one file",
         link("r2", "r4") == 0 && rename("r2", "r4") == 0 && access("r2", F_OK) == 0 && access("r4", F_OK) == 0);
    mkdir("rd", 0755);
    mkdir("rd/sub", 0755);
    mkdir("re", 0755);
    CASE("a folder below itself", FAILS(rename("rd", "rd/sub/x"), EINVAL));
    CASE("a folder over a full one",
         make_closed("re/f", "") == 0 && FAILS(rename("rd", "re"), ENOTEMPTY) && unlink("re/f") == 0);
    CASE("a file over a folder, a folder over a file",
         FAILS(rename("r2", "re"), EISDIR) && FAILS(rename("re", "r2"), ENOTDIR));
    CASE("over its own parent", FAILS(rename("rd/sub", "rd"), ENOTEMPTY));
    CASE("a folder over an empty one",
         rename("rd", "re") == 0 && access("re/sub", F_OK) == 0 && FAILS(access("rd", F_OK), ENOENT));
    CASE("to another folder: link counts",
         rename("re/sub", "sub") == 0 && stat("re", &one) == 0 && one.st_nlink == 2);
    CASE("dots",
         FAILS(rename("re/.", "x"), EBUSY) && FAILS(rename("r2", "re/.."), EBUSY) && FAILS(rename("/", "x"), EBUSY));
    CASE("NOREPLACE", make_closed("n1", "n1") == 0 && make_closed("n2", "n2") == 0 &&
                          rename2("n1", "n2", RENAME_NO) == -1 && errno == EEXIST &&
                          rename2("n1", "n3", RENAME_NO) == 0 && holds("n3", "n1"));
    CASE("EXCHANGE", stat("n3", &one) == 0 && rename2("n3", "sub", RENAME_SWAP) == 0 && stat("sub", &two) == 0 &&
                         one.st_ino == two.st_ino && stat("n3", &one) == 0 && S_ISDIR(one.st_mode));
    CASE("EXCHANGE with nothing", rename2("n3", "nothing", RENAME_SWAP) == -1 && errno == ENOENT);
    CASE("unknown flags", rename2("n3", "x", RENAME_NO | RENAME_SWAP) == -1 && errno == EINVAL &&
                              rename2("n3", "x", 64) == -1 && errno == EINVAL);
    CASE("a slash behind a file", FAILS(rename("n2", "n9/"), ENOTDIR) && FAILS(rename("n2/", "n9"), ENOTDIR));
}

static void test_contents(void)
{
    static char buffer[70000], back[70000];
    struct iovec vector[2] = {{"he", 2}, {"llo", 3}};
    struct stat status;
    int fd = make("c", ""), again;

    for (unsigned i = 0; i < sizeof buffer; i++)
        buffer[i] = (char)(i * 31 + i / 97);
    CASE("write and read",
         write(fd, buffer, sizeof buffer) == sizeof buffer && lseek(fd, 0, SEEK_CUR) == sizeof buffer &&
             pread(fd, back, sizeof back, 0) == sizeof back && memcmp(buffer, back, sizeof back) == 0);
    CASE("another description sees it",
         (again = open("c", O_RDONLY)) >= 0 && read(again, back, 100) == 100 && memcmp(buffer, back, 100) == 0);
    CASE("and what changes",
         pwrite(fd, "xyz", 3, 50) == 3 && pread(again, back, 3, 50) == 3 && memcmp(back, "xyz", 3) == 0);
    CASE("the end", pread(fd, back, 10, sizeof buffer - 4) == 4 && pread(fd, back, 10, sizeof buffer) == 0 &&
                        pread(fd, back, 10, 1 << 30) == 0);
    CASE("ftruncate down and up", ftruncate(fd, 5000) == 0 && ftruncate(fd, 20000) == 0 &&
                                      pread(fd, back, 20000, 0) == 20000 && back[4999] == buffer[4999] &&
                                      back[5000] == 0 && back[19999] == 0 && memcmp(back, buffer, 50) == 0);
    CASE("and for the other", pread(again, back, 100, 5000) == 100 && back[0] == 0 && back[99] == 0);
    CASE("a write far beyond the end", pwrite(fd, "end", 3, 10000000) == 3 && fstat(fd, &status) == 0 &&
                                           status.st_size == 10000003 && status.st_blocks < 1000);
    CASE("reads as zeros", pread(fd, back, 4096, 5000000) == 4096 && back[0] == 0 && back[4095] == 0);
    CASE("SEEK_HOLE and SEEK_DATA", lseek(fd, 100000, SEEK_DATA) > 9990000 && lseek(fd, 0, SEEK_HOLE) <= 24576 &&
                                        FAILS(lseek(fd, 10000003, SEEK_DATA), ENXIO));
    CASE("lseek", lseek(fd, -3, SEEK_END) == 10000000 && FAILS(lseek(fd, -1, SEEK_SET), EINVAL) &&
                      FAILS(lseek(fd, 0, 9), EINVAL));
    CASE("O_APPEND", fcntl(fd, F_SETFL, O_APPEND) == 0 && ftruncate(fd, 10) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
                         write(fd, "end", 3) == 3 && lseek(fd, 0, SEEK_CUR) == 13 && pread(fd, back, 3, 10) == 3 &&
                         memcmp(back, "end", 3) == 0);
    CASE("vectors", writev(fd, vector, 2) == 5 && pread(fd, back, 5, 13) == 5 && memcmp(back, "hello", 5) == 0);
    CASE("negative offsets", FAILS(pread(fd, back, 1, -1), EINVAL) && FAILS(pwrite(fd, back, 1, -1), EINVAL) &&
                                 FAILS(ftruncate(fd, -1), EINVAL));
    CASE("ftruncate of what is not for writing",
         FAILS(ftruncate(again, 0), EINVAL) && FAILS(write(again, "x", 1), EBADF));
    CASE("truncate", truncate("c", 3) == 0 && stat("c", &status) == 0 && status.st_size == 3 &&
                         FAILS(truncate(".", 0), EISDIR) && FAILS(truncate("none", 0), ENOENT));
    CASE("fallocate", fallocate(fd, 0, 0, 100000) == 0 && fstat(fd, &status) == 0 && status.st_size == 100000 &&
                          status.st_blocks >= 190 &&
                          fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100000) == 0 &&
                          fstat(fd, &status) == 0 && status.st_size == 100000 && status.st_blocks < 50 &&
                          pread(fd, back, 3, 0) == 3 && back[0] == 0);
    close(fd);
    close(again);
}

/* Several processes append: no byte is lost, and no record torn. */
static void test_appends(void)
{
    enum { WRITERS = 4, RECORDS = 150, BYTES = 3000 };
    static char record[BYTES];
    unsigned counts[WRITERS] = {0}, torn = 0;
    struct stat status;
    int fd;

    make_closed("append", "");
    for (int writer = 0; writer < WRITERS; writer++) {
        if (fork() == 0) {
            fd = open("append", O_WRONLY | O_APPEND);
            memset(record, 'A' + writer, BYTES);
            for (int i = 0; i < RECORDS; i++) {
                if (write(fd, record, i % 2 ? BYTES : 100) != (i % 2 ? BYTES : 100))
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int writer = 0, exit_status; writer < WRITERS; writer++)
        torn += wait(&exit_status) < 0 || exit_status != 0;
    CASE("the length is the sum",
         torn == 0 && stat("append", &status) == 0 && status.st_size == WRITERS * RECORDS / 2 * (BYTES + 100));
    fd = open("append", O_RDONLY);
    for (char letter; read(fd, &letter, 1) == 1 && letter >= 'A' && letter < 'A' + WRITERS;) {
        size_t bytes = counts[letter - 'A']++ % 2 ? BYTES : 100;

        torn += read(fd, record, bytes - 1) != (ssize_t)bytes - 1;
        for (size_t i = 0; i < bytes - 1; i++)
            torn += record[i] != letter;
    }
    close(fd);
    CASE("no record is torn",
         torn == 0 && counts[0] == RECORDS && counts[1] == RECORDS && counts[2] == RECORDS && counts[3] == RECORDS);
}

/* Parent and child share the position. */
static void test_shared_position(void)
{
    char text[16] = "";
    int fd = make("position", "abcdefgh"), status = -1;

    lseek(fd, 0, SEEK_SET);
    if (fork() == 0)
        _exit(read(fd, text, 3) != 3);
    wait(&status);
    CASE("a child's read moves the parent's position",
         status == 0 && read(fd, text, 3) == 3 && memcmp(text, "def", 3) == 0);
    close(fd);
}

static void test_unlinked(void)
{
    char text[16] = "";
    struct stat status;
    int fd = make("gone", "still here"), fresh, child = -1;

    CASE("unlink of an open file", unlink("gone") == 0 && fstat(fd, &status) == 0 && status.st_nlink == 0 &&
                                       pread(fd, text, 10, 0) == 10 && strcmp(text, "still here") == 0);
    CASE("can be written", pwrite(fd, "more", 4, 10) == 4 && fstat(fd, &status) == 0 && status.st_size == 14);
    if (fork() == 0) {
        for (int i = 0; i < 50; i++) /* others come and go in the meantime */
            close(make("other", "x")), unlink("other");
        _exit(pread(fd, text, 10, 0) != 10 || memcmp(text, "still here", 10) != 0);
    }
    close(fd);
    wait(&child);
    CASE("a child keeps it when the parent lets go", child == 0);
    fd = make("old", "old");
    make_closed("fresh", "new");
    CASE("rename over an open file", rename("fresh", "old") == 0 && pread(fd, text, 3, 0) == 3 &&
                                         memcmp(text, "old", 3) == 0 && holds("old", "new"));
    close(fd);
    mkdir("away", 0755);
    CASE("a folder removed under one's feet",
         chdir("away") == 0 && rmdir("../away") == 0 && FAILS(open("x", O_CREAT | O_WRONLY, 0644), ENOENT) &&
             !getcwd(text, sizeof text) && errno == ENOENT && stat(".", &status) == 0 && chdir(folder) == 0);
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    CASE("O_TMPFILE", fd >= 0 && write(fd, "tmp", 3) == 3 && fstat(fd, &status) == 0 && status.st_nlink == 0);
    CASE("gets a name", linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH) == 0 && holds("named", "tmp"));
    close(fd);
    CASE("what was open is gone after close",
         (fresh = open("named", O_RDONLY)) >= 0 && unlink("named") == 0 && close(fresh) == 0);
}

static void test_mapping(void)
{
    static char back[8192];
    int fd = make("m", ""), status = -1;
    char *shared, *private;

    ftruncate(fd, 12288);
    pwrite(fd, "file", 4, 0);
    shared = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    private = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CASE("a mapping shows the file", shared != MAP_FAILED && private != MAP_FAILED &&
                                         memcmp(shared, "file", 4) == 0 && memcmp(private, "file", 4) == 0);
    memcpy(shared + 5000, "shared", 6);
    CASE("a shared mapping's writes are the file's", pread(fd, back, 6, 5000) == 6 && memcmp(back, "shared", 6) == 0);
    pwrite(fd, "write", 5, 9000);
    CASE("the file's writes are the mapping's", memcmp(shared + 9000, "write", 5) == 0);
    memcpy(private, "mine", 4);
    CASE("a private mapping's writes are its own",
         pread(fd, back, 4, 0) == 4 && memcmp(back, "file", 4) == 0 && memcmp(shared, "file", 4) == 0);
    if (fork() == 0) {
        memcpy(shared + 100, "child", 5);
        memcpy(private + 100, "child", 5);
        _exit(0);
    }
    wait(&status);
    CASE("a child writes the shared one and its own private one",
         memcmp(shared + 100, "child", 5) == 0 && memcmp(private + 100, "child", 5) != 0);
    CASE("a mapping outlives descriptor and name",
         close(fd) == 0 && unlink("m") == 0 && memcmp(shared + 5000, "shared", 6) == 0);
    CASE("read straight into a mapping of the same file",
         (fd = make("m2", "0123456789")) >= 0 &&
             (shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED &&
             pread(fd, shared + 5, 4, 0) == 4 && memcmp(shared, "0123401239", 10) == 0);
    CASE("write shared needs a descriptor for both",
         close(fd) == 0 && (fd = open("m2", O_RDONLY)) >= 0 &&
             mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES &&
             mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
    close(fd);
}

static void test_listing(void)
{
    enum { FILES = 500 };
    static unsigned char seen[FILES];
    char name[32];
    unsigned dots = 0, twice = 0, removed = 0, missing = 0;
    struct dirent *entry;
    DIR *list;
    long place;

    mkdir("list", 0755);
    chdir("list");
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file-%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0644));
    }
    list = opendir(".");
    while ((entry = readdir(list))) {
        int number = entry->d_name[0] == '.' ? -1 : atoi(entry->d_name + 5);

        dots += number < 0;
        if (number >= 0 && number < FILES)
            twice += seen[number]++ > 0;
        if (number >= 0 && number % 2 && unlink(entry->d_name) == 0) /* as rm -r does */
            removed++;
    }
    for (int i = 0; i < FILES; i++)
        missing += !seen[i];
    CASE("every name once, while every other is removed",
         dots == 2 && twice == 0 && missing == 0 && removed == FILES / 2);
    rewinddir(list);
    for (int i = 0; i < 100; i++)
        entry = readdir(list);
    place = telldir(list);
    entry = readdir(list);
    snprintf(name, sizeof name, "%.31s", entry ? entry->d_name : "");
    for (int i = 0; i < 50; i++)
        (void)!readdir(list);
    seekdir(list, place);
    entry = readdir(list);
    CASE("telldir and seekdir", entry && strcmp(entry->d_name, name) == 0);
    CASE("a folder is not read as a file",
         FAILS(read(dirfd(list), name, 4), EISDIR) && FAILS(syscall(SYS_getdents64, 0, name, sizeof name), ENOTDIR));
    CASE("a buffer too small", syscall(SYS_lseek, dirfd(list), 0, SEEK_SET) == 0 &&
                                   FAILS(syscall(SYS_getdents64, dirfd(list), name, 8), EINVAL));
    closedir(list);
    chdir("..");
}

static void test_attributes(void)
{
    struct timespec times[2] = {{1000000000, 123456789}, {-5, 999999999}};
    struct timeval old_times[2] = {{7, 8}, {9, 10}};
    struct utimbuf oldest = {1, 2};
    struct stat status;
    struct statfs system;
    struct extended extended;
    int fd = make("t", "x");

    CASE("utimensat", utimensat(AT_FDCWD, "t", times, 0) == 0 && stat("t", &status) == 0 &&
                          status.st_atim.tv_sec == 1000000000 && status.st_atim.tv_nsec == 123456789 &&
                          status.st_mtim.tv_sec == -5 && status.st_mtim.tv_nsec == 999999999);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = UTIME_NOW;
    CASE("OMIT and NOW", futimens(fd, times) == 0 && fstat(fd, &status) == 0 && status.st_atim.tv_sec == 1000000000 &&
                             labs(status.st_mtim.tv_sec - time(NULL)) < 5);
    times[0].tv_nsec = 1000000000;
    CASE("bad nanoseconds", FAILS(utimensat(AT_FDCWD, "t", times, 0), EINVAL));
    CASE("utimes and utime", utimes("t", old_times) == 0 && stat("t", &status) == 0 && status.st_mtim.tv_sec == 9 &&
                                 status.st_mtim.tv_nsec == 10000 && utime("t", &oldest) == 0 &&
                                 stat("t", &status) == 0 && status.st_atim.tv_sec == 1 && status.st_mtim.tv_sec == 2);
    CASE("a write changes the time",
         write(fd, "y", 1) == 1 && fstat(fd, &status) == 0 && status.st_mtim.tv_sec > 1000);
    CASE("a read changes the access time once it is older",
         pread(fd, &oldest, 1, 0) == 1 && fstat(fd, &status) == 0 && status.st_atim.tv_sec > 1000);
    CASE("chmod and chown", chmod("t", 04711) == 0 && chown("t", 12, 34) == 0 && stat("t", &status) == 0 &&
                                (status.st_mode & 07777) == 0711 && status.st_uid == 12 && status.st_gid == 34 &&
                                fchown(fd, -1, 0) == 0 && fstat(fd, &status) == 0 && status.st_uid == 12 &&
                                status.st_gid == 0);
    CASE("lchown", symlink("t", "tl") == 0 && lchown("tl", 5, 6) == 0 && lstat("tl", &status) == 0 &&
                       status.st_uid == 5 && stat("t", &status) == 0 && status.st_uid == 12);
    CASE("statx", syscall(SYS_statx, AT_FDCWD, "t", 0, 0xfff, &extended) == 0 && extended.uid == 12 &&
                      extended.size == 2 && extended.mode == status.st_mode && extended.ino == status.st_ino);
    CASE("statfs", statfs(".", &system) == 0 && system.f_bsize > 0 && system.f_blocks >= system.f_bfree &&
                       system.f_namelen == 255);
    CASE("fstat by an empty path", fstatat(fd, "", &status, AT_EMPTY_PATH) == 0 && status.st_size == 2 &&
                                       FAILS(fstatat(fd, "", &status, 0), ENOENT));
    CASE("access", access("t", R_OK | W_OK | X_OK) == 0 && chmod("t", 0600) == 0 &&
                       FAILS(access("t", X_OK), EACCES) && FAILS(access("t", 9), EINVAL));
    CASE("mknod", mknod("null", S_IFCHR | 0600, 0x103) == 0 && stat("null", &status) == 0 &&
                      S_ISCHR(status.st_mode) && status.st_rdev == 0x103 && mknod("plain", 0644, 0) == 0 &&
                      stat("plain", &status) == 0 && S_ISREG(status.st_mode) &&
                      FAILS(mknod("dir2", S_IFDIR, 0), EPERM));
    close(fd);
}

/* In a child, as an ordinary user. */
static void test_user(void)
{
    struct stat status;
    int exit_status = -1, fd;

    make_closed("private", "secret");
    chmod("private", 0600);
    mkdir("closed", 0700);
    make_closed("closed/in", "x");
    mkdir("sticky", 01777);
    chmod("sticky", 01777);
    make_closed("sticky/mine", "x");
    chmod("sticky/mine", 0666);
    fd = open("private", O_RDWR);
    chmod(".", 0755);
    if (fork() == 0) {
        char text[8];
        int failed = 0;

        failed |= setgid(1000) || setuid(1000);
        failed |= !FAILS(open("private", O_RDONLY), EACCES) << 1;
        failed |= !FAILS(stat("closed/in", &status), EACCES) << 2;
        failed |= !FAILS(open("new", O_CREAT | O_WRONLY, 0644), EACCES) << 3;
        failed |= !FAILS(unlink("sticky/mine"), EPERM) << 4;
        failed |= !(FAILS(chmod("sticky/mine", 0777), EPERM) && FAILS(chown("private", 1000, 1000), EPERM)) << 5;
        failed |= !(pread(fd, text, 6, 0) == 6 && pwrite(fd, "S", 1, 0) == 1) << 6; /* open since before */
        failed |= !(close(open("sticky/own", O_CREAT | O_WRONLY, 0200)) == 0 &&
                    FAILS(open("sticky/own", O_RDONLY), EACCES) && open("sticky/own", O_WRONLY) >= 0 &&
                    unlink("sticky/own") == 0)
                  << 7;
        _exit(failed);
    }
    wait(&exit_status);
    if (exit_status)
        printf("# status %x\n", exit_status);
    CASE("an ordinary user", exit_status == 0 && holds("private", "Secret"));
    close(fd);
}

#define WILD(call) (FAILS(call, EFAULT) || (printf("# %s: %s\n", #call, strerror(errno)), 0))
static void test_wild_pointers(void)
{
    char *bad[] = {(char *)8, (char *)0x7ffff0000000, (char *)-4096, (char *)0x800000000000};
    int fd = make("w", "some text"), folder_fd = open(".", O_RDONLY), good = 1;
    struct stat status;

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *p = bad[i];

        good &= WILD(syscall(SYS_open, p, O_RDONLY, 0)) && WILD(syscall(SYS_openat, AT_FDCWD, p, O_RDONLY, 0)) &&
                WILD(syscall(SYS_stat, p, &status)) && WILD(syscall(SYS_stat, "w", p)) &&
                WILD(syscall(SYS_lstat, p, &status)) && WILD(syscall(SYS_fstat, fd, p)) &&
                WILD(syscall(SYS_newfstatat, AT_FDCWD, p, &status, 0)) &&
                WILD(syscall(SYS_newfstatat, AT_FDCWD, "w", p, 0)) && WILD(syscall(SYS_access, p, 0)) &&
                WILD(syscall(SYS_mkdir, p, 0755)) && WILD(syscall(SYS_rmdir, p)) && WILD(syscall(SYS_unlink, p));
        good &= WILD(syscall(SYS_rename, p, "x")) && WILD(syscall(SYS_rename, "w", p)) &&
                WILD(syscall(SYS_link, p, "x")) && WILD(syscall(SYS_link, "w", p)) &&
                WILD(syscall(SYS_symlink, p, "x")) && WILD(syscall(SYS_symlink, "x", p)) &&
                WILD(syscall(SYS_readlink, p, &status, 10)) && WILD(syscall(SYS_chmod, p, 0)) &&
                WILD(syscall(SYS_chown, p, 0, 0)) && WILD(syscall(SYS_truncate, p, 0)) &&
                WILD(syscall(SYS_chdir, p)) && WILD(syscall(SYS_getcwd, p, 100)) &&
                WILD(syscall(SYS_statfs, p, &status)) && WILD(syscall(SYS_statfs, ".", p)) &&
                WILD(syscall(SYS_fstatfs, fd, p)) && WILD(syscall(SYS_mknod, p, 0600, 0));
        lseek(fd, 0, SEEK_SET);
        good &= WILD(syscall(SYS_read, fd, p, 5)) && WILD(syscall(SYS_pread64, fd, p, 5, 0)) &&
                WILD(syscall(SYS_write, fd, p, 5)) && WILD(syscall(SYS_pwrite64, fd, p, 5, 0)) &&
                WILD(syscall(SYS_getdents64, folder_fd, p, 500)) &&
                WILD(syscall(SYS_statx, AT_FDCWD, "w", 0, 0x7ff, p)) &&
                WILD(syscall(SYS_utimensat, AT_FDCWD, "w", p, 0)) &&
                WILD(syscall(SYS_utimensat, AT_FDCWD, p, NULL, 0)) && WILD(syscall(SYS_utime, "w", p)) &&
                WILD(syscall(SYS_utimes, "w", p)) && WILD(syscall(SYS_chroot, p));
        if (!good) {
            printf("# %p\n", (void *)p);
            break;
        }
    }
    CASE("EFAULT from every call", good);
    CASE("and the file is what it was", holds("w", "some text"));
    close(fd);
    close(folder_fd);
}

static void test_roots(void)
{
    char text[64];
    int status = -1;

    mkdir("jail", 0755);
    mkdir("jail/etc", 0755);
    make_closed("jail/etc/inside", "in");
    symlink("/etc/inside", "jail/link");
    if (fork() == 0) {
        int good = chroot("jail") == 0 && chdir("/") == 0 && holds("/etc/inside", "in") && holds("/link", "in") &&
                   holds("../../etc/inside", "in") && getcwd(text, sizeof text) && strcmp(text, "/") == 0 &&
                   chdir("etc") == 0 && getcwd(text, sizeof text) && strcmp(text, "/etc") == 0 &&
                   FAILS(access("/bin/sh", F_OK), ENOENT);

        _exit(!good);
    }
    wait(&status);
    CASE("chroot", status == 0);
    CASE("getcwd", getcwd(text, sizeof text) && strcmp(text, folder) == 0 && !getcwd(text, 2) && errno == ERANGE);
}

static void test_limits(void)
{
    struct rlimit limit = {1000, 1000};
    static char buffer[2000];
    int status = -1;

    if (fork() == 0) {
        int fd = make("limited", ""), good;

        signal(SIGXFSZ, SIG_IGN);
        good = setrlimit(RLIMIT_FSIZE, &limit) == 0 && write(fd, buffer, 2000) == 1000 &&
               FAILS(write(fd, buffer, 1), EFBIG) && FAILS(ftruncate(fd, 1001), EFBIG);
        _exit(!good);
    }
    wait(&status);
    CASE("RLIMIT_FSIZE", status == 0);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/files-%d", (int)getpid());
    if (mkdir(folder, 0755) != 0 || chdir(folder) != 0)
        return 2;
    umask(022);
    signal(SIGPIPE, SIG_DFL);
    test_open();
    test_names();
    test_rename();
    test_contents();
    test_appends();
    test_shared_position();
    test_unlinked();
    test_mapping();
    test_listing();
    test_attributes();
    test_user();
    test_wild_pointers();
    test_roots();
    test_limits();
    return tap_finish();
}
