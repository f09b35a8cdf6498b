/*
 * Threads and what they wait for: mutexes and their relatives, many threads, futexes by hand, forks, robust mutexes. Runs on Linux as well.
 * guest-test: --timeout 120
 */
#include "thread_help.h"

#define MANY 200

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

/* ---- locks that name their owner ---- */

static atomic_uint pi_lock;
static long pi_sum;

static void *lock_and_add(void *argument)
{
    unsigned self = (unsigned)syscall(SYS_gettid), nobody;
    long added = 0;

    for (int i = 0; i < 300; i++) {
        long result = 0;

        nobody = 0;
        if (!atomic_compare_exchange_strong(&pi_lock, &nobody, self))
            result = answer(futex(&pi_lock, FUTEX_LOCK_PI | 128, 0, NULL, NULL, 0));
        if (result != 0 || (pi_lock & 0x3fffffff) != self)
            return (void *)-1l;
        added++;
        pi_sum++;
        if (i % 10 == 0)
            sched_yield();
        nobody = self;
        if (!atomic_compare_exchange_strong(&pi_lock, &nobody, 0))
            result = answer(futex(&pi_lock, FUTEX_UNLOCK_PI | 128, 0, NULL, NULL, 0));
        if (result != 0)
            return (void *)-2l;
    }
    (void)argument;
    return (void *)added;
}

static void *lock_and_leave(void *argument)
{
    return (void *)answer(futex(&pi_lock, FUTEX_LOCK_PI | 128, 0, argument, NULL, 0));
}

static void owned_locks(void)
{
    const struct timespec past = {.tv_sec = 1};
    unsigned self = (unsigned)syscall(SYS_gettid);
    pthread_t thread[4];
    long sum = 0;

    for (int i = 0; i < 4; i++)
        thread[i] = start(lock_and_add, NULL);
    for (int i = 0; i < 4; i++)
        sum += joined(thread[i]);
    CASE("a lock is handed from owner to owner", sum == 1200 && pi_sum == 1200 && pi_lock == 0);
    CASE("a lock that is free", answer(futex(&pi_lock, FUTEX_LOCK_PI | 128, 0, NULL, NULL, 0)) == 0 && pi_lock == self);
    CASE("a lock of one's own", answer(futex(&pi_lock, FUTEX_LOCK_PI | 128, 0, NULL, NULL, 0)) == -EDEADLK);
    CASE("a lock that another has, for so long", joined(start(lock_and_leave, (void *)&past)) == -ETIMEDOUT);
    CASE("giving it back", answer(futex(&pi_lock, FUTEX_UNLOCK_PI | 128, 0, NULL, NULL, 0)) == 0 && pi_lock == 0);
    CASE("giving back what one has not", answer(futex(&pi_lock, FUTEX_UNLOCK_PI | 128, 0, NULL, NULL, 0)) == -EPERM);
    pi_lock = 0x3ffffff0;
    CASE("a lock of nobody's", answer(futex(&pi_lock, FUTEX_LOCK_PI | 128, 0, NULL, NULL, 0)) == -ESRCH);
    CASE("a lock that is nowhere", answer(futex((void *)64, FUTEX_TRYLOCK_PI | 128, 0, NULL, NULL, 0)) == -EFAULT);
}

/* A word that another process shares: a child that has it, one that waits for it, one that dies with it. */
static void shared_locks(void)
{
    unsigned *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned self = (unsigned)syscall(SYS_gettid), sum = 0;
    const struct timespec past = {.tv_sec = 1};
    pid_t child[3];
    int status;

    for (int i = 0; i < 3; i++) {
        child[i] = fork();
        for (int n = 0; child[i] == 0 && n < 200; n++) {
            if (answer(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0)) || (word[0] & 0x3fffffff) != (unsigned)getpid())
                _exit(1);
            word[1]++;
            if (n % 20 == 0)
                sched_yield();
            if (answer(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)))
                _exit(2);
        }
        if (child[i] == 0)
            _exit(0);
    }
    for (int i = 0; i < 3; i++)
        sum += waitpid(child[i], &status, 0) == child[i] && status == 0;
    CASE("processes own a lock in turn", sum == 3 && word[1] == 600 && word[0] == 0);
    CASE("one has it", answer(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0)) == 0 && word[0] == self);
    child[0] = fork();
    if (child[0] == 0)
        _exit(answer(futex(word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0)) != -EAGAIN || answer(futex(word, FUTEX_LOCK_PI, 0, &past, NULL, 0)) != -ETIMEDOUT ||
              answer(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)) != -EPERM);
    CASE("another cannot have it, nor give it back", waitpid(child[0], &status, 0) == child[0] && status == 0);
    child[0] = fork();
    if (child[0] == 0)
        _exit(answer(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0)) != 0);
    while (!(*(volatile unsigned *)word & 0x80000000))
        short_sleep();
    CASE("who waits gets it", answer(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)) == 0 && waitpid(child[0], &status, 0) == child[0] && status == 0);
    CASE("an owner that is gone", (*word & 0x3fffffff) == (unsigned)child[0] && answer(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0)) == -ESRCH);
    munmap(word, 4096);
}

int main(void)
{
    alarm(110);
    locks();
    numbers();
    futexes();
    forks();
    robustness();
    owned_locks();
    shared_locks();
    return tap_finish();
}
