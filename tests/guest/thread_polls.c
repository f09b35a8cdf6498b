/*
 * Another thread closes what one polls, selects or waits for by epoll, and a child has still open, while that one is woken and finds nothing: it goes on,
 * whether it takes notice of the end (Linux looks at the descriptors again, and says POLLNVAL) or not.
 * guest-test: --timeout 60
 */
#include "thread_help.h"

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

static int closed[2], pipe_ends[2], set;
static atomic_int ready;

static void *by_poll(void *argument)
{
    struct pollfd wanted[2] = {{.fd = closed[0], .events = POLLIN}, {.fd = pipe_ends[0], .events = POLLIN}};

    (void)argument;
    ready = 1;
    return (void *)(long)(poll(wanted, 2, -1) >= 1);
}

static void *by_select(void *argument)
{
    fd_set wanted;

    (void)argument;
    FD_ZERO(&wanted);
    FD_SET(closed[0], &wanted);
    FD_SET(pipe_ends[0], &wanted);
    ready = 1;
    return (void *)(long)(select(FD_SETSIZE, &wanted, NULL, NULL, NULL) >= -1);
}

static void *by_epoll(void *argument)
{
    struct epoll_event event;

    (void)argument;
    ready = 1;
    return (void *)(long)(epoll_wait(set, &event, 1, -1) == 1 && event.data.fd == pipe_ends[0]);
}

static void one_way(const char *name, void *(*way)(void *))
{
    struct epoll_event event = {.events = EPOLLIN};
    pthread_t thread;
    pid_t child;
    char byte;

    if (pipe(pipe_ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, closed) != 0)
        return;
    set = epoll_create1(0);
    for (int i = 0; i < 2; i++) {
        event.data.fd = i ? closed[0] : pipe_ends[0];
        epoll_ctl(set, EPOLL_CTL_ADD, event.data.fd, &event);
    }
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    ready = 0;
    thread = start(way, NULL);
    while (!ready)
        short_sleep();
    short_sleep();
    close(closed[0]);
    close(closed[1]);
    for (int i = 0; i < 8; i++) { /* read at once, as a rule before the other one looks */
        if (write(pipe_ends[1], "v", 1) != 1 || read(pipe_ends[0], &byte, 1) != 1)
            return;
        short_sleep();
    }
    CASE(name, write(pipe_ends[1], "y", 1) == 1 && joined(thread) == 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close(set);
}

int main(void)
{
    alarm(50);
    one_way("another thread closes what one polls", by_poll);
    one_way("what one selects", by_select);
    one_way("what an epoll has in its list", by_epoll);
    return tap_finish();
}
