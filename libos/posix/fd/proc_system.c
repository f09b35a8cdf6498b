/* The files of /proc that tell about the whole system, in Linux 6.1's formats. */
#include "procfs.h"

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

static unsigned cpus(void)
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
    times(text, now * cpus(), stats.idle_ns);
    for (unsigned i = 0; i < cpus(); i++) {
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
    for (unsigned i = 0; i < cpus(); i++)
        px_text_add(text, " %10lu", (unsigned long)of_cpu[i]);
    px_text_add(text, "   %s\n", what);
}

/* Which line of a device it was, its driver counts. */
void px_text_interrupts(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct exo_stats stats = kernel_figures();

    px_text_add(text, "    ");
    for (unsigned i = 0; i < cpus(); i++)
        px_text_add(text, "       CPU%u", i);
    px_text_add(text, "\n");
    interrupt_line(text, "DEV", stats.cpu_interrupts, "Device interrupts");
    interrupt_line(text, "LOC", stats.cpu_timer_interrupts, "Local timer interrupts");
    interrupt_line(text, "RES", stats.cpu_kicks, "Rescheduling interrupts");
}

void px_text_version(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "Linux version %s (exov6) (gcc) %s\n", PX_RELEASE, PX_VERSION);
}

void px_text_cpuinfo(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    for (unsigned i = 0; i < px_info()->cpus || i == 0; i++)
        px_arch_cpuinfo(text, i);
}

void px_text_filesystems(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "nodev\tproc\nnodev\ttmpfs\nnodev\tpipefs\nnodev\tdevpts\n");
}

void px_text_kernel_cmdline(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "\n");
}

void px_text_vmstat(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct px_figures figures;

    px_memory_figures(&figures);
    px_text_add(text,
                "nr_free_pages %lu\nnr_file_pages %lu\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault "
                "0\npgmajfault 0\n",
                (unsigned long)(figures.free / PX_PAGE), (unsigned long)(figures.cached / PX_PAGE));
}

void px_text_devices(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 "
                      "pts\n\nBlock devices:\n");
}

void px_text_partitions(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "major minor  #blocks  name\n\n");
}

void px_text_swaps(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
}

/* The same in every process: one file system of pages, /proc, and what is served below /dev/pts. */
void px_text_mounts(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "tmpfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n");
}

void px_text_mountinfo(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text,
                "1 1 0:1 / / rw,relatime - tmpfs tmpfs rw\n2 1 0:%u / /proc rw,nosuid,nodev,noexec,relatime "
                "- proc proc rw\n",
                (unsigned)PX_PROC_DEV);
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

void px_text_osrelease(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "%s\n", PX_RELEASE);
}

void px_text_ostype(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "Linux\n");
}

void px_text_kernel_version(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "%s\n", PX_VERSION);
}

void px_text_pid_max(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 32768);
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

void px_text_random_size(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 256);
}

void px_text_cap_last_cap(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 40);
}

void px_text_ngroups_max(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 65536);
}

void px_text_core_pattern(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "core\n");
}

void px_text_overflowid(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 65534);
}

void px_text_overcommit(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 0);
}

void px_text_max_map_count(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 65530);
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

void px_text_somaxconn(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    number(text, 4096);
}
