/*
 * exobench [-i REPETITIONS] [-t MILLISECONDS] [--tsc] [--list] [CASE...]
 * exobench [-i REPETITIONS] --run NAME PROGRAM [ARGUMENT...]
 * Prints a line a case: name, nanoseconds (or ticks) per operation: median, lowest, highest over the repetitions, and the
 * operations of one repetition. A case that does not exist on this system is left out. Times are at a pace at which an operation of the control
 * int_loop takes 100 ns: a host that is shared changes its own by a factor of two, so the control runs before and after each repetition. Programs run
 * for seconds, in which it changes more than once: their times are as they are (bench/turns.py has the systems meet the same pace).
 * --tsc: ticks of the time stamp counter, (T(3N) - T(N)) / 2N, so that what comes before and after cancels. Under QEMU's
 * -icount shift=0 a tick is an instruction.
 * --run: the case NAME is one whole run of PROGRAM, found on the path, whose output is thrown away. One run more comes first, if there are several.
 */
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPETITIONS_MAX 1000
#define PACE_NS 100.0
#define PACE_OPERATIONS 20000    /* a tenth of a repetition */
#define OPERATIONS_MAX (1L << 30)

static const struct bench_case *const tables[] = {call_cases, file_cases, memory_cases, process_cases, pipe_cases, stream_cases,
                                                 thread_cases, wait_cases};
static bool use_tsc;
static int repetitions = 11;
static long repetition_ns = 20 * 1000000L;

uint64_t ticks_now(void)
{
    if (use_tsc) {
        uint32_t low, high;
        __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
        return (uint64_t)high << 32 | low;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void fail(const char *what)
{
    fprintf(stderr, "exobench: %s: %s\n", what, strerror(errno));
    exit(1);
}

long must(long result, const char *what)
{
    if (result < 0)
        fail(what);
    return result;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The number of operations that takes about as long as one repetition should. */
static long calibrate(const struct bench_case *one)
{
    long n = 1;
    while (n < OPERATIONS_MAX) {
        uint64_t took = one->run(n);
        if (took == NOT_HERE)
            return 0;
        if (took >= (uint64_t)repetition_ns / 4) {
            long fitting = (long)((double)n * (double)repetition_ns / (double)took);
            return fitting < 1 ? 1 : fitting;
        }
        n *= took < (uint64_t)repetition_ns / 64 ? 8 : 2;
    }
    return n;
}

/* Median, lowest and highest of the repetitions. */
static void print_case(const char *name, double *figures, long n)
{
    qsort(figures, (size_t)repetitions, sizeof figures[0], compare_doubles);
    printf("%s %.1f %.1f %.1f %ld\n", name, figures[repetitions / 2], figures[0], figures[repetitions - 1], n);
}

/* How long an operation of the control takes now. */
static double pace_now(long operations)
{
    return (double)call_cases[0].run(operations) / (double)operations;
}

/* What took so long between these two. Ticks are counted, and need no pace. */
static double at_pace(double took, double before, double after)
{
    return use_tsc ? took : took * 2 * PACE_NS / (before + after);
}

static void time_case(const struct bench_case *one)
{
    double before, after;
    static double per_operation[REPETITIONS_MAX];
    long n = calibrate(one); /* cold: the translator is still at work, and a handful of operations takes as long as thousands later */
    if (n == 0)
        return;
    n = calibrate(one);
    (void)one->run(n);
    n = calibrate(one);
    after = pace_now(PACE_OPERATIONS);
    for (int i = 0; i < repetitions; i++) {
        before = after;
        per_operation[i] = (double)one->run(n) / (double)n;
        after = pace_now(PACE_OPERATIONS);
        per_operation[i] = at_pace(per_operation[i], before, after);
    }
    print_case(one->name, per_operation, n);
}

static void count_case(const struct bench_case *one)
{
    long n = one->count_operations;
    if (one->run(n) == NOT_HERE) /* the first run also warms caches and fills page tables */
        return;
    uint64_t once = one->run(n), thrice = one->run(3 * n);
    double ticks = ((double)thrice - (double)once) / (double)(2 * n);
    printf("%s %.1f %.1f %.1f %ld\n", one->name, ticks, ticks, ticks, n);
}

static void run_program(char **words)
{
    pid_t child = (pid_t)must(fork(), "fork");
    int status, null;
    if (child == 0) {
        null = (int)must(open("/dev/null", O_WRONLY), "/dev/null");
        must(dup2(null, STDOUT_FILENO), "dup2");
        execvp(words[0], words);
        fail(words[0]);
    }
    must(waitpid(child, &status, 0), "waitpid");
    if (status != 0) {
        fprintf(stderr, "exobench: %s ended with status 0x%x\n", words[0], (unsigned)status);
        exit(1);
    }
}

/* A program's start, work and end; words: the case's name, the program, its arguments. */
static void time_program(char **words)
{
    static double took[REPETITIONS_MAX];
    if (repetitions > 1 || use_tsc) /* a first run has work of its own: on Linux a second of gathering entropy for who reads urandom */
        run_program(words + 1);
    for (int i = 0; i < repetitions; i++) {
        uint64_t start = ticks_now();
        run_program(words + 1);
        took[i] = (double)(ticks_now() - start);
    }
    print_case(words[0], took, 1);
}

static bool wanted(const char *name, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return count == 0;
}

static void scratch_folder(void)
{
    if (mkdir("/tmp", 01777) < 0 && errno != EEXIST)
        fail("/tmp");
    if (mkdir("/tmp/exobench", 0755) < 0 && errno != EEXIST)
        fail("/tmp/exobench");
    must(chdir("/tmp/exobench"), "/tmp/exobench");
}

static void usage(void)
{
    fputs("usage: exobench [-i REPETITIONS] [-t MILLISECONDS] [--tsc] [--list] [CASE...]\n"
          "       exobench [-i REPETITIONS] --run NAME PROGRAM [ARGUMENT...]\n",
          stderr);
    exit(2);
}

static long number(const char *text, long low, long high)
{
    char *end;
    long value = text ? strtol(text, &end, 10) : low - 1;
    if (!text || *end || value < low || value > high)
        usage();
    return value;
}

int main(int argc, char **argv)
{
    bool list = false, run = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && !run; at++) {
        if (strcmp(argv[at], "--tsc") == 0)
            use_tsc = true;
        else if (strcmp(argv[at], "--list") == 0)
            list = true;
        else if (strcmp(argv[at], "--run") == 0)
            run = true;
        else if (strcmp(argv[at], "-i") == 0)
            repetitions = (int)number(argv[++at], 1, REPETITIONS_MAX);
        else if (strcmp(argv[at], "-t") == 0)
            repetition_ns = number(argv[++at], 1, 10000) * 1000000;
        else
            usage();
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (run) {
        if (argc - at < 2)
            usage();
        time_program(argv + at);
        return 0;
    }
    if (!list)
        scratch_folder();
    for (size_t table = 0; table < sizeof tables / sizeof tables[0]; table++)
        for (const struct bench_case *one = tables[table]; one->name; one++) {
            if (!wanted(one->name, argv + at, argc - at))
                continue;
            if (list)
                puts(one->name);
            else if (use_tsc)
                count_case(one);
            else
                time_case(one);
        }
    return 0;
}
