/* What the core asks of the kernel: pages, the clock, clients' environments and hazard lists. */
#include <exo/clock.h>
#include <exo/label.h>

#include "ipc.h"
#include "proc.h"

#define PUBLISH_WITHIN_NS (60ull * 1000000000) /* a process that never makes its list does not keep files for ever \
                                                */

FS_HOT_DATA const struct px_server_start *fs_start;
FS_HOT_DATA static struct exo_info info; /* a copy: what the clock reads of it does not change */

void fs_system_start(const struct px_server_start *start)
{
    fs_start = start;
    info = *(const struct exo_info *)start->info_va;
}

int64_t fs_errno(int64_t error)
{
    switch (-error) {
    case 0: return 0;
    case EXO_E_NOMEM:
    case EXO_E_NOSLOT:
    case EXO_E_LIMIT: return -ENOMEM;
    case EXO_E_RANGE:
    case EXO_E_ALIGN:
    case EXO_E_INVAL: return -EINVAL;
    case EXO_E_EXISTS: return -EEXIST;
    }
    return -ESRCH;
}

bool os_pages_take(void *va, uint64_t pages)
{
    uint64_t done = 0;

    if (exo_alloc_all(fs_start->self, (uint64_t)va, pages, EXO_PROT_READ | EXO_PROT_WRITE, &done) == 0)
        return true;
    os_pages_give(va, done);
    return false;
}

void os_pages_give(void *va, uint64_t pages)
{
    if (pages)
        (void)!exo_unmap_all(fs_start->self, (uint64_t)va, pages);
}

bool os_region_grow(uint64_t first_page, uint64_t pages)
{
    return os_pages_take((void *)(PX_META + first_page * FS_PAGE), pages);
}

FS_HOT int64_t os_now(void)
{
    const struct px_proctab *table = (const struct px_proctab *)PX_PROCTAB;
    uint64_t shift = (uint64_t)__atomic_load_n(&table->wall_shift_ns, __ATOMIC_RELAXED);
    uint64_t ns = exo_clock_ns(&info) + info.wall_offset_ns + shift;

    return PX_TIME(ns / 1000000000, ns % 1000000000);
}

int64_t os_share(void *client, uint64_t va, const void *from, uint64_t pages, uint64_t mode_prot)
{
    const struct px_proc *process = client;

    return fs_errno(exo_share_all(process->fs_env, va, (uint64_t)from, pages, mode_prot));
}

static bool is_living(uint32_t state)
{
    return state == PX_EMBRYO || state == PX_RUNNING || state == PX_STOPPED;
}

bool os_next_hazards(unsigned *cursor, struct fs_hazards *hazards)
{
    uint32_t entries = ((const struct px_proctab *)PX_PROCTAB)->entries;

    while (*cursor < PX_PROCS_MAX && ++*cursor < entries && *cursor < PX_PROCS_MAX) {
        const struct px_proc *process = PX_PROC(PX_PROCTAB, *cursor);
        const struct px_ppage *page = (const struct px_ppage *)PX_CLIENT_PPAGE(*cursor);
        uint32_t count;

        if (!is_living(__atomic_load_n(&process->state, __ATOMIC_ACQUIRE)) || !process->fs_env)
            continue; /* pid 1 is no process with pages of its own */
        count = __atomic_load_n(&page->hazard_count, __ATOMIC_ACQUIRE);
        hazards->ino = page->hazard;
        hazards->count = count < PX_HAZARDS ? count : PX_HAZARDS;
        hazards->published = count > PX_HAZARDS ? false : count > 0 || exo_clock_ns(&info) - process->start_ns > PUBLISH_WITHIN_NS;
        return true;
    }
    if (*cursor <= PX_PROCS_MAX) { /* last: what is on its way from one to another */
        *cursor = PX_PROCS_MAX + 1;
        hazards->count = fs_parcels_hold(&hazards->ino);
        hazards->published = true;
        return true;
    }
    return false;
}

uint32_t os_process_changes(void)
{
    return __atomic_load_n(&((const struct px_proctab *)PX_PROCTAB)->change, __ATOMIC_SEQ_CST);
}

const struct px_proc *os_process(uint32_t index)
{
    return PX_PROC(PX_PROCTAB, index);
}

void os_wake(uint32_t *word)
{
    exo_wake_all(word);
}

void fs_signal(int32_t pid, uint32_t signo, int32_t code, int32_t sender, uint32_t uid, uint64_t value)
{
    struct exo_message message = {
        .word = {PX_PROC_KILL, (uint32_t)pid | (uint64_t)(uint32_t)sender << 32, signo | (uint64_t)uid << 32, (uint32_t)code, value}};

    (void)!exo_ep_call(fs_start->proc, &message); /* who has ended needs no signal */
}

void os_tell_owner(uint64_t cookie)
{
    struct exo_message message = {.word = {PX_PROC_TELL, cookie, PX_TELL_IN}};

    (void)!exo_ep_call(fs_start->proc, &message); /* a cookie that is good no more tells nobody */
}

int64_t os_setid(const struct fs_request *request, uint32_t uid, uint32_t gid, uint64_t which)
{
    struct exo_message message = {.word = {PX_PROC_SETID, request->message->badge, uid | (uint64_t)gid << 32, which}};

    if (exo_ep_call(fs_start->proc, &message) < 0)
        return -EIO;
    return (int64_t)message.word[0] < 0 ? (int64_t)message.word[0] : (int64_t)message.word[1];
}

FS_HOT bool fs_find_caller(uint64_t badge, struct fs_request *request)
{
    unsigned index = PX_BADGE_INDEX(badge);
    const struct px_proc *process;

    if (index == 0 || index >= PX_PROCS_MAX || index >= ((const struct px_proctab *)PX_PROCTAB)->entries)
        return false;
    process = PX_PROC(PX_PROCTAB, index);
    if (!is_living(process->state) || process->gen != PX_BADGE_GEN(badge))
        return false;
    request->index = index;
    request->page = (const void *)PX_CLIENT_MSG(index);
    request->caller.uid = process->fsuid;
    request->caller.gid = process->fsgid;
    request->caller.groups = process->groups;
    request->caller.group_count = process->ngroups <= 32 ? process->ngroups : 32;
    request->caller.label = process->label < EXO_LABELS ? process->label : EXO_LABEL_BOTTOM;
    request->caller.client = (void *)(uintptr_t)process;
    return true;
}
