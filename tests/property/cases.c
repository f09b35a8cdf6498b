/* Running the cases for single errors (cases.h). */
#include "cases.h"
#include "references.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern const struct error_case __start_error_cases[], __stop_error_cases[];

/* [call][error]: number of a case that provoked it, plus 1. Shared with the cases' processes. */
static uint16_t (*provoked)[64];
static unsigned running;
static struct context *self;

struct context *case_self(void)
{
    return self;
}

int64_t case_call(unsigned number, const uint64_t arguments[6])
{
    struct context *caller = self;
    int64_t result = host_call(caller, number, arguments);

    if (result < 0 && result > -64)
        provoked[number][-result] = (uint16_t)(running + 1);
    self = sched_pick();
    return result;
}

uint64_t case_must(unsigned number, const uint64_t arguments[6], const char *file, int line)
{
    int64_t result = case_call(number, arguments);

    if (result < 0) {
        printf("# %s:%d: %s answered %ld\n", file, line, exo_grammar[number].name, result);
        leave_process(1);
    }
    return (uint64_t)result;
}

void case_expect(unsigned number, int64_t wanted, const uint64_t arguments[6], const char *file, int line)
{
    int64_t result = case_call(number, arguments);

    if (result != wanted) {
        printf("# %s:%d: %s answered %ld, expected %ld\n", file, line, exo_grammar[number].name, result, wanted);
        leave_process(1);
    }
}

void case_late(unsigned number, int64_t wanted)
{
    int64_t result = (int64_t)self->arch.regs.rax;

    REQUIRE(result == wanted, "%s answered %ld in the end, expected %ld", exo_grammar[number].name, result, wanted);
    provoked[number][-result] = (uint16_t)(running + 1);
}

void case_become(struct context *context)
{
    for (unsigned turns = 0; self != context; turns++) {
        REQUIRE(turns < 1000, "context %lu does not run", context->object.id);
        (void)DO(YIELD);
    }
}

void case_poke(uint64_t va, const void *bytes, uint64_t count)
{
    REQUIRE(space_write(self->env, va, bytes, count), "no memory at %lx", va);
}

struct case_child case_child(uint64_t zone)
{
    const struct exo_ctx_state state = {.regs = {.rip = HOST_ENTRY}};
    struct case_child child = {.env = MUST_DO(ENV_CREATE, zone)};
    struct capability *slot;

    case_poke(MEMORY, &state, sizeof(state));
    child.ctx = MUST_DO(CTX_CREATE, child.env, MEMORY, MEMORY);
    REQUIRE(cap_resolve(self->env, child.ctx, EXO_TYPE_CTX, 0, &slot) == 0, "no context");
    child.context = (struct context *)slot->object;
    (void)case_give(&child, child.env);
    (void)MUST_DO(CTX_START, child.ctx);
    return child;
}

uint64_t case_give(const struct case_child *child, uint64_t handle)
{
    return MUST_DO(CAP_DERIVE, child->env, 0, handle, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);
}

uint64_t case_zone(uint64_t quota, unsigned label)
{
    const struct exo_zone_limits limits = {quota, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

    case_poke(MEMORY, &limits, sizeof(limits));
    return MUST_DO(ZONE_MAKE, ZONE, label, MEMORY);
}

static void asleep(void)
{
    puts("# everybody sleeps");
    leave_process(1);
}

static void off(unsigned code)
{
    leave_process((int)code);
}

static bool run_one(unsigned index)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        running = index;
        host_idle = asleep;
        host_power_off = off;
        self = sched_pick();
        (void)MUST_DO(MEM_ALLOC, SELF, MEMORY, 16, EXO_PROT_READ | EXO_PROT_WRITE);
        __start_error_cases[index].run();
        case_check();
        leave_process(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

void case_check(void)
{
    while (reap_some())
        ;
    references_check(NULL, 0);
}

bool cases_run(const char *pattern)
{
    unsigned count = (unsigned)(__stop_error_cases - __start_error_cases), number = 0;
    bool all = true;

    provoked = mmap(NULL, EXO_CALLS * sizeof(*provoked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (provoked == MAP_FAILED)
        return false;
    (void)sched_pick();
    references_begin();
    for (unsigned i = 0; i < count; i++) {
        bool ok;

        if (!strstr(__start_error_cases[i].name, pattern))
            continue;
        ok = run_one(i);
        all = all && ok;
        printf("%sok %u - %s\n", ok ? "" : "not ", ++number, __start_error_cases[i].name);
    }
    printf("1..%u\n", number);
    return all;
}

void cases_record(const char *path)
{
    FILE *file = fopen(path, "w");

    if (!file)
        exit(2);
    for (unsigned number = 0; number < EXO_CALLS; number++)
        for (unsigned error = 1; error < 64; error++)
            if (provoked[number][error])
                fprintf(file, "%s %s %s\n", exo_grammar[number].name, exo_error_names[error], __start_error_cases[provoked[number][error] - 1].name);
    fclose(file);
}
