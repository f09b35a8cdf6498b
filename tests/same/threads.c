/*
 * Threads, semaphores and shared memory of POSIX, asynchronous I/O, timers with threads, posix_spawn: as a C library makes them.
 * long: a family is a list of calls, and of what they need.
 */
#include "probe.h"
#include <pthread.h>
#include <semaphore.h>
#include <aio.h>
#include <spawn.h>
static void *sleeper(void *a) { for (;;) pause(); return a; }
static void *ret(void *a) { return a; }
static int cleaned;
static void clean(void *a) { cleaned += (int)(long)a; }
static void *cancelled(void *a) { pthread_cleanup_push(clean, (void *)1); pthread_cleanup_push(clean, (void *)10); for (;;) pthread_testcancel();
pthread_cleanup_pop(0); pthread_cleanup_pop(0); return a; }
static void *noncancel(void *a) { int o; pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &o); usleep(20000); pthread_testcancel(); return (void *)77; }
static void *async(void *a) { int o; pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &o); for (;;) ; return a; }
static pthread_mutex_t mx; static pthread_cond_t cv = PTHREAD_COND_INITIALIZER; static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t bar; static int woken;
static void *tryer(void *a) { return (void *)(long)pthread_mutex_trylock(&mx); }
static void *unlocker(void *a) { return (void *)(long)pthread_mutex_unlock(&mx); }
static void *waiter(void *a) { pthread_mutex_lock(&mx); while (!woken) pthread_cond_wait(&cv, &mx); pthread_mutex_unlock(&mx); return (void *)5; }
static void *robust(void *a) { pthread_mutex_lock(&mx); return 0; }
static void *rdtry(void *a) { return (void *)(long)pthread_rwlock_tryrdlock(&rw); }
static void *wrtry(void *a) { return (void *)(long)pthread_rwlock_trywrlock(&rw); }
static void *barrier(void *a) { int r = pthread_barrier_wait(&bar); return (void *)(long)(r == PTHREAD_BARRIER_SERIAL_THREAD); }
static void *sigged(void *a) { sigset_t s; int n; sigemptyset(&s); sigaddset(&s, SIGUSR1); sigwait(&s, &n); return (void *)(long)n; }
#define IN(f) ({ pthread_t t_; void *r_; pthread_create(&t_, 0, f, 0); pthread_join(t_, &r_); (long)r_; })
static int keys; static void destroy(void *a) { keys++; } static pthread_key_t key; static void *keyed(void *a) { pthread_setspecific(key, (void *)1);
return 0; }
static pthread_once_t once = PTHREAD_ONCE_INIT; static int onces; static void do_once(void) { onces++; }

static void threads(void)
{
    pthread_t t; void *r; struct timespec past = {1, 0}, soon; pthread_attr_t at; pthread_mutexattr_t ma; size_t z; int v; struct sched_param sp;
    P(pthread_create(&t, 0, ret, (void *)9)); P(pthread_join(t, &r)); V((long)r); pthread_create(&t, 0, cancelled, 0); P(pthread_cancel(t));
    P(pthread_join(t, &r)); P(r == PTHREAD_CANCELED); V(cleaned); pthread_create(&t, 0, noncancel, 0); P(pthread_cancel(t)); P(pthread_join(t, &r));
    P((long)r); pthread_create(&t, 0, async, 0); usleep(10000); P(pthread_cancel(t)); P(pthread_join(t, &r)); P(r == PTHREAD_CANCELED);
    pthread_create(&t, 0, sleeper, 0); P(pthread_kill(t, 0)); P(pthread_kill(t, 999)); P(pthread_cancel(t)); P(pthread_join(t, 0));
    pthread_create(&t, 0, ret, 0); P(pthread_detach(t)); P(pthread_join(pthread_self(), 0));
    pthread_attr_init(&at); P(pthread_attr_setstacksize(&at, 100)); P(pthread_attr_setstacksize(&at, 65536)); P(pthread_attr_getstacksize(&at, &z)); V(z);
    P(pthread_attr_setdetachstate(&at, 99)); P(pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED)); P(pthread_attr_setschedpolicy(&at, SCHED_FIFO));
    P(pthread_attr_setinheritsched(&at, PTHREAD_EXPLICIT_SCHED)); sp.sched_priority = 10; P(pthread_attr_setschedparam(&at, &sp));
    P(pthread_attr_setscope(&at, PTHREAD_SCOPE_PROCESS)); P(pthread_create(&t, &at, ret, 0)); AS_USER(P(pthread_create(&t, &at, ret, 0)));
    P(pthread_attr_destroy(&at));
    pthread_mutexattr_init(&ma); P(pthread_mutexattr_settype(&ma, 99)); pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mx, &ma); P(pthread_mutex_unlock(&mx)); P(pthread_mutex_lock(&mx)); P(pthread_mutex_lock(&mx)); P(IN(tryer)); P(IN(unlocker));
    P(pthread_mutex_unlock(&mx)); P(pthread_mutex_destroy(&mx)); pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_RECURSIVE); pthread_mutex_init(&mx, &ma);
    P(pthread_mutex_lock(&mx)); P(pthread_mutex_lock(&mx)); P(pthread_mutex_unlock(&mx)); P(IN(tryer)); P(pthread_mutex_unlock(&mx));
    pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_NORMAL); P(pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST)); pthread_mutex_init(&mx, &ma);
    IN(robust); P(pthread_mutex_lock(&mx)); P(pthread_mutex_consistent(&mx)); P(pthread_mutex_unlock(&mx)); IN(robust); P(pthread_mutex_lock(&mx));
    P(pthread_mutex_unlock(&mx)); P(pthread_mutex_lock(&mx)); pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_STALLED);
    P(pthread_mutexattr_setprotocol(&ma, PTHREAD_PRIO_INHERIT)); pthread_mutex_init(&mx, &ma); P(pthread_mutex_lock(&mx)); P(IN(tryer));
    P(pthread_mutex_unlock(&mx)); pthread_mutexattr_init(&ma); pthread_mutex_init(&mx, &ma); pthread_mutex_lock(&mx);
    P(pthread_mutex_timedlock(&mx, &past)); past.tv_nsec = -1; P(pthread_mutex_timedlock(&mx, &past)); past.tv_nsec = 0;
    P(pthread_cond_timedwait(&cv, &mx, &past)); past.tv_nsec = 1000000000; P(pthread_cond_timedwait(&cv, &mx, &past)); past.tv_nsec = 0;
    pthread_mutex_unlock(&mx); pthread_create(&t, 0, waiter, 0); usleep(10000); pthread_mutex_lock(&mx); woken = 1; P(pthread_cond_signal(&cv));
    pthread_mutex_unlock(&mx); pthread_join(t, &r); V((long)r);
    P(pthread_rwlock_rdlock(&rw)); P(IN(rdtry)); P(IN(wrtry)); P(pthread_rwlock_timedwrlock(&rw, &past)); pthread_rwlock_unlock(&rw);
    pthread_rwlock_unlock(&rw); P(pthread_rwlock_wrlock(&rw)); P(IN(rdtry)); P(pthread_rwlock_unlock(&rw)); P(pthread_barrier_init(&bar, 0, 0));
    P(pthread_barrier_init(&bar, 0, 2)); pthread_create(&t, 0, barrier, 0); v = pthread_barrier_wait(&bar); pthread_join(t, &r);
    P((v == PTHREAD_BARRIER_SERIAL_THREAD) + (long)r); P(pthread_key_create(&key, destroy)); IN(keyed); V(keys); P(pthread_key_delete(key));
    pthread_once(&once, do_once); pthread_once(&once, do_once); V(onces); sigset_t ss; sigemptyset(&ss); sigaddset(&ss, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &ss, 0); pthread_create(&t, 0, sigged, 0); P(pthread_kill(t, SIGUSR1)); pthread_join(t, &r); V((long)r);
    P(pthread_sigmask(99, &ss, 0)); P(pthread_getschedparam(pthread_self(), &v, &sp)); V(v); sp.sched_priority = 3;
    P(pthread_setschedparam(pthread_self(), SCHED_RR, &sp)); P(pthread_getschedparam(pthread_self(), &v, &sp)); V(v);
    P(pthread_setschedprio(pthread_self(), 5)); P(pthread_setschedparam(pthread_self(), 99, &sp)); sp.sched_priority = 0;
    P(pthread_setschedparam(pthread_self(), 0, &sp)); clockid_t c; P(pthread_getcpuclockid(pthread_self(), &c)); clock_gettime(CLOCK_REALTIME, &soon);
    sem_t s; P(sem_init(&s, 0, -1)); P(sem_init(&s, 1, 2)); P(sem_getvalue(&s, &v)); V(v); P(sem_wait(&s)); P(sem_trywait(&s)); P(sem_trywait(&s));
    P(sem_timedwait(&s, &past)); past.tv_nsec = -1; P(sem_timedwait(&s, &past)); past.tv_nsec = 0; P(sem_post(&s)); P(sem_timedwait(&s, &past));
    sem_init(&s, 0, 0x7fffffff); P(sem_post(&s)); sem_t *n = sem_open("/probe-s", O_CREAT | O_EXCL, 0600, 1); P(n != SEM_FAILED);
    P(sem_open("/probe-s", O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED ? -1 : 0); P(sem_open("/probe-n", 0) == SEM_FAILED ? -1 : 0);
    P(sem_open("", 0) == SEM_FAILED ? -1 : 0); P(sem_open("/a/b", O_CREAT, 0600, 1) == SEM_FAILED ? -1 : 0); CHILD(P(sem_trywait(n)); P(sem_trywait(n)));
    P(sem_getvalue(n, &v)); V(v); P(sem_close(n)); P(sem_unlink("/probe-s")); P(sem_unlink("/probe-s")); P(shm_open("/probe-m", O_RDWR, 0));
    P(shm_open("/probe-m", O_RDWR | O_CREAT | O_EXCL, 0600)); P(shm_open("/probe-m", O_RDWR | O_CREAT | O_EXCL, 0600));
    P(shm_open("/x/y", O_RDWR | O_CREAT, 0600)); P(shm_open("/probe-m", O_RDONLY | O_TRUNC, 0)); P(shm_unlink("/probe-m")); P(shm_unlink("/probe-m"));
    P(shm_unlink(""));
}
static int got; static void note(int s, siginfo_t *i, void *u) { got = i->si_value.sival_int; } static void fnote(union sigval v) { got = v.sival_int; }

static void aios(void)
{
    char b[100] = "hello"; int fd = open("f", O_CREAT | O_RDWR, 0600), p[2];
    struct aiocb c = {.aio_fildes = fd, .aio_buf = b, .aio_nbytes = 5, .aio_sigevent.sigev_notify = SIGEV_NONE}; const struct aiocb *l[2] = {&c, 0};
    struct timespec ts = {5, 0}; pipe(p);
#define WAIT(c) ({ while (aio_error(&c) == EINPROGRESS) aio_suspend((const struct aiocb *[]){&c}, 1, 0); })
    P(aio_write(&c)); WAIT(c); P(aio_error(&c)); P(aio_return(&c)); memset(b, 0, 100); c.aio_nbytes = 100; P(aio_read(&c)); P(aio_suspend(l, 1, &ts));
    P(aio_error(&c)); P(aio_return(&c)); S(b); c.aio_fildes = 99; P(aio_read(&c)); WAIT(c); P(aio_error(&c)); P(aio_return(&c)); c.aio_fildes = fd;
    c.aio_offset = -1; P(aio_read(&c)); WAIT(c); P(aio_error(&c)); c.aio_offset = 0; c.aio_nbytes = 1; P(aio_fsync(O_SYNC, &c)); WAIT(c); P(aio_error(&c));
    P(aio_fsync(99, &c)); c.aio_fildes = p[0]; P(aio_read(&c)); P(aio_error(&c)); write(p[1], "z", 1); WAIT(c); P(aio_return(&c)); S(b);
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO}; sigaction(SIGRTMIN, &sa, 0); c.aio_fildes = fd;
    c.aio_sigevent.sigev_notify = SIGEV_SIGNAL; c.aio_sigevent.sigev_signo = SIGRTMIN; c.aio_sigevent.sigev_value.sival_int = 55; P(aio_read(&c)); WAIT(c);
    for (int i = 0; i < 1000 && !got; i++) usleep(1000); V(got); c.aio_sigevent.sigev_notify = SIGEV_NONE; c.aio_lio_opcode = LIO_READ;
    struct aiocb *ll[2] = {&c, 0}; P(lio_listio(LIO_WAIT, ll, 2, 0)); P(aio_error(&c)); P(lio_listio(99, ll, 1, 0)); P(lio_listio(LIO_WAIT, ll, -1, 0));
    timer_t t; struct sigevent se = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = fnote, .sigev_value.sival_int = 66}; got = 0;
    P(timer_create(CLOCK_MONOTONIC, &se, &t)); struct itimerspec it = {{0, 0}, {0, 1000000}}; P(timer_settime(t, 0, &it, 0));
    for (int i = 0; i < 1000 && !got; i++) usleep(1000); V(got); P(timer_delete(t));
    posix_spawn_file_actions_t fa; posix_spawnattr_t sa2; pid_t pid; int st;
    char *av[] = {"sh", "-c", "exit 4", 0}, *say[] = {"sh", "-c", "echo spawned", 0}, *ev[] = {0}; fflush(stdout); posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&sa2); P(posix_spawn(&pid, "/bin/sh", &fa, &sa2, av, ev)); waitpid(pid, &st, 0); probe_status(st);
    P(posix_spawn(&pid, "/none", &fa, &sa2, av, ev)); posix_spawn_file_actions_addclose(&fa, 77); P(posix_spawn(&pid, "/bin/sh", &fa, &sa2, av, ev));
    waitpid(pid, &st, 0); posix_spawn_file_actions_init(&fa); posix_spawn_file_actions_addopen(&fa, 1, "out", O_CREAT | O_WRONLY, 0600);
    posix_spawnattr_setflags(&sa2, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    P(posix_spawn(&pid, "/bin/sh", &fa, &sa2, say, ev)); waitpid(pid, &st, 0); struct stat ss; P(stat("out", &ss)); V(ss.st_size);
    P(posix_spawnp(&pid, "nothing-there", 0, 0, av, ev)); P(system("exit 3")); P(system(NULL) != 0); FILE *f = popen("cat >/dev/null; exit 5", "w");
    P(pclose(f));
}

int main(int argc, char **argv)
{
    RUN(threads);
    RUN(aios);
}
