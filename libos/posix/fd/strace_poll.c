/* How strace shows what poll, select and epoll are asked, and what they answer. */
#include "strace_put.h"

#define FDS_MOST 1024u
#define EPOLL_DEL 2

static const char poll_events[] = "POLL???|1 IN|2 PRI|4 OUT|8 ERR|10 HUP|20 NVAL|40 RDNORM|80 RDBAND|100 WRNORM|200 WRBAND|"
    "400 MSG|2000 RDHUP";
static const char epoll_events[] = "EPOLL???|1 IN|2 PRI|4 OUT|40 RDNORM|80 RDBAND|100 WRNORM|200 WRBAND|400 MSG|8 ERR|"
    "10 HUP|2000 RDHUP|10000000 EXCLUSIVE|20000000 WAKEUP|40000000 ONESHOT|80000000 ET";

struct item { /* struct pollfd */
    int32_t fd;
    uint16_t events, revents;
};

/* ---- poll ---- */

static void put_asked(struct px_text *text, const void *element, void *with)
{
    const struct item *item = element;

    (void)with;
    px_text_add(text, "{fd=%d", item->fd);
    if (item->fd >= 0) {
        px_text_add(text, ", events=");
        px_put_flags(text, poll_events, item->events, "0");
    }
    px_text_add(text, "}");
}

PX_PUT(pollfds)
{
    px_put_array(text, trace->argument[index], (uint32_t)trace->argument[index + 1], sizeof(struct item), put_asked, NULL);
    return true;
}

static void put_answers(struct px_text *text, px_user from, uint32_t count)
{
    unsigned shown = 0;
    struct item item;

    px_text_add(text, "[");
    for (uint32_t i = 0; i < count && px_copy_in(&item, from + i * sizeof item, sizeof item) == 0; i++) {
        if (!item.revents)
            continue;
        px_text_add(text, shown ? ", " : "");
        if (shown++ == PX_LIST_SHOWN) {
            px_text_add(text, "...");
            break;
        }
        px_text_add(text, "{fd=%d, revents=", item.fd);
        px_put_flags(text, poll_events, item.revents, "0");
        px_text_add(text, "}");
    }
    px_text_add(text, "]");
}

static bool put_polled(struct px_text *text, const struct px_trace *trace, px_user left)
{
    const uint64_t *argument = trace->argument;
    int64_t time[2];

    if (!argument[PX_STRACE_RESULT]) {
        px_text_add(text, "0 (Timeout)");
        return true;
    }
    px_text_add(text, "%ld (", (long)argument[PX_STRACE_RESULT]);
    put_answers(text, argument[0], (uint32_t)argument[1]);
    if (left && px_copy_in(time, left, sizeof time) == 0) {
        px_text_add(text, ", left ");
        px_put_timespec(text, left);
    }
    px_text_add(text, ")");
    return true;
}

PX_PUT(polled)
{
    return put_polled(text, trace, 0);
}

PX_PUT(ppolled)
{
    return put_polled(text, trace, trace->argument[2]);
}

/* ---- select ---- */

static bool any_member(const uint8_t set[FDS_MOST / 8], int32_t count)
{
    for (int fd = 0; fd < count && fd < (int)FDS_MOST; fd++) {
        if (set[fd / 8] >> fd % 8 & 1)
            return true;
    }
    return false;
}

/* False: it cannot be read. */
static bool read_set(uint8_t set[FDS_MOST / 8], px_user from, int32_t count)
{
    size_t bytes = ((size_t)(count < (int)FDS_MOST ? count : (int)FDS_MOST) + 63) / 64 * 8;

    return count >= 0 && from && px_copy_in(set, from, bytes) == 0;
}

static void put_members(struct px_text *text, const uint8_t set[FDS_MOST / 8], int32_t count)
{
    const char *before = "";

    px_text_add(text, "[");
    for (int fd = 0; fd < count && fd < (int)FDS_MOST; fd++) {
        if (set[fd / 8] >> fd % 8 & 1) {
            px_text_add(text, "%s%d", before, fd);
            before = " ";
        }
    }
    px_text_add(text, "]");
}

static void put_sets(struct px_text *text, const struct px_trace *trace)
{
    uint8_t set[FDS_MOST / 8];

    for (unsigned i = 1; i <= 3; i++) {
        if (read_set(set, trace->argument[i], (int32_t)trace->argument[0]))
            put_members(text, set, (int32_t)trace->argument[0]);
        else
            px_put_address(text, trace->argument[i]);
        px_text_add(text, ", ");
    }
}

PX_PUT(select)
{
    put_sets(text, trace);
    px_put_timeval(text, trace->argument[4]);
    return true;
}

PX_PUT(pselect)
{
    uint64_t mask[2];

    *trace->kept = true;
    put_sets(text, trace);
    px_put_timespec(text, trace->argument[4]);
    px_text_add(text, ", ");
    if (!px_put_read(text, mask, trace->argument[5], sizeof mask))
        return true;
    px_text_add(text, "{sigmask=");
    px_put_set(text, mask[0], mask[1]);
    px_text_add(text, ", sigsetsize=%lu}", (unsigned long)mask[1]);
    return true;
}

PX_PUT(selected)
{
    static const char *const names[] = {"in ", "out ", "except "};
    const uint64_t *argument = trace->argument;
    uint8_t set[FDS_MOST / 8];
    const char *before = "";
    int64_t time[2];

    if (!argument[index]) {
        px_text_add(text, "0 (Timeout)");
        return true;
    }
    px_text_add(text, "%ld (", (long)argument[index]);
    for (unsigned i = 1; i <= 3; i++) {
        if (!read_set(set, argument[i], (int32_t)argument[0]) || !any_member(set, (int32_t)argument[0]))
            continue;
        px_text_add(text, "%s%s", before, names[i - 1]);
        put_members(text, set, (int32_t)argument[0]);
        before = ", ";
    }
    if (argument[4] && px_copy_in(time, argument[4], sizeof time) == 0) {
        px_text_add(text, "%sleft ", before);
        (*trace->kept ? px_put_timespec : px_put_timeval)(text, argument[4]);
    }
    px_text_add(text, ")");
    return true;
}

/* ---- epoll ---- */

struct event { /* struct epoll_event, which is packed */
    uint32_t events, low, high;
};

static void put_event(struct px_text *text, const void *element, void *with)
{
    const struct event *event = element;

    (void)with;
    px_text_add(text, "{events=");
    px_put_flags(text, epoll_events, event->events, "0");
    px_text_add(text, ", data={u32=%u, u64=%lu}}", event->low, (unsigned long)((uint64_t)event->high << 32 | event->low));
}

PX_PUT(epoll_event)
{
    struct event event;

    if ((uint32_t)trace->argument[1] == EPOLL_DEL)
        px_put_address(text, trace->argument[index]);
    else if (px_put_read(text, &event, trace->argument[index], sizeof event))
        put_event(text, &event, NULL);
    return true;
}

PX_PUT(epoll_events)
{
    if (!trace->leaving)
        return false;
    if (trace->failed)
        px_put_address(text, trace->argument[index]);
    else if (!trace->argument[PX_STRACE_RESULT])
        px_text_add(text, "[]");
    else
        px_put_array(text, trace->argument[index], trace->argument[PX_STRACE_RESULT], sizeof(struct event), put_event, NULL);
    return true;
}
