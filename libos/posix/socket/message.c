/*
 * send, recv and their relatives with addresses and ancillary data: what the program's structures say is copied in, checked, and becomes a
 * struct px_message.
 */
#include "control.h"
#include "proto/fsmeta.h"
#include "rights.h"

#define PIECES_MAX 1024u
#define PIECES_FEW 16u
#define MESSAGES_MAX 1024u
#define CONTROL_FEW 512u
#define CONTROL_MAX 20480u /* as Linux's optmem_max */
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2

struct msghdr {
    px_user name;
    uint32_t name_bytes, pad0;
    px_user vector;
    uint64_t pieces;
    px_user control;
    uint64_t control_bytes;
    uint32_t flags, pad1;
};
struct mmsghdr {
    struct msghdr header;
    uint32_t bytes, pad;
};
struct cmsghdr {
    uint64_t bytes;
    int32_t level, type;
};
#define CMSG_ALIGN(bytes) (((bytes) + 7) & ~7ull)

/* Where a short vector of a message lies; longer ones are in the heap. */
struct few {
    struct px_piece piece[PIECES_FEW];
};

static void pieces_free(const struct px_message *message, const struct few *few)
{
    if (message->piece != few->piece)
        px_free((void *)(uintptr_t)message->piece);
}

/* The program's vector becomes the message's. */
static int64_t pieces_read(struct px_message *message, struct few *few, px_user from, uint64_t count)
{
    struct px_piece *piece;

    if (count > PIECES_MAX)
        return -EMSGSIZE;
    piece = count > PIECES_FEW ? px_alloc(count * sizeof *piece) : few->piece;
    message->piece = piece;
    message->pieces = count;
    message->bytes = 0;
    if (!piece)
        return -ENOMEM;
    if (px_copy_in(piece, from, count * sizeof *piece) != 0) {
        pieces_free(message, few);
        return -EFAULT;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t *bytes = &piece[i].bytes;

        if ((int64_t)*bytes < 0) {
            pieces_free(message, few);
            return -EINVAL;
        }
        if (*bytes > PX_RW_MAX - message->bytes)
            *bytes = PX_RW_MAX - message->bytes;
        message->bytes += *bytes;
    }
    return 0;
}

/* ---- sending ---- */

/* May this process say that it is these? Root may say anything. */
static bool may_claim(const struct px_ucred *cred)
{
    const struct px_proc *self = px_self();

    if (self->euid == 0)
        return true;
    return cred->pid == self->pid && (cred->uid == self->uid || cred->uid == self->euid || cred->uid == self->suid) &&
           (cred->gid == self->gid || cred->gid == self->egid || cred->gid == self->sgid);
}

static int64_t control_credentials(struct px_message *message, const uint8_t *data, uint64_t bytes)
{
    struct px_ucred cred;

    if (bytes != sizeof cred)
        return -EINVAL;
    memcpy(&cred, data, sizeof cred);
    if (!may_claim(&cred))
        return -EPERM;
    if (!px_process_find(cred.pid))
        return -ESRCH;
    message->cred = cred;
    return 0;
}

static int64_t control_rights(struct px_ofd *ofd, struct px_message *message, const uint8_t *data, uint64_t bytes)
{
    int32_t fds[PX_PARCEL_MOST];

    if (px_internet(px_socket_of(ofd)->domain))
        return 0;
    if (bytes / sizeof *fds > PX_PARCEL_MOST)
        return -EINVAL;
    memcpy(fds, data, bytes / sizeof *fds * sizeof *fds);
    return px_rights_pack(ofd, message, fds, (unsigned)(bytes / sizeof *fds));
}

static int64_t control_use(struct px_ofd *ofd, struct px_message *message, const uint8_t *block, uint64_t bytes)
{
    for (uint64_t at = 0; bytes - at >= sizeof(struct cmsghdr);) {
        struct cmsghdr header;
        int64_t result = 0;

        memcpy(&header, block + at, sizeof header);
        if (header.bytes < sizeof header || header.bytes > bytes - at)
            return -EINVAL;
        if (header.level == SOL_SOCKET && header.type == SCM_CREDENTIALS)
            result = control_credentials(message, block + at + sizeof header, header.bytes - sizeof header);
        else if (header.level == SOL_SOCKET && header.type == SCM_RIGHTS)
            result = control_rights(ofd, message, block + at + sizeof header, header.bytes - sizeof header);
        else if (header.level == SOL_SOCKET)
            result = -EINVAL;
        else if (px_internet(px_socket_of(ofd)->domain) && (header.level == IPPROTO_IP || header.level == IPPROTO_IPV6))
            result = px_internet_control(message, header.level, header.type, block + at + sizeof header, header.bytes - sizeof header);
        if (result < 0)
            return result;
        at = CMSG_ALIGN(header.bytes) < bytes - at ? at + CMSG_ALIGN(header.bytes) : bytes;
    }
    return 0;
}

/* What the program sends along. */
static int64_t control_read(struct px_ofd *ofd, struct px_message *message, px_user control, uint64_t bytes)
{
    _Alignas(8) uint8_t few[CONTROL_FEW];
    uint8_t *block = bytes <= sizeof few ? few : bytes <= CONTROL_MAX ? px_alloc(bytes) : NULL;
    int64_t result;

    if (!block)
        return -ENOBUFS;
    result = px_copy_in(block, control, bytes) ? -EFAULT : control_use(ofd, message, block, bytes);
    if (block != few)
        px_free(block);
    return result;
}

/* To an address, if there is one that counts: packets of AF_UNIX and all of the internet take one, streams are connected. */
static int64_t send_to(struct px_ofd *ofd, const struct px_message *message, px_user name, uint64_t name_bytes)
{
    const struct px_socket *socket = px_socket_of(ofd);
    struct px_address address;
    int64_t result;

    if (!name || !name_bytes || socket->domain == AF_NETLINK || (socket->type != SOCK_DGRAM && (socket->type != SOCK_STREAM || socket->domain != AF_UNIX)))
        return px_flow_send(ofd, message);
    if (socket->type == SOCK_STREAM)
        return socket->state == PX_SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    result = px_address_read(ofd, name, name_bytes, &address);
    return result < 0 ? result : px_letter_send(ofd, message, &address);
}

static int64_t send_header(struct px_ofd *ofd, const struct msghdr *header, unsigned flags)
{
    struct px_message message = {.flags = flags, .cred = px_socket_self()};
    struct few few;
    int64_t result;

    result = pieces_read(&message, &few, header->vector, header->pieces);
    if (result < 0)
        return result;
    if (flags & MSG_OOB)
        result = px_urgent_may_send(ofd, message.bytes);
    if (result == 0 && header->control && header->control_bytes)
        result = control_read(ofd, &message, header->control, header->control_bytes);
    if (result == 0)
        result = send_to(ofd, &message, header->name, header->name_bytes);
    if (result < 0 || (result == 0 && px_socket_of(ofd)->type == SOCK_STREAM))
        px_rights_drop(&message);
    pieces_free(&message, &few);
    return result;
}

PX_SYS(sendto)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);
    const struct px_piece piece = {.base = b, .bytes = c < PX_RW_MAX ? c : PX_RW_MAX};
    struct px_message message = {
        .piece = &piece, .pieces = 1, .bytes = piece.bytes, .flags = (unsigned)d, .cred = px_socket_self()};

    if (!ofd)
        return error;
    if ((int64_t)c < 0)
        return -EINVAL;
    if (message.flags & MSG_OOB && px_urgent_may_send(ofd, message.bytes) < 0)
        return -EOPNOTSUPP;
    return send_to(ofd, &message, e, (uint32_t)f);
}

static int64_t send_user(struct px_ofd *ofd, px_user from, unsigned flags)
{
    struct msghdr header;

    if (px_copy_in(&header, from, sizeof header) != 0)
        return -EFAULT;
    return send_header(ofd, &header, flags);
}

PX_SYS(sendmsg)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);

    return ofd ? send_user(ofd, b, (unsigned)c) : error;
}

PX_SYS(sendmmsg)
{
    uint64_t count = (uint32_t)c < MESSAGES_MAX ? (uint32_t)c : MESSAGES_MAX, sent = 0;
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);

    if (!ofd)
        return error;
    for (; sent < count; sent++) {
        px_user at = b + sent * sizeof(struct mmsghdr);
        int64_t result = send_user(ofd, at, (unsigned)d);
        uint32_t bytes = (uint32_t)result;

        if (result >= 0 && px_copy_out(at + offsetof(struct mmsghdr, bytes), &bytes, sizeof bytes) != 0)
            result = -EFAULT;
        if (result < 0)
            return sent ? (int64_t)sent : result;
    }
    return (int64_t)sent;
}

/* ---- receiving ---- */

int64_t px_control_put(struct px_control *control, struct px_message *message, int level, int type, const void *data, uint64_t bytes)
{
    struct cmsghdr header = {.bytes = sizeof header + bytes, .level = level, .type = type};
    uint64_t room = control->room - control->used;

    if (!control->at || room < sizeof header) {
        message->found |= MSG_CTRUNC;
        return 0;
    }
    if (room < header.bytes) {
        message->found |= MSG_CTRUNC;
        header.bytes = room;
    }
    if (px_copy_out(control->at + control->used, &header, sizeof header) != 0 ||
        px_copy_out(control->at + control->used + sizeof header, data, header.bytes - sizeof header) != 0)
        return -EFAULT;
    control->used += CMSG_ALIGN(header.bytes) < room ? CMSG_ALIGN(header.bytes) : room;
    return 0;
}

/*
 * Who sent it. The record is the peer's to write, and what he says counts as far as he may say it: root anything, others what they were when the
 * two were connected. What came to a name fs has written.
 */
static struct px_ucred believed(const struct px_ofd *ofd, const struct px_ucred *said, bool named)
{
    const struct px_ucred *known = &((const struct px_socket *)ofd->word)->peer;

    return named || known->uid == 0 || (said->uid == known->uid && said->gid == known->gid) ? *said : *known;
}

static int64_t credentials_write(struct px_ofd *ofd, struct px_message *message, struct px_control *control)
{
    struct px_ucred cred;

    if (!(px_socket_end(ofd)->options >> SO_PASSCRED & 1))
        return 0;
    cred = believed(ofd, &message->cred, message->named);
    return px_control_put(control, message, SOL_SOCKET, SCM_CREDENTIALS, &cred, sizeof cred);
}

/* As many as there is room for. */
static int64_t rights_write(struct px_message *message, struct px_control *control, unsigned flags)
{
    uint64_t room = control->at && control->room > control->used ? control->room - control->used : 0;
    int32_t fds[PX_PARCEL_MOST];
    unsigned count;

    room = room > sizeof(struct cmsghdr) ? (room - sizeof(struct cmsghdr)) / sizeof *fds : 0;
    count = px_rights_unpack(message, fds, room < PX_PARCEL_MOST ? (unsigned)room : PX_PARCEL_MOST, flags & MSG_CMSG_CLOEXEC);
    return count ? px_control_put(control, message, SOL_SOCKET, SCM_RIGHTS, fds, count * sizeof *fds) : 0;
}

/* When a datagram came; one that nobody has looked at the clock for comes now. */
static int64_t time_write(struct px_ofd *ofd, struct px_message *message, struct px_control *control)
{
    const struct px_end *end = px_socket_end(ofd);
    int64_t time = message->named && !message->rights ? (int64_t)message->ticket : 0;
    uint64_t now = px_real_ns();
    struct px_timespec stamp = {PX_TIME_SECONDS(time), PX_TIME_NS(time)};

    if (px_socket_of(ofd)->type != SOCK_DGRAM || !(end->options >> SO_TIMESTAMP & 1 || end->options & PX_OPTION_STAMP_NS))
        return 0;
    if (!time)
        stamp = (struct px_timespec){(int64_t)(now / PX_SECOND), (int64_t)(now % PX_SECOND)};
    if (end->options & PX_OPTION_STAMP_NS)
        return px_control_put(control, message, SOL_SOCKET, SO_TIMESTAMPNS, &stamp, sizeof stamp);
    stamp.tv_nsec /= 1000;
    return px_control_put(control, message, SOL_SOCKET, SO_TIMESTAMP, &stamp, sizeof stamp);
}

static int64_t control_write(struct px_ofd *ofd, struct px_message *message, struct px_control *control, unsigned flags)
{
    int64_t result = time_write(ofd, message, control);

    if (result == 0 && message->named && px_internet(px_socket_of(ofd)->domain))
        result = px_internet_control_write(ofd, message, control);
    if (result == 0 && message->cred.pid)
        result = credentials_write(ofd, message, control);
    if (!message->rights)
        return result;
    if (result == 0)
        return rights_write(message, control, flags);
    px_rights_drop(message);
    return result;
}

/* From whom a message is: of a stream on the internet nothing is told. */
static int64_t put_peer(struct px_ofd *ofd, const struct px_message *message, px_user to, uint32_t *room)
{
    const struct px_end nobody = {0};
    struct px_end from = {.name_bytes = message->from.bytes <= PX_NAME_BYTES ? message->from.bytes : 0};

    if (message->named) {
        memcpy(from.name, message->from.name, sizeof from.name);
        if (px_internet(px_socket_of(ofd)->domain))
            px_internet_name(px_socket_of(ofd)->domain, &from);
        return px_socket_put_name(&from, to, room);
    }
    return px_socket_put_name(
        px_internet(px_socket_of(ofd)->domain) ? &nobody : &px_socket_link(ofd)->end[!px_socket_side(ofd)], to, room);
}

/* One message into what the header says, and what was found back into the header. */
static int64_t receive_header(struct px_ofd *ofd, struct msghdr *header, unsigned flags)
{
    struct px_message message = {.flags = flags, .found = flags & MSG_CMSG_CLOEXEC};
    struct px_control control = {.at = header->control, .room = header->control_bytes};
    struct few few;
    int64_t result, extra;

    if (flags & MSG_ERRQUEUE)
        return -EAGAIN; /* no error ever waits there */
    if ((int32_t)header->name_bytes < 0)
        return -EINVAL;
    result = pieces_read(&message, &few, header->vector, header->pieces);
    if (result < 0)
        return result;
    result = flags & MSG_OOB ? px_urgent_receive(ofd, &message) : px_socket_receive(ofd, &message);
    pieces_free(&message, &few);
    if (result < 0)
        return result;
    extra = control_write(ofd, &message, &control, flags);
    if (extra == 0 && header->name)
        extra = put_peer(ofd, &message, header->name, &header->name_bytes);
    header->control_bytes = control.used;
    header->flags = message.found;
    return extra < 0 ? extra : result;
}

static int64_t receive_user(struct px_ofd *ofd, px_user at, unsigned flags)
{
    struct msghdr header;
    int64_t result;

    if (px_copy_in(&header, at, sizeof header) != 0)
        return -EFAULT;
    result = receive_header(ofd, &header, flags);
    if (result < 0)
        return result;
    if ((header.name && px_copy_out(at + offsetof(struct msghdr, name_bytes), &header.name_bytes, 4) != 0) ||
        px_copy_out(at + offsetof(struct msghdr, control_bytes), &header.control_bytes, 8) != 0 ||
        px_copy_out(at + offsetof(struct msghdr, flags), &header.flags, 4) != 0)
        return -EFAULT;
    return result;
}

PX_SYS(recvmsg)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);

    return ofd ? receive_user(ofd, b, (unsigned)c) : error;
}

PX_SYS(recvfrom)
{
    int64_t error, result;
    struct px_ofd *ofd = px_socket_get(a, &error);
    const struct px_piece piece = {.base = b, .bytes = c < PX_RW_MAX ? c : PX_RW_MAX};
    struct px_message message = {.piece = &piece, .pieces = 1, .bytes = piece.bytes, .flags = (unsigned)d};
    uint32_t room;

    if (!ofd)
        return error;
    if ((int64_t)c < 0)
        return -EINVAL;
    if (message.flags & MSG_ERRQUEUE)
        return -EAGAIN;
    result = message.flags & MSG_OOB ? px_urgent_receive(ofd, &message) : px_socket_receive(ofd, &message);
    if (!(message.flags & MSG_PEEK))
        px_rights_drop(&message);
    if (result < 0 || !e)
        return result;
    if (px_copy_in(&room, f, sizeof room) != 0)
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    error = put_peer(ofd, &message, e, &room);
    if (error == 0)
        error = px_copy_out(f, &room, sizeof room);
    return error < 0 ? error : result;
}

PX_SYS(recvmmsg)
{
    uint64_t count = (uint32_t)c < MESSAGES_MAX ? (uint32_t)c : MESSAGES_MAX, got = 0, ns = 0;
    unsigned flags = (unsigned)d;
    int64_t error = 0;
    struct px_ofd *ofd = px_socket_get(a, &error);
    uint64_t deadline_ns = PX_DEADLINE_NEVER;

    if (!ofd)
        return error;
    if (e && (error = px_read_timespec(e, &ns)) < 0)
        return error;
    if (e)
        deadline_ns = px_deadline_after(ns);
    while (got < count) {
        px_user at = b + got * sizeof(struct mmsghdr);
        int64_t result = receive_user(ofd, at, flags & ~MSG_WAITFORONE);
        uint32_t bytes = (uint32_t)result;

        if (result >= 0 && px_copy_out(at + offsetof(struct mmsghdr, bytes), &bytes, sizeof bytes) != 0)
            result = -EFAULT;
        if (result < 0)
            return got ? (int64_t)got : result;
        got++;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (e && px_now_ns() >= deadline_ns)
            break;
    }
    return (int64_t)got;
}
