/*
 * splice, tee, vmsplice, copy_file_range between pipes, files and sockets; what they refuse. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define BIG 300000

static char data[BIG], back[BIG];

static int file_with(const char *name, const void *bytes, size_t count)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (write(fd, bytes, count) != (ssize_t)count)
        exit(99);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void test_file_to_pipe(void)
{
    int file = file_with("/tmp/splice", "hello, world", 12), pipes[2];
    off_t at = 7;

    if (pipe(pipes) != 0)
        return;
    CASE("file to pipe, at its position", splice(file, NULL, pipes[1], NULL, 5, 0) == 5 && lseek(file, 0, SEEK_CUR) == 5 &&
                                              read(pipes[0], back, 99) == 5 && !memcmp(back, "hello", 5));
    CASE("at an offset", splice(file, &at, pipes[1], NULL, 100, 0) == 5 && at == 12 && lseek(file, 0, SEEK_CUR) == 5 &&
                             read(pipes[0], back, 99) == 5 && !memcmp(back, "world", 5));
    CASE("at the end", splice(file, &at, pipes[1], NULL, 100, 0) == 0);
    CASE("pipe to file", write(pipes[1], "12345", 5) == 5 && (at = 0, splice(pipes[0], NULL, file, &at, 3, 0)) == 3 && at == 3 &&
                             pread(file, back, 5, 0) == 5 && !memcmp(back, "123lo", 5));
    CASE("the rest stays", read(pipes[0], back, 99) == 2 && !memcmp(back, "45", 2));
    fcntl(pipes[1], F_SETFL, O_NONBLOCK);
    while (write(pipes[1], data, 4096) > 0)
        ;
    at = 0;
    CASE("a full pipe", FAILS(splice(file, &at, pipes[1], NULL, 5, SPLICE_F_NONBLOCK), EAGAIN) && at == 0);
    close(pipes[1]);
    while (read(pipes[0], back, sizeof back) > 0)
        ;
    CASE("the pipe's end", splice(pipes[0], NULL, file, NULL, 5, 0) == 0);
    close(pipes[0]);
    close(file);
}

static void test_streams(void)
{
    int from[2], to[2], sockets[2], status;
    size_t done = 0;
    ssize_t part;
    pid_t child;

    if (pipe(from) != 0 || pipe(to) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
        return;
    child = fork();
    if (child == 0) {
        close(from[0]);
        close(to[0]);
        close(to[1]);
        _exit(write(from[1], data, BIG) == BIG ? 0 : 1);
    }
    close(from[1]);
    if (fork() == 0) {
        close(to[0]);
        while ((part = splice(from[0], NULL, to[1], NULL, 1 << 20, 0)) > 0)
            ;
        _exit(part == 0 ? 0 : 1);
    }
    close(from[0]);
    close(to[1]);
    while ((part = read(to[0], back + done, sizeof back - done)) > 0)
        done += (size_t)part;
    CASE("pipe to pipe, more than they hold", done == BIG && !memcmp(back, data, BIG));
    while (wait(&status) > 0)
        CASE("who wrote and who spliced are content", WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(to[0]);
    if (pipe(from) != 0)
        return;
    CASE("pipe to socket", write(from[1], "abc", 3) == 3 && splice(from[0], NULL, sockets[0], NULL, 99, 0) == 3 &&
                               read(sockets[1], back, 99) == 3 && !memcmp(back, "abc", 3));
    CASE("socket to pipe", write(sockets[1], "defg", 4) == 4 && splice(sockets[0], NULL, from[1], NULL, 99, 0) == 4 &&
                               read(from[0], back, 99) == 4 && !memcmp(back, "defg", 4));
    close(sockets[1]);
    signal(SIGPIPE, SIG_IGN);
    CASE("to nobody: nothing is lost", write(from[1], "xyz", 3) == 3 && FAILS(splice(from[0], NULL, sockets[0], NULL, 3, 0), EPIPE));
    close(sockets[0]);
    close(from[0]);
    close(from[1]);
}

static void test_tee(void)
{
    int from[2], to[2];
    struct iovec vector[2] = {{"one", 3}, {"two", 3}}, into[2] = {{back, 2}, {back + 2, 9}};

    if (pipe(from) != 0 || pipe(to) != 0)
        return;
    CASE("tee leaves what it copies", write(from[1], "double", 6) == 6 && tee(from[0], to[1], 99, 0) == 6 && read(to[0], back, 99) == 6 &&
                                          !memcmp(back, "double", 6) && read(from[0], back, 99) == 6 && !memcmp(back, "double", 6));
    CASE("nothing there", FAILS(tee(from[0], to[1], 9, SPLICE_F_NONBLOCK), EAGAIN) &&
                              FAILS(splice(from[0], NULL, to[1], NULL, 9, SPLICE_F_NONBLOCK), EAGAIN));
    CASE("vmsplice into a pipe", vmsplice(from[1], vector, 2, 0) == 6);
    CASE("and out of one", vmsplice(from[0], into, 2, 0) == 6 && !memcmp(back, "onetwo", 6));
    CASE("vmsplice of no pipe", FAILS(vmsplice(-1, vector, 2, 0), EBADF) && FAILS(vmsplice(from[1], vector, 2, 64), EINVAL));
    close(from[1]);
    CASE("tee at the end", tee(from[0], to[1], 9, 0) == 0);
    close(from[0]);
    close(to[0]);
    close(to[1]);
}

static void test_misuse(void)
{
    int file = file_with("/tmp/splice", "hello", 5), append = open("/tmp/splice", O_WRONLY | O_APPEND), pipes[2],
        directory = open("/tmp", O_RDONLY);
    off_t at = 0, behind = -1;

    if (pipe(pipes) != 0)
        return;
    CASE("neither is a pipe", FAILS(splice(file, NULL, file, NULL, 1, 0), EINVAL));
    CASE("no descriptor, no length", FAILS(splice(-1, NULL, pipes[1], NULL, 1, 0), EBADF) && splice(-1, NULL, -1, NULL, 0, 0) == 0);
    CASE(
        "the wrong ends", FAILS(splice(file, NULL, pipes[0], NULL, 1, 0), EBADF) && FAILS(splice(pipes[1], NULL, file, NULL, 1, 0), EBADF));
    CASE("an offset in a pipe",
        FAILS(splice(file, NULL, pipes[1], &at, 1, 0), ESPIPE) && FAILS(splice(pipes[0], &at, file, NULL, 1, 0), ESPIPE));
    CASE("a pipe into itself", FAILS(splice(pipes[0], NULL, pipes[1], NULL, 1, 0), EINVAL) && FAILS(tee(pipes[0], pipes[1], 1, 0), EINVAL));
    CASE("to what is appended to", write(pipes[1], "x", 1) == 1 && FAILS(splice(pipes[0], NULL, append, NULL, 1, 0), EINVAL));
    CASE("unknown flags", FAILS(splice(file, NULL, pipes[1], NULL, 1, 64), EINVAL) && FAILS(tee(pipes[0], pipes[1], 1, 64), EINVAL));
    CASE("offsets that are wild or negative",
        FAILS(syscall(SYS_splice, file, 16l, pipes[1], 0l, 1l, 0), EFAULT) && FAILS(splice(file, &behind, pipes[1], NULL, 1, 0), EINVAL));
    CASE("copy_file_range of a pipe, of a directory", FAILS(copy_file_range(file, NULL, pipes[1], NULL, 1, 0), EINVAL) &&
                                                          FAILS(copy_file_range(directory, NULL, file, NULL, 1, 0), EISDIR));
    CASE("copy_file_range to what is appended to or read-only",
        FAILS(copy_file_range(file, NULL, append, NULL, 1, 0), EBADF) && FAILS(copy_file_range(append, NULL, file, NULL, 1, 0), EBADF));
    CASE("copy_file_range with flags", FAILS(copy_file_range(file, NULL, file, NULL, 1, 1), EINVAL));
    close(file);
    close(append);
    close(pipes[0]);
    close(pipes[1]);
    close(directory);
}

static void test_copy(void)
{
    int from = file_with("/tmp/from", data, BIG), to = file_with("/tmp/to", "", 0);
    off_t in = 100, out = 5;
    size_t done = 0;
    ssize_t part;

    while ((part = copy_file_range(from, NULL, to, NULL, BIG, 0)) > 0)
        done += (size_t)part;
    CASE("a file is copied",
        part == 0 && done == BIG && pread(to, back, BIG, 0) == BIG && !memcmp(back, data, BIG) && lseek(to, 0, SEEK_CUR) == BIG);
    CASE("at offsets", copy_file_range(from, &in, to, &out, 50, 0) == 50 && in == 150 && out == 55 && pread(to, back, 50, 5) == 50 &&
                           !memcmp(back, data + 100, 50) && lseek(from, 0, SEEK_CUR) == BIG);
    in = 0, out = 1000;
    CASE("within a file",
        copy_file_range(from, &in, from, &out, 500, 0) == 500 && pread(from, back, 500, 1000) == 500 && !memcmp(back, data, 500));
    in = 0, out = 100;
    CASE("onto itself", FAILS(copy_file_range(from, &in, from, &out, 500, 0), EINVAL));
    in = BIG + 10;
    CASE("beyond the end", copy_file_range(from, &in, to, NULL, 10, 0) == 0);
    close(from);
    close(to);
    unlink("/tmp/from");
    unlink("/tmp/to");
    unlink("/tmp/splice");
}

int main(void)
{
    for (int i = 0; i < BIG; i++)
        data[i] = (char)(i * 7 ^ i >> 8);
    test_file_to_pipe();
    test_streams();
    test_tee();
    test_misuse();
    test_copy();
    return tap_finish();
}
