/* Output: post-processing (OPOST) into the ring that the screen or the master empties, and stopping it. */
#include "line.h"

uint32_t line_output_count(const struct line *line)
{
    return line->output_put - line->output_taken;
}

uint32_t line_output_room(const struct line *line)
{
    if (line->stopped)
        return 0;
    return LINE_OUTPUT_BYTES - line_output_count(line);
}

void line_show_raw(struct line *line, uint8_t byte)
{
    line->output[line->output_put++ % LINE_OUTPUT_BYTES] = byte;
}

static int show_newline(struct line *line, uint32_t room)
{
    if (line->termios.oflag & PX_ONLRET)
        line->column = 0;
    if (line->termios.oflag & PX_ONLCR) {
        if (room < 2)
            return -1;
        line->canonical_column = line->column = 0;
        line_show_raw(line, '\r');
        line_show_raw(line, '\n');
        return 2;
    }
    line->canonical_column = line->column;
    line_show_raw(line, '\n');
    return 1;
}

static int show_return(struct line *line)
{
    uint32_t flags = line->termios.oflag;

    if ((flags & PX_ONOCR) && line->column == 0)
        return 0;
    if (flags & PX_OCRNL) {
        if (flags & PX_ONLRET)
            line->canonical_column = line->column = 0;
        line_show_raw(line, '\n');
        return 1;
    }
    line->canonical_column = line->column = 0;
    line_show_raw(line, '\r');
    return 1;
}

static int show_tab(struct line *line, uint32_t room)
{
    uint32_t spaces = 8 - (line->column & 7);

    if ((line->termios.oflag & PX_TABDLY) != PX_XTABS) {
        line->column += spaces;
        line_show_raw(line, '\t');
        return 1;
    }
    if (room < spaces)
        return -1;
    line->column += spaces;
    for (uint32_t i = 0; i < spaces; i++)
        line_show_raw(line, ' ');
    return (int)spaces;
}

/* Latin-1, as Linux's own table has it. */
static uint8_t to_upper(uint8_t byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 0xdf && byte != 0xf7))
        return byte - 32;
    return byte;
}

int line_show(struct line *line, uint8_t byte, uint32_t room)
{
    if (room == 0)
        return -1;
    switch (byte) {
    case '\n': return show_newline(line, room);
    case '\r': return show_return(line);
    case '\t': return show_tab(line, room);
    case '\b':
        if (line->column > 0)
            line->column--;
        break;
    default:
        if (!line_is_control(byte)) {
            if (line->termios.oflag & PX_OLCUC)
                byte = to_upper(byte);
            if (!line_continuation(line, byte))
                line->column++;
        }
        break;
    }
    line_show_raw(line, byte);
    return 1;
}

size_t line_write(struct line *line, const uint8_t *bytes, size_t count)
{
    bool process = (line->termios.oflag & PX_OPOST) != 0;
    size_t done = 0;

    line_echo_flush(line);
    for (; done < count; done++) {
        uint32_t room = line_output_room(line);

        if (room == 0)
            break;
        if (!process)
            line_show_raw(line, bytes[done]);
        else if (line_show(line, bytes[done], room) < 0)
            break;
    }
    return done;
}

size_t line_output_take(struct line *line, uint8_t *to, size_t count)
{
    size_t done = 0;

    while (done < count && line->output_taken != line->output_put)
        to[done++] = line->output[line->output_taken++ % LINE_OUTPUT_BYTES];
    return done;
}

void line_output_flush(struct line *line)
{
    line->output_taken = line->output_put;
    line->packet |= PX_PACKET_FLUSH_WRITE;
}

void line_stop(struct line *line)
{
    line_hold(line, true);
    line->stopped_by_call = true;
}

void line_continue(struct line *line)
{
    if (!line->stopped_by_call)
        return;
    line->stopped_by_call = false;
    line_hold(line, false);
}
