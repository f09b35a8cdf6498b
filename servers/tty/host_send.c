/* What goes to the host: the console's output, the standard streams, the log, and permission to send input. */
#include "host_parts.h"

#define CREDIT_STEP 1024u /* input is asked for in pieces not smaller than this, to send few frames */

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

struct frame_lender host_lender = {.lend = lend, .send = send, .context = &host.device};

uint8_t *host_begin(uint8_t type, size_t least, size_t *room)
{
    uint8_t *payload = frame_begin(&host.writer, type, least, room);

    if (!payload)
        host.starved = true;
    return payload;
}

bool host_send_number(uint8_t type, uint32_t value)
{
    size_t room;
    uint8_t *payload = host_begin(type, sizeof(value), &room);

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
    payload = host_begin(PX_LINK_LOG, bytes, &room);
    if (!payload)
        return false;
    memcpy(payload, text, bytes);
    frame_end(&host.writer, bytes);
    return true;
}

bool host_send_terminal(void)
{
    struct terminal *terminal = service.terminal[PX_TTY_CONSOLE];
    bool moved = false;

    while (line_output_count(&terminal->line) > 0 && host.phase != PHASE_EXIT) {
        size_t room;
        uint8_t *payload = host_begin(PX_LINK_TERMINAL, 1, &room);

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

bool host_drain(unsigned i)
{
    bool moved = false;

    while (stream_filled(&host.stream[i]) > 0 && (host.phase == PHASE_RUNNING || host.left[i] > 0)) {
        size_t room, bytes;
        uint8_t *payload = host_begin(i == 1 ? PX_LINK_OUTPUT : PX_LINK_ERROR, 1, &room);

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

bool host_grant(void)
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
    if (!host_send_number(PX_LINK_CREDIT, room))
        return false;
    host.credit += room;
    return true;
}
