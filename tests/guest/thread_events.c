/*
 * What happens to threads: signals, cancelling, descriptors and pages that others change, and what is seen of them in /proc. Runs on Linux as well.
 * guest-test: --timeout 120
 */
#include "thread_help.h"

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

static atomic_int gate;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

/* ---- signals ---- */

static atomic_int handled_by[3], handled_code;
static pthread_t who[3];

static void on_signal(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    handled_code = info->si_code;
    for (int i = 0; i < 3; i++)
        if (pthread_equal(pthread_self(), who[i]))
            handled_by[i]++;
}

static atomic_int ready, leave, sleeper_tid, waiter_tid;

/* musl has no pthread_sigqueue. */
static long queue_to(int tid, int signo, int value)
{
    siginfo_t info = {.si_signo = signo, .si_code = SI_QUEUE};

    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, signo, &info);
}

static void *sleeper(void *argument)
{
    struct timespec moment = {.tv_nsec = 1000000};

    if (!sleeper_tid)
        sleeper_tid = (int)syscall(SYS_gettid);
    ready++;
    while (!leave)
        nanosleep(&moment, NULL);
    return argument;
}

static void *blocker(void *argument)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    return sleeper(argument);
}

static void *wait_for_signal(void *argument)
{
    sigset_t set;
    siginfo_t info;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    waiter_tid = (int)syscall(SYS_gettid);
    ready++;
    if (sigwaitinfo(&set, &info) != SIGUSR2)
        return (void *)-1l;
    (void)argument;
    return (void *)(long)info.si_value.sival_int;
}

static atomic_int sum_of_values, values_seen;

static void on_value(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    sum_of_values += info->si_value.sival_int;
    values_seen++;
}

static void signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART}, queued = {.sa_sigaction = on_value, .sa_flags = SA_SIGINFO};
    sigset_t set, old, pending;
    pthread_t thread;

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN + 3, &queued, NULL);
    who[0] = pthread_self();
    who[1] = start(sleeper, NULL);
    while (!ready)
        short_sleep();
    who[2] = start(blocker, NULL);
    while (ready < 2)
        short_sleep();
    pthread_kill(who[1], SIGUSR1);
    while (!handled_by[1])
        short_sleep();
    CASE("a signal to a thread runs its handler there", handled_by[0] == 0 && handled_by[2] == 0 && handled_code == SI_TKILL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    kill(getpid(), SIGUSR1);
    while (handled_by[1] < 2)
        short_sleep();
    CASE("a signal to the process goes to a thread that does not block it", handled_by[0] == 0 && handled_by[2] == 0 && handled_code == SI_USER);
    pthread_kill(pthread_self(), SIGUSR1);
    sigpending(&pending);
    CASE("a blocked signal to a thread waits for that thread", sigismember(&pending, SIGUSR1) && handled_by[1] == 2 && handled_by[0] == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    CASE("until it lets it in", handled_by[0] == 1 && handled_by[1] == 2);
    pthread_kill(who[2], SIGUSR1);
    short_sleep();
    CASE("a thread that blocks a signal does not see it", handled_by[2] == 0);
    for (int i = 1; i <= 5; i++)
        queue_to(sleeper_tid, SIGRTMIN + 3, i);
    while (values_seen < 5)
        short_sleep();
    CASE("real-time signals to a thread queue", sum_of_values == 15);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    ready = 0;
    thread = start(wait_for_signal, NULL);
    while (!ready)
        short_sleep();
    queue_to(waiter_tid, SIGUSR2, 44);
    CASE("a thread waits for a signal to itself", joined(thread) == 44);
    leave = 1;
    joined(who[1]);
    joined(who[2]);
    ready = 0;
    thread = start(wait_for_signal, NULL);
    while (!ready)
        short_sleep();
    sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 45});
    CASE("and for one to the process", joined(thread) == 45);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    CASE("a signal that does not exist", pthread_kill(pthread_self(), 65) == EINVAL || pthread_kill(pthread_self(), 100) == EINVAL);
    CASE("a thread that does not exist", answer(syscall(SYS_tgkill, getpid(), 1 << 29, 0)) == -ESRCH &&
                                             answer(syscall(SYS_tgkill, getpid(), 0, 0)) == -EINVAL &&
                                             answer(syscall(SYS_tgkill, 1 << 29, getpid(), 0)) == -ESRCH);
}

/* ---- cancelling ---- */

static atomic_int cleaned;

static void clean(void *argument)
{
    cleaned += (int)(long)argument;
}

static void *read_for_ever(void *argument)
{
    char byte;

    pthread_cleanup_push(clean, (void *)1l);
    ready++;
    (void)!read(*(int *)argument, &byte, 1);
    pthread_cleanup_pop(0);
    return NULL;
}

static void unlock(void *argument)
{
    pthread_mutex_unlock(argument);
}

static void *wait_for_ever(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(clean, (void *)10l);
    pthread_cleanup_push(unlock, &mutex);
    ready++;
    for (;;)
        pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spin_for_ever(void *argument)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    ready++;
    for (;;)
        sched_yield();
    return argument;
}

static void cancelling(void)
{
    void *(*const body[])(void *) = {read_for_ever, wait_for_ever, spin_for_ever};
    int ends[2];
    bool good = true;

    if (pipe(ends) != 0)
        return;
    for (int i = 0; i < 3; i++) {
        pthread_t thread;

        ready = 0;
        thread = start(body[i], &ends[0]);
        while (!ready)
            short_sleep();
        if (i == 0)
            short_sleep();
        pthread_cancel(thread);
        good = good && joined(thread) == (long)PTHREAD_CANCELED;
    }
    CASE("threads are cancelled in a read, in a wait, and anywhere", good && cleaned == 11);
    CASE("and leave the mutex to others", pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
    close(ends[0]);
    close(ends[1]);
}

/* ---- what threads share ---- */

static int shared_pipe[2];

static void *read_one(void *argument)
{
    char byte = 0;
    long got;

    (void)argument;
    ready++;
    got = read(shared_pipe[0], &byte, 1);
    return (void *)(got == 1 ? (long)byte : -1l);
}

static void *poll_one(void *argument)
{
    struct pollfd wanted = {.fd = shared_pipe[0], .events = POLLIN};

    (void)argument;
    ready++;
    return (void *)(long)(poll(&wanted, 1, -1) == 1 && wanted.revents & POLLIN);
}

static char *touched;

static void *touch(void *argument)
{
    long sum = 0;

    while (!gate)
        ;
    for (int i = 0; i < 64; i++)
        sum += ((volatile char *)touched)[i * 4096]++;
    (void)argument;
    return (void *)sum;
}

static void *change_protection(void *argument)
{
    for (int i = 0; i < 200; i++) {
        mprotect(argument, 4096, PROT_READ);
        mprotect(argument, 4096, PROT_READ | PROT_WRITE);
        munmap(mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 65536);
    }
    leave = 1;
    return NULL;
}

static void *read_while_changing(void *argument)
{
    long rounds = 0;

    while (!leave && ((volatile char *)argument)[100] == 0)
        rounds++;
    return (void *)(long)(leave != 0 && rounds >= 0);
}

static void sharing(void)
{
    pthread_t thread, other;

    if (pipe(shared_pipe) != 0)
        return;
    ready = 0;
    thread = start(read_one, NULL);
    while (!ready)
        short_sleep();
    short_sleep();
    close(shared_pipe[0]);
    CASE("who reads goes on when another closes the descriptor", write(shared_pipe[1], "x", 1) == 1 && joined(thread) == 'x');
    CASE("and then there is no reader", signal(SIGPIPE, SIG_IGN) != SIG_ERR && answer(write(shared_pipe[1], "x", 1)) == -EPIPE);
    close(shared_pipe[1]);
    if (pipe(shared_pipe) != 0)
        return;
    ready = 0;
    thread = start(poll_one, NULL);
    while (!ready)
        short_sleep();
    short_sleep();
    CASE("one thread polls, another writes", write(shared_pipe[1], "y", 1) == 1 && joined(thread) == 1);
    close(shared_pipe[0]);
    close(shared_pipe[1]);
    touched = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    gate = 0;
    thread = start(touch, NULL);
    other = start(touch, NULL);
    gate = 1;
    CASE("threads touch the same new pages", joined(thread) >= 0 && joined(other) >= 0 && touched[0] >= 1);
    leave = 0;
    touched[100] = 0;
    thread = start(change_protection, touched);
    other = start(read_while_changing, touched);
    CASE("protection changes while another reads", joined(thread) == 0 && joined(other) == 1);
    munmap(touched, 64 * 4096);
}

/* ---- what is seen of them ---- */

static int poll_set;

static void *wait_for_event(void *argument)
{
    struct epoll_event event = {0};

    (void)argument;
    ready++;
    return (void *)(long)(epoll_wait(poll_set, &event, 1, -1) == 1 ? (long)event.data.u32 : -1l);
}

static int number_in(const char *file, const char *name)
{
    char text[4096], *at;
    int fd = open(file, O_RDONLY);
    ssize_t got = read(fd, text, sizeof text - 1);

    close(fd);
    text[got > 0 ? got : 0] = '\0';
    at = strstr(text, name);
    return at ? atoi(at + strlen(name)) : -1;
}

static int entries(const char *folder)
{
    DIR *open_folder = opendir(folder);
    int count = 0;

    while (open_folder && readdir(open_folder))
        count++;
    if (open_folder)
        closedir(open_folder);
    return count - 2;
}

static void *name_itself(void *argument)
{
    char name[16];

    prctl(PR_SET_NAME, "worker");
    prctl(PR_GET_NAME, name);
    ready++;
    sleeper(argument);
    return (void *)(long)strcmp(name, "worker");
}

static void seen(void)
{
    int first[2], second[2];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 1};
    char path[64], name[16], before[16];
    pthread_t thread;

    poll_set = epoll_create1(0);
    if (pipe(first) != 0 || pipe(second) != 0)
        return;
    ready = 0;
    thread = start(wait_for_event, NULL);
    while (!ready)
        short_sleep();
    short_sleep();
    epoll_ctl(poll_set, EPOLL_CTL_ADD, first[0], &event);
    event.data.u32 = 2;
    epoll_ctl(poll_set, EPOLL_CTL_ADD, second[0], &event);
    short_sleep();
    close(first[0]);
    close(first[1]);
    short_sleep();
    CASE("who sleeps in epoll_wait sees what others add and close", write(second[1], "z", 1) == 1 && joined(thread) == 2);
    close(second[0]);
    close(second[1]);
    close(poll_set);
    leave = 0;
    ready = 0;
    prctl(PR_GET_NAME, before);
    thread = start(name_itself, NULL);
    while (ready < 2)
        short_sleep();
    CASE("status counts threads", number_in("/proc/self/status", "Threads:\t") == 2);
    CASE("and task/ has a folder of each", entries("/proc/self/task") == 2);
    snprintf(path, sizeof path, "/proc/self/task/%ld/status", syscall(SYS_gettid));
    CASE("with files", number_in(path, "Threads:\t") == 2);
    leave = 1;
    CASE("a thread has a name of its own", joined(thread) == 0 && prctl(PR_GET_NAME, name) == 0 && strcmp(name, before) == 0);
    CASE("task/ forgets who has ended", entries("/proc/self/task") == 1 && open("/proc/self/task/99999999/status", O_RDONLY) == -1);
}

/* What a C library does in each thread for one setresuid and one setuid of the program's. */
static void *half_back(void *unused)
{
    uid_t real, effective, saved;
    long bad = syscall(SYS_setresuid, 65534, 65534, 0);

    (void)unused;
    ready++;
    while (ready < 2)
        short_sleep();
    bad |= syscall(SYS_setuid, 0);
    ready++;
    while (ready < 4)
        short_sleep();
    bad |= getresuid(&real, &effective, &saved);
    return (void *)(bad | (real != 65534) | (effective != 0) << 1 | (saved != 0) << 2);
}

static int both_half_back(void)
{
    pthread_t thread;

    ready = 0;
    thread = start(half_back, NULL);
    return half_back(NULL) != NULL || joined(thread) != 0;
}

static volatile int first_tid;

static void *outlive(void *tid)
{
    while (first_tid)
        syscall(SYS_futex, &first_tid, FUTEX_WAIT, (int)(long)tid, NULL, NULL, 0);
    _exit((int)(long)tid != getpid());
    return NULL;
}

static void ids(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(getuid() == 0 && both_half_back());
    CASE("each thread goes by its own ids when it sets them", waitpid(child, &status, 0) == child && status == 0);
    child = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, 0, 0, &first_tid, 0);
    if (child == 0) {
        start(outlive, (void *)(long)first_tid);
        syscall(SYS_exit, 1);
    }
    CASE("a child's first thread clears its tid, too", waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
    alarm(110);
    ids();
    signals();
    cancelling();
    sharing();
    seen();
    return tap_finish();
}
