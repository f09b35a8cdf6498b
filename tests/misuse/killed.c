/*
 * Programs that are killed at each of their system calls in turn leave nothing behind: no process, no inode, no page, no lock, no terminal, no semaphore's
 * value, and what others share with them works. Arguments: the first call, the step from one to the next, how often. killed.py runs it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/tap.h"

#define PR_EXO_KILL_AFTER 0x65786f4b /* of the libOS: the caller ends at its so many-th call from now, as by SIGKILL */
#define FOLDER "/tmp/killed"
#define LOCKS "/tmp/killed-locks"
#define SCRIPT                                                                                                                                             \
    "cd " FOLDER "; echo one two three | tr ' ' '\\n' | sort -r >f; mkdir d; mv f d/g; (flock 9; wc -l <d/g | cat >d/h) 9>l; "                         \
    "for i in 1 2 3; do echo $i; done | while read x; do echo $x >d/$x; done; ln d/1 d/hard; ln -s 1 d/soft; cat <<E | head -1 >d/here\n$(ls d)\nE\n"   \
    "rm -r d; trap : TERM; kill -TERM $$; sleep 0.01 & wait; exit 7"

#define KEY 4711 /* of objects that outlive who made them, as on Linux: removed after each run */

static int semaphore, lock_file;

static void *thread_work(void *fd)
{
    ssize_t unused = write(*(int *)fd, "thread", 6);

    (void)unused;
    return NULL;
}

/* A descriptor over a socket, and a thread that writes to it. */
static int pass_on(int pair[2], int end)
{
    char space[CMSG_SPACE(sizeof end)] = {0}, byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    pthread_t thread;

    *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof end), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &end, sizeof end);
    if (sendmsg(pair[0], &message, 0) != 1 || recvmsg(pair[1], &message, 0) != 1)
        return -1;
    memcpy(&end, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof end);
    if (pthread_create(&thread, NULL, thread_work, &end) || pthread_join(thread, NULL))
        return -1;
    return close(end);
}

static int meet(const struct sockaddr *name, socklen_t bytes)
{
    struct sockaddr_storage got;
    socklen_t size = sizeof got;
    int listener = socket(name->sa_family, SOCK_STREAM, 0), one = socket(name->sa_family, SOCK_STREAM, 0), other;
    char text[8];

    if (bind(listener, name, bytes) || listen(listener, 3) || getsockname(listener, (struct sockaddr *)&got, &size) ||
        connect(one, (struct sockaddr *)&got, size) || (other = accept(listener, NULL, NULL)) < 0)
        return 1;
    if (write(one, "hello", 5) != 5 || read(other, text, sizeof text) != 5)
        return 1;
    return close(one) + close(listener) + close(other);
}

/* Connections, shared memory, queues, descriptors for events, a descriptor that travels, a thread. */
static int more_work(void)
{
    struct sockaddr_un path = {AF_UNIX, FOLDER "/socket"};
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct { long type; char text[8]; } letter = {1, "letter"};
    struct epoll_event event = {.events = EPOLLIN};
    int segment = shmget(KEY, 8192, IPC_CREAT | 0600), queue = msgget(KEY, IPC_CREAT | 0600), pair[2], ends[2], epoll = epoll_create1(0);
    int counter = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0), watch = inotify_init(), memory = memfd_create("memory", 0);
    mqd_t posix_queue = mq_open("/killed", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
    char *at = shmat(segment, NULL, 0), *shared, text[8192];

    if (at == (void *)-1 || posix_queue < 0 || meet((struct sockaddr *)&path, sizeof path) || meet((struct sockaddr *)&port, sizeof port))
        return 1;
    at[4096] = 1;
    if (msgsnd(queue, &letter, 6, 0) || mq_send(posix_queue, "text", 4, 0) || mq_receive(posix_queue, text, sizeof text, NULL) != 4)
        return 2;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || pipe(ends) || pass_on(pair, ends[1]) || read(ends[0], text, 6) != 6)
        return 3;
    epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event);
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    inotify_add_watch(watch, FOLDER, IN_CREATE);
    close(open(FOLDER "/noticed", O_RDWR | O_CREAT, 0600));
    ftruncate(memory, 8192);
    shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    shared[5000] = 1;
    if (write(counter, "\1\0\0\0\0\0\0", 8) != 8 || epoll_wait(epoll, &event, 1, -1) != 1 || read(watch, text, sizeof text) <= 0)
        return 4;
    munmap(shared, 8192);
    mq_unlink("/killed");
    return shmdt(at) || shmctl(segment, IPC_RMID, NULL) || msgctl(queue, IPC_RMID, NULL) ? 5 : 7;
}

static void remove_objects(void)
{
    shmctl(shmget(KEY, 1, 0), IPC_RMID, NULL);
    msgctl(msgget(KEY, 0), IPC_RMID, NULL);
    mq_unlink("/killed");
}

/* What a program does that a shell does not. */
static int work(void)
{
    struct sembuf down = {0, -1, SEM_UNDO | IPC_NOWAIT}, up = {0, 1, SEM_UNDO};
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    int ends[2], pair[2], fd = open(FOLDER "/work", O_RDWR | O_CREAT | O_TRUNC, 0600), terminal, slave;
    char *shared, text[64], byte = 1;
    pid_t child;

    if (semop(semaphore, &down, 1) || fcntl(lock_file, F_SETLK, &lock) || flock(fd, LOCK_EX))
        return 1;
    ftruncate(fd, 3 * 4096);
    shared = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (grantpt(terminal) || unlockpt(terminal) || ptsname_r(terminal, text, sizeof text) || (slave = open(text, O_RDWR | O_NOCTTY)) < 0)
        return 2;
    child = fork();
    if (child == 0) {
        read(ends[0], &byte, 1);
        shared[4096] = byte;
        write(slave, "from the child\n", 15);
        write(pair[1], text, sizeof text);
        _exit(3);
    }
    write(ends[1], "x", 1);
    read(terminal, text, sizeof text);
    read(pair[0], text, sizeof text);
    waitpid(child, NULL, 0);
    rename(FOLDER "/work", FOLDER "/worked");
    unlink(FOLDER "/worked");
    if (shared[4096] != 'x' || semop(semaphore, &up, 1))
        return 4;
    return more_work();
}

/* All that is left of the run ends, and is reaped: we are its reaper. How the first one ended. */
static int end_all(pid_t first)
{
    int status = 0, other;
    pid_t pid;

    while ((pid = waitpid(first, &status, 0)) < 0 && errno == EINTR)
        ;
    kill(-first, SIGKILL);
    while ((pid = waitpid(-1, &other, 0)) > 0 || errno == EINTR)
        ;
    remove_objects();
    system("/bin/rm -rf " FOLDER "/*");
    return status;
}

/* One run that dies at its call `at`. True: it came to its end. */
static bool run(bool shell, long at)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        setpgid(0, 0);
        if (prctl(PR_EXO_KILL_AFTER, at))
            _exit(99);
        if (!shell)
            _exit(work());
        freopen("/dev/null", "w", stderr);
        execl("/bin/sh", "sh", "-c", SCRIPT, (char *)NULL);
        _exit(98);
    }
    status = end_all(child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

struct left {
    unsigned long pages;
    long inodes, blocks, processes;
};

static struct left measure(void)
{
    struct sysinfo info;
    struct statfs files;
    struct left left;

    sysinfo(&info);
    statfs("/", &files);
    left = (struct left){info.freeram * info.mem_unit / 4096, (long)files.f_ffree, (long)files.f_bfree, info.procs};
    return left;
}

static bool locks_are_free(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool good = fcntl(lock_file, F_SETLK, &lock) == 0 && flock(lock_file, LOCK_EX | LOCK_NB) == 0;

    lock.l_type = F_UNLCK;
    fcntl(lock_file, F_SETLK, &lock);
    flock(lock_file, LOCK_UN);
    return good;
}

/* As many pseudo-terminals as there were? */
static int terminals(void)
{
    int fd[64], count = 0;

    while (count < 64 && (fd[count] = posix_openpt(O_RDWR | O_NOCTTY)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(fd[i]);
    return count;
}

/* All calls in turn: how many runs there were until one came to its end. *bad: the first after which something was not free. */
static long campaign(bool shell, long first, long step, long *bad)
{
    long runs = 0, whole = 0;

    for (long at = first; whole < 2 && runs < 20000; at += step, runs++) {
        whole = run(shell, at) ? whole + 1 : 0;
        if (!*bad && (!locks_are_free() || semctl(semaphore, 0, GETVAL) != 1))
            *bad = at;
    }
    return runs;
}

static void all(const char *name, bool shell, long first, long step, int passes)
{
    struct left before = {0}, after = {0};
    long bad = 0, runs = campaign(shell, first, step, &bad), best = LONG_MIN;
    int ptys = terminals();

    for (int pass = 0; pass < passes; pass++) { /* what leaks does so each time; what is kept for later, some time no more */
        before = measure();
        runs = campaign(shell, first, step, &bad);
        after = measure();
        for (int tries = 0; tries < 100 && after.pages < before.pages; tries++) { /* large things end piece by piece */
            usleep(10000);
            after = measure();
        }
        best = (long)(after.pages - before.pages) > best ? (long)(after.pages - before.pages) : best;
    }
    printf("# %s: %ld runs; pages %ld, inodes %ld, blocks %ld, processes %ld\n", name, runs, best, after.inodes - before.inodes,
           after.blocks - before.blocks, after.processes - before.processes);
    CASE("it was killed, and at last came to its end", runs > 3 && runs < 20000);
    CASE("no lock, and no semaphore's value", bad == 0);
    CASE("no process", after.processes == before.processes);
    CASE("no inode and no page of files", after.inodes == before.inodes && after.blocks == before.blocks);
    CASE("no page of memory", best >= 0);
    CASE("no terminal", terminals() == ptys);
}

int main(int count, char **arguments)
{
    long first = count > 1 ? atol(arguments[1]) : 1, step = count > 2 ? atol(arguments[2]) : 1;
    int passes = count > 3 ? atoi(arguments[3]) : 3;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    mkdir(FOLDER, 0700);
    lock_file = open(LOCKS, O_RDWR | O_CREAT, 0600);
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    semctl(semaphore, 0, SETVAL, 1);
    all("program", false, first, step, passes);
    all("shell", true, first, step, passes);
    semctl(semaphore, 0, IPC_RMID);
    return tap_finish();
}
