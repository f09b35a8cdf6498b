/*
 * A socket's pages in PX_SHARED. One page alone while it is not connected; a connection is PX_LINK_PAGES pages that both ends map: this page, then
 * a ring of PX_FLOW_BYTES for each direction. Whoever has an end may write nonsense anywhere in them: every position and length is checked against
 * the ring before it is used, so that this spoils the conversation and nothing else. What must not be the peer's to say lies in the description
 * (fd.h): whose end is which, who the peer was, locks.
 *
 * A direction has one writer and one reader (relatives that share an end take turns by locks in their description): the writer moves `tail`, the
 * reader `head`. A ring holds records: a header and bytes, both filled up to PX_RECORD_ALIGN, so that no header crosses the end. A stream's records
 * are read in parts and together, a packet's whole or cut off.
 *
 * `holders` are tallies: the kernel keeps in them how many capabilities to each end there are, so an end that dies in the middle of anything counts 0.
 */
#ifndef PX_PROTO_SOCKET_H
#define PX_PROTO_SOCKET_H
#include <stdint.h>

#define PX_FLOW_BYTES 65536u
#define PX_LINK_PAGES (1u + 2u * PX_FLOW_BYTES / 4096u)
#define PX_RECORD_ALIGN 32u
#define PX_BOX_PAGES (1u + PX_FLOW_BYTES / 4096u) /* of a socket that datagrams are sent to by its name: this page and what comes */
#define PX_NAME_BYTES 110u /* of an address: struct sockaddr_un is the longest */

struct px_flow {
    uint32_t tail;          /* the writer's position, free-running */
    uint32_t write_seq;     /* bumped after each change by the writer: the reader sleeps on it */
    uint32_t write_waiters; /* writers asleep */
    uint32_t closed;        /* PX_FLOW_*: shut down */
    uint32_t urgent;        /* of a stream: where the record of the urgent byte stands that was sent last (MSG_OOB), | PX_URGENT_IS; 0: none was */
    _Alignas(64) uint32_t head;
    uint32_t read_seq;
    uint32_t read_waiters;
    uint32_t urgent_read; /* as `urgent`: that one was received as such */
};
#define PX_URGENT_IS 1u
#define PX_FLOW_NO_READ 1u  /* by its reader */
#define PX_FLOW_NO_WRITE 2u /* by its writer */

struct px_record {
    uint32_t bytes;
    uint32_t taken; /* of a stream's: read already; of a datagram's that came to a name: its struct px_from */
    int32_t pid;    /* who sent it, as he says */
    uint32_t uid, gid;
    uint32_t rights; /* descriptors that come with it */
    uint64_t ticket; /* names them; without any, of a datagram that came to a name: when, as PX_TIME; of a stream's urgent byte: PX_RECORD_URGENT */
};
#define PX_RECORD_URGENT 1u
_Static_assert(sizeof(struct px_record) == PX_RECORD_ALIGN, "a header does not cross the ring's end");

/* From whom a datagram is that was sent to a name. */
struct px_from {
    uint16_t bytes; /* 0: he has no name */
    uint8_t name[PX_NAME_BYTES];
};
/* On the internet the names are short, and there is room for more. */
struct px_from_internet {
    uint16_t bytes;
    uint8_t name[28];
    uint8_t hops, class;
    uint8_t to[16]; /* the address that it was sent to; of IPv4 the first 4 bytes */
};
_Static_assert(sizeof(struct px_from_internet) <= sizeof(struct px_from), "in the same place");
#define PX_BOX_MOST (PX_FLOW_BYTES - PX_RECORD_ALIGN - (unsigned)sizeof(struct px_from))

#define PX_KEPT_OPTIONS 48u
struct px_end {
    _Alignas(64) uint32_t holders; /* tally word */
    uint32_t options;  /* bit n: option SO_n is on */
    uint64_t receive_ns, send_ns; /* time-outs; 0: none */
    uint64_t ino;
    uint32_t send_bytes, receive_bytes; /* SO_SNDBUF: so much of a ring is used, at least PX_SEND_LEAST; SO_RCVBUF: what was asked for */
    uint32_t low_water;
    uint32_t linger; /* seconds, with SO_LINGER */
    int32_t error;   /* SO_ERROR: what has not been told yet */
    uint32_t reset;      /* PX_RESET_*: what this end has done of the other's being gone */
    uint64_t owner;      /* the cookie (proc.h) of who gets SIGURG, and SIGIO if */
    uint32_t async;      /* he wants it; 0: there is none */
    uint64_t stamp;      /* when the datagram came that was received last, as PX_TIME; 0: none was */
    int32_t kept[PX_KEPT_OPTIONS]; /* options of the internet (socket/internet_option.c): how far from their first values */
    uint16_t name_bytes; /* of the address that it is bound to */
    uint8_t name[PX_NAME_BYTES];
};

#define PX_SEND_LEAST 4608u
#define PX_RESET_NOT 0u
#define PX_RESET_TOLD 1u /* that he left what was sent unread */
#define PX_RESET_SENT 2u /* sent on after he had closed: to nobody */

struct px_link {
    uint32_t version;
    uint32_t pages;
    struct px_flow to[2]; /* to[i]: what end i reads */
    struct px_end end[2];
};
#define PX_LINK_VERSION 1u
#define PX_LINK_RING(link, end) ((uint8_t *)(link) + 4096 + (uint64_t)(end)*PX_FLOW_BYTES)
_Static_assert(sizeof(struct px_link) <= 4096, "one page");

#endif
