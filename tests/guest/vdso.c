/*
 * The functions that the C library finds in the image that AT_SYSINFO_EHDR names: looked up here by an own reader of the image, compared with the system
 * calls, interrupted by signals, called with bad addresses, in threads and children. Runs on Linux as well.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000l
#define MOST_SYMBOLS 64

typedef long clock_function(int, struct timespec *);

static clock_function *gettime, *getres;
static long (*gettimeofday_function)(struct timeval *, void *);
static long (*time_function)(time_t *);
static long (*getcpu_function)(unsigned *, unsigned *, void *);

/* What the dynamic section of the image says, by tags. Addresses are as the image's own, so the difference is added. */
static const Elf64_Dyn *find(const Elf64_Dyn *entries, long tag)
{
    for (; entries->d_tag != DT_NULL; entries++)
        if (entries->d_tag == tag)
            return entries;
    return NULL;
}

static bool version_is_2_6(uintptr_t bias, const Elf64_Dyn *entries, const char *strings, unsigned symbol)
{
    const Elf64_Half *versions = (const void *)(find(entries, DT_VERSYM)->d_un.d_ptr + bias);
    const char *place = (const char *)(find(entries, DT_VERDEF)->d_un.d_ptr + bias);

    for (;;) {
        const Elf64_Verdef *definition = (const void *)place;
        const Elf64_Verdaux *name = (const void *)(place + definition->vd_aux);

        if (definition->vd_ndx == (versions[symbol] & 0x7fff))
            return strcmp(strings + name->vda_name, "LINUX_2.6") == 0;
        if (!definition->vd_next)
            return false;
        place += definition->vd_next;
    }
}

/* By the hash table, as a dynamic linker goes through it. */
static void *look_up(const char *name)
{
    const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
    const Elf64_Ehdr *header = (const void *)base;
    const Elf64_Phdr *segments = (const void *)(base + header->e_phoff);
    const Elf64_Dyn *entries = NULL;
    uintptr_t bias = (uintptr_t)base;
    const uint32_t *hashes;
    const Elf64_Sym *symbols;
    const char *strings;
    uint32_t hash = 0, buckets, at, steps = 0;

    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD)
            bias = (uintptr_t)base + segments[i].p_offset - segments[i].p_vaddr;
        if (segments[i].p_type == PT_DYNAMIC)
            entries = (const void *)(base + segments[i].p_offset);
    }
    hashes = (const void *)(find(entries, DT_HASH)->d_un.d_ptr + bias);
    symbols = (const void *)(find(entries, DT_SYMTAB)->d_un.d_ptr + bias);
    strings = (const char *)(find(entries, DT_STRTAB)->d_un.d_ptr + bias);
    for (const char *c = name; *c; c++) {
        hash = (hash << 4) + (unsigned char)*c;
        hash = (hash ^ (hash & 0xf0000000) >> 24) & 0x0fffffff;
    }
    buckets = hashes[0];
    for (at = hashes[2 + hash % buckets]; at && steps < MOST_SYMBOLS; at = hashes[2 + buckets + at], steps++)
        if (strcmp(strings + symbols[at].st_name, name) == 0)
            return symbols[at].st_shndx && version_is_2_6(bias, entries, strings, at) ? (void *)(symbols[at].st_value + bias) : NULL;
    return NULL;
}

static long ns_of(const struct timespec *time)
{
    return time->tv_sec * SECOND + time->tv_nsec;
}

/* The function's time lies between two of the call's. */
static bool agrees(int clock)
{
    struct timespec before, between, after;

    return syscall(SYS_clock_gettime, clock, &before) == 0 && gettime(clock, &between) == 0 && syscall(SYS_clock_gettime, clock, &after) == 0 &&
           between.tv_nsec >= 0 && between.tv_nsec < SECOND && ns_of(&before) <= ns_of(&between) && ns_of(&between) <= ns_of(&after);
}

static volatile int interrupts;
static volatile bool backwards;

static void on_alarm(int signo)
{
    struct timespec now;
    static long last;

    (void)signo;
    gettime(CLOCK_MONOTONIC, &now);
    if (ns_of(&now) < last)
        backwards = true;
    last = ns_of(&now);
    interrupts++;
}

/* Signals in the middle of the functions, whose handler calls them, too. */
static void storm(void)
{
    const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    struct timespec now, last = {0, 0};
    bool good = true;

    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &often, NULL);
    while (interrupts < 200) {
        good &= gettime(CLOCK_MONOTONIC, &now) == 0 && ns_of(&now) >= ns_of(&last);
        last = now;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    CASE("signals come in between", good && !backwards);
}

static sigjmp_buf back;
static volatile uintptr_t fault;

static void on_fault(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    fault = (uintptr_t)info->si_addr;
    siglongjmp(back, 1);
}

static void bad_addresses(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    struct timespec *volatile wild = (struct timespec *)8;

    action.sa_sigaction = on_fault;
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(back, 1) == 0)
        gettime(CLOCK_MONOTONIC, wild);
    CASE("a bad address is the program's own fault", fault >= 8 && fault <= 16);
    CASE("the call says EFAULT", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, wild) == -1 && errno == EFAULT);
    signal(SIGSEGV, SIG_DFL);
}

static void *in_thread(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10000; i++)
        if (!agrees(CLOCK_MONOTONIC))
            return "no";
    return NULL;
}

static void elsewhere(void)
{
    pthread_t thread;
    void *wrong = "none";
    int status = -1;
    pid_t child;

    CASE("in a thread", pthread_create(&thread, NULL, in_thread, NULL) == 0 && in_thread(NULL) == NULL && pthread_join(thread, &wrong) == 0 && !wrong);
    child = fork();
    if (child == 0)
        _exit(agrees(CLOCK_REALTIME) && agrees(CLOCK_MONOTONIC) ? 0 : 1);
    CASE("in a child", waitpid(child, &status, 0) == child && status == 0);
}

static void set(void)
{
    struct timespec now, then;

    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    then = now;
    then.tv_sec += 1000;
    CASE("a clock that is set", clock_settime(CLOCK_REALTIME, &then) == 0 && agrees(CLOCK_REALTIME) && time_function(NULL) >= then.tv_sec &&
                                    gettime(CLOCK_REALTIME, &then) == 0 && then.tv_sec >= now.tv_sec + 1000);
    clock_settime(CLOCK_REALTIME, &now);
}

int main(void)
{
    const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    struct timespec time, call;
    struct timeval day, call_day;
    time_t seconds = 0;
    unsigned cpu = 99, node = 99;
    bool good = true;

    CASE("there is an image", memcmp((const void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, SELFMAG) == 0);
    gettime = (clock_function *)look_up("__vdso_clock_gettime");
    getres = (clock_function *)look_up("__vdso_clock_getres");
    gettimeofday_function = (long (*)(struct timeval *, void *))look_up("__vdso_gettimeofday");
    time_function = (long (*)(time_t *))look_up("__vdso_time");
    getcpu_function = (long (*)(unsigned *, unsigned *, void *))look_up("__vdso_getcpu");
    CASE("it has the functions", gettime && getres && gettimeofday_function && time_function && getcpu_function);
    CASE("and no other", !look_up("__vdso_nothing") && !look_up(""));
    for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
        good &= agrees(clocks[i]);
    CASE("the clocks of the calls", good);
    CASE("a clock that is not there", gettime(77, &time) == -EINVAL);
    syscall(SYS_gettimeofday, &call_day, NULL);
    CASE("time of day", gettimeofday_function(&day, NULL) == 0 && day.tv_usec < 1000000 &&
                            (day.tv_sec - call_day.tv_sec) * 1000000 + day.tv_usec - call_day.tv_usec >= 0 && gettimeofday_function(NULL, NULL) == 0);
    CASE("seconds", time_function(&seconds) == seconds && seconds >= day.tv_sec && time_function(NULL) >= seconds);
    CASE("how fine", getres(CLOCK_MONOTONIC, &time) == 0 && syscall(SYS_clock_getres, CLOCK_MONOTONIC, &call) == 0 && ns_of(&time) == ns_of(&call) &&
                         getres(77, &time) == -EINVAL);
    CASE("which processor", getcpu_function(&cpu, &node, NULL) == 0 && cpu < 8 && node == 0 && getcpu_function(NULL, NULL, NULL) == 0);
    storm();
    bad_addresses();
    elsewhere();
    set();
    return tap_finish();
}
