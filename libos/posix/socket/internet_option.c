/*
 * Options of IP, IPv6 and TCP. The loopback has no routes, queues and losses that they could change: what is set is checked, remembered and told again.
 * Limits and first values: Linux 6.1's net/ipv4/ip_sockglue.c, net/ipv6/ipv6_sockglue.c and net/ipv4/tcp.c, ip(7), ipv6(7), tcp(7).
 */
#include "socket.h"

#define IPPROTO_IP 0
#define IPPROTO_IPV6 41
#define IP_TOS 1u
#define IP_TTL 2u
#define IP_MTU 14u
#define IPV6_MTU 24u
#define IPV6_V6ONLY 26u
#define IP_MULTICAST_IF 32u
#define IP_ADD_MEMBERSHIP 35u
#define IP_DROP_MEMBERSHIP 36u
#define IPV6_JOIN_GROUP 20u
#define IPV6_LEAVE_GROUP 21u
#define TCP_INFO 11u
#define TCP_CONGESTION 13u
#define LOOPBACK_MTU 65536u
#define SEGMENT 65483u /* bytes of TCP in a packet of the loopback */

enum level { IP, IP6, TCP };
#define SWITCH true, INT32_MIN, INT32_MAX
#define NUMBER false
struct option {
    uint8_t level, name;
    bool is_switch; /* of a number counts only whether it is 0 */
    int32_t least, most, first;
};

/* In the order of px_end's `kept`: a new one comes last. */
static const struct option options[] = {
    {IP, 1, NUMBER, INT32_MIN, INT32_MAX, 0},    /* IP_TOS: its lowest byte */
    {IP, 2, NUMBER, -1, 255, 64},                /* IP_TTL */
    {IP, 6, SWITCH, 0},                  /* IP_RECVOPTS */
    {IP, 7, SWITCH, 0},                  /* IP_RETOPTS */
    {IP, 8, SWITCH, 0},                  /* IP_PKTINFO */
    {IP, 10, NUMBER, 0, 5, 1},                   /* IP_MTU_DISCOVER */
    {IP, 11, SWITCH, 0},                 /* IP_RECVERR */
    {IP, 12, SWITCH, 0},                 /* IP_RECVTTL */
    {IP, 13, SWITCH, 0},                 /* IP_RECVTOS */
    {IP, 15, SWITCH, 0},                 /* IP_FREEBIND */
    {IP, 20, SWITCH, 0},                 /* IP_RECVORIGDSTADDR */
    {IP, 21, NUMBER, 0, 255, 0},                 /* IP_MINTTL */
    {IP, 24, SWITCH, 0},                 /* IP_BIND_ADDRESS_NO_PORT */
    {IP, 33, NUMBER, -1, 255, 1},                /* IP_MULTICAST_TTL */
    {IP, 34, SWITCH, 1},                 /* IP_MULTICAST_LOOP */
    {IP, 49, NUMBER, 0, 1, 1},                   /* IP_MULTICAST_ALL */
    {IP6, 16, NUMBER, -1, 255, 64},              /* IPV6_UNICAST_HOPS */
    {IP6, 18, NUMBER, -1, 255, 1},               /* IPV6_MULTICAST_HOPS */
    {IP6, 19, NUMBER, 0, 1, 1},                  /* IPV6_MULTICAST_LOOP */
    {IP6, 23, NUMBER, 0, 5, 1},                  /* IPV6_MTU_DISCOVER */
    {IP6, 25, SWITCH, 0},                /* IPV6_RECVERR */
    {IP6, 29, SWITCH, 1},                /* IPV6_MULTICAST_ALL */
    {IP6, 49, SWITCH, 0},                /* IPV6_RECVPKTINFO */
    {IP6, 51, SWITCH, 0},                /* IPV6_RECVHOPLIMIT */
    {IP6, 53, SWITCH, 0},                /* IPV6_RECVHOPOPTS */
    {IP6, 56, SWITCH, 0},                /* IPV6_RECVRTHDR */
    {IP6, 58, SWITCH, 0},                /* IPV6_RECVDSTOPTS */
    {IP6, 60, SWITCH, 0},                /* IPV6_RECVPATHMTU */
    {IP6, 62, SWITCH, 0},                /* IPV6_DONTFRAG */
    {IP6, 66, SWITCH, 0},                /* IPV6_RECVTCLASS */
    {IP6, 67, NUMBER, -1, 255, 0},               /* IPV6_TCLASS */
    {IP6, 78, SWITCH, 0},                /* IPV6_FREEBIND */
    {TCP, 2, NUMBER, 88, 32767, 32741},          /* TCP_MAXSEG */
    {TCP, 3, SWITCH, 0},                 /* TCP_CORK */
    {TCP, 4, NUMBER, 1, 32767, 7200},            /* TCP_KEEPIDLE */
    {TCP, 5, NUMBER, 1, 32767, 75},              /* TCP_KEEPINTVL */
    {TCP, 6, NUMBER, 1, 127, 9},                 /* TCP_KEEPCNT */
    {TCP, 7, NUMBER, 1, 127, 6},                 /* TCP_SYNCNT */
    {TCP, 8, NUMBER, INT32_MIN, INT32_MAX, 60},  /* TCP_LINGER2 */
    {TCP, 9, NUMBER, INT32_MIN, INT32_MAX, 0},   /* TCP_DEFER_ACCEPT */
    {TCP, 12, SWITCH, 1}, /* TCP_QUICKACK */
    {TCP, 18, NUMBER, 0, INT32_MAX, 0},          /* TCP_USER_TIMEOUT */
    {TCP, 23, NUMBER, 0, INT32_MAX, 0},          /* TCP_FASTOPEN */
    {TCP, 25, NUMBER, INT32_MIN, INT32_MAX, 0},  /* TCP_NOTSENT_LOWAT */
    {TCP, 30, NUMBER, 0, 1, 0},                  /* TCP_FASTOPEN_CONNECT */
    {TCP, 1, SWITCH, 0}, /* TCP_NODELAY */
};
_Static_assert(sizeof options / sizeof options[0] <= PX_KEPT_OPTIONS, "each has its place");

static const struct option *find(int level, unsigned name)
{
    const uint8_t at = level == IPPROTO_IP ? IP : level == IPPROTO_IPV6 ? IP6 : TCP;

    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].level == at && options[i].name == name)
            return &options[i];
    return NULL;
}

/* Has a socket of its kind options of the level? */
static int64_t check_level(const struct px_socket *socket, int level)
{
    if (!px_internet(socket->domain))
        return -EOPNOTSUPP;
    if (level == IPPROTO_TCP)
        return socket->type == SOCK_STREAM ? 0 : -ENOPROTOOPT;
    return level == IPPROTO_IP || (level == IPPROTO_IPV6 && socket->domain == AF_INET6) ? 0 : -ENOPROTOOPT;
}

/* A number; IP's may be a single byte. */
static int64_t read_number(int level, px_user from, uint32_t bytes, int32_t *value)
{
    uint8_t byte;

    if (bytes >= sizeof *value)
        return px_copy_in(value, from, sizeof *value) != 0 ? -EFAULT : 0;
    if (level != IPPROTO_IP || bytes == 0)
        return -EINVAL;
    if (px_copy_in(&byte, from, 1) != 0)
        return -EFAULT;
    *value = byte;
    return 0;
}

static int64_t set_only6(struct px_ofd *ofd, int32_t value)
{
    struct px_end *end = px_socket_end(ofd);

    if (px_socket_of(ofd)->ticket || px_socket_of(ofd)->state != PX_SOCKET_NEW)
        return -EINVAL;
    end->options = (end->options & ~PX_OPTION_ONLY6) | (value ? PX_OPTION_ONLY6 : 0);
    return 0;
}

static int64_t set_congestion(px_user from, uint32_t bytes)
{
    char name[16] = "";

    if (bytes == 0)
        return -EINVAL;
    if (px_copy_in(name, from, bytes < sizeof name - 1 ? bytes : sizeof name - 1) != 0)
        return -EFAULT;
    return strcmp(name, "cubic") == 0 || strcmp(name, "reno") == 0 ? 0 : -ENOENT;
}

int64_t px_internet_set_option(struct px_ofd *ofd, int level, unsigned name, px_user from, uint32_t bytes)
{
    int64_t result = check_level(px_socket_of(ofd), level);
    const struct option *option;
    int32_t value;

    if (result < 0)
        return result;
    if (level == IPPROTO_TCP && name == TCP_CONGESTION)
        return set_congestion(from, bytes);
    result = read_number(level, from, bytes, &value);
    if (result < 0)
        return result;
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
        return set_only6(ofd, value);
    if ((level == IPPROTO_IP && (name == IP_MULTICAST_IF || name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)) ||
        (level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP)))
        return -ENODEV; /* no network of several */
    option = find(level, name);
    if (!option)
        return -ENOPROTOOPT;
    if (option->is_switch)
        value = value != 0;
    else if (level == IPPROTO_IP && name == IP_TOS)
        value = px_socket_of(ofd)->type == SOCK_STREAM ? value & 0xfc : value & 0xff; /* the last two bits are TCP's own */
    else if (value < option->least || value > option->most || (level == IPPROTO_IP && name == IP_TTL && value == 0))
        return -EINVAL;
    if (level != IPPROTO_TCP && value == -1 && option->least == -1)
        value = option->first;
    px_socket_end(ofd)->kept[option - options] = value - option->first;
    return 0;
}

static uint8_t tcp_state(struct px_ofd *ofd)
{
    enum { ESTABLISHED = 1, FIN_WAIT2 = 5, CLOSED = 7, CLOSE_WAIT = 8, LISTENING = 10 };
    const struct px_link *link = px_socket_link(ofd);
    unsigned side = px_socket_side(ofd);
    bool ended, shut;

    if (px_socket_of(ofd)->state != PX_SOCKET_CONNECTED)
        return px_socket_of(ofd)->state == PX_SOCKET_LISTENING ? LISTENING : CLOSED;
    if (px_stream_is_reset(ofd))
        return CLOSED;
    ended = link->to[side].closed & PX_FLOW_NO_WRITE || px_flow_alone(ofd);
    shut = link->to[!side].closed & PX_FLOW_NO_WRITE;
    return ended ? (shut ? CLOSED : CLOSE_WAIT) : shut ? FIN_WAIT2 : ESTABLISHED;
}

/* struct tcp_info as far as something of it is known. */
static int64_t tcp_info(struct px_ofd *ofd, uint8_t *value)
{
    uint32_t number[PX_OPTION_BYTES / 4] = {0};

    number[2] = 200000; /* tcpi_rto: the least, in microseconds */
    number[4] = number[5] = SEGMENT;
    number[15] = LOOPBACK_MTU;
    number[19] = INT32_MAX; /* tcpi_snd_ssthresh: never met */
    number[20] = 10;        /* tcpi_snd_cwnd: as at first */
    number[21] = SEGMENT;
    memcpy(value, number, sizeof number);
    value[0] = tcp_state(ofd);
    return sizeof number;
}

static int64_t put_number(uint8_t *value, int32_t number)
{
    memcpy(value, &number, sizeof number);
    return sizeof number;
}

int64_t px_internet_get_option(struct px_ofd *ofd, int level, unsigned name, uint8_t value[PX_OPTION_BYTES])
{
    int64_t result = check_level(px_socket_of(ofd), level);
    const struct option *option;

    if (result == -ENOPROTOOPT && px_socket_of(ofd)->domain == AF_INET)
        return -EOPNOTSUPP; /* who asks is told otherwise than who sets */
    if (result < 0)
        return result;
    if (level == IPPROTO_TCP && name == TCP_INFO)
        return tcp_info(ofd, value);
    if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
        memcpy(value, "cubic\0\0\0\0\0\0\0\0\0\0", 16);
        return 16;
    }
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
        return put_number(value, px_socket_end(ofd)->options & PX_OPTION_ONLY6 ? 1 : 0);
    if ((level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU)) {
        if (px_socket_of(ofd)->state != PX_SOCKET_CONNECTED && !px_socket_of(ofd)->aimed)
            return -ENOTCONN;
        return put_number(value, LOOPBACK_MTU);
    }
    option = find(level, name);
    if (!option)
        return -ENOPROTOOPT;
    return put_number(value, px_socket_end(ofd)->kept[option - options] + option->first);
}
