/*
 * Sockets and terminals.
 * long: a family is a list of calls, and of what they need.
 */
#include "probe.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <termios.h>
#include <stddef.h>
#define sys syscall
#define sendmsg(f,m,g) sys(46,f,m,g)
#define recvmsg(f,m,g) sys(47,f,m,g)
static struct sockaddr_in in4(int port) { struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
return a; }
static struct sockaddr_un un(const char *n) { struct sockaddr_un a = {.sun_family = AF_UNIX}; strcpy(a.sun_path, n); return a; }
#define LEN(n) (offsetof(struct sockaddr_un, sun_path) + strlen(n) + 1)
static void none(int s) {}

static void makes(void)
{
    int v[2], s; P(socket(0, 1, 0)); P(socket(75, 1, 0)); P(socket(AF_UNIX, 75, 0)); P(socket(AF_UNIX, 1, 17)); P(socket(AF_UNIX, 3, 0));
    P(socket(AF_INET, 1, 17)); P(socket(AF_INET, 2, 6)); (void)(socket(AF_INET, 3, 75)); P(socket(AF_INET, 75, 0)); (void)(socket(AF_INET, 1, 6));
    P(socket(AF_INET, 1, 1)); (void)(socket(AF_UNIX, 1, 1)); P(socket(AF_INET, 5, 0)); (void)(socket(AF_INET, 2, 17)); P(socket(AF_INET, 1 | 0x100, 0));
    (void)(s = socket(AF_INET, 1 | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); P(fcntl(s, F_GETFD)); SAY("%o\n", fcntl(s, F_GETFL)); P(socket(-1, 1, 0));
    P(socket(AF_INET, -1, 0)); P(socket(AF_INET, 1, -1)); P(socket(AF_INET, 1, 300));
    P(socketpair(0, 1, 0, v)); P(socketpair(75, 1, 0, v)); P(socketpair(AF_UNIX, 75, 0, v)); P(socketpair(AF_UNIX, 2, 0, BAD));
    P(socketpair(AF_UNIX, 2, 0, NULL)); P(socketpair(AF_INET, 2, 17, v)); P(socketpair(AF_INET, 2, 6, v)); P(socketpair(AF_INET, 1, 0, v));
    P(socketpair(AF_UNIX, 5, 0, v)); P(socketpair(AF_UNIX, 1, 6, v)); P(socketpair(AF_UNIX, 1 | SOCK_CLOEXEC, 0, v)); P(fcntl(v[0], F_GETFD));
    P(ioctl(v[0], TCGETS, page)); P(lseek(v[0], 0, 0)); P(pread(v[0], page, 1, 0)); P(pwrite(v[0], page, 1, 0)); P(ftruncate(v[0], 0)); P(fsync(v[0]));
    P((long)mmap(0, 4096, 1, MAP_SHARED, v[0], 0)); P(ioctl(v[0], FIONREAD, BAD));
    for (int t = 1; t < 4; t++) { int x = socket(t == 3 ? AF_UNIX : AF_INET, t == 3 ? 1 : t, 0), f = open("f", O_CREAT | O_RDWR, 0600); (void)x; close(f);
    close(x); }
}

static void binds(void)
{
    struct sockaddr_in a = in4(0), b; struct sockaddr_un u = un("sock"); socklen_t l = sizeof b;
    int s = socket(AF_INET, 1, 0), t = socket(AF_INET, 1, 0), f = open("f", O_CREAT | O_RDWR, 0600), q;
    P(bind(-1, (void *)&a, sizeof a)); P(bind(f, (void *)&a, sizeof a)); P(bind(s, BAD, sizeof a)); P(bind(s, (void *)&a, 3)); P(bind(s, (void *)&a, 1000));
    P(bind(s, (void *)&a, -1)); a.sin_family = 99; P(bind(s, (void *)&a, sizeof a)); a = in4(0); a.sin_addr.s_addr = htonl(0x0a0a0a0a);
    P(bind(s, (void *)&a, sizeof a)); a = in4(0); P(bind(s, (void *)&a, sizeof a)); P(bind(s, (void *)&a, sizeof a)); P(getsockname(s, (void *)&b, &l));
    V(l); V(b.sin_port != 0); P(bind(t, (void *)&b, sizeof b)); P(getsockname(-1, (void *)&b, &l)); P(getsockname(f, (void *)&b, &l));
    P(getsockname(s, BAD, &l)); P(getsockname(s, (void *)&b, BAD)); l = -1; P(getsockname(s, (void *)&b, &l)); l = 4; P(getsockname(s, (void *)&b, &l));
    V(l); l = sizeof b; P(getpeername(s, (void *)&b, &l)); P(getpeername(-1, (void *)&b, &l)); P(getpeername(f, (void *)&b, &l));
    P(getpeername(s, BAD, &l)); AS_USER(a = in4(80); P(bind(t, (void *)&a, sizeof a)));
    q = socket(AF_UNIX, 1, 0); P(bind(q, (void *)&u, sizeof u)); P(access("sock", 0)); (void)(bind(q, (void *)&u, sizeof u)); q = socket(AF_UNIX, 1, 0);
    P(bind(q, (void *)&u, sizeof u)); u = un("none/x"); P(bind(q, (void *)&u, sizeof u)); u = un("f/x"); P(bind(q, (void *)&u, sizeof u));
    symlink("loop", "loop"); u = un("loop/x"); P(bind(q, (void *)&u, sizeof u)); u = un("f"); P(bind(q, (void *)&u, sizeof u)); u = un("");
    P(bind(q, (void *)&u, 2)); l = sizeof u; P(getsockname(q, (void *)&u, &l)); V(l); q = socket(AF_UNIX, 1, 0); P(bind(q, (void *)&u, 1));
    P(bind(q, (void *)&u, 111)); u = un("sock2"); P(bind(q, (void *)&u, LEN("sock2") - 1)); l = sizeof u; P(getsockname(q, (void *)&u, &l)); V(l);
    q = socket(AF_UNIX, 2, 0); u.sun_path[0] = 0; memcpy(u.sun_path + 1, "abs", 3); P(bind(q, (void *)&u, 6)); q = socket(AF_UNIX, 2, 0);
    P(bind(q, (void *)&u, 6)); P(bind(q, (void *)&u, 7)); mkdir("closed", 0755); AS_USER(q = socket(AF_UNIX, 1, 0); u = un("closed/x");
    P(bind(q, (void *)&u, sizeof u))); q = socket(AF_INET, 1, 0); u = un("x"); P(bind(q, (void *)&u, sizeof u)); q = socket(AF_UNIX, 1, 0); a = in4(0);
    P(bind(q, (void *)&a, sizeof a));
    P(listen(-1, 1)); P(listen(f, 1)); P(listen(socket(AF_INET, 2, 0), 1)); P(listen(socket(AF_UNIX, 2, 0), 1)); P(listen(socket(AF_UNIX, 1, 0), 1));
    P(listen(s, -1)); P(listen(s, 1)); P(listen(s, 5)); t = socket(AF_INET, 1, 0); P(listen(t, 1)); l = sizeof b; P(getsockname(t, (void *)&b, &l));
    V(b.sin_port != 0); P(bind(t, (void *)&a, sizeof a)); a = in4(0);
    P(accept(-1, 0, 0)); P(accept(f, 0, 0)); P(accept(socket(AF_INET, 1, 0), 0, 0)); P(accept(socket(AF_INET, 2, 0), 0, 0)); P(sys(288, s, 0, 0, 1));
    fcntl(s, F_SETFL, O_NONBLOCK); P(accept(s, 0, 0)); l = sizeof b; P(accept(s, BAD, &l)); P(accept(s, (void *)&b, BAD)); l = 1;
    P(accept(s, (void *)&b, &l));
    l = sizeof b; getsockname(s, (void *)&b, &l); t = socket(AF_INET, 1, 0); P(connect(-1, (void *)&b, l)); P(connect(f, (void *)&b, l));
    P(connect(t, BAD, l)); P(connect(t, (void *)&b, 3)); P(connect(t, (void *)&b, -1)); b.sin_family = 47; P(connect(t, (void *)&b, l));
    b.sin_family = AF_INET; P(connect(t, (void *)&b, l)); P(connect(t, (void *)&b, l)); P(connect(s, (void *)&b, l)); P(listen(t, 1));
    t = socket(AF_INET, 1, 0); struct sockaddr_in cl = in4(1); P(connect(t, (void *)&cl, l)); P(connect(t, (void *)&cl, l)); int e; socklen_t el = 4;
    P(getsockopt(t, SOL_SOCKET, SO_ERROR, &e, &el)); V(e); t = socket(AF_INET, 1 | SOCK_NONBLOCK, 0); P(connect(t, (void *)&b, l));
    struct pollfd p = {t, POLLOUT}; P(poll(&p, 1, 1000)); V(p.revents); el = 4; P(getsockopt(t, SOL_SOCKET, SO_ERROR, &e, &el)); V(e);
    P(connect(t, (void *)&b, l)); P(connect(t, (void *)&b, l)); l = sizeof b; P(getpeername(t, (void *)&b, &l)); int c;
    P((c = accept4(s, (void *)&b, &l, SOCK_CLOEXEC)) >= 0); P(fcntl(c, F_GETFD)); SAY("%o\n", fcntl(c, F_GETFL)); t = socket(AF_UNIX, 1, 0); u = un("none");
    P(connect(t, (void *)&u, sizeof u)); u = un("f"); P(connect(t, (void *)&u, sizeof u)); u = un("sock"); P(connect(t, (void *)&u, sizeof u));
    unlink("s3"); q = socket(AF_UNIX, 2, 0); u = un("s3"); bind(q, (void *)&u, sizeof u); P(connect(t, (void *)&u, sizeof u)); chmod("s3", 0600);
    AS_USER(q = socket(AF_UNIX, 2, 0); P(connect(q, (void *)&u, sizeof u)); P(sendto(q, "x", 1, 0, (void *)&u, sizeof u))); q = socket(AF_INET, 2, 0);
    struct sockaddr un0 = {AF_UNSPEC}; P(connect(q, &un0, sizeof un0)); a = in4(9); P(connect(q, (void *)&a, sizeof a)); P(connect(q, &un0, sizeof un0));
    l = sizeof a; P(getpeername(q, (void *)&a, &l)); t = socket(AF_INET, 1, 0); P(connect(t, &un0, sizeof un0));
}

static void moves(void)
{
    int v[2], d[2], q[2], f = open("f", O_CREAT | O_RDWR, 0600), s = socket(AF_INET, 1, 0), us = socket(AF_INET, 2, 0); struct msghdr m = {0};
    struct iovec io[3] = {{page, 5}, {page + 10, 5}, {BAD, 5}}; socklen_t l; char b[100]; struct sockaddr_in a = in4(0);
    socketpair(AF_UNIX, 1, 0, v); socketpair(AF_UNIX, 2, 0, d); socketpair(AF_UNIX, 5, 0, q); signal(SIGPIPE, SIG_IGN);
    P(send(-1, "x", 1, 0)); P(send(f, "x", 1, 0)); P(send(s, "x", 1, 0)); P(send(us, "x", 1, 0)); P(send(v[0], BAD, 1, 0));
    (void)(send(v[0], "x", 1, MSG_OOB)); P(sendto(v[0], "x", 1, 0, (void *)&a, sizeof a)); P(sendto(us, "x", 1, 0, (void *)&a, 3));
    P(sendto(us, "x", 1, 0, BAD, sizeof a)); P(sendto(us, "x", 1, 0, (void *)&a, -1)); a.sin_port = 0; (void)(sendto(us, "x", 1, 0, (void *)&a, sizeof a));
    a = in4(9); P(sendto(us, page, 65508, 0, (void *)&a, sizeof a)); (void)(sendto(us, page, 65507, 0, (void *)&a, sizeof a));
    P(sendto(us, page, 0, 0, (void *)&a, sizeof a)); a.sin_family = AF_UNIX; P(sendto(us, "x", 1, 0, (void *)&a, sizeof a)); P(recv(-1, b, 1, 0));
    P(recv(f, b, 1, 0)); P(recv(s, b, 1, 0)); P(recv(v[0], b, 1, MSG_DONTWAIT)); P(recv(d[0], b, 1, MSG_DONTWAIT)); P(recv(us, b, 1, MSG_DONTWAIT));
    P(recv(us, b, 1, MSG_ERRQUEUE)); P(recv(v[0], b, 1, MSG_ERRQUEUE | MSG_DONTWAIT)); l = -1; P(recvfrom(v[0], b, 1, MSG_DONTWAIT, (void *)&a, &l));
    P(recv(v[0], b, 0, MSG_DONTWAIT)); P(send(v[0], "", 0, 0)); P(send(d[0], "", 0, 0)); P(recv(d[1], b, 9, MSG_DONTWAIT));
    P(recv(d[1], b, 9, MSG_DONTWAIT)); P(send(q[0], "", 0, 0)); P(recv(q[1], b, 9, MSG_DONTWAIT));
    P(send(v[0], "hello", 5, 0)); P(recv(v[1], b, 2, MSG_PEEK)); P(recv(v[1], b, 3, 0)); P(recv(v[1], b, 9, MSG_WAITALL | MSG_DONTWAIT));
    P(send(d[0], "hello", 5, 0)); P(recv(d[1], b, 2, MSG_PEEK | MSG_TRUNC)); P(recv(d[1], b, 2, MSG_TRUNC)); P(send(q[0], "abc", 3, MSG_EOR));
    P(recv(q[1], b, 2, 0)); P(recv(q[1], b, 2, MSG_DONTWAIT)); P(send(v[0], "hello", 5, MSG_MORE)); P(recv(v[1], b, 9, MSG_TRUNC));
    P(recv(v[1], BAD, 9, MSG_DONTWAIT)); P(send(v[0], "x", 1, 0)); P(recv(v[1], BAD, 9, MSG_DONTWAIT)); P(recv(v[1], b, 9, MSG_DONTWAIT));
    P(send(d[0], "x", 1, 0)); P(recv(d[1], BAD, 9, MSG_DONTWAIT)); P(recv(d[1], b, 9, MSG_DONTWAIT));
    m.msg_iov = io; m.msg_iovlen = 2; P(sendmsg(v[0], &m, 0)); P(recvmsg(v[1], &m, 0)); P(sendmsg(v[0], BAD, 0)); P(recvmsg(v[1], BAD, MSG_DONTWAIT));
    m.msg_iovlen = 1025; P(sendmsg(v[0], &m, 0)); m.msg_iov = BAD; m.msg_iovlen = 1; P(sendmsg(v[0], &m, 0)); P(recvmsg(v[1], &m, MSG_DONTWAIT));
    m.msg_iov = io; m.msg_iovlen = -1; P(sendmsg(v[0], &m, 0)); m.msg_iovlen = 1; m.msg_name = &a; m.msg_namelen = -1; P(sendmsg(us, &m, 0));
    m.msg_namelen = 1000; (void)(sendmsg(us, &m, 0)); m.msg_name = NULL; m.msg_namelen = 0; m.msg_control = BAD; m.msg_controllen = 20;
    P(sendmsg(v[0], &m, 0)); char cb[100] = {0}; struct cmsghdr *h = (void *)cb; m.msg_control = cb; m.msg_controllen = 4; P(sendmsg(v[0], &m, 0));
    h->cmsg_len = 5; m.msg_controllen = 24; P(sendmsg(v[0], &m, 0)); h->cmsg_len = CMSG_LEN(4); h->cmsg_level = SOL_SOCKET; h->cmsg_type = SCM_RIGHTS;
    *(int *)CMSG_DATA(h) = 99; P(sendmsg(v[0], &m, 0)); h->cmsg_type = 77; P(sendmsg(v[0], &m, 0)); h->cmsg_level = SOL_TCP; P(sendmsg(v[0], &m, 0));
    h->cmsg_level = SOL_SOCKET; h->cmsg_type = SCM_RIGHTS; *(int *)CMSG_DATA(h) = f; P(sendmsg(v[0], &m, 0)); m.msg_controllen = 0; m.msg_control = NULL;
    P(recvmsg(v[1], &m, MSG_DONTWAIT)); SAY("%x\n", m.msg_flags); P(recv(v[1], b, 100, MSG_DONTWAIT)); h->cmsg_type = SCM_CREDENTIALS;
    h->cmsg_len = CMSG_LEN(12); struct { int p, u, g; } cr = {1, 0, 0}; memcpy(CMSG_DATA(h), &cr, 12); m.msg_control = cb;
    m.msg_controllen = CMSG_SPACE(12); P(sendmsg(v[0], &m, 0)); cr.p = 99999999; memcpy(CMSG_DATA(h), &cr, 12); P(sendmsg(v[0], &m, 0));
    AS_USER(P(sendmsg(v[0], &m, 0)); cr.p = getpid(); cr.u = 0; memcpy(CMSG_DATA(h), &cr, 12); P(sendmsg(v[0], &m, 0)); cr.u = cr.g = USER;
    memcpy(CMSG_DATA(h), &cr, 12); P(sendmsg(v[0], &m, 0))); struct mmsghdr mm[3] = {0}; for (int i = 0; i < 3; i++) { mm[i].msg_hdr.msg_iov = &io[i];
    mm[i].msg_hdr.msg_iovlen = 1; } P(sys(307, d[0], mm, 3, 0)); SAY("%d %d\n", mm[0].msg_len, mm[1].msg_len); P(sys(299, d[1], mm, 3, MSG_DONTWAIT, 0));
    struct timespec ts = {0, -1}; P(sys(299, d[1], mm, 3, MSG_DONTWAIT, &ts)); P(sys(299, -1, mm, 3, 0, 0)); P(sys(299, d[1], BAD, 3, MSG_DONTWAIT, 0));
    P(sys(307, -1, mm, 1, 0)); P(sys(307, d[0], BAD, 1, 0));
    P(shutdown(-1, 0)); P(shutdown(f, 0)); P(shutdown(s, 0)); P(shutdown(us, 0)); P(shutdown(v[0], 9)); P(shutdown(v[0], SHUT_WR));
    P(send(v[0], "x", 1, MSG_NOSIGNAL)); while (recv(v[1], b, 100, MSG_DONTWAIT) > 0) ; P(recv(v[1], b, 1, 0)); P(send(v[1], "x", 1, 0));
    P(recv(v[0], b, 9, 0)); P(shutdown(v[1], SHUT_RD)); P(send(v[1], "y", 1, 0)); close(v[0]); P(send(v[1], "y", 1, 0)); P(recv(v[1], b, 1, 0));
    close(d[1]); P(send(d[0], "x", 1, 0)); P(recv(d[0], b, 1, MSG_DONTWAIT)); close(q[1]); P(send(q[0], "x", 1, 0)); P(recv(q[0], b, 1, 0));
    socketpair(AF_UNIX, 1, 0, v); write(v[0], "unread", 6); close(v[1]); P(recv(v[0], b, 1, 0)); P(recv(v[0], b, 1, 0)); signal(SIGPIPE, SIG_DFL);
    CHILD(send(v[0], "x", 1, 0)); CHILD(P(send(v[0], "x", 1, MSG_NOSIGNAL)));
}

static void tcp(void)
{
    signal(SIGPIPE, SIG_IGN);
    int s = socket(AF_INET, 1, 0), c = socket(AF_INET, 1, 0), t, n; struct sockaddr_in a = in4(0); socklen_t l = sizeof a; char b[100];
    bind(s, (void *)&a, l); listen(s, 5); getsockname(s, (void *)&a, &l); P(connect(c, (void *)&a, l)); P((t = accept(s, 0, 0)) >= 0);
    P(write(c, "abc", 3)); P(ioctl(t, FIONREAD, &n)); V(n); P(recv(t, b, 10, MSG_WAITALL | MSG_DONTWAIT)); P(sendto(c, "x", 1, 0, (void *)&a, l));
    P(recvfrom(t, b, 9, 0, (void *)&a, &l)); V(l); P(shutdown(c, SHUT_WR)); P(recv(t, b, 1, 0)); struct pollfd p = {t, POLLIN | POLLOUT | POLLRDHUP};
    P(poll(&p, 1, 0)); SAY("%x\n", p.revents); P(write(t, "zz", 2)); P(recv(c, b, 9, 0)); P(write(c, "x", 1)); P(write(c, "x", 1)); close(t);
    P(recv(c, b, 9, 0)); p.fd = c; P(poll(&p, 1, 0)); SAY("%x\n", p.revents); (void)(shutdown(c, SHUT_RDWR));
    c = socket(AF_INET, 1, 0); l = sizeof a; getsockname(s, (void *)&a, &l); connect(c, (void *)&a, l); t = accept(s, 0, 0); write(c, "lost", 4);
    usleep(1000); P(close(t)); usleep(10000); P(recv(c, b, 9, 0)); P(recv(c, b, 9, 0)); P(write(c, "x", 1)); p.fd = c;
    P(poll(&p, 1, 0)); SAY("%x\n", p.revents);
    int x = socket(AF_UNIX, 2, 0); struct timeval tv = {0, 20000}; struct sockaddr_un u = un("dg"); bind(x, (void *)&u, sizeof u);
    setsockopt(x, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv); P(recv(x, b, 1, 0)); int v[2]; socketpair(AF_UNIX, 1, 0, v);
    setsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv); P(recv(v[0], b, 1, 0)); setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    P(accept(s, 0, 0)); struct sigaction sa = {.sa_handler = none, .sa_flags = SA_RESTART}; sigaction(SIGALRM, &sa, 0); tv.tv_usec = 500000;
    setsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv); ualarm(20000, 0); P(recv(v[0], b, 1, 0));
}

static void ttys(void)
{
    signal(SIGHUP, SIG_IGN); signal(SIGTTOU, SIG_IGN);
    int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), n, s; char b[100]; P(ioctl(m, TIOCGPTN, &n)); n = 0; P(ioctl(m, TIOCSPTLCK, &n)); ioctl(m, TIOCGPTN, &n);
    sprintf(b, "/dev/pts/%d", n); s = open(b, O_RDWR | O_NOCTTY); struct winsize w = {5, 6, 7, 8}; P(ioctl(s, TIOCSWINSZ, &w)); memset(&w, 0, sizeof w);
    P(ioctl(m, TIOCGWINSZ, &w)); SAY("%d %d %d %d\n", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel); P(ioctl(s, TIOCGWINSZ, BAD));
    P(ioctl(s, TIOCSWINSZ, BAD)); P(ioctl(s, TCGETS, BAD)); P(ioctl(s, TCSETS, BAD)); P(ioctl(s, TIOCGPGRP, &n)); P(ioctl(s, TIOCSPGRP, &n));
    P(ioctl(s, TIOCGSID, &n)); P(ioctl(s, TIOCNOTTY)); P(ioctl(s, TIOCSCTTY, 0)); P(ioctl(s, 0x54ff, 0)); P(ioctl(s, TCFLSH, 9)); P(ioctl(s, TCFLSH, 2));
    P(ioctl(s, TCXONC, 9)); P(ioctl(s, TCSBRK, 1)); P(ioctl(s, TCSBRKP, 0)); P(ioctl(s, TIOCOUTQ, &n)); V(n); P(ioctl(s, FIONREAD, &n)); V(n);
    P(ioctl(s, TIOCGETD, &n)); V(n); n = 99; P(ioctl(s, TIOCSETD, &n)); P(ioctl(s, TIOCMGET, &n)); P(ioctl(s, TIOCEXCL));
    P(open(b, O_RDWR | O_NOCTTY) >= 0); P(ioctl(s, TIOCNXCL)); n = 1; (void)(ioctl(m, TIOCPKT, &n)); P(ioctl(s, TIOCPKT, &n)); n = 0;
    P(ioctl(m, TIOCPKT, &n)); P(ioctl(s, TIOCGPTN, &n)); P(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY) >= 0); CHILD(setsid(); P(ioctl(s, TIOCSCTTY, 0));
    P(ioctl(s, TIOCSCTTY, 0)); P(tcgetpgrp(s) == getpid()); P(tcgetsid(s) == getpid()); P(tcsetpgrp(s, 99999999)); P(tcsetpgrp(s, -1)); P(tcsetpgrp(s, 1));
    P(open("/dev/tty", O_RDWR) >= 0); P(ioctl(s, TIOCNOTTY)); P(open("/dev/tty", O_RDWR)); P(tcgetpgrp(s))); CHILD(setsid(); P(open("/dev/tty", O_RDWR)));
    P(lseek(s, 0, 0)); P(pread(s, b, 1, 0)); P(fsync(s)); P(ftruncate(s, 0)); fcntl(s, F_SETFL, O_NONBLOCK); P(read(s, b, 1)); P(write(m, "abc", 3));
    P(read(s, b, 9)); P(write(m, "d\n", 2)); P(read(s, b, 2)); P(read(s, b, 9)); P(write(m, "\4", 1)); P(read(s, b, 9)); P(read(s, b, 9));
    P(read(s, BAD, 9)); P(write(s, BAD, 9)); struct pollfd p = {s, POLLIN | POLLOUT}; P(poll(&p, 1, 0)); V(p.revents); P(read(m, b, 100)); close(m);
    P(poll(&p, 1, 0)); SAY("%x\n", p.revents); P(read(s, b, 1)); P(write(s, b, 1)); P(ioctl(s, TCGETS, page));
}

int main(int argc, char **argv)
{
    RUN(makes);
    RUN(binds);
    RUN(moves);
    RUN(tcp);
    RUN(ttys);
}
