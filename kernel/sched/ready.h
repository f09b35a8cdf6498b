/* Between sched.c and ready.c: giving ready contexts to the policies, and taking them back. */
#ifndef READY_H
#define READY_H
#include "kernel.h"

void ready_give(struct context *context, bool first);
void ready_take(struct context *context); /* one that they have */
bool ready_has(const struct context *context); /* they have it */
#endif
