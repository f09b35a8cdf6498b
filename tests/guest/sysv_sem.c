/*
 * System V semaphores: values, lists of operations, waiting in turn, SEM_UNDO at every kind of end, removal, permissions; what is refused. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define KEY 0x65786f37
#define USER 4711

static int status_of(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1;
}

static int change(int id, int number, int by, int flags)
{
    struct sembuf op = {(unsigned short)number, (short)by, (short)flags};

    return semop(id, &op, 1);
}

static void until(int id, int number, int command, int wanted)
{
    while (semctl(id, number, command) != wanted)
        usleep(1000);
}

static void test_basics(void)
{
    int id = semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600);
    unsigned short values[3] = {1, 2, 3};
    struct semid_ds stat;

    CASE("made", id >= 0);
    CASE("found by its key", semget(KEY, 0, 0) == id && semget(KEY, 3, 0600) == id);
    CASE("there already; more than there are; not there",
        FAILS(semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST) && FAILS(semget(KEY, 4, 0), EINVAL) && FAILS(semget(KEY + 1, 1, 0), ENOENT));
    CASE("none, or too many", FAILS(semget(IPC_PRIVATE, 0, 0600), EINVAL) && FAILS(semget(IPC_PRIVATE, -1, 0600), EINVAL));
    CASE("all are 0", semctl(id, 0, GETVAL) == 0 && semctl(id, 2, GETVAL) == 0 && FAILS(semctl(id, 3, GETVAL), EINVAL));
    CASE("what it is", semctl(id, 0, IPC_STAT, &stat) == 0 && stat.sem_nsems == 3 && stat.sem_perm.mode == 0600 && stat.sem_otime == 0 &&
                           stat.sem_ctime > 0 && stat.sem_perm.__key == KEY);
    CASE("all set, all read", semctl(id, 0, SETALL, values) == 0 && semctl(id, 1, GETVAL) == 2 && (values[1] = 9) && semctl(id, 0, GETALL, values) == 0 &&
                                  values[0] == 1 && values[1] == 2 && values[2] == 3);
    CASE("one set", semctl(id, 1, SETVAL, 7) == 0 && semctl(id, 1, GETVAL) == 7 && semctl(id, 1, GETPID) == getpid());
    CASE("values that are none", FAILS(semctl(id, 1, SETVAL, -1), ERANGE) && FAILS(semctl(id, 1, SETVAL, 32768), ERANGE) && semctl(id, 1, SETVAL, 32767) == 0);
    CASE("no more than 32767", FAILS(change(id, 1, 1, 0), ERANGE) && semctl(id, 1, GETVAL) == 32767);
    CASE("operations", change(id, 1, -32765, 0) == 0 && semctl(id, 1, GETVAL) == 2 && change(id, 1, 3, 0) == 0 && semctl(id, 1, GETVAL) == 5);
    CASE("they leave a time", semctl(id, 0, IPC_STAT, &stat) == 0 && stat.sem_otime > 0);
    CASE("not now", FAILS(change(id, 1, -6, IPC_NOWAIT), EAGAIN) && FAILS(change(id, 1, 0, IPC_NOWAIT), EAGAIN) && semctl(id, 1, GETVAL) == 5);
    CASE("no such semaphore, no such set", FAILS(change(id, 3, 1, 0), EFBIG) && FAILS(change(-1, 0, 1, 0), EINVAL) && FAILS(change(id + 1, 0, 1, 0), EINVAL));
    CASE("no such command", FAILS(semctl(id, 0, 4242), EINVAL));
    stat.sem_perm.mode = 0640;
    CASE("set", semctl(id, 0, IPC_SET, &stat) == 0 && semctl(id, 0, IPC_STAT, &stat) == 0 && stat.sem_perm.mode == 0640);
    CASE("removed", semctl(id, 0, IPC_RMID) == 0 && FAILS(semctl(id, 0, GETVAL), EINVAL) && FAILS(semget(KEY, 0, 0), ENOENT) &&
                        FAILS(semctl(id, 0, IPC_RMID), EINVAL));
}

static void test_lists(void)
{
    int id = semget(IPC_PRIVATE, 2, 0600);
    struct sembuf both[] = {{0, 2, 0}, {1, -1, IPC_NOWAIT}}, chain[] = {{0, 1, 0}, {0, -1, 0}, {0, 0, 0}, {0, 3, 0}}, many[2000] = {{0, 0, 0}};

    CASE("all or nothing", FAILS(semop(id, both, 2), EAGAIN) && semctl(id, 0, GETVAL) == 0);
    CASE("one after the other", semop(id, chain, 4) == 0 && semctl(id, 0, GETVAL) == 3);
    CASE("too many, none, nowhere", FAILS(semop(id, many, 2000), E2BIG) && FAILS(semop(id, many, 0), EINVAL) && FAILS(semop(id, (void *)8, 1), EFAULT));
    semctl(id, 0, IPC_RMID);
}

static void handler(int signo)
{
    (void)signo;
}

static void test_waiting(void)
{
    int id = semget(IPC_PRIVATE, 2, 0600);
    struct timespec soon = {0, 20000000}, bad = {0, -1};
    struct sembuf down = {0, -1, 0}, handshake[] = {{0, 1, 0}};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    pid_t child[3];

    CASE("a time-out", FAILS(semtimedop(id, &down, 1, &soon), EAGAIN) && FAILS(semtimedop(id, &down, 1, &bad), EINVAL));
    child[0] = fork();
    if (child[0] == 0)
        _exit(change(id, 0, -2, 0) == 0 ? 3 : 4);
    until(id, 0, GETNCNT, 1);
    CASE("one is not enough", change(id, 0, 1, 0) == 0 && semctl(id, 0, GETNCNT) == 1 && semctl(id, 0, GETZCNT) == 0);
    CASE("two are", change(id, 0, 1, 0) == 0 && status_of(child[0]) == 3 && semctl(id, 0, GETVAL) == 0 && semctl(id, 0, GETPID) == child[0]);
    change(id, 0, 1, 0);
    child[0] = fork();
    if (child[0] == 0)
        _exit(change(id, 0, 0, 0) == 0 ? 5 : 6);
    until(id, 0, GETZCNT, 1);
    CASE("who waits for zero sees the shortest of them", change(id, 0, -1, 0) == 0 && change(id, 0, 1, 0) == 0 && status_of(child[0]) == 5 &&
                                                             semctl(id, 0, GETVAL) == 1);
    semctl(id, 0, SETVAL, 0);
    for (int i = 0; i < 3; i++) {
        child[i] = fork();
        if (child[i] == 0)
            _exit(change(id, 0, -1, 0) == 0 && change(id, 1, 1, 0) == 0 ? semctl(id, 1, GETVAL) : 9);
        until(id, 0, GETNCNT, i + 1);
    }
    for (int i = 0; i < 3; i++) {
        semop(id, handshake, 1);
        until(id, 1, GETVAL, i + 1);
    }
    CASE("first come, first served", status_of(child[0]) == 1 && status_of(child[1]) == 2 && status_of(child[2]) == 3);
    child[0] = fork();
    if (child[0] == 0) {
        sigaction(SIGUSR1, &action, NULL);
        _exit(FAILS(change(id, 0, -1, 0), EINTR) ? 7 : 8);
    }
    until(id, 0, GETNCNT, 1);
    usleep(10000);
    kill(child[0], SIGUSR1);
    CASE("a signal ends it, in spite of SA_RESTART", status_of(child[0]) == 7 && semctl(id, 0, GETNCNT) == 0);
    child[0] = fork();
    if (child[0] == 0)
        _exit(change(id, 0, -1, 0) == 0);
    until(id, 0, GETNCNT, 1);
    kill(child[0], SIGKILL);
    CASE("who is killed waits no more", status_of(child[0]) == 128 + SIGKILL && change(id, 0, 1, 0) == 0 && semctl(id, 0, GETVAL) == 1);
    semctl(id, 0, SETVAL, 0);
    child[0] = fork();
    if (child[0] == 0)
        _exit(FAILS(change(id, 0, -1, 0), EIDRM) ? 7 : 8);
    until(id, 0, GETNCNT, 1);
    CASE("removed meanwhile", semctl(id, 0, IPC_RMID) == 0 && status_of(child[0]) == 7);
}

static void test_undo(void)
{
    int id = semget(IPC_PRIVATE, 2, 0600);
    pid_t child;

    semctl(id, 0, SETVAL, 5);
    child = fork();
    if (child == 0) {
        change(id, 0, -2, SEM_UNDO);
        change(id, 0, -1, 0);
        change(id, 1, 4, SEM_UNDO);
        if (fork() == 0)
            _exit(0); /* it has nothing to undo */
        wait(NULL);
        _exit(semctl(id, 0, GETVAL) == 2 && semctl(id, 1, GETVAL) == 4 ? 3 : 4);
    }
    CASE("undone at the end", status_of(child) == 3 && semctl(id, 0, GETVAL) == 4 && semctl(id, 1, GETVAL) == 0);
    child = fork();
    if (child == 0) {
        change(id, 0, -4, SEM_UNDO);
        raise(SIGKILL);
    }
    CASE("of who is killed, too", status_of(child) == 128 + SIGKILL && (until(id, 0, GETVAL, 4), true));
    child = fork();
    if (child == 0) {
        change(id, 0, -4, SEM_UNDO);
        execl("/bin/true", "true", (char *)NULL);
        _exit(9);
    }
    CASE("after another program", status_of(child) == 0 && semctl(id, 0, GETVAL) == 4);
    child = fork();
    if (child == 0) {
        change(id, 0, -4, SEM_UNDO);
        semctl(id, 0, SETVAL, 1);
        _exit(0);
    }
    CASE("SETVAL forgets it", status_of(child) == 0 && semctl(id, 0, GETVAL) == 1);
    semctl(id, 0, SETVAL, 0);
    child = fork();
    if (child == 0) {
        change(id, 0, 1, SEM_UNDO);
        change(id, 1, 1, 0);
        _exit(change(id, 1, -2, 0));
    }
    until(id, 1, GETVAL, 1);
    change(id, 0, -1, 0);
    change(id, 1, 1, 0);
    CASE("no value below 0 comes of it", status_of(child) == 0 && semctl(id, 0, GETVAL) == 0);
    child = fork();
    if (child == 0) {
        change(id, 0, 3, 0);
        change(id, 0, -3, SEM_UNDO);
        change(id, 1, 1, 0);
        pause();
    }
    until(id, 1, GETVAL, 1);
    if (fork() == 0)
        _exit(change(id, 0, -3, 0) == 0 ? 5 : 6);
    until(id, 0, GETNCNT, 1);
    kill(child, SIGKILL);
    {
        int first, second;

        wait(&first);
        wait(&second);
        CASE("who waits goes on when it is undone", (WIFEXITED(first) && WEXITSTATUS(first) == 5) || (WIFEXITED(second) && WEXITSTATUS(second) == 5));
    }
    semctl(id, 0, IPC_RMID);
}

static int stranger(int id, int set)
{
    struct semid_ds stat;

    if (setgid(USER) || setuid(USER))
        return 1;
    if (!FAILS(change(id, 0, 1, 0), EACCES) || !FAILS(semctl(id, 0, GETVAL), EACCES) || !FAILS(semctl(id, 0, IPC_RMID), EPERM) ||
        !FAILS(semctl(id, 0, IPC_STAT, &stat), EACCES) || !FAILS(semget(KEY, 0, 0600), EACCES))
        return 2;
    if (semctl(set, 0, GETVAL) != 0 || !FAILS(change(set, 0, 1, 0), EACCES) || change(set, 0, 0, 0) || !FAILS(semctl(set, 0, SETVAL, 1), EACCES))
        return 3;
    return 0;
}

static void test_permissions(void)
{
    int id = semget(KEY, 1, IPC_CREAT | 0600), readable = semget(IPC_PRIVATE, 1, 0644);
    pid_t child = fork();

    if (child == 0)
        _exit(stranger(id, readable));
    CASE("another user", status_of(child) == 0);
    semctl(id, 0, IPC_RMID);
    semctl(readable, 0, IPC_RMID);
}

static int shared, counter;

static void *work(void *unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        change(shared, 0, -1, SEM_UNDO);
        counter++;
        change(shared, 0, 1, SEM_UNDO);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread[4];

    shared = semget(IPC_PRIVATE, 1, 0600);
    semctl(shared, 0, SETVAL, 1);
    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    CASE("between threads", counter == 1200 && semctl(shared, 0, GETVAL) == 1);
    semctl(shared, 0, IPC_RMID);
}

static void test_limits(void)
{
    int ids[200], made = 0;
    struct seminfo info;

    CASE("limits", semctl(0, 0, IPC_INFO, &info) >= 0 && info.semmni > 0 && info.semvmx == 32767 && info.semopm >= 32);
    CASE("more semaphores than a set has", FAILS(semget(IPC_PRIVATE, info.semmsl + 1, 0600), EINVAL));
    while (made < 200 && (ids[made] = semget(IPC_PRIVATE, 1, 0600)) >= 0)
        made++;
    CASE("many sets", made == 200 || errno == ENOSPC);
    while (made > 0)
        semctl(ids[--made], 0, IPC_RMID);
    CASE("all given back", semctl(0, 0, SEM_INFO, &info) >= 0 && info.semusz == 0 && info.semaem == 0);
}

int main(void)
{
    test_basics();
    test_lists();
    test_waiting();
    test_undo();
    test_permissions();
    test_threads();
    test_limits();
    return tap_finish();
}
