/*
 * memfd_create and its seals, with read, write, mappings and other processes; what it refuses. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define REFUSES_MAP(call, error) ((call) == MAP_FAILED && errno == (error))
#define PAGE 4096
#define BIG (100 * PAGE)

static void *volatile wild = (void *)16;
static char data[BIG], back[BIG];

static void test_file(void)
{
    int fd = memfd_create("a name", MFD_CLOEXEC), other, status;
    char path[64], link[64] = "", *map;
    struct stat stat;
    pid_t child;

    CASE("a file that closes on exec", fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    CASE("empty, nameless, one's own",
        fstat(fd, &stat) == 0 && stat.st_size == 0 && stat.st_nlink == 0 && stat.st_mode == (S_IFREG | 0777) && stat.st_uid == getuid());
    CASE("written and read", write(fd, data, BIG) == BIG && pread(fd, back, BIG, 0) == BIG && !memcmp(data, back, BIG));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CASE("its name", readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, "/memfd:a name (deleted)"));
    other = open(path, O_RDONLY);
    CASE("opened again", other >= 0 && read(other, back, 10) == 10 && FAILS(write(other, "x", 1), EBADF));
    map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    child = fork();
    if (child == 0) {
        strcpy(map, "from the child");
        _exit(ftruncate(fd, 2 * PAGE));
    }
    waitpid(child, &status, 0);
    CASE("shared with a child", status == 0 && !strcmp(map, "from the child") && fstat(other, &stat) == 0 && stat.st_size == 2 * PAGE);
    munmap(map, PAGE);
    CASE("two of one name are two", (status = memfd_create("a name", 0)) >= 0 && fstat(status, &stat) == 0 && stat.st_size == 0);
    CASE("not to be sealed", fcntl(fd, F_GET_SEALS) == F_SEAL_SEAL && FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM));
    close(fd);
    CASE("it stays while somebody has it", pread(other, back, 14, 0) == 14 && !memcmp(back, "from the child", 14));
    close(other);
    close(status);
}

static void test_sizes(void)
{
    int fd = memfd_create("s", MFD_ALLOW_SEALING);

    (void)!ftruncate(fd, PAGE);
    CASE("no seals at first", fcntl(fd, F_GET_SEALS) == 0);
    CASE("sealed against shrinking",
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0 && FAILS(ftruncate(fd, 10), EPERM) && ftruncate(fd, 2 * PAGE) == 0);
    CASE("and growing", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0 && FAILS(ftruncate(fd, 3 * PAGE), EPERM) &&
                            FAILS(pwrite(fd, "x", 1, 2 * PAGE), EPERM) && FAILS(fallocate(fd, 0, 0, 3 * PAGE), EPERM) &&
                            pwrite(fd, "x", 1, PAGE) == 1);
    CASE("both are told", fcntl(fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW));
    CASE("the last seal",
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) == 0 && FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM) && pwrite(fd, "y", 1, 0) == 1);
    close(fd);
}

static void test_write_seal(void)
{
    int fd = memfd_create("w", MFD_ALLOW_SEALING), reader, status;
    char path[64], *map, *private;
    pid_t child;

    (void)!write(fd, data, BIG);
    map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CASE("not while it is mapped for writing", FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY));
    munmap(map, PAGE);
    CASE("sealed against writing",
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0 && FAILS(pwrite(fd, "x", 1, 0), EPERM) && FAILS(pwrite(fd, data, PAGE, 0), EPERM));
    CASE("nor by a hole", FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM));
    CASE("its contents are what they were", pread(fd, back, BIG, 0) == BIG && !memcmp(back, data, BIG));
    CASE("no writable mapping", REFUSES_MAP(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    reader = open(path, O_RDONLY);
    map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    CASE("a readable one, which stays so",
        map != MAP_FAILED && !memcmp(map, data, PAGE) && FAILS(mprotect(map, PAGE, PROT_READ | PROT_WRITE), EACCES));
    private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CASE("a private one is one's own", private != MAP_FAILED && (private[0]++, !memcmp(map, data, PAGE)));
    child = fork();
    if (child == 0)
        _exit(FAILS(pwrite(fd, "x", 1, 0), EPERM) && FAILS(write(open(path, O_RDWR), "x", 1), EPERM) ? 3 : 1);
    waitpid(child, &status, 0);
    CASE("for everybody", WIFEXITED(status) && WEXITSTATUS(status) == 3 && pread(reader, back, 1, 0) == 1 && back[0] == data[0]);
    CASE("growing is another thing", ftruncate(fd, BIG + 1) == 0);
    close(reader);
    close(fd);
}

static void test_future_seal(void)
{
    int fd = memfd_create("f", MFD_ALLOW_SEALING);

    (void)!write(fd, data, PAGE);
    CASE("future writes", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0 && FAILS(write(fd, "x", 1), EPERM) &&
                              REFUSES_MAP(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM));
    close(fd);
}

static void test_misuse(void)
{
    char name[300];
    int fd = memfd_create("", 0), pipes[2], reader;

    memset(name, 'x', sizeof name);
    name[249] = 0;
    CASE("an empty name, the longest", fd >= 0 && (close(fd), fd = memfd_create(name, MFD_ALLOW_SEALING)) >= 0);
    name[249] = 'x', name[250] = 0;
    CASE("a longer one", FAILS(memfd_create(name, 0), EINVAL) && FAILS(memfd_create(wild, 0), EFAULT));
    CASE("unknown flags", FAILS(memfd_create("x", 0x4000), EINVAL));
    CASE("unknown seals", FAILS(fcntl(fd, F_ADD_SEALS, 0x4000), EINVAL));
    CASE("seals of a pipe",
        pipe(pipes) == 0 && FAILS(fcntl(pipes[0], F_GET_SEALS), EINVAL) && FAILS(fcntl(pipes[1], F_ADD_SEALS, F_SEAL_GROW), EINVAL));
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    reader = open(name, O_RDONLY);
    CASE("by who may only read", FAILS(fcntl(reader, F_ADD_SEALS, F_SEAL_GROW), EPERM) && fcntl(reader, F_GET_SEALS) == 0);
    CASE("no name by linking", FAILS(linkat(AT_FDCWD, name, AT_FDCWD, "/tmp/memfd", AT_SYMLINK_FOLLOW), ENOENT) || errno == EXDEV);
    for (int i = 0; i < 1000; i++) {
        int one = memfd_create("many", 0);

        if (one < 0 || write(one, data, 10 * PAGE) != 10 * PAGE || close(one) != 0)
            CASE("memory comes back", 0);
    }
    close(fd);
    close(reader);
}

int main(void)
{
    for (int i = 0; i < BIG; i++)
        data[i] = (char)(i * 7 ^ i >> 8);
    test_file();
    test_sizes();
    test_write_seal();
    test_future_seal();
    test_misuse();
    return tap_finish();
}
