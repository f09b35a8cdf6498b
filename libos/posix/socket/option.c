/* getsockopt and setsockopt. An option that changes nothing here is remembered and told again. */
#include "control.h"

#define SO_DEBUG 1u
#define SO_TYPE 3u
#define SO_ERROR 4u
#define SO_DONTROUTE 5u
#define SO_BROADCAST 6u
#define SO_SNDBUF 7u
#define SO_RCVBUF 8u
#define SO_KEEPALIVE 9u
#define SO_PRIORITY 12u
#define SO_PEERCRED 17u
#define SO_RCVLOWAT 18u
#define SO_SNDLOWAT 19u
#define SO_RCVTIMEO 20u
#define SO_SNDTIMEO 21u
#define SO_BINDTODEVICE 25u
#define SO_ACCEPTCONN 30u
#define SO_SNDBUFFORCE 32u
#define SO_RCVBUFFORCE 33u
#define SO_PROTOCOL 38u
#define SO_DOMAIN 39u
/* Options that are on or off, by their numbers. */
#define SWITCHES                                                                                                       \
    (1u << SO_DEBUG | 1u << SO_REUSEADDR | 1u << SO_DONTROUTE | 1u << SO_BROADCAST | 1u << SO_KEEPALIVE |              \
     1u << SO_OOBINLINE | 1u << SO_REUSEPORT | 1u << SO_PASSCRED | 1u << SO_TIMESTAMP)
#define BUFFER_MAX 212992u /* Linux's wmem_max */
#define RECEIVE_LEAST 2304u

static int64_t set_timeout(uint64_t *ns, px_user from, uint32_t bytes)
{
    struct px_timeval time;

    if (bytes < sizeof time)
        return -EINVAL;
    if (px_copy_in(&time, from, sizeof time) != 0)
        return -EFAULT;
    if (time.tv_usec < 0 || time.tv_usec >= 1000000)
        return -EDOM;
    if (time.tv_sec < 0)
        *ns = 1; /* as Linux: it has passed already */
    else
        *ns = time.tv_sec > 1000000000 ? 0 : (uint64_t)time.tv_sec * PX_SECOND + (uint64_t)time.tv_usec * 1000;
    return 0;
}

static int64_t set_linger(struct px_end *end, px_user from, uint32_t bytes)
{
    uint32_t value[2]; /* on, seconds */

    if (bytes < sizeof value)
        return -EINVAL;
    if (px_copy_in(value, from, sizeof value) != 0)
        return -EFAULT;
    end->options = (end->options & ~(1u << SO_LINGER)) | (value[0] ? 1u << SO_LINGER : 0);
    end->linger = value[1];
    return 0;
}

static uint32_t buffer_size(uint32_t value, uint32_t least, bool force)
{
    if (!force && value > BUFFER_MAX)
        value = BUFFER_MAX;
    if (value > INT32_MAX / 2)
        value = INT32_MAX / 2;
    return 2 * value > least ? 2 * value : least;
}

/* Either kind of time, or none. */
static int64_t set_stamps(struct px_end *end, unsigned name, uint32_t value)
{
    end->options &= ~(1u << SO_TIMESTAMP | PX_OPTION_STAMP_NS);
    if (value)
        end->options |= name == SO_TIMESTAMP ? 1u << SO_TIMESTAMP : PX_OPTION_STAMP_NS;
    return 0;
}

static int64_t set_number(struct px_end *end, unsigned name, uint32_t value)
{
    if (name == SO_TIMESTAMP || name == SO_TIMESTAMPNS)
        return set_stamps(end, name, value);
    if (name < 32 && SWITCHES >> name & 1) {
        end->options = (end->options & ~(1u << name)) | (value ? 1u << name : 0);
        return 0;
    }
    switch (name) {
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        if (px_self()->euid != 0)
            return -EPERM;
        /* fall through */
    case SO_SNDBUF:
    case SO_RCVBUF:
        if (name == SO_SNDBUF || name == SO_SNDBUFFORCE)
            end->send_bytes = buffer_size(value, PX_SEND_LEAST, name == SO_SNDBUFFORCE);
        else
            end->receive_bytes = buffer_size(value, RECEIVE_LEAST, name == SO_RCVBUFFORCE);
        return 0;
    case SO_RCVLOWAT:
        end->low_water = (int32_t)value < 0 ? INT32_MAX : value ? value : 1;
        return 0;
    case SO_PRIORITY:
        return value <= 6 || px_self()->euid == 0 ? 0 : -EPERM;
    default:
        return -ENOPROTOOPT;
    }
}

/* The name of an interface, or none. */
static int64_t bind_to_device(px_user from, uint32_t bytes)
{
    char name[16] = "";

    if (px_copy_in(name, from, bytes < sizeof name - 1 ? bytes : sizeof name - 1) != 0)
        return -EFAULT;
    return !name[0] || strcmp(name, "lo") == 0 ? 0 : -ENODEV;
}

PX_SYS(setsockopt)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);
    uint32_t bytes = (uint32_t)e, value;

    if (!ofd)
        return error;
    if ((int32_t)bytes < 0)
        return -EINVAL;
    if (px_socket_of(ofd)->domain == AF_NETLINK && (int)b == SOL_NETLINK)
        return bytes < sizeof value ? -EINVAL : px_copy_in(&value, d, sizeof value) != 0 ? -EFAULT : px_netlink_option(ofd, (unsigned)c, &value, NULL);
    if ((int)b != SOL_SOCKET)
        return px_internet_set_option(ofd, (int)b, (unsigned)c, d, bytes);
    if ((unsigned)c == SO_BINDTODEVICE)
        return bind_to_device(d, bytes);
    if (bytes < sizeof value)
        return -EINVAL;
    switch ((unsigned)c) {
    case SO_RCVTIMEO:
        return set_timeout(&px_socket_end(ofd)->receive_ns, d, bytes);
    case SO_SNDTIMEO:
        return set_timeout(&px_socket_end(ofd)->send_ns, d, bytes);
    case SO_LINGER:
        return set_linger(px_socket_end(ofd), d, bytes);
    default:
        return px_copy_in(&value, d, sizeof value) != 0 ? -EFAULT : set_number(px_socket_end(ofd), (unsigned)c, value);
    }
}

static uint32_t protocol_of(const struct px_socket *socket, const struct px_end *end)
{
    if (!px_internet(socket->domain))
        return socket->domain == AF_NETLINK ? socket->aimed : 0;
    return socket->type == SOCK_STREAM ? IPPROTO_TCP : end->options & PX_OPTION_LITE ? IPPROTO_UDPLITE : IPPROTO_UDP;
}

/* An option that is one number; -ENOPROTOOPT. */
static int64_t get_number(struct px_ofd *ofd, unsigned name, uint32_t *value)
{
    const struct px_socket *socket = px_socket_of(ofd);
    const struct px_end *end = px_socket_end(ofd);

    if (name < 32 && SWITCHES >> name & 1) {
        *value = end->options >> name & 1;
        return 0;
    }
    switch (name) {
    case SO_TIMESTAMPNS: *value = (end->options & PX_OPTION_STAMP_NS) != 0; return 0;
    case SO_TYPE: *value = socket->domain == AF_NETLINK ? px_netlink_type(ofd) : socket->type; return 0;
    case SO_ERROR: *value = (uint32_t)px_flow_error(ofd); return 0;
    case SO_SNDBUF: *value = end->send_bytes; return 0;
    case SO_RCVBUF: *value = end->receive_bytes; return 0;
    case SO_PRIORITY: *value = 0; return 0;
    case SO_PROTOCOL: *value = protocol_of(socket, end); return 0;
    case SO_RCVLOWAT: *value = end->low_water; return 0;
    case SO_SNDLOWAT: *value = 1; return 0;
    case SO_ACCEPTCONN: *value = socket->state == PX_SOCKET_LISTENING; return 0;
    case SO_DOMAIN: *value = socket->domain; return 0;
    default: return -ENOPROTOOPT;
    }
}

static uint64_t put_timeout(uint8_t to[16], uint64_t ns)
{
    const struct px_timeval time = {.tv_sec = (int64_t)(ns / PX_SECOND), .tv_usec = (int64_t)(ns % PX_SECOND / 1000)};

    memcpy(to, &time, sizeof time);
    return sizeof time;
}

/* The option's bytes in `value`: how many, or -errno. */
static int64_t get_value(struct px_ofd *ofd, unsigned name, uint8_t value[16])
{
    const struct px_end *end = px_socket_end(ofd);
    uint32_t number[2];
    int64_t result;

    switch (name) {
    case SO_RCVTIMEO:
        return (int64_t)put_timeout(value, end->receive_ns);
    case SO_SNDTIMEO:
        return (int64_t)put_timeout(value, end->send_ns);
    case SO_LINGER:
        number[0] = end->options >> SO_LINGER & 1;
        number[1] = end->linger;
        memcpy(value, number, sizeof number);
        return sizeof number;
    case SO_PEERCRED:
        memcpy(value, &px_socket_of(ofd)->peer, sizeof(struct px_ucred));
        return sizeof(struct px_ucred);
    default:
        result = get_number(ofd, name, number);
        memcpy(value, number, sizeof number[0]);
        return result < 0 ? result : (int64_t)sizeof number[0];
    }
}

static int64_t get_any(struct px_ofd *ofd, int level, unsigned name, uint8_t value[PX_OPTION_BYTES])
{
    uint32_t number;
    int64_t result;

    if (level == SOL_SOCKET)
        return get_value(ofd, name, value);
    if (px_socket_of(ofd)->domain != AF_NETLINK || level != SOL_NETLINK)
        return px_internet_get_option(ofd, level, name, value);
    result = px_netlink_option(ofd, name, NULL, &number);
    memcpy(value, &number, sizeof number);
    return result < 0 ? result : (int64_t)sizeof number;
}

PX_SYS(getsockopt)
{
    int64_t error, bytes;
    struct px_ofd *ofd = px_socket_get(a, &error);
    uint8_t value[PX_OPTION_BYTES];
    uint32_t room;

    if (!ofd)
        return error;
    if (px_copy_in(&room, e, sizeof room) != 0)
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    bytes = get_any(ofd, (int)b, (unsigned)c, value);
    if (bytes < 0)
        return bytes;
    if ((int)b == IPPROTO_IP && bytes == 4 && room && room < 4 && !value[1] && !value[2] && !value[3])
        bytes = 1; /* IP's may be bytes */
    if (room > (uint32_t)bytes)
        room = (uint32_t)bytes;
    if (px_copy_out(d, value, room) != 0 || px_copy_out(e, &room, sizeof room) != 0)
        return -EFAULT;
    return 0;
}
