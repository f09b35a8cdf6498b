/* A direction of a connection as those see it who move data through it (flow.c), look at it (flow_state.c) and know its urgent byte (urgent.c). */
#ifndef PX_FLOW_H
#define PX_FLOW_H
#include "socket.h"

#define FLOW_MASK (PX_FLOW_BYTES - 1)
#define FLOW_ENOUGH (PX_FLOW_BYTES / 2) /* so much room wakes who waits for room */

/* One direction of a connection, seen from one of its ends. */
struct way {
    struct px_ofd *ofd;
    struct px_flow *flow;
    uint8_t *ring;
    struct px_end *own, *peer;
    bool stream, packets_only; /* SOCK_STREAM; SOCK_DGRAM, which knows no end */
    uint32_t seen, holders, closed; /* as they were before we looked at the ring */
};

static inline struct way way_of(struct px_ofd *ofd, bool sending)
{
    const struct px_socket *socket = px_socket_of(ofd);
    struct px_link *link = px_socket_link(ofd);
    unsigned side = socket->side & 1, to = sending ? !side : side;

    return (struct way){.ofd = ofd,
                        .flow = &link->to[to],
                        .ring = PX_LINK_RING(link, to),
                        .own = &link->end[side],
                        .peer = &link->end[!side],
                        .stream = socket->type == SOCK_STREAM,
                        .packets_only = socket->type == SOCK_DGRAM};
}

static inline void look(struct way *way, uint32_t *sequence)
{
    way->seen = __atomic_load_n(sequence, __ATOMIC_SEQ_CST);
    way->holders = __atomic_load_n(&way->peer->holders, __ATOMIC_SEQ_CST);
    way->closed = __atomic_load_n(&way->flow->closed, __ATOMIC_SEQ_CST);
}

/* Relatives that share an end take turns; nobody else writes in a description. */
static inline bool lock_way(const struct way *way, uint32_t *lock)
{
    if (__atomic_load_n(&way->ofd->holders, __ATOMIC_RELAXED) <= 1)
        return false;
    px_lock_take(lock, PX_RANK_COUNTER);
    return true;
}

/* Bytes in the ring; nonsense is nothing. */
static inline uint32_t used(uint32_t head, uint32_t tail)
{
    return tail - head > PX_FLOW_BYTES || (head | tail) % PX_RECORD_ALIGN ? 0 : tail - head;
}

static inline uint32_t flow_used(const struct px_flow *flow)
{
    uint32_t head = __atomic_load_n(&flow->head, __ATOMIC_ACQUIRE);

    return used(head, __atomic_load_n(&flow->tail, __ATOMIC_ACQUIRE));
}

/* How much of it this end may fill (SO_SNDBUF); the peer can have written nonsense there. */
static inline uint32_t flow_most(const struct way *way)
{
    uint32_t most = way->own->send_bytes & ~(PX_RECORD_ALIGN - 1);

    return most >= PX_SEND_LEAST && most < PX_FLOW_BYTES ? most : PX_FLOW_BYTES;
}

/* The record at `head`, of which at least its header is there, as it is said to be. False: nonsense. */
static inline bool record_at(const struct way *way, uint32_t head, uint32_t tail, struct px_record *copy)
{
    uint32_t there = used(head, tail);

    if (!there)
        return false;
    *copy = *(const volatile struct px_record *)(way->ring + (head & FLOW_MASK));
    return copy->bytes <= there - sizeof *copy && copy->taken <= copy->bytes;
}

#endif
