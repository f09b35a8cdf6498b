/* Typed bytes: translation, signals, flow control, canonical editing, storing and echoing. */
#include "line.h"

enum { SIGNAL_INTERRUPT = 2, SIGNAL_QUIT = 3, SIGNAL_STOP = 20 };

static bool is_special(const struct line *line, uint8_t byte)
{
    return line->special[byte / 32] >> byte % 32 & 1;
}

/* Callers made room, but PARMRK may store two bytes for one: the second is lost when the buffer is full to the last byte. */
static void store(struct line *line, uint8_t byte)
{
    uint32_t at = line->input_put % LINE_INPUT_BYTES;

    if (line_input_used(line) == LINE_INPUT_BYTES)
        return;
    line->line_ends[at / 32] &= ~(1u << at % 32);
    line->input[at] = byte;
    line->input_put++;
}

/* `byte` ends a line (LINE_DISABLED: it is an end of file and not read as a byte). */
static void store_end(struct line *line, uint8_t byte)
{
    uint32_t at = line->input_put % LINE_INPUT_BYTES;

    if (line_input_used(line) == LINE_INPUT_BYTES)
        return;
    store(line, byte);
    line->line_ends[at / 32] |= 1u << at % 32;
    line->input_ready = line->input_put;
}

static void store_marked(struct line *line, uint8_t byte)
{
    if (byte == 0xff && (line->termios.iflag & PX_PARMRK))
        store(line, byte);
    store(line, byte);
}

static void echo_typed(struct line *line, uint8_t byte)
{
    if (line->input_ready == line->input_put)
        line_echo_mark_column(line);
    line_echo(line, byte);
    line_echo_progress(line);
}

static void resume(struct line *line)
{
    if (!line->stopped_by_call)
        line_hold(line, false);
}

static void resume_by_any(struct line *line)
{
    if ((line->termios.iflag & (PX_IXON | PX_IXANY)) != (PX_IXON | PX_IXANY) || !line->stopped || line->stopped_by_call)
        return;
    resume(line);
    line_echo_flush(line);
}

static void receive_plain(struct line *line, uint8_t byte)
{
    resume_by_any(line);
    if (line_local(line, PX_ECHO)) {
        line_echo_finish_erasing(line);
        echo_typed(line, byte);
    }
    store_marked(line, byte);
}

static void signal_key(struct line *line, int signal, uint8_t byte)
{
    line->signals |= 1ull << (signal - 1);
    if (!line_local(line, PX_NOFLSH)) {
        line_echo_drop(line);
        line_output_flush(line);
        line_input_flush(line);
    }
    if (line->termios.iflag & PX_IXON)
        resume(line);
    if (line_local(line, PX_ECHO)) {
        line_echo(line, byte);
        line_echo_progress(line);
    } else {
        line_echo_flush(line);
    }
}

/* True: the byte was a key for flow control or a signal, and is used up. */
static bool receive_key(struct line *line, uint8_t byte)
{
    const uint8_t *control = line->termios.control;

    if (line->termios.iflag & PX_IXON) {
        if (byte == control[PX_VSTART]) {
            resume(line);
            line_echo_flush(line);
            return true;
        }
        if (byte == control[PX_VSTOP]) {
            line_hold(line, true);
            return true;
        }
    }
    if (!line_local(line, PX_ISIG))
        return false;
    if (byte == control[PX_VINTR])
        signal_key(line, SIGNAL_INTERRUPT, byte);
    else if (byte == control[PX_VQUIT])
        signal_key(line, SIGNAL_QUIT, byte);
    else if (byte == control[PX_VSUSP])
        signal_key(line, SIGNAL_STOP, byte);
    else
        return false;
    return true;
}

static void reprint(struct line *line, uint8_t byte)
{
    line_echo_finish_erasing(line);
    line_echo(line, byte);
    line_echo_raw(line, '\n');
    for (uint32_t at = line->input_ready; at != line->input_put; at++)
        line_echo(line, line->input[at % LINE_INPUT_BYTES]);
    line_echo_progress(line);
}

static void quote_next(struct line *line)
{
    line->literal = true;
    if (!line_local(line, PX_ECHO))
        return;
    line_echo_finish_erasing(line);
    if (line_local(line, PX_ECHOCTL)) {
        line_echo_raw(line, '^');
        line_echo_raw(line, '\b');
        line_echo_progress(line);
    }
}

/* Canonical mode's own characters. True: used up. */
static bool receive_canonical(struct line *line, uint8_t byte)
{
    const uint8_t *control = line->termios.control;
    bool extended = line_local(line, PX_IEXTEN);

    if (byte == control[PX_VERASE] || byte == control[PX_VKILL] || (extended && byte == control[PX_VWERASE])) {
        line_erase(line, byte);
        line_echo_progress(line);
    } else if (extended && byte == control[PX_VLNEXT]) {
        quote_next(line);
    } else if (extended && line_local(line, PX_ECHO) && byte == control[PX_VREPRINT]) {
        reprint(line, byte);
    } else if (byte == '\n') {
        if (line_local(line, PX_ECHO | PX_ECHONL)) {
            line_echo_raw(line, '\n');
            line_echo_progress(line);
        }
        store_end(line, byte);
    } else if (byte == control[PX_VEOF]) {
        store_end(line, LINE_DISABLED);
    } else if (byte == control[PX_VEOL] || (extended && byte == control[PX_VEOL2])) {
        if (line_local(line, PX_ECHO))
            echo_typed(line, byte);
        if (byte == 0xff && (line->termios.iflag & PX_PARMRK))
            store(line, byte);
        store_end(line, byte);
    } else {
        return false;
    }
    return true;
}

static void receive_special(struct line *line, uint8_t byte)
{
    uint32_t flags = line->termios.iflag;

    if (receive_key(line, byte))
        return;
    resume_by_any(line);
    if (byte == '\r') {
        if (flags & PX_IGNCR)
            return;
        if (flags & PX_ICRNL)
            byte = '\n';
    } else if (byte == '\n' && (flags & PX_INLCR)) {
        byte = '\r';
    }
    if (line_canonical(line) && receive_canonical(line, byte))
        return;
    if (line_local(line, PX_ECHO)) {
        line_echo_finish_erasing(line);
        if (byte == '\n')
            line_echo_raw(line, '\n');
        else
            echo_typed(line, byte);
        line_echo_progress(line);
    }
    store_marked(line, byte);
}

/* Latin-1, as Linux's own table has it. */
static uint8_t to_lower(uint8_t byte)
{
    if ((byte >= 'A' && byte <= 'Z') || (byte >= 0xc0 && byte <= 0xde && byte != 0xd7))
        return byte + 32;
    return byte;
}

static void receive_batch(struct line *line, const uint8_t *bytes, size_t count)
{
    uint32_t flags = line->termios.iflag;

    for (size_t i = 0; i < count; i++) {
        uint8_t byte = bytes[i];

        if (line->raw) {
            store(line, byte);
            continue;
        }
        if (flags & PX_ISTRIP)
            byte &= 0x7f;
        if ((flags & PX_IUCLC) && line_local(line, PX_IEXTEN))
            byte = to_lower(byte);
        if (!line->literal && is_special(line, byte)) {
            receive_special(line, byte);
            continue;
        }
        line->literal = false;
        receive_plain(line, byte);
    }
    line_echo_batch_end(line);
}

size_t line_receive(struct line *line, const uint8_t *bytes, size_t count)
{
    size_t done = 0;

    while (done < count) {
        uint32_t space = LINE_INPUT_BYTES - line_input_used(line);
        uint32_t batch;

        if (line->termios.iflag & PX_PARMRK)
            space = (space + 2) / 3;
        if (space <= 1) {
            /* A line that is too long goes on to be edited and ended: its last byte is written again and again. */
            if (!line_canonical(line) || line->input_ready != line->input_taken)
                break;
            if (space == 0)
                line->input_put--;
            batch = 1;
        } else {
            batch = space - 1;
        }
        if (batch > count - done)
            batch = (uint32_t)(count - done);
        receive_batch(line, bytes + done, batch);
        done += batch;
    }
    return done;
}
