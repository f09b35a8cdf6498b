/*
 * What comes and goes along with datagrams of the internet (ip(7), ipv6(7)). Over the loopback one arrives as it was sent: its hop limit and class are those
 * that its sender set.
 */
#include "control.h"

#define IP_TOS 1u
#define IP_TTL 2u
#define IP_PKTINFO 8u
#define IPV6_PKTINFO 50u
#define IPV6_HOPLIMIT 52u
#define IPV6_TCLASS 67u
#define LO_INDEX 1

/* What is said along with one datagram. */
int64_t px_internet_control(struct px_message *message, int level, int type, const void *data, uint64_t bytes)
{
    int32_t value = 0;

    if (bytes >= sizeof value)
        memcpy(&value, data, sizeof value);
    else if (bytes == 1 && level == IPPROTO_IP)
        value = *(const uint8_t *)data;
    if (level == IPPROTO_IP && type == (int)IP_PKTINFO)
        return bytes == 12 ? 0 : -EINVAL; /* from which of the loopback's addresses: it is the one that it is */
    if (level == IPPROTO_IPV6 && type == (int)IPV6_PKTINFO)
        return bytes >= 20 ? 0 : -EINVAL;
    if ((level == IPPROTO_IP && type == (int)IP_TTL) || (level == IPPROTO_IPV6 && type == (int)IPV6_HOPLIMIT)) {
        if (bytes != sizeof value || value > 255 || value < (level == IPPROTO_IP ? 1 : -1))
            return -EINVAL;
        message->hops = value == -1 ? PX_HOPS_FIRST : (uint8_t)value;
        message->said |= PX_SAID_HOPS;
        return 0;
    }
    if ((level == IPPROTO_IP && type == (int)IP_TOS) || (level == IPPROTO_IPV6 && type == (int)IPV6_TCLASS)) {
        if ((bytes != sizeof value && !(bytes == 1 && level == IPPROTO_IP)) || value < (level == IPPROTO_IP ? 0 : -1) || value > 255)
            return -EINVAL;
        message->class = (uint8_t)(value == -1 ? 0 : value);
        message->said |= PX_SAID_CLASS;
        return 0;
    }
    return -EINVAL;
}

static int64_t put_number(struct px_control *control, struct px_message *message, int level, unsigned type, uint8_t value)
{
    const int32_t number = value;

    return px_control_put(control, message, level, (int)type, &number, sizeof number);
}

/* Where it was sent to: to an IPv4 address, as IPv4 says it, or as IPv6 does. */
static int64_t put_info(struct px_control *control, struct px_message *message, bool four, bool as_four)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const struct px_from_internet *from = (const struct px_from_internet *)&message->from;
    struct {
        uint8_t address[16];
        int32_t interface;
    } info6 = {.interface = LO_INDEX};
    struct {
        int32_t interface;
        uint8_t local[4], address[4];
    } info = {.interface = LO_INDEX};

    if (as_four) {
        memcpy(info.local, from->to, sizeof info.local);
        memcpy(info.address, from->to, sizeof info.address);
        return px_control_put(control, message, IPPROTO_IP, (int)IP_PKTINFO, &info, sizeof info);
    }
    memcpy(info6.address, mapped, sizeof mapped);
    memcpy(info6.address + (four ? 12 : 0), from->to, four ? 4 : 16);
    return px_control_put(control, message, IPPROTO_IPV6, (int)IPV6_PKTINFO, &info6, sizeof info6);
}

int64_t px_internet_control_write(struct px_ofd *ofd, struct px_message *message, struct px_control *control)
{
    const struct px_from_internet *from = (const struct px_from_internet *)&message->from;
    bool four = from->bytes == px_internet_bytes(AF_INET);
    int64_t result = 0;

    if (px_kept(ofd, PX_KEPT_INFO6) && px_socket_of(ofd)->domain == AF_INET6)
        result = put_info(control, message, four, false);
    if (result == 0 && four && px_kept(ofd, PX_KEPT_INFO))
        result = put_info(control, message, true, true);
    if (result == 0 && four && px_kept(ofd, PX_KEPT_WANT_TTL))
        result = put_number(control, message, IPPROTO_IP, IP_TTL, from->hops);
    if (result == 0 && four && px_kept(ofd, PX_KEPT_WANT_TOS))
        result = px_control_put(control, message, IPPROTO_IP, (int)IP_TOS, &from->class, sizeof from->class);
    if (result == 0 && !four && px_kept(ofd, PX_KEPT_WANT_HOPS6))
        result = put_number(control, message, IPPROTO_IPV6, IPV6_HOPLIMIT, from->hops);
    if (result == 0 && !four && px_kept(ofd, PX_KEPT_WANT_CLASS6))
        result = put_number(control, message, IPPROTO_IPV6, IPV6_TCLASS, from->class);
    return result;
}
