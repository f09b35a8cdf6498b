/*
 * The line discipline against this machine's kernel: the same scripts on both, transcripts compared: first the written cases, then random settings and
 * random input from fixed seeds. Linux has its line discipline for ever the same, so any kernel of the last ten years will do as the judge; where the
 * machine has no pseudo-terminals the test says so and passes.
 *
 * unit-sources: servers/tty/line.c servers/tty/line_echo.c servers/tty/line_erase.c servers/tty/line_input.c servers/tty/line_output.c
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cases.h"

#define RANDOM_SCRIPTS 600u
#define PATIENCE 400 /* milliseconds that the kernel gets to process input, when the outcome is not what is expected */

struct pty {
    int master, slave;
};

static unsigned settle_us;

static bool pty_open(struct pty *pty)
{
    const char *name;

    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (pty->master < 0 || unlockpt(pty->master) < 0 || !(name = ptsname(pty->master)))
        return false;
    pty->slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    return pty->slave >= 0;
}

static void pty_close(struct pty *pty)
{
    close(pty->slave);
    close(pty->master);
}

static void collect(struct pty *pty, struct outcome *outcome)
{
    struct pollfd barrier = {.fd = pty->slave, .events = POLLIN}; /* poll makes the kernel process pending input */
    ssize_t some;
    int count = 0;

    poll(&barrier, 1, 0);
    while ((some = read(pty->master, outcome->shown + outcome->shown_count, sizeof(outcome->shown) - outcome->shown_count)) > 0)
        outcome->shown_count += (size_t)some;
    CHECK(ioctl(pty->slave, PX_FIONREAD, &count) == 0);
    outcome->available = (unsigned)count;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    return a->shown_count == b->shown_count && memcmp(a->shown, b->shown, a->shown_count) == 0 && a->available == b->available;
}

static void pty_set(struct pty *pty, const char *text)
{
    struct px_termios termios = {0};

    CHECK(ioctl(pty->slave, PX_TCGETS, &termios) == 0);
    settings_apply(&termios, text);
    CHECK(ioctl(pty->slave, PX_TCSETS, &termios) == 0);
}

static void pty_step(struct pty *pty, const struct step *step, struct outcome *outcome, const struct outcome *expected)
{
    memset(outcome, 0, sizeof(*outcome));
    switch (step->kind) {
    case 'i': outcome->result = write(pty->master, step->bytes, step->count); break;
    case 'r':
        outcome->result = read(pty->slave, outcome->read, step->count);
        outcome->read_count = outcome->result > 0 ? (size_t)outcome->result : 0;
        break;
    case 'w': outcome->result = write(pty->slave, step->bytes, step->count); break;
    case 's': pty_set(pty, step->bytes); break;
    case 'f': outcome->result = ioctl(pty->slave, PX_TCFLSH, 0); break;
    case 'o': outcome->result = ioctl(pty->slave, PX_TCXONC, 0); break;
    case 'c': outcome->result = ioctl(pty->slave, PX_TCXONC, 1); break;
    }
    if (outcome->result < 0)
        outcome->result = -errno;
    if (step->kind == 'i' && expected->available > 0)
        usleep(settle_us); /* the barrier in collect works only as long as nothing can be read */
    collect(pty, outcome);
    for (int i = 0; i < PATIENCE && !same(outcome, expected); i++) {
        usleep(1000);
        collect(pty, outcome);
    }
}

/* Runs the script on both; false and both transcripts when they differ. */
static bool compare_once(const struct step *steps, char *mine, char *linux_text)
{
    struct line *line = calloc(1, sizeof(*line));
    struct outcome *expected = malloc(sizeof(*expected)), *found = malloc(sizeof(*found));
    struct pty pty;

    CHECK(line && expected && found && pty_open(&pty));
    line_start(line);
    *mine = *linux_text = 0;
    for (unsigned i = 0; i < STEPS_MAX && steps[i].kind; i++) {
        line_step(line, &steps[i], expected);
        pty_step(&pty, &steps[i], found, expected);
        outcome_add(mine, steps[i].kind, expected);
        outcome_add(linux_text, steps[i].kind, found);
        if (strcmp(mine, linux_text))
            break;
    }
    pty_close(&pty);
    free(line);
    free(expected);
    free(found);
    return strcmp(mine, linux_text) == 0;
}

/* Linux processes input on another processor. Where the scripts disagree it gets more time: a difference that stays is one. */
static bool compare(const struct step *steps, char *mine, char *linux_text)
{
    for (settle_us = 50; settle_us <= 50000; settle_us *= 30)
        if (compare_once(steps, mine, linux_text))
            return true;
    return false;
}

static char ours[TEXT_MAX], theirs[TEXT_MAX];

static void first_settings_agree(void)
{
    struct line *line = calloc(1, sizeof(*line));
    struct px_termios termios = {0};
    struct pty pty;

    CHECK(line && pty_open(&pty));
    line_start(line);
    CHECK(ioctl(pty.slave, PX_TCGETS2, &termios) == 0);
    CHECK(memcmp(&termios, &line->termios, sizeof(termios)) == 0);
    pty_close(&pty);
    free(line);
}

/* ---- random scripts ---------------------------------------------------------------------------------------------- */

static uint64_t state;

static unsigned pick(unsigned below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

static const char *random_settings(char *to)
{
    static const char *const often[] = {"icanon", "echo", "isig", "iexten", "opost", "echoe", "echok", "echoke", "echoctl", "icrnl",
                                        "onlcr", "ixon", "iutf8", "xtabs"};
    static const char *const seldom[] = {"istrip", "inlcr", "igncr", "iuclc", "ixany", "parmrk", "olcuc", "ocrnl", "onocr", "onlret",
                                         "echonl", "noflsh", "echoprt"};
    static const char *const keys[] = {"eol=59", "eol2=58", "erase=8", "intr=0", "kill=64", "eof=120", "werase=46", "min=0",
                                       "min=1", "lnext=92", "reprint=33", "start=97", "stop=98", "susp=0", "erase=255"};

    *to = 0;
    for (unsigned i = 0; i < sizeof(often) / sizeof(often[0]); i++)
        if (pick(3) == 0)
            sprintf(to + strlen(to), "%s%s ", pick(3) ? "" : "-", often[i]);
    for (unsigned i = 0; i < sizeof(seldom) / sizeof(seldom[0]); i++)
        if (pick(8) == 0)
            sprintf(to + strlen(to), "%s%s ", pick(4) ? "" : "-", seldom[i]);
    if (pick(3) == 0)
        sprintf(to + strlen(to), "%s ", keys[pick(sizeof(keys) / sizeof(keys[0]))]);
    return to;
}

static void random_bytes(char *to, unsigned count)
{
    static const char likely[] = "abcXYZ019 __..;:@\t\t\n\n\n\r\r\x7f\x7f\x7f\x08\x15\x17\x12\x16\x16\x04\x04\x11\x13\xc3\xa9\xe2\x82\xac\xff\x01\x1b";

    for (unsigned i = 0; i < count; i++) {
        to[i] = pick(20) ? likely[pick(sizeof(likely) - 1)] : (char)pick(256);
        if ((to[i] & 0x7f) == 3 || (to[i] & 0x7f) == 0x1a || (to[i] & 0x7f) == 0x1c)
            to[i] = 'q';
    }
    /* A signal key throws output away. What came before it in the same batch may have reached the master already, or not: that is a race in Linux. */
    if (pick(4) == 0)
        to[0] = "\x03\x1a\x1c"[pick(3)];
}

static void random_step(struct step *step, char *buffer)
{
    unsigned kind = pick(20);

    step->bytes = buffer;
    if (kind < 9) {
        /* Short enough that echoes are not shown before the end of the batch: a signal key drops what is not shown yet. */
        step->kind = 'i';
        step->count = 1 + pick(24);
        random_bytes(buffer, step->count);
    } else if (kind < 14) {
        step->kind = 'r';
        step->count = 1 + pick(30);
    } else if (kind < 16) {
        step->kind = 'w';
        step->count = 1 + pick(30);
        random_bytes(buffer, step->count);
    } else if (kind < 18) {
        step->kind = 's';
        random_settings(buffer);
    } else {
        static const char rare[] = "foc";

        step->kind = rare[pick(3)];
    }
}

static void print_steps(const struct step *steps)
{
    static char text[TEXT_MAX];

    for (unsigned i = 0; i < STEPS_MAX && steps[i].kind; i++) {
        *text = 0;
        if (steps[i].kind == 's')
            strcpy(text, steps[i].bytes);
        else if (steps[i].kind == 'i' || steps[i].kind == 'w')
            text_add(text, (const unsigned char *)steps[i].bytes, steps[i].count);
        fprintf(stderr, "  %2u %c %u %s\n", i, steps[i].kind, steps[i].count, text);
    }
}

static void random_scripts(void)
{
    static char buffers[STEPS_MAX][512];

    for (unsigned seed = 1; seed <= RANDOM_SCRIPTS; seed++) {
        struct step steps[STEPS_MAX] = {0};

        state = seed * 0x9e3779b97f4a7c15ull;
        steps[0] = (struct step){'s', 0, random_settings(buffers[0])};
        for (unsigned i = 1; i < STEPS_MAX - 1; i++)
            random_step(&steps[i], buffers[i]);
        if (!compare(steps, ours, theirs)) {
            fprintf(stderr, "seed %u differs\n", seed);
            print_steps(steps);
            fprintf(stderr, "  ours:  %s\n  Linux: %s\n", ours, theirs);
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    struct pty pty;
    unsigned differing = 0;

    if (!pty_open(&pty)) {
        printf("tty_oracle: skipped: this machine has no pseudo-terminals\n");
        return 0;
    }
    pty_close(&pty);
    if (argc > 1 && strcmp(argv[1], "--record") == 0) {
        for (unsigned i = 0; i < LINE_CASES; i++) {
            compare(line_cases[i].steps, ours, theirs);
            printf("%s\t%s\n", line_cases[i].name, theirs);
        }
        return 0;
    }
    first_settings_agree();
    for (unsigned i = 0; i < LINE_CASES; i++) {
        if (compare(line_cases[i].steps, ours, theirs))
            continue;
        fprintf(stderr, "%s\n  ours:  %.2000s\n  Linux: %.2000s\n", line_cases[i].name, ours, theirs);
        differing++;
    }
    CHECK(differing == 0);
    random_scripts();
    printf("tty_oracle: %u cases and %u random scripts agree with this kernel\n", (unsigned)LINE_CASES, RANDOM_SCRIPTS);
    return 0;
}
