/*
 * A walk over everything that the kernel has: from those who run and the zones, through environments, their slots, derivation nodes, contexts, page tables,
 * blocks, endpoints and gas accounts. Each reference that is found is counted, and what objects and frames say of themselves must be just
 * that. It knows the kernel's structures, and nothing of the model.
 */
#ifndef REFERENCES_H
#define REFERENCES_H
#include "host.h"

/* Takes down what the machine itself holds; once, before anything was done. */
void references_begin(void);
/*
 * Walks everything, and `also` these objects, which may sleep or wait to be taken apart, so that nothing names them. Ends the process with a message where
 * a count is wrong.
 */
void references_check(struct object *const also[], unsigned count);
/* Objects and derivation nodes, in the last walk. */
extern unsigned references_found;
/* Frames that are mapped, in a block, or held for a word, a ledger or a context page: how often, in the last walk. */
extern uint32_t references_users[HOST_RAM_END / PAGE];
/* And those of the kernel's own: objects, tables, slots. */
extern uint32_t references_own[HOST_RAM_END / PAGE];

#endif
