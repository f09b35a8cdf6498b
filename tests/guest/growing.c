/*
 * Files that one process writes at their end, again and again, while others look: whoever was told of a write sees all of it. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define WRITES 300
#define MOST 6000
#define APPENDERS 3

static unsigned char bytes[MOST];
static int asked[2], told[2];

static size_t length_of(unsigned number)
{
    return 1 + number * 2654435761u % (number % 3 ? 300 : MOST - 1);
}

static off_t size_at(const char *path)
{
    struct stat stat_there;

    return stat(path, &stat_there) == 0 ? stat_there.st_size : -1;
}

/* A child that writes `count` pieces, each when it is told to, and says how long the file is then. */
static pid_t writer(const char *path, int flags, unsigned count)
{
    off_t size = 0;
    char go;

    if (pipe(asked) || pipe(told))
        return -1;
    pid_t child = fork();
    if (child != 0)
        return child;
    close(asked[1]);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | flags, 0600);
    for (unsigned i = 0; i < count && read(asked[0], &go, 1) == 1; i++) {
        memset(bytes, (int)(i % 251), length_of(i));
        if (write(fd, bytes, length_of(i)) != (ssize_t)length_of(i))
            _exit(1);
        size += (off_t)length_of(i);
        if (write(told[1], &size, sizeof size) != sizeof size)
            _exit(2);
    }
    _exit(0);
}

static off_t next_size(void)
{
    off_t size = -1;

    return write(asked[1], "g", 1) == 1 && read(told[0], &size, sizeof size) == sizeof size ? size : -1;
}

static int ended(pid_t child)
{
    int status = -1;

    close(asked[0]), close(asked[1]), close(told[0]), close(told[1]);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* `every`: how often somebody looks. */
static void test_seen(const char *name, int flags, unsigned every)
{
    pid_t child = writer("seen", flags, WRITES);
    unsigned good = 0, looks = 0;
    int fd = -1;
    unsigned char *map = MAP_FAILED;

    for (unsigned i = 0; i < WRITES; i++) {
        off_t size = next_size();
        unsigned char last = 0;

        if (fd < 0) {
            fd = open("seen", O_RDWR);
            map = mmap(NULL, WRITES * MOST, PROT_READ, MAP_SHARED, fd, 0);
        }
        if (i % every)
            continue;
        looks++;
        switch (i / every % 4) {
        case 0: good += size_at("seen") == size; break;
        case 1: good += lseek(fd, 0, SEEK_END) == size; break;
        case 2: good += pread(fd, &last, 1, size - 1) == 1 && last == i % 251 && pread(fd, &last, 1, size) == 0; break;
        default: good += map[size - 1] == i % 251;
        }
    }
    CASE(name, good == looks);
    CASE("and the writer ended well", ended(child));
    munmap(map, WRITES * MOST);
    close(fd);
}

/* Another one changes the file between two writes. */
static void test_changed(void)
{
    pid_t child = writer("changed", O_APPEND, 100);
    off_t expected = 0;
    unsigned good = 0;

    for (unsigned i = 0; i < 100; i++) {
        unsigned char last = 0xff;
        int fd;

        if (next_size() < 0)
            break;
        expected += (off_t)length_of(i);
        fd = open("changed", O_RDWR);
        good += pread(fd, &last, 1, expected - 1) == 1 && last == i % 251 && size_at("changed") == expected;
        if (i % 10 == 5 && ftruncate(fd, expected / 2) == 0)
            expected /= 2;
        if (i % 10 == 8 && pwrite(fd, "more", 4, expected + 10000) == 4)
            expected += 10004;
        if (i % 10 == 9)
            good += pread(fd, &last, 1, expected - 5 - (off_t)length_of(i)) == 1 && last == 0;
        close(fd);
    }
    CASE("cut and lengthened by another between appends", good == 110);
    CASE("and the writer ended well", ended(child));
}

static void appender(int which, int fd)
{
    for (unsigned i = 0; i < WRITES; i++) {
        size_t length = 16 + length_of(i + (unsigned)which) % 2000;

        memset(bytes, 'a' + which, length);
        memcpy(bytes, &length, sizeof length);
        if (write(fd, bytes, length) != (ssize_t)length)
            _exit(1);
    }
    _exit(0);
}

static void test_appenders(void)
{
    unsigned good = 0, counts[APPENDERS] = {0};
    int fd, status;
    size_t length;

    close(open("appended", O_CREAT | O_TRUNC | O_RDWR, 0600));
    for (int i = 0; i < APPENDERS; i++)
        if (fork() == 0)
            appender(i, open("appended", O_WRONLY | O_APPEND));
    for (int i = 0; i < APPENDERS; i++)
        good += wait(&status) > 0 && status == 0;
    CASE("several append to one file", good == APPENDERS);
    fd = open("appended", O_RDONLY);
    for (good = 1; good && read(fd, &length, sizeof length) == sizeof length;) {
        size_t rest = length - sizeof length;

        good = length >= 16 && length < MOST && read(fd, bytes, rest) == (ssize_t)rest && bytes[0] >= 'a' && bytes[0] < 'a' + APPENDERS;
        for (size_t i = 0; good && i < rest; i++)
            good = bytes[i] == bytes[0];
        if (good)
            counts[bytes[0] - 'a']++;
    }
    CASE("each record is whole", good);
    CASE("and none is missing", counts[0] == WRITES && counts[1] == WRITES && counts[2] == WRITES);
    close(fd);
}

/* A description that a child has, too. */
static void test_shared(void)
{
    int fd = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600), status = 1;
    unsigned good = 0;

    for (unsigned i = 0; i < 20; i++)
        good += write(fd, "parent..", 8) == 8;
    for (unsigned round = 0; round < 5; round++) {
        pid_t child = fork();

        if (child == 0) {
            for (unsigned i = 0; i < 10; i++)
                if (write(fd, "child...", 8) != 8)
                    _exit(1);
            _exit(lseek(fd, 0, SEEK_CUR) == lseek(fd, 0, SEEK_END) ? 0 : 2);
        }
        good += waitpid(child, &status, 0) == child && status == 0;
        for (unsigned i = 0; i < 10; i++)
            good += write(fd, "parent..", 8) == 8;
    }
    CASE("parent and child in turns", good == 75 && size_at("shared") == 8 * 120);
    for (unsigned i = 0; i < 120; i++) {
        char text[8];

        good += pread(fd, text, 8, (off_t)i * 8) == 8 && memcmp(text, i < 20 || (i - 20) / 10 % 2 ? "parent.." : "child...", 8) == 0;
    }
    CASE("in their order", good == 195);
    close(fd);
}

static void test_killed(void)
{
    pid_t child = writer("killed", 0, WRITES);
    off_t size = 0;

    for (unsigned i = 0; i < 50; i++)
        size = next_size();
    CASE("a writer is killed", kill(child, SIGKILL) == 0 && !ended(child));
    CASE("and the file is as long as it said", size > 0 && size_at("killed") == size);
}

static void test_limit(void)
{
    struct rlimit old, limit;
    int fd = open("limit", O_WRONLY | O_CREAT | O_TRUNC, 0600), wrote = 0;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 10050;
    setrlimit(RLIMIT_FSIZE, &limit);
    while (write(fd, bytes, 100) == 100)
        wrote++;
    CASE("up to the limit", wrote == 100 && size_at("limit") == 10050);
    CASE("and no further", write(fd, bytes, 1) == -1 && errno == EFBIG);
    setrlimit(RLIMIT_FSIZE, &old);
    close(fd);
}

static void test_times(void)
{
    struct stat before, after;
    int fd = open("times", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    for (unsigned i = 0; i < 20; i++)
        (void)!write(fd, bytes, 100);
    fstat(fd, &before);
    usleep(30000);
    for (unsigned i = 0; i < 20; i++)
        (void)!write(fd, bytes, 100);
    fstat(fd, &after);
    CASE("the time of change follows",
         after.st_size == 4000 && (after.st_mtim.tv_sec > before.st_mtim.tv_sec || after.st_mtim.tv_nsec > before.st_mtim.tv_nsec));
    CASE("blocks are those of the file", after.st_blocks == 8);
    close(fd);
    unlink("times");
}

int main(void)
{
    test_seen("each write is seen", 0, 1);
    test_seen("each append is seen", O_APPEND, 1);
    test_seen("writes are seen when somebody looks, seldom", 0, 37);
    test_seen("so are appends", O_APPEND, 23);
    test_changed();
    test_appenders();
    test_shared();
    test_killed();
    test_limit();
    test_times();
    return tap_finish();
}
