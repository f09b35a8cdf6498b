/*
 * exo reclaim: asks the processes that this one sees for memory, in proportion to what they have beyond what this small process has, waits until they
 * have answered or the deadline has passed, and takes what is missing. proc gives a capability to each process's environment; the rest are
 * kernel calls. What this needs to go on is asked, too, but nothing is taken from it: those that wait for this process, and who reads what it prints.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/label.h>

#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/proc.h"
#include "exo.h"

#define MOST 512u
#define WEIGHT_LEAST 16u /* pages: everybody has a little */
#define SECOND_NS 1000000000ul
#define LOOK_NS 2000000 /* between two looks at the answers */
#define SECONDS_MAX 3600.0

struct target {
    int pid, ppid, group;
    char name[17];
    bool chosen, spared, reader, open; /* reader: perhaps of what this prints; open: a demand of ours */
    const char *remark;
    uint64_t handle; /* 0: none */
    unsigned zone, label;
    uint64_t weight, wanted, asked, given, taken; /* pages; wanted: by the demand that is open */
};

struct request {
    uint64_t pages, deadline_ns, wait_ns;
    bool polite, some; /* -n; some: only those named by -p or -z */
    int pids[64];
    unsigned pid_count, zone;
    const char *zone_name;
};

static struct target targets[MOST];
static unsigned count;
static volatile sig_atomic_t stopped;

static int complain(const char *what, const char *text, const char *hint)
{
    fprintf(stderr, "exo: reclaim: %s%s\n  %s\n", what, text, hint);
    return EXO_USAGE;
}

/* ---- the words ---- */

static bool parse_pages(const char *text, uint64_t *pages)
{
    char *end;
    unsigned long long number;
    unsigned shift = 20;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || errno || number == 0)
        return false;
    if (*end) {
        const char *unit = strchr("KMG", toupper((unsigned char)*end));

        if (!unit || end[1])
            return false;
        shift = *unit == 'K' ? 10 : *unit == 'M' ? 20 : 30;
    }
    if (number > UINT64_MAX >> (shift + 1))
        return false;
    *pages = ((number << shift) + PX_PAGE - 1) / PX_PAGE;
    return true;
}

static bool parse_pids(const char *text, struct request *request)
{
    for (;;) {
        char *end;
        long pid = strtol(text, &end, 10);

        if (end == text || pid <= 0 || pid > 1 << 22 || request->pid_count == sizeof request->pids / sizeof request->pids[0])
            return false;
        request->pids[request->pid_count++] = (int)pid;
        if (!*end)
            return true;
        if (*end != ',')
            return false;
        text = end + 1;
    }
}

static bool parse_seconds(const char *text, uint64_t *ns)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end || !(seconds >= 0) || seconds > SECONDS_MAX)
        return false;
    *ns = (uint64_t)(seconds * (double)SECOND_NS);
    return true;
}

/* 0, or the exit status. */
static int parse(int argc, char **argv, struct request *request)
{
    int option;

    *request = (struct request){.wait_ns = SECOND_NS};
    opterr = 0;
    while ((option = getopt(argc, argv, "+nt:z:p:")) != -1)
        switch (option) {
        case 'n': request->polite = true; break;
        case 't':
            if (!parse_seconds(optarg, &request->wait_ns))
                return complain("-t ", optarg, "seconds, from 0 to 3600, are expected");
            break;
        case 'z': request->zone_name = optarg; break;
        case 'p':
            if (!parse_pids(optarg, request))
                return complain("-p ", optarg, "process ids are expected, with commas between them");
            break;
        default:
            return complain("what is ", argv[optind - 1], "exo reclaim [-n] [-t SECONDS] [-z ZONE | -p PID[,PID...]] N[K|M|G]; without a unit N is in MiB");
        }
    if (request->zone_name && request->pid_count)
        return complain("-z and -p", "", "only one of them can say who is asked");
    if (optind + 1 != argc)
        return complain(optind < argc ? "one amount is expected, and there is also " : "how much?", optind < argc ? argv[optind + 1] : "",
                        "for instance: exo reclaim 16M");
    if (!parse_pages(argv[optind], &request->pages))
        return complain("", argv[optind], "is no amount of memory: a number above 0, and K, M (as without a unit) or G");
    return 0;
}

/* ---- who is asked ---- */

static void list(void)
{
    static struct exo_process processes[MOST];

    count = exo_processes(processes, MOST);
    for (unsigned i = 0; i < count; i++) {
        targets[i] = (struct target){.pid = processes[i].pid, .ppid = processes[i].ppid, .group = processes[i].group};
        memcpy(targets[i].name, processes[i].name, sizeof targets[i].name);
    }
}

static struct target *find(int pid)
{
    for (unsigned i = 0; i < count; i++)
        if (targets[i].pid == pid)
            return &targets[i];
    return NULL;
}

/* Those above this process, and the rest of its pipeline: of its group where it is a job of its own, else those that its parent started after it. */
static void spare(void)
{
    const struct target *self = find(getpid());
    const struct target *parent = self ? find(self->ppid) : NULL;
    bool job = self && parent && parent->group != self->group;

    for (struct target *above = parent ? find(parent->pid) : NULL; above && !above->spared; above = find(above->ppid))
        above->spared = true;
    for (unsigned i = 0; self && i < count; i++) {
        const struct target *above = find(targets[i].ppid);

        targets[i].reader = targets[i].group == self->group && (job || (targets[i].ppid == self->ppid && targets[i].pid > self->pid));
        targets[i].reader |= above && above->reader; /* listed after it */
        targets[i].spared |= targets[i].reader;
    }
}

static bool is_chosen(const struct request *request, const struct target *target)
{
    if (target->pid == getpid() || target->pid == 1)
        return false;
    for (unsigned i = 0; i < request->pid_count; i++)
        if (request->pids[i] == target->pid)
            return true;
    return request->pid_count == 0;
}

static bool in_zone(const struct request *request, const struct target *target)
{
    char *end;
    unsigned long number = strtoul(request->zone_name, &end, 10);

    return end != request->zone_name && !*end ? number == target->zone : strcmp(request->zone_name, exo_label_name(target->label)) == 0;
}

static void drop(struct target *target)
{
    if (target->handle && exo_cap_delete(target->handle) < 0)
        target->remark = "gone";
    target->handle = 0;
}

/* A capability to each that is to be asked. 0, or the exit status. */
static int acquire(const struct request *request)
{
    struct exo_env_info own = {0}, info = {0};
    unsigned chosen = 0;

    if (exo_env_info(PX_SLOT_SELF, &own) < 0)
        own.mapped = 0;
    for (unsigned i = 0; i < count; i++) {
        struct target *target = &targets[i];
        uint64_t words[5] = {PX_PROC_RECLAIM, (uint64_t)target->pid};
        int64_t status;

        if (!is_chosen(request, target))
            continue;
        status = ask_proc(words);
        if (status == -EPERM && geteuid() != 0) {
            complain("only root may ask others for memory", "", "nothing was asked");
            return EXO_FAILED;
        }
        target->handle = status < 0 ? 0 : words[1];
        target->zone = (unsigned)words[2];
        target->label = (unsigned)words[3];
        if (status < 0 || (request->zone_name && !in_zone(request, target)) || exo_env_info(target->handle, &info) < 0) {
            drop(target);
            continue;
        }
        target->chosen = true;
        target->weight = info.mapped > own.mapped + WEIGHT_LEAST ? info.mapped - own.mapped : WEIGHT_LEAST;
        chosen++;
    }
    for (unsigned i = 0; i < request->pid_count; i++)
        if (!find(request->pids[i]) || !find(request->pids[i])->chosen) {
            fprintf(stderr, "exo: reclaim: -p %d: no process that can be asked\n  it is not there, in a zone that this one does not see, or exo itself\n",
                    request->pids[i]);
            return EXO_FAILED;
        }
    if (!chosen) {
        complain("there is nobody to ask", "", request->zone_name ? "no process that this one sees is in that zone" : "no other process can be seen");
        return EXO_FAILED;
    }
    return 0;
}

/* ---- asking and taking ---- */

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* Somebody's demand whose time is long over is left behind by an asker that is gone. */
static bool is_stale(const struct target *target)
{
    struct exo_reclaim standing;

    return exo_reclaim_status(target->handle, &standing) == 0 && standing.wanted && standing.deadline_ns < EXO_DEADLINE_NEVER - SECOND_NS &&
           standing.deadline_ns + SECOND_NS < now_ns();
}

static void ask(struct target *target, uint64_t pages, uint64_t deadline_ns)
{
    struct exo_reclaim standing = {0};
    int64_t status;

    if (!pages)
        return;
    status = exo_reclaim_ask(target->handle, pages, deadline_ns);
    if (status == -EXO_E_BUSY && is_stale(target) && exo_reclaim_ask(target->handle, 0, 0) == 0)
        status = exo_reclaim_ask(target->handle, pages, deadline_ns);
    if (status < 0 || exo_reclaim_status(target->handle, &standing) < 0) {
        target->remark = status == -EXO_E_BUSY ? "busy: somebody else asks" : "gone";
        return;
    }
    target->open = true;
    target->wanted = standing.wanted;
}

static bool answered(const struct target *target)
{
    struct exo_reclaim standing;

    return !target->open || exo_reclaim_status(target->handle, &standing) < 0 || standing.given + standing.taken >= standing.wanted;
}

static void wait_for_answers(uint64_t deadline_ns)
{
    const struct timespec pause = {0, LOOK_NS};

    for (;;) {
        bool all = true;

        for (unsigned i = 0; i < count && all; i++)
            all = answered(&targets[i]);
        if (all || stopped || now_ns() >= deadline_ns)
            return;
        nanosleep(&pause, NULL);
    }
}

/* Ends our demand: takes what is missing, or leaves it. */
static void settle(struct target *target, bool take)
{
    struct exo_reclaim standing = {0};
    int64_t taken;

    if (!target->open)
        return;
    target->open = false;
    do
        taken = take ? exo_reclaim_take(target->handle, PX_PROG_HI) : 0;
    while (taken == -EXO_E_AGAIN);
    if (exo_reclaim_status(target->handle, &standing) < 0 || taken < 0) {
        target->remark = "gone";
        return;
    }
    if (!take && exo_reclaim_ask(target->handle, 0, 0) < 0)
        target->remark = "gone";
    standing.given = standing.given < target->wanted ? standing.given : target->wanted; /* more is its own affair */
    target->given += standing.given;
    target->taken += standing.taken;
}

static uint64_t together(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < count; i++)
        pages += targets[i].given + targets[i].taken;
    return pages;
}

static void ask_all(const struct request *request)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += targets[i].chosen ? targets[i].weight : 0;
    for (unsigned i = 0; i < count; i++)
        if (targets[i].chosen) {
            ask(&targets[i], (uint64_t)(((unsigned __int128)request->pages * targets[i].weight + sum - 1) / sum), request->deadline_ns);
            targets[i].asked = targets[i].wanted;
        }
}

/* Who has most left, of those that have not been looked at; NULL: nobody. */
static struct target *largest(uint64_t *mapped)
{
    struct target *most = NULL;

    *mapped = 0;
    for (unsigned i = 0; i < count; i++) {
        struct exo_env_info info;

        if (targets[i].chosen && !targets[i].spared && exo_env_info(targets[i].handle, &info) == 0 && info.mapped > *mapped) {
            most = &targets[i];
            *mapped = info.mapped;
        }
    }
    return most;
}

/* Some had less than their share: the time is over, so the rest is taken from the largest. */
static void take_rest(uint64_t pages)
{
    struct target *target;
    uint64_t mapped;

    while (together() < pages && !stopped && (target = largest(&mapped))) {
        ask(target, pages - together(), EXO_DEADLINE_NOW);
        settle(target, true);
        target->chosen = false;
    }
}

/* ---- the report ---- */

static unsigned long kib(uint64_t pages)
{
    return pages * PX_PAGE / 1024;
}

static int report(uint64_t pages)
{
    uint64_t asked = 0, given = 0, taken = 0;

    printf("%7s %-16s %-12s %10s %10s %10s\n", "PID", "NAME", "ZONE", "ASKED", "GIVEN", "TAKEN");
    for (unsigned i = 0; i < count; i++) {
        const struct target *target = &targets[i];
        char zone[32];

        if (!target->asked && !target->remark)
            continue;
        snprintf(zone, sizeof zone, "%u %s", target->zone, exo_label_name(target->label));
        printf("%7d %-16s %-12s %10lu %10lu %10lu%s%s\n", target->pid, target->name, zone, kib(target->asked), kib(target->given), kib(target->taken),
               target->remark ? "  " : "", target->remark ? target->remark : "");
        asked += target->asked;
        given += target->given;
        taken += target->taken;
    }
    printf("%7s %-16s %-12s %10lu %10lu %10lu\n", "", "in KiB", "", kib(asked), kib(given), kib(taken));
    printf("%lu KiB of %lu KiB came together\n", kib(given + taken), kib(pages));
    return given + taken >= pages ? 0 : 1;
}

static void stop(int signo)
{
    (void)signo;
    stopped = 1;
}

int exo_reclaim(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = stop};
    struct request request;
    int status = parse(argc, argv, &request);

    if (status != 0)
        return status;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    list();
    spare();
    status = acquire(&request);
    if (status == 0) {
        request.deadline_ns = now_ns() + request.wait_ns;
        ask_all(&request);
        wait_for_answers(request.deadline_ns);
        for (unsigned i = 0; i < count; i++)
            settle(&targets[i], !request.polite && !targets[i].spared && !stopped);
        if (!request.polite)
            take_rest(request.pages);
        status = report(request.pages);
    }
    for (unsigned i = 0; i < count; i++)
        drop(&targets[i]);
    return status;
}
