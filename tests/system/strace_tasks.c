/* Calls about sockets, waiting, processes, signals and time, for tests/system/strace.py. */
#include "strace.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { WAIT, WAKE, CMP_REQUEUE = 4, WAKE_OP, LOCK_PI, UNLOCK_PI, WAIT_BITSET = 9, WAKE_BITSET, PRIVATE = 128, REALTIME = 256 }; /* futexes' */
#define USR1 (1ull << (SIGUSR1 - 1))

static char buffer[512];

static void addresses(void)
{
    struct sockaddr_un name = {AF_UNIX, "/tmp/socket"}, hidden = {AF_UNIX, "\0abstract"};
    struct sockaddr_in6 there = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(99)};
    long listener = CALL(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), one, other;
    socklen_t length = sizeof name;

    CALL(bind, listener, &name, offsetof(struct sockaddr_un, sun_path) + 12);
    CALL(bind, listener, WILD, 16);
    CALL(bind, listener, &(struct sockaddr){77, "abc"}, 12);
    CALL(listen, listener, 5);
    one = CALL(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CALL(connect, one, &name, sizeof name);
    other = CALL(accept4, listener, buffer, &length, SOCK_CLOEXEC);
    length = 4;
    CALL(getsockname, listener, buffer, &length);
    CALL(getpeername, other, WILD, &length);
    CALL(getpeername, other, buffer, WILD);
    CALL(accept4, listener, NULL, NULL, SOCK_NONBLOCK | 99);
    CALL(shutdown, one, SHUT_WR);
    CALL(shutdown, one, 7);
    one = CALL(socket, AF_UNIX, SOCK_DGRAM, 0);
    CALL(bind, one, &hidden, 11);
    CALL(socket, AF_INET, SOCK_STREAM, IPPROTO_UDP);
    CALL(socket, AF_UNIX, 77, 3);
    CALL(socket, AF_NETLINK, SOCK_RAW, 0);
    one = CALL(socket, AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    CALL(connect, one, &there, sizeof there);
}

static void messages(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(4321)};
    struct iovec out[2] = {{"abc", 3}, {"defg", 4}}, in = {buffer, 64};
    union {
        struct cmsghdr head;
        char room[64];
    } control = {.head = {.cmsg_len = CMSG_LEN(8), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}}, got;
    struct msghdr sent = {.msg_iov = out, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = CMSG_SPACE(8)};
    struct msghdr taken = {.msg_name = &here, .msg_namelen = 16, .msg_iov = &in, .msg_iovlen = 1, .msg_control = &got, .msg_controllen = sizeof got};
    struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = out, .msg_iovlen = 2}}, {.msg_hdr = {.msg_iov = out, .msg_iovlen = 1}}};
    socklen_t length = sizeof here;
    int pair[2];
    long udp = CALL(socket, AF_INET, SOCK_DGRAM, IPPROTO_IP);

    CALL(bind, udp, &here, sizeof here);
    CALL(sendto, udp, "hello", 5, MSG_DONTWAIT | MSG_NOSIGNAL, &here, sizeof here);
    CALL(recvfrom, udp, buffer, sizeof buffer, MSG_DONTWAIT, &here, &length);
    CALL(recvfrom, udp, buffer, sizeof buffer, MSG_DONTWAIT | MSG_PEEK, &here, &length);
    CALL(socketpair, AF_UNIX, SOCK_DGRAM, 0, pair);
    CALL(socketpair, AF_UNIX, SOCK_DGRAM, 0, WILD);
    ((int *)CMSG_DATA(&control.head))[0] = pair[0];
    ((int *)CMSG_DATA(&control.head))[1] = pair[1];
    CALL(sendmsg, pair[0], &sent, MSG_NOSIGNAL);
    CALL(recvmsg, pair[1], &taken, MSG_CMSG_CLOEXEC);
    CALL(recvmsg, pair[1], &taken, MSG_DONTWAIT);
    CALL(sendmsg, pair[0], WILD, 0);
    CALL(recvmsg, pair[0], WILD, MSG_WAITALL);
    sent = (struct msghdr){.msg_name = WILD, .msg_namelen = 8, .msg_iov = WILD, .msg_iovlen = 2, .msg_control = WILD, .msg_controllen = 24};
    CALL(sendmsg, pair[0], &sent, 0);
    CALL(setsockopt, pair[1], SOL_SOCKET, SO_PASSCRED, &(int){1}, 4);
    CALL(sendmmsg, pair[0], two, 2, MSG_DONTWAIT);
    CALL(recvmsg, pair[1], &taken, 0);
    CALL(recvmmsg, pair[1], two, 1, MSG_DONTWAIT, &(struct timespec){1, 5});
    CALL(recvmmsg, pair[1], WILD, 2, MSG_DONTWAIT, NULL);
    CALL(sendmmsg, pair[1], WILD, 2, MSG_DONTWAIT);
}

static void options(void)
{
    long tcp = CALL(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    socklen_t length = 4;
    int pair[2];

    CALL(setsockopt, tcp, SOL_SOCKET, SO_REUSEADDR, &(int){1}, 4);
    CALL(setsockopt, tcp, SOL_SOCKET, SO_KEEPALIVE, WILD, 4);
    CALL(setsockopt, tcp, IPPROTO_TCP, TCP_NODELAY, &(int){1}, 4);
    CALL(setsockopt, tcp, SOL_SOCKET, SO_LINGER, &(struct linger){1, 2}, 8);
    CALL(setsockopt, tcp, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){1, 2}, 16);
    CALL(setsockopt, tcp, SOL_SOCKET, 999, &(int){1}, 4);
    CALL(setsockopt, tcp, 77, 9, &(int){1}, 4);
    CALL(getsockopt, tcp, SOL_SOCKET, SO_ERROR, buffer, &length);
    CALL(getsockopt, tcp, SOL_SOCKET, SO_TYPE, buffer, &length);
    CALL(getsockopt, tcp, SOL_SOCKET, SO_TYPE, WILD, &length);
    CALL(getsockopt, tcp, SOL_SOCKET, SO_TYPE, buffer, WILD);
    length = 16;
    CALL(getsockopt, tcp, SOL_SOCKET, SO_LINGER, buffer, &length);
    CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
    length = 12;
    CALL(getsockopt, pair[0], SOL_SOCKET, SO_PEERCRED, buffer, &length);
    strcpy(buffer, "lo");
    CALL(ioctl, tcp, 0x8933, buffer);
    CALL(ioctl, tcp, 0x8913, buffer);
    CALL(ioctl, tcp, 0x8915, buffer);
    CALL(ioctl, tcp, 0x8933, WILD);
}

static void waiting(void)
{
    struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = 0x123456789abc}}, events[4];
    struct timespec soon = {0, 1000};
    uint64_t mask = USR1, six[2] = {(uint64_t)&mask, 8};
    struct pollfd asked[3];
    fd_set readable;
    int ends[2];
    long epoll;

    CALL(pipe2, ends, 0);
    CALL(write, ends[1], "x", 1);
    asked[0] = (struct pollfd){ends[0], POLLIN | POLLPRI, 0};
    asked[1] = (struct pollfd){77, POLLOUT, 0};
    asked[2] = (struct pollfd){-1, POLLIN, 0};
    CALL(poll, asked, 3, -1);
    CALL(poll, asked + 2, 1, 1);
    CALL(poll, NULL, 0, 0);
    CALL(poll, WILD, 1, 1);
    CALL(ppoll, asked, 1, &soon, &mask, 8);
    CALL(ppoll, asked + 2, 1, &soon, NULL, 8);
    CALL(ppoll, asked, 1, WILD, WILD, 8);
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    CALL(select, ends[0] + 1, &readable, NULL, NULL, &(struct timeval){1, 0});
    CALL(select, 8, WILD, NULL, NULL, WILD);
    CALL(select, -1, &readable, NULL, NULL, NULL);
    CALL(pselect6, ends[0] + 1, &readable, NULL, NULL, &(struct timespec){1, 0}, six);
    CALL(pselect6, 0, NULL, NULL, NULL, &soon, NULL);
    CALL(pselect6, 8, NULL, WILD, NULL, WILD, WILD);
    epoll = CALL(epoll_create1, EPOLL_CLOEXEC);
    CALL(epoll_create1, 77);
    CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, ends[0], &event);
    CALL(epoll_ctl, epoll, EPOLL_CTL_MOD, ends[0], WILD);
    CALL(epoll_ctl, epoll, 9, ends[0], &event);
    CALL(epoll_wait, epoll, events, 4, -1);
    CALL(epoll_pwait, epoll, events, 4, 0, &mask, 8);
    CALL(epoll_pwait2, epoll, events, 4, &soon, NULL, 8);
    CALL(epoll_ctl, epoll, EPOLL_CTL_DEL, ends[0], NULL);
    CALL(eventfd2, 3, O_CLOEXEC | O_NONBLOCK | 1);
    CALL(signalfd4, -1, &mask, 8, O_CLOEXEC | O_NONBLOCK);
    CALL(signalfd4, -1, WILD, 8, 0x70);
    epoll = CALL(timerfd_create, CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK);
    CALL(timerfd_settime, epoll, 0, &(struct itimerspec){{1, 2}, {3000, 4}}, NULL);
    CALL(timerfd_settime, epoll, 3, &(struct itimerspec){0}, buffer);
    CALL(timerfd_gettime, epoll, WILD);
}

static void processes(void)
{
    uint64_t how[11] = {[0] = CLONE_PARENT_SETTID, [3] = (uint64_t)buffer, [4] = SIGCHLD}; /* struct clone_args */
    int state;
    long child = CALL(clone, CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0, &state, &state, 0);

    if (!child)
        CALL(exit_group, 4);
    CALL(waitid, P_PID, child, buffer, WEXITED | WNOWAIT, NULL);
    CALL(wait4, child, &state, 0, buffer);
    child = CALL(fork);
    if (!child) {
        kill(getpid(), SIGSTOP); /* raise's id would be the parent's */
        kill(getpid(), SIGABRT);
    }
    CALL(wait4, child, &state, WUNTRACED, NULL);
    kill((pid_t)child, SIGCONT);
    CALL(wait4, child, &state, WCONTINUED, NULL);
    CALL(wait4, child, &state, 0, WILD);
    CALL(wait4, -1, &state, WNOHANG, buffer);
    child = CALL(clone3, how, sizeof how);
    if (!child)
        CALL(exit, 0);
    CALL(waitid, P_ALL, 0, WILD, WEXITED, buffer);
    CALL(clone3, how, 1);
    CALL(clone3, WILD, 88);
    CALL(clone, CLONE_THREAD | 5, NULL, WILD, WILD, WILD);
    CALL(ptrace, PTRACE_TRACEME, 0, 0, 0);
    CALL(ptrace, PTRACE_SEIZE, 1, 0, 0x100001);
    CALL(process_vm_readv, getpid(), &(struct iovec){buffer, 4}, 1, &(struct iovec){buffer, 4}, 1, 0);
}

static void rights(void)
{
    uint32_t header[2] = {0x20080522, 0};
    int a, b, c;

    CALL(prlimit64, 0, RLIMIT_STACK, NULL, buffer);
    CALL(prlimit64, 0, RLIMIT_CORE, WILD, WILD);
    CALL(getrlimit, 99, buffer);
    CALL(getrusage, RUSAGE_SELF, buffer);
    CALL(prctl, PR_SET_NAME, "abcdefghijklmnopqrstuv");
    CALL(prctl, PR_GET_NAME, buffer);
    CALL(prctl, PR_GET_NAME, WILD);
    CALL(prctl, PR_SET_PDEATHSIG, SIGTERM);
    CALL(prctl, PR_GET_PDEATHSIG, buffer);
    CALL(prctl, PR_GET_DUMPABLE);
    CALL(prctl, PR_CAPBSET_READ, 3);
    CALL(prctl, 12345, 1, 2, 3, 4);
    CALL(arch_prctl, 0x1003, buffer);
    CALL(uname, buffer);
    CALL(sysinfo, buffer);
    CALL(times, buffer);
    CALL(sched_getaffinity, 0, 128, buffer);
    CALL(sched_getscheduler, 0);
    CALL(sched_setscheduler, 0, SCHED_FIFO, WILD);
    CALL(personality, 0xffffffff);
    CALL(capget, header, buffer);
    CALL(capset, header, WILD);
    CALL(setgroups, 2, (int[]){5, 6});
    CALL(getgroups, 60, buffer);
    CALL(getresuid, &a, &b, &c);
    CALL(setresuid, -1, 0, -1);
    CALL(getcpu, &a, NULL, NULL);
    CALL(membarrier, 0, 0);
    CALL(getrandom, buffer, 50, 1);
    CALL(getrandom, WILD, 5, 8);
    CALL(pidfd_open, getpid(), 0);
}

static void on_signal(int signo)
{
    (void)signo;
}

static void signals(void)
{
    uint64_t action[4] = {(uint64_t)on_signal, SA_RESTART | SA_SIGINFO | SA_ONSTACK, 0, USR1}, set = 5ull << 31, info[16] = {SIGUSR1, (uint32_t)SI_QUEUE};
    struct timespec soon = {0, 1000};
    stack_t stack = {.ss_sp = buffer, .ss_flags = SS_DISABLE};

    signal(SIGUSR1, on_signal);
    CALL(rt_sigaction, SIGUSR2, action, buffer, 8);
    CALL(rt_sigaction, 35, WILD, WILD, 8);
    CALL(rt_sigaction, 99, NULL, NULL, 8);
    CALL(rt_sigprocmask, SIG_BLOCK, &set, &set, 8);
    CALL(rt_sigprocmask, 7, &set, WILD, 4);
    raise(SIGUSR1);
    CALL(kill, getpid(), 34);
    CALL(rt_sigpending, buffer, 8);
    CALL(rt_sigtimedwait, &(uint64_t){1ull << 33}, buffer, &soon, 8);
    CALL(rt_sigtimedwait, &(uint64_t){1ull << 33}, WILD, &soon, 8);
    info[2] = (uint64_t)(uint32_t)getpid();
    info[3] = 9;
    CALL(rt_sigqueueinfo, getpid(), SIGUSR1, info);
    CALL(rt_sigqueueinfo, getpid(), SIGUSR1, WILD);
    CALL(kill, getpid(), 99);
    CALL(sigaltstack, &stack, buffer);
    CALL(sigaltstack, WILD, NULL);
}

static void times_and_locks(void)
{
    struct itimerval often = {{0, 50000}, {0, 50000}}, never = {0};
    struct timespec soon = {0, 1000}, late = {50, 0};
    struct sigevent event = {.sigev_value.sival_int = 7, .sigev_signo = SIGUSR1};
    volatile int word = 0;
    int timer;

    signal(SIGALRM, on_signal);
    CALL(setitimer, ITIMER_REAL, &often, buffer);
    CALL(nanosleep, &late, buffer);
    CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, &late, buffer);
    CALL(rt_sigsuspend, &(uint64_t){0}, 8);
    CALL(setitimer, ITIMER_REAL, &never, NULL);
    CALL(getitimer, 9, WILD);
    CALL(timer_create, CLOCK_REALTIME, &event, &timer);
    CALL(timer_settime, timer, 1, &(struct itimerspec){{0, 0}, {1, 0}}, buffer);
    CALL(timer_gettime, timer, buffer);
    CALL(timer_create, 99, WILD, WILD);
    CALL(nanosleep, &soon, &soon);
    CALL(clock_nanosleep, 99, 1, &soon, &soon);
    CALL(clock_gettime, CLOCK_REALTIME, WILD);
    CALL(clock_getres, CLOCK_MONOTONIC, buffer);
    CALL(gettimeofday, buffer, NULL);
    CALL(time, NULL);
    CALL(futex, &word, WAIT, 1, NULL);
    CALL(futex, &word, WAIT | PRIVATE, 0, &soon);
    CALL(futex, &word, WAKE, 1);
    CALL(futex, &word, WAIT_BITSET | PRIVATE | REALTIME, 0, &soon, 0, -1);
    CALL(futex, &word, WAKE_BITSET, 1, 0, 0, 5);
    CALL(futex, &word, CMP_REQUEUE | PRIVATE, 1, 2, &word, 7);
    CALL(futex, &word, WAKE_OP | PRIVATE, 1, 2, &word, 0x04000001);
    CALL(futex, &word, LOCK_PI | PRIVATE, 0, NULL);
    CALL(futex, &word, UNLOCK_PI | PRIVATE);
    CALL(futex, WILD, 77, 1, 2, 3, 4);
}

int main(void)
{
    addresses();
    messages();
    options();
    waiting();
    processes();
    rights();
    signals();
    times_and_locks();
    *(volatile int *)WILD = 1;
    return 0;
}
