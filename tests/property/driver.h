/* What makes the calls: operations that random words describe, played against the kernel and the model. */
#ifndef DRIVER_H
#define DRIVER_H
#include "model.h"

enum op_kind { OP_CALL, OP_TOUCH, OP_TICK, OP_IRQ, OP_FAULT, OP_EVENTS, OP_AGE, OP_SPAWN, OP_BATCH, OP_KINDS };

/* One operation. Its words say what it does in whatever state it meets: "the third capability of that type", so a shortened list still means something. */
struct op {
    uint8_t kind, number, squeeze; /* squeeze: so many frames, less one, remain to the caller's zone; 0: as it is */
    uint64_t words[6];
};

struct op op_random(uint64_t *state);
uint64_t random64(uint64_t *state);

/* Plays operations on the booted kernel; ends the process when something differs. `talk` prints each call. */
void play(const struct op *ops, unsigned count, bool talk);
void play_begin(void);

/* What a random call needs in memory, and its arguments; false: somebody else runs now. */
bool prepare(const struct op *op, uint64_t a[6]);
bool store(uint64_t va, const void *bytes, uint64_t count); /* as ring 3 stores to its own memory */
int64_t call(unsigned number, const uint64_t arguments[6]);
void count_answer(unsigned number, int64_t result);
void say_call(const struct step *s);
void say_answer(int64_t result);
bool keeps_apart(const uint64_t a[6]); /* the model can follow mem_share with these arguments */

/* ---- batches.c ---- */
void batch_play(const struct op *op);
void batch_begins(struct step *s);

/* ---- arguments.c ---- */
uint64_t argument_value(const struct exo_grammar_call *call, unsigned number, unsigned index, uint64_t word);
/* A page of the current environment that its user may write, none of the kernel's; 0: there is none. */
uint64_t scratch_page(uint64_t word);

/* Shared with the process that started this one: what was answered how often. */
struct record {
    uint64_t calls;
    uint64_t answers[EXO_CALLS][64]; /* [call][error], 0: success */
};
extern struct record *record;

#endif
