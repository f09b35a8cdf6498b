/*
 * A process that goes on in a fresh environment, because it executes a set-ID program (decision 0032). At PX_BOOTARGS it finds a page that proc has written,
 * and behind it a block that its old libOS left: arguments, environment, and which descriptors are in the parcel. The old libOS was its program's to
 * overwrite, so the block says what a hostile program wants to say.
 */
#ifndef PX_PROTO_RENEW_H
#define PX_PROTO_RENEW_H
#include <stdint.h>

#include "layout.h"

#define PX_RENEWAL_VERSION 2u /* px_bootargs has 1 */
#define PX_RENEWAL_BLOCK (PX_BOOTARGS + PX_PAGE)
#define PX_RENEWAL_PAGES 1600u /* of a block, at most: the longest arguments and their pointers */

/* proc's page. */
struct px_renewal {
    uint32_t version, pages; /* pages of the block */
    uint64_t root;           /* node of the root directory; 0: the file system's */
};

/* The block: this, then the descriptors, then the strings: arguments, environment, the program's name for AT_EXECFN, and its path. */
struct px_renewal_block {
    uint64_t ticket;         /* of the parcel; item 0 is the current directory */
    uint64_t timer_ns[3][2]; /* interval timers: what is left (0: it does not run), and the interval */
    uint64_t blocked, ignored; /* signals */
    uint32_t flags;          /* PX_HELLO_* (link.h) */
    uint32_t umask;
    uint32_t descriptors;
    uint32_t argc, envc;
    uint32_t bytes; /* of strings */
};
struct px_renewal_fd {
    uint32_t fd;
    uint16_t item;
    uint16_t close_on_exec;
};

#endif
