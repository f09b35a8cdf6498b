/* Signals of descriptions: who owns one, SIGIO and SIGURG; urgent bytes of streams; how much is sent before somebody reads. */
#include "probe.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#ifndef FIOSETOWN
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902
#define FIOGETOWN 0x8903
#define SIOCGPGRP 0x8904
#define SIOCATMARK 0x8905
#endif
#define F_SETOWN_EX_ 15
#define F_GETOWN_EX_ 16
struct owner { int type, pid; };

/* ---- who ---- */

static void owner_is(int fd)
{
    struct owner ex = {7, 7};
    int result = fcntl(fd, F_GETOWN_EX_, &ex);

    SAY("  owner %d: type %d, %s\n", result, ex.type, ex.pid == getpid() ? "self" : ex.pid == getppid() ? "parent" : ex.pid ? "somebody" : "nobody");
}

static void sets(void)
{
    int f = open("f", O_RDWR | O_CREAT, 0644), d = open(".", O_RDONLY), null = open("/dev/null", O_RDWR), path = open("f", O_PATH), p[2], v[2], on = 1, n;
    struct owner ex = {1, getpid()};
    pid_t gone = fork();
    if (!gone) _exit(0);
    waitpid(gone, NULL, 0);
    pipe(p); socketpair(AF_UNIX, SOCK_STREAM, 0, v); setpgid(0, 0);
    int all[] = {f, d, null, p[0], v[0]};
    for (int i = 0; i < 5; i++) {
        int fd = all[i];
        SAY("-- %d\n", i); owner_is(fd); P(fcntl(fd, F_GETSIG)); P(syscall(SYS_fcntl, fd, F_GETOWN)); P(fcntl(fd, F_SETOWN, getpid())); owner_is(fd);
        P(syscall(SYS_fcntl, fd, F_GETOWN, 0) == getpid()); P(fcntl(fd, F_SETOWN, -getpgrp())); owner_is(fd); P(fcntl(fd, F_SETOWN, 0)); owner_is(fd);
        P(fcntl(fd, F_SETOWN, 99999999)); P(fcntl(fd, F_SETOWN, -99999999)); P(fcntl(fd, F_SETOWN, INT_MIN)); P(fcntl(fd, F_SETOWN, gone)); owner_is(fd);
        P(fcntl(fd, F_SETSIG, -1)); P(fcntl(fd, F_SETSIG, 65)); P(fcntl(fd, F_SETSIG, 64)); P(fcntl(fd, F_GETSIG)); P(fcntl(fd, F_SETSIG, SIGIO));
        P(fcntl(fd, F_GETSIG)); P(fcntl(fd, F_SETSIG, 0)); ex = (struct owner){1, getpid()}; P(fcntl(fd, F_SETOWN_EX_, &ex)); owner_is(fd);
        ex.type = 0; P(fcntl(fd, F_SETOWN_EX_, &ex)); owner_is(fd); ex.type = 2; ex.pid = getpgrp(); P(fcntl(fd, F_SETOWN_EX_, &ex)); owner_is(fd);
        ex.type = 3; P(fcntl(fd, F_SETOWN_EX_, &ex)); ex.type = -1; P(fcntl(fd, F_SETOWN_EX_, &ex)); ex = (struct owner){1, 99999999};
        P(fcntl(fd, F_SETOWN_EX_, &ex)); ex.pid = -1; P(fcntl(fd, F_SETOWN_EX_, &ex)); ex.pid = 0; P(fcntl(fd, F_SETOWN_EX_, &ex)); owner_is(fd);
        P(fcntl(fd, F_SETOWN_EX_, BAD)); P(fcntl(fd, F_GETOWN_EX_, BAD)); P(fcntl(fd, F_SETFL, O_ASYNC)); P(!!(fcntl(fd, F_GETFL) & O_ASYNC));
        P(fcntl(fd, F_SETFL, 0)); P(!!(fcntl(fd, F_GETFL) & O_ASYNC)); on = 1; P(ioctl(fd, FIOASYNC, &on)); P(!!(fcntl(fd, F_GETFL) & O_ASYNC));
        on = 0; P(ioctl(fd, FIOASYNC, &on)); P(ioctl(fd, FIOASYNC, BAD)); n = getpid(); P(ioctl(fd, FIOSETOWN, &n)); n = 0; P(ioctl(fd, FIOGETOWN, &n));
        P(n == getpid()); n = -getpgrp(); P(ioctl(fd, SIOCSPGRP, &n)); n = 0; P(ioctl(fd, SIOCGPGRP, &n)); P(n == -getpgrp());
        n = 99999999; P(ioctl(fd, SIOCSPGRP, &n)); P(ioctl(fd, SIOCSPGRP, BAD)); P(ioctl(fd, SIOCGPGRP, BAD)); P(ioctl(fd, SIOCATMARK, &n));
    }
    P(fcntl(path, F_SETOWN, getpid())); P(fcntl(path, F_GETOWN_EX_, &ex)); P(fcntl(path, F_SETSIG, 1)); P(fcntl(99, F_SETOWN, 0));
    CHILD(owner_is(v[0]); P(fcntl(v[0], F_SETOWN, getpid())); owner_is(v[0]));
    n = dup(p[0]); P(fcntl(n, F_SETOWN, getpid())); owner_is(p[0]); close(n); owner_is(p[0]);
}

/* ---- SIGIO ---- */

static int caught[65], code, band, from;
static void note(int signal, siginfo_t *info, void *context)
{
    caught[signal]++;
    code = info->si_code;
    band = code > 0 && code < 7 ? (int)info->si_band : 0;
    from = code > 0 && code < 7 ? info->si_fd : -1;
}

static void listen_to(int signal)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};

    sigaction(signal, &action, NULL);
}

/* Signals of others are there a moment later: each look waits for one if there is to be one. */
static void heard_of(const char *what, int signal, bool expected)
{
    for (int i = 0; expected && !caught[signal] && i < 5000; i++)
        usleep(1000);
    SAY("%s: %s, code %d, band %#x, fd %d\n", what, caught[signal] ? "signal" : "none", caught[signal] ? code : 0, caught[signal] ? band : 0,
        caught[signal] ? from : 0);
    caught[signal] = 0;
}
#define HEARD(what, signal) heard_of(what, signal, true)
#define NOTHING(what, signal) heard_of(what, signal, false)

static void pipes(void)
{
    int p[2], on = 1, q;
    char b[100];
    listen_to(SIGIO); listen_to(SIGRTMIN); listen_to(SIGUSR1); pipe(p);
    P(fcntl(p[0], F_SETOWN, getpid())); P(write(p[1], "a", 1)); NOTHING("owner, no O_ASYNC", SIGIO);
    P(fcntl(p[0], F_SETFL, O_ASYNC)); P(read(p[0], b, 9)); NOTHING("set", SIGIO); P(write(p[1], "a", 1)); HEARD("written", SIGIO);
    P(write(p[1], "a", 1)); HEARD("once more", SIGIO); P(read(p[0], b, 9)); CHILD(write(p[1], "c", 1)); HEARD("by a child", SIGIO); P(read(p[0], b, 9));
    P(fcntl(p[0], F_SETSIG, SIGRTMIN)); P(write(p[1], "a", 1)); HEARD("F_SETSIG", SIGRTMIN); NOTHING("not", SIGIO); P(read(p[0], b, 9));
    P(fcntl(p[0], F_SETSIG, SIGUSR1)); P(write(p[1], "a", 1)); HEARD("SIGUSR1", SIGUSR1); P(read(p[0], b, 9));
    P(fcntl(p[0], F_SETSIG, SIGIO)); P(write(p[1], "a", 1)); HEARD("SIGIO by F_SETSIG", SIGIO); P(read(p[0], b, 9)); P(fcntl(p[0], F_SETSIG, 0));
    P(fcntl(p[0], F_SETOWN, 0)); P(write(p[1], "a", 1)); NOTHING("nobody", SIGIO); P(read(p[0], b, 9)); P(fcntl(p[0], F_SETOWN, getpid()));
    P(write(p[1], "a", 1)); HEARD("self again", SIGIO); P(read(p[0], b, 9)); on = 0; P(ioctl(p[0], FIOASYNC, &on)); P(write(p[1], "a", 1));
    NOTHING("FIOASYNC off", SIGIO); on = 1; P(ioctl(p[0], FIOASYNC, &on)); P(read(p[0], b, 9)); P(write(p[1], "a", 1)); HEARD("on", SIGIO);
    P(read(p[0], b, 9)); q = dup(p[0]); close(p[0]); P(write(p[1], "a", 1)); HEARD("through a duplicate", SIGIO); P(read(q, b, 9));
    setpgid(0, 0); P(fcntl(q, F_SETOWN, -getpgrp())); P(write(p[1], "a", 1)); HEARD("group", SIGIO); P(read(q, b, 9)); close(p[1]);
    HEARD("closed", SIGIO); close(q);
    pipe(p); fcntl(p[1], F_SETOWN, getpid()); fcntl(p[1], F_SETFL, O_ASYNC | O_NONBLOCK); P(fcntl(p[1], F_SETSIG, SIGRTMIN));
    while (write(p[1], page, 4096) > 0) ;
    caught[SIGRTMIN] = 0; P(read(p[0], page, 65536)); HEARD("room", SIGRTMIN); close(p[0]); HEARD("no reader", SIGRTMIN); close(p[1]);
    pipe(p); fcntl(p[0], F_SETOWN, getpid()); fcntl(p[0], F_SETFL, O_ASYNC); close(p[0]); P(fcntl(p[1], F_GETOWN)); signal(SIGPIPE, SIG_IGN);
    P(write(p[1], "a", 1)); NOTHING("gone", SIGIO);
    pipe(p); CHILD(signal(SIGIO, SIG_DFL); fcntl(p[0], F_SETOWN, getpid()); fcntl(p[0], F_SETFL, O_ASYNC); write(p[1], "a", 1); usleep(1000));
    P(write(p[1], "a", 1)); NOTHING("an owner that is gone", SIGIO); read(p[0], b, 9);
    fcntl(p[0], F_SETFL, 0); P(fcntl(p[0], F_SETOWN, 1)); AS_USER(P(fcntl(p[0], F_SETOWN, getppid())); P(fcntl(p[0], F_SETFL, O_ASYNC)); write(p[1], "a", 1));
    NOTHING("set by who may not signal", SIGIO);
}

static int listener;
static void tcp_pair(int v[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t l = sizeof a;
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM, 0); bind(listener, (void *)&a, l); listen(listener, 5); getsockname(listener, (void *)&a, &l);
    v[0] = socket(AF_INET, SOCK_STREAM, 0); connect(v[0], (void *)&a, l); v[1] = accept(listener, 0, 0);
    setsockopt(v[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); setsockopt(v[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void socket_signals(int v[2])
{
    char b[100];
    listen_to(SIGIO); listen_to(SIGURG); listen_to(SIGRTMIN);
    P(fcntl(v[1], F_SETOWN, getpid())); P(write(v[0], "a", 1)); NOTHING("owner alone", SIGIO); P(read(v[1], b, 9)); P(send(v[0], "u", 1, MSG_OOB));
    HEARD("urgent", SIGURG); NOTHING("but no", SIGIO); P(recv(v[1], b, 1, MSG_OOB)); V(*b); P(fcntl(v[1], F_SETFL, O_ASYNC)); caught[SIGIO] = 0;
    P(write(v[0], "b", 1)); HEARD("data", SIGIO); P(read(v[1], b, 9)); P(fcntl(v[1], F_SETSIG, SIGRTMIN)); P(write(v[0], "b", 1)); HEARD("data", SIGRTMIN);
    P(read(v[1], b, 9)); P(fcntl(v[1], F_SETSIG, 0)); P(fcntl(v[1], F_SETFL, 0)); P(write(v[0], "c", 1)); NOTHING("off", SIGIO); P(read(v[1], b, 9));
    P(fcntl(v[1], F_SETFL, O_ASYNC)); P(shutdown(v[0], SHUT_WR)); HEARD("its end", SIGIO); close(v[0]); caught[SIGIO] = 0; close(v[1]);
}

static void sockets(void)
{
    int v[2], c, u, w;
    struct sockaddr_in a; socklen_t l = sizeof a; char b[9];
    SAY("-- AF_UNIX\n"); socketpair(AF_UNIX, SOCK_STREAM, 0, v); socket_signals(v); SAY("-- TCP\n"); tcp_pair(v); socket_signals(v);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, v); P(fcntl(v[1], F_SETOWN, getpid())); P(fcntl(v[1], F_SETFL, O_ASYNC)); P(send(v[0], "a", 1, MSG_OOB));
    P(write(v[0], "a", 1)); HEARD("a packet", SIGIO); P(recv(v[1], b, 9, MSG_OOB)); close(v[0]); HEARD("the peer closes", SIGIO);
    P(fcntl(listener, F_SETOWN, getpid())); P(fcntl(listener, F_SETFL, O_ASYNC)); getsockname(listener, (void *)&a, &l); c = socket(AF_INET, SOCK_STREAM, 0);
    P(connect(c, (void *)&a, l)); HEARD("somebody connects", SIGIO);
    u = socket(AF_INET, SOCK_DGRAM, 0); a.sin_port = 0; bind(u, (void *)&a, l); getsockname(u, (void *)&a, &l); w = socket(AF_INET, SOCK_DGRAM, 0);
    P(fcntl(u, F_SETOWN, getpid())); P(fcntl(u, F_SETFL, O_ASYNC)); P(sendto(w, "a", 1, 0, (void *)&a, l)); HEARD("a datagram", SIGIO);
    P(fcntl(u, F_SETFL, 0)); P(sendto(w, "a", 1, 0, (void *)&a, l)); NOTHING("off", SIGIO); P(sendto(w, "a", 1, MSG_OOB, (void *)&a, l));
    P(recv(u, b, 9, MSG_OOB | MSG_DONTWAIT)); P(ioctl(u, SIOCATMARK, &c));
    c = socket(AF_INET, SOCK_STREAM, 0); P(fcntl(c, F_SETOWN, getpid())); P(fcntl(c, F_SETFL, O_ASYNC | O_NONBLOCK)); l = sizeof a;
    getsockname(listener, (void *)&a, &l); connect(c, (void *)&a, l); w = accept(listener, 0, 0); w = accept(listener, 0, 0); usleep(1000); caught[SIGIO] = 0;
    P(write(w, "x", 1)); HEARD("set before it was connected", SIGIO);
}

static void terminals(void)
{
    int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), n = 0, s;
    char name[40];
    ioctl(m, TIOCSPTLCK, &n); ioctl(m, TIOCGPTN, &n); sprintf(name, "/dev/pts/%d", n); s = open(name, O_RDWR | O_NOCTTY); listen_to(SIGIO);
    P(fcntl(s, F_SETOWN, getpid())); P(fcntl(s, F_SETFL, O_ASYNC)); P(write(m, "line\n", 5)); HEARD("a line", SIGIO); P(read(s, name, 9));
    P(fcntl(s, F_SETFL, 0)); P(write(m, "line\n", 5)); NOTHING("off", SIGIO); P(read(m, name, 0));
    while (poll(&(struct pollfd){m, POLLIN}, 1, 100) == 1) read(m, page, 100);
    P(fcntl(m, F_SETOWN, getpid())); P(fcntl(m, F_SETFL, O_ASYNC)); P(write(s, "out", 3)); HEARD("output", SIGIO);
}

/* ---- urgent bytes ---- */

static void state(const char *what, int fd)
{
    struct pollfd item = {fd, POLLIN | POLLPRI | POLLRDBAND};
    int mark = -1, there = -1;

    poll(&item, 1, 0);
    ioctl(fd, SIOCATMARK, &mark); ioctl(fd, FIONREAD, &there);
    SAY("%s: poll %#x, at mark %d, %d there\n", what, item.revents & ~POLLRDBAND, mark, there);
}

static void got(int fd, size_t bytes, int flags)
{
    char b[100] = "";
    struct iovec piece = {b, bytes};
    struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
    ssize_t n = recvmsg(fd, &m, flags | MSG_DONTWAIT);

    SAY("  %zd %s \"%.*s\" flags %#x\n", n, n < 0 ? probe_error(errno) : "", n > 0 ? (int)n : 0, b, n < 0 ? 0 : m.msg_flags & ~MSG_DONTWAIT);
}

static void send_urgent(int fd, int to, const char *text)
{
    P(send(fd, text, strlen(text), MSG_OOB));
    usleep(2000);
}

static void urgent_tcp(void)
{
    int v[2], on = 1, e = epoll_create1(0), off = 0;
    fd_set set;
    struct timeval now = {0, 0};
    struct epoll_event event = {.events = EPOLLPRI | EPOLLET};
    tcp_pair(v); signal(SIGURG, SIG_IGN);
    got(v[1], 9, MSG_OOB); state("nothing", v[1]); send_urgent(v[0], v[1], "abcX"); state("abcX", v[1]); got(v[1], 9, MSG_OOB | MSG_PEEK);
    got(v[1], 9, MSG_OOB);
    got(v[1], 9, MSG_OOB); state("received", v[1]); got(v[1], 2, 0); state("two", v[1]); got(v[1], 9, 0); state("at it", v[1]); got(v[1], 9, 0);
    state("empty", v[1]);
    P(write(v[0], "more", 4)); usleep(2000); state("more", v[1]); got(v[1], 9, 0); state("past it", v[1]); got(v[1], 9, MSG_OOB);
    send_urgent(v[0], v[1], "Y"); state("alone", v[1]); got(v[1], 9, 0); state("not read", v[1]); got(v[1], 9, MSG_OOB); write(v[0], "z", 1); usleep(2000);
    got(v[1], 9, 0); send_urgent(v[0], v[1], "12A"); send_urgent(v[0], v[1], "34B"); state("two marks", v[1]); got(v[1], 9, 0); state("at B", v[1]);
    got(v[1], 9, MSG_OOB);
    write(v[0], "5", 1); usleep(2000); got(v[1], 9, 0); send_urgent(v[0], v[1], "C"); send_urgent(v[0], v[1], "D"); got(v[1], 9, MSG_OOB);
    write(v[0], "6", 1);
    usleep(2000); got(v[1], 9, 0); P(setsockopt(v[1], SOL_SOCKET, SO_OOBINLINE, &on, 4)); send_urgent(v[0], v[1], "efG"); write(v[0], "hi", 2); usleep(2000);
    state("in line", v[1]); got(v[1], 9, MSG_OOB); got(v[1], 9, 0); state("at it", v[1]); got(v[1], 9, 0); state("past it", v[1]);
    send_urgent(v[0], v[1], "H");
    state("alone", v[1]); got(v[1], 9, MSG_PEEK); got(v[1], 9, 0); P(setsockopt(v[1], SOL_SOCKET, SO_OOBINLINE, &off, 4)); send_urgent(v[0], v[1], "J");
    got(v[1], 0, MSG_OOB); FD_ZERO(&set); FD_SET(v[1], &set); P(select(v[1] + 1, 0, 0, &set, &now)); send_urgent(v[0], v[1], "kK"); FD_SET(v[1], &set);
    P(select(v[1] + 1, 0, 0, &set, &now)); epoll_ctl(e, EPOLL_CTL_ADD, v[1], &event); P(epoll_wait(e, &event, 1, 0)); SAY("%x\n", event.events & EPOLLPRI);
    got(v[1], 9, MSG_PEEK); got(v[1], 9, MSG_PEEK); got(v[1], 9, 0); got(v[1], 9, MSG_PEEK); got(v[1], 1, MSG_OOB); P(send(v[0], "", 0, MSG_OOB));
    P(recv(listener, page, 1, MSG_OOB)); P(ioctl(listener, SIOCATMARK, page)); P(ioctl(v[1], SIOCATMARK, BAD)); send_urgent(v[0], v[1], "zZ"); close(v[0]);
    usleep(2000);
    got(v[1], 9, 0); got(v[1], 9, MSG_OOB); got(v[1], 9, 0); got(v[1], 9, 0);
    v[0] = socket(AF_INET, SOCK_STREAM, 0); got(v[0], 9, MSG_OOB); P(send(v[0], "a", 1, MSG_OOB | MSG_NOSIGNAL));
}

static void urgent_unix(void)
{
    int v[2];
    signal(SIGURG, SIG_IGN); socketpair(AF_UNIX, SOCK_STREAM, 0, v); got(v[1], 9, MSG_OOB); send_urgent(v[0], v[1], "abcX"); got(v[1], 9, MSG_OOB | MSG_PEEK);
    got(v[1], 9, MSG_OOB); got(v[1], 9, MSG_OOB); got(v[1], 9, 0); got(v[1], 9, 0); send_urgent(v[0], v[1], "deF"); got(v[1], 9, 0); P(write(v[0], "gh", 2));
    got(v[1], 9, 0); got(v[1], 9, MSG_OOB); P(send(v[0], "", 0, MSG_OOB)); socketpair(AF_UNIX, SOCK_DGRAM, 0, v); P(send(v[0], "a", 1, MSG_OOB));
    got(v[1], 9, MSG_OOB); v[0] = socket(AF_UNIX, SOCK_STREAM, 0); got(v[0], 9, MSG_OOB); P(send(v[0], "a", 1, MSG_OOB | MSG_NOSIGNAL));
}

/* ---- SO_SNDBUF ---- */

static void send_buffers(void)
{
    int v[2], size = 1000, types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    for (int i = 0; i < 3; i++) {
        long total = 0, n;
        SAY("-- %d\n", i); socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0, v); size = 1000; P(setsockopt(v[0], SOL_SOCKET, SO_SNDBUF, &size, 4));
        P(write(v[0], page, 4400)); P(read(v[1], page, 9999)); while (read(v[1], page, 9999) > 0) ;
        while ((n = write(v[0], page, 512)) > 0) total += n;
        V(errno == EAGAIN); P(total > 0 && total <= 4608); struct pollfd item = {v[0], POLLOUT}; if (i < 2) P(poll(&item, 1, 0));
        while (read(v[1], page, 9999) > 0) ;
        P(poll(&item, 1, 0)); size = 30000; P(setsockopt(v[0], SOL_SOCKET, SO_SNDBUF, &size, 4)); total = 0;
        while ((n = write(v[0], page, 512)) > 0) total += n;
        P(total > 4608 && total <= 60000); close(v[0]); close(v[1]);
    }
}

static void send_through_small(void)
{
    int v[2], size = 0, status;
    long total = 0, n;
    socketpair(AF_UNIX, SOCK_STREAM, 0, v); setsockopt(v[0], SOL_SOCKET, SO_SNDBUF, &size, 4);
    fflush(stdout);
    if (!fork()) {
        close(v[1]);
        for (int i = 0; i < 20; i++)
            if (write(v[0], page, 50000) != 50000) _exit(1);
        _exit(0);
    }
    close(v[0]);
    while ((n = read(v[1], page, 10000)) > 0) total += n;
    V(total); wait(&status); V(status);
}

int main(int argc, char **argv)
{
    RUN(sets); RUN(pipes); RUN(sockets); RUN(terminals); RUN(urgent_tcp); RUN(urgent_unix); RUN(send_buffers); RUN(send_through_small);
    return 0;
}
