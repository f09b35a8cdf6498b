/*
 * Calls to tty. Word 0 is the operation, word 1 the terminal; the answer's word 0 is a non-negative result or a negative Linux errno. Data is in the
 * caller's message page, at most 4096 bytes a call.
 *
 * PX_TTY_OPEN and PX_TTY_NEWPTY answer with a handle for later calls (w1) and a capability to a tally (w4) that stands for the
 * open file description: every
 * process that holds the description keeps it (fork copies it to the same slot) and deletes it with its last descriptor, then
 * says PX_TTY_CLOSE. So the kernel
 * counts the opens, and a destroyed process needs no clean-up. -PX_TTY_ENOKEY: tty does not know that the caller holds the
 * terminal; PX_TTY_CLAIM shows it.
 *
 * A read or write that would block answers -EAGAIN; the caller then sleeps until the word `seq` of that terminal's entry in the tty page
 * (below) differs from the value in answer word 1, and tries again. -512 (ERESTARTSYS): a signal for job control was sent to the caller's group.
 */
#ifndef PX_PROTO_TTY_H
#define PX_PROTO_TTY_H
#include <stdint.h>

#define PX_TTY_CTTY 0xffffu
#define PX_TTYS_MAX 64u
#define PX_TTY_CONSOLE 0u /* index of the console; pseudo-terminal n has index n + 1 */
#define PX_TTY_MASTER 0x8000u /* flag on the index: the master side of a pseudo-terminal */

enum px_tty_op {
    PX_TTY_OPEN = 1, /* w1 terminal index or PX_TTY_CTTY, w2 O_* flags. Answer w1 handle, w4 capability. Sets the controlling terminal
        as Linux does (session
                        leader without one, no O_NOCTTY). */
    PX_TTY_CLOSE,    /* w1 handle: a capability to it was deleted: look at the counts */
    PX_TTY_READ, /* w1 handle, w2 bytes wanted, w3 flags: 1 the caller blocks or ignores SIGTTIN. Answer w0 bytes (0: end of
        file), w1 seq; raw mode: w2 VTIME in
                        nanoseconds, w3 VMIN: the caller goes on until it has so many, or no byte comes for so long. */
    PX_TTY_WRITE,    /* w1 handle, w2 bytes in msg, w3 as above for SIGTTOU. Answer w0 bytes taken, w1 seq. */
    PX_TTY_POLL,     /* w1 handle. Answer w0: POLL* bits, w1 seq */
    PX_TTY_IOCTL, /* w1 handle, w2 request, w3 argument (integer arguments), structure in msg both ways; w4 as w3 of WRITE. Answer
        w0 result, w1 bytes to copy
                        out from msg; -EAGAIN as above (output is to be drained first) */
    PX_TTY_NEWPTY,   /* /dev/ptmx. Answer w1 handle of the new pseudo-terminal's master, w4 capability */
    PX_TTY_LOG,      /* w2 bytes in msg: a log line for the host's stderr. -EAGAIN: no room now. */
    PX_TTY_CLAIM,    /* w1 handle, w4 (exo_ep_call_cap) the capability that came with the open */
    PX_TTY_OWNER,    /* w1 handle, w2 the cookie (proc.h) of who wants SIGIO of this side, or 0: one of each side, the last one */
};
#define PX_TTY_ENOKEY 126
#define PX_TTY_HANDLE_INDEX(handle) ((unsigned)(handle) & 0x7fffu)

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
