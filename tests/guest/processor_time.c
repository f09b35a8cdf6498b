/*
 * Processor time of threads: clocks, usage, timers and sleeps by them. What is compared is processor time with processor time. Runs on Linux as well.
 *
 * guest-test:
 */
#include "thread_help.h"

#include <sys/resource.h>

#define MS 1000000l
#define LONG (200 * MS) /* under an emulator what the machine does besides counts as processor time, too */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    return clock_gettime(clock, &now) == 0 ? now.tv_sec * 1000000000l + now.tv_nsec : -errno;
}

static int64_t usage_ns(int who)
{
    struct rusage usage;

    if (getrusage(who, &usage) != 0)
        return -errno;
    return ((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000l + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static int64_t began_at; /* what the last thread's clock said first */
static atomic_int ready, over;
static atomic_int tid;

static void *spin(void *ns)
{
    int64_t start = began_at = clock_ns(CLOCK_THREAD_CPUTIME_ID);

    tid = (int)syscall(SYS_gettid);
    ready = 1;
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start < (int64_t)(intptr_t)ns)
        ;
    return NULL;
}

static void *spin_on(void *unused)
{
    ready = 1;
    while (!over)
        ;
    return unused;
}

static pthread_t begin(void *(*body)(void *), int64_t ns)
{
    pthread_t thread;

    ready = over = 0;
    if (pthread_create(&thread, NULL, body, (void *)(intptr_t)ns) != 0)
        exit(99);
    while (!ready)
        sched_yield();
    return thread;
}

static void clocks(void)
{
    clockid_t clock, own;
    int64_t mine = clock_ns(CLOCK_THREAD_CPUTIME_ID), all = clock_ns(CLOCK_PROCESS_CPUTIME_ID), usage = usage_ns(RUSAGE_THREAD), before, between, after;
    pthread_t thread = begin(spin, LONG);

    (void)pthread_getcpuclockid(thread, &clock);
    (void)pthread_getcpuclockid(pthread_self(), &own);
    between = clock_ns(clock);
    pthread_join(thread, NULL);
    CASE("who waits for a thread uses less than it", clock_ns(CLOCK_THREAD_CPUTIME_ID) - mine < LONG / 2);
    CASE("getrusage tells this thread's alone", usage_ns(RUSAGE_THREAD) - usage < LONG / 2 && usage_ns(RUSAGE_THREAD) >= 0);
    CASE("the process's has both", clock_ns(CLOCK_PROCESS_CPUTIME_ID) - all >= LONG);
    CASE("another's clock is that thread's", between >= 0);
    before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    between = clock_ns(own);
    after = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    CASE("one's own by its number is the same", before <= between && between <= after);
    CASE("a thread's clock ends with it", clock_ns(clock) == -EINVAL);
    CASE("the process's usage has the ended thread's", usage_ns(RUSAGE_SELF) >= LONG);
    pthread_join(begin(spin, 0), NULL);
    CASE("a new thread's clock begins at nothing", began_at >= 0 && began_at < LONG / 2);
}

#define CLOCK_OF(id, bits) ((clockid_t)(~(unsigned)(id) << 3 | (bits)))

static void numbers(void)
{
    pid_t pid = getpid();
    struct timespec resolution = {1, 1};

    CASE("clock 0 of a kind is one's own", clock_ns(CLOCK_OF(0, 6)) >= 0 && clock_ns(CLOCK_OF(0, 2)) >= clock_ns(CLOCK_OF(0, 6)) - 1000 * MS);
    CASE("a process's clock by its pid", clock_ns(CLOCK_OF(pid, 2)) > 0);
    CASE("the first thread's clock by its tid", clock_ns(CLOCK_OF(pid, 6)) > 0);
    CASE("which: 3 is no processor clock", clock_ns(CLOCK_OF(pid, 3)) == -EINVAL && clock_ns(CLOCK_OF(pid, 7)) == -EINVAL);
    CASE("another process's thread is not told", clock_ns(CLOCK_OF(1, 6)) == -EINVAL || pid == 1);
    CASE("a thread that is not there", clock_ns(CLOCK_OF(0x3ffffff, 6)) == -EINVAL && clock_ns(CLOCK_OF(0x3ffffff, 2)) == -EINVAL);
    CASE("resolution of a thread's clock", clock_getres(CLOCK_THREAD_CPUTIME_ID, &resolution) == 0 && resolution.tv_sec == 0 && resolution.tv_nsec == 1);
    CASE("it is not set", clock_settime(CLOCK_THREAD_CPUTIME_ID, &resolution) != 0);
    CASE("getrusage of nobody", usage_ns(2) == -EINVAL && usage_ns(-2) == -EINVAL);
}

static timer_t timer_on(clockid_t clock, int signo)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signo};
    timer_t timer;

    return timer_create(clock, &event, &timer) == 0 ? timer : (timer_t)(intptr_t)-1;
}

static void set_timer(timer_t timer, int64_t ns)
{
    const struct itimerspec when = {.it_value = {ns / 1000000000l, ns % 1000000000l}};

    if (timer_settime(timer, 0, &when, NULL) != 0)
        exit(98);
}

static void timers(void)
{
    sigset_t both;
    siginfo_t info = {0};
    clockid_t clock, gone;
    timer_t mine, others;
    struct itimerspec left, when = {.it_value = {1, 0}};
    const struct timespec none = {0};
    pthread_t thread;
    int64_t before;
    int signal;

    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &both, NULL);
    thread = begin(spin_on, 0);
    (void)pthread_getcpuclockid(thread, &clock);
    mine = timer_on(CLOCK_THREAD_CPUTIME_ID, SIGUSR1);
    others = timer_on(clock, SIGUSR2);
    set_timer(mine, 1000000 * MS);
    set_timer(others, 40 * MS);
    CASE("a timer of another thread's clock expires", sigwaitinfo(&both, &info) == SIGUSR2 && info.si_code == SI_TIMER && clock_ns(clock) >= 40 * MS);
    CASE("its remaining time is told while it runs", timer_gettime(mine, &left) == 0 && left.it_value.tv_sec >= 998);
    over = 1;
    pthread_join(thread, NULL);
    before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    set_timer(mine, 20 * MS);
    thread = begin(spin, LONG);
    pthread_join(thread, NULL);
    signal = sigtimedwait(&both, &info, &none);
    /* Who waits looks for a moment before it sleeps; on a busy host its processor may stand still in that moment. */
    CASE("that of one's own takes no notice of others'", signal == -1 || clock_ns(CLOCK_THREAD_CPUTIME_ID) - before >= 20 * MS);
    while (signal != SIGUSR1)
        signal = sigtimedwait(&both, &info, &none);
    CASE("but of one's own", clock_ns(CLOCK_THREAD_CPUTIME_ID) >= 20 * MS);
    gone = clock;
    CASE("none is made of a thread that has ended", timer_on(gone, SIGUSR1) == (timer_t)(intptr_t)-1 && errno == EINVAL);
    CASE("one that stands is not set again", timer_settime(others, 0, &when, NULL) == -1 && errno == ESRCH);
    CASE("and tells nothing", timer_gettime(others, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
    CASE("it can be deleted", timer_delete(others) == 0 && timer_delete(mine) == 0);
}

static void sleeps(void)
{
    const struct timespec some = {.tv_nsec = 30 * MS};
    clockid_t clock;
    pthread_t thread = begin(spin_on, 0);
    int64_t before;
    struct timespec until = {0};

    (void)pthread_getcpuclockid(thread, &clock);
    before = clock_ns(clock);
    CASE("a sleep by another thread's clock", clock_nanosleep(clock, 0, &some, NULL) == 0 && clock_ns(clock) - before >= 30 * MS);
    until.tv_nsec = (clock_ns(clock) + 20 * MS) % 1000000000l;
    until.tv_sec = (clock_ns(clock) + 20 * MS) / 1000000000l;
    CASE("and to a time of it", clock_nanosleep(clock, TIMER_ABSTIME, &until, NULL) == 0 && clock_ns(clock) >= until.tv_sec * 1000000000l + until.tv_nsec);
    before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    CASE("a sleep by the process's", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &some, NULL) == 0 &&
                                         clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before >= 30 * MS);
    over = 1;
    pthread_join(thread, NULL);
    (void)pthread_getcpuclockid(pthread_self(), &clock);
    CASE("one's own does not go on meanwhile", clock_nanosleep(clock, 0, &some, NULL) == EINVAL && clock_nanosleep(CLOCK_OF(0, 6), 0, &some, NULL) == EINVAL);
}

int main(void)
{
    clocks();
    numbers();
    timers();
    sleeps();
    return tap_finish();
}
