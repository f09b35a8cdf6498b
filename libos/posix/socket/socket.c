/* Making sockets and pairs of them, and what every description can do: read, write, poll, shut down, let go. */
#include <exo/loop.h>

#include "fd/owner.h"
#include "fd/poll.h"
#include "proto/fsmeta.h"
#include "rights.h"

#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC O_CLOEXEC
#define BUFFER_DEFAULT 212992u
#define SOCKET_DEV 8ull
#define FIONREAD 0x541b
#define TIOCOUTQ 0x5411
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902
#define FIOGETOWN 0x8903
#define SIOCGPGRP 0x8904
#define SIOCATMARK 0x8905
#define SIOCGSTAMP 0x8906
#define SIOCGSTAMPNS 0x8907
#define SHUT_RD 0u
#define SHUT_WR 1u
#define SHUT_RDWR 2u

static uint64_t last_ino = 4096;

struct px_ofd *px_socket_get(uint64_t fd, int64_t *error)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)fd);

    *error = !ofd || ofd->flags & O_PATH ? -EBADF : ofd->kind != PX_OFD_SOCKET ? -ENOTSOCK : 0;
    if (*error == 0 && !px_socket_here(ofd))
        *error = -EIO;
    return *error ? NULL : ofd;
}

struct px_ucred px_socket_self(void)
{
    const struct px_proc *self = px_self();

    return (struct px_ucred){.pid = self->pid, .uid = self->euid, .gid = self->egid};
}

/* ---- reading and writing ---- */

static int64_t move(struct px_ofd *ofd, bool sending, const struct px_piece *piece, uint64_t pieces,
                    uint64_t bytes)
{
    struct px_message message = {.piece = piece, .pieces = pieces, .bytes = bytes};

    if (!px_socket_here(ofd))
        return -EIO;
    if (!sending) {
        int64_t result = px_socket_receive(ofd, &message);

        px_rights_drop(&message);
        return result;
    }
    message.cred = px_socket_self();
    return px_flow_send(ofd, &message);
}

static int64_t socket_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    const struct px_piece piece = {.base = to, .bytes = bytes};

    return bytes ? move(ofd, false, &piece, 1, bytes) : 0;
}

static int64_t socket_write(struct px_ofd *ofd, px_user from, size_t bytes, PX_UNUSED uint64_t *offset)
{
    const struct px_piece piece = {.base = from, .bytes = bytes};

    return move(ofd, true, &piece, 1, bytes);
}

int64_t px_socket_vector(struct px_ofd *ofd, bool sending, const uint64_t *vector, uint64_t pieces, uint64_t bytes)
{
    _Static_assert(sizeof(struct px_piece) == 16, "an element of the program's vector");
    return bytes || sending ? move(ofd, sending, (const struct px_piece *)vector, pieces, bytes) : 0;
}

/* On the internet sending then is a broken pipe, and what became of a connect that did not wait comes first. */
int64_t px_socket_unconnected(struct px_ofd *ofd, bool sending, unsigned flags)
{
    const struct px_socket *socket = px_socket_of(ofd);
    int32_t error = px_flow_error(ofd);

    if (error)
        return -error;
    if (!px_internet(socket->domain))
        return !sending && socket->type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
    if (!sending)
        return -ENOTCONN;
    if (!(flags & MSG_NOSIGNAL))
        px_raise(SIGPIPE);
    return -EPIPE;
}

/* ---- what can be asked of it ---- */

static int64_t socket_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    if (!px_socket_here(ofd))
        return -EIO;
    stat->st_dev = SOCKET_DEV;
    stat->st_ino = px_socket_end(ofd)->ino;
    stat->st_nlink = 1;
    stat->st_mode = S_IFSOCK | 0777;
    stat->st_uid = px_self()->euid;
    stat->st_gid = px_self()->egid;
    stat->st_blksize = 4096;
    return 0;
}

/* What is shut down: for reading 1, for writing 2. */
static unsigned shut_ways(struct px_ofd *ofd)
{
    struct px_link *link = px_socket_link(ofd);
    unsigned side = px_socket_side(ofd);
    uint32_t in = __atomic_load_n(&link->to[side].closed, __ATOMIC_SEQ_CST),
             out = __atomic_load_n(&link->to[!side].closed, __ATOMIC_SEQ_CST);

    if (px_socket_of(ofd)->type == SOCK_DGRAM)
        return (in & PX_FLOW_NO_READ ? 1u : 0u) | (out & PX_FLOW_NO_WRITE ? 2u : 0u);
    if (px_socket_of(ofd)->state != PX_SOCKET_CONNECTED || !px_flow_alone(ofd))
        return (in ? 1u : 0u) | (out ? 2u : 0u);
    /* To a stream of the internet the other's end means only that no more comes, as long as no reset did. */
    return px_internet(px_socket_of(ofd)->domain) && !(out & PX_FLOW_NO_WRITE) && !px_stream_is_reset(ofd) ? 1 : 3;
}

/* Who asked for more at once (SO_RCVLOWAT) is not told of less by TCP. */
static bool below_low_water(struct px_ofd *ofd)
{
    uint32_t low = px_socket_end(ofd)->low_water;

    return low > 1 && px_internet(px_socket_of(ofd)->domain) && px_socket_of(ofd)->type == SOCK_STREAM && px_flow_pending(ofd) < low;
}

static unsigned socket_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates,
                            unsigned *count)
{
    struct px_link *link = px_socket_link(ofd);
    unsigned side = px_socket_side(ofd), ready = 0, shut;

    if (!px_socket_here(ofd))
        return POLLERR;
    if (px_socket_of(ofd)->domain == AF_NETLINK)
        px_netlink_poll(ofd, predicates, count);
    if (predicates) {
        uint32_t *words[3] = {&link->to[side].write_seq, &link->end[!side].holders, &link->to[!side].read_seq};

        for (unsigned i = 0; i < (events & (POLLOUT | POLLWRNORM | POLLWRBAND) ? 3u : 2u); i++) {
            predicates[*count] = (struct exo_predicate){.va = (uint64_t)words[i],
                                                        .value = __atomic_load_n(words[i], __ATOMIC_SEQ_CST),
                                                        .kind = EXO_WAIT_WORD};
            if (i == 1)
                predicates[*count] = px_poll_tally(*count, words[i], predicates[*count].value, 0);
            ++*count;
        }
    }
    if (px_socket_of(ofd)->state == PX_SOCKET_LISTENING)
        return (link->to[0].tail != link->to[0].head ? POLLIN | POLLRDNORM : 0u) & events;
    shut = shut_ways(ofd);
    if (link->end[side].error || px_flow_reset(ofd))
        ready |= POLLERR;
    if (shut & 1)
        ready |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (shut == 3 || (px_socket_of(ofd)->state == PX_SOCKET_NEW && px_socket_of(ofd)->type != SOCK_DGRAM))
        ready |= POLLHUP;
    if (px_flow_readable(ofd) && !below_low_water(ofd))
        ready |= POLLIN | POLLRDNORM;
    if (link->to[side].urgent && px_urgent_waits(ofd))
        ready |= POLLPRI;
    if (px_flow_writable(ofd))
        ready |= POLLOUT | POLLWRNORM | (px_internet(px_socket_of(ofd)->domain) && px_socket_of(ofd)->type == SOCK_STREAM ? 0 : POLLWRBAND);
    return ready & (events | POLLERR | POLLHUP);
}

bool px_socket_is_told(struct px_ofd *ofd)
{
    const struct px_socket *socket = px_socket_of(ofd);

    return socket->state == PX_SOCKET_CONNECTED && socket->type != SOCK_DGRAM && px_socket_here(ofd) && !px_socket_end(ofd)->error && !px_flow_alone(ofd);
}

void px_socket_watch(struct px_ofd *ofd, int step)
{
    struct px_link *link = px_socket_link(ofd);

    if (!px_socket_here(ofd))
        return;
    __atomic_fetch_add(&link->to[px_socket_side(ofd)].read_waiters, (uint32_t)step, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&link->to[!px_socket_side(ofd)].write_waiters, (uint32_t)step, __ATOMIC_SEQ_CST);
}

/* When the last datagram came. */
static int64_t tell_stamp(uint64_t stamp, uint64_t request, px_user to)
{
    struct px_timespec time = {PX_TIME_SECONDS((int64_t)stamp), PX_TIME_NS((int64_t)stamp)};

    if (!stamp)
        return -ENOENT;
    if (request == SIOCGSTAMP)
        time.tv_nsec /= 1000;
    return px_copy_out(to, &time, sizeof time);
}

static int64_t set_owner(struct px_ofd *ofd, px_user from)
{
    int32_t who;

    return px_copy_in(&who, from, sizeof who) != 0 ? -EFAULT : px_owner_set(ofd, who);
}

static int64_t put_number(px_user to, int32_t number)
{
    return px_copy_out(to, &number, sizeof number);
}

static int64_t socket_ioctl(struct px_ofd *ofd, uint64_t request, uint64_t argument)
{

    if (!px_socket_here(ofd))
        return -EIO;
    if (request == SIOCGSTAMP || request == SIOCGSTAMPNS)
        return tell_stamp(px_socket_end(ofd)->stamp, request, argument);
    switch (request) {
    case FIOSETOWN:
    case SIOCSPGRP: return set_owner(ofd, argument);
    case FIOGETOWN:
    case SIOCGPGRP: return put_number(argument, px_owner_get(ofd));
    case SIOCATMARK:
        return px_internet(px_socket_of(ofd)->domain) && px_socket_of(ofd)->type != SOCK_STREAM ? -ENOTTY : put_number(argument, px_urgent_is_here(ofd));
    case FIONREAD: return put_number(argument, (int32_t)px_flow_pending(ofd));
    case TIOCOUTQ: return put_number(argument, (int32_t)px_flow_unread(ofd));
    default: return px_interface_ioctl(px_socket_of(ofd)->domain, request, argument);
    }
}

/* Who sends to this end counts an owner who wants SIGIO as a sleeper, and so looks for him. */
static void socket_own(struct px_ofd *ofd, uint64_t cookie, bool async)
{
    struct px_end *end;
    uint32_t before;

    if (!px_socket_here(ofd))
        return;
    end = px_socket_end(ofd);
    before = end->async != 0;
    end->owner = cookie;
    end->async = async && cookie;
    __atomic_fetch_add(&px_socket_link(ofd)->to[px_socket_side(ofd)].read_waiters, end->async - before, __ATOMIC_SEQ_CST);
}

/* The other end's owner hears that no more comes, or goes. */
static void tell_peer(struct px_ofd *ofd, enum px_tell why)
{
    struct px_end *to = &px_socket_link(ofd)->end[!px_socket_side(ofd)];

    if (to->async)
        (void)px_owner_tell(&to->owner, why);
}

static void socket_drop(struct px_ofd *ofd)
{
    struct px_socket *socket = px_socket_of(ofd);
    bool unread = socket->domain == AF_UNIX && socket->state == PX_SOCKET_CONNECTED && px_socket_here(ofd) && px_flow_readable(ofd);

    if (socket->domain == AF_NETLINK)
        px_netlink_drop(ofd);
    px_socket_unbind(ofd);
    if (socket->tally >= PX_SLOT_FIRST_FREE && (!px_fd_exiting || unread))
        (void)!exo_cap_delete(socket->tally);
    if (socket->state == PX_SOCKET_CONNECTED && socket->type != SOCK_DGRAM && px_socket_here(ofd) && !px_socket_end(ofd)->holders)
        tell_peer(ofd, PX_TELL_HUP);
    if (px_socket_link(ofd)) {
        px_ring_let_go(socket->link);
        px_fd_fs_waits |= px_fd_exiting;
    }
    if (unread)
        px_socket_over(); /* descriptors may have come along that nobody takes any more */
}

const struct px_ops px_socket_ops = {
    .name = "socket",
    .read = socket_read,
    .write = socket_write,
    .ioctl = socket_ioctl,
    .stat = socket_stat,
    .poll = socket_poll,
    .drop = socket_drop,
    .own = socket_own,
};

/* ---- making them ---- */

#define PROTOCOLS 263 /* numbers that Linux knows are below */

static int64_t check_kind(unsigned domain, unsigned flags, int protocol)
{
    unsigned type = flags & SOCK_TYPE;

    if (flags & ~(SOCK_TYPE | (unsigned)SOCK_NONBLOCK | (unsigned)SOCK_CLOEXEC) || type > 10)
        return -EINVAL;
    if (domain == AF_NETLINK)
        return type != SOCK_RAW && type != SOCK_DGRAM ? -ESOCKTNOSUPPORT : protocol == 0 || protocol == NETLINK_KOBJECT_UEVENT ? 0 : -EPROTONOSUPPORT;
    if (domain != AF_UNIX && !px_internet(domain))
        return -EAFNOSUPPORT;
    if (px_internet(domain) && type != SOCK_STREAM && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (px_internet(domain) && (protocol < 0 || protocol >= PROTOCOLS))
        return -EINVAL;
    if (px_internet(domain))
        return protocol == 0 || protocol == (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP) ||
                       (type == SOCK_DGRAM && protocol == IPPROTO_UDPLITE)
                   ? 0
                   : -EPROTONOSUPPORT;
    if (protocol != 0 && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET && type != SOCK_RAW)
        return -ESOCKTNOSUPPORT;
    return 0;
}

void px_socket_end_start(struct px_end *end)
{
    end->send_bytes = end->receive_bytes = BUFFER_DEFAULT;
    end->low_water = 1;
    end->ino = ++last_ino + (uint64_t)px_self()->pid * 4096;
}

static void link_start(struct px_link *link, unsigned pages)
{
    link->version = PX_LINK_VERSION;
    link->pages = pages;
    px_socket_end_start(&link->end[0]);
    px_socket_end_start(&link->end[1]);
}

struct px_ofd *px_socket_end_new(uint64_t va, unsigned pages, unsigned flags, unsigned side, uint64_t tally)
{
    unsigned type = flags & SOCK_TYPE;
    struct px_ofd *ofd = px_ofd_new(PX_OFD_SOCKET, O_RDWR | (flags & O_NONBLOCK));

    if (!ofd)
        return NULL;
    if (!px_ring_hold(va, pages, false)) {
        px_ofd_abandon(ofd);
        return NULL;
    }
    *px_socket_of(ofd) = (struct px_socket){
        .link = va,
        .tally = tally,
        .type = (uint8_t)(type == SOCK_RAW ? SOCK_DGRAM : type),
        .side = (uint8_t)side,
        .state = pages == 1 ? PX_SOCKET_NEW : PX_SOCKET_CONNECTED,
        .domain = AF_UNIX,
        .peer = pages == 1 ? (struct px_ucred){.pid = 0, .uid = ~0u, .gid = ~0u} : px_socket_self(),
    };
    return ofd;
}

static struct px_ofd *socket_new(unsigned domain, unsigned flags, int protocol)
{
    uint64_t va = px_ring_new(1);
    struct px_ofd *ofd = va ? px_socket_end_new(va, 1, flags, 0, 0) : NULL;

    if (!ofd) {
        if (va)
            px_ring_free(va, 1);
        return NULL;
    }
    link_start(px_socket_link(ofd), 1);
    px_socket_of(ofd)->domain = (uint8_t)domain;
    if (protocol == IPPROTO_UDPLITE)
        px_socket_end(ofd)->options |= PX_OPTION_LITE;
    return ofd;
}

PX_SYS(socket)
{
    int64_t fd = check_kind((unsigned)a, (unsigned)b, (int)c);
    struct px_ofd *ofd;

    if (fd < 0)
        return fd;
    ofd = (unsigned)a == AF_NETLINK ? px_netlink_new((unsigned)b, (int)c) : socket_new((unsigned)a, (unsigned)b, (int)c);
    if (!ofd)
        return -ENFILE;
    fd = px_fd_install(ofd, 0, b & SOCK_CLOEXEC);
    if (fd < 0)
        px_ofd_leave(ofd);
    return fd;
}

static int64_t pair_new(unsigned flags, struct px_ofd *ends[2])
{
    uint64_t va = px_ring_new(PX_LINK_PAGES);
    struct px_link *link = (struct px_link *)va;
    int64_t tally[2];

    if (!va)
        return -ENFILE;
    link_start(link, PX_LINK_PAGES);
    tally[0] = exo_tally_create(&link->end[0].holders);
    tally[1] = tally[0] < 0 ? -1 : exo_tally_create(&link->end[1].holders);
    if (tally[1] < 0)
        goto no_tallies;
    ends[0] = px_socket_end_new(va, PX_LINK_PAGES, flags, 0, (uint64_t)tally[0]);
    if (!ends[0])
        goto no_ends;
    ends[1] = px_socket_end_new(va, PX_LINK_PAGES, flags, 1, (uint64_t)tally[1]);
    if (ends[1])
        return 0;
    (void)!exo_cap_delete((uint64_t)tally[1]);
    px_ofd_leave(ends[0]);
    return -ENFILE;
no_ends:
    (void)!exo_cap_delete((uint64_t)tally[1]);
no_tallies:
    if (tally[0] >= 0)
        (void)!exo_cap_delete((uint64_t)tally[0]);
    px_ring_free(va, PX_LINK_PAGES);
    return -ENFILE;
}

PX_SYS(socketpair)
{
    struct px_ofd *ends[2];
    int64_t result = check_kind((unsigned)a, (unsigned)b, (int)c);

    if (result == 0 && (unsigned)a != AF_UNIX)
        result = -EOPNOTSUPP;
    if (result == 0)
        result = pair_new((unsigned)b, ends);
    return result < 0 ? result : px_fd_install_pair(ends, b & SOCK_CLOEXEC, d);
}

/* ---- shutdown ---- */

static void close_flow(struct px_flow *flow, uint32_t how)
{
    __atomic_fetch_or(&flow->closed, how, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&flow->write_seq, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&flow->read_seq, 1, __ATOMIC_SEQ_CST);
    exo_wake_all(&flow->write_seq);
    exo_wake_all(&flow->read_seq);
}

PX_SYS(shutdown)
{
    unsigned how = (unsigned)b;
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);
    struct px_link *link;

    if (!ofd)
        return error;
    if (how > SHUT_RDWR)
        return -EINVAL;
    if (px_socket_of(ofd)->domain == AF_NETLINK)
        return -EOPNOTSUPP;
    if (px_internet(px_socket_of(ofd)->domain) && px_socket_of(ofd)->state == PX_SOCKET_NEW &&
        !(px_socket_of(ofd)->aimed && px_socket_of(ofd)->type == SOCK_DGRAM))
        return -ENOTCONN;
    link = px_socket_link(ofd);
    /* Both sides hear of it in both ways' words: a hang-up is of both ways, and who polls for one alone sleeps on that one's. */
    close_flow(&link->to[px_socket_side(ofd)], how != SHUT_WR ? PX_FLOW_NO_READ : 0);
    close_flow(&link->to[!px_socket_side(ofd)], how != SHUT_RD ? PX_FLOW_NO_WRITE : 0);
    if (px_socket_of(ofd)->state == PX_SOCKET_CONNECTED && how != SHUT_RD)
        tell_peer(ofd, how == SHUT_RDWR ? PX_TELL_HUP : PX_TELL_IN);
    return 0;
}
