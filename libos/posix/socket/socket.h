/*
 * Sockets, inside socket/: making them (socket.c), meeting (meet.c, name.c), moving data (flow.c), messages with addresses and ancillary data
 * (message.c), options (option.c).
 * A socket's description has a struct px_socket in its words; its pages are proto/socket.h's. The description is shared with relatives only, the
 * pages with the peer too.
 */
#ifndef PX_SOCKET_H
#define PX_SOCKET_H
#include "fd/fd.h"

#include "proto/socket.h"

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define NETLINK_KOBJECT_UEVENT 15
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define SOCK_STREAM 1u
#define SOCK_DGRAM 2u
#define SOCK_RAW 3u
#define SOCK_SEQPACKET 5u
#define SOCK_TYPE 0xfu

#define MSG_OOB 1u
#define MSG_PEEK 2u
#define MSG_CTRUNC 8u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_WAITALL 0x100u
#define MSG_ERRQUEUE 0x2000u
#define MSG_NOSIGNAL 0x4000u
#define MSG_WAITFORONE 0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

#define SOL_SOCKET 1
#define SOL_NETLINK 270
#define SO_REUSEADDR 2u
#define SO_OOBINLINE 10u
#define SO_LINGER 13u
#define SO_REUSEPORT 15u
#define SO_PASSCRED 16u
/* Bits of `options` where no option of SOL_SOCKET is: IPV6_V6ONLY, and that it is of UDP-Lite. */
#define PX_OPTION_ONLY6 1u
#define PX_OPTION_LITE 8u
#define PX_OPTION_STAMP_NS 16384u /* SO_TIMESTAMPNS */

struct px_ucred {
    int32_t pid;
    uint32_t uid, gid;
};

enum px_socket_state { PX_SOCKET_NEW, PX_SOCKET_LISTENING, PX_SOCKET_CONNECTED };

/* In the words of a description. */
struct px_socket {
    uint64_t link;  /* where its pages are; checked before use */
    uint64_t tally; /* capability by which this end is held */
    uint8_t type, side, state, domain;
    uint32_t write_lock;
    struct px_ucred peer; /* as it was when they were connected */
    /* SOCK_DGRAM: its page's other end has the name that it sends to, and as `ino` what fs calls that. SOCK_STREAM: a connect that did not wait was made or
     * refused, and nobody has asked since. AF_NETLINK: the protocol. */
    uint32_t aimed;
    uint64_t ticket; /* fs's, of the name that it is bound to; 0: none. The capability by which the name lives is in the description's `offset`. */
};
_Static_assert(sizeof(struct px_socket) <= sizeof((struct px_ofd){0}.word), "fits a description");

static inline struct px_socket *px_socket_of(struct px_ofd *ofd)
{
    return (struct px_socket *)ofd->word;
}
/* Its pages, or NULL if the description lies. */
static inline struct px_link *px_socket_link(struct px_ofd *ofd)
{
    uint64_t va = px_socket_of(ofd)->link;

    if (va < PX_SHARED || va > PX_SHARED_HI - PX_LINK_PAGES * PX_PAGE || va % PX_PAGE)
        return NULL;
    return (struct px_link *)va;
}
static inline unsigned px_socket_side(struct px_ofd *ofd)
{
    return px_socket_of(ofd)->side & 1;
}
static inline struct px_end *px_socket_end(struct px_ofd *ofd)
{
    return &px_socket_link(ofd)->end[px_socket_side(ofd)];
}

/* Are its pages here? A relative that shares the description may have bound or connected it since, and then they are his. */
static inline bool px_socket_here(struct px_ofd *ofd)
{
    return px_socket_link(ofd) && (ofd->holders <= 1 || px_ring_held(px_socket_of(ofd)->link));
}

struct px_message;
/* A socket of the internet, of which there is the loopback (internet.c). */
bool px_internet(unsigned domain);
/* Options of IP, IPv6 and TCP (internet_option.c): 0 or the bytes of the value; -EOPNOTSUPP: it is no socket of the internet. */
#define PX_OPTION_BYTES 232u /* of the longest value, struct tcp_info */
int64_t px_internet_set_option(struct px_ofd *ofd, int level, unsigned name, px_user from, uint32_t bytes);
/* Places of some in px_end's `kept`, and what they are. */
enum { PX_KEPT_TOS = 0, PX_KEPT_TTL = 1, PX_KEPT_INFO = 4, PX_KEPT_WANT_TTL = 7, PX_KEPT_WANT_TOS = 8, PX_KEPT_HOPS6 = 16, PX_KEPT_INFO6 = 22,
       PX_KEPT_WANT_HOPS6 = 23, PX_KEPT_WANT_CLASS6 = 29, PX_KEPT_CLASS6 = 30 };
#define PX_HOPS_FIRST 64
static inline int32_t px_kept(struct px_ofd *ofd, unsigned place)
{
    return px_socket_end(ofd)->kept[place] + (place == PX_KEPT_TTL || place == PX_KEPT_HOPS6 ? PX_HOPS_FIRST : 0);
}
int64_t px_internet_get_option(struct px_ofd *ofd, int level, unsigned name, uint8_t value[PX_OPTION_BYTES]);
/* Questions about interfaces by ioctl (interface.c); -ENOTTY: it is none. */
int64_t px_interface_ioctl(unsigned domain, uint64_t request, px_user argument);

/* Netlink (netlink.c): a new socket of the flags, or NULL; what the other calls do for one. */
struct px_ofd *px_netlink_new(unsigned flags, int protocol);
int64_t px_netlink_bind(struct px_ofd *ofd, px_user name, uint32_t bytes);
int64_t px_netlink_send(struct px_ofd *ofd, const struct px_message *message);
/* Options that are on or off: one is set, or asked. */
int64_t px_netlink_option(struct px_ofd *ofd, unsigned name, const uint32_t *set, uint32_t *got);
unsigned px_netlink_type(struct px_ofd *ofd);
/* notify.c: with what mq_notify has told meanwhile. A word more for poll to sleep on, unless predicates is NULL. */
int64_t px_netlink_receive(struct px_ofd *ofd, struct px_message *message);
void px_netlink_poll(struct px_ofd *ofd, struct exo_predicate *predicates, unsigned *count);
void px_netlink_drop(const struct px_ofd *ofd);
void px_netlink_deliver(struct px_ofd *ofd, const uint8_t *block, uint32_t bytes);

/* A stream's sending, whose way has `closed` and `holders` (flow.c): 0 if it may, -errno, or that what is sent gets lost. */
#define PX_STREAM_LOST 1
int64_t px_stream_refused(struct px_ofd *ofd, uint32_t closed, uint32_t holders);
bool px_stream_is_reset(struct px_ofd *ofd);
/* The other end of this stream had been told to be closed without lingering (SO_LINGER, 0 seconds): its end was a reset. */
static inline bool px_stream_aborted(struct px_ofd *ofd)
{
    const struct px_end *other = &px_socket_link(ofd)->end[!px_socket_side(ofd)];

    return px_internet(px_socket_of(ofd)->domain) && other->options >> SO_LINGER & 1 && !other->linger;
}

/* The description of a socket, or NULL with *error set (EBADF, ENOTSOCK). */
struct px_ofd *px_socket_get(uint64_t fd, int64_t *error);
struct px_ucred px_socket_self(void);

/* One end of the link at va, connected if that has more than one page. What it holds by `tally` is its own from now on. NULL: no room. */
struct px_ofd *px_socket_end_new(uint64_t va, unsigned pages, unsigned flags, unsigned side, uint64_t tally);
/* Options as they are at first. */
void px_socket_end_start(struct px_end *end);
/* Urgent bytes of streams (urgent.c): a receive has come to the record of one at `head`, before it got anything if `first`. */
enum px_urgent { PX_URGENT_DATA, PX_URGENT_STOP, PX_URGENT_SKIP };
enum px_urgent px_urgent_met(struct px_ofd *ofd, uint32_t head, bool first);
int64_t px_urgent_receive(struct px_ofd *ofd, struct px_message *message); /* MSG_OOB */
int64_t px_urgent_may_send(struct px_ofd *ofd, uint64_t bytes);            /* 0 or -EOPNOTSUPP */
bool px_urgent_waits(struct px_ofd *ofd);
bool px_urgent_is_here(struct px_ofd *ofd); /* SIOCATMARK */
/* Of the bytes of the ring that are there, is it all? What is read next is not it. */
bool px_urgent_is_all(struct px_ofd *ofd, uint32_t there);
bool px_urgent_bounds(struct px_ofd *ofd); /* FIONREAD counts what is before it */
void px_urgent_tell(struct px_ofd *ofd);   /* the other end's owner */
/* The last descriptor here closes: the name goes if nobody else has it (meet.c). */
void px_socket_unbind(struct px_ofd *ofd);
/* Something may be over: fs looks (meet.c). */
void px_socket_over(void);

/* A message as it comes and goes: pieces of the program's memory, and what goes with them. */
struct px_piece {
    px_user base;
    uint64_t bytes;
};
#define PX_SAID_HOPS 1u
#define PX_SAID_CLASS 2u
struct px_message {
    const struct px_piece *piece;
    uint64_t pieces;
    uint64_t bytes; /* of all pieces */
    unsigned flags; /* MSG_* as given */
    unsigned found; /* MSG_* to be told */
    struct px_ucred cred; /* sent: as whom; received: from whom */
    unsigned rights;
    uint64_t ticket;
    uint8_t hops, class; /* sent, on the internet: of this datagram alone, */
    uint8_t said;        /* if PX_SAID_* */
    bool named;          /* received: it came to this socket's name, from */
    struct px_from from;
};

/* How much of a stream a receive waits for (MSG_WAITALL, SO_RCVLOWAT). */
static inline uint64_t px_stream_least(struct px_ofd *ofd, const struct px_message *message)
{
    uint32_t low = px_socket_end(ofd)->low_water;

    return message->flags & MSG_WAITALL || low > message->bytes ? message->bytes : low;
}
/* Bytes moved, or -errno (flow.c). */
/* What a record of so many bytes takes of the ring. */
static inline uint32_t px_record_room(uint64_t bytes)
{
    return (uint32_t)((bytes + sizeof(struct px_record) + PX_RECORD_ALIGN - 1) & ~(uint64_t)(PX_RECORD_ALIGN - 1));
}
int64_t px_flow_send(struct px_ofd *ofd, const struct px_message *message);
int64_t px_flow_receive(struct px_ofd *ofd, struct px_message *message);
static inline int64_t px_socket_receive(struct px_ofd *ofd, struct px_message *message)
{
    return __builtin_expect(px_socket_of(ofd)->domain == AF_NETLINK, false) ? px_netlink_receive(ofd, message) : px_flow_receive(ofd, message);
}
/* Bytes of the message, from `skip` on, into memory of the libOS: how many there were. */
size_t px_message_copy(uint8_t *to, const struct px_message *message, uint64_t skip, size_t bytes);
/* Into its first bytes. */
size_t px_message_put(const struct px_message *message, uint8_t *from, size_t bytes);
/* The address of an end, cut off at *room, which becomes its length (name.c). */
int64_t px_socket_put_name(const struct px_end *end, px_user to, uint32_t *room);

/* Is there something to read, and room to write? */
bool px_flow_readable(struct px_ofd *ofd);
bool px_flow_writable(struct px_ofd *ofd);
/* Bytes that a read would find: of the first datagram, or of all that is there. */
uint32_t px_flow_pending(struct px_ofd *ofd);
/* Bytes of the ring that the other end has not read yet. */
uint32_t px_flow_unread(struct px_ofd *ofd);
/* The other end is gone, or has never been. */
bool px_flow_alone(struct px_ofd *ofd);
/* ... and left unread what was sent to it: ECONNRESET, until it has been told. */
bool px_flow_reset(struct px_ofd *ofd);
/* What sending or receiving answers where nobody is connected (socket.c). */
int64_t px_socket_unconnected(struct px_ofd *ofd, bool sending, unsigned flags);
/* Takes an error that waits to be told (ECONNRESET, or one of connecting): positive, or 0. */
int32_t px_flow_error(struct px_ofd *ofd);

#endif
