/* The kernel's public page, and its statistics. */
#ifndef MACHINE_H
#define MACHINE_H
#include <arch/arch.h>
#include <exo/abi.h>

#include "counters.h"

extern struct exo_info *info;
extern uint64_t info_physical;
extern struct exo_stats stats; /* what is not counted by each CPU */
extern PER_CPU(struct counters) counters;

#endif
