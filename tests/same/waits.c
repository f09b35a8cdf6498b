/*
 * What is waited for: poll, select, epoll, eventfd, timers, clocks, futexes, inotify.
 * long: a family is a list of calls, and of what they need.
 */
#include "probe.h"
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET,
       FUTEX_WAKE_BITSET, FUTEX_CLOCK_REALTIME = 256 };
#define sys syscall

static void polls(void)
{
    int p[2]; pipe(p); struct pollfd f[3] = {{p[0], POLLIN}, {p[1], POLLOUT}, {99, POLLIN}}; struct timespec ts = {0, 1000}; fd_set r, w;
    struct timeval tv = {0, 1000}; int fd = open("f", O_CREAT | O_RDWR, 0600); sigset_t ss;
    P(poll(f, 3, 0)); SAY("%x %x %x\n", f[0].revents, f[1].revents, f[2].revents); f[2].fd = -1; P(poll(f, 3, 0)); V(f[2].revents); P(poll(BAD, 1, 0));
    P(poll(0, 0, 0)); P(poll(BAD, 0, 0)); P(poll(f, 1 << 20, 0)); P(poll(f, -1, 0)); close(p[1]); P(poll(f, 1, -1)); SAY("%x\n", f[0].revents); pipe(p);
    close(p[0]); f[0] = (struct pollfd){p[1], POLLOUT | POLLIN}; P(poll(f, 1, 0)); SAY("%x\n", f[0].revents); f[0] = (struct pollfd){fd, 0x7fff};
    P(poll(f, 1, 0)); SAY("%x\n", f[0].revents); f[0] = (struct pollfd){open(".", O_RDONLY), 0x7fff}; P(poll(f, 1, 0)); SAY("%x\n", f[0].revents);
    f[0] = (struct pollfd){open("/dev/null", O_RDWR), 0x7fff}; P(poll(f, 1, 0)); SAY("%x\n", f[0].revents); f[0] = (struct pollfd){socket(1, 1, 0), 0x7fff};
    P(poll(f, 1, 0)); SAY("%x\n", f[0].revents); f[0] = (struct pollfd){socket(2, 1, 0), 0x7fff}; P(poll(f, 1, 0)); SAY("%x\n", f[0].revents);
    f[0] = (struct pollfd){socket(2, 2, 0), 0x7fff}; P(poll(f, 1, 0)); SAY("%x\n", f[0].revents);
    f[0] = (struct pollfd){open("/proc/self/status", O_RDONLY), 0x7fff}; P(poll(f, 1, 0)); SAY("%x\n", f[0].revents);
    f[0] = (struct pollfd){-1}; P(sys(271, f, 1, &ts, 0, 8)); P(sys(271, f, 1, &ts, &ss, 4)); P(sys(271, f, 1, BAD, 0, 8)); ts.tv_nsec = -1;
    P(sys(271, f, 1, &ts, 0, 8)); ts.tv_nsec = 1000000000; P(sys(271, f, 1, &ts, 0, 8)); ts = (struct timespec){0, 5000}; P(sys(271, f, 1, &ts, BAD, 8));
    ts = (struct timespec){-1, 0}; P(sys(271, f, 1, &ts, 0, 8)); ts = (struct timespec){0, 1000000}; P(sys(271, f, 1, &ts, 0, 8));
    SAY("%ld %ld\n", ts.tv_sec, ts.tv_nsec); P(poll(0, 0, 5));
    pipe(p); FD_ZERO(&r); FD_SET(p[0], &r); P(sys(23, -1, &r, 0, 0, &tv)); P(sys(23, p[0] + 1, &r, 0, 0, &tv));
    SAY("%ld %ld %d\n", tv.tv_sec, tv.tv_usec, FD_ISSET(p[0], &r)); FD_ZERO(&r); FD_SET(200, &r); tv = (struct timeval){0, 0};
    (void)(sys(23, 201, &r, 0, 0, &tv)); P(sys(23, 10, BAD, 0, 0, &tv)); P(sys(23, 10, 0, 0, 0, BAD)); tv.tv_usec = -1; P(sys(23, 0, 0, 0, 0, &tv));
    tv = (struct timeval){-1, 0}; P(sys(23, 0, 0, 0, 0, &tv)); tv = (struct timeval){0, 1500000}; FD_ZERO(&w); FD_SET(p[1], &w);
    P(sys(23, p[1] + 1, 0, &w, 0, &tv)); SAY("%ld %d\n", tv.tv_sec, FD_ISSET(p[1], &w)); FD_ZERO(&w); FD_SET(fd, &w); r = w; fd_set e = w;
    tv = (struct timeval){0, 0}; P(sys(23, 100, &r, &w, &e, &tv)); SAY("%d %d %d\n", FD_ISSET(fd, &r), FD_ISSET(fd, &w), FD_ISSET(fd, &e)); FD_ZERO(&r);
    FD_SET(p[0], &r); e = r; w = r; close(p[1]); P(sys(23, 100, &r, &w, &e, &tv));
    SAY("%d %d %d\n", FD_ISSET(p[0], &r), FD_ISSET(p[0], &w), FD_ISSET(p[0], &e)); P(sys(23, 100000, 0, 0, 0, &tv)); struct { void *s; size_t n; }
    six = {&ss, 4}; ts = (struct timespec){0, 0}; P(sys(270, 0, 0, 0, 0, &ts, &six)); six.n = 8; six.s = BAD; P(sys(270, 0, 0, 0, 0, &ts, &six));
    P(sys(270, 0, 0, 0, 0, &ts, BAD)); six.s = 0; P(sys(270, 0, 0, 0, 0, &ts, &six)); ts.tv_nsec = -5; P(sys(270, 0, 0, 0, 0, &ts, 0));
}

static void epolls(void)
{
    struct epoll_event ev = {EPOLLIN, {.u64 = 7}}, out[4]; int e = epoll_create1(0), p[2], f = open("f", O_CREAT | O_RDWR, 0600), e2; pipe(p);
    P(sys(213, 0)); P(sys(213, -1)); P(epoll_create1(1)); P(epoll_create1(EPOLL_CLOEXEC)); P(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
    P(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev)); P(epoll_ctl(e, EPOLL_CTL_ADD, e, &ev)); P(epoll_ctl(e, EPOLL_CTL_ADD, f, &ev));
    P(epoll_ctl(e, EPOLL_CTL_ADD, 99, &ev)); P(epoll_ctl(99, EPOLL_CTL_ADD, p[0], &ev)); P(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev));
    P(epoll_ctl(e, EPOLL_CTL_DEL, p[1], &ev)); P(epoll_ctl(e, EPOLL_CTL_MOD, p[1], &ev)); P(epoll_ctl(e, 9, p[0], &ev));
    P(epoll_ctl(e, EPOLL_CTL_ADD, p[1], BAD)); P(epoll_ctl(e, EPOLL_CTL_ADD, p[1], NULL)); P(epoll_ctl(e, EPOLL_CTL_DEL, p[0], NULL));
    P(epoll_ctl(e, EPOLL_CTL_ADD, open("/dev/null", O_RDWR), &ev)); P(epoll_ctl(e, EPOLL_CTL_ADD, open(".", O_RDONLY), &ev));
    ev.events = EPOLLEXCLUSIVE | EPOLLIN; P(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev)); P(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev)); ev.events = EPOLLIN;
    P(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev)); epoll_ctl(e, EPOLL_CTL_DEL, p[0], 0); ev.events = EPOLLEXCLUSIVE | EPOLLONESHOT | EPOLLIN;
    P(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev)); e2 = epoll_create1(0); ev.events = EPOLLEXCLUSIVE | EPOLLIN; P(epoll_ctl(e, EPOLL_CTL_ADD, e2, &ev));
    ev.events = EPOLLIN; P(epoll_ctl(e, EPOLL_CTL_ADD, e2, &ev)); P(epoll_ctl(e2, EPOLL_CTL_ADD, e, &ev));
    e = epoll_create1(0); P(epoll_wait(e, out, 0, 0)); P(epoll_wait(e, out, -1, 0)); P(epoll_wait(e, out, INT_MAX, 0)); P(epoll_wait(99, out, 1, 0));
    P(epoll_wait(p[0], out, 1, 0)); P(epoll_wait(e, BAD, 1, 0)); P(epoll_wait(e, out, 1, 1)); ev.events = EPOLLIN | EPOLLET;
    epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev); write(p[1], "ab", 2); P(epoll_wait(e, out, 4, 0)); SAY("%x %ld\n", out[0].events, (long)out[0].data.u64);
    P(epoll_wait(e, out, 4, 0)); write(p[1], "c", 1); P(epoll_wait(e, out, 4, 0)); P(epoll_wait(e, BAD, 4, 0)); ev.events = EPOLLIN | EPOLLONESHOT;
    epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev); P(epoll_wait(e, out, 4, 0)); P(epoll_wait(e, out, 4, 0)); epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev);
    P(epoll_wait(e, BAD, 4, 0)); P(epoll_wait(e, out, 4, 0)); close(p[1]); ev.events = 0; epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev);
    P(epoll_wait(e, out, 4, 0)); SAY("%x\n", out[0].events); int d = dup(p[0]); close(p[0]); P(epoll_wait(e, out, 4, 0)); close(d);
    P(epoll_wait(e, out, 4, 0)); sigset_t ss; P(sys(281, e, out, 1, 0, &ss, 4)); P(sys(281, e, out, 1, 0, BAD, 8)); struct timespec ts = {0, 1000};
    P(sys(441, e, out, 1, &ts, 0, 8)); ts.tv_nsec = -1; P(sys(441, e, out, 1, &ts, 0, 8)); P(sys(441, e, out, 1, BAD, 0, 8));
    P(sys(441, e, out, 1, &(struct timespec){0, 0}, &ss, 4)); P(sys(281, e, out, 0, 0, 0, 8)); P(read(e, page, 8)); P(write(e, page, 8)); P(lseek(e, 0, 0));
}

static void events(void)
{
    uint64_t v; int e; P(eventfd(0, 0x100)); e = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC); P(read(e, &v, 8)); V(v); P(read(e, &v, 8)); P(read(e, &v, 4));
    v = ~0ull; P(write(e, &v, 8)); v--; P(write(e, &v, 8)); v = 1; P(write(e, &v, 8)); P(write(e, &v, 4)); P(write(e, BAD, 8)); P(read(e, BAD, 8));
    P(read(e, &v, 16)); struct pollfd p = {e, POLLIN | POLLOUT}; v = 1; write(e, &v, 8); P(poll(&p, 1, 0)); V(p.revents); v = ~0ull - 2; write(e, &v, 8);
    P(poll(&p, 1, 0)); V(p.revents); P(lseek(e, 0, 0)); P(pread(e, &v, 8, 0)); e = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK); for (int i = 0; i < 4; i++) {
    P(read(e, &v, 8)); V(v); } v = 0; P(write(e, &v, 8)); P(read(e, &v, 8)); struct iovec io[2] = {{&v, 4}, {(char *)&v + 4, 4}}; v = 9;
    P(writev(e, io, 2)); (void)(readv(e, io, 2)); P(ftruncate(e, 0)); P(ioctl(e, FIONREAD, &v)); P(fstat(e, (void *)page));
    SAY("%o\n", ((struct stat *)page)->st_mode);
    struct itimerspec it = {{0, 0}, {0, 5000000}}, old; int t; P(timerfd_create(99, 0)); P(timerfd_create(CLOCK_MONOTONIC, 1));
    P(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0)); P(timerfd_create(CLOCK_BOOTTIME, 0)); P(timerfd_create(CLOCK_REALTIME_ALARM, 0));
    AS_USER(P(timerfd_create(CLOCK_REALTIME_ALARM, 0)); P(timerfd_create(CLOCK_BOOTTIME_ALARM, 0)));
    t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); P(read(t, &v, 8)); P(timerfd_settime(t, 0, &it, &old));
    SAY("%ld %ld\n", old.it_value.tv_sec, old.it_value.tv_nsec); P(read(t, &v, 4)); fcntl(t, F_SETFL, 0); P(read(t, &v, 8)); V(v);
    fcntl(t, F_SETFL, O_NONBLOCK); P(read(t, &v, 8)); P(timerfd_settime(t, 8, &it, 0)); P(timerfd_settime(t, 0, BAD, 0)); it.it_value.tv_nsec = -1;
    P(timerfd_settime(t, 0, &it, 0)); it.it_value.tv_nsec = 1000000000; P(timerfd_settime(t, 0, &it, 0)); it = (struct itimerspec){{0, 1000000000}, {1, 0}};
    P(timerfd_settime(t, 0, &it, 0)); it = (struct itimerspec){{0, 0}, {-1, 0}}; P(timerfd_settime(t, 0, &it, 0)); P(timerfd_settime(1, 0, &it, 0));
    P(timerfd_settime(-1, 0, &it, 0)); P(timerfd_gettime(t, BAD)); P(timerfd_gettime(-1, &it)); P(timerfd_gettime(0, &it));
    it = (struct itimerspec){{100, 0}, {50, 0}}; P(timerfd_settime(t, 0, &it, 0)); P(timerfd_gettime(t, &old));
    SAY("%ld %ld\n", old.it_interval.tv_sec, old.it_value.tv_sec); P(timerfd_settime(t, 0, &it, BAD)); it = (struct itimerspec){{0, 0}, {1, 0}};
    P(timerfd_settime(t, TFD_TIMER_ABSTIME, &it, 0)); P(read(t, &v, 8)); V(v); P(write(t, &v, 8)); P(lseek(t, 0, 0)); it.it_value.tv_sec = 0;
    P(timerfd_settime(t, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it, 0)); (void)(ioctl(t, 0x40085400, &v));
    struct itimerval iv = {{0, 0}, {0, 1000000}}; P(setitimer(0, &iv, 0)); iv.it_value.tv_usec = -1; P(setitimer(0, &iv, 0));
    iv = (struct itimerval){{0, 0}, {-1, 0}}; P(setitimer(0, &iv, 0)); iv = (struct itimerval){{0, 2000000}, {1, 0}}; P(setitimer(0, &iv, 0));
    P(sys(38, 3, &iv, 0)); P(sys(36, 3, &iv)); P(sys(36, -1, &iv)); P(sys(36, 0, BAD)); P(sys(38, 0, BAD, 0)); iv = (struct itimerval){{5, 0}, {100, 0}};
    P(setitimer(0, &iv, BAD)); P(alarm(50)); P(alarm(0)); P(getitimer(1, &iv)); V(iv.it_value.tv_sec); P(sys(38, 0, 0, &iv));
    struct sigevent se = {.sigev_notify = 9}; int tid; P(sys(222, 99, 0, &tid)); P(sys(222, CLOCK_MONOTONIC, &se, &tid));
    se.sigev_notify = SIGEV_SIGNAL; se.sigev_signo = 99; P(sys(222, CLOCK_MONOTONIC, &se, &tid)); se.sigev_signo = 10;
    P(sys(222, CLOCK_MONOTONIC, BAD, &tid)); P(sys(222, CLOCK_MONOTONIC, &se, BAD)); P(sys(222, CLOCK_MONOTONIC_RAW, &se, &tid));
    P(sys(222, CLOCK_MONOTONIC_COARSE, &se, &tid)); P(sys(222, CLOCK_BOOTTIME, &se, &tid) >= 0); P(sys(222, CLOCK_TAI, &se, &tid));
    P(sys(222, CLOCK_PROCESS_CPUTIME_ID, &se, &tid)); P(sys(222, CLOCK_THREAD_CPUTIME_ID, &se, &tid)); P(sys(222, CLOCK_MONOTONIC, 0, &tid));
    struct itimerspec ts = {{0, 0}, {0, 1000000000}}; P(sys(223, tid, 0, &ts, 0)); ts.it_value.tv_nsec = 5; ts.it_interval.tv_nsec = -1;
    P(sys(223, tid, 0, &ts, 0)); P(sys(223, 999, 0, &ts, 0)); P(sys(223, tid, 0, BAD, 0)); P(sys(223, tid, 0, NULL, 0));
    ts = (struct itimerspec){{0, 0}, {100, 0}}; P(sys(223, tid, 0, &ts, BAD)); P(sys(224, tid, BAD)); P(sys(224, 999, &ts)); P(sys(225, 999));
    P(sys(225, tid)); P(sys(226, tid)); P(sys(226, tid)); P(sys(226, -1)); se.sigev_notify = SIGEV_SIGNAL | SIGEV_THREAD_ID;
    P(sys(222, CLOCK_MONOTONIC, &se, &tid)); *(int *)((char *)&se + 16) = gettid(); P(sys(222, CLOCK_MONOTONIC, &se, &tid)); se.sigev_notify = SIGEV_THREAD;
    P(sys(222, CLOCK_MONOTONIC, &se, &tid)); se.sigev_notify = SIGEV_NONE; P(sys(222, CLOCK_MONOTONIC, &se, &tid));
}

static void clocks(void)
{
    struct timespec ts; for (int c = -2; c < 13; c++) if (c != 8 && c != 9) { SAY("clock %d: ", c); P(sys(228, c, &ts)); P(sys(229, c, 0)); if (c != 10) {
    P(sys(229, c, &ts)); if (c != 5 && c != 6) SAY("   %ld %ld\n", ts.tv_sec, ts.tv_nsec); } } P(sys(228, 1, BAD)); P(sys(228, 1, NULL));
    P(sys(229, 1, BAD)); P(sys(227, 1, &ts)); P(sys(227, 4, &ts)); P(sys(227, 7, &ts)); P(sys(227, 99, &ts)); P(sys(227, 0, BAD));
    ts = (struct timespec){1000000000, -1}; P(sys(227, 0, &ts)); ts.tv_nsec = 1000000000; P(sys(227, 0, &ts)); ts = (struct timespec){-1, 0};
    P(sys(227, 0, &ts)); AS_USER(ts = (struct timespec){1, 0}; P(sys(227, 0, &ts)); P(sys(227, 1, &ts)); ts.tv_nsec = -1; P(sys(227, 0, &ts)));
    ts = (struct timespec){0, 1000000000}; P(sys(35, &ts, 0)); ts.tv_nsec = -1; P(sys(35, &ts, 0)); ts = (struct timespec){-1, 0}; P(sys(35, &ts, 0));
    P(sys(35, BAD, 0)); ts = (struct timespec){0, 1000}; P(sys(35, &ts, BAD)); for (int c = -1; c < 13; c++) if (c != 8 && c != 9) {
    ts = (struct timespec){0, 0}; SAY("clock %d: ", c); P(sys(230, c, 0, &ts, 0)); } P(sys(230, 1, 0, BAD, 0)); ts.tv_nsec = 1000000000;
    P(sys(230, 1, 0, &ts, 0)); ts = (struct timespec){-1, 0}; P(sys(230, 1, TIMER_ABSTIME, &ts, 0)); ts = (struct timespec){1, 0};
    P(sys(230, 0, TIMER_ABSTIME, &ts, 0)); ts = (struct timespec){0, 1}; P(sys(230, 1, 2, &ts, 0)); struct timeval tv; int tz[2] = {9, 9};
    P(sys(96, &tv, tz)); SAY("%d %d\n", tz[0], tz[1]); P(sys(96, BAD, 0)); P(sys(96, 0, BAD)); P(sys(96, 0, 0)); P(sys(201, BAD)); P(sys(201, 0) > 0);
    tv = (struct timeval){1, -1}; P(sys(164, &tv, 0)); P(sys(164, BAD, 0)); tz[0] = 16 * 60; P(sys(164, 0, tz)); P(sys(164, 0, BAD)); P(sys(164, 0, 0));
    clockid_t ci = ~getpid() << 3 | 2; P(sys(228, (int)ci, &ts)); P(sys(228, (int)(~99999999u << 3 | 2), &ts)); P(sys(229, (int)ci, &ts));
    ts = (struct timespec){0,0}; P(sys(230, (int)ci, 0, &ts, 0)); ci = ~1 << 3 | 2; P(sys(228, (int)ci, &ts)); P(sys(228, (int)(~getpid() << 3 | 6), &ts));
    (void)(sys(228, (int)(~1 << 3 | 6), &ts)); (void)(sys(228, (int)(~1 << 3 | 3), &ts)); P(sys(159, BAD)); char tx[300] = {0}; P(sys(159, tx) >= 0);
    P(sys(305, 0, tx) >= 0); P(sys(305, 1, tx)); P(sys(305, 99, tx)); *(int *)tx = 1 << 20; AS_USER(*(int *)tx = 1; P(sys(159, tx)));
}

static void futexes(void)
{
    static uint32_t w = 5, x = 0; struct timespec ts = {0, 1000000}, past = {1, 0};
    P(sys(202, &w, FUTEX_WAIT, 4, 0)); P(sys(202, &w, FUTEX_WAIT, 5, &ts)); P(sys(202, BAD, FUTEX_WAIT, 5, &ts));
    P(sys(202, (char *)&w + 1, FUTEX_WAIT, 5, &ts)); P(sys(202, &w, FUTEX_WAIT, 5, BAD)); ts.tv_nsec = -1; P(sys(202, &w, FUTEX_WAIT, 5, &ts));
    ts.tv_nsec = 1000; P(sys(202, &w, FUTEX_WAKE, 1)); P(sys(202, BAD, FUTEX_WAKE, 1)); P(sys(202, (char *)&w + 2, FUTEX_WAKE, 1));
    P(sys(202, &w, FUTEX_WAKE, 0)); P(sys(202, &w, FUTEX_WAKE, -1)); P(sys(202, &w, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
    P(sys(202, &w, FUTEX_WAIT_BITSET, 5, &past, 0, 0)); P(sys(202, &w, FUTEX_WAIT_BITSET, 5, &past, 0, 1));
    P(sys(202, &w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &past, 0, 1)); P(sys(202, &w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1));
    P(sys(202, &w, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 4, &ts)); P(sys(202, &w, FUTEX_CMP_REQUEUE, 1, 1, &x, 5));
    P(sys(202, &w, FUTEX_CMP_REQUEUE, 1, 1, &x, 4)); P(sys(202, &w, FUTEX_CMP_REQUEUE, -1, 1, &x, 5)); P(sys(202, &w, FUTEX_CMP_REQUEUE, 1, -1, &x, 5));
    P(sys(202, &w, FUTEX_REQUEUE, 1, 1, &x)); P(sys(202, &w, FUTEX_REQUEUE, 1, 1, BAD)); P(sys(202, &w, FUTEX_WAKE_OP, 1, 1, &x, 0));
    P(sys(202, &w, FUTEX_WAKE_OP, 1, 1, &x, (1 << 28) | (3 << 12))); V(x); P(sys(202, &w, FUTEX_WAKE_OP, 1, 1, &x, (9 << 28))); P(sys(202, &w, 99, 1));
    P(sys(202, &w, FUTEX_FD, 0)); P(sys(202, &x, FUTEX_TRYLOCK_PI, 0)); x = 0; P(sys(202, &x, FUTEX_LOCK_PI, 0, 0)); P((pid_t)x == gettid());
    P(sys(202, &x, FUTEX_LOCK_PI, 0, 0)); P(sys(202, &x, FUTEX_UNLOCK_PI, 0)); P(sys(202, &x, FUTEX_UNLOCK_PI, 0)); P(sys(202, BAD, FUTEX_LOCK_PI, 0));
    x = 99999999; P(sys(202, &x, FUTEX_LOCK_PI, 0, 0));
    long *head; size_t len; P(sys(274, 0, &head, &len)); V(len); P(sys(274, -1, &head, &len)); P(sys(274, 99999999, &head, &len));
    P(sys(274, 0, BAD, &len)); P(sys(274, 0, &head, BAD)); P(sys(273, 0, 24)); P(sys(273, BAD, 24)); P(sys(273, 0, 23));
    AS_USER(P(sys(274, 1, &head, &len))); (void)(sys(449, 0, 0, 0, 0, 0)); struct { uint64_t v, a; uint32_t f, r; }
    wv[2] = {{5, (long)&w, 2}, {9, (long)&x, 2}}; (void)(sys(449, wv, 0, 0, 0, 0)); (void)(sys(449, wv, 2, 0, &past, 1));
    (void)(sys(449, wv, 1, 0, &past, 1)); (void)(sys(449, wv, 129, 0, &past, 1)); (void)(sys(449, wv, 1, 1, &past, 1));
    (void)(sys(449, wv, 1, 0, &past, 9)); wv[0].f = 0x100; (void)(sys(449, wv, 1, 0, &past, 1)); wv[0].f = 2; wv[0].r = 1;
    (void)(sys(449, wv, 1, 0, &past, 1));
}

static void inotifies(void)
{
    int i, w; char b[4096]; P(inotify_init1(1)); i = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); P(inotify_add_watch(i, "none", IN_ALL_EVENTS));
    P(inotify_add_watch(i, ".", 0)); P(inotify_add_watch(-1, ".", 1)); P(inotify_add_watch(1, ".", 1)); P(inotify_add_watch(i, BAD, 1));
    P(inotify_add_watch(i, "", 1)); close(open("f", O_CREAT | O_RDWR, 0600)); P(inotify_add_watch(i, "f", IN_ONLYDIR | 1)); symlink("f", "l");
    P(inotify_add_watch(i, "l", IN_DONT_FOLLOW | IN_ALL_EVENTS)); P(w = inotify_add_watch(i, ".", IN_ALL_EVENTS));
    P(inotify_add_watch(i, ".", IN_MASK_CREATE | 1)); P(inotify_add_watch(i, "f", IN_MASK_ADD | IN_MASK_CREATE | 1));
    P(inotify_add_watch(i, "f", IN_ALL_EVENTS)); P(inotify_rm_watch(i, 99)); P(inotify_rm_watch(-1, 1)); P(inotify_rm_watch(1, 1)); P(read(i, b, 10));
    int f = open("f", O_RDWR); write(f, "x", 1); read(f, b, 1); pread(f, b, 1, 0); ftruncate(f, 0); fchmod(f, 0600); fchown(f, 0, 0);
    utimensat(AT_FDCWD, "f", 0, 0); close(f); rename("f", "g"); link("g", "h"); unlink("h"); mkdir("d", 0700); rmdir("d"); symlink("x", "s");
    mkfifo("p", 0600); truncate("g", 5); chmod("g", 0644); close(open("g", O_RDONLY)); int d = open(".", O_RDONLY); sys(217, d, b, 4096); close(d); int n;
    P(ioctl(i, FIONREAD, &n)); V(n); P(read(i, b, 10)); while ((n = read(i, b, sizeof b)) > 0) for (char *q = b; q < b + n;) {
    struct inotify_event *e = (void *)q; SAY("%d %x %d %u %s\n", e->wd, e->mask, e->cookie != 0, e->len, e->len ? e->name : ""); q += sizeof *e + e->len; }
    P(inotify_rm_watch(i, w)); n = read(i, b, sizeof b); SAY("%d %x\n", n, ((struct inotify_event *)b)->mask); P(write(i, b, 1)); P(lseek(i, 0, 0));
    P(read(i, BAD, 100)); close(open("o", O_CREAT | O_RDWR, 0600)); chmod("o", 0); AS_USER(P(inotify_add_watch(i, "o", 1)));
}
#include <dirent.h>

int main(int argc, char **argv)
{
    RUN(polls);
    RUN(epolls);
    RUN(events);
    RUN(clocks);
    RUN(futexes);
    RUN(inotifies);
}
