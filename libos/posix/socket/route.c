/* NETLINK_ROUTE: what can be asked about interfaces, addresses and routes, of which there are the loopback's: rtnetlink(7). */
#include "netlink.h"

#define RTM_NEWLINK 16u
#define RTM_GETLINK 18u
#define RTM_SETLINK 19u
#define RTM_NEWADDR 20u
#define RTM_GETADDR 22u
#define RTM_NEWROUTE 24u
#define RTM_GETROUTE 26u
#define RTM_LAST 120u
#define NLM_F_MULTI 2u
#define NLM_F_DUMP 0x300u
#define FLAGS (PX_LO_FLAGS | 0x10000u) /* and IFF_LOWER_UP */
#define SCOPE_HOST 254u
#define TABLE_LOCAL 255u
#define ADDRESS_PERMANENT 0x80u

struct link {
    uint8_t family, pad;
    uint16_t kind;
    uint32_t index, flags, change;
};
struct address {
    uint8_t family, prefix, flags, scope;
    uint32_t index;
};
struct route {
    uint8_t family, to_bits, from_bits, tos, table, protocol, scope, type;
    uint32_t flags;
};

static void add_u32(struct px_answer *answer, uint16_t type, uint32_t value)
{
    px_answer_add(answer, type, &value, sizeof value);
}

static void add_u8(struct px_answer *answer, uint16_t type, uint8_t value)
{
    px_answer_add(answer, type, &value, sizeof value);
}

static void tell_link(struct px_answer *answer, uint16_t multi)
{
    static const uint8_t zeroes[192];
    const struct link link = {.kind = PX_LO_KIND, .index = PX_LO_INDEX, .flags = FLAGS};

    px_answer_begin(answer, RTM_NEWLINK, multi, &link, sizeof link);
    px_answer_add(answer, 3, PX_LO_NAME, sizeof PX_LO_NAME); /* IFLA_IFNAME */
    add_u32(answer, 13, PX_LO_QUEUE);                        /* IFLA_TXQLEN */
    add_u8(answer, 16, 0);                                   /* IFLA_OPERSTATE: unknown, as a loopback's is */
    add_u8(answer, 17, 0);                                   /* IFLA_LINKMODE */
    add_u32(answer, 4, PX_LO_MTU);                           /* IFLA_MTU */
    add_u32(answer, 27, 0);                                  /* IFLA_GROUP */
    add_u32(answer, 30, 0);                                  /* IFLA_PROMISCUITY */
    add_u32(answer, 31, 1);                                  /* IFLA_NUM_TX_QUEUES */
    add_u32(answer, 32, 1);                                  /* IFLA_NUM_RX_QUEUES */
    add_u8(answer, 33, 1);                                   /* IFLA_CARRIER */
    px_answer_add(answer, 6, "noqueue", sizeof "noqueue");   /* IFLA_QDISC */
    px_answer_add(answer, 1, zeroes, 6);                     /* IFLA_ADDRESS */
    px_answer_add(answer, 2, zeroes, 6);                     /* IFLA_BROADCAST */
    px_answer_add(answer, 23, zeroes, 192);                  /* IFLA_STATS64: nobody counts */
    px_answer_add(answer, 7, zeroes, 96);                    /* IFLA_STATS */
}

static const uint8_t loopback4[4] = {127, 0, 0, 1}, net4[4] = {127}, loopback6[16] = {[15] = 1};

static void tell_address(struct px_answer *answer, bool six)
{
    static const uint32_t forever[4] = {~0u, ~0u};
    const struct address address = {.family = six ? AF_INET6 : AF_INET,
                                    .prefix = six ? 128 : 8,
                                    .flags = ADDRESS_PERMANENT,
                                    .scope = SCOPE_HOST,
                                    .index = PX_LO_INDEX};

    px_answer_begin(answer, RTM_NEWADDR, NLM_F_MULTI, &address, sizeof address);
    px_answer_add(answer, 1, six ? loopback6 : loopback4, six ? 16 : 4); /* IFA_ADDRESS */
    if (!six) {
        px_answer_add(answer, 2, loopback4, 4);                  /* IFA_LOCAL */
        px_answer_add(answer, 3, PX_LO_NAME, sizeof PX_LO_NAME); /* IFA_LABEL */
    }
    add_u32(answer, 8, ADDRESS_PERMANENT);              /* IFA_FLAGS */
    px_answer_add(answer, 6, forever, sizeof forever);  /* IFA_CACHEINFO */
}

static void tell_route(struct px_answer *answer, uint16_t multi, bool six, const uint8_t *to, uint8_t to_bits)
{
    const struct route route = {.family = six ? AF_INET6 : AF_INET,
                                .to_bits = to_bits,
                                .table = TABLE_LOCAL,
                                .protocol = 2, /* RTPROT_KERNEL */
                                .scope = six ? 0 : SCOPE_HOST,
                                .type = 2}; /* RTN_LOCAL */

    px_answer_begin(answer, RTM_NEWROUTE, multi, &route, sizeof route);
    add_u32(answer, 15, TABLE_LOCAL);            /* RTA_TABLE */
    px_answer_add(answer, 1, to, six ? 16 : 4);  /* RTA_DST */
    if (six)
        add_u32(answer, 6, 0); /* RTA_PRIORITY */
    else
        px_answer_add(answer, 7, loopback4, 4); /* RTA_PREFSRC */
    add_u32(answer, 4, PX_LO_INDEX);            /* RTA_OIF */
}

/* The attribute of the type behind the fixed part of a body, or NULL; *found: its bytes. */
static const uint8_t *attribute(const uint8_t *body, uint32_t bytes, uint32_t fixed, uint16_t type, uint32_t *found)
{
    for (uint32_t at = fixed; at < bytes && bytes - at >= 4;) {
        uint16_t head[2];

        memcpy(head, body + at, sizeof head);
        if (head[0] < sizeof head || head[0] > bytes - at)
            return NULL;
        *found = head[0] - (uint32_t)sizeof head;
        if ((head[1] & 0x3fff) == type)
            return body + at + sizeof head;
        at += (head[0] + 3u) & ~3u;
    }
    return NULL;
}

static int64_t one_link(struct px_answer *answer, const uint8_t *body, uint32_t bytes)
{
    struct link link;
    const uint8_t *name;
    uint32_t length = 0;

    if (bytes < sizeof link)
        return -EINVAL;
    memcpy(&link, body, sizeof link);
    name = attribute(body, bytes, sizeof link, 3, &length);
    if (!link.index && !name)
        return -EINVAL;
    if (link.index ? link.index != PX_LO_INDEX : length < 2 || memcmp(name, PX_LO_NAME, 2) != 0 || (length > 2 && name[2]))
        return -ENODEV;
    tell_link(answer, 0);
    return 0;
}

static int64_t one_route(struct px_answer *answer, const uint8_t *body, uint32_t bytes)
{
    struct route route;
    const uint8_t *to;
    uint32_t length = 0;
    bool six;

    if (bytes < sizeof route)
        return -EINVAL;
    memcpy(&route, body, sizeof route);
    six = route.family == AF_INET6;
    if (!six && route.family != AF_INET)
        return -EOPNOTSUPP;
    to = attribute(body, bytes, sizeof route, 1, &length);
    if (!to || length < (six ? 16 : 4) || (six ? memcmp(to, loopback6, 16) != 0 : to[0] != 127))
        return -ENETUNREACH;
    tell_route(answer, 0, six, to, six ? 128 : 32);
    return 0;
}

static void list(struct px_answer *answer, unsigned type, unsigned family)
{
    if (type == RTM_GETLINK)
        tell_link(answer, NLM_F_MULTI);
    for (unsigned six = 0; six < 2; six++) {
        if (family != AF_UNSPEC && family != (six ? AF_INET6 : AF_INET))
            continue;
        if (type == RTM_GETADDR)
            tell_address(answer, six);
        if (type == RTM_GETROUTE && !six)
            tell_route(answer, NLM_F_MULTI, false, net4, 8);
        if (type == RTM_GETROUTE)
            tell_route(answer, NLM_F_MULTI, six, six ? loopback6 : loopback4, six ? 128 : 32);
    }
}

int64_t px_route_answer(struct px_answer *answer, const uint8_t *body, uint32_t bytes, bool *dump)
{
    unsigned type = answer->asked->type;

    if (type > RTM_LAST)
        return -EOPNOTSUPP;
    if (bytes < 1)
        return 0; /* not even a family: Linux does not answer either */
    if (type % 4 != 2) /* not to ask, but to change */
        return px_self()->euid == 0 ? -EOPNOTSUPP : -EPERM;
    if (answer->asked->flags & NLM_F_DUMP) {
        *dump = true;
        list(answer, type, body[0]);
        return 0;
    }
    if (type == RTM_GETLINK)
        return one_link(answer, body, bytes);
    return type == RTM_GETROUTE ? one_route(answer, body, bytes) : -EOPNOTSUPP;
}
