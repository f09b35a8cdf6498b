/*
 * The port contract: what an architecture gives the portable kernel. Each port also has arch/arch.h with `struct space`, `struct arch_context`,
 * `struct boot`, direct(), arch_cycles(), arch_space_load() (the address space alone, for the fast paths), and arch/pte.h.
 */
#ifndef PORT_H
#define PORT_H
#include "kernel.h"

/* ---- start and end of the machine ---- */
void arch_init_cpu(void);                          /* tables, features, traps */
void arch_init_memory(const struct boot *boot);    /* direct map, frame table, frame_add_range */
void arch_init_devices(void);                      /* interrupt controllers, clocks */
_Noreturn void arch_power_off(unsigned code);
_Noreturn void arch_run(void);                     /* goes to sched_pick() for the first time */
void arch_console_put(char character);
void arch_backtrace(void);                         /* return addresses with symbols, to the log */

/* ---- time ---- */
uint64_t arch_now_ns(void);                        /* monotonic */
uint64_t arch_cycles_to_ns(uint64_t cycles);
void arch_timer_set(uint64_t deadline_ns);         /* one shot */
void arch_idle(void);                              /* sleeps until an interrupt has been served */
void arch_let_interrupts(void);                    /* serves those that are there */

/* ---- contexts ---- */
void arch_context_init(struct context *context, const struct exo_ctx_state *state, uint64_t upage_va);
void arch_context_read(const struct context *context, struct exo_ctx_state *state);
void arch_context_write(struct context *context, const struct exo_ctx_state *state); /* sanitised */
void arch_context_free(struct context *context);
bool arch_context_inherit(struct context *from, struct context *to); /* FPU state; false: no memory */
void arch_switch_from(struct context *context);    /* before another context runs: what must be saved */
void arch_switch_to(struct context *context);      /* loads address space, TLS, entries */
void arch_set_tls(struct context *context, uint64_t base);
void arch_upcall_enter(struct context *context, uint64_t frame_va, uint64_t cause); /* sets registers to enter the upcall entry */
bool arch_state_valid(const struct exo_ctx_state *state); /* its addresses are ring 3's */
void arch_first_state(struct exo_ctx_state *state, uint64_t entry, uint64_t argument, uint64_t stack);
uint64_t arch_program_counter(const struct context *context);
bool arch_user_address(uint64_t address);          /* may be an instruction pointer or base in ring 3 */
void arch_result(struct context *context, int64_t result);
uint64_t arch_argument(const struct context *context, unsigned index); /* of the present call */
bool arch_fault_is_write(uint64_t vector, uint64_t error); /* a page fault: ring 3 wrote to a present page */
/* Message registers: five words, and the badge. */
void arch_message_copy(struct context *to, const struct context *from);
void arch_message_set(struct context *context, uint64_t badge, const uint64_t words[5]);
void arch_message_badge(struct context *context, uint64_t badge);
uint64_t arch_message_word(const struct context *context, unsigned index);
void arch_message_set_word(struct context *context, unsigned index, uint64_t value);
extern struct context *arch_current(void);

/* ---- address spaces ---- */
bool space_init(struct env *env);
void space_free_root(struct env *env); /* of an empty address space */
/*
 * The entry of the 4 KiB page at va, or NULL: there is no table, or a larger page (create: no memory; a larger page is split). Those up to the next
 * multiple of SPACE_TABLE_BYTES follow it.
 */
uint64_t *space_entry(struct env *env, uint64_t va, bool create);
/* The entry of the larger page at va, if there is one, and what that covers: SPACE_TABLE_BYTES, or more. */
uint64_t *space_large(struct env *env, uint64_t va, uint64_t *bytes);
/* Splits the larger page at va into the next smaller ones; false: no memory, which cannot be if it is larger than SPACE_TABLE_BYTES. */
bool space_split(struct env *env, uint64_t va);
/* Maps SPACE_TABLE_BYTES by one entry, if nothing is mapped there and tables can be had. The frames are the caller's to hold. */
bool space_map_large(struct env *env, uint64_t va, uint64_t pte);
/* Frees the tables at va that are empty. */
void space_prune(struct env *env, uint64_t va);
/* First address in va .. end whose leaf table exists, or `end`. */
uint64_t space_next_table(struct env *env, uint64_t va, uint64_t end);
/* Unmaps pages and frees tables, at most `*most` of them, and counts it down; true when nothing is left. */
bool space_clear_some(struct env *env, unsigned *most);
void space_flush_page(struct env *env, uint64_t va); /* only matters if env is loaded */
void space_flush(struct env *env);
bool space_loaded(const struct env *env);
extern bool space_stale; /* mem/frame.c: translations to frames that nobody uses are left on other CPUs */
void arch_flush_stale(void); /* no CPU has translations to what was unmapped, when this returns */

/* ---- CPUs: numbers below arch_cpus(); this one's is arch_cpu() ---- */
void arch_start_cpus(const struct boot *boot);     /* all there are; they wait for work */
void arch_kick(unsigned cpu);                      /* it enters the kernel soon, and looks what it shall do */
uint64_t arch_stack_used(unsigned cpu);            /* bytes of the kernel's stack there, at the deepest so far */
uint64_t arch_redirects(unsigned cpu);             /* system calls that were handed back to their environments there */
void arch_trace_changed(unsigned cpu);             /* it is traced from now on, or is not any more (trace_to) */
void arch_unload(void);                            /* nobody runs here: no address space is loaded */
void arch_park(unsigned cpu, struct context *context); /* that one runs it: its registers are in memory, and that CPU needs another */

/* ---- devices ---- */
bool arch_port_valid(uint64_t port, unsigned width); /* there is such an I/O port, and it is none of the kernel's own */
uint32_t arch_port_read(uint64_t port, unsigned width);
void arch_port_write(uint64_t port, unsigned width, uint32_t value);
bool arch_device_taken(uint64_t physical);         /* the page holds registers that the kernel uses itself */

/* ---- interrupts ---- */
bool arch_irq_valid(unsigned line);
void arch_irq_bind(unsigned line);
void arch_irq_mask(unsigned line);
void arch_irq_unmask(unsigned line);
void arch_irq_release(unsigned line);

#endif
