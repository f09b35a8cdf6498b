/*
 * The line discipline of a terminal: what happens between bytes typed and bytes read, and between bytes written and bytes shown. It behaves as
 * Linux's N_TTY does (a test compares it with the host's kernel byte for byte).
 *
 * A pure state machine: no messages, no clock, no process. Bytes come in by line_receive (from the keyboard or a pseudo-terminal's master)
 * and line_write (from programs); they go out by line_read (to programs) and line_output_take (to the screen or the master). Signals that
 * keys ask for are gathered in `signals`; the owner sends them. A terminal owns its line; there is one context, hence no lock.
 */
#ifndef TTY_LINE_H
#define TTY_LINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "termios.h"

#define LINE_INPUT_BYTES 4096u  /* longest line, its end included; power of two */
#define LINE_OUTPUT_BYTES 8192u /* power of two */
#define LINE_ECHO_STEPS 2048u   /* power of two */
#define LINE_DISABLED 0u        /* a control character with this value is off; also stands for an end of file in the input */

/* Positions run freely modulo 2^32; the byte is at position % size. */
struct line {
    struct px_termios termios;
    uint32_t special[8]; /* bytes that need more than to be stored and echoed */

    uint32_t input_taken; /* next byte to read */
    uint32_t input_ready; /* canonical mode: end of the last whole line */
    uint32_t input_put;   /* next byte to store */
    bool literal;         /* the next byte was quoted by VLNEXT */
    bool erasing;         /* ECHOPRT: inside \.../ */
    bool raw;             /* no byte is special and none is echoed: store them in bulk */

    bool stopped;         /* output is held back */
    bool stopped_by_call; /* by TCXONC, which keys do not undo */
    uint32_t column, canonical_column; /* of the cursor, and of it when the present line began */
    uint32_t echo_taken, echo_put, echo_seen; /* seen: where echo_put was when a batch last ended */
    uint32_t output_taken, output_put;

    uint64_t signals; /* bit n - 1: a key asked for signal n */
    uint8_t packet;   /* PX_PACKET_*: what has happened since it was last looked at */

    uint32_t line_ends[LINE_INPUT_BYTES / 32]; /* bit: a line ends with this input byte */
    uint16_t echo[LINE_ECHO_STEPS];            /* kind << 8 | byte, see line_echo.c */
    uint8_t input[LINE_INPUT_BYTES];
    uint8_t output[LINE_OUTPUT_BYTES];
};

/* A new terminal: Linux's default settings. `line` is zeroed memory. */
void line_start(struct line *line);

/* New settings, as they are (the caller has merged in what it keeps). Unread input is regrouped when ICANON changes. */
void line_configure(struct line *line, const struct px_termios *termios);

/* Typed bytes. Returns how many were taken: fewer only when a reader has to make room first. */
size_t line_receive(struct line *line, const uint8_t *bytes, size_t count);

/* Something can be read. `wanted`: bytes without which raw input does not count as ready (poll asks with VMIN). */
bool line_readable(const struct line *line, uint32_t wanted);
/* Takes input: at most one line in canonical mode. 0 is an end of file. Only when line_readable(line, 1). */
size_t line_read(struct line *line, uint8_t *to, size_t count);
/* Bytes that FIONREAD counts. */
uint32_t line_input_count(const struct line *line);
void line_input_flush(struct line *line);

/* Bytes that a program writes. Returns how many were taken: fewer when output is full or stopped. */
size_t line_write(struct line *line, const uint8_t *bytes, size_t count);
/* Bytes of output that line_write would take now; 0 when stopped. */
uint32_t line_output_room(const struct line *line);
uint32_t line_output_count(const struct line *line);
/* Takes output for the screen. */
size_t line_output_take(struct line *line, uint8_t *to, size_t count);
void line_output_flush(struct line *line);

/* TCXONC: TCOOFF and TCOON (which undoes only the former, not a VSTOP key). Echoes that wait are shown with the next output. */
void line_stop(struct line *line);
void line_continue(struct line *line);

/* ---- between the line's own files ---- */

static inline bool line_canonical(const struct line *line)
{
    return (line->termios.lflag & PX_ICANON) != 0;
}
/* Holds output back, or lets it go. */
static inline void line_hold(struct line *line, bool stopped)
{
    if (line->stopped != stopped)
        line->packet = (uint8_t)((line->packet & ~(PX_PACKET_STOP | PX_PACKET_START)) | (stopped ? PX_PACKET_STOP : PX_PACKET_START));
    line->stopped = stopped;
}
static inline uint32_t line_input_used(const struct line *line)
{
    return line->input_put - line->input_taken;
}
static inline bool line_local(const struct line *line, uint32_t flag)
{
    return (line->termios.lflag & flag) != 0;
}
/* A byte inside a UTF-8 character, when the terminal knows of such. */
static inline bool line_continuation(const struct line *line, uint8_t byte)
{
    return (line->termios.iflag & PX_IUTF8) && (byte & 0xc0) == 0x80;
}
static inline bool line_is_control(uint8_t byte)
{
    return byte < 32 || byte == 127;
}
static inline bool line_end_at(const struct line *line, uint32_t position)
{
    uint32_t at = position % LINE_INPUT_BYTES;

    return line->line_ends[at / 32] >> at % 32 & 1;
}

/* Shows one byte through output processing. Columns: how much room it took, or -1 if there is too little. */
int line_show(struct line *line, uint8_t byte, uint32_t room);
void line_show_raw(struct line *line, uint8_t byte);

void line_echo(struct line *line, uint8_t byte);     /* as typed: control characters as ^X if ECHOCTL */
void line_echo_raw(struct line *line, uint8_t byte); /* as it is */
void line_echo_mark_column(struct line *line);
void line_echo_move_back(struct line *line);
void line_echo_erase_tab(struct line *line, uint32_t columns, bool after_tab);
void line_echo_finish_erasing(struct line *line);
void line_echo_drop(struct line *line);
/* Shows echoes that wait, as far as there is room. */
void line_echo_flush(struct line *line);
/* The same once enough wait; called between the bytes of a batch. */
void line_echo_progress(struct line *line);
/* The same at the end of a batch, if it echoed anything. */
void line_echo_batch_end(struct line *line);

/* Erases input backwards for the VERASE, VWERASE or VKILL character. */
void line_erase(struct line *line, uint8_t key);

#endif
