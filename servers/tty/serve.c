/*
 * Clients' calls. The caller is who its badge says; what it may reach, it has shown: an open terminal is a handle (index, side, epoch) that is good for
 * the owner, for root, for the session whose terminal it is, and for whoever has presented the capability that came with the open (PX_TTY_CLAIM).
 */
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/ipc.h>
#include <exo/string.h>

#include "service.h"

#define MESSAGE_BYTES 4096u

static uint8_t data[MESSAGE_BYTES]; /* copy of the caller's message page, or what goes there */

static uint8_t *message_page(const struct caller *caller)
{
    return (uint8_t *)PX_CLIENT_MSG(caller->index);
}

static uint64_t handle_of(const struct terminal *terminal, enum side_of side)
{
    return terminal->index | (side == SIDE_MASTER ? PX_TTY_MASTER : 0u) | (uint64_t)terminal->epoch << 16;
}

static bool holds(const struct side *side, unsigned process)
{
    return side->holders[process / 32] >> process % 32 & 1;
}

static void remember_holder(struct side *side, unsigned process)
{
    side->holders[process / 32] |= 1u << process % 32;
}

static bool is_owner(const struct terminal *terminal, const struct caller *caller)
{
    return caller->euid == 0 || caller->euid == terminal->owner;
}

static bool may_use(const struct request *request)
{
    const struct terminal *terminal = request->terminal;

    if (holds(&terminal->side[request->side], request->caller.index))
        return true;
    if (request->side == SIDE_MASTER)
        return false;
    return is_owner(terminal, &request->caller) || (terminal->sid && terminal->sid == request->caller.sid);
}

/* The terminal that word 1 names. 0 or -errno. */
static int64_t find(struct request *request)
{
    unsigned index = request->word[1] & 0x7fff;

    if (index >= PX_TTYS_MAX || request->word[1] >> 48)
        return -EBADF;
    request->side = request->word[1] & PX_TTY_MASTER ? SIDE_MASTER : SIDE_SLAVE;
    request->terminal = service.terminal[index];
    if (!request->terminal || (request->side == SIDE_MASTER && !request->terminal->pty))
        return -EIO;
    /* A master outlives its slaves' hang-ups (TIOCVHANGUP). */
    request->hung_up = request->side == SIDE_SLAVE && request->terminal->epoch != request->word[1] >> 16;
    if (request->word[0] != PX_TTY_CLAIM && !request->hung_up && !may_use(request))
        return -PX_TTY_ENOKEY;
    return 0;
}

/* The caller must sleep until the side's word changes. */
static int64_t not_now(struct request *request)
{
    struct terminal *terminal = request->terminal;

    terminal->side[request->side].awaited = true;
    request->answer[0] = service.page->tty[terminal->index + (request->side == SIDE_MASTER ? PX_TTYS_MAX : 0)].seq;
    return -EAGAIN;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int64_t opened(struct request *request, struct terminal *terminal, enum side_of side)
{
    terminal->side[side].open = terminal->side[side].was_open = true;
    remember_holder(&terminal->side[side], request->caller.index);
    request->answer[0] = handle_of(terminal, side);
    request->give = terminal->side[side].tally;
    return 0;
}

static int64_t open_terminal(struct request *request)
{
    const struct caller *caller = &request->caller;
    uint64_t index = request->word[1], flags = request->word[2];
    struct terminal *terminal = index == PX_TTY_CTTY ? caller_terminal(caller) : index < PX_TTYS_MAX ? service.terminal[index] : NULL;

    if (!terminal)
        return index == PX_TTY_CTTY ? -ENXIO : -EIO;
    if (terminal->pty && (terminal->locked || !terminal->side[SIDE_MASTER].open))
        return -EIO;
    if (index != PX_TTY_CTTY && !is_owner(terminal, caller) && (!terminal->sid || terminal->sid != caller->sid))
        return -EACCES;
    if (terminal->exclusive && caller->euid != 0)
        return -EBUSY;
    if (index != PX_TTY_CTTY && !(flags & O_NOCTTY) && (flags & O_ACCMODE) != O_WRONLY && caller->leader && !terminal->sid &&
        !caller_terminal(caller))
        job_acquire(terminal, caller);
    if (terminal->pty && !terminal->side[SIDE_SLAVE].open)
        terminal_wake(terminal, SIDE_MASTER); /* no longer at its end */
    return opened(request, terminal, SIDE_SLAVE);
}

static int64_t new_pty(struct request *request)
{
    struct terminal *terminal = pty_new(request->caller.euid);

    return terminal ? opened(request, terminal, SIDE_MASTER) : -ENOSPC;
}

/* The caller presents the capability that came with an open, by inheritance perhaps. */
static int64_t claim(struct request *request)
{
    struct side *side = &request->terminal->side[request->side];
    struct exo_cap_info shown, own;

    if (!request->shown || exo_cap_info(request->shown, &shown) < 0 || exo_cap_info(side->tally, &own) < 0)
        return -EBADF;
    if (shown.type != EXO_TYPE_TALLY || shown.object != own.object)
        return -EBADF;
    remember_holder(side, request->caller.index);
    return 0;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static int64_t deliver(struct request *request, size_t bytes)
{
    memcpy(message_page(&request->caller), data, bytes);
    return (int64_t)bytes;
}

/* In packet mode a byte comes first that says what it is, or stands alone for what has happened. */
static size_t take_packet(struct terminal *terminal, size_t wanted)
{
    if (terminal->line.packet) {
        data[0] = terminal->line.packet;
        terminal->line.packet = 0;
        return 1;
    }
    if (line_output_count(&terminal->line) == 0)
        return 0;
    data[0] = PX_PACKET_DATA;
    return 1 + line_output_take(&terminal->line, data + 1, wanted - 1);
}

static int64_t read_master(struct request *request, size_t wanted)
{
    struct terminal *terminal = request->terminal;
    size_t got = terminal->packet ? take_packet(terminal, wanted) : line_output_take(&terminal->line, data, wanted);

    if (got > 0) {
        line_echo_flush(&terminal->line);
        terminal_wake(terminal, SIDE_SLAVE); /* room to write */
        return deliver(request, got);
    }
    if (terminal->side[SIDE_SLAVE].was_open && !terminal->side[SIDE_SLAVE].open)
        return -EIO;
    return not_now(request);
}

static int64_t read_slave(struct request *request, size_t wanted)
{
    struct terminal *terminal = request->terminal;
    struct line *line = &terminal->line;
    const uint8_t *control = line->termios.control;
    int64_t status = job_check(terminal, &request->caller, SIGTTIN, request->word[3] & 1);
    size_t got;

    if (status < 0)
        return status;
    if (!line_canonical(line)) {
        request->answer[1] = control[PX_VTIME] * 100000000ull;
        request->answer[2] = control[PX_VMIN];
    }
    if (!line_readable(line, 1)) {
        if (terminal->input_ended && terminal_pending(terminal) == 0)
            return 0;
        if (!line_canonical(line) && control[PX_VMIN] == 0 && control[PX_VTIME] == 0)
            return 0;
        return not_now(request);
    }
    got = line_read(line, data, wanted);
    terminal_pump(terminal); /* what found no room before */
    return deliver(request, got);
}

static int64_t read_bytes(struct request *request)
{
    size_t wanted = request->word[2] < MESSAGE_BYTES ? request->word[2] : MESSAGE_BYTES;

    if (request->hung_up || wanted == 0)
        return 0;
    return request->side == SIDE_MASTER ? read_master(request, wanted) : read_slave(request, wanted);
}

static int64_t write_slave(struct request *request, size_t count)
{
    struct terminal *terminal = request->terminal;
    size_t done;

    if (line_local(&terminal->line, PX_TOSTOP)) {
        int64_t status = job_check(terminal, &request->caller, SIGTTOU, request->word[3] & 1);

        if (status < 0)
            return status;
    }
    done = line_write(&terminal->line, data, count);
    if (done > 0) {
        if (terminal->pty)
            terminal_wake(terminal, SIDE_MASTER);
        else
            host_show();
    }
    return done > 0 || count == 0 ? (int64_t)done : not_now(request);
}

static int64_t write_bytes(struct request *request)
{
    size_t count = request->word[2] < MESSAGE_BYTES ? request->word[2] : MESSAGE_BYTES;
    size_t done;

    if (request->hung_up)
        return -EIO;
    memcpy(data, message_page(&request->caller), count);
    if (request->side == SIDE_SLAVE)
        return write_slave(request, count);
    done = terminal_input(request->terminal, data, count);
    return done > 0 || count == 0 ? (int64_t)done : not_now(request);
}

static int64_t poll_side(struct request *request)
{
    if (request->hung_up)
        return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
    (void)not_now(request);
    return side_events(request->terminal, request->side);
}

static int64_t control_side(struct request *request)
{
    int64_t result;

    memcpy(data, message_page(&request->caller), 64);
    request->data = data;
    result = control(request);
    if (result >= 0 && request->answer[0])
        memcpy(message_page(&request->caller), data, request->answer[0]);
    return result;
}

static int64_t log_line(const struct request *request)
{
    size_t count = request->word[2] < MESSAGE_BYTES ? request->word[2] : MESSAGE_BYTES;

    memcpy(data, message_page(&request->caller), count);
    return host_log(data, count) ? (int64_t)count : -EAGAIN;
}

static int64_t set_owner(struct request *request)
{
    if (request->hung_up)
        return -EIO;
    request->terminal->side[request->side].owner = request->word[2];
    return 0;
}

/* ---- dispatch ---------------------------------------------------------------------------------------------------- */

static int64_t dispatch(struct request *request, uint64_t badge)
{
    int64_t status = caller_find(badge, &request->caller);

    if (status < 0)
        return status;
    switch ((enum px_tty_op)request->word[0]) {
    case PX_TTY_OPEN: return open_terminal(request);
    case PX_TTY_NEWPTY: return new_pty(request);
    case PX_TTY_LOG: return log_line(request);
    case PX_TTY_CLOSE: return 0; /* the counts are looked at after every call */
    case PX_TTY_READ:
    case PX_TTY_WRITE:
    case PX_TTY_POLL:
    case PX_TTY_IOCTL:
    case PX_TTY_CLAIM:
    case PX_TTY_OWNER: break;
    default: return -ENOSYS;
    }
    status = find(request);
    if (status < 0)
        return status;
    switch (request->word[0]) {
    case PX_TTY_READ: return read_bytes(request);
    case PX_TTY_WRITE: return write_bytes(request);
    case PX_TTY_POLL: return poll_side(request);
    case PX_TTY_IOCTL: return control_side(request);
    case PX_TTY_OWNER: return set_owner(request);
    default: return claim(request);
    }
}

void serve(struct exo_message *message)
{
    struct request request = {.shown = message->capability};
    int64_t result;

    memcpy(request.word, message->word, sizeof(request.word));
    result = dispatch(&request, message->badge);
    exo_message_refuse(message);
    proc_send_all(); /* a signal that this call causes is there when it returns */
    if (request.give && result >= 0) {
        if (exo_ep_reply_cap((uint64_t)result, request.answer[0], request.answer[1], request.answer[2], request.give) >= 0)
            return;
        result = -EMFILE; /* the caller has no slot left */
    }
    /* A caller that is gone needs no answer. */
    (void)!exo_ep_reply((uint64_t)result, request.answer[0], request.answer[1], request.answer[2], 0);
}
