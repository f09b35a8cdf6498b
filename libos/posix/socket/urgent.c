/*
 * Urgent data of streams (MSG_OOB): the last byte of what is sent so is a record by itself, and its place is the mark. A receive stops at the mark, and one
 * that begins there passes the byte over, unless SO_OOBINLINE is on. When another one comes the older is ordinary data, if it was not received, or waited
 * for, yet.
 */
#include "fd/owner.h"
#include "flow.h"

static bool is_inline(struct px_ofd *ofd)
{
    return px_socket_end(ofd)->options >> SO_OOBINLINE & 1;
}

static bool is_stream(struct px_ofd *ofd)
{
    return px_socket_of(ofd)->type == SOCK_STREAM && px_socket_of(ofd)->domain != AF_NETLINK;
}

/* The mark has not been passed: where its record stands. */
static bool find_mark(struct px_ofd *ofd, struct px_flow **flow, uint32_t *at)
{
    uint32_t urgent, head;

    *flow = way_of(ofd, false).flow;
    urgent = __atomic_load_n(&(*flow)->urgent, __ATOMIC_ACQUIRE);
    head = __atomic_load_n(&(*flow)->head, __ATOMIC_ACQUIRE);
    *at = urgent & ~PX_URGENT_IS;
    return is_stream(ofd) && px_socket_of(ofd)->state == PX_SOCKET_CONNECTED && urgent & PX_URGENT_IS && *at % PX_RECORD_ALIGN == 0 &&
           *at - head < flow_used(*flow);
}

enum px_urgent px_urgent_met(struct px_ofd *ofd, uint32_t head, bool first)
{
    const struct px_flow *flow = way_of(ofd, false).flow;
    uint32_t here = head | PX_URGENT_IS;

    if (flow->urgent == here && !first)
        return PX_URGENT_STOP;
    if (!is_inline(ofd) && (first || flow->urgent_read == here))
        return PX_URGENT_SKIP;
    return PX_URGENT_DATA;
}

bool px_urgent_waits(struct px_ofd *ofd)
{
    struct px_flow *flow;
    uint32_t at;

    return find_mark(ofd, &flow, &at) && flow->urgent_read != (at | PX_URGENT_IS);
}

bool px_urgent_is_here(struct px_ofd *ofd)
{
    struct px_flow *flow;
    uint32_t at;

    if (!find_mark(ofd, &flow, &at) || at != flow->head)
        return false;
    return px_internet(px_socket_of(ofd)->domain) || flow->urgent_read != (at | PX_URGENT_IS);
}

bool px_urgent_bounds(struct px_ofd *ofd)
{
    return px_internet(px_socket_of(ofd)->domain) && !is_inline(ofd);
}

bool px_urgent_is_all(struct px_ofd *ofd, uint32_t there)
{
    struct px_flow *flow;
    uint32_t at;

    return px_urgent_bounds(ofd) && there == px_record_room(1) && find_mark(ofd, &flow, &at);
}

int64_t px_urgent_may_send(struct px_ofd *ofd, uint64_t bytes)
{
    return is_stream(ofd) && (bytes || px_internet(px_socket_of(ofd)->domain)) ? 0 : -EOPNOTSUPP;
}

int64_t px_urgent_receive(struct px_ofd *ofd, struct px_message *message)
{
    bool internet = px_internet(px_socket_of(ofd)->domain);
    struct px_flow *flow;
    struct px_record record;
    struct way way;
    uint32_t at;

    if (!is_stream(ofd)) {
        message->flags &= ~MSG_OOB;
        return internet ? px_socket_receive(ofd, message) : -EOPNOTSUPP;
    }
    if (px_socket_of(ofd)->state == PX_SOCKET_LISTENING && internet)
        return -ENOTCONN;
    if (is_inline(ofd) || !px_urgent_waits(ofd) || !find_mark(ofd, &flow, &at))
        return -EINVAL;
    way = way_of(ofd, false);
    if (!record_at(&way, at, flow->tail, &record) || record.bytes != 1)
        return -EINVAL;
    message->found |= MSG_OOB;
    if (!message->bytes)
        message->found |= MSG_TRUNC;
    else if (px_message_put(message, way.ring + ((at + (uint32_t)sizeof record) & FLOW_MASK), 1) < 1)
        return -EFAULT;
    if (!(message->flags & MSG_PEEK))
        flow->urgent_read = at | PX_URGENT_IS;
    return message->bytes ? 1 : 0;
}

void px_urgent_tell(struct px_ofd *ofd)
{
    struct px_end *to = &px_socket_link(ofd)->end[!px_socket_side(ofd)];

    if (!to->owner)
        return;
    if (px_owner_tell(&to->owner, PX_TELL_URGENT) && to->async)
        (void)px_owner_tell(&to->owner, PX_TELL_URGENT_IN);
}
