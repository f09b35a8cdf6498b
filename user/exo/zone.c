/*
 * exo zone: a command in a zone of its own, below the caller's. proc makes the zone and a process in it that shares nothing with this one; here it gets
 * its boot arguments and its streams, as the first process gets them from tty, and is waited for.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exo/ipc.h>
#include <exo/label.h>
#include <exo/loop.h>

#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/link.h"
#include "../../libos/posix/proto/proc.h"
#include "exo.h"

#define PROCESSES 64u /* of a zone of which nothing else is said */

extern char **environ;
static pid_t command;

int64_t ask_proc(uint64_t words[5])
{
    struct exo_message message;
    int64_t status;

    memcpy(message.word, words, sizeof message.word);
    status = exo_ep_call(PX_SLOT_PROC, &message);
    if (status < 0)
        return -ESRCH;
    memcpy(words, message.word, sizeof message.word);
    return (int64_t)words[0];
}

static void list_labels(FILE *to)
{
    for (unsigned label = 0; label < EXO_LABELS; label++)
        fprintf(to, "%s%s", label ? ", " : "", exo_label_name(label));
    fputc('\n', to);
}

static unsigned find_label(const char *name)
{
    unsigned label = 0;

    while (label < EXO_LABELS && strcmp(exo_label_name(label), name) != 0)
        label++;
    return label;
}

static void print_count(const char *what, uint64_t used, uint64_t quota)
{
    if (quota == EXO_QUOTA_NONE)
        printf("%-14s %lu\n", what, used);
    else
        printf("%-14s %lu of %lu\n", what, used, quota);
}

static int print_own(void)
{
    struct exo_zone_status status = {0};

    if (exo_zone_status(PX_SLOT_ZONE, &status) < 0) {
        fprintf(stderr, "exo: this process cannot look at its zone\n");
        return EXO_FAILED;
    }
    printf("%-14s %lu\n%-14s %s\n", "zone", status.id, "label", exo_label_name(status.label));
    print_count("frames", status.frames, status.limits.frames);
    print_count("environments", status.envs, status.limits.envs);
    print_count("slots", status.slots, status.limits.slots);
    printf("%-14s %lu\n", "weight", status.limits.weight);
    return 0;
}

/* --name N; false: it is not that option. */
static bool take_number(const char *name, int argc, char **argv, int *at, uint64_t *value)
{
    char *end;

    if (strcmp(argv[*at], name) != 0)
        return false;
    if (*at + 1 >= argc) {
        fprintf(stderr, "exo: zone: %s needs a number\n", name);
        exit(EXO_USAGE);
    }
    errno = 0;
    *value = strtoul(argv[++*at], &end, 10);
    if (*end || end == argv[*at] || errno || argv[*at][0] == '-' || *value == 0) {
        fprintf(stderr, "exo: zone: %s %s: not a number above 0\n", name, argv[*at]);
        exit(EXO_USAGE);
    }
    return true;
}

/* The index of the command's first word. */
static int take_options(int argc, char **argv, struct exo_zone_limits *limits)
{
    int at = 2;

    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--") == 0)
            return at + 1;
        if (!take_number("--frames", argc, argv, &at, &limits->frames) && !take_number("--processes", argc, argv, &at, &limits->envs) &&
            !take_number("--slots", argc, argv, &at, &limits->slots) && !take_number("--weight", argc, argv, &at, &limits->weight)) {
            fprintf(stderr, "exo: zone has no option %s\n  known are: --frames N, --processes N, --slots N, --weight N\n", argv[at]);
            exit(EXO_USAGE);
        }
    }
    return at;
}

static size_t strings_bytes(char **strings, uint32_t *count)
{
    size_t bytes = 0;

    for (*count = 0; strings[*count]; (*count)++)
        bytes += strlen(strings[*count]) + 1;
    return bytes;
}

static char *put_strings(char *to, char **strings)
{
    for (; *strings; strings++)
        to = stpcpy(to, *strings) + 1;
    return to;
}

/* The block of boot arguments (link.h): NULL where there is no memory. Every page of it is there. */
static void *make_block(char **argv, size_t *pages)
{
    struct px_link_hello hello = {.version = PX_LINK_VERSION};
    char directory[PATH_MAX], *text;
    struct px_bootargs *boot;

    if (!getcwd(directory, sizeof directory))
        strcpy(directory, "/");
    hello.total = (uint32_t)(sizeof hello + strlen(directory) + 1 + strings_bytes(argv, &hello.argc) + strings_bytes(environ, &hello.envc));
    *pages = PX_BOOTARGS_HELLO + (hello.total + PX_PAGE - 1) / PX_PAGE;
    boot = mmap(NULL, *pages * PX_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (boot == MAP_FAILED)
        return NULL;
    memset(boot, 0, *pages * PX_PAGE);
    *boot = (struct px_bootargs){.version = 1, .hello_bytes = hello.total, .pages = (uint32_t)*pages};
    text = (char *)boot + PX_BOOTARGS_HELLO * PX_PAGE;
    memcpy(text, &hello, sizeof hello);
    text = stpcpy(text + sizeof hello, directory) + 1;
    text = put_strings(text, argv);
    put_strings(text, environ);
    return boot;
}

static int refused(unsigned label, int64_t status)
{
    struct exo_zone_status own = {0};

    if (status == -EPERM && exo_zone_status(PX_SLOT_ZONE, &own) == 0)
        fprintf(stderr, "exo: zone %s: this zone's label, %s, does not dominate it\n", exo_label_name(label), exo_label_name(own.label));
    else
        fprintf(stderr, "exo: zone %s: %s\n", exo_label_name(label),
                status == -EAGAIN ? "too many zones, or too many processes in all" : strerror((int)-status));
    return EXO_FAILED;
}

static void pass_on(int signal)
{
    kill(command, signal);
}

static int wait_for_command(const pid_t relays[EXO_STREAMS])
{
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    int status = 0;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    while (waitpid(command, &status, 0) < 0 && errno == EINTR)
        ;
    relay_finish(relays);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The process is there, stopped: words 3 and 4 are its environment and its context. */
static int run(const uint64_t words[5], void *block, size_t pages)
{
    pid_t relays[EXO_STREAMS];
    int64_t status = exo_share_all(words[3], PX_BOOTARGS, (uint64_t)block, pages, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);

    command = (pid_t)words[1];
    for (unsigned which = 0; which < EXO_STREAMS; which++) {
        relays[which] = relay_start(block, which);
        if (relays[which] < 0)
            status = -EXO_E_NOMEM;
    }
    if (status == 0)
        status = exo_ctx_start(words[4]);
    if (exo_cap_delete(words[3]) < 0 || exo_cap_delete(words[4]) < 0)
        status = status < 0 ? status : -EXO_E_BADSLOT;
    if (status < 0) {
        fprintf(stderr, "exo: zone: the command could not be started: error %d\n", (int)-status);
        kill(command, SIGKILL);
        wait_for_command(relays);
        return EXO_FAILED;
    }
    return wait_for_command(relays);
}

int exo_zone(int argc, char **argv)
{
    struct exo_zone_limits limits = {EXO_QUOTA_NONE, PROCESSES, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};
    uint64_t words[5] = {PX_PROC_ZONE};
    unsigned label;
    size_t pages;
    int64_t status;
    void *block;
    int first;

    if (argc < 2)
        return print_own();
    label = find_label(argv[1]);
    if (label == EXO_LABELS) {
        fprintf(stderr, "exo: zone %s: there is no such label\n  known are: ", argv[1]);
        list_labels(stderr);
        return EXO_USAGE;
    }
    first = take_options(argc, argv, &limits);
    if (first >= argc) {
        fprintf(stderr, "exo: zone: no command\n");
        return EXO_USAGE;
    }
    block = make_block(argv + first, &pages);
    if (!block)
        return refused(label, -ENOMEM);
    memcpy((void *)PX_MSG, &limits, sizeof limits);
    words[1] = label;
    status = ask_proc(words);
    return status < 0 ? refused(label, status) : run(words, block, pages);
}
