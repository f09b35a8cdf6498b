/* Children that work for ever and count it in a page that all see: for cases about shares of the processor. */
#ifndef WORK_H
#define WORK_H
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED_VA AREA(64)

enum { CHILD_CTX = 2, CHILD_ENDPOINT = 20, CHILD_SLICE = 21, CHILD_ZONE = 22, CHILD_OTHER = 23 };

void upcall_stub(void); /* upcall_cases.c: the smallest library OS */
void syscall_stub(void);

void work_begin(void); /* the page is there */
void work_end(void);
static inline volatile uint64_t *counter(unsigned index)
{
    return (volatile uint64_t *)SHARED_VA + index;
}
void sleep_ns(uint64_t ns);

/* A child in the zone, not started, with the page and the means to know the time. */
struct child work_child(uint64_t zone, void (*function)(uint64_t), uint64_t argument);
void work_give(const struct child *child, uint64_t index, uint64_t handle, uint64_t rights);
void work_kill(struct child *child);
uint64_t work_zone(uint64_t frames, uint64_t weight); /* below the first zone, with its label */

/* What children do. */
void work_spin(uint64_t index);    /* counts */
void work_call(uint64_t index);    /* counts calls of CHILD_ENDPOINT that were answered */
void work_serve(uint64_t unused);  /* answers at CHILD_ENDPOINT, after some work */

/* A child that counts, bound to the slice (0: none), and started. */
struct child work_spinner(uint64_t zone, unsigned index, uint64_t slice);
uint64_t work_used(const struct child *child); /* processor time, ns */
bool work_moves(unsigned index);               /* the counter grows */

#endif
