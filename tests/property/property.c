/*
 * property [--seed N] [--calls N] [--length N] [--sequence N] [--record FILE] [--cases PATTERN]
 *
 * Random kernel calls on the host port, each compared with the reference model. Every sequence runs in a process of its own, forked when the kernel
 * has booted. One that fails is shortened, and printed as a command that repeats it and as the list of its calls. --sequence N plays only that
 * one, and prints it. --cases runs the cases for single errors instead. Exit status 1: something differs.
 */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH_MOST 4096u
#define SEQUENCE_LIMIT_S 60u

static struct {
    uint64_t seed, calls, sequence;
    unsigned length;
    const char *record_path, *cases;
} options = {1, 20000, UINT64_MAX, 400, NULL, NULL};

static struct op ops[LENGTH_MOST];

/* Plays in a child; true if it ended well. */
static bool runs_well(const struct op *list, unsigned count, bool quiet, bool talk)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (quiet && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
            _exit(2);
        alarm(SEQUENCE_LIMIT_S);
        play(list, count, talk);
        leave_process(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        exit(2);
    if (!quiet && WIFSIGNALED(status))
        printf("the process died of signal %d\n", WTERMSIG(status));
    return status == 0;
}

static void make(uint64_t sequence)
{
    uint64_t state = options.seed * 0x2545f4914f6cdd1dul ^ sequence * 0xd1342543de82ef95ul;

    for (unsigned i = 0; i < options.length; i++)
        ops[i] = op_random(&state);
}

/* Leaves out what is not needed for the failure: halves, quarters, ..., single operations, as long as something goes. */
static unsigned shorten(unsigned count)
{
    static struct op fewer[LENGTH_MOST];

    for (unsigned part = count / 2; part > 0; part = part > 1 ? (part + 1) / 2 : 0) {
        for (unsigned at = 0; at < count;) {
            unsigned gone = part < count - at ? part : count - at;

            memcpy(fewer, ops, at * sizeof(ops[0]));
            memcpy(fewer + at, ops + at + gone, (count - at - gone) * sizeof(ops[0]));
            if (runs_well(fewer, count - gone, true, false)) {
                at += gone;
            } else {
                count -= gone;
                memcpy(ops, fewer, count * sizeof(ops[0]));
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        uint8_t squeeze = ops[i].squeeze;

        ops[i].squeeze = 0;
        if (squeeze && runs_well(ops, count, true, false))
            ops[i].squeeze = squeeze;
    }
    return count;
}

static void write_record(void)
{
    FILE *file = fopen(options.record_path, "w");

    if (!file)
        exit(2);
    for (unsigned number = 0; number < EXO_CALLS; number++)
        for (unsigned error = 0; error < 64; error++)
            if (record->answers[number][error])
                fprintf(file, "%s %s %lu\n", exo_grammar[number].name, error ? exo_error_names[error] : "ok", record->answers[number][error]);
    fclose(file);
}

/* Errors that a call answered though abi/exo.abi does not list them for it. */
static bool table_lies(void)
{
    bool lies = false;

    for (unsigned number = 0; number < EXO_CALLS; number++)
        for (unsigned error = 1; error < 64; error++)
            if (record->answers[number][error] && !(exo_grammar[number].errors >> error & 1)) {
                printf("%s answered %s, which abi/exo.abi does not list for it\n", exo_grammar[number].name, exo_error_names[error]);
                lies = true;
            }
    return lies;
}

static void run(void)
{
    uint64_t sequence = 0;
    unsigned count;

    if (options.cases) {
        bool all = cases_run(options.cases);

        if (options.record_path)
            cases_record(options.record_path);
        exit(!all);
    }
    play_begin();
    if (options.sequence != UINT64_MAX) {
        make(options.sequence);
        exit(!runs_well(ops, options.length, false, true));
    }
    for (; record->calls < options.calls; sequence++) {
        make(sequence);
        if (runs_well(ops, options.length, true, false))
            continue;
        printf("property --seed %lu --length %u --sequence %lu fails; shortened:\n", options.seed, options.length, sequence);
        count = shorten(options.length);
        runs_well(ops, count, false, true);
        exit(1);
    }
    if (options.record_path)
        write_record();
    if (table_lies())
        exit(1);
    printf("seed %lu: %lu calls in %lu sequences agree\n", options.seed, record->calls, sequence);
    exit(0);
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoul(argv[i + 1], NULL, 0);

        if (strcmp(argv[i], "--seed") == 0)
            options.seed = value;
        else if (strcmp(argv[i], "--calls") == 0)
            options.calls = value;
        else if (strcmp(argv[i], "--length") == 0 && value > 0 && value <= LENGTH_MOST)
            options.length = (unsigned)value;
        else if (strcmp(argv[i], "--sequence") == 0)
            options.sequence = value;
        else if (strcmp(argv[i], "--record") == 0)
            options.record_path = argv[i + 1];
        else if (strcmp(argv[i], "--cases") == 0)
            options.cases = argv[i + 1];
        else
            return 2;
    }
    record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (record == MAP_FAILED)
        return 2;
    host_boot(run);
}
