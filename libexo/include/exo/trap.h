/*
 * Entering the kernel. The instruction and its registers are the architecture's: exo/arch_trap.h comes from
 * libexo/arch/<architecture>/include.
 */
#ifndef EXO_TRAP_H
#define EXO_TRAP_H
#include <exo/arch_trap.h>
#endif
