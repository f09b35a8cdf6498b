/* Turning `syscall` instructions of the program into jumps to the libOS (rewrite.c, length.c; decision 0025). */
#ifndef PX_REWRITE_H
#define PX_REWRITE_H
#include <stdbool.h>
#include <stdint.h>

/* Length of the instruction at `code`, of which `bytes` can be read; 0: it is not one that is known, or fewer than 16 can be read. */
unsigned px_instruction_length(const uint8_t *code, unsigned bytes);

#endif
