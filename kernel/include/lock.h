/*
 * The debug build's look at the kernel's one lock (decision 0016), which the port has: who touches what belongs to all CPUs holds it, nobody takes it twice,
 * gives back what another one took, or goes with it where others wait for him. What is wrong stops the kernel. The release build has none of this.
 *
 * There is one lock, so its order is: none is taken with it. A second one would get a rank here.
 */
#ifndef LOCK_H
#define LOCK_H
#include <stdint.h>

#ifdef EXO_DEBUG
extern uint32_t lock_holder; /* a CPU's number + 1; 0: nobody. Written by who has the lock */
void lock_taking(void);      /* this CPU waits for it from now on, */
void lock_taken(void);       /* has got it, */
void lock_giving(void);      /* and gives it back */
void lock_needed(void);      /* what follows is done with it (with one CPU, nobody takes it), */
void lock_unwanted(void);    /* without it */
#else
#define lock_taking() ((void)0)
#define lock_taken() ((void)0)
#define lock_giving() ((void)0)
#define lock_needed() ((void)0)
#define lock_unwanted() ((void)0)
#endif
#endif
