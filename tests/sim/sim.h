/*
 * The scheduling policies' simulator: it gives a chooser quanta to hand out, and judges what it did. The policies are the kernel's own source files
 * (kernel/sched/); what is simulated is only the processor. Integers only, in the judging, too.
 */
#ifndef SIM_H
#define SIM_H
#include "policy.h"

#include <stdbool.h>
#include <stdint.h>

#define SIM_QUANTUM 4096u /* "cycles" of one */
#define SIM_MOST 2040u    /* entities */

/* xorshift: the same on each machine. */
uint64_t sim_random(uint64_t below);
void sim_seed(uint64_t seed);
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A chooser and its entities, all ready. */
struct world {
    struct chooser chooser;
    struct entity *entity; /* SIM_MOST, always at the same address: stride's heap goes by that */
    unsigned count;
    uint64_t weights;
    void *memory;
};
void world_begin(struct world *world, const struct policy *policy);
void world_end(struct world *world);
void world_add(struct world *world, uint32_t weight);
void world_insert(struct world *world, unsigned index); /* it is ready again, */
void world_remove(struct world *world, unsigned index); /* and is not any more */
unsigned world_decide(struct world *world, uint64_t cycles); /* who has run so long */

/*
 * Over how many quanta somebody's part and what he got differ. What he is owed before slot t is t * weight / weights, so lag * weights is an
 * integer. The error of a window is the difference of the lags at its ends, so the largest over all windows is the largest lag minus the least.
 */
struct lags {
    int64_t least[SIM_MOST], most[SIM_MOST]; /* times weights */
    uint64_t got[SIM_MOST];
    uint64_t slots;
};
void lags_begin(struct lags *lags);
void lags_note(struct lags *lags, const struct world *world, unsigned ran);
/* Largest error over all windows and all entities, in thousandths of a quantum, rounded up. */
uint64_t lags_worst(const struct lags *lags, const struct world *world);

/* Yardstick without a place in the kernel. */
extern const struct policy lottery_policy;

#endif
