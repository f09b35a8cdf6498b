/*
 * Descriptors on their way from one process to another (SCM_RIGHTS, decision 0030; by tickets, 0031). A parcel is what one message carries: fs keeps it
 * from sendmsg to recvmsg, whoever of the two ends meanwhile. Its ticket, a number that nobody can make, stands in the message's record: who reads that
 * may take what is in the parcel. An item is one description as its sender tells of it; fs looks into the sender's claims as far as they carry authority,
 * and the receiver makes a description of his own from it, on the same pages and by copies of the same capabilities.
 */
#ifndef PX_PROTO_PARCEL_H
#define PX_PROTO_PARCEL_H
#include <stdint.h>

#define PX_PARCEL_MOST 253u /* items, as Linux's SCM_MAX_FD */
#define PX_PARCEL_PAGES 33u /* pages of an item: a socket's are the most */
#define PX_PARCEL_LIES 2u   /* in no conversation: it lies in fs until it is dropped, its maker ends, or PX_PARCEL_LYING younger ones of his lie there */
#define PX_PARCEL_LYING 32u

/* What a description is of. */
enum px_ofd_kind { PX_OFD_FREE, PX_OFD_FILE, PX_OFD_DIRECTORY, PX_OFD_PIPE, PX_OFD_TTY, PX_OFD_DEVICE, PX_OFD_PROC, PX_OFD_SOCKET, PX_OFD_PATH,
                   PX_OFD_EVENT, PX_OFD_EPOLL, PX_OFD_TIMER, PX_OFD_SIGNAL, PX_OFD_PIDFD, PX_OFD_INOTIFY, PX_OFD_MQUEUE, PX_OFD_KINDS };

/* What is asked of fs: PX_FS_PARCEL with this in w1, w2 the ticket. */
enum px_parcel_call {
    PX_PARCEL_NEW = 1, /* w3 va of the conversation's first page, w4 the end that receives, or PX_PARCEL_LIES; va 0 and w4 0: it is for a letter, which says
                          so. Answer w1 ticket. */
    PX_PARCEL_PUT,     /* msg an item */
    PX_PARCEL_GIVE,    /* a capability (w4) of the item that was put last */
    PX_PARCEL_LOOK,    /* w3 number of an item. Answer: msg the item, w1 how many there are */
    PX_PARCEL_MAP,     /* w3 number of an item, w4 va where the caller wants its pages */
    PX_PARCEL_TAKE,    /* w3 number of an item, w4 which of its capabilities. Answer w4 a copy */
    PX_PARCEL_DROP,    /* the parcel is over */
    PX_PARCEL_LEAVE,   /* the caller ends: what lies here of him is over */
};

struct px_parcel_item {
    uint32_t kind;     /* enum px_ofd_kind */
    uint32_t flags;    /* of the description */
    uint64_t offset;
    uint64_t node;     /* PX_FS_NODE, or 0 */
    uint64_t word[6];  /* the kind's own; where pages are, word 0 is their address */
    uint64_t va;       /* PUT: of the pages in the sender */
    uint32_t pages;
    uint8_t place[2];  /* where the capabilities belong: a word, PX_PARCEL_OFFSET, or PX_PARCEL_NONE */
    uint8_t side;      /* of a socket: which end it is, whose tally the first capability is to */
    uint8_t connected; /* ... and that there is another */
    uint32_t peer[3];  /* LOOK: pid, uid and gid of that, as fs knows them */
};
#define PX_PARCEL_OFFSET 6u
#define PX_PARCEL_NONE 0xffu
#define PX_PARCEL_TOKEN 0u /* word of a file in which its token is: fs writes one for what the sender may do */

#endif
