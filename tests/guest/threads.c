/*
 * Threads: what POSIX says of them, and what nobody should do with them. Runs on Linux as well; the same program is built with glibc for tests/same.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define MANY 200

/* musl has no header for these. */
enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET, FUTEX_CLOCK_REALTIME = 256 };
enum { FUTEX_PRIVATE = 128, FUTEX_WAIT_PRIVATE = FUTEX_WAIT | 128, FUTEX_WAKE_PRIVATE = FUTEX_WAKE | 128, FUTEX_REQUEUE_PRIVATE = FUTEX_REQUEUE | 128,
       FUTEX_CMP_REQUEUE_PRIVATE = FUTEX_CMP_REQUEUE | 128, FUTEX_WAKE_OP_PRIVATE = FUTEX_WAKE_OP | 128,
       FUTEX_WAIT_BITSET_PRIVATE = FUTEX_WAIT_BITSET | 128, FUTEX_WAKE_BITSET_PRIVATE = FUTEX_WAKE_BITSET | 128 };
enum { FUTEX_OP_SET, FUTEX_OP_ADD };
enum { FUTEX_OP_CMP_EQ };
#define FUTEX_OP(op, argument, cmp, than) ((unsigned)(op) << 28 | (unsigned)(cmp) << 24 | (unsigned)(argument) << 12 | (unsigned)(than))

static long futex(const void *word, int operation, unsigned value, const struct timespec *timeout, void *other, unsigned third)
{
    return syscall(SYS_futex, word, operation, value, timeout, other, third);
}

static long answer(long result)
{
    return result < 0 ? -errno : result;
}

static void short_sleep(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    nanosleep(&moment, NULL);
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, argument);

    if (error) {
        printf("Bail out! pthread_create: %s\n", strerror(error));
        exit(1);
    }
    return thread;
}

static long joined(pthread_t thread)
{
    void *result;

    return pthread_join(thread, &result) ? -1 : (long)result;
}

/* ---- mutual exclusion and signalling ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static long counter, pair[2];
static atomic_int torn, turn, serial;
static __thread int own = 7;

static void *count_up(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
        if (i % 100 == 0)
            sched_yield();
    }
    own += (int)(long)argument;
    return (void *)(long)own;
}

static void *take_turns(void *argument)
{
    int self = (int)(long)argument;

    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != self)
            pthread_cond_wait(&condition, &mutex);
        turn = (self + 1) % 4;
        counter++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *meet(void *argument)
{
    long rounds = 0;

    (void)argument;
    for (int i = 0; i < 50; i++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            rounds++;
    serial += (int)rounds;
    return NULL;
}

static void *read_pair(void *argument)
{
    (void)argument;
    for (int i = 0; i < 500; i++) {
        pthread_rwlock_rdlock(&rwlock);
        if (pair[0] != pair[1])
            torn = 1;
        pthread_rwlock_unlock(&rwlock);
    }
    return NULL;
}

static void *write_pair(void *argument)
{
    (void)argument;
    for (int i = 0; i < 500; i++) {
        pthread_rwlock_wrlock(&rwlock);
        pair[0]++;
        if (i % 50 == 0)
            sched_yield();
        pair[1]++;
        pthread_rwlock_unlock(&rwlock);
    }
    return NULL;
}

static void *take_semaphore(void *argument)
{
    for (int i = 0; i < 100; i++)
        while (sem_wait(&semaphore) != 0)
            ;
    return argument;
}

static void locks(void)
{
    pthread_t thread[8];
    long sum = 0;

    for (long i = 0; i < 8; i++)
        thread[i] = start(count_up, (void *)i);
    for (int i = 0; i < 8; i++)
        sum += joined(thread[i]);
    CASE("a mutex keeps eight threads apart", counter == 16000);
    CASE("each thread has its own variables, and join gives their results", sum == 8 * 7 + 28 && own == 7);
    counter = 0;
    for (long i = 0; i < 4; i++)
        thread[i] = start(take_turns, (void *)i);
    for (int i = 0; i < 4; i++)
        joined(thread[i]);
    CASE("four threads take turns by a condition variable", counter == 800);
    pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 5; i++)
        thread[i] = start(meet, NULL);
    for (int i = 0; i < 5; i++)
        joined(thread[i]);
    CASE("a barrier has one serial thread a round", serial == 50);
    for (int i = 0; i < 6; i++)
        thread[i] = start(i < 3 ? read_pair : write_pair, NULL);
    for (int i = 0; i < 6; i++)
        joined(thread[i]);
    CASE("a read-write lock shows no half written pair", !torn && pair[0] == 1500 && pair[1] == 1500);
    sem_init(&semaphore, 0, 0);
    for (int i = 0; i < 4; i++)
        thread[i] = start(take_semaphore, NULL);
    for (int i = 0; i < 400; i++)
        sem_post(&semaphore);
    for (int i = 0; i < 4; i++)
        joined(thread[i]);
    CASE("a semaphore lets as many through as were posted", sem_trywait(&semaphore) == -1 && errno == EAGAIN);
}

static void *wait_long(void *argument)
{
    struct timespec until;
    int error;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 5000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&mutex);
    do
        error = pthread_cond_timedwait(&condition, &mutex, &until);
    while (error == 0);
    pthread_mutex_unlock(&mutex);
    *(int *)argument = error;
    return NULL;
}

static void *nothing(void *argument)
{
    return argument;
}

static atomic_int gathered, gate;

static void *stand(void *argument)
{
    gathered++;
    while (!gate)
        futex(&gate, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return argument;
}

static void numbers(void)
{
    static pthread_t thread[MANY];
    pthread_attr_t small;
    bool good = true;
    int error = 0;

    joined(start(wait_long, &error));
    CASE("a wait on a condition ends at its deadline", error == ETIMEDOUT);
    for (long i = 0; i < 500; i++)
        good = good && joined(start(nothing, (void *)i)) == i;
    CASE("five hundred threads one after the other", good);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (long i = 0; i < MANY; i++)
        good = good && pthread_create(&thread[i], &small, stand, (void *)i) == 0;
    CASE("two hundred threads at once are made", good);
    while (good && gathered < MANY)
        short_sleep();
    gate = 1;
    futex(&gate, FUTEX_WAKE_PRIVATE, MANY, NULL, NULL, 0);
    for (long i = 0; good && i < MANY; i++)
        good = joined(thread[i]) == i;
    CASE("and all of them wake and end", good);
    for (int i = 0; i < 100; i++) {
        pthread_create(&thread[0], NULL, nothing, NULL);
        pthread_detach(thread[0]);
    }
    CASE("detached threads end by themselves", joined(start(nothing, (void *)5)) == 5);
}

/* ---- futexes by hand ---- */

static atomic_uint words[4];
static atomic_int awake;

static void *wait_on_first(void *argument)
{
    long result = futex(&words[0], FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (unsigned)(long)argument);

    awake++;
    return (void *)result;
}

/* Until so many wait on the word: a requeue to itself counts them and changes nothing. */
static void until_waiting(atomic_uint *word, int count)
{
    while (futex(word, FUTEX_REQUEUE_PRIVATE, 0, (void *)1000, word, 0) < count)
        short_sleep();
}

static void futexes(void)
{
    const struct timespec moment = {.tv_nsec = 1000000}, wrong = {.tv_nsec = 1000000000}, past = {.tv_sec = 0};
    pthread_t thread[4];
    char *pages;

    CASE("a changed word is not waited for", answer(futex(&words[0], FUTEX_WAIT, 1, NULL, NULL, 0)) == -EAGAIN);
    CASE("a wait ends after its time", answer(futex(&words[0], FUTEX_WAIT, 0, &moment, NULL, 0)) == -ETIMEDOUT);
    CASE("or at its moment", answer(futex(&words[0], FUTEX_WAIT_BITSET, 0, &past, NULL, ~0u)) == -ETIMEDOUT);
    CASE("of the other clock, too",
         answer(futex(&words[0], FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, ~0u)) == -ETIMEDOUT);
    CASE("no such time", answer(futex(&words[0], FUTEX_WAIT, 0, &wrong, NULL, 0)) == -EINVAL);
    CASE("no bits", answer(futex(&words[0], FUTEX_WAIT_BITSET, 0, NULL, NULL, 0)) == -EINVAL &&
                        answer(futex(&words[0], FUTEX_WAKE_BITSET, 1, NULL, NULL, 0)) == -EINVAL);
    CASE("a word that is not aligned", answer(futex((char *)words + 1, FUTEX_WAIT, 0, NULL, NULL, 0)) == -EINVAL &&
                                           answer(futex((char *)words + 2, FUTEX_WAKE, 1, NULL, NULL, 0)) == -EINVAL);
    pages = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CASE("a word that cannot be read", answer(futex(pages, FUTEX_WAIT, 0, NULL, NULL, 0)) == -EFAULT &&
                                           answer(futex((void *)0xffff800000000000, FUTEX_WAIT, 0, NULL, NULL, 0)) == -EFAULT);
    munmap(pages, 4096);
    CASE("a word that is not there", answer(futex(pages, FUTEX_WAIT, 0, NULL, NULL, 0)) == -EFAULT);
    CASE("nobody to wake", answer(futex(&words[0], FUTEX_WAKE, 10, NULL, NULL, 0)) == 0);
    CASE("no such operation", answer(futex(&words[0], 77, 0, NULL, NULL, 0)) == -ENOSYS);
    for (int i = 0; i < 4; i++) {
        thread[i] = start(wait_on_first, (void *)(1l << i));
        until_waiting(&words[0], i + 1);
    }
    CASE("a wake with bits wakes who has one of them", futex(&words[0], FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 4) == 1 && joined(thread[2]) == 0);
    CASE("no more than asked for", futex(&words[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1 && joined(thread[0]) == 0);
    CASE("a requeue of another value", answer(futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)9, &words[1], 5)) == -EAGAIN);
    CASE("a requeue moves", futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)9, &words[1], 0) == 2 &&
                                futex(&words[0], FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 0 && awake == 2);
    words[2] = 5;
    CASE("an operation on a second word, which decides",
         futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[2], FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 9)) == 0 && words[2] == 8 &&
             futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)) == 1 && words[1] == 1);
    CASE("the last one", futex(&words[1], FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 1 && joined(thread[1]) == 0 && joined(thread[3]) == 0);
}

/* Two threads and a fork: pages that wait for a copy on write must not hide a sleeper. */
static void *wait_for_word(void *argument)
{
    while (words[3] == 0)
        futex(&words[3], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return argument;
}

static void *fork_and_wait(void *argument)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(getpid() == (pid_t)syscall(SYS_gettid) ? 33 : 1);
    waitpid(child, &status, 0);
    (void)argument;
    return (void *)(long)(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void forks(void)
{
    struct { pthread_mutex_t mutex; pthread_cond_t condition; int ready; } *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t mutex_attributes;
    pthread_condattr_t condition_attributes;
    pthread_t thread;
    pid_t child;
    int status;

    words[3] = 0;
    thread = start(wait_for_word, NULL);
    until_waiting(&words[3], 1);
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    words[3] = 1;
    CASE("a sleeper is found after a fork", futex(&words[3], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1 && joined(thread) == 0);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CASE("a thread's child has one thread, the first", joined(start(fork_and_wait, NULL)) == 33);
    pthread_mutexattr_init(&mutex_attributes);
    pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&mutex_attributes, PTHREAD_MUTEX_ROBUST);
    pthread_condattr_init(&condition_attributes);
    pthread_condattr_setpshared(&condition_attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &mutex_attributes);
    pthread_cond_init(&shared->condition, &condition_attributes);
    child = fork();
    if (child == 0) {
        pthread_mutex_lock(&shared->mutex);
        shared->ready = 1;
        pthread_cond_signal(&shared->condition);
        pthread_mutex_unlock(&shared->mutex);
        _exit(0);
    }
    pthread_mutex_lock(&shared->mutex);
    while (!shared->ready)
        pthread_cond_wait(&shared->condition, &shared->mutex);
    pthread_mutex_unlock(&shared->mutex);
    waitpid(child, &status, 0);
    CASE("processes share a mutex and a condition", status == 0 && shared->ready == 1);
    child = fork();
    if (child == 0) {
        pthread_mutex_lock(&shared->mutex);
        _exit(0);
    }
    waitpid(child, &status, 0);
    CASE("a robust mutex of a process that has ended", pthread_mutex_lock(&shared->mutex) == EOWNERDEAD && pthread_mutex_consistent(&shared->mutex) == 0 &&
                                                           pthread_mutex_unlock(&shared->mutex) == 0 && pthread_mutex_lock(&shared->mutex) == 0);
    pthread_mutex_unlock(&shared->mutex);
    munmap(shared, 4096);
}

static pthread_mutex_t robust;

static void *die_with_mutex(void *argument)
{
    pthread_mutex_lock(&robust);
    return argument;
}

static void *want_mutex(void *argument)
{
    (void)argument;
    return (void *)(long)pthread_mutex_lock(&robust);
}

static void robustness(void)
{
    pthread_mutexattr_t attributes;
    pthread_t owner;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    owner = start(die_with_mutex, NULL);
    joined(owner);
    CASE("the next owner of a dead thread's mutex is told", joined(start(want_mutex, NULL)) == EOWNERDEAD);
    CASE("and the one after it, too", pthread_mutex_lock(&robust) == EOWNERDEAD);
    CASE("a mutex that nobody repairs is lost", pthread_mutex_unlock(&robust) == 0 && pthread_mutex_lock(&robust) == ENOTRECOVERABLE);
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
        words[3] = 1;
        futex(&words[3], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
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
    locks();
    numbers();
    futexes();
    forks();
    robustness();
    signals();
    cancelling();
    sharing();
    ends();
    misuse();
    return tap_finish();
}
