/*
 * long: one protocol: its frames both ways and the state between them.
 *
 * The host's side of tty: the link, the first process's arguments and standard streams, and the end of the machine. All that comes over the link is checked;
 * a host that breaks the protocol ends the machine, with a reason on the kernel's console.
 */
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/format.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/string.h>

#include "device.h"
#include "frames.h"
#include "host.h"
#include "proc.h"
#include "service.h"
#include "stream.h"

#define CREDIT_STEP 1024u       /* input is asked for in pieces not smaller than this, to send few frames */
#define GATHER_NS 300000ull     /* output is held back for so long, to send many small writes at once */
#define WAIT_COUNTS 40u         /* terminals' counts that a sleep watches; the others are looked at when it ends */
#define HELLO_BYTES_MAX (2u << 20)
#define LAST_LOOK_NS 1000000ull /* a serial port does not interrupt when its last byte has gone */
#define STATUS_CANNOT_RUN (126u << 8)

enum phase {
    PHASE_HELLO,   /* arguments are coming in */
    PHASE_RUNNING, /* the first process was started */
    PHASE_LAST,    /* it has ended: what it has left in the rings goes out */
    PHASE_EXIT,    /* the status was sent: wait until the device has it */
};

static struct {
    enum phase phase;
    struct device device;
    struct frame_reader reader;
    struct frame_writer writer;
    struct stream stream[3];
    uint32_t looked[3];      /* the other side's words before this turn */
    uint32_t left[3];        /* PHASE_LAST: bytes of each stream that are still to go */
    uint32_t credit;         /* INPUT bytes that the host may still send */
    bool starved;            /* something waits for a send buffer */
    bool interrupted;        /* the device has something new; without this a turn stays away from its rings' pages */
    bool urgent;             /* what is packed must not be held back */
    uint64_t packed_ns;      /* when the first frame that is not sent yet was packed; 0: none is */
    uint32_t status;         /* wait status to report */
    struct px_link_hello hello;
    uint32_t hello_bytes;    /* read so far */
    uint64_t block;          /* frames for PX_BOOTARGS */
    uint8_t *block_va;
    uint64_t block_pages;
    uint64_t free_va;
} host;

static _Noreturn void host_fail(uint64_t code, const char *why)
{
    say("tty: %s", why);
    for (;;)
        if (exo_power_off(service.start->machine, code) < 0)
            __builtin_trap();
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static uint8_t *lend(void *context)
{
    struct device *device = context;
    uint8_t *buffer = device->operations->lend(device);

    if (buffer)
        return buffer;
    device->operations->poll(device); /* sent buffers come back without an interrupt */
    return device->operations->lend(device);
}

static void send(void *context, size_t bytes)
{
    struct device *device = context;

    device->operations->send(device, bytes);
}

static struct frame_lender lender = {.lend = lend, .send = send, .context = &host.device}; /* its size comes with the device */

static uint8_t *begin(uint8_t type, size_t least, size_t *room)
{
    uint8_t *payload = frame_begin(&host.writer, type, least, room);

    if (!payload)
        host.starved = true;
    return payload;
}

static bool send_number(uint8_t type, uint32_t value)
{
    size_t room;
    uint8_t *payload = begin(type, sizeof(value), &room);

    if (!payload)
        return false;
    memcpy(payload, &value, sizeof(value));
    frame_end(&host.writer, sizeof(value));
    host.urgent = true;
    return true;
}

bool host_log(const uint8_t *text, size_t bytes)
{
    size_t room;
    uint8_t *payload;

    if (bytes == 0 || host.phase == PHASE_EXIT)
        return true; /* nothing may follow the status */
    payload = begin(PX_LINK_LOG, bytes, &room);
    if (!payload)
        return false;
    memcpy(payload, text, bytes);
    frame_end(&host.writer, bytes);
    return true;
}

static bool show(void)
{
    struct terminal *terminal = service.terminal[PX_TTY_CONSOLE];
    bool moved = false;

    while (line_output_count(&terminal->line) > 0 && host.phase != PHASE_EXIT) {
        size_t room;
        uint8_t *payload = begin(PX_LINK_TERMINAL, 1, &room);

        if (!payload)
            break;
        frame_end(&host.writer, line_output_take(&terminal->line, payload, room));
        line_echo_flush(&terminal->line);
        moved = true;
    }
    if (moved)
        terminal_wake(terminal, SIDE_SLAVE); /* room to write */
    return moved;
}

void host_show(void)
{
    (void)show();
}

/* Moves what a standard stream's ring holds into frames. */
static bool drain(unsigned i)
{
    bool moved = false;

    while (stream_filled(&host.stream[i]) > 0 && (host.phase == PHASE_RUNNING || host.left[i] > 0)) {
        size_t room, bytes;
        uint8_t *payload = begin(i == 1 ? PX_LINK_OUTPUT : PX_LINK_ERROR, 1, &room);

        if (!payload)
            break;
        bytes = stream_read(&host.stream[i], payload, room, service.table, now_ns());
        if (bytes == 0)
            break;
        frame_end(&host.writer, bytes);
        host.left[i] -= bytes < host.left[i] ? (uint32_t)bytes : host.left[i];
        moved = true;
    }
    return moved;
}

/* Lets the host send as much input as there is room for, beyond what it may send already. */
static bool grant(void)
{
    const struct stream *input = &host.stream[0];
    uint32_t room;

    if (host.hello.flags & PX_HELLO_TTY0)
        room = PENDING_BYTES - terminal_pending(service.terminal[PX_TTY_CONSOLE]);
    else if (stream_deserted(input))
        room = 0;
    else
        room = (uint32_t)stream_room(input);
    /* With less room than that there is unread input: its reader makes more. */
    if (room < host.credit + CREDIT_STEP)
        return false;
    room -= host.credit;
    if (!send_number(PX_LINK_CREDIT, room))
        return false;
    host.credit += room;
    return true;
}

/* ---- HELLO and the first process --------------------------------------------------------------------------------- */

static uint64_t pages_of(uint64_t bytes)
{
    return (bytes + EXO_PAGE_BYTES - 1) / EXO_PAGE_BYTES;
}

/* The header has come: makes the frames that the first process gets. */
static void make_block(void)
{
    struct px_bootargs *boot;
    int64_t frames;

    if (host.hello.version != PX_LINK_VERSION)
        host_fail(EXO_FAILED_LINK, "the host speaks another version of the link");
    if (host.hello.total < sizeof(host.hello) || host.hello.total > HELLO_BYTES_MAX + sizeof(host.hello))
        host_fail(EXO_FAILED_LINK, "the host's HELLO has an impossible length");
    host.block_pages = PX_BOOTARGS_HELLO + pages_of(host.hello.total);
    frames = exo_frame_alloc(service.start->zone, host.block_pages);
    if (frames < 0 || exo_map_all(service.start->self, host.free_va, (uint64_t)frames, 0, host.block_pages,
                                  EXO_PROT_READ | EXO_PROT_WRITE) < 0)
        host_fail(EXO_FAILED_LINK, "no memory for the first process's arguments");
    host.block = (uint64_t)frames;
    host.block_va = (uint8_t *)host.free_va;
    boot = (struct px_bootargs *)host.block_va;
    *boot = (struct px_bootargs){.version = 1, .flags = host.hello.flags, .hello_bytes = host.hello.total,
                                 .pages = (uint32_t)host.block_pages};
    memcpy(host.block_va + PX_BOOTARGS_HELLO * EXO_PAGE_BYTES, &host.hello, sizeof(host.hello));
}

/* The working directory, argc arguments and envc variables, each ended by NUL, and nothing behind them. */
static bool strings_valid(void)
{
    const char *text = (const char *)host.block_va + PX_BOOTARGS_HELLO * EXO_PAGE_BYTES + sizeof(host.hello);
    size_t left = host.hello.total - sizeof(host.hello);
    uint64_t wanted = 1ul + host.hello.argc + host.hello.envc, found = 0;

    while (left > 0) {
        size_t bytes = strnlen(text, left);

        if (bytes == left)
            return false;
        text += bytes + 1;
        left -= bytes + 1;
        found++;
    }
    return found == wanted && host.hello.argc > 0;
}

static void start_streams(void)
{
    for (unsigned i = 0; i < 3; i++)
        if (!(host.hello.flags & PX_HELLO_TTY0 << i))
            stream_start(&host.stream[i], host.block_va + PX_BOOTARGS_PIPE(i) * EXO_PAGE_BYTES, i == 0, i + 1,
                         (int64_t)now_ns());
}

static void spawn(void)
{
    struct exo_message message = {.word = {PX_PROC_SPAWN, 0, 0, 0, host.block}};
    struct terminal *terminal = service.terminal[PX_TTY_CONSOLE];
    int64_t status;
    char text[80];

    if (!strings_valid())
        host_fail(EXO_FAILED_LINK, "the host's HELLO has not the strings that it announces");
    terminal->size = (struct px_winsize){.rows = host.hello.rows, .columns = host.hello.columns};
    start_streams();
    host.phase = PHASE_RUNNING;
    status = exo_ep_call_cap(service.start->proc, &message);
    if (status >= 0 && (int64_t)message.word[0] >= 0) {
        (void)!exo_cap_delete(host.block);
        (void)!exo_unmap_all(service.start->self, (uint64_t)host.block_va + PX_BOOTARGS_HELLO * EXO_PAGE_BYTES,
                             host.block_pages - PX_BOOTARGS_HELLO);
        return;
    }
    exo_format(text, sizeof(text), "exo: the first process could not be started: error %d\n",
               (int)-(status < 0 ? status : (int64_t)message.word[0]));
    (void)host_log((const uint8_t *)text, strlen(text));
    host.status = STATUS_CANNOT_RUN;
    host.phase = PHASE_LAST;
}

/* The payload of HELLO and of what continues it: the header, then the strings, into the block. */
static size_t take_hello(uint8_t type, const uint8_t *bytes, size_t count)
{
    size_t header = sizeof(host.hello), some = 0;

    if (host.phase != PHASE_HELLO || (type == PX_LINK_HELLO_MORE && host.hello_bytes < header)) {
        host.reader.bad = true;
        return 0;
    }
    if (host.hello_bytes < header) {
        some = header - host.hello_bytes < count ? header - host.hello_bytes : count;
        memcpy((uint8_t *)&host.hello + host.hello_bytes, bytes, some);
        host.hello_bytes += (uint32_t)some;
        if (host.hello_bytes == header)
            make_block();
    }
    if (count - some > host.hello.total - host.hello_bytes && host.block_va) {
        host.reader.bad = true;
        return 0;
    }
    if (count > some) {
        memcpy(host.block_va + PX_BOOTARGS_HELLO * EXO_PAGE_BYTES + host.hello_bytes, bytes + some, count - some);
        host.hello_bytes += (uint32_t)(count - some);
    }
    if (host.block_va && host.hello_bytes == host.hello.total)
        spawn();
    return count;
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static size_t take_input(const uint8_t *bytes, size_t count)
{
    size_t taken;

    if (host.phase == PHASE_HELLO || count > host.credit) {
        host.reader.bad = true;
        return 0;
    }
    if (host.hello.flags & PX_HELLO_TTY0)
        taken = terminal_input(service.terminal[PX_TTY_CONSOLE], bytes, count);
    else if (!host.stream[0].pipe || stream_deserted(&host.stream[0]))
        taken = count; /* nobody will read it */
    else
        taken = stream_write(&host.stream[0], bytes, count, service.table, now_ns());
    host.credit -= (uint32_t)taken;
    return taken;
}

static size_t take_bytes(void *context, uint8_t type, const uint8_t *bytes, size_t count)
{
    (void)context;
    return type == PX_LINK_INPUT ? take_input(bytes, count) : take_hello(type, bytes, count);
}

static void end_input(void)
{
    struct terminal *terminal = service.terminal[PX_TTY_CONSOLE];

    if (!(host.hello.flags & PX_HELLO_TTY0)) {
        stream_close(&host.stream[0]);
        return;
    }
    terminal->input_ended = true;
    terminal_wake(terminal, SIDE_SLAVE);
}

static void take_size(const uint8_t *payload)
{
    struct terminal *terminal = service.terminal[PX_TTY_CONSOLE];
    struct px_winsize size;

    memcpy(&size, payload, sizeof(size));
    if (memcmp(&size, &terminal->size, sizeof(size)) == 0)
        return;
    terminal->size = size;
    if (terminal->pgid)
        job_signal(terminal->pgid, SIGWINCH);
}

static void take_signal(const uint8_t *payload)
{
    const struct px_proctab *table = service.table;
    uint32_t signal;

    memcpy(&signal, payload, sizeof(signal));
    if (signal == 0 || signal > SIGRTMAX)
        host.reader.bad = true;
    else if (host.phase == PHASE_RUNNING && table->first_pid > 0)
        job_signal(table->first_pid, (int)signal);
}

static void take_whole(void *context, uint8_t type, const uint8_t *payload)
{
    (void)context;
    if (host.phase == PHASE_HELLO)
        host.reader.bad = true;
    else if (type == PX_LINK_INPUT_END)
        end_input();
    else if (type == PX_LINK_WINSIZE)
        take_size(payload);
    else
        take_signal(payload);
}

static bool receive(void)
{
    static const struct frame_sink sink = {.bytes = take_bytes, .whole = take_whole};
    const uint8_t *bytes;
    bool moved = false;
    size_t count, used;

    while ((bytes = host.device.operations->peek(&host.device, &count)) != NULL) {
        used = frame_read(&host.reader, bytes, count, &sink);
        host.device.operations->consume(&host.device, used);
        moved |= used > 0;
        if (host.reader.bad)
            host_fail(EXO_FAILED_LINK, "the host broke the link's rules");
        if (used < count)
            break; /* its place is full: the rest waits in the device's buffers */
    }
    return moved;
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

static void look_at_first(void)
{
    const struct px_proctab *table = service.table;

    if (host.phase != PHASE_RUNNING || !__atomic_load_n(&table->first_done, __ATOMIC_ACQUIRE))
        return;
    host.status = (uint32_t)table->first_status;
    host.phase = PHASE_LAST;
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
    if (host.phase == PHASE_LAST && !is_left(1) && !is_left(2) &&
        line_output_count(&service.terminal[PX_TTY_CONSOLE]->line) == 0 && send_number(PX_LINK_EXIT, host.status)) {
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
    moved = receive();
    terminal_pump(service.terminal[PX_TTY_CONSOLE]);
    if (host.phase == PHASE_RUNNING)
        moved |= grant();
    moved |= drain(1);
    moved |= drain(2);
    moved |= show();
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
    lender.buffer_bytes = host.device.operations->send_bytes;
    host.writer.lender = &lender;
    host.interrupted = true;
    if (host.device.operations->host_waits)
        (void)send_number(PX_LINK_CREDIT, 0); /* the first buffer is always free */
}
