/*
 * `./exo trace` and `./exo profile`: rs begins to record before it starts the others (word `exo.trace=PAGES` on the command line: so many pages for each CPU;
 * `exo.trace-sample=NS`: samples), and when the command has ended tty stops that and sends what is there, in PX_LINK_TRACE frames: units of 32 bytes, a struct
 * px_trace_head, then for each CPU a struct exo_trace_header and its records, the oldest first. What a system call
 * is the kernel does not know: libOSes note them.
 */
#ifndef PX_PROTO_RECORD_H
#define PX_PROTO_RECORD_H
#include <stdint.h>

#define PX_TRACE_VA 0x8000000000ul     /* in tty: CPU i's pages at PX_TRACE_VA + i * PX_TRACE_STEP, read-only */
#define PX_TRACE_STEP 0x100000000ul
#define PX_TRACE_SLOT 64u              /* in tty: capability to CPU i's trace in slot PX_TRACE_SLOT + i */
#define PX_TRACE_CPUS 8u
#define PX_TRACE_VERSION 1u

struct px_trace_head {
    char magic[8]; /* "exotrace" */
    uint32_t version, cpus;
    uint64_t tsc_mult, tsc_base; /* of the info page: ns = (tsc - tsc_base) * tsc_mult >> 32 */
    uint64_t id[8]; /* of the environments of rs, proc, fs and tty, and of the zones of servers and of programs */
};
_Static_assert(sizeof(struct px_trace_head) == 96, "three units");

/* Bits 0-3 of a note's detail; above: the number of the call. */
enum {
    PX_NOTE_CALL = 1, /* a: the first argument; b: pid << 32 | tid */
    PX_NOTE_RETURN,   /* a: the result; b: as above */
    PX_NOTE_NAME,     /* a, b: the process's name: 16 bytes with NULs */
    PX_NOTE_SIGNAL,   /* a: which; b: pid << 32 | tid */
    PX_NOTE_EXIT,     /* a: wait status */
};

#endif
