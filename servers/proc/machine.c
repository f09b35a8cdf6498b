/* proc's kernel calls: environments of processes, the pages shared with them, and the published table. */
#include "machine.h"

#include <exo/calls.h>
#include <exo/capability.h>
#include <exo/clock.h>
#include <exo/label.h>
#include <exo/loop.h>
#include <exo/state.h>
#include <exo/string.h>

#include "../../libos/posix/proto/link.h"
#include "../../libos/posix/proto/tty.h"
#include "proc.h"

#define READ EXO_PROT_READ
#define WRITE (EXO_PROT_READ | EXO_PROT_WRITE)
#define BLOCK_STEP 64ul
#define RIGHTS_SELF (EXO_RIGHT_MAP | EXO_RIGHT_SLOTS | EXO_RIGHT_CONTEXT | EXO_RIGHT_INSPECT | EXO_RIGHT_DESTROY)
#define RIGHTS_CTX (EXO_RIGHT_START | EXO_RIGHT_STATE | EXO_RIGHT_EVENT)
#define RIGHTS_CHILD (EXO_RIGHT_MAP | EXO_RIGHT_SLOTS | EXO_RIGHT_CONTEXT | EXO_RIGHT_INSPECT)

static struct px_server_start start;
static uint64_t environments[PX_PROCS_MAX], contexts[PX_PROCS_MAX]; /* handles */
static uint32_t terminal_zone;          /* in which terminals can be used */
static uint64_t zone_handles[ZONES_MAX];
static bool view_pages[ZONES_MAX][PX_PROCTAB_PAGES]; /* of zones 1..: which there are */
static uint64_t scratch_va;

int64_t machine_start(const struct px_server_start *from)
{
    start = *from;
    zone_handles[0] = start.process_zone;
    scratch_va = start.free_va;
    table = (struct px_proctab *)PX_PROCTAB;
    return exo_alloc_all(start.self, PX_PROCTAB, 1, WRITE, NULL) < 0 ? -EXO_E_NOMEM : machine_publish(0);
}

/* Shows a page of the table to the other servers, where rs put one of zeros. */
int64_t machine_publish(uint32_t page)
{
    uint64_t va = PX_PROCTAB + page * PX_PAGE;
    int64_t status = exo_share_all(start.env_fs, va, va, 1, EXO_SHARE_SAME | READ);

    if (status == 0)
        status = exo_share_all(start.env_tty, va, va, 1, EXO_SHARE_SAME | READ);
    if (status == 0 && table->table_pages < page + 1)
        table->table_pages = page + 1;
    return status;
}

/* Pages of the table come in their order. */
int64_t machine_table_page(uint32_t page)
{
    while (table->table_pages <= page) {
        uint32_t next = table->table_pages;
        int64_t status = exo_alloc_all(start.self, PX_PROCTAB + next * PX_PAGE, 1, WRITE, NULL);

        if (status < 0 && status != -EXO_E_EXISTS)
            return -ENOMEM;
        if (machine_publish(next) < 0)
            return -ENOMEM;
    }
    return 0;
}

struct px_proctab *machine_view(uint32_t zone)
{
    return (struct px_proctab *)(zone == 0 ? PX_PROCTAB : PX_ZONE_TABLE(zone));
}

static int64_t view_page(uint32_t zone, uint32_t page)
{
    if (zone == 0)
        return page < PX_PROCTAB_PAGES - 1 ? machine_table_page(page) : 0; /* the last one is tty's */
    if (view_pages[zone][page])
        return 0;
    if (exo_alloc_all(start.self, PX_ZONE_TABLE(zone) + page * PX_PAGE, 1, WRITE, NULL) < 0)
        return -ENOMEM;
    view_pages[zone][page] = true;
    return 0;
}

int64_t machine_view_ready(uint32_t zone, uint32_t index)
{
    for (uint32_t above = 1; zone != 0 && above < ZONES_MAX; above++)
        if (zone_used(above) && zone_within(zone, above) && view_page(above, index * sizeof(struct px_proc) / PX_PAGE) < 0)
            return -ENOMEM;
    return 0;
}

static int64_t show_view_page(uint64_t env, uint32_t zone, uint32_t page)
{
    if (view_page(zone, page) < 0)
        return -EXO_E_NOMEM;
    return exo_share_all(env, PX_PROCTAB + page * PX_PAGE, (uint64_t)machine_view(zone) + page * PX_PAGE, 1, EXO_SHARE_SAME | READ);
}

/* Its table begins with the head and init. */
int64_t machine_zone_make(uint32_t zone, uint32_t parent, unsigned label, const struct exo_zone_limits *limits)
{
    struct px_proctab *view = machine_view(zone);
    int64_t handle = exo_zone_make(zone_handles[parent], label, limits);

    if (handle < 0)
        return handle == -EXO_E_DENIED ? -EPERM : handle == -EXO_E_INVAL ? -EINVAL : -ENOMEM;
    zone_handles[zone] = (uint64_t)handle;
    if (view_page(zone, 0) < 0) {
        machine_zone_end(zone);
        return -ENOMEM;
    }
    memcpy(view, table, sizeof(*view));
    view->entries = INIT + 1;
    memcpy(PX_PROC(view, INIT), table_entry(INIT), sizeof(struct px_proc));
    return 0;
}

void machine_zone_end(uint32_t zone)
{
    for (uint32_t page = 0; page < PX_PROCTAB_PAGES; page++)
        if (view_pages[zone][page]) {
            (void)!exo_unmap_all(start.self, PX_ZONE_TABLE(zone) + page * PX_PAGE, 1);
            view_pages[zone][page] = false;
        }
    common_end(zone);
    (void)!exo_cap_delete(zone_handles[zone]);
    zone_handles[zone] = 0;
}

int64_t machine_give_audit(uint32_t index)
{
    int64_t handle = exo_label_dominates(zone_label(processes[index].zone), EXO_PLACE_AUDIT)
                         ? exo_cap_copy(environments[index], 0, start.audit, EXO_RIGHT_AUDIT, 0)
                         : -EXO_E_DENIED;

    return handle == -EXO_E_DENIED ? -EPERM : handle < 0 ? -ENOMEM : handle;
}

int64_t machine_give_reclaim(uint32_t caller, uint32_t index)
{
    int64_t handle = exo_cap_copy(environments[caller], 0, environments[index], EXO_RIGHT_RECLAIM | EXO_RIGHT_INSPECT, 0);

    if (handle >= 0 && exo_ctx_post(contexts[index], PX_EVENT_DEMAND) < 0)
        return handle; /* it has just ended, as the caller will find */
    return handle == -EXO_E_DENIED ? -EPERM : handle < 0 ? -ENOMEM : handle;
}

static void destroy_env(uint64_t env, uint64_t reason)
{
    int64_t status;

    do
        status = exo_env_destroy(env, reason);
    while (status == -EXO_E_AGAIN);
    (void)!exo_cap_delete(env);
}

/* What every process finds: its pages, its entry of the table, slots, and a way for fs to map into it. */
static int64_t furnish(uint64_t env, uint32_t index)
{
    uint64_t badge = PX_BADGE(index, processes[index].gen), page = index * sizeof(struct px_proc) / PX_PAGE;
    int64_t status = exo_share_all(env, PX_PPAGE, PX_CLIENT_PPAGE(index), 2, EXO_SHARE_SAME | WRITE);
    uint32_t zone = processes[index].zone;
    int64_t handle;

    if (status == 0)
        status = exo_map_all(env, PX_INFO, start.info_frame, 0, 1, READ);
    if (status == 0)
        status = show_view_page(env, zone, page);
    if (status < 0)
        return status;
    if ((status = exo_cap_copy(env, PX_SLOT_SELF, env, RIGHTS_SELF, 0)) < 0 ||
        (status = exo_cap_copy(env, PX_SLOT_PROC, start.mint_proc, EXO_RIGHT_CALL, badge)) < 0 ||
        (status = exo_cap_copy(env, PX_SLOT_FS, start.mint_fs, EXO_RIGHT_CALL, badge)) < 0 ||
        (status = exo_cap_copy(env, PX_SLOT_TTY, start.mint_tty, EXO_RIGHT_CALL, badge)) < 0 ||
        (status = exo_cap_copy(env, PX_SLOT_ZONE, zone_handles[zone], EXO_RIGHT_INSPECT | EXO_RIGHT_FRAMES, 0)) < 0)
        return status;
    handle = exo_cap_copy(start.env_fs, PX_CLIENT_SLOT(index, processes[index].life), env, EXO_RIGHT_MAP | EXO_RIGHT_INSPECT, 0);
    if (handle == -EXO_E_EXISTS) /* fs has something there: any slot will do, it goes by the handle */
        handle = exo_cap_copy(start.env_fs, 0, env, EXO_RIGHT_MAP | EXO_RIGHT_INSPECT, 0);
    if (handle < 0)
        return handle;
    table_entry(index)->fs_env = (uint64_t)handle;
    return 0;
}

/* An environment with a stopped context; nothing is left behind on failure. */
static int64_t make_env(uint32_t index, const struct exo_ctx_state *state)
{
    const struct process *process = &processes[index];
    int64_t env = exo_env_create(zone_handles[process->zone], start.endpoint, PX_COOKIE(index, process->gen, process->life)), ctx, status;

    if (env < 0)
        return -ENOMEM;
    status = furnish((uint64_t)env, index);
    ctx = status < 0 ? status : exo_ctx_create((uint64_t)env, PX_UPAGE, state);
    if (ctx >= 0)
        status = exo_cap_copy((uint64_t)env, PX_SLOT_CTX, (uint64_t)ctx, RIGHTS_CTX, 0);
    if (ctx < 0 || status < 0) {
        if (ctx >= 0)
            (void)!exo_cap_delete((uint64_t)ctx);
        destroy_env((uint64_t)env, SIGKILL);
        return ctx == -EXO_E_RANGE ? -EINVAL : -ENOMEM;
    }
    environments[index] = (uint64_t)env;
    contexts[index] = (uint64_t)ctx;
    return 0;
}

/* The parent's handles of a child that it is to complete and start. */
static int64_t give_child(uint32_t parent, uint32_t index, struct machine_child *child)
{
    int64_t env = exo_cap_copy(environments[parent], 0, environments[index], RIGHTS_CHILD, 0);
    int64_t ctx = env < 0 ? env : exo_cap_copy(environments[parent], 0, contexts[index], EXO_RIGHT_START, 0);

    if (ctx < 0) { /* a handle that the parent has got already is dead with the environment */
        machine_destroy(index, SIGKILL);
        return -ENOMEM;
    }
    *child = (struct machine_child){(uint64_t)env, (uint64_t)ctx};
    return 0;
}

int64_t machine_fork(uint32_t parent, uint32_t index, const struct exo_ctx_state *state, struct machine_child *child)
{
    int64_t status = make_env(index, state);

    return status < 0 ? status : give_child(parent, index, child);
}

/* The libOS and what it reads of the servers. The terminals' page only where terminals can be used at all: for the first process. */
static int64_t furnish_first(uint32_t index, bool terminals)
{
    uint64_t env = environments[index];
    uint32_t zone = processes[index].zone;
    int64_t status = image_map(env);

    if (status == 0)
        status = common_show(env, zone);
    if (status == 0)
        status = show_view_page(env, zone, 0);
    if (status == 0)
        status = terminals ? exo_share_all(env, PX_TTYPAGE, PX_TTYPAGE, 1, EXO_SHARE_SAME | READ)
                           : show_view_page(env, zone, PX_PROCTAB_PAGES - 1);
    if (status == 0)
        status = exo_share_all(env, PX_META, PX_META, (PX_META_HI - PX_META) / PX_PAGE, EXO_SHARE_SAME | READ);
    return status;
}

static int64_t make_first(uint32_t index)
{
    struct exo_ctx_state state;
    uint64_t entry;

    if (image_entry(&entry) < 0)
        return -ENOEXEC;
    exo_state_begin(&state, entry, 0, 0);
    return make_env(index, &state);
}

int64_t machine_spawn_in(uint32_t parent, uint32_t index, struct machine_child *child)
{
    int64_t status = make_first(index);

    if (status < 0)
        return status;
    if (furnish_first(index, false) < 0) {
        machine_destroy(index, SIGKILL);
        return -ENOMEM;
    }
    return give_child(parent, index, child);
}

/* The frame block's first page says how many pages there are. */
static int64_t map_boot_arguments(uint64_t env, uint64_t frames)
{
    uint32_t pages = 0;

    if (exo_map_all(start.self, scratch_va, frames, 0, 1, READ) == 0) {
        pages = ((const struct px_bootargs *)scratch_va)->pages;
        (void)!exo_unmap_all(start.self, scratch_va, 1);
    }
    if (pages == 0)
        return -EXO_E_INVAL;
    return exo_map_all(env, PX_BOOTARGS, frames, 0, pages, WRITE);
}

int64_t machine_spawn(uint32_t index, uint64_t boot_frames)
{
    int64_t status = make_first(index);

    if (status < 0)
        return status;
    status = map_boot_arguments(environments[index], boot_frames);
    terminal_zone = processes[index].zone;
    if (status == 0)
        status = furnish_first(index, true);
    if (status == 0)
        status = exo_ctx_start(contexts[index]);
    if (status == 0)
        return 0;
    machine_destroy(index, SIGKILL);
    return status == -EXO_E_INVAL ? -EINVAL : -ENOMEM;
}

/* ---- the same process in another environment ---- */

/* Its page says what it needs no trust for; the block behind it is copied by the kernel, for the old environment's pages may vanish at any time. */
static int64_t copy_block(uint64_t to, uint64_t from_env, uint64_t from, uint64_t pages, uint64_t root)
{
    struct px_renewal *head = (struct px_renewal *)scratch_va;
    int64_t status = exo_alloc_all(start.self, scratch_va, 1, WRITE, NULL);

    if (status < 0)
        return status;
    *head = (struct px_renewal){.version = PX_RENEWAL_VERSION, .pages = (uint32_t)pages, .root = root};
    status = exo_share_all(to, PX_BOOTARGS, scratch_va, 1, EXO_SHARE_MOVE | WRITE);
    if (status < 0)
        (void)!exo_unmap_all(start.self, scratch_va, 1);
    for (uint64_t at = 0; status == 0 && at < pages; at += BLOCK_STEP) {
        uint64_t some = pages - at < BLOCK_STEP ? pages - at : BLOCK_STEP, stage = scratch_va + PX_PAGE;

        status = exo_fetch_all(from_env, from + at * PX_PAGE, stage, some, READ);
        if (status == 0)
            status = exo_share_all(to, PX_RENEWAL_BLOCK + at * PX_PAGE, stage, some, EXO_SHARE_COPY | WRITE);
        (void)!exo_unmap_all(start.self, stage, some);
    }
    return status;
}

/* Everything that can fail for want of memory. */
static int64_t prepare(uint32_t index, uint64_t old_env, uint64_t from, uint64_t pages, uint64_t root)
{
    int64_t status = furnish_first(index, processes[index].zone == terminal_zone);

    if (status == 0)
        status = copy_block(environments[index], old_env, from, pages, root);
    return status;
}

int64_t machine_renew(uint32_t index, uint64_t from, uint64_t pages, uint64_t root)
{
    uint64_t env = environments[index], ctx = contexts[index], fs_env = table_entry(index)->fs_env;
    struct px_spent spent;
    int64_t status;

    machine_spent(index, &spent);
    status = make_first(index);
    if (status == 0 && (prepare(index, env, from, pages, root) < 0 || !pages_renew(index))) {
        machine_destroy(index, SIGKILL);
        status = -ENOMEM;
    }
    if (status < 0) {
        environments[index] = env;
        contexts[index] = ctx;
        table_entry(index)->fs_env = fs_env;
        return status;
    }
    status = pages_put(index, environments[index]);
    (void)!exo_cap_delete(ctx);
    destroy_env(env, SIGKILL);
    processes[index].spent = spent;
    return status < 0 || exo_ctx_start(contexts[index]) < 0 ? -EFAULT : 0;
}

bool machine_started(uint32_t index)
{
    struct exo_ctx_state state;

    return exo_ctx_read(contexts[index], &state) == -EXO_E_BUSY;
}

void machine_destroy(uint32_t index, int32_t status)
{
    if (!environments[index])
        return;
    (void)!exo_cap_delete(contexts[index]);
    destroy_env(environments[index], (uint32_t)status);
    environments[index] = contexts[index] = 0;
}

void machine_post(uint32_t index)
{
    if (contexts[index] && exo_ctx_post(contexts[index], PX_EVENT_SIGNAL) < 0)
        return; /* it has just ended: its death note is on the way */
}

void machine_post_limit(uint32_t index)
{
    if (contexts[index])
        (void)!exo_ctx_post(contexts[index], PX_EVENT_LIMIT); /* who has just ended needs no limits */
}

void machine_post_ask(uint32_t index)
{
    if (contexts[index])
        (void)!exo_ctx_post(contexts[index], PX_EVENT_ASK); /* who has just ended answers nothing */
}

void machine_wake(uint32_t *word)
{
    exo_wake_all(word);
}

uint64_t machine_now_ns(void)
{
    return exo_clock_ns((const struct exo_info *)start.info_va);
}

bool machine_figures(uint32_t index, struct exo_env_info *figures)
{
    return environments[index] && exo_env_info(environments[index], figures) == 0;
}

static int64_t look(uint64_t env, uint64_t zone, struct px_inspect *answer)
{
    bool seen = env && exo_env_info(env, &answer->env) == 0 && exo_gas_info(env, &answer->gas) == 0 && exo_gas_info(zone, &answer->zone_gas) == 0 &&
                exo_zone_status(zone, &answer->zone) == 0;

    return seen ? 0 : -ESRCH;
}

int64_t machine_inspect(uint32_t index, struct px_inspect *answer)
{
    return look(environments[index], zone_handles[processes[index].zone], answer);
}

int64_t machine_inspect_server(uint64_t who, struct px_inspect *answer)
{
    return look(who == PX_SERVER_PROC ? start.self : who == PX_SERVER_FS ? start.env_fs : who == PX_SERVER_TTY ? start.env_tty : 0, start.zone, answer);
}

void machine_spent(uint32_t index, struct px_spent *spent)
{
    struct exo_env_info figures;
    struct px_spent now = {0};

    if (machine_figures(index, &figures)) {
        const struct px_ppage *page = machine_ppage(index);
        uint64_t noticed = page->resident_most, mapped = page->mapped_pages; /* without the libOS's own */

        mapped = figures.mapped < mapped ? figures.mapped : mapped;
        now = (struct px_spent){figures.cpu_ns, figures.faults, noticed > mapped ? noticed : mapped};
    }
    *spent = processes[index].spent;
    proc_spent_add(spent, now);
}

void *machine_page(void)
{
    static uint64_t next = PX_PROC_PAGES;

    if (exo_alloc_all(start.self, next, 1, WRITE, NULL) < 0)
        return NULL;
    next += PX_PAGE;
    return (void *)(next - PX_PAGE);
}

void machine_notify_fs(uint64_t bits)
{
    (void)!exo_ep_notify(start.fs, bits);
}

void machine_notify_tty(uint64_t bits)
{
    (void)!exo_ep_notify(start.tty, bits);
}

int64_t machine_map_table(uint32_t index, uint32_t page)
{
    return show_view_page(environments[index], processes[index].zone, page) < 0 ? -ENOMEM : 0;
}

void machine_power(unsigned how)
{
    (void)how; /* a restart is the host's to do: the machine ends either way */
    (void)!exo_power_off(start.machine, EXO_POWER_OFF);
}

void machine_drop(uint64_t handle)
{
    (void)!exo_cap_delete(handle);
}

uint64_t machine_endpoint(void)
{
    return start.endpoint;
}

const struct px_server_start *machine_gifts(void)
{
    return &start;
}
