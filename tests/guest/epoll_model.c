/*
 * What epoll says of many pipes and connections against what poll says of them, after each of many random steps: writes, reads, ends, half-closed
 * connections, wishes that change, and what a child does. The same on Linux. Then that everybody has his turn when few are asked for.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define COUNT 30
#define STEPS 12000

static struct {
    int fd, peer; /* peer: -1 when it is closed */
    uint32_t events;
    int kind;
} item[COUNT];
static int set;
static uint64_t state = 20261122;
static char bytes[65536];

static unsigned below(unsigned end)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state % end);
}

static void make_tcp(int end[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &size))
        abort();
    end[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(end[0], (struct sockaddr *)&address, sizeof(address)))
        abort();
    end[1] = accept(listener, NULL, NULL);
    close(listener);
}

static uint32_t some_events(void)
{
    static const uint32_t choices[] = {EPOLLIN, EPOLLIN | EPOLLRDHUP, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLRDHUP, EPOLLPRI, EPOLLIN | EPOLLOUT | EPOLLRDHUP};

    return choices[below(sizeof(choices) / sizeof(choices[0]))];
}

static void make(unsigned i)
{
    int end[2] = {-1, -1};
    struct epoll_event event;

    item[i].kind = (int)below(4);
    switch (item[i].kind) {
    case 0:
        if (pipe(end))
            abort();
        break;
    case 1:
        if (pipe(end))
            abort();
        item[i].fd = end[1], end[1] = end[0], end[0] = item[i].fd;
        break;
    case 2:
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, end))
            abort();
        break;
    default: make_tcp(end); break;
    }
    fcntl(end[0], F_SETFL, O_NONBLOCK);
    fcntl(end[1], F_SETFL, O_NONBLOCK);
    item[i].fd = end[0], item[i].peer = end[1];
    item[i].events = some_events();
    event = (struct epoll_event){.events = item[i].events, .data = {.u32 = i}};
    if (epoll_ctl(set, EPOLL_CTL_ADD, item[i].fd, &event))
        abort();
}

static void drop(unsigned i)
{
    close(item[i].fd);
    if (item[i].peer >= 0)
        close(item[i].peer);
}

static void in_child(unsigned i)
{
    pid_t child = fork();

    if (child == 0) {
        if (below(2))
            (void)!write(item[i].peer, bytes, 1 + below(100));
        else
            (void)!read(item[i].peer, bytes, sizeof(bytes));
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void step(unsigned i)
{
    struct epoll_event event;

    switch (below(12)) {
    case 0: case 1: case 2: (void)!write(item[i].peer, bytes, 1 + below(3000)); break;
    case 3: case 4: (void)!read(item[i].fd, bytes, sizeof(bytes)); break;
    case 5: (void)!write(item[i].fd, bytes, sizeof(bytes)); break;
    case 6: (void)!read(item[i].peer, bytes, below(2) ? 100 : sizeof(bytes)); break;
    case 7:
        item[i].events = some_events();
        event = (struct epoll_event){.events = item[i].events, .data = {.u32 = i}};
        if (epoll_ctl(set, EPOLL_CTL_MOD, item[i].fd, &event))
            abort();
        break;
    case 8:
        if (below(2) && item[i].peer >= 0)
            shutdown(item[i].peer, (int)below(3));
        break;
    case 9:
        if (below(2))
            shutdown(item[i].fd, (int)below(3));
        break;
    case 10:
        if (below(4) == 0 && item[i].peer >= 0)
            close(item[i].peer), item[i].peer = -1;
        else if (below(8) == 0 && item[i].peer >= 0)
            in_child(i);
        break;
    default:
        if (below(4) == 0)
            drop(i), make(i);
        break;
    }
}

/* The item of which they do not say the same, or -1. */
static int difference(uint32_t *said, uint32_t *polled)
{
    struct epoll_event event[COUNT];
    struct pollfd asked[COUNT];
    uint32_t found[COUNT] = {0};
    int ready = epoll_wait(set, event, COUNT, 0);

    for (int i = 0; i < ready; i++)
        found[event[i].data.u32] = event[i].events;
    for (int i = 0; i < COUNT; i++)
        asked[i] = (struct pollfd){.fd = item[i].fd, .events = (short)item[i].events};
    poll(asked, COUNT, 0);
    for (int i = 0; i < COUNT; i++) {
        *said = found[i], *polled = (uint32_t)(uint16_t)asked[i].revents;
        if (*said != *polled)
            return i;
    }
    return -1;
}

static void test_model(void)
{
    uint32_t said = 0, polled = 0;
    int wrong = -1;

    set = epoll_create1(0);
    for (unsigned i = 0; i < COUNT; i++)
        make(i);
    for (int n = 0; n < STEPS && wrong < 0; n++) {
        step(below(COUNT));
        wrong = difference(&said, &polled);
        if (wrong >= 0)
            printf("# step %d, item %d of kind %d, asked for %x: epoll says %x, poll %x\n", n, wrong, item[wrong].kind, item[wrong].events, said, polled);
    }
    CASE("epoll says what poll says", wrong < 0);
    for (unsigned i = 0; i < COUNT; i++)
        drop(i);
    close(set);
}

static void test_turns(void)
{
    int end[5][2], seen[5] = {0};
    struct epoll_event event = {.events = EPOLLIN};

    set = epoll_create1(0);
    for (int i = 0; i < 5; i++) {
        event.data.u32 = (uint32_t)i;
        if (pipe(end[i]) || write(end[i][1], "x", 1) != 1 || epoll_ctl(set, EPOLL_CTL_ADD, end[i][0], &event))
            abort();
    }
    for (int i = 0; i < 10; i++)
        if (epoll_wait(set, &event, 1, -1) == 1)
            seen[event.data.u32]++;
    CASE("one at a time, each has its turn", seen[0] == 2 && seen[1] == 2 && seen[2] == 2 && seen[3] == 2 && seen[4] == 2);
    for (int i = 0; i < 5; i++)
        close(end[i][0]), close(end[i][1]);
    close(set);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        state = strtoull(argv[1], NULL, 0); /* another seed */
    signal(SIGPIPE, SIG_IGN);
    test_model();
    test_turns();
    return tap_finish();
}
