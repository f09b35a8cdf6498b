/* The line as a whole: its settings, and reading from it. */
#include "line.h"

static void mark_special(struct line *line, uint8_t byte)
{
    line->special[byte / 32] |= 1u << byte % 32;
}

static void mark_canonical(struct line *line)
{
    const uint8_t *control = line->termios.control;

    mark_special(line, control[PX_VERASE]);
    mark_special(line, control[PX_VKILL]);
    mark_special(line, control[PX_VEOF]);
    mark_special(line, '\n');
    mark_special(line, control[PX_VEOL]);
    if (!line_local(line, PX_IEXTEN))
        return;
    mark_special(line, control[PX_VWERASE]);
    mark_special(line, control[PX_VLNEXT]);
    mark_special(line, control[PX_VEOL2]);
    if (line_local(line, PX_ECHO))
        mark_special(line, control[PX_VREPRINT]);
}

static void find_special(struct line *line)
{
    const uint8_t *control = line->termios.control;
    uint32_t flags = line->termios.iflag;

    for (unsigned i = 0; i < 8; i++)
        line->special[i] = 0;
    if (flags & (PX_IGNCR | PX_ICRNL))
        mark_special(line, '\r');
    if (flags & PX_INLCR)
        mark_special(line, '\n');
    if (line_canonical(line))
        mark_canonical(line);
    if (flags & PX_IXON) {
        mark_special(line, control[PX_VSTART]);
        mark_special(line, control[PX_VSTOP]);
    }
    if (line_local(line, PX_ISIG)) {
        mark_special(line, control[PX_VINTR]);
        mark_special(line, control[PX_VQUIT]);
        mark_special(line, control[PX_VSUSP]);
    }
    line->special[0] &= ~1u; /* LINE_DISABLED */
    line->raw = !(flags & (PX_ISTRIP | PX_IUCLC | PX_IGNCR | PX_ICRNL | PX_INLCR | PX_IXON | PX_PARMRK)) &&
                !line_local(line, PX_ICANON | PX_ISIG | PX_ECHO);
}

/* ICANON was switched: unread bytes become one line, or plain bytes. */
static void regroup(struct line *line)
{
    for (unsigned i = 0; i < LINE_INPUT_BYTES / 32; i++)
        line->line_ends[i] = 0;
    if (!line_canonical(line) || line_input_used(line) == 0) {
        line->input_ready = line->input_taken;
    } else {
        uint32_t last = (line->input_put - 1) % LINE_INPUT_BYTES;

        line->line_ends[last / 32] |= 1u << last % 32;
        line->input_ready = line->input_put;
    }
    line->erasing = false;
    line->literal = false;
}

static bool flow_by_usual_keys(const struct px_termios *termios)
{
    return (termios->iflag & PX_IXON) && termios->control[PX_VSTOP] == 19 && termios->control[PX_VSTART] == 17;
}

/* What a master in packet mode is told of new settings. */
static void tell_master(struct line *line, const struct px_termios *old)
{
    bool flow = flow_by_usual_keys(&line->termios);

    if (flow != flow_by_usual_keys(old))
        line->packet = (uint8_t)((line->packet & ~(PX_PACKET_NO_STOP | PX_PACKET_DO_STOP)) | (flow ? PX_PACKET_DO_STOP : PX_PACKET_NO_STOP));
    if ((old->lflag | line->termios.lflag) & PX_EXTPROC)
        line->packet |= PX_PACKET_IOCTL;
}

void line_configure(struct line *line, const struct px_termios *termios)
{
    struct px_termios old = line->termios;

    line->termios = *termios;
    tell_master(line, &old);
    if ((old.lflag ^ termios->lflag) & PX_ICANON)
        regroup(line);
    find_special(line);
    if ((old.iflag & PX_IXON) && !(termios->iflag & PX_IXON) && !line->stopped_by_call) {
        line_hold(line, false);
        line_echo_flush(line);
    }
}

void line_start(struct line *line)
{
    static const struct px_termios first = {
        .iflag = PX_ICRNL | PX_IXON,
        .oflag = PX_OPOST | PX_ONLCR,
        .cflag = PX_B38400 | PX_CS8 | PX_CREAD,
        .lflag = PX_ISIG | PX_ICANON | PX_ECHO | PX_ECHOE | PX_ECHOK | PX_ECHOCTL | PX_ECHOKE | PX_IEXTEN,
        .control = {[PX_VINTR] = 3, [PX_VQUIT] = 28, [PX_VERASE] = 127, [PX_VKILL] = 21, [PX_VEOF] = 4, [PX_VMIN] = 1,
                    [PX_VSTART] = 17, [PX_VSTOP] = 19, [PX_VSUSP] = 26, [PX_VREPRINT] = 18, [PX_VDISCARD] = 15,
                    [PX_VWERASE] = 23, [PX_VLNEXT] = 22},
        .input_speed = 38400,
        .output_speed = 38400,
    };

    line->termios = first;
    find_special(line);
}

bool line_readable(const struct line *line, uint32_t wanted)
{
    if (line_canonical(line))
        return line->input_ready != line->input_taken;
    return line_input_used(line) >= (wanted ? wanted : 1);
}

/* The position after which the next line ends, at most `count` bytes away; *ended tells whether it does. */
static uint32_t find_end(const struct line *line, uint32_t count, bool *ended)
{
    uint32_t at = line->input_taken;

    for (*ended = false; count > 0 && at != line->input_ready && !*ended; count--)
        *ended = line_end_at(line, at++);
    return at;
}

static bool eof_at(const struct line *line, uint32_t position)
{
    return position != line->input_ready && line_end_at(line, position) &&
           line->input[position % LINE_INPUT_BYTES] == LINE_DISABLED;
}

static size_t read_line(struct line *line, uint8_t *to, size_t count)
{
    size_t done = 0;
    bool ended;
    uint32_t end = find_end(line, count < LINE_INPUT_BYTES ? (uint32_t)count : LINE_INPUT_BYTES, &ended);

    while (line->input_taken != end) {
        uint32_t at = line->input_taken;

        line->input_taken++;
        if (ended && line->input_taken == end && line->input[at % LINE_INPUT_BYTES] == LINE_DISABLED)
            break; /* an end of file, or a line ended by one, is read without it */
        to[done++] = line->input[at % LINE_INPUT_BYTES];
    }
    /* The reader got all that it asked for: an end of file right behind belongs to what it got. */
    if (!ended && eof_at(line, line->input_taken))
        line->input_taken++;
    return done;
}

size_t line_read(struct line *line, uint8_t *to, size_t count)
{
    size_t done = 0;

    if (count == 0)
        return 0;
    if (line_canonical(line))
        return read_line(line, to, count);
    while (done < count && line->input_taken != line->input_put)
        to[done++] = line->input[line->input_taken++ % LINE_INPUT_BYTES];
    return done;
}

uint32_t line_input_count(const struct line *line)
{
    uint32_t count = line_input_used(line);

    if (!line_canonical(line))
        return count;
    count = line->input_ready - line->input_taken;
    if (count == LINE_INPUT_BYTES)
        return count; /* as Linux, which does not look for ends of file in a full buffer */
    for (uint32_t at = line->input_taken; at != line->input_ready; at++)
        count -= eof_at(line, at);
    return count;
}

void line_input_flush(struct line *line)
{
    line->packet |= PX_PACKET_FLUSH_READ;
    line->input_taken = line->input_ready = line->input_put = 0;
    line->erasing = false;
    for (unsigned i = 0; i < LINE_INPUT_BYTES / 32; i++)
        line->line_ends[i] = 0;
}
