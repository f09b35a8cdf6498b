/*
 * Processes: waits, clones, programs, ids, signals, limits, scheduling, prctl and what else asks about the system.
 * long: a family is a list of calls, and of what they need.
 */
#include "probe.h"
#include <sys/prctl.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/sysinfo.h>
#include <sys/signalfd.h>
#include <sys/klog.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/mman.h>
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define sys syscall
static void none(int s) {}

static void waits(void)
{
    siginfo_t si; int st; struct rusage ru; pid_t pid;
    P(wait(0)); P(waitpid(-1, &st, 0)); P(waitpid(1, &st, 0)); P(waitpid(INT_MIN, &st, 0)); P(waitpid(-1, &st, 0x100)); P(waitpid(99999999, &st, 0));
    P(sys(61, -1, BAD, 0, 0)); P(waitpid(-getpid(), &st, 0)); P(waitpid(0, &st, WNOHANG));
    P(waitid(P_ALL, 0, &si, WEXITED)); P(waitid(P_ALL, 0, &si, 0)); P(waitid(9, 0, &si, WEXITED)); P(waitid(P_PID, 0, &si, WEXITED));
    P(waitid(P_PID, -1, &si, WEXITED)); P(waitid(P_PGID, 0, &si, WEXITED)); P(waitid(P_PGID, -1, &si, WEXITED)); P(waitid(P_ALL, 0, &si, 0x100 | WEXITED));
    P(waitid(P_PIDFD, -1, &si, WEXITED)); P(waitid(P_PIDFD, 1, &si, WEXITED)); P(waitid(P_PIDFD, 99, &si, WEXITED)); P(sys(247, P_ALL, 0, BAD, WEXITED, 0));
    pid = fork(); if (!pid) _exit(7); memset(&si, 0xff, sizeof si); P(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
    SAY("%d %d %d %d\n", si.si_signo, si.si_code, si.si_status, si.si_pid == pid); P(sys(61, pid, BAD, 0, 0)); P(waitpid(pid, &st, 0));
    pid = fork(); if (!pid) { raise(SIGSTOP); pause(); } P(waitid(P_PID, pid, &si, WSTOPPED));
    SAY("%d %d %d %d\n", si.si_signo, si.si_code, si.si_status, si.si_uid); memset(&si, 0xff, sizeof si);
    P(waitid(P_PID, pid, &si, WSTOPPED | WEXITED | WCONTINUED | WNOHANG)); SAY("%d %d %d\n", si.si_signo, si.si_code, si.si_pid); kill(pid, SIGCONT);
    P(waitid(P_PID, pid, &si, WCONTINUED)); SAY("%d %d %d\n", si.si_signo, si.si_code, si.si_status); kill(pid, SIGABRT); P(waitid(P_ALL, 0, &si, WEXITED));
    SAY("%d %d\n", si.si_code, si.si_status);
    pid = fork(); if (!pid) { raise(SIGSTOP); pause(); } P(waitpid(pid, &st, WUNTRACED) == pid); SAY("%#x\n", st); kill(pid, SIGCONT);
    P(waitpid(pid, &st, WCONTINUED) == pid); SAY("%#x\n", st); kill(pid, SIGKILL); P(wait4(pid, &st, 0, &ru) == pid); SAY("%#x\n", st);
    P(sys(61, -1, 0, 0, BAD)); P(sys(247, P_ALL, 0, 0, WNOHANG|WEXITED, 0));
    signal(SIGCHLD, SIG_IGN); pid = fork(); if (!pid) _exit(0); P(waitpid(pid, &st, 0)); signal(SIGCHLD, SIG_DFL);
    struct sigaction sa = {.sa_handler = none, .sa_flags = SA_NOCLDWAIT}; sigaction(SIGCHLD, &sa, 0); pid = fork(); if (!pid) _exit(0);
    P(waitpid(pid, &st, 0)); sa.sa_flags = 0; sigaction(SIGCHLD, &sa, 0); signal(SIGCHLD, SIG_DFL); pid = fork(); if (!pid) { usleep(20000); _exit(3); }
    signal(SIGCHLD, SIG_IGN); P(wait(&st)); signal(SIGCHLD, SIG_DFL);
    int fd = sys(434, getpid(), 0); V(fd); P(sys(434, -1, 0)); P(sys(434, 0, 0)); P(sys(434, 99999999, 0)); P(sys(434, getpid(), 1));
    P(sys(434, getpid(), O_NONBLOCK)); P(sys(424, fd, 0, 0, 0)); (void)(sys(424, fd, 0, 0, 1)); P(sys(424, fd, 99, 0, 0)); P(sys(424, -1, 0, 0, 0));
    P(sys(424, 1, 0, 0, 0)); P(sys(424, fd, 10, BAD, 0)); memset(&si, 0, sizeof si); si.si_signo = 11; si.si_code = SI_QUEUE; P(sys(424, fd, 10, &si, 0));
    P(waitid(P_PIDFD, fd, &si, WEXITED)); P(fcntl(fd, F_GETFD)); P(read(fd, page, 1)); P(write(fd, page, 1)); P(lseek(fd, 0, 0)); P(ioctl(fd, 1));
    pid = fork(); if (!pid) { usleep(30000); _exit(0); } fd = sys(434, pid, O_NONBLOCK); P(waitid(P_PIDFD, fd, &si, WEXITED));
    struct pollfd p = {fd, POLLIN}; P(poll(&p, 1, 0)); P(poll(&p, 1, 5000)); V(p.revents); P(sys(424, fd, 0, 0, 0)); P(waitid(P_PIDFD, fd, &si, WEXITED));
    P(sys(424, fd, 0, 0, 0)); P(poll(&p, 1, 0)); V(p.revents & POLLIN); P(sys(434, pid, 0)); P(waitid(P_PIDFD, fd, &si, WEXITED));
}
struct clargs { uint64_t flags, pidfd, ctid, ptid, sig, stack, size, tls, set, nset, cgroup, more; };
static int other(void *p) { _exit(5); }
static char stack[16384] __attribute__((aligned(16)));

static void clones(void)
{
    struct clargs a; int st; pid_t pid; int pidfd = -1;
#define C3(size) (fflush(stdout), pid = sys(435, &a, size), pid == 0 ? (_exit(0), 0) : pid > 0 ? (waitpid(pid, &st, __WALL), 0) : -1)
    memset(&a, 0, sizeof a); a.sig = SIGCHLD; P(C3(64)); P(C3(88)); P(C3(63)); P(C3(96)); a.more = 1; P(C3(96)); P(sys(435, BAD, 64)); P(C3(5000));
    a.sig = 65; P(C3(64)); a.sig = 256; P(C3(64)); a.sig = -1; P(C3(64)); a.sig = 0; P(C3(64)); a.stack = 0x1234; P(C3(64)); a.stack = 0; a.size = 4096;
    P(C3(64)); a.size = 0; a.flags = SIGCHLD; P(C3(64)); a.flags = CLONE_DETACHED; P(C3(64)); a.flags = 1ull << 40; P(C3(64)); a.flags = CLONE_SIGHAND;
    P(C3(64)); a.flags = CLONE_THREAD; P(C3(64)); a.flags = CLONE_FS | CLONE_NEWNS; P(C3(64)); a.flags = 0x100000000; P(C3(64));
    a.flags = 0x100000000 | CLONE_SIGHAND | CLONE_VM; P(C3(64)); a.flags = CLONE_PIDFD; a.pidfd = (long)BAD; P(C3(64)); a.pidfd = (long)&pidfd; P(C3(64));
    V(pidfd); P(fcntl(pidfd, F_GETFD)); a.flags = CLONE_PIDFD | CLONE_DETACHED; P(C3(64)); a.flags = CLONE_PARENT_SETTID; a.ptid = (long)BAD; P(C3(64));
    a.flags = 0; pid_t set[1] = {1}; a.set = (long)set; a.nset = 1; (void)(C3(80)); a.nset = 0; P(C3(80)); a.set = 0; a.nset = 1; P(C3(80)); a.nset = 33;
    a.set = (long)set; P(C3(80)); a.set = a.nset = 0; a.flags = CLONE_NEWUSER | CLONE_FS; P(C3(64));
    a.flags = CLONE_NEWPID | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND; P(C3(64)); a.flags = CLONE_PARENT; a.sig = SIGCHLD; P(C3(64)); a.flags = 0x200000000;
    P(C3(88)); a.flags = CLONE_PIDFD | CLONE_PARENT_SETTID; a.sig = 0;
    P(sys(56, CLONE_THREAD, 0, 0, 0, 0)); P(sys(56, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0)); P(sys(56, CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0));
    P(sys(56, CLONE_PIDFD | CLONE_DETACHED, 0, 0, 0, 0)); P(sys(56, CLONE_PIDFD | CLONE_PARENT_SETTID, 0, page, 0, 0));
    P(waitpid(clone(other, stack + 16384, SIGCHLD, 0), &st, 0) > 0); SAY("%#x\n", st);
    (void)(waitpid(clone(other, stack + 16384, CLONE_VM | SIGCHLD, 0), &st, 0) > 0); SAY("%#x\n", st);
    (void)(waitpid(clone(other, stack + 16384, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, 0), &st, 0) > 0); SAY("%#x\n", st);
    (void)(waitpid(clone(other, stack + 16384, CLONE_FS | CLONE_FILES | SIGCHLD, 0), &st, 0) > 0); SAY("%#x\n", st);
    P(waitpid(clone(other, stack + 16384, CLONE_VM | CLONE_VFORK | SIGCHLD, 0), &st, 0) > 0); SAY("%#x\n", st);
    P(waitpid(clone(other, stack + 16384, CLONE_PARENT | SIGCHLD, 0), &st, 0));
    P(waitpid(clone(other, stack + 16384, CLONE_PIDFD | SIGCHLD, 0, &pidfd), &st, 0) > 0); V(pidfd);
    P(sys(272, 0x1)); P(sys(272, 0)); P(sys(272, CLONE_FILES)); P(sys(272, CLONE_FS)); P(sys(272, CLONE_SYSVSEM)); P(sys(272, CLONE_VM));
    P(sys(272, CLONE_THREAD)); P(sys(272, CLONE_SIGHAND)); P(sys(308, -1, 0)); P(sys(308, 1, 0)); P(sys(308, open("/proc/self/exe", O_RDONLY), 0));
    P(sys(308, 1, -1)); AS_USER(P(sys(272, CLONE_NEWNS)); P(sys(272, CLONE_NEWUTS)); P(sys(272, CLONE_FILES)));
}

static void execs(void)
{
    char *av[] = {"x", NULL}, *ev[] = {NULL}; char longname[300]; memset(longname, 'x', 299); longname[256] = 0; int fd; char *bigv[3] = {"x", NULL, NULL};
    close(open("plain", O_CREAT | O_RDWR, 0644)); fd = open("empty", O_CREAT | O_RDWR, 0755); close(fd); fd = open("junk", O_CREAT | O_RDWR, 0755);
    write(fd, "junkjunkjunk\n", 13); close(fd); fd = open("busy", O_CREAT | O_RDWR, 0755); write(fd, "#!/bin/sh\nexit 3\n", 17); mkdir("d", 0755);
    symlink("loop", "loop"); int f2 = open("noint", O_CREAT | O_RDWR, 0755); write(f2, "#!/nothing\n", 11); close(f2);
    f2 = open("shell", O_CREAT | O_RDWR, 0755); write(f2, "#! /bin/sh -x -y\nexit 3\n", 24); close(f2); f2 = open("elf", O_CREAT | O_RDWR, 0755);
    write(f2, "\177ELFxxxxxxxxxxxxxxxxxx", 20); close(f2); f2 = open("bare", O_CREAT | O_RDWR, 0755); write(f2, "#!", 2); close(f2);
    f2 = open("bare2", O_CREAT | O_RDWR, 0755); write(f2, "#!   \n", 6); close(f2); f2 = open("self", O_CREAT | O_RDWR, 0755); write(f2, "#!self\n", 7);
    close(f2);
    P(execve("none", av, ev)); P(execve("", av, ev)); P(execve(BAD, av, ev)); P(execve("plain", av, ev)); P(execve("empty", av, ev));
    P(execve("junk", av, ev)); P(execve("busy", av, ev)); P(execve("d", av, ev)); P(execve("loop", av, ev)); P(execve(longname, av, ev));
    P(execve("plain/x", av, ev)); P(execve("noint", av, ev)); P(execve("elf", av, ev)); P(execve("/dev/null", av, ev)); P(execve("bare", av, ev));
    P(execve("bare2", av, ev)); P(execve("self", av, ev)); P(execve("/bin/true", BAD, ev)); P(execve("/bin/true", av, BAD)); bigv[1] = BAD;
    P(execve("/bin/true", bigv, ev)); char *big = malloc(200000); memset(big, 'a', 199999); big[199999] = 0; bigv[1] = big;
    P(execve("/bin/true", bigv, ev)); CHILD(close(fd); P(execve("busy", av, ev)));  P(open("/proc/self/exe", O_WRONLY));
    P(sys(322, -1, "", av, ev, AT_EMPTY_PATH)); P(sys(322, -1, "true", av, ev, 0)); P(sys(322, AT_FDCWD, "loop", av, ev, AT_SYMLINK_NOFOLLOW));
    (void)(sys(322, AT_FDCWD, "junk", av, ev, 0x10000)); P(sys(322, fd, "", av, ev, AT_EMPTY_PATH)); P(sys(322, fd, "x", av, ev, 0));
    symlink("/bin/true", "tl"); P(sys(322, AT_FDCWD, "tl", av, ev, AT_SYMLINK_NOFOLLOW)); AS_USER(P(execve("plain", av, ev)); chmod("junk", 0711);
    P(execve("junk", av, ev))); int t = open("/bin/busybox", O_PATH); char *tv[] = {"true", NULL}; CHILD(sys(322, t, "", tv, ev, AT_EMPTY_PATH));
    char **many = calloc(700001, 8); for (int i = 0; i < 700000; i++) many[i] = "abcd"; P(execve("/bin/true", many, ev));
}

static void ids(void)
{
    uid_t r, e, s; gid_t list[70]; P(setuid(-1)); P(setgid(-1)); P(setreuid(-1, -1)); P(setresuid(-1, -1, -1)); P(getresuid(BAD, &e, &s));
    P(getresuid(&r, BAD, &s)); P(getresuid(&r, &e, BAD)); P(getresgid(BAD, &e, &s)); P(sys(116, 65537, list)); P(sys(116, -1, list)); P(sys(116, 1, BAD));
    P(sys(115, -1, list)); P(setgroups(0, NULL)); P(getgroups(0, NULL)); list[0] = 5; list[1] = 3; list[2] = 9; P(setgroups(3, list));
    P(getgroups(0, NULL)); P(getgroups(1, list)); P(getgroups(70, list)); SAY("%d %d %d\n", list[0], list[1], list[2]); P(sys(115, 3, BAD));
    P(setfsuid(5)); P(setfsuid(-1)); P(setfsuid(0)); P(setfsgid(7)); P(setfsgid(-1)); P(setfsgid(0)); P(setfsuid(0));
#define IDS (getresuid(&r, &e, &s), SAY("  %d %d %d fs %d\n", r, e, s, setfsuid(-1)))
    CHILD(P(setresuid(1, 2, 3)); IDS; P(setuid(3)); IDS; P(setuid(9)); P(seteuid(1)); IDS; P(setreuid(-1, 3)); IDS; P(setreuid(3, -1)); IDS;
    P(setreuid(5, 5)); P(setresuid(-1, -1, 1)); IDS; P(setgid(0)); P(setgid(5)); P(setgroups(0, 0)); P(setfsuid(1)); P(setfsuid(-1)); P(setfsuid(77));
    P(setfsuid(-1)));
    CHILD(P(setreuid(5, 6)); IDS; P(setreuid(6, -1)); IDS; P(setreuid(-1, 5)); IDS); CHILD(P(setreuid(-1, 6)); IDS; P(setreuid(-1, 0)); IDS; P(setuid(0));
    IDS); CHILD(P(setuid(USER)); IDS; P(setuid(0)); P(seteuid(0)); P(setreuid(0, -1)); P(setreuid(USER, USER)); P(setresuid(USER, -1, 0)));
    CHILD(P(setregid(5, 6)); P(setregid(-1, 5)); P(getgid()); P(getegid()); P(setresgid(1, 2, 3)); P(setuid(USER)); P(setgid(3)); P(getegid());
    P(setgid(0)); P(setregid(9, -1)); P(setresgid(-1, -1, 9)); P(setregid(2, 1)));
    P(getpgid(0) == getpgrp()); P(getpgid(-1)); P(getpgid(99999999)); P(getsid(0) == getsid(getpid())); P(getsid(-1)); P(getsid(99999999));
    P(setpgid(0, 0)); P(getpgrp() == getpid()); P(setpgid(-1, 0)); P(setpgid(0, -1)); P(setpgid(99999999, 0)); P(setpgid(getppid(), 0)); P(setpgid(1, 1));
    P(setpgid(0, 99999999)); P(setpgid(0, 1)); P(setsid()); CHILD(P(setsid() == getpid()); P(setsid()); P(setpgid(0, 0)); P(getsid(0) == getpid());
    P(getpgrp() == getpid())); pid_t p = fork(); if (!p) { execl("/bin/sleep", "sleep", "1", NULL); _exit(1); } usleep(100000); P(setpgid(p, p));
    kill(p, 9); waitpid(p, 0, 0); p = fork(); if (!p) { setsid(); pause(); } usleep(50000); P(setpgid(p, p)); P(setpgid(0, p)); P(getsid(p) == p);
    kill(p, 9); waitpid(p, 0, 0);
    struct { uint32_t version; int pid; } h = {0x20080522, 0}; uint32_t data[6]; P(sys(125, &h, data)); h.version = 0; P(sys(125, &h, data));
    SAY("%x\n", h.version); P(sys(125, &h, NULL)); h.version = 0; P(sys(125, &h, NULL)); P(sys(125, BAD, data)); P(sys(125, &h, BAD)); h.pid = -1;
    P(sys(125, &h, data)); h.pid = 99999999; P(sys(125, &h, data)); h.pid = 1; P(sys(125, &h, data)); h.pid = 0; P(sys(126, &h, BAD));
    P(sys(126, BAD, data)); h.pid = 1; P(sys(126, &h, data)); h.pid = -1; P(sys(126, &h, data)); h.version = 0; P(sys(126, &h, data)); h.pid = 0;
    h.version = 0x20080522; AS_USER(P(sys(125, &h, data)); SAY("%x %x %x\n", data[0], data[1], data[2]); P(sys(126, &h, data)); data[0] = 1;
    P(sys(126, &h, data)));
}

static void signals(void)
{
    struct sigaction sa = {.sa_handler = none}; sigset_t set; struct { void *h; unsigned long f; void *r; uint64_t m; }
    k = {(void *)none, 0x04000000, (void *)none, 0}; struct timespec ts = {0, 1000}; siginfo_t si; uint64_t m;
    P(kill(0, 0)); P(kill(-1, 99)); P(kill(99999999, 0)); P(kill(getpid(), 65)); P(kill(getpid(), -1)); P(kill(INT_MIN, 0)); P(kill(-99999999, 0));
    P(kill(1, 0)); P(sys(200, 0, 0)); P(sys(200, -1, 0)); P(sys(200, 99999999, 0)); P(sys(200, getpid(), 65)); P(sys(234, getpid(), getpid(), 0));
    P(sys(234, -1, getpid(), 0)); P(sys(234, getpid(), -1, 0)); P(sys(234, getpid(), 99999999, 0)); P(sys(234, getpid(), 0, 0));
    P(sys(234, 1, getpid(), 0)); P(sys(234, getpid(), getpid(), 65)); AS_USER(P(kill(1, 0)); P(kill(getppid(), SIGTERM)); P(kill(1, 65));
    P(sys(200, getppid(), 15)); P(sys(129, getppid(), 15, &si)));
    P(sys(13, SIGKILL, &k, 0, 8)); P(sys(13, SIGSTOP, &k, 0, 8)); P(sys(13, SIGKILL, 0, &k, 8)); P(sys(13, 0, &k, 0, 8)); P(sys(13, 65, 0, 0, 8));
    P(sys(13, 10, &k, 0, 4)); P(sys(13, 10, BAD, 0, 8)); P(sys(13, 10, 0, BAD, 8)); P(sys(13, 10, &k, BAD, 8)); P(sys(13, 10, 0, 0, 8)); k.h = SIG_DFL;
    P(sys(13, SIGKILL, &k, 0, 8)); k.h = SIG_IGN; P(sys(13, SIGSTOP, &k, 0, 8)); k.h = (void *)none; k.f = 0x04000000 | 0x400 | 0x100;
    P(sys(13, 10, &k, 0, 8)); memset(&k, 0, sizeof k); P(sys(13, 10, 0, &k, 8)); SAY("%lx\n", k.f); k.m = ~0ull; P(sys(13, 10, &k, 0, 8));
    P(sys(13, 10, 0, &k, 8)); SAY("%lx\n", k.m);
    P(sys(14, 7, &m, 0, 8)); P(sys(14, 7, 0, &m, 8)); P(sys(14, 0, BAD, 0, 8)); P(sys(14, 0, 0, BAD, 8)); P(sys(14, 0, &m, 0, 9)); P(sys(14, 0, &m, 0, 0));
    m = ~0ull; P(sys(14, SIG_SETMASK, &m, 0, 8)); P(sys(14, 0, 0, &m, 8)); SAY("%lx\n", m); P(kill(getpid(), SIGUSR1)); P(kill(getpid(), SIGRTMIN + 1));
    P(kill(getpid(), SIGRTMIN + 1)); P(sys(127, &m, 8)); SAY("%lx\n", m); P(sys(127, &m, 9)); P(sys(127, &m, 4)); P(sys(127, BAD, 8)); P(sys(127, &m, 0));
    m = 1ull << 9; memset(&si, 0xff, sizeof si); P(sys(128, &m, &si, &ts, 8)); SAY("%d %d %d\n", si.si_signo, si.si_code, si.si_pid == getpid());
    P(sys(128, &m, &si, &ts, 8)); P(sys(128, BAD, &si, &ts, 8)); P(sys(128, &m, &si, BAD, 8)); P(sys(128, &m, &si, &ts, 4)); ts.tv_nsec = -1;
    P(sys(128, &m, &si, &ts, 8)); ts.tv_nsec = 1000000000; P(sys(128, &m, &si, &ts, 8)); ts.tv_nsec = 0; m = 1ull << 34; P(sys(128, &m, BAD, &ts, 8));
    P(sys(128, &m, NULL, &ts, 8)); P(sys(128, &m, NULL, &ts, 8)); m = ~0ull; P(sys(128, &m, 0, &ts, 8)); m = 0; P(sys(14, 2, &m, 0, 8));
    union sigval v = {.sival_int = 42}; sigemptyset(&set); sigaddset(&set, SIGUSR2); sigaddset(&set, SIGRTMIN + 2); sigprocmask(SIG_BLOCK, &set, 0);
    P(sigqueue(getpid(), SIGUSR2, v)); P(sigqueue(getpid(), SIGRTMIN + 2, v)); v.sival_int = 43; P(sigqueue(getpid(), SIGRTMIN + 2, v));
    P(sigqueue(getpid(), 0, v)); P(sigqueue(99999999, 0, v)); P(sigqueue(getpid(), 70, v)); for (int i = 0; i < 3; i++) { P(sigwaitinfo(&set, &si));
    SAY("%d %d %d %d\n", si.si_signo == SIGUSR2, si.si_code, si.si_value.sival_int, si.si_uid); }
    memset(&si, 0, sizeof si); si.si_code = 0; P(sys(129, getppid(), 0, &si)); si.si_code = SI_TKILL; P(sys(129, getppid(), 0, &si));
    P(sys(129, getpid(), 0, &si)); si.si_code = SI_QUEUE; P(sys(129, getppid(), 0, &si)); P(sys(129, -1, 0, &si)); P(sys(129, getpid(), 12, BAD));
    P(sys(297, getpid(), getpid(), 0, &si)); P(sys(297, getpid(), -1, 0, &si)); P(sys(297, 0, getpid(), 0, &si)); P(sys(297, getpid(), 99999999, 0, &si));
    P(sys(297, getpid(), getpid(), 65, &si)); P(sys(297, getpid(), getpid(), 12, &si)); memset(&si, 0, sizeof si); P(sigwaitinfo(&set, &si));
    SAY("%d\n", si.si_code);
    P(sys(130, BAD, 8)); P(sys(130, &m, 4)); P(sys(130, &m, 16)); CHILD(signal(SIGALRM, none); ualarm(20000, 0); P(pause()));
    CHILD(sigaction(SIGALRM, &sa, 0); ualarm(20000, 0); m = 0; P(sys(130, &m, 8)); sa.sa_flags = SA_RESTART; sigaction(SIGALRM, &sa, 0); ualarm(20000, 0);
    P(sys(130, &m, 8)); ualarm(20000, 0); P(pause()); ualarm(20000, 0); P(nanosleep(&(struct timespec){1, 0}, &ts)); V(ts.tv_nsec > 900000000);
    ualarm(20000, 0); P(poll(0, 0, 1000)); ualarm(20000, 0); P(select(0, 0, 0, 0, &(struct timeval){1, 0})); int q[2]; pipe(q); ualarm(20000, 0);
    sa.sa_flags = 0; sigaction(SIGALRM, &sa, 0); P(read(q[0], page, 1)); ualarm(20000, 0);
    P(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){1, 0}, 0)); ualarm(20000, 0); P(sigwaitinfo(&set, 0)); ualarm(20000, 0); P(wait(0));
    ualarm(20000, 0); fork() ? 0 : (sleep(1), _exit(0)); P(waitpid(-1, 0, 0)));
    stack_t ss = {0}, os; P(sigaltstack(0, &os)); V(os.ss_flags); ss.ss_sp = malloc(65536); ss.ss_size = 100; P(sys(131, &ss, 0)); ss.ss_size = 2047;
    P(sys(131, &ss, 0)); ss.ss_size = 65536; ss.ss_flags = 5; P(sys(131, &ss, 0)); ss.ss_flags = SS_ONSTACK; P(sys(131, &ss, 0)); ss.ss_flags = 0x80000000;
    P(sys(131, &ss, 0)); P(sys(131, 0, &os)); SAY("%x %zu\n", os.ss_flags, os.ss_size); ss.ss_flags = SS_DISABLE; ss.ss_size = 0; P(sys(131, &ss, 0));
    P(sys(131, BAD, 0)); P(sys(131, 0, BAD)); P(sys(131, 0, 0)); P(sys(131, 0, &os)); SAY("%x %zu %p\n", os.ss_flags, os.ss_size, os.ss_sp);
    int fd; m = 1ull << 11; P(fd = sys(289, -1, &m, 8, 0)); P(sys(289, -1, &m, 4, 0)); P(sys(289, -1, BAD, 8, 0)); P(sys(289, 1, &m, 8, 0));
    P(sys(289, 99, &m, 8, 0)); P(sys(289, -1, &m, 8, 1)); P(sys(289, -2, &m, 8, 0)); P(sys(289, fd, &m, 8, 0)); P(sys(282, -1, &m, 8));
    P(read(fd, page, 10)); fcntl(fd, F_SETFL, O_NONBLOCK); P(read(fd, page, 128)); raise(SIGUSR2); P(read(fd, page, 127)); P(read(fd, BAD, 128));
    struct signalfd_siginfo *f = (void *)page; P(read(fd, page, 300)); SAY("%d %d\n", f->ssi_signo, f->ssi_code); P(write(fd, page, 8)); P(lseek(fd, 0, 0));
    P(pread(fd, page, 128, 0)); struct pollfd pf = {fd, POLLIN | POLLOUT}; P(poll(&pf, 1, 0)); raise(SIGUSR2); P(poll(&pf, 1, 0)); V(pf.revents);
}
static int order[20], orders;
static void note(int s) { if (orders < 20) order[orders++] = s; }
static void note3(int s, siginfo_t *i, void *u) { sigset_t m; sigprocmask(0, 0, &m);
SAY("in %d code %d masked %d %d\n", s, i->si_code, sigismember(&m, s), sigismember(&m, SIGUSR2)); }

static void handlers(void)
{
    struct sigaction sa = {0}; sigset_t all, old; sigfillset(&all); for (int s = 1; s < 65; s++) if (s != 9 && s != 19 && s != 32 && s != 33 && s != 34) {
    sa.sa_handler = note; sigaction(s, &sa, 0); }
    sigprocmask(SIG_SETMASK, &all, &old); int list[] = {40, 12, 64, 10, 35, 1, 40, 15, 11}; for (int i = 0; i < 9; i++) kill(getpid(), list[i]);
    sigprocmask(SIG_SETMASK, &old, 0); for (int i = 0; i < orders; i++) SAY("%d ", order[i]); SAY("\n");
    sa.sa_sigaction = note3; sa.sa_flags = SA_SIGINFO; sigaction(10, &sa, 0); raise(10); sigaddset(&sa.sa_mask, SIGUSR2); sa.sa_flags |= SA_NODEFER;
    sigaction(10, &sa, 0); kill(getpid(), 10); sa.sa_flags |= SA_RESETHAND; sigaction(10, &sa, 0); kill(getpid(), 10); sigaction(10, 0, &sa);
    V(sa.sa_handler == SIG_DFL); SAY("%x\n", sa.sa_flags & ~0x04000000);
    CHILD(raise(SIGFPE)); CHILD(signal(SIGSEGV, SIG_DFL); *(volatile int *)0x1234 = 1); CHILD(signal(SIGSEGV, SIG_IGN); *(volatile int *)0x1234 = 1);
    CHILD(sigset_t q; sigemptyset(&q); sigaddset(&q, SIGSEGV); signal(SIGSEGV, note); sigprocmask(SIG_BLOCK, &q, 0); *(volatile int *)0x1234 = 1);
    CHILD(signal(SIGILL, SIG_DFL); __asm__("ud2")); CHILD(signal(SIGFPE, SIG_DFL); volatile int z = 0; z = 1 / z); CHILD(signal(SIGTRAP, SIG_DFL);
    __asm__("int3")); CHILD(signal(SIGSEGV, SIG_DFL); __asm__("hlt")); CHILD(signal(SIGBUS, SIG_DFL); int fd = open("f", O_CREAT | O_RDWR, 0600);
    char *p = mmap(0, 4096, 3, MAP_SHARED, fd, 0); *(volatile char *)p = 1); CHILD(abort()); CHILD(signal(SIGPIPE, SIG_DFL); int p[2]; pipe(p); close(p[0]);
    write(p[1], "", 1)); CHILD(signal(SIGPIPE, SIG_IGN); int p[2]; pipe(p); close(p[0]); P(write(p[1], "", 1)));
    for (int s = 1; s < 65; s++) if (s != 32 && s != 33 && s != 34 && s != SIGTSTP && s != SIGTTIN && s != SIGTTOU) { int st = 0; pid_t pid = fork();
    if (!pid) { signal(s, SIG_DFL); kill(getpid(), s); usleep(1000); _exit(0); } usleep(3000); waitpid(pid, &st, WUNTRACED); if (WIFSTOPPED(st)) {
    SAY("%d stop\n", s); kill(pid, 9); waitpid(pid, 0, 0); } else SAY("%d %d %d\n", s, WIFSIGNALED(st) ? WTERMSIG(st) : -1, WIFEXITED(st)); }
}

static void limits(void)
{
    struct rlimit r; P(getrlimit(16, &r)); P(sys(97, -1, &r)); P(sys(97, 7, BAD)); P(sys(160, 7, BAD)); r = (struct rlimit){10, 5}; P(sys(160, 7, &r));
    P(sys(160, 16, &r)); P(sys(302, 0, 7, 0, BAD)); P(sys(302, 0, 7, BAD, 0)); P(sys(302, 0, 16, 0, 0)); P(sys(302, -1, 7, 0, 0));
    P(sys(302, 99999999, 7, 0, 0)); P(sys(302, 0, 7, 0, 0)); P(sys(302, getppid(), 7, 0, &r)); AS_USER(P(sys(302, 1, 7, 0, &r)); getrlimit(7, &r);
    r.rlim_max++; P(sys(160, 7, &r)); r.rlim_cur = r.rlim_max = 20; P(sys(160, 7, &r)); r.rlim_max = 21; P(sys(160, 7, &r)));
    r = (struct rlimit){1 << 30, 1 << 30}; P(sys(160, 7, &r)); for (int i = 0; i < 16; i++) { getrlimit(i, &r);
    r.rlim_cur = r.rlim_max == RLIM_INFINITY ? 1 << 20 : r.rlim_max / 2; if (i != 7 && i != 9 && i != 2 && i != 3 && i != 6 && i != 0) P(setrlimit(i, &r));
    }
    CHILD(r = (struct rlimit){0, 0}; setrlimit(RLIMIT_NOFILE, &r); P(open("/", 0)); P(dup(1))); AS_USER(r = (struct rlimit){1, 1};
    setrlimit(RLIMIT_NPROC, &r); P(fork())); CHILD(r = (struct rlimit){1 << 24, 1 << 24}; setrlimit(RLIMIT_AS, &r); P(mmap(0, 1 << 25, 3, 34, -1, 0)));
    CHILD(r = (struct rlimit){0, 0}; setrlimit(RLIMIT_DATA, &r); P(sys(12, sys(12, 0) + 65536) == sys(12, 0)); P(mmap(0, 1 << 20, 3, 34, -1, 0)));
    AS_USER(r = (struct rlimit){0, 0}; setrlimit(RLIMIT_MEMLOCK, &r); P(mlock(page, 4096)); P(mlockall(1));
    (void)(mmap(0, 4096, 3, 34 | MAP_LOCKED, -1, 0)); r.rlim_max = 10; P(setrlimit(RLIMIT_MEMLOCK, &r))); AS_USER(getrlimit(RLIMIT_MEMLOCK, &r);
    r.rlim_cur = r.rlim_max = 4096; setrlimit(RLIMIT_MEMLOCK, &r); P(mlock(page, 4096)); P(mlock(page + 8192, 8192)); P(munlock(page, 65536)));
    AS_USER(r = (struct rlimit){0, 0}; setrlimit(RLIMIT_SIGPENDING, &r); sigset_t s; sigfillset(&s); sigprocmask(0, &s, 0);
    (void)(sigqueue(getpid(), 40, (union sigval){0})); P(kill(getpid(), 40))); AS_USER(r = (struct rlimit){0, 0}; P(setrlimit(RLIMIT_NICE, &r));
    P(nice(-1)); P(setpriority(0, 0, -5)); P(setpriority(0, 0, 5)); P(getpriority(0, 0)); P(setpriority(0, 0, 0)));
    struct rusage ru; P(getrusage(0, &ru)); P(getrusage(-1, &ru)); P(getrusage(1, &ru)); P(getrusage(5, &ru)); P(sys(98, 0, BAD)); P(sys(98, -2, &ru));
    P(sys(100, BAD)); P(sys(100, 0) > 0); struct tms t; P(times(&t) > 0);
}

static void scheds(void)
{
    struct sched_param p = {0}; struct timespec ts; cpu_set_t cs; P(getpriority(0, 0)); P(getpriority(3, 0)); P(getpriority(-1, 0));
    P(getpriority(0, 99999999)); P(getpriority(1, 99999999)); P(getpriority(2, 99999999)); P(setpriority(3, 0, 0)); P(setpriority(0, 99999999, 0));
    P(setpriority(2, 99999999, 0)); P(setpriority(0, 0, 100)); P(sys(140, 0, 0)); P(setpriority(0, 0, -100)); P(sys(140, 0, 0)); P(setpriority(0, 0, 0));
    AS_USER(P(setpriority(0, 1, 5)); P(setpriority(0, getppid(), 5)); P(setpriority(2, 0, 3)); P(nice(1)); P(nice(100)); P(getpriority(0, 0)); P(nice(-1)));
    P(sys(145, 0)); P(sys(145, -1)); P(sys(145, 99999999)); P(sys(144, 0, 0, &p)); P(sys(144, 0, 1, &p)); p.sched_priority = 1; P(sys(144, 0, 0, &p));
    P(sys(144, 0, 1, &p)); P(sys(145, 0)); P(sys(143, 0, &p)); V(p.sched_priority); p.sched_priority = 99; P(sys(144, 0, 2, &p)); p.sched_priority = 100;
    P(sys(144, 0, 2, &p)); P(sys(144, 0, 99, &p)); P(sys(144, 0, -1, &p)); P(sys(144, -1, 1, &p)); P(sys(144, 99999999, 1, &p)); P(sys(144, 0, 1, BAD));
    P(sys(144, 0, 1, NULL)); P(sys(142, 0, &p)); p.sched_priority = 5; P(sys(142, 0, &p)); P(sys(142, -1, &p)); P(sys(142, 99999999, &p));
    P(sys(142, 0, BAD)); P(sys(142, 0, NULL)); P(sys(143, 0, BAD)); P(sys(143, 0, NULL)); P(sys(143, -1, &p)); P(sys(143, 99999999, &p));
    p.sched_priority = 5; P(sys(144, 0, 1 | 0x40000000, &p)); P(sys(145, 0)); CHILD(P(sys(145, 0))); p.sched_priority = 0; P(sys(144, 0, 3, &p));
    P(sys(145, 0)); P(sys(144, 0, 5, &p)); P(sys(145, 0)); P(sys(144, 0, 6, &p)); P(sys(144, 0, 0, &p)); for (int i = -1; i < 6; i++) { P(sys(146, i));
    P(sys(147, i)); } P(sys(148, 0, &ts)); P(sys(148, -1, &ts)); P(sys(148, 99999999, &ts)); P(sys(148, 0, BAD)); AS_USER(p.sched_priority = 1;
    P(sys(144, 0, 1, &p)); P(sys(144, 1, 0, &p)); p.sched_priority = 0; P(sys(144, 1, 0, &p)); P(sys(144, 0, 5, &p)); P(sys(144, 0, 0, &p));
    P(sys(142, 1, &p)));
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t prio; uint64_t runtime, deadline, period; uint32_t a, b; } at = {sizeof at};
    P(sys(315, 0, &at, sizeof at, 0)); SAY("size %u policy %u nice %d prio %u\n", at.size, at.policy, at.nice, at.prio); P(sys(315, 0, &at, 48, 0));
    P(sys(315, 0, &at, 47, 0)); P(sys(315, 0, &at, 5000, 0)); P(sys(315, 0, &at, 48, 1)); P(sys(315, -1, &at, 48, 0)); P(sys(315, 99999999, &at, 48, 0));
    P(sys(315, 0, NULL, 48, 0)); P(sys(315, 0, BAD, 48, 0)); memset(&at, 0, sizeof at); at.size = 48; at.nice = 5; P(sys(314, 0, &at, 0));
    P(getpriority(0, 0)); at.policy = 1; at.prio = 7; at.nice = 0; P(sys(314, 0, &at, 0)); P(sys(145, 0)); at.policy = 99; P(sys(314, 0, &at, 0));
    at.policy = 0; P(sys(314, 0, &at, 0)); at.prio = 0; P(sys(314, 0, &at, 1)); P(sys(314, 0, &at, 0)); at.flags = 1 << 20; P(sys(314, 0, &at, 0));
    at.flags = 0; at.size = 40; P(sys(314, 0, &at, 0)); SAY("%u\n", at.size); at.size = 0; P(sys(314, 0, &at, 0)); at.size = 5000; P(sys(314, 0, &at, 0));
    P(sys(314, 0, NULL, 0)); P(sys(314, 0, BAD, 0)); at.size = 48; P(sys(314, -1, &at, 0)); P(sys(314, 99999999, &at, 0)); at.policy = 6; at.runtime = 10;
    P(sys(314, 0, &at, 0)); at.flags = 1; at.policy = 0; at.runtime = 0; P(sys(314, 0, &at, 0)); memset(&at, 0, sizeof at); P(sys(315, 0, &at, 56, 0));
    SAY("flags %lx\n", at.flags);
    P(sys(203, 0, 0, &cs)); P(sys(203, 0, 128, BAD)); P(sys(203, 99999999, 8, &(long){1})); P(sys(203, 0, 8, &(long){0})); P(sys(203, 0, 8, &(long){1}));
    P(sys(203, 0, 4, &(long){1})); P(sys(203, -1, 8, &(long){1})); P(sys(204, 0, 0, &cs)); P(sys(204, 0, 7, &cs)); P(sys(204, 0, 8, BAD));
    P(sys(204, 99999999, 8, &cs)); P(sys(204, 0, 8, &cs)); P(sys(204, -1, 8, &cs)); AS_USER(P(sys(203, 1, 8, &(long){1})));
    P(sys(252, 1, 0)); P(sys(252, 0, 0)); P(sys(252, 1, 99999999)); P(sys(251, 1, 0, (2 << 13) | 4)); P(sys(252, 1, 0));
    (void)(sys(251, 1, 0, (2 << 13) | 8)); P(sys(251, 1, 0, (3 << 13))); P(sys(251, 1, 0, (3 << 13) | 1)); (void)(sys(251, 1, 0, (9 << 13)));
    P(sys(251, 9, 0, (2 << 13))); P(sys(251, 1, 0, (1 << 13) | 3)); P(sys(252, 1, 0)); P(sys(251, 1, 0, 0)); P(sys(251, 1, 0, 4)); P(sys(252, 3, 0));
    P(sys(252, 2, 0)); AS_USER(P(sys(251, 1, 0, (1 << 13))); P(sys(251, 1, 1, (2 << 13))); P(sys(251, 1, 0, (3 << 13))));
    P(sys(309, 0, 0, 0)); unsigned c = 9, n = 9; P(sys(309, &c, &n, 0)); P(sys(309, BAD, 0, 0)); P(sys(309, 0, BAD, 0)); P(sched_yield());
    (void)(sys(312, getpid(), getpid(), 1, 0, 0)); (void)(sys(312, getpid(), getpid(), 0, 0, 0)); (void)(sys(312, getpid(), getpid(), 0, 0, 1));
    (void)(sys(312, getpid(), getpid(), 0, 0, 99)); (void)(sys(312, getpid(), getpid(), 8, 0, 0)); (void)(sys(312, getpid(), getpid(), 9, 0, 0));
    (void)(sys(312, getpid(), 99999999, 1, 0, 0)); (void)(sys(324, 0, 0, 0)); P(sys(324, 1 << 20, 0, 0)); P(sys(324, 0, 1, 0)); P(sys(324, 1, 0, 0));
}

static void barriers(void)
{
    P(sys(324, 8, 0, 0)); P(sys(324, 32, 0, 0)); P(sys(324, 8, 1, 0)); P(sys(324, 2, 0, 0)); P(sys(324, 4, 0, 0)); P(sys(324, 2, 0, 0)); P(sys(324, 16, 0, 0));
    P(sys(324, 8, 0, 0)); P(sys(324, 32, 0, 0)); P(sys(324, 64, 0, 0)); P(sys(324, 32, 0, 0)); P(sys(324, 24, 0, 0)); P(sys(324, -1, 0, 0));
    CHILD(P(sys(324, 8, 0, 0)); P(sys(324, 32, 0, 0)));
    if (getenv("AGAIN")) return;
    setenv("AGAIN", "1", 1); CHILD(execl("/proc/self/exe", "processes", "barriers", NULL));
}

static void prctls(void)
{
    int v; char name[20]; P(prctl(9999)); P(prctl(PR_SET_PDEATHSIG, 65)); P(prctl(PR_SET_PDEATHSIG, 10)); P(prctl(PR_GET_PDEATHSIG, &v)); V(v);
    P(prctl(PR_SET_PDEATHSIG, 0)); P(prctl(PR_GET_PDEATHSIG, BAD)); P(prctl(PR_GET_DUMPABLE)); P(prctl(PR_SET_DUMPABLE, 2)); P(prctl(PR_SET_DUMPABLE, 3));
    P(prctl(PR_SET_DUMPABLE, 0)); P(prctl(PR_GET_DUMPABLE)); P(prctl(PR_SET_DUMPABLE, 1)); P(prctl(PR_SET_NAME, "abcdefghijklmnopqrst"));
    P(prctl(PR_GET_NAME, name)); S(name); P(prctl(PR_SET_NAME, BAD)); P(prctl(PR_GET_NAME, BAD)); P(prctl(PR_SET_TIMING, 1)); P(prctl(PR_SET_TIMING, 0));
    P(prctl(PR_GET_TIMING)); P(prctl(PR_GET_KEEPCAPS)); P(prctl(PR_SET_KEEPCAPS, 2)); P(prctl(PR_SET_KEEPCAPS, 1)); P(prctl(PR_GET_KEEPCAPS));
    P(prctl(PR_SET_KEEPCAPS, 0)); P(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); P(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
    P(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); P(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0)); CHILD(P(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    P(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); CHILD(P(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)))); P(prctl(PR_CAPBSET_READ, 0));
    P(prctl(PR_CAPBSET_READ, 99)); P(prctl(PR_CAPBSET_DROP, 99)); P(prctl(PR_GET_SECUREBITS)); P(prctl(PR_GET_SECCOMP)); P(prctl(PR_SET_SECCOMP, 5));
    (void)(prctl(PR_SET_SECCOMP, 2, BAD)); P(prctl(PR_GET_TSC, &v)); V(v); P(prctl(PR_SET_TSC, 5)); P(prctl(PR_GET_ENDIAN, &v)); P(prctl(PR_GET_FPEMU, &v));
    P(prctl(PR_GET_UNALIGN, &v)); P(prctl(PR_SET_TIMERSLACK, 70000)); P(prctl(PR_GET_TIMERSLACK)); P(prctl(PR_SET_TIMERSLACK, 0));
    P(prctl(PR_GET_TIMERSLACK)); P(prctl(PR_GET_CHILD_SUBREAPER, &v)); V(v); P(prctl(PR_SET_CHILD_SUBREAPER, 1)); P(prctl(PR_GET_CHILD_SUBREAPER, &v));
    V(v); P(prctl(PR_SET_CHILD_SUBREAPER, 0)); P(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0)); P(prctl(PR_MCE_KILL, 9, 0, 0, 0));
    (void)(prctl(PR_SET_MM, 99, 0, 0, 0)); P(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0)); P(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
    P(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)); P(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0)); P(prctl(PR_SET_THP_DISABLE, 1, 1, 0, 0));
    P(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 0, 0)); P(prctl(PR_CAP_AMBIENT, 99, 0, 0, 0));
    P(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0)); P(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    P(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0)); P(prctl(PR_GET_SPECULATION_CTRL, 9, 0, 0, 0)); P(prctl(PR_GET_TID_ADDRESS, &v));
    P(prctl(PR_TASK_PERF_EVENTS_DISABLE)); P(prctl(PR_SET_PTRACER, 0)); (void)(prctl(57, 1, 0, 0, 0)); (void)(prctl(58, 0, 0, 0, 0));
    (void)(prctl(58, 1, 0, 0, 0)); P(prctl(PR_SET_SECUREBITS, 1 << 20)); AS_USER(P(prctl(PR_CAPBSET_DROP, 1)); P(prctl(PR_SET_SECUREBITS, 0));
    (void)(prctl(PR_SET_MM, 1, 0, 0, 0)); P(prctl(PR_SET_KEEPCAPS, 1)));
    SAY("%lx\n", sys(135, 0xffffffff)); SAY("%lx\n", sys(135, 0x40000)); SAY("%lx\n", sys(135, 0xffffffff)); SAY("%lx\n", sys(135, 0)); P(sys(158, 0x1003, &v));
    P(sys(158, 0x9999, &v)); P(sys(158, 0x1003, BAD)); P(sys(158, 0x1002, -1l)); (void)(sys(218, BAD));
    struct utsname u; P(uname(&u)); S(u.sysname); S(u.machine); P(sys(63, BAD)); P(sys(170, "x", -1)); P(sys(170, "x", 65)); P(sys(170, BAD, 5));
    P(sys(171, "x", -1)); P(sys(171, "x", 65)); P(sys(171, BAD, 5)); AS_USER(P(sys(170, "x", 1)); P(sys(171, "x", 1)); P(sys(170, "x", -1)));
    struct sysinfo si; P(sysinfo(&si)); V(si.mem_unit); P(sys(99, BAD));
    P(sys(103, 99, 0, 0)); P(sys(103, 2, 0, 0)); P(sys(103, 3, NULL, 1)); P(sys(103, 3, page, -1)); P(sys(103, 3, page, 0)); P(sys(103, 8, 0, 0));
    P(sys(103, 8, 0, 9)); P(sys(103, 10, 0, 0) > 0); P(sys(103, 3, BAD, 10)); AS_USER(P(sys(103, 5, 0, 0)); P(sys(103, 8, 0, 4)));
    P(sys(318, page, 10, 0)); P(sys(318, BAD, 10, 0)); P(sys(318, page, 10, 8)); P(sys(318, page, 10, 6)); P(sys(318, page, 10, 3));
    P(sys(318, page, 0, 0)); P(sys(318, page, 300, 1)); P(sys(318, page, 10, 4));
    P(sys(169, 0, 0, 0, 0)); P(sys(169, 0xfee1dead, 1, 0, 0)); P(sys(169, 0xfee1dead, 672274793, 99, 0));
    AS_USER(P(sys(169, 0xfee1dead, 672274793, 0x89abcdef, 0)); (void)(sys(163, 0)); (void)(sys(153)); P(sys(161, "/")); (void)(sys(167, "x", 0));
    (void)(sys(168, "x")); P(sys(172, 3)); P(sys(173, 1, 1, 1)); P(sys(227, 0, &(struct timespec){1, 1})); P(sys(164, &(struct timeval){1, 1}, 0));
    P(sys(176, "x", 0)); P(sys(175, 0, 0, ""))); (void)(sys(136, -1, page)); (void)(sys(139, 1, "nothing")); (void)(sys(139, 3)); (void)(sys(139, 9));
    (void)(sys(163, "none")); (void)(sys(163, ".")); (void)(sys(163, 0)); P(sys(172, 4)); P(sys(173, 0x10000, 5, 1)); (void)(sys(154, 9, 0, 0));
    (void)(sys(154, 0, page, 16)); P(sys(156, 0)); P(sys(134, "x")); P(sys(174)); P(sys(177)); P(sys(180)); P(sys(181)); P(sys(183)); P(sys(236));
    P(sys(205, 0)); P(sys(211, 0)); P(sys(212, 0, 0, 0)); P(sys(214)); P(sys(215)); (void)(sys(216, 0, 0, 1, 0, 0)); P(sys(9999)); P(sys(-1)); P(sys(512));
    P(sys(547));
}

int main(int argc, char **argv)
{
    RUN(waits);
    RUN(clones);
    RUN(execs);
    RUN(ids);
    RUN(signals);
    RUN(handlers);
    RUN(limits);
    RUN(scheds);
    RUN(barriers);
    RUN(prctls);
}
