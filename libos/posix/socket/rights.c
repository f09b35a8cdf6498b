/*
 * Descriptors that travel with messages (SCM_RIGHTS): by parcels that fs keeps (proto/parcel.h, decision 0030). What arrives is a description of the
 * receiver's own, on the sender's pages and by copies of his capabilities: nothing that he can still change afterwards says which file or whose socket it is.
 * So the position in a file is not shared, and neither are status flags. Parcels without a message, whose tickets go through doors and the like, are asked
 * for with prctl (exo/descriptor.h).
 */
#include <exo/descriptor.h>

#include "fd/travel.h"
#include "fs/files.h"
#include "rights.h"
#include "tty/tty.h"

/* What of a description of a kind travels. */
static const struct traveller {
    bool travels, pages; /* pages: at word 0's address */
    bool node, offset;
    uint8_t words;    /* bit n: word n is a number that means the same elsewhere */
    uint8_t place[2]; /* of capabilities */
} travellers[PX_OFD_KINDS] = {
    [PX_OFD_FILE] = {true, false, true, true, 1 << PX_WORD_TOKEN, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
    [PX_OFD_DIRECTORY] = {true, false, true, true, 0, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
    [PX_OFD_PATH] = {true, false, true, false, 0, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
    [PX_OFD_PIPE] = {true, true, true, false, 1 << 2 | 1 << 4, {1, 3}},
    [PX_OFD_TTY] = {true, false, false, false, 1 << 0, {1, PX_PARCEL_NONE}},
    [PX_OFD_DEVICE] = {true, false, true, false, 1 << 0, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
    [PX_OFD_SOCKET] = {true, true, false, false, 1 << 2 | 1 << 4 | 1 << 5, {1, PX_PARCEL_OFFSET}},
    [PX_OFD_EVENT] = {true, true, false, false, 0, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
    [PX_OFD_TIMER] = {true, true, false, false, 0, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
    [PX_OFD_SIGNAL] = {true, false, false, false, 1 << 0, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
    [PX_OFD_PIDFD] = {true, false, false, false, 1 << 0 | 1 << 1 | 1 << 2, {PX_PARCEL_NONE, PX_PARCEL_NONE}},
};

static int64_t ask(enum px_parcel_call call, uint64_t ticket, uint64_t a, uint64_t b, struct exo_message *message)
{
    *message = (struct exo_message){.word = {PX_FS_PARCEL, call, ticket, a, b}};
    return px_call_server(PX_SLOT_FS, message);
}

static uint64_t *slot_at(struct px_ofd *ofd, unsigned place)
{
    return place == PX_PARCEL_OFFSET ? &ofd->offset : &ofd->word[place];
}

/* ---- sending ---- */

static int64_t pack(struct px_ofd *ofd, struct px_parcel_item *item)
{
    const struct traveller *traveller = &travellers[ofd->kind < PX_OFD_KINDS ? ofd->kind : PX_OFD_FREE];

    if (!traveller->travels)
        return -EOPNOTSUPP;
    *item = (struct px_parcel_item){.kind = ofd->kind, .flags = ofd->flags, .offset = traveller->offset ? ofd->offset : 0};
    if (traveller->node && ofd->node.kind == PX_NODE_FS)
        item->node = PX_FS_NODE(ofd->node.ino, ofd->node.gen);
    for (unsigned i = 0; i < 6; i++)
        item->word[i] = traveller->words >> i & 1 ? ofd->word[i] : 0;
    for (unsigned i = 0; i < 2; i++) {
        item->place[i] = traveller->place[i];
        if (item->place[i] != PX_PARCEL_NONE && *slot_at(ofd, item->place[i]) < PX_SLOT_FIRST_FREE)
            item->place[i] = PX_PARCEL_NONE;
    }
    if (traveller->pages) {
        item->va = ofd->word[0];
        item->pages = px_ring_pages(item->va);
        if (!item->pages)
            return -EIO;
    }
    if (ofd->kind == PX_OFD_SOCKET) {
        item->side = (uint8_t)px_socket_side(ofd);
        item->connected = px_socket_of(ofd)->state == PX_SOCKET_CONNECTED;
    }
    if (ofd->kind == PX_OFD_EVENT)
        px_event_shared(ofd);
    return 0;
}

/* With its page a description of a file keeps its position in common with those who stay. */
static void add_twin(const struct px_ofd *ofd, struct px_parcel_item *item)
{
    const struct px_ofd *twin = px_ofd_twin(ofd);
    uint64_t address = (uint64_t)(twin ? twin : ofd);

    item->va = address & ~(PX_PAGE - 1);
    item->pages = 1;
    item->word[PX_WORD_TWIN] = address % PX_PAGE;
}

static int64_t put(uint64_t ticket, struct px_ofd *ofd, bool with_twin)
{
    struct px_parcel_item item;
    struct exo_message message;
    int64_t result = pack(ofd, &item);

    if (result < 0)
        return result;
    if (with_twin && ofd->kind == PX_OFD_FILE)
        add_twin(ofd, &item);
    memcpy(px_msg(), &item, sizeof item);
    result = ask(PX_PARCEL_PUT, ticket, 0, 0, &message);
    for (unsigned i = 0; result >= 0 && i < 2; i++) {
        if (item.place[i] == PX_PARCEL_NONE)
            continue;
        message = (struct exo_message){.word = {PX_FS_PARCEL, PX_PARCEL_GIVE, ticket, 0, *slot_at(ofd, item.place[i])}};
        result = px_call_server_cap(PX_SLOT_FS, &message);
    }
    return result;
}

static bool all_open(const int32_t *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!px_fd_entry((unsigned)fds[i]))
            return false;
    }
    return true;
}

int64_t px_parcel_new(uint64_t *ticket)
{
    struct exo_message answer;
    int64_t result = ask(PX_PARCEL_NEW, 0, 0, PX_PARCEL_LIES, &answer);

    *ticket = answer.word[1];
    return result;
}

int64_t px_parcel_put(uint64_t ticket, struct px_ofd *ofd)
{
    return put(ticket, ofd, true);
}

void px_parcel_passed(struct px_ofd *ofd)
{
    struct px_ofd *twin = px_ofd_twin(ofd);

    if (ofd->kind == PX_OFD_FILE)
        __atomic_fetch_add(twin ? &twin->holders : &ofd->holders, 1, __ATOMIC_RELAXED);
}

int64_t px_parcel_put_directory(uint64_t ticket, uint64_t node)
{
    const struct px_parcel_item item = {.kind = PX_OFD_DIRECTORY, .node = node, .place = {PX_PARCEL_NONE, PX_PARCEL_NONE}};
    struct exo_message message;

    memcpy(px_msg(), &item, sizeof item);
    return ask(PX_PARCEL_PUT, ticket, 0, 0, &message);
}

int64_t px_rights_pack(struct px_ofd *socket, struct px_message *message, const int32_t *fds, unsigned count)
{
    bool letter = px_socket_of(socket)->state != PX_SOCKET_CONNECTED;
    struct exo_message answer;
    int64_t result;

    if (count > PX_PARCEL_MOST - message->rights)
        return -EINVAL;
    if (!all_open(fds, count))
        return -EBADF;
    if (!count)
        return 0;
    if (!message->rights) {
        result = ask(PX_PARCEL_NEW, 0, letter ? 0 : px_socket_of(socket)->link, !px_socket_side(socket), &answer);
        if (result < 0)
            return result;
        message->ticket = answer.word[1];
    }
    for (unsigned i = 0; i < count; i++) {
        message->rights++; /* what fails is dropped as a whole */
        result = put(message->ticket, px_fd_entry((unsigned)fds[i]), false);
        if (result < 0)
            return result;
    }
    return 0;
}

static int64_t drop(uint64_t ticket)
{
    struct exo_message answer;

    return ask(PX_PARCEL_DROP, ticket, 0, 0, &answer);
}

void px_parcel_drop(uint64_t ticket)
{
    (void)!drop(ticket); /* it may be gone already */
}

void px_rights_drop(struct px_message *message)
{
    if (message->rights)
        px_parcel_drop(message->ticket);
    message->rights = 0;
}

static int32_t lays_of; /* the process that may have parcels lying in fs: a child begins without */

void px_rights_exit(void)
{
    struct exo_message answer;

    if (lays_of == px_self()->pid)
        (void)!ask(PX_PARCEL_LEAVE, 0, 0, 0, &answer);
}

static int64_t lay(px_user list, uint64_t count, px_user to)
{
    int32_t fds[PX_PARCEL_MOST];
    uint64_t ticket;
    int64_t result;

    if (!count || count > PX_PARCEL_MOST)
        return -EINVAL;
    if (px_copy_in(fds, list, count * sizeof *fds) < 0)
        return -EFAULT;
    if (!all_open(fds, (unsigned)count))
        return -EBADF;
    result = px_parcel_new(&ticket);
    if (result < 0)
        return result;
    lays_of = px_self()->pid;
    for (uint64_t i = 0; result >= 0 && i <= count; i++) {
        result = i < count ? put(ticket, px_fd_entry((unsigned)fds[i]), false) : px_copy_out(to, &ticket, sizeof ticket);
        if (result < 0)
            px_parcel_drop(ticket);
    }
    return result;
}

int64_t px_parcel_lay(int fd, uint64_t *ticket)
{
    struct px_ofd *ofd = px_fd_get(fd);
    int64_t result = ofd ? px_parcel_new(ticket) : -EBADF;

    if (result < 0)
        return result;
    lays_of = px_self()->pid;
    result = put(*ticket, ofd, false);
    if (result < 0)
        px_parcel_drop(*ticket);
    return result;
}

/* ---- receiving ---- */

static int64_t map_pages(uint64_t ticket, unsigned number, const struct px_parcel_item *item, uint64_t *at)
{
    uint64_t va = px_shared_reserve(item->pages);
    struct exo_message message;
    int64_t result;

    if (!va)
        return -ENOMEM;
    result = px_ring_hold(va, item->pages, true) ? ask(PX_PARCEL_MAP, ticket, number, va, &message) : -ENOMEM;
    if (result < 0) {
        px_ring_forget(va);
        px_shared_release(va, item->pages);
        return result;
    }
    *at = va;
    return 0;
}

static int64_t take_node(const struct px_parcel_item *item, struct px_ofd *ofd)
{
    int64_t result;

    ofd->node = (struct px_node){.kind = PX_NODE_FS, .ino = PX_FS_INO(item->node), .gen = PX_FS_GEN(item->node)};
    result = px_node_hold_as(&ofd->node, ofd->kind == PX_OFD_FILE && px_ofd_writable(ofd));
    if (result < 0) {
        ofd->node = (struct px_node){0};
        return result;
    }
    px_node_fill(&ofd->node, PX_FS_INO(item->node), px_held_inode(&ofd->node));
    if (ofd->kind == PX_OFD_DEVICE)
        px_node_drop(&ofd->node); /* those are not held */
    return 0;
}

static int64_t take_capabilities(uint64_t ticket, unsigned number, const struct px_parcel_item *item, const struct traveller *traveller, struct px_ofd *ofd)
{
    for (unsigned i = 0; i < 2; i++) {
        struct exo_message message;
        int64_t result;

        if (item->place[i] == PX_PARCEL_NONE)
            continue;
        if (item->place[i] != traveller->place[i])
            return -EINVAL;
        result = ask(PX_PARCEL_TAKE, ticket, number, i, &message);
        if (result < 0)
            return result;
        *slot_at(ofd, item->place[i]) = message.capability;
    }
    return 0;
}

static int64_t fill(uint64_t ticket, unsigned number, const struct px_parcel_item *item, struct px_ofd *ofd)
{
    const struct traveller *traveller = &travellers[item->kind];
    int64_t result = 0;

    for (unsigned i = 0; i < 6; i++)
        ofd->word[i] = traveller->words >> i & 1 ? item->word[i] : 0;
    if (traveller->offset)
        ofd->offset = item->offset;
    if (ofd->kind == PX_OFD_SOCKET) {
        struct px_socket *socket = px_socket_of(ofd);

        socket->write_lock = 0;
        if (item->connected)
            socket->peer = (struct px_ucred){(int32_t)item->peer[0], item->peer[1], item->peer[2]};
    }
    if (traveller->node && item->node)
        result = take_node(item, ofd);
    if (result == 0 && traveller->pages)
        result = map_pages(ticket, number, item, &ofd->word[0]);
    if (result == 0)
        result = take_capabilities(ticket, number, item, traveller, ofd);
    if (result == 0 && ofd->kind == PX_OFD_TTY)
        result = px_tty_adopt(ofd);
    return result;
}

/* One of them as a description of this process: 0 or -errno. */
static void take_twin(uint64_t ticket, unsigned number, const struct px_parcel_item *item, struct px_ofd *ofd)
{
    uint64_t page, place = item->word[PX_WORD_TWIN];

    if (place < PX_PAGE && px_ofd_believable(PX_SHARED + place) && map_pages(ticket, number, item, &page) == 0)
        px_ofd_set_twin(ofd, page + place);
}

int64_t px_parcel_take(uint64_t ticket, unsigned number, bool with_twin, struct px_ofd **ofd)
{
    struct exo_message message;
    struct px_parcel_item item;
    int64_t result = ask(PX_PARCEL_LOOK, ticket, number, 0, &message);

    if (result < 0)
        return result;
    memcpy(&item, px_msg(), sizeof item);
    with_twin = with_twin && item.kind == PX_OFD_FILE && item.pages;
    if (item.kind >= PX_OFD_KINDS || !travellers[item.kind].travels || travellers[item.kind].pages != (item.pages != 0 && !with_twin))
        return -EINVAL;
    *ofd = px_ofd_new(item.kind, item.flags);
    if (!*ofd)
        return -ENFILE;
    result = fill(ticket, number, &item, *ofd);
    if (result < 0)
        px_ofd_leave(*ofd);
    else if (with_twin)
        take_twin(ticket, number, &item, *ofd);
    return result;
}

/* Makes a descriptor of one of them: it, or -errno. */
static int64_t take_fd(uint64_t ticket, unsigned number, bool close_on_exec)
{
    struct px_ofd *ofd;
    int64_t fd = px_parcel_take(ticket, number, false, &ofd);

    if (fd >= 0 && (fd = px_fd_install(ofd, 0, close_on_exec)) < 0)
        px_ofd_leave(ofd);
    return fd;
}

unsigned px_rights_unpack(struct px_message *message, int32_t *fds, unsigned room, bool close_on_exec)
{
    unsigned count = message->rights < PX_PARCEL_MOST ? message->rights : PX_PARCEL_MOST, done = 0;

    for (; done < count && done < room; done++) {
        int64_t fd = take_fd(message->ticket, done, close_on_exec);

        if (fd < 0)
            break;
        fds[done] = (int32_t)fd;
    }
    if (done < count)
        message->found |= MSG_CTRUNC;
    if (message->flags & MSG_PEEK)
        message->rights = 0; /* whoever reads it gets them */
    else
        px_rights_drop(message);
    return done;
}

/* All of a parcel, or nothing of it: how many, or -errno, and then it still lies there. */
static int64_t pick(uint64_t ticket, px_user to, uint64_t room, bool close_on_exec)
{
    int32_t fds[PX_PARCEL_MOST];
    struct exo_message message;
    int64_t fd = ask(PX_PARCEL_LOOK, ticket, 0, 0, &message);
    unsigned count = (unsigned)message.word[1], done = 0;

    if (fd < 0)
        return fd;
    if (count > room)
        return -EMSGSIZE;
    while (done < count && (fd = take_fd(ticket, done, close_on_exec)) >= 0)
        fds[done++] = (int32_t)fd;
    if (fd >= 0)
        fd = px_copy_out(to, fds, count * sizeof *fds);
    while (fd < 0 && done)
        (void)px_fd_close(fds[--done]);
    if (fd < 0)
        return fd;
    px_parcel_drop(ticket);
    return count;
}

int64_t px_rights_prctl(uint64_t option, uint64_t a, uint64_t b, uint64_t c, uint64_t flags)
{
    switch (option) {
    case EXO_PR_PACK: return lay(a, b, c);
    case EXO_PR_UNPACK: return flags & ~(uint64_t)O_CLOEXEC ? -EINVAL : pick(a, b, c, flags & O_CLOEXEC);
    default: return drop(a);
    }
}
