/*
 * A process whose threads lock, pass bytes, make threads, fork and use memory is killed again and again, at whatever they do just then, now and then after
 * a stop: each time all of it ends, and in the end no memory is missing.
 * guest-test: --timeout 120
 */
#include "thread_help.h"

#define ROUNDS 60
#define SETTLED 20 /* what the system keeps ready for later it has by then */
#define LOST_KB 1024

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ends[2];

static void *nothing(void *argument)
{
    return argument;
}

static void *lock(void *argument)
{
    for (;;) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static void *pass(void *argument)
{
    char byte = 'x';

    while (write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1)
        ;
    return argument;
}

static void *make(void *argument)
{
    for (;;)
        joined(start(nothing, NULL));
    return argument;
}

static void *use_memory(void *argument)
{
    const size_t bytes = 300000;

    for (;;) {
        void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        memset(block, 1, bytes);
        munmap(block, bytes);
    }
    return argument;
}

static void *fork_often(void *argument)
{
    for (;;) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    return argument;
}

static void busy(void)
{
    void *(*const body[])(void *) = {lock, lock, pass, make, use_memory, fork_often};

    if (pipe(ends) != 0)
        _exit(1);
    for (size_t i = 0; i < sizeof body / sizeof body[0]; i++)
        start(body[i], NULL);
    for (;;)
        pause();
}

static long free_kb(void)
{
    char text[1024], *at;
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t got = read(fd, text, sizeof text - 1);

    close(fd);
    text[got > 0 ? got : 0] = '\0';
    at = strstr(text, "MemFree:");
    return at ? atol(at + 8) : -1;
}

static void rest(int moments)
{
    for (int i = 0; i < moments; i++)
        short_sleep();
}

/* The children that the fork of a killed process had are init's. */
static bool one_round(int round)
{
    int status = 0, signo = round % 3 == 2 ? SIGTERM : SIGKILL;
    pid_t child = fork();

    if (child == 0)
        busy();
    rest(1 + round * 7 % 11);
    if (round % 3 == 1) {
        kill(child, SIGSTOP);
        rest(1);
        kill(child, SIGCONT);
    }
    kill(child, signo);
    if (waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == signo)
        return true;
    printf("# round %d: ended with %#x by signal %d\n", round, (unsigned)status, signo);
    return false;
}

int main(void)
{
    bool good = true;
    long before = 0;

    alarm(110);
    for (int round = 0; round < ROUNDS; round++) {
        good = good && one_round(round);
        if (round == SETTLED) {
            rest(100);
            before = free_kb();
        }
    }
    rest(100);
    CASE("a process with threads dies of each signal that kills", good);
    CASE("and leaves no memory behind", before - free_kb() < LOST_KB);
    CASE("nor a process", waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    return tap_finish();
}
