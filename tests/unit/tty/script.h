/*
 * Scripts for a terminal's line: typed bytes, reads, writes and changes of settings, and what they gave, as one line of text (the transcript). The same script
 * runs on the line discipline under test and on a pseudo-terminal of this machine's kernel, so the transcripts can be compared.
 */
#ifndef TTY_SCRIPT_H
#define TTY_SCRIPT_H
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/tty/line.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

#define STEPS_MAX 24u
#define TEXT_MAX 65536u
#define BYTES_MAX 8192u

struct step {
    char kind;      /* i typed, r read, w write, s settings, f flush input, o TCOOFF, c TCOON; 0 ends the script */
    unsigned count; /* bytes typed, wanted or written */
    const char *bytes;
};
#define TYPE(text) {'i', sizeof(text) - 1, text}
#define READ(n) {'r', n, NULL}
#define WRITE(text) {'w', sizeof(text) - 1, text}
#define SET(text) {'s', 0, text}
#define FLUSH {'f', 0, NULL}
#define STOP {'o', 0, NULL}
#define GO {'c', 0, NULL}

/* What a step did: the result (-11: not now), bytes read, bytes shown since, and bytes that can be read. */
struct outcome {
    long result;
    unsigned char read[BYTES_MAX], shown[2 * BYTES_MAX];
    size_t read_count, shown_count;
    unsigned available;
};

static inline void text_add(char *text, const unsigned char *bytes, size_t count)
{
    size_t at = strlen(text);

    for (size_t i = 0; i < count && at + 8 < TEXT_MAX; i++) {
        unsigned char byte = bytes[i];

        if (byte == '\\' || byte == '|' || byte == '"')
            at += (size_t)sprintf(text + at, "\\%c", byte);
        else if (byte >= 32 && byte < 127)
            text[at++] = (char)byte;
        else if (byte == '\n')
            at += (size_t)sprintf(text + at, "\\n");
        else if (byte == '\r')
            at += (size_t)sprintf(text + at, "\\r");
        else if (byte == '\t')
            at += (size_t)sprintf(text + at, "\\t");
        else if (byte == '\b')
            at += (size_t)sprintf(text + at, "\\b");
        else
            at += (size_t)sprintf(text + at, "\\x%02x", byte);
    }
    text[at] = 0;
}

/* kind result:read|shown|available, and a space between steps */
static inline void outcome_add(char *text, char kind, const struct outcome *outcome)
{
    if (strlen(text) + 64 > TEXT_MAX)
        return;
    sprintf(text + strlen(text), "%s%c%ld:", *text ? " " : "", kind, outcome->result);
    text_add(text, outcome->read, outcome->read_count);
    strcat(text, "|");
    text_add(text, outcome->shown, outcome->shown_count);
    sprintf(text + strlen(text), "|%u", outcome->available);
}

struct flag_name {
    const char *name;
    char field; /* i o l, or k for a control character */
    uint32_t value;
};
static const struct flag_name flag_names[] = {
    {"istrip", 'i', PX_ISTRIP}, {"inlcr", 'i', PX_INLCR}, {"igncr", 'i', PX_IGNCR}, {"icrnl", 'i', PX_ICRNL},
    {"iuclc", 'i', PX_IUCLC}, {"ixon", 'i', PX_IXON}, {"ixany", 'i', PX_IXANY}, {"iutf8", 'i', PX_IUTF8},
    {"parmrk", 'i', PX_PARMRK}, {"opost", 'o', PX_OPOST}, {"olcuc", 'o', PX_OLCUC}, {"onlcr", 'o', PX_ONLCR},
    {"ocrnl", 'o', PX_OCRNL}, {"onocr", 'o', PX_ONOCR}, {"onlret", 'o', PX_ONLRET}, {"xtabs", 'o', PX_XTABS},
    {"isig", 'l', PX_ISIG}, {"icanon", 'l', PX_ICANON}, {"echo", 'l', PX_ECHO}, {"echoe", 'l', PX_ECHOE},
    {"echok", 'l', PX_ECHOK}, {"echonl", 'l', PX_ECHONL}, {"noflsh", 'l', PX_NOFLSH}, {"echoctl", 'l', PX_ECHOCTL},
    {"echoprt", 'l', PX_ECHOPRT}, {"echoke", 'l', PX_ECHOKE}, {"iexten", 'l', PX_IEXTEN}, {"intr", 'k', PX_VINTR},
    {"quit", 'k', PX_VQUIT}, {"erase", 'k', PX_VERASE}, {"kill", 'k', PX_VKILL}, {"eof", 'k', PX_VEOF}, {"time", 'k', PX_VTIME},
    {"min", 'k', PX_VMIN}, {"start", 'k', PX_VSTART}, {"stop", 'k', PX_VSTOP}, {"susp", 'k', PX_VSUSP}, {"eol", 'k', PX_VEOL},
    {"reprint", 'k', PX_VREPRINT}, {"werase", 'k', PX_VWERASE}, {"lnext", 'k', PX_VLNEXT}, {"eol2", 'k', PX_VEOL2},
};

static inline void settings_word(struct px_termios *termios, const char *word)
{
    bool off = *word == '-';
    const char *value = strchr(word, '=');
    size_t length = value ? (size_t)(value - word) : strlen(word + off);

    for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
        const struct flag_name *flag = &flag_names[i];
        uint32_t *field = flag->field == 'i' ? &termios->iflag : flag->field == 'o' ? &termios->oflag : &termios->lflag;

        if (strlen(flag->name) != length || strncmp(flag->name, word + off, length))
            continue;
        if (flag->field == 'k')
            termios->control[flag->value] = (uint8_t)atoi(value + 1);
        else
            *field = off ? *field & ~flag->value : *field | flag->value;
        return;
    }
    fprintf(stderr, "no such setting: %s\n", word);
    exit(1);
}

/* "-icanon min=0": as stty(1), control characters as numbers */
static inline void settings_apply(struct px_termios *termios, const char *text)
{
    char copy[512], *rest = NULL;

    CHECK(strlen(text) < sizeof(copy));
    strcpy(copy, text);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        settings_word(termios, word);
}

static inline long line_step_read(struct line *line, struct outcome *outcome, unsigned count)
{
    bool raw = !line_canonical(line);

    if (!line_readable(line, 1))
        return raw && line->termios.control[PX_VMIN] == 0 && line->termios.control[PX_VTIME] == 0 ? 0 : -11;
    outcome->read_count = line_read(line, outcome->read, count);
    return (long)outcome->read_count;
}

/* One step on the line under test. What did not fit is typed again after the next step, as a terminal does. */
static inline void line_step(struct line *line, const struct step *step, struct outcome *outcome)
{
    struct px_termios termios = line->termios;

    memset(outcome, 0, sizeof(*outcome));
    switch (step->kind) {
    case 'i': outcome->result = (long)line_receive(line, (const uint8_t *)step->bytes, step->count); break;
    case 'r': outcome->result = line_step_read(line, outcome, step->count); break;
    case 'w':
        outcome->result = (long)line_write(line, (const uint8_t *)step->bytes, step->count);
        if (outcome->result == 0 && step->count)
            outcome->result = -11;
        break;
    case 's':
        settings_apply(&termios, step->bytes);
        line_configure(line, &termios);
        break;
    case 'f': line_input_flush(line); break;
    case 'o': line_stop(line); break;
    case 'c': line_continue(line); break;
    }
    outcome->shown_count = line_output_take(line, outcome->shown, sizeof(outcome->shown));
    outcome->available = line_input_count(line);
}

static inline void line_run(const struct step *steps, char *text, uint64_t *signals)
{
    struct line *line = calloc(1, sizeof(*line));
    struct outcome *outcome = malloc(sizeof(*outcome));

    CHECK(line && outcome);
    line_start(line);
    *text = 0;
    for (unsigned i = 0; i < STEPS_MAX && steps[i].kind; i++) {
        line_step(line, &steps[i], outcome);
        outcome_add(text, steps[i].kind, outcome);
    }
    if (signals)
        *signals = line->signals;
    free(line);
    free(outcome);
}

#endif
