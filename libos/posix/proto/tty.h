/*
 * Calls to tty. Word 0 is the operation, word 1 the terminal (index; PX_TTY_CTTY: the caller's controlling terminal); the answer's word 0
 * is a non-negative result or a negative Linux errno. Data is in the caller's message page, at most 4096 bytes a call.
 * A read or write that would block answers -EAGAIN; the caller then sleeps until the word `seq` of that terminal's entry in the tty page
 * (below) differs from the value in answer word 1, and tries again.
 */
#ifndef PX_PROTO_TTY_H
#define PX_PROTO_TTY_H
#include <stdint.h>

#define PX_TTY_CTTY 0xffffu
#define PX_TTYS_MAX 64u
#define PX_TTY_CONSOLE 0u /* index of the console; pseudo-terminal n has index n + 1 */
#define PX_TTY_MASTER 0x8000u /* flag on the index: the master side of a pseudo-terminal */

enum px_tty_op {
    PX_TTY_OPEN = 1, /* w1 terminal, w2 O_* flags. Answer w1: index. Sets the controlling terminal as Linux does (session leader without one, no O_NOCTTY). Counts an open. */
    PX_TTY_CLOSE,    /* w1 terminal: the libOS drops one count it took with OPEN or DUP */
    PX_TTY_DUP,      /* w1 terminal, w2 count: fork: the caller takes a further count for a child. Counts of a dead process are dropped by tty. */
    PX_TTY_READ,     /* w2 bytes wanted, w3 flags: 1 caller's SIGTTIN is blocked or ignored, or its group orphaned. Answer w0 bytes (0: end of file), w1 seq. */
    PX_TTY_WRITE,    /* w2 bytes in msg. Answer w0 bytes taken, w1 seq. w3 as above for SIGTTOU. */
    PX_TTY_POLL,     /* answer w0: POLLIN|POLLOUT|POLLHUP bits, w1 seq */
    PX_TTY_IOCTL,    /* w2 request, w3 argument (integer arguments), structure in msg both ways; answer w0 result, w1 bytes to copy out from msg; w4 as w3 of READ */
    PX_TTY_NEWPTY,   /* /dev/ptmx: answer w1 index of the new pseudo-terminal (master side open) */
    PX_TTY_LOG,      /* w2 bytes in msg: a log line for the host's stderr */
};

/* One page, read-only for clients, mapped with the process table at PX_TTYPAGE: what a reader sleeps on. */
struct px_ttypage {
    uint32_t version, pad;
    struct {
        uint32_t seq;  /* bumped at each change that could let a read, write or poll go on */
        uint32_t pgid; /* foreground process group */
        uint32_t sid;
        uint32_t state; /* 0 free, 1 in use, 2 hung up */
    } tty[2 * PX_TTYS_MAX]; /* index, and PX_TTYS_MAX + index for the master side */
};
#define PX_TTYPAGE (PX_PROCTAB + PX_PROCTAB_PAGES * 4096ul - 4096ul)

#endif
