/*
 * The state in which a new context begins, by meaning: where the registers are is the architecture's (exo/arch_state.h).
 */
#ifndef EXO_STATE_H
#define EXO_STATE_H
#include <exo/arch_state.h>
#endif
