/* How strace shows addresses of sockets, their options and messages. */
#include "strace_put.h"

enum { UNIX = 1, INET = 2, INET6 = 10, NETLINK = 16 };
#define NAME_MOST 128u
#define CONTROL_MOST 512u
#define SOL_SOCKET 1u
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2

/* ---- addresses ---- */

PX_PUT(protocol)
{
    static const char internet[] = "IPPROTO_???|0 IP|1 ICMP|6 TCP|11 UDP|29 IPV6|3a ICMPV6|84 SCTP|ff RAW";
    static const char netlink[] = "NETLINK_???|0 ROUTE|2 USERSOCK|4 SOCK_DIAG|9 AUDIT|f KOBJECT_UEVENT|10 GENERIC";
    uint32_t value = (uint32_t)trace->argument[index];

    if (trace->argument[0] == INET || trace->argument[0] == INET6)
        px_put_enum(text, internet, value);
    else if (trace->argument[0] == NETLINK)
        px_put_enum(text, netlink, value);
    else
        px_text_add(text, "%u", value);
    return true;
}

static unsigned big(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* RFC 5952: the longest run of zeros, of two at least, is left out. */
static void put_internet6(struct px_text *text, const uint8_t at[16])
{
    unsigned best = 8, length = 1;

    for (unsigned i = 0; i < 8; i++) {
        unsigned run = 0;

        while (i + run < 8 && big(at + 2 * (i + run)) == 0)
            run++;
        if (run > length) {
            best = i;
            length = run;
        }
    }
    if (best == 0 && length == 5 && big(at + 10) == 0xffff) { /* an IPv4 address */
        px_text_add(text, "::ffff:%u.%u.%u.%u", at[12], at[13], at[14], at[15]);
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == best) {
            px_text_add(text, "::");
            i += length - 1;
        } else {
            px_text_add(text, i && i != best + length ? ":%x" : "%x", big(at + 2 * i));
        }
    }
}

static void put_unix(struct px_text *text, const uint8_t *path, size_t bytes)
{
    size_t length = 0;

    if (!bytes)
        return;
    if (!*path && bytes > 1) {
        px_text_add(text, ", sun_path=@");
        px_strace_quote(text, path + 1, bytes - 1, false);
        return;
    }
    while (length < bytes && path[length])
        length++;
    px_text_add(text, ", sun_path=");
    px_strace_quote(text, path, length, false);
}

void px_put_sockaddr(struct px_text *text, px_user from, uint64_t given)
{
    uint8_t name[NAME_MOST] = {0};
    size_t bytes = given < sizeof name ? given : sizeof name;
    uint32_t word[2];

    if (bytes < 2) {
        px_put_address(text, from);
        return;
    }
    if (!px_put_read(text, name, from, bytes))
        return;
    px_text_add(text, "{sa_family=");
    (void)!px_put_letter(text, 'C', (unsigned)name[1] << 8 | name[0]);
    if (name[1] == 0 && name[0] == UNIX) {
        put_unix(text, name + 2, bytes - 2 < 108 ? bytes - 2 : 108);
    } else if (name[1] == 0 && name[0] == INET && bytes >= 16) {
        px_text_add(text, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")", big(name + 2), name[4], name[5], name[6], name[7]);
    } else if (name[1] == 0 && name[0] == INET6 && bytes >= 24) {
        px_text_add(text, ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, \"", big(name + 2), big(name + 4) << 16 | big(name + 6));
        put_internet6(text, name + 8);
        px_text_add(text, "\", &sin6_addr)");
        memcpy(word, name + 24, sizeof word);
        if (bytes >= 28)
            px_text_add(text, ", sin6_scope_id=%u", word[0]);
    } else if (name[1] == 0 && name[0] == NETLINK && bytes >= 12) {
        memcpy(word, name + 4, sizeof word);
        px_text_add(text, ", nl_pid=%d, nl_groups=%08x", (int)word[0], word[1]);
    } else if (bytes > 2) {
        px_text_add(text, ", sa_data=");
        px_strace_quote(text, name + 2, bytes - 2, false);
    }
    px_text_add(text, "}");
}

PX_PUT(sockaddr)
{
    px_put_sockaddr(text, trace->argument[index], (uint32_t)trace->argument[index + 1]);
    return true;
}

/* Lengths before the call, as it kept them: a word more than 32 bits if there was none to read. */
#define UNREAD (1ull << 32)

static void keep_length(const struct px_trace *trace, px_user from)
{
    uint32_t length;

    *trace->kept = from && px_copy_in(&length, from, sizeof length) == 0 ? length : UNREAD;
}

static uint64_t length_now(const struct px_trace *trace, px_user from)
{
    uint32_t length;

    if (*trace->kept == UNREAD || px_copy_in(&length, from, sizeof length) != 0)
        return UNREAD;
    return length;
}

/* An address that the call fills in, and after it the length: what there was room for, and what there is. */
PX_PUT(peer)
{
    px_user name = trace->argument[index], length = trace->argument[index + 1];
    uint64_t now;

    if (!trace->leaving) {
        keep_length(trace, length);
        return false;
    }
    now = length_now(trace, length);
    if (trace->failed || now == UNREAD)
        px_put_address(text, name);
    else
        px_put_sockaddr(text, name, now < *trace->kept ? now : *trace->kept);
    return true;
}

PX_PUT(length)
{
    px_user from = trace->argument[index];
    uint64_t now = length_now(trace, from);

    if (now == UNREAD)
        px_put_address(text, from);
    else if (trace->failed || now == *trace->kept)
        px_text_add(text, "[%d]", (int)*trace->kept);
    else
        px_text_add(text, "[%d => %d]", (int)*trace->kept, (int)now);
    return true;
}

/* ---- options ---- */

static const char levels[] = "SOL_??|0 IP|1 SOCKET|6 TCP|11 UDP|29 IPV6|ff RAW|107 PACKET|10e NETLINK";
enum { OPTION_ERROR = 4, OPTION_LINGER = 13, OPTION_PEERCRED = 17, OPTION_RCVTIMEO = 20, OPTION_SNDTIMEO };
static const char of_sockets[] = "SO_???|1 DEBUG|2 REUSEADDR|3 TYPE|4 ERROR|5 DONTROUTE|6 BROADCAST|7 SNDBUF|8 RCVBUF|"
    "9 KEEPALIVE|a OOBINLINE|c PRIORITY|d LINGER|f REUSEPORT|10 PASSCRED|11 PEERCRED|12 RCVLOWAT|13 SNDLOWAT|14 RCVTIMEO_OLD|15 SNDTIMEO_OLD|"
    "19 BINDTODEVICE|1a ATTACH_FILTER|1c PEERNAME|1d TIMESTAMP_OLD|1e ACCEPTCONN|1f PEERSEC|20 SNDBUFFORCE|21 RCVBUFFORCE|24 MARK|"
    "26 PROTOCOL|27 DOMAIN|2a PEEK_OFF|31 INCOMING_CPU|39 COOKIE|3b PEERGROUPS|3c ZEROCOPY";
static const char of_tcp[] = "TCP_???|1 NODELAY|2 MAXSEG|3 CORK|4 KEEPIDLE|5 KEEPINTVL|6 KEEPCNT|7 SYNCNT|8 LINGER2|"
    "9 DEFER_ACCEPT|a WINDOW_CLAMP|b INFO|c QUICKACK|d CONGESTION|12 USER_TIMEOUT|17 FASTOPEN|1e FASTOPEN_CONNECT";
static const char of_ip[] = "IP_???|1 TOS|2 TTL|3 HDRINCL|4 OPTIONS|8 PKTINFO|a MTU_DISCOVER|b RECVERR|c RECVTTL|d RECVTOS|"
    "e MTU|f FREEBIND|18 BIND_ADDRESS_NO_PORT|20 MULTICAST_IF|21 MULTICAST_TTL|22 MULTICAST_LOOP|23 ADD_MEMBERSHIP|24 DROP_MEMBERSHIP";
static const char of_ipv6[] = "IPV6_???|10 UNICAST_HOPS|11 MULTICAST_IF|12 MULTICAST_HOPS|13 MULTICAST_LOOP|"
    "14 ADD_MEMBERSHIP|15 DROP_MEMBERSHIP|17 MTU_DISCOVER|18 MTU|19 RECVERR|1a V6ONLY|31 RECVPKTINFO|33 RECVHOPLIMIT|42 RECVTCLASS|43 TCLASS";

static const char *names_of_level(uint32_t level)
{
    switch (level) {
    case 0:
        return of_ip;
    case SOL_SOCKET:
        return of_sockets;
    case 6:
        return of_tcp;
    case 41:
        return of_ipv6;
    default:
        return NULL;
    }
}

static void put_option_name(struct px_text *text, const uint64_t *argument)
{
    const char *names = names_of_level((uint32_t)argument[0]);

    px_put_enum(text, levels, (uint32_t)argument[0]);
    px_text_add(text, ", ");
    if (names)
        px_put_enum(text, names, (uint32_t)argument[1]);
    else
        px_text_add(text, "%d", (int)argument[1]);
    px_text_add(text, ", ");
}

static void put_credentials(struct px_text *text, const int32_t id[3])
{
    px_text_add(text, "{pid=%d, uid=%d, gid=%d}", id[0], id[1], id[2]);
}

static void put_option_value(struct px_text *text, const uint64_t *argument, uint32_t bytes)
{
    uint32_t which = argument[0] == SOL_SOCKET ? (uint32_t)argument[1] : 0;
    int32_t word[3];

    if (which == OPTION_LINGER && bytes >= 8) {
        if (px_put_read(text, word, argument[2], 8))
            px_text_add(text, "{l_onoff=%d, l_linger=%d}", word[0], word[1]);
    } else if (which == OPTION_PEERCRED && bytes == 12) {
        if (px_put_read(text, word, argument[2], sizeof word))
            put_credentials(text, word);
    } else if (bytes != 4) {
        px_put_bytes(text, argument[2], bytes);
    } else if (px_put_read(text, word, argument[2], 4)) {
        if (which == OPTION_ERROR && px_error_name(word[0]))
            px_text_add(text, "[%s]", px_error_name(word[0]));
        else
            px_text_add(text, "[%d]", word[0]);
    }
}

PX_PUT(option)
{
    put_option_name(text, trace->argument + index);
    put_option_value(text, trace->argument + index, (uint32_t)trace->argument[index + 3]);
    return true;
}

PX_PUT(option_got)
{
    uint64_t now;

    if (!trace->leaving) {
        put_option_name(text, trace->argument + index);
        keep_length(trace, trace->argument[index + 3]);
        return false;
    }
    now = length_now(trace, trace->argument[index + 3]);
    if (trace->failed || now == UNREAD)
        px_put_address(text, trace->argument[index + 2]);
    else
        put_option_value(text, trace->argument + index, (uint32_t)now);
    return true;
}

/* ---- messages ---- */

struct header { /* struct msghdr */
    uint64_t name;
    uint32_t name_bytes, pad;
    uint64_t vector, count, control, control_bytes;
    uint32_t flags, pad_too;
};
_Static_assert(sizeof(struct header) == 56, "struct msghdr");

struct control { /* struct cmsghdr */
    uint64_t bytes;
    int32_t level, type;
};

/* The data of one control message, of so many bytes: what is known of it. */
static void put_control_data(struct px_text *text, const struct control *head, px_user from, uint64_t bytes)
{
    int32_t id[3];

    if (head->level == (int)SOL_SOCKET && head->type == SCM_RIGHTS && bytes >= sizeof(int32_t)) {
        px_text_add(text, ", cmsg_data=");
        px_put_array(text, from, bytes / sizeof(int32_t), sizeof(int32_t), px_put_element_int, NULL);
    } else if (head->level == (int)SOL_SOCKET && head->type == SCM_CREDENTIALS && bytes >= sizeof id) {
        px_text_add(text, ", cmsg_data=");
        if (px_put_read(text, id, from, sizeof id))
            put_credentials(text, id);
    }
}

static void put_control_type(struct px_text *text, const struct control *head)
{
    px_text_add(text, "{cmsg_len=%lu, cmsg_level=", (unsigned long)head->bytes);
    px_put_enum(text, levels, (uint32_t)head->level);
    px_text_add(text, ", cmsg_type=");
    if (head->level == (int)SOL_SOCKET)
        px_put_enum(text, "SCM_???|1 RIGHTS|2 CREDENTIALS|1d =SO_TIMESTAMP_OLD|23 =SO_TIMESTAMPNS_OLD", (uint32_t)head->type);
    else if (head->level == 0)
        px_put_enum(text, of_ip, (uint32_t)head->type);
    else
        px_put_hex(text, (uint32_t)head->type);
}

/* The loop is bound by how much of a control buffer is shown, whatever the lengths in it are. */
static void put_control(struct px_text *text, px_user from, uint64_t bytes)
{
    struct control head;
    uint64_t at = 0;

    if (!from || bytes < sizeof head || px_copy_in(&head, from, sizeof head) != 0) {
        px_put_address(text, from);
        return;
    }
    px_text_add(text, "[");
    while (at < bytes) {
        uint64_t length;

        px_text_add(text, at ? ", " : "");
        if (at >= CONTROL_MOST || bytes - at < sizeof head || px_copy_in(&head, from + at, sizeof head) != 0) {
            px_text_add(text, "... /* %#lx */", (unsigned long)(from + at));
            break;
        }
        length = head.bytes < bytes - at ? head.bytes : bytes - at;
        put_control_type(text, &head);
        if (length > sizeof head)
            put_control_data(text, &head, from + at + sizeof head, length - sizeof head);
        px_text_add(text, "}");
        at += length > sizeof head ? (length + 7) & ~7ull : sizeof head;
    }
    px_text_add(text, "]");
}

/* room: what the name's length was before the call (the same: it is not the call that fills it in). shown: bytes of the vector. */
static void put_header(struct px_text *text, const struct header *header, uint64_t room, uint64_t shown)
{
    px_text_add(text, "{msg_name=");
    px_put_sockaddr(text, header->name, header->name_bytes < room ? header->name_bytes : room);
    px_text_add(text, ", msg_namelen=%d", (int)room);
    if (room != header->name_bytes)
        px_text_add(text, " => %d", (int)header->name_bytes);
    px_text_add(text, ", msg_iov=");
    px_put_vector(text, header->vector, header->count, shown);
    px_text_add(text, ", msg_iovlen=%lu", (unsigned long)header->count);
    if (header->control_bytes) {
        px_text_add(text, ", msg_control=");
        put_control(text, header->control, header->control_bytes);
    }
    px_text_add(text, ", msg_controllen=%lu, msg_flags=", (unsigned long)header->control_bytes);
    (void)!px_kind_message_flags(text, 0, &(const struct px_trace){.argument = (const uint64_t[1]){header->flags}});
    px_text_add(text, "}");
}

PX_PUT(message)
{
    struct header header;

    if (px_put_read(text, &header, trace->argument[index], sizeof header))
        put_header(text, &header, header.name_bytes, PX_VECTOR_ALL);
    return true;
}

PX_PUT(received)
{
    struct header header;

    if (!trace->leaving) {
        *trace->kept = px_copy_in(&header, trace->argument[index], sizeof header) == 0 ? header.name_bytes : UNREAD;
        return false;
    }
    if (!px_put_read(text, &header, trace->argument[index], sizeof header))
        return true;
    if (trace->failed)
        px_text_add(text, "{msg_namelen=%d}", (int)*trace->kept);
    else
        put_header(text, &header, *trace->kept, trace->argument[PX_STRACE_RESULT]);
    return true;
}

struct counted { /* struct mmsghdr */
    struct header header;
    uint32_t bytes, pad;
};
_Static_assert(sizeof(struct counted) == PX_STRACE_ELEMENT, "struct mmsghdr");

/* with: not NULL for messages that came. */
static void put_counted(struct px_text *text, const void *element, void *with)
{
    const struct counted *message = element;

    px_text_add(text, "{msg_hdr=");
    put_header(text, &message->header, message->header.name_bytes, with ? message->bytes : PX_VECTOR_ALL);
    px_text_add(text, ", msg_len=%u}", message->bytes);
}

PX_PUT(messages)
{
    if (!trace->leaving)
        return false;
    px_put_array(text, trace->argument[index], trace->failed ? (uint32_t)trace->argument[index + 1] : trace->argument[PX_STRACE_RESULT],
                 sizeof(struct counted), put_counted, NULL);
    return true;
}

PX_PUT(messages_got)
{
    bool received = true;

    if (!trace->leaving)
        return false;
    if (trace->failed)
        px_put_address(text, trace->argument[index]);
    else
        px_put_array(text, trace->argument[index], trace->argument[PX_STRACE_RESULT], sizeof(struct counted), put_counted, &received);
    return true;
}

/* recvmmsg's result. */
PX_PUT(left)
{
    px_text_add(text, "%ld", (long)trace->argument[index]);
    if (!trace->argument[4])
        return true;
    px_text_add(text, " (left ");
    px_put_timespec(text, trace->argument[4]);
    px_text_add(text, ")");
    return true;
}
