/*
 * io_setup, io_submit, io_getevents and their family, by their numbers. The same on Linux, on tmpfs.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))

/* <linux/aio_abi.h>, which musl has not. */
enum { IOCB_CMD_PREAD, IOCB_CMD_PWRITE, IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC, IOCB_CMD_PREADV = 7, IOCB_CMD_PWRITEV };
#define IOCB_FLAG_RESFD 1u
typedef unsigned long aio_context_t;
struct iocb {
    uint64_t aio_data;
    uint32_t aio_key, aio_rw_flags;
    uint16_t aio_lio_opcode;
    int16_t aio_reqprio;
    uint32_t aio_fildes;
    uint64_t aio_buf, aio_nbytes;
    int64_t aio_offset;
    uint64_t aio_reserved2;
    uint32_t aio_flags, aio_resfd;
};
struct io_event {
    uint64_t data, obj;
    int64_t res, res2;
};

static aio_context_t context;
static char text[64];

static struct iocb operation(int what, int fd, void *buffer, size_t bytes, long offset)
{
    return (struct iocb){.aio_data = 77, .aio_lio_opcode = (uint16_t)what, .aio_fildes = (uint32_t)fd, .aio_buf = (uint64_t)(uintptr_t)buffer,
                         .aio_nbytes = bytes, .aio_offset = offset};
}

static long submit(struct iocb *one)
{
    return syscall(SYS_io_submit, context, 1l, &one);
}

static long get(long least, long most, struct io_event *events)
{
    struct timespec second = {1, 0}; /* for fsync, which takes a while on Linux */

    return syscall(SYS_io_getevents, context, least, most, events, &second);
}

/* The result of one operation, or what refused it, less 1000. */
static long result_of(struct iocb one)
{
    struct io_event event = {0};

    if (submit(&one) != 1)
        return -1000 - errno;
    if (get(1, 1, &event) != 1 || event.data != 77 || event.obj != (uint64_t)(uintptr_t)&one || event.res2 != 0)
        return -2000;
    return event.res;
}

static void contexts(void)
{
    aio_context_t other = 1;

    CASE("no events", FAILS(syscall(SYS_io_setup, 0l, &context), EINVAL));
    CASE("a context that is not zero", FAILS(syscall(SYS_io_setup, 8l, &other), EINVAL));
    CASE("too many events", FAILS(syscall(SYS_io_setup, 0x7ffffffl, &context), EINVAL) && FAILS(syscall(SYS_io_setup, 0x3fffffl, &context), EAGAIN));
    CASE("an address that is none", FAILS(syscall(SYS_io_setup, 8l, 8l), EFAULT));
    CASE("a context", syscall(SYS_io_setup, 8l, &context) == 0 && context);
    other = 0;
    CASE("and another", syscall(SYS_io_setup, 8l, &other) == 0 && other != context);
    CASE("ended", syscall(SYS_io_destroy, other) == 0);
    CASE("once", FAILS(syscall(SYS_io_destroy, other), EINVAL));
    CASE("nothing comes of what is no context", FAILS(syscall(SYS_io_submit, other, 0l, NULL), EINVAL) &&
                                                    FAILS(syscall(SYS_io_getevents, other, 0l, 0l, NULL, NULL), EINVAL));
}

static void operations(int fd)
{
    struct iovec parts[2] = {{"one ", 4}, {"two", 3}}, back[2] = {{text, 2}, {text + 10, 20}};
    int ends[2], told = eventfd(0, EFD_NONBLOCK), reading = open("/tmp/aio", O_RDONLY);
    struct iocb one = operation(IOCB_CMD_PWRITE, fd, "hello", 5, 3);
    uint64_t count = 0;

    CASE("a write", result_of(one) == 5);
    CASE("a read", result_of(operation(IOCB_CMD_PREAD, fd, text, sizeof text, 0)) == 8 && memcmp(text, "\0\0\0hello", 8) == 0);
    CASE("at the end", result_of(operation(IOCB_CMD_PREAD, fd, text, sizeof text, 100)) == 0);
    CASE("of parts", result_of(operation(IOCB_CMD_PWRITEV, fd, parts, 2, 0)) == 7 && result_of(operation(IOCB_CMD_PREADV, fd, back, 2, 0)) == 8 &&
                         memcmp(text, "on", 2) == 0 && memcmp(text + 10, "e twoo", 6) == 0);
    CASE("the position stays", lseek(fd, 0, SEEK_CUR) == 0);
    CASE("fdsync", result_of(operation(IOCB_CMD_FDSYNC, fd, NULL, 0, 0)) == 0);
    CASE("fsync with a length", result_of(operation(IOCB_CMD_FSYNC, fd, NULL, 1, 0)) == -1000 - EINVAL);
    CASE("what is no operation", result_of(operation(99, fd, text, 1, 0)) == -1000 - EINVAL);
    CASE("no descriptor", result_of(operation(IOCB_CMD_PREAD, 99, text, 1, 0)) == -1000 - EBADF);
    CASE("one that is only read", result_of(operation(IOCB_CMD_PWRITE, reading, text, 1, 0)) == -1000 - EBADF);
    CASE("before the beginning", result_of(operation(IOCB_CMD_PREAD, fd, text, 1, -1)) == -1000 - EINVAL);
    CASE("nowhere", result_of(operation(IOCB_CMD_PREAD, fd, (void *)8, 1, 0)) == -EFAULT);
    one = operation(IOCB_CMD_PREAD, fd, text, 1, 0);
    one.aio_reserved2 = 1;
    CASE("reserved", result_of(one) == -1000 - EINVAL);
    one = operation(IOCB_CMD_PREAD, fd, text, 1, 0);
    one.aio_flags = IOCB_FLAG_RESFD;
    one.aio_resfd = (uint32_t)fd;
    CASE("telling what is no eventfd", result_of(one) == -1000 - EINVAL);
    one.aio_resfd = (uint32_t)told;
    CASE("telling an eventfd", result_of(one) == 1 && read(told, &count, sizeof count) == sizeof count && count == 1);
    CASE("of a pipe", pipe(ends) == 0 && result_of(operation(IOCB_CMD_PWRITE, ends[1], "pipe", 4, 0)) == 4 &&
                          result_of(operation(IOCB_CMD_PREAD, ends[0], text, 9, 0)) == 4 && memcmp(text, "pipe", 4) == 0);
    CASE("cancelling what has been done", FAILS(syscall(SYS_io_cancel, context, &one, text), EINVAL));
    close(reading);
}

static void several(int fd)
{
    struct iocb many[4], *list[5];
    struct io_event events[8];
    struct timespec soon = {0, 1000000};

    for (int i = 0; i < 4; i++) {
        many[i] = operation(IOCB_CMD_PREAD, i == 2 ? 99 : fd, text, 1 + (size_t)i, 0);
        many[i].aio_data = (uint64_t)i;
        list[i] = &many[i];
    }
    CASE("up to the one that is refused", syscall(SYS_io_submit, context, 4l, list) == 2);
    CASE("fewer than there are", get(1, 1, events) == 1 && events[0].data == 0 && events[0].res == 1);
    CASE("then the rest", get(1, 8, events) == 1 && events[0].data == 1 && events[0].res == 2);
    CASE("then none", get(1, 8, events) == 0 && get(0, 8, events) == 0);
    CASE("more at least than at most", FAILS(get(2, 1, events), EINVAL) && FAILS(get(-1, 1, events), EINVAL));
    CASE("a time that is nowhere", FAILS(syscall(SYS_io_getevents, context, 1l, 1l, events, 8l), EFAULT));
    CASE("a time that runs out", syscall(SYS_io_getevents, context, 1l, 1l, events, &soon) == 0);
    CASE("a list that is nowhere", FAILS(syscall(SYS_io_submit, context, 1l, 8l), EFAULT));
    list[0] = (struct iocb *)8;
    CASE("one that is nowhere", FAILS(syscall(SYS_io_submit, context, 1l, list), EFAULT));
    CASE("none", syscall(SYS_io_submit, context, 0l, list) == 0 && FAILS(syscall(SYS_io_submit, context, -1l, list), EINVAL));
}

static void *later(void *fd)
{
    static struct iocb one;

    usleep(20000);
    one = operation(IOCB_CMD_PREAD, (int)(intptr_t)fd, text, 4, 0);
    (void)!submit(&one);
    return NULL;
}

static void waiting(int fd)
{
    struct io_event event = {0};
    pthread_t thread;
    int status;
    pid_t child;

    pthread_create(&thread, NULL, later, (void *)(intptr_t)fd);
    CASE("another thread's", syscall(SYS_io_getevents, context, 1l, 1l, &event, NULL) == 1 && event.res == 4);
    pthread_join(thread, NULL);
    child = fork();
    if (child == 0)
        _exit(!FAILS(syscall(SYS_io_submit, context, 0l, NULL), EINVAL) || !FAILS(syscall(SYS_io_destroy, context), EINVAL));
    CASE("a child has none of it", waitpid(child, &status, 0) == child && status == 0);
    CASE("its parent has", syscall(SYS_io_destroy, context) == 0);
}

int main(void)
{
    int fd = open("/tmp/aio", O_RDWR | O_CREAT | O_TRUNC, 0600);

    contexts();
    operations(fd);
    several(fd);
    waiting(fd);
    unlink("/tmp/aio");
    return tap_finish();
}
