/*
 * Netlink sockets: netlink(7). What a process asks about the network its own libOS answers, for there is the loopback alone: requests are read where they are
 * sent, and answers put into the ring that the socket receives from, whose other end is nobody's. NETLINK_ROUTE is answered (route.c); NETLINK_KOBJECT_UEVENT
 * is silent, as devices neither come nor go.
 */
#include "netlink.h"

#define NETLINK_ROUTE 0
#define NLMSG_ERROR 2u
#define NLMSG_DONE 3u
#define NLMSG_MIN_TYPE 16u
#define NLM_F_REQUEST 1u
#define NLM_F_MULTI 2u
#define NLM_F_ACK 4u
#define OPTION_LAST 12u /* NETLINK_GET_STRICT_CHK */
#define REQUEST_BYTES 4096u
/* Places in px_end's `kept`, which are no options of the internet here. */
#define KEPT_TYPE 0u
#define KEPT_OPTIONS 1u
#define ALIGN(bytes) (((bytes) + 3u) & ~3u)

/* struct sockaddr_nl. */
struct address {
    uint16_t family, pad;
    uint32_t port, groups;
};
/* A request that is longer is refused. */
struct request {
    _Alignas(8) uint8_t block[REQUEST_BYTES];
};

void px_answer_begin(struct px_answer *answer, uint16_t type, uint16_t flags, const void *body, uint32_t bytes)
{
    struct px_netlink_header header = {.bytes = (uint32_t)sizeof header + bytes, .type = type, .flags = flags, .sequence = answer->asked->sequence};
    uint32_t at = answer->bytes;

    answer->full |= at + ALIGN(header.bytes) > sizeof answer->block;
    if (answer->full)
        return;
    answer->message = at;
    memset(answer->block + at, 0, ALIGN(header.bytes));
    memcpy(answer->block + at, &header, sizeof header);
    if (bytes)
        memcpy(answer->block + at + sizeof header, body, bytes);
    answer->bytes = at + ALIGN(header.bytes);
}

void px_answer_add(struct px_answer *answer, uint16_t type, const void *value, uint32_t bytes)
{
    const uint16_t head[2] = {(uint16_t)(sizeof head + bytes), type};
    uint8_t *at = answer->block + answer->bytes;

    answer->full |= answer->bytes + ALIGN(head[0]) > sizeof answer->block;
    if (answer->full)
        return;
    memset(at, 0, ALIGN(head[0]));
    memcpy(at, head, sizeof head);
    memcpy(at + sizeof head, value, bytes);
    answer->bytes += ALIGN(head[0]);
    ((struct px_netlink_header *)(answer->block + answer->message))->bytes = answer->bytes - answer->message;
}

/* ---- the socket ---- */

static struct address *own(struct px_ofd *ofd)
{
    return (struct address *)(void *)px_socket_end(ofd)->name;
}

struct px_ofd *px_netlink_new(unsigned flags, int protocol)
{
    uint64_t va = px_ring_new(PX_LINK_PAGES);
    struct px_ofd *ofd = va ? px_socket_end_new(va, PX_LINK_PAGES, (flags & ~SOCK_TYPE) | SOCK_DGRAM, 0, 0) : NULL;

    if (!ofd) {
        if (va)
            px_ring_free(va, PX_LINK_PAGES);
        return NULL;
    }
    px_socket_link(ofd)->version = PX_LINK_VERSION;
    px_socket_link(ofd)->pages = PX_LINK_PAGES;
    for (unsigned i = 0; i < 2; i++) {
        struct px_end *end = &px_socket_link(ofd)->end[i];

        px_socket_end_start(end);
        end->name_bytes = sizeof(struct address);
        memcpy(end->name, &(struct address){.family = AF_NETLINK}, sizeof(struct address));
        end->holders = 1; /* the end that nobody has does not go */
    }
    px_socket_of(ofd)->domain = AF_NETLINK;
    px_socket_of(ofd)->aimed = (uint32_t)protocol;
    px_socket_end(ofd)->kept[KEPT_TYPE] = (int32_t)(flags & SOCK_TYPE);
    return ofd;
}

/* The first socket of a process has its number, others have negative ones. */
static uint32_t free_port(void)
{
    static int32_t first_of, others;
    int32_t self = px_self()->pid;

    if (first_of == self)
        return (uint32_t)-(4096 + others++ % 4096 + (self << 12));
    first_of = self;
    return (uint32_t)self;
}

unsigned px_netlink_type(struct px_ofd *ofd)
{
    return (unsigned)px_socket_end(ofd)->kept[KEPT_TYPE];
}

int64_t px_netlink_bind(struct px_ofd *ofd, px_user name, uint32_t bytes)
{
    struct address address;

    if (bytes < sizeof address)
        return -EINVAL;
    if (px_copy_in(&address, name, sizeof address) != 0)
        return -EFAULT;
    if (address.family != AF_NETLINK || (own(ofd)->port && address.port && own(ofd)->port != address.port))
        return -EINVAL;
    if (!own(ofd)->port)
        own(ofd)->port = address.port ? address.port : free_port();
    own(ofd)->groups = address.groups;
    return 0;
}

int64_t px_netlink_option(struct px_ofd *ofd, unsigned name, const uint32_t *set, uint32_t *got)
{
    int32_t *kept = &px_socket_end(ofd)->kept[KEPT_OPTIONS];

    if (name < 1 || name > OPTION_LAST || name == 6 || name == 7)
        return -ENOPROTOOPT;
    if (set)
        *kept = (int32_t)(((uint32_t)*kept & ~(1u << name)) | (*set ? 1u << name : 0));
    if (got)
        *got = (uint32_t)*kept >> name & 1;
    return 0;
}

/* Into the ring that the socket receives from. */
void px_netlink_deliver(struct px_ofd *ofd, const uint8_t *block, uint32_t bytes)
{
    unsigned side = px_socket_side(ofd);
    struct px_flow *flow = &px_socket_link(ofd)->to[side];
    uint8_t *ring = PX_LINK_RING(px_socket_link(ofd), side);
    uint32_t tail = flow->tail & ~(PX_RECORD_ALIGN - 1), head = flow->head & ~(PX_RECORD_ALIGN - 1);

    if (tail - head > PX_FLOW_BYTES - px_record_room(bytes)) {
        px_socket_end(ofd)->error = ENOBUFS;
        return;
    }
    *(struct px_record *)(ring + tail % PX_FLOW_BYTES) = (struct px_record){.bytes = bytes};
    for (uint32_t i = 0; i < bytes; i++)
        ring[(tail + (uint32_t)sizeof(struct px_record) + i) % PX_FLOW_BYTES] = block[i];
    __atomic_store_n(&flow->tail, tail + px_record_room(bytes), __ATOMIC_RELEASE);
    __atomic_fetch_add(&flow->write_seq, 1, __ATOMIC_SEQ_CST);
    exo_wake_all(&flow->write_seq);
}

/* What became of a request, with its header or, when it failed, all of it. */
static void add_result(struct px_answer *answer, int64_t result)
{
    struct {
        int32_t error;
        struct px_netlink_header asked;
    } body = {.error = (int32_t)result, .asked = *answer->asked};

    px_answer_begin(answer, NLMSG_ERROR, 0, &body, sizeof body);
}

/* What there is of it goes as one datagram. */
static void send_answer(struct px_ofd *ofd, struct px_answer *answer)
{
    for (uint32_t at = 0; at < answer->bytes;) {
        struct px_netlink_header *header = (struct px_netlink_header *)(answer->block + at);

        header->port = own(ofd)->port;
        at += ALIGN(header->bytes);
    }
    if (answer->bytes)
        px_netlink_deliver(ofd, answer->block, answer->bytes);
    answer->bytes = 0;
}

/* One request, all of which is there. */
static void serve(struct px_ofd *ofd, const struct px_netlink_header *asked)
{
    struct px_answer answer = {.asked = asked};
    const uint8_t *body = (const uint8_t *)(asked + 1);
    bool dump = false;
    int64_t result = 0;

    if (!(asked->flags & NLM_F_REQUEST))
        return;
    if (asked->type >= NLMSG_MIN_TYPE)
        result = px_route_answer(&answer, body, asked->bytes - (uint32_t)sizeof *asked, &dump);
    send_answer(ofd, &answer);
    if (dump && result == 0)
        px_answer_begin(&answer, NLMSG_DONE, NLM_F_MULTI, &(int32_t){0}, sizeof(int32_t));
    else if (result < 0 || asked->flags & NLM_F_ACK)
        add_result(&answer, result);
    send_answer(ofd, &answer);
}

int64_t px_netlink_send(struct px_ofd *ofd, const struct px_message *message)
{
    struct request *request;
    uint32_t at = 0, bytes = (uint32_t)message->bytes;

    if (message->bytes > REQUEST_BYTES)
        return -EMSGSIZE;
    if (px_socket_of(ofd)->aimed != NETLINK_ROUTE)
        return -ECONNREFUSED;
    request = px_alloc(sizeof *request);
    if (!request)
        return -ENOBUFS;
    if (px_message_copy(request->block, message, 0, bytes) < bytes) {
        px_free(request);
        return -EFAULT;
    }
    if (!own(ofd)->port)
        own(ofd)->port = free_port();
    while (bytes - at >= sizeof(struct px_netlink_header)) {
        const struct px_netlink_header *asked = (const struct px_netlink_header *)(request->block + at);

        if (asked->bytes < sizeof *asked || asked->bytes > bytes - at)
            break;
        serve(ofd, asked);
        at += ALIGN(asked->bytes) < bytes - at ? ALIGN(asked->bytes) : bytes - at;
    }
    px_free(request);
    return (int64_t)bytes;
}
