/* What was mapped by virtue of capabilities that were taken back: mem/recall.c. kernel.h includes this where environments and blocks are known. */
#ifndef RECALL_H
#define RECALL_H
#include "kernel.h"

/* A capability to the block was taken back: when recall_done(batch) nobody without another has a page of it mapped. 0: that is so already. */
uint16_t recall_add(struct block *block, unsigned *most);
bool recall_done(uint16_t batch);
bool recall_idle(void); /* nothing is to be unmapped */
void recall_some(unsigned *most); /* a piece of the work, counted down */
/* While a page goes from an environment to another: may the pass under way miss it, if it is one of those that it is about? */
bool recall_guards(const struct env *source, const struct env *target);
bool recall_concerns(uint64_t physical);
void recall_env_new(struct env *env);
void recall_env_gone(struct env *env);
extern struct env *recall_scanned; /* the pass is at this one */
void recall_holds(const struct env *env, struct object *object);

#endif
