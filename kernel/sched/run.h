/* Between sched.c, which owns all this, and cpus.c: what a CPU is about, and who sleeps. */
#ifndef RUN_H
#define RUN_H
#include "kernel.h"

/* Why the current context is to be replaced although it could go on. */
enum reason { GO_ON, YIELDED, SLICE_OVER, STOPPED };

extern PER_CPU(enum reason) reason;
extern PER_CPU(bool) idling;         /* nobody runs */
extern PER_CPU(uint64_t) run_since;  /* cycles; what came before has been charged */
extern uint64_t cycle_price;         /* gas << 32 */

/* cpus.c */
extern uint32_t cpus_asleep; /* one bit each */
void cpus_spread(void);

#endif
