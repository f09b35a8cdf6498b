/* Calls by what they bring about: what a child finds, what /proc shows, what comes back later. Whole answers of the calls are in the other files. */
#include "probe.h"
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif
#ifndef RNDGETENTCNT
#define RNDGETENTCNT 0x80045200
#endif

/* A line of a file of /proc, without the number of spaces; "" if there is none. */
static const char *line_of(const char *path, const char *key)
{
    static char text[1 << 16], line[256];
    int fd = open(path, O_RDONLY);
    ssize_t got = 0, n;
    char *at;

    while (fd >= 0 && (n = read(fd, text + got, sizeof text - 1 - got)) > 0)
        got += n;
    close(fd);
    text[got] = 0;
    at = strstr(text, key);
    snprintf(line, sizeof line, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
    for (char *from = line, *to = line;; from++) {
        if ((*from != ' ' && *from != '\t') || (to > line && to[-1] != ' '))
            *to++ = *from == '\t' ? ' ' : *from;
        if (!*from)
            break;
    }
    return line;
}

static sigjmp_buf back;
static void jump(int signal) { siglongjmp(back, signal); }
/* Reads a byte there: itself, or minus the signal. */
static int peek(volatile char *at)
{
    int signal_ = sigsetjmp(back, 1);

    if (signal_)
        return -signal_;
    signal(SIGSEGV, jump); signal(SIGBUS, jump);
    return *at;
}

static void memory(void)
{
    char *m = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *s, *g;
    int f = open("f", O_RDWR | O_CREAT, 0600), n;
    ftruncate(f, 4 * 4096);
    memset(m, 'a', 8 * 4096);
    P(madvise(m, 4096, MADV_WIPEONFORK)); P(madvise(m + 4096, 4096, MADV_DONTFORK));
    CHILD(P(peek(m)); P(peek(m + 4096)); P(peek(m + 2 * 4096)); m[0] = 'b'; CHILD(P(peek(m))); P(peek(m)));
    P(peek(m)); P(peek(m + 4096)); P(madvise(m, 4096, MADV_KEEPONFORK)); P(madvise(m + 4096, 4096, MADV_DOFORK)); CHILD(P(peek(m)); P(peek(m + 4096)));
    P(madvise(m, 8192, MADV_WIPEONFORK)); P(munmap(m + 4096, 4096)); CHILD(P(peek(m))); s = mmap(NULL, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    P(madvise(s, 4096, MADV_WIPEONFORK)); g = mmap(NULL, 4096, 3, MAP_PRIVATE, f, 0); P(madvise(g, 4096, MADV_WIPEONFORK));
    P(madvise(s, 4096, MADV_DONTFORK));
    CHILD(P(peek(s))); P(madvise(s, 4096, MADV_DOFORK)); P(madvise(m + 4096, 4096, MADV_WIPEONFORK)); P(madvise(m + 4096, 4096, MADV_DONTFORK));
    s[0] = 's'; P(madvise(s, 4096, MADV_REMOVE)); P(peek(s)); g = mmap(NULL, 4 * 4096, 3, MAP_SHARED, f, 0); memset(g, 'g', 4 * 4096);
    P(madvise(g + 4096, 4096, MADV_REMOVE));
    P(peek(g)); P(peek(g + 4096)); P(pread(f, page, 1, 4096)); V(page[0]); P(madvise(m, 4096, MADV_REMOVE));
    g = mmap(NULL, 4096, 3, MAP_PRIVATE, f, 0); P(madvise(g, 4096, MADV_REMOVE)); P(madvise(g, 4096, MADV_FREE));
    P(madvise(s, 4096, MADV_FREE));
    P(madvise(m, 4096, 12)); P(madvise(m, 4096, 13)); P(madvise(m, 4096, 14)); P(madvise(m, 4096, 15)); P(madvise(m, 4096, 16)); P(madvise(m, 4096, 17));
    P(madvise(m, 4096, 20));
    P(madvise(m, 4096, 21)); P(madvise(m, 4096, 22)); P(madvise(m, 4096, 23)); P(madvise(g, 4096, 23)); P(madvise(m, 4096, 24));
    S(line_of("/proc/self/status", "VmLck")); P(mlock(m, 4096)); S(line_of("/proc/self/status", "VmLck")); P(mlock(m + 100, 4096));
    P(mlock(m + 2 * 4096, 8192));
    S(line_of("/proc/self/status", "VmLck")); P(munlock(m, 4096)); S(line_of("/proc/self/status", "VmLck")); P(msync(m + 2 * 4096, 4096, MS_INVALIDATE));
    P(madvise(m + 2 * 4096, 4096, MADV_DONTNEED)); P(munmap(m + 2 * 4096, 4096)); S(line_of("/proc/self/status", "VmLck")); P(munlockall());
    S(line_of("/proc/self/status", "VmLck")); P(mmap(NULL, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) != MAP_FAILED);
    S(line_of("/proc/self/status", "VmLck")); CHILD(S(line_of("/proc/self/status", "VmLck"))); P(mlock2(m, 4096, 0)); P(mlock2(m, 4096, MLOCK_ONFAULT));
    P(mlock2(m, 4096, 2)); P(munlockall());
    g = mmap(NULL, 64 * 4096, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); n = 32 * 4096; munmap(g, n);
    s = mmap(g + n, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0); P(s == g + n); s[0] = 1; P(peek(s - 1));
    P(peek(s - 3 * 4096 + 5));
    P(peek(s - 100000));
}

/* What is executed: tells of its arguments. */
static int executed(int argc, char **argv)
{
    SAY("executed: %d %s\n", argc, argv[0] ? argv[0] : "none");
    return 0;
}

static void programs(void)
{
    struct utsname name;
    struct timeval tv;
    struct timespec ts;
    fd_set set;
    setenv("EXECUTED", "1", 1);
    CHILD(execve("/proc/self/exe", NULL, environ)); CHILD(execve("/proc/self/exe", (char *[]){NULL}, environ));
    CHILD(execve("/proc/self/exe", (char *[]){"x", NULL}, environ));
    CHILD(P(execve("/proc/self/exe", (char *[]){BAD, NULL}, environ)); P(execve("/proc/self/exe", BAD, environ)));
    unsetenv("EXECUTED");
    CHILD(P(personality(0x0020000)); uname(&name); P(strncmp(name.release, "2.6.", 4)); personality(0); uname(&name);
    P(strncmp(name.release, "2.6.", 4) != 0));
    CHILD(personality(0x4000000); tv = (struct timeval){0, 1000}; FD_ZERO(&set); P(select(0, &set, 0, 0, &tv)); V(tv.tv_usec);
    ts = (struct timespec){0, 1000};
    P(syscall(SYS_ppoll, NULL, 0, &ts, NULL, 8)); V(ts.tv_nsec); personality(0); tv = (struct timeval){0, 1000}; select(0, 0, 0, 0, &tv); V(tv.tv_usec));
}

static void epolls(void)
{
    int e[8], v[2], q;
    struct epoll_event event = {.events = EPOLLIN};
    for (int i = 0; i < 8; i++) e[i] = epoll_create1(0);
    for (int i = 0; i < 4; i++) P(epoll_ctl(e[i], EPOLL_CTL_ADD, e[i + 1], &event));
    P(epoll_ctl(e[4], EPOLL_CTL_ADD, e[0], &event)); P(epoll_ctl(e[0], EPOLL_CTL_ADD, e[0], &event)); pipe(v);
    P(epoll_ctl(e[3], EPOLL_CTL_ADD, v[0], &event));
    P(epoll_ctl(e[0], EPOLL_CTL_ADD, v[0], &event)); P(write(v[1], "a", 1)); P(epoll_wait(e[0], (void *)page, 9, 0));
    q = epoll_create1(0); event.events = EPOLLIN | EPOLLEXCLUSIVE; P(epoll_ctl(q, EPOLL_CTL_ADD, v[0], &event)); P(epoll_ctl(q, EPOLL_CTL_MOD, v[0], &event));
    P(epoll_ctl(q, EPOLL_CTL_ADD, e[6], &event)); event.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT; P(epoll_ctl(q, EPOLL_CTL_ADD, v[1], &event));
    event.events = EPOLLIN; P(epoll_ctl(q, EPOLL_CTL_MOD, v[0], &event)); event.events = EPOLLWAKEUP | EPOLLIN; P(epoll_ctl(q, EPOLL_CTL_DEL, v[0], NULL));
    P(epoll_ctl(q, EPOLL_CTL_ADD, v[0], &event));
}

static void numbers(void)
{
    static const char *const files[] = {
        "kernel/pid_max", "kernel/threads-max", "kernel/core_pattern", "kernel/msgmni", "kernel/msgmax", "kernel/msgmnb", "kernel/sem", "kernel/shmmax",
        "kernel/shmmni",
        "kernel/shmall", "kernel/randomize_va_space", "kernel/ngroups_max", "kernel/cap_last_cap", "kernel/hostname", "kernel/domainname",
        "kernel/osrelease", "kernel/ostype",
        "kernel/version", "kernel/tainted", "kernel/panic", "kernel/sched_rr_timeslice_ms",         "kernel/overflowuid", "kernel/overflowgid",
        "kernel/random/uuid", "kernel/random/boot_id", "kernel/random/entropy_avail", "kernel/random/poolsize", "fs/file-max", "fs/file-nr", "fs/inode-nr",
        "fs/inotify/max_user_watches",
        "fs/inotify/max_user_instances", "fs/inotify/max_queued_events", "fs/leases-enable", "fs/nr_open", "fs/pipe-max-size",
        "fs/pipe-user-pages-soft",
        "fs/pipe-user-pages-hard", "fs/mqueue/msg_max", "fs/mqueue/msgsize_max", "fs/mqueue/queues_max",
        "fs/mqueue/msg_default", "fs/mqueue/msgsize_default", "fs/protected_hardlinks",
        "fs/protected_symlinks", "fs/protected_fifos", "fs/protected_regular", "fs/suid_dumpable", "fs/overflowuid",
        "vm/overcommit_memory", "vm/overcommit_ratio", "vm/overcommit_kbytes",
        "vm/max_map_count", "vm/mmap_min_addr",         "vm/panic_on_oom",         "net/core/somaxconn", "net/core/rmem_max", "net/core/wmem_max",
        "net/core/rmem_default", "net/core/wmem_default", "net/ipv4/ip_local_port_range",         "net/ipv4/ip_default_ttl", "net/ipv4/ip_forward",
            };
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        char path[100], text[200] = "";
        int fd;
        snprintf(path, sizeof path, "/proc/sys/%s", files[i]);
        fd = open(path, O_RDONLY);
        SAY("%s %s\n", files[i], fd < 0 ? "none" : read(fd, text, sizeof text - 1) > 0 && text[0] ? "there" : "empty");
        close(fd);
    }
}

static void ranges(void)
{
    int f = open("f", O_RDWR | O_CREAT, 0600), p[2], d = open(".", O_RDONLY), r = open("/dev/urandom", O_RDONLY), n = -1, s = socket(AF_INET, SOCK_STREAM, 0);
    struct timespec t;
    pipe(p);
    P(sync_file_range(f, 0, 0, 0)); P(sync_file_range(f, 0, 10, 7)); P(sync_file_range(f, -1, 10, 7)); P(sync_file_range(f, 0, -1, 7));
    P(sync_file_range(f, 0, 1, 8));
    P(sync_file_range(f, LONG_MAX, 10, 7)); P(sync_file_range(p[0], 0, 1, 1)); P(sync_file_range(d, 0, 1, 1)); P(sync_file_range(r, 0, 1, 1));
    P(sync_file_range(-1, 0, 1, 1));
    P(ioctl(r, RNDGETENTCNT, &n)); P(n >= 0 && n <= 4096); P(ioctl(r, RNDGETENTCNT, BAD)); P(ioctl(r, 0x5255, 0));
    P(write(r, "x", 1));
    P(sched_rr_get_interval(0, &t)); P(sched_rr_get_interval(-1, &t)); P(sched_rr_get_interval(99999999, &t)); P(syscall(SYS_sched_rr_get_interval, 0, BAD));
    P(ioctl(f, SIOCATMARK, &n)); P(ioctl(s, 0x8905, &n)); V(n); P(ioctl(s, 0x8912, BAD)); P(ioctl(-1, 0x8905, &n)); P(accept(s, (void *)3, (void *)&n));
    P(accept(p[0], 0, 0)); P(accept(-1, 0, 0));
}

static void limits(void)
{
    struct rlimit l;

    l = (struct rlimit){1, 2}; signal(SIGXCPU, SIG_DFL);
    CHILD(P(setrlimit(RLIMIT_CORE, &l)); l.rlim_cur = 3; P(setrlimit(RLIMIT_CORE, &l)));
    CHILD(l = (struct rlimit){0, 0}; setrlimit(RLIMIT_FSIZE, &l); signal(SIGXFSZ, SIG_IGN); int f = open("g", O_RDWR | O_CREAT, 0600); P(write(f, "a", 1));
    P(write(f, "", 0)); P(ftruncate(f, 1)));
    CHILD(l = (struct rlimit){65536, 65536}; P(setrlimit(RLIMIT_STACK, &l)); setenv("EXECUTED", "1", 1); P(execl("/proc/self/exe", "small stack", NULL)));
    AS_USER(l = (struct rlimit){0, 0}; P(setrlimit(RLIMIT_NPROC, &l)); P(fork()));
    AS_USER(l = (struct rlimit){0, 0}; P(setrlimit(RLIMIT_MEMLOCK, &l)); P(mlock(page, 1)); P(mlockall(MCL_CURRENT)); P(mlockall(MCL_FUTURE)));
    AS_USER(l = (struct rlimit){8192, 8192}; P(setrlimit(RLIMIT_MEMLOCK, &l)); char *m = mmap(0, 5 * 4096, 3, 34, -1, 0); P(mlock(m, 8192));
    P(mlock(m, 8192)); P(mlock(m + 8192, 1)); P(munlock(m, 4096));
        P(mlock(m + 8192, 1)); P(mlock(m + 3 * 4096, 1)); P(mmap(0, 4096, 3, 34 | MAP_LOCKED, -1, 0) == MAP_FAILED); P(munlockall());
        P(mlock(m + 8192, 8192)));
    AS_USER(l = (struct rlimit){0, 0}; P(setrlimit(RLIMIT_SIGPENDING, &l)); P(sigqueue(getpid(), SIGUSR1, (union sigval){0})));
}

static void pending(void)
{
    sigset_t set;
    siginfo_t info;
    struct timespec now = {0, 0};
    sigfillset(&set); sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 5; i++) P(sigqueue(getpid(), SIGRTMIN + 3 - i % 3, (union sigval){i}));
    kill(getpid(), SIGUSR1); kill(getpid(), SIGUSR1); kill(getpid(), SIGTERM);
    for (int n; (n = sigtimedwait(&set, &info, &now)) > 0;) SAY("%d code %d value %d self %d\n",
    n < 32 ? n : n - SIGRTMIN + 100, info.si_code, info.si_code == SI_QUEUE ? info.si_value.sival_int : 0, info.si_pid == getpid());
    P(sigtimedwait(BAD, &info, &now)); now.tv_nsec = -1; P(sigtimedwait(&set, &info, &now)); now.tv_nsec = 0; sigemptyset(&set);
    P(sigtimedwait(&set, BAD, &now));
    sigaddset(&set, SIGUSR2); raise(SIGUSR2); P(sigtimedwait(&set, BAD, &now)); P(sigtimedwait(&set, NULL, &now));
}

int main(int argc, char **argv)
{
    if (getenv("EXECUTED"))
        return executed(argc, argv);
    RUN(memory); RUN(programs); RUN(epolls); RUN(numbers); RUN(ranges); RUN(limits); RUN(pending);
    return 0;
}
