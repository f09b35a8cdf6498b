/*
 * bind, listen, connect and accept: fs (servers/fs/meet.c) knows who is bound where, and gives both sides the pages of their connection. A socket
 * changes its pages when it is bound (the lobby, in which fs tells of arrivals) and when it is connected.
 */
#include "address.h"
#include "fd/poll.h"

#define LINE_FULL_NS 1000000u /* somebody's line is full: look again after a millisecond */

static int64_t ask(uint64_t op, const struct px_fs_meet *what, struct exo_message *message)
{
    *(struct px_fs_meet *)px_msg() = *what;
    *message = (struct exo_message){.word = {op}};
    return px_call_server(PX_SLOT_FS, message);
}

void px_socket_put_address(struct px_ofd *ofd, const struct px_address *address, struct px_fs_meet *what)
{
    if (!what->domain)
        what->domain = px_socket_of(ofd)->domain;
    what->flags = (px_socket_end(ofd)->options & PX_OPTION_ONLY6 ? PX_MEET_ONLY6 : 0) |
                  (px_socket_end(ofd)->options & PX_OPTION_LITE ? PX_MEET_LITE : 0) |
                  (px_socket_end(ofd)->options >> SO_REUSEADDR & 1 ? PX_MEET_REUSEADDR : 0) |
                  (px_socket_end(ofd)->options >> SO_REUSEPORT & 1 ? PX_MEET_REUSEPORT : 0);
    what->type = px_socket_of(ofd)->type;
    what->name_bytes = (uint16_t)address->bytes;
    memcpy(what->name, address->name, address->bytes);
}

/* The peer as fs tells of it. */
static struct px_ucred cred_of(const struct exo_message *message)
{
    return (struct px_ucred){
        .pid = (int32_t)message->word[1], .uid = (uint32_t)(message->word[1] >> 32), .gid = (uint32_t)message->word[2]};
}

/*
 * The socket goes on with the pages at va, which is mapped and held: options come along, names do not. Nor does `holders`, which is the kernel's to write: who
 * accepts may be reading it.
 */
static void move_to(struct px_ofd *ofd, uint64_t va)
{
    struct px_socket *socket = px_socket_of(ofd);
    const struct px_end *old = px_socket_end(ofd);
    struct px_end *new = &((struct px_link *)va)->end[0];

    memcpy(&new->options, &old->options, offsetof(struct px_end, name_bytes) - offsetof(struct px_end, options));
    if (socket->aimed && socket->type == SOCK_DGRAM)
        new[1] = px_socket_link(ofd)->end[!px_socket_side(ofd)];
    px_epoll_moves(ofd);
    px_ring_let_go(socket->link);
    socket->link = va;
    socket->side = 0;
    if (new->async) /* whoever sends is to look for the owner (socket_own) */
        __atomic_fetch_add(&px_socket_link(ofd)->to[0].read_waiters, 1, __ATOMIC_SEQ_CST);
}

static int64_t bind_to(struct px_ofd *ofd, struct px_address *address)
{
    struct px_fs_meet what = {0};
    struct exo_message message;
    unsigned domain = px_socket_of(ofd)->domain, pages = px_socket_of(ofd)->type == SOCK_DGRAM ? PX_BOX_PAGES : 1;
    int64_t result = px_internet(domain) ? px_internet_bindable(address, &domain) : 0;

    if (result == 0 && address->path[0])
        result = px_address_make(address, &what.node);
    if (result < 0)
        return result;
    what.domain = (uint16_t)domain;
    px_socket_put_address(ofd, address, &what);
    what.va = px_shared_reserve(pages);
    if (!what.va)
        return -ENOMEM;
    result = px_ring_hold(what.va, pages, true) ? ask(PX_FS_BIND, &what, &message) : -ENOMEM;
    if (result < 0) {
        px_ring_forget(what.va);
        px_shared_release(what.va, pages);
        return result;
    }
    move_to(ofd, what.va);
    px_socket_of(ofd)->ticket = message.word[1];
    ofd->offset = message.capability;
    return 0;
}

PX_SYS(bind)
{
    int64_t result;
    struct px_ofd *ofd = px_socket_get(a, &result);
    struct px_address address;

    if (!ofd)
        return result;
    if (px_socket_of(ofd)->domain == AF_NETLINK)
        return px_netlink_bind(ofd, b, (uint32_t)c);
    result = px_address_read(ofd, b, c, &address);
    if (result < 0)
        return result;
    if (px_socket_of(ofd)->state != PX_SOCKET_NEW || px_socket_of(ofd)->ticket)
        return -EINVAL;
    return bind_to(ofd, &address);
}

int64_t px_socket_bind_anywhere(struct px_ofd *ofd)
{
    uint16_t family = px_socket_of(ofd)->domain;
    struct px_address address = {.bytes = px_internet_bytes(family)};

    memcpy(address.name, &family, sizeof family);
    return bind_to(ofd, &address);
}

PX_SYS(listen)
{
    int64_t result;
    struct px_ofd *ofd = px_socket_get(a, &result);
    struct px_fs_meet what = {.backlog = (int32_t)b < 0 ? 4096u : (uint32_t)b};
    struct exo_message message;

    if (!ofd)
        return result;
    if (px_socket_of(ofd)->type == SOCK_DGRAM)
        return -EOPNOTSUPP;
    if (px_socket_of(ofd)->state == PX_SOCKET_CONNECTED)
        return -EINVAL;
    if (!px_socket_of(ofd)->ticket) {
        result = px_internet(px_socket_of(ofd)->domain) ? px_socket_bind_anywhere(ofd) : -EINVAL;
        if (result < 0)
            return result;
    }
    what.ticket = px_socket_of(ofd)->ticket;
    result = ask(PX_FS_LISTEN, &what, &message);
    if (result == 0)
        px_socket_of(ofd)->state = PX_SOCKET_LISTENING;
    return result;
}

/* ---- connecting ---- */

/* Waits while the line is full. */
static int64_t ask_connect(struct px_ofd *ofd, const struct px_fs_meet *what, struct exo_message *message)
{
    uint64_t limit_ns = px_socket_end(ofd)->send_ns, until = limit_ns ? px_deadline_after(limit_ns) : PX_DEADLINE_NEVER;

    for (;;) {
        int64_t result = ask(PX_FS_CONNECT, what, message);

        if (result != -EAGAIN || ofd->flags & O_NONBLOCK || px_now_ns() >= until)
            return result;
        result = px_wait(NULL, 0, px_deadline_after(LINE_FULL_NS));
        if (result < 0 && result != -ETIMEDOUT)
            return limit_ns ? -EINTR : result;
    }
}

static int64_t connect_to(struct px_ofd *ofd, struct px_fs_meet *what)
{
    struct px_socket *socket = px_socket_of(ofd);
    struct exo_message message;
    int64_t result;

    what->va = px_shared_reserve(PX_LINK_PAGES);
    if (!what->va)
        return -ENOMEM;
    result = px_ring_hold(what->va, PX_LINK_PAGES, true) ? ask_connect(ofd, what, &message) : -ENOMEM;
    if (result < 0) {
        px_ring_forget(what->va);
        px_shared_release(what->va, PX_LINK_PAGES);
        return result;
    }
    move_to(ofd, what->va);
    socket->tally = message.capability;
    socket->peer = cred_of(&message);
    socket->state = PX_SOCKET_CONNECTED;
    return 0;
}

/* Where datagrams go from now on, and alone come from; of no family: from and to everybody again. */
static int64_t connect_letters(struct px_ofd *ofd, px_user name, uint64_t bytes)
{
    struct px_address address;
    uint16_t family;
    int64_t result;

    if ((uint32_t)bytes < sizeof family)
        return -EINVAL;
    if (px_copy_in(&family, name, sizeof family) != 0)
        return -EFAULT;
    if (family == AF_UNSPEC)
        return px_letter_aim(ofd, NULL);
    result = px_address_read(ofd, name, bytes, &address);
    return result < 0 ? result : px_letter_aim(ofd, &address);
}

/* On the internet who does not wait is told that it is under way, as on Linux, though it is made or refused already. */
static int64_t connect_later(struct px_ofd *ofd, int64_t result)
{
    if (result != 0 && result != -ECONNREFUSED)
        return result;
    px_socket_of(ofd)->aimed = 1;
    px_socket_end(ofd)->error = (int32_t)-result;
    return -EINPROGRESS;
}

/* What became of it, once. */
static int64_t connect_again(struct px_ofd *ofd)
{
    struct px_socket *socket = px_socket_of(ofd);
    int32_t error = px_flow_error(ofd);

    socket->aimed = 0;
    if (socket->state == PX_SOCKET_CONNECTED)
        return 0;
    return error ? -error : -ECONNABORTED;
}

static bool is_nobody(const struct px_address *address)
{
    uint16_t family;

    memcpy(&family, address->name, sizeof family);
    return family == AF_UNSPEC;
}

PX_SYS(connect)
{
    int64_t result;
    struct px_ofd *ofd = px_socket_get(a, &result);
    struct px_fs_meet what = {0};
    struct px_address address;
    unsigned domain;

    if (!ofd)
        return result;
    if (px_socket_of(ofd)->domain == AF_NETLINK)
        return 0; /* the other side is the same always */
    if (px_socket_of(ofd)->type == SOCK_DGRAM)
        return connect_letters(ofd, b, c);
    result = px_address_read(ofd, b, c, &address);
    if (result == -EAFNOSUPPORT && px_socket_of(ofd)->state == PX_SOCKET_NEW && !px_socket_of(ofd)->aimed && is_nobody(&address))
        return 0; /* AF_UNSPEC: as unconnected as it was */
    if (result < 0)
        return result;
    if (address.bytes == 2)
        return -EINVAL;
    domain = px_socket_of(ofd)->domain;
    if (px_socket_of(ofd)->aimed)
        return connect_again(ofd);
    if (px_socket_of(ofd)->state != PX_SOCKET_NEW)
        return px_socket_of(ofd)->state == PX_SOCKET_CONNECTED || px_internet(domain) ? -EISCONN : -EINVAL;
    result = px_internet(domain) ? px_internet_reachable(&address, &domain) : 0;
    if (result == 0 && address.path[0])
        result = px_address_find(&address, &what.node);
    if (result < 0)
        return result;
    what.domain = (uint16_t)domain;
    px_socket_put_address(ofd, &address, &what);
    what.ticket = px_socket_of(ofd)->ticket;
    result = connect_to(ofd, &what);
    return px_internet(domain) && ofd->flags & O_NONBLOCK ? connect_later(ofd, result) : result;
}

/* ---- accepting ---- */

/* The first that waits in the line, or who comes: its pages at what->va. */
static int64_t ask_accept(struct px_ofd *ofd, const struct px_fs_meet *what, struct exo_message *message)
{
    uint64_t limit_ns = px_socket_end(ofd)->receive_ns, until = limit_ns ? px_deadline_after(limit_ns) : PX_DEADLINE_NEVER;
    uint32_t *arrivals = &px_socket_link(ofd)->to[0].write_seq;

    for (;;) {
        uint32_t seen = __atomic_load_n(arrivals, __ATOMIC_SEQ_CST);
        int64_t result = ask(PX_FS_ACCEPT, what, message);

        if (result != -EAGAIN || ofd->flags & O_NONBLOCK)
            return result;
        if (px_socket_link(ofd)->to[0].closed)
            return -EINVAL;
        result = px_wait_word(arrivals, seen, until);
        if (result < 0)
            return result == -ETIMEDOUT ? -EAGAIN : result == -PX_ERESTARTSYS && limit_ns ? -EINTR : result;
    }
}

static int64_t accept_from(struct px_ofd *ofd, unsigned flags, struct px_ofd **accepted)
{
    struct px_fs_meet what = {.ticket = px_socket_of(ofd)->ticket, .va = px_shared_reserve(PX_LINK_PAGES)};
    const struct px_socket like = *px_socket_of(ofd);
    struct exo_message message;
    int64_t result;

    if (!what.va)
        return -ENOMEM;
    result = ask_accept(ofd, &what, &message);
    if (result < 0) {
        px_shared_release(what.va, PX_LINK_PAGES);
        return result;
    }
    *accepted = px_socket_end_new(what.va, PX_LINK_PAGES, flags | like.type, 1, message.capability);
    if (!*accepted) {
        (void)!exo_cap_delete(message.capability);
        px_ring_free(what.va, PX_LINK_PAGES);
        return -ENFILE;
    }
    px_socket_end_start(px_socket_end(*accepted));
    px_socket_of(*accepted)->domain = like.domain;
    px_socket_of(*accepted)->peer = cred_of(&message);
    return 0;
}

static int64_t accept_call(uint64_t listener, px_user name, px_user length, unsigned flags)
{
    int64_t result, fd;
    struct px_ofd *ofd = px_socket_get(listener, &result), *accepted;

    if (!ofd)
        return result;
    if (flags & ~(unsigned)(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    if (px_socket_of(ofd)->type == SOCK_DGRAM)
        return -EOPNOTSUPP;
    if (px_socket_of(ofd)->state != PX_SOCKET_LISTENING)
        return -EINVAL;
    result = accept_from(ofd, flags, &accepted);
    if (result < 0)
        return result;
    result = name ? px_socket_tell_name(accepted, 0, name, length) : 0;
    fd = result < 0 ? result : px_fd_install(accepted, 0, flags & O_CLOEXEC);
    if (fd < 0)
        px_ofd_leave(accepted);
    return fd;
}

PX_SYS(accept)
{
    return accept_call(a, b, c, 0);
}

PX_SYS(accept4)
{
    return accept_call(a, b, c, (unsigned)d);
}

/* ---- letting go ---- */

void px_socket_over(void)
{
    const struct px_fs_meet nothing = {0};
    struct exo_message message;

    (void)!ask(PX_FS_UNBOUND, &nothing, &message);
}

void px_socket_unbind(struct px_ofd *ofd)
{
    bool last = __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) <= 1;

    if (ofd->offset < PX_SLOT_FIRST_FREE)
        return;
    (void)!exo_cap_delete(ofd->offset);
    if (last)
        px_socket_over();
}
