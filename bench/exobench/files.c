/* Files that are in memory already: what names, descriptors and copies cost. */
#define _GNU_SOURCE
#include "bench.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_BYTES (1 << 20)
static char buffer[65536];

/* A file of 1 MiB, open for reading and writing. */
static int make_file(void)
{
    int fd = (int)must(open("file", O_RDWR | O_CREAT | O_TRUNC, 0644), "file");
    memset(buffer, 'x', sizeof buffer);
    for (int i = 0; i < FILE_BYTES; i += (int)sizeof buffer)
        must(write(fd, buffer, sizeof buffer), "write");
    must(lseek(fd, 0, SEEK_SET), "lseek");
    return fd;
}

static void drop_file(int fd)
{
    close(fd);
    unlink("file");
}

/* Reads or writes n times `bytes` through the file, going back to its start when its end is reached. */
static uint64_t stream(long n, size_t bytes, bool writing)
{
    int fd = make_file();
    long left = FILE_BYTES / (long)bytes;
    uint64_t took = TIMED(n, ({
        ssize_t moved = writing ? write(fd, buffer, bytes) : read(fd, buffer, bytes);
        if (moved != (ssize_t)bytes)
            fail("short read or write");
        if (--left == 0) {
            lseek(fd, 0, SEEK_SET);
            left = FILE_BYTES / (long)bytes;
        }
    }));
    drop_file(fd);
    return took;
}

static uint64_t read_1(long n)
{
    return stream(n, 1, false);
}

static uint64_t read_4k(long n)
{
    return stream(n, 4096, false);
}

static uint64_t read_64k(long n)
{
    return stream(n, 65536, false);
}

static uint64_t write_1(long n)
{
    return stream(n, 1, true);
}

static uint64_t write_4k(long n)
{
    return stream(n, 4096, true);
}

static uint64_t write_null(long n)
{
    int fd = (int)must(open("/dev/null", O_WRONLY), "/dev/null");
    uint64_t took = TIMED(n, must(write(fd, buffer, 1), "write"));
    close(fd);
    return took;
}

static uint64_t seek(long n)
{
    int fd = make_file();
    uint64_t took = TIMED(n, lseek(fd, 100, SEEK_SET));
    drop_file(fd);
    return took;
}

static uint64_t open_close(long n)
{
    drop_file(make_file());
    close((int)must(open("file", O_CREAT | O_WRONLY, 0644), "file"));
    uint64_t took = TIMED(n, close((int)must(open("/tmp/exobench/file", O_RDONLY), "file")));
    unlink("file");
    return took;
}

static uint64_t stat_path(long n)
{
    struct stat status;
    close((int)must(open("file", O_CREAT | O_WRONLY, 0644), "file"));
    uint64_t took = TIMED(n, must(stat("/tmp/exobench/file", &status), "stat"));
    unlink("file");
    return took;
}

static uint64_t create_unlink(long n)
{
    return TIMED(n, ({
        close((int)must(open("/tmp/exobench/new", O_CREAT | O_EXCL | O_WRONLY, 0644), "new"));
        must(unlink("/tmp/exobench/new"), "unlink");
    }));
}

static uint64_t append_4k(long n)
{
    int fd = (int)must(open("/tmp/exobench/new", O_CREAT | O_EXCL | O_WRONLY | O_APPEND, 0644), "new");
    uint64_t took = TIMED(n, {
        if (write(fd, buffer, 4096) != 4096)
            fail("append_4k");
    });
    close(fd);
    unlink("new");
    return took;
}

static uint64_t rename_file(long n)
{
    close((int)must(open("file", O_CREAT | O_WRONLY, 0644), "file"));
    uint64_t took = TIMED(n, ({
        must(rename("/tmp/exobench/file", "/tmp/exobench/other"), "rename");
        must(rename("/tmp/exobench/other", "/tmp/exobench/file"), "rename");
    }));
    unlink("file");
    return took;
}

static uint64_t mkdir_rmdir(long n)
{
    return TIMED(n, ({
        must(mkdir("/tmp/exobench/new", 0755), "mkdir");
        must(rmdir("/tmp/exobench/new"), "rmdir");
    }));
}

static uint64_t record_lock(long n)
{
    int fd = make_file();
    struct flock lock = {.l_whence = SEEK_SET, .l_len = 10};
    uint64_t took = TIMED(n, ({
        lock.l_type = F_WRLCK;
        must(fcntl(fd, F_SETLK, &lock), "F_SETLK");
        lock.l_type = F_UNLCK;
        must(fcntl(fd, F_SETLK, &lock), "F_SETLK");
    }));
    drop_file(fd);
    return took;
}

static void thousand_files(bool make)
{
    char name[32];
    if (make)
        must(mkdir("thousand", 0755), "thousand");
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "thousand/entry%03d", i);
        if (make)
            close((int)must(open(name, O_CREAT | O_WRONLY, 0644), name));
        else
            unlink(name);
    }
    if (!make)
        rmdir("thousand");
}

/* One operation is a whole pass over a folder of 1000 entries. */
static uint64_t getdents_1000(long n)
{
    thousand_files(true);
    int fd = (int)must(open("thousand", O_RDONLY | O_DIRECTORY), "thousand");
    uint64_t took = TIMED(n, ({
        lseek(fd, 0, SEEK_SET);
        while (must(syscall(SYS_getdents64, fd, buffer, 32768), "getdents64") > 0)
            ;
    }));
    close(fd);
    thousand_files(false);
    return took;
}

const struct bench_case file_cases[] = {
    {"read_1", read_1, 1000},
    {"read_4k", read_4k, 1024},
    {"read_64k", read_64k, 160},
    {"write_1", write_1, 1000},
    {"write_4k", write_4k, 1024},
    {"write_null", write_null, 1000},
    {"lseek", seek, 1000},
    {"open_close", open_close, 1000},
    {"stat", stat_path, 1000},
    {"create_unlink", create_unlink, 300},
    {"append_4k", append_4k, 300},
    {"rename", rename_file, 300},
    {"mkdir_rmdir", mkdir_rmdir, 300},
    {"record_lock", record_lock, 300},
    {"getdents_1000", getdents_1000, 10},
    {0},
};
