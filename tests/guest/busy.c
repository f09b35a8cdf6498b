/*
 * ETXTBSY: a program that runs is not written, a file that is open for writing is not run. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define PROGRAM "/tmp/busy-program"
#define SCRIPT "/tmp/busy-script"

static char own_path[256];

static bool copy(const char *from, const char *to)
{
    char buffer[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    ssize_t got;

    while ((got = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)got) != got)
            return false;
    return close(in) == 0 && close(out) == 0 && got == 0;
}

static int status_of(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Exit status of the program, or the error with which it was not executed + 100. */
static int run(const char *path, const char *argument)
{
    pid_t child = fork();

    if (child == 0) {
        execl(path, path, argument, (char *)NULL);
        _exit(errno + 100);
    }
    return status_of(child);
}

/* One that says on `ready` that it runs, and ends when `end` is closed. */
static pid_t start(const char *path, int ready[2], int end[2])
{
    pid_t child;
    char byte;

    if (pipe(ready) || pipe(end))
        return -1;
    child = fork();
    if (child == 0) {
        dup2(ready[1], 10);
        dup2(end[0], 11);
        close(end[1]);
        execl(path, path, "wait", (char *)NULL);
        _exit(errno + 100);
    }
    close(ready[1]);
    close(end[0]);
    return read(ready[0], &byte, 1) == 1 ? child : -1;
}

static void test_written(void)
{
    int writer = open(PROGRAM, O_WRONLY), again;
    pid_t child;
    int pipe_ends[2];
    unsigned still = 0, ended = 0;

    CASE("open for writing: not run", writer >= 0 && run(PROGRAM, "9") == ETXTBSY + 100);
    again = dup(writer);
    close(writer);
    CASE("still open by another descriptor", run(PROGRAM, "9") == ETXTBSY + 100);
    close(again);
    CASE("closed: it runs", run(PROGRAM, "9") == 9);
    for (unsigned round = 0; round < 30; round++) { /* a child that has hardly begun */
        writer = open(PROGRAM, O_RDWR);
        pipe(pipe_ends);
        child = fork();
        if (child == 0) {
            char byte;

            close(pipe_ends[1]);
            _exit(read(pipe_ends[0], &byte, 1) == 0 ? 3 : 4);
        }
        close(pipe_ends[0]);
        close(writer);
        still += run(PROGRAM, "9") == ETXTBSY + 100;
        close(pipe_ends[1]);
        ended += status_of(child) == 3 && run(PROGRAM, "8") == 8;
    }
    CASE("a child has it open still", still == 30);
    CASE("the child has ended", ended == 30);
    writer = open(PROGRAM, O_RDONLY);
    CASE("open for reading is nothing", run(PROGRAM, "7") == 7);
    close(writer);
    writer = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    write(writer, "#!" PROGRAM "\n", sizeof "#!" PROGRAM);
    CASE("a script", run(SCRIPT, NULL) == ETXTBSY + 100);
    close(writer);
    CASE("closed", run(SCRIPT, NULL) == 0);
    child = fork();
    if (child == 0) {
        open(PROGRAM, O_WRONLY);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    CASE("who had it open was killed", run(PROGRAM, "6") == 6);
}

static void test_running(void)
{
    int ready[2], end[2], fd;
    pid_t child = start(PROGRAM, ready, end);
    struct stat stat;

    CASE("it runs", child > 0);
    CASE("not opened for writing", FAILS(open(PROGRAM, O_WRONLY), ETXTBSY) && FAILS(open(PROGRAM, O_RDWR), ETXTBSY));
    CASE("not with O_TRUNC", FAILS(open(PROGRAM, O_WRONLY | O_TRUNC), ETXTBSY) && lstat(PROGRAM, &stat) == 0 && stat.st_size > 1000);
    CASE("not cut", FAILS(truncate(PROGRAM, 0), ETXTBSY) && lstat(PROGRAM, &stat) == 0 && stat.st_size > 1000);
    fd = open(PROGRAM, O_RDONLY);
    CASE("read it may be, and mapped", fd >= 0 && mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    close(fd);
    CASE("and removed, and made again", unlink(PROGRAM) == 0 && copy(own_path, PROGRAM) && run(PROGRAM, "5") == 5);
    close(end[1]);
    CASE("it ends", status_of(child) == 2);
    child = start(PROGRAM, ready, end);
    CASE("the new one is as busy", FAILS(open(PROGRAM, O_WRONLY), ETXTBSY));
    close(end[1]);
    CASE("until it ends", status_of(child) == 2 && (fd = open(PROGRAM, O_WRONLY)) >= 0);
    close(fd);
    CASE("oneself", FAILS(open("/proc/self/exe", O_WRONLY), ETXTBSY));
}

static void test_memfd(void)
{
    char *const arguments[] = {"program", "4", NULL}, *const none[] = {NULL};
    int fd = memfd_create("program", 0), in = open(PROGRAM, O_RDONLY);
    char buffer[65536];
    ssize_t got;
    pid_t child;

    while ((got = read(in, buffer, sizeof buffer)) > 0)
        write(fd, buffer, (size_t)got);
    child = fork();
    if (child == 0) {
        fexecve(fd, arguments, none);
        _exit(errno + 100);
    }
    CASE("a memfd runs although it can be written", status_of(child) == 4);
}

int main(int count, char **arguments)
{
    char byte;

    if (count > 1 && strcmp(arguments[1], "wait") == 0) {
        write(10, "", 1);
        close(10);
        _exit(read(11, &byte, 1) == 0 ? 2 : 1);
    }
    if (count > 1)
        _exit(atoi(arguments[1]));
    setbuf(stdout, NULL);
    own_path[readlink("/proc/self/exe", own_path, sizeof own_path - 1)] = '\0';
    if (!copy(own_path, PROGRAM))
        return 1;
    test_written();
    test_running();
    test_memfd();
    unlink(PROGRAM);
    unlink(SCRIPT);
    return tap_finish();
}
