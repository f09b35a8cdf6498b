/* What poll and the like ask of a connection. */
#include "flow.h"

bool px_flow_readable(struct px_ofd *ofd)
{
    const struct px_flow *flow = way_of(ofd, false).flow;
    uint32_t there = flow_used(flow);

    return there && !(flow->urgent && px_urgent_is_all(ofd, there));
}

bool px_flow_writable(struct px_ofd *ofd)
{
    struct way way = way_of(ofd, true);

    return flow_used(way.flow) <= flow_most(&way) / 2;
}

uint32_t px_flow_pending(struct px_ofd *ofd)
{
    struct way way = way_of(ofd, false);
    uint32_t head = way.flow->head, tail = __atomic_load_n(&way.flow->tail, __ATOMIC_ACQUIRE), bytes = 0;
    struct px_record record;

    while (head != tail && record_at(&way, head, tail, &record)) {
        if (way.flow->urgent == (head | PX_URGENT_IS) && px_urgent_bounds(ofd))
            break;
        bytes += record.bytes - record.taken;
        head += px_record_room(record.bytes);
        if (way.packets_only)
            break;
    }
    return bytes;
}

bool px_flow_alone(struct px_ofd *ofd)
{
    return __atomic_load_n(&way_of(ofd, true).peer->holders, __ATOMIC_SEQ_CST) == 0;
}

uint32_t px_flow_unread(struct px_ofd *ofd)
{
    return flow_used(way_of(ofd, true).flow);
}

bool px_flow_reset(struct px_ofd *ofd)
{
    const struct px_socket *socket = px_socket_of(ofd);

    return socket->type != SOCK_DGRAM && socket->state == PX_SOCKET_CONNECTED && px_socket_end(ofd)->reset == PX_RESET_NOT &&
           px_flow_alone(ofd) && (px_flow_unread(ofd) || px_stream_aborted(ofd));
}

int32_t px_flow_error(struct px_ofd *ofd)
{
    struct px_end *end = px_socket_end(ofd);
    int32_t error = end->error ? __atomic_exchange_n(&end->error, 0, __ATOMIC_RELAXED) : 0;

    if (!error && px_flow_reset(ofd)) {
        end->reset = PX_RESET_TOLD;
        return ECONNRESET;
    }
    return error >= 0 && error < 4096 ? error : EIO;
}
