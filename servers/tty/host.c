/*
 * The host's side of tty: the link, the first process's arguments and standard streams, and the end of the
 * machine. All that comes over the link is checked; a host that breaks the protocol ends the machine, with a
 * reason on the kernel's console.
 */
#include <exo/format.h>

#include "host_parts.h"

#define GATHER_NS 300000ull     /* output is held back for so long, to send many small writes at once */
#define WAIT_COUNTS 40u         /* terminals' counts that a sleep watches; the others are looked at when it ends */
#define LAST_LOOK_NS 1000000ull /* a serial port does not interrupt when its last byte has gone */

struct host host;

_Noreturn void host_fail(uint64_t code, const char *why)
{
    say("tty: %s", why);
    for (;;)
        if (exo_power_off(service.start->machine, code) < 0)
            __builtin_trap();
}

void host_show(void)
{
    (void)host_send_terminal();
}

static bool asked_for_gas(void)
{
    static const char word[] = "exo.gas-summary";
    const char *line = (const char *)service.start->command_line_va;

    for (; *line; line++)
        if (strncmp(line, word, sizeof(word) - 1) == 0)
            return true;
    return false;
}

static void look_at_first(void)
{
    const struct px_proctab *table = service.table;

    if (host.phase != PHASE_RUNNING || !__atomic_load_n(&table->first_done, __ATOMIC_ACQUIRE))
        return;
    host.status = (uint32_t)table->first_status;
    host.phase = PHASE_LAST;
    host_trace_stop();
    if (asked_for_gas()) {
        char text[64];

        exo_format(text, sizeof(text), "exo: gas used: %lu\n", table->gas_used);
        (void)host_log((const uint8_t *)text, strlen(text)); /* without room it is lost: it is no more than a note */
    }
    for (unsigned i = 1; i < 3; i++)
        host.left[i] = (uint32_t)stream_filled(&host.stream[i]);
}

static bool is_left(unsigned i)
{
    return host.left[i] > 0 && stream_filled(&host.stream[i]) > 0;
}

/* The last bytes are on their way: the status follows them, and when the device has all, the machine ends. */
static void finish(void)
{
    if (host.phase == PHASE_LAST && !is_left(1) && !is_left(2) && host_trace_is_sent() &&
        line_output_count(&service.terminal[PX_TTY_CONSOLE]->line) == 0 && host_send_number(PX_LINK_EXIT, host.status)) {
        host.phase = PHASE_EXIT;
        frame_flush(&host.writer);
        device_notify(&host.device);
        host.device.operations->poll(&host.device);
    }
    if (host.phase == PHASE_EXIT && host.device.operations->idle(&host.device) && !host.writer.buffer)
        for (;;)
            if (exo_power_off(service.start->machine, EXO_POWER_OFF) < 0)
                __builtin_trap();
}

/* Sends what is packed, unless more may come within the time that nobody notices. */
static void flush(void)
{
    if (host.writer.buffer && host.writer.used) {
        uint64_t now = now_ns();

        if (!host.packed_ns)
            host.packed_ns = now;
        if (host.urgent || host.phase != PHASE_RUNNING || now - host.packed_ns >= GATHER_NS)
            frame_flush(&host.writer);
    }
    if (!host.writer.buffer || !host.writer.used) {
        host.packed_ns = 0;
        host.urgent = false;
    }
    device_notify(&host.device);
}

bool host_turn(void)
{
    bool moved;

    if (host.interrupted || host.starved || host.phase == PHASE_EXIT)
        host.device.operations->poll(&host.device);
    host.interrupted = host.starved = false;
    if (host.device.operations->broken(&host.device))
        host_fail(EXO_FAILED_LINK, "the link's device broke its rules or lost bytes");
    if (host.phase == PHASE_EXIT) {
        finish();
        return false;
    }
    for (unsigned i = 0; i < 3; i++)
        host.looked[i] = stream_look(&host.stream[i]);
    look_at_first();
    moved = host_receive();
    terminal_pump(service.terminal[PX_TTY_CONSOLE]);
    if (host.phase == PHASE_RUNNING)
        moved |= host_grant();
    moved |= host_drain(1);
    moved |= host_drain(2);
    moved |= host_send_terminal();
    moved |= host_send_trace();
    flush();
    finish();
    return moved;
}

void host_interrupt(void)
{
    host.device.operations->interrupt(&host.device);
    host.interrupted = true;
}

static void watch_word(struct exo_predicate *predicate, const uint32_t *word, uint32_t value)
{
    *predicate = (struct exo_predicate){.va = (uint64_t)word, .value = value, .kind = EXO_WAIT_WORD};
}

/* Words of the streams; true if one of them may have to be looked at again without a wake. */
static bool watch_streams(struct exo_predicate *predicates, unsigned *count)
{
    bool blocked = false;

    for (unsigned i = 0; i < 3; i++) {
        struct stream *stream = &host.stream[i];

        if (!stream->pipe)
            continue;
        watch_word(&predicates[(*count)++], stream_word(stream), host.looked[i]);
        if (stream->blocked) {
            watch_word(&predicates[(*count)++], &stream->pipe->lock, stream->lock_seen);
            blocked = true;
        }
    }
    return blocked;
}

/* False: a side was closed just now. */
static bool watch_counts(struct exo_predicate *predicates, unsigned *count)
{
    unsigned watched = 0;

    for (unsigned index = 1; index < PX_TTYS_MAX; index++)
        for (unsigned side = 0; service.terminal[index] && side < 2 && watched < WAIT_COUNTS; side++) {
            const uint32_t *word = &service.terminal[index]->side[side].opens;
            uint32_t opens = __atomic_load_n(word, __ATOMIC_SEQ_CST);

            if (!service.terminal[index]->side[side].open)
                continue;
            if (opens <= 1)
                return false;
            watch_word(&predicates[(*count)++], word, opens);
            watched++;
        }
    return true;
}

bool host_sleep(void)
{
    struct exo_predicate predicates[EXO_WAIT_MAX];
    uint64_t deadline_ns = host.packed_ns ? host.packed_ns + GATHER_NS : EXO_DEADLINE_NEVER;
    unsigned count = 0;
    int64_t status;

    if (watch_streams(predicates, &count) && !host.packed_ns)
        deadline_ns = now_ns() + STREAM_LOCK_RECHECK_NS;
    if (!watch_counts(predicates, &count))
        return false;
    if (host.starved || host.phase == PHASE_EXIT) {
        /* Ask for the interrupt first, then look: a buffer sent in between is not missed. */
        device_want_sent(&host.device, true);
        host.device.operations->poll(&host.device);
        if (host.phase == PHASE_EXIT ? host.device.operations->idle(&host.device) : host.device.operations->lend(&host.device) != NULL)
            return false;
        if (host.phase == PHASE_EXIT)
            deadline_ns = now_ns() + LAST_LOOK_NS;
    }
    for (unsigned i = 0; i < 3; i++)
        stream_watch(&host.stream[i], 1);
    /* The kernel wants the endpoint to be the last of the predicates. */
    predicates[count++] = (struct exo_predicate){.va = service.start->endpoint, .kind = EXO_WAIT_ENDPOINT};
    status = exo_wait(predicates, count, deadline_ns);
    if (status == -EXO_E_INVAL || status == -EXO_E_FAULT)
        host_fail(EXO_FAILED_LINK, "the kernel refuses to let tty sleep"); /* better than to spin */
    for (unsigned i = 0; i < 3; i++)
        stream_watch(&host.stream[i], -1);
    device_want_sent(&host.device, false);
    return status == (int64_t)count - 1;
}

void host_start(void)
{
    struct console_place place = {.self = service.start->self, .zone = service.start->zone, .machine = service.start->machine,
                                  .endpoint = service.start->endpoint, .bits = NOTE_INTERRUPT, .free_va = service.start->free_va};
    int64_t status = device_start(&host.device, (const char *)service.start->command_line_va, &place);

    if (status < 0) {
        say("tty: no virtio console and no second serial port was found (error %d): there is no link to the host", (int)-status);
        say("tty: start the machine with ./exo run, or add to QEMU's command line");
        say("tty:   microvm: -device virtio-serial-device -device virtserialport,chardev=CHARDEV");
        say("tty:   q35: -serial file:console.log -serial chardev:CHARDEV");
        host_fail(EXO_FAILED_NO_LINK, "nothing can be run");
    }
    host.free_va = place.free_va;
    host_lender.buffer_bytes = host.device.operations->send_bytes;
    host.writer.lender = &host_lender;
    host.interrupted = true;
    if (host.device.operations->host_waits)
        (void)host_send_number(PX_LINK_CREDIT, 0); /* the first buffer is always free */
}
