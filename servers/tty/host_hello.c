/* The first process: its arguments and variables come over the link into frames that it gets at its start. */
#include <exo/format.h>
#include <exo/ipc.h>
#include <exo/loop.h>

#include "host_parts.h"
#include "proc.h"

#define HELLO_BYTES_MAX (2u << 20)
#define STATUS_CANNOT_RUN (126u << 8)

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
                                 .pages = (uint32_t)host.block_pages, .begun_tsc = service.begun_tsc};
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
    struct exo_message message = {.word = {PX_PROC_SPAWN, PX_HELLO_ZONE(host.hello.flags), 0, 0, host.block}};
    struct terminal *terminal = service.terminal[PX_TTY_CONSOLE];
    int64_t status;
    char text[80];

    if (!strings_valid())
        host_fail(EXO_FAILED_LINK, "the host's HELLO has not the strings that it announces");
    terminal->size = (struct px_winsize){.rows = host.hello.rows, .columns = host.hello.columns};
    start_streams();
    host.phase = PHASE_RUNNING;
    ((struct px_bootargs *)host.block_va)->ready_tsc = exo_arch_cycles();
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

size_t host_take_hello(uint8_t type, const uint8_t *bytes, size_t count)
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
