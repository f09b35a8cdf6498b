/* What a test can do with the host port's machine: boot the kernel in it, move its clock, look at its page tables. */
#ifndef HOST_H
#define HOST_H
#include "kernel.h"
#include "port.h"

#define HOST_RAM_START 0x100000ul
#define HOST_RAM_END 0x480000ul      /* 896 pages */
#define HOST_KERNEL_END 0x104000ul   /* RAM that the kernel keeps */
#define HOST_DEVICE 0xd0000000ul     /* device memory begins here: nothing is behind it */
#define HOST_DEVICE_TAKEN 0xd0010000ul /* the kernel's own device */
#define HOST_LINES 8u                /* interrupt lines */
#define HOST_PORTS 0x100u            /* I/O ports; from HOST_PORTS_TAKEN on the kernel's own */
#define HOST_PORTS_TAKEN 0xf0u
#define HOST_ENTRY 0x400000ul        /* of the first program */

/* Boots; `run` is called when the first environment would, and must not return. */
_Noreturn void host_boot(void (*run)(void));
/* A kernel call as the entry code makes it, up to the answer; sched_pick() ends it, as it ends every kernel entry. */
int64_t host_call(struct context *context, uint64_t number, const uint64_t arguments[6]);

extern uint64_t host_timer_ns;       /* when the one-shot timer fires; UINT64_MAX: never */
extern void (*host_idle)(void);      /* nobody can run: must make something happen, or not return */
extern void (*host_power_off)(unsigned code); /* must not return */
extern void (*host_message)(const struct context *context); /* its message registers are about to be set */
extern uint64_t host_fast;            /* calls that went the fast paths */
extern bool host_line_masked[HOST_LINES];

/* Calls page() for each leaf entry in use and table() for each page table, the root included. */
struct host_walk {
    void (*page)(void *self, uint64_t va, uint64_t pte);
    void (*table)(void *self, uint64_t physical);
    void *self;
};
void host_walk(const struct env *env, const struct host_walk *walk);

#endif
