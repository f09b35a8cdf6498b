/*
 * Datagrams to names, of AF_UNIX and the internet (UDP): fs puts them into the box of who is bound there (servers/fs/letter.c). What is received lies in one's
 * own box and takes no message (flow.c). On the internet nobody is told that a datagram found no room, and only who is connected that nobody was there.
 */
#include "address.h"

#define NO_ROOM_NS 1000000u /* the box is full: look again after a millisecond */
#define RESTARTS 64u        /* by datagrams of others that came between the parts of ours */

/* One part, from byte `offset` on: bytes that are there now, or -errno. */
static int64_t send_part(struct px_fs_letter *letter, const struct px_message *message, uint64_t offset)
{
    uint8_t part[PX_LETTER_PART]; /* not in the message page, for what is copied may have to be asked for */
    struct exo_message answer = {.word = {PX_FS_SEND}};
    uint64_t left = message->bytes - offset;

    letter->offset = (uint32_t)offset;
    letter->part = (uint32_t)(left < sizeof part ? left : sizeof part);
    if (letter->part && px_message_copy(part, message, offset, letter->part) < letter->part)
        return -EFAULT;
    memcpy(px_msg(), letter, sizeof *letter);
    memcpy((uint8_t *)px_msg() + sizeof *letter, part, letter->part);
    return px_call_server(PX_SLOT_FS, &answer);
}

static int64_t send_once(struct px_fs_letter *letter, const struct px_message *message)
{
    uint64_t done = 0;

    for (unsigned restarts = 0; restarts < RESTARTS;) {
        int64_t result = send_part(letter, message, done);

        if (result == -ESTALE) {
            restarts++;
            done = 0;
            continue;
        }
        if (result < 0)
            return result;
        done = (uint64_t)result;
        if (done >= message->bytes)
            return (int64_t)done;
    }
    return -EAGAIN;
}

/* Waits for room as long as the socket says; on the internet the datagram is lost instead. */
static int64_t send_whole(struct px_ofd *ofd, struct px_fs_letter *letter, const struct px_message *message)
{
    uint64_t limit_ns = px_socket_end(ofd)->send_ns, until = limit_ns ? px_deadline_after(limit_ns) : PX_DEADLINE_NEVER;

    for (;;) {
        int64_t result = send_once(letter, message);

        if (result != -EAGAIN)
            return result;
        if (px_internet(px_socket_of(ofd)->domain))
            return (int64_t)message->bytes;
        if (ofd->flags & O_NONBLOCK || message->flags & MSG_DONTWAIT || px_now_ns() >= until)
            return result;
        result = px_wait(NULL, 0, px_deadline_after(NO_ROOM_NS));
        if (result < 0 && result != -ETIMEDOUT)
            return limit_ns ? -EINTR : result;
    }
}

/* The address as fs is told it. */
static int64_t resolve(struct px_ofd *ofd, struct px_address *address, struct px_fs_meet *what)
{
    unsigned domain = px_socket_of(ofd)->domain;
    int64_t result = 0;

    if (address->bytes == sizeof(uint16_t))
        return -EINVAL;
    if (px_internet(domain))
        result = px_internet_reachable(address, &domain);
    else if (address->path[0])
        result = px_address_find(address, &what->node);
    if (result == 0 && px_internet(domain) && !px_socket_of(ofd)->ticket)
        result = px_socket_bind_anywhere(ofd);
    if (result < 0)
        return result;
    what->domain = (uint16_t)domain;
    px_socket_put_address(ofd, address, what);
    what->ticket = px_socket_of(ofd)->ticket;
    return 0;
}

/* Where it is kept at whom the socket is aimed. */
static struct px_end *other_end(struct px_ofd *ofd)
{
    return &px_socket_link(ofd)->end[!px_socket_side(ofd)];
}

/* To whom the socket is aimed at. */
static void aimed_at(struct px_ofd *ofd, struct px_fs_letter *letter)
{
    const struct px_end *end = other_end(ofd);
    struct px_address address = {.bytes = end->name_bytes <= PX_NAME_BYTES ? end->name_bytes : 0};
    uint16_t family;

    memcpy(address.name, end->name, address.bytes);
    memcpy(&family, address.name, sizeof family);
    letter->to.domain = family;
    px_socket_put_address(ofd, &address, &letter->to);
    letter->to.ticket = px_socket_of(ofd)->ticket;
    letter->aim = end->ino;
}

/* Nobody is there. Who is aimed at him hears of it: on the internet with his next call. */
static int64_t refused(struct px_ofd *ofd, const struct px_message *message, bool aimed)
{
    bool internet = px_internet(px_socket_of(ofd)->domain);

    if (internet && aimed)
        px_socket_end(ofd)->error = ECONNREFUSED;
    if (!internet && aimed)
        px_socket_of(ofd)->aimed = 0;
    return internet ? (int64_t)message->bytes : -ECONNREFUSED;
}

int64_t px_letter_send(struct px_ofd *ofd, const struct px_message *message, struct px_address *to)
{
    struct px_socket *socket = px_socket_of(ofd);
    struct px_fs_letter letter = {.pid = message->cred.pid, .uid = message->cred.uid, .gid = message->cred.gid};
    int32_t error = px_flow_error(ofd);
    int64_t result;

    if (error)
        return -error;
    if (px_socket_link(ofd)->to[!px_socket_side(ofd)].closed & PX_FLOW_NO_WRITE)
        return -EPIPE;
    if (!to && !socket->aimed)
        return px_internet(socket->domain) ? -EDESTADDRREQ : -ENOTCONN;
    if (message->bytes > PX_BOX_MOST)
        return -EMSGSIZE;
    if (to) {
        result = resolve(ofd, to, &letter.to);
        if (result < 0)
            return result;
    } else {
        aimed_at(ofd, &letter);
    }
    letter.bytes = (uint32_t)message->bytes;
    letter.rights = message->rights;
    letter.ticket = message->ticket;
    if (px_internet(socket->domain)) {
        bool six = letter.to.domain == AF_INET6;

        letter.hops = message->said & PX_SAID_HOPS ? message->hops : (uint8_t)px_kept(ofd, six ? PX_KEPT_HOPS6 : PX_KEPT_TTL);
        letter.class = message->said & PX_SAID_CLASS ? message->class : (uint8_t)px_kept(ofd, six ? PX_KEPT_CLASS6 : PX_KEPT_TOS);
    }
    result = send_whole(ofd, &letter, message);
    return result == -ECONNREFUSED ? refused(ofd, message, !to) : result;
}

/* A socket that is bound to any address has the loopback's while it is aimed. */
static void show_source(struct px_ofd *ofd, const struct px_fs_meet *what)
{
    struct px_end *end = px_socket_end(ofd);
    uint16_t port;

    if (!px_internet(what->domain) || end->name_bytes != what->name_bytes)
        return;
    memcpy(&port, end->name + 2, sizeof port);
    memcpy(end->name, what->name, what->name_bytes);
    memcpy(end->name + 2, &port, sizeof port);
}

int64_t px_letter_aim(struct px_ofd *ofd, struct px_address *to)
{
    struct px_socket *socket = px_socket_of(ofd);
    struct px_fs_meet what = {.type = SOCK_DGRAM, .domain = socket->domain, .ticket = socket->ticket};
    struct exo_message message = {.word = {PX_FS_AIM}};
    struct px_end *end;
    int64_t result = 0;

    if (socket->state != PX_SOCKET_NEW)
        return -EISCONN;
    if (to)
        result = resolve(ofd, to, &what);
    if (result == 0) {
        memcpy(px_msg(), &what, sizeof what);
        result = px_call_server(PX_SLOT_FS, &message);
    }
    if (result < 0)
        return result;
    end = other_end(ofd);
    end->ino = message.word[1];
    end->name_bytes = what.name_bytes;
    memcpy(end->name, what.name, what.name_bytes);
    socket->aimed = to != NULL;
    if (to)
        show_source(ofd, &what);
    return 0;
}
