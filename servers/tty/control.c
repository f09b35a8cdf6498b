/* ioctl on terminals. Each request first checks everything, then changes. Structures lie in request->data, a copy of the caller's message page. */
#include <exo/string.h>

#include "service.h"
#include "termios.h"

/* A result of a request that copies `bytes` of data out. */
static int64_t copies_out(struct request *request, uint64_t bytes)
{
    request->answer[0] = bytes;
    return 0;
}

static int64_t put_int(struct request *request, int32_t value)
{
    memcpy(request->data, &value, sizeof(value));
    return copies_out(request, sizeof(value));
}

static int32_t get_int(const struct request *request)
{
    int32_t value;

    memcpy(&value, request->data, sizeof(value));
    return value;
}

static bool is_controlling(const struct request *request)
{
    return request->terminal->sid && request->terminal->sid == request->caller.sid;
}

/* Background processes must not change the terminal. */
static int64_t check_change(const struct request *request)
{
    if (request->side == SIDE_MASTER)
        return 0;
    return job_check(request->terminal, &request->caller, SIGTTOU, request->word[4] & 1);
}

/* Not before all output is shown: the caller sleeps and asks again. */
static int64_t check_drained(struct request *request)
{
    struct terminal *terminal = request->terminal;

    if (terminal->pty)
        return 0;
    host_show();
    if (line_output_count(&terminal->line) == 0)
        return 0;
    request->answer[0] = service.page->tty[terminal->index].seq;
    terminal->side[SIDE_SLAVE].awaited = true;
    return -EAGAIN;
}

/* What one member of the family of set requests does. */
struct set_request {
    uint32_t number;
    uint8_t bytes; /* of its structure; 0: struct termio */
    bool drain, flush;
};
static const struct set_request set_requests[] = {
    {PX_TCSETS, PX_TERMIOS_BYTES, false, false},   {PX_TCSETSW, PX_TERMIOS_BYTES, true, false},
    {PX_TCSETSF, PX_TERMIOS_BYTES, true, true},    {PX_TCSETS2, PX_TERMIOS2_BYTES, false, false},
    {PX_TCSETSW2, PX_TERMIOS2_BYTES, true, false}, {PX_TCSETSF2, PX_TERMIOS2_BYTES, true, true},
    {PX_TCSETA, 0, false, false},                  {PX_TCSETAW, 0, true, false},
    {PX_TCSETAF, 0, true, true},
};

static void merge_termio(struct px_termios *termios, const struct px_termio *old)
{
    termios->iflag = (termios->iflag & 0xffff0000u) | old->iflag;
    termios->oflag = (termios->oflag & 0xffff0000u) | old->oflag;
    termios->cflag = (termios->cflag & 0xffff0000u) | old->cflag;
    termios->lflag = (termios->lflag & 0xffff0000u) | old->lflag;
    termios->line = old->line;
    memcpy(termios->control, old->control, sizeof(old->control));
}

static uint32_t speed_of(uint32_t cflag, uint32_t given)
{
    static const uint32_t slow[16] = {0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
    static const uint32_t fast[16] = {0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000,
                                      2000000, 2500000, 3000000, 3500000, 4000000};
    uint32_t code = cflag & PX_CBAUD;

    if (code == PX_BOTHER)
        return given;
    return code & PX_BOTHER ? fast[code & 15] : slow[code & 15];
}

static uint32_t held_bits(uint32_t new, uint32_t old, uint32_t held)
{
    return (new & ~held) | (old & held);
}

/* What is locked stays as it is. */
static void keep_held(struct px_termios *new, const struct px_termios *old, const struct px_termios *held)
{
    new->iflag = held_bits(new->iflag, old->iflag, held->iflag);
    new->oflag = held_bits(new->oflag, old->oflag, held->oflag);
    new->cflag = held_bits(new->cflag, old->cflag, held->cflag);
    new->lflag = held_bits(new->lflag, old->lflag, held->lflag);
    if (held->line)
        new->line = old->line;
    for (unsigned at = 0; at < PX_TERMIOS_CONTROLS; at++)
        if (held->control[at])
            new->control[at] = old->control[at];
}

static int64_t set_held(struct request *request)
{
    if (request->caller.euid != 0)
        return -EPERM;
    memcpy(&request->terminal->held, request->data, PX_TERMIOS_BYTES);
    return 0;
}

static int64_t get_held(struct request *request)
{
    memcpy(request->data, &request->terminal->held, PX_TERMIOS_BYTES);
    return copies_out(request, PX_TERMIOS_BYTES);
}

static int64_t set_termios(struct request *request, const struct set_request *how)
{
    struct line *line = &request->terminal->line;
    struct px_termios termios = line->termios;
    int64_t status = check_change(request);

    if (status < 0)
        return status;
    if (how->bytes) {
        memcpy(&termios, request->data, how->bytes);
    } else {
        struct px_termio old;

        memcpy(&old, request->data, sizeof(old));
        merge_termio(&termios, &old);
    }
    if (how->drain) {
        status = check_drained(request);
        if (status < 0)
            return status;
    }
    keep_held(&termios, &line->termios, &request->terminal->held);
    termios.output_speed = speed_of(termios.cflag, termios.output_speed);
    termios.input_speed = how->bytes == PX_TERMIOS2_BYTES && termios.input_speed ? termios.input_speed : termios.output_speed;
    termios.cflag = (termios.cflag & ~(PX_CSIZE | PX_PARENB)) | PX_CS8 | PX_CREAD;
    if (how->flush) {
        line_input_flush(line);
        request->terminal->pending_taken = request->terminal->pending_put;
    }
    line_configure(line, &termios);
    terminal_pump(request->terminal);
    terminal_wake(request->terminal, SIDE_SLAVE);
    if (request->terminal->pty)
        terminal_wake(request->terminal, SIDE_MASTER);
    return 0;
}

static int64_t get_termios(struct request *request, uint32_t number)
{
    const struct px_termios *termios = &request->terminal->line.termios;
    struct px_termio old = {.iflag = (uint16_t)termios->iflag, .oflag = (uint16_t)termios->oflag, .cflag = (uint16_t)termios->cflag,
                            .lflag = (uint16_t)termios->lflag, .line = termios->line};

    if (number == PX_TCGETA) {
        memcpy(old.control, termios->control, sizeof(old.control));
        memcpy(request->data, &old, sizeof(old));
        return copies_out(request, sizeof(old));
    }
    memcpy(request->data, termios, sizeof(*termios));
    return copies_out(request, number == PX_TCGETS2 ? PX_TERMIOS2_BYTES : PX_TERMIOS_BYTES);
}

static int64_t set_group(struct request *request)
{
    struct terminal *terminal = request->terminal;
    int64_t status = check_change(request), session;
    int32_t pgid = get_int(request);

    if (status == -EIO)
        return -ENOTTY;
    if (status < 0)
        return status;
    if (!is_controlling(request))
        return -ENOTTY;
    if (pgid < 0)
        return -EINVAL;
    session = job_session_of_group(pgid);
    if (session < 0)
        return session;
    if (session != request->caller.sid)
        return -EPERM;
    terminal->pgid = pgid;
    terminal_publish(terminal);
    terminal_wake(terminal, SIDE_SLAVE); /* a reader in the background may be in the foreground now */
    return 0;
}

static int64_t get_group(struct request *request)
{
    if (request->side == SIDE_SLAVE && !is_controlling(request))
        return -ENOTTY;
    return put_int(request, request->terminal->pgid);
}

static int64_t get_session(struct request *request)
{
    if ((request->side == SIDE_SLAVE && !is_controlling(request)) || !request->terminal->sid)
        return -ENOTTY;
    return put_int(request, request->terminal->sid);
}

static int64_t become_controlling(struct request *request)
{
    struct terminal *terminal = request->terminal;
    const struct caller *caller = &request->caller;

    if (request->side == SIDE_MASTER)
        return -EPERM;
    if (caller->leader && is_controlling(request))
        return 0;
    if (!caller->leader || caller_terminal(caller))
        return -EPERM;
    if (terminal->sid) {
        if (request->word[3] != 1 || caller->euid != 0)
            return -EPERM;
        job_release(terminal);
    }
    job_acquire(terminal, caller);
    return 0;
}

/* The session gives its terminal up. proc keeps one terminal for a session, so a member that is no leader cannot leave alone. */
static int64_t give_up_controlling(struct request *request)
{
    struct terminal *terminal = request->terminal;

    if (request->side == SIDE_MASTER || !is_controlling(request))
        return -ENOTTY;
    if (!request->caller.leader)
        return 0;
    job_signal_foreground(terminal, SIGHUP);
    job_signal_foreground(terminal, SIGCONT);
    job_release(terminal);
    return 0;
}

static int64_t set_size(struct request *request)
{
    struct terminal *terminal = request->terminal;
    struct px_winsize size;

    memcpy(&size, request->data, sizeof(size));
    if (memcmp(&size, &terminal->size, sizeof(size)) == 0)
        return 0;
    terminal->size = size;
    job_signal_foreground(terminal, SIGWINCH);
    return 0;
}

static int64_t get_size(struct request *request)
{
    memcpy(request->data, &request->terminal->size, sizeof(struct px_winsize));
    return copies_out(request, sizeof(struct px_winsize));
}

static void flush_input(struct terminal *terminal)
{
    line_input_flush(&terminal->line);
    terminal->pending_taken = terminal->pending_put;
}

static int64_t flush(struct request *request)
{
    struct terminal *terminal = request->terminal;
    uint64_t which = request->word[3];
    int64_t status = check_change(request);
    bool input = which == 0 || which == 2, output = which == 1 || which == 2;
    uint8_t news = terminal->line.packet;

    if (status < 0)
        return status;
    if (which > 2)
        return -EINVAL;
    if (request->side == SIDE_MASTER) { /* the master's input is the other's output */
        bool swap = input;

        input = output;
        output = swap;
    }
    if (input)
        flush_input(terminal);
    if (output)
        line_output_flush(&terminal->line);
    if (request->side == SIDE_MASTER)
        terminal->line.packet = news; /* of what it did itself it is not told */
    terminal_wake(terminal, SIDE_SLAVE);
    if (terminal->pty)
        terminal_wake(terminal, SIDE_MASTER);
    return 0;
}

/* TCXONC: stop and start output, or send the other side the characters that do so. */
static int64_t flow(struct request *request)
{
    struct terminal *terminal = request->terminal;
    uint64_t action = request->word[3];
    int64_t status = check_change(request);
    uint8_t key;

    if (status < 0)
        return status;
    switch (action) {
    case 0: line_stop(&terminal->line); break;
    case 1: line_continue(&terminal->line); break;
    case 2:
    case 3:
        key = terminal->line.termios.control[action == 2 ? PX_VSTOP : PX_VSTART];
        if (key != LINE_DISABLED && line_output_count(&terminal->line) < LINE_OUTPUT_BYTES)
            line_show_raw(&terminal->line, key);
        break;
    default: return -EINVAL;
    }
    terminal_wake(terminal, SIDE_SLAVE);
    if (terminal->pty)
        terminal_wake(terminal, SIDE_MASTER);
    return 0;
}

/* There is no line on which a break could be sent: only the waiting that comes with it is done. */
static int64_t send_break(struct request *request)
{
    int64_t status = check_change(request);

    return status < 0 ? status : check_drained(request);
}

static int64_t available(struct request *request)
{
    const struct line *line = &request->terminal->line;

    if (request->side == SIDE_MASTER)
        return put_int(request, (int32_t)line_output_count(line));
    return put_int(request, (int32_t)line_input_count(line));
}

static int64_t unsent(struct request *request)
{
    /* A pseudo-terminal's output is with the master as soon as it is written. */
    return put_int(request, request->terminal->pty ? 0 : (int32_t)line_output_count(&request->terminal->line));
}

static int64_t exclusive(struct request *request, uint32_t number)
{
    if (number == PX_TIOCGEXCL)
        return put_int(request, request->terminal->exclusive);
    request->terminal->exclusive = number == PX_TIOCEXCL;
    return 0;
}

static int64_t set_packets(struct terminal *terminal, bool on)
{
    if (on && !terminal->packet)
        terminal->line.packet = 0;
    terminal->packet = on;
    return 0;
}

static int64_t send_signal(const struct request *request)
{
    int signal = (int)request->word[3];

    if (signal != SIGINT && signal != SIGQUIT && signal != SIGTSTP)
        return -EINVAL;
    job_signal_foreground(request->terminal, signal);
    return 0;
}

static int64_t master_only(struct request *request, uint32_t number)
{
    struct terminal *terminal = request->terminal;

    if (request->side != SIDE_MASTER)
        return -ENOTTY;
    switch (number) {
    case PX_TIOCGPTN: return put_int(request, (int32_t)terminal->index - 1);
    case PX_TIOCSPTLCK: terminal->locked = get_int(request) != 0; return 0;
    case PX_TIOCGPTLCK: return put_int(request, terminal->locked);
    case PX_TIOCGPKT: return put_int(request, terminal->packet);
    case PX_TIOCPKT: return set_packets(terminal, get_int(request) != 0);
    case PX_TIOCSIG: return send_signal(request);
    default: return -ENOTTY;
    }
}

static int64_t device_number(struct request *request)
{
    uint64_t device = PX_MAKEDEV(5, 1);

    if (request->terminal->pty)
        device = request->side == SIDE_MASTER ? PX_MAKEDEV(5, 2) : PX_MAKEDEV(136, request->terminal->index - 1);
    return put_int(request, (int32_t)device);
}

static int64_t hang_up(struct request *request)
{
    if (request->caller.euid != 0)
        return -EPERM;
    job_hang_up(request->terminal);
    return 0;
}

int64_t control(struct request *request)
{
    uint32_t number = (uint32_t)request->word[2];

    if (request->hung_up)
        return number == PX_TIOCSPGRP ? -ENOTTY : -EIO;
    for (unsigned i = 0; i < sizeof(set_requests) / sizeof(set_requests[0]); i++)
        if (set_requests[i].number == number)
            return set_termios(request, &set_requests[i]);
    switch (number) {
    case PX_TCGETS:
    case PX_TCGETS2:
    case PX_TCGETA: return get_termios(request, number);
    case PX_TIOCGLCKTRMIOS: return get_held(request);
    case PX_TIOCSLCKTRMIOS: return set_held(request);
    case PX_TIOCSPGRP: return set_group(request);
    case PX_TIOCGPGRP: return get_group(request);
    case PX_TIOCGSID: return get_session(request);
    case PX_TIOCSCTTY: return become_controlling(request);
    case PX_TIOCNOTTY: return give_up_controlling(request);
    case PX_TIOCGWINSZ: return get_size(request);
    case PX_TIOCSWINSZ: return set_size(request);
    case PX_TCFLSH: return flush(request);
    case PX_TCXONC: return flow(request);
    case PX_TCSBRK:
    case PX_TCSBRKP:
    case PX_TIOCSBRK: return send_break(request);
    case PX_TIOCCBRK: return check_change(request);
    case PX_FIONREAD: return available(request);
    case PX_TIOCOUTQ: return unsent(request);
    case PX_TIOCEXCL:
    case PX_TIOCNXCL:
    case PX_TIOCGEXCL: return exclusive(request, number);
    case PX_TIOCSTI: return -EIO; /* as Linux with dev.tty.legacy_tiocsti off */
    case PX_TIOCGETD: return put_int(request, 0);
    case PX_TIOCSETD: return get_int(request) ? -EINVAL : 0;
    case PX_TIOCGPTN:
    case PX_TIOCSPTLCK:
    case PX_TIOCGPTLCK:
    case PX_TIOCGPKT:
    case PX_TIOCPKT:
    case PX_TIOCSIG: return master_only(request, number);
    case PX_TIOCGDEV: return device_number(request);
    case PX_TIOCVHANGUP: return hang_up(request);
    default: return -ENOTTY;
    }
}
