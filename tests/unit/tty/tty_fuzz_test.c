/*
 * Hostile clients of tty: the corpus and what a fuzzer makes of it, from processes of one user that come and go, hold pseudo-terminals and are in sessions of
 * their own. Each call is answered once; the terminals of a victim of another user stay as they are to the last byte, and work between any two calls; no signal
 * goes to his groups; and when the crowd is gone its terminals are free. The kernel is made up here. EXO_SEED adds a seed to those below.
 *
 * unit-sources: servers/tty/line.c servers/tty/line_input.c servers/tty/line_output.c servers/tty/line_echo.c servers/tty/line_erase.c
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRAP_FAKE_MESSAGE fake_message
static int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
static int64_t fake_message(uint64_t call, uint64_t endpoint, uint64_t words[5], uint64_t *badge);
#include "tests/unit/trap_fake.h"

#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/ipc.h>

#include "libexo/loop.c"
#include "libos/posix/linux.h"
#include "libos/posix/proto/layout.h"

static uint8_t *fake_message_page(unsigned index);
#undef PX_CLIENT_MSG
#define PX_CLIENT_MSG(index) fake_message_page(index)
#include "servers/tty/control.c"
#include "servers/tty/job.c"
#include "servers/tty/serve.c"
#include "servers/tty/terminal.c"
#include "tests/fuzz/corpus.h"

#define CHECK(condition)                                                                                                                                       \
    do {                                                                                                                                                       \
        if (!(condition)) {                                                                                                                                    \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                                                    \
            exit(1);                                                                                                                                           \
        }                                                                                                                                                      \
    } while (0)

#define CALLS 60000u
#define PROCESSES 24u /* entries 2.. of the table */
#define VICTIM 2u     /* a leader with a pseudo-terminal, and a shell's job in its own group */
#define JOB 3u
#define FIRST_OF_CROWD 4u
#define USER 1000u
#define TERMINAL_BYTES (TERMINAL_PAGES * EXO_PAGE_BYTES)
static const uint64_t seeds[] = {1, 20261122, 99};

struct service service;
static _Alignas(4096) uint8_t terminals[PX_TTYS_MAX][TERMINAL_BYTES];
static _Alignas(4096) uint8_t pages[PX_PROCS_MAX][4096];
static _Alignas(1024) uint8_t process_table[PX_PROCS_MAX * sizeof(struct px_proc)];
static struct px_ttypage tty_page;
static const struct px_server_start start = {.self = 1, .proc = 2};
static unsigned answers, lost;

/* Tallies by their handles: 100 and more. Who holds how many is counted here, as the kernel would. */
#define TALLIES 4096u
#define SHOWN 100000u /* more: a copy of it that came with a message */
static struct {
    uint32_t *word;
    uint32_t held[PROCESSES];
} tallies[TALLIES];
static unsigned tally_count;
static uint64_t given;
static int64_t result;
static uint64_t result_words[3];
static unsigned who; /* calls */
static uint64_t handles[16];
static int32_t next_pid = 100;

static struct px_proc *process(unsigned index)
{
    return PX_PROC(process_table, index);
}

static uint8_t *fake_message_page(unsigned index)
{
    CHECK(index >= VICTIM && index < PROCESSES);
    return pages[index];
}

void say(const char *format, ...)
{
    lost += strstr(format, "lost") != NULL;
}
bool host_log(const uint8_t *text, size_t bytes)
{
    (void)text;
    return bytes < 1000;
}
void host_show(void)
{
}
uint64_t now_ns(void)
{
    return 1;
}

/* proc is told: only of groups and sessions that are the crowd's. */
static int64_t fake_message(uint64_t call, uint64_t endpoint, uint64_t words[5], uint64_t *badge)
{
    (void)badge;
    CHECK(call == EXO_CALL_EP_CALL && endpoint == start.proc);
    if (words[0] == PX_PROC_SETTTY)
        CHECK((int32_t)words[2] != process(VICTIM)->sid || who < FIRST_OF_CROWD);
    else if (words[0] == PX_PROC_TTYSIGNAL)
        CHECK(((int32_t)words[1] != process(VICTIM)->pgid && (int32_t)words[1] != process(JOB)->pgid) || who < FIRST_OF_CROWD);
    else
        CHECK(!"anything else");
    return 0;
}

static int64_t made_tally(uint32_t *word)
{
    unsigned i = 0;

    while (i < tally_count && tallies[i].word)
        i++;
    CHECK(i < TALLIES);
    tally_count = i == tally_count ? i + 1 : tally_count;
    tallies[i].word = word;
    memset(tallies[i].held, 0, sizeof(tallies[i].held));
    *word = 1;
    return 100 + i;
}

static int64_t replied(uint64_t status, const uint64_t *words, uint64_t capability)
{
    answers++;
    result = (int64_t)status;
    memcpy(result_words, words, sizeof(result_words));
    given = capability;
    if (capability) {
        CHECK(capability >= 100 && tallies[capability - 100].word);
        tallies[capability - 100].held[who]++;
        ++*tallies[capability - 100].word;
    }
    return 0;
}

static int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const uint64_t words[3] = {b, c, d};

    (void)f;
    switch (call) {
    case EXO_CALL_MEM_ALLOC:
        CHECK(b >= (uint64_t)terminals && b + c * 4096 <= (uint64_t)terminals + sizeof(terminals));
        if (corpus_below(20) == 0)
            return -EXO_E_NOMEM;
        memset((void *)b, 0, c * 4096);
        return (int64_t)c;
    case EXO_CALL_MEM_UNMAP: memset((void *)b, 0xee, c * 4096); return (int64_t)c;
    case EXO_CALL_TALLY_CREATE: return made_tally((uint32_t *)a);
    case EXO_CALL_CAP_DELETE:
        if (a >= 100 && a < 100 + TALLIES)
            tallies[a - 100].word = NULL;
        return 0;
    case EXO_CALL_CAP_INFO:
        a -= a >= SHOWN ? SHOWN : 0;
        if (a < 100 || a >= 100 + TALLIES || !tallies[a - 100].word)
            return -EXO_E_BADSLOT;
        *(struct exo_cap_info *)b = (struct exo_cap_info){.type = EXO_TYPE_TALLY, .object = a};
        return 0;
    case EXO_CALL_WAKE: return 0;
    case EXO_CALL_EP_REPLY: return replied(a, words, 0);
    case EXO_CALL_EP_REPLY_CAP: return replied(a, words, e);
    default: CHECK(!"a call that tty makes"); return 0;
    }
}

uint64_t corpus_value(enum corpus_name name)
{
    switch (name) {
    case OWN_PID: return (uint64_t)process(who)->pid;
    case OTHER_PID: return (uint64_t)process(VICTIM)->pid;
    case OWN_GROUP: return (uint64_t)process(who)->pgid;
    case OTHER_GROUP: return (uint64_t)process(JOB)->pgid;
    case OWN_MASTER: return handles[corpus_below(16)] | PX_TTY_MASTER;
    case OWN_SLAVE: return handles[corpus_below(16)] & ~(uint64_t)PX_TTY_MASTER;
    case OTHER_MASTER: return handle_of(service.terminal[1], SIDE_MASTER);
    case OTHER_SLAVE: return handle_of(service.terminal[1], SIDE_SLAVE);
    case OLD_SLAVE: return handles[corpus_below(16)] ^ 1ull << 16;
    default: return corpus_below(200);
    }
}

static void forget_process(unsigned index)
{
    for (unsigned i = 0; i < tally_count; i++)
        if (tallies[i].word) {
            *tallies[i].word -= tallies[i].held[index];
            tallies[i].held[index] = 0;
        }
    process(index)->state = PX_FREE;
}

/* A new process of the crowd: a leader, or a member of another one's session in his group or its own. */
static void born(unsigned index)
{
    struct px_proc *self = process(index);
    const struct px_proc *parent = process(FIRST_OF_CROWD + (unsigned)corpus_below(PROCESSES - FIRST_OF_CROWD));
    int32_t pid = next_pid++;

    forget_process(index);
    *self = (struct px_proc){.state = PX_RUNNING, .gen = self->gen + 1, .pid = pid, .pgid = pid, .sid = pid, .uid = USER, .euid = USER, .ppid = parent->pid,
                             .flags = PX_PF_LEADER};
    if (corpus_below(3) && parent != self && parent->state == PX_RUNNING) {
        self->sid = parent->sid;
        self->pgid = corpus_below(2) ? parent->pgid : pid;
        self->flags = 0;
    }
    processes_changed();
    proc_send_all();
    terminals_count();
}

static int64_t call(unsigned index, const uint64_t words[5], uint64_t capability)
{
    struct exo_message message = {.badge = PX_BADGE(index, process(index)->gen), .capability = capability};

    memcpy(message.word, words, sizeof(message.word));
    who = index;
    answers = 0;
    given = 0;
    serve(&message);
    CHECK(answers == 1 && result > -600 && result <= 4096);
    proc_send_all();
    terminals_count();
    return result;
}

static int64_t ask(unsigned index, uint64_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t words[5] = {op, a, b, c, d};

    return call(index, words, 0);
}

/* The victim's terminal does what it does: a line typed is echoed and read, and his settings are the first ones. */
static void victim_works(void)
{
    uint64_t master = handle_of(service.terminal[1], SIDE_MASTER), slave = handle_of(service.terminal[1], SIDE_SLAVE);
    struct px_winsize size = {25, 80, 0, 0};

    memcpy(pages[VICTIM], "line\n", 5);
    CHECK(ask(VICTIM, PX_TTY_WRITE, master, 5, 0, 0) == 5);
    CHECK(ask(VICTIM, PX_TTY_READ, master, 100, 0, 0) == 6 && memcmp(pages[VICTIM], "line\r\n", 6) == 0);
    CHECK(ask(VICTIM, PX_TTY_READ, slave, 100, 0, 0) == 5 && memcmp(pages[VICTIM], "line\n", 5) == 0);
    memcpy(pages[VICTIM], &size, sizeof(size));
    CHECK(ask(VICTIM, PX_TTY_IOCTL, slave, PX_TIOCSWINSZ, 0, 0) == 0);
    service.terminal[1]->side[0].awaited = service.terminal[1]->side[1].awaited = false;
}

static void begin(void)
{
    memset(process_table, 0, sizeof(process_table));
    memset(&service, 0, sizeof(service));
    memset(handles, 0, sizeof(handles));
    ((struct px_proctab *)process_table)->table_pages = PROCESSES / 4;
    service.start = &start;
    service.table = process_table;
    service.page = &tty_page;
    service.terminals_va = (uint64_t)terminals;
    tally_count = 0;
    memset(tallies, 0, sizeof(tallies));
    *process(VICTIM) = (struct px_proc){.state = PX_RUNNING, .gen = 1, .pid = 10, .pgid = 10, .sid = 10, .flags = PX_PF_LEADER, .uid = 2000, .euid = 2000};
    *process(JOB) = (struct px_proc){.state = PX_RUNNING, .gen = 1, .pid = 11, .pgid = 11, .sid = 10, .ppid = 10, .uid = 2000, .euid = 2000};
    who = VICTIM;
    while (!terminal_new(PX_TTY_CONSOLE, false))
        ;
    service.terminal[0]->owner = 0;
    while (ask(VICTIM, PX_TTY_NEWPTY, 0, 0, 0, 0) < 0)
        ;
    memset(pages[VICTIM], 0, 8);
    CHECK(ask(VICTIM, PX_TTY_IOCTL, handle_of(service.terminal[1], SIDE_MASTER), PX_TIOCSPTLCK, 0, 0) == 0);
    CHECK(ask(VICTIM, PX_TTY_OPEN, 1, O_RDWR, 0, 0) == 0 && service.terminal[1]->sid == 10);
}

/* Capabilities of descriptions that the caller closes, or shows: its own, or a made-up one. */
static void close_some(unsigned index)
{
    unsigned i = (unsigned)corpus_below(tally_count);

    if (tallies[i].word && tallies[i].held[index]) {
        tallies[i].held[index]--;
        --*tallies[i].word;
    }
}

static void one_call(void)
{
    unsigned index = FIRST_OF_CROWD + (unsigned)corpus_below(PROCESSES - FIRST_OF_CROWD);
    uint64_t words[5], shown = 0;

    if (process(index)->state != PX_RUNNING || corpus_below(40) == 0) {
        who = index;
        born(index);
    }
    who = index;
    corpus_next(corpus_tty, sizeof(corpus_tty) / sizeof(corpus_tty[0]), words, pages[index]);
    if (words[0] == PX_TTY_CLOSE)
        close_some(index);
    if (words[0] == PX_TTY_CLAIM && corpus_below(2))
        for (unsigned i = 0; i < tally_count && !shown; i++)
            shown = tallies[i].word && tallies[i].held[index] ? SHOWN + 100 + i : 0;
    (void)call(index, words, shown);
    if (result >= 0 && (words[0] == PX_TTY_OPEN || words[0] == PX_TTY_NEWPTY))
        handles[corpus_below(16)] = result_words[0];
}

static void round_of(uint64_t seed)
{
    static uint8_t before[TERMINAL_BYTES], console[TERMINAL_BYTES];

    corpus_seed(seed);
    begin();
    for (unsigned i = 0; i < CALLS; i++) {
        if (i % 64 == 0)
            victim_works();
        memcpy(before, service.terminal[1], TERMINAL_BYTES);
        memcpy(console, service.terminal[0], TERMINAL_BYTES);
        one_call();
        CHECK(memcmp(before, service.terminal[1], TERMINAL_BYTES) == 0 && memcmp(console, service.terminal[0], TERMINAL_BYTES) == 0);
    }
    CHECK(lost == 0);
    for (who = FIRST_OF_CROWD; who < PROCESSES; who++)
        forget_process(who);
    processes_changed();
    proc_send_all();
    terminals_count();
    for (unsigned i = 2; i < PX_TTYS_MAX; i++)
        CHECK(!service.terminal[i]);
    victim_works();
}

/* A group that a terminal was given to is gone, and its number is a group's of another session: keys of the terminal are nothing to that one. */
static void test_number_used_again(void)
{
    int32_t group;

    corpus_seed(5);
    begin();
    *process(FIRST_OF_CROWD) =
        (struct px_proc){.state = PX_RUNNING, .gen = 1, .pid = 90, .pgid = 90, .sid = 90, .flags = PX_PF_LEADER, .uid = USER, .euid = USER};
    *process(FIRST_OF_CROWD + 1) = (struct px_proc){.state = PX_RUNNING, .gen = 1, .pid = 91, .pgid = 91, .sid = 90, .ppid = 90, .uid = USER, .euid = USER};
    while (ask(FIRST_OF_CROWD, PX_TTY_NEWPTY, 0, 0, 0, 0) < 0)
        ;
    memset(pages[FIRST_OF_CROWD], 0, 8);
    CHECK(ask(FIRST_OF_CROWD, PX_TTY_IOCTL, handle_of(service.terminal[2], SIDE_MASTER), PX_TIOCSPTLCK, 0, 0) == 0);
    CHECK(ask(FIRST_OF_CROWD, PX_TTY_OPEN, 2, O_RDWR, 0, 0) == 0 && service.terminal[2]->sid == 90);
    group = 91;
    memcpy(pages[FIRST_OF_CROWD], &group, sizeof(group));
    CHECK(ask(FIRST_OF_CROWD, PX_TTY_IOCTL, handle_of(service.terminal[2], SIDE_SLAVE), PX_TIOCSPGRP, 0, 0) == 0);
    process(FIRST_OF_CROWD + 1)->state = PX_FREE;
    process(JOB)->pid = process(JOB)->pgid = 91;
    memcpy(pages[FIRST_OF_CROWD], "\3", 1);
    CHECK(ask(FIRST_OF_CROWD, PX_TTY_WRITE, handle_of(service.terminal[2], SIDE_MASTER), 1, 0, 0) == 1); /* fake_message checks */
    forget_process(FIRST_OF_CROWD);
    processes_changed();
    proc_send_all();
}

int main(void)
{
    const char *asked = getenv("EXO_SEED");

    for (unsigned i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
        round_of(seeds[i]);
    if (asked)
        round_of(strtoull(asked, NULL, 0));
    test_number_used_again();
    return 0;
}
