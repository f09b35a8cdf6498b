/*
 * Cycles of small kernel operations on this machine's own processor, for ./exo bench --native: the portable kernel with the host port, optimised and
 * without sanitizers. Each line is a name, the cycles of one operation, and the most that the project promises. An operation's cycles are those of the
 * quickest of many batches, less those of a batch that does nothing: others may run on the machine meanwhile. Each operation waits for the result of
 * the one before, so that a processor that does several at once does not make them look free.
 */
#include "host.h"

#include <exo/rights.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#define BATCH 1000u
#define BATCHES 2000u

static struct context *self;
static struct env *env;
static uint64_t handles[8];

/* An operation on the i-th input; what it gives keeps it from being left out. */
typedef uint64_t operation(uint64_t i);

static uint64_t nothing(uint64_t i)
{
    return i;
}

static uint64_t cap_check(uint64_t i)
{
    struct capability *slot;

    return cap_resolve(env, handles[i % 8], EXO_TYPE_ENDPOINT, EXO_RIGHT_CALL, &slot) == 0 ? slot->rights : 0;
}

static uint64_t rights_lattice(uint64_t i)
{
    return exo_rights_join(i, i << 7) ^ exo_rights_meet(i, ~i >> 3) ^ exo_rights_dominate(i, i >> 1);
}

static uint64_t label_dominance(uint64_t i)
{
    return exo_label_dominates(i % EXO_LABELS, i / 7 % EXO_LABELS);
}

static uint64_t label_lattice(uint64_t i)
{
    return exo_label_join_of(i % EXO_LABELS, i / 7 % EXO_LABELS) + exo_label_meet_of(i % EXO_LABELS, i / 7 % EXO_LABELS);
}

/* What each operation pays: a subtraction, and the look at the end of the kernel entry. */
static uint64_t gas_pay(uint64_t i)
{
    gas_charge(EXO_PRICE_SYSCALL + i % 2);
    if (__builtin_expect(gas_purse < 0, 0))
        (void)gas_admit(self);
    return (uint64_t)gas_purse;
}

/* A purse that is empty, filled from the account's meter and those above. */
static uint64_t gas_fill(uint64_t i)
{
    gas_purse = -1 - (int64_t)(i % 8);
    return gas_admit(self);
}

__attribute__((noipa)) static double cycles(operation *run)
{
    volatile uint64_t sink = 0, nothing_of_it = 0;
    uint64_t best = UINT64_MAX, mask = nothing_of_it;

    for (unsigned batch = 0; batch < BATCHES; batch++) {
        uint64_t before = __rdtsc(), sum = 0, after;

        for (uint64_t i = 0; i < BATCH; i++)
            sum = run(i + (sum & mask));
        sink += sum;
        after = __rdtsc();
        if (after - before < best)
            best = after - before;
    }
    return (double)best / BATCH;
}

static void measure(void)
{
    static const struct {
        const char *name;
        operation *run;
        unsigned most;
    } operations[] = {{"cap_check", cap_check, 50}, {"rights_lattice", rights_lattice, 20}, {"label_dominance", label_dominance, 20},
                      {"label_lattice", label_lattice, 20}, {"gas_charge", gas_pay, 45}, {"gas_admit", gas_fill, 45}};
    double empty = cycles(nothing);
    static const uint64_t none[6];

    self = sched_pick();
    env = self->env;
    for (unsigned i = 0; i < 8; i++)
        handles[i] = (uint64_t)host_call(self, EXO_CALL_EP_CREATE - EXO_CALL_BASE, none);
    /* An account of its own with a limit, which is never reached, below its zone's. */
    if (host_call(self, EXO_CALL_GAS_SET - EXO_CALL_BASE, (const uint64_t[6]){1, EXO_GAS_RATE_MAX, EXO_GAS_AMOUNT_MAX, 0}) != 0 || sched_pick() != self)
        exit(1);
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        double found = cycles(operations[i].run) - empty;

        printf("%s %.1f %u\n", operations[i].name, found > 0 ? found : 0, operations[i].most);
    }
    exit(0);
}

int main(void)
{
    host_boot(measure);
}
