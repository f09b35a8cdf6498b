/*
 * The file `core` that a process leaves when a signal ends it whose default is to (core(5), elf(5)): an ELF file of the program's memory and registers. The
 * libOS writes it as the program could itself, with its ids, into its current directory. entry/core.c has the notes, mm/core.c what memory is in it,
 * fs/core.c the file.
 */
#ifndef PX_CORE_H
#define PX_CORE_H
#include "px.h"

#define PX_CORE_HELD 1024u

struct px_core {
    struct px_ofd *ofd;      /* NULL: what is put is only counted */
    uint64_t place;          /* where the next bytes go */
    uint64_t written, limit; /* bytes, RLIMIT_CORE */
    bool full;               /* nothing more is written: the limit is reached, or the file takes no more */
    unsigned count;          /* bytes that wait to be written, */
    uint8_t held[PX_CORE_HELD]; /* up to `place` */
};

/* Writes `core` for the signal, if that is allowed; the bit of the wait status that says so, or 0. The process must end then: its other threads are stopped. */
int px_core_dump(const struct px_siginfo *info);

/* ---- the file ---- */

/* A new file, in place of what had the name. 0 or -errno. */
int64_t px_core_open(struct px_ofd **ofd);
void px_core_put(struct px_core *core, const void *from, size_t bytes);
/* Program memory; what cannot be read is left out, as zeros. */
void px_core_put_program(struct px_core *core, uint64_t va, uint64_t bytes);
void px_core_skip(struct px_core *core, uint64_t bytes);
void px_core_close(struct px_core *core);

/* ---- the program's memory ---- */

struct px_segment {
    uint64_t lo, bytes, in_file; /* in_file: of the bytes, those that are in the core */
    uint32_t prot;               /* PROT_* */
    const struct px_node *node;  /* the file that is mapped, or NULL */
    uint64_t page;               /* of it */
};
/* The mappings in order; false: there is no `number`th one. The last one is the vDSO. */
bool px_core_segment(unsigned number, struct px_segment *segment);
void px_core_put_segment(struct px_core *core, const struct px_segment *segment);
void px_core_auxv(uint64_t *va, uint64_t *bytes);

/* ---- registers (arch/.../trace_regs.c) ---- */

struct px_thread;
/* As ptrace shows them, of a thread that is stopped, or of the caller. */
void px_arch_core_regs(struct px_thread *thread, uint8_t to[]);

#endif
