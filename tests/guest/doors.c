/*
 * Doors that threads of a POSIX process serve, and descriptors that go through them (exo/door.h, exo/descriptor.h). Only for ExoV6.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exo/calls.h>
#include <exo/descriptor.h>
#include <exo/door.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define THREADS 4

enum { OPEN, WRITE, SWAP, COUNT, TOGETHER, HANG, WHO };

static uint64_t endpoint;
static int secret; /* the server's: a file that has no name */

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int exit_status(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Has nobody the other end any more? Waits for that a while. */
static int at_end(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};
    char byte;

    return poll(&poll_fd, 1, 20000) == 1 && read(fd, &byte, 1) == 0;
}

static int is_open(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};

    return poll(&poll_fd, 1, 0) == 0;
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static pthread_barrier_t all_in;
static volatile sig_atomic_t signals;

static int64_t serve(void *unused, struct exo_door_call *call)
{
    int fds[2], copy;
    int64_t status = 0;

    (void)unused;
    switch (call->word[0]) {
    case OPEN:
        copy = dup(secret);
        status = exo_descriptors_pack(&copy, 1, &call->word[0]);
        close(copy);
        return status;
    case WRITE:
        if (exo_descriptors_unpack(call->word[1], fds, 1, O_CLOEXEC) != 1)
            return -errno;
        status = write(fds[0], "through the door", 16) == 16 ? 0 : -errno;
        close(fds[0]);
        return status;
    case SWAP:
        if (exo_descriptors_unpack(call->word[1], fds, 2, 0) != 2)
            return -errno;
        copy = fds[0], fds[0] = fds[1], fds[1] = copy;
        status = exo_descriptors_pack(fds, 2, &call->word[0]);
        close(fds[0]), close(fds[1]);
        return status;
    case COUNT: return open_descriptors();
    case TOGETHER: return pthread_barrier_wait(&all_in) > 0; /* one of them gets -1 */
    case HANG:
        if (exo_descriptors_unpack(call->word[1], fds, 1, O_CLOEXEC) != 1 || write(fds[0], "in", 2) != 2)
            return -errno;
        for (;;)
            pause();
    case WHO:
        errno = (int)call->word[1];
        call->word[0] = (uint64_t)getpid(), call->word[1] = (uint64_t)syscall(SYS_gettid), call->word[2] = (uint64_t)signals;
        free(malloc(100000));
        return getppid();
    default: return -EXO_E_BADCALL;
    }
}

static void *stand(void *thread)
{
    exo_door_stand(thread);
    return NULL;
}

static int64_t start(struct exo_door_thread *thread)
{
    pthread_t id;

    if (pthread_create(&id, NULL, stand, thread))
        return -EXO_E_NOMEM;
    return pthread_detach(id);
}

static void count_signal(int unused)
{
    (void)unused;
    signals++;
}

static int server(void)
{
    static struct exo_door door;
    char name[] = "/tmp/doorsXXXXXX";

    secret = mkstemp(name);
    unlink(name);
    if (write(secret, "a secret", 8) != 8 || pthread_barrier_init(&all_in, NULL, 3))
        return 1;
    signal(SIGUSR1, count_signal);
    door = (struct exo_door){.endpoint = endpoint, .threads = THREADS, .room = 4, .serve = serve, .start = start, .limit_ns = 1};
    if (exo_door_open(&door) != -EXO_E_INVAL) /* threads of POSIX cannot be broken off */
        return 2;
    door.limit_ns = 0;
    if (exo_door_open(&door) < 0)
        return 3;
    for (;;)
        pause();
}

static pid_t open_door(void)
{
    pid_t child;

    endpoint = (uint64_t)exo_ep_create();
    child = fork();
    if (child == 0)
        _exit(server());
    return child;
}

/* ---- clients ----------------------------------------------------------------------------------------------------- */

static struct exo_door_call answer;

static int64_t ask(uint64_t what, uint64_t more)
{
    answer = (struct exo_door_call){.word = {what, more}};
    return exo_door_call(endpoint, &answer, EXO_DEADLINE_NEVER);
}

static void test_descriptors(void)
{
    char text[32] = "";
    int fd = -1, ends[2], both[2];
    uint64_t ticket;
    int64_t before;

    CASE("a file comes", ask(OPEN, 0) == 0 && exo_descriptors_unpack(answer.word[0], &fd, 1, 0) == 1);
    CASE("and can be read", pread(fd, text, sizeof text, 0) == 8 && !strcmp(text, "a secret") && fcntl(fd, F_GETFD) == 0);
    close(fd);
    (void)!pipe(ends);
    CASE("a pipe's end goes", exo_descriptors_pack(&ends[1], 1, &ticket) == 0 && close(ends[1]) == 0 && is_open(ends[0]));
    CASE("and is written to", ask(WRITE, ticket) == 0 && read(ends[0], text, sizeof text) == 16 && !memcmp(text, "through the door", 16));
    CASE("and closed", at_end(ends[0]));
    CASE("once", ask(WRITE, ticket) == -EINVAL);
    close(ends[0]);

    before = ask(COUNT, 0);
    for (int i = 0; i < 100; i++) {
        (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        both[0] = both[1] = -1;
        if (exo_descriptors_pack(ends, 2, &ticket) || ask(SWAP, ticket) || exo_descriptors_unpack(answer.word[0], both, 2, O_CLOEXEC) != 2 ||
            write(both[0], "x", 1) != 1 || read(ends[0], text, 1) != 1 || fcntl(both[1], F_GETFD) != FD_CLOEXEC)
            before = -1;
        close(both[0]), close(both[1]), close(ends[0]), close(ends[1]);
    }
    CASE("a hundred times two there and back, and nothing stays open", before > 0 && ask(COUNT, 0) == before);
}

static void test_threads(pid_t child)
{
    pid_t callers[3];
    int bad = 0;

    CASE("threads of the server's", ask(WHO, 7) == getpid() && (pid_t)answer.word[0] == child && answer.word[1] != answer.word[0]);
    for (int i = 0; i < 3; i++) {
        callers[i] = fork();
        if (callers[i] == 0)
            _exit(ask(TOGETHER, 0) != 0);
    }
    for (int i = 0; i < 3; i++)
        bad |= exit_status(callers[i]);
    CASE("three of them wait for each other", !bad);
    for (int i = 0; i < 20; i++) {
        kill(child, SIGUSR1);
        bad |= ask(WHO, 0) != getpid();
    }
    for (int i = 0; i < 10000 && answer.word[2] == 0 && !bad; i++)
        bad |= ask(WHO, 0) != getpid();
    CASE("signals do not disturb them", !bad && answer.word[2] > 0);
}

/* A caller that is inside, in a call that does not end; the server has a pipe's end of it. */
static pid_t caller_inside(int *read_end)
{
    int ends[2];
    uint64_t ticket;
    char text[2];
    pid_t caller;

    (void)!pipe(ends);
    caller = fork();
    if (caller == 0) {
        close(ends[0]);
        _exit(exo_descriptors_pack(&ends[1], 1, &ticket) || close(ends[1]) || ask(HANG, ticket) != -EXO_E_PEER);
    }
    close(ends[1]);
    *read_end = ends[0];
    return read(ends[0], text, 2) == 2 ? caller : -1;
}

static void test_ends(pid_t child)
{
    int fd, killed;
    pid_t caller = caller_inside(&killed);

    kill(caller, SIGKILL);
    CASE("a caller that is killed", exit_status(caller) == 1000 + SIGKILL && ask(WHO, 0) == getpid() && is_open(killed));
    caller = caller_inside(&fd);
    kill(child, SIGKILL);
    CASE("a server that is killed: who is inside hears of it", exit_status(child) == 1000 + SIGKILL && exit_status(caller) == 0);
    CASE("and what it had is closed", at_end(fd) && at_end(killed));
    close(fd), close(killed);
}

/* ---- parcels ----------------------------------------------------------------------------------------------------- */

static void test_lying(void)
{
    uint64_t ticket = 0, first, other;
    int ends[2], fd, report[2];
    pid_t child;

    (void)!pipe(ends);
    CASE("one lies", exo_descriptors_pack(&ends[1], 1, &first) == 0 && close(ends[1]) == 0 && is_open(ends[0]));
    for (unsigned i = 1; i < EXO_DESCRIPTORS_LYING; i++)
        (void)!exo_descriptors_pack(&(int){0}, 1, i == 1 ? &other : &ticket);
    CASE("with as many as may lie", is_open(ends[0]));
    CASE("one more: the oldest is gone", exo_descriptors_pack(&(int){0}, 1, &ticket) == 0 && at_end(ends[0]) &&
                                             FAILS(exo_descriptors_unpack(first, &fd, 1, 0), EINVAL));
    CASE("and no other", exo_descriptors_unpack(other, &fd, 1, 0) == 1 && close(fd) == 0);
    CASE("dropped", exo_descriptors_drop(ticket) == 0 && FAILS(exo_descriptors_drop(ticket), EINVAL));
    close(ends[0]);

    (void)!pipe(ends), (void)!pipe(report);
    child = fork();
    if (child == 0) {
        (void)!exo_descriptors_pack(&ends[1], 1, &ticket);
        _exit(write(report[1], &ticket, sizeof ticket) != sizeof ticket);
    }
    close(ends[1]);
    CASE("its maker ends", read(report[0], &ticket, sizeof ticket) == sizeof ticket && exit_status(child) == 0 && at_end(ends[0]));
    CASE("so does the parcel", FAILS(exo_descriptors_unpack(ticket, &fd, 1, 0), EINVAL));
    close(ends[0]), close(report[0]), close(report[1]);
}

static void test_misuse(void)
{
    int fds[EXO_DESCRIPTORS_MOST + 1] = {0}, before, fd, epoll = epoll_create1(0);
    uint64_t ticket = 77, wrong[] = {0, 1, ~0ul, 77, 0x10000};
    struct rlimit limit, low;
    int good = 1;

    CASE("not open", FAILS(exo_descriptors_pack(&(int){999}, 1, &ticket), EBADF) && FAILS(exo_descriptors_pack(&(int){-1}, 1, &ticket), EBADF));
    CASE("none", FAILS(exo_descriptors_pack(fds, 0, &ticket), EINVAL));
    CASE("too many", FAILS(exo_descriptors_pack(fds, EXO_DESCRIPTORS_MOST + 1, &ticket), EINVAL) && ticket == 77);
    CASE("the most", exo_descriptors_pack(fds, EXO_DESCRIPTORS_MOST, &ticket) == 0);
    CASE("too little room", FAILS(exo_descriptors_unpack(ticket, fds, EXO_DESCRIPTORS_MOST - 1, 0), EMSGSIZE));
    before = open_descriptors();
    getrlimit(RLIMIT_NOFILE, &limit);
    low = (struct rlimit){100, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    CASE("too few descriptors: none comes", FAILS(exo_descriptors_unpack(ticket, fds, EXO_DESCRIPTORS_MOST, 0), EMFILE) && open_descriptors() == before);
    setrlimit(RLIMIT_NOFILE, &limit);
    CASE("wrong flags", FAILS(exo_descriptors_unpack(ticket, fds, EXO_DESCRIPTORS_MOST, 1), EINVAL));
    CASE("nowhere", FAILS(exo_descriptors_unpack(ticket, (int *)1, EXO_DESCRIPTORS_MOST, 0), EFAULT) && open_descriptors() == before);
    CASE("after all that", exo_descriptors_unpack(ticket, fds, EXO_DESCRIPTORS_MOST, 0) == (int)EXO_DESCRIPTORS_MOST);
    for (unsigned i = 0; i < EXO_DESCRIPTORS_MOST; i++)
        close(fds[i]);
    CASE("bad addresses", FAILS(exo_descriptors_pack((int *)1, 1, &ticket), EFAULT) && FAILS(exo_descriptors_pack(&epoll, 1, (uint64_t *)1), EOPNOTSUPP) &&
                              FAILS(exo_descriptors_pack(&(int){1}, 1, (uint64_t *)1), EFAULT));
    CASE("what does not travel", FAILS(exo_descriptors_pack(&epoll, 1, &ticket), EOPNOTSUPP));
    (void)!exo_descriptors_pack(&(int){0}, 1, &ticket);
    wrong[3] = ticket ^ 0x10000, wrong[4] = ticket + 1;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        good &= FAILS(exo_descriptors_unpack(wrong[i], &fd, 1, 0), EINVAL) && FAILS(exo_descriptors_drop(wrong[i]), EINVAL);
    CASE("tickets that nobody made", good);
    CASE("do no harm to one that somebody did", exo_descriptors_unpack(ticket, &fd, 1, 0) == 1 && close(fd) == 0);
    close(epoll);
}

int main(void)
{
    pid_t child = open_door();

    alarm(90);
    test_descriptors();
    test_threads(child);
    test_ends(child);
    test_lying();
    test_misuse();
    return tap_finish();
}
