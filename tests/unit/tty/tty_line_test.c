/*
 * The line discipline by itself: the recorded scripts of cases.h, misuse, and random input against invariants: nothing is lost that there was room for, nothing
 * runs over its buffer, reads give back what was typed.
 *
 * unit-sources: servers/tty/line.c servers/tty/line_echo.c servers/tty/line_erase.c servers/tty/line_input.c servers/tty/line_output.c
 */
#include "cases.h"

#define RANDOM_LINES 400u
#define RANDOM_STEPS 400u

static uint64_t state;

static unsigned pick(unsigned below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

static struct line *new_line(const char *settings)
{
    struct line *line = calloc(1, sizeof(*line));
    struct px_termios termios;

    CHECK(line != NULL);
    line_start(line);
    termios = line->termios;
    settings_apply(&termios, settings);
    line_configure(line, &termios);
    return line;
}

/* Long transcripts are recorded by their hash. */
static uint64_t hash(const char *text)
{
    uint64_t value = 14695981039346656037ull;

    while (*text)
        value = (value ^ (uint8_t)*text++) * 1099511628211ull;
    return value;
}

static void recorded_scripts(void)
{
    static char text[TEXT_MAX];
    unsigned failed = 0;

    for (unsigned i = 0; i < LINE_CASES; i++) {
        const struct line_case *one = &line_cases[i];
        uint64_t signals;
        bool right;

        line_run(one->steps, text, &signals);
        right = one->transcript[0] == '#' ? hash(text) == strtoull(one->transcript + 1, NULL, 16) : strcmp(text, one->transcript) == 0;
        if (!right || signals != one->signals) {
            fprintf(stderr, "%s: signals %llx\n  is:     %.3000s\n  should: %.3000s\n", one->name, (unsigned long long)signals, text,
                    one->transcript);
            failed++;
        }
    }
    CHECK(failed == 0);
}

/* Raw input comes out as it went in, in any pieces; what does not fit is not taken. */
static void raw_is_lossless(void)
{
    struct line *line = new_line("-icanon -echo -isig -ixon -icrnl");
    static uint8_t typed[200000], read_back[200000];
    size_t in = 0, out = 0;

    state = 7;
    for (size_t i = 0; i < sizeof(typed); i++)
        typed[i] = (uint8_t)pick(256);
    while (out < sizeof(typed)) {
        size_t some = pick(3000);

        if (some > sizeof(typed) - in)
            some = sizeof(typed) - in;
        in += line_receive(line, typed + in, some);
        CHECK(line_input_used(line) < LINE_INPUT_BYTES && line_input_used(line) == in - out);
        some = pick(3000);
        if (line_readable(line, 1))
            out += line_read(line, read_back + out, some);
    }
    CHECK(memcmp(typed, read_back, sizeof(typed)) == 0);
    free(line);
}

static void raw_full_takes_no_more(void)
{
    struct line *line = new_line("-icanon -echo -isig -ixon -icrnl");
    static uint8_t bytes[2 * LINE_INPUT_BYTES];

    CHECK(line_receive(line, bytes, sizeof(bytes)) == LINE_INPUT_BYTES - 1);
    CHECK(line_receive(line, bytes, 1) == 0);
    CHECK(line_read(line, bytes, 10) == 10);
    CHECK(line_receive(line, bytes, 100) == 10);
    free(line);
}

/* With a whole line unread the next one waits; without, a line too long is taken and cut. */
static void canonical_full(void)
{
    struct line *line = new_line("-echo");
    static uint8_t bytes[3 * LINE_INPUT_BYTES];

    memset(bytes, 'x', sizeof(bytes));
    CHECK(line_receive(line, bytes, sizeof(bytes)) == sizeof(bytes));
    CHECK(!line_readable(line, 1));
    CHECK(line_receive(line, (const uint8_t *)"\n", 1) == 1);
    CHECK(line_read(line, bytes, sizeof(bytes)) == LINE_INPUT_BYTES);
    CHECK(bytes[LINE_INPUT_BYTES - 1] == '\n' && bytes[LINE_INPUT_BYTES - 2] == 'x');
    CHECK(line_receive(line, (const uint8_t *)"a\n", 2) == 2);
    memset(bytes, 'x', sizeof(bytes));
    CHECK(line_receive(line, bytes, sizeof(bytes)) == LINE_INPUT_BYTES - 1 - 2);
    CHECK(line_read(line, bytes, 10) == 2);
    free(line);
}

static void output_full(void)
{
    struct line *line = new_line("");
    static uint8_t bytes[LINE_OUTPUT_BYTES + 10], shown[2 * LINE_OUTPUT_BYTES];
    size_t taken;

    memset(bytes, '\n', sizeof(bytes));
    taken = line_write(line, bytes, sizeof(bytes));
    CHECK(taken == LINE_OUTPUT_BYTES / 2); /* each became two */
    CHECK(line_write(line, bytes, 1) == 0 && line_output_room(line) == 0);
    CHECK(line_receive(line, (const uint8_t *)"abc", 3) == 3); /* echo waits */
    CHECK(line_output_take(line, shown, sizeof(shown)) == LINE_OUTPUT_BYTES);
    line_echo_flush(line);
    CHECK(line_output_take(line, shown, sizeof(shown)) == 3 && memcmp(shown, "abc", 3) == 0);
    /* One byte of room is not enough for a new line. */
    memset(bytes, 'x', sizeof(bytes));
    CHECK(line_write(line, bytes, LINE_OUTPUT_BYTES - 1) == LINE_OUTPUT_BYTES - 1);
    CHECK(line_write(line, (const uint8_t *)"\n", 1) == 0 && line_write(line, (const uint8_t *)"y", 1) == 1);
    free(line);
}

/* Output is stopped and somebody types on and on: the echo that waits is bounded, and the newest is kept. */
static void echo_is_bounded(void)
{
    struct line *line = new_line("");
    static uint8_t shown[4 * LINE_OUTPUT_BYTES];
    size_t count;

    line_stop(line);
    for (unsigned i = 0; i < 3 * LINE_ECHO_STEPS; i++)
        CHECK(line_receive(line, (const uint8_t *)"\x01\x7f", 2) == 2);
    CHECK(line_receive(line, (const uint8_t *)"z", 1) == 1);
    CHECK(line_output_count(line) == 0);
    line_continue(line);
    line_echo_flush(line);
    count = line_output_take(line, shown, sizeof(shown));
    CHECK(count > 0 && shown[count - 1] == 'z');
    free(line);
}

static void polling_with_minimum(void)
{
    struct line *line = new_line("-icanon -echo");

    CHECK(!line_readable(line, 0) && !line_readable(line, 1));
    line_receive(line, (const uint8_t *)"abc", 3);
    CHECK(line_readable(line, 0) && line_readable(line, 3) && !line_readable(line, 4));
    CHECK(line_read(line, NULL, 0) == 0);
    free(line);
}

/* ---- random ------------------------------------------------------------------------------------------------------ */

static void check_invariants(const struct line *line)
{
    CHECK(line_input_used(line) <= LINE_INPUT_BYTES);
    CHECK(line_output_count(line) <= LINE_OUTPUT_BYTES);
    CHECK(line->echo_put - line->echo_taken <= LINE_ECHO_STEPS);
    if (line_canonical(line)) {
        CHECK(line->input_ready - line->input_taken <= LINE_INPUT_BYTES);
        CHECK(line->input_put - line->input_ready <= LINE_INPUT_BYTES);
        CHECK(line_input_count(line) <= line_input_used(line));
        /* Whole lines end with an end. */
        CHECK(line->input_ready == line->input_taken || line_end_at(line, line->input_ready - 1));
    }
}

static void random_termios(struct px_termios *termios)
{
    for (unsigned i = 0; i < 3; i++) {
        termios->iflag ^= 1u << pick(15);
        termios->oflag ^= 1u << pick(13);
        termios->lflag ^= 1u << pick(17);
    }
    if (pick(4) == 0)
        termios->control[pick(PX_TERMIOS_CONTROLS)] = (uint8_t)pick(256);
}

static void random_line(unsigned seed)
{
    struct line *line = new_line("");
    uint8_t *bytes = malloc(6000);

    CHECK(bytes != NULL);
    state = seed * 0x9e3779b97f4a7c15ull;
    for (unsigned step = 0; step < RANDOM_STEPS; step++) {
        size_t count = pick(8) ? pick(40) : pick(6000);
        struct px_termios termios = line->termios;
        bool text = pick(2);

        for (size_t i = 0; i < count; i++)
            bytes[i] = text ? "ab \t\n\r\x7f\x15\x17\x16\x04\x03\x12\x11\x13\xc3\xa9"[pick(17)] : (uint8_t)pick(256);
        switch (pick(8)) {
        case 0:
            random_termios(&termios);
            line_configure(line, &termios);
            break;
        case 1: CHECK(line_write(line, bytes, count) <= count); break;
        case 2: CHECK(line_output_take(line, bytes, count) <= count); break;
        case 3:
            if (line_readable(line, 1))
                CHECK(line_read(line, bytes, count) <= count);
            break;
        case 4:
            if (pick(8) == 0)
                pick(2) ? line_stop(line) : line_continue(line);
            break;
        default: CHECK(line_receive(line, bytes, count) <= count); break;
        }
        check_invariants(line);
    }
    free(bytes);
    free(line);
}

/* A terminal that is emptied never refuses input for ever, whatever its settings were. */
static void always_recovers(unsigned seed)
{
    struct line *line = new_line("");
    struct px_termios termios = line->termios;
    uint8_t byte = 'x', sink[LINE_INPUT_BYTES];
    unsigned refused = 0;

    state = seed;
    for (unsigned i = 0; i < 20; i++)
        random_termios(&termios);
    line_configure(line, &termios);
    for (unsigned i = 0; i < 3 * LINE_INPUT_BYTES; i++) {
        if (line_receive(line, &byte, 1) == 1) {
            refused = 0;
            continue;
        }
        CHECK(line_readable(line, 1));
        CHECK(line_read(line, sink, sizeof(sink)) > 0 && ++refused < 2);
    }
    free(line);
}

int main(void)
{
    recorded_scripts();
    raw_is_lossless();
    raw_full_takes_no_more();
    canonical_full();
    output_full();
    echo_is_bounded();
    polling_with_minimum();
    for (unsigned seed = 1; seed <= RANDOM_LINES; seed++) {
        random_line(seed);
        always_recovers(seed);
    }
    printf("tty_line: %u scripts, %u random lines\n", (unsigned)LINE_CASES, RANDOM_LINES);
    return 0;
}
