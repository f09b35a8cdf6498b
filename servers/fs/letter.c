/*
 * Datagrams to names (decision 0022): who sends gives them to this server, part by part, and it puts them into the box of who is bound: a ring that
 * nobody else writes to, so any number may send to one, and none can spoil what another sent, say he is somebody else, or leave a hole. The receiver may write
 * nonsense into his box's page: positions that matter are in the binding, and his `head` is checked. A part that is not the last lies behind the
 * end of what is there, where the next datagram overwrites it.
 */
#include "meet.h"

#define MASK (PX_FLOW_BYTES - 1)
#define PREFIX ((uint32_t)sizeof(struct px_from))

static uint8_t *ring_of(const struct binding *binding)
{
    return PX_LINK_RING(lobby_of(binding), 0);
}

static uint32_t room_for(uint32_t bytes)
{
    return (bytes + PREFIX + PX_RECORD_ALIGN + PX_RECORD_ALIGN - 1) & ~(PX_RECORD_ALIGN - 1);
}

/* Bytes of the box that are not free; a head that makes no sense is his own loss. */
static uint32_t used(const struct binding *binding)
{
    uint32_t head = __atomic_load_n(&lobby_of(binding)->to[0].head, __ATOMIC_ACQUIRE);

    return binding->tail - head > PX_FLOW_BYTES || head % PX_RECORD_ALIGN ? 0 : binding->tail - head;
}

static void put(const struct binding *binding, uint32_t at, const void *from, uint32_t bytes)
{
    uint32_t straight = PX_FLOW_BYTES - (at & MASK);

    if (straight > bytes)
        straight = bytes;
    memcpy(ring_of(binding) + (at & MASK), from, straight);
    memcpy(ring_of(binding), (const uint8_t *)from + straight, bytes - straight);
}

/* What the receiver is told of the sender. On the internet an address that is any, or of the other family, is the loopback's. */
static void name_sender(struct px_from *from, const struct binding *sender, const struct px_fs_meet *to)
{
    static const uint8_t zeroes[16];

    memset(from, 0, sizeof *from);
    if (!sender)
        return;
    from->bytes = sender->name_bytes;
    memcpy(from->name, sender->name, sender->name_bytes);
    if (address_internet(to->domain) &&
        (sender->domain != to->domain || !memcmp(sender->name + (sender->name_bytes == 16 ? 4 : 8), zeroes, sender->name_bytes == 16 ? 4 : 16)))
        from->bytes = (uint16_t)address_loopback(from->name, to->domain, address_port(sender->name));
}

/* What else the receiver may want to know on the internet. */
static void add_internet(struct px_from *from, const struct px_fs_letter *letter)
{
    struct px_from_internet *to = (struct px_from_internet *)from;

    if (!address_internet(letter->to.domain) || from->bytes > sizeof to->name)
        return;
    to->hops = letter->hops;
    to->class = letter->class;
    memcpy(to->to, letter->to.name + (letter->to.name_bytes == 16 ? 4 : 8), letter->to.name_bytes == 16 ? 4 : 16);
}

/* Does who is bound hear this sender? */
static bool hears(const struct binding *to, const struct binding *sender, const struct px_from *from)
{
    if (to->aim)
        return sender && to->aim == ticket_of(sender);
    return !to->aim_bytes || (to->aim_bytes == from->bytes && !memcmp(to->aim_name, from->name, from->bytes));
}

/* The datagram is whole: it counts from now on. */
static void publish(struct binding *to, const struct px_fs_letter *letter, const struct cred *cred, const struct px_from *from)
{
    struct px_flow *flow = &lobby_of(to)->to[0];
    const struct px_record record = {.bytes = letter->bytes + PREFIX,
                                     .taken = PREFIX,
                                     .pid = (int32_t)cred->pid,
                                     .uid = cred->uid,
                                     .gid = cred->gid,
                                     .rights = letter->rights,
                                     .ticket = letter->rights ? letter->ticket : (uint64_t)os_now()};

    put(to, to->tail, &record, sizeof record);
    put(to, to->tail + (uint32_t)sizeof record, from, PREFIX);
    to->tail += room_for(letter->bytes);
    to->writer = to->written = 0;
    __atomic_store_n(&flow->tail, to->tail, __ATOMIC_RELEASE);
    __atomic_fetch_add(&flow->write_seq, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&flow->read_waiters, __ATOMIC_SEQ_CST))
        exo_wake_all(&flow->write_seq);
    if (lobby_of(to)->end[0].async)
        os_tell_owner(lobby_of(to)->end[0].owner);
}

/* May he say that he is these? */
static int64_t check_cred(const struct fs_request *request, const struct px_fs_letter *letter, struct cred *cred)
{
    const struct px_proc *process = PX_PROC(PX_PROCTAB, request->index);

    *cred = (struct cred){(uint32_t)letter->pid, letter->uid, letter->gid};
    if (process->euid == 0)
        return 0;
    return letter->pid == process->pid && (letter->uid == process->uid || letter->uid == process->euid || letter->uid == process->suid) &&
                   (letter->gid == process->gid || letter->gid == process->egid || letter->gid == process->sgid)
               ? 0
               : -EPERM;
}

static int64_t check_letter(const struct px_fs_letter *letter)
{
    if (letter->to.type != SOCK_DGRAM || letter->bytes > PX_BOX_MOST)
        return letter->bytes > PX_BOX_MOST ? -EMSGSIZE : -EINVAL;
    if (letter->part > PX_LETTER_PART || letter->offset > letter->bytes || letter->part > letter->bytes - letter->offset ||
        (letter->part == 0 && letter->bytes != 0))
        return -EINVAL;
    return 0;
}

static int64_t whom(const struct fs_request *request, struct px_fs_letter *letter, struct binding **to)
{
    if (!letter->aim)
        return meet_whom(request, &letter->to, to);
    *to = binding_named(letter->aim, TOKEN_AIM);
    letter->to.domain = AF_UNIX;
    return *to && (*to)->type == SOCK_DGRAM && (*to)->domain == AF_UNIX ? 0 : -ECONNREFUSED;
}

/* The sender's own name: of the same world as where it sends to. */
static struct binding *sender_of(const struct px_fs_letter *letter)
{
    struct binding *sender = letter->to.ticket ? binding_of(letter->to.ticket) : NULL;

    return sender && sender->type == SOCK_DGRAM && address_internet(sender->domain) == address_internet(letter->to.domain) ? sender : NULL;
}

int64_t letter_send(struct fs_request *request)
{
    static uint8_t part[PX_LETTER_PART]; /* copied, since the client can change it */
    struct px_fs_letter letter;
    struct binding *to, *sender;
    struct px_from from;
    struct cred cred;
    int64_t status;

    memcpy(&letter, request->page, sizeof letter);
    status = check_letter(&letter);
    if (status == 0)
        status = check_cred(request, &letter, &cred);
    if (status == 0)
        status = whom(request, &letter, &to);
    if (status < 0)
        return status;
    sender = sender_of(&letter);
    name_sender(&from, sender, &letter.to);
    if (!hears(to, sender, &from))
        return address_internet(letter.to.domain) ? -ECONNREFUSED : -EPERM;
    add_internet(&from, &letter);
    if (letter.rights && !letter.offset && !fs_parcel_attach(request, letter.ticket, to))
        return -EINVAL;
    if (letter.offset && (to->writer != request->index + 1 || to->written != letter.offset))
        return -ESTALE;
    if (room_for(letter.bytes) > PX_FLOW_BYTES - used(to))
        return -EAGAIN;
    memcpy(part, (const uint8_t *)request->page + sizeof letter, letter.part);
    put(to, to->tail + PX_RECORD_ALIGN + PREFIX + letter.offset, part, letter.part);
    to->writer = request->index + 1;
    to->written = letter.offset + letter.part;
    if (to->written == letter.bytes)
        publish(to, &letter, &cred, &from);
    return letter.offset + letter.part;
}

int64_t letter_aim(struct fs_request *request, const struct px_fs_meet *ask)
{
    struct binding *own = ask->ticket ? binding_of(ask->ticket) : NULL, *to = NULL;
    int64_t status = 0;

    if (ask->type != SOCK_DGRAM || (own && own->type != SOCK_DGRAM))
        return -EINVAL;
    if (ask->name_bytes && address_internet(ask->domain))
        status = address_check(ask); /* whether anybody is there shows when something is sent */
    else if (ask->name_bytes)
        status = meet_whom(request, ask, &to);
    if (status < 0)
        return status;
    if (to && to->aim && (!own || to->aim != ticket_of(own)))
        return -EPERM;
    request->message->word[1] = to ? binding_token(to, TOKEN_AIM) : 0;
    if (!own)
        return 0;
    own->aim = to ? ticket_of(to) : 0;
    own->aim_bytes = !to && ask->name_bytes ? ask->name_bytes : 0;
    memcpy(own->aim_name, ask->name, own->aim_bytes);
    return 0;
}
