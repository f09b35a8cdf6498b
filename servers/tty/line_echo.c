/*
 * Echo of typed bytes. What is to be echoed is first queued as steps and shown at the end of a batch of input, because a signal key throws away
 * echoes that were not shown yet, and because output may be stopped. Steps, not bytes: how far a tab is to be erased is known only when it is shown.
 */
#include "line.h"

enum step_kind {
    STEP_RAW,       /* the byte, through output processing */
    STEP_CONTROL,   /* ^X for the control character */
    STEP_VERBATIM,  /* the byte, never processed */
    STEP_TAB,       /* erase a tab: byte is columns since the line's start, or since a tab | 0x80 */
    STEP_MARK,      /* the line begins in this column */
    STEP_MOVE_BACK, /* one column less: part of a wide character */
};
#define STEP_PROGRESS 256u

static uint32_t echo_count(const struct line *line)
{
    return line->echo_put - line->echo_taken;
}

static void queue(struct line *line, enum step_kind kind, uint8_t byte)
{
    if (echo_count(line) == LINE_ECHO_STEPS) {
        line_echo_flush(line);
        if (echo_count(line) == LINE_ECHO_STEPS)
            line->echo_taken++; /* output is stopped for so long: forget the oldest */
    }
    line->echo[line->echo_put++ % LINE_ECHO_STEPS] = (uint16_t)((unsigned)kind << 8 | byte);
}

void line_echo(struct line *line, uint8_t byte)
{
    if (byte == 0xff)
        queue(line, STEP_VERBATIM, byte);
    else if (line_local(line, PX_ECHOCTL) && line_is_control(byte) && byte != '\t')
        queue(line, STEP_CONTROL, byte);
    else
        queue(line, STEP_RAW, byte);
}

void line_echo_raw(struct line *line, uint8_t byte)
{
    queue(line, byte == 0xff ? STEP_VERBATIM : STEP_RAW, byte);
}

void line_echo_mark_column(struct line *line)
{
    queue(line, STEP_MARK, 0);
}

void line_echo_move_back(struct line *line)
{
    queue(line, STEP_MOVE_BACK, 0);
}

void line_echo_erase_tab(struct line *line, uint32_t columns, bool after_tab)
{
    queue(line, STEP_TAB, (uint8_t)((columns & 7u) | (after_tab ? 0x80u : 0u)));
}

void line_echo_finish_erasing(struct line *line)
{
    if (line->erasing) {
        line_echo_raw(line, '/');
        line->erasing = false;
    }
}

void line_echo_drop(struct line *line)
{
    line->echo_taken = line->echo_put = line->echo_seen = 0;
}

static bool show_tab_erased(struct line *line, uint32_t columns, uint32_t room)
{
    uint32_t back;

    if (!(columns & 0x80))
        columns += line->canonical_column;
    back = 8 - (columns & 7);
    if (back > room)
        return false;
    while (back--) {
        line_show_raw(line, '\b');
        if (line->column > 0)
            line->column--;
    }
    return true;
}

/* False: no room. */
static bool show_step(struct line *line, uint16_t step, uint32_t room)
{
    uint8_t byte = (uint8_t)step;

    switch ((enum step_kind)(step >> 8)) {
    case STEP_RAW:
        if (line->termios.oflag & PX_OPOST)
            return line_show(line, byte, room) >= 0;
        if (room == 0)
            return false;
        line_show_raw(line, byte);
        return true;
    case STEP_CONTROL:
        if (room < 2)
            return false;
        line_show_raw(line, '^');
        line_show_raw(line, byte ^ 0x40);
        line->column += 2;
        return true;
    case STEP_VERBATIM:
        if (room == 0)
            return false;
        line_show_raw(line, byte);
        line->column++;
        return true;
    case STEP_TAB: return show_tab_erased(line, byte, room);
    case STEP_MARK: line->canonical_column = line->column; return true;
    case STEP_MOVE_BACK:
        if (line->column > 0)
            line->column--;
        return true;
    }
    return true;
}

void line_echo_flush(struct line *line)
{
    while (echo_count(line) > 0 && show_step(line, line->echo[line->echo_taken % LINE_ECHO_STEPS], line_output_room(line)))
        line->echo_taken++;
}

void line_echo_progress(struct line *line)
{
    if (echo_count(line) >= STEP_PROGRESS)
        line_echo_flush(line);
}

void line_echo_batch_end(struct line *line)
{
    if (line->echo_seen == line->echo_put || !line_local(line, PX_ECHO | PX_ECHONL))
        return;
    line->echo_seen = line->echo_put;
    line_echo_flush(line);
}
