/* Page faults and mappings. */
#define _GNU_SOURCE
#include "bench.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 256 /* a region of 1 MiB: below the size of a large page, so that every page faults */

static char *map_region(void)
{
    char *region = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        fail("mmap");
    return region;
}

static void touch(volatile char *region, long pages)
{
    for (long i = 0; i < pages; i++)
        region[i * PAGE] = 1;
}

/* The first write to an anonymous page. Mapping and unmapping are not timed. */
static uint64_t anon_fault(long n)
{
    uint64_t took = 0;
    while (n > 0) {
        long pages = n < PAGES ? n : PAGES;
        char *region = map_region();
        uint64_t start = ticks_now();
        touch(region, pages);
        took += ticks_now() - start;
        munmap(region, PAGES * PAGE);
        n -= pages;
    }
    return took;
}

/* A child that holds the address space until the pipe closes. */
static pid_t holding_child(int end[2])
{
    must(pipe(end), "pipe");
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0) {
        char byte;
        close(end[1]);
        while (read(end[0], &byte, 1) > 0)
            ;
        _exit(0);
    }
    close(end[0]);
    return child;
}

/* The first write to a page that a forked child shares. Forking is not timed. */
static uint64_t cow_fault(long n)
{
    char *region = map_region();
    uint64_t took = 0;
    while (n > 0) {
        long pages = n < PAGES ? n : PAGES;
        int end[2];
        touch(region, PAGES);
        pid_t child = holding_child(end);
        uint64_t start = ticks_now();
        touch(region, pages);
        took += ticks_now() - start;
        close(end[1]);
        must(waitpid(child, NULL, 0), "waitpid");
        n -= pages;
    }
    munmap(region, PAGES * PAGE);
    return took;
}

static uint64_t map_unmap(long n)
{
    return TIMED(n, ({
        char *region = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (region == MAP_FAILED)
            fail("mmap");
        munmap(region, 65536);
    }));
}

static char *protected_page;

static void unprotect(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    if (mprotect(protected_page, PAGE, PROT_READ | PROT_WRITE) < 0)
        _exit(1);
}

/* A write to a read-only page, its handler that permits the write, and taking the permission away again. */
static uint64_t protection_fault(long n)
{
    struct sigaction action = {.sa_sigaction = unprotect, .sa_flags = SA_SIGINFO}, old;
    protected_page = map_region();
    sigaction(SIGSEGV, &action, &old);
    uint64_t took = TIMED(n, ({
        mprotect(protected_page, PAGE, PROT_READ);
        *(volatile char *)protected_page = 1;
    }));
    sigaction(SIGSEGV, &old, NULL);
    munmap(protected_page, PAGES * PAGE);
    return took;
}

const struct bench_case memory_cases[] = {
    {"anon_fault", anon_fault, 1024},
    {"cow_fault", cow_fault, 1024},
    {"mmap_munmap", map_unmap, 1000},
    {"protection_fault", protection_fault, 500},
    {0},
};
