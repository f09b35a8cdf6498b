/*
 * What happens to threads: signals, cancelling, descriptors and pages that others change, the ways in which they and their process end, and clone used
 * wrongly. Runs on Linux as well.
 * guest-test: --timeout 120
 */
#include "thread_help.h"

static atomic_uint word;
static atomic_int gate;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *wait_for_word(void *argument)
{
    while (word == 0)
        futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return argument;
}

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

/* ---- ends ---- */

static void *leave_late(void *argument)
{
    short_sleep();
    if (argument)
        exit((int)(long)argument);
    return NULL;
}

static void *execute(void *argument)
{
    char *const arguments[] = {argument, (char *)"--seven", NULL}, *const none[] = {NULL};

    execve("/nowhere", arguments, none);
    execve("/proc/self/exe", arguments, none);
    return NULL;
}

static void *crash(void *argument)
{
    short_sleep();
    *(volatile int *)argument = 1;
    return NULL;
}

static void *busy(void *argument)
{
    for (;;)
        ;
    return argument;
}

enum end { LEADER_LEAVES, THREAD_EXITS, THREAD_EXECUTES, LEADER_EXECUTES, THREAD_CRASHES, KILLED, STOPPED, ENDS };

static void end_as(enum end how)
{
    start(sleeper, NULL);
    start(how == KILLED ? busy : wait_for_word, NULL);
    switch (how) {
    case LEADER_LEAVES:
        start(leave_late, NULL);
        leave = 1;
        word = 1;
        futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        pthread_exit(NULL);
    case THREAD_EXITS: start(leave_late, (void *)9l); pthread_exit(NULL);
    case THREAD_EXECUTES: start(execute, (void *)"thread"); break;
    case LEADER_EXECUTES: execute((void *)"thread"); break;
    case THREAD_CRASHES: start(crash, NULL); break;
    default: break;
    }
    for (;;)
        pause();
}

static int status_of(enum end how)
{
    int status = -1;
    pid_t child;

    child = fork();
    if (child == 0) { /* anew: in musl's forked child the first thread may not leave */
        char number[] = {(char)('0' + how), '\0'};

        execl("/proc/self/exe", "threads", "--end", number, (char *)NULL);
        _exit(99);
    }
    if (how == KILLED || how == STOPPED) {
        for (int i = 0; i < 20; i++)
            short_sleep();
        kill(child, how == STOPPED ? SIGSTOP : SIGKILL);
    }
    if (how == STOPPED) {
        waitpid(child, &status, WUNTRACED);
        if (!WIFSTOPPED(status))
            return -2;
        kill(child, SIGCONT);
        if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status))
            return -3;
        kill(child, SIGTERM);
    }
    waitpid(child, &status, 0);
    return status;
}

static void ends(void)
{
    CASE("the others go on when the first thread has left", status_of(LEADER_LEAVES) == 0);
    CASE("exit in a thread ends all", status_of(THREAD_EXITS) == 9 << 8);
    CASE("a program executed by a thread", status_of(THREAD_EXECUTES) == 7 << 8);
    CASE("a program executed by the first thread of several", status_of(LEADER_EXECUTES) == 7 << 8);
    CASE("a fault in a thread ends all", (status_of(THREAD_CRASHES) & 127) == SIGSEGV);
    CASE("SIGKILL ends all", (status_of(KILLED) & 127) == SIGKILL);
    CASE("all stop, go on, and end by a signal", (status_of(STOPPED) & 127) == SIGTERM);
}

/* ---- misuse of clone ---- */

static void misuse(void)
{
    const unsigned long thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    static uint64_t arguments[12];

    CASE("a thread must share signal handlers", answer(syscall(SYS_clone, CLONE_VM | CLONE_THREAD, NULL, NULL, NULL, NULL)) == -EINVAL);
    CASE("and memory", answer(syscall(SYS_clone, CLONE_SIGHAND | CLONE_THREAD, NULL, NULL, NULL, NULL)) == -EINVAL);
    CASE("signal handlers need memory", answer(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, NULL)) == -EINVAL);
    CASE("a thread pointer in the kernel's part",
         answer(syscall(SYS_clone, thread | CLONE_SETTLS, &arguments[8], NULL, NULL, 0xffff800000000000)) == -EPERM);
    CASE("clone3: too few arguments", answer(syscall(SYS_clone3, arguments, 8)) == -EINVAL);
    CASE("clone3: too many", answer(syscall(SYS_clone3, arguments, 5000)) == -E2BIG);
    CASE("clone3: nowhere", answer(syscall(SYS_clone3, 8, 64)) == -EFAULT);
    arguments[0] = thread;
    arguments[4] = SIGCHLD;
    CASE("clone3: a thread has no signal for its end", answer(syscall(SYS_clone3, arguments, 64)) == -EINVAL);
    arguments[4] = 0;
    arguments[5] = 4096;
    CASE("clone3: a stack without a size", answer(syscall(SYS_clone3, arguments, 64)) == -EINVAL);
    CASE("a robust list of another size", answer(syscall(SYS_set_robust_list, arguments, 8)) == -EINVAL);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--seven") == 0)
        return getpid() == (pid_t)syscall(SYS_gettid) ? 7 : 8;
    alarm(110);
    if (argc > 2 && strcmp(argv[1], "--end") == 0)
        end_as((enum end)(argv[2][0] - '0'));
    signals();
    cancelling();
    sharing();
    ends();
    misuse();
    return tap_finish();
}
