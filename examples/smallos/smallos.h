/* A library OS of its own, in 300 lines, beside POSIX in a process of its own: docs/library-os.md explains it part by part. */
#ifndef SMALLOS_H
#define SMALLOS_H
#pragma GCC target("general-regs-only") /* faults come anywhere: whoever serves them must not touch vector registers */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <exo/calls.h>
#include <exo/ipc.h>

#include "layout.h" /* PX_SLOT_SELF: every process's capability to itself */

#define PAGE EXO_PAGE_BYTES
#define WRITABLE (EXO_PROT_READ | EXO_PROT_WRITE)

/* What the program asks, by `syscall` as on any system. Numbers of the kernel's own calls are above EXO_CALL_BASE. */
enum small_call { SMALL_WRITE, SMALL_MORE, SMALL_RULE, SMALL_FAULTS, SMALL_SPAWN, SMALL_YIELD, SMALL_END };

/* Which of `count` pages in memory shall make room, in the order in which they came. */
typedef unsigned (*small_rule)(const uint64_t *pages, unsigned count);

/* memory.c */
void *small_alloc(size_t bytes);
void small_free(void *block, size_t bytes);
uint64_t small_more(uint64_t pages, uint64_t in_memory);
void small_set_rule(small_rule rule);
uint64_t small_faults(void);
bool small_fault(uint64_t address);

/* tasks.c */
int64_t small_spawn(void (*function)(void));
void small_yield(void);
_Noreturn void small_end(void);
_Noreturn void small_start(void (*function)(void), uint64_t endpoint, char *console);
int64_t small_serve(uint64_t a, uint64_t b, uint64_t number); /* entry.S: the program asks */
void small_upcall(struct exo_upcall *frame, uint64_t cause);  /* entry.S: the kernel tells */

/* entry.S */
void small_syscall_entry(void);
void small_upcall_entry(void);
void small_switch(uint64_t *save, uint64_t load);

/* program.c */
void program(void);
void stray(void);
#endif
