/*
 * exo top: who uses the machine, as the kernel counts it: processor time beside what the policies owe (DUE), memory by owner, gas, kernel entries. What it
 * shows of processes proc tells (inspect.h), to root of all that it sees, else of the user's own; of servers to root outside of zones.
 */
#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <exo/calls.h>
#include <exo/label.h>

#include "../../libos/posix/proto/inspect.h"
#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/proc.h"
#include "../../libos/posix/proto/server.h"
#include "exo.h"
#include "top.h"

#define GLANCES 8u          /* looks between two shown ones, for who is always ready */
#define GLANCE_SECONDS 0.02 /* no closer than that */
#define KEYS "PMGCN"

static struct sample samples[2];
static unsigned hidden; /* processes that proc told nothing of */
static volatile sig_atomic_t stopped;
static struct termios cooked;
static bool raw;

/* ---- what is there ---- */

static bool look_at(uint64_t who, bool server, struct px_inspect *answer)
{
    uint64_t words[5] = {PX_PROC_INSPECT, who, server};

    if (ask_proc(words) < 0)
        return false;
    memcpy(answer, (const void *)PX_MSG, sizeof *answer);
    return true;
}

static bool look_at_row(struct row *row, uint64_t who)
{
    bool seen = look_at(who, row->process.pid == 0, &row->now);

    row->since = row->now.env.ready;
    return seen;
}

static void take(struct sample *sample)
{
    static const struct {
        enum px_server who;
        const char *name;
    } servers[] = {{PX_SERVER_PROC, "proc"}, {PX_SERVER_FS, "fs"}, {PX_SERVER_TTY, "tty"}};
    static struct exo_process processes[MOST];
    unsigned found = exo_processes(processes, MOST - 3);
    struct timespec now;

    sample->count = hidden = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct row *row = &sample->row[sample->count];

        *row = (struct row){.process.state = 'S'};
        strcpy(row->process.name, servers[i].name);
        sample->count += look_at_row(row, servers[i].who);
    }
    for (unsigned i = 0; i < found; i++) {
        struct row *row = &sample->row[sample->count];

        *row = (struct row){.process = processes[i]};
        if (look_at_row(row, (uint64_t)processes[i].pid))
            sample->count++;
        else
            hidden += processes[i].pid != 1 && processes[i].state != 'Z';
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    sample->at_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    memset(&sample->stats, 0, sizeof sample->stats); /* the kernel writes only to pages that are there */
    if (exo_stats(&sample->stats) < 0)
        sample->stats.frames_total = 0;
}

/* ---- how much since the last look ---- */

static const struct row *before(const struct sample *last, const struct row *row)
{
    static const struct row nothing;

    for (unsigned i = 0; i < last->count; i++)
        if (last->row[i].now.env.id == row->now.env.id)
            return &last->row[i];
    return &nothing; /* it is new */
}

/* Between two shown looks: who sleeps now is not always ready. */
static void glance(struct sample *last)
{
    for (unsigned i = 0; i < last->count; i++) {
        struct row *row = &last->row[i];
        struct px_inspect now;

        if (row->process.pid && row->since && look_at((uint64_t)row->process.pid, false, &now) && now.env.id == row->now.env.id)
            row->since = now.env.ready < row->since ? now.env.ready : row->since;
    }
}

static void compare(struct sample *sample, const struct sample *last)
{
    double passed = sample->at_s - last->at_s;

    top_zone_count = 0;
    memset(top_zones, 0, sizeof top_zones);
    for (unsigned i = 0; i < sample->count; i++) {
        struct row *row = &sample->row[i];
        const struct row *was = before(last, row);
        const struct px_inspect *old = &was->now;

        row->always = was->since < row->since ? was->since : row->since;

        row->cpu = (double)(row->now.env.cpu_ns - old->env.cpu_ns) / 1e9 / passed;
        row->calls = (double)(row->now.env.calls - old->env.calls) / passed;
        row->faults = (double)(row->now.env.faults - old->env.faults) / passed;
        row->gas = row->now.gas.own ? (double)(row->now.gas.consumed - old->gas.consumed) / passed : 0;
        if (old->zone.id == row->now.zone.id)
            top_zone_of(&row->now.zone)->gas = (double)(row->now.zone_gas.consumed - old->zone_gas.consumed) / passed;
    }
    top_find_due(sample);
}

/* ---- what is shown ---- */

static unsigned long kib(uint64_t pages)
{
    return pages * PX_PAGE / 1024;
}

static unsigned room; /* lines that are left on the screen; a batch has as many as it wants */

static void end_line(void)
{
    fputs(raw ? "\033[K\n" : "\n", stdout);
    room--;
}

static void show_machine(const struct sample *sample, const struct sample *last)
{
    const struct exo_stats *now = &sample->stats, *old = &last->stats;
    double passed = sample->at_s - last->at_s, idle = (double)(now->idle_ns - old->idle_ns) / 1e9 / passed / top_cpus;
    unsigned long known = now->kernel_frames + now->frames_free, up = (unsigned long)sample->at_s;

    printf("exo top: up %lu:%02lu:%02lu, %u processor%s %.1f %% used, %lu contexts, %lu of them ready", up / 3600, up / 60 % 60, up % 60, top_cpus,
           top_cpus == 1 ? "" : "s", 100 * (idle > 1 ? 0 : 1 - idle), now->contexts, now->running);
    end_line();
#define RATE(field) ((double)(now->field - old->field) / passed)
    printf("a second: %.0f switches, %.0f messages, %.0f kernel calls, %.0f system calls, %.0f faults, %.0f copies on write, %.0f interrupts", RATE(switches),
           RATE(ipc_calls), RATE(calls), RATE(redirects), RATE(faults), RATE(cow_copies), RATE(interrupts));
#undef RATE
    end_line();
    printf("KiB: %lu in all, %lu the kernel's", kib(now->frames_total), kib(now->kernel_frames));
    for (unsigned i = 0; i < top_zone_count; i++)
        if (!top_zone_above(&top_zones[i])) {
            bool servers = top_is_servers(sample, &top_zones[i]);

            printf(", %lu the %s'", kib(top_zones[i].status.frames), servers ? "servers" : "processes");
            known += top_zones[i].status.frames;
        }
    printf(", %lu the boot image's and others', %lu free; bytes of the kernel's stack that were used at the deepest:", kib(now->frames_total - known),
           kib(now->frames_free));
    for (unsigned i = 0; i < top_cpus && i < 8; i++)
        printf(" %lu", now->cpu_stack[i]);
    end_line();
}

static void show_zones(void)
{
    printf("%6s %-8s %6s %9s %5s %6s %6s %10s", "ZONE", "LABEL", "WEIGHT", "KiB", "ENVS", "CPU%", "DUE%", "GAS/s");
    end_line();
    for (unsigned i = 0; i < top_zone_count && room > 0; i++) {
        const struct zone *zone = &top_zones[i];

        printf("%6lu %-8s %6lu %9lu %5lu %6.1f %6.1f %10.0f", zone->status.id, exo_label_name(zone->status.label), zone->status.limits.weight,
               kib(zone->status.frames), zone->status.envs, 100 * zone->cpu, 100 * zone->due, zone->gas);
        end_line();
    }
}

static char order = 'P';

static double key(const struct row *row)
{
    switch (order) {
    case 'M': return (double)row->now.env.frames;
    case 'G': return row->gas;
    case 'C': return row->calls;
    case 'N': return -row->process.pid;
    default: return row->cpu;
    }
}

static int by_key(const void *a, const void *b)
{
    double left = key(a), right = key(b);

    return left > right ? -1 : left < right ? 1 : ((const struct row *)a)->process.pid - ((const struct row *)b)->process.pid;
}

static void show_rows(const struct sample *sample)
{
    static struct row sorted[MOST];

    memcpy(sorted, sample->row, sample->count * sizeof sorted[0]);
    qsort(sorted, sample->count, sizeof sorted[0], by_key);
    printf("%7s S %6s %4s %9s %6s %6s %10s %9s %9s NAME", "PID", "ZONE", "CTX", "KiB", "CPU%", "DUE%", "GAS/s", "CALLS/s", "FAULTS/s");
    end_line();
    for (unsigned i = 0; i < sample->count && room > 0; i++) {
        const struct row *row = &sorted[i];

        if (row->process.pid)
            printf("%7d", row->process.pid);
        else
            printf("%7s", "-");
        printf(" %c %6lu %4u %9lu %6.1f %6.1f %10.0f %9.0f %9.0f %s", row->process.state, row->now.zone.id, row->now.env.contexts, kib(row->now.env.frames),
               100 * row->cpu, 100 * row->due, row->gas, row->calls, row->faults, row->process.name);
        end_line();
    }
    if (hidden && room > 0) {
        printf("%u more, of other users", hidden);
        end_line();
    }
}

static void show(const struct sample *sample, const struct sample *last)
{
    struct winsize size = {.ws_row = 24};

    room = UINT32_MAX;
    if (raw) {
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        room = size.ws_row ? size.ws_row - 1u : 23u;
        fputs("\033[H", stdout);
    }
    show_machine(sample, last);
    show_zones();
    show_rows(sample);
    if (raw)
        fputs("\033[J q: end, space: now, sort by P: processor, M: memory, G: gas, C: calls, N: number\033[K", stdout);
    fflush(stdout);
}

/* ---- the terminal ---- */

static void stop(int signo)
{
    (void)signo;
    stopped = 1;
}

static void cook(void)
{
    if (!raw)
        return;
    raw = false;
    tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
    fputs("\033[?25h\n", stdout);
    fflush(stdout);
}

static void uncook(void)
{
    struct termios own;

    if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &cooked) < 0)
        return;
    own = cooked;
    own.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw = tcsetattr(STDIN_FILENO, TCSANOW, &own) == 0;
    if (raw)
        fputs("\033[2J\033[?25l", stdout);
}

enum { END, LOOK, WAIT };

/* LOOK: somebody typed, and wants to see what is. WAIT: it is time for a glance. */
static int pause_for(double seconds, const struct sample *sample, const struct sample *last)
{
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    struct pollfd input = {.fd = raw ? STDIN_FILENO : -1, .events = POLLIN};
    char typed;

    if (ppoll(&input, 1, &left, NULL) <= 0 || stopped)
        return stopped ? END : WAIT;
    if (read(STDIN_FILENO, &typed, 1) != 1 || typed == 'q' || typed == 'Q')
        return END;
    if (typed >= 'a' && typed <= 'z')
        typed = (char)(typed - 'a' + 'A');
    if (strchr(KEYS, typed) && last->count) {
        order = typed;
        show(sample, last);
    }
    return LOOK;
}

/* Until it is time to look again, with a glance now and then, each pause longer than the one before: who wakes regularly is not met each time. False: it is
 * to end. */
static bool pause_and_glance(double seconds, struct sample *sample, const struct sample *last)
{
    double left = seconds;

    for (unsigned i = 1; i < GLANCES && left > GLANCE_SECONDS; i++) {
        double part = 2 * seconds * i / (GLANCES * (GLANCES + 1));
        int then = pause_for(part < GLANCE_SECONDS ? GLANCE_SECONDS : part, sample, last);

        if (then != WAIT)
            return then == LOOK;
        left -= part < GLANCE_SECONDS ? GLANCE_SECONDS : part;
        glance(sample);
    }
    return pause_for(left > 0 ? left : 0, sample, last) != END;
}

/* ---- the words ---- */

static int complain(const char *what, const char *text, const char *hint)
{
    fprintf(stderr, "exo: top: %s%s\n  %s\n", what, text, hint);
    return EXO_USAGE;
}

static bool parse_number(const char *text, double least, double most, double *value)
{
    char *end;

    *value = strtod(text, &end);
    return end != text && !*end && *value >= least && *value <= most;
}

/* 0, or the exit status. */
static int parse(int argc, char **argv, bool *batch, double *seconds, double *times)
{
    int option;

    opterr = 0;
    while ((option = getopt(argc, argv, "+bd:n:o:")) != -1)
        switch (option) {
        case 'b': *batch = true; break;
        case 'd':
            if (!parse_number(optarg, 0.01, 3600, seconds))
                return complain("-d ", optarg, "seconds between two looks are expected, from 0.01 to 3600");
            break;
        case 'n':
            if (!parse_number(optarg, 1, 1e9, times) || *times != (double)(unsigned long)*times)
                return complain("-n ", optarg, "a number of looks is expected, from 1");
            break;
        case 'o':
            order = optarg[0] && !optarg[1] && strchr(KEYS, optarg[0]) ? optarg[0] : '\0';
            if (!order)
                return complain("-o ", optarg, "known are P: processor, M: memory, G: gas, C: calls, N: number");
            break;
        default: return complain("what is ", argv[optind - 1], "exo top [-b] [-d SECONDS] [-n TIMES] [-o P|M|G|C|N]");
        }
    return optind < argc ? complain("takes no words, and there is ", argv[optind], "exo top [-b] [-d SECONDS] [-n TIMES] [-o P|M|G|C|N]") : 0;
}

int exo_top(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = stop};
    const struct exo_info *info = (const struct exo_info *)PX_INFO;
    double seconds = 2, times = 0;
    bool batch = false;
    int status = parse(argc, argv, &batch, &seconds, &times);

    if (status != 0)
        return status;
    top_cpus = info->cpus;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    if (!batch)
        uncook();
    take(&samples[0]);
    if (!samples[0].count)
        status = complain("no process can be looked at", "", "proc did not answer");
    for (double shown = 0; status == 0 && (times == 0 || shown < times); shown++) {
        struct sample *last = &samples[(unsigned)((uint64_t)shown % 2)], *now = &samples[(unsigned)(((uint64_t)shown + 1) % 2)];

        if (!pause_and_glance(shown == 0 && raw ? 0.2 : seconds, last, now))
            break;
        take(now);
        compare(now, last);
        if (!raw && shown > 0)
            putchar('\n');
        show(now, last);
        if (ferror(stdout))
            status = EXO_FAILED;
    }
    cook();
    return status;
}
