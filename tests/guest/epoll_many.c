/*
 * epoll over more pipes and connections than anybody looks at one by one: idle ones that are rung for, in all ways that one can stop being idle, in
 * children, threads and lists of lists. Every case passes on Linux as well.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define MANY 150
#define IDLE_LOOKS 40 /* more than it takes until nobody looks */

static int here[MANY], there[MANY]; /* ends: even ones connections, odd ones pipes */
static struct epoll_event got[MANY];

static void make_all(void)
{
    for (int i = 0; i < MANY; i++) {
        int end[2];

        if (i % 2 ? pipe(end) : socketpair(AF_UNIX, SOCK_STREAM, 0, end))
            abort();
        here[i] = end[0];
        there[i] = end[1];
    }
}

static void close_all(void)
{
    for (int i = 0; i < MANY; i++) {
        close(here[i]);
        close(there[i]);
    }
}

static void control(int list, int operation, int i, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)i};

    if (epoll_ctl(list, operation, here[i], &event))
        abort();
}

static int list_of_all(uint32_t events)
{
    int list = epoll_create1(0);

    for (int i = 0; i < MANY; i++)
        control(list, EPOLL_CTL_ADD, i, events);
    return list;
}

/* Looks so often that those where nothing happens are not looked at any more. */
static bool idles(int list)
{
    for (int i = 0; i < IDLE_LOOKS; i++)
        if (epoll_wait(list, got, MANY, 0) != 0)
            return false;
    return true;
}

static void put(int i)
{
    if (write(there[i], "x", 1) != 1)
        abort();
}

static void take(int i)
{
    char byte;

    if (read(here[i], &byte, 1) != 1)
        abort();
}

/* Exactly this one is told of, with these events. */
static bool tells(int list, int timeout, int i, uint32_t events)
{
    return epoll_wait(list, got, MANY, timeout) == 1 && got[0].data.u32 == (uint32_t)i && got[0].events == events;
}

static void wakes(void)
{
    int list = list_of_all(EPOLLIN), twin;
    bool right = idles(list);

    CASE("many idle ones", right);
    for (int i = 0; right && i < MANY; i++) {
        put(i);
        right = tells(list, -1, i, EPOLLIN) && tells(list, 0, i, EPOLLIN); /* as long as it is there */
        take(i);
    }
    CASE("each tells what comes", right && epoll_wait(list, got, MANY, 0) == 0);
    right = idles(list);
    for (int i = 0; i < MANY; i += 3)
        put(i);
    CASE("many at once", right && epoll_wait(list, got, MANY, -1) == MANY / 3);
    for (int i = 0; i < MANY; i += 3)
        take(i);
    right = idles(list);
    close(there[10]), close(there[11]);
    CASE("ends", right && epoll_wait(list, got, MANY, -1) == 2 && (got[0].data.u32 == 10 || got[0].data.u32 == 11) && got[0].events & EPOLLHUP);
    close(here[10]), close(here[11]);
    CASE("that are closed tell nothing", epoll_wait(list, got, MANY, 0) == 0);
    right = idles(list);
    control(list, EPOLL_CTL_MOD, 20, EPOLLOUT);
    CASE("another wish", right && tells(list, -1, 20, EPOLLOUT));
    control(list, EPOLL_CTL_MOD, 20, EPOLLIN);
    right = idles(list);
    epoll_ctl(list, EPOLL_CTL_DEL, here[21], NULL);
    put(21), put(22);
    CASE("taken out", right && tells(list, -1, 22, EPOLLIN));
    take(21), take(22);
    control(list, EPOLL_CTL_ADD, 21, EPOLLIN);
    right = idles(list);
    twin = dup(here[30]);
    epoll_ctl(list, EPOLL_CTL_ADD, twin, &(struct epoll_event){.events = EPOLLIN, .data.u32 = 999});
    right = right && idles(list);
    put(30);
    CASE("two names of one", right && epoll_wait(list, got, MANY, -1) == 2);
    take(30);
    right = idles(list);
    close(here[30]);
    put(30);
    CASE("one of them closed: still told", right && epoll_wait(list, got, MANY, -1) == 2);
    dup2(twin, here[30]); /* for close_all */
    close(twin);
    close(list);
}

static void modes(void)
{
    int list = list_of_all(EPOLLIN | EPOLLET);
    bool right = idles(list);

    put(40);
    CASE("edges: told", right && tells(list, -1, 40, EPOLLIN));
    CASE("once", epoll_wait(list, got, MANY, 0) == 0 && idles(list));
    put(40);
    CASE("and again when more comes", tells(list, -1, 40, EPOLLIN));
    take(40), take(40);
    CASE("not when it is taken", idles(list));
    put(40);
    CASE("and when something new comes", tells(list, -1, 40, EPOLLIN));
    take(40);
    control(list, EPOLL_CTL_MOD, 41, EPOLLIN | EPOLLONESHOT);
    right = idles(list);
    put(41);
    right = right && tells(list, -1, 41, EPOLLIN) && idles(list);
    put(41);
    CASE("one shot", right && idles(list));
    control(list, EPOLL_CTL_MOD, 41, EPOLLIN | EPOLLONESHOT);
    CASE("and another when it is set again", tells(list, -1, 41, EPOLLIN));
    take(41), take(41);
    close(list);
}

/* A full pipe and a full connection become writable when somebody reads. */
static void room(void)
{
    static char block[4096];
    int list = epoll_create1(0), full[2] = {50, 51};
    bool right;

    for (int i = 0; i < MANY; i++)
        control(list, EPOLL_CTL_ADD, i, EPOLLIN);
    for (int k = 0; k < 2; k++) {
        int i = full[k];

        fcntl(there[i], F_SETFL, O_NONBLOCK);
        fcntl(here[i], F_SETFL, O_NONBLOCK);
        while (write(there[i], block, sizeof block) > 0)
            ;
        epoll_ctl(list, EPOLL_CTL_DEL, here[i], NULL);
        if (epoll_ctl(list, EPOLL_CTL_ADD, there[i], &(struct epoll_event){.events = EPOLLOUT, .data.u32 = (uint32_t)i}))
            abort();
    }
    right = idles(list);
    for (int k = 0; k < 2; k++) {
        while (read(here[full[k]], block, sizeof block) > 0)
            ;
        right = right && epoll_wait(list, got, MANY, -1) == 1 && got[0].data.u32 == (uint32_t)full[k] && got[0].events == EPOLLOUT;
        epoll_ctl(list, EPOLL_CTL_DEL, there[full[k]], NULL);
        fcntl(there[full[k]], F_SETFL, 0), fcntl(here[full[k]], F_SETFL, 0);
    }
    CASE("room", right);
    close(list);
}

static bool ended_well(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void children(void)
{
    int list = list_of_all(EPOLLIN);
    bool right = idles(list);
    pid_t pid = fork();

    if (pid == 0) { /* its list is what it was; what comes wakes it, too */
        bool good = idles(list);

        put(60);
        good = good && tells(list, -1, 60, EPOLLIN);
        _exit(!good);
    }
    right = right && tells(list, -1, 60, EPOLLIN) && ended_well(pid);
    take(60);
    CASE("a child", right);
    right = idles(list);
    pid = fork();
    if (pid == 0) {
        uint64_t state = 7;

        for (int n = 0; n < 2000; n++) {
            int i = (int)((state = state * 6364136223846793005u + 1442695040888963407u) >> 40) % MANY & ~1;
            char byte;

            put(i);
            if (read(there[i], &byte, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    for (int n = 0; right && n < 2000; n++) {
        right = epoll_wait(list, got, MANY, -1) == 1 && got[0].events == EPOLLIN;
        take((int)got[0].data.u32);
        if (write(here[got[0].data.u32], "y", 1) != 1)
            right = false;
    }
    CASE("questions of another process, each answered", ended_well(pid) && right);
    right = idles(list);
    pid = fork();
    if (pid == 0) {
        raise(SIGKILL); /* had been made with all of it */
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    put(61);
    CASE("a killed child", right && tells(list, -1, 61, EPOLLIN));
    take(61);
    close(list);
}

static int shared_list;
static pthread_barrier_t barrier;

static void *waiter(void *argument)
{
    struct epoll_event one;
    intptr_t count = 0;

    (void)argument;
    pthread_barrier_wait(&barrier);
    for (;;) {
        if (epoll_wait(shared_list, &one, 1, -1) != 1)
            return (void *)-1;
        if (one.data.u32 == 0)
            return (void *)count; /* stays ready: all end */
        take((int)one.data.u32);
        count++;
        control(shared_list, EPOLL_CTL_MOD, (int)one.data.u32, EPOLLIN | EPOLLONESHOT);
    }
}

static void threads(void)
{
    pthread_t thread[3];
    intptr_t total = 0;

    shared_list = list_of_all(EPOLLIN | EPOLLONESHOT);
    control(shared_list, EPOLL_CTL_MOD, 0, EPOLLIN);
    idles(shared_list);
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, waiter, NULL);
    pthread_barrier_wait(&barrier);
    for (int n = 0; n < 1500; n++)
        put(1 + n * 7 % (MANY - 1));
    for (int i = 1; i < MANY; i++) /* until all is taken */
        while (poll(&(struct pollfd){.fd = here[i], .events = POLLIN}, 1, 0) == 1)
            sched_yield();
    put(0);
    for (int i = 0; i < 3; i++) {
        void *count;

        pthread_join(thread[i], &count);
        total += (intptr_t)count;
    }
    take(0);
    CASE("threads that wait for one list", total == 1500);
    close(shared_list);
}

static void lists(void)
{
    int inner = list_of_all(EPOLLIN), outer = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7}, told;
    struct pollfd one = {.fd = outer, .events = POLLIN};
    bool right;
    pid_t pid;

    epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event);
    right = idles(inner) && idles(outer) && poll(&one, 1, 0) == 0;
    put(70);
    CASE("a list in a list", right && epoll_wait(outer, &told, 1, -1) == 1 && told.data.u32 == 7 && poll(&one, 1, -1) == 1 && tells(inner, 0, 70, EPOLLIN));
    take(70);
    CASE("no more", epoll_wait(outer, &told, 1, 0) == 0 && poll(&one, 1, 0) == 0 && idles(inner) && idles(outer));
    pid = fork();
    if (pid == 0) {
        usleep(20000);
        put(71);
        _exit(0);
    }
    CASE("who sleeps at the outer one is woken", epoll_wait(outer, &told, 1, -1) == 1 && ended_well(pid) && tells(inner, 0, 71, EPOLLIN));
    take(71);
    right = idles(inner);
    pid = fork();
    if (pid == 0) {
        usleep(20000);
        put(72);
        _exit(0);
    }
    CASE("and who sleeps in poll", right && poll(&one, 1, -1) == 1 && ended_well(pid) && tells(inner, 0, 72, EPOLLIN));
    take(72);
    close(inner);
    close(outer);
}

/* Lists come and go; what waited for them goes along. */
static void many_lists(void)
{
    bool right = true;

    for (int n = 0; right && n < 60; n++) {
        int list = list_of_all(EPOLLIN);

        right = idles(list);
        put(n);
        right = right && tells(list, -1, n, EPOLLIN);
        take(n);
        close(list);
    }
    CASE("lists that come and go", right);
}

static void *late_adder(void *argument)
{
    (void)argument;
    usleep(20000);
    control(shared_list, EPOLL_CTL_MOD, 5, EPOLLIN); /* there is something already */
    return NULL;
}

static void changed_while_asleep(void)
{
    pthread_t thread;
    bool right;

    shared_list = list_of_all(EPOLLIN);
    control(shared_list, EPOLL_CTL_MOD, 5, EPOLLPRI);
    put(5);
    right = idles(shared_list);
    pthread_create(&thread, NULL, late_adder, NULL);
    CASE("a wish that changes while one sleeps", right && tells(shared_list, -1, 5, EPOLLIN));
    pthread_join(thread, NULL);
    take(5);
    close(shared_list);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_all();
    wakes();
    close_all();
    make_all();
    modes();
    room();
    children();
    threads();
    lists();
    many_lists();
    changed_while_asleep();
    close_all();
    return tap_finish();
}
