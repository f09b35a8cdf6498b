/* What comes from the host: input, its end, window sizes and signals. All of it is checked. */
#include "host_parts.h"

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
    return type == PX_LINK_INPUT ? take_input(bytes, count) : host_take_hello(type, bytes, count);
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
    job_signal_foreground(terminal, SIGWINCH);
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

bool host_receive(void)
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
