/*
 * /proc and /sys as programs use them: files of other processes, threads' names, mappings page by page, what a process says of its signals, and what nobody
 * may do. Runs on Linux, too (as root).
 * guest-test: --smp 2
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PAGES 10
static char text[65536];
static char path[128];

static const char *name(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    return path;
}

/* The whole of a file in `text`; "" if it cannot be read. */
static const char *read_all(const char *of)
{
    int fd = open(of, O_RDONLY);
    size_t used = 0;
    ssize_t got;

    while (fd >= 0 && used < sizeof text - 1 && (got = read(fd, text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static int write_error(const char *to, const char *value)
{
    int fd = open(to, O_WRONLY), error = 0;

    if (fd < 0)
        return errno;
    if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
        error = errno;
    close(fd);
    return error;
}

static int open_error(const char *of, int flags)
{
    int fd = open(of, flags), error = errno;

    if (fd < 0)
        return error;
    close(fd);
    return 0;
}

/* The number behind a name at the beginning of a line. */
static long after(const char *what, int base)
{
    for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, what, strlen(what)) == 0)
            return (long)strtoul(at + strlen(what), NULL, base);
    return -1;
}

/* ---- a child with things open ---- */

enum { DELETED = 20, READ_END, WRITE_END, NOTHING, SOCKET, EVENT, FOLDER, EPOLL };
static pid_t child;
static int ready[2];

static void put(int fd, int as)
{
    dup2(fd, as);
    if (fd != as)
        close(fd);
}

static void *idle(void *unused)
{
    (void)unused;
    prctl(PR_SET_NAME, "second thread");
    if (write(ready[1], "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void nothing(int signo)
{
    (void)signo;
}

static void be_child(void)
{
    int ends[2];
    sigset_t set;
    pthread_t thread;

    put(open("deleted", O_RDWR | O_CREAT | O_TRUNC, 0600), DELETED);
    if (write(DELETED, "still there\n", 12) != 12 || unlink("deleted") || lseek(DELETED, 6, SEEK_SET) != 6 || pipe(ends))
        _exit(1);
    put(ends[0], READ_END);
    put(ends[1], WRITE_END);
    put(open("/dev/null", O_WRONLY), NOTHING);
    put(socket(AF_UNIX, SOCK_STREAM, 0), SOCKET);
    put(eventfd(33, EFD_CLOEXEC), EVENT);
    put(open("/tmp", O_RDONLY | O_DIRECTORY), FOLDER);
    put(epoll_create1(0), EPOLL);
    if (write(WRITE_END, "by pipe\n", 8) != 8)
        _exit(1);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, nothing);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pthread_create(&thread, NULL, idle, NULL);
    idle(NULL);
}

static void start_child(void)
{
    char got;

    if (pipe(ready))
        exit(1);
    child = fork();
    if (child == 0)
        be_child();
    if (read(ready[0], &got, 1) != 1 || read(ready[0], &got, 1) != 1)
        exit(1);
}

static int fd_mode(int fd)
{
    struct stat stat;

    return lstat(name("/proc/%d/fd/%d", child, fd), &stat) == 0 && S_ISLNK(stat.st_mode) ? (int)(stat.st_mode & 0777) : -1;
}

static void others_files(void)
{
    char got[32] = "";
    struct stat stat_of;
    int fd = open(name("/proc/%d/fd/%d", child, DELETED), O_RDONLY);

    CASE("a file of another process that has no name", fd >= 0 && read(fd, got, 31) == 12 && !strcmp(got, "still there\n"));
    close(fd);
    CASE("it is the file itself", stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode) && stat_of.st_size == 12 && stat_of.st_nlink == 0);
    fd = open(path, O_WRONLY | O_APPEND);
    CASE("and is written", fd >= 0 && write(fd, "more\n", 5) == 5 && stat(path, &stat_of) == 0 && stat_of.st_size == 17);
    close(fd);
    fd = open(name("/proc/%d/fd/%d", child, READ_END), O_RDONLY | O_NONBLOCK);
    memset(got, 0, sizeof got);
    CASE("a pipe of another process", fd >= 0 && read(fd, got, 31) == 8 && !strcmp(got, "by pipe\n"));
    CASE("empty then", read(fd, got, 31) == -1 && errno == EAGAIN);
    close(fd);
    CASE("what it is", stat(path, &stat_of) == 0 && S_ISFIFO(stat_of.st_mode));
    {
        struct stat direct;
        int ends[2];

        CASE("is the same by any way", pipe(ends) == 0 && fstat(ends[0], &direct) == 0 && stat(name("/proc/self/fd/%d", ends[1]), &stat_of) == 0 &&
                                           direct.st_ino == stat_of.st_ino && direct.st_dev == stat_of.st_dev);
        close(ends[0]);
        close(ends[1]);
    }
    CASE("its device", open_error(name("/proc/%d/fd/%d", child, NOTHING), O_WRONLY) == 0);
    CASE("a socket cannot be opened", open_error(name("/proc/%d/fd/%d", child, SOCKET), O_RDWR) == ENXIO);
    CASE("but looked at", stat(path, &stat_of) == 0 && S_ISSOCK(stat_of.st_mode));
    CASE("nor an epoll", open_error(name("/proc/%d/fd/%d", child, EPOLL), O_RDWR) == ENXIO);
    CASE("a path through a directory of another's", stat(name("/proc/%d/fd/%d/..", child, FOLDER), &stat_of) == 0 && S_ISDIR(stat_of.st_mode));
    CASE("no such descriptor", open_error(name("/proc/%d/fd/77", child), O_RDONLY) == ENOENT);
    CASE("links tell how they are open", fd_mode(DELETED) == 0700 && fd_mode(READ_END) == 0500 && fd_mode(NOTHING) == 0300);
}

static void getfd(void)
{
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0), fd;
    char got[32] = "";
    uint64_t value = 0;

    fd = (int)syscall(SYS_pidfd_getfd, pidfd, EVENT, 0);
    CASE("pidfd_getfd", fd >= 0 && read(fd, &value, 8) == 8 && value == 33);
    CASE("closed by execve", fcntl(fd, F_GETFD) == FD_CLOEXEC);
    close(fd);
    fd = (int)syscall(SYS_pidfd_getfd, pidfd, WRITE_END, 0);
    CASE("of a pipe", fd >= 0 && write(fd, "again", 5) == 5);
    close(fd);
    fd = (int)syscall(SYS_pidfd_getfd, pidfd, READ_END, 0);
    CASE("of its other end", fd >= 0 && read(fd, got, 31) == 5 && !strcmp(got, "again"));
    close(fd);
    CASE("not open there", syscall(SYS_pidfd_getfd, pidfd, 77, 0) == -1 && errno == EBADF);
    CASE("flags", syscall(SYS_pidfd_getfd, pidfd, EVENT, 1) == -1 && errno == EINVAL);
    CASE("not a pidfd", syscall(SYS_pidfd_getfd, 0, EVENT, 0) == -1 && errno == EBADF);
    close(pidfd);
}

static void fdinfo(void)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    lseek(fd, 5, SEEK_SET);
    read_all(name("/proc/self/fdinfo/%d", fd));
    CASE("fdinfo", after("pos:\t", 10) == 5 && after("flags:\t", 8) == (O_RDONLY | O_CLOEXEC | 0100000));
    close(fd);
    CASE("of no descriptor", open_error(path, O_RDONLY) == ENOENT);
    read_all(name("/proc/%d/fdinfo/%d", child, DELETED));
    CASE("of another's", after("pos:\t", 10) == 6 && after("flags:\t", 8) == (O_RDWR | 0100000));
}

/* ---- threads ---- */


static pid_t tid_of_second;
static void *rename_and_wait(void *unused)
{
    char byte;

    (void)unused;
    tid_of_second = gettid();
    prctl(PR_SET_NAME, "worker");
    if (write(ready[1], "x", 1) != 1)
        exit(1);
    while (tid_of_second)
        usleep(1000);
    (void)byte;
    prctl(PR_GET_NAME, text);
    return NULL;
}

static void threads(void)
{
    pthread_t thread;
    char byte, before[64];
    pid_t tid;

    strcpy(before, read_all("/proc/self/comm"));
    pthread_create(&thread, NULL, rename_and_wait, NULL);
    CASE("a thread is there", read(ready[0], &byte, 1) == 1);
    tid = tid_of_second;
    CASE("its own name", !strcmp(read_all(name("/proc/self/task/%d/comm", tid)), "worker\n"));
    CASE("not the process's", !strcmp(read_all("/proc/self/comm"), before));
    CASE("its own number in stat", strtol(read_all(name("/proc/self/task/%d/stat", tid)), NULL, 10) == tid && strstr(text, "(worker)"));
    read_all(name("/proc/self/task/%d/status", tid));
    CASE("in status", after("Pid:\t", 10) == tid && after("Tgid:\t", 10) == getpid() && after("Threads:\t", 10) == 2);
    CASE("another thread names it", write_error(name("/proc/self/task/%d/comm", tid), "a name that is too long") == 0);
    CASE("cut off", !strcmp(read_all(path), "a name that is \n"));
    tid_of_second = 0;
    pthread_join(thread, NULL);
    CASE("it knows", !strcmp(text, "a name that is "));
    CASE("gone", open_error(path, O_RDONLY) == ENOENT);
    CASE("the process is renamed", write_error("/proc/self/comm", "renamed\n") == 0 && strstr(read_all("/proc/self/stat"), "(renamed"));
    CASE("another's name is its own", write_error(name("/proc/%d/comm", child), "x") == EINVAL);
}

static void another(void)
{
    read_all(name("/proc/%d/status", child));
    CASE("what another ignores", after("SigIgn:\t", 16) == 1 << (SIGUSR1 - 1));
    CASE("what it catches", after("SigCgt:\t", 16) & 1 << (SIGUSR2 - 1));
    CASE("its threads", after("Threads:\t", 10) == 2);
    CASE("its size", after("VmSize:\t", 10) > 0);
    read_all(name("/proc/%d/stat", child));
    CASE("its stat", strtol(text, NULL, 10) == child);
    kill(child, SIGTERM);
    read_all(name("/proc/%d/status", child));
    CASE("what waits, for it is blocked", (after("ShdPnd:\t", 16) | after("SigPnd:\t", 16)) == 1 << (SIGTERM - 1));
}

/* ---- memory ---- */

static void maps(void)
{
    char *memory = mmap(NULL, 3 * PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *at, head[32];

    mprotect(memory + PAGES * 4096, PAGES * 4096, PROT_NONE); /* so that it is one mapping alone */
    memset(memory + 2 * PAGES * 4096, 1, 3 * 4096);
    memset(memory, 1, PAGES * 4096);
    read_all("/proc/self/smaps");
    snprintf(head, sizeof head, "-%lx rw-p", (unsigned long)memory + PAGES * 4096);
    at = strstr(text, head);
    CASE("smaps names it", at != NULL);
    if (at)
        memmove(text, at, strlen(at) + 1);
    CASE("its pages", at && after("Private_Dirty:", 10) >= 4 * PAGES && after("Rss:", 10) >= 4 * PAGES && after("Anonymous:", 10) >= 4 * PAGES);
    read_all("/proc/self/smaps_rollup");
    CASE("all together", strstr(text, "[rollup]") && after("Rss:", 10) >= 4 * PAGES + 12 && after("Size:", 10) == -1);
    munmap(memory, 3 * PAGES * 4096);
    CASE("another's", strlen(read_all(name("/proc/%d/smaps", child))) > 1000 && strstr(text, "VmFlags: rd"));
    CASE("another's together", strstr(read_all(name("/proc/%d/smaps_rollup", child)), "[rollup]"));
}

/* ---- settings, and what others may not ---- */

static void settings(void)
{
    int status, locked = open("locked", O_RDWR | O_CREAT, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_start = 3, .l_len = 4};
    char line[64];

    CASE("oom_score_adj", write_error("/proc/self/oom_score_adj", "-9\n") == 0 && !strcmp(read_all("/proc/self/oom_score_adj"), "-9\n"));
    if (fork() == 0)
        _exit(strcmp(read_all("/proc/self/oom_score_adj"), "-9\n") ? 1 : setuid(1000) ? 2 : write_error("/proc/self/oom_score_adj", "-10") != EACCES);
    CASE("a child has it; who is not root only raises it", wait(&status) > 0 && status == 0);
    CASE("too large", write_error("/proc/self/oom_score_adj", "1001") == EINVAL);
    fcntl(locked, F_SETLK, &lock);
    snprintf(line, sizeof line, ": POSIX  ADVISORY  WRITE %d ", getpid());
    CASE("/proc/locks", strstr(read_all("/proc/locks"), line) && strstr(text, " 3 6\n"));
    close(locked);
    CASE("not longer", !strstr(read_all("/proc/locks"), line));
    unlink("locked");
    CASE("cannot be written", open_error("/proc/self/stat", O_WRONLY) == EACCES || geteuid() == 0);
    CASE("personality", !strcmp(read_all("/proc/self/personality"), "00000000\n"));
    CASE("uid_map", !strcmp(read_all("/proc/self/uid_map"), "         0          0 4294967295\n"));
}

static int refused(const char *file)
{
    return open_error(name("/proc/%d/%s", child, file), O_RDONLY);
}

static void strangers(void)
{
    int status;

    if (fork() == 0) {
        int result = 0;

        if (setgid(1000) || setuid(1000))
            _exit(100);
        result |= refused("fd/20") != EACCES;
        result |= (refused("smaps") != EACCES) << 1;
        result |= (refused("personality") != EACCES) << 2;
        result |= (refused("environ") != EACCES) << 3;
        result |= (refused("stat") != 0) << 4;
        result |= (syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, child, 0), EVENT, 0) != -1 || errno != EPERM) << 5;
        _exit(result);
    }
    CASE("another user's process is not looked into", wait(&status) > 0 && WEXITSTATUS(status) == 0);
    if (WEXITSTATUS(status))
        printf("# %#x\n", WEXITSTATUS(status));
}

static void system_files(void)
{
    char expected[32];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct stat of_sys, of_proc, of_root;

    snprintf(expected, sizeof expected, cpus > 1 ? "0-%ld\n" : "0\n", cpus - 1);
    CASE("/sys: processors", !strcmp(read_all("/sys/devices/system/cpu/online"), expected));
    CASE("no more of them", open_error(name("/sys/devices/system/cpu/cpu%ld", sysconf(_SC_NPROCESSORS_CONF)), O_RDONLY) == ENOENT);
    CASE("a core", !strcmp(read_all("/sys/devices/system/cpu/cpu0/topology/core_id"), "0\n"));
    CASE("other devices", stat("/sys", &of_sys) == 0 && stat("/proc", &of_proc) == 0 && stat("/", &of_root) == 0 && of_sys.st_dev != of_proc.st_dev &&
                              of_sys.st_dev != of_root.st_dev);
    CASE("mounted", strstr(read_all("/proc/self/mounts"), "sysfs /sys sysfs "));
    CASE("nothing is made there", mkdir("/sys/new", 0755) == -1 && mkdir("/sys/devices/new", 0755) == -1);
    CASE("nor taken", rmdir("/sys") == -1 && errno == EBUSY && rename("/sys", "/elsewhere") == -1 && errno == EBUSY);
    CASE("up from there", chdir("/sys/devices/system") == 0 && getcwd(text, 64) && !strcmp(text, "/sys/devices/system") && chdir("../../../tmp") == 0 &&
                              getcwd(text, 64) && !strcmp(text, "/tmp"));
    CASE("/proc/net is there", open_error("/proc/net/unix", O_RDONLY) == 0);
}

/* ---- sockets ---- */

static unsigned long inode_of(int fd)
{
    struct stat stat;

    return fstat(fd, &stat) == 0 ? (unsigned long)stat.st_ino : 0;
}

/* The line with that inode in column `column`, from 1 on; its state column's value, or -1. */
static long state_in(const char *file, int fd, int column, int state_column)
{
    char *save, *line = strtok_r((char *)read_all(file), "\n", &save);

    for (; line; line = strtok_r(NULL, "\n", &save)) {
        char *word_save, *word = strtok_r(line, " ", &word_save);
        long state = -1;

        for (int at = 1; word; word = strtok_r(NULL, " ", &word_save), at++) {
            if (at == state_column)
                state = strtol(word, NULL, 16);
            if (at == column && strtoul(word, NULL, 10) == inode_of(fd))
                return state;
        }
    }
    return -1;
}

#define TCP_STATE(fd) state_in("/proc/net/tcp", fd, 10, 4)
#define UNIX_STATE(fd) state_in("/proc/net/unix", fd, 7, 6)

static void interfaces(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_name = "lo"}, all[4];
    struct ifconf list = {.ifc_len = sizeof all, .ifc_req = all};

    CASE("the loopback is up", ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
    CASE("its address", ioctl(fd, SIOCGIFADDR, &request) == 0 && ((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CASE("its number", if_nametoindex("lo") == 1);
    request.ifr_ifindex = 1;
    CASE("its name", ioctl(fd, SIOCGIFNAME, &request) == 0 && !strcmp(request.ifr_name, "lo"));
    strcpy(request.ifr_name, "none0");
    CASE("another", ioctl(fd, SIOCGIFMTU, &request) == -1 && errno == ENODEV);
    CASE("nowhere", ioctl(fd, SIOCGIFMTU, (void *)0x1234) == -1 && errno == EFAULT);
    CASE("listed", ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len >= (int)sizeof all[0] && !strcmp(all[0].ifr_name, "lo"));
    close(fd);
}

static void sockets(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un name_of = {.sun_family = AF_UNIX, .sun_path = "/tmp/socket-of-test"};
    int listener = socket(AF_INET, SOCK_STREAM, 0), caller = socket(AF_INET, SOCK_STREAM, 0), box = socket(AF_INET, SOCK_DGRAM, 0);
    int local = socket(AF_UNIX, SOCK_STREAM, 0), far, other = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = sizeof at;
    char line[64];

    bind(box, (struct sockaddr *)&at, sizeof at);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    getsockname(listener, (struct sockaddr *)&at, &length);
    CASE("bound, and not in the table", TCP_STATE(listener) == -1);
    listen(listener, 5);
    CASE("a listener", TCP_STATE(listener) == 10);
    snprintf(line, sizeof line, ": 0100007F:%04X 00000000:0000 0A ", ntohs(at.sin_port));
    CASE("its address", strstr(read_all("/proc/net/tcp"), line));
    CASE("a datagram socket", state_in("/proc/net/udp", box, 10, 4) == 7);
    CASE("is not of the other kind", state_in("/proc/net/udplite", box, 10, 4) == -1 && state_in("/proc/net/udp6", box, 10, 4) == -1);
    connect(caller, (struct sockaddr *)&at, sizeof at);
    CASE("who connects", TCP_STATE(caller) == 1);
    far = accept(listener, NULL, NULL);
    CASE("who accepts", TCP_STATE(far) == 1 && TCP_STATE(listener) == 10);
    close(far);
    CASE("whose peer has gone", TCP_STATE(caller) == 8);
    unlink(name_of.sun_path);
    bind(local, (struct sockaddr *)&name_of, sizeof name_of);
    CASE("a name in the file system", UNIX_STATE(local) == 1 && strstr(read_all("/proc/net/unix"), " /tmp/socket-of-test\n"));
    listen(local, 5);
    CASE("listens", strstr(read_all("/proc/net/unix"), " 00010000 0001 01 "));
    connect(other, (struct sockaddr *)&name_of, sizeof name_of);
    far = accept(local, NULL, NULL);
    CASE("local connections", UNIX_STATE(far) == 3 && UNIX_STATE(other) == 3);
    CASE("what is in use", strstr(read_all("/proc/net/sockstat"), "TCP: inuse "));
    close(listener);
    CASE("none any more", !strstr(read_all("/proc/net/tcp"), line));
    close(caller);
    close(box);
    close(local);
    close(other);
    close(far);
    unlink(name_of.sun_path);
}

int main(void)
{
    if (chdir("/tmp"))
        return 1;
    start_child();
    others_files();
    getfd();
    fdinfo();
    threads();
    another();
    maps();
    settings();
    strangers();
    system_files();
    sockets();
    interfaces();
    kill(child, SIGKILL);
    wait(NULL);
    return tap_finish();
}
