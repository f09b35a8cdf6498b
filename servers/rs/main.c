/*
 * rs, the first environment: makes the zones, starts proc, fs and tty with exactly the capabilities that proto/server.h names, and then waits for
 * one of them to die. There is no restart policy yet: a server's death is reported on the console and ends the machine with
 * status 0x65, because processes could not go on without it and must not go on wrongly.
 */
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/capability.h>
#include <exo/format.h>
#include <exo/label.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/state.h>
#include <exo/string.h>

#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/server.h"
#include "archive.h"
#include "load.h"
#include "record.h"

#define POWER_FAILED 0x65u
#define LATE_TURNS 10000u

/* Slots that the kernel fills (struct exo_startup). */
enum { SLOT_SELF = 1, SLOT_CTX, SLOT_ZONE, SLOT_MACHINE, SLOT_IMAGE, SLOT_INFO, SLOT_AUDIT };

/* Slots of every server; an empty one is 0 on its start page. */
enum server_slot {
    GIVE_SELF = 1, GIVE_CTX, GIVE_ZONE, GIVE_ENDPOINT, GIVE_PROC, GIVE_FS, GIVE_TTY, GIVE_MACHINE, GIVE_INFO,
    GIVE_MINT_PROC, GIVE_MINT_FS, GIVE_MINT_TTY, GIVE_PROCESS_ZONE, GIVE_ENV_FS, GIVE_ENV_TTY, GIVE_ENV_PROC, GIVE_AUDIT,
};

#define RIGHTS_ENDPOINT (EXO_RIGHT_RECV | EXO_RIGHT_MINT | EXO_RIGHT_CALL | EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY)
#define RIGHTS_CLIENT (EXO_RIGHT_CALL | EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY)
#define RIGHTS_MINT (EXO_RIGHT_CALL | EXO_RIGHT_NOTIFY | EXO_RIGHT_MINT | EXO_RIGHT_COPY)
#define RIGHTS_PROCESS_ZONE (EXO_RIGHT_CHARGE | EXO_RIGHT_FRAMES | EXO_RIGHT_ZONE | EXO_RIGHT_GAS | EXO_RIGHT_INSPECT | EXO_RIGHT_COPY)
#define RIGHTS_NEIGHBOUR (EXO_RIGHT_MAP | EXO_RIGHT_SLOTS | EXO_RIGHT_INSPECT)

/*
 * What gas costs (1/256 of the listed prices): more than eight ready contexts, and less than an eighth of memory free, make it dearer, up to four
 * times. Class 0 is everybody's; 1 and 2 are for what can be cheap, 3 to 7 for what must not be stopped lightly and pays for it.
 */
static const struct exo_gas_policy prices = {
    .base = 256, .runnable_free = 8, .runnable_step = 8, .frames_low = 32, .frames_step = 16, .congestion_max = 1024,
    .classes = {256, 192, 128, 320, 384, 512, 768, 1024},
};

struct server {
    const char *name;
    uint64_t env, endpoint, ctx;
    struct archive_file file;
};

static struct server servers[PX_SERVER_TTY + 1] = {
    [PX_SERVER_PROC] = {.name = "exo/proc"},
    [PX_SERVER_FS] = {.name = "exo/fs"},
    [PX_SERVER_TTY] = {.name = "exo/tty"},
};
static struct boot_image image;
static struct archive_file libos;
static uint64_t process_zone, death_endpoint;
static struct recording recording;

static void console(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void console(const char *format, ...)
{
    char line[256];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = exo_vformat(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length > (int)sizeof(line) - 1)
        length = sizeof(line) - 1;
    if (exo_console_write(SLOT_MACHINE, line, (uint64_t)length) < 0)
        return; /* nobody left to tell */
}

static _Noreturn void give_up(void)
{
    for (;;)
        if (exo_power_off(SLOT_MACHINE, POWER_FAILED) < 0)
            __builtin_trap();
}

/* The result of a step that cannot fail on a sound machine. */
static uint64_t must(const char *step, int64_t result)
{
    if (result < 0) {
        console("rs: %s failed: error %d\n", step, (int)-result);
        give_up();
    }
    return (uint64_t)result;
}

static void read_image(const struct exo_startup *startup)
{
    const struct exo_boot_header *header = (const struct exo_boot_header *)startup->image_va;
    uint64_t bytes = startup->image_pages * EXO_PAGE_BYTES;

    if (bytes < EXO_PAGE_BYTES || header->magic != EXO_BOOT_MAGIC || header->cpio_offset > bytes ||
        header->cpio_bytes > bytes - header->cpio_offset || header->cpio_offset % EXO_PAGE_BYTES)
        must("reading the boot image's header", -EXO_E_INVAL);
    image = (struct boot_image){
        .va = startup->image_va,
        .frames = SLOT_IMAGE,
        .bytes = bytes,
        .archive_offset = header->cpio_offset,
        .archive_bytes = header->cpio_bytes,
        .scratch_va = (startup->next_va + 0x1fffff) & ~0x1ffffful,
    };
}

static void find_file(const char *name, struct archive_file *file)
{
    if (archive_find((const void *)(image.va + image.archive_offset), image.archive_bytes, name, file))
        return;
    console("rs: the boot image has no %s\n", name);
    give_up();
}

static uint64_t make_zone(const char *step, unsigned label, uint64_t frames)
{
    const struct exo_zone_limits limits = {frames, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

    return must(step, exo_zone_make(SLOT_ZONE, label, &limits));
}

/* Processes get all but a reserve: a server can always allocate what its clients' requests need to be refused properly. */
static uint64_t make_zones(void)
{
    struct exo_stats stats;
    uint64_t reserve, server_zone;

    must("reading the kernel's figures", exo_stats(&stats));
    reserve = stats.frames_free / 8;
    if (reserve > 8192)
        reserve = 8192;
    server_zone = make_zone("making the servers' zone", EXO_PLACE_SERVERS, stats.frames_free);
    process_zone = make_zone("making the processes' zone", EXO_PLACE_PROGRAMS, stats.frames_free - reserve);
    return server_zone;
}

static void give(uint64_t env, enum server_slot slot, uint64_t source, uint64_t rights, uint64_t badge)
{
    must("giving a capability", exo_cap_copy(env, slot, source, rights, badge));
}

/* What all servers get, and who may reach whom. */
static void give_capabilities(unsigned who, uint64_t server_zone, struct px_server_start *start)
{
    uint64_t env = servers[who].env, badge = PX_SERVER_BADGE(who);

    give(env, GIVE_SELF, env, EXO_RIGHTS_ALL, 0);
    give(env, GIVE_CTX, servers[who].ctx, EXO_RIGHTS_ALL, 0);
    give(env, GIVE_ZONE, server_zone, EXO_RIGHT_CHARGE | EXO_RIGHT_FRAMES | EXO_RIGHT_INSPECT | EXO_RIGHT_COPY, 0);
    give(env, GIVE_ENDPOINT, servers[who].endpoint, RIGHTS_ENDPOINT, 0);
    give(env, GIVE_PROC, servers[PX_SERVER_PROC].endpoint, RIGHTS_CLIENT, badge);
    give(env, GIVE_FS, servers[PX_SERVER_FS].endpoint, RIGHTS_CLIENT, badge);
    give(env, GIVE_TTY, servers[PX_SERVER_TTY].endpoint, RIGHTS_CLIENT, badge);
    give(env, GIVE_INFO, SLOT_INFO, EXO_RIGHT_READ | EXO_RIGHT_COPY, 0);
    *start = (struct px_server_start){
        .version = 1, .self = GIVE_SELF, .ctx = GIVE_CTX, .zone = GIVE_ZONE, .endpoint = GIVE_ENDPOINT,
        .proc = GIVE_PROC, .fs = GIVE_FS, .tty = GIVE_TTY, .info_frame = GIVE_INFO,
        .command_line_va = SERVER_START + sizeof(*start), .free_va = SERVER_GIFT, .info_va = SERVER_INFO,
    };
}

static void give_proc(struct px_server_start *start)
{
    uint64_t env = servers[PX_SERVER_PROC].env, offset = image.archive_offset + libos.offset;
    uint64_t pages = (libos.bytes + EXO_PAGE_BYTES - 1) / EXO_PAGE_BYTES;

    give(env, GIVE_MACHINE, SLOT_MACHINE, EXO_RIGHT_POWER | EXO_RIGHT_CONSOLE, 0);
    give(env, GIVE_MINT_PROC, servers[PX_SERVER_PROC].endpoint, RIGHTS_MINT, 0);
    give(env, GIVE_MINT_FS, servers[PX_SERVER_FS].endpoint, RIGHTS_MINT, 0);
    give(env, GIVE_MINT_TTY, servers[PX_SERVER_TTY].endpoint, RIGHTS_MINT, 0);
    give(env, GIVE_PROCESS_ZONE, process_zone, RIGHTS_PROCESS_ZONE, 0);
    give(env, GIVE_AUDIT, SLOT_AUDIT, EXO_RIGHT_AUDIT | EXO_RIGHT_COPY, 0);
    give(env, GIVE_ENV_FS, servers[PX_SERVER_FS].env, RIGHTS_NEIGHBOUR, 0);
    give(env, GIVE_ENV_TTY, servers[PX_SERVER_TTY].env, RIGHTS_NEIGHBOUR, 0);
    start->machine = GIVE_MACHINE;
    start->mint_proc = GIVE_MINT_PROC;
    start->mint_fs = GIVE_MINT_FS;
    start->mint_tty = GIVE_MINT_TTY;
    start->process_zone = GIVE_PROCESS_ZONE;
    start->audit = GIVE_AUDIT;
    start->env_fs = GIVE_ENV_FS;
    start->env_tty = GIVE_ENV_TTY;
    if (offset % EXO_PAGE_BYTES)
        must("finding the libOS on a page boundary", -EXO_E_ALIGN);
    must("mapping the libOS for proc",
         exo_map_all(env, SERVER_GIFT, image.frames, offset / EXO_PAGE_BYTES, pages, EXO_PROT_READ | EXO_PROT_EXEC));
    start->posix_va = SERVER_GIFT;
    start->posix_bytes = libos.bytes;
    start->free_va = SERVER_GIFT + (pages + 512) * EXO_PAGE_BYTES;
}

static void give_neighbour(unsigned who, struct px_server_start *start)
{
    give(servers[who].env, GIVE_ENV_PROC, servers[PX_SERVER_PROC].env, RIGHTS_NEIGHBOUR, 0);
    start->env_proc = GIVE_ENV_PROC;
}

static uint64_t id_of_zone(uint64_t zone)
{
    struct exo_zone_status status = {0};

    must("looking at a zone", exo_zone_status(zone, &status));
    return status.id;
}

static void give_tty(uint64_t server_zone, struct px_server_start *start)
{
    uint64_t rights = EXO_RIGHT_DEVICE | EXO_RIGHT_IRQ | EXO_RIGHT_POWER | EXO_RIGHT_CONSOLE;

    give(servers[PX_SERVER_TTY].env, GIVE_MACHINE, SLOT_MACHINE, rights, 0);
    start->machine = GIVE_MACHINE;
    give_neighbour(PX_SERVER_TTY, start);
    for (unsigned who = PX_SERVER_RS; who <= PX_SERVER_TTY; who++) {
        struct exo_env_info info = {0};

        must("looking at a server's environment", exo_env_info(who == PX_SERVER_RS ? (uint64_t)SLOT_SELF : servers[who].env, &info));
        start->id[who - PX_SERVER_RS] = info.id;
    }
    start->id[4] = id_of_zone(server_zone);
    start->id[5] = id_of_zone(process_zone);
    must("giving tty what is recorded", record_give(&recording, servers[PX_SERVER_TTY].env));
    start->trace_cpus = recording.cpus;
}

/* The archive's pages leave rs; the servers' text stays shared with them. */
static void give_fs(struct px_server_start *start)
{
    uint64_t pages = (image.archive_bytes + EXO_PAGE_BYTES - 1) / EXO_PAGE_BYTES;

    start->archive_va = SERVER_GIFT;
    start->archive_bytes = image.archive_bytes;
    start->free_va = (SERVER_GIFT + pages * EXO_PAGE_BYTES + 0x3fffff) & ~0x1ffffful;
    give_neighbour(PX_SERVER_FS, start);
    must("giving the archive to fs",
         exo_share_all(servers[PX_SERVER_FS].env, SERVER_GIFT, image.va + image.archive_offset, pages,
                       EXO_SHARE_MOVE | EXO_PROT_READ | EXO_PROT_WRITE));
}

/*
 * fs and tty may look at any entry of the process table at any time: where proc has given them no page yet, they see one of zeros, also while proc
 * has not run at all. (The last page is tty's.)
 */
static void show_no_processes(void)
{
    must("making a page of zeros", exo_alloc_all(SLOT_SELF, image.scratch_va, 1, EXO_PROT_READ, NULL));
    for (unsigned who = PX_SERVER_FS; who <= PX_SERVER_TTY; who++)
        for (uint64_t page = 0; page < PX_PROCTAB_PAGES - 1; page++)
            must("showing an empty process table",
                 exo_share_all(servers[who].env, PX_PROCTAB + page * EXO_PAGE_BYTES, image.scratch_va, 1, EXO_SHARE_SAME | EXO_PROT_READ));
    must("dropping a page of zeros", exo_unmap_all(SLOT_SELF, image.scratch_va, 1));
}

/* Program, stack and a stopped context. */
static void load(unsigned who)
{
    struct server *server = &servers[who];
    struct exo_ctx_state state;
    uint64_t entry = 0, stack = SERVER_START - SERVER_STACK_PAGES * EXO_PAGE_BYTES;

    must(server->name, load_server(server->env, &image, image.archive_offset + server->file.offset, server->file.bytes, &entry));
    must("giving a server its stack",
         exo_alloc_all(server->env, stack, SERVER_STACK_PAGES, EXO_PROT_READ | EXO_PROT_WRITE, NULL));
    must("mapping the info page", exo_map_all(server->env, SERVER_INFO, SLOT_INFO, 0, 1, EXO_PROT_READ));
    exo_state_begin(&state, entry, SERVER_START, SERVER_START);
    server->ctx = must("making a server's context", exo_ctx_create(server->env, SERVER_UPAGE, &state));
}

static void place_start_page(unsigned who, const struct px_server_start *start, const char *command_line)
{
    char *page = (char *)image.scratch_va;
    size_t most = EXO_PAGE_BYTES - sizeof(*start) - 1;

    must("making a start page", exo_alloc_all(SLOT_SELF, image.scratch_va, 1, EXO_PROT_READ | EXO_PROT_WRITE, NULL));
    memcpy(page, start, sizeof(*start));
    memcpy(page + sizeof(*start), command_line, strnlen(command_line, most));
    must("placing a start page",
         exo_share_all(servers[who].env, SERVER_START, image.scratch_va, 1, EXO_SHARE_MOVE | EXO_PROT_READ | EXO_PROT_WRITE));
}

/* `late=fs` on the command line: that server starts when the others have run for a while. For a test: none may rely on another's pace. */
static bool is_late(unsigned who, const char *command_line)
{
    const char *name = servers[who].name + sizeof("exo/") - 1;

    for (; *command_line; command_line++)
        if (strncmp(command_line, "late=", 5) == 0)
            return strncmp(command_line + 5, name, strlen(name)) == 0;
    return false;
}

static void start_all(const char *command_line)
{
    for (unsigned who = PX_SERVER_PROC; who <= PX_SERVER_TTY; who++)
        if (!is_late(who, command_line))
            must("starting a server", exo_ctx_start(servers[who].ctx));
    for (unsigned who = PX_SERVER_PROC; who <= PX_SERVER_TTY; who++)
        if (is_late(who, command_line)) {
            for (unsigned turn = 0; turn < LATE_TURNS; turn++)
                (void)!exo_yield();
            must("starting a server", exo_ctx_start(servers[who].ctx));
        }
}

static void start_servers(const struct exo_startup *startup)
{
    struct px_server_start start[PX_SERVER_TTY + 1];
    uint64_t server_zone;
    struct exo_stats stats;

    must("recording (exo.trace: too much memory?)", record_start(&recording, (const char *)startup->command_line_va, SLOT_MACHINE, SLOT_ZONE));
    server_zone = make_zones();
    must("setting the price of gas", exo_gas_policy(SLOT_MACHINE, &prices));
    death_endpoint = must("making an endpoint", exo_ep_create());
    for (unsigned who = PX_SERVER_PROC; who <= PX_SERVER_TTY; who++) {
        servers[who].endpoint = must("making an endpoint", exo_ep_create_in(server_zone));
        servers[who].env = must("making an environment", exo_env_create(server_zone, death_endpoint, who));
        find_file(servers[who].name, &servers[who].file);
    }
    find_file("exo/posix", &libos);
    for (unsigned who = PX_SERVER_PROC; who <= PX_SERVER_TTY; who++) {
        load(who);
        give_capabilities(who, server_zone, &start[who]);
    }
    give_proc(&start[PX_SERVER_PROC]);
    give_tty(server_zone, &start[PX_SERVER_TTY]);
    give_fs(&start[PX_SERVER_FS]);
    show_no_processes();
    must("reading the kernel's figures", exo_stats(&stats));
    for (unsigned who = PX_SERVER_PROC; who <= PX_SERVER_TTY; who++) {
        start[who].frames_total = stats.frames_total;
        place_start_page(who, &start[who], (const char *)startup->command_line_va);
    }
    /* Header, rs's own file and the hold on the archive's frames are of no more use. */
    must("dropping the boot image", exo_unmap_all(SLOT_SELF, image.va, image.archive_offset / EXO_PAGE_BYTES));
    must("dropping the boot image", exo_cap_delete(SLOT_IMAGE));
    start_all((const char *)startup->command_line_va);
}

static _Noreturn void watch(void)
{
    for (;;) {
        struct exo_message message = {0};

        if (exo_ep_recv(death_endpoint, &message, EXO_DEADLINE_NEVER) < 0)
            give_up();
        if (message.badge != EXO_BADGE_KERNEL || message.word[0] != EXO_NOTE_DEATH)
            continue;
        console("rs: server %s died: reason %lu, detail %lu, address 0x%lx, instruction 0x%lx\n",
                message.word[1] <= PX_SERVER_TTY && servers[message.word[1]].name ? servers[message.word[1]].name : "?",
                message.word[2] & 0xff, message.word[2] >> 8, message.word[3], message.word[4]);
        give_up();
    }
}

_Noreturn void exo_main(const struct exo_startup *startup);
_Noreturn void exo_main(const struct exo_startup *startup)
{
    read_image(startup);
    start_servers(startup);
    watch();
}
