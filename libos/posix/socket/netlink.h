/* What there is to tell of the one interface: for ioctl (interface.c) and netlink (netlink.c, route.c). */
#ifndef PX_NETLINK_H
#define PX_NETLINK_H
#include "socket.h"

#define PX_LO_NAME "lo"
#define PX_LO_INDEX 1u
#define PX_LO_FLAGS 0x49u /* IFF_UP, IFF_LOOPBACK, IFF_RUNNING */
#define PX_LO_MTU 65536u
#define PX_LO_QUEUE 1000u
#define PX_LO_KIND 772u /* ARPHRD_LOOPBACK */

struct px_netlink_header {
    uint32_t bytes;
    uint16_t type, flags;
    uint32_t sequence, port;
};

/* An answer as it grows: messages one behind the other. What finds no room is left out, and `full` says so. */
#define PX_ANSWER_BYTES 2048u
struct px_answer {
    const struct px_netlink_header *asked;
    uint32_t bytes, message; /* so far; where its last message begins */
    bool full;
    _Alignas(8) uint8_t block[PX_ANSWER_BYTES];
};

/* Begins a message of the type, with the fixed part of its body; adds an attribute to it. */
void px_answer_begin(struct px_answer *answer, uint16_t type, uint16_t flags, const void *body, uint32_t bytes);
void px_answer_add(struct px_answer *answer, uint16_t type, const void *value, uint32_t bytes);

/*
 * What a request of NETLINK_ROUTE is answered (route.c): its body has `bytes`, whatever it says. 0, or -errno; *dump: what was added is the first part of a
 * list, and its end follows.
 */
int64_t px_route_answer(struct px_answer *answer, const uint8_t *body, uint32_t bytes, bool *dump);

#endif
