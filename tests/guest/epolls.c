/*
 * epoll's lists: many of them and many descriptions in one, lists in lists, what becomes of those whose descriptor is closed or
 * doubled, and what they refuse. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define MANY 1500
#define LISTS 40

static struct epoll_event got[4], many[MANY];

static int add(int epoll, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Writes to `fd` from another process after a moment. */
static pid_t writes_later(int fd)
{
    pid_t child = fork();

    if (child == 0) {
        usleep(30000);
        write(fd, "x", 1);
        _exit(0);
    }
    return child;
}

static void test_many(void)
{
    struct rlimit limit = {4096, 4096};
    int lists[LISTS], fds[MANY], epoll = epoll_create1(0), made = 0, added = 0;

    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < LISTS; i++)
        made += (lists[i] = epoll_create1(EPOLL_CLOEXEC)) >= 0;
    CASE("many lists", made == LISTS);
    for (int i = 0; i < MANY; i++) {
        fds[i] = eventfd(i % 3 == 0, 0);
        added += fds[i] >= 0 && add(epoll, fds[i], EPOLLIN) == 0;
    }
    CASE("many in one", added == MANY);
    CASE("and those that are ready", epoll_wait(epoll, many, MANY, 0) == MANY / 3);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    CASE("none when all are closed", epoll_wait(epoll, got, 4, 0) == 0);
    for (int i = 0; i < LISTS; i++)
        close(lists[i]);
    close(epoll);
}

static void test_nested(void)
{
    int inner = epoll_create1(0), outer = epoll_create1(0), a[2], b[2];
    struct pollfd one = {.fd = outer, .events = POLLIN};
    char byte;
    pid_t child;

    pipe(a);
    pipe(b);
    add(inner, a[0], EPOLLIN);
    add(inner, b[0], EPOLLIN);
    CASE("a list in a list", add(outer, inner, EPOLLIN) == 0 && epoll_wait(outer, got, 4, 0) == 0 && poll(&one, 1, 0) == 0);
    child = writes_later(b[1]);
    CASE("what comes to the inner one wakes who waits for the outer one",
        epoll_wait(outer, got, 4, 20000) == 1 && got[0].data.fd == inner && got[0].events == EPOLLIN);
    waitpid(child, NULL, 0);
    CASE("poll sees it, too", poll(&one, 1, 0) == 1 && one.revents == POLLIN && epoll_wait(inner, got, 4, 0) == 1 && got[0].data.fd == b[0]);
    read(b[0], &byte, 1);
    CASE("and that it is gone", poll(&one, 1, 0) == 0 && epoll_wait(outer, got, 4, 0) == 0);
    child = writes_later(a[1]);
    CASE("poll of the outer one is woken", poll(&one, 1, 20000) == 1);
    waitpid(child, NULL, 0);
    epoll_ctl(inner, EPOLL_CTL_DEL, a[0], NULL);
    CASE("what was taken out tells nothing", poll(&one, 1, 0) == 0);
    add(inner, a[0], EPOLLIN);
    CASE("added when ready", poll(&one, 1, 0) == 1);
    close(inner);
    CASE("a closed list is in no other", epoll_wait(outer, got, 4, 0) == 0);
    for (int fd = 3; fd < 20; fd++)
        close(fd);
}

static void test_loops(void)
{
    int epoll[8], deep = 0;

    for (int i = 0; i < 8; i++)
        epoll[i] = epoll_create1(0);
    CASE("not into itself", FAILS(add(epoll[0], epoll[0], EPOLLIN), EINVAL));
    CASE("nor in a circle", add(epoll[0], epoll[1], EPOLLIN) == 0 && add(epoll[1], epoll[2], EPOLLIN) == 0 &&
                                FAILS(add(epoll[2], epoll[0], EPOLLIN), ELOOP) && FAILS(add(epoll[1], epoll[0], EPOLLIN), ELOOP));
    for (int i = 0; i < 8; i++) {
        close(epoll[i]);
        epoll[i] = epoll_create1(0);
    }
    while (deep < 7 && add(epoll[deep + 1], epoll[deep], EPOLLIN) == 0)
        deep++;
    CASE("nor deeper and deeper", deep >= 4 && deep < 7 && errno == ELOOP);
    for (int i = 0; i < 8; i++)
        close(epoll[i]);
}

static int change(int epoll, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

static void test_exclusive(void)
{
    int epoll = epoll_create1(0), inner = epoll_create1(0), a[2], b[2];

    pipe(a);
    pipe(b);
    CASE("exclusive", add(epoll, a[0], EPOLLIN | EPOLLEXCLUSIVE) == 0 && add(epoll, b[0], EPOLLIN) == 0);
    CASE("not changed to be, nor what is", FAILS(change(epoll, b[0], EPOLLIN | EPOLLEXCLUSIVE), EINVAL) && FAILS(change(epoll, a[0], EPOLLIN), EINVAL));
    CASE("no list, and not once only", FAILS(add(epoll, inner, EPOLLIN | EPOLLEXCLUSIVE), EINVAL) &&
                                           FAILS(add(epoll, a[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL));
    write(a[1], "x", 1);
    CASE("it tells", epoll_wait(epoll, got, 4, 0) == 1 && got[0].events == EPOLLIN);
    for (int fd = 3; fd < 20; fd++)
        close(fd);
}

static void test_closed(void)
{
    int epoll = epoll_create1(0), a[2], twin;

    pipe(a);
    add(epoll, a[0], EPOLLIN);
    close(a[0]);
    close(a[1]);
    pipe(a);
    CASE("a new pipe with an old number is another", add(epoll, a[0], EPOLLIN) == 0);
    twin = dup(a[0]);
    CASE("a descriptor's twin is another", add(epoll, twin, EPOLLIN) == 0 && FAILS(add(epoll, twin, EPOLLIN), EEXIST));
    write(a[1], "x", 1);
    CASE("both tell", epoll_wait(epoll, got, 4, 0) == 2);
    close(twin);
    CASE("also closed, while the description is open", epoll_wait(epoll, got, 4, 0) == 2);
    close(a[0]);
    CASE("not when it is closed", epoll_wait(epoll, got, 4, 0) == 0);
    close(a[1]);
    close(epoll);
}

static int slept_on;

static void *waits(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)epoll_wait(slept_on, got, 4, 20000);
}

/* A child that is made while another thread sleeps has its own list, in which nobody sleeps. */
static void test_fork(void)
{
    int a[2], status = -1;
    pthread_t thread;
    void *result;
    pid_t child;

    pipe(a);
    slept_on = epoll_create1(0);
    add(slept_on, a[0], EPOLLIN);
    pthread_create(&thread, NULL, waits, NULL);
    usleep(30000);
    child = fork();
    if (child == 0) {
        struct epoll_event own[1];
        int nothing = epoll_wait(slept_on, own, 1, 1);

        close(a[0]);
        _exit(nothing);
    }
    waitpid(child, &status, 0);
    write(a[1], "x", 1);
    pthread_join(thread, &result);
    CASE("a child's list wakes nobody else's sleep", status == 0 && (intptr_t)result == 1);
    close(slept_on);
}

int main(void)
{
    alarm(50);
    test_many();
    test_nested();
    test_loops();
    test_exclusive();
    test_closed();
    test_fork();
    return tap_finish();
}
