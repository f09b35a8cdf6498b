/* The files of /proc/PID and /proc/PID/task/TID, in Linux 6.1's formats. Of another process what the process table and proc tell is known; the rest it is
 * asked for (proc_tree.h). */
#include "proc_tree.h"

#include "entry/entry.h"
#include "proto/proc.h"
#include "proto/tty.h"

#define TICK_NS (PX_SECOND / 100)
#define STRING_PART 1024u
#define STRINGS_MAX (128u << 10)

/* What stat, status and statm tell about time and memory. */
struct usage {
    uint64_t cpu_ns, child_cpu_ns;
    struct px_memory_totals memory; /* pages */
    struct px_usage more;
};

/* The thread that a text of this process is about, if it is one by name; NULL: the process. */
static const struct px_thread *thread_of(const struct px_text *text, const struct px_proc *process)
{
    const struct px_thread *thread = text->number && process == px_self() ? px_thread_number(text->number) : NULL;

    return thread && thread->live ? thread : NULL;
}

static void usage_of(const struct px_proc *process, struct usage *usage)
{
    struct exo_message message = {.word = {PX_PROC_USAGE, (uint64_t)process->pid, 0, 0, 0}};

    memset(usage, 0, sizeof *usage);
    usage->cpu_ns = process->cpu_ns;
    usage->child_cpu_ns = process->child_cpu_ns;
    if (process->state != PX_ZOMBIE && px_call_server(PX_SLOT_PROC, &message) >= 0) {
        memcpy(&usage->more, px_msg(), sizeof usage->more);
        usage->cpu_ns = usage->more.own.cpu_ns;
        usage->child_cpu_ns = usage->more.children.cpu_ns;
        usage->memory.resident = message.word[2];
        usage->memory.size = usage->more.pages;
        if (usage->memory.resident > usage->memory.size) /* the libOS's own pages are counted, too */
            usage->memory.resident = usage->memory.size;
    }
    if (process == px_self()) {
        px_memory_totals(&usage->memory);
        usage->more.threads = px_threads.live;
    }
}

/* Device number of the controlling terminal as stat shows it, and its foreground group. */
static int tty_number(const struct px_proc *process, int *foreground)
{
    const struct px_ttypage *page = (const struct px_ttypage *)PX_TTYPAGE;

    *foreground = -1;
    if (process->tty < 0 || process->tty >= (int)PX_TTYS_MAX)
        return 0;
    *foreground = (int)page->tty[process->tty].pgid;
    return process->tty == (int)PX_TTY_CONSOLE ? (int)PX_MAKEDEV(5, 1)
                                               : (int)PX_MAKEDEV(136, process->tty - 1);
}

static void text_comm(const struct px_text *text, const struct px_proc *process, char comm[17])
{
    const struct px_thread *thread = thread_of(text, process);

    memcpy(comm, thread ? thread->name : process->comm, 16);
    comm[16] = '\0';
}

/* Pending, blocked, ignored and caught, as processes publish them: whether another ignores what would be ignored anyway is not said. */
static void signals_of(const struct px_text *text, const struct px_proc *process, const struct px_usage *usage, uint64_t set[4])
{
    const struct px_ppage *page = px_ppage();
    const struct px_thread *thread = thread_of(text, process);

    set[0] = usage->pending;
    set[1] = usage->blocked;
    set[2] = usage->ignored & ~PX_SIG_DEFAULT_IGNORED;
    set[3] = usage->caught;
    if (process != px_self())
        return;
    set[0] = page->sig_pending;
    set[1] = thread ? thread->kept.blocked : page->sig_blocked;
    set[2] = 0;
    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        if (px_actions[signo].handler == PX_SIG_IGN)
            set[2] |= PX_SIGBIT(signo);
    }
    set[3] = page->sig_caught;
}

static char state_of(const struct px_text *text, const struct px_proc *process, const struct px_usage *usage)
{
    const struct px_thread *thread = process == px_self() && px_threads.live > 1 ? px_thread_number(text->number) : NULL;

    if (process->flags & PX_PF_TRAPPED && process->state != PX_ZOMBIE)
        return 't';
    switch (process->state) {
    case PX_STOPPED:
        return 'T';
    case PX_ZOMBIE:
        return 'Z';
    default:
        if (process == px_self())
            return thread && thread != px_thread() ? 'S' : 'R'; /* of other threads nobody knows */
        return usage->ready ? 'R' : 'S';
    }
}

static int tid_of(const struct px_text *text, const struct px_proc *process)
{
    const struct px_thread *thread = thread_of(text, process);

    return thread ? thread->tid : process->pid;
}

void px_text_stat(struct px_text *text, const struct px_proc *process)
{
    struct usage usage;
    uint64_t set[4];
    char comm[17];
    int foreground, tty = tty_number(process, &foreground);

    usage_of(process, &usage);
    signals_of(text, process, &usage.more, set);
    text_comm(text, process, comm);
    px_text_add(text, "%d (%s) %c %d %d %d %d %d %u %lu %lu 0 0 ", tid_of(text, process), comm, state_of(text, process, &usage.more), process->ppid,
                process->pgid, process->sid, tty, foreground, process->flags & PX_PF_EXECED ? 4194304u : 4194368u,
                (unsigned long)usage.more.own.faults, (unsigned long)usage.more.children.faults);
    px_text_add(text, "%lu 0 %lu 0 %d %d %u 0 %lu ", (unsigned long)(usage.cpu_ns / TICK_NS),
                (unsigned long)(usage.child_cpu_ns / TICK_NS), 20 + process->nice, process->nice, usage.more.threads,
                (unsigned long)(process->start_ns / TICK_NS));
    px_text_add(text, "%lu %lu %lu ", (unsigned long)(usage.memory.size * PX_PAGE),
                (unsigned long)usage.memory.resident, ~0ul);
    px_text_add(text, "0 0 0 0 0 %lu %lu %lu %lu 0 0 0 17 0 0 0 0 0 0 0 0 ",
                (unsigned long)(set[0] & 0x7fffffff), (unsigned long)(set[1] & 0x7fffffff),
                (unsigned long)(set[2] & 0x7fffffff), (unsigned long)(set[3] & 0x7fffffff));
    px_text_add(text, "%lu %lu %lu %lu %lu %d\n", (unsigned long)usage.memory.heap_lo,
                (unsigned long)usage.memory.argument_lo, (unsigned long)usage.memory.argument_hi,
                (unsigned long)usage.memory.argument_hi, (unsigned long)usage.memory.environment_hi,
                process->state == PX_ZOMBIE ? process->status : 0);
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "R (running)";
    case 'T':
        return "T (stopped)";
    case 't':
        return "t (tracing stop)";
    case 'Z':
        return "Z (zombie)";
    default:
        return "S (sleeping)";
    }
}

static void status_ids(struct px_text *text, const struct px_proc *process)
{
    px_text_add(text, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", process->uid, process->euid,
                process->suid, process->euid, process->gid, process->egid, process->sgid, process->egid);
    px_text_add(text, "FDSize:\t%u\nGroups:\t", process == px_self() ? px_fds.count : 64u);
    for (uint32_t i = 0; i < process->ngroups && i < 32; i++)
        px_text_add(text, "%u ", process->groups[i]);
    px_text_add(text, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", process->pid, process->pid,
                process->pgid, process->sid);
}

static void status_memory(struct px_text *text, const struct usage *usage)
{
    const struct px_memory_totals *memory = &usage->memory;
    unsigned long size = (unsigned long)memory->size * 4, resident = (unsigned long)memory->resident * 4;
    unsigned long most = (unsigned long)usage->more.own.resident_most * 4, size_most = (unsigned long)memory->size_most * 4;

    px_text_add(text, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n", size_most > size ? size_most : size,
                size, (unsigned long)memory->locked * 4, 0u);
    px_text_add(text,
                "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8u kB\nRssShmem:\t%8u kB\n",
                most > resident ? most : resident, resident, resident, 0u, 0u);
    px_text_add(text,
                "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8u kB\nVmPTE:\t%8u "
                "kB\nVmSwap:\t%8u kB\nHugetlbPages:\t%8u kB\n",
                (unsigned long)memory->data * 4, (unsigned long)memory->stack * 4,
                (unsigned long)memory->code * 4, 0u, 0u, 0u, 0u);
    px_text_add(text, "CoreDumping:\t0\nTHP_enabled:\t0\n");
}

void px_text_status(struct px_text *text, const struct px_proc *process)
{
    const unsigned long long capabilities = process->euid == 0 ? 0x1ffffffffffull : 0;
    const struct px_thread *thread = process == px_self() && px_threads.live > 1 ? px_thread_number(text->number) : NULL;
    struct usage usage;
    uint64_t set[4];
    char comm[17];

    usage_of(process, &usage);
    signals_of(text, process, &usage.more, set);
    text_comm(text, process, comm);
    px_text_add(
        text,
        "Name:\t%s\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
        comm, process->umask_hint & 0777, state_name(state_of(text, process, &usage.more)), process->pid, tid_of(text, process),
        process->ppid, process->tracer);
    status_ids(text, process);
    if (process->state != PX_ZOMBIE)
        status_memory(text, &usage);
    px_text_add(text,
                "Threads:\t%u\nSigQ:\t0/"
                "%u\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
                usage.more.threads, PX_PROCS_MAX - 1,
                thread ? (unsigned long)thread->pending : 0ul, (unsigned long)set[0], (unsigned long)set[1], (unsigned long)set[2],
                (unsigned long)set[3]);
    px_text_add(text,
                "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
                0ull, capabilities, capabilities, 0x1ffffffffffull, 0ull);
    px_text_add(text,
                "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tvulnerable\n"
                "SpeculationIndirectBranch:\talways enabled\nCpus_allowed:\t%x\nCpus_allowed_list:\t0",
                !!(process->flags & PX_PF_NO_NEW_PRIVS), (unsigned)((1ull << (px_info()->cpus & 31)) - 1));
    if (px_info()->cpus > 1)
        px_text_add(text, "-%u", px_info()->cpus - 1);
    px_text_add(text, "\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t0\nnonvoluntary_"
                      "ctxt_switches:\t0\n");
}

void px_text_statm(struct px_text *text, const struct px_proc *process)
{
    struct usage usage;

    usage_of(process, &usage);
    px_text_add(text, "%lu %lu 0 %lu 0 %lu 0\n", (unsigned long)usage.memory.size,
                (unsigned long)usage.memory.resident, (unsigned long)usage.memory.code,
                (unsigned long)(usage.memory.data + usage.memory.stack));
}

/* Bytes of the program's memory, as far as they can be read. */
static void put_memory(struct px_text *text, px_user from, px_user to)
{
    char part[STRING_PART];

    if (to < from || to - from > STRINGS_MAX)
        return;
    while (from < to) {
        size_t wanted = to - from < sizeof part ? to - from : sizeof part;
        size_t got = px_copy_in_part(part, from, wanted);

        px_text_put(text, part, got);
        if (got < wanted)
            return;
        from += got;
    }
}

void px_text_cmdline(struct px_text *text, const struct px_proc *process)
{
    struct px_memory_totals totals;
    uint32_t length = process->cmdline_len;

    if (process->state == PX_ZOMBIE)
        return;
    if (process == px_self()) {
        px_memory_totals(&totals);
        put_memory(text, totals.argument_lo, totals.argument_hi);
        return;
    }
    px_text_put(text, process->cmdline, length < sizeof process->cmdline ? length : sizeof process->cmdline);
}

void px_text_environ(struct px_text *text, const struct px_proc *process)
{
    struct px_memory_totals totals;

    if (process != px_self())
        return;
    px_memory_totals(&totals);
    put_memory(text, totals.argument_hi, totals.environment_hi);
}

void px_text_auxv(struct px_text *text, const struct px_proc *process)
{
    struct px_memory_totals totals;

    if (process != px_self())
        return;
    px_memory_totals(&totals);
    put_memory(text, totals.auxv, totals.auxv + totals.auxv_bytes);
}

void px_text_comm(struct px_text *text, const struct px_proc *process)
{
    char comm[17];

    text_comm(text, process, comm);
    px_text_add(text, "%s\n", comm);
}

/* Only a part, as Linux gives no more than a page at a time, either: there may be thousands of mappings. */
static void put_maps(struct px_text *text, const struct px_proc *process, enum px_maps how)
{
    if (process != px_self())
        return;
    text->begins = text->from;
    text->used = px_memory_maps(text->at, text->room, text->from, how);
}

void px_text_maps(struct px_text *text, const struct px_proc *process)
{
    put_maps(text, process, PX_MAPS);
}

void px_text_smaps(struct px_text *text, const struct px_proc *process)
{
    put_maps(text, process, PX_SMAPS);
}

void px_text_smaps_rollup(struct px_text *text, const struct px_proc *process)
{
    if (process != px_self())
        return;
    text->used = px_memory_maps(text->at, text->room, 0, PX_SMAPS_ROLLUP);
    text->full = text->used == text->room;
}

static const char *const limit_unit[PX_RLIMITS] = {
    "seconds", "bytes", "bytes", "bytes",   "bytes", "bytes", "processes", "files",
    "bytes",   "bytes", "locks", "signals", "bytes", "",      "",          "us",
};
static const char *const limit_title[PX_RLIMITS] = {
    "Max cpu time",       "Max file size",     "Max data size",         "Max stack size",
    "Max core file size", "Max resident set",  "Max processes",         "Max open files",
    "Max locked memory",  "Max address space", "Max file locks",        "Max pending signals",
    "Max msgqueue size",  "Max nice priority", "Max realtime priority", "Max realtime timeout",
};

static void limit_value(struct px_text *text, uint64_t value)
{
    if (value == PX_RLIM_INFINITY)
        px_text_add(text, "%-20s ", "unlimited");
    else
        px_text_add(text, "%-20lu ", (unsigned long)value);
}

void px_text_limits(struct px_text *text, const struct px_proc *process)
{
    px_text_add(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < PX_RLIMITS; i++) {
        struct px_rlimit limit = px_limits[i];

        if (process != px_self())
            (void)!px_limit_of(process->pid, i, &limit); /* of who is not ours to ask about the caller's are shown */
        px_text_add(text, "%-25s ", limit_title[i]);
        limit_value(text, limit.soft);
        limit_value(text, limit.hard);
        px_text_add(text, *limit_unit[i] ? "%-10s\n" : "%s\n", limit_unit[i]);
    }
}

void px_text_oom(struct px_text *text, const struct px_proc *process)
{
    struct usage usage;

    usage_of(process, &usage);
    px_text_add(text, "%d\n", usage.more.oom_score_adj);
}

void px_text_personality(struct px_text *text, const struct px_proc *process)
{
    px_text_add(text, "%08x\n", process == px_self() ? px_personality : 0);
}

/* ---- settings ---- */

static bool parse_number(const char *text, int *value)
{
    bool negative = *text == '-';
    int result = 0;

    text += negative;
    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (result > 100000)
            return false;
        result = result * 10 + (*text - '0');
    }
    *value = negative ? -result : result;
    return *text == '\0' || *text == '\n';
}

static int64_t set_hostname(const char *value)
{
    struct exo_message message = {.word = {PX_PROC_SETHOSTNAME, 0, 0, 0, 0}};
    size_t length = strlen(value);
    int64_t result;

    if (px_self()->euid != 0)
        return -EPERM;
    if (length && value[length - 1] == '\n')
        length--;
    if (length > 64)
        length = 64;
    memcpy(px_msg(), value, length);
    message.word[1] = length;
    result = px_call_server(PX_SLOT_PROC, &message);
    return result < 0 ? result : 0;
}

/* The name of the process, or of a thread of it. Only its own threads may change it. */
static int64_t set_name(unsigned number, const struct px_proc *process, const char *value)
{
    struct px_thread *thread = px_thread_number(number);
    char name[16] = {0};
    size_t length = strlen(value);

    if (process != px_self() || !thread || (number && !thread->live))
        return process == px_self() ? -ESRCH : -EINVAL;
    memcpy(name, value, length < sizeof name ? length : sizeof name - 1);
    if (number) {
        memcpy(thread->name, name, sizeof name);
        return 0;
    }
    return px_process_name(name);
}

/* A text that stays what it is can be set to that, by who may set it. */
static int64_t set_fixed(const char *fixed, const char *value)
{
    size_t length = strlen(value);

    if (length && value[length - 1] == '\n')
        length--;
    if (px_self()->euid != 0 || strncmp(fixed, value, length) != 0 || (fixed[length] && fixed[length] != '\n'))
        return -EPERM;
    return 0;
}

int64_t px_proc_set(unsigned object, unsigned number, const struct px_proc *process, const char *value)
{
    px_proc_text *what = px_proc_objects[object].text;
    int score;

    if (what == px_text_hostname)
        return set_hostname(value);
    if (what == px_text_comm)
        return set_name(number, process, value);
    if (what == px_text_oom && process == px_self()) {
        if (!parse_number(value, &score) || score < -1000 || score > 1000)
            return -EINVAL;
        if (score < px_ppage()->oom_score_adj && px_self()->euid != 0)
            return -EACCES;
        px_ppage()->oom_score_adj = score;
        return 0;
    }
    return px_proc_objects[object].fixed ? set_fixed(px_proc_objects[object].fixed, value) : -EPERM; /* what is as it is */
}
