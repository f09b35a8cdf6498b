/*
 * What /proc tells of the whole system, of two processors: each counts for itself, and nothing that was counted is lost.
 * guest-test: --smp 2
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define CPUS 2
#define SLEEPS 50
#define BURN_NS 200000000l
#define BURN_TICKS 19 /* what is rounded away */

struct figures {
    unsigned long busy, idle, cpu_busy[CPUS], cpu_idle[CPUS], interrupts, switches, processes, running;
    unsigned long timers[CPUS], kicks[CPUS];
};

static void read_all(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, text, room - 1);

    text[got < 0 ? 0 : got] = '\0';
    close(fd);
}

/* After `name`, at the beginning of a line. */
static const char *after(const char *text, const char *name)
{
    for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, name, strlen(name)) == 0)
            return at + strlen(name);
    return "";
}

static int read_figures(struct figures *f)
{
    char text[4096];
    int good;

    read_all("/proc/stat", text, sizeof text);
    good = sscanf(after(text, "cpu "), " %lu 0 0 %lu", &f->busy, &f->idle) == 2 && sscanf(after(text, "intr"), "%lu", &f->interrupts) == 1 &&
           sscanf(after(text, "ctxt"), "%lu", &f->switches) == 1 && sscanf(after(text, "processes"), "%lu", &f->processes) == 1 &&
           sscanf(after(text, "procs_running"), "%lu", &f->running) == 1;
    for (int cpu = 0; cpu < CPUS; cpu++) {
        char name[8];

        snprintf(name, sizeof name, "cpu%d", cpu);
        good = good && sscanf(after(text, name), " %lu 0 0 %lu", &f->cpu_busy[cpu], &f->cpu_idle[cpu]) == 2;
    }
    good = good && !*after(text, "cpu2");
    read_all("/proc/interrupts", text, sizeof text);
    return good && sscanf(after(text, "LOC:"), "%lu %lu", &f->timers[0], &f->timers[1]) == 2 &&
           sscanf(after(text, "RES:"), "%lu %lu", &f->kicks[0], &f->kicks[1]) == 2 && strstr(text, "CPU0") && strstr(text, "CPU1");
}

static int not_back(const struct figures *before, const struct figures *now)
{
    int good = now->interrupts >= before->interrupts && now->switches >= before->switches && now->idle >= before->idle;

    for (int cpu = 0; cpu < CPUS; cpu++)
        good = good && now->cpu_idle[cpu] >= before->cpu_idle[cpu] && now->timers[cpu] >= before->timers[cpu] && now->kicks[cpu] >= before->kicks[cpu];
    return good;
}

static long used_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1000000000l + used.tv_nsec;
}

static void burn(void)
{
    long until = used_ns() + BURN_NS;

    while (used_ns() < until)
        ;
}

int main(void)
{
    struct figures before, now;
    struct timespec moment = {.tv_nsec = 2000000};
    long apart;
    int going = 1;
    double load;
    char text[100];

    CASE("they can be read, a line for each processor", read_figures(&before));
    apart = (long)(before.cpu_idle[0] + before.cpu_idle[1] - before.idle);
    CASE("the sum is the processors'", apart >= -2 && apart <= 2 && before.running >= 1);
    for (int i = 0; i < SLEEPS; i++) {
        nanosleep(&moment, NULL);
        going = going && read_figures(&now) && not_back(&before, &now);
    }
    CASE("nothing goes back", going);
    CASE("each sleep is a timer's interrupt", now.timers[0] + now.timers[1] >= before.timers[0] + before.timers[1] + SLEEPS);
    CASE("and a change of contexts", now.switches >= before.switches + SLEEPS);
    CASE("and counts as an interrupt", now.interrupts >= before.interrupts + SLEEPS);
    CASE("who sleeps leaves a processor idle", now.idle >= before.idle + SLEEPS / 10);
    read_figures(&before);
    burn();
    read_figures(&now);
    CASE("what a program uses is not idle", now.busy >= before.busy + BURN_TICKS);
    read_all("/proc/loadavg", text, sizeof text);
    CASE("who reads runs", sscanf(text, "%lf", &load) == 1 && load >= 1);
    return tap_finish();
}
