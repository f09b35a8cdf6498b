/* Terminals: making and freeing them, moving bytes through them, and waking who waits for them. */
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/loop.h>
#include <exo/string.h>

#include "proc.h"
#include "service.h"

#define TERMINAL_PAGES ((sizeof(struct terminal) + EXO_PAGE_BYTES - 1) / EXO_PAGE_BYTES)
#define WRITE_ROOM_POLL 1u

static unsigned word_index(const struct terminal *terminal, enum side_of side)
{
    return terminal->index + (side == SIDE_MASTER ? PX_TTYS_MAX : 0);
}

static bool make_tally(struct side *side)
{
    int64_t tally = exo_tally_create(&side->opens);

    if (tally < 0)
        return false;
    side->tally = (uint64_t)tally;
    return true;
}

struct terminal *terminal_new(unsigned index, bool pty)
{
    uint64_t va = service.terminals_va + index * TERMINAL_PAGES * EXO_PAGE_BYTES;
    struct terminal *terminal = (struct terminal *)va;

    if (exo_alloc_all(service.start->self, va, TERMINAL_PAGES, EXO_PROT_READ | EXO_PROT_WRITE, NULL) < 0) {
        (void)!exo_unmap_all(service.start->self, va, TERMINAL_PAGES);
        return NULL;
    }
    terminal->index = index;
    terminal->pty = pty;
    terminal->epoch = ++service.epoch[index];
    if (!make_tally(&terminal->side[SIDE_SLAVE]) || (pty && !make_tally(&terminal->side[SIDE_MASTER]))) {
        terminal_free(terminal);
        return NULL;
    }
    line_start(&terminal->line);
    service.terminal[index] = terminal;
    terminal_publish(terminal);
    return terminal;
}

void terminal_free(struct terminal *terminal)
{
    unsigned index = terminal->index;

    for (unsigned side = 0; side < 2; side++)
        if (terminal->side[side].tally)
            (void)!exo_cap_delete(terminal->side[side].tally);
    if (service.terminal[index] == terminal) {
        service.terminal[index] = NULL;
        service.page->tty[index].state = service.page->tty[index + PX_TTYS_MAX].state = 0;
        service.page->tty[index].pgid = service.page->tty[index].sid = 0;
    }
    (void)!exo_unmap_all(service.start->self, (uint64_t)terminal, TERMINAL_PAGES);
}

struct terminal *pty_new(uint32_t owner)
{
    for (unsigned number = 0; number < TTY_PTYS_MAX; number++) {
        struct terminal *terminal;

        if (service.terminal[number + 1])
            continue;
        terminal = terminal_new(number + 1, true);
        if (terminal) {
            terminal->owner = owner;
            terminal->locked = true;
        }
        return terminal;
    }
    return NULL;
}

void terminal_publish(const struct terminal *terminal)
{
    service.page->tty[terminal->index].pgid = (uint32_t)terminal->pgid;
    service.page->tty[terminal->index].sid = (uint32_t)terminal->sid;
    service.page->tty[terminal->index].state = 1;
    if (terminal->pty)
        service.page->tty[terminal->index + PX_TTYS_MAX].state = 1;
}

static unsigned slave_events(const struct terminal *terminal)
{
    const uint8_t *control = terminal->line.termios.control;
    unsigned events = 0;

    if (line_readable(&terminal->line, control[PX_VTIME] ? 1 : control[PX_VMIN]))
        events |= POLLIN | POLLRDNORM;
    if (terminal->input_ended && terminal_pending(terminal) == 0)
        events |= POLLIN | POLLRDNORM;
    if (line_output_room(&terminal->line) >= WRITE_ROOM_POLL)
        events |= POLLOUT | POLLWRNORM;
    return events;
}

static unsigned master_events(const struct terminal *terminal)
{
    unsigned events = 0;

    if (line_output_count(&terminal->line) > 0)
        events |= POLLIN | POLLRDNORM;
    if (terminal_has_news(terminal))
        events |= POLLPRI | POLLIN | POLLRDNORM;
    if (terminal_pending(terminal) < PENDING_BYTES)
        events |= POLLOUT | POLLWRNORM;
    if (terminal->side[SIDE_SLAVE].was_open && !terminal->side[SIDE_SLAVE].open)
        events |= POLLHUP;
    return events;
}

void terminal_wake(struct terminal *terminal, enum side_of side)
{
    uint32_t *word = &service.page->tty[word_index(terminal, side)].seq;
    uint64_t owner = terminal->side[side].owner;

    if (owner && (side == SIDE_MASTER ? master_events(terminal) : slave_events(terminal)) & (POLLIN | POLLHUP))
        proc_post(PX_PROC_TELL, owner, PX_TELL_IN, 0);
    if (!terminal->side[side].awaited)
        return;
    terminal->side[side].awaited = false;
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    exo_wake_all(word);
}

uint32_t terminal_pending(const struct terminal *terminal)
{
    return terminal->pending_put - terminal->pending_taken;
}

static void send_key_signals(struct terminal *terminal)
{
    uint64_t signals = terminal->line.signals;

    terminal->line.signals = 0;
    while (signals) {
        int signal = __builtin_ctzll(signals) + 1;

        signals &= signals - 1;
        job_signal_foreground(terminal, signal);
    }
}

/* Input changes what can be read, and its echo what the master or the screen gets. */
static void input_moved(struct terminal *terminal, uint32_t output_before)
{
    send_key_signals(terminal);
    terminal_wake(terminal, SIDE_SLAVE);
    if (terminal->pty && (terminal->line.output_put != output_before || terminal_has_news(terminal)))
        terminal_wake(terminal, SIDE_MASTER);
}

void terminal_pump(struct terminal *terminal)
{
    uint32_t output_before = terminal->line.output_put;
    bool moved = false;

    while (terminal_pending(terminal) > 0) {
        uint32_t at = terminal->pending_taken % PENDING_BYTES, count = terminal_pending(terminal);
        size_t taken;

        if (count > PENDING_BYTES - at)
            count = PENDING_BYTES - at;
        taken = line_receive(&terminal->line, terminal->pending + at, count);
        terminal->pending_taken += (uint32_t)taken;
        moved |= taken > 0;
        if (taken < count)
            break;
    }
    if (moved) {
        input_moved(terminal, output_before);
        if (terminal->pty)
            terminal_wake(terminal, SIDE_MASTER); /* room to write */
    }
}

size_t terminal_input(struct terminal *terminal, const uint8_t *bytes, size_t count)
{
    uint32_t output_before = terminal->line.output_put;
    size_t done = 0;

    if (terminal_pending(terminal) == 0) {
        done = line_receive(&terminal->line, bytes, count);
        input_moved(terminal, output_before);
    }
    while (done < count && terminal_pending(terminal) < PENDING_BYTES)
        terminal->pending[terminal->pending_put++ % PENDING_BYTES] = bytes[done++];
    return done;
}

static void side_closed(struct terminal *terminal, enum side_of side)
{
    terminal->side[side].open = false;
    terminal->side[side].owner = 0;
    memset(terminal->side[side].holders, 0, sizeof(terminal->side[side].holders));
    if (!terminal->pty)
        return;
    if (side == SIDE_MASTER)
        job_hang_up(terminal);
    else
        terminal_wake(terminal, SIDE_MASTER); /* end of file for the master */
}

void terminals_count(void)
{
    for (unsigned index = 0; index < PX_TTYS_MAX; index++) {
        struct terminal *terminal = service.terminal[index];

        if (!terminal)
            continue;
        for (unsigned side = 0; side < 2; side++)
            if (terminal->side[side].open && __atomic_load_n(&terminal->side[side].opens, __ATOMIC_SEQ_CST) <= 1)
                side_closed(terminal, side);
        if (terminal->pty && !terminal->side[SIDE_MASTER].open && !terminal->side[SIDE_SLAVE].open)
            terminal_free(terminal);
    }
}

unsigned side_events(struct terminal *terminal, enum side_of side)
{
    terminal->side[side].awaited = true;
    return side == SIDE_MASTER ? master_events(terminal) : slave_events(terminal);
}
