/* The files of /proc and /sys that tell about the whole system, in Linux 6.1's formats. */
#include "procfs.h"
#include "proto/fsmeta.h"
#include "system.h"

#define TICK_NS (PX_SECOND / 100)

static void number(struct px_text *text, uint64_t value)
{
    px_text_add(text, "%lu\n", (unsigned long)value);
}

static void kib(struct px_text *text, const char *name, uint64_t bytes)
{
    px_text_add(text, "%-16s%8lu kB\n", name, (unsigned long)(bytes / 1024));
}

void px_text_meminfo(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct px_figures figures;
    uint64_t used;

    px_memory_figures(&figures);
    used = figures.total - figures.free - figures.cached;
    kib(text, "MemTotal:", figures.total);
    kib(text, "MemFree:", figures.free);
    kib(text, "MemAvailable:", figures.free); /* file pages live nowhere else: they cannot be given up */
    kib(text, "Buffers:", 0);
    kib(text, "Cached:", figures.cached);
    kib(text, "SwapCached:", 0);
    kib(text, "Active:", used);
    kib(text, "Inactive:", figures.cached);
    kib(text, "Active(anon):", used);
    kib(text, "Inactive(anon):", 0);
    kib(text, "Active(file):", 0);
    kib(text, "Inactive(file):", figures.cached);
    kib(text, "Unevictable:", 0);
    kib(text, "Mlocked:", 0);
    kib(text, "SwapTotal:", 0);
    kib(text, "SwapFree:", 0);
    kib(text, "Dirty:", 0);
    kib(text, "Writeback:", 0);
    kib(text, "AnonPages:", used);
    kib(text, "Mapped:", 0);
    kib(text, "Shmem:", figures.cached);
    kib(text, "KReclaimable:", 0);
    kib(text, "Slab:", 0);
    kib(text, "SReclaimable:", 0);
    kib(text, "SUnreclaim:", 0);
    kib(text, "CommitLimit:", figures.total);
    kib(text, "Committed_AS:", used);
    kib(text, "VmallocTotal:", 0);
    kib(text, "VmallocUsed:", 0);
}

static void hundredths(struct px_text *text, uint64_t ns)
{
    px_text_add(text, "%lu.%02lu", (unsigned long)(ns / PX_SECOND),
                (unsigned long)(ns % PX_SECOND / TICK_NS));
}

/* The kernel's figures, with those of each CPU. Zeros if there are none. */
static struct exo_stats kernel_figures(void)
{
    struct exo_stats stats = {0};

    if (exo_stats(&stats) < 0)
        memset(&stats, 0, sizeof stats);
    return stats;
}

unsigned px_system_cpus(void)
{
    unsigned most = sizeof ((struct exo_stats *)0)->cpu_idle_ns / sizeof(uint64_t), all = px_info()->cpus;

    return all < 1 ? 1 : all < most ? all : most;
}

void px_text_uptime(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    hundredths(text, px_now_ns());
    px_text_add(text, " ");
    hundredths(text, kernel_figures().idle_ns);
    px_text_add(text, "\n");
}

void px_text_loadavg(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    unsigned long load = kernel_figures().running;

    px_text_add(text, "%lu.00 %lu.00 %lu.00 %lu/%u %d\n", load, load, load, load ? load : 1u, px_proctab()->count,
                px_proctab()->last_pid);
}

/* User, nice, system, idle and so on of one CPU or of all: what it did is told as one. */
static void times(struct px_text *text, uint64_t all_ns, uint64_t idle_ns)
{
    px_text_add(text, " %lu 0 0 %lu 0 0 0 0 0 0\n", (unsigned long)((all_ns > idle_ns ? all_ns - idle_ns : 0) / TICK_NS),
                (unsigned long)(idle_ns / TICK_NS));
}

void px_text_system_stat(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct exo_stats stats = kernel_figures();
    uint64_t now = px_now_ns(), interrupts = stats.interrupts + stats.timer_interrupts;

    px_text_add(text, "cpu ");
    times(text, now * px_system_cpus(), stats.idle_ns);
    for (unsigned i = 0; i < px_system_cpus(); i++) {
        px_text_add(text, "cpu%u", i);
        times(text, now, stats.cpu_idle_ns[i]);
        interrupts += stats.cpu_kicks[i];
    }
    px_text_add(text, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %lu\nprocs_blocked 0\n", (unsigned long)interrupts,
                (unsigned long)stats.switches, (unsigned long)((px_real_ns() - now) / PX_SECOND), (unsigned long)px_proctab()->forks,
                (unsigned long)(stats.running ? stats.running : 1));
    px_text_add(text, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void interrupt_line(struct px_text *text, const char *name, const uint64_t *of_cpu, const char *what)
{
    px_text_add(text, "%s:", name);
    for (unsigned i = 0; i < px_system_cpus(); i++)
        px_text_add(text, " %10lu", (unsigned long)of_cpu[i]);
    px_text_add(text, "   %s\n", what);
}

/* Which line of a device it was, its driver counts. */
void px_text_interrupts(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct exo_stats stats = kernel_figures();

    px_text_add(text, "    ");
    for (unsigned i = 0; i < px_system_cpus(); i++)
        px_text_add(text, "       CPU%u", i);
    px_text_add(text, "\n");
    interrupt_line(text, "DEV", stats.cpu_interrupts, "Device interrupts");
    interrupt_line(text, "LOC", stats.cpu_timer_interrupts, "Local timer interrupts");
    interrupt_line(text, "RES", stats.cpu_kicks, "Rescheduling interrupts");
}

void px_text_cpuinfo(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    for (unsigned i = 0; i < px_info()->cpus || i == 0; i++)
        px_arch_cpuinfo(text, i);
}

void px_text_vmstat(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct px_figures figures;

    px_memory_figures(&figures);
    px_text_add(text,
                "nr_free_pages %lu\nnr_file_pages %lu\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault %lu\npgmajfault 0\n",
                (unsigned long)(figures.free / PX_PAGE), (unsigned long)(figures.cached / PX_PAGE), (unsigned long)kernel_figures().faults);
}

/* The same in every process: one file system of pages, /proc and /sys. */
static const struct mount {
    const char *type, *at, *options;
    unsigned device;
} mounts[] = {
    {"tmpfs", "/", "rw,relatime", PX_FS_DEV},
    {"proc", "/proc", "rw,nosuid,nodev,noexec,relatime", PX_PROC_DEV},
    {"sysfs", "/sys", "rw,nosuid,nodev,noexec,relatime", PX_SYSFS_DEV},
};
#define MOUNTS (sizeof mounts / sizeof mounts[0])

void px_text_mounts(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    for (unsigned i = 0; i < MOUNTS; i++)
        px_text_add(text, "%s %s %s %s 0 0\n", mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].options);
}

void px_text_mountinfo(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    for (unsigned i = 0; i < MOUNTS; i++)
        px_text_add(text, "%u %u 0:%u / %s %s - %s %s rw\n", PX_MOUNT_ROOT + i, PX_MOUNT_ROOT, mounts[i].device, mounts[i].at, mounts[i].options,
                    mounts[i].type, mounts[i].type);
}

void px_text_mountstats(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    for (unsigned i = 0; i < MOUNTS; i++)
        px_text_add(text, "device %s mounted on %s with fstype %s\n", mounts[i].type, mounts[i].at, mounts[i].type);
}

/* There are none here, of any kind. */
void px_text_softirqs(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    static const char *const names[] = {"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"};

    px_text_add(text, "                    ");
    for (unsigned i = 0; i < px_system_cpus(); i++)
        px_text_add(text, "CPU%-8u", i);
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        px_text_add(text, "\n%12s:", names[i]);
        for (unsigned cpu = 0; cpu < px_system_cpus(); cpu++)
            px_text_add(text, " %10u", 0u);
    }
    px_text_add(text, "\n");
}

/* One zone, without watermarks. */
void px_text_zoneinfo(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct px_figures figures;
    unsigned long all, spare;

    px_memory_figures(&figures);
    all = (unsigned long)(figures.total / PX_PAGE);
    spare = (unsigned long)(figures.free / PX_PAGE);
    px_text_add(text, "Node 0, zone   Normal\n  pages free     %lu\n        boost    0\n        min      0\n        low      0\n        high     0\n", spare);
    px_text_add(text, "        spanned  %lu\n        present  %lu\n        managed  %lu\n        cma      0\n      nr_free_pages %lu\n", all, all, all, spare);
}

/* ---- /proc/sys ---- */

void px_text_hostname(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    char name[65];

    memcpy(name, px_proctab()->hostname, sizeof name);
    name[64] = '\0';
    px_text_add(text, "%s\n", name);
}

void px_text_domainname(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "%s\n", px_domain_name);
}

void px_text_threads_max(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, PX_PROCS_MAX - 1);
}

static void uuid(struct px_text *text, const uint8_t from[16])
{
    for (unsigned i = 0; i < 16; i++)
        px_text_add(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", from[i]);
    px_text_add(text, "\n");
}

void px_text_uuid(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    uint8_t bytes[16];

    px_random_bytes(bytes, sizeof bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    uuid(text, bytes);
}

/* The same until the next boot: made from what differs between boots. */
void px_text_boot_id(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    uint64_t words[2] = {px_info()->boot_tsc * 0x9e3779b97f4a7c15ull,
                         px_info()->wall_offset_ns * 0xc2b2ae3d27d4eb4full};
    uint8_t bytes[16];

    words[1] ^= words[0] >> 29;
    memcpy(bytes, words, sizeof bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    uuid(text, bytes);
}

void px_text_file_max(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, (uint64_t)PX_PROCS_MAX * PX_FD_MAX);
}

void px_text_file_nr(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "0\t0\t%lu\n", (unsigned long)PX_PROCS_MAX * PX_FD_MAX);
}

void px_text_nr_open(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, PX_FD_MAX);
}

void px_text_pipe_max(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, PX_PIPE_SIZE);
}

static void put_inodes(struct px_text *text, const char *rest)
{
    const struct px_meta *meta = (const struct px_meta *)PX_META;

    px_text_add(text, "%u\t0%s\n", PX_META_LOAD(meta->inodes), rest);
}

void px_text_inode_nr(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_inodes(text, "");
}

void px_text_inode_state(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_inodes(text, "\t0\t0\t0\t0\t0");
}

/* ---- /sys ---- */

void px_text_cpu_list(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, px_system_cpus() > 1 ? "0-%u\n" : "%u\n", px_system_cpus() - 1);
}

void px_text_cpu_mask(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "%x\n", (1u << px_system_cpus()) - 1);
}

/* A processor is a core of the one package. */
void px_text_core_id(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, text->number);
}

void px_text_core_mask(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "%x\n", 1u << (text->number & 31));
}

static void node_kib(struct px_text *text, const char *name, uint64_t bytes)
{
    px_text_add(text, "Node 0 %-16s%8lu kB\n", name, (unsigned long)(bytes / 1024));
}

void px_text_node_meminfo(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct px_figures figures;

    px_memory_figures(&figures);
    node_kib(text, "MemTotal:", figures.total);
    node_kib(text, "MemFree:", figures.free);
    node_kib(text, "MemUsed:", figures.total - figures.free);
    node_kib(text, "FilePages:", figures.cached);
    node_kib(text, "Shmem:", figures.cached);
    node_kib(text, "AnonPages:", figures.total - figures.free - figures.cached);
}
