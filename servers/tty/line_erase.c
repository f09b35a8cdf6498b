/* Erasing in canonical mode: a character, a word or the whole line, and how that looks on the screen. */
#include "line.h"

static uint8_t byte_at(const struct line *line, uint32_t position)
{
    return line->input[position % LINE_INPUT_BYTES];
}

/* Part of a word, for VWERASE. Latin-1 letters count, as in Linux's own table. */
static bool in_word(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (byte >= 0xc0 && byte != 0xd7 && byte != 0xf7);
}

static void echo_rubout(struct line *line)
{
    line_echo_raw(line, '\b');
    line_echo_raw(line, ' ');
    line_echo_raw(line, '\b');
}

/* A tab is as wide as what stands before it on its line leaves. */
static void echo_tab_erased(struct line *line)
{
    uint32_t columns = 0;
    bool after_tab = false;

    for (uint32_t at = line->input_put; at != line->input_ready;) {
        uint8_t byte = byte_at(line, --at);

        if (byte == '\t') {
            after_tab = true;
            break;
        }
        if (line_is_control(byte))
            columns += line_local(line, PX_ECHOCTL) ? 2 : 0;
        else if (!line_continuation(line, byte))
            columns++;
    }
    line_echo_erase_tab(line, columns, after_tab);
}

/* ECHOPRT: the erased bytes are printed between \ and /. */
static void echo_printed(struct line *line, uint32_t from, uint32_t end)
{
    if (!line->erasing) {
        line_echo_raw(line, '\\');
        line->erasing = true;
    }
    line_echo(line, byte_at(line, from));
    for (uint32_t at = from + 1; at != end; at++) {
        line_echo_raw(line, byte_at(line, at));
        line_echo_move_back(line);
    }
}

static void echo_erased(struct line *line, uint8_t byte, uint32_t from, uint32_t end, bool one)
{
    if (line_local(line, PX_ECHOPRT)) {
        echo_printed(line, from, end);
    } else if (one && !line_local(line, PX_ECHOE)) {
        line_echo(line, line->termios.control[PX_VERASE]);
    } else if (byte == '\t') {
        echo_tab_erased(line);
    } else if (!line_is_control(byte)) {
        echo_rubout(line);
    } else if (line_local(line, PX_ECHOCTL)) {
        echo_rubout(line);
        echo_rubout(line);
    }
}

/* VKILL where the line is not rubbed out byte by byte. */
static void kill_at_once(struct line *line)
{
    line->input_put = line->input_ready;
    if (!line_local(line, PX_ECHO))
        return;
    line_echo_finish_erasing(line);
    line_echo(line, line->termios.control[PX_VKILL]);
    if (line_local(line, PX_ECHOK))
        line_echo_raw(line, '\n');
}

void line_erase(struct line *line, uint8_t key)
{
    const uint32_t rubbed = PX_ECHO | PX_ECHOK | PX_ECHOKE | PX_ECHOE;
    bool one = key == line->termios.control[PX_VERASE];
    bool word = !one && key == line->termios.control[PX_VWERASE];
    bool word_begun = false;

    if (line->input_put == line->input_ready)
        return;
    if (!one && !word && (line->termios.lflag & rubbed) != rubbed) {
        kill_at_once(line);
        return;
    }
    while (line->input_put != line->input_ready) {
        uint32_t from = line->input_put, end = line->input_put;
        uint8_t byte;

        do
            byte = byte_at(line, --from);
        while (line_continuation(line, byte) && from != line->input_ready);
        if (line_continuation(line, byte))
            break; /* the rest of a character whose start is gone */
        if (word && !in_word(byte) && word_begun)
            break;
        word_begun |= word && in_word(byte);
        line->input_put = from;
        if (line_local(line, PX_ECHO))
            echo_erased(line, byte, from, end, one);
        if (one)
            break;
    }
    if (line->input_put == line->input_ready && line_local(line, PX_ECHO))
        line_echo_finish_erasing(line);
}
