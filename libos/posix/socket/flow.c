/*
 * Moving data through connections: records into one ring and out of the other (proto/socket.h). A send or receive enters the kernel only to
 * sleep, or to wake somebody who sleeps. The peer is not trusted: words of the ring are loaded once and checked, and a ring whose words make no
 * sense is empty.
 */
#include "address.h"
#include "fd/owner.h"
#include "flow.h"

#define STREAM_PART 16384u /* of a long write to a stream: reading begins before all is written */

static inline size_t part_move(uint8_t *place, px_user user, size_t bytes, bool in)
{
    return in ? px_copy_in_part(place, user, bytes) : px_copy_out_part(user, place, bytes);
}

static inline size_t ring_move(uint8_t *ring, uint32_t at, px_user user, size_t bytes, bool in)
{
    uint32_t offset = at & FLOW_MASK, straight = PX_FLOW_BYTES - offset;
    size_t done;

    if (bytes <= straight)
        return part_move(ring + offset, user, bytes, in);
    done = part_move(ring + offset, user, straight, in);
    return done < straight ? done : done + part_move(ring, user + straight, bytes - straight, in);
}

static size_t pieces_move(uint8_t *ring, uint32_t at, const struct px_message *message, uint64_t skip,
                          size_t bytes, bool in)
{
    size_t done = 0;

    for (uint64_t i = 0; i < message->pieces && done < bytes; i++) {
        uint64_t part = message->piece[i].bytes;
        size_t moved;

        if (skip >= part) {
            skip -= part;
            continue;
        }
        part = part - skip < bytes - done ? part - skip : bytes - done;
        moved = ring_move(ring, at + (uint32_t)done, message->piece[i].base + skip, part, in);
        done += moved;
        skip = 0;
        if (moved < part)
            break;
    }
    return done;
}

/* Between the ring, from `at` on, and the message from its byte `skip` on: bytes moved. */
static inline size_t message_move(uint8_t *ring, uint32_t at, const struct px_message *message, uint64_t skip,
                                  size_t bytes, bool in)
{
    if (message->pieces == 1)
        return ring_move(ring, at, message->piece->base + skip, bytes, in);
    return pieces_move(ring, at, message, skip, bytes, in);
}

size_t px_message_copy(uint8_t *to, const struct px_message *message, uint64_t skip, size_t bytes)
{
    return message_move(to, 0, message, skip, bytes, true);
}

size_t px_message_put(const struct px_message *message, uint8_t *from, size_t bytes)
{
    return message_move(from, 0, message, 0, bytes, false);
}

/* Sleeps until the other side has moved or gone: 0, -EAGAIN after the deadline, or a signal. */
static int64_t sleep_on(const struct way *way, uint32_t *sequence, uint32_t *waiters, uint64_t timeout_ns,
                        uint64_t *deadline_ns)
{
    const struct exo_predicate unchanged[2] = {
        {.va = (uint64_t)sequence, .value = way->seen, .kind = EXO_WAIT_WORD},
        {.va = (uint64_t)&way->peer->holders, .value = way->holders, .kind = EXO_WAIT_WORD},
    };
    int64_t result;

    if (!*deadline_ns)
        *deadline_ns = timeout_ns ? px_deadline_after(timeout_ns) : PX_DEADLINE_NEVER;
    result = px_wait_counted(unchanged, 2, *deadline_ns, waiters);
    if (result == -ETIMEDOUT)
        return -EAGAIN;
    if (result == -PX_ERESTARTSYS && timeout_ns)
        return -EINTR;
    return result < 0 ? result : 0;
}

/* ---- sending ---- */

/* Has the way an end, so that nothing can be sent? The error, or 0. */
static int64_t send_refused(const struct way *way)
{
    if (px_internet(px_socket_of(way->ofd)->domain) && !way->packets_only)
        return px_stream_refused(way->ofd, way->closed, way->holders);
    if (way->closed)
        return -EPIPE;
    if (way->holders)
        return 0;
    if (!way->packets_only)
        return -EPIPE;
    px_socket_of(way->ofd)->state = PX_SOCKET_NEW;
    return -ECONNREFUSED;
}

/* One record, if there is room: its bytes, or -EAGAIN. With the lock. */
static int64_t send_record(struct way *way, const struct px_message *message, uint64_t skip)
{
    struct px_flow *flow = way->flow;
    uint32_t head = __atomic_load_n(&flow->head, __ATOMIC_ACQUIRE), tail = flow->tail;
    uint32_t most = flow_most(way), filled = used(head, tail), room = filled < most ? most - filled : 0;
    uint64_t bytes = message->bytes - skip;
    bool urgent = false;
    struct px_record *record;

    if (way->stream) {
        if (__builtin_expect(message->flags & MSG_OOB, false)) {
            urgent = bytes == 1;
            bytes -= !urgent; /* the last byte is a record by itself */
        }
        bytes = bytes < STREAM_PART ? bytes : STREAM_PART;
        if (room < px_record_room(bytes) && room >= most / 2)
            bytes = room - sizeof *record;
    }
    if (room < px_record_room(bytes))
        return -EAGAIN;
    tail &= ~(PX_RECORD_ALIGN - 1);
    record = (struct px_record *)(way->ring + (tail & FLOW_MASK));
    if (bytes && message_move(way->ring, tail + (uint32_t)sizeof *record, message, skip, bytes, true) < bytes)
        return -EFAULT;
    *record = (struct px_record){.bytes = (uint32_t)bytes,
                                 .pid = message->cred.pid,
                                 .uid = message->cred.uid,
                                 .gid = message->cred.gid,
                                 .rights = skip ? 0 : message->rights,
                                 .ticket = urgent ? PX_RECORD_URGENT : skip ? 0 : message->ticket};
    if (urgent)
        __atomic_store_n(&flow->urgent, tail | PX_URGENT_IS, __ATOMIC_RELEASE);
    __atomic_store_n(&flow->tail, tail + px_record_room(bytes), __ATOMIC_RELEASE);
    __atomic_fetch_add(&flow->write_seq, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&flow->read_waiters, __ATOMIC_SEQ_CST)) {
        exo_wake_all(&way->flow->write_seq);
        if (way->peer->async)
            (void)px_owner_tell(&way->peer->owner, PX_TELL_IN);
    }
    if (__builtin_expect(urgent, false))
        px_urgent_tell(way->ofd);
    return (int64_t)bytes;
}

static int64_t send_some(struct way *way, const struct px_message *message, uint64_t skip)
{
    uint32_t *lock = &px_socket_of(way->ofd)->write_lock;
    bool locked = lock_way(way, lock);
    int64_t result;

    look(way, &way->flow->read_seq);
    result = send_refused(way);
    if (result == PX_STREAM_LOST)
        result = (int64_t)(message->bytes - skip);
    else if (result == 0 && (message->bytes || !way->stream))
        result = send_record(way, message, skip);
    if (locked)
        px_lock_give(lock);
    return result;
}

int64_t px_flow_send(struct px_ofd *ofd, const struct px_message *message)
{
    struct way way = way_of(ofd, true);
    uint64_t done = 0, deadline_ns = 0;

    if (px_socket_of(ofd)->domain == AF_NETLINK)
        return px_netlink_send(ofd, message);
    if (px_socket_of(ofd)->state != PX_SOCKET_CONNECTED)
        return way.packets_only ? px_letter_send(ofd, message, NULL) : px_socket_unconnected(ofd, true, message->flags);
    if (!way.stream && message->bytes > flow_most(&way) - sizeof(struct px_record))
        return -EMSGSIZE;
    for (;;) {
        int64_t result = send_some(&way, message, done);

        if (result >= 0) {
            done += (uint64_t)result;
            if (done >= message->bytes)
                return (int64_t)done;
            continue;
        }
        if (result == -EAGAIN && !(ofd->flags & O_NONBLOCK) && !(message->flags & MSG_DONTWAIT)) {
            result = sleep_on(&way, &way.flow->read_seq, &way.flow->write_waiters, px_socket_end(ofd)->send_ns,
                              &deadline_ns);
            if (result == 0)
                continue;
        }
        if (result == -EPIPE && !done && way.stream && !(message->flags & MSG_NOSIGNAL))
            px_raise(SIGPIPE);
        return done ? (int64_t)done : result;
    }
}

/* ---- receiving ---- */

static void advance(struct way *way, uint32_t head, uint32_t tail)
{
    struct px_flow *flow = way->flow;

    __atomic_store_n(&flow->head, head, __ATOMIC_RELEASE);
    __atomic_fetch_add(&flow->read_seq, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&flow->write_waiters, __ATOMIC_SEQ_CST) &&
        PX_FLOW_BYTES - used(head, tail) >= FLOW_ENOUGH)
        exo_wake_all(&flow->read_seq);
}

static void note(struct px_message *message, const struct px_record *record)
{
    message->cred = (struct px_ucred){.pid = record->pid, .uid = record->uid, .gid = record->gid};
    message->rights = record->rights;
    message->ticket = record->ticket;
}

/* May the record's bytes follow those of the message, which are already there? */
static bool goes_with(struct way *way, const struct px_message *message, const struct px_record *record)
{
    if (message->rights)
        return false;
    return !(px_socket_end(way->ofd)->options >> SO_PASSCRED & 1) ||
           (message->cred.pid == record->pid && message->cred.uid == record->uid &&
            message->cred.gid == record->gid);
}

static void leave_rest(const struct way *way, uint32_t head, uint32_t taken)
{
    struct px_record *record = (struct px_record *)(way->ring + (head & FLOW_MASK));

    record->taken = taken;
    record->rights = 0;
}

/* Bytes of as many records as go together, from byte `done` of the message on. *stop: no more may follow. */
static int64_t receive_stream(struct way *way, struct px_message *message, uint64_t done, bool *stop)
{
    uint32_t head = way->flow->head, tail = __atomic_load_n(&way->flow->tail, __ATOMIC_ACQUIRE), first = head;
    bool peek = message->flags & MSG_PEEK;
    uint64_t got = 0;

    if (head == tail)
        return -EAGAIN;
    while (head != tail && done + got < message->bytes) {
        struct px_record record;
        uint64_t part;
        size_t moved;

        if (!record_at(way, head, tail, &record)) {
            head = tail & ~(PX_RECORD_ALIGN - 1);
            break;
        }
        if (__builtin_expect(record.ticket == PX_RECORD_URGENT, false) && !record.rights) {
            enum px_urgent what = px_urgent_met(way->ofd, head, done + got == 0);

            if ((*stop = what == PX_URGENT_STOP))
                break;
            if (what == PX_URGENT_SKIP) {
                head += px_record_room(record.bytes);
                continue;
            }
        }
        if (done + got == 0)
            note(message, &record);
        else if ((*stop = !goes_with(way, message, &record)))
            break;
        else if (record.rights)
            note(message, &record); /* they end what is read at once */
        part = record.bytes - record.taken;
        if (part > message->bytes - done - got)
            part = message->bytes - done - got;
        moved = message_move(way->ring, head + (uint32_t)sizeof record + record.taken, message, done + got, part, false);
        got += moved;
        *stop = moved < part;
        if (*stop && !got)
            return done ? 0 : -EFAULT;
        if (record.taken + moved < record.bytes) {
            if (!peek)
                leave_rest(way, head, record.taken + (uint32_t)moved);
            break;
        }
        head += px_record_room(record.bytes);
    }
    if (!peek && head != first)
        advance(way, head, tail);
    *stop |= message->rights != 0;
    return got || head == first ? (int64_t)got : -EAGAIN;
}

/* What stands before the bytes of a datagram that came to a name: bytes of the record to pass over. */
static uint32_t read_sender(const struct way *way, struct px_message *message, const struct px_record *record, uint32_t head)
{
    uint8_t *to = (uint8_t *)&message->from;

    message->named = px_socket_link(way->ofd)->pages == PX_BOX_PAGES && record->taken == sizeof message->from;
    if (!message->named)
        return 0;
    px_socket_end(way->ofd)->stamp = record->rights ? 0 : record->ticket;
    for (uint32_t i = 0; i < sizeof message->from; i++)
        to[i] = way->ring[(head + sizeof *record + i) & FLOW_MASK];
    return record->taken;
}

static int64_t receive_packet(struct way *way, struct px_message *message)
{
    uint32_t head = way->flow->head, tail = __atomic_load_n(&way->flow->tail, __ATOMIC_ACQUIRE);
    int32_t error = px_flow_error(way->ofd);
    struct px_record record;
    uint32_t skip;
    uint64_t part;
    size_t moved;

    if (error)
        return -error;
    if (head == tail)
        return -EAGAIN;
    if (!record_at(way, head, tail, &record)) {
        advance(way, tail & ~(PX_RECORD_ALIGN - 1), tail);
        return -EAGAIN;
    }
    note(message, &record);
    skip = read_sender(way, message, &record, head);
    part = record.bytes - skip < message->bytes ? record.bytes - skip : message->bytes;
    if (part < record.bytes - skip)
        message->found |= MSG_TRUNC;
    moved = part ? message_move(way->ring, head + (uint32_t)sizeof record + skip, message, 0, part, false) : 0;
    if (!(message->flags & MSG_PEEK))
        advance(way, head + px_record_room(record.bytes), tail);
    if (moved < part)
        return -EFAULT;
    return message->flags & MSG_TRUNC ? record.bytes - skip : (int64_t)part;
}

/* Nothing is there. What that means: an end (0), an error, or -EAGAIN. */
static int64_t nothing_there(const struct way *way)
{
    int32_t error;

    if (way->stream && px_socket_end(way->ofd)->reset == PX_RESET_SENT)
        return 0; /* the end had come before */
    if (way->holders && !way->closed && !px_socket_end(way->ofd)->error)
        return -EAGAIN;
    error = px_flow_error(way->ofd);
    if (error)
        return -error;
    if (way->packets_only)
        return -EAGAIN;
    return way->closed || way->holders == 0 ? 0 : -EAGAIN;
}

static int64_t receive_some(struct way *way, struct px_message *message, uint64_t done, bool *stop)
{
    bool locked = lock_way(way, &way->ofd->lock);
    int64_t result;

    look(way, &way->flow->write_seq);
    result = way->stream ? receive_stream(way, message, done, stop) : receive_packet(way, message);
    if (locked)
        px_lock_give(&way->ofd->lock);
    if (result != -EAGAIN)
        return result;
    *stop = true;
    return nothing_there(way);
}

int64_t px_flow_receive(struct px_ofd *ofd, struct px_message *message)
{
    struct way way = way_of(ofd, false);
    uint64_t done = 0, deadline_ns = 0;

    if (px_socket_of(ofd)->state != PX_SOCKET_CONNECTED && !way.packets_only)
        return px_socket_unconnected(ofd, false, 0);
    for (;;) {
        bool stop = false;
        int64_t result = receive_some(&way, message, message->flags & MSG_PEEK ? 0 : done, &stop);

        if (result >= 0) {
            done = message->flags & MSG_PEEK && result ? (uint64_t)result : done + (uint64_t)result;
            if (stop || !way.stream || done >= message->bytes || done >= px_stream_least(ofd, message))
                return (int64_t)done;
            if (!(message->flags & MSG_PEEK))
                continue; /* is it the end? */
            if (way.closed || !way.holders)
                return (int64_t)done;
        } else if (result != -EAGAIN || (done && done >= px_stream_least(ofd, message))) {
            return done ? (int64_t)done : result;
        }
        if (ofd->flags & O_NONBLOCK || message->flags & MSG_DONTWAIT)
            return done ? (int64_t)done : -EAGAIN;
        if (way.packets_only && way.closed & PX_FLOW_NO_READ)
            return 0;
        result = sleep_on(&way, &way.flow->write_seq, &way.flow->read_waiters, px_socket_end(ofd)->receive_ns,
                          &deadline_ns);
        if (result < 0)
            return done ? (int64_t)done : result;
    }
}
